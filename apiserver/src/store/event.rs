//! One change of one object, as the history keeps it and watchers receive it.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::object::{self, Object};

/// A change: `before` is missing for a creation, `after` for a deletion.
#[derive(Debug)]
pub(crate) struct Event {
    /// The version that the change made.
    pub(crate) revision: u64,
    /// Key of the object.
    pub(crate) key: Box<str>,
    /// The object before the change.
    pub(crate) before: Option<Arc<Object>>,
    /// The object after the change.
    pub(crate) after: Option<Arc<Object>>,
    departed: OnceLock<Arc<Object>>,
}

impl Event {
    pub(super) fn new(
        revision: u64,
        key: &str,
        before: Option<Arc<Object>>,
        after: Option<Arc<Object>>,
    ) -> Self {
        Self {
            revision,
            key: key.into(),
            before,
            after,
            departed: OnceLock::new(),
        }
    }

    /// The object as a DELETED event shows it: as it last was, with the version of this change.
    pub(crate) fn departed(&self) -> Option<&Arc<Object>> {
        let before = self.before.as_ref()?;
        Some(self.departed.get_or_init(|| {
            let mut value = Value::clone(&before.value);
            object::set_revision(&mut value, self.revision);
            Arc::new(Object::new(value, self.revision))
        }))
    }
}
