//! JSON in lines, as `json.Indent` of Go writes it: two spaces a level, and nothing inside what is empty.

/// Breaks compact JSON text into lines.
pub(crate) fn indent(compact: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(compact.len() * 2);
    let (mut depth, mut in_text, mut is_escaped) = (0, false, false);
    let mut rest = compact.iter().peekable();
    while let Some(&byte) = rest.next() {
        if in_text {
            lines.push(byte);
            in_text = byte != b'"' || is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            continue;
        }
        match byte {
            b'{' | b'[' => {
                lines.push(byte);
                if let Some(&&close @ (b'}' | b']')) = rest.peek() {
                    lines.push(close);
                    rest.next();
                } else {
                    depth += 1;
                    start_line(&mut lines, depth);
                }
            }
            b'}' | b']' => {
                depth -= 1;
                start_line(&mut lines, depth);
                lines.push(byte);
            }
            b',' => {
                lines.push(byte);
                start_line(&mut lines, depth);
            }
            b':' => lines.extend_from_slice(b": "),
            _ => {
                in_text = byte == b'"';
                lines.push(byte);
            }
        }
    }
    lines
}

fn start_line(lines: &mut Vec<u8>, depth: usize) {
    lines.push(b'\n');
    lines.resize(lines.len() + 2 * depth, b' ');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_and_item_has_a_line() {
        let compact = br#"{"a":{},"b":[],"c":[1,{"d":null}]}"#;
        let expected = "{\n  \"a\": {},\n  \"b\": [],\n  \"c\": [\n    1,\n    {\n      \"d\": null\n    }\n  ]\n}";
        assert_eq!(String::from_utf8_lossy(&indent(compact)), expected);
    }

    #[test]
    fn texts_stay_as_they_are() {
        let compact = br#"{"a,{\"":"b:[\\","c":"\\\""}"#;
        let expected = "{\n  \"a,{\\\"\": \"b:[\\\\\",\n  \"c\": \"\\\\\\\"\"\n}";
        assert_eq!(String::from_utf8_lossy(&indent(compact)), expected);
    }
}
