//! The contract: every case runs against the embedded server and against a real control plane, and both have to answer
//! the same. The expectations were measured on kube-apiserver 1.36.3.

#![expect(
    clippy::needless_pass_by_value,
    reason = "tests write JSON where it is used"
)]

#[path = "contract/access.rs"]
mod access;
#[path = "contract/custom.rs"]
mod custom;
#[path = "contract/leases.rs"]
mod leases;
#[path = "contract/reads.rs"]
mod reads;
#[path = "contract/server.rs"]
mod server;
#[path = "contract/stamps.rs"]
mod stamps;

/// Two tests for each case, one for each server.
#[macro_export]
macro_rules! contract {
    ($($case:ident),* $(,)?) => {
        mod embedded {
            $(#[tokio::test]
            async fn $case() {
                super::$case(&$crate::server::Server::embedded().await).await;
            })*
        }
        mod real {
            $(#[tokio::test]
            async fn $case() {
                if let Some(server) = $crate::server::Server::real().await {
                    super::$case(&server).await;
                }
            })*
        }
    };
}
