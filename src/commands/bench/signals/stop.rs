//! Ctrl-C, which may come at any moment of a run and is not forgotten.

use tokio::sync::watch;

use crate::context::interrupted;

#[derive(Debug, Clone)]
pub(super) struct Stop(watch::Receiver<Option<u8>>);

impl Stop {
    /// Listens from now on.
    pub(super) fn listen() -> Self {
        let (sender, receiver) = watch::channel(None);
        tokio::spawn(async move {
            let number = interrupted().await;
            sender.send_replace(Some(number));
            // Whoever looks later still sees it.
            sender.closed().await;
        });
        Self(receiver)
    }

    /// The number of the POSIX signal, as soon as one has come.
    pub(super) async fn wanted(&self) -> u8 {
        let mut receiver = self.0.clone();
        let wanted = receiver.wait_for(Option::is_some).await;
        match wanted.ok().and_then(|number| *number) {
            Some(number) => number,
            // Nobody listens any more, which is the end of the process.
            None => std::future::pending().await,
        }
    }
}
