//! Which blocks a run consists of, and what each has to show.

use std::time::Duration;

use super::block::Block;
use super::checks::{self, Check};
use super::checks::{CONTENDED_RISE, UNCONTENDED_RISE};
use super::measured::Measured;
use super::mix::Load;
use super::report::{Highest, Item, Report};
use super::search::Search;
use super::{Arguments, Bench, Broken, Preset, Protocol};
use crate::output;

const RATE: f64 = 100.0;
const DURATION: Duration = Duration::from_secs(30);
const DUPLICATES: f64 = 0.9;

const THOUSAND: f64 = 1000.0;
/// How long presets take.
const MINUTE: Duration = Duration::from_secs(60);
/// How long a rate is tried in a search.
const TRIAL: Duration = Duration::from_secs(10);
/// Plan P5's.
const P5_RATE: f64 = 50.0;

/// Measures whatever was asked for.
pub(super) async fn measure(
    arguments: &Arguments,
    bench: &mut Bench<'_>,
) -> Result<Report, Broken> {
    if arguments.find_rate {
        return find_rate(arguments, bench).await;
    }
    match arguments.preset {
        Some(Preset::P5) => p5(arguments, bench).await,
        Some(Preset::Thousand) => {
            let block = block(arguments, THOUSAND, MINUTE);
            loads(arguments, bench, &[block], checks::of_rate).await
        }
        None => {
            let one = [arguments.rate.unwrap_or(RATE)];
            let rates = match arguments.rates.as_slice() {
                [] => &one[..],
                rates => rates,
            };
            let block = |rate: &f64| block(arguments, *rate, DURATION);
            let blocks: Vec<Block> = rates.iter().map(block).collect();
            loads(arguments, bench, &blocks, checks::of_load).await
        }
    }
}

/// A block of gwlock's with what was asked for, and otherwise with this.
fn block(arguments: &Arguments, rate: f64, duration: Duration) -> Block {
    Block {
        protocol: Protocol::Gwlock,
        load: Load {
            rate: arguments.rate.unwrap_or(rate),
            duration: arguments.duration.unwrap_or(duration),
            warm_up: arguments.warm_up,
            duplicates: arguments.duplicates.unwrap_or(DUPLICATES),
            working_set: arguments.fingerprints,
        },
        replicas: arguments.replicas,
        limit: arguments.limit,
        gives_up: false,
    }
}

/// The protocols that are measured in turn, and how often.
fn turns(arguments: &Arguments) -> (Vec<Protocol>, u32) {
    if arguments.compare.is_some() {
        return (vec![Protocol::Gwlock, Protocol::Gateway], arguments.repeats);
    }
    (vec![Protocol::Gwlock], 1)
}

/// One block after the other, each with the other protocol in turn.
async fn loads(
    arguments: &Arguments,
    bench: &mut Bench<'_>,
    blocks: &[Block],
    checks_of: fn(&Measured) -> Vec<Check>,
) -> Result<Report, Broken> {
    let (protocols, repeats) = turns(arguments);
    let mut report = Report::default();
    for block in blocks {
        for _ in 0..repeats {
            for protocol in &protocols {
                let block = Block {
                    protocol: *protocol,
                    ..*block
                };
                let measured = bench.measure(block).await?;
                if *protocol == Protocol::Gwlock {
                    report.checks.extend(checks_of(&measured));
                }
                report.items.push(Item::of(measured));
            }
        }
    }
    Ok(report)
}

/// A search for each protocol, in turn, so that both see the same machine.
async fn find_rate(arguments: &Arguments, bench: &mut Bench<'_>) -> Result<Report, Broken> {
    let block = Block {
        gives_up: true,
        ..block(arguments, RATE, TRIAL)
    };
    let (protocols, _) = turns(arguments);
    let searches = protocols.into_iter();
    let mut searches: Vec<(Protocol, Search)> = searches
        .map(|protocol| (protocol, Search::from(block.load.rate)))
        .collect();
    let mut report = Report::default();
    while searches.iter().any(|(_, search)| search.next().is_some()) {
        for (protocol, search) in &mut searches {
            let Some(rate) = search.next() else {
                continue;
            };
            let load = Load { rate, ..block.load };
            let block = Block {
                protocol: *protocol,
                load,
                ..block
            };
            let measured = bench.measure(block).await?;
            let outcome = if measured.is_held() { "held" } else { "missed" };
            output::note(&format!("{block}: {outcome}"));
            search.tell(measured.is_held());
            if *protocol == Protocol::Gwlock {
                report.checks.push(checks::of_counts(&measured));
            }
            report.items.push(Item::of(measured));
        }
    }
    report.highest = searches
        .into_iter()
        .map(|(protocol, search)| Highest {
            protocol,
            rate: search.found(),
        })
        .collect();
    report.checks.extend(checks::of_search(&report.highest));
    Ok(report)
}

/// Plan P5: what a lock costs where nobody else wants it, and where everybody does.
async fn p5(arguments: &Arguments, bench: &mut Bench<'_>) -> Result<Report, Broken> {
    let block = block(arguments, P5_RATE, MINUTE);
    let each = Load {
        duplicates: 0.0,
        ..block.load
    };
    let same = Load {
        duplicates: 1.0,
        working_set: 1,
        ..block.load
    };
    let of = |protocol, load| Block {
        protocol,
        load,
        ..block
    };
    let mut report = Report::default();
    let baseline = bench.measure(of(Protocol::Unlocked, each)).await?;
    report.items.push(Item::named("no lock", baseline.clone()));
    for (name, load, rise) in [
        ("uncontended", each, UNCONTENDED_RISE),
        ("contended", same, CONTENDED_RISE),
    ] {
        let (protocols, _) = turns(arguments);
        for protocol in protocols {
            let measured = bench.measure(of(protocol, load)).await?;
            if protocol == Protocol::Gwlock {
                let checks = checks::of_rise(&baseline, &measured, name, rise);
                report.checks.extend(checks);
            }
            report.items.push(Item::named(name, measured));
        }
    }
    Ok(report)
}
