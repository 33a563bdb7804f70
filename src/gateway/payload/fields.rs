//! JSON read field by field, so that a fault is told with the path of its field.
//!
//! Values stay unparsed until they are asked for: what nobody asks for costs no memory, however deep it nests. As in
//! Go, `null` is the same as absent. Unlike there, a name that is given twice is refused, and names are compared with
//! their case.

use std::collections::{BTreeMap, btree_map};
use std::fmt;
use std::ops::Range;

use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::{FieldError, PayloadError, Problem, excerpt, time};

/// A JSON value, not yet parsed.
pub(in crate::gateway) type Raw<'a> = &'a RawValue;

/// The members of an object, and where it stands in the body.
#[derive(Debug)]
pub(in crate::gateway) struct Fields<'a> {
    path: String,
    members: BTreeMap<String, Raw<'a>>,
}

impl<'a> Fields<'a> {
    /// The members of the body itself. This is where all of its syntax is checked.
    pub(in crate::gateway) fn of_body(body: &'a str) -> Result<Self, PayloadError> {
        let members = serde_json::from_str(body).map_err(|error| match error.classify() {
            Category::Data => FieldError::new("body", OBJECT).into(),
            Category::Io | Category::Syntax | Category::Eof => PayloadError::NotJson {
                problem: error.to_string(),
            },
        })?;
        Ok(Self::new(String::new(), members)?)
    }

    /// The members of a value.
    pub(in crate::gateway) fn of(raw: Raw<'a>, path: String) -> Result<Self, FieldError> {
        match parse(raw) {
            Ok(members) => Self::new(path, members),
            Err(problem) => Err(FieldError::new(path, problem.unwrap_or(OBJECT))),
        }
    }

    fn new(path: String, members: Option<Members<'a>>) -> Result<Self, FieldError> {
        let Members { members, repeated } = members.unwrap_or_default();
        let fields = Self { path, members };
        match repeated {
            Some(name) => Err(fields.wrong(&name, Problem::Repeated)),
            None => Ok(fields),
        }
    }

    /// Text; absent is empty.
    pub(in crate::gateway) fn text(&self, name: &str) -> Result<String, FieldError> {
        self.read(name, TEXT).map(Option::unwrap_or_default)
    }

    /// A whole number; absent is 0.
    pub(in crate::gateway) fn integer(&self, name: &str) -> Result<i64, FieldError> {
        self.read(name, INTEGER).map(Option::unwrap_or_default)
    }

    /// A date; absent, `null` and the zero time are none.
    pub(in crate::gateway) fn time(&self, name: &str) -> Result<Option<Timestamp>, FieldError> {
        let Some(text) = self.read::<String>(name, TEXT)? else {
            return Ok(None);
        };
        time::rfc3339(&text).ok_or_else(|| {
            let text = excerpt(&text);
            self.wrong(name, Problem::NotADate { text })
        })
    }

    /// An object whose values are texts.
    pub(in crate::gateway) fn texts(
        &self,
        name: &str,
    ) -> Result<BTreeMap<String, String>, FieldError> {
        let fields = self.object(name)?;
        let names = fields.members.keys();
        names
            .map(|name| Ok((name.clone(), fields.text(name)?)))
            .collect()
    }

    /// An object; absent is one without members.
    pub(in crate::gateway) fn object(&self, name: &str) -> Result<Self, FieldError> {
        let path = self.path_of(name);
        match self.members.get(name) {
            Some(raw) => Self::of(raw, path),
            None => Self::new(path, None),
        }
    }

    /// The elements of an array, and where it stands in the body; absent is empty.
    pub(in crate::gateway) fn array(
        &self,
        name: &str,
    ) -> Result<(Vec<Raw<'a>>, Option<Raw<'a>>), FieldError> {
        let elements = self.read(name, ARRAY)?.unwrap_or_default();
        Ok((elements, self.members.get(name).copied()))
    }

    /// An error about one of the members.
    pub(in crate::gateway) fn wrong(&self, name: &str, problem: Problem) -> FieldError {
        FieldError::new(self.path_of(name), problem)
    }

    fn path_of(&self, name: &str) -> String {
        let name = excerpt(name);
        if self.path.is_empty() {
            name
        } else {
            format!("{}.{name}", self.path)
        }
    }

    fn read<T: Deserialize<'a>>(
        &self,
        name: &str,
        otherwise: Problem,
    ) -> Result<Option<T>, FieldError> {
        let Some(raw) = self.members.get(name) else {
            return Ok(None);
        };
        parse(raw).map_err(|problem| self.wrong(name, problem.unwrap_or(otherwise)))
    }
}

