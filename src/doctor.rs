//! What is right and what is wrong with the locks of a cluster: a judgement for each thing that was read.
//!
//! Pure: what an API server answered goes in, and checks with their fixes come out. Nothing here asks a server, reads a
//! clock or knows how a check is printed. Expiry is the engine's alone, and what is wrong with RemediationRequests is
//! `gateway::dedup`'s.

pub(crate) mod check;
pub(crate) mod clock;
pub(crate) mod creators;
pub(crate) mod definition;
pub(crate) mod gateways;
pub(crate) mod leases;
pub(crate) mod redact;
pub(crate) mod requests;
pub(crate) mod rights;
pub(crate) mod server;
