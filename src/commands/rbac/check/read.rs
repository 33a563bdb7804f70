//! The objects of all files, read by all processors.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::sources::{Source, Text};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::rbac::manifest::{self, Objects, Unreadable};

/// Reads what one `-f` names. Of several that cannot be read the first is told of.
pub(super) fn objects(source: &Source) -> Result<Objects, Failure> {
    let mut objects = Objects::default();
    for (text, read) in source.texts.iter().zip(read_all(&source.texts)) {
        match read {
            Ok(read) => objects.extend(read),
            Err(unreadable) => return Err(refused(&text.name, &unreadable)),
        }
    }
    if objects.count == 0 {
        let name = match source.given.as_str() {
            "-" => "stdin",
            given => given,
        };
        let message = format!("no Kubernetes objects in {name}: it is empty");
        return Err(Failure::says(Exit::BadInput, message)
            .hint("a pipe whose first command failed is empty: set -o pipefail"));
    }
    Ok(objects)
}

fn read_all(texts: &[Text]) -> Vec<Result<Objects, Unreadable>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(texts.len()));
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(text) = texts.get(at) else {
                return;
            };
            let read = manifest::read(&text.name, &text.bytes);
            done.lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .push((at, read));
        }
    };
    let processors = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 1..processors.min(texts.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut done = done
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, read)| read).collect()
}

fn refused(name: &str, unreadable: &Unreadable) -> Failure {
    let Unreadable { mark, message } = unreadable;
    let message = format!("{name}:{}:{}: {message}", mark.line, mark.column);
    let failure = Failure::says(Exit::BadInput, message);
    if unreadable.message.contains("{{") {
        failure.hint("helm template CHART | gwlock rbac check -f -")
    } else {
        failure
    }
}
