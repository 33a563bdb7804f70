//! One request or many: so many at once, until all are answered or somebody has had enough.
//!
//! What came of them is added up here and printed elsewhere; memory does not grow with their number.

use std::pin::pin;
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use hdrhistogram::Histogram;

use crate::context::interrupted;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::progress;

use super::answer::{Answer, Outcome, Told, worst};
use super::signal::Payload;
use super::{Arguments, Way};

/// Results of a burst that are kept to be printed as JSON.
const MOST_RESULTS: usize = 1000;
/// Latencies are told up to this; requests have deadlines.
const LONGEST: Duration = Duration::from_secs(3600);
/// Failures of a burst that are told.
const MOST_FAILURES: usize = 5;

/// Sending more than one.
#[derive(Debug, Args)]
#[command(next_help_heading = "Burst")]
pub(super) struct BurstArguments {
    /// Send it so many times; then a summary is printed
    #[arg(long, default_value_t = 1, hide_default_value = true, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(super) repeat: u64,
    /// Requests at the same time
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    concurrency: u64,
    /// Make each one about an object of its own: -0, -1, … is appended to the names
    #[arg(long)]
    pub(super) distinct_targets: bool,
}

/// What came of everything that was sent.
pub(super) enum Sent {
    /// The answer to the one request; `None` when it was not waited for.
    One(Option<Box<Answer>>, Option<u8>),
    /// Those to many.
    Many(Box<Total>),
}

/// A burst, added up.
pub(super) struct Total {
    pub(super) planned: u64,
    pub(super) answered: u64,
    /// Sent, and not waited for any more.
    pub(super) unanswered: u64,
    pub(super) took: Duration,
    /// In microseconds, of answers.
    pub(super) latency: Histogram<u64>,
    counts: [u64; Outcome::ALL.len()],
    pub(super) results: Vec<(u64, Result)>,
    pub(super) failures: Vec<(u64, Exit, String)>,
    pub(super) exit: Exit,
    pub(super) first_failure: Option<Failure>,
    pub(super) failed_requests: u64,
    /// The POSIX signal that ended it.
    pub(super) interrupted: Option<u8>,
}

/// One signal of a burst.
pub(super) struct Result {
    pub(super) told: Told,
    pub(super) status: Option<u16>,
    pub(super) request_id: Option<String>,
    pub(super) took: Duration,
}

impl Total {
    fn new(planned: u64) -> std::result::Result<Self, Failure> {
        let latency = Histogram::new_with_max(LONGEST.as_micros() as u64, 3);
        let latency = latency.map_err(|error| Failure::new(Exit::Bug, error))?;
        Ok(Self {
            planned,
            answered: 0,
            unanswered: 0,
            took: Duration::ZERO,
            latency,
            counts: [0; Outcome::ALL.len()],
            results: Vec::new(),
            failures: Vec::new(),
            exit: Exit::Done,
            first_failure: None,
            failed_requests: 0,
            interrupted: None,
        })
    }

    /// How many signals ended so.
    pub(super) fn count(&self, outcome: Outcome) -> u64 {
        self.counts[outcome.place()]
    }

    pub(super) fn signals(&self) -> u64 {
        self.counts.iter().sum()
    }

    fn add(&mut self, number: u64, answer: Answer) {
        self.answered += 1;
        self.exit = worst([self.exit, answer.exit()]);
        let micros = u64::try_from(answer.took.as_micros()).unwrap_or(u64::MAX);
        self.latency.saturating_record(micros);
        if let Some(failure) = answer.failure {
            self.failed_requests += 1;
            if self.failures.len() < MOST_FAILURES {
                self.failures
                    .push((number, failure.exit, failure.message()));
            }
            self.first_failure.get_or_insert(failure);
        }
        for told in answer.signals {
            self.counts[told.outcome.place()] += 1;
            if self.results.len() < MOST_RESULTS {
                let result = Result {
                    told,
                    status: answer.status,
                    request_id: answer.request_id.clone(),
                    took: answer.took,
                };
                self.results.push((number, result));
            }
        }
    }
}

pub(super) async fn send(
    arguments: &Arguments,
    way: &Way,
    payload: &Payload,
) -> std::result::Result<Sent, Failure> {
    if arguments.burst.repeat > 1 {
        return many(arguments, way, payload).await;
    }
    let waiting =
        (!arguments.trace).then(|| progress::waiting("waiting for the answer".to_owned()));
    let sent = tokio::select! {
        answer = way.send(payload.source, payload.body(0)) => Sent::One(Some(Box::new(answer)), None),
        number = interrupted() => Sent::One(None, Some(number)),
    };
    drop(waiting);
    Ok(sent)
}

async fn many(
    arguments: &Arguments,
    way: &Way,
    payload: &Payload,
) -> std::result::Result<Sent, Failure> {
    let repeat = arguments.burst.repeat;
    let at_once = usize::try_from(arguments.burst.concurrency).unwrap_or(usize::MAX);
    let mut total = Total::new(repeat)?;
    let bar = (!arguments.trace).then(|| progress::bar(repeat, "sending"));
    let began = Instant::now();
    let mut under_way = FuturesUnordered::new();
    let mut interruption = pin!(interrupted());
    let mut next = 0;
    loop {
        while next < repeat && under_way.len() < at_once {
            let (number, body) = (next, payload.body(next));
            next += 1;
            under_way.push(async move { (number, way.send(payload.source, body).await) });
        }
        let ended = tokio::select! {
            ended = under_way.next() => ended,
            number = &mut interruption => {
                total.interrupted = Some(number);
                break;
            }
        };
        let Some((number, answer)) = ended else { break };
        total.add(number, answer);
        if let Some(bar) = &bar {
            bar.inc(1);
        }
    }
    total.took = began.elapsed();
    total.unanswered = under_way.len() as u64;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    Ok(Sent::Many(Box::new(total)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(exit: Exit, outcome: Outcome) -> Answer {
        let told = Told {
            outcome,
            ..Told::failed(None, exit, "m")
        };
        Answer {
            signals: vec![told],
            body: None,
            status: None,
            request_id: None,
            took: Duration::from_millis(3),
            failure: (outcome == Outcome::Failed).then(|| Failure::says(exit, "m")),
        }
    }

    #[test]
    fn a_burst_is_added_up_and_what_is_kept_of_it_is_bounded() {
        let mut total = Total::new(5000).unwrap();
        for number in 0..2000 {
            total.add(number, answer(Exit::Done, Outcome::Duplicate));
            total.add(number, answer(Exit::Unreachable, Outcome::Failed));
        }
        total.add(7, answer(Exit::No, Outcome::Rejected));
        assert_eq!(
            (
                total.answered,
                total.signals(),
                total.count(Outcome::Duplicate),
                total.count(Outcome::Failed),
                total.count(Outcome::Rejected),
                total.failed_requests,
            ),
            (4001, 4001, 2000, 2000, 1, 2000)
        );
        assert_eq!(total.exit, Exit::Unreachable);
        assert_eq!((total.results.len(), total.failures.len()), (1000, 5));
        assert_eq!(total.latency.len(), 4001);
        let median = total.latency.value_at_quantile(0.5);
        assert!((2990..=3010).contains(&median), "{median} µs");
    }
}
