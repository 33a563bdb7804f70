//! Follows leases: what changes is read, and what a read has shown that is new goes to a view.
//!
//! A watch only says that something has changed. What is shown comes from consistent reads, because an event's time is not
//! evidence. Where the watch ends, a list tells what was missed; where it is not allowed, lists take its place.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, LocalBoxStream};
use futures_util::{Stream, StreamExt as _};
use gwlock_engine::client::clock::sleep_until;
use gwlock_engine::client::list::{Listed, Listing};
use gwlock_engine::client::watch::Changed;
use gwlock_engine::protocol::clock::{Moment, ServerTime};
use jiff::Timestamp;

use super::super::report::Report;
use super::Lease;
use super::known::Known;
use super::pending::{By, Next, Pending};
use super::source::{Of, Opened, Read, Source, Watch};
use crate::context::TerminalSignal;
use crate::exit::Exit;
use crate::failure::Failure;

/// After a watch that lasted this long, the next one begins at once.
const LASTING: Duration = Duration::from_secs(5);

/// Pauses between attempts to reach a server double within these.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// A server that has just started may refuse what it allows: it does not know its roles yet.
const GRACE: Duration = Duration::from_secs(10);

/// An attempt to connect that takes longer than this is worth a word before it has failed.
const SILENCE: Duration = Duration::from_secs(2);

/// Pauses between lists where no watch is allowed. They double while nothing changes.
const FIRST_POLL: Duration = Duration::from_millis(250);
const LAST_POLL: Duration = Duration::from_secs(2);

/// A list that takes long is not asked for more often than this many times its own length.
const POLL_SHARE: u32 = 4;

/// Nothing is heard of a watch for longer than it lasts: its connection is dead.
const LONGEST_WATCH: Duration = Duration::from_secs(300);

/// What a read has shown that was not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// A lease, the `Date` of the answer, and for how long this version has been seen.
    Lease(Box<Listed>, Option<Timestamp>, Duration),
    /// A lease that was there before.
    Gone(Lease),
}

/// How changes are learned of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Link {
    /// By a watch.
    Connected,
    /// By lists: the server says that watching is forbidden.
    Polling(String),
    /// Not at all, since this moment and for this reason.
    Lost(Moment, String),
}

/// How what happens is shown. It is told everything at once and may take its time to show it.
pub(super) trait View {
    /// What a read has shown.
    fn news(&mut self, news: Vec<News>) -> Result<(), Failure>;

    /// How changes are learned of from now on. It may be what it was.
    fn link(&mut self, link: Link, now: Moment) -> Result<(), Failure>;

    /// A signal, and with which exit code to end because of it.
    fn signal(&mut self, signal: TerminalSignal) -> Result<Option<Exit>, Failure>;

    /// Called after whatever happened, with the server's time. Returns when it wants to be called if nothing happens.
    fn draw(&mut self, now: Moment, server: Option<Timestamp>) -> Result<Option<Moment>, Failure>;
}

/// Follows leases for one view.
pub(super) struct Follower<'a, V> {
    source: Source<'a>,
    view: V,
    known: Known,
    pending: Pending,
    reads: FuturesUnordered<LocalBoxFuture<'a, Read>>,
    state: State<'a>,
    /// The server's time by its answers.
    server: Option<ServerTime>,
    /// Attempts to connect since a watch has lasted.
    attempts: u32,
    /// Since when nothing is learned of.
    lost: Option<Moment>,
    /// Whether the view knows of it.
    is_told: bool,
    poll: Duration,
}

