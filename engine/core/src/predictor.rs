//! The trait of what predicts: a registered model, loaded once, asked many times.
//!
//! `engine/exec` fills it with a WebAssembly predictor; `engine/live` batches requests into it.

use crate::record::ModelVersion;
use std::sync::Arc;

/// Loads models.
pub trait Predictors: Send + Sync {
    /// Loads a model from the bytes of its artifact; `replicas` copies, each with memory of its own, at least 1.
    /// Blocks; may take a second the first time on a machine. The error is for people: what cannot be loaded, and why.
    fn load(&self, model: &ModelVersion, bytes: &[u8], replicas: u32) -> Result<Arc<dyn Predictor>, String>;
}

/// A loaded model. Calls block; as many proceed at once as there are replicas, more wait for their turn.
pub trait Predictor: Send + Sync {
    /// What its predictions are.
    fn output(&self) -> &PredictionKind;

    /// Predicts for rows. Columns stand in the order of [`ModelVersion::features`] and have the same length. One row's
    /// prediction does not depend on the others. Stops, with [`PredictError::TimedOut`], soon after `deadline`.
    fn predict(&self, columns: &[Cells], deadline: std::time::Instant) -> Result<Predictions, PredictError>;
}

/// What a model predicts.
#[derive(Clone, Debug, PartialEq)]
pub enum PredictionKind {
    /// A number.
    Number,
    /// One of these classes, with the probability of each.
    Class(Vec<String>),
}

/// The cells of one column.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// A bool (0 or 1), an int or a float. NaN: missing.
    Numbers(Vec<f64>),
    /// A text or an enum. `None`: missing.
    Texts(Vec<Option<String>>),
}

impl Cells {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Cells::Numbers(cells) => cells.len(),
            Cells::Texts(cells) => cells.len(),
        }
    }

    /// None.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One prediction for each row, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Predictions {
    /// Of [`PredictionKind::Number`].
    Numbers(Vec<f64>),
    /// Of [`PredictionKind::Class`]: for each row the probability of each class, row by row, in the order of the classes.
    /// The predicted class is the first with the highest probability.
    Probabilities(Vec<f64>),
}

/// Why there is no prediction.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PredictError {
    /// The rows are wrong: the client's mistake, in words that name the column.
    #[error("{0}")]
    BadInput(String),
    /// The model failed.
    #[error("{0}")]
    Failed(String),
    /// It took too long.
    #[error("the model took longer than its time limit")]
    TimedOut,
}
