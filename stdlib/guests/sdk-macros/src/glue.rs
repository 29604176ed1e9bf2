//! The code between a step's Rust and its interface.

use crate::manifest::Manifest;
use crate::module::Step;
use crate::{signature, wit};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, Item, ItemMod, Result, Token, Type};

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

/// `split, join; predictor: Mine`
struct Plugin {
    steps: Punctuated<Ident, Token![,]>,
    predictor: Option<Type>,
}

impl Parse for Plugin {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut steps = Punctuated::new();
        while input.peek(Ident) {
            steps.push_value(input.parse()?);
            if !input.peek(Token![,]) {
                break;
            }
            steps.push_punct(input.parse()?);
        }
        if steps.is_empty() {
            return Err(input.error("name the step modules: `plugin!(split)`"));
        }
        let mut predictor = None;
        if input.parse::<Option<Token![;]>>()?.is_some() && !input.is_empty() {
            let key: Ident = input.parse()?;
            if key != "predictor" {
                return Err(syn::Error::new(key.span(), "only `predictor: MyPredictor` can stand here"));
            }
            input.parse::<Token![:]>()?;
            predictor = Some(input.parse()?);
        }
        Ok(Plugin { steps, predictor })
    }
}

/// `plugin!(split, join)`: the whole signature, as one JSON document in one custom section, and the export of the
/// predictor if there is one.
pub fn expand_plugin(input: TokenStream) -> Result<TokenStream> {
    let Plugin { steps, predictor } = syn::parse2(input)?;
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
    let predictor = predictor.map(|predictor| export_predictor(&manifest, &predictor));
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

        #predictor
    })
}

/// The export of `mlp:predictor/predict`, with the one model of the instance behind it.
fn export_predictor(manifest: &Manifest, predictor: &Type) -> TokenStream {
    let document = wit::predictor_document(manifest);
    let world = wit::PREDICTOR_PLUGIN;
    let runtime = "::mlp_sdk::__private::wit_bindgen::rt";
    quote! {
        // Natively there is no export; that it is a predictor is checked all the same.
        const _: () = ::mlp_sdk::__private::is_predictor::<#predictor>();

        #[doc(hidden)]
        #[cfg(target_family = "wasm")]
        #[allow(warnings, clippy::all)]
        mod mlp_export_predictor {
            use super::*;

            ::mlp_sdk::__private::wit_bindgen::generate!({
                inline: #document,
                world: #world,
                with: { "mlp:predictor/types@1.0.0": ::mlp_sdk::wit::predictor },
                runtime_path: #runtime,
            });

            type Slot = ::mlp_sdk::__private::Slot<#predictor>;

            ::std::thread_local! {
                static SLOT: ::std::cell::RefCell<Slot> = const { ::std::cell::RefCell::new(Slot::empty()) };
            }

            struct Export;

            impl self::exports::mlp::predictor::predict::Guest for Export {
                fn load(
                    model: ::std::vec::Vec<u8>,
                ) -> ::std::result::Result<::mlp_sdk::wit::predictor::Loaded, ::mlp_sdk::wit::predictor::Error> {
                    SLOT.with_borrow_mut(|slot| slot.load(&model))
                }

                fn predict(
                    rows: u32,
                    columns: ::std::vec::Vec<::mlp_sdk::wit::predictor::Column>,
                ) -> ::std::result::Result<::std::vec::Vec<f64>, ::mlp_sdk::wit::predictor::Error> {
                    SLOT.with_borrow_mut(|slot| slot.predict(rows, &columns))
                }
            }

            export!(Export with_types_in self);
        }
    }
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
