//! mlp-stdlib
