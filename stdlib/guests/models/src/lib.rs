//! The standard models: how columns become numbers, how a trained model lies in its file, and prediction with it.
//!
//! Owns: [`encoding`] (columns to a matrix), [`labels`] (what is learned), [`file`] (the format), prediction
//! ([`ready`]), and the one trainer that two modules share ([`boosting`]). Must never know: how a model is judged.
//!
//! ```text
//! Table -> Encoding -> Matrix -> a trainer -> ModelFile -> JSON;   JSON -> ModelFile -> Ready + columns -> predictions
//! ```
//!
//! Invariants: a model's bytes depend on its content alone. A file that parses is sound: [`file::ModelFile::parse`]
//! rejects what could make prediction panic or loop.

pub mod boosting;
pub mod encoding;
pub mod file;
mod forest;
pub mod groups;
pub mod labels;
pub mod predictions;
pub mod ready;

pub use encoding::{Encoding, Feature, Matrix, Missing};
pub use file::{Flavor, Learned, ModelFile, Node, Tree};
pub use labels::Classes;
pub use ready::Ready;
