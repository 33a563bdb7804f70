//! Reads samples off a history: what each process was answered, held, lost and waited for.
//!
//! Only what is told counts: a request whose process crashed soon after says nothing, and neither does one during which its
//! process stood still.

mod outages;
mod wanted;

use std::collections::BTreeMap;

use super::distribution::Distribution;
use super::measured::{Ending, Measured, Rate};
use crate::sim::history::{Event, History, What};
use outages::Found;
use wanted::Wanted;

/// How long the engine waits for an answer at most. Microseconds.
const GIVEN_UP: u64 = 5_000_000;

/// A process from its start to its end.
#[derive(Debug, Default)]
struct Process {
    from: u64,
    to: u64,
    /// When it stood still.
    paused: Vec<(u64, u64)>,
    /// When nothing reached it.
    cut_off: Vec<(u64, u64)>,
    open: BTreeMap<String, (u32, u64)>,
    requests: Vec<Sent>,
}

/// A request that is no watch.
#[derive(Debug, Clone, Copy)]
struct Sent {
    at: u64,
    /// When it was answered, or given up.
    to: u64,
    ending: Option<Ending>,
    lease: bool,
}

/// A hold that ended by itself.
struct Hold {
    process: usize,
    from: u64,
    to: u64,
    lost: bool,
}

struct OpenHold {
    key: String,
    process: usize,
    from: u64,
}

/// A lease that was without its holder, or given up by him, until the next one had it.
struct Gap {
    key: String,
    from: u64,
    to: u64,
    /// Whose hold ended, or who was next.
    process: usize,
}

#[derive(Default)]
struct Reading {
    processes: Vec<Process>,
    by_name: BTreeMap<(String, u32), usize>,
    calls: BTreeMap<u64, (usize, usize)>,
    /// Releases on their way, by their call.
    releasing: BTreeMap<u64, (usize, String)>,
    /// When the last write of a holder was sent.
    written: BTreeMap<(String, String), u64>,
    open: BTreeMap<String, OpenHold>,
    holds: Vec<Hold>,
    /// Leases whose holders crashed.
    orphans: BTreeMap<String, (usize, u64)>,
    released: BTreeMap<String, (usize, u64)>,
    recovered: Vec<Gap>,
    handed_over: Vec<Gap>,
    taken: u64,
    wanted: Wanted,
}

/// The samples of a history.
pub(crate) fn measure(history: &History) -> Measured {
    let mut reading = Reading::default();
    for event in &history.events {
        reading.take(event);
    }
    let end = history.events.last().map_or(0, |event| event.at);
    let begin = history.events.first().map_or(0, |event| event.at);
    let mut measured = reading.finish(end - begin, end);
    // A process that stands still cannot tell of it. Simulations do.
    if history.header.seed.is_none() && measured.pauses == Some(Distribution::default()) {
        measured.pauses = None;
    }
    measured
}

