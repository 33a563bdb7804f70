//! Where the leases come from: reads, lists and the watch. What they are needed for is not known here.

use futures_util::StreamExt as _;
use futures_util::stream::LocalBoxStream;
use gwlock_engine::client::Clock;
use gwlock_engine::client::list::{Listed, Listing, collection_path, encode};
use gwlock_engine::client::watch::{Changed, WatchError, names};
use gwlock_engine::protocol::clock::Moment;
use gwlock_engine::protocol::key::LeaseName;
use jiff::Timestamp;

use super::super::{Arguments, look, read};
use super::Lease;
use super::pending::By;
use crate::context::Cluster;
use crate::failure::Failure;

/// A watch ends after so many seconds, and then a list tells what was missed, also when the connection had died in
/// silence.
const WATCH_SECONDS: u32 = 290;

/// The leases that the command line asks for.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) arguments: &'a Arguments,
    pub(super) keys: &'a [LeaseName],
    pub(super) cluster: &'a Cluster,
    pub(super) clock: &'a dyn Clock,
}

/// What a read has shown.
pub(super) struct Read {
    /// When the answer was there.
    pub(super) arrived: Moment,
    pub(super) of: Of,
}

/// One lease or all.
pub(super) enum Of {
    /// `None` if it is not there.
    One(
        Lease,
        Result<(Option<Box<Listed>>, Option<Timestamp>), Failure>,
    ),
    /// Every lease that is asked for.
    All(Result<Listing, Failure>),
}

/// A watch.
pub(super) enum Watch<'a> {
    /// Names of leases that change, until it ends.
    Open(LocalBoxStream<'a, Changed>),
    /// It is not allowed; these are the server's words.
    Forbidden(String),
}

/// A connection that has been made.
pub(super) struct Opened<'a> {
    /// What there was before the watch began; `None` where every key has to be read.
    pub(super) listing: Option<(Listing, Moment)>,
    pub(super) watch: Watch<'a>,
}

impl<'a> Source<'a> {
    pub(super) fn by(self) -> By {
        if !self.keys.is_empty() {
            By::Name
        } else if self.arguments.selector.is_some() {
            By::List
        } else {
            By::Either
        }
    }

    pub(super) fn wants(self, name: &str) -> bool {
        self.arguments.wants(name, self.keys)
    }

    /// The leases that are asked for by name.
    pub(super) fn named(self) -> impl Iterator<Item = Lease> {
        let namespace = &self.cluster.namespace;
        let keys = self.keys.iter();
        keys.map(move |key| (namespace.clone(), key.to_string()))
    }

    pub(super) async fn one(self, lease: Lease) -> Read {
        let (namespace, name) = &lease;
        let answer = match LeaseName::new(name) {
            Ok(key) => read(&key, namespace, self.cluster)
                .await
                .map(|(listed, date)| (listed.map(Box::new), date)),
            // No lease can have such a name.
            Err(_) => Ok((None, None)),
        };
        Read {
            arrived: self.clock.now(),
            of: Of::One(lease, answer),
        }
    }

    pub(super) async fn all(self) -> Read {
        let answer = look(self.arguments, self.keys, self.cluster).await;
        Read {
            arrived: self.clock.now(),
            of: Of::All(answer),
        }
    }

    /// Lists, and watches from there on.
    pub(super) async fn open(self) -> Result<Opened<'a>, Failure> {
        // The version of a lease may be too old to watch from, so keys are watched first and read then.
        if !self.keys.is_empty() {
            return Ok(Opened {
                listing: None,
                watch: self.watch(None).await?,
            });
        }
        let listing = look(self.arguments, self.keys, self.cluster).await?;
        let arrived = self.clock.now();
        let watch = self.watch(Some(&listing.resource_version)).await?;
        Ok(Opened {
            listing: Some((listing, arrived)),
            watch,
        })
    }

    /// Watches from a version on, or from the present.
    pub(super) async fn watch(self, version: Option<&str>) -> Result<Watch<'a>, Failure> {
        let mut uri = format!(
            "{}?watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}",
            collection_path(self.arguments.namespace(self.cluster))
        );
        if let Some(version) = version {
            uri.push_str(&format!("&resourceVersion={version}"));
        }
        // A role may allow to watch one lease alone.
        if let [key] = self.keys {
            uri.push_str(&format!("&fieldSelector=metadata.name%3D{key}"));
        }
        if let Some(selector) = &self.arguments.selector {
            uri.push_str(&format!("&labelSelector={}", encode(selector)));
        }
        match names(&self.cluster.client, uri).await {
            Ok(changes) => Ok(Watch::Open(changes.boxed_local())),
            Err(WatchError::Forbidden(message)) => Ok(Watch::Forbidden(message)),
            Err(WatchError::Unauthorised(message)) => Err(Failure::unauthorised(message)),
            Err(WatchError::Failed(message)) => Err(Failure::unreachable(&message)),
        }
    }
}
