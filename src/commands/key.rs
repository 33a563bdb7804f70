//! KEY: which lease a command is about. Where keys come from, not what they mean: that is the engine's.

use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCompleter;
use gwlock_engine::protocol::key::{Key, KeyMode, LeaseName};

use crate::complete;
use crate::context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Stands for the keys on stdin.
const STDIN: &str = "-";

/// How a KEY is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum KeyAs {
    /// By its shape: lease name, fingerprint, target, otherwise text
    #[default]
    Auto,
    /// The name of a lease as it stands
    Name,
    /// A fingerprint of 16 to 64 hex digits
    Fingerprint,
    /// A target, such as prod/Deployment/payment-api
    Target,
    /// Any text, hashed as a whole
    Text,
    /// As the gateway does it: the first 16 bytes, hashed only when shorter
    Raw,
}

/// Which lease.
#[derive(Debug, Clone, Args)]
pub(crate) struct KeyArguments {
    /// Lease name, fingerprint, target (prod/Deployment/payment-api) or any text, which is hashed; - reads it from stdin
    #[arg(value_name = "KEY", add = completer())]
    pub(crate) key: String,
    /// How KEY is read
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub(crate) key_as: KeyAs,
}

impl From<KeyAs> for KeyMode {
    fn from(how: KeyAs) -> Self {
        match how {
            KeyAs::Auto => Self::Auto,
            KeyAs::Name => Self::Name,
            KeyAs::Fingerprint => Self::Fingerprint,
            KeyAs::Target => Self::Target,
            KeyAs::Text => Self::Text,
            KeyAs::Raw => Self::Raw,
        }
    }
}

impl KeyArguments {
    pub(crate) fn lease(&self) -> Result<LeaseName, Failure> {
        one(&self.key, self.key_as)
    }
}

/// The lease that a text names, or the one line on stdin.
pub(crate) fn one(text: &str, how: KeyAs) -> Result<LeaseName, Failure> {
    let leases = several(&[text], how)?;
    match <[LeaseName; 1]>::try_from(leases) {
        Ok([lease]) => Ok(lease),
        Err(leases) => Err(Failure::says(
            Exit::BadInput,
            format!("one key was expected on stdin, not {}", leases.len()),
        )),
    }
}

/// The leases that these texts name, each `-` standing for the lines on stdin.
pub(crate) fn several(texts: &[impl AsRef<str>], how: KeyAs) -> Result<Vec<LeaseName>, Failure> {
    let keys = words(texts)?.into_iter().map(|text| read(&text, how));
    keys.map(|key| key.map(|key| key.lease)).collect()
}

/// These texts, each `-` replaced by the lines on stdin.
pub(crate) fn words(texts: &[impl AsRef<str>]) -> Result<Vec<String>, Failure> {
    let mut words = Vec::new();
    for text in texts.iter().map(AsRef::as_ref) {
        if text == STDIN {
            let lines = context::stdin_lines().map_err(|error| {
                Failure::new(
                    Exit::BadInput,
                    anyhow::Error::new(error).context("cannot read keys from stdin"),
                )
            })?;
            let lines = lines.iter().map(|line| line.trim().to_owned());
            words.extend(lines.filter(|line| !line.is_empty()));
        } else {
            words.push(text.to_owned());
        }
    }
    Ok(words)
}

/// Completes lease names on a KEY.
pub(crate) fn completer() -> ArgValueCompleter {
    ArgValueCompleter::new(complete::leases)
}

/// What one text means.
pub(crate) fn read(text: &str, how: KeyAs) -> Result<Key, Failure> {
    Key::parse_as(text, how.into()).map_err(|error| {
        Failure::new(Exit::BadInput, error)
            .hint("prod/Deployment/payment-api is a target, and gw-lock-<16 hex> is a lease")
            .again("--key-as text", "takes it as it is, and hashes it")
    })
}