fn overlap(spans: &[(u64, u64)], from: u64, to: u64) -> bool {
    spans.iter().any(|span| span.0 < to && from < span.1)
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

impl Reading {
    fn process(&mut self, event: &Event) -> usize {
        let name = (event.pod.clone(), event.incarnation);
        let next = self.processes.len();
        let at = *self.by_name.entry(name).or_insert(next);
        if at == next {
            self.processes.push(Process {
                from: event.at,
                to: u64::MAX,
                ..Process::default()
            });
        }
        at
    }

    fn take(&mut self, event: &Event) {
        if event.pod.is_empty() {
            return;
        }
        let at = event.at;
        let process = self.process(event);
        match &event.what {
            What::Crashed => self.crashed(process, at),
            What::Stopped { why } => {
                let stops = &mut self.processes[process].open;
                stops.entry(why.clone()).or_insert((0, at)).0 += 1;
            }
            What::Resumed { why } => self.processes[process].resumed(why, at),
            What::Signal { signal, key } => self.wanted.begin(*signal, key, process, at),
            What::Answer { signal, .. } => self.wanted.end(*signal, at),
            What::Call {
                call,
                verb,
                resource,
                object,
                holder,
                ..
            } if verb != "watch" => {
                let lease = resource == "leases";
                if lease {
                    self.asked_of_lease((*call, process, at), verb, object, holder.as_deref());
                }
                let requests = &mut self.processes[process].requests;
                self.calls.insert(*call, (process, requests.len()));
                requests.push(Sent {
                    at,
                    to: at + GIVEN_UP,
                    ending: None,
                    lease,
                });
            }
            What::Reply { call, status, .. } => {
                self.releasing.remove(call);
                if let Some((process, request)) = self.calls.remove(call) {
                    let sent = &mut self.processes[process].requests[request];
                    sent.to = at;
                    sent.ending = Some(Ending::of(status.unwrap_or(0)));
                }
            }
            What::Held {
                key, term, holder, ..
            } => self.held(process, at, key, term, holder),
            What::Ended { term, why, .. } => {
                if let Some(open) = self.open.remove(term) {
                    self.holds.push(Hold {
                        process: open.process,
                        from: open.from,
                        to: at,
                        lost: why == "lost",
                    });
                }
            }
            _ => {}
        }
    }

    fn asked_of_lease(
        &mut self,
        (call, process, at): (u64, usize, u64),
        verb: &str,
        object: &str,
        holder: Option<&str>,
    ) {
        match (verb, holder) {
            ("create" | "update", Some(holder)) => {
                let written = (object.to_owned(), holder.to_owned());
                self.written.insert(written, at);
            }
            ("delete", _) => {
                self.releasing.insert(call, (process, object.to_owned()));
                self.released.insert(object.to_owned(), (process, at));
            }
            _ => {}
        }
    }

    fn crashed(&mut self, process: usize, at: u64) {
        self.processes[process].to = at;
        let released: Vec<String> = self
            .releasing
            .values()
            .filter(|(by, _)| *by == process)
            .map(|(_, object)| object.clone())
            .collect();
        let orphans = &mut self.orphans;
        self.open.retain(|_, open| {
            if open.process != process {
                return true;
            }
            if !released.contains(&open.key) {
                orphans.insert(open.key.clone(), (process, at));
            }
            false
        });
    }

    fn held(&mut self, process: usize, at: u64, key: &str, term: &str, holder: &str) {
        let released = self.released.remove(key);
        let gap = |from, process| Gap {
            key: key.to_owned(),
            from,
            to: at,
            process,
        };
        if let Some((crashed, since)) = self.orphans.remove(key) {
            self.taken += 1;
            self.recovered.push(gap(since, crashed));
        } else if let Some((by, since)) = released
            && by != process
        {
            self.handed_over.push(gap(since, process));
        }
        let written = self.written.get(&(key.to_owned(), holder.to_owned()));
        let open = OpenHold {
            key: key.to_owned(),
            process,
            from: written.copied().unwrap_or(at),
        };
        self.open.insert(term.to_owned(), open);
    }

    fn finish(mut self, lasted: u64, end: u64) -> Measured {
        for process in &mut self.processes {
            process.to = process.to.min(end);
            let open: Vec<String> = process.open.keys().cloned().collect();
            for why in open {
                process.open.insert(why.clone(), (1, process.open[&why].1));
                process.resumed(&why, process.to);
            }
            process.forget_what_says_nothing();
        }
        self.wanted.finish(&self.processes);
        let Found { outages, hindered } = outages::find(&self.processes);
        let mut measured = Measured {
            outages: Distribution::of(outages),
            watched: self.processes.iter().map(Process::watched).sum(),
            pauses: Some(Distribution::of(self.processes.iter().flat_map(
                |process| {
                    let paused = process.paused.iter();
                    paused.map(|(from, to)| seconds(to - from))
                },
            ))),
            takeovers: self.taken,
            rate: Rate {
                holds: self.holds.len() as u64,
                seconds: seconds(lasted),
                beside: 0.0,
            },
            ..Measured::default()
        };
        self.count_requests(&mut measured, &hindered);
        self.count_holds(&mut measured, &hindered);
        let recovered = self.recovered.iter();
        let recovered = recovered.filter(|gap| self.wanted.when_it_could_be_taken(gap));
        measured.recoveries = Distribution::of(recovered.map(|gap| seconds(gap.to - gap.from)));
        let handed_over = self.handed_over.iter();
        let handed_over = handed_over.filter(|gap| self.wanted.by_the_next(gap));
        measured.hand_overs = Distribution::of(handed_over.map(|gap| seconds(gap.to - gap.from)));
        measured
    }

    fn count_requests(&self, measured: &mut Measured, hindered: &[Vec<(u64, u64)>]) {
        let (mut lease_latencies, mut latencies) = (Vec::new(), Vec::new());
        for (process, outages) in self.processes.iter().zip(hindered) {
            for sent in &process.requests {
                let Some(ending) = sent.ending else { continue };
                if overlap(outages, sent.at, sent.to.max(sent.at + 1)) {
                    continue;
                }
                measured.all.add(ending, 1);
                if sent.lease {
                    measured.leases.add(ending, 1);
                }
                if ending == Ending::Answered {
                    let took = seconds(sent.to - sent.at);
                    latencies.push(took);
                    if sent.lease {
                        lease_latencies.push(took);
                    }
                }
            }
        }
        measured.all.latencies = Distribution::of(latencies);
        measured.leases.latencies = Distribution::of(lease_latencies);
    }

    fn count_holds(&self, measured: &mut Measured, hindered: &[Vec<(u64, u64)>]) {
        let mut holds = Vec::new();
        for hold in &self.holds {
            let process = &self.processes[hold.process];
            let is_stopped = overlap(&process.paused, hold.from, hold.to)
                || overlap(&hindered[hold.process], hold.from, hold.to);
            match (hold.lost, is_stopped) {
                (true, true) => measured.lost_stopped += 1,
                (true, false) => measured.lost += 1,
                (false, _) => {}
            }
            if !is_stopped {
                holds.push(seconds(hold.to - hold.from));
            }
        }
        measured.holds = Distribution::of(holds);
    }
}

impl Process {
    fn resumed(&mut self, why: &str, at: u64) {
        let Some((times, since)) = self.open.get_mut(why) else {
            return;
        };
        *times -= 1;
        if *times > 0 {
            return;
        }
        let span = (*since, at);
        self.open.remove(why);
        match why {
            "paused" => self.paused.push(span),
            _ => self.cut_off.push(span),
        }
    }

    /// Seconds for which it would have noticed an outage.
    fn watched(&self) -> f64 {
        let paused: u64 = self.paused.iter().map(|(from, to)| to - from).sum();
        seconds((self.to - self.from).saturating_sub(paused))
    }

    /// Requests during which it stood still, and those that its end came before the answer to.
    fn forget_what_says_nothing(&mut self) {
        let Self {
            paused,
            requests,
            to,
            ..
        } = self;
        requests.retain_mut(|sent| {
            if sent.ending.is_none() && sent.to <= *to {
                sent.ending = Some(Ending::Unanswered);
            }
            sent.ending.is_some() && !overlap(paused, sent.at, sent.to)
        });
    }
}
