//! The routes of a listener.

use super::answer::Output;
use super::deployment::Deployment;
use super::exchange::{self, Protocol};
use super::refused::Refused;
use super::{Address, Shared, exposition};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Request, Response, header};
use axum::routing::{get, post};
use mlp_lang::types::Type;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What the handlers of a listener know.
#[derive(Clone)]
struct Door {
    shared: Arc<Shared>,
    at: Arc<Address>,
}

type Reply = Response<Body>;

/// All that a listener answers.
pub(super) fn router(shared: Arc<Shared>, at: Address) -> Router {
    Router::new()
        .route("/v2", get(server))
        .route("/v2/health/live", get(async || json_reply(200, &json!({ "live": true }))))
        .route("/v2/health/ready", get(ready))
        .route("/v2/models/{model}", get(model))
        .route("/v2/models/{model}/versions/{version}", get(model_version))
        .route("/v2/models/{model}/ready", get(model_ready))
        .route("/v2/models/{model}/versions/{version}/ready", get(version_ready))
        .route("/v2/models/{model}/infer", post(infer))
        .route("/v2/models/{model}/versions/{version}/infer", post(infer_version))
        .route("/deployments/{deployment}/predict", post(predict))
        .route("/deployments/{deployment}/versions/{version}/predict", post(predict_version))
        .route("/metrics", get(metrics))
        .fallback(async || {
            let paths = "`POST /deployments/{name}/predict`, `POST /v2/models/{name}/infer`, `GET /v2`, `GET /metrics`";
            Refused::new(404, format!("nothing is at this path; there are {paths}")).unread().response()
        })
        .method_not_allowed_fallback(async || Refused::new(405, "the path takes another method").unread().response())
        .with_state(Door { shared, at: Arc::new(at) })
}

fn json_reply(status: u16, body: &serde_json::Value) -> Reply {
    let mut reply = Response::new(Body::from(body.to_string()));
    *reply.status_mut() = status.try_into().unwrap_or_default();
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}

impl Door {
    /// The deployment that a name means: its own, or that of the model if only one deployment here serves it.
    fn find(&self, name: &str) -> Result<Arc<Deployment>, Refused> {
        let here = self.shared.at(&self.at);
        if let Some(deployment) = here.iter().find(|deployment| deployment.name == name) {
            return Ok(Arc::clone(deployment));
        }
        let serves = |deployment: &&Arc<Deployment>| deployment.declared.load().node.model_name == name;
        let mut serving = here.iter().filter(serves);
        match (serving.next(), serving.next()) {
            (Some(deployment), None) => Ok(Arc::clone(deployment)),
            (Some(_), Some(_)) => {
                let why = format!("several deployments serve the model `{name}`: use the name of one of them");
                Err(Refused::new(404, why))
            }
            _ => {
                let names: Vec<String> =
                    here.iter().take(20).map(|deployment| format!("`{}`", deployment.name)).collect();
                let name = mlp_data::quoted(name);
                Err(Refused::new(404, format!("no deployment is named {name}; here is {}", names.join(", "))))
            }
        }
    }

    fn find_version(&self, name: &str, version: &str) -> Result<(Arc<Deployment>, u64), Refused> {
        let deployment = self.find(name)?;
        match version.parse() {
            Ok(version) => Ok((deployment, version)),
            Err(_) => {
                let version = mlp_data::quoted(version);
                Err(Refused::new(404, format!("{version} is no version: versions are whole numbers from 1")))
            }
        }
    }

    async fn exchange(
        &self,
        found: Result<(Arc<Deployment>, Option<u64>), Refused>,
        protocol: Protocol,
        request: Request<Body>,
    ) -> Reply {
        match found {
            Ok((deployment, version)) => exchange::answer(&self.shared, &deployment, version, protocol, request).await,
            Err(refused) => refused.unread().response(),
        }
    }
}

/// Parts of the path, if they can be read.
fn path<T>(path: Result<Path<T>, axum::extract::rejection::PathRejection>) -> Result<T, Refused> {
    path.map(|Path(parts)| parts).map_err(|rejection| Refused::new(400, rejection.body_text()))
}

type One = Result<Path<String>, axum::extract::rejection::PathRejection>;
type Two = Result<Path<(String, String)>, axum::extract::rejection::PathRejection>;

async fn infer(State(door): State<Door>, at: One, request: Request<Body>) -> Reply {
    let found = path(at).and_then(|name| door.find(&name)).map(|found| (found, None));
    door.exchange(found, Protocol::Tensors, request).await
}

async fn infer_version(State(door): State<Door>, at: Two, request: Request<Body>) -> Reply {
    let found = path(at).and_then(|(name, version)| door.find_version(&name, &version));
    door.exchange(found.map(|(found, version)| (found, Some(version))), Protocol::Tensors, request).await
}

