//! What befalls a network: how a fault begins and ends, for one process or for everybody.

use std::sync::Arc;

use super::{Gate, Link, Servers, Weather};
use crate::sim::history::What;
use crate::sim::scenario::Kind;

impl Servers {
    /// Something goes wrong for everybody, if it is something of that kind.
    pub(in crate::sim) fn begin(&self, kind: Kind) {
        let (told, change): (&str, fn(&mut Weather)) = match kind {
            Kind::Restart | Kind::RestartWithoutCache => ("the API server restarts", |weather| {
                weather.down += 1;
                weather.restarts += 1;
            }),
            Kind::DenyStatus => ("nobody may write the status of a request", |weather| {
                weather.no_status += 1;
            }),
            Kind::DenyLeases => ("nobody may use leases", |weather| weather.no_leases += 1),
            _ => return,
        };
        self.recorder.world(What::Fault {
            what: told.to_owned(),
        });
        self.weather.change(change);
        if kind == Kind::RestartWithoutCache {
            self.upstream.compact();
        }
    }

    /// It no longer does.
    pub(in crate::sim) fn finish(&self, kind: Kind) {
        let change: fn(&mut Weather) = match kind {
            Kind::Restart | Kind::RestartWithoutCache => |weather| weather.down -= 1,
            Kind::DenyStatus => |weather| weather.no_status -= 1,
            Kind::DenyLeases => |weather| weather.no_leases -= 1,
            _ => return,
        };
        self.weather.change(change);
    }

    /// Nothing goes wrong any more.
    pub(in crate::sim) fn calm(&self) {
        self.weather.change(|weather| {
            *weather = Weather {
                calm: true,
                restarts: weather.restarts,
                ..Weather::default()
            };
        });
    }
}

impl Link {
    /// Something befalls this process' network, or the process itself where it runs behind it.
    pub(in crate::sim) fn begin(&self, kind: Kind) {
        let stopped = |why: &str| {
            self.tell(What::Stopped {
                why: why.to_owned(),
            });
        };
        let gate = |change: fn(&mut Gate)| self.gate.change(change);
        match kind {
            Kind::Pause => {
                stopped("paused");
                gate(|gate| gate.paused += 1);
            }
            Kind::Partition => {
                stopped("cut off");
                gate(|gate| gate.cut_off += 1);
            }
            Kind::CutWatches => gate(|gate| gate.cuts += 1),
            Kind::StallWatches => gate(|gate| gate.stalled += 1),
            _ => {}
        }
    }

    /// Its process is no more. What it has sent may land all the same.
    pub(in crate::sim) fn die(&self) {
        self.tell(What::Crashed);
        self.gate.change(|gate| {
            *gate = Gate {
                dead: true,
                ..Gate::default()
            };
        });
    }

    /// Ends what befell it, if it still lasts: a process that was started meanwhile knows nothing of it.
    pub(in crate::sim) fn finish(&self, kind: Kind) {
        let (why, of): (&str, fn(&mut Gate) -> &mut u32) = match kind {
            Kind::Pause => ("paused", |gate| &mut gate.paused),
            Kind::Partition => ("cut off", |gate| &mut gate.cut_off),
            Kind::StallWatches => ("", |gate| &mut gate.stalled),
            _ => return,
        };
        if *of(&mut self.gate.now().clone()) == 0 {
            return;
        }
        if !why.is_empty() {
            self.tell(What::Resumed {
                why: why.to_owned(),
            });
        }
        self.gate.change(|gate| *of(gate) -= 1);
    }

    /// Ends everything that befell it.
    pub(in crate::sim) fn recover(self: &Arc<Self>) {
        for kind in [Kind::Pause, Kind::Partition, Kind::StallWatches] {
            let lasts = || {
                let gate = self.gate.now();
                match kind {
                    Kind::Pause => gate.paused,
                    Kind::Partition => gate.cut_off,
                    _ => gate.stalled,
                }
            };
            while lasts() > 0 {
                self.finish(kind);
            }
        }
    }
}
