//! `regress.linear`.

/// Least squares: minimises the summed squared errors plus `l2` times the squared weights of the standardised columns,
/// the intercept free. Columns that say the same share their weight. Enums and texts become one column per value;
/// missing values are an error.
#[mlp_sdk::step]
pub mod linear {
    use mlp_sdk::prelude::*;

    /// How to train.
    #[derive(Clone, Debug)]
    pub struct Params {
        /// What is learned: an int or a float.
        #[param(column_of = "train", default_label)]
        pub label: Column,
        /// What it is learned from.
        #[param(column_of = "train", default_features)]
        pub features: Vec<Column>,
        /// How much small weights count against the data; 0 is ordinary least squares.
        #[param(default = 0.0, min = 0.0)]
        pub l2: f64,
    }

    /// What is learned from.
    pub struct Inputs {
        /// Rows with a label.
        pub train: Dataset,
    }

    /// What was learned.
    pub struct Outputs {
        /// The model.
        #[output(flavor = "regressor")]
        pub model: Model,
    }

    /// Trains.
    pub fn run(params: Params, inputs: Inputs) -> Result<Outputs, Error> {
        super::train(&params, &inputs.train).map(|model| Outputs { model })
    }
}

pub use linear::{Inputs, MLP_STEP_SIGNATURE, Outputs, Params, run};

use crate::least_squares;
use mlp_sdk::{Dataset, Error, Model};
use mlp_std_models::file::{FORMAT, Weights};
use mlp_std_models::{Encoding, Flavor, Learned, Missing, ModelFile, labels};

fn train(params: &Params, train: &Dataset) -> Result<Model, Error> {
    if !(params.l2.is_finite() && params.l2 >= 0.0) {
        return Err(Error::param("l2", format!("{} is not 0 or greater", params.l2)));
    }
    let table = mlp_std_models::encoding::training_table(train, &params.features, &params.label)?;
    let labels = labels::numbers(&table, &params.label)?;
    let encoding = Encoding::learn(&table, &params.features, Missing::Rejected)?;
    let mut matrix = encoding.encode(&table)?;
    let (means, scales) = matrix.standardize();
    let intercept = labels.iter().sum::<f64>() / labels.len() as f64;
    let centred: Vec<f64> = labels.iter().map(|y| y - intercept).collect();
    let weights = least_squares::solve(&matrix, &centred, params.l2)?;
    ModelFile {
        format: FORMAT,
        flavor: Flavor::Regressor,
        algorithm: "linear".into(),
        label: params.label.clone(),
        classes: vec![],
        encoding,
        learned: Learned::Linear { means, scales, outputs: vec![Weights { intercept, weights }] },
    }
    .into_model()
}
