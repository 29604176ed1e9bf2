//! `classify.logistic`.

/// Logistic regression: minimises half the squared weights plus `c` times the summed log loss, the intercept free. Two
/// classes, or more by the multinomial loss. Enums and texts become one column per value; missing values are an error.
#[mlp_sdk::step]
pub mod logistic {
    use mlp_sdk::prelude::*;

    /// How to train.
    #[derive(Clone, Debug)]
    pub struct Params {
        /// What is learned: a bool, an int, an enum or a text.
        #[param(column_of = "train", default_label)]
        pub label: Column,
        /// What it is learned from.
        #[param(column_of = "train", default_features)]
        pub features: Vec<Column>,
        /// How much the data counts against small weights: the inverse of the regularisation strength. More than 0.
        #[param(default = 1.0, min = 0.0)]
        pub c: f64,
        /// Subtract each column's mean and divide by its standard deviation (of the training rows) first.
        #[param(default = true)]
        pub standardize: bool,
        /// Most iterations of the solver; it stops earlier when it has converged, warns when it has nearly, and
        /// fails when it is far from it.
        #[param(default = 1000, min = 1, max = 1000000)]
        pub max_iterations: i64,
    }

    /// What is learned from.
    pub struct Inputs {
        /// Rows with a label.
        pub train: Dataset,
    }

    /// What was learned.
    pub struct Outputs {
        /// The model.
        #[output(flavor = "classifier")]
        pub model: Model,
    }

    /// Trains.
    pub fn run(params: Params, inputs: Inputs) -> Result<Outputs, Error> {
        super::train(&params, &inputs.train).map(|model| Outputs { model })
    }
}

pub use logistic::{Inputs, MLP_STEP_SIGNATURE, Outputs, Params, run};

use crate::solver;
use mlp_sdk::{Dataset, Error, Model};
use mlp_std_models::file::FORMAT;
use mlp_std_models::{Classes, Encoding, Flavor, Learned, Matrix, Missing, ModelFile};

fn train(params: &Params, train: &Dataset) -> Result<Model, Error> {
    if !(params.c.is_finite() && params.c > 0.0) {
        return Err(Error::param("c", format!("{} is not greater than 0", params.c)));
    }
    let table = mlp_std_models::encoding::training_table(train, &params.features, &params.label)?;
    let (classes, places) = Classes::learn(&table, &params.label)?;
    let encoding = Encoding::learn(&table, &params.features, Missing::Rejected)?;
    let mut matrix = encoding.encode(&table)?;
    let (means, scales) = if params.standardize { matrix.standardize() } else { as_they_are(&matrix) };
    let problem = solver::Problem { matrix, places, classes: classes.0.len(), c: params.c };
    let outputs = problem.solve(params.max_iterations.unsigned_abs())?;
    ModelFile {
        format: FORMAT,
        flavor: Flavor::Classifier,
        algorithm: "logistic".into(),
        label: params.label.clone(),
        classes: classes.0,
        encoding,
        learned: Learned::Linear { means, scales, outputs },
    }
    .into_model()
}

fn as_they_are(matrix: &Matrix) -> (Vec<f64>, Vec<f64>) {
    (vec![0.0; matrix.columns.len()], vec![1.0; matrix.columns.len()])
}
