//! When the live table is drawn, and what signals do to it.

use std::time::Duration;

use gwlock_engine::protocol::clock::Moment;
use jiff::Timestamp;

use super::follow::{Link, News, View};
use super::live::{Settings, Table};
use crate::context::TerminalSignal;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::OutputError;
use crate::output::live::Terminal;

/// However much changes, frames follow one another no faster.
const BETWEEN_FRAMES: Duration = Duration::from_millis(100);

/// A live table on the terminal.
pub(super) struct Screen {
    terminal: Terminal,
    table: Table,
    /// Why lists take the place of a watch, to be said when there is room for it.
    polling: Option<String>,
    is_changed: bool,
    drawn: Option<Moment>,
    /// When a remaining time is another one.
    next_second: Moment,
}

impl Screen {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            terminal: Terminal::default(),
            table: Table::new(settings),
            polling: None,
            is_changed: true,
            drawn: None,
            next_second: Moment::default(),
        }
    }

    /// Leaves the last frame where it is. Returns why lists took the place of a watch.
    pub(super) fn close(self) -> Result<Option<String>, OutputError> {
        self.terminal.close()?;
        Ok(self.polling)
    }
}

impl View for Screen {
    fn news(&mut self, news: Vec<News>) -> Result<(), Failure> {
        self.table.news(news);
        self.is_changed = true;
        Ok(())
    }

    fn link(&mut self, link: Link, _now: Moment) -> Result<(), Failure> {
        if let Link::Polling(message) = &link {
            self.polling = Some(message.clone());
        }
        self.table.link(link);
        self.is_changed = true;
        Ok(())
    }

    fn signal(&mut self, signal: TerminalSignal) -> Result<Option<Exit>, Failure> {
        match signal {
            TerminalSignal::End(number) => return Ok(Some(Exit::Signal(number))),
            TerminalSignal::Stop => self.terminal.suspend()?,
            TerminalSignal::Resized => {}
        }
        self.is_changed = true;
        self.drawn = None;
        Ok(None)
    }

    fn draw(&mut self, now: Moment, server: Option<Timestamp>) -> Result<Option<Moment>, Failure> {
        let due = match self.drawn {
            None => now,
            Some(drawn) if self.is_changed => self.next_second.min(drawn + BETWEEN_FRAMES),
            Some(_) => self.next_second,
        };
        if now < due {
            return Ok(Some(due));
        }
        self.table.forget_gone(now);
        let lines = self.table.lines(now, server, self.terminal.size());
        self.terminal.draw(&lines)?;
        self.is_changed = false;
        self.drawn = Some(now);
        self.next_second = now + rest_of_second(server);
        Ok(Some(self.next_second))
    }
}

/// How long the server's second lasts yet: then each remaining time has changed, and each by one.
fn rest_of_second(server: Option<Timestamp>) -> Duration {
    let gone = server.map_or(0, |server| server.subsec_nanosecond().unsigned_abs());
    Duration::from_secs(1) - Duration::from_nanos(u64::from(gone))
}
