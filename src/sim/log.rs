//! Histories in logs: lines of a history among those of others, as a pod leaves them. Bytes come in pieces; nothing is read
//! from anywhere here.

use super::history::{Event, FORMAT, Header, History, ReadError};

/// The first field of a header, and how its value begins however old or new the format is.
const HEADER: (&[u8], &[u8]) = (b"\"format\"", b"\"gwlock.dev/history/");
/// The first field of an event.
const EVENT: (&[u8], &[u8]) = (b"\"at\"", b"");

/// A log that is being read.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// The line that has not ended.
    rest: Vec<u8>,
    lines: usize,
    found: Found,
}

/// What was in a log.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// Each from its header to the next one.
    pub(crate) histories: Vec<History>,
    /// How many lines were something else.
    pub(crate) others: usize,
    /// How many events stand before any header: their beginning is gone.
    pub(crate) headless: usize,
}

impl Log {
    /// Takes the next bytes.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) -> Result<(), ReadError> {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(&bytes[..end]);
            let line = std::mem::take(&mut self.rest);
            self.line(&line)?;
            bytes = &bytes[end + 1..];
        }
        self.rest.extend_from_slice(bytes);
        Ok(())
    }

    /// The log is over. A line that was cut off says nothing.
    pub(crate) fn finish(mut self) -> Found {
        let line = std::mem::take(&mut self.rest);
        if !line.is_empty() && self.line(&line).is_err() {
            self.found.others += 1;
        }
        self.found
    }

    fn line(&mut self, line: &[u8]) -> Result<(), ReadError> {
        self.lines += 1;
        let line = line.trim_ascii();
        if line.is_empty() {
            return Ok(());
        }
        let wrong = |error| ReadError::Line(self.lines, error);
        if begins(line, HEADER) {
            let header: Header = serde_json::from_slice(line).map_err(wrong)?;
            if header.format != FORMAT {
                return Err(ReadError::Format);
            }
            let events = Vec::new();
            self.found.histories.push(History { header, events });
        } else if begins(line, EVENT) {
            let event: Event = serde_json::from_slice(line).map_err(wrong)?;
            match self.found.histories.last_mut() {
                Some(history) => history.events.push(event),
                None => self.found.headless += 1,
            }
        } else {
            self.found.others += 1;
        }
        Ok(())
    }
}

/// Whether a line is an object whose first field is this one, with spaces or without.
fn begins(line: &[u8], (field, value): (&[u8], &[u8])) -> bool {
    let mut rest = line;
    for part in [b"{", field, b":"] {
        let Some(after) = rest.strip_prefix(part) else {
            return false;
        };
        rest = after.trim_ascii_start();
    }
    rest.starts_with(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "replica pod-0 has started\n\
                         {\"format\":\"gwlock.dev/history/v1\",\"seed\":7}\n\
                         {\"at\":5,\"pod\":\"a\",\"event\":\"started\"}\n\
                         {\"msg\":\"something else\"}\n\
                         {\"at\":9,\"pod\":\"a\",\"event\":\"end\"}\n";

    fn read(text: &str, piece: usize) -> Result<Found, ReadError> {
        let mut log = Log::default();
        for bytes in text.as_bytes().chunks(piece) {
            log.feed(bytes)?;
        }
        Ok(log.finish())
    }

    #[test]
    fn a_history_is_found_among_other_lines_in_pieces_of_any_size() {
        for piece in [1, 7, 10_000] {
            let found = read(LINES, piece).unwrap();
            assert_eq!((found.others, found.headless), (2, 0));
            let [history] = found.histories.as_slice() else {
                panic!("{found:?}");
            };
            assert_eq!(history.header.seed, Some(7));
            let at: Vec<u64> = history.events.iter().map(|event| event.at).collect();
            assert_eq!(at, [5, 9]);
        }
    }

    #[test]
    fn whoever_writes_spaces_writes_a_history_as_well() {
        let spaced = LINES.replace("{\"", "{ \"").replace("\":", "\" : ");
        assert_eq!(read(&spaced, 100).unwrap(), read(LINES, 100).unwrap());
    }

    #[test]
    fn each_header_begins_a_history() {
        let found = read(&LINES.repeat(2), 100).unwrap();
        assert_eq!((found.histories.len(), found.others), (2, 4));
        assert_eq!(found.histories[0], found.histories[1]);
    }

    #[test]
    fn a_log_whose_beginning_is_gone_says_so() {
        let (_, rest) = LINES.split_once("\"seed\":7}\n").unwrap();
        let found = read(rest, 100).unwrap();
        assert_eq!((found.histories.len(), found.headless), (0, 2));
    }

    #[test]
    fn a_line_that_was_cut_off_is_passed_over_and_one_that_is_damaged_is_named() {
        let found = read(&LINES[..LINES.len() - 10], 100).unwrap();
        assert_eq!((found.histories[0].events.len(), found.others), (1, 3));
        let damaged = LINES.replace("\"started\"", "\"begun\"");
        let error = read(&damaged, 100).unwrap_err();
        assert!(matches!(error, ReadError::Line(3, _)), "{error}");
        let newer = LINES.replace("history/v1", "history/v2");
        assert!(matches!(read(&newer, 100), Err(ReadError::Format)));
    }
}
