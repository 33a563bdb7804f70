//! The list of entries in `metadata.managedFields`.

use serde_json::{Map, Value, json};

use super::compare::Difference;
use super::set::FieldSet;
use super::{ANCIENT, MAX_MANAGERS, Writer};

/// The entries of one object.
#[derive(Debug, Default)]
pub(super) struct Entries {
    list: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    manager: String,
    operation: String,
    api_version: String,
    subresource: String,
    time: String,
    fields: FieldSet,
}

impl Entry {
    fn is_by(&self, writer: Writer<'_>) -> bool {
        self.manager == writer.manager
            && self.operation == "Update"
            && self.api_version == writer.api_version
            && self.subresource == writer.subresource
    }
}

impl Entries {
    /// Whether the list that a request sent asks to forget every entry: `[]` or `[{}]`.
    pub(super) fn is_reset(value: &Value) -> bool {
        match value.as_array().map(Vec::as_slice) {
            Some([]) => true,
            Some([only]) => only.as_object().is_some_and(Map::is_empty),
            _ => false,
        }
    }

    /// Whether a list has entries that can all be read.
    pub(super) fn is_usable(value: &Value) -> bool {
        value.as_array().is_some_and(|entries| {
            !entries.is_empty()
                && entries.iter().all(|entry| {
                    entry["fieldsType"] == "FieldsV1"
                        && entry["fieldsV1"].is_object()
                        && matches!(entry["operation"].as_str(), Some("Update" | "Apply"))
                })
        })
    }

    pub(super) fn decode(value: Value) -> Self {
        if !Self::is_usable(&value) {
            return Self::default();
        }
        let Value::Array(list) = value else {
            return Self::default();
        };
        let text =
            |entry: &Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
        let list = list
            .iter()
            .map(|entry| Entry {
                manager: text(entry, "manager"),
                operation: text(entry, "operation"),
                api_version: text(entry, "apiVersion"),
                subresource: text(entry, "subresource"),
                time: text(entry, "time"),
                fields: FieldSet::decode(&entry["fieldsV1"]),
            })
            .collect();
        Self { list }
    }

    /// Gives the writer what it changed, and takes it from everybody else.
    pub(super) fn apply(&mut self, difference: Difference, writer: Writer<'_>) {
        let Difference { changed, removed } = difference;
        for entry in &mut self.list {
            entry.fields.subtract(&removed);
            if !entry.is_by(writer) {
                entry.fields.subtract(&changed);
            }
        }
        if !changed.is_empty() {
            let position = self
                .list
                .iter()
                .position(|entry| entry.is_by(writer))
                .unwrap_or_else(|| {
                    self.list.push(Entry {
                        manager: writer.manager.to_owned(),
                        operation: "Update".to_owned(),
                        api_version: writer.api_version.to_owned(),
                        subresource: writer.subresource.to_owned(),
                        time: String::new(),
                        fields: FieldSet::default(),
                    });
                    self.list.len() - 1
                });
            let entry = &mut self.list[position];
            entry.fields.union(changed);
            entry.time = writer.time.to_owned();
        }
        self.list.retain(|entry| !entry.fields.is_empty());
        self.merge_the_oldest();
        self.sort();
    }

    /// Merges the oldest entries of one API version until few enough managers remain.
    fn merge_the_oldest(&mut self) {
        loop {
            let mut updates: Vec<usize> = (0..self.list.len())
                .filter(|&index| self.list[index].operation == "Update")
                .collect();
            if updates.len() <= MAX_MANAGERS {
                return;
            }
            updates.sort_by(|&left, &right| {
                let (left, right) = (&self.list[left], &self.list[right]);
                (&left.time, &left.manager).cmp(&(&right.time, &right.manager))
            });
            let Some((oldest, next)) = self.oldest_pair_of_one_version(&updates) else {
                return;
            };
            let merged = self.list[next].fields.clone();
            // The bucket shows the time of the newer of the two.
            let time = self.list[next].time.clone();
            let bucket = &mut self.list[oldest];
            bucket.fields.union(merged);
            ANCIENT.clone_into(&mut bucket.manager);
            bucket.subresource.clear();
            bucket.time = time;
            self.list.remove(next);
        }
    }

    fn oldest_pair_of_one_version(&self, by_age: &[usize]) -> Option<(usize, usize)> {
        by_age.iter().enumerate().find_map(|(position, &newer)| {
            by_age[..position]
                .iter()
                .find(|&&older| self.list[older].api_version == self.list[newer].api_version)
                .map(|&older| (older, newer))
        })
    }

    fn sort(&mut self) {
        self.list.sort_by(|left, right| {
            let key = |entry: &Entry| {
                (
                    entry.operation.clone(),
                    entry.time.clone(),
                    entry.manager.clone(),
                    entry.api_version.clone(),
                    entry.subresource.clone(),
                )
            };
            key(left).cmp(&key(right))
        });
    }

    /// The list as JSON, or `None` where no entry is left.
    pub(super) fn encode(&self) -> Option<Value> {
        if self.list.is_empty() {
            return None;
        }
        Some(Value::Array(self.list.iter().map(Entry::encode).collect()))
    }
}

impl Entry {
    fn encode(&self) -> Value {
        let mut entry = json!({
            "manager": self.manager,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "time": self.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": self.fields.encode(),
        });
        if !self.subresource.is_empty() {
            entry["subresource"] = self.subresource.as_str().into();
        }
        entry
    }
}

/// The commonest write changes only fields that its manager owns alone: then nothing but the time of that entry
/// moves. Returns whether that was so.
pub(super) fn restamp(entries: &mut Value, difference: &Difference, writer: Writer<'_>) -> bool {
    let Some([entry]) = entries.as_array_mut().map(Vec::as_mut_slice) else {
        return false;
    };
    let is_writers = entry["manager"] == writer.manager
        && entry["operation"] == "Update"
        && entry["apiVersion"] == writer.api_version
        && entry
            .get("subresource")
            .and_then(Value::as_str)
            .unwrap_or_default()
            == writer.subresource;
    if !is_writers
        || !difference.removed.is_empty()
        || !difference.changed.is_within(&entry["fieldsV1"])
    {
        return false;
    }
    entry["time"] = writer.time.into();
    true
}
