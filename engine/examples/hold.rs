//! Holds a Lease and works while it is held: the whole use of the crate.
//!
//! ```text
//! hold NAMESPACE LEASE IDENTITY SECONDS
//! ```
//!
//! Talks to the cluster of the kubeconfig. Prints `held TOKEN`, then `work` ten times a second, until its input ends
//! (then it releases and prints how) or the lease is lost (then it prints why).

#![expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "an example talks to its terminal, and takes the cluster as it finds it"
)]

use std::time::Duration;

use gwlock_engine::client::{LeaseLock, transport};
use gwlock_engine::protocol::key::LeaseName;
use gwlock_engine::protocol::timing::Timing;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [namespace, lease, identity, seconds] = arguments.as_slice() else {
        return Err("usage: hold NAMESPACE LEASE IDENTITY SECONDS".into());
    };
    let client = transport::connect(kube::Config::infer().await?)?;
    let lock = LeaseLock::builder(client, namespace, LeaseName::new(lease)?, identity)
        .timing(Timing::with_duration(Duration::from_secs(
            seconds.parse()?,
        ))?)
        .build();
    let guard = lock.acquire(Duration::from_secs(60)).await?;
    println!("held {}", guard.fencing_token());
    let work = async {
        let mut steps = tokio::time::interval(Duration::from_millis(100));
        loop {
            steps.tick().await;
            // A step that must not happen twice looks first, and takes the token along.
            if guard.is_held() {
                println!("work");
            }
        }
    };
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).ok();
        ended.send(()).ok();
    });
    tokio::select! {
        biased;
        loss = guard.lost() => {
            println!("lost {loss}");
            return Ok(());
        }
        _ = end => {}
        () = work => {}
    }
    println!("released {:?}", guard.release().await);
    Ok(())
}
