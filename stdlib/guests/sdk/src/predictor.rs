//! Serving the models that a plugin's steps make.

use crate::error::Error;
use crate::wit::predictor;

pub use crate::wit::predictor::{Column, Loaded};

/// What a plugin offers beside its steps so that its models can be served:
/// `mlp_sdk::plugin!(train; predictor: MyPredictor);`. One value lives in each instance of the component, for as long as
/// the model is served.
pub trait Predictor: Sized {
    /// Reads the bytes of a model that one of the plugin's steps wrote. What takes time belongs here. Says which columns
    /// it needs, in the order in which [`Predictor::predict`] wants them, and the classes in order; without classes it
    /// predicts a number.
    fn load(model: &[u8]) -> Result<(Self, Loaded), Error>;

    /// Predicts for `rows` rows; a row's prediction must not depend on the others. A number for each row, or for a
    /// classifier the probability of each class, row by row. [`Error::BadInput`] is the client's mistake, any other the
    /// model's.
    fn predict(&mut self, rows: usize, columns: &[Column]) -> Result<Vec<f64>, Error>;
}

impl Column {
    /// How many cells.
    pub fn len(&self) -> usize {
        match self {
            Column::Numbers(cells) => cells.len(),
            Column::Texts(cells) => cells.len(),
        }
    }

    /// None.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The one model of an instance, between the calls of the host.
#[doc(hidden)]
pub struct Slot<P>(Option<P>);

impl<P: Predictor> Slot<P> {
    /// Nothing is loaded.
    pub const fn empty() -> Slot<P> {
        Slot(None)
    }

    /// `load`
    pub fn load(&mut self, model: &[u8]) -> Result<Loaded, predictor::Error> {
        let (model, loaded) = P::load(model)?;
        self.0 = Some(model);
        Ok(loaded)
    }

    /// `predict`; the author need not check that the columns are as long as they should be.
    pub fn predict(&mut self, rows: u32, columns: &[Column]) -> Result<Vec<f64>, predictor::Error> {
        let model = self.0.as_mut().ok_or_else(|| predictor::Error::Failed("no model was loaded before".to_owned()))?;
        let rows = rows as usize;
        if let Some(index) = columns.iter().position(|column| column.len() != rows) {
            let cells = columns[index].len();
            return Err(predictor::Error::BadInput(format!("column {index} has {cells} cells for {rows} rows")));
        }
        Ok(model.predict(rows, columns)?)
    }
}

impl From<Error> for predictor::Error {
    fn from(error: Error) -> Self {
        match &error {
            Error::BadInput { .. } => predictor::Error::BadInput(error.to_string()),
            Error::Failed(_) | Error::Retry(_) => predictor::Error::Failed(error.to_string()),
        }
    }
}
