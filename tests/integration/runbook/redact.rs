//! What differs from run to run, and what stands in its place while outputs are compared.

use std::sync::LazyLock;

use regex::Regex;

/// Patterns and what they become, in this order: what is found by one is not found by those behind it.
const PATTERNS: &[(&str, &str)] = &[
    // Times, as gwlock and as `date -u` print them.
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
    (
        r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d UTC \d{4}",
        "TIME",
    ),
    // Objects, versions, and acquisitions.
    (
        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "UID",
    ),
    (r"\b(resourceVersion|version|token) \d+", "$1 VERSION"),
    (r"_[0-9a-f]{16}\b", "_NONCE"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    // Durations and ages: 5s, 2m5s, 71 s, 813.9ms; how far a clock is off keeps its direction.
    (r"\b\d+(\.\d+)?(ms|s|m|h|d)(\d+[smhd])?\b", "AGE"),
    (r"\b\d+ s\b", "AGE"),
    (r"[+-]AGE", "SKEW"),
    // A request and its `?timeout=` run out at the same moment: the server may say so first.
    (
        r"Timeout: request did not complete within the allotted timeout",
        "no answer within AGE",
    ),
];

static COMPILED: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let compile = |&(pattern, name): &(&str, _)| (Regex::new(pattern).unwrap(), name);
    PATTERNS.iter().map(compile).collect()
});
static NUMBER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\d[\d.]*").unwrap());
static GAP: LazyLock<Regex> = LazyLock::new(|| Regex::new("  +").unwrap());

/// The text without what differs. The width of columns follows from what stands in them, so gaps become equal.
pub(super) fn redacted(text: &str, numbers_vary: bool) -> String {
    let mut lines = String::new();
    for line in text.lines() {
        let mut line = line.to_owned();
        for (pattern, name) in COMPILED.iter() {
            line = pattern.replace_all(&line, *name).into_owned();
        }
        if numbers_vary {
            line = NUMBER.replace_all(&line, "NUMBER").into_owned();
        }
        lines += GAP.replace_all(&line, "  ").trim_end();
        lines.push('\n');
    }
    lines
}

#[test]
fn what_differs_from_run_to_run_is_left_out_and_nothing_else() {
    for (text, expected) in [
        (
            "gw-lock-91fce8d5c4949766   gateway-7f9c-x2x   held    4m10s   in 32s    -",
            "gw-lock-91fce8d5c4949766  gateway-7f9c-x2x  held  AGE  in AGE  -\n",
        ),
        (
            "checkout-6b5d4c-k8s2p 0/1 12m",
            "checkout-6b5d4c-k8s2p 0/1 AGE\n",
        ),
        (
            "rr-ea66547cfed4-a055ca63 21   15m",
            "rr-ea66547cfed4-a055ca63 21  AGE\n",
        ),
        (
            "job_6c1f09d2a4b7e835 held, fencing token 79",
            "job_NONCE held, fencing token VERSION\n",
        ),
        (
            "+3600s -3599s the clock is 59m behind",
            "SKEW SKEW the clock is AGE behind\n",
        ),
        (
            "unknown: Timeout: request did not complete within the allotted timeout; or no answer within 333ms",
            "unknown: no answer within AGE; or no answer within AGE\n",
        ),
        ("wrote it last, 71 s ago", "wrote it last, AGE ago\n"),
        (
            "written at 2026-11-25T21:31:21Z, uid 7d2f641c-a78d-466d-a53e-eb4dd542649e, resourceVersion 47",
            "written at TIME, uid UID, resourceVersion VERSION\n",
        ),
        ("Wed Nov 25 21:43:38 UTC 2026", "TIME\n"),
        ("https://127.0.0.1:36867/", "https://127.0.0.1:PORT/\n"),
        (
            "   430.9ms  request      list -> 200",
            "  AGE  request  list -> 200\n",
        ),
    ] {
        assert_eq!(redacted(text, false), expected);
    }
    assert_eq!(
        redacted("1   228   2.00   x2", true),
        "NUMBER  NUMBER  NUMBER  xNUMBER\n"
    );
}
