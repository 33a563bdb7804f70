//! A lock on one Kubernetes Lease, done right.
//!
//! The protocol in one page. A lease is *free* (absent, or without a holder), *held* (named holder, duration not
//! over) or *expired* (the duration has passed by the server's clock). Who may write when:
//!
//! | State of the lease | Who | Write |
//! |---|---|---|
//! | absent | any candidate | POST; the server lets exactly one through |
//! | no holder, or expired | any candidate | PUT with uid and resourceVersion of what it read |
//! | held | its holder only, by nonce and uid | PUT to renew, DELETE to release, both with uid and resourceVersion |
//! | being deleted | nobody | wait |
//!
//! The holder counts its validity from the moment it *sent* the write that stands in the record, stops at the
//! renew deadline, and so stops before anybody else can see the lease as expired. A candidate never trusts a
//! wall clock: it compares the server's `Date` with the server's own stamp of the last write to the spec.
//!
//! [`protocol`] is pure: time goes in, requests and deadlines come out. With the feature `client` (on by default)
//! `client` drives it over kube: `LeaseLock` gives a guard that renews itself. With the feature `remediation` (off by
//! default) the same lock serialises Kubernaut's signals, so that a storm of one alert makes one RemediationRequest.
//!
//! What is not here: fairness (a Lease has no queue), a guarantee for side effects that do not check the
//! [fencing token](protocol::fence::FencingToken), and protection from somebody who forges `managedFields`.

pub mod protocol;

#[cfg(feature = "client")]
pub mod client;

#[cfg(feature = "remediation")]
pub mod remediation;
