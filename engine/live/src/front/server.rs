//! A model server: one loaded version, a queue before it, and threads that take from the queue what fits in one call.
//!
//! Requests that wait are joined, never delayed: a thread takes what is there. A request of more rows than a call may
//! have goes to the end of the queue after each piece, so that one large request does not hold up small ones. When a
//! joined call fails, each of its requests is asked alone: one client's rows harm nobody else's.

use super::meter::Meter;
use super::rows::Rows;
use super::ticket::{Outcome, Ticket};
use mlp_core::predictor::{Cells, PredictError, PredictionKind, Predictions, Predictor};
use std::collections::VecDeque;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Most requests that wait at a version.
pub(super) const MOST_WAITING: usize = 1_024;

/// Numbers of tickets and servers.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// A loaded version.
pub(super) struct Server {
    pub version: u64,
    pub model: String,
    /// Columns it needs, in order.
    pub features: Vec<String>,
    pub kind: PredictionKind,
    pub meter: Arc<Meter>,
    /// Tells this server's requests from those of an earlier one of the same version.
    number: u64,
    predictor: Arc<dyn Predictor>,
    batch: AtomicU32,
    queue: Mutex<Queue>,
    work: Condvar,
}

#[derive(Default)]
struct Queue {
    /// A request, and its first row that nobody has taken.
    waiting: VecDeque<(Arc<Ticket>, usize)>,
    closed: bool,
}

/// Rows of a request that go into one call.
struct Part {
    ticket: Arc<Ticket>,
    rows: Range<usize>,
}

/// Why a request is not accepted.
#[derive(Debug, PartialEq)]
pub(super) enum Refusal {
    /// The version takes no new requests.
    Closed,
    /// Too many wait.
    Full,
}

/// A request that a version has accepted. It ends once: with an answer, a failure, or its timeout, even when the one who
/// asked has gone away, so that a version is not excused by impatient clients.
pub(super) struct Pending {
    server: Arc<Server>,
    ticket: Arc<Ticket>,
    answer: Option<oneshot::Receiver<Outcome>>,
    /// Nobody asks any more; only the count of the version's failures is left to do.
    left: bool,
}

impl Server {
    /// Starts `replicas` threads.
    pub fn start(
        model: &mlp_core::record::ModelVersion,
        predictor: Arc<dyn Predictor>,
        replicas: u32,
        batch: u32,
        meter: Arc<Meter>,
    ) -> Result<Arc<Server>, String> {
        let server = Arc::new(Server {
            version: model.version,
            model: model.name.clone(),
            features: model.features.clone(),
            kind: predictor.output().clone(),
            meter,
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            predictor,
            batch: AtomicU32::new(batch),
            queue: Mutex::default(),
            work: Condvar::new(),
        });
        for replica in 0..replicas.max(1) {
            let name = format!("{}@{}/{replica}", model.name, model.version);
            let worker = Arc::clone(&server);
            if let Err(error) = std::thread::Builder::new().name(name).spawn(move || worker.run()) {
                server.close();
                return Err(format!("no thread could be started for {}@{}: {error}", model.name, model.version));
            }
        }
        Ok(server)
    }

    /// Numbers in the answer for a row.
    pub fn width(&self) -> usize {
        match &self.kind {
            PredictionKind::Number => 1,
            PredictionKind::Class(classes) => classes.len(),
        }
    }

    /// Most rows in a call from now on.
    pub fn set_batch(&self, rows: u32) {
        self.batch.store(rows, Ordering::Relaxed);
    }

