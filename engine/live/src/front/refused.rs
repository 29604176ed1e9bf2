//! Why a request is not answered, as the client sees it.

use super::rows::{Problem, Problems};
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

/// A request that gets no prediction.
#[derive(Debug)]
pub(super) struct Refused {
    pub status: StatusCode,
    pub error: String,
    /// The version it was meant for.
    pub version: Option<u64>,
    /// Seconds after which it may be tried again.
    again_in: Option<u32>,
    problems: Vec<Problem>,
    count: usize,
    /// The rest of the request was not read, so the connection cannot go on.
    unread: bool,
}

#[derive(Serialize)]
struct Body422<'a> {
    error: &'a str,
    /// How many, also of those that are not listed.
    count: usize,
    problems: &'a [Problem],
}

#[derive(Serialize)]
struct BodyPlain<'a> {
    error: &'a str,
}

impl Refused {
    pub fn new(status: u16, error: impl Into<String>) -> Refused {
        Refused {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            error: error.into(),
            version: None,
            again_in: None,
            problems: Vec::new(),
            count: 0,
            unread: false,
        }
    }

    /// Rows that do not fit the schema.
    pub fn problems(of_values: &Problems, of_features: &Problems) -> Refused {
        let count = of_values.count + of_features.count;
        let mut problems: Vec<Problem> = of_values.shown.iter().chain(&of_features.shown).cloned().collect();
        problems.sort_by_key(|problem| problem.row);
        problems.truncate(20);
        let first = match problems.first() {
            Some(Problem { row, field, reason }) => format!("row {row}, `{field}`: {reason}"),
            None => String::new(),
        };
        let error = match count {
            1 => first,
            _ => format!("{first}; and {} more", count - 1),
        };
        Refused { problems, count, ..Refused::new(422, error) }
    }

    pub fn by(self, version: u64) -> Refused {
        Refused { version: Some(version), ..self }
    }

    pub fn again_in(self, seconds: u32) -> Refused {
        Refused { again_in: Some(seconds), ..self }
    }

    pub fn unread(self) -> Refused {
        Refused { unread: true, ..self }
    }

    pub fn response(&self) -> Response<Body> {
        let body = if self.problems.is_empty() {
            serde_json::to_vec(&BodyPlain { error: &self.error })
        } else {
            serde_json::to_vec(&Body422 { error: &self.error, count: self.count, problems: &self.problems })
        };
        let mut response = Response::new(Body::from(body.unwrap_or_default()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seconds) = self.again_in {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(version) = self.version {
            headers.insert("x-mlp-version", HeaderValue::from(version));
        }
        if self.unread {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
