//! Which failures were outages: those that came in a row, and those of which the history says that nothing got through.

use super::super::measured::Ending;
use super::{Process, Sent, overlap, seconds};

/// How often failures that have nothing to do with each other may look like an outage, in one history.
const MISTAKEN: f64 = 0.05;
/// One failure is none.
const FEWEST: usize = 2;

/// What was found.
pub(super) struct Found {
    /// Seconds.
    pub(super) outages: Vec<f64>,
    /// When each process was hindered.
    pub(super) hindered: Vec<Vec<(u64, u64)>>,
}

/// Finds the outages of each process. How many failures in a row are one follows from the share of failures: so many that
/// independent ones would come in such a row less than once in twenty histories.
pub(super) fn find(processes: &[Process]) -> Found {
    let mut hindered: Vec<Vec<(u64, u64)>> = processes
        .iter()
        .map(|process| merged(process.cut_off.clone()))
        .collect();
    loop {
        let run = longest_by_chance(processes, &hindered);
        let mut is_new = false;
        for (process, spans) in processes.iter().zip(&mut hindered) {
            let more = rows(process, spans, run);
            is_new |= !more.is_empty();
            spans.extend(more);
            *spans = merged(std::mem::take(spans));
        }
        if !is_new {
            break;
        }
    }
    let outages = hindered.iter().flatten();
    Found {
        outages: outages.map(|(from, to)| seconds(to - from)).collect(),
        hindered,
    }
}

fn leases<'a>(process: &'a Process, hindered: &'a [(u64, u64)]) -> impl Iterator<Item = &'a Sent> {
    let leases = process.requests.iter().filter(|sent| sent.lease);
    leases.filter(|sent| !overlap(hindered, sent.at, sent.to.max(sent.at + 1)))
}

fn failed(sent: &Sent) -> bool {
    sent.ending != Some(Ending::Answered)
}

/// From how many failures in a row on it is no chance.
fn longest_by_chance(processes: &[Process], hindered: &[Vec<(u64, u64)>]) -> usize {
    let (mut all, mut failures) = (0_u32, 0_u32);
    for (process, hindered) in processes.iter().zip(hindered) {
        for sent in leases(process, hindered) {
            all += 1;
            failures += u32::from(failed(sent));
        }
    }
    if failures == 0 || failures == all {
        return FEWEST;
    }
    let (all, share) = (f64::from(all), f64::from(failures) / f64::from(all));
    let least = ((MISTAKEN / all).ln() / share.ln()).ceil();
    (least as usize).max(FEWEST)
}

/// Rows of so many failures, each until the next success was known, or the end of the process.
fn rows(process: &Process, hindered: &[(u64, u64)], run: usize) -> Vec<(u64, u64)> {
    let mut spans = Vec::new();
    let mut row: Option<(u64, usize)> = None;
    for sent in leases(process, hindered) {
        if failed(sent) {
            let (_, length) = row.get_or_insert((sent.at, 0));
            *length += 1;
        } else if let Some((from, length)) = row.take()
            && length >= run
        {
            spans.push((from, sent.to));
        }
    }
    if let Some((from, length)) = row
        && length >= run
    {
        spans.push((from, process.to.max(from + 1)));
    }
    spans
}

fn merged(mut spans: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    spans.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::new();
    for (from, to) in spans {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    merged
}
