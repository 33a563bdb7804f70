//! Tables in kubectl's layout: three spaces between columns, no lines.

use comfy_table::{ContentArrangement, Table, presets};

/// A table of these rows under this header.
pub(crate) fn render(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header.to_vec());
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_three_spaces_apart_and_lines_end_with_their_text() {
        let rows = [
            vec!["a".to_owned(), "1".to_owned()],
            vec!["long-name".to_owned(), String::new()],
        ];
        assert_eq!(
            render(&["NAME", "X"], &rows),
            "NAME        X\na           1\nlong-name"
        );
    }
}
