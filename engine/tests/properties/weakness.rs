//! One safety measure taken away, from outside the machines: the checker has to notice.

use std::time::Duration;

use gwlock_engine::protocol::clock::Moment;
use gwlock_engine::protocol::exchange::{Answer, Reply, Request};
use jiff::{SignedDuration, Timestamp};

use super::process::Holding;
use super::server::Call;

/// What a careless implementation leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weakness {
    Nothing,
    /// Validity counts from the answer instead of the sending, and lasts for the whole duration.
    ValidityFromAnswer,
    /// The holder works until it is told of a loss, and never looks at its clock.
    NoDeadline,
    /// A PUT names no uid.
    PutWithoutUid,
    /// A PUT names no resourceVersion.
    PutWithoutVersion,
    /// A DELETE has no preconditions.
    BlindDelete,
    /// Two handlers of one pod have one identity.
    NoNonce,
    /// No margin for API servers whose clocks differ.
    NoMargin,
    /// creationTimestamp counts where no stamp is to be had.
    StampFromCreation,
    /// The newest entry of `managedFields` counts, whatever it owns.
    AnyStamp,
    /// A takeover is not checked by the stamps.
    NoUndo,
    /// renewTime is a local clock that is a minute behind.
    LocalTime,
    /// A POST without an answer that is not there at the next look is forgotten.
    NotFoundIsNo,
}

impl Weakness {
    pub(crate) fn call(self, request: Request) -> Call {
        let mut call = Call::guarded(request);
        match (self, &mut call.request) {
            (Self::PutWithoutUid, Request::Replace { .. }) => call.with_uid = false,
            (Self::PutWithoutVersion, Request::Replace { .. }) => call.with_version = false,
            (Self::BlindDelete, Request::Delete(_)) => {
                call.with_uid = false;
                call.with_version = false;
            }
            (Self::LocalTime, Request::Create(claim) | Request::Replace { claim, .. }) => {
                claim.renew_time = claim.renew_time.map(|time| time - MINUTE);
            }
            _ => {}
        }
        call
    }

    /// What the machine is told instead of the truth. `own`: the record names the asking acquisition; `newest` is the
    /// newest entry of `managedFields`.
    pub(crate) fn reply(
        self,
        call: &Call,
        own: bool,
        newest: Option<Timestamp>,
        reply: &mut Reply,
    ) {
        let date = reply.date;
        let wrote = !matches!(call.request, Request::Get);
        let Answer::Lease(record) = &mut reply.answer else {
            return;
        };
        match self {
            Self::StampFromCreation if wrote => record.stamp = record.stamp.or(date),
            Self::StampFromCreation => record.stamp = record.stamp.or(record.created),
            Self::AnyStamp => record.stamp = newest,
            Self::NoUndo if wrote || own => record.stamp = date.map(|date| date + HOUR * 24),
            Self::LocalTime if own => {
                record.claim.renew_time = record.claim.renew_time.map(|time| time + MINUTE);
            }
            _ => {}
        }
    }

    pub(crate) fn margin(self, margin: Duration) -> Duration {
        if self == Self::NoMargin {
            Duration::ZERO
        } else {
            margin
        }
    }

    /// Whether a holder that is so careless believes that it holds the lease.
    pub(crate) fn believes(self, holding: &Holding, duration: Duration, now: Moment) -> bool {
        match self {
            Self::ValidityFromAnswer => now < holding.answered + duration,
            Self::NoDeadline => true,
            _ => holding.hold.is_valid(now),
        }
    }
}

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
