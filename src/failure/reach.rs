//! The words for a server that gave no answer, or did not accept who asks. kubectl's where it has good ones.

use crate::exit::Exit;

use super::hint::Hint;

/// The server that a command talked to, and what is known of the credentials for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reached {
    /// `https://HOST:PORT`.
    pub(crate) server: String,
    /// Which of the credentials have expired by this machine's clock: `the client certificate of … expired …`.
    pub(crate) expired: Option<String>,
}

/// How a failure to reach a server is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) exit: Exit,
    pub(super) message: String,
    pub(super) hint: Hint,
}

fn show_settings() -> Hint {
    Hint::Kubectl(
        "config view --minify".to_owned(),
        "the address and the authority that are used",
    )
}

fn ask_server() -> Hint {
    Hint::Kubectl("get --raw /readyz".to_owned(), "whether it answers kubectl")
}

impl Words {
    /// `message` is what the transport says.
    pub(super) fn unreachable(reached: &Reached, message: &str) -> Self {
        let host = host(&reached.server);
        let unreachable = |message: String, hint| Self {
            exit: Exit::Unreachable,
            message,
            hint,
        };
        let reason = message
            .trim_start_matches("ServiceError: ")
            .trim_start_matches("client error (Connect): ");
        if reason.contains("Connection refused") {
            return unreachable(
                format!(
                    "the connection to the server {host} was refused: is it the right host and port?"
                ),
                show_settings(),
            );
        }
        if reason.contains("dns error") {
            return unreachable(
                format!("the server {host} was not found: {reason}"),
                show_settings(),
            );
        }
        if let Some(why) = reason.strip_prefix("invalid peer certificate: ") {
            return Self {
                exit: Exit::Config,
                message: format!("the certificate of the server {host} is not trusted: {why}"),
                hint: show_settings(),
            };
        }
        unreachable(
            format!("the server {host} did not answer: {reason}"),
            ask_server(),
        )
    }

    /// The server answered 401.
    pub(super) fn unauthorised(reached: &Reached, message: &str) -> Self {
        match &reached.expired {
            Some(expired) => Self {
                exit: Exit::Config,
                message: format!(
                    "the server {} does not accept the kubeconfig: {expired}",
                    host(&reached.server)
                ),
                hint: Hint::Says("log in again, or get a new kubeconfig".to_owned()),
            },
            None => Self {
                exit: Exit::Forbidden,
                message: format!(
                    "you must be logged in to the server {}: {message}",
                    host(&reached.server)
                ),
                hint: Hint::Kubectl("auth whoami".to_owned(), "who the server takes you for"),
            },
        }
    }
}

fn host(server: &str) -> &str {
    let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    // A user and a password in the address are nobody's business.
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached() -> Reached {
        Reached {
            server: "https://api.example:6443/".to_owned(),
            expired: None,
        }
    }

    fn unreachable(message: &str) -> (Exit, String) {
        let words = Words::unreachable(&reached(), message);
        (words.exit, words.message)
    }

    #[test]
    fn the_usual_reasons_are_told_in_plain_words() {
        assert_eq!(
            unreachable("ServiceError: client error (Connect): tcp connect error: Connection refused (os error 111)"),
            (
                Exit::Unreachable,
                "the connection to the server api.example:6443 was refused: is it the right host and port?".to_owned()
            )
        );
        assert_eq!(
            unreachable("no answer within 2s"),
            (
                Exit::Unreachable,
                "the server api.example:6443 did not answer: no answer within 2s".to_owned()
            )
        );
    }

    #[test]
    fn a_certificate_that_is_not_trusted_is_a_matter_of_configuration() {
        assert_eq!(
            unreachable(
                "ServiceError: client error (Connect): invalid peer certificate: UnknownIssuer"
            ),
            (
                Exit::Config,
                "the certificate of the server api.example:6443 is not trusted: UnknownIssuer"
                    .to_owned()
            )
        );
    }

    #[test]
    fn credentials_that_have_expired_are_told_from_wrong_ones() {
        let words = Words::unauthorised(&reached(), "Unauthorized");
        assert_eq!(
            (words.exit, words.message.as_str()),
            (
                Exit::Forbidden,
                "you must be logged in to the server api.example:6443: Unauthorized"
            )
        );
        let expired = Some("the token expired 3d ago".to_owned());
        let words = Words::unauthorised(
            &Reached {
                expired,
                ..reached()
            },
            "Unauthorized",
        );
        assert_eq!(
            (words.exit, words.message.as_str()),
            (
                Exit::Config,
                "the server api.example:6443 does not accept the kubeconfig: the token expired 3d ago"
            )
        );
    }
}
