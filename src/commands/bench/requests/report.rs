//! What the cases have cost, and what that means at a rate of signals.

use serde_json::{Value, json};

use super::cases::{Case, Cost, Protocol};
use crate::commands::asked::Asked;
use crate::output::{API_VERSION, OutputError, format::Format, table};

/// The rates that the gateway's own estimate is given for.
const RATES: [u32; 5] = [1, 4, 8, 1000, 5000];

pub(super) struct Report {
    pub(super) simultaneous: u32,
    pub(super) rows: Vec<Row>,
}

/// A case and what it has cost.
pub(super) struct Row {
    case: Case,
    gwlock: Option<Cost>,
    gateway: Option<Cost>,
}

/// A column of the rates: signals of one kind through one protocol.
struct Rate<'a> {
    header: &'static str,
    cost: &'a Cost,
}

impl Row {
    pub(super) fn of(case: Case) -> Self {
        Self {
            case,
            gwlock: None,
            gateway: None,
        }
    }

    pub(super) fn add(&mut self, protocol: Protocol, cost: Option<Cost>) {
        match protocol {
            Protocol::Gwlock => self.gwlock = cost,
            #[cfg(feature = "sim")]
            Protocol::Gateway => self.gateway = cost,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.gwlock.is_none() && self.gateway.is_none()
    }
}

impl Cost {
    fn requests(&self) -> usize {
        self.asked.len()
    }

    /// Requests per second at so many signals per second, rounded up.
    fn at(&self, rate: u32) -> u64 {
        let requests = u64::try_from(self.requests()).unwrap_or(u64::MAX);
        (requests * u64::from(rate)).div_ceil(u64::from(self.signals))
    }

    /// Every request in its order; what repeats stands once.
    fn steps(&self) -> String {
        let words: Vec<String> = self.asked.iter().map(short).collect();
        folded(&words).join(", ")
    }
}

/// Words, with the longest stretch of several that repeat as one.
fn folded(words: &[String]) -> Vec<String> {
    let starts = 0..words.len();
    let stretches = starts.flat_map(|start| {
        let rest = &words[start..];
        (2..=rest.len() / 2).map(move |period| {
            let block = &rest[..period];
            let times = rest.chunks(period).take_while(|chunk| *chunk == block);
            (start, period, times.count())
        })
    });
    let repeating = stretches.filter(|(_, _, times)| *times > 1);
    // The shortest block of the longest stretch; the last one, because what comes before it is usually special.
    let longest = repeating.max_by_key(|(start, period, times)| (period * times, *times, *start));
    let Some((start, period, times)) = longest else {
        return words.to_vec();
    };
    let (before, rest) = words.split_at(start);
    let block = rest[..period].join(", ");
    let mut steps = folded(before);
    steps.push(format!("{times} × ({block})"));
    steps.extend(folded(&rest[period * times..]));
    steps
}

/// In kubectl's short names.
fn short(asked: &Asked) -> String {
    let resource = asked.resource.replace("remediationrequests", "rr");
    format!("{} {}", asked.verb, resource.replace("leases", "lease"))
}

impl Report {
    pub(super) fn print(&self, format: &Format) -> Result<String, OutputError> {
        if format.is_structured() {
            return format.print(&self.value());
        }
        let is_wide = *format == Format::Wide;
        let (header, rows) = self.cases(is_wide);
        let cases = table::render(&header, &rows);
        let (header, rows) = self.rates();
        Ok(format!("{cases}\n{}", table::render(&header, &rows)))
    }

    pub(super) fn markdown(&self) -> String {
        let (header, rows) = self.cases(true);
        let cases = markdown(&header, &rows);
        let (header, rows) = self.rates();
        format!("{cases}\n{}", markdown(&header, &rows))
    }

    fn is_compared(&self) -> bool {
        self.rows.iter().any(|row| row.gateway.is_some())
    }

    fn cases(&self, with_steps: bool) -> (Vec<&'static str>, Vec<Vec<String>>) {
        let mut header = vec!["SIGNAL", "GWLOCK"];
        if self.is_compared() {
            header.push("GATEWAY");
        }
        if with_steps {
            header.push("GWLOCK REQUESTS");
            if self.is_compared() {
                header.push("GATEWAY REQUESTS");
            }
        }
        let cells = |row: &Row| {
            let costs = [
                Some(&row.gwlock),
                self.is_compared().then_some(&row.gateway),
            ];
            let costs: Vec<&Option<Cost>> = costs.into_iter().flatten().collect();
            let count = |cost: &&Option<Cost>| {
                let count = cost.as_ref().map(|cost| cost.requests().to_string());
                count.unwrap_or_else(|| "-".to_owned())
            };
            let mut cells = vec![row.case.to_string()];
            cells.extend(costs.iter().map(count));
            if with_steps {
                let steps = |cost: &&Option<Cost>| {
                    let steps = cost.as_ref().map(Cost::steps).unwrap_or_default();
                    if steps.is_empty() {
                        "-".to_owned()
                    } else {
                        steps
                    }
                };
                cells.extend(costs.iter().map(steps));
            }
            cells
        };
        (header, self.rows.iter().map(cells).collect())
    }

