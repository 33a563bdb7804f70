//! The safety measures that can be taken out, one at a time.

/// What a careless implementation leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Each acquisition has a nonce. Without it, a record of the same pod name is "mine".
    Nonce,
    /// A PUT names the uid. Without it, the server creates an object that is gone.
    Uid,
    /// PUT and DELETE name the version that was read.
    Preconditions,
    /// A holder stops by its own clock before the duration ends. Without it, it stops when it is told.
    Deadline,
    /// Validity counts from the sending of the write. Without it, from the arrival of the answer.
    ValidityFromSending,
    /// Where the stamp is missing, only what was observed counts. Without it, creationTimestamp does.
    NoStampNoRule,
    /// The stamp is that of the spec. Without it, the newest of any field counts.
    StampOfTheSpec,
    /// renewTime is the server's time. Without it, it is a clock that is behind.
    ServerTime,
}
