//! The contract: every case runs against the embedded server and against a real control plane, and both have to answer
//! the same. What is expected was measured on kube-apiserver 1.36.3.
//!
//! A case is an async function that gets a [`server::Server`] with an empty namespace of its own.

#![expect(
    clippy::needless_pass_by_value,
    reason = "cases write JSON where it is used"
)]

mod contract {
    mod access;
    mod bodies;
    mod creating;
    mod custom;
    mod custom_status;
    mod deleting;
    mod discovery;
    mod expect;
    mod finalizers;
    mod formats;
    mod history;
    mod impersonation;
    mod lists;
    mod namespaces;
    mod patches;
    mod reading;
    mod reviews;
    mod server;
    mod stalls;
    mod stamps;
    mod strategic;
    mod timeouts;
    mod updating;
    mod watch_formats;
    mod watches;
}

/// Two tests for each case, one for each server.
#[macro_export]
macro_rules! contract {
    ($($case:ident),* $(,)?) => {
        mod embedded {
            $(#[tokio::test]
            async fn $case() {
                super::$case(&$crate::contract::server::Server::embedded().await).await;
            })*
        }
        mod real {
            $(#[tokio::test]
            async fn $case() {
                if let Some(server) = $crate::contract::server::Server::real().await {
                    super::$case(&server).await;
                }
            })*
        }
    };
}
