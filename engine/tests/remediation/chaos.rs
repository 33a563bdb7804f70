//! Storms over several processes while requests and answers get lost, late and refused: what the machine promises, kept
//! by the code that drives it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use gwlock_apiserver::faults::{Action, Fault};
use gwlock_engine::remediation::dedup::is_active;
use gwlock_engine::remediation::{Disposition, Failure, Processed, SignalProcessor};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use super::world::{World, signal};

const PROCESSES: usize = 5;
const SIGNALS: usize = 150;
const FAULTS: usize = 40;
/// How long signals come.
const LASTING: Duration = Duration::from_secs(20);

/// How a signal ended for its sender; `None` if the sender went away.
type Ending = Option<Result<Processed, Failure>>;

#[derive(Debug, Default)]
struct Seen {
    created: usize,
    duplicates: usize,
    failed: usize,
    unknown: usize,
    gone: usize,
}

fn millis(rng: &mut StdRng, most: u64) -> Duration {
    Duration::from_millis(rng.random_range(0..=most))
}

fn fault(rng: &mut StdRng) -> Fault {
    let refused = |status| Action::Refuse {
        status,
        retry_after: None,
    };
    let action = match rng.random_range(0..10) {
        0 => Action::Delay(millis(rng, 6000)),
        1 => Action::DelayAnswer(millis(rng, 6000)),
        2 => Action::LoseAnswer,
        3 => Action::LoseRequest,
        // Beyond time-out and grace a request cannot land any more.
        4 => Action::Late(millis(rng, 5900)),
        5 => refused(429),
        6 => refused(500),
        7 => refused(504),
        8 => Action::Disguise { status: 500 },
        _ => Action::Disguise { status: 503 },
    };
    let verbs = ["list", "get", "create", "patch", "delete"];
    let verb = verbs[rng.random_range(0..verbs.len())];
    let skip = rng.random_range(0..60);
    Fault::new(action)
        .user("gateway")
        .verb(verb)
        .after(skip)
        .times(1)
}

async fn send(processor: SignalProcessor, after: Duration, patience: Duration) -> Ending {
    tokio::time::sleep(after).await;
    tokio::time::timeout(patience, processor.process(signal()))
        .await
        .ok()
}

/// Moves requests on, and looks that no two of them are ever active.
async fn orchestrate(world: &World, mut rng: StdRng) {
    for _ in 0..300 {
        let pause = Duration::from_millis(20) + millis(&mut rng, 200);
        tokio::time::sleep(pause).await;
        let requests = world.requests().await;
        let active: Vec<_> = requests
            .iter()
            .filter(|request| is_active(request))
            .collect();
        assert!(active.len() <= 1, "{active:#?}");
        let phases = ["Pending", "Executing", "Verifying", "Completed", "Failed"];
        let phase = phases[rng.random_range(0..phases.len())];
        if let Some(request) = active.first()
            && rng.random_bool(0.2)
        {
            let status = json!({"overallPhase": phase});
            world.set_status(&request.name, status).await;
        }
    }
}

async fn storm(seed: u64, seen: &mut Seen) {
    let mut rng = StdRng::seed_from_u64(seed);
    let world = World::with_rules(json!([
        {"apiGroups": ["kubernaut.ai"], "resources": ["*"], "verbs": ["*"]}
    ]))
    .await;
    for _ in 0..FAULTS {
        let fault = fault(&mut rng);
        world.server.faults().inject(fault);
    }
    // The first fault that fits acts. What is left of the requests takes its time too, so that writes cross.
    let usual = Fault::new(Action::Delay(Duration::from_millis(10)));
    world.server.faults().inject(usual.user("gateway"));
    let pods: Vec<SignalProcessor> = (0..PROCESSES)
        .map(|number| {
            let pod = world.pod(&format!("gateway-{number}"));
            let seed = rng.random_range(0..u64::MAX);
            pod.rng(StdRng::seed_from_u64(seed)).build()
        })
        .collect();
    let mut signals = Vec::new();
    for number in 0..SIGNALS {
        // Two storms, and a trickle between them.
        let after = match number % 3 {
            0 => millis(&mut rng, 100),
            1 => LASTING / 2 + millis(&mut rng, 100),
            _ => LASTING.mul_f64(rng.random::<f64>()),
        };
        let is_patient = rng.random_bool(0.9);
        let patience = if is_patient {
            Duration::from_secs(60)
        } else {
            millis(&mut rng, 2000)
        };
        signals.push(send(pods[number % PROCESSES].clone(), after, patience));
    }
    let orchestrator = orchestrate(&world, StdRng::seed_from_u64(seed + 1));
    let (endings, ()) = tokio::join!(join_all(signals), orchestrator);
    for pod in &pods {
        pod.settled().await;
    }
    judge(&world, &endings, seen).await;
}

async fn judge(world: &World, endings: &[Ending], seen: &mut Seen) {
    let mut answered: BTreeMap<&str, BTreeSet<i32>> = BTreeMap::new();
    let mut open = 0;
    for ending in endings {
        match ending {
            None => {
                seen.gone += 1;
                open += 1;
            }
            Some(Err(Failure::Unknown(_))) => {
                seen.unknown += 1;
                open += 1;
            }
            Some(Err(_)) => seen.failed += 1,
            Some(Ok(processed)) => {
                match processed.disposition {
                    Disposition::Created => seen.created += 1,
                    Disposition::Duplicate(_) => seen.duplicates += 1,
                }
                let is_new = answered
                    .entry(&processed.name)
                    .or_default()
                    .insert(processed.count);
                assert!(is_new, "two answers with one count: {processed:?}");
            }
        }
    }
    let mut counted = 0;
    for request in world.requests().await {
        let count = usize::try_from(request.count()).unwrap();
        let answers = answered.get(request.name.as_str());
        let highest = answers.and_then(BTreeSet::last).copied().unwrap_or(0);
        assert!(highest <= request.count(), "{request:?}: {answers:?}");
        assert!(answers.map_or(0, BTreeSet::len) <= count, "{request:?}");
        counted += count;
    }
    let answers: usize = answered.values().map(BTreeSet::len).sum();
    assert!(
        (answers..=answers + open).contains(&counted),
        "{counted} counted, {answers} answered, {open} open"
    );
}

async fn storms(seeds: std::ops::Range<u64>) {
    let mut seen = Seen::default();
    for seed in seeds {
        storm(seed, &mut seen).await;
    }
    // A checker that sees nothing happen proves nothing.
    for (what, count) in [
        ("created", seen.created),
        ("duplicates", seen.duplicates),
        ("unknown", seen.unknown),
        ("gone", seen.gone),
    ] {
        assert!(count > 10, "{what} only {count} times: {seen:?}");
    }
    assert!(
        (seen.unknown + seen.failed) * 2 < seen.created + seen.duplicates,
        "{seen:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn storms_in_bad_weather_are_counted_right() {
    storms(0..5).await;
}

#[tokio::test(start_paused = true)]
#[ignore = "soak"]
async fn very_many_storms_in_bad_weather_are_counted_right() {
    storms(1000..1200).await;
}