enum State<'a> {
    Connecting(LocalBoxFuture<'a, Result<Opened<'a>, Failure>>),
    Watching(LocalBoxStream<'a, Changed>, Moment),
    /// The next list, and what watching was refused with.
    Polling(LocalBoxFuture<'a, (Read, Duration)>, String),
}

enum Event<'a> {
    Changed(Changed),
    Ended,
    Opened(Result<Opened<'a>, Failure>),
    Polled(Read, Duration),
    Read(Read),
    Signal(TerminalSignal),
    Due,
}

impl<'a, V: View> Follower<'a, V> {
    pub(super) fn new(source: Source<'a>, view: V) -> Self {
        Self {
            source,
            view,
            known: Known::default(),
            pending: Pending::new(source.by()),
            reads: FuturesUnordered::new(),
            state: State::Connecting(Box::pin(std::future::pending())),
            server: None,
            attempts: 0,
            lost: None,
            is_told: false,
            poll: FIRST_POLL,
        }
    }

    /// Shows what there is, then what changes, until a signal ends it or the server refuses.
    pub(super) async fn run(
        &mut self,
        listing: Listing,
        signals: impl Stream<Item = TerminalSignal>,
    ) -> Result<Exit, Failure> {
        let mut signals = std::pin::pin!(signals);
        let version = listing.resource_version.clone();
        self.listed(listing, self.source.clock.now())?;
        let source = self.source;
        self.state = State::Connecting(Box::pin(async move {
            let version = source.keys.is_empty().then_some(version.as_str());
            Ok(Opened {
                listing: None,
                watch: source.watch(version).await?,
            })
        }));
        loop {
            let wake = self.prepare()?;
            let event = tokio::select! {
                event = self.state.next() => event,
                Some(read) = self.reads.next(), if !self.reads.is_empty() => Event::Read(read),
                Some(signal) = signals.next() => Event::Signal(signal),
                () = sleep(self.source, wake) => Event::Due,
            };
            if let Some(exit) = self.handle(event)? {
                return Ok(exit);
            }
        }
    }

    /// Sends the reads that are needed and draws; when the next one of both is due.
    fn prepare(&mut self) -> Result<Option<Moment>, Failure> {
        let now = self.source.clock.now();
        let mut wake = None;
        if let Some(lost) = self.lost.filter(|_| !self.is_told) {
            if now >= lost + SILENCE {
                self.tell_lost(lost, "no answer yet".to_owned(), now)?;
            } else {
                wake = Some(lost + SILENCE);
            }
        }
        if let State::Watching(_, opened) = &self.state {
            wake = earlier(wake, Some(*opened + LONGEST_WATCH));
            while let Some(lease) = self.known.pop_expired(now) {
                self.pending.changed(lease, self.known.len());
            }
            wake = earlier(wake, self.known.next_expiry());
            loop {
                let source = self.source;
                match self.pending.next(now) {
                    Next::Read(lease) => self.reads.push(Box::pin(source.one(lease))),
                    Next::List => self.reads.push(Box::pin(source.all())),
                    Next::Wait(until) => {
                        wake = earlier(wake, Some(until));
                        break;
                    }
                    Next::Nothing => break,
                }
            }
        }
        let server = self.server.as_ref().map(|server| server.now(now));
        Ok(earlier(wake, self.view.draw(now, server)?))
    }

    fn handle(&mut self, event: Event<'a>) -> Result<Option<Exit>, Failure> {
        let now = self.source.clock.now();
        match event {
            Event::Signal(signal) => return self.view.signal(signal),
            Event::Changed(Changed { namespace, name }) => {
                if self.source.wants(&name) {
                    self.pending.changed((namespace, name), self.known.len());
                }
            }
            Event::Ended => self.reconnect(now),
            Event::Opened(Ok(opened)) => self.opened(opened, now)?,
            Event::Opened(Err(failure)) => self.failed(failure, now)?,
            Event::Polled(read, took) => self.polled(read, took)?,
            Event::Read(read) => self.read(read)?,
            Event::Due => {
                if let State::Watching(_, opened) = &self.state
                    && now >= *opened + LONGEST_WATCH
                {
                    self.reconnect(now);
                }
            }
        }
        Ok(None)
    }

    fn opened(&mut self, opened: Opened<'a>, now: Moment) -> Result<(), Failure> {
        if let Some((listing, arrived)) = opened.listing {
            self.listed(listing, arrived)?;
        }
        match opened.watch {
            Watch::Open(changes) => {
                self.state = State::Watching(changes, now);
                (self.lost, self.is_told) = (None, false);
                for lease in self.source.named() {
                    self.pending.changed(lease, self.known.len());
                }
                self.view.link(Link::Connected, now)
            }
            Watch::Forbidden(message) if self.is_in_grace(now) => {
                self.failed(Failure::forbidden(message, "watch", None), now)
            }
            Watch::Forbidden(message) => {
                (self.lost, self.is_told) = (None, false);
                self.poll_after(self.poll, message.clone());
                self.view.link(Link::Polling(message), now)
            }
        }
    }

    /// Whether a refusal may be that of a server that has just started.
    fn is_in_grace(&self, now: Moment) -> bool {
        self.lost.is_some_and(|lost| now.since(lost) < GRACE)
    }

    /// What was tried did not work. It is tried again unless the server has refused it for good.
    fn failed(&mut self, failure: Failure, now: Moment) -> Result<(), Failure> {
        if failure.exit != Exit::Unreachable && self.lost.is_some() && !self.is_in_grace(now) {
            return Err(failure);
        }
        self.reconnect(now);
        let since = self.lost.unwrap_or(now);
        self.tell_lost(since, failure.message(), now)
    }

    fn tell_lost(&mut self, since: Moment, why: String, now: Moment) -> Result<(), Failure> {
        self.is_told = true;
        self.view.link(Link::Lost(since, why), now)
    }

    /// Begins anew: reads under way are dropped, because the list that follows tells more than they do.
    fn reconnect(&mut self, now: Moment) {
        if let State::Watching(_, opened) = &self.state
            && now.since(*opened) >= LASTING
        {
            self.attempts = 0;
        }
        self.lost.get_or_insert(now);
        self.reads.clear();
        self.pending.clear();
        let until = now + pause(self.attempts);
        self.attempts = self.attempts.saturating_add(1);
        let source = self.source;
        self.state = State::Connecting(Box::pin(async move {
            sleep_until(source.clock, until).await;
            source.open().await
        }));
    }

    fn poll_after(&mut self, pause: Duration, message: String) {
        let source = self.source;
        let poll = Box::pin(async move {
            let begin = source.clock.now() + pause;
            sleep_until(source.clock, begin).await;
            let begun = source.clock.now();
            let read = source.all().await;
            let took = read.arrived.since(begun);
            (read, took)
        });
        self.state = State::Polling(poll, message);
    }

    fn polled(&mut self, read: Read, took: Duration) -> Result<(), Failure> {
        let State::Polling(_, message) = &self.state else {
            return Ok(());
        };
        let message = message.clone();
        let Of::All(answer) = read.of else {
            return Ok(());
        };
        let listing = match answer {
            Ok(listing) => listing,
            Err(failure) => return self.failed(failure, read.arrived),
        };
        let is_news = self.listed(listing, read.arrived)?;
        self.poll = if is_news {
            FIRST_POLL
        } else {
            (self.poll * 2).min(LAST_POLL)
        };
        self.poll_after(self.poll.max(took * POLL_SHARE), message);
        Ok(())
    }

    fn read(&mut self, read: Read) -> Result<(), Failure> {
        match read.of {
            Of::All(Ok(listing)) => {
                self.pending.listed();
                self.listed(listing, read.arrived)?;
                Ok(())
            }
            Of::One(lease, Ok((listed, date))) => {
                self.pending.read(&lease);
                self.observe(date, read.arrived);
                let report = match &listed {
                    Some(listed) => Report::of(listed, date),
                    None => Report::gone(&lease.0, &lease.1),
                };
                let Some(observed) = self.known.take_in(&report, read.arrived) else {
                    return Ok(());
                };
                let news = match listed {
                    Some(listed) => News::Lease(listed, date, observed),
                    None => News::Gone(lease),
                };
                self.view.news(vec![news])
            }
            // Whoever may list need not be allowed to read leases singly.
            Of::One(lease, Err(failure))
                if failure.exit == Exit::Forbidden && self.source.by() == By::Either =>
            {
                self.pending.list_from_now_on(&lease);
                Ok(())
            }
            Of::One(_, Err(failure)) | Of::All(Err(failure)) => self.failed(failure, read.arrived),
        }
    }

    /// Takes in a list of everything; whether it has news.
    fn listed(&mut self, listing: Listing, arrived: Moment) -> Result<bool, Failure> {
        let date = listing.date;
        self.observe(date, arrived);
        let gone = {
            let items = listing.items.iter();
            let listed: HashSet<(&str, &str)> = items
                .map(|item| (item.namespace.as_str(), item.name.as_str()))
                .collect();
            self.known
                .missing_from(|(namespace, name)| listed.contains(&(namespace, name)))
        };
        let mut news = Vec::new();
        for item in listing.items {
            if let Some(observed) = self.known.take_in(&Report::of(&item, date), arrived) {
                news.push(News::Lease(Box::new(item), date, observed));
            }
        }
        for lease in gone {
            self.known
                .take_in(&Report::gone(&lease.0, &lease.1), arrived);
            news.push(News::Gone(lease));
        }
        let is_news = !news.is_empty();
        if is_news {
            self.view.news(news)?;
        }
        Ok(is_news)
    }

    fn observe(&mut self, date: Option<Timestamp>, arrived: Moment) {
        let Some(date) = date else {
            return;
        };
        self.server
            .get_or_insert_with(|| ServerTime::guess(arrived, date))
            .observe(date, arrived);
    }

    /// The view, when it is over.
    pub(super) fn into_view(self) -> V {
        self.view
    }
}

impl<'a> State<'a> {
    async fn next(&mut self) -> Event<'a> {
        match self {
            Self::Connecting(opened) => Event::Opened(opened.await),
            Self::Watching(changes, _) => changes.next().await.map_or(Event::Ended, Event::Changed),
            Self::Polling(poll, _) => {
                let (read, took) = poll.await;
                Event::Polled(read, took)
            }
        }
    }
}

/// How long to wait before the next attempt to connect.
fn pause(attempts: u32) -> Duration {
    match attempts {
        0 => Duration::ZERO,
        attempts => LAST_PAUSE.min(FIRST_PAUSE * 2u32.saturating_pow(attempts - 1)),
    }
}

fn earlier(one: Option<Moment>, other: Option<Moment>) -> Option<Moment> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

async fn sleep(source: Source<'_>, until: Option<Moment>) {
    match until {
        Some(until) => sleep_until(source.clock, until).await,
        None => std::future::pending().await,
    }
}
