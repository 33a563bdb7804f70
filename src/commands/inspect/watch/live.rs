//! The live table: what it knows, and the lines of a frame. How lines come onto a terminal is `output::live`'s.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use anstyle::Style;
use gwlock_engine::client::list::Listed;
use gwlock_engine::protocol::clock::Moment;
use jiff::{SignedDuration, Timestamp};

use super::super::report::{Detail, Report};
use super::Lease;
use super::follow::{Link, News};
use crate::output::colour::{ERROR, GONE, PLAIN};
use crate::output::live::Size;
use crate::output::table::{Columns, Line};

/// A lease that is gone is shown for so long.
const GONE_FOR: Duration = Duration::from_secs(3);

/// A lease that should have expired is read again at once. After this long without an answer nobody knows.
const UNREAD_FOR: SignedDuration = SignedDuration::from_secs(3);

/// The column in which the remaining time stands.
const EXPIRES: &str = "EXPIRES";

/// What is shown, and of where.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    /// `None` for all namespaces.
    pub(super) namespace: Option<String>,
    pub(super) detail: Detail,
    pub(super) no_headers: bool,
    pub(super) coloured: bool,
}

/// The table.
#[derive(Debug)]
pub(super) struct Table {
    settings: Settings,
    header: Vec<&'static str>,
    columns: Columns,
    /// The width for which the columns were measured.
    width: u16,
    rows: BTreeMap<(Rank, Lease), Row>,
    ranks: HashMap<Lease, Rank>,
    link: Link,
}

/// What needs attention stands first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Stale,
    Problem,
    Other,
}

#[derive(Debug)]
enum Row {
    There {
        listed: Box<Listed>,
        /// The `Date` of the read.
        date: Option<Timestamp>,
        /// By that read, how long until it expires.
        expires_in: Option<Duration>,
        is_held: bool,
    },
    /// Since when that is shown.
    Gone(Option<Moment>),
}

impl Table {
    pub(super) fn new(settings: Settings) -> Self {
        let header = Report::header(settings.namespace.is_none(), settings.detail);
        Self {
            columns: Columns::new(header.clone(), settings.coloured),
            header,
            settings,
            width: 0,
            rows: BTreeMap::new(),
            ranks: HashMap::new(),
            link: Link::Connected,
        }
    }

    pub(super) fn link(&mut self, link: Link) {
        self.link = link;
    }

    pub(super) fn news(&mut self, news: Vec<News>) {
        for news in news {
            match news {
                News::Lease(listed, date, _) => self.put(listed, date),
                News::Gone(lease) => {
                    // It stays where it is looked for.
                    let rank = *self.ranks.get(&lease).unwrap_or(&Rank::Other);
                    self.rows.insert((rank, lease), Row::Gone(None));
                }
            }
        }
    }

    fn put(&mut self, listed: Box<Listed>, date: Option<Timestamp>) {
        let report = Report::of(&listed, date);
        let lease = report.lease();
        let rank = if report.is_stale() {
            Rank::Stale
        } else if report.style() == PLAIN {
            Rank::Other
        } else {
            Rank::Problem
        };
        let (expires_in, is_held) = (report.expires_in(), report.state == "held");
        if let Some(before) = self.ranks.insert(lease.clone(), rank) {
            self.rows.remove(&(before, lease.clone()));
        }
        let row = Row::There {
            listed,
            date,
            expires_in,
            is_held,
        };
        self.rows.insert((rank, lease), row);
    }

    /// Takes out what has been shown as gone for long enough.
    pub(super) fn forget_gone(&mut self, now: Moment) {
        let ranks = &mut self.ranks;
        self.rows.retain(|(_, lease), row| {
            let Row::Gone(since) = row else {
                return true;
            };
            let stays = now < *since.get_or_insert(now) + GONE_FOR;
            if !stays {
                ranks.remove(lease);
            }
            stays
        });
    }

