//! `mlp:predictor/predict` as typed functions: numbers cross the border as they lie in memory.

use mlp_core::predictor::{Cells, PredictError};
use wasmtime::component::{ComponentType, Lift, Lower};

/// The interface of version 1.
pub const INTERFACE: &str = "mlp:predictor/predict@1.0.0";

/// A column on its way into a guest.
#[derive(Clone, Copy, ComponentType, Lower)]
#[component(variant)]
pub enum Column<'a> {
    /// A bool (0 or 1), an int or a float.
    #[component(name = "numbers")]
    Numbers(&'a [f64]),
    /// A text or an enum.
    #[component(name = "texts")]
    Texts(&'a [Option<String>]),
}

impl<'a> From<&'a Cells> for Column<'a> {
    fn from(cells: &'a Cells) -> Self {
        match cells {
            Cells::Numbers(numbers) => Column::Numbers(numbers),
            Cells::Texts(texts) => Column::Texts(texts),
        }
    }
}

/// What the model predicts.
#[derive(Clone, ComponentType, Lift)]
#[component(record)]
pub struct Loaded {
    /// The columns it needs, in order.
    pub features: Vec<String>,
    /// The classes in order; empty: it predicts a number.
    pub classes: Vec<String>,
}

/// What a guest says went wrong.
#[derive(ComponentType, Lift)]
#[component(variant)]
pub enum GuestError {
    /// The client's mistake.
    #[component(name = "bad-input")]
    BadInput(String),
    /// The model's.
    #[component(name = "failed")]
    Failed(String),
}

impl GuestError {
    /// In words.
    pub fn into_words(self) -> String {
        match self {
            GuestError::BadInput(words) | GuestError::Failed(words) => words,
        }
    }
}

impl From<GuestError> for PredictError {
    fn from(error: GuestError) -> Self {
        match error {
            GuestError::BadInput(words) => PredictError::BadInput(words),
            GuestError::Failed(words) => PredictError::Failed(words),
        }
    }
}

/// `load` takes the bytes of the model's file.
pub type LoadArguments<'a> = (&'a [u8],);

/// What `load` gives.
pub type LoadResult = (Result<Loaded, GuestError>,);

/// `predict` takes rows.
pub type PredictArguments<'a> = (u32, &'a [Column<'a>]);

/// What `predict` gives.
pub type PredictResult = (Result<Vec<f64>, GuestError>,);
