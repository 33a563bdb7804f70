//! `gwlock dedup`: what the RemediationRequests of a cluster count. Which requests are looked at is decided here, for
//! both subcommands.

mod check;
mod list;
mod report;
mod row;

use clap::{Args, Subcommand};
use gwlock_engine::client::list::Listed as Lease;
use gwlock_engine::protocol::key::{Fingerprint, GATEWAY_PREFIX, KeyOrigin};
use gwlock_engine::remediation::list::{Listing, Selection};
use jiff::Timestamp;

use super::key::{self, KeyAs};
use super::requests;
use crate::context::{Cluster, Context};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::gateway::dedup::Listed;
use crate::gateway::resolve::{Names, Rules};
use crate::output;

/// Show which RemediationRequests count which signals, and find what is wrong with them
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

// The help text of each is the documentation of its arguments.
#[derive(Debug, Subcommand)]
enum Command {
    List(list::Arguments),
    Check(check::Arguments),
}

/// Where is looked, and for what.
#[derive(Debug, Clone, Args)]
struct Where {
    /// Keys to look at: targets, fingerprints, names of leases or RemediationRequests, any text; - reads them from stdin
    /// [default: all]
    #[arg(value_name = "KEY", add = key::completer())]
    keys: Vec<String>,
    /// How the keys are read
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    key_as: KeyAs,
    /// All namespaces
    #[arg(short = 'A', long, conflicts_with = "controller_namespace")]
    all_namespaces: bool,
    /// Namespace of the RemediationRequests [default: $KUBERNAUT_CONTROLLER_NAMESPACE, that of the leases]
    #[arg(long, value_name = "NAMESPACE")]
    controller_namespace: Option<String>,
}

/// A key as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    text: String,
    /// As many digits of the fingerprint as are known: 12 to 64.
    digits: String,
    /// The request that was named.
    request: Option<String>,
}

pub(crate) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::List(arguments) => list::execute(arguments, context).await,
        Command::Check(arguments) => check::execute(arguments, context).await,
    }
}

impl Where {
    /// The keys; none are all.
    fn wanted(&self) -> Result<Vec<Wanted>, Failure> {
        let words = key::words(&self.keys)?.into_iter();
        words.map(|text| Wanted::read(text, self.key_as)).collect()
    }

    /// Where the requests are; `None` is everywhere.
    fn requests_in(&self, cluster: &Cluster) -> Option<String> {
        let given = self.controller_namespace.as_deref();
        (!self.all_namespaces).then(|| cluster.controller_namespace(given))
    }

    /// Where the leases are; `None` is everywhere.
    fn leases_in<'a>(&self, cluster: &'a Cluster) -> Option<&'a str> {
        Some(cluster.namespace.as_str()).filter(|_| !self.all_namespaces)
    }

    /// Lists the requests of these keys.
    async fn list(
        &self,
        cluster: &Cluster,
        wanted: &[Wanted],
        labels: Option<&str>,
    ) -> Result<Listing<Listed>, Failure> {
        let namespace = self.requests_in(cluster);
        // The server looks for one key faster than it sends all of them.
        let fingerprint = match wanted {
            [wanted] => Fingerprint::parse(&wanted.digits),
            _ => None,
        };
        let selection = Selection {
            namespace: namespace.as_deref(),
            labels,
            fingerprint: fingerprint.as_ref(),
        };
        let is_wanted = |listed: &Listed| {
            let request = &listed.request;
            wanted.is_empty() || wanted.iter().any(|key| key.fits(&request.fingerprint))
        };
        requests::list(cluster, selection, |object| {
            Listed::read(object).filter(&is_wanted)
        })
        .await
    }
}

