//! Who held what when, for a terminal: a block for each lease, a row for each pod.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::check::{Term, Violation, terms};
use super::history::{Event, History, What};

/// How many columns time is cut into.
const WIDTH: usize = 72;

/// Draws it.
pub(super) fn render(history: &History, violations: &[Violation]) -> String {
    let terms = terms(history);
    let last = last_event(&history.events);
    let column = |at: u64| {
        let at = u128::from(at.min(last)) * (WIDTH as u128 - 1) / u128::from(last.max(1));
        usize::try_from(at).unwrap_or(WIDTH - 1)
    };
    let pods = pods(&history.events);
    let keys: BTreeSet<&str> = terms.iter().map(|term| term.key.as_str()).collect();
    let wide = pods.iter().map(|pod| pod.len()).max().unwrap_or(0);
    let mut text = format!(
        "0s {:>width$}\n",
        format!("{:.3}s", last as f64 / 1e6),
        width = WIDTH + wide
    );
    for key in keys {
        let _ = writeln!(text, "\n{key}");
        for pod in &pods {
            let mut row = vec!['·'; WIDTH];
            draw_troubles(history, pod, &column, &mut row);
            let own = |term: &&Term| term.key == key && term.pod == *pod;
            for term in terms.iter().filter(own) {
                for cell in &mut row[column(term.from)..=column(term.to)] {
                    *cell = if *cell == '█' || *cell == '▓' {
                        '▓'
                    } else {
                        '█'
                    };
                }
            }
            for violation in violations.iter().filter(|violation| violation.key == key) {
                let event = &history.events[violation.at];
                if event.pod == *pod {
                    row[column(event.at)] = '!';
                }
            }
            let row: String = row.into_iter().collect();
            let _ = writeln!(text, "  {pod:<wide$}  {row}");
        }
    }
    text.push_str("\n█ held, ▓ held several times in one column, = paused or cut off, x not running, ! violation");
    text
}

/// The last event before everybody waits for leases to expire.
fn last_event(events: &[Event]) -> u64 {
    let ends = |event: &&Event| !matches!(event.what, What::Left { .. } | What::End);
    events.iter().rev().find(ends).map_or(0, |event| event.at)
}

fn pods(events: &[Event]) -> Vec<&str> {
    let mut numbered: BTreeMap<(usize, &str), ()> = BTreeMap::new();
    for event in events.iter().filter(|event| !event.pod.is_empty()) {
        numbered.insert((event.pod.len(), &event.pod), ());
    }
    numbered.into_keys().map(|(_, pod)| pod).collect()
}

fn draw_troubles(history: &History, pod: &str, column: &impl Fn(u64) -> usize, row: &mut [char]) {
    let mut since: Option<(char, u64)> = None;
    for event in history.events.iter().filter(|event| event.pod == pod) {
        match event.what {
            What::Crashed => since = Some(('x', event.at)),
            What::Stopped { .. } if since.is_none() => since = Some(('=', event.at)),
            What::Started | What::Resumed { .. } => {
                if let Some((sign, from)) = since.take() {
                    row[column(from)..=column(event.at)].fill(sign);
                }
            }
            _ => {}
        }
    }
    if let Some((sign, from)) = since {
        row[column(from)..].fill(sign);
    }
}
