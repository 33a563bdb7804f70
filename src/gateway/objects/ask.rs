//! Questions to the API server, asked until they are answered or time is up. Only for reads.

use std::time::Duration;

use gwlock_engine::client::api_error::describe;
use tokio::time::{Instant, sleep, timeout};

use super::{BUDGET, LookupError};

/// How long one try may take.
const TRY: Duration = Duration::from_secs(2);

/// How long to wait after the first failure; twice as long after each further one.
const FIRST_WAIT: Duration = Duration::from_millis(100);

const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Sends a read until there is a clear answer. A review is one as well: nothing is stored.
pub(crate) async fn ask<T, F>(read: impl Fn() -> F) -> Result<T, LookupError>
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

/// Puts an end to questions that are not answered in time. Whoever waits for somebody else's question needs one as
/// well: a failed question is asked anew by the next one in the line.
///
/// # Errors
/// [`LookupError::Unavailable`] after five seconds, and the future's own.
pub(in crate::gateway) async fn in_time<T, E: From<LookupError>>(
    questions: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    timeout(BUDGET, questions).await.unwrap_or_else(|_| {
        let message = format!("no answer within {BUDGET:?}");
        Err(LookupError::Unavailable { message }.into())
    })
}

/// Whether another try can help. A 404 that no API server wrote comes from something before it, or for a kind that
/// has just gone.
fn is_transient(code: u16) -> bool {
    matches!(code, 404 | 408 | 429 | 500..)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use kube::core::Status;
    use kube::core::response::StatusDetails;

    use super::*;

    /// What becomes of a question that is always answered like this, and how often it is asked.
    async fn answered(code: u16, retry_after_seconds: u32) -> (Result<(), LookupError>, u32) {
        let tries = Cell::new(0);
        let outcome = ask(|| {
            tries.set(tries.get() + 1);
            let details = StatusDetails {
                name: String::new(),
                group: String::new(),
                kind: String::new(),
                uid: String::new(),
                causes: Vec::new(),
                retry_after_seconds,
            };
            let status = Status {
                code,
                message: "m".to_owned(),
                details: Some(details),
                ..Status::default()
            };
            async { Err(kube::Error::Api(Box::new(status))) }
        });
        (outcome.await, tries.get())
    }

    #[tokio::test(start_paused = true)]
    async fn what_another_try_can_help_is_tried_again() {
        let message = "m".to_owned();
        for code in [404, 408, 429, 500, 502, 503, 504] {
            let message = message.clone();
            let unavailable = Err(LookupError::Unavailable { message });
            assert_eq!(answered(code, 0).await, (unavailable, 8), "{code}");
        }
        for code in [400, 401, 403, 405, 409, 410, 422] {
            let message = message.clone();
            let refused = Err(LookupError::Refused { code, message });
            assert_eq!(answered(code, 0).await, (refused, 1), "{code}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_when_to_come_back_is_asked_then() {
        let began = Instant::now();
        assert_eq!(answered(503, 2).await.1, 3);
        assert_eq!(began.elapsed(), Duration::from_secs(4));
        // After the time that there is for it, it need not be asked.
        assert_eq!(answered(503, 5).await.1, 1);
        assert_eq!(began.elapsed(), Duration::from_secs(4));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_is_given_up() {
        let began = Instant::now();
        let outcome: Result<(), _> = ask(std::future::pending).await;
        let message = "no answer within 2s".to_owned();
        assert_eq!(outcome, Err(LookupError::Unavailable { message }));
        assert!(began.elapsed() < Duration::from_secs(7));
        let outcome: Result<(), LookupError> = in_time(std::future::pending()).await;
        let message = "no answer within 5s".to_owned();
        assert_eq!(outcome, Err(LookupError::Unavailable { message }));
    }
}
