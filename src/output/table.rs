//! Tables in kubectl's layout: three spaces between columns, no lines.
//!
//! A list of leases can have tens of thousands of rows, so that rows are measured and written one by one, and no table
//! is kept.

use std::io::{self, Write};

use anstyle::Style;
use unicode_width::UnicodeWidthStr as _;

use super::colour::{HEADER, PLAIN};
use super::escape::escape_line;

const GAP: &str = "   ";

/// The columns of a table: each is as wide as the widest cell that was measured.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    header: Vec<&'static str>,
    widths: Vec<usize>,
    /// Styles are written.
    coloured: bool,
}

impl Columns {
    pub(crate) fn new(header: Vec<&'static str>, coloured: bool) -> Self {
        Self {
            widths: header.iter().map(|cell| cell.width()).collect(),
            header,
            coloured,
        }
    }

    /// Makes room for a row.
    pub(crate) fn measure<T: AsRef<str>>(&mut self, cells: &[T]) {
        for (width, cell) in self.widths.iter_mut().zip(cells) {
            *width = (*width).max(escape_line(cell.as_ref()).width());
        }
    }

    pub(crate) fn write_header(&self, out: &mut dyn Write) -> io::Result<()> {
        self.write(out, &self.header, HEADER)
    }

    /// Writes a row. A cell that was not measured moves those behind it.
    pub(crate) fn write<T: AsRef<str>>(
        &self,
        out: &mut dyn Write,
        cells: &[T],
        style: Style,
    ) -> io::Result<()> {
        let style = if self.coloured { style } else { PLAIN };
        write!(out, "{style}")?;
        let last = cells.iter().rposition(|cell| !cell.as_ref().is_empty());
        for (at, (cell, width)) in cells.iter().zip(&self.widths).enumerate() {
            let cell = escape_line(cell.as_ref());
            out.write_all(cell.as_bytes())?;
            if Some(at) >= last {
                break;
            }
            let padding = width.saturating_sub(cell.width());
            write!(out, "{:padding$}{GAP}", "")?;
        }
        writeln!(out, "{style:#}")
    }
}

/// A small table of these rows under this header.
pub(crate) fn render(header: &[&'static str], rows: &[Vec<String>]) -> String {
    let mut columns = Columns::new(header.to_vec(), false);
    for row in rows {
        columns.measure(row);
    }
    let mut text = Vec::new();
    // Writing into memory cannot fail.
    let _ = columns.write_header(&mut text);
    for row in rows {
        let _ = columns.write(&mut text, row, PLAIN);
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::colour::ATTENTION;
    use super::*;

    fn line(columns: &Columns, cells: &[&str], style: Style) -> String {
        let mut text = Vec::new();
        columns.write(&mut text, cells, style).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn columns_are_three_spaces_apart_and_lines_end_with_their_text() {
        let rows = [
            vec!["a".to_owned(), "1".to_owned()],
            vec!["long-name".to_owned(), String::new()],
            vec!["é日本".to_owned(), "2".to_owned()],
        ];
        assert_eq!(
            render(&["NAME", "X"], &rows),
            "NAME        X\na           1\nlong-name\né日本       2\n"
        );
    }

    #[test]
    fn a_cell_cannot_break_its_line() {
        let columns = Columns::new(vec!["A", "B"], false);
        assert_eq!(
            line(&columns, &["a\nb\u{1b}[2J", "c"], ATTENTION),
            "a\\nb\\u{1b}[2J   c\n"
        );
    }

    #[test]
    fn styles_are_written_where_they_can_be_seen() {
        let columns = Columns::new(vec!["A"], true);
        assert_eq!(
            line(&columns, &["a"], ATTENTION),
            format!("{ATTENTION}a{ATTENTION:#}\n")
        );
    }
}
