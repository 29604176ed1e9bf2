//! `classify.gradient_boosting`.

/// Gradient boosted trees for two classes. Missing values are learned from; enums and texts become one column per value.
#[mlp_sdk::step]
pub mod gradient_boosting {
    use mlp_sdk::prelude::*;

    /// How to train.
    #[derive(Clone, Debug)]
    pub struct Params {
        /// What is learned: a bool, an int, an enum or a text with two different values.
        #[param(column_of = "train", default_label)]
        pub label: Column,
        /// What it is learned from.
        #[param(column_of = "train", default_features)]
        pub features: Vec<Column>,
        /// How many trees.
        #[param(default = 100, min = 1, max = 10000)]
        pub iterations: i64,
        /// What part of each tree's correction is taken.
        #[param(default = 0.1, min = 0.0001, max = 1.0)]
        pub learning_rate: f64,
        /// Most splits between the root and a leaf.
        #[param(default = 5, min = 1, max = 16)]
        pub max_depth: i64,
        /// The least sum of p(1 - p) over the rows of a leaf.
        #[param(default = 1.0, min = 0.0)]
        pub min_leaf_weight: f64,
        /// Pulls leaves towards 0.
        #[param(default = 1.0, min = 0.0)]
        pub l2: f64,
        /// Share of rows drawn for each tree.
        #[param(default = 1.0, min = 0.0001, max = 1.0)]
        pub subsample: Fraction,
        /// The same seed draws the same rows.
        #[param(default = 0)]
        pub seed: i64,
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

pub use gradient_boosting::{Inputs, MLP_STEP_SIGNATURE, Outputs, Params, run};

use mlp_sdk::{Dataset, Error, Model};
use mlp_std_models::boosting::{Loss, Settings};
use mlp_std_models::file::FORMAT;
use mlp_std_models::{Classes, Encoding, Flavor, Missing, ModelFile, boosting};

fn train(params: &Params, train: &Dataset) -> Result<Model, Error> {
    let table = mlp_std_models::encoding::training_table(train, &params.features, &params.label)?;
    let (classes, places) = Classes::learn(&table, &params.label)?;
    if classes.0.len() > 2 {
        let message = format!(
            "it has {} classes ({}), and gradient boosting tells two apart: use classify.logistic",
            classes.0.len(),
            classes.0.join(", ")
        );
        return Err(Error::column(&params.label, message).of_param("label"));
    }
    let encoding = Encoding::learn(&table, &params.features, Missing::Kept)?;
    let matrix = encoding.encode(&table)?;
    let labels: Vec<f64> = places.into_iter().map(|place| place as f64).collect();
    let settings = Settings {
        iterations: params.iterations,
        learning_rate: params.learning_rate,
        max_depth: params.max_depth,
        min_leaf_weight: params.min_leaf_weight,
        l2: params.l2,
        subsample: params.subsample,
        seed: params.seed,
    };
    let learned = boosting::train(Loss::Logistic, &settings, matrix, &labels)?;
    ModelFile {
        format: FORMAT,
        flavor: Flavor::Classifier,
        algorithm: "gradient_boosting".into(),
        label: params.label.clone(),
        classes: classes.0,
        encoding,
        learned,
    }
    .into_model()
}
