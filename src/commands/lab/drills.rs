//! The situations of docs/runbook.md, a file each: how each is set up and told. How to get out of them is in the runbook
//! alone.
//!
//! Nothing in a situation depends on when somebody looks: what has to be held is renewed while the lab runs, and what has
//! expired did so before it started.

mod clock_skew;
mod duplicate_rrs;
mod forbidden;
mod holder;
mod lease_duration;
mod lock_timeouts;
mod piled_up_leases;
mod pod_restart;
mod slow_api_server;
mod stuck_lock;
mod wrong_count;

use std::sync::Arc;

use clap::ValueEnum;
use gwlock_apiserver::ApiServer;
use gwlock_apiserver::access::UserInfo;
use tokio::task::JoinSet;

use super::fixtures::{Lab, LabClock};
use super::roles::{self, GATEWAY, ON_LEASES};

/// Which situation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Drill {
    /// Alerts are answered 500 with lock time-outs
    LockTimeouts,
    /// A lock is stuck after a crash
    StuckLock,
    /// There are two RemediationRequests of one alert
    DuplicateRrs,
    /// An occurrence count is wrong
    WrongCount,
    /// The gateway is forbidden to use leases
    Forbidden,
    /// The API server is slow under a storm
    SlowApiServer,
    /// Clocks are wrong
    ClockSkew,
    /// A gateway's pod restarted while it held a lease
    PodRestart,
    /// Leases pile up
    PiledUpLeases,
    /// A lease duration has to be chosen
    LeaseDuration,
}

/// How a situation is told.
struct Situation {
    /// The heading of its section in docs/runbook.md.
    section: &'static str,
    /// What somebody knows who is called; lines without an end.
    story: &'static str,
}

/// What a drill is set up on; it may go on there while the lab runs.
#[derive(Clone)]
pub(super) struct Stage {
    pub(super) server: ApiServer,
    pub(super) token: String,
    pub(super) clock: Arc<LabClock>,
}

impl Stage {
    pub(super) fn lab(&self) -> Lab<'_> {
        Lab {
            server: &self.server,
            token: &self.token,
            clock: &self.clock,
        }
    }
}

impl Drill {
    /// Makes the situation. Whoever has to be at work in it is among `at_work`.
    pub(super) async fn set_up(
        self,
        stage: &Stage,
        at_work: &mut JoinSet<()>,
    ) -> anyhow::Result<()> {
        let lab = stage.lab();
        if !self.is_about_rights() {
            roles::create(&lab, ON_LEASES).await?;
        }
        match self {
            Self::LockTimeouts => lock_timeouts::set_up(stage, at_work).await,
            Self::StuckLock => stuck_lock::set_up(stage, at_work).await,
            Self::DuplicateRrs => duplicate_rrs::set_up(&lab).await,
            Self::WrongCount => wrong_count::set_up(&lab).await,
            Self::Forbidden => forbidden::set_up(&lab).await,
            Self::SlowApiServer => slow_api_server::set_up(stage, at_work).await,
            Self::ClockSkew => clock_skew::set_up(stage, at_work).await,
            Self::PodRestart => pod_restart::set_up(stage, at_work).await,
            Self::PiledUpLeases => piled_up_leases::set_up(stage, at_work).await,
            Self::LeaseDuration => lease_duration::set_up(stage).await,
        }
    }

    /// What has happened, and which section of the runbook is about it.
    pub(super) fn told(self) -> String {
        let Situation { section, story } = self.situation();
        format!(
            "drill {}:\n{story}\n-> docs/runbook.md, \"{section}\"",
            self.name()
        )
    }

    /// Whether it is worked on with the rights of the gateway.
    pub(super) fn is_as_gateway(self) -> bool {
        self == Self::Forbidden
    }

    /// Whether the gateway lacks a right, so that the drill has its own.
    fn is_about_rights(self) -> bool {
        matches!(self, Self::Forbidden | Self::PiledUpLeases)
    }

    fn situation(self) -> Situation {
        match self {
            Self::LockTimeouts => lock_timeouts::SITUATION,
            Self::StuckLock => stuck_lock::SITUATION,
            Self::DuplicateRrs => duplicate_rrs::SITUATION,
            Self::WrongCount => wrong_count::SITUATION,
            Self::Forbidden => forbidden::SITUATION,
            Self::SlowApiServer => slow_api_server::SITUATION,
            Self::ClockSkew => clock_skew::SITUATION,
            Self::PodRestart => pod_restart::SITUATION,
            Self::PiledUpLeases => piled_up_leases::SITUATION,
            Self::LeaseDuration => lease_duration::SITUATION,
        }
    }

    fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// All drills, a line each.
pub(super) fn list() -> String {
    let values = Drill::value_variants()
        .iter()
        .filter_map(Drill::to_possible_value);
    let lines = values.map(|value| {
        let help = value.get_help().map(ToString::to_string);
        format!("{:<16} {}\n", value.get_name(), help.unwrap_or_default())
    });
    lines.collect()
}

/// Who the gateway is to the server.
pub(super) fn gateway() -> UserInfo {
    let namespace = super::fixtures::NAMESPACE;
    UserInfo::new(
        &format!("system:serviceaccount:{namespace}:{GATEWAY}"),
        &[
            "system:serviceaccounts",
            &format!("system:serviceaccounts:{namespace}"),
        ],
    )
}
