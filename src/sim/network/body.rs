//! Bodies of answers: whole, or a watch that may be held up, cut or silenced.

use bytes::Bytes;
use gwlock_apiserver::ConnectionLost;
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};

use super::{Gate, Weather};
use crate::sim::shared::Shared;

pub(crate) type AnswerBody = UnsyncBoxBody<Bytes, ConnectionLost>;

pub(crate) fn whole(bytes: Bytes) -> AnswerBody {
    Full::new(bytes)
        .map_err(|never| match never {})
        .boxed_unsync()
}

struct Watched {
    body: AnswerBody,
    gate: Shared<Gate>,
    weather: Shared<Weather>,
    cuts: u32,
    restarts: u32,
}

/// A watch of this process.
pub(super) fn watched(
    body: AnswerBody,
    gate: Shared<Gate>,
    weather: Shared<Weather>,
) -> AnswerBody {
    let cuts = gate.now().cuts;
    let restarts = weather.now().restarts;
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
        let cut = self
            .gate
            .until(|gate| gate.cuts != cuts && gate.paused == 0);
        let restarted = self.weather.until(|weather| weather.restarts != restarts);
        let frame = async {
            let frame = self.body.frame().await.transpose();
            let open = |gate: &Gate| gate.paused == 0 && gate.cut_off == 0 && gate.stalled == 0;
            self.gate.until(open).await;
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
