//! A request on its way through a model server.

use super::rows::Rows;
use mlp_core::predictor::PredictError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::oneshot;

/// How a request ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// For each row one number, or the probability of each class.
    Answered(Vec<f64>),
    /// The version did not answer, or said that the rows are wrong.
    Failed(PredictError),
}

impl Outcome {
    /// The version did not do what it is there for.
    pub fn is_error(&self) -> bool {
        matches!(self, Outcome::Failed(PredictError::Failed(_) | PredictError::TimedOut))
    }

    /// It counts in the totals: the client's mistakes do not.
    pub fn counts(&self) -> bool {
        !matches!(self, Outcome::Failed(PredictError::BadInput(_)))
    }

    /// The status that a client sees.
    pub fn status(&self) -> u16 {
        match self {
            Outcome::Answered(_) => 200,
            Outcome::Failed(PredictError::BadInput(_)) => 422,
            Outcome::Failed(PredictError::Failed(_)) => 500,
            Outcome::Failed(PredictError::TimedOut) => 504,
        }
    }
}

/// A request at a version.
pub(super) struct Ticket {
    pub id: u64,
    /// Where it is.
    pub server: u64,
    pub arrived: Instant,
    pub deadline: Instant,
    pub rows: Arc<Rows>,
    /// Places of the version's features among the columns of `rows`.
    pub features: Vec<usize>,
    state: Mutex<State>,
}

struct State {
    /// `None`: it ended.
    reply: Option<oneshot::Sender<Outcome>>,
    /// A request of many rows is answered in pieces.
    values: Vec<f64>,
    filled: usize,
}

impl Ticket {
    pub fn new(
        (server, id): (u64, u64),
        arrived: Instant,
        deadline: Instant,
        rows: Arc<Rows>,
        features: Vec<usize>,
    ) -> (Arc<Ticket>, oneshot::Receiver<Outcome>) {
        let (reply, answer) = oneshot::channel();
        let state = Mutex::new(State { reply: Some(reply), values: Vec::new(), filled: 0 });
        (Arc::new(Ticket { id, server, arrived, deadline, rows, features, state }), answer)
    }

    /// Whether nobody waits for it any more.
    pub fn has_ended(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).reply.is_none()
    }

    /// Takes the values of the rows from `from` on, `width` for each row. Gives all of them when none is missing.
    pub fn fill(&self, from: usize, values: Vec<f64>, width: usize) -> Option<Vec<f64>> {
        let all = self.rows.count * width;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if values.len() == all {
            return Some(values);
        }
        state.values.resize(all, f64::NAN);
        let start = from * width;
        if let Some(piece) = state.values.get_mut(start..start + values.len()) {
            piece.copy_from_slice(&values);
        }
        state.filled += values.len();
        (state.filled >= all).then(|| std::mem::take(&mut state.values))
    }

    /// The first who ends it has the say; gives what tells the one who waits.
    pub fn take(&self) -> Option<oneshot::Sender<Outcome>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).reply.take()
    }
}
