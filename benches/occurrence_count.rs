//! What exact occurrence counts cost, against the ways that were open: `cargo bench --bench occurrence_count`.
//!
//! Prints the tables of docs/decisions/occurrence-count.md. Time is simulated and chance is seeded, so the figures are the
//! same on every machine.

#[path = "occurrence_count/ways.rs"]
mod ways;

#[expect(clippy::disallowed_macros, reason = "this is what it is run for")]
fn main() {
    print!("{}", ways::tables());
}
