//! kubectl's `-o custom-columns=NAME:.path,…`: a table of the values at paths. Nothing of what is printed is known here.

use serde_json::Value;

use super::colour::PLAIN;
use super::jsonpath::{Path, shown};
use super::table::Columns;

/// What stands where there is no value, as with kubectl.
const NOTHING: &str = "<none>";

/// Columns that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CustomColumns {
    columns: Vec<(String, Path)>,
    has_header: bool,
}

impl CustomColumns {
    /// Reads `NAME:.path,NAME2:.other.path`.
    ///
    /// # Errors
    /// What is expected.
    pub(super) fn parse(spec: &str) -> Result<Self, String> {
        let expected =
            || format!("\"{spec}\" is no list of columns: NAME:.name,AGE:.evidence.ageSeconds is");
        let column = |text: &str| {
            let (name, path) = text.split_once(':')?;
            let path = Path::parse(path)?;
            (!name.is_empty()).then(|| (name.to_owned(), path))
        };
        let columns: Option<Vec<_>> = spec.split(',').map(column).collect();
        Ok(Self {
            columns: columns.ok_or_else(expected)?,
            has_header: true,
        })
    }

    /// The same without the line of names.
    pub(super) fn without_header(self) -> Self {
        Self {
            has_header: false,
            ..self
        }
    }

    /// A row for each of a value's `items`, or one for the value itself.
    pub(super) fn render(&self, value: &Value) -> String {
        let rows: Vec<Vec<String>> = match value.get("items").and_then(Value::as_array) {
            Some(items) => items.iter().map(|item| self.row(item)).collect(),
            None => vec![self.row(value)],
        };
        let header = self.columns.iter().map(|(name, _)| name.clone());
        let mut columns = Columns::of(header.collect());
        rows.iter().for_each(|row| columns.measure(row));
        let mut text = Vec::new();
        // Writing into memory cannot fail.
        if self.has_header {
            let _ = columns.write_header(&mut text);
        }
        let _ = columns.write_all(&mut text, rows.iter().map(|row| (row, PLAIN)));
        String::from_utf8_lossy(&text).into_owned()
    }

    fn row(&self, item: &Value) -> Vec<String> {
        let cell = |(_, path): &(String, Path)| {
            let found = path.find(item).into_iter();
            let texts: Vec<String> = found.filter(|value| !value.is_null()).map(shown).collect();
            if texts.is_empty() {
                NOTHING.to_owned()
            } else {
                texts.join(",")
            }
        };
        self.columns.iter().map(cell).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn columns() -> CustomColumns {
        CustomColumns::parse("NAME:.name,AGE:{.evidence.ageSeconds},P:.problems[*]").unwrap()
    }

    #[test]
    fn a_list_is_a_row_an_item_as_kubectl_prints_it() {
        let list = json!({"items": [
            {"name": "gw-lock-1", "evidence": {"ageSeconds": 5}, "problems": ["a", "b"]},
            {"name": "x", "evidence": {"ageSeconds": null}, "problems": []},
        ]});
        assert_eq!(
            columns().render(&list),
            "NAME        AGE      P\ngw-lock-1   5        a,b\nx           <none>   <none>\n"
        );
        assert_eq!(
            columns().without_header().render(&list["items"][1]),
            "x      <none>   <none>\n"
        );
    }

    #[test]
    fn what_is_no_list_of_columns_is_refused_with_one_that_is() {
        for spec in ["", "NAME", ":.name", "NAME:", "NAME:.a..b", "A:.a,"] {
            let error = CustomColumns::parse(spec).unwrap_err();
            assert!(
                error.contains("NAME:.name,AGE:.evidence.ageSeconds is"),
                "{error}"
            );
        }
    }
}
