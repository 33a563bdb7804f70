//! YAML and JSON as documents of [`Node`]s, within bounds: what a few bytes can make of a large memory is refused.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use granit_parser::{Event, Parser, ScalarStyle, Span};
use serde::de::IgnoredAny;

use super::node::{Entry, Mark, Node, Unreadable, Value, template};

/// A document has at most so many values, with those that aliases repeat. A list of 20 000 deployments has a quarter.
const MOST_VALUES: usize = 4_000_000;

/// From so many fields on, a set looks for those that are given twice.
const MANY: usize = 16;

/// What a text looks like from the outside.
#[derive(Debug, Default)]
pub(super) struct Noticed {
    /// Keys that are given twice, each at its second place.
    pub(super) repeated: Vec<(String, Mark)>,
}

/// Calls `document` with every document that is not empty and its number, which counts the empty ones as well.
pub(super) fn documents(
    text: &str,
    mut document: impl FnMut(usize, &Node) -> Result<(), Unreadable>,
) -> Result<Noticed, Unreadable> {
    let mut noticed = Noticed::default();
    let mut number = 0;
    for (before, piece) in pieces(text) {
        let mut builder = Builder::new(piece, before);
        for event in Parser::new_from_str(piece) {
            let (event, span) = event.map_err(|error| builder.scan_error(&error))?;
            match event {
                Event::DocumentStart(..) => {
                    number += 1;
                    builder.start(&span);
                }
                Event::DocumentEnd => {
                    if let Some(node) = builder.root.take()
                        && !node.is_null()
                    {
                        document(number, &node)?;
                    }
                }
                event => builder.take(event, &span)?,
            }
        }
        noticed.repeated.append(&mut builder.noticed.repeated);
    }
    Ok(noticed)
}

/// The values of a stream of JSON, each with what stands before it. YAML is one piece: it has marks of its own between
/// its documents.
fn pieces(text: &str) -> Vec<(Before, &str)> {
    let whole = vec![(Before::default(), text)];
    if !text.trim_start().starts_with('{') {
        return whole;
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let mut pieces = Vec::new();
    let mut before = Before::default();
    let mut from = 0;
    while let Some(value) = values.next() {
        if value.is_err() {
            // It may be YAML that begins with a brace, and if it is not, the parser of YAML knows where.
            return whole;
        }
        let piece = &text[from..values.byte_offset()];
        pieces.push((before, piece));
        from = values.byte_offset();
        before = before.and(piece);
    }
    pieces
}

/// The lines and, of the last line, the columns before a piece.
#[derive(Debug, Clone, Copy, Default)]
struct Before {
    lines: usize,
    columns: usize,
}

impl Before {
    fn and(self, piece: &str) -> Self {
        let last = piece.rsplit('\n').next().unwrap_or_default();
        let lines = piece.matches('\n').count();
        let columns = last.chars().count();
        Self {
            lines: self.lines + lines,
            columns: if lines == 0 {
                self.columns + columns
            } else {
                columns
            },
        }
    }

    fn mark(self, line: usize, column: usize) -> Mark {
        Mark {
            line: self.lines + line,
            column: if line == 1 {
                self.columns + column
            } else {
                column
            },
        }
    }
}

/// What is being built.
struct Builder<'a> {
    text: &'a str,
    before: Before,
    /// The line at which the document begins.
    first_line: usize,
    open: Vec<Open>,
    root: Option<Rc<Node>>,
    /// What aliases may name, with the values that each of them stands for.
    anchors: HashMap<usize, (Rc<Node>, usize)>,
    values: usize,
    noticed: Noticed,
}

/// A collection whose end has not come yet.
struct Open {
    mark: Mark,
    anchor: usize,
    /// The values before it.
    before: usize,
    content: Content,
}

enum Content {
    List(Vec<Rc<Node>>),
    Map {
        entries: Vec<Entry>,
        /// The key whose value comes next.
        key: Option<(String, Mark)>,
        /// What `<<` adds, if it is not there.
        merged: Vec<Rc<Node>>,
    },
}

