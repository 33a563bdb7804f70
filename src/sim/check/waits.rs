//! Every signal is answered in time, as long as its process can work.

use std::collections::BTreeMap;

use super::{Rule, Violation, seconds};
use crate::sim::history::{Event, Header, What};

struct Waiting<'a> {
    key: &'a str,
    process: (&'a str, u32),
    since: u64,
    /// How long its pod had stood still by then.
    stood: u64,
}

/// How long a pod has stood still.
#[derive(Default)]
struct Standing {
    stops: u32,
    since: u64,
    total: u64,
}

impl Standing {
    fn until(&self, at: u64) -> u64 {
        match self.stops {
            0 => self.total,
            _ => self.total + (at - self.since),
        }
    }
}

pub(super) fn check(header: &Header, events: &[&Event], violations: &mut Vec<Violation>) {
    let mut waiting: BTreeMap<u64, Waiting<'_>> = BTreeMap::new();
    let mut standing: BTreeMap<&str, Standing> = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        match &event.what {
            What::Signal { signal, key } => {
                let stood = standing.entry(&event.pod).or_default().until(event.at);
                let process = (event.pod.as_str(), event.incarnation);
                let new = Waiting {
                    key,
                    process,
                    since: event.at,
                    stood,
                };
                waiting.insert(*signal, new);
            }
            What::Answer { signal, .. } => {
                let Some(waited) = waiting.remove(signal) else {
                    continue;
                };
                let standing = standing.entry(waited.process.0).or_default();
                let stood = standing.until(event.at) - waited.stood;
                let took = (event.at - waited.since).saturating_sub(stood);
                if let Some(longest) = header.longest_wait.filter(|longest| took > *longest) {
                    violations.push(Violation {
                        rule: Rule::WaitTooLong,
                        key: waited.key.to_owned(),
                        message: format!(
                            "signal {signal} was answered after {}, longer than {}",
                            seconds(took),
                            seconds(longest)
                        ),
                        at,
                    });
                }
            }
            What::Crashed => {
                let process = (event.pod.as_str(), event.incarnation);
                waiting.retain(|_, waiting| waiting.process != process);
            }
            What::Stopped { .. } => {
                let standing = standing.entry(&event.pod).or_default();
                if standing.stops == 0 {
                    standing.since = event.at;
                }
                standing.stops += 1;
            }
            What::Resumed { .. } => {
                let standing = standing.entry(&event.pod).or_default();
                standing.total = standing.until(event.at);
                standing.since = event.at;
                standing.stops = standing.stops.saturating_sub(1);
            }
            What::End => {
                for (signal, waiting) in &waiting {
                    violations.push(Violation {
                        rule: Rule::WaitTooLong,
                        key: waiting.key.to_owned(),
                        message: format!(
                            "signal {signal} reached {} at {} and was never answered",
                            waiting.process.0,
                            seconds(waiting.since)
                        ),
                        at,
                    });
                }
            }
            _ => {}
        }
    }
}
