//! One question to the API server, asked until it is answered or time is up. Only for reads.

use std::time::Duration;

use gwlock_engine::client::api_error::describe;
use tokio::time::{Instant, sleep, timeout};

use super::{BUDGET, LookupError};

/// How long one try may take.
const TRY: Duration = Duration::from_secs(2);

/// How long to wait after the first failure; twice as long after each further one.
const FIRST_WAIT: Duration = Duration::from_millis(100);

const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Sends a read until there is a clear answer.
pub(super) async fn ask<T, F>(read: impl Fn() -> F) -> Result<T, LookupError>
where
    F: Future<Output = Result<T, kube::Error>>,
{
    let end = Instant::now() + BUDGET;
    let mut wait = FIRST_WAIT;
    loop {
        let (message, at_least) = match timeout(TRY, read()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(kube::Error::Api(status))) => {
                let message = status.message.clone();
                if !is_transient(status.code) {
                    let code = status.code;
                    return Err(LookupError::Refused { code, message });
                }
                let details = status.details.as_ref();
                let seconds = details.map_or(0, |details| details.retry_after_seconds);
                (message, Duration::from_secs(seconds.into()))
            }
            Ok(Err(error)) => (describe(&error), Duration::ZERO),
            Err(_) => (format!("no answer within {TRY:?}"), Duration::ZERO),
        };
        let pause = wait.max(at_least);
        if Instant::now() + pause >= end {
            return Err(LookupError::Unavailable { message });
        }
        tracing::debug!(message, ?pause, "asking again");
        sleep(pause).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Whether another try can help. A 404 that no API server wrote comes from something before it, or for a kind that
/// has just gone.
fn is_transient(code: u16) -> bool {
    matches!(code, 404 | 408 | 429 | 500..)
}