    /// The lines of a frame: the status, the header and as many rows as there is room for.
    pub(super) fn lines(
        &mut self,
        now: Moment,
        server: Option<Timestamp>,
        size: Size,
    ) -> Vec<Line> {
        if self.width != size.width {
            self.width = size.width;
            self.columns = Columns::new(self.header.clone(), self.settings.coloured);
        }
        let mut room = usize::from(size.height).saturating_sub(1);
        let mut lines = vec![self.status(now, server)];
        if !self.settings.no_headers {
            room = room.saturating_sub(1);
        }
        let shown = if self.rows.len() > room {
            room.saturating_sub(1)
        } else {
            self.rows.len()
        };
        let namespaces = self.settings.namespace.is_none();
        let cells: Vec<(Vec<String>, Style)> = self
            .rows
            .iter()
            .take(shown)
            .map(|((_, lease), row)| self.cells(lease, row, server, namespaces))
            .collect();
        for (cells, _) in &cells {
            self.columns.measure(cells);
        }
        if !self.settings.no_headers {
            lines.extend(self.columns.header_line());
        }
        lines.extend(self.columns.lines(cells.into_iter()));
        if shown < self.rows.len() {
            lines.push(Line::new(
                &format!("… {} more", self.rows.len() - shown),
                PLAIN,
            ));
        }
        lines.truncate(usize::from(size.height));
        lines
    }

    fn cells(
        &self,
        lease: &Lease,
        row: &Row,
        server: Option<Timestamp>,
        namespaces: bool,
    ) -> (Vec<String>, Style) {
        let owned = |report: &Report<'_>| -> Vec<String> {
            let cells = report.cells(namespaces, self.settings.detail).into_iter();
            cells.map(std::borrow::Cow::into_owned).collect()
        };
        let (listed, date, expires_in) = match row {
            Row::Gone(_) => return (owned(&Report::gone(&lease.0, &lease.1)), GONE),
            Row::There {
                listed,
                date,
                expires_in,
                ..
            } => (listed, *date, *expires_in),
        };
        let time = estimate(date, server, expires_in);
        let report = Report::of(listed, time);
        let mut cells = owned(&report);
        if is_overdue(date, server, expires_in)
            && let Some(at) = self.header.iter().position(|column| *column == EXPIRES)
        {
            "unknown".clone_into(&mut cells[at]);
        }
        (cells, report.style())
    }

    fn status(&self, now: Moment, server: Option<Timestamp>) -> Line {
        let there = self.rows.values().filter_map(|row| match row {
            Row::There { is_held, .. } => Some(*is_held),
            Row::Gone(_) => None,
        });
        let (mut leases, mut held) = (0, 0);
        for is_held in there {
            leases += 1;
            held += usize::from(is_held);
        }
        let stale = self
            .rows
            .iter()
            .filter(|((rank, _), row)| *rank == Rank::Stale && matches!(row, Row::There { .. }))
            .count();
        let time = |time: Option<Timestamp>| {
            time.map_or_else(
                || "unknown".to_owned(),
                |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            )
        };
        let (link, why, style) = match &self.link {
            Link::Connected => ("connected".to_owned(), None, PLAIN),
            Link::Polling(_) => ("polling, watching is forbidden".to_owned(), None, PLAIN),
            Link::Lost(since, why) => {
                let ago = SignedDuration::try_from(now.since(*since)).unwrap_or_default();
                let since = server.and_then(|server| server.checked_sub(ago).ok());
                let link = format!("reconnecting since {}", time(since));
                (link, Some(why), ERROR)
            }
        };
        let namespace = self.settings.namespace.as_deref();
        let place = namespace.unwrap_or("all namespaces");
        let noun = if leases == 1 { "lease" } else { "leases" };
        let mut text = format!(
            "{link}   {held} held, {stale} stale of {leases} {noun} in {place}   server time {}",
            time(server)
        );
        if let Some(why) = why {
            text.push_str("   ");
            text.push_str(why);
        }
        let style = if self.settings.coloured { style } else { PLAIN };
        Line::new(&text, style)
    }
}

/// The server's time by which a row is shown. A lease that is held is not shown as expired before a read has proven it.
fn estimate(
    date: Option<Timestamp>,
    server: Option<Timestamp>,
    expires_in: Option<Duration>,
) -> Option<Timestamp> {
    let (date, server) = (date?, server?);
    let time = server.max(date);
    Some(expiry(date, expires_in).map_or(time, |expiry| time.min(expiry)))
}

/// Whether the answer that should tell whether it has expired does not come.
fn is_overdue(
    date: Option<Timestamp>,
    server: Option<Timestamp>,
    expires_in: Option<Duration>,
) -> bool {
    let Some((date, server)) = date.zip(server) else {
        return false;
    };
    expiry(date, expires_in).is_some_and(|expiry| server.duration_since(expiry) > UNREAD_FOR)
}

fn expiry(date: Timestamp, expires_in: Option<Duration>) -> Option<Timestamp> {
    let left = SignedDuration::try_from(expires_in?).ok()?;
    date.checked_add(left).ok()
}
