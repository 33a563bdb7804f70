//! One lease on a page: all that is known of it, what happened around it, and the command to run next.

use std::time::Duration;

use gwlock_engine::client::list::Listed;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::gather::{Request, Requests, Why};
use super::behind::{PodView, Seen, when};
use super::report::{Report, signed_age};
use super::words::{self, Voice};
use crate::evidence::acquisition::Clock;
use crate::evidence::findings::Finding;
use crate::evidence::holder::{Family, Generation};
use crate::evidence::pod::Readiness;
use crate::evidence::timeline::{By, Entry, of_event, of_managed_fields, sorted};
use crate::output::age::age;
use crate::output::escape::{escape_line, shell_word};
use crate::output::table;

/// What a page is made of.
pub(super) struct Page<'a> {
    pub(super) report: &'a Report<'a>,
    pub(super) listed: &'a Listed,
    /// The lease as it came.
    pub(super) object: &'a Value,
    /// The `Date` of the answer that had it.
    pub(super) date: Option<Timestamp>,
    /// The Events about it, or why there are none to be had; `None` where nobody asked.
    pub(super) events: Option<Result<Vec<Value>, Why>>,
    /// By how many seconds this machine's clock is certainly ahead of the server's.
    pub(super) machine_skew: i64,
    pub(super) voice: &'a Voice,
}