const MERGE: &str = "<<";

impl<'a> Builder<'a> {
    fn new(text: &'a str, before: Before) -> Self {
        Self {
            text,
            before,
            first_line: 1,
            open: Vec::new(),
            root: None,
            anchors: HashMap::new(),
            values: 0,
            noticed: Noticed::default(),
        }
    }

    fn start(&mut self, span: &Span) {
        self.first_line = span.start.line();
        self.open.clear();
        self.anchors.clear();
        self.root = None;
        self.values = 0;
    }

    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Unreadable> {
        let mark = self.before.mark(span.start.line(), span.start.col() + 1);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = style != ScalarStyle::Plain
                    || tag.is_some_and(|tag| tag.core_suffix() != Some("null"));
                if self.takes_key() {
                    return self.key(text.into_owned(), mark, !is_text);
                }
                let value = if is_text {
                    Value::Text(text.into_owned())
                } else if matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL") {
                    Value::Null
                } else {
                    Value::Plain(text.into_owned())
                };
                self.count(1, mark)?;
                let node = Rc::new(Node { mark, value });
                self.place(anchor, 1, node)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.opens(mark, anchor, Content::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, _) => {
                let content = Content::Map {
                    entries: Vec::new(),
                    key: None,
                    merged: Vec::new(),
                };
                self.opens(mark, anchor, content)
            }
            Event::SequenceEnd | Event::MappingEnd => self.closes(),
            Event::Alias(anchor) => self.alias(anchor, mark),
            _ => Ok(()),
        }
    }

    /// Whether what comes next is a key.
    fn takes_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                content: Content::Map { key: None, .. },
                ..
            })
        )
    }

    fn key(&mut self, text: String, mark: Mark, plain: bool) -> Result<(), Unreadable> {
        self.count(1, mark)?;
        if let Some(Open {
            content: Content::Map { key, .. },
            ..
        }) = self.open.last_mut()
        {
            // A quoted `<<` is a key like any other; an escape before it keeps it from being taken for a merge.
            let is_quoted = text == MERGE && !plain;
            *key = Some((if is_quoted { "\\<<".to_owned() } else { text }, mark));
        }
        Ok(())
    }

    fn opens(&mut self, mark: Mark, anchor: usize, content: Content) -> Result<(), Unreadable> {
        if self.takes_key() {
            return Err(self.no_key(mark));
        }
        let before = self.values;
        self.count(1, mark)?;
        self.open.push(Open {
            mark,
            anchor,
            before,
            content,
        });
        Ok(())
    }

    fn closes(&mut self) -> Result<(), Unreadable> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let value = match open.content {
            Content::List(items) => Value::List(items),
            Content::Map {
                entries, merged, ..
            } => {
                let entries = self.unique(entries);
                Value::Map(self.with_merged(entries, &merged, open.mark)?)
            }
        };
        let size = self.values - open.before;
        let mark = open.mark;
        self.place(open.anchor, size, Rc::new(Node { mark, value }))
    }

    /// The last of those that have the same key counts, as it does for kubectl.
    fn unique(&mut self, mut entries: Vec<Entry>) -> Vec<Entry> {
        let repeated = |entries: &[Entry]| {
            if entries.len() < MANY {
                let earlier = |at: usize| entries[..at].iter();
                return (1..entries.len())
                    .any(|at| earlier(at).any(|entry| entry.key == entries[at].key));
            }
            let keys: HashSet<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
            keys.len() < entries.len()
        };
        if !repeated(&entries) {
            return entries;
        }
        let mut seen = HashSet::new();
        let mut kept = Vec::with_capacity(entries.len());
        while let Some(entry) = entries.pop() {
            if seen.insert(entry.key.clone()) {
                kept.push(entry);
            } else if let Some(last) = kept
                .iter()
                .find(|kept: &&Entry| kept.key == entry.key)
                .map(|kept| kept.mark)
            {
                self.noticed.repeated.push((entry.key, last));
            }
        }
        kept.reverse();
        kept
    }

    /// What `<<` names is added where it is not there, from the first to the last.
    fn with_merged(
        &mut self,
        mut entries: Vec<Entry>,
        merged: &[Rc<Node>],
        mark: Mark,
    ) -> Result<Vec<Entry>, Unreadable> {
        for source in merged {
            let sources: &[Rc<Node>] = match &source.value {
                Value::List(sources) => sources,
                _ => std::slice::from_ref(source),
            };
            for source in sources {
                let Value::Map(others) = &source.value else {
                    return Err(Unreadable {
                        mark: source.mark,
                        message: "<< has to name a mapping".to_owned(),
                    });
                };
                self.count(others.len(), mark)?;
                let known: HashSet<String> =
                    entries.iter().map(|entry| entry.key.clone()).collect();
                let new = others.iter().filter(|entry| !known.contains(&entry.key));
                entries.extend(new.cloned());
            }
        }
        Ok(entries)
    }

    fn alias(&mut self, anchor: usize, mark: Mark) -> Result<(), Unreadable> {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            return Err(Unreadable {
                mark,
                message: "an alias stands within what it names".to_owned(),
            });
        };
        let (node, size) = (Rc::clone(node), *size);
        self.count(size, mark)?;
        if self.takes_key() {
            let (text, plain) = match &node.value {
                Value::Text(text) => (text.clone(), false),
                Value::Plain(text) => (text.clone(), true),
                _ => return Err(self.no_key(mark)),
            };
            return self.key(text, mark, plain);
        }
        self.place(0, size, node)
    }

    fn place(&mut self, anchor: usize, size: usize, node: Rc<Node>) -> Result<(), Unreadable> {
        if anchor != 0 {
            self.anchors.insert(anchor, (Rc::clone(&node), size));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map {
                entries,
                key,
                merged,
            } => match key.take() {
                Some((text, _)) if text == MERGE => merged.push(node),
                Some((key, mark)) => entries.push(Entry { key, mark, node }),
                None => return Err(self.no_key(node.mark)),
            },
        }
        Ok(())
    }

    fn count(&mut self, more: usize, mark: Mark) -> Result<(), Unreadable> {
        self.values = self.values.saturating_add(more);
        if self.values <= MOST_VALUES {
            return Ok(());
        }
        Err(Unreadable {
            mark,
            message: format!(
                "the document has more than {MOST_VALUES} values, with what its aliases repeat"
            ),
        })
    }

    /// A list or a mapping stands where a key is expected. In a file that nobody has rendered that is `{{ … }}`.
    fn no_key(&self, mark: Mark) -> Unreadable {
        self.template(mark).unwrap_or_else(|| Unreadable {
            mark,
            message: "a key has to be a text".to_owned(),
        })
    }

    fn scan_error(&self, error: &granit_parser::ScanError) -> Unreadable {
        let at = error.marker();
        let mark = self.before.mark(at.line().max(1), at.col() + 1);
        self.template(mark).unwrap_or_else(|| Unreadable {
            mark,
            message: format!("no YAML: {}", error.info()),
        })
    }

    /// The first `{{` of this document outside of comments, if there is one before this place.
    fn template(&self, mark: Mark) -> Option<Unreadable> {
        let lines = self.text.lines().enumerate();
        let before = lines
            .skip(self.first_line.saturating_sub(1))
            .take_while(|(at, _)| at + self.before.lines < mark.line);
        for (at, line) in before {
            if line.trim_start().starts_with('#') {
                continue;
            }
            if let Some(column) = line.find("{{") {
                let column = line[..column].chars().count() + 1;
                let mark = self.before.mark(at + 1, column);
                let message = template("this");
                return Some(Unreadable { mark, message });
            }
        }
        None
    }
}
