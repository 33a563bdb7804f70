//! What came of it, printed: a row for each signal, the reply bodies as JSON, a summary of a burst.

use std::time::Duration;

use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags::DryRun;
use crate::output::colour::HINT;
use crate::output::{self, API_VERSION, OutputError, format::Format, table};

use super::Arguments;
use super::answer::{Answer, Known, Outcome, Told};
use super::burst::{Sent, Total};
use super::trace::milliseconds;

/// Prints what was sent and says how to end.
pub(super) fn print(arguments: &Arguments, sent: Sent) -> Result<Exit, Failure> {
    match sent {
        Sent::One(Some(answer), _) => one(arguments, *answer),
        Sent::One(None, number) => {
            output::note("interrupted: nobody waited for what came of the signal");
            Ok(Exit::Signal(number.unwrap_or(2)))
        }
        Sent::Many(total) => many(arguments, *total),
    }
}

fn one(arguments: &Arguments, answer: Answer) -> Result<Exit, Failure> {
    let exit = answer.exit();
    match &arguments.output {
        format if format.is_structured() => {
            if let Some(value) = value(&answer) {
                format.show(&value)?;
            }
        }
        Format::Name => output::data(&names(&answer, arguments.dry_run.mode))?,
        format => {
            let is_told_below = answer.failure.is_some() && answer.signals.len() == 1;
            if !is_told_below {
                let rows = answer.signals.iter();
                let rows = rows.map(|told| (told, answer.took, answer.request_id.as_deref()));
                show_rows(rows, *format == Format::Wide, arguments.dry_run.mode)?;
            }
            if let Some(action) = action(&answer) {
                output::problem("hint", HINT, action);
            }
        }
    }
    match answer.failure {
        Some(mut failure) => {
            failure.exit = exit;
            Err(failure)
        }
        None => Ok(exit),
    }
}

/// A line for each RemediationRequest, as kubectl takes them.
fn names(answer: &Answer, dry_run: DryRun) -> String {
    let names = answer
        .signals
        .iter()
        .filter_map(|told| told.request.as_ref());
    names
        .map(|name| {
            format!(
                "remediationrequest.kubernaut.ai/{name}{}\n",
                dry_run.suffix()
            )
        })
        .collect()
}

/// The command that would make the object managed.
fn action(answer: &Answer) -> Option<&str> {
    answer.body.as_ref()?["rejection"]["action"].as_str()
}

/// The reply's body, and beside it what is known here.
fn value(answer: &Answer) -> Option<Value> {
    let mut value = answer.body.clone()?;
    if let Some(status) = answer.status {
        value["httpStatus"] = status.into();
    }
    if let Some(id) = &answer.request_id {
        value["requestId"] = id.as_str().into();
    }
    match answer.signals.as_slice() {
        [told] if !value["results"].is_array() => {
            if told.known.is_some() && value["signals"].is_null() {
                value["signal"] = told.signal();
            }
        }
        signals => value["signals"] = signals.iter().map(Told::signal).collect(),
    }
    Some(value)
}

fn show_rows<'a>(
    rows: impl Iterator<Item = (&'a Told, Duration, Option<&'a str>)>,
    wide: bool,
    dry_run: DryRun,
) -> Result<(), OutputError> {
    let mut header = vec![
        "STATUS",
        "COUNT",
        "REMEDIATIONREQUEST",
        "LEASE",
        "TARGET",
        "SEVERITY",
        "AUDIT-SEVERITY",
    ];
    if wide {
        header.extend(["FINGERPRINT", "TOOK", "REQUEST-ID"]);
    }
    header.push("MESSAGE");
    let rows: Vec<Vec<String>> = rows
        .map(|(told, took, request_id)| cells(told, took, request_id, wide, dry_run))
        .collect();
    output::data(&table::render(&header, &rows))
}

fn cells(
    told: &Told,
    took: Duration,
    request_id: Option<&str>,
    wide: bool,
    dry_run: DryRun,
) -> Vec<String> {
    let none = || "-".to_owned();
    let known = told.known.as_ref();
    let suffix = match told.outcome {
        Outcome::Created | Outcome::Duplicate => dry_run.suffix(),
        _ => "",
    };
    let mut cells = vec![
        format!("{}{suffix}", told.outcome.as_str()),
        told.count.map_or_else(none, |count| count.to_string()),
        told.request.clone().unwrap_or_else(none),
        told.lease().unwrap_or_else(none),
        told.target().unwrap_or_else(none),
        known.map_or_else(none, |known| known.severity.clone()),
        known.map_or_else(none, |known| known.audit_severity().to_owned()),
    ];
    if wide {
        cells.push(told.fingerprint().map_or_else(none, str::to_owned));
        cells.push(milliseconds(took));
        cells.push(request_id.map_or_else(none, str::to_owned));
    }
    // Of what went as it should the status says enough.
    let says_enough = matches!(told.outcome, Outcome::Created | Outcome::Duplicate) && !wide;
    cells.push(if says_enough {
        String::new()
    } else {
        told.message.clone()
    });
    cells
}

