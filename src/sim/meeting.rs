//! How members of one run that are started at different times come to begin at the same moment.
//!
//! They meet in an object that all of them may write: each announces itself, and when all have, or somebody has waited long
//! enough, the first who sees it says when everybody begins. Who has not announced himself by then takes no part. Pure:
//! what stands in the object comes in, what to do goes out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How long before the beginning it is said, so that everybody reads it in time.
const NOTICE: SignedDuration = SignedDuration::from_secs(5);

const MEMBER: &str = "member-";
const BEGIN: &str = "begin";
const PRESENT: &str = "present";

/// The texts of the object.
pub(crate) type Board = BTreeMap<String, String>;

/// What a member has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// Look again: these have not come.
    Wait(Vec<u32>),
    /// Write these texts as well, if nobody else has written since.
    Call(Board),
    /// Begin at this moment of the server, with these.
    Begin(Timestamp, Vec<u32>),
}

/// What cannot stand in the object.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not when a run begins, or who takes part")]
pub(crate) struct Unreadable(String);

/// What a member writes first: its number, and who it is.
pub(crate) fn announcement(number: u32, pod: &str) -> Board {
    Board::from([(format!("{MEMBER}{number}"), pod.to_owned())])
}

/// What to do when this stands there: `of` members are waited for, but not after `patience` since the object was made.
pub(crate) fn next(
    board: &Board,
    of: u32,
    made: Timestamp,
    now: Timestamp,
    patience: Duration,
) -> Result<Next, Unreadable> {
    if let Some(begin) = board.get(BEGIN) {
        let unreadable = |text: &String| Unreadable(text.clone());
        let at: Timestamp = begin.parse().map_err(|_| unreadable(begin))?;
        let present = board.get(PRESENT).ok_or_else(|| unreadable(begin))?;
        let numbers: Result<Vec<u32>, _> = present.split(',').map(str::parse).collect();
        let numbers = numbers.map_err(|_| unreadable(present))?;
        return Ok(Next::Begin(at, numbers));
    }
    let number = |key: &String| key.strip_prefix(MEMBER)?.parse().ok();
    let there: BTreeSet<u32> = board
        .keys()
        .filter_map(number)
        .filter(|own| *own < of)
        .collect();
    let missing: Vec<u32> = (0..of).filter(|own| !there.contains(own)).collect();
    let waited = now.duration_since(made);
    let is_over = SignedDuration::try_from(patience).is_ok_and(|patience| waited > patience);
    if there.is_empty() || !(missing.is_empty() || is_over) {
        return Ok(Next::Wait(missing));
    }
    let numbers: Vec<String> = there.iter().map(u32::to_string).collect();
    Ok(Next::Call(Board::from([
        (BEGIN.to_owned(), (now + NOTICE).to_string()),
        (PRESENT.to_owned(), numbers.join(",")),
    ])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn board(numbers: &[u32]) -> Board {
        numbers
            .iter()
            .flat_map(|number| announcement(*number, "pod"))
            .collect()
    }

    fn look(board: &Board, seconds: i64) -> Next {
        next(board, 3, at(0), at(seconds), Duration::from_secs(60)).unwrap()
    }

    #[test]
    fn everybody_begins_a_little_after_the_last_one_has_come() {
        assert_eq!(look(&board(&[]), 0), Next::Wait(vec![0, 1, 2]));
        assert_eq!(look(&board(&[2, 0]), 30), Next::Wait(vec![1]));
        let mut all = board(&[2, 0, 1]);
        let Next::Call(texts) = look(&all, 40) else {
            panic!("nobody is called");
        };
        all.extend(texts);
        let begin = Next::Begin(at(45), vec![0, 1, 2]);
        assert_eq!(look(&all, 40), begin);
        assert_eq!(look(&all, 1000), begin);
    }

    #[test]
    fn whoever_has_not_come_in_time_takes_no_part() {
        let mut some = board(&[0, 2, 7]);
        assert_eq!(look(&some, 60), Next::Wait(vec![1]));
        let Next::Call(texts) = look(&some, 61) else {
            panic!("nobody is called");
        };
        some.extend(texts);
        some.extend(announcement(1, "late"));
        assert_eq!(look(&some, 62), Next::Begin(at(66), vec![0, 2]));
    }

    #[test]
    fn what_nobody_of_them_has_written_is_not_begun_with() {
        for (begin, present) in [("soon", "0"), ("2026-11-26T09:00:00Z", "all")] {
            let mut own = board(&[0]);
            own.insert(BEGIN.to_owned(), begin.to_owned());
            own.insert(PRESENT.to_owned(), present.to_owned());
            let next = next(&own, 1, at(0), at(1), Duration::ZERO);
            assert!(next.is_err(), "{begin} {present}");
        }
    }
}
