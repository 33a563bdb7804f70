//! `/healthz`, `/livez` and `/readyz`. A server that can answer is healthy.

use super::{Document, not_found};

/// The answer to `/ENDPOINT` and `/ENDPOINT/CHECK`.
pub(super) fn answer(endpoint: &str, check: &[&str], query: &str) -> Document {
    match check {
        [] if is_verbose(query) => {
            Document::text(200, &format!("[+]ping ok\n{endpoint} check passed\n"))
        }
        [] | ["ping"] => Document::text(200, "ok"),
        _ => not_found(),
    }
}

fn is_verbose(query: &str) -> bool {
    query
        .split('&')
        .any(|parameter| parameter.split('=').next() == Some("verbose"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_answers_is_healthy() {
        assert_eq!(answer("readyz", &[], ""), Document::text(200, "ok"));
        assert_eq!(answer("livez", &["ping"], ""), Document::text(200, "ok"));
        assert_eq!(
            answer("readyz", &[], "x=1&verbose"),
            Document::text(200, "[+]ping ok\nreadyz check passed\n")
        );
        assert_eq!(answer("healthz", &["nope"], "").code, 404);
    }
}
