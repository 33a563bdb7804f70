//! Foreign text on a terminal, and in a command to copy.
//!
//! A holder identity is any text that somebody wrote into the cluster, escape sequences included.

use std::borrow::Cow;

/// The text with every control character but newline and tab written as an escape.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    let is_dangerous = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(is_dangerous) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().fold(String::new(), |mut escaped, c| {
        if is_dangerous(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
        escaped
    }))
}

/// The same for one line: newlines and tabs are escaped as well.
pub(crate) fn escape_line(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(escape(text).replace('\n', "\\n").replace('\t', "\\t"))
}

/// A word as a shell reads it back.
pub(crate) fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_steer_a_terminal_is_shown_instead() {
        assert_eq!(escape("pod\u{1b}[2J"), "pod\\u{1b}[2J");
        assert_eq!(escape("a\nb\tc"), "a\nb\tc");
        assert_eq!(escape_line("a\nb\tc\r"), "a\\nb\\tc\\r");
        assert_eq!(escape_line("gateway-1"), "gateway-1");
    }

    #[test]
    fn words_that_a_shell_would_split_are_quoted() {
        for (text, expected) in [
            ("gw-lock-1", "gw-lock-1"),
            ("", "''"),
            ("nightly backup", "'nightly backup'"),
            ("it's", "'it'\\''s'"),
        ] {
            assert_eq!(shell_word(text), expected);
        }
    }
}
