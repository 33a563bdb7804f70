//! What the blocks add up to.

use std::time::Duration;

use serde_json::json;

use super::block::Block;
use crate::output::{API_VERSION, OutputError, format::Format, table};

/// The blocks for one number of clients, in the order in which they ran.
#[derive(Debug)]
pub(super) struct Row {
    clients: u32,
    pub(super) ours: Vec<Block>,
    pub(super) bare: Vec<Block>,
    pub(super) gateway: Vec<Block>,
}

impl Row {
    pub(super) fn new(clients: u32) -> Self {
        Self {
            clients,
            ours: Vec::new(),
            bare: Vec::new(),
            gateway: Vec::new(),
        }
    }

    fn ours(&self, figure: impl Fn(&Block) -> f64) -> f64 {
        median(self.ours.iter().map(figure).collect())
    }

    /// The median of the ratios of neighbouring blocks, which ran at the same speed of the machine.
    fn ratio(&self, other: &[Block]) -> f64 {
        median(
            self.ours
                .iter()
                .zip(other)
                .map(|(own, other)| own.rounds_per_second() / other.rounds_per_second())
                .collect(),
        )
    }

    fn percentile(&self, percent: usize) -> f64 {
        let mut rounds: Vec<Duration> = self
            .ours
            .iter()
            .flat_map(|block| block.rounds.iter().copied())
            .collect();
        rounds.sort();
        let last = rounds.len().saturating_sub(1);
        rounds
            .get(last * percent / 100)
            .copied()
            .unwrap_or_default()
            .as_secs_f64()
            * 1e3
    }
}

/// All rows in the chosen format.
pub(super) fn print(rows: &[Row], format: &Format) -> Result<String, OutputError> {
    if format.is_structured() {
        let items: Vec<_> = rows.iter().map(value).collect();
        return format.print(
            &json!({"apiVersion": API_VERSION, "kind": "LeaseBenchReport", "items": items}),
        );
    }
    let compared = rows.iter().any(|row| !row.gateway.is_empty());
    let mut header = vec![
        "CLIENTS",
        "ROUNDS/S",
        "REQUESTS/ROUND",
        "CPU/ROUND",
        "P50",
        "P95",
        "P99",
        "BARE ROUNDS/S",
        "RATIO",
    ];
    if compared {
        header.extend(["GATEWAY ROUNDS/S", "RATIO"]);
    }
    let table_rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let mut cells = vec![
                row.clients.to_string(),
                format!("{:.0}", row.ours(Block::rounds_per_second)),
                format!("{:.2}", row.ours(Block::requests_per_round)),
                format!("{:.3}ms", row.ours(Block::cpu_ms_per_round)),
            ];
            cells.extend([50, 95, 99].map(|percent| format!("{:.2}ms", row.percentile(percent))));
            cells.push(format!("{:.0}", rounds_per_second(&row.bare)));
            cells.push(format!("{:.2}", row.ratio(&row.bare)));
            if compared {
                cells.push(format!("{:.0}", rounds_per_second(&row.gateway)));
                cells.push(format!("{:.2}", row.ratio(&row.gateway)));
            }
            cells
        })
        .collect();
    Ok(table::render(&header, &table_rows))
}

fn value(row: &Row) -> serde_json::Value {
    let round = |number: f64| (number * 1e3).round() / 1e3;
    let mut value = json!({
        "clients": row.clients,
        "roundsPerSecond": round(row.ours(Block::rounds_per_second)),
        "requestsPerRound": round(row.ours(Block::requests_per_round)),
        "clientCpuMsPerRound": round(row.ours(Block::cpu_ms_per_round)),
        "p50Ms": round(row.percentile(50)), "p95Ms": round(row.percentile(95)), "p99Ms": round(row.percentile(99)),
        "bareRoundsPerSecond": round(rounds_per_second(&row.bare)),
        "ratio": round(row.ratio(&row.bare)),
    });
    if !row.gateway.is_empty() {
        value["gatewayRoundsPerSecond"] = json!(round(rounds_per_second(&row.gateway)));
        value["ratioToGateway"] = json!(round(row.ratio(&row.gateway)));
    }
    value
}

fn rounds_per_second(blocks: &[Block]) -> f64 {
    median(blocks.iter().map(Block::rounds_per_second).collect())
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    match figures.len() {
        0 => 0.0,
        length if length % 2 == 1 => figures[length / 2],
        length => f64::midpoint(figures[length / 2 - 1], figures[length / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_of_an_even_number_lies_between_the_middle_two() {
        assert!((median(vec![4.0, 1.0, 3.0, 2.0]) - 2.5).abs() < 1e-9);
        assert!((median(vec![9.0, 1.0, 3.0]) - 3.0).abs() < 1e-9);
        assert!(median(Vec::new()).abs() < 1e-9);
    }
}
