//! Findings as annotations of GitHub Actions: commands in the log of a job.

use std::fmt::Write as _;

use super::report::Report;

pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    for finding in report.findings() {
        let level = if report.fails_for(finding) {
            "error"
        } else {
            "warning"
        };
        let place = &finding.place;
        let class = finding.kind.class().as_str();
        let title = property(&format!("{class}: {}", finding.kind.as_str()));
        let message = data(&format!("{}\n{}", finding.message, finding.fix));
        let file = property(place.file.strip_prefix("./").unwrap_or(&place.file));
        // Writing into memory cannot fail.
        let _ = writeln!(
            text,
            "::{level} file={file},line={},title={title}::{message}",
            place.line
        );
    }
    text
}

/// A message. Only these have a meaning there.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a property, which ends at a comma or a colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_or_a_property_is_escaped() {
        assert_eq!(data("100 %\r\nx: a,b"), "100 %25%0D%0Ax: a,b");
        assert_eq!(property("a,b:c%\n"), "a%2Cb%3Ac%25%0A");
    }
}
