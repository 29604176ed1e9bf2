//! Reading a request's body without trusting it: a limit to its length, its time, and to what all bodies hold in memory.

use super::refused::Refused;
use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Longest body.
pub(super) const LONGEST: usize = 16 << 20;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);
/// What all large requests together may hold.
const ALL: usize = 512 << 20;
/// What a request may hold without asking, so that small requests are served while large ones fill the budget.
const SMALL: usize = 256 << 10;

/// The memory that requests may use.
#[derive(Default)]
pub(super) struct Budget(AtomicUsize);

/// A request's part of it, given back when dropped.
pub(super) struct Share {
    budget: Arc<Budget>,
    held: usize,
    taken: usize,
}

impl Share {
    pub fn new(budget: &Arc<Budget>) -> Share {
        Share { budget: Arc::clone(budget), held: 0, taken: 0 }
    }

    /// The request holds so many bytes more.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Refused> {
        self.held += bytes;
        let more = self.held.saturating_sub(SMALL).saturating_sub(self.taken);
        if more == 0 {
            return Ok(());
        }
        self.taken += more;
        if self.budget.0.fetch_add(more, Ordering::Relaxed) + more > ALL {
            let why = "too many large requests at once: ask again in a second, or with fewer rows";
            return Err(Refused::new(503, why).again_in(1).unread());
        }
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.0.fetch_sub(self.taken, Ordering::Relaxed);
    }
}

/// Reads a body to its end.
pub(super) async fn read(headers: &HeaderMap, body: Body, share: &mut Share) -> Result<Bytes, Refused> {
    if let Some(coding) = headers.get(header::CONTENT_ENCODING)
        && coding.as_bytes() != b"identity"
    {
        return Err(Refused::new(415, "bodies are not decompressed here: send it without Content-Encoding").unread());
    }
    match tokio::time::timeout(PATIENCE, collect(body, share)).await {
        Ok(read) => read,
        Err(_) => {
            let seconds = PATIENCE.as_secs();
            Err(Refused::new(408, format!("the body did not arrive within {seconds} seconds")).unread())
        }
    }
}

async fn collect(mut body: Body, share: &mut Share) -> Result<Bytes, Refused> {
    let too_long = || {
        let mib = LONGEST >> 20;
        Refused::new(413, format!("the body is longer than {mib} MiB: send the rows in several requests")).unread()
    };
    let announced = hyper::body::Body::size_hint(&body).exact();
    if announced.is_some_and(|length| length > LONGEST as u64) {
        return Err(too_long());
    }
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Refused::new(400, format!("the body broke off: {error}")).unread())?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + all.len() + data.len() > LONGEST {
            return Err(too_long());
        }
        share.grow(data.len())?;
        // Most bodies come in one piece, which needs no copy.
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&data);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}
