//! Both protocols as models, and every state of them.
//!
//! The random histories run the machines themselves and see a sample of what can happen. A model is smaller than the
//! machines, and nothing of it is left out: three processes that stop and go on at any moment, crash, and whose requests
//! and answers are lost or late, for as long as it takes until nothing new can happen. `lock` has the Lease, `dedup` the
//! RemediationRequests. Each safety measure is taken out in turn, and then the search has to find what it is for.

mod dedup;
mod lock;
mod search;
