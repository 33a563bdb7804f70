//! The ingestion side of a gateway, on the embedded API server and on whatever bytes somebody sends.

mod bytes;
mod cluster;
mod owners;
mod requests;
mod signals;
mod targets;