impl Page<'_> {
    /// The page as text.
    pub(super) fn text(&self) -> String {
        let report = self.report;
        let mut text = format!("Lease {} in {}\n", report.name(), report.namespace());
        let mut line = |label: &str, words: &str| {
            text.push_str(&format!("  {label:<12}{}\n", escape_line(words)));
        };
        line("State", &self.state());
        line("Holder", &self.holder());
        line("Pod", &self.pod());
        if let PodView::Seen(seen) = report.pod()
            && seen.pod.is_some()
        {
            line("Node", &node(seen));
        }
        for (at, words) in requests(report.requests(), self.date).iter().enumerate() {
            line(if at == 0 { "Request" } else { "" }, words);
        }
        line("Acquired", &self.acquired());
        line("Ages", &self.ages());
        line("Clocks", &self.clocks());
        text.push_str("\nProblems\n");
        for finding in report.findings() {
            let problem = words::problem(*finding, report);
            text.push_str(&format!("  {}\n", escape_line(&problem)));
            text.push_str(&format!(
                "    fix: {}\n",
                escape_line(&report.fix(*finding))
            ));
        }
        if report.findings().is_empty() {
            text.push_str("  none\n");
        }
        text.push_str("\nTimeline (by the server's time unless a clock is named)\n");
        let rows: Vec<Vec<String>> = self
            .timeline()
            .iter()
            .map(|entry| self.row(entry))
            .collect();
        let table = table::render(&["  TIME", "AGE", "CLOCK", "WHAT"], &rows);
        text.push_str(&table);
        if let Some(Err(why)) = self.events {
            text.push_str(&format!("  Events about it: {}\n", why.word()));
        }
        text.push_str("\nNext\n");
        for command in self.next() {
            text.push_str(&format!("  {command}\n"));
        }
        text
    }

    /// What a page has beside the report, for its JSON.
    pub(super) fn add_to(&self, value: &mut Value) {
        let entries = self.timeline().into_iter().map(|entry| {
            json!({"age": self.age_of(entry.at), "at": entry.at, "clock": entry.by.as_str(), "what": entry.what})
        });
        value["timeline"] = entries.collect();
        value["next"] = json!(self.next());
        value["acquired"] = match self.report.acquired() {
            None => Value::Null,
            Some(acquired) => json!({"at": acquired.at, "clock": clock_word(acquired.by)}),
        };
    }

    fn row(&self, entry: &Entry) -> Vec<String> {
        let clock = match entry.by {
            By::Server => String::new(),
            by => by.as_str().to_owned(),
        };
        let at = Timestamp::from_second(entry.at.as_second()).unwrap_or(entry.at);
        vec![
            format!("  {at}"),
            self.age_of(entry.at),
            clock,
            entry.what.clone(),
        ]
    }

    fn age_of(&self, at: Timestamp) -> String {
        when(at, self.date)
    }

    fn state(&self) -> String {
        let report = self.report;
        match (report.state, report.remaining_seconds()) {
            _ if report.family() == Family::Interactive => {
                format!(
                    "{}: an interactive session, which does not expire",
                    report.state
                )
            }
            (_, Some(left)) if left < 0 => format!(
                "stale: {}; its {}s and a margin of 2s have passed since its last write",
                report.stale_reason().unwrap_or_default(),
                self.listed.record.duration().as_secs()
            ),
            (state, Some(left)) => format!(
                "{state}: expires in {} by the server's clock, {}s and a margin of 2s after its last write",
                signed_age(left),
                self.listed.record.duration().as_secs()
            ),
            ("held", None) => {
                "held: the server has no stamp of it, so that expiry can only be observed"
                    .to_owned()
            }
            ("free", None) => "free: it names no holder".to_owned(),
            (state, None) => state.to_owned(),
        }
    }

    fn holder(&self) -> String {
        match self.report.generation() {
            None => "nobody".to_owned(),
            Some(Generation::PodLevel { name }) if self.report.family().is_lock() => {
                format!(
                    "{name} (pod-level: every request and every restart of that pod is the same holder)"
                )
            }
            Some(Generation::PodLevel { name }) => name.to_owned(),
            Some(Generation::Acquisition { base, nonce }) => {
                format!("{base} (one acquisition, nonce {nonce})")
            }
        }
    }

    fn pod(&self) -> String {
        let sentence = self
            .report
            .pod()
            .sentence(self.report.namespace(), self.date);
        sentence.unwrap_or_else(|| "-".to_owned())
    }

    fn acquired(&self) -> String {
        match self.report.acquired() {
            None => "-".to_owned(),
            Some(acquired) => {
                let by = match acquired.by {
                    Clock::Server => "by the server's clock",
                    Clock::Corrected => "by the holder's clock, less what it was off",
                    Clock::Holder => "by the holder's clock",
                };
                format!("{} {by}", self.age_of(acquired.at))
            }
        }
    }

    fn ages(&self) -> String {
        let ages = self.report.ages();
        let told = |did: &str, whose: &str, seconds: Option<i64>| match seconds {
            Some(seconds) => format!("{did} {} ago by {whose}", signed_age(seconds)),
            None => format!("not {did} by {whose}"),
        };
        format!(
            "{}; {}; not observed from here",
            told("claimed", "the holder", ages.claimed_seconds),
            told("stamped", "the server", ages.stamped_seconds)
        )
    }

    fn clocks(&self) -> String {
        let told = |whose: &str, skew: Option<i64>| match skew {
            None => format!("{whose} is not known"),
            Some(0) => format!("{whose} agrees with the server's"),
            Some(skew) => format!("{whose} is {} the server's", words::off(skew)),
        };
        format!(
            "{}; {}",
            told("the holder's", self.report.clock_skew()),
            told("this machine's", Some(self.machine_skew))
        )
    }

    fn timeline(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut add = |at: Option<Timestamp>, by: By, what: String| {
            entries.extend(at.map(|at| Entry { at, by, what }));
        };
        let record = &self.listed.record;
        add(
            record.created,
            By::Server,
            "the lease was created".to_owned(),
        );
        let holder = record.holder().unwrap_or("nobody");
        let claimed = "acquired, as the lease claims".to_owned();
        add(record.claim.acquire_time, By::Holder, claimed);
        let claimed = format!("written by {holder}, as it claims");
        add(record.claim.renew_time, By::Holder, claimed);
        if let PodView::Seen(Seen {
            pod: Some(pod),
            name,
            ..
        }) = self.report.pod()
        {
            let metadata = &pod.metadata;
            let created = format!("pod {name} was created");
            add(metadata.creation_timestamp, By::Server, created);
            let deleted = format!("pod {name} has to have ended: it was deleted");
            add(metadata.deletion_timestamp, By::Server, deleted);
            for container in &pod.status.container_statuses {
                let own = &container.name;
                let running = container.state.running.as_ref();
                let started = format!(
                    "container {own} of pod {name} was started ({} restarts)",
                    container.restart_count
                );
                add(
                    running.and_then(|running| running.started_at),
                    By::Node,
                    started,
                );
                for ended in [&container.state, &container.last_state] {
                    if let Some(ended) = &ended.terminated {
                        let what = format!(
                            "container {own} of pod {name} ended: {} (exit code {})",
                            ended.reason, ended.exit_code
                        );
                        add(ended.finished_at, By::Node, what);
                    }
                }
            }
        }
        if let Requests::Known(known) = self.report.requests() {
            for request in known {
                let name = &request.name;
                add(request.created, By::Server, format!("{name} was created"));
                let Some(details) = &request.details else {
                    continue;
                };
                let seen = format!("{name} counted its last signal");
                add(details.last_seen, By::Writer, seen);
                add(
                    details.ended,
                    By::Writer,
                    format!("{name} ended: {}", details.phase),
                );
            }
        }
        entries.extend(of_managed_fields(&self.object["metadata"]));
        if let Some(Ok(events)) = &self.events {
            entries.extend(events.iter().filter_map(of_event));
        }
        sorted(entries)
    }

    /// The commands to run next, the best first.
    fn next(&self) -> Vec<String> {
        let (report, voice) = (self.report, self.voice);
        let (name, namespace) = (report.name(), report.namespace());
        let lease = format!("{name} -n {namespace}");
        let watch = || voice.run(&format!("inspect {lease} --watch"), "until it changes");
        let fix_of = |wanted: fn(&Finding) -> bool| {
            let mut findings = report.findings().iter();
            findings
                .find(|finding| wanted(finding))
                .map(|finding| report.fix(*finding))
        };
        if report.is_stale() {
            return vec![voice.run(&format!("force-expire {lease}"), "removes its holder")];
        }
        if report.state == "free" {
            return vec![voice.run(&format!("acquire {lease}"), "nobody holds it")];
        }
        if let Some(finalizers) = fix_of(|finding| *finding == Finding::KeptByFinalizer) {
            return vec![finalizers];
        }
        if report.family() == Family::Interactive {
            let mut commands = vec![watch()];
            if let Requests::Known(known) = report.requests()
                && let Some(request) = known.first()
            {
                let command = format!(
                    "get remediationrequests.kubernaut.ai {} -n {}",
                    request.name, request.namespace
                );
                commands.insert(0, voice.kubectl(&command, "what the session is about"));
            }
            return commands;
        }
        if let Some(fix) = fix_of(|finding| matches!(finding, Finding::Pod(_))) {
            return vec![fix, watch()];
        }
        let mut commands = vec![watch()];
        if let PodView::Seen(Seen {
            pod: Some(_),
            name: pod,
            ..
        }) = report.pod()
        {
            let since = report.ages().stamped_seconds.unwrap_or(0).max(0) + 60;
            let command = format!("logs {} -n {namespace} --since={since}s", shell_word(pod));
            commands.insert(0, voice.kubectl(&command, "what its holder is doing"));
        }
        commands
    }
}

