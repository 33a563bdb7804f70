//! Tables in kubectl's layout: three spaces between columns, no lines.

use anstyle::Style;
use comfy_table::{ContentArrangement, Table, presets};

use super::colour::{HEADER, PLAIN};
use super::escape::escape_line;

/// A line of a table, in one style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    cells: Vec<String>,
    style: Style,
}

impl Row {
    pub(crate) fn new(cells: Vec<String>) -> Self {
        Self {
            cells,
            style: PLAIN,
        }
    }

    #[must_use]
    pub(crate) fn styled(self, style: Style) -> Self {
        Self { style, ..self }
    }
}

/// A table of these rows under this header.
pub(crate) fn render(header: &[&str], rows: &[Vec<String>]) -> String {
    styled(Some(header), rows.iter().cloned().map(Row::new))
}

/// A table of these rows, under this header if there is one.
pub(crate) fn styled(header: Option<&[&str]>, rows: impl IntoIterator<Item = Row>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    let mut styles = Vec::new();
    if let Some(header) = header {
        table.set_header(header.to_vec());
        styles.push(HEADER);
    }
    for row in rows {
        table.add_row(row.cells.iter().map(|cell| escape_line(cell)));
        styles.push(row.style);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    let plain = table.trim_fmt();
    let mut text = String::with_capacity(plain.len() + styles.len());
    for (line, style) in plain.lines().zip(styles) {
        text.push_str(&format!("{style}{line}{style:#}\n"));
    }
    text
}

/// Rows that come one by one: each column is as wide as its widest cell so far.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    header: Vec<String>,
    widths: Vec<usize>,
}

impl Columns {
    pub(crate) fn new(header: &[&str]) -> Self {
        Self {
            header: header.iter().map(ToString::to_string).collect(),
            widths: header.iter().map(|cell| cell.len()).collect(),
        }
    }

    /// Makes room for a row.
    pub(crate) fn fit(&mut self, row: &Row) {
        for (width, cell) in self.widths.iter_mut().zip(&row.cells) {
            *width = (*width).max(escape_line(cell).chars().count());
        }
    }

    pub(crate) fn header(&self) -> String {
        self.styled(&self.header, HEADER)
    }

    /// The row, with room made for it.
    pub(crate) fn line(&mut self, row: &Row) -> String {
        self.fit(row);
        self.styled(&row.cells, row.style)
    }

    fn styled(&self, cells: &[String], style: Style) -> String {
        let padded = cells.iter().zip(&self.widths);
        let line: String = padded
            .map(|(cell, width)| format!("{:<width$}   ", escape_line(cell)))
            .collect();
        format!("{style}{}{style:#}", line.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::super::colour::ATTENTION;
    use super::*;

    #[test]
    fn columns_are_three_spaces_apart_and_lines_end_with_their_text() {
        let rows = [
            vec!["a".to_owned(), "1".to_owned()],
            vec!["long-name".to_owned(), String::new()],
        ];
        assert_eq!(
            anstream::adapter::strip_str(&render(&["NAME", "X"], &rows)).to_string(),
            "NAME        X\na           1\nlong-name\n"
        );
    }

    #[test]
    fn a_cell_cannot_break_its_line_and_a_row_keeps_its_style() {
        let row = Row::new(vec!["a\nb\u{1b}[2J".to_owned()]).styled(ATTENTION);
        assert_eq!(
            styled(None, [row]),
            format!("{ATTENTION}a\\nb\\u{{1b}}[2J{ATTENTION:#}\n")
        );
    }
}