async fn predict(State(door): State<Door>, at: One, request: Request<Body>) -> Reply {
    let found = path(at).and_then(|name| door.find(&name)).map(|found| (found, None));
    door.exchange(found, Protocol::Rows, request).await
}

async fn predict_version(State(door): State<Door>, at: Two, request: Request<Body>) -> Reply {
    let found = path(at).and_then(|(name, version)| door.find_version(&name, &version));
    door.exchange(found.map(|(found, version)| (found, Some(version))), Protocol::Rows, request).await
}

async fn server() -> Reply {
    let version = env!("CARGO_PKG_VERSION");
    json_reply(200, &json!({ "name": "mlp", "version": version, "extensions": ["binary_tensor_data"] }))
}

async fn ready(State(door): State<Door>) -> Reply {
    let here = door.shared.at(&door.at);
    let ready = !door.shared.draining.load(Ordering::Relaxed) && here.iter().all(|deployment| deployment.is_ready());
    // The protocol wants a 4xx for "no".
    json_reply(if ready { 200 } else { 400 }, &json!({ "ready": ready }))
}

async fn model_ready(State(door): State<Door>, at: One) -> Reply {
    match path(at).and_then(|name| Ok((door.find(&name)?, name))) {
        Ok((deployment, name)) => readiness(&name, deployment.is_ready()),
        Err(refused) => refused.response(),
    }
}

async fn version_ready(State(door): State<Door>, at: Two) -> Reply {
    match path(at).and_then(|(name, version)| Ok((door.find_version(&name, &version)?, name))) {
        Ok(((deployment, version), name)) => readiness(&name, deployment.server(version).is_some()),
        Err(refused) => refused.response(),
    }
}

fn readiness(name: &str, ready: bool) -> Reply {
    json_reply(if ready { 200 } else { 400 }, &json!({ "name": name, "ready": ready }))
}

async fn model(State(door): State<Door>, at: One) -> Reply {
    match path(at).and_then(|name| Ok((door.find(&name)?, name))) {
        Ok((deployment, name)) => metadata(&deployment, &name, None).unwrap_or_else(|refused| refused.response()),
        Err(refused) => refused.response(),
    }
}

async fn model_version(State(door): State<Door>, at: Two) -> Reply {
    let found = path(at).and_then(|(name, version)| Ok((door.find_version(&name, &version)?, name)));
    match found.and_then(|((deployment, version), name)| metadata(&deployment, &name, Some(version))) {
        Ok(reply) => reply,
        Err(refused) => refused.response(),
    }
}

/// What a model wants and gives: the version that is named, else the stable one.
fn metadata(deployment: &Deployment, name: &str, version: Option<u64>) -> Result<Reply, Refused> {
    let declared = deployment.declared.load();
    let versions: Vec<String> = match version {
        Some(version) => vec![version.to_string()],
        None => deployment.loaded().iter().map(u64::to_string).collect(),
    };
    let routes = deployment.routes.load();
    let Some(server) = version.or(routes.stable).and_then(|version| deployment.server(version)) else {
        let why = match version {
            Some(version) => format!("version {version} of `{}` is not loaded", deployment.name),
            None => format!("no version of `{}` is ready to answer yet", deployment.name),
        };
        return Err(Refused::new(404, why));
    };
    let inputs: Vec<_> = server
        .features
        .iter()
        .filter_map(|feature| declared.shape.index(feature, 0).and_then(|index| declared.shape.columns.get(index)))
        .map(|column| json!({ "name": column.name, "datatype": datatype(&column.ty), "shape": [-1] }))
        .collect();
    let outputs: Vec<_> = Output::of(&server.kind)
        .iter()
        .map(|output| {
            let shape = match output {
                Output::Prediction => json!([-1]),
                Output::Probabilities => json!([-1, server.width()]),
            };
            json!({ "name": output.name(), "datatype": output.datatype(&server.kind), "shape": shape })
        })
        .collect();
    let platform = format!("mlp_{}", declared.node.flavor);
    let body = json!({
        "name": name, "versions": versions, "platform": platform, "inputs": inputs, "outputs": outputs,
    });
    Ok(json_reply(200, &body))
}

fn datatype(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "BOOL",
        Type::Int => "INT64",
        Type::Float | Type::Fraction => "FP64",
        _ => "BYTES",
    }
}

async fn metrics(State(door): State<Door>) -> Reply {
    let mut reply = Response::new(Body::from(exposition::text(&door.shared.at(&door.at))));
    let content = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    reply.headers_mut().insert(header::CONTENT_TYPE, content);
    reply
}
