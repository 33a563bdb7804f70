//! Bodies of answers: whole, or a watch that may be held up, cut or silenced.

use bytes::Bytes;
use gwlock_apiserver::ConnectionLost;
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::sync::watch;

use super::{Gate, Weather};

pub(super) type AnswerBody = UnsyncBoxBody<Bytes, ConnectionLost>;

pub(super) fn whole(bytes: Bytes) -> AnswerBody {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

struct Watched {
    body: gwlock_apiserver::Body,
    gate: watch::Receiver<Gate>,
    weather: watch::Receiver<Weather>,
    cuts: u32,
    restarts: u32,
}

/// A watch of this process.
pub(super) fn watched(
    body: gwlock_apiserver::Body,
    gate: watch::Receiver<Gate>,
    weather: watch::Receiver<Weather>,
) -> AnswerBody {
    let cuts = gate.borrow().cuts;
    let restarts = weather.borrow().restarts;
    let watched = Watched {
        body,
        cuts,
        restarts,
        gate,
        weather,
    };
    let frames = futures_util::stream::unfold(Some(watched), |watched| async {
        let mut watched = watched?;
        match watched.next().await {
            Ok(frame) => frame.map(|frame| (Ok(frame), Some(watched))),
            Err(lost) => Some((Err(lost), None)),
        }
    });
    StreamBody::new(frames).boxed_unsync()
}

impl Watched {
    async fn next(&mut self) -> Result<Option<Frame<Bytes>>, ConnectionLost> {
        let (cuts, restarts) = (self.cuts, self.restarts);
        let mut gate = self.gate.clone();
        let cut = async {
            let is_cut = gate.wait_for(|gate| gate.cuts != cuts && gate.paused == 0).await;
            drop(is_cut);
        };
        let restarted = async {
            drop(self.weather.wait_for(|weather| weather.restarts != restarts).await);
        };
        let frame = async {
            let frame = self.body.frame().await.transpose();
            let open = |gate: &Gate| gate.paused == 0 && gate.cut_off == 0 && gate.stalled == 0;
            drop(self.gate.wait_for(open).await);
            frame
        };
        tokio::select! {
            biased;
            () = cut => Err(ConnectionLost),
            () = restarted => Err(ConnectionLost),
            frame = frame => frame,
        }
    }
}
