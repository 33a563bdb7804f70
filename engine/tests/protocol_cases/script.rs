//! A case: parsed, run, and written down again as it went.

use gwlock_engine::protocol::clock::Moment;
use gwlock_engine::protocol::exchange::Request;
use gwlock_engine::protocol::record::Claim;
use jiff::Timestamp;

use super::answer::{self, Asked};
use super::machine::{self, Machine, Move};
use super::notation::parse_moment;

/// The time stands right-aligned in this many columns.
const TIME_WIDTH: usize = 9;

/// One case as it is told.
pub(crate) struct Case {
    lines: Vec<String>,
}

/// A case while it goes.
struct Run {
    machine: Box<dyn Machine>,
    server: Timestamp,
    now: Moment,
    last: Option<Move>,
    sent: Moment,
    written: Vec<Claim>,
    told: Vec<String>,
}

impl Case {
    /// Cases of a file are separated by empty lines.
    pub(crate) fn parse_all(text: &str) -> Vec<Self> {
        let blocks = text
            .split("\n\n")
            .map(|block| block.trim_matches('\n'))
            .filter(|block| !block.is_empty());
        blocks
            .map(|block| Self {
                lines: block.lines().map(str::to_owned).collect(),
            })
            .collect()
    }

    /// The first line, without its mark.
    pub(crate) fn title(&self) -> &str {
        self.lines[0]
            .strip_prefix("# ")
            .unwrap_or_else(|| panic!("no title: {:?}", self.lines[0]))
    }

    pub(crate) fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// Lets it happen, and tells it in the same format.
    pub(crate) fn run(&self) -> String {
        let is_comment = |line: &&String| line.starts_with('#');
        let mut told: Vec<String> = self.lines.iter().take_while(is_comment).cloned().collect();
        let mut rest = self.lines.iter().skip_while(is_comment);
        let settings = rest
            .next()
            .unwrap_or_else(|| panic!("no machine: {}", self.title()));
        told.push(settings.clone());
        let (machine, server) = machine::build(settings);
        let (now, sent) = (Moment::default(), Moment::default());
        let mut run = Run {
            machine,
            server,
            now,
            last: None,
            sent,
            written: Vec::new(),
            told,
        };
        run.step();
        let events = rest
            .map(|line| line.trim())
            .filter(|line| !line.starts_with(['>', '!']));
        let mut stuck = false;
        for line in events {
            if stuck {
                run.told.push(line.to_owned());
            } else if let Err(why) = run.happen(line) {
                stuck = true;
                run.told.push(format!("{:>TIME_WIDTH$} ! {why}", ""));
            }
        }
        run.told.join("\n")
    }
}

impl Run {
    /// Fails when the line cannot happen after what the machine did.
    fn happen(&mut self, line: &str) -> Result<(), String> {
        let lines = self.told.len();
        let happened = self.try_line(line);
        if happened.is_err() && self.told.len() == lines {
            self.told.push(line.to_owned());
        }
        happened
    }

    fn try_line(&mut self, line: &str) -> Result<(), String> {
        let (time, event) = line
            .split_once(' ')
            .unwrap_or_else(|| panic!("a time and an event: {line:?}"));
        let event = event.trim();
        let last = self.last.take().ok_or("nothing has begun")?;
        if last.over {
            return Err("it is over, and this cannot happen any more".to_owned());
        }
        let now = match (time, last.due) {
            ("due", Some(due)) => due,
            ("due", None) => return Err("nothing is due".to_owned()),
            _ => parse_moment(time),
        };
        if now < self.now {
            return Err("this would have been earlier".to_owned());
        }
        self.now = now;
        self.told.push(format!("{time:>TIME_WIDTH$} {event}"));
        match (event.strip_prefix("< "), last.request) {
            (None, None) if event == "timer" => {}
            (None, _) if event != "timer" => self.machine.event(now, event),
            (Some(text), None) if text.starts_with("watch") => self.machine.event(now, text),
            (Some(text), Some(request)) if !text.starts_with("watch") => {
                let asked = Asked {
                    request,
                    sent: self.sent,
                    written: self.written.clone(),
                    server: self.server,
                };
                self.machine.reply(answer::parse(text, now, &asked)?);
            }
            _ => return Err("this cannot happen now".to_owned()),
        }
        self.step();
        Ok(())
    }

    fn step(&mut self) {
        let step = self.machine.next(self.now);
        if let Some(Request::Create(claim) | Request::Replace { claim, .. }) = &step.request {
            self.written.push(claim.clone());
        }
        self.sent = self.now;
        self.told
            .push(format!("{:>TIME_WIDTH$} > {}", "", step.text));
        self.last = Some(step);
    }
}
