//! Which timing leases should have, from what was measured: samples in, risks, recovery times and a recommendation out.
//!
//! Nothing is read or asked here, and no time passes. The arrows: `history` and `metrics` make `measured` of what they are
//! given, `model` judges a timing by it, `advice` chooses one, `trial` has it simulated, and `report` puts all of it into
//! words. docs/tuning.md has the formulas.

pub(crate) mod advice;
mod bound;
mod distribution;
mod history;
mod measured;
pub(crate) mod metrics;
mod model;
pub(crate) mod report;
pub(crate) mod trial;

#[cfg(test)]
mod tests;

pub(crate) use history::measure;
pub(crate) use measured::Measured;
