//! Tables in kubectl's layout: three spaces between columns, no lines.
//!
//! A list of leases can have tens of thousands of rows. So its cells are measured first, and then drawn a few rows at a
//! time: no table of all rows is kept.

use std::borrow::Cow;
use std::io::{self, Write};

use anstyle::Style;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::colour::{HEADER, PLAIN};
use super::escape::escape_line;

/// Blanks behind each column.
const GAP: u16 = 3;

/// Rows that are drawn at a time.
const BLOCK: usize = 64;

/// A line of text that can be cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    text: String,
    pub(crate) style: Style,
}

/// The columns of a table: each is as wide as the widest cell that was measured.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    header: Vec<Cow<'static, str>>,
    widths: Vec<u16>,
    /// Styles are written.
    coloured: bool,
}

impl Line {
    pub(crate) fn new(text: &str, style: Style) -> Self {
        Self {
            text: escape_line(text).into_owned(),
            style,
        }
    }

    /// As much of it as there is room for, and how wide that is.
    pub(crate) fn clipped(&self, room: u16) -> (Cow<'_, str>, u16) {
        let whole = width(&self.text);
        if whole <= room {
            return (Cow::Borrowed(&self.text), whole);
        }
        let Some(room) = room.checked_sub(1) else {
            return (Cow::Borrowed(""), 0);
        };
        let mut clipped = String::new();
        let mut taken = 0;
        for c in self.text.chars() {
            // Never less than what the characters take together.
            let next = taken + u16::try_from(c.width().unwrap_or(0)).unwrap_or(0);
            if next > room {
                break;
            }
            taken = next;
            clipped.push(c);
        }
        clipped.push('…');
        (Cow::Owned(clipped), taken + 1)
    }
}

impl Columns {
    pub(crate) fn new(header: Vec<&'static str>, coloured: bool) -> Self {
        Self {
            widths: header.iter().map(|cell| width(cell)).collect(),
            header: header.into_iter().map(Cow::from).collect(),
            coloured,
        }
    }

    /// Columns whose names were given from outside, without colours.
    pub(crate) fn of(header: Vec<String>) -> Self {
        Self {
            widths: header
                .iter()
                .map(|cell| width(&escape_line(cell)))
                .collect(),
            header: header.into_iter().map(Cow::from).collect(),
            coloured: false,
        }
    }

    /// Makes room for a row.
    pub(crate) fn measure<T: AsRef<str>>(&mut self, cells: &[T]) {
        for (widest, cell) in self.widths.iter_mut().zip(cells) {
            *widest = (*widest).max(width(&escape_line(cell.as_ref())));
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
        self.write_all(out, std::iter::once((cells, style)))
    }

    /// Writes rows, which should have been measured.
    pub(crate) fn write_all<T: AsRef<str>, C: AsRef<[T]>>(
        &self,
        out: &mut dyn Write,
        rows: impl Iterator<Item = (C, Style)>,
    ) -> io::Result<()> {
        self.each_line(rows, |line, style| writeln!(out, "{style}{line}{style:#}"))
    }

    /// Rows as lines, for whoever shows them where there is not room for all of them.
    pub(crate) fn lines<T: AsRef<str>, C: AsRef<[T]>>(
        &self,
        rows: impl Iterator<Item = (C, Style)>,
    ) -> Vec<Line> {
        let mut lines = Vec::new();
        // Nothing here fails.
        let _ = self.each_line(rows, |line, style| {
            lines.push(Line::new(line, style));
            Ok(())
        });
        lines
    }

    /// The header as such a line.
    pub(crate) fn header_line(&self) -> Vec<Line> {
        self.lines(std::iter::once((&self.header, HEADER)))
    }

    fn each_line<T: AsRef<str>, C: AsRef<[T]>>(
        &self,
        rows: impl Iterator<Item = (C, Style)>,
        mut take: impl FnMut(&str, Style) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut rows = rows.peekable();
        let mut styles = Vec::with_capacity(BLOCK);
        while rows.peek().is_some() {
            let mut table = self.empty();
            styles.clear();
            for (cells, style) in rows.by_ref().take(BLOCK) {
                table.add_row(cells.as_ref().iter().map(|cell| escape_line(cell.as_ref())));
                styles.push(if self.coloured { style } else { PLAIN });
            }
            for (column, width) in table.column_iter_mut().zip(&self.widths) {
                column.set_padding((0, GAP));
                let width = width.saturating_add(GAP);
                column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
            }
            for (line, style) in table.lines().zip(&styles) {
                take(line.trim_end(), *style)?;
            }
        }
        Ok(())
    }

    fn empty(&self) -> Table {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled);
        table
    }
}

fn width(cell: &str) -> u16 {
    u16::try_from(cell.width()).unwrap_or(u16::MAX - GAP)
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
    let _ = columns.write_all(&mut text, rows.iter().map(|row| (row, PLAIN)));
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
    fn a_line_is_cut_off_between_characters() {
        for (text, room, expected) in [
            ("abc", 3, ("abc", 3)),
            ("abcd", 3, ("ab…", 3)),
            ("日本語", 6, ("日本語", 6)),
            ("日本語", 5, ("日本…", 5)),
            ("日本語", 4, ("日…", 3)),
            ("ab", 1, ("…", 1)),
            ("ab", 0, ("", 0)),
            ("a\nb", 4, ("a\\nb", 4)),
            ("a\nb", 3, ("a\\…", 3)),
        ] {
            let line = Line::new(text, PLAIN);
            let (clipped, width) = line.clipped(room);
            assert_eq!((clipped.as_ref(), width), expected, "{text} {room}");
        }
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
