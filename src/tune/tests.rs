//! Models against hand-computed cases and against chance, readings of histories, and what simulations say of predictions.

mod histories;
mod models;
mod trials;

use super::distribution::Distribution;
use super::measured::{Measured, Requests};

/// Requests of which so many were answered, each after this time.
fn requests(answered: u64, seconds: f64) -> Requests {
    Requests {
        latencies: Distribution::weighted([(seconds, answered)]),
        answered,
        ..Requests::default()
    }
}

/// Ten thousand holds of this length, as many requests, watched for so long.
fn measured(hold: f64, watched: f64) -> Measured {
    Measured {
        holds: Distribution::weighted([(hold, 10_000)]),
        leases: requests(10_000, 0.01),
        all: requests(50_000, 0.01),
        watched,
        pauses: Some(Distribution::default()),
        ..Measured::default()
    }
}
