//! A picture of a history: pods as lanes, holds as bars, requests as ticks, violations in red.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::check::{Violation, terms};
use super::history::{History, What};

const LEFT: f64 = 90.0;
const WIDTH: f64 = 1400.0;
const LANE: f64 = 34.0;
const TOP: f64 = 30.0;
/// Bars of different leases have different colours, as long as there are some.
const COLOURS: [&str; 6] = [
    "#4477aa", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb",
];

/// Draws it.
pub(super) fn render(history: &History, violations: &[Violation]) -> String {
    let events = &history.events;
    let ends = |what: &What| matches!(what, What::Left { .. } | What::End);
    let last = events.iter().rev().find(|event| !ends(&event.what));
    let last = last.map_or(1, |event| event.at.max(1));
    let x = |at: u64| LEFT + WIDTH * (at.min(last) as f64 / last as f64);
    let pods: BTreeSet<(usize, &str)> = events
        .iter()
        .filter(|event| !event.pod.is_empty())
        .map(|event| (event.pod.len(), event.pod.as_str()))
        .collect();
    let pods: Vec<&str> = pods.into_iter().map(|(_, pod)| pod).collect();
    let lane = |pod: &str| {
        let at = pods.iter().position(|own| *own == pod).unwrap_or(0);
        TOP + LANE * at as f64
    };
    let height = TOP + LANE * pods.len() as f64 + 30.0;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"{LEFT}\" y=\"18\">{} {} seed \
         {}, 0 s to {:.3} s</text>\n",
        LEFT + WIDTH + 20.0,
        escape(&history.header.scenario),
        escape(&history.header.protocol),
        history
            .header
            .seed
            .map_or("-".to_owned(), |seed| seed.to_string()),
        last as f64 / 1e6
    );
    for pod in &pods {
        let y = lane(pod);
        let _ = writeln!(
            text,
            "<text x=\"8\" y=\"{}\">{}</text><line x1=\"{LEFT}\" x2=\"{}\" y1=\"{}\" y2=\"{}\" stroke=\"#dddddd\"/>",
            y + 18.0,
            escape(pod),
            LEFT + WIDTH,
            y + LANE - 4.0,
            y + LANE - 4.0
        );
    }
    let terms = terms(history);
    let keys: BTreeSet<&str> = terms.iter().map(|term| term.key.as_str()).collect();
    let keys: Vec<&str> = keys.into_iter().collect();
    for term in &terms {
        let colour = keys.iter().position(|key| *key == term.key).unwrap_or(0);
        let (from, to) = (x(term.from), x(term.to));
        let _ = writeln!(
            text,
            "<rect x=\"{from:.2}\" y=\"{}\" width=\"{:.2}\" height=\"14\" fill=\"{}\" fill-opacity=\"0.7\"><title>{} as {}</title></rect>",
            lane(&term.pod) + 4.0,
            (to - from).max(1.0),
            COLOURS[colour % COLOURS.len()],
            escape(&term.key),
            escape(&term.holder)
        );
    }
    for event in events {
        let (at, y) = (x(event.at), lane(&event.pod));
        match &event.what {
            What::Call {
                verb,
                resource,
                object,
                ..
            } => {
                let _ = writeln!(
                    text,
                    "<line x1=\"{at:.2}\" x2=\"{at:.2}\" y1=\"{}\" y2=\"{}\" stroke=\"#555555\" stroke-width=\"0.5\"><title>{verb} {resource} {}</title></line>",
                    y + 20.0,
                    y + 28.0,
                    escape(object)
                );
            }
            What::Crashed | What::Stopped { .. } | What::Started | What::Resumed { .. } => {
                let sign = match event.what {
                    What::Crashed => "✕",
                    What::Stopped { .. } => "❚❚",
                    _ => "▶",
                };
                let _ = writeln!(
                    text,
                    "<text x=\"{at:.2}\" y=\"{}\" font-size=\"9\">{sign}</text>",
                    y + 29.0
                );
            }
            _ => {}
        }
    }
    for violation in violations {
        let at = x(events[violation.at].at);
        let _ = writeln!(
            text,
            "<line x1=\"{at:.2}\" x2=\"{at:.2}\" y1=\"{TOP}\" y2=\"{}\" stroke=\"red\" stroke-width=\"1.5\"><title>{}: {}</title></line>",
            height - 20.0,
            violation.rule,
            escape(&violation.message)
        );
    }
    text.push_str("</svg>\n");
    text
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
