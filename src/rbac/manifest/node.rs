//! A value of a YAML document with its place, and how fields of it are taken. What the fields mean is not known here.

use std::rc::Rc;

/// Where something begins; both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Why a text cannot be used as manifests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) mark: Mark,
    pub(crate) message: String,
}

/// A value. Aliases share what they name.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) mark: Mark,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Null,
    /// A word that is not quoted: a number, a boolean or a text.
    Plain(String),
    /// What is a text for certain.
    Text(String),
    List(Vec<Rc<Node>>),
    Map(Vec<Entry>),
}

/// A field.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) mark: Mark,
    pub(super) node: Rc<Node>,
}

/// A text with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Node {
    pub(super) fn unreadable(&self, message: impl Into<String>) -> Unreadable {
        Unreadable {
            mark: self.mark,
            message: message.into(),
        }
    }

    fn expected(&self, what: &str, expected: &str) -> Unreadable {
        let found = match &self.value {
            Value::Null => "nothing",
            Value::Plain(_) => "a number, a boolean or a word",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        };
        self.unreadable(format!("{what} is {found}, and has to be {expected}"))
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The fields.
    pub(super) fn entries(&self, what: &str) -> Result<&[Entry], Unreadable> {
        match &self.value {
            Value::Map(entries) => Ok(entries),
            Value::Null => Ok(&[]),
            _ => Err(self.expected(what, "a mapping")),
        }
    }

    /// A field of a mapping that is set to something.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| entry.node.as_ref())
    }

    /// The same with its key.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        let Value::Map(entries) = &self.value else {
            return None;
        };
        let entry = entries.iter().find(|entry| entry.key == key)?;
        (!entry.node.is_null()).then_some(entry)
    }

    /// A mapping below a mapping, or nothing.
    pub(super) fn map(&self, key: &str) -> Result<Option<&Node>, Unreadable> {
        match self.get(key) {
            Some(node) if !matches!(node.value, Value::Map(_)) => {
                Err(node.expected(key, "a mapping"))
            }
            node => Ok(node),
        }
    }

    /// The items of a list below a mapping; none if it is not there.
    pub(super) fn list(&self, key: &str) -> Result<&[Rc<Node>], Unreadable> {
        match self.get(key) {
            None => Ok(&[]),
            Some(node) => match &node.value {
                Value::List(items) => Ok(items),
                _ => Err(node.expected(key, "a list")),
            },
        }
    }

    /// A text. A template that nobody has rendered is none.
    pub(super) fn text(&self, what: &str) -> Result<&str, Unreadable> {
        let text = match &self.value {
            Value::Text(text) => text,
            Value::Plain(text) if !is_number_or_boolean(text) => text,
            Value::Plain(_) | Value::Null | Value::List(_) | Value::Map(_) => {
                return Err(self.expected(what, "a text"));
            }
        };
        if text.contains("{{") {
            return Err(self.unreadable(template(what)));
        }
        Ok(text)
    }

    /// A text below a mapping.
    pub(super) fn field(&self, key: &str) -> Result<Option<Word>, Unreadable> {
        let Some(node) = self.get(key) else {
            return Ok(None);
        };
        let text = node.text(key)?.to_owned();
        let line = node.mark.line;
        Ok(Some(Word { text, line }))
    }

    /// The texts of a list below a mapping. An item that is left empty is an empty text, as for an API server.
    pub(super) fn words(&self, key: &str) -> Result<Vec<Word>, Unreadable> {
        let items = self.list(key)?.iter();
        let word = |node: &Rc<Node>| {
            let text = if node.is_null() {
                String::new()
            } else {
                node.text(key)?.to_owned()
            };
            let line = node.mark.line;
            Ok(Word { text, line })
        };
        items.map(word).collect()
    }

    /// A whole number below a mapping.
    pub(super) fn number(&self, key: &str) -> Result<Option<(i64, usize)>, Unreadable> {
        let Some(node) = self.get(key) else {
            return Ok(None);
        };
        let number = match &node.value {
            Value::Plain(text) => text.parse().ok(),
            _ => None,
        };
        match number {
            Some(number) => Ok(Some((number, node.mark.line))),
            None => Err(node.expected(key, "a number")),
        }
    }

    /// A boolean below a mapping, in the words of YAML 1.1, which kubectl reads.
    pub(super) fn boolean(&self, key: &str) -> Result<Option<(bool, usize)>, Unreadable> {
        let Some(node) = self.get(key) else {
            return Ok(None);
        };
        let value = match &node.value {
            Value::Plain(text) => boolean(text),
            _ => None,
        };
        match value {
            Some(value) => Ok(Some((value, node.mark.line))),
            None => Err(node.expected(key, "a boolean")),
        }
    }
}

/// What is said of a template that nobody has rendered.
pub(super) fn template(what: &str) -> String {
    format!("{what} is a template, {{{{, that has to be rendered first: helm template")
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn is_number_or_boolean(text: &str) -> bool {
    let first = text.as_bytes().first();
    let may_be_number = first.is_some_and(|byte| byte.is_ascii_digit() || b"+-.".contains(byte));
    boolean(text).is_some() || (may_be_number && text.parse::<f64>().is_ok())
}
