//! The kinds that a cluster serves by now: a replica runs for months, and definitions come meanwhile.
//!
//! They are asked for now and then, and when an alert names no kind that is known, which is rarely a new one: then only
//! once in a while. Who asks more often waits for the answer that is under way.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use gwlock_engine::client::api_error::{Refused, describe};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::{Kinds, discovery};

/// How often kinds are asked for.
pub const REFRESH_EVERY: Duration = Duration::from_secs(300);
/// How long after an answer, or a failure, an alert without a target does not ask for them again.
pub const MISS_EVERY: Duration = Duration::from_secs(30);
/// How long the API server may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why it is not known which kinds there are by now. Those that were known stay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the API server does not say which kinds it serves: {message}")]
pub struct RefreshError {
    message: String,
    /// It was asked now; otherwise a moment ago, with this outcome.
    pub is_new: bool,
}

/// The kinds of a cluster, which can change.
pub struct ServedKinds {
    client: kube::Client,
    current: RwLock<Arc<Kinds>>,
    /// When they were last asked for, and why there was no answer.
    asked: Mutex<(Instant, Option<RefreshError>)>,
}

impl RefreshError {
    fn new(message: String) -> Self {
        let is_new = true;
        Self { message, is_new }
    }
}

impl ServedKinds {
    /// Begins with kinds that were asked for just now.
    #[must_use]
    pub fn new(client: kube::Client, kinds: Arc<Kinds>) -> Self {
        Self {
            client,
            current: RwLock::new(kinds),
            asked: Mutex::new((Instant::now(), None)),
        }
    }

    /// Those that are known.
    #[must_use]
    pub fn current(&self) -> Arc<Kinds> {
        let current = self.current.read();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks for them.
    ///
    /// # Errors
    /// [`RefreshError`].
    pub async fn refresh(&self) -> Result<(), RefreshError> {
        let mut asked = self.asked.lock().await;
        let outcome = self.ask().await;
        *asked = (Instant::now(), outcome.clone().err());
        outcome
    }

    /// Asks for them because something is not among them, unless that was done a moment ago. Says whether others than
    /// `known` are known now.
    ///
    /// # Errors
    /// [`RefreshError`].
    pub async fn refresh_for(&self, known: &Arc<Kinds>) -> Result<bool, RefreshError> {
        let mut asked = self.asked.lock().await;
        let (at, failed) = &*asked;
        if at.elapsed() >= MISS_EVERY {
            let outcome = self.ask().await;
            *asked = (Instant::now(), outcome.clone().err());
            outcome?;
        } else if let Some(error) = failed {
            return Err(RefreshError {
                is_new: false,
                ..error.clone()
            });
        }
        Ok(!Arc::ptr_eq(known, &self.current()))
    }

    /// Kinds that are the same stay the same, so that who holds them can tell.
    async fn ask(&self) -> Result<(), RefreshError> {
        let kinds = match timeout(PATIENCE, discovery::kinds(&self.client)).await {
            Ok(Ok(kinds)) => kinds,
            Ok(Err(error)) => {
                return Err(RefreshError::new(Refused(&describe(&error)).to_string()));
            }
            Err(_) => return Err(RefreshError::new(format!("no answer within {PATIENCE:?}"))),
        };
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if **current != kinds {
            *current = Arc::new(kinds);
        }
        Ok(())
    }
}
