//! A Kubernetes API server in process.
//!
//! [`ApiServer`] is a tower service. Put it under a client and no network is involved, or serve it on loopback with
//! [`serve`](mod@serve), and kubectl works against it:
//!
//! ```
//! # async fn example() -> Result<(), kube::Error> {
//! use gwlock_apiserver::ApiServer;
//! use k8s_openapi::api::coordination::v1::Lease;
//! use kube::{Api, Client, api::PostParams};
//!
//! let leases: Api<Lease> = Api::namespaced(Client::new(ApiServer::new(), "default"), "default");
//! let mut lease = Lease::default();
//! lease.metadata.name = Some("a".into());
//! let created = leases.create(&PostParams::default(), &lease).await?;
//! assert!(created.metadata.uid.is_some());
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(example()).unwrap();
//! ```
//!
//! It answers as kube-apiserver 1.36 does: the same codes, reasons and messages, versions, watches, field ownership,
//! dry runs, preconditions and finalizers. One suite of contract tests runs against both.
//!
//! # What makes it fit to test locks on
//!
//! - A check and the write that depends on it happen under one mutex, so of two writes that contradict each other
//!   exactly one wins, however many threads send them.
//! - Every change of a field moves its writer's stamp in `managedFields`; the stamp is the moment at which the request
//!   came in, not the one at which it was stored.
//! - Wall clock, uids and generated names come from outside, and every wait is tokio's: under a paused runtime an hour
//!   passes in milliseconds, and one seed gives the same run every time.
//! - [`faults`] delay, lose, refuse and disguise requests and answers, hold the store, and cut and stall watches. An
//!   observer sees each request, what the server made of it and what its client got.
//!
//! # How a request travels
//!
//! `server` counts it and lets faults befall it, finds out who sends it and asks [`access`] whether he may.
//! `verbs` decodes the body ([`validate`](mod@validate), [`schema`] for custom kinds), checks what the verb demands,
//! lets `fields` stamp the object, and commits it to the `store`, which wakes the watches. `render` turns the outcome
//! into the form that was asked for: objects, a `table`, or metadata alone, as JSON, YAML or protobuf. Which kinds
//! there are stands in the [`registry`], as data; storing a CustomResourceDefinition adds to it.
//!
//! # What is not here
//!
//! No scheduler, kubelet or controller runs: a Pod stays pending, a Deployment makes no Pods, owner references collect
//! nothing, and an object that is deleted in the foreground, or so that it leaves orphans, waits for a collector. What
//! controllers do for the kinds that the server itself lives by is done at once, before the answer: a definition is
//! established, and a namespace ends with its contents. There is no server-side apply (415), no admission webhook, no
//! `exec`, `log` or `proxy`; protobuf is read and written for the kinds that `types` describes, and watches are JSON.
//! The server knows HTTP and objects, and nothing of locks.

#![cfg_attr(
    test,
    expect(
        clippy::needless_pass_by_value,
        reason = "tests write JSON where it is used"
    )
)]

pub mod access;
mod body;
mod call;
pub mod clock;
mod cluster;
mod convert;
mod defaults;
mod definitions;
mod discovery;
pub mod faults;
mod fields;
mod golang;
mod negotiate;
mod object;
mod patch;
mod protobuf;
mod query;
pub mod registry;
mod render;
mod route;
pub mod schema;
mod selector;
pub mod serve;
mod server;
pub mod status;
mod store;
mod table;
mod types;
mod uids;
pub mod validate;
mod verbs;
mod watch;

pub use body::{Body, ConnectionLost};
pub use clock::{Clock, SystemClock, TokioClock};
pub use server::{Answering, ApiServer, ApiServerBuilder, Exchange};
pub use uids::Uids;
