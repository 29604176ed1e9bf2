//! One request for predictions, from its bytes to those of its answer.

use super::answer;
use super::body::{self, Share};
use super::decode::{self, Unreadable};
use super::deployment::{Asked, Declared, Deployment, Role};
use super::place::{check_id, new_id};
use super::refused::Refused;
use super::rows::{MOST_CELLS, MOST_ROWS, Rows};
use super::tensor::{self, Inference};
use super::{Predicted, Shared};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use bytes::Bytes;
use mlp_core::clock::Clock;
use mlp_lang::live::Sticky;
use std::sync::Arc;
use std::time::Instant;

pub(super) static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static VERSION: HeaderName = HeaderName::from_static("x-mlp-version");
static JSON_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");

/// Bodies above this, and answers of more rows than that, are worked on beside the threads that serve small requests.
const LARGE_BODY: usize = 64 << 10;
const LARGE_ANSWER: usize = 4_096;
/// What a cell costs in memory, roughly.
const CELL: usize = 24;

/// How a request is written.
#[derive(Clone, Copy)]
pub(super) enum Protocol {
    Rows,
    /// Open Inference Protocol.
    Tensors,
}

/// What a body says.
struct Read {
    rows: Rows,
    /// `None`: plain rows.
    inference: Option<Inference>,
}

/// Answers a request.
pub(super) async fn answer(
    shared: &Arc<Shared>,
    deployment: &Arc<Deployment>,
    version: Option<u64>,
    protocol: Protocol,
    request: Request<Body>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let mut id = None;
    let result = answered(shared, deployment, version, protocol, &parts.headers, body, &mut id).await;
    let mut response = result.unwrap_or_else(|refused| refused.response());
    if let Ok(id) = HeaderValue::from_str(&id.unwrap_or_else(new_id)) {
        response.headers_mut().insert(REQUEST_ID.clone(), id);
    }
    response
}

/// The id is known before anything else can go wrong.
async fn answered(
    shared: &Arc<Shared>,
    deployment: &Arc<Deployment>,
    version: Option<u64>,
    protocol: Protocol,
    headers: &HeaderMap,
    body: Body,
    id: &mut Option<String>,
) -> Result<Response<Body>, Refused> {
    let nobody = |refused: Refused| {
        deployment.count(None, Role::Nobody, refused.status.as_u16());
        refused
    };
    *id = given_id(headers).map_err(nobody)?;
    let mut share = Share::new(&shared.budget);
    let body = body::read(headers, body, &mut share).await.map_err(nobody)?;
    let arrived = Instant::now();
    let declared = deployment.declared.load_full();
    let read = read(shared, deployment, &declared, version, protocol, headers, body).await.map_err(nobody)?;
    let Read { rows, inference } = read;
    share.grow(rows.cells() * CELL).map_err(nobody)?;
    if rows.count == 0 {
        return Err(nobody(Refused::new(422, "the request has no rows")));
    }
    let in_body = inference.as_ref().and_then(|inference| inference.id.as_deref());
    let id = id.get_or_insert_with(|| in_body.filter(|id| check_id(id).is_ok()).map_or_else(new_id, str::to_owned));
    let header = match &declared.node.serve.sticky {
        Some(Sticky::Header(name)) => headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into()),
        _ => None,
    };
    let asked = Asked { id: id.clone(), header, arrived, version };
    let rows = Arc::new(rows);
    let answer = deployment.ask(&asked, Arc::clone(&rows)).await?;
    if declared.node.serve.log {
        let predicted = Predicted {
            at: shared.clock.now(),
            request: asked.id.clone(),
            version: answer.version,
            columns: rows.given(),
            predictions: answer.predictions(),
        };
        shared.sink.predicted(&deployment.name, predicted);
    }
    drop(rows);
    let (version, id) = (answer.version, asked.id);
    let large = answer.rows > LARGE_ANSWER;
    let write = move || match &inference {
        None => Ok((answer::rows(&answer, &id), None)),
        Some(inference) => answer::tensors(&answer, inference, &id),
    };
    let (bytes, json_length) = if large { beside(shared, write).await?? } else { write()? };
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(VERSION.clone(), HeaderValue::from(version));
    let mut content = "application/json";
    if let Some(length) = json_length {
        headers.insert(JSON_LENGTH.clone(), HeaderValue::from(length));
        content = "application/octet-stream";
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content));
    Ok(response)
}

fn given_id(headers: &HeaderMap) -> Result<Option<String>, Refused> {
    let Some(value) = headers.get(&REQUEST_ID) else { return Ok(None) };
    let id = value.to_str().unwrap_or_default();
    check_id(id).map_err(|why| Refused::new(400, why).unread())?;
    Ok(Some(id.to_owned()))
}

/// Understands a body.
async fn read(
    shared: &Arc<Shared>,
    deployment: &Deployment,
    declared: &Declared,
    version: Option<u64>,
    protocol: Protocol,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Read, Refused> {
    let large = body.len() > LARGE_BODY;
    let shape = Arc::clone(&declared.shape);
    let json_length = json_length(headers, body.len())?;
    let features = match protocol {
        Protocol::Rows => Vec::new(),
        Protocol::Tensors => deployment.features(version),
    };
    let understand = move || {
        let read = match protocol {
            Protocol::Rows => decode::rows(&body, &shape).map(|rows| Read { rows, inference: None }),
            Protocol::Tensors => {
                let (json, binary) = body.split_at_checked(json_length).unwrap_or((&body, &[]));
                tensor::read(json, binary, &shape, &features)
                    .map(|(rows, inference)| Read { rows, inference: Some(inference) })
            }
        };
        read.map_err(|unreadable| match unreadable {
            Unreadable::Malformed(why) => Refused::new(400, format!("the body is not understood: {why}")),
            Unreadable::TooMany => Refused::new(
                413,
                format!(
                    "a request may have {MOST_ROWS} rows and {MOST_CELLS} cells: send the rows in several requests"
                ),
            ),
        })
    };
    if large { beside(shared, understand).await? } else { understand() }
}

/// Where the JSON of an inference request ends.
fn json_length(headers: &HeaderMap, body: usize) -> Result<usize, Refused> {
    let Some(value) = headers.get(&JSON_LENGTH) else { return Ok(body) };
    let length = value.to_str().ok().and_then(|text| text.trim().parse::<usize>().ok());
    length
        .filter(|length| *length <= body)
        .ok_or_else(|| Refused::new(400, "Inference-Header-Content-Length is no length within the body"))
}

/// Runs what takes long on another thread, a few at a time.
async fn beside<T: Send + 'static>(
    shared: &Arc<Shared>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refused> {
    let broken = || Refused::new(500, "the request broke off inside of the engine");
    let _turn = shared.large.acquire().await.map_err(|_| broken())?;
    tokio::task::spawn_blocking(work).await.map_err(|_| broken())
}