    /// Puts a request into the queue.
    pub fn submit(
        self: &Arc<Server>,
        rows: &Arc<Rows>,
        features: Vec<usize>,
        arrived: Instant,
        deadline: Instant,
    ) -> Result<Pending, Refusal> {
        let id = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let (ticket, answer) = Ticket::new((self.number, id), arrived, deadline, Arc::clone(rows), features);
        let mut queue = self.queue();
        if queue.closed {
            return Err(Refusal::Closed);
        }
        if queue.waiting.len() >= MOST_WAITING {
            return Err(Refusal::Full);
        }
        self.meter.began(&ticket);
        queue.waiting.push_back((Arc::clone(&ticket), 0));
        drop(queue);
        self.work.notify_one();
        Ok(Pending { server: Arc::clone(self), ticket, answer: Some(answer), left: false })
    }

    /// Takes no new requests. The threads end when the queue is empty.
    pub fn close(&self) {
        self.queue().closed = true;
        self.work.notify_all();
    }

    /// Takes no new requests; those under way have `within` to end. Returns when none is left.
    pub fn finish(&self, within: Duration) {
        self.close();
        let end = Instant::now() + within;
        loop {
            let mut left = self.meter.under_way();
            left.retain(|ticket| ticket.server == self.number);
            if left.is_empty() {
                return;
            }
            if Instant::now() >= end {
                let why = format!("version {} was taken out of service before it answered", self.version);
                for ticket in left {
                    self.end(&ticket, Outcome::Failed(PredictError::Failed(why.clone())));
                }
                return;
            }
            std::thread::sleep(Duration::from_millis(5).min(end.saturating_duration_since(Instant::now())));
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request that ended while it waited no longer holds its rows.
    fn forget(&self, ended: &Ticket) {
        self.queue().waiting.retain(|(ticket, _)| ticket.id != ended.id);
    }

    /// Ends a request, unless it has ended.
    fn end(&self, ticket: &Ticket, outcome: Outcome) {
        if let Some(reply) = ticket.take() {
            self.meter.ended(ticket, &outcome);
            // Nobody listens when the client has gone.
            let _ = reply.send(outcome);
        }
    }

    fn run(&self) {
        let mut columns = Vec::new();
        while let Some(parts) = self.take() {
            self.answer(&parts, &mut columns);
        }
    }

    /// The next call's rows; `None` when there will be no more.
    fn take(&self) -> Option<Vec<Part>> {
        let mut queue = self.queue();
        let mut parts = Vec::new();
        loop {
            let mut room = self.batch.load(Ordering::Relaxed).max(1) as usize;
            while room > 0
                && let Some((ticket, from)) = queue.waiting.pop_front()
            {
                if ticket.has_ended() {
                    continue;
                }
                let until = ticket.rows.count.min(from + room);
                room -= until - from;
                if until < ticket.rows.count {
                    queue.waiting.push_back((Arc::clone(&ticket), until));
                    self.work.notify_one();
                }
                parts.push(Part { ticket, rows: from..until });
            }
            if !parts.is_empty() {
                return Some(parts);
            }
            if queue.closed {
                return None;
            }
            queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn answer(&self, parts: &[Part], columns: &mut Vec<Cells>) {
        match self.call(parts, columns) {
            Ok(values) => {
                let width = self.width();
                let mut rest = values.as_slice();
                for part in parts {
                    let (mine, others) = rest.split_at_checked(part.rows.len() * width).unwrap_or((rest, &[]));
                    rest = others;
                    if let Some(all) = part.ticket.fill(part.rows.start, mine.to_vec(), width) {
                        self.end(&part.ticket, Outcome::Answered(all));
                    }
                }
            }
            Err(PredictError::TimedOut) => {
                parts.iter().for_each(|part| self.end(&part.ticket, Outcome::Failed(PredictError::TimedOut)));
            }
            Err(_) if parts.len() > 1 => {
                for part in parts.iter().filter(|part| !part.ticket.has_ended()) {
                    self.answer(std::slice::from_ref(part), columns);
                }
            }
            Err(error) => parts.iter().for_each(|part| self.end(&part.ticket, Outcome::Failed(error.clone()))),
        }
    }

    /// One call of the model. It may last as long as the most patient of its requests.
    fn call(&self, parts: &[Part], columns: &mut Vec<Cells>) -> Result<Vec<f64>, PredictError> {
        join(parts, self.features.len(), columns);
        let rows: usize = parts.iter().map(|part| part.rows.len()).sum();
        let Some(deadline) = parts.iter().map(|part| part.ticket.deadline).max() else { return Ok(Vec::new()) };
        let predicted = catch_unwind(AssertUnwindSafe(|| self.predictor.predict(columns, deadline)))
            .unwrap_or_else(|_| Err(PredictError::Failed("the model broke off with a panic".to_owned())))?;
        let values = match (predicted, &self.kind) {
            (Predictions::Numbers(values), PredictionKind::Number) => values,
            (Predictions::Probabilities(values), PredictionKind::Class(_)) => values,
            _ => return Err(PredictError::Failed("the model gave another kind of prediction than it said".to_owned())),
        };
        if values.len() != rows * self.width() {
            let wanted = rows * self.width();
            return Err(PredictError::Failed(format!("the model gave {} numbers, not {wanted}", values.len())));
        }
        if let Some(odd) = values.iter().find(|value| !value.is_finite()) {
            return Err(PredictError::Failed(format!("the model predicted {odd}, which is no number to go by")));
        }
        Ok(values)
    }
}

/// Puts the rows of all parts below each other, in the order of the version's features.
fn join(parts: &[Part], features: usize, columns: &mut Vec<Cells>) {
    columns.resize_with(features, || Cells::Numbers(Vec::new()));
    for (feature, column) in columns.iter_mut().enumerate() {
        let texts = parts.iter().any(|part| {
            let place = part.ticket.features.get(feature).copied().unwrap_or(usize::MAX);
            part.ticket.rows.shape.columns.get(place).is_some_and(|column| column.is_text())
        });
        match (&mut *column, texts) {
            (Cells::Numbers(cells), false) => cells.clear(),
            (Cells::Texts(cells), true) => cells.clear(),
            (_, true) => *column = Cells::Texts(Vec::new()),
            (_, false) => *column = Cells::Numbers(Vec::new()),
        }
        for part in parts {
            let place = part.ticket.features.get(feature).copied().unwrap_or(usize::MAX);
            let given = part.ticket.rows.columns.get(place).and_then(Option::as_ref);
            match (&mut *column, given) {
                (Cells::Numbers(cells), Some(Cells::Numbers(given))) => {
                    cells.extend_from_slice(given.get(part.rows.clone()).unwrap_or_default());
                }
                (Cells::Texts(cells), Some(Cells::Texts(given))) => {
                    cells.extend_from_slice(given.get(part.rows.clone()).unwrap_or_default());
                }
                // No row has the column, which may be missing.
                (Cells::Numbers(cells), _) => cells.resize(cells.len() + part.rows.len(), f64::NAN),
                (Cells::Texts(cells), _) => cells.resize(cells.len() + part.rows.len(), None),
            }
        }
    }
}

impl Pending {
    /// Waits for the end.
    pub async fn outcome(mut self) -> Outcome {
        let Some(answer) = self.answer.as_mut() else { return Outcome::Failed(PredictError::TimedOut) };
        let ended = tokio::time::timeout_at(self.ticket.deadline.into(), &mut *answer).await;
        let outcome = match ended {
            Ok(Ok(outcome)) => outcome,
            _ => {
                self.server.end(&self.ticket, Outcome::Failed(PredictError::TimedOut));
                self.server.forget(&self.ticket);
                // Whoever ended it first has said how.
                answer.try_recv().unwrap_or(Outcome::Failed(PredictError::TimedOut))
            }
        };
        self.answer = None;
        outcome
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // The client has gone; the version still has to answer within its time.
        let (Some(answer), false) = (self.answer.take(), self.left) else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (server, ticket) = (Arc::clone(&self.server), Arc::clone(&self.ticket));
        runtime.spawn(Pending { server, ticket, answer: Some(answer), left: true }.outcome());
    }
}
