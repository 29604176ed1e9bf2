//! The macros of `mlp-sdk`: one annotated module becomes one step of a plugin.
//!
//! Owns: reading a step's module ([`module`]), writing its interface in WIT ([`wit`]), its signature ([`signature`]) and
//! the code between the two worlds ([`glue`]). Must never know: what a step computes, how files are read or written.
//!
//! ```text
//! #[step] mod  ->  Step (what the author wrote)  ->  WIT text, signature JSON, glue  ->  the module, plus an export
//! ```
//!
//! Invariants: the WIT and the signature are both written from the same [`module::Step`], so they agree. Exports exist
//! on `wasm` targets alone, so that `cargo test` links natively.

mod glue;
mod manifest;
mod module;
mod signature;
mod wit;

use proc_macro::TokenStream;

/// Makes the annotated module a step.
///
/// The module holds `struct Inputs`, `struct Outputs`, optionally `struct Params`, and
/// `fn run(params: Params, inputs: Inputs) -> Result<Outputs, Error>`. Doc comments are shown to users of the step. See
/// the README of `mlp-sdk` for the types and attributes of the fields.
#[proc_macro_attribute]
pub fn step(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let parsed = if attribute.is_empty() {
        syn::parse(item).and_then(|item| glue::expand_step(&item))
    } else {
        Err(syn::Error::new(proc_macro2::Span::call_site(), "`#[mlp_sdk::step]` takes no arguments"))
    };
    parsed.unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Writes the plugin's signature: `mlp_sdk::plugin!(split, join);` names every step module once.
/// `mlp_sdk::plugin!(train; predictor: MyPredictor);` also exports what serves the models that the steps make: a type
/// with the trait `mlp_sdk::Predictor`.
///
/// The plugin's package comes from `[package.metadata.mlp] package = "acme:churn"` in `Cargo.toml`, its version and its
/// description from `[package]`.
#[proc_macro]
pub fn plugin(input: TokenStream) -> TokenStream {
    glue::expand_plugin(input.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}