fn clock_word(clock: Clock) -> &'static str {
    match clock {
        Clock::Server => "server",
        Clock::Corrected => "corrected",
        Clock::Holder => "holder",
    }
}

fn node(seen: &Seen<'_>) -> String {
    let name = seen.pod.map_or("", |pod| pod.spec.node_name.as_str());
    if name.is_empty() {
        return "not scheduled".to_owned();
    }
    if let Some(why) = seen.unread_node {
        return format!("{name} ({})", why.word());
    }
    match seen.node {
        Readiness::Ready => format!("{name}, which is ready"),
        Readiness::NotReady { since: None } => format!("{name}, which is not ready"),
        Readiness::NotReady { since: Some(since) } => {
            format!("{name}, which is not ready since {since}")
        }
        Readiness::Gone => format!("{name}, which is gone"),
        Readiness::Unknown => name.to_owned(),
    }
}

fn requests(requests: &Requests<'_>, date: Option<Timestamp>) -> Vec<String> {
    let known = match requests {
        Requests::Unasked => return vec!["-".to_owned()],
        Requests::Unread(why) => return vec![why.word().to_owned()],
        Requests::Known(known) => known,
    };
    if known.is_empty() {
        return vec!["none is behind it".to_owned()];
    }
    known.iter().map(|request| told(request, date)).collect()
}

fn told(request: &Request, date: Option<Timestamp>) -> String {
    let Some(details) = &request.details else {
        return request.name.clone();
    };
    let phase = if details.phase.is_empty() {
        "no phase yet"
    } else {
        &details.phase
    };
    let counted = match details.count {
        Some(count) => format!("counted {count}"),
        None => "not counted".to_owned(),
    };
    let seen = details.last_seen.zip(date);
    let seen = seen.and_then(|(seen, date)| Duration::try_from(date.duration_since(seen)).ok());
    let seen = seen.map_or(String::new(), |ago| format!(", last seen {} ago", age(ago)));
    format!(
        "{}: {phase}, {counted}{seen}, about {}",
        request.name, details.target
    )
}
