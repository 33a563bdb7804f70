//! Go's string literals: `strconv.Quote`, which is what `%q` prints.

use std::fmt::Write as _;

/// The text as Go's `strconv.Quote` writes it, with the surrounding quotes.
#[must_use]
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\u{07}' => out.push_str("\\a"),
            '\u{08}' => out.push_str("\\b"),
            '\u{0c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{0b}' => out.push_str("\\v"),
            c if (c as u32) < 0x20 || c == '\u{7f}' => push_hex(&mut out, "\\x", 2, c),
            c if is_printable(c) => out.push(c),
            c if (c as u32) < 0x1_0000 => push_hex(&mut out, "\\u", 4, c),
            c => push_hex(&mut out, "\\U", 8, c),
        }
    }
    out.push('"');
    out
}

/// The items as Go prints a `[]string` with `%q`: `["a" "b"]`.
#[must_use]
pub(crate) fn quote_all<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = items.into_iter().map(quote).collect();
    format!("[{}]", quoted.join(" "))
}

fn push_hex(out: &mut String, prefix: &str, width: usize, c: char) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{prefix}{:0width$x}", c as u32);
}

/// Close to Go's `unicode.IsPrint`: the one blank that counts as printable is the space itself.
fn is_printable(c: char) -> bool {
    c == ' '
        || !(c.is_control()
            || c.is_whitespace()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_follow_go() {
        let cases = [
            ("plain", r#""plain""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("it's", r#""it's""#),
            ("tab\tline\n", r#""tab\tline\n""#),
            ("\u{1}\u{7f}", r#""\x01\x7f""#),
            ("é\u{a0}", "\"é\\u00a0\""),
        ];
        for (text, expected) in cases {
            assert_eq!(quote(text), expected);
        }
        assert_eq!(quote_all(["a", "b c"]), r#"["a" "b c"]"#);
    }
}
