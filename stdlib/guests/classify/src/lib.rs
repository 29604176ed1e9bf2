//! `std/classify`: steps that tell classes apart, and judge how well.
//!
//! Owns: the classifiers' trainers and the definitions of every metric of classification. Must never know: how tables
//! and models lie in files (the SDK, `mlp-std-models`).

pub mod evaluate;
pub mod gradient_boosting;
pub mod logistic;
mod metrics;
mod solver;

mlp_sdk::plugin!(logistic, gradient_boosting, evaluate; predictor: mlp_std_models::Ready);
