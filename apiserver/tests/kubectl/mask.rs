//! Masks what differs between any two runs.

use std::sync::LazyLock;

use regex::Regex;

static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (
            r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            "UID",
        ),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
        (r#"(resourceVersion"?: ?"?)\d+"#, "${1}VERSION"),
        (r"(Resource Version: +)\d+", "${1}VERSION"),
        // An age in its column, with the padding that its length decides.
        (r"(?m) {2,}(\d+m)?\d+s( *$| {2,})", " AGE "),
        // The files that `kubectl diff` compares.
        (r"(?m)^(---|\+\+\+|diff) .*$", "FILE"),
        // Remarks of kubectl's own about watches that were short.
        (r"(?m)^[IWE]\d{4} .*\n", ""),
        // The embedded server does not pretend to be a release.
        (r"\+embedded", ""),
        (r"127\.0\.0\.1:\d+", "ADDRESS"),
    ]
    .map(|(pattern, mask)| (Regex::new(pattern).unwrap(), mask))
    .into()
});

pub(crate) fn mask(text: &str) -> String {
    PATTERNS
        .iter()
        .fold(text.to_owned(), |text, (pattern, mask)| {
            pattern.replace_all(&text, *mask).into_owned()
        })
}

#[test]
fn ages_versions_and_uids_are_masked() {
    let table = "NAME   HOLDER   AGE\nx      me       0s\ny               10s\n";
    assert_eq!(mask(table), "NAME   HOLDER   AGE\nx      me AGE \ny AGE \n");
    let yaml = "  resourceVersion: \"17\"\n  uid: 0b0e4f6c-2b0d-4b0c-8f1d-0d3d6a1f2b3c\n";
    assert_eq!(mask(yaml), "  resourceVersion: \"VERSION\"\n  uid: UID\n");
}