const OBJECT: Problem = Problem::WrongType {
    expected: "an object",
};
const ARRAY: Problem = Problem::WrongType {
    expected: "an array",
};
const TEXT: Problem = Problem::WrongType { expected: "text" };
const INTEGER: Problem = Problem::WrongType {
    expected: "a whole number",
};

/// Where a value of this body stands in it.
pub(in crate::gateway) fn span(body: &str, raw: Raw<'_>) -> Range<usize> {
    let start = raw.get().as_ptr().addr() - body.as_ptr().addr();
    start..start + raw.get().len()
}

/// The syntax has been checked before, so that what can go wrong is the type, which is not told here, and escapes.
fn parse<'a, T: Deserialize<'a>>(raw: Raw<'a>) -> Result<Option<T>, Option<Problem>> {
    serde_json::from_str(raw.get())
        .map_err(|error| error.is_syntax().then_some(Problem::NotUnicode))
}

/// An object whose names are told apart from one that has a name twice.
#[derive(Debug, Default)]
struct Members<'a> {
    members: BTreeMap<String, Raw<'a>>,
    repeated: Option<String>,
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Members::default();
        while let Some((name, value)) = map.next_entry::<String, Raw<'de>>()? {
            match found.members.entry(name) {
                btree_map::Entry::Vacant(entry) => {
                    entry.insert(value);
                }
                btree_map::Entry::Occupied(entry) => found.repeated = Some(entry.key().clone()),
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(body: &str) -> Fields<'_> {
        Fields::of_body(body).unwrap()
    }

    fn told<T: fmt::Debug>(result: Result<T, FieldError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn null_is_the_same_as_absent() {
        let fields = fields(r#"{"a": null, "o": {"x": null}}"#);
        for name in ["a", "b"] {
            assert_eq!(fields.text(name), Ok(String::new()));
            assert_eq!(fields.integer(name), Ok(0));
            assert_eq!(fields.time(name), Ok(None));
            assert_eq!(fields.texts(name), Ok(BTreeMap::new()));
            assert!(fields.array(name).unwrap().0.is_empty());
        }
        let empty = BTreeMap::from([("x".to_owned(), String::new())]);
        assert_eq!(fields.texts("o"), Ok(empty));
    }

    #[test]
    fn a_wrong_type_is_told_with_the_path_of_its_field() {
        let fields = fields(r#"{"a": [], "o": {"x": 1, "y": {"z": "\ud800"}}, "n": 1.5}"#);
        assert_eq!(told(fields.text("a")), "a: text is expected");
        assert_eq!(told(fields.integer("n")), "n: a whole number is expected");
        assert_eq!(told(fields.texts("a")), "a: an object is expected");
        assert_eq!(told(fields.texts("o")), "o.x: text is expected");
        assert_eq!(told(fields.array("n")), "n: an array is expected");
        let inner = fields.object("o").unwrap().object("y").unwrap();
        assert_eq!(
            told(inner.text("z")),
            "o.y.z: an escape in it stands for no character"
        );
    }

    #[test]
    fn a_name_that_is_given_twice_is_refused() {
        let error = Fields::of_body(r#"{"a": 1, "\u0061": 2}"#).unwrap_err();
        assert_eq!(error.to_string(), "a: given more than once");
        let fields = fields(r#"{"o": {"x": "1", "x": "2"}}"#);
        assert_eq!(told(fields.texts("o")), "o.x: given more than once");
    }

    #[test]
    fn a_body_that_is_no_json_is_told_with_its_place() {
        for (body, expected) in [
            (
                "",
                "the body is not JSON: EOF while parsing a value at line 1 column 0",
            ),
            (
                r#"{"a": }"#,
                "the body is not JSON: expected value at line 1 column 7",
            ),
            (
                "{} x",
                "the body is not JSON: trailing characters at line 1 column 4",
            ),
            ("[]", "body: an object is expected"),
            ("7", "body: an object is expected"),
        ] {
            assert_eq!(Fields::of_body(body).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn nesting_costs_nothing_where_nobody_looks() {
        let deep = format!(
            r#"{{"a": {}{}, "b": "x"}}"#,
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert_eq!(fields(&deep).text("b"), Ok("x".to_owned()));
        let open = format!(r#"{{"a": {}"#, "{\"a\":".repeat(50_000));
        assert!(matches!(
            Fields::of_body(&open),
            Err(PayloadError::NotJson { .. })
        ));
    }
}
