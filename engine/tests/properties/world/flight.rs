//! A request on its way, what becomes of it, and its answer.

use std::time::Duration;

use gwlock_engine::protocol::acquire::Wake;
use gwlock_engine::protocol::clock::Moment;
use gwlock_engine::protocol::exchange::{Answer, NotExecuted, Reply, Request};
use jiff::SignedDuration;
use rand::RngExt;

use super::super::process::{Event, Role, Truth};
use super::super::server::{Call, Change};
use super::{GRACE, Happening, World};

/// A request that the server will execute.
#[derive(Debug)]
pub(super) struct Flight {
    process: usize,
    /// The acquisition that it belongs to.
    holder: String,
    call: Call,
    server: usize,
    /// When it leaves the process, which may have stood still before.
    leaves: Truth,
    /// When the server starts to handle it: the moment of its stamp.
    started: Truth,
    /// When the answer arrives, if one does.
    answered: Option<Truth>,
}

impl World {
    /// Sends a request, and decides what becomes of it.
    pub(super) fn send(&mut self, id: usize, call: Call, timeout: Duration) {
        self.made += 1;
        let flight = self.made;
        self.judge.counts.requests += 1;
        self.processes[id].awaiting = Some(flight);
        self.say(id, || {
            format!("sends #{flight} {}", short_request(&call.request))
        });
        let leaves = self.stall(id);
        let given_up = leaves + self.processes[id].length(timeout);
        self.at(given_up, Happening::Process(id, Event::Deadline { flight }));
        let is_post = matches!(call.request, Request::Create(_));
        if is_post && self.hits(self.chaos.failing) {
            return self.answer_early(id, flight, leaves, Answer::Unclear("500".to_owned()));
        }
        if self.hits(self.chaos.too_many) {
            let retry_after = self
                .rng
                .random_bool(0.5)
                .then(|| Duration::from_secs(self.rng.random_range(1..=3)));
            let why = NotExecuted {
                message: "429".to_owned(),
                retry_after,
            };
            return self.answer_early(id, flight, leaves, Answer::NotExecuted(why));
        }
        if self.hits(self.chaos.lost) {
            if self.rng.random_bool(0.3) {
                self.answer_early(
                    id,
                    flight,
                    leaves,
                    Answer::Unclear("connection lost".to_owned()),
                );
            }
            return;
        }
        let executed = if self.hits(self.chaos.slow) {
            let most = self.processes[id].request_timeout() + GRACE;
            leaves + most.mul_f64(0.95 * self.rng.random::<f64>())
        } else {
            leaves + self.millis(1, 5)
        };
        let started = leaves + (executed - leaves).mul_f64(self.rng.random::<f64>());
        let answered = if self.hits(self.chaos.unanswered) {
            if self.rng.random_bool(0.3) {
                let at = executed + self.millis(1, 50);
                self.reply_at(
                    at,
                    id,
                    flight,
                    Answer::Unclear("connection lost".to_owned()),
                );
            }
            None
        } else if self.hits(self.chaos.slow) {
            Some(executed + self.millis(1, 6000))
        } else {
            Some(executed + self.millis(1, 5))
        };
        let server = self.rng.random_range(0..2);
        let holder = self.processes[id].holder.clone();
        self.flights.insert(
            flight,
            Flight {
                process: id,
                holder,
                call,
                server,
                leaves,
                started,
                answered,
            },
        );
        self.at(executed, Happening::Execute(flight));
    }

    /// The process can stand still between deciding to send and sending.
    fn stall(&mut self, id: usize) -> Truth {
        if !self.hits(self.chaos.stalled) || self.processes[id].is_gateway {
            return self.now;
        }
        let stall = self.millis(7000, 40_000);
        self.pause(id, stall);
        self.now + stall
    }

