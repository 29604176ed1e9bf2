//! The standard steps, as the WebAssembly components that `build.rs` made from `guests/`.
//!
//! Owns: the bytes and their names. Must never know: how a component is read or run. Nothing in here can do what a
//! user's plugin could not: the components are written with the same SDK and hold their own signatures.

/// Each module's name, as in `use std/tabular`, and its component.
pub fn components() -> &'static [(&'static str, &'static [u8])] {
    &[
        ("std/classify", include_bytes!(concat!(env!("OUT_DIR"), "/classify.wasm"))),
        ("std/regress", include_bytes!(concat!(env!("OUT_DIR"), "/regress.wasm"))),
        ("std/tabular", include_bytes!(concat!(env!("OUT_DIR"), "/tabular.wasm"))),
    ]
}

/// Where the build left the probe: a plugin for tests and benchmarks, which is part of no binary.
pub const PROBE: &str = concat!(env!("OUT_DIR"), "/probe.wasm");
