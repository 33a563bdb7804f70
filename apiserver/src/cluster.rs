//! What there is behind the requests: objects, kinds, time, who has a token, and what goes wrong.
//!
//! Verbs and watches work on it. How a request comes in and how it is answered is not known here.

use std::sync::{Arc, PoisonError, RwLock};

use crate::access::Authenticator;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::registry::Registry;
use crate::store::Store;

/// Shared by all clones of a server and by the watches on it.
pub(crate) struct Cluster {
    pub(crate) store: Store,
    pub(crate) registry: RwLock<Arc<Registry>>,
    pub(crate) clock: Arc<dyn Clock>,
    /// `None` where everybody is an administrator.
    pub(crate) tokens: Option<Authenticator>,
    pub(crate) faults: Faults,
}

impl Cluster {
    /// The kinds that are served now.
    pub(crate) fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.registry.read().unwrap_or_else(PoisonError::into_inner))
    }
}
