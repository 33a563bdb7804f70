//! How a server is described before it starts.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, RwLock};

use http::HeaderValue;
use serde_json::{Value, json};

use super::{ApiServer, Inner};
use crate::access::{self, Authenticator};
use crate::clock::{Clock, SystemClock};
use crate::ids::{IdSource, SeededIds};
use crate::registry::Registry;
use crate::store::{self, State, Store};

/// Who is let in.
#[derive(Debug, Clone, Default)]
pub enum Authentication {
    /// Everybody is a member of `system:masters`.
    #[default]
    None,
    /// Bearer tokens, with RBAC deciding what their users may do.
    Tokens(Authenticator),
}

impl Authentication {
    /// The table of tokens, which is empty where nobody needs one.
    pub(crate) fn tokens(&self) -> Cow<'_, Authenticator> {
        match self {
            Authentication::None => Cow::Owned(Authenticator::default()),
            Authentication::Tokens(tokens) => Cow::Borrowed(tokens),
        }
    }
}

/// A description of a server; [`Builder::build`] starts it.
#[must_use]
pub struct Builder {
    clock: Arc<dyn Clock>,
    ids: Option<Box<dyn IdSource>>,
    history: usize,
    authentication: Authentication,
}

/// The namespaces of every new cluster.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];
const DEFAULT_HISTORY: usize = 8192;

impl Default for Builder {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            ids: None,
            history: DEFAULT_HISTORY,
            authentication: Authentication::None,
        }
    }
}

impl Builder {
    /// The wall clock of the server.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Where uids and generated names come from.
    pub fn ids(mut self, ids: Box<dyn IdSource>) -> Self {
        self.ids = Some(ids);
        self
    }

    /// Takes uids and generated names from a generator with this seed, so that they are the same in every run.
    pub fn seed(self, seed: u64) -> Self {
        self.ids(Box::new(SeededIds::new(seed)))
    }

    /// How many events of each kind are remembered. A watch or an exact list from before them is answered with 410.
    pub fn history(mut self, events: usize) -> Self {
        self.history = events;
        self
    }

    /// Who is let in.
    pub fn authentication(mut self, authentication: Authentication) -> Self {
        self.authentication = authentication;
        self
    }

    /// Starts the server with the objects that every cluster has from the beginning.
    #[must_use]
    pub fn build(self) -> ApiServer {
        let ids = self.ids.unwrap_or_else(|| Box::new(SeededIds::unseeded()));
        let store = Store::new(self.history, ids);
        let stamp = crate::call::whole_seconds(self.clock.now());
        populate(&mut store.lock(), &stamp);
        ApiServer {
            inner: Arc::new(Inner {
                store,
                registry: RwLock::new(Arc::new(Registry::built_in())),
                clock: self.clock,
                authentication: self.authentication,
                date: Mutex::new((i64::MIN, HeaderValue::from_static(""))),
            }),
        }
    }
}

fn populate(state: &mut State, stamp: &str) {
    for name in NAMESPACES {
        let namespace = json!({
            "kind": "Namespace",
            "apiVersion": "v1",
            "metadata": { "name": name, "labels": { "kubernetes.io/metadata.name": name } },
            "spec": { "finalizers": ["kubernetes"] },
            "status": { "phase": "Active" },
        });
        add(state, "namespaces", namespace, stamp);
    }
    for (resource, object) in access::bootstrap_objects() {
        add(state, resource, object, stamp);
    }
}

fn add(state: &mut State, table: &str, mut object: Value, stamp: &str) {
    let uid = state.ids.uid();
    let metadata = crate::object::metadata_mut(&mut object);
    metadata.insert("uid".into(), uid.into());
    metadata.insert("creationTimestamp".into(), stamp.into());
    let key = {
        let text = |field| crate::object::text(&object, field);
        store::key(text("namespace"), text("name"))
    };
    state.put(table, &key, object);
}
