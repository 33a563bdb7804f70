//! Whole simulations: what each scenario shows, that a seed is a run, and that damaged histories are found.

mod mutations;
mod scenarios;

use super::protocol::Protocol;
use super::scenario::Scenario;
use super::{Run, Settings, run};

fn settings(scenario: &str, protocol: &str) -> Settings {
    let built_in = Scenario::built_in(scenario).unwrap();
    Settings {
        name: scenario.to_owned(),
        protocol: match protocol {
            "" => built_in.protocol.clone(),
            protocol => protocol.parse::<Protocol>().unwrap(),
        },
        scenario: built_in,
        command: format!("gwlock simulate --scenario {scenario} --protocol {protocol}"),
    }
}

fn rules(run: &Run) -> Vec<&'static str> {
    let rules = run
        .violations
        .iter()
        .map(|violation| violation.rule.as_str());
    rules.collect()
}
