//! The ceiling: the same two requests on bare hyper, with the same connector, nothing parsed and nothing checked.

use std::sync::Arc;

use gwlock_engine::client::convert::{micro_time, new_object};
use gwlock_engine::client::transport;
use gwlock_engine::protocol::record::Claim;
use http::{HeaderValue, Request, header};
use http_body_util::BodyExt;
use jiff::Timestamp;
use kube::client::{Body, ConfigExt};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};

use super::block::{Block, Names, time};
use crate::context::Cluster;
use crate::exit::Exit;
use crate::failure::Failure;

pub(super) async fn block(cluster: &Cluster, names: Names<'_>) -> Result<Block, Failure> {
    let config = &cluster.config;
    let unusable = |error: kube::Error| Failure::new(Exit::Config, error);
    let hyper = transport::bare(config).map_err(unusable)?;
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer().map_err(unusable)?)
        .layer(config.extra_headers_layer().map_err(unusable)?)
        .map_err(BoxError::from)
        .service(hyper);
    let service = tower::util::BoxCloneSyncService::new(service);
    let collection = Arc::new(format!(
        "/apis/coordination.k8s.io/v1/namespaces/{}/leases",
        cluster.namespace
    ));
    let namespace: Arc<str> = Arc::from(cluster.namespace.as_str());
    time(names, || {
        let (service, collection, namespace) =
            (service.clone(), collection.clone(), namespace.clone());
        move |name: String| {
            let (mut service, collection, namespace) =
                (service.clone(), collection.clone(), namespace.clone());
            async move {
                let now = Timestamp::now();
                debug_assert_eq!(micro_time(now).len(), 27);
                let claim = Claim {
                    holder: Some("gwlock-bench".to_owned()),
                    lease_duration_seconds: Some(30),
                    acquire_time: Some(now),
                    renew_time: Some(now),
                    lease_transitions: None,
                };
                let body = new_object(&namespace, &name, &claim)
                    .to_string()
                    .into_bytes();
                send(
                    &mut service,
                    Request::post(&*collection).body(Body::from(body))?,
                )
                .await?;
                send(
                    &mut service,
                    Request::delete(format!("{collection}/{name}")).body(Body::empty())?,
                )
                .await?;
                Ok(2)
            }
        }
    })
    .await
}

async fn send<S, B>(service: &mut S, mut request: Request<Body>) -> anyhow::Result<()>
where
    S: Service<Request<Body>, Response = http::Response<B>, Error = BoxError>,
    B: http_body::Body,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let json = const { HeaderValue::from_static("application/json") };
    request
        .headers_mut()
        .insert(header::CONTENT_TYPE, json.clone());
    request.headers_mut().insert(header::ACCEPT, json);
    let ready = service.ready().await.map_err(anyhow::Error::from_boxed)?;
    let response = ready
        .call(request)
        .await
        .map_err(anyhow::Error::from_boxed)?;
    let status = response.status();
    response.into_body().collect().await?;
    anyhow::ensure!(status.is_success(), "the API server answered {status}");
    Ok(())
}