    fn rates(&self) -> (Vec<&'static str>, Vec<Vec<String>>) {
        let columns = self.columns();
        let mut header = vec!["SIGNALS/S"];
        header.extend(columns.iter().map(|column| column.header));
        let cells = |rate: &u32| {
            let mut cells = vec![rate.to_string()];
            cells.extend(
                columns
                    .iter()
                    .map(|column| column.cost.at(*rate).to_string()),
            );
            cells
        };
        (header, RATES.iter().map(cells).collect())
    }

    fn columns(&self) -> Vec<Rate<'_>> {
        let find = |name: &str| self.rows.iter().find(|row| row.case.name() == name);
        let ours = |name, header| {
            let cost = find(name)?.gwlock.as_ref()?;
            Some(Rate { header, cost })
        };
        let theirs = |name, header| {
            let cost = find(name)?.gateway.as_ref()?;
            Some(Rate { header, cost })
        };
        let columns = [
            ours("New", "GWLOCK NEW"),
            ours("Duplicate", "GWLOCK DUPLICATES"),
            ours("SimultaneousDuplicates", "GWLOCK STORM"),
            theirs("New", "GATEWAY NEW"),
            theirs("Duplicate", "GATEWAY DUPLICATES"),
            theirs("SimultaneousDuplicates", "GATEWAY STORM"),
        ];
        columns.into_iter().flatten().collect()
    }

    fn value(&self) -> Value {
        let cost = |cost: &Cost| {
            let steps: Vec<Value> = cost
                .asked
                .iter()
                .map(|asked| json!({"verb": asked.verb, "resource": asked.resource}))
                .collect();
            json!({"requests": cost.requests(), "steps": steps})
        };
        let items = self.rows.iter().map(|row| {
            let any = row.gwlock.as_ref().or(row.gateway.as_ref());
            let mut item = json!({
                "case": row.case.name(), "description": row.case.to_string(),
                "signals": any.map_or(1, |cost| cost.signals),
            });
            if let Some(gwlock) = &row.gwlock {
                item["gwlock"] = cost(gwlock);
            }
            if let Some(gateway) = &row.gateway {
                item["gateway"] = cost(gateway);
            }
            item
        });
        let rates = RATES.iter().map(|rate| {
            let columns = self.columns().into_iter().map(|column| {
                let name = camel(column.header);
                (name, json!(column.cost.at(*rate)))
            });
            let mut rates: serde_json::Map<String, Value> = columns.collect();
            rates.insert("signalsPerSecond".to_owned(), json!(rate));
            Value::Object(rates)
        });
        json!({
            "apiVersion": API_VERSION, "kind": "SignalRequestsReport", "simultaneous": self.simultaneous,
            "items": items.collect::<Vec<_>>(), "requestsPerSecond": rates.collect::<Vec<_>>(),
        })
    }
}

/// `GWLOCK NEW` as `gwlockNew`.
fn camel(header: &str) -> String {
    let mut words = header.split(' ').map(str::to_lowercase);
    let first = words.next().unwrap_or_default();
    words.fold(first, |name, word| {
        let (head, tail) = word.split_at(1);
        format!("{name}{}{tail}", head.to_uppercase())
    })
}

fn markdown(header: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let sentence = |cell: &&str| {
        let cell = cell.to_lowercase();
        let (head, tail) = cell.split_at(1);
        format!("{}{tail}", head.to_uppercase())
    };
    let header: Vec<String> = header.iter().map(sentence).collect();
    let rows: String = rows.iter().map(|row| line(row)).collect();
    format!("{}|{}\n{rows}", line(&header), "---|".repeat(header.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(signals: u32, words: &[(&'static str, &str)]) -> Cost {
        let asked = words.iter().map(|(verb, resource)| Asked {
            verb,
            resource: (*resource).to_owned(),
        });
        Cost {
            signals,
            asked: asked.collect(),
        }
    }

    #[test]
    fn what_repeats_stands_once() {
        let pair = [
            ("list", "remediationrequests"),
            ("patch", "remediationrequests/status"),
        ];
        assert_eq!(cost(1, &pair).steps(), "list rr, patch rr/status");
        let twice = cost(2, &pair.repeat(2));
        assert_eq!(twice.steps(), "2 × (list rr, patch rr/status)");
        let mut once_more = vec![("get", "leases")];
        once_more.extend(pair.repeat(3));
        once_more.push(("get", "leases"));
        assert_eq!(
            cost(3, &once_more).steps(),
            "get lease, 3 × (list rr, patch rr/status), get lease"
        );
        assert_eq!(cost(1, &[("get", "leases")]).steps(), "get lease");
        assert_eq!(cost(1, &[]).steps(), "");
    }

    #[test]
    fn a_rate_is_that_of_each_signal_and_rounded_up() {
        let storm = cost(20, &[("list", "a"), ("patch", "b")]);
        assert_eq!(RATES.map(|rate| storm.at(rate)), [1, 1, 1, 100, 500]);
        assert_eq!(cost(1, &[("list", "a"); 8]).at(1000), 8000);
    }

    #[test]
    fn names_in_json_are_in_camel_case() {
        assert_eq!(camel("GATEWAY DUPLICATES"), "gatewayDuplicates");
    }
}
