//! Every exit code. Nothing else names a number.

/// How gwlock ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or yes.
    Done,
    /// The answer is no.
    No,
    /// Wrong usage.
    Usage,
    /// Input that cannot be read.
    BadInput,
    /// No answer in time.
    Unreachable,
    /// A bug.
    Bug,
    /// Somebody holds the lease.
    Busy,
    /// A code that the user chose for "busy".
    BusyAs(u8),
    /// Nobody knows whether a write happened.
    Unknown,
    /// Not allowed.
    Forbidden,
    /// Settings that cannot work.
    Config,
    /// The lease was lost while a command ran.
    Lost,
    /// A command could not be executed.
    NotExecutable,
    /// A command was not found.
    NotFound,
    /// Ended by a POSIX signal.
    Signal(u8),
    /// The command's own code.
    Child(u8),
}

/// What the README and the man page say of the codes, in their order.
pub const TABLE: &[(&str, &str, &str)] = &[
    ("0", "Done", "done, yes"),
    (
        "1",
        "No",
        "the answer is no: no such lease, not held by you, claim no longer stands, access missing, violation found",
    ),
    ("2", "Usage", "usage"),
    (
        "65",
        "BadInput",
        "bad input: key, payload, manifest, handle file",
    ),
    (
        "69",
        "Unreachable",
        "API server or gateway not reachable in time",
    ),
    ("70", "Bug", "a bug in gwlock"),
    (
        "75",
        "LeaseBusy",
        "lease busy, or the wait ran out (`-E N` changes it)",
    ),
    ("76", "OutcomeUnknown", "outcome of a write unknown"),
    ("77", "Forbidden", "forbidden or unauthorised"),
    (
        "78",
        "Configuration",
        "configuration: kubeconfig, contradicting settings",
    ),
    ("79", "LeaseLost", "lease lost while the command ran"),
    ("126, 127", "", "command not executable, not found"),
    ("128+n", "", "ended by POSIX signal n"),
];

impl Exit {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::BadInput => 65,
            Self::Unreachable => 69,
            Self::Bug => 70,
            Self::Busy => 75,
            Self::Unknown => 76,
            Self::Forbidden => 77,
            Self::Config => 78,
            Self::Lost => 79,
            Self::NotExecutable => 126,
            Self::NotFound => 127,
            Self::Signal(number) => 128u8.saturating_add(number),
            Self::BusyAs(code) | Self::Child(code) => code,
        }
    }

    /// The `reason` of JSON errors.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Done => "Done",
            Self::No => "No",
            Self::Usage => "Usage",
            Self::BadInput => "BadInput",
            Self::Unreachable => "Unreachable",
            Self::Bug => "Bug",
            Self::Busy | Self::BusyAs(_) => "LeaseBusy",
            Self::Unknown => "OutcomeUnknown",
            Self::Forbidden => "Forbidden",
            Self::Config => "Configuration",
            Self::Lost => "LeaseLost",
            Self::NotExecutable => "NotExecutable",
            Self::NotFound => "NotFound",
            Self::Signal(_) => "Signal",
            Self::Child(_) => "Child",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_every_code_and_reason() {
        let all = [
            Exit::Done,
            Exit::No,
            Exit::Usage,
            Exit::BadInput,
            Exit::Unreachable,
            Exit::Bug,
            Exit::Busy,
            Exit::Unknown,
            Exit::Forbidden,
            Exit::Config,
            Exit::Lost,
        ];
        let named: Vec<(String, &str)> = all
            .iter()
            .map(|exit| (exit.code().to_string(), exit.reason()))
            .collect();
        let table: Vec<(String, &str)> = TABLE
            .iter()
            .take(all.len())
            .map(|(code, reason, _)| ((*code).to_owned(), *reason))
            .collect();
        assert_eq!(named, table);
    }
}