impl Wanted {
    fn read(text: String, how: KeyAs) -> Result<Self, Failure> {
        let named = match how {
            KeyAs::Auto | KeyAs::Name => Names::of(&text, Rules::default()).ok(),
            _ => None,
        };
        if let Some(names) = named.filter(|names| names.request.is_some()) {
            return Ok(Self {
                text,
                digits: names.digits,
                request: names.request,
            });
        }
        let key = key::read(&text, how)?;
        let digits = match &key.origin {
            KeyOrigin::Target { fingerprint, .. } => fingerprint.to_string(),
            KeyOrigin::Text => Fingerprint::of(&text).to_string(),
            KeyOrigin::Fingerprint => text.to_ascii_lowercase(),
            KeyOrigin::Name | KeyOrigin::Raw => {
                let name = key.lease.as_str();
                let digits = name.strip_prefix(GATEWAY_PREFIX).unwrap_or_default();
                let is_hex = digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_hexdigit());
                if !is_hex {
                    let message = format!("no RemediationRequest belongs to the lease {name}");
                    return Err(Failure::says(Exit::BadInput, message)
                        .hint("gw-lock-<16 hex digits of a fingerprint> is a lease of a RemediationRequest's key"));
                }
                digits.to_owned()
            }
        };
        Ok(Self {
            text,
            digits,
            request: None,
        })
    }

    fn fits(&self, fingerprint: &str) -> bool {
        fingerprint.starts_with(&self.digits)
    }

    /// Whether a lease is the one of this key.
    fn fits_lease(&self, lease: &str) -> bool {
        let digits = lease.strip_prefix(GATEWAY_PREFIX);
        digits.is_some_and(|digits| digits.starts_with(&self.digits) || self.fits_digits(digits))
    }

    fn fits_digits(&self, digits: &str) -> bool {
        !digits.is_empty() && self.digits.starts_with(digits)
    }

    /// Whether what was found is what was asked for.
    fn is_among(&self, found: &[&Listed]) -> bool {
        found.iter().any(|listed| match &self.request {
            Some(name) => listed.request.name == *name,
            None => self.fits(&listed.request.fingerprint),
        })
    }
}

/// The server's time, or this machine's where something on the way has removed the server's.
fn now(date: Option<Timestamp>) -> Timestamp {
    date.unwrap_or_else(|| {
        output::note("the answer has no Date: times are measured by this machine's clock");
        Timestamp::now()
    })
}

fn in_place(namespace: Option<&str>) -> String {
    match namespace {
        Some(namespace) => format!("in namespace {namespace}"),
        None => "in any namespace".to_owned(),
    }
}

fn is_of_keys(lease: &Lease, wanted: &[Wanted]) -> bool {
    wanted.is_empty() || wanted.iter().any(|key| key.fits_lease(&lease.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "91fce8d5c4949766458bd4bd58859a4fb2e8470ef64ef438c22903744799a9b1";

    fn wanted(text: &str) -> Wanted {
        Wanted::read(text.to_owned(), KeyAs::Auto).unwrap()
    }

    #[test]
    fn every_form_of_a_key_means_the_same_requests() {
        for (text, digits) in [
            ("prod/Deployment/payment-api", DIGITS),
            ("prod:Deployment:payment-api", DIGITS),
            (DIGITS, DIGITS),
            (&DIGITS[..20], &DIGITS[..20]),
            ("91FCE8D5C4949766", "91fce8d5c4949766"),
            ("gw-lock-91fce8d5c4949766", "91fce8d5c4949766"),
            ("lease/gw-lock-91fce8d5c4949766", "91fce8d5c4949766"),
            ("rr-91fce8d5c494-0a1b2c3d", "91fce8d5c494"),
            ("rr/rr-91fce8d5c494-0a1b2c3d", "91fce8d5c494"),
        ] {
            let wanted = wanted(text);
            assert_eq!(wanted.digits, digits, "{text}");
            assert!(wanted.fits(DIGITS), "{text}");
            assert!(wanted.fits_lease("gw-lock-91fce8d5c4949766"), "{text}");
            assert!(!wanted.fits_lease("gw-lock-0123456789abcdef"), "{text}");
        }
        assert_eq!(
            wanted("HighMemoryUsage:prod:Pod:payment-api-789").digits[..16],
            *"a5982f7182402b4a",
            "January's text"
        );
    }

    #[test]
    fn a_lease_that_is_no_keys_is_refused() {
        for text in ["ro-lock-91fce8d5c4949766", "gw-lock-short", "lease/other"] {
            let refused = Wanted::read(text.to_owned(), KeyAs::Auto).unwrap_err();
            assert_eq!(refused.exit, Exit::BadInput, "{text}");
        }
    }
}
