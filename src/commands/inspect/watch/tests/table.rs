//! Frames of the live table: which rows, in which order, and what time does to them.

use std::time::Duration;

use gwlock_engine::client::list::Listed;
use gwlock_engine::protocol::clock::Moment;
use gwlock_engine::protocol::record::{Claim, LeaseRecord};
use jiff::Timestamp;

use super::super::follow::{Link, News};
use super::super::live::{Settings, Table};
use crate::output::live::Size;

/// The server's clock when everything was read.
const READ: i64 = 1_000_000_000;

fn at(second: i64) -> Option<Timestamp> {
    Timestamp::from_second(READ + second).ok()
}

fn moment(second: u64) -> Moment {
    Moment::from_origin(Duration::from_secs(second))
}

/// A lease that was made and written so many seconds before the read, by a clock that is right.
fn lease(name: &str, holder: &str, written: i64) -> News {
    let record = LeaseRecord {
        uid: "u1".to_owned(),
        resource_version: "7".to_owned(),
        created: at(-written),
        deleting: false,
        stamp: at(-written),
        claim: Claim {
            holder: Some(holder.to_owned()),
            acquire_time: at(-written),
            renew_time: at(-written),
            lease_duration_seconds: Some(30),
            lease_transitions: Some(0),
        },
    };
    let listed = Listed {
        namespace: "ns".to_owned(),
        name: name.to_owned(),
        record,
    };
    News::Lease(Box::new(listed), at(0), Duration::ZERO)
}

fn gone(name: &str) -> News {
    News::Gone(("ns".to_owned(), name.to_owned()))
}

fn table(news: Vec<News>) -> Table {
    let mut table = Table::new(Settings {
        namespace: Some("ns".to_owned()),
        ..Settings::default()
    });
    table.news(news);
    table
}

/// What is shown so many seconds after the read.
fn frame(table: &mut Table, second: u32, width: u16, height: u16) -> Vec<String> {
    let now = moment(u64::from(second));
    table.forget_gone(now);
    let lines = table.lines(now, at(i64::from(second)), Size { width, height });
    let text = |line: &crate::output::table::Line| line.clipped(width).0.into_owned();
    lines.iter().map(text).collect()
}

#[test]
fn what_needs_attention_stands_first_and_the_others_by_name() {
    let mut table = table(vec![
        lease("ro-lock-2", "b", 0),
        lease("ro-lock-1", "a", 0),
        lease("ro-lock-3", "c", 40),
    ]);
    assert_eq!(
        frame(&mut table, 0, 120, 10),
        [
            "connected   2 held, 1 stale of 3 leases in ns   server time 2001-09-09T01:46:40Z",
            "NAME        HOLDER   STATE     AGE   EXPIRES   PROBLEMS",
            "ro-lock-3   c        expired   40s   8s ago    -",
            "ro-lock-1   a        held      0s    in 32s    -",
            "ro-lock-2   b        held      0s    in 32s    -",
        ]
    );
}

#[test]
fn rows_that_find_no_room_are_counted() {
    let leases = (0..9).map(|number| lease(&format!("ro-lock-{number}"), "a", 0));
    let mut table = table(leases.collect());
    let lines = frame(&mut table, 0, 120, 5);
    let names: Vec<&str> = lines
        .iter()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(names, ["connected", "NAME", "ro-lock-0", "ro-lock-1", "…"]);
    assert_eq!(lines[4], "… 7 more");
    assert_eq!(frame(&mut table, 0, 120, 11).len(), 11);
    for height in 0..11 {
        assert_eq!(frame(&mut table, 0, 120, height).len(), usize::from(height));
    }
}

#[test]
fn lines_end_where_the_terminal_does() {
    let mut table = table(vec![lease("ro-lock-1", "日本\u{1b}[2J\n", 0)]);
    assert_eq!(
        frame(&mut table, 0, 24, 10),
        [
            "connected   1 held, 0 s…",
            "NAME        HOLDER     …",
            "ro-lock-1   日本\\u{1b}[…",
        ]
    );
}

#[test]
fn remaining_times_count_down_and_only_a_read_makes_a_lease_expire() {
    let mut table = table(vec![lease("ro-lock-1", "a", 0)]);
    let mut row = |second| {
        let line = frame(&mut table, second, 120, 10).pop().unwrap();
        let cells = line
            .split("   ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty());
        cells.skip(2).take(3).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(row(0), "held 0s in 32s");
    assert_eq!(row(1), "held 1s in 31s");
    assert_eq!(row(31), "held 31s in 1s");
    assert_eq!(row(32), "held 32s in 0s");
    assert_eq!(row(35), "held 32s in 0s");
    // The read that should tell has not been answered.
    assert_eq!(row(36), "held 32s unknown");
}

#[test]
fn what_is_gone_stays_for_a_moment_where_it_was() {
    let mut table = table(vec![
        lease("ro-lock-1", "a", 40),
        lease("ro-lock-2", "b", 0),
    ]);
    table.news(vec![gone("ro-lock-1")]);
    let mut rows = |second| frame(&mut table, second, 120, 10).split_off(2);
    let other = |left: u32| {
        format!(
            "ro-lock-2   b        held    {}s   in {left}s    -",
            32 - left
        )
    };
    let gone = "ro-lock-1   -        gone    -     -         -";
    assert_eq!(rows(10), [gone.to_owned(), other(22)]);
    assert_eq!(
        rows(12),
        [
            "ro-lock-1   -        gone    -     -         -".to_owned(),
            other(20)
        ]
    );
    assert_eq!(rows(13), [other(19)]);
}

#[test]
fn a_lease_that_comes_again_is_there_at_once() {
    let mut table = table(vec![lease("ro-lock-1", "a", 0)]);
    table.news(vec![gone("ro-lock-1")]);
    table.news(vec![lease("ro-lock-1", "b", 0)]);
    assert_eq!(
        frame(&mut table, 10, 120, 10).split_off(2),
        ["ro-lock-1   b        held    10s   in 22s    -"]
    );
}

#[test]
fn the_status_says_since_when_and_why_nothing_is_learned_of() {
    let mut table = table(Vec::new());
    let since = moment(5);
    table.link(Link::Lost(since, "refused\u{1b}[2J".to_owned()));
    assert_eq!(
        frame(&mut table, 20, 200, 10)[0],
        "reconnecting since 2001-09-09T01:46:45Z   0 held, 0 stale of 0 leases in ns   \
         server time 2001-09-09T01:47:00Z   refused\\u{1b}[2J"
    );
    table.link(Link::Polling("no".to_owned()));
    assert_eq!(
        frame(&mut table, 20, 200, 10)[0],
        "polling, watching is forbidden   0 held, 0 stale of 0 leases in ns   server time 2001-09-09T01:47:00Z"
    );
}
