//! How a server is described before it starts.

use std::sync::{Arc, Mutex, RwLock};

use http::HeaderValue;
use serde_json::{Value, json};

use super::observe::{Counts, Exchange, Observer};
use super::{ApiServer, Inner};
use crate::access::{self, Authentication, Authenticator};
use crate::call::whole_seconds;
use crate::clock::{Clock, SystemClock};
use crate::cluster::Cluster;
use crate::faults::Faults;
use crate::object;
use crate::registry::Registry;
use crate::store::{self, State, Store};
use crate::uids::Uids;

/// A description of a server; [`ApiServerBuilder::build`] starts it.
#[must_use]
pub struct ApiServerBuilder {
    clock: Arc<dyn Clock>,
    uids: Option<Uids>,
    keep_events: usize,
    authentication: Authentication,
    observer: Option<Observer>,
}

/// The namespaces of every new cluster.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];
const DEFAULT_KEEP_EVENTS: usize = 8192;

impl Default for ApiServerBuilder {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            uids: None,
            keep_events: DEFAULT_KEEP_EVENTS,
            authentication: Authentication::Open,
            observer: None,
        }
    }
}

impl ApiServerBuilder {
    /// The wall clock of the server; the machine's unless set.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Where uids and generated names come from; random unless set.
    pub fn uids(mut self, uids: Uids) -> Self {
        self.uids = Some(uids);
        self
    }

    /// How many events of each kind are remembered, 8192 unless set. A watch or an exact list from before them is
    /// answered with 410.
    pub fn keep_events(mut self, events: usize) -> Self {
        self.keep_events = events;
        self
    }

    /// Who is let in; everybody, as an administrator, unless set.
    pub fn authentication(mut self, authentication: Authentication) -> Self {
        self.authentication = authentication;
        self
    }

    /// Is told of every request once it has been answered, or can no longer be.
    pub fn observer(mut self, observer: impl Fn(&Exchange) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Starts the server with the objects that every cluster has from the beginning.
    #[must_use]
    pub fn build(self) -> ApiServer {
        let store = Store::new(self.keep_events, self.uids.unwrap_or_else(Uids::unseeded));
        populate(&mut store.lock(), &whole_seconds(self.clock.now()));
        let tokens = match self.authentication {
            Authentication::Open => None,
            Authentication::Tokens(users) => {
                let mut tokens = Authenticator::default();
                for (token, user) in users {
                    tokens.insert(token, user);
                }
                Some(tokens)
            }
        };
        ApiServer {
            inner: Arc::new(Inner {
                cluster: Arc::new(Cluster {
                    store,
                    registry: RwLock::new(Arc::new(Registry::built_in())),
                    clock: self.clock,
                    tokens,
                    faults: Faults::default(),
                }),
                observer: self.observer,
                counts: Counts::default(),
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
    let uid = state.uids.uid();
    let metadata = object::metadata_mut(&mut object);
    metadata.insert("uid".into(), uid.into());
    metadata.insert("creationTimestamp".into(), stamp.into());
    let key = store::key(
        object::text(&object, "namespace"),
        object::text(&object, "name"),
    );
    state.put(table, &key, object);
}