    pub(super) fn execute(&mut self, number: u64) {
        let Some(flight) = self.flights.remove(&number) else {
            return;
        };
        let Flight {
            process: id,
            holder,
            call,
            server,
            leaves,
            started,
            answered,
        } = flight;
        if self.dead_since.is_some_and(|dead| leaves > dead) && self.processes[id].base != "heir" {
            return;
        }
        let before = self.server.record();
        let answer = self
            .server
            .execute(&call, self.server_clock(server, started));
        self.note(|| format!("  #{number} executed: {}", short(&answer)));
        if answer == Answer::Deleted
            && self.processes[id].is_gateway
            && let Some(robbed) = before.as_ref().and_then(|record| record.holder())
            && robbed != &*holder
        {
            self.judge.robbed(robbed);
        }
        if let (Request::Create(_) | Request::Replace { .. }, Answer::Lease(record)) =
            (&call.request, &answer)
            && record.claim.holder.as_deref() == Some(&*holder)
        {
            let created_by_put =
                before.is_none() && matches!(call.request, Request::Replace { .. });
            self.judge.wrote(&holder, created_by_put);
        }
        self.tell_watchers();
        let Some(at) = answered else { return };
        let mut date = self.server_clock(server, self.now);
        if self.hits(self.chaos.lying) && matches!(call.request, Request::Get) {
            date += SignedDuration::from_mins(self.rng.random_range(1..=60));
        }
        let own = self.server.holder() == Some(&*holder);
        let mut reply = Reply {
            arrived: Moment::default(),
            date: Some(date),
            answer,
        };
        if !self.processes[id].is_gateway {
            self.weakness
                .reply(&call, own, self.server.newest_entry(), &mut reply);
        }
        self.at(
            at,
            Happening::Process(
                id,
                Event::Answer {
                    flight: number,
                    reply,
                },
            ),
        );
    }

    fn answer_early(&mut self, id: usize, flight: u64, leaves: Truth, answer: Answer) {
        let at = leaves + self.millis(1, 50);
        self.reply_at(at, id, flight, answer);
    }

    fn reply_at(&mut self, at: Truth, id: usize, flight: u64, answer: Answer) {
        let date = matches!(answer, Answer::NotExecuted(_)).then(|| self.server_clock(0, at));
        let reply = Reply {
            arrived: Moment::default(),
            date,
            answer,
        };
        self.at(at, Happening::Process(id, Event::Answer { flight, reply }));
    }

    /// Waiters hear of the newest change, soon, late or never.
    pub(super) fn tell_watchers(&mut self) {
        for id in 0..self.processes.len() {
            self.tell_watcher(id);
        }
    }

    /// Tells one waiter what has happened since the version that it watches from.
    pub(super) fn tell_watcher(&mut self, id: usize) {
        let process = &self.processes[id];
        let Some(from) = process.watching_from.clone() else {
            return;
        };
        if !matches!(process.role, Role::Acquiring(_)) {
            return;
        }
        let Some(change) = self.server.news_since(&from) else {
            return;
        };
        self.processes[id].watching_from = None;
        if self.hits(self.chaos.watch_lost) {
            return;
        }
        let wake = if change == Change::Deleted {
            Wake::Deleted
        } else {
            Wake::Freed
        };
        let most = if self.hits(self.chaos.watch_late) {
            20_000
        } else {
            3
        };
        let (at, run) = (self.now + self.millis(1, most), self.processes[id].run);
        self.at(at, Happening::Process(id, Event::Watch { run, wake }));
    }
}

pub(super) fn short(answer: &Answer) -> String {
    match answer {
        Answer::Lease(record) => format!(
            "lease {}/{} holder={} renew={:?} stamp={:?}",
            record.uid,
            record.resource_version,
            record.holder().unwrap_or("none"),
            record.claim.renew_time,
            record.stamp
        ),
        other => format!("{other:?}"),
    }
}

fn short_request(request: &Request) -> String {
    match request {
        Request::Create(claim) => format!("POST renew={:?}", claim.renew_time),
        Request::Get => "GET".to_owned(),
        Request::Replace { version, claim } => {
            format!(
                "PUT {}/{} holder={:?} renew={:?}",
                version.uid, version.resource_version, claim.holder, claim.renew_time
            )
        }
        Request::Delete(version) => format!("DELETE {}/{}", version.uid, version.resource_version),
    }
}
