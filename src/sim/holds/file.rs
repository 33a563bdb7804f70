//! Holds in a file: a line each at once, by a clock that all processes of a machine share.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustix::time::{ClockId, clock_gettime};

use crate::sim::history::{Event, What};

/// What is told of holds.
pub(crate) type Told = What;

/// Writes what is told into a file, a line each at once, so that a killed process leaves it behind. `at` is in
/// microseconds of the machine's clock since it was started, which all processes of a machine share.
pub(crate) fn to_file(path: &Path, pod: &str) -> io::Result<impl Fn(What) + Send + Sync + 'static> {
    let file = Mutex::new(File::create(path)?);
    let pod = pod.to_owned();
    Ok(move |what| {
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        let event = Event {
            at: since_boot(),
            pod: pod.clone(),
            incarnation: 0,
            what,
        };
        let mut line = serde_json::to_vec(&event).unwrap_or_default();
        line.push(b'\n');
        if let Err(error) = file.write_all(&line) {
            tracing::error!(%error, "a hold cannot be told of");
        }
    })
}

/// What [`to_file`] wrote. The last line of a killed process may be cut short.
pub(crate) fn of_file(path: &Path) -> io::Result<Vec<Event>> {
    let lines = BufReader::new(File::open(path)?).lines();
    let mut events = Vec::new();
    for line in lines {
        match serde_json::from_str(&line?) {
            Ok(event) => events.push(event),
            Err(_) => break,
        }
    }
    Ok(events)
}

/// Microseconds since the machine was started, the time included for which it was suspended.
pub(crate) fn since_boot() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    let micros = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
    u64::try_from(micros).unwrap_or(0)
}
