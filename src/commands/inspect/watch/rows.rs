//! Changes as rows, one after the other: for pipes, for terminals that cannot be drawn on, and for formats that programs
//! read.

use std::borrow::Cow;

use gwlock_engine::protocol::clock::Moment;
use jiff::Timestamp;

use super::super::Arguments;
use super::super::report::Report;
use super::follow::{Link, News, View};
use super::polling_note;
use crate::context::TerminalSignal;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::age::age;
use crate::output::table::Columns;
use crate::output::{self, OutputError, colour, escape::escape_line, format::Format};

/// Rows on stdout, and on stderr what is to be said about the connection.
pub(super) struct Rows<'a> {
    arguments: &'a Arguments,
    namespace: Option<&'a str>,
    columns: Columns,
    is_headed: bool,
    lost: Option<Moment>,
    is_polling: bool,
}

impl<'a> Rows<'a> {
    pub(super) fn new(arguments: &'a Arguments, namespace: Option<&'a str>) -> Self {
        let header = Report::header(arguments.all_namespaces, arguments.detail(false));
        Self {
            arguments,
            namespace,
            columns: Columns::new(header, colour::on_stdout()),
            is_headed: !arguments.is_table() || arguments.no_headers,
            lost: None,
            is_polling: false,
        }
    }

    fn write_header(&mut self) -> Result<(), OutputError> {
        if self.is_headed {
            return Ok(());
        }
        self.is_headed = true;
        output::stream(|out| self.columns.write_header(out))
    }

    fn cells<'r>(&self, report: &Report<'r>) -> Vec<Cow<'r, str>> {
        report.cells(self.arguments.all_namespaces, self.arguments.detail(false))
    }
}

impl News {
    /// As the read has shown it.
    fn report(&self) -> Report<'_> {
        match self {
            Self::Lease(listed, date, observed) => {
                Report::of(listed, *date).observed_for(*observed)
            }
            Self::Gone((namespace, name)) => Report::gone(namespace, name),
        }
    }
}

impl View for Rows<'_> {
    fn news(&mut self, news: Vec<News>) -> Result<(), Failure> {
        let reports = || news.iter().map(News::report);
        if self.arguments.is_table() {
            for report in reports() {
                self.columns.measure(&self.cells(&report));
            }
            self.write_header()?;
        }
        output::stream(|out| {
            for report in reports() {
                match &self.arguments.output {
                    Format::Table | Format::Wide => {
                        self.columns
                            .write(out, &self.cells(&report), report.style())?;
                    }
                    Format::Name => writeln!(out, "{}", report.resource_name())?,
                    format => {
                        let line = format.print_line(&report.value())?;
                        writeln!(out, "{}", line.trim_end_matches('\n'))?;
                    }
                }
            }
            Ok::<(), OutputError>(())
        })?;
        Ok(())
    }

    fn link(&mut self, link: Link, now: Moment) -> Result<(), Failure> {
        match link {
            Link::Lost(since, why) => {
                if self.lost.replace(since).is_none() {
                    let why = escape_line(&why);
                    output::note(&format!("the connection is lost, trying again: {why}"));
                }
            }
            Link::Connected => {
                if let Some(since) = self.lost.take() {
                    let after = age(now.since(since));
                    output::note(&format!("connected again after {after}"));
                }
            }
            Link::Polling(message) => {
                self.lost = None;
                if !std::mem::replace(&mut self.is_polling, true) {
                    polling_note(&message, self.namespace);
                }
            }
        }
        Ok(())
    }

    fn signal(&mut self, signal: TerminalSignal) -> Result<Option<Exit>, Failure> {
        Ok(match signal {
            TerminalSignal::End(number) => Some(Exit::Signal(number)),
            TerminalSignal::Stop | TerminalSignal::Resized => None,
        })
    }

    fn draw(
        &mut self,
        _now: Moment,
        _server: Option<Timestamp>,
    ) -> Result<Option<Moment>, Failure> {
        self.write_header()?;
        Ok(None)
    }
}
