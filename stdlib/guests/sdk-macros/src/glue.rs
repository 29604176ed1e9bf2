//! The code between a step's Rust and its interface.

use crate::manifest::Manifest;
use crate::module::Step;
use crate::{signature, wit};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Ident, Item, ItemMod, Result, Token};

/// The module as written, plus its signature, plus its export where there is a host to call it.
pub fn expand_step(item: &ItemMod) -> Result<TokenStream> {
    let manifest = Manifest::read()?;
    let (step, mut module) = Step::read(item)?;
    let json = signature::step(&step).to_string();
    let export = export(&manifest, &step);
    let additions: [Item; 2] = [
        syn::parse_quote! {
            #[doc(hidden)]
            pub const MLP_STEP_SIGNATURE: &str = #json;
        },
        syn::parse_quote! {
            #[doc(hidden)]
            #[cfg(target_family = "wasm")]
            #[allow(warnings, clippy::all)]
            mod mlp_export { #export }
        },
    ];
    if let Some((_, items)) = &mut module.content {
        items.extend(additions);
    }
    Ok(quote!(#module))
}

/// `plugin!(split, join)`: the whole signature, as one JSON document in one custom section.
pub fn expand_plugin(input: TokenStream) -> Result<TokenStream> {
    let steps = Punctuated::<Ident, Token![,]>::parse_terminated.parse2(input)?;
    if steps.is_empty() {
        return Err(syn::Error::new(proc_macro2::Span::call_site(), "name the step modules: `plugin!(split)`"));
    }
    let manifest = Manifest::read()?;
    let head: Vec<String> = manifest.head().into_iter().map(|(key, value)| format!("\"{key}\":{value},")).collect();
    let head = format!("{{{}\"steps\":[", head.concat());
    let path = &manifest.path;
    let mut pieces = vec![quote!(#head)];
    for (index, step) in steps.iter().enumerate() {
        if index > 0 {
            pieces.push(quote!(","));
        }
        pieces.push(quote!(#step::MLP_STEP_SIGNATURE));
    }
    pieces.push(quote!("]}"));
    Ok(quote! {
        // Naming the manifest makes the compiler watch it: the package's name comes from there.
        const _: &[u8] = include_bytes!(#path);

        /// The plugin's signature: one JSON document.
        pub const MLP_SIGNATURE: &str = {
            const PIECES: &[&str] = &[#(#pieces),*];
            const BYTES: [u8; ::mlp_sdk::__private::length(PIECES)] = ::mlp_sdk::__private::concat(PIECES);
            ::mlp_sdk::__private::text(&BYTES)
        };

        #[cfg(target_family = "wasm")]
        const _: () = {
            #[used]
            #[unsafe(link_section = "mlp-signature")]
            static SECTION: [u8; MLP_SIGNATURE.len()] = ::mlp_sdk::__private::concat(&[MLP_SIGNATURE]);
        };
    })
}

fn export(manifest: &Manifest, step: &Step) -> TokenStream {
    let document = wit::document(manifest, step);
    let world = wit::world(step);
    let namespace = format_ident!("{}", manifest.namespace.replace('-', "_"));
    let package = format_ident!("{}", manifest.name.replace('-', "_"));
    let interface = format_ident!("{}", step.name);
    let bindings = quote!(self::exports::#namespace::#package::#interface);
    let mut taken = vec![];
    let mut given = vec![];
    let mut made = vec![];
    if let Some(params) = &step.params {
        let names = params.iter().map(|p| format_ident!("{}", p.name));
        taken.push(quote!(p: #bindings::Params));
        made.push(quote!(let params = super::Params {
            #(#names: ::mlp_sdk::__private::Setting::from_wit(p.#names)),*
        };));
        given.push(quote!(params));
    }
    if let Some(inputs) = &step.inputs {
        let names = inputs.iter().map(|i| format_ident!("{}", i.name));
        taken.push(quote!(i: #bindings::Inputs));
        made.push(quote!(let inputs = super::Inputs { #(#names: i.#names.into()),* };));
        given.push(quote!(inputs));
    }
    let outputs = step.outputs.iter().map(|o| {
        let ident = format_ident!("{}", o.name);
        let name = &o.name;
        quote!(#ident: outputs.#ident.store(#name)?)
    });
    let runtime = "::mlp_sdk::__private::wit_bindgen::rt";
    quote! {
        ::mlp_sdk::__private::wit_bindgen::generate!({
            inline: #document,
            world: #world,
            with: { "mlp:step/types@1.0.0": ::mlp_sdk::wit::types },
            runtime_path: #runtime,
        });

        struct Export;

        impl #bindings::Guest for Export {
            fn run(#(#taken),*) -> Result<#bindings::Outputs, ::mlp_sdk::wit::types::Error> {
                #(#made)*
                let outputs = super::run(#(#given),*)?;
                Ok(#bindings::Outputs { #(#outputs),* })
            }
        }

        export!(Export with_types_in self);
    }
}
