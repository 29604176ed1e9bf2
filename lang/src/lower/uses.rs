//! `use std/tabular`, `use "./enrich.wasm" as enrich`: modules and their signatures.

use crate::codes;
use crate::context::{Context, Module};
use crate::finding::Finding;
use crate::link::load::is_import;
use crate::names::{declared_name, suggest};
use crate::signature::{ModuleError, Modules};
use crate::syntax::ast::DeclarationKind;
use crate::written::listed;

pub(super) fn load(cx: &mut Context<'_>, modules: &dyn Modules) {
    cx.known_modules = modules.known();
    let file = cx.file;
    for (index, declaration) in file.declarations.iter().enumerate() {
        let DeclarationKind::Use { path, path_span, quoted, .. } = &declaration.kind else { continue };
        let files = is_import(path, *quoted);
        let is_named = declared_name(declaration).is_some();
        if !is_named {
            cx.report(
                Finding::error(
                    codes::NAMELESS_MODULE,
                    cx.place(*path_span),
                    match files {
                        true => "what a file declares is named with a dot, and this `use` has no name",
                        false => "steps of a plugin are called by a name, and this one has none",
                    },
                )
                .help(format!("write `use {} as name`", cx.text(*path_span))),
            );
        }
        // Files were read before: what is needed of them stands among the declarations.
        if files {
            continue;
        }
        let module = match modules.module(path) {
            Ok(signature) => Some(Module { path: path.as_str().into(), signature }),
            // Of a line that has to be written anew anyway, one thing is said.
            Err(_) if !is_named => None,
            Err(ModuleError::NotFound(_)) => {
                let near = cx.names.nearest(path, cx.known_modules.iter().map(String::as_str)).map(str::to_owned);
                let finding =
                    Finding::error(codes::UNKNOWN_MODULE, cx.place(*path_span), format!("there is no module `{path}`"));
                let known = listed(&cx.known_modules);
                cx.report(suggest(finding, *path_span, near.as_deref(), || {
                    format!("the standard library has {known}")
                }));
                None
            }
            Err(ModuleError::Unusable { reason, .. }) => {
                cx.report(Finding::error(
                    codes::UNUSABLE_MODULE,
                    cx.place(*path_span),
                    format!("`{path}` cannot be used: {reason}"),
                ));
                None
            }
        };
        cx.modules.insert(index, module);
    }
}
