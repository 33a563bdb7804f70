//! Where a benchmark works that creates RemediationRequests: a namespace, whether that may be done, and its removal.

use http::{Method, Request};
use rand::Rng as _;
use rand::SeedableRng as _;
use rand::rngs::{StdRng, SysRng};
use serde_json::{Value, json};

use crate::commands::consent::{self, Consent};
use crate::commands::served;
use crate::context::Cluster;
use crate::exit::Exit;
use crate::failure::Failure;

/// A namespace in which signals are sent.
#[derive(Clone)]
pub(super) struct Place {
    /// Of whoever prepares and removes; its requests are not counted.
    pub(super) client: kube::Client,
    pub(super) namespace: String,
    /// Made for this run, and removed with it.
    pub(super) is_own: bool,
    /// What tells this run from others.
    pub(super) run: String,
    /// The benchmark, as it is typed.
    command: &'static str,
}

impl Place {
    /// The namespace that was asked for, or one of its own.
    pub(super) fn new(cluster: &Cluster, command: &'static str) -> Result<Self, Failure> {
        let run = StdRng::try_from_rng(&mut SysRng)
            .map_err(|error| Failure::new(Exit::Bug, error))?
            .next_u32();
        let given = cluster.given_namespace.clone();
        let run = format!("{run:08x}");
        Ok(Self {
            client: cluster.client.clone(),
            is_own: given.is_none(),
            namespace: given.unwrap_or_else(|| format!("gwlock-bench-{run}")),
            run,
            command,
        })
    }

    /// The same for a part of the run that is to find nothing of the parts before it. A namespace that was asked for is
    /// the same.
    #[cfg(all(feature = "serve", feature = "sim"))]
    pub(super) fn part(&self, number: usize) -> Self {
        let mut part = self.clone();
        part.run = format!("{}-{number}", self.run);
        if part.is_own {
            part.namespace = format!("gwlock-bench-{}", part.run);
        }
        part
    }

    /// Asks whoever is at the terminal.
    pub(super) async fn ask(&self, cluster: &Cluster, yes: bool) -> Result<(), Failure> {
        let (server, namespace) = (&cluster.config.cluster_url, &self.namespace);
        let question = format!(
            "This creates RemediationRequests in namespace {namespace} of {server}; what watches that namespace acts on \
             them. They are removed at the end."
        );
        let command = self.command;
        match consent::ask(cluster, yes, &question).await {
            Consent::Given => Ok(()),
            Consent::Refused => Err(Failure::says(Exit::No, "nothing was created")),
            Consent::NobodyThere => Err(Failure::says(
                Exit::Usage,
                "RemediationRequests start remediations, and nobody can be asked",
            )
            .run(format!("{command} --yes"), "creates them without asking")
            .run(
                format!("lab -- gwlock {command}"),
                "works on an API server on which nothing acts",
            )),
        }
    }

    /// Whether signals can be processed at all; nothing is made.
    pub(super) async fn check(&self) -> Result<(), Failure> {
        let elsewhere = format!("lab -- gwlock {}", self.command);
        let why = "works on one that has them";
        served::check(&self.client, &self.namespace, elsewhere, why).await
    }

    /// Makes the namespace, if it is one of its own.
    pub(super) async fn prepare(&self) -> Result<(), Failure> {
        if !self.is_own {
            return Ok(());
        }
        let namespace = json!({"metadata": {"name": self.namespace}});
        let made = self
            .try_send(Method::POST, "/api/v1/namespaces", Some(&namespace))
            .await;
        match made {
            Err(kube::Error::Api(status)) if status.code == 403 => {
                Err(Failure::denied(&status.message)
                    .hint("name one to work in: --namespace NAMESPACE"))
            }
            made => made.map(drop).map_err(|error| Failure::api(&error)),
        }
    }

    /// Removes the namespace, if it is one of its own.
    pub(super) async fn remove(&self) -> Result<(), Failure> {
        if !self.is_own {
            return Ok(());
        }
        let path = format!("/api/v1/namespaces/{}", self.namespace);
        self.delete(&path).await
    }

    pub(super) fn requests(&self, rest: &str) -> String {
        let namespace = &self.namespace;
        format!("/apis/kubernaut.ai/v1alpha1/namespaces/{namespace}/remediationrequests{rest}")
    }

    pub(super) fn leases(&self, rest: &str) -> String {
        let namespace = &self.namespace;
        format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases{rest}")
    }

    /// Deletes what may be gone already.
    pub(super) async fn delete(&self, path: &str) -> Result<(), Failure> {
        match self.try_send(Method::DELETE, path, None).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            deleted => deleted.map(drop).map_err(|error| Failure::api(&error)),
        }
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let answer = self.try_send(method, path, body).await;
        answer.map_err(|error| Failure::api(&error))
    }

    async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, kube::Error> {
        let media_type = match method {
            Method::PATCH => "application/merge-patch+json",
            _ => "application/json",
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::CONTENT_TYPE, media_type)
            .body(body.map(Value::to_string).unwrap_or_default().into_bytes())
            .map_err(kube::Error::HttpError)?;
        self.client.request(request).await
    }
}
