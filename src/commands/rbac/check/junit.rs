//! Findings as JUnit's XML: each is a test that failed, or one that only says something.

use std::fmt::Write as _;

use super::report::Report;

pub(super) fn text(report: &Report) -> String {
    let findings = report.findings();
    let failures = findings
        .iter()
        .filter(|finding| report.fails_for(finding))
        .count();
    let tests = findings.len().max(1);
    let profile = escape(&report.profile);
    let counts = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\"");
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"gwlock rbac check\" {counts}>\n  \
         <testsuite name=\"{profile}\" {counts} skipped=\"0\">\n"
    );
    if findings.is_empty() {
        let summary = escape(&report.summary());
        // Writing into memory cannot fail.
        let _ = writeln!(
            text,
            "    <testcase classname=\"gwlock.rbac\" name=\"{summary}\"/>"
        );
    }
    for finding in findings {
        let place = &finding.place;
        let class = finding.kind.class().as_str();
        let kind = finding.kind.as_str();
        let file = escape(&place.file);
        let name = format!("{kind} at {file}:{}", place.line);
        let message = escape(&finding.message);
        let fix = escape(&finding.fix);
        let _ = writeln!(
            text,
            "    <testcase classname=\"gwlock.rbac.{class}\" name=\"{name}\" file=\"{file}\" line=\"{}\">",
            place.line
        );
        let _ = if report.fails_for(finding) {
            writeln!(
                text,
                "      <failure type=\"{kind}\" message=\"{message}\">{fix}</failure>"
            )
        } else {
            writeln!(text, "      <system-out>{message}\n{fix}</system-out>")
        };
        text.push_str("    </testcase>\n");
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

/// A text within an element or an attribute. What XML 1.0 cannot hold is replaced.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                escaped.push(char::REPLACEMENT_CHARACTER);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_gives_a_meaning_is_escaped_and_what_it_forbids_replaced() {
        assert_eq!(
            escape("a<b> & \"c\"\n\u{1b}[0m\u{ffff}"),
            "a&lt;b&gt; &amp; &quot;c&quot;&#10;\u{fffd}[0m\u{fffd}"
        );
    }
}
