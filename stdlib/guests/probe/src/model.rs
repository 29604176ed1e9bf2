//! A model that behaves as its settings say, and its trainer: for tests of what serves models.

use mlp_sdk::Error;
use mlp_sdk::predictor::{Column, Loaded, Predictor};
use serde::{Deserialize, Serialize};

/// Makes a model that gives one value for every row, and misbehaves as it is told.
#[mlp_sdk::step]
pub mod model {
    use mlp_sdk::prelude::*;

    /// What may be set.
    pub struct Params {
        /// The columns that the model says it needs.
        #[param(column_of = "rows", default_features)]
        pub features: Vec<Column>,
        /// What it predicts for every row.
        #[param(default = 0.0)]
        pub value: f64,
        /// Share of calls that fail, evenly spread: with 0.25 each fourth one.
        #[param(default = 0.0, min = 0.0, max = 1.0)]
        pub error_rate: Fraction,
        /// About how many milliseconds a call computes for.
        #[param(default = 0, min = 0)]
        pub delay: i64,
        /// Never answers.
        #[param(default = false)]
        pub hang: bool,
        /// Panics.
        #[param(default = false)]
        pub panic: bool,
        /// Takes memory without end.
        #[param(default = false)]
        pub grow: bool,
        /// Gives one prediction too few.
        #[param(default = false)]
        pub short: bool,
        /// Misbehaves only in a call with a row whose first feature is less than this.
        pub when_below: Option<f64>,
    }

    /// What it takes.
    pub struct Inputs {
        /// Any table; nothing is learned from it.
        pub rows: Dataset,
    }

    /// What it gives.
    pub struct Outputs {
        /// The model.
        #[output(flavor = "regressor")]
        pub model: Model,
    }

    /// Makes the model.
    pub fn run(params: Params, _inputs: Inputs) -> Result<Outputs, Error> {
        let manners = super::Manners {
            features: params.features,
            value: params.value,
            error_rate: params.error_rate,
            delay: params.delay.unsigned_abs(),
            hang: params.hang,
            panic: params.panic,
            grow: params.grow,
            short: params.short,
            when_below: params.when_below,
        };
        manners.into_model().map(|model| Outputs { model })
    }
}

pub use model::MLP_STEP_SIGNATURE;

/// The model's file: the settings of the step that made it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manners {
    features: Vec<String>,
    value: f64,
    #[serde(default)]
    error_rate: f64,
    #[serde(default)]
    delay: u64,
    #[serde(default)]
    hang: bool,
    #[serde(default)]
    panic: bool,
    #[serde(default)]
    grow: bool,
    #[serde(default)]
    short: bool,
    #[serde(default)]
    when_below: Option<f64>,
}

/// The model, loaded.
pub struct Misbehaving {
    manners: Manners,
    /// Calls that are due to fail; one does when this reaches 1.
    due: f64,
}

impl Manners {
    fn into_model(self) -> Result<mlp_sdk::Model, Error> {
        let bytes = serde_json::to_vec(&self).map_err(|error| Error::failed(error.to_string()))?;
        Ok(mlp_sdk::Model::new("regressor", self.features, bytes))
    }

    fn is_meant(&self, columns: &[Column]) -> bool {
        let Some(bound) = self.when_below else { return true };
        matches!(columns.first(), Some(Column::Numbers(cells)) if cells.iter().any(|cell| *cell < bound))
    }
}

impl Predictor for Misbehaving {
    fn load(model: &[u8]) -> Result<(Self, Loaded), Error> {
        let manners: Manners =
            serde_json::from_slice(model).map_err(|error| Error::input(format!("it is no model of probe: {error}")))?;
        let loaded = Loaded { features: manners.features.clone(), classes: vec![] };
        Ok((Misbehaving { manners, due: 0.0 }, loaded))
    }

    fn predict(&mut self, rows: usize, columns: &[Column]) -> Result<Vec<f64>, Error> {
        let manners = &self.manners;
        if !manners.is_meant(columns) {
            return Ok(vec![manners.value; rows]);
        }
        compute(manners.delay);
        if manners.hang {
            compute(u64::MAX);
        }
        if manners.panic {
            panic!("the model panics on purpose");
        }
        if manners.grow {
            let mut hoard: Vec<Vec<u8>> = vec![];
            loop {
                hoard.push(vec![1; 64 << 20]);
                std::hint::black_box(&hoard);
            }
        }
        self.due += manners.error_rate;
        if self.due >= 1.0 {
            self.due -= 1.0;
            return Err(Error::failed("the model fails on purpose"));
        }
        Ok(vec![manners.value; rows - usize::from(manners.short)])
    }
}

/// About this many milliseconds of work. The sandbox has no clock, so each step waits for the one before it, and a
/// millisecond is as many as a processor of 3 GHz takes then.
fn compute(milliseconds: u64) {
    const STEPS: u64 = 500_000;
    let mut state = milliseconds;
    for _ in 0..milliseconds.saturating_mul(STEPS) {
        state = std::hint::black_box((state ^ state >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }
}
