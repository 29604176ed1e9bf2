//! `std/tabular`: steps on tables.
//!
//! Owns: what each step does to rows. Must never know: how tables lie in files (the SDK), or any model.

mod order;
mod random;
pub mod split;

mlp_sdk::plugin!(split);
