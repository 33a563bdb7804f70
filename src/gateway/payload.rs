//! What every body has in common: how large it may be, and how a fault in it is told.
//!
//! Nothing here knows what a body means.
//!
//! The running gateway has two limits, 256 KiB for any body (413) and 100 KiB in its Prometheus adapter (400). Here the
//! first one is the only one.

pub(super) mod fields;
pub(super) mod time;

/// The largest body that is read, in bytes: 256 KiB.
pub const MAX_BODY: usize = 256 * 1024;

/// The most alerts that one webhook may hold. Alertmanager needs about 400 bytes for one, so that no body of
/// [`MAX_BODY`] bytes of its making comes near.
pub const MAX_ALERTS: usize = 1000;

/// How many bytes the labels of one alert, or those of its group, may have, names and values together: 64 KiB. They
/// stand in a RemediationRequest four times, and etcd takes objects of 1.5 MiB.
pub const MAX_LABELS: usize = 64 * 1024;

/// Why a body is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// More than [`MAX_BODY`] bytes: 413.
    #[error("the body has {bytes} bytes, at most {MAX_BODY} are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The bytes are no text: 400.
    #[error("the body is not UTF-8 after byte {valid_up_to}")]
    NotUtf8 {
        /// So many bytes are.
        valid_up_to: usize,
    },
    /// The text is no JSON: 400.
    #[error("the body is not JSON: {problem}")]
    NotJson {
        /// What was found, and at which line and column.
        problem: String,
    },
    /// It is JSON, and a field of it is wrong: 400.
    #[error(transparent)]
    Field(#[from] FieldError),
}

impl PayloadError {
    /// The HTTP status that tells it.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::TooLarge { .. } => 413,
            Self::NotUtf8 { .. } | Self::NotJson { .. } | Self::Field(_) => 400,
        }
    }

    /// The last part of the problem's type, `https://kubernaut.ai/problems/…`.
    #[must_use]
    pub fn problem_type(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "payload-too-large",
            Self::NotUtf8 { .. } | Self::NotJson { .. } | Self::Field(_) => "validation-error",
        }
    }
}

/// Which field is wrong, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct FieldError {
    /// Its path in the body, such as `alerts[3].labels.severity`; `body` for the whole and the name of a header.
    pub field: String,
    /// What is wrong.
    pub problem: Problem,
}

impl FieldError {
    pub(super) fn new(field: impl Into<String>, problem: Problem) -> Self {
        Self {
            field: field.into(),
            problem,
        }
    }
}

/// What can be wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is not there, or empty.
    #[error("missing")]
    Missing,
    /// It is there twice, so that readers would disagree about its value.
    #[error("given more than once")]
    Repeated,
    /// It has another JSON type.
    #[error("{expected} is expected")]
    WrongType {
        /// The type, with its article.
        expected: &'static str,
    },
    /// An escape such as `\ud800` stands for no character.
    #[error("an escape in it stands for no character")]
    NotUnicode,
    /// No RFC 3339 date between the years 1 and 9999.
    #[error("\"{text}\" is no RFC 3339 date")]
    NotADate {
        /// As given, cut to a readable length.
        text: String,
    },
    /// Something else than whole seconds since 1970.
    #[error("\"{text}\" is no number of seconds since 1970")]
    NotSeconds {
        /// As given, cut to a readable length.
        text: String,
    },
    /// More elements than are taken.
    #[error("{count} are given, at most {limit} are taken")]
    TooMany {
        /// How many.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// Longer than a RemediationRequest takes.
    #[error("{bytes} bytes, at most {limit} fit into a RemediationRequest")]
    TooLong {
        /// How many.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Too old to act on.
    #[error("{seconds} s old, at most {limit} s are accepted")]
    TooOld {
        /// How old.
        seconds: i64,
        /// The limit.
        limit: i64,
    },
    /// Further in the future than clocks differ.
    #[error("{seconds} s in the future, at most {limit} s are accepted")]
    InTheFuture {
        /// How far.
        seconds: i64,
        /// The limit.
        limit: i64,
    },
    /// A value that nothing is done for.
    #[error("\"{value}\" is not handled, {handled} are")]
    NotHandled {
        /// As given, cut to a readable length.
        value: String,
        /// What is.
        handled: &'static str,
    },
    /// No object can have this name.
    #[error("\"{name}\" cannot be the name of {what}")]
    NotAName {
        /// As given, cut to a readable length.
        name: String,
        /// Of what, with its article.
        what: &'static str,
    },
    /// An alert about the objects of a cluster that cannot be asked about them.
    #[error("\"{name}\" is another cluster than \"{own}\", whose objects are known here")]
    OtherCluster {
        /// As given, cut to a readable length.
        name: String,
        /// The one that can be asked.
        own: String,
    },
    /// No label names an object.
    #[error("no label names a Kubernetes object")]
    NoTarget,
}

/// The beginning of a text that somebody else chose the length of.
pub(super) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 64;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The body as text, if it is one of an acceptable size.
pub(super) fn text(body: Vec<u8>) -> Result<String, PayloadError> {
    if body.len() > MAX_BODY {
        return Err(PayloadError::TooLarge { bytes: body.len() });
    }
    String::from_utf8(body).map_err(|error| PayloadError::NotUtf8 {
        valid_up_to: error.utf8_error().valid_up_to(),
    })
}