fn many(arguments: &Arguments, total: Total) -> Result<Exit, Failure> {
    match &arguments.output {
        format if format.is_structured() => {
            format.show(&report(&total, arguments.dry_run.mode))?;
        }
        _ => output::data(&summary(&total))?,
    }
    if let Some(number) = total.interrupted {
        let unsent = total.planned - total.answered - total.unanswered;
        output::note(&format!(
            "interrupted: {unsent} were not sent, and nobody waited for what came of {}",
            total.unanswered
        ));
        return Ok(Exit::Signal(number));
    }
    let (failed, planned) = (total.failed_requests, total.planned);
    match total.first_failure {
        Some(failure) => {
            let message = format!(
                "{failed} of {planned} requests failed, the first because: {}",
                failure.message()
            );
            Err(failure.reworded(total.exit, message))
        }
        None => Ok(total.exit),
    }
}

fn summary(total: &Total) -> String {
    let count = |outcome| total.count(outcome).to_string();
    let quantile = |quantile| {
        milliseconds(Duration::from_micros(
            total.latency.value_at_quantile(quantile),
        ))
    };
    let row = vec![
        total.answered.to_string(),
        total.signals().to_string(),
        count(Outcome::Created),
        count(Outcome::Duplicate),
        count(Outcome::Rejected),
        count(Outcome::Failed),
        format!("{:.0}/s", per_second(total)),
        quantile(0.5),
        quantile(0.95),
        quantile(0.99),
    ];
    let mut text = table::render(
        &[
            "ANSWERED",
            "SIGNALS",
            "CREATED",
            "DUPLICATE",
            "REJECTED",
            "FAILED",
            "RATE",
            "P50",
            "P95",
            "P99",
        ],
        &[row],
    );
    if !total.failures.is_empty() {
        let rows: Vec<Vec<String>> = total
            .failures
            .iter()
            .map(|(number, exit, message)| {
                vec![
                    number.to_string(),
                    exit.reason().to_owned(),
                    message.clone(),
                ]
            })
            .collect();
        text.push('\n');
        text.push_str(&table::render(&["REQUEST", "REASON", "FAILURE"], &rows));
    }
    text
}

fn per_second(total: &Total) -> f64 {
    let seconds = total.took.as_secs_f64();
    if seconds > 0.0 {
        total.answered as f64 / seconds
    } else {
        0.0
    }
}

/// A burst as JSON: the first thousand results, what all of them add up to, and the first failures.
fn report(total: &Total, dry_run: DryRun) -> Value {
    let results: Vec<Value> = total
        .results
        .iter()
        .map(|(number, result)| {
            let told = &result.told;
            json!({
                "request": number,
                "status": told.outcome.as_str(),
                "count": told.count,
                "remediationRequestName": told.request,
                "fingerprint": told.fingerprint(),
                "target": told.target(),
                "severity": told.known.as_ref().map(|known| &known.severity),
                "auditSeverity": told.known.as_ref().map(Known::audit_severity),
                "message": told.message,
                "code": told.exit.code(),
                "httpStatus": result.status,
                "requestId": result.request_id,
                "latencyMs": thousandths(result.took.as_secs_f64() * 1e3),
            })
        })
        .collect();
    let failures: Vec<Value> = total
        .failures
        .iter()
        .map(|(number, exit, message)| {
            json!({"request": number, "code": exit.code(), "reason": exit.reason(), "message": message})
        })
        .collect();
    let quantile = |quantile| {
        let micros = total.latency.value_at_quantile(quantile);
        thousandths(Duration::from_micros(micros).as_secs_f64() * 1e3)
    };
    json!({
        "apiVersion": API_VERSION,
        "kind": "SendReport",
        "dryRun": dry_run.as_str(),
        "resultsOmitted": total.signals() - results.len() as u64,
        "results": results,
        "failures": failures,
        "summary": {
            "planned": total.planned,
            "answered": total.answered,
            "unanswered": total.unanswered,
            "signals": total.signals(),
            "created": total.count(Outcome::Created),
            "duplicate": total.count(Outcome::Duplicate),
            "rejected": total.count(Outcome::Rejected),
            "resolved": total.count(Outcome::Resolved),
            "failed": total.count(Outcome::Failed),
            "seconds": thousandths(total.took.as_secs_f64()),
            "requestsPerSecond": thousandths(per_second(total)),
            "latencyMs": {"p50": quantile(0.5), "p95": quantile(0.95), "p99": quantile(0.99)},
        },
    })
}

fn thousandths(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}
