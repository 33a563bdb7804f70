//! A request on its way, what becomes of it, and its answer.

use std::time::Duration;

use gwlock_engine::protocol::clock::Moment;
use gwlock_engine::protocol::exchange::NotExecuted;
use gwlock_engine::remediation::exchange::{Answer, Reply, Request};
use rand::RngExt;

use super::super::chaos::Weakness;
use super::super::process::GRACE;
use super::{Happening, Truth, World, fingerprint};

/// A request that the server will execute.
#[derive(Debug)]
pub(super) struct Flight {
    process: usize,
    request: Request,
    /// When the answer arrives, if one does.
    answered: Option<Truth>,
    /// A 500 answers, although it was executed.
    disguised: bool,
}

impl World {
    /// Sends a request, and decides what becomes of it.
    pub(super) fn send(&mut self, id: usize, mut request: Request, timeout: Duration) {
        self.made += 1;
        let flight = self.made;
        if let (Weakness::NamesOfChance, Request::Create { name, .. }) =
            (self.weakness, &mut request)
        {
            *name = format!("rr-91fce8d5c494-{flight:08x}");
        }
        let process = &mut self.processes[id];
        process.awaiting = Some(flight);
        if let Request::Count(count) = &request {
            if process.batch.is_empty() {
                let added = usize::try_from(count.added()).expect("a count");
                process.batch = process.waiting.drain(..added).collect();
            } else {
                self.judge.counts.repeated += 1;
            }
        }
        self.note(|| format!("process {id} sends #{flight} {}", short(&request)));
        let leaves = if self.hits(self.chaos.stalled) {
            let stall = self.millis(1000, 60_000);
            self.stand_still(id, stall);
            self.now + stall
        } else {
            self.now
        };
        let unclear = |why: &str| Answer::Unclear(why.to_owned());
        self.reply_at(leaves + timeout, id, flight, unclear("no answer in time"));
        let soon = leaves + self.millis(1, 5);
        if self.hits(self.chaos.too_many) {
            let seconds = self.rng.random_range(0..=3);
            let why = NotExecuted {
                message: "429".to_owned(),
                retry_after: (seconds > 0).then(|| Duration::from_secs(seconds)),
            };
            return self.reply_at(soon, id, flight, Answer::NotExecuted(why));
        }
        if self.hits(self.chaos.lost) {
            if self.rng.random_bool(0.5) {
                self.reply_at(soon, id, flight, unclear("connection lost"));
            }
            return;
        }
        let fails = self.hits(self.chaos.failing);
        let disguised = fails && self.rng.random_bool(0.5);
        if fails && !disguised {
            return self.reply_at(soon, id, flight, unclear("500"));
        }
        let executed = if self.hits(self.chaos.slow) {
            leaves + (timeout + GRACE).mul_f64(0.95 * self.rng.random::<f64>())
        } else {
            soon
        };
        let answered = if self.hits(self.chaos.unanswered) {
            if self.rng.random_bool(0.5) {
                let at = executed + self.millis(1, 50);
                self.reply_at(at, id, flight, unclear("connection lost"));
            }
            None
        } else if self.hits(self.chaos.slow) {
            Some(executed + self.millis(1, 6000))
        } else {
            Some(executed + self.millis(1, 5))
        };
        self.flights.insert(
            flight,
            Flight {
                process: id,
                request,
                answered,
                disguised,
            },
        );
        self.at(executed, Happening::Execute(flight));
    }

    pub(super) fn execute(&mut self, number: u64) {
        let flight = self.flights.remove(&number).expect("it was sent");
        let now = self.server_clock();
        // Caches are a little behind as a rule, and now and then very much.
        let age = self.rng.random::<f64>().powi(3);
        let forced = (self.weakness == Weakness::CountsTestNothing)
            .then(|| self.server.force(&flight.request))
            .flatten();
        let answer = forced.unwrap_or_else(|| {
            self.server
                .execute(&flight.request, &fingerprint(), now, age)
        });
        self.note(|| format!("  #{number} executed: {}", short_answer(&answer)));
        match &answer {
            Answer::AlreadyExists => self.judge.counts.taken += 1,
            Answer::Changed(_) => self.judge.counts.changed += 1,
            _ => {}
        }
        let Some(at) = flight.answered else { return };
        let answer = if flight.disguised {
            Answer::Unclear("500".to_owned())
        } else {
            answer
        };
        self.reply_at(at, flight.process, number, answer);
    }

    fn reply_at(&mut self, at: Truth, process: usize, flight: u64, answer: Answer) {
        let date = match answer {
            Answer::Unclear(_) => None,
            // The answer's Date is that of its sending, which is when it was executed, or a little later.
            _ => Some(self.server_clock()),
        };
        let reply = Reply {
            arrived: Moment::default(),
            date,
            answer,
        };
        self.at(
            at,
            Happening::Answer {
                process,
                flight,
                reply,
            },
        );
    }

    /// Takes the first answer to the request that the process waits for.
    pub(super) fn answer(&mut self, id: usize, flight: u64, mut reply: Reply) {
        let process = &mut self.processes[id];
        if process.awaiting != Some(flight) {
            return;
        }
        process.awaiting = None;
        reply.arrived = Moment::from_origin(self.now);
        if let Answer::Request(request) = &reply.answer {
            let version = |text: &String| text.parse::<u64>().expect("a version");
            let newer = process
                .seen
                .take()
                .into_iter()
                .chain([request.resource_version.clone()]);
            process.seen = newer.max_by_key(version);
        }
        let is_count = !process.batch.is_empty();
        if self.weakness == Weakness::UnclearCountsAreDecidedAgain
            && is_count
            && let Answer::Unclear(message) = &reply.answer
        {
            reply.answer = Answer::Changed(message.clone());
        }
        let machine = process.machine.as_mut().expect("a run");
        machine.reply(reply);
        self.step(id);
    }
}

fn short(request: &Request) -> String {
    match request {
        Request::List {
            not_older_than: None,
        } => "LIST".to_owned(),
        Request::List {
            not_older_than: Some(version),
        } => format!("LIST from {version} on"),
        Request::Get { name } => format!("GET {name}"),
        Request::Create { name, .. } => format!("POST {name}"),
        Request::Count(count) => {
            let (name, before, after) = (&count.request().name, count.before(), count.after());
            format!("PATCH {name} {before} -> {after}")
        }
    }
}

fn short_answer(answer: &Answer) -> String {
    match answer {
        Answer::Listed(requests) => {
            let each = requests.iter().map(|request| {
                let (name, phase, count) = (&request.name, request.phase(), request.count());
                format!("{name} {phase:?} {count}")
            });
            format!("{:?}", each.collect::<Vec<_>>())
        }
        Answer::Request(request) => {
            format!("{} {:?} {}", request.name, request.phase(), request.count())
        }
        other => format!("{other:?}"),
    }
}
