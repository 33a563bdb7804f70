//! What simulations show, as the XML that CI systems read: a test case for each seed.

use std::fmt::Write as _;

use super::report::Report;

impl Report {
    /// As JUnit's XML.
    pub(crate) fn junit(&self) -> String {
        let failed = self.seeds.iter().filter(|seed| !seed.violations.is_empty());
        let name = escape(&format!(
            "gwlock simulate {} {}",
            self.scenario, self.protocol
        ));
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"{name}\" tests=\"{}\" \
             failures=\"{}\" errors=\"0\" skipped=\"0\">\n",
            self.seeds.len(),
            failed.count()
        );
        for seed in &self.seeds {
            let class = escape(&format!("{}.{}", self.scenario, self.protocol));
            let _ = write!(
                text,
                "    <testcase classname=\"{class}\" name=\"seed {}\"",
                seed.seed
            );
            if seed.violations.is_empty() {
                text.push_str("/>\n");
                continue;
            }
            text.push_str(">\n");
            for (index, violation) in seed.violations.iter().enumerate() {
                // A case fails once; what else is wrong stands in its text.
                if index == 0 {
                    let message = escape(&violation.message);
                    let _ = write!(
                        text,
                        "      <failure type=\"{}\" message=\"{message}\">",
                        violation.rule
                    );
                }
                text.push_str(&escape(&violation.told()));
            }
            text.push_str("</failure>\n    </testcase>\n");
        }
        text.push_str("  </testsuite>\n</testsuites>\n");
        text
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML 1.0 has no other control characters.
            '\n' | '\t' => escaped.push(character),
            control if control.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_means_something_by_is_escaped() {
        assert_eq!(
            escape("a<b> & \"c\"\u{1}\n"),
            "a&lt;b&gt; &amp; &quot;c&quot;\u{fffd}\n"
        );
    }
}
