//! `std/regress`: steps that predict numbers, and judge how well.
//!
//! Owns: the regressors' trainers and the definitions of every metric of regression. Must never know: how tables and
//! models lie in files (the SDK, `mlp-std-models`).

pub mod evaluate;
pub mod gradient_boosting;
mod least_squares;
pub mod linear;

mlp_sdk::plugin!(linear, gradient_boosting, evaluate; predictor: mlp_std_models::Ready);
