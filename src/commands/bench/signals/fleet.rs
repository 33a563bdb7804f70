//! The replicas of a block: real processes of `gwlock serve` on loopback, and what they count.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use http_body_util::BodyExt as _;

use super::Protocol;
use super::alerts::Http;
use super::scrape::Requests;
use crate::commands::bench::place::Place;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::escape::escape_line;
use crate::process::replica::{Launch, Replica, StartError};

/// How long a replica may take to answer what it has accepted, and to release its leases.
const ENDS_WITHIN: Duration = Duration::from_secs(30);
/// How often replicas are asked whether they still do something, and how often at most.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
const LOOKS: u32 = 100;

pub(super) struct Fleet {
    replicas: Vec<Replica>,
    http: Http,
}

impl Fleet {
    /// Starts replicas that speak a protocol, and waits until all of them serve.
    pub(super) async fn start(
        context: &Context,
        place: &Place,
        protocol: Protocol,
        number: u32,
        http: Http,
    ) -> Result<Self, Failure> {
        let namespace = place.namespace.as_str();
        let mut arguments: Vec<String> = context.cluster_arguments();
        let own = [
            "--namespace",
            namespace,
            "--controller-namespace",
            namespace,
        ];
        // The alerts are about nothing that anybody has marked as managed.
        arguments.extend(own.into_iter().chain(["--scope", "all"]).map(str::to_owned));
        arguments.extend(["--protocol", protocol.name()].map(str::to_owned));
        let replicas = (0..number).map(|replica| {
            Replica::start(Launch {
                identity: format!("gwlock-bench-{replica}"),
                arguments: arguments.iter().map(Into::into).collect(),
                environment: Vec::new(),
            })
        });
        let replicas = try_join_all(replicas).await;
        let replicas = replicas.map_err(|error| not_started(&error))?;
        Ok(Self { replicas, http })
    }

    /// Where signals are sent to.
    pub(super) fn signals(&self) -> Vec<String> {
        let replicas = self.replicas.iter();
        replicas.map(|replica| replica.signals.clone()).collect()
    }

    /// Where each says what it counts.
    pub(super) fn metrics(&self) -> Vec<String> {
        let replicas = self.replicas.iter();
        replicas.map(metrics_of).collect()
    }

    /// What each counts now.
    pub(super) async fn scrape(&self) -> Result<Vec<String>, Failure> {
        let replicas = self.replicas.iter();
        try_join_all(replicas.map(|replica| self.read(replica))).await
    }

    /// Their requests to the API server up to now.
    pub(super) async fn requests(&self) -> Result<Requests, Failure> {
        let mut requests = Requests::default();
        for text in self.scrape().await? {
            requests.add(&Requests::read(&text));
        }
        Ok(requests)
    }

    /// Waits until they send nothing any more: leases are released after the answer.
    pub(super) async fn at_rest(&self) -> Result<(), Failure> {
        let mut earlier = self.requests().await?;
        for _ in 0..LOOKS {
            tokio::time::sleep(BETWEEN_LOOKS).await;
            let now = self.requests().await?;
            if now == earlier {
                break;
            }
            earlier = now;
        }
        Ok(())
    }

    /// Ends them as a cluster does. Afterwards none of them writes any more.
    pub(super) async fn end(self) {
        join_all(
            self.replicas
                .into_iter()
                .map(|replica| replica.end(ENDS_WITHIN)),
        )
        .await;
    }

    async fn read(&self, replica: &Replica) -> Result<String, Failure> {
        let gone = |error: String| {
            let said = replica.said();
            let said: Vec<_> = said.iter().map(|line| escape_line(line)).collect();
            let (identity, said) = (&replica.identity, said.join("\n"));
            let message = format!(
                "replica {identity} does not tell its metrics: {error}; it has said:\n{said}"
            );
            Failure::says(Exit::Unreachable, message)
        };
        let uri = metrics_of(replica).parse();
        let uri = uri.map_err(|error: http::uri::InvalidUri| gone(error.to_string()))?;
        let response = self.http.get(uri).await;
        let response = response.map_err(|error| gone(error.to_string()))?;
        let body = response.into_body().collect().await;
        let body = body.map_err(|error| gone(error.to_string()))?;
        Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
    }
}

fn metrics_of(replica: &Replica) -> String {
    format!("{}/metrics", replica.metrics)
}

fn not_started(error: &StartError) -> Failure {
    let lines = error.to_string();
    let lines: Vec<_> = lines.lines().map(escape_line).collect();
    Failure::says(error.exit(), lines.join("\n"))
}
