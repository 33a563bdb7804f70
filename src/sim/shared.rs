//! A value that tasks wait on. Whoever waits is woken in the order in which he came.
//!
//! tokio's `watch` wakes its receivers in an order of chance, and a seed has to be one history.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Clones are the same value.
#[derive(Debug, Default)]
pub(super) struct Shared<T>(Arc<Inner<T>>);

#[derive(Debug, Default)]
struct Inner<T> {
    value: Mutex<T>,
    changed: Notify,
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Shared<T> {
    /// The value now. It must not be kept over an await.
    pub(super) fn now(&self) -> MutexGuard<'_, T> {
        self.0.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.now());
        self.0.changed.notify_waiters();
    }

    /// Waits until this holds.
    pub(super) async fn until(&self, mut holds: impl FnMut(&T) -> bool) {
        loop {
            let changed = self.0.changed.notified();
            if holds(&self.now()) {
                return;
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_are_woken_in_the_order_in_which_they_came() {
        let gate: Shared<bool> = Shared::default();
        let order: Shared<Vec<u32>> = Shared::default();
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..40 {
            let (gate, order) = (gate.clone(), order.clone());
            tasks.spawn(async move {
                gate.until(|open| *open).await;
                order.change(|order| order.push(number));
            });
        }
        tokio::task::yield_now().await;
        gate.change(|open| *open = true);
        tasks.join_all().await;
        assert_eq!(*order.now(), (0..40).collect::<Vec<u32>>());
    }
}
