//! What a plugin says about itself in its `Cargo.toml`.

use proc_macro2::Span;
use serde_json::Value as Json;

/// The plugin's own package.
pub struct Manifest {
    /// `std` of `std:tabular`.
    pub namespace: String,
    /// `tabular` of `std:tabular`.
    pub name: String,
    /// `0.1.0`
    pub version: String,
    /// The description, for people.
    pub doc: String,
    /// Where the file is, so that the compiler notices its changes.
    pub path: String,
}

impl Manifest {
    /// Of the crate that is being compiled.
    pub fn read() -> syn::Result<Manifest> {
        let path = format!("{}/Cargo.toml", variable("CARGO_MANIFEST_DIR")?);
        let text = std::fs::read_to_string(&path).map_err(|e| fail(format!("cannot read {path}: {e}")))?;
        let toml: toml::Table = text.parse().map_err(|e| fail(format!("{path}: {e}")))?;
        let package = toml
            .get("package")
            .and_then(|p| p.get("metadata"))
            .and_then(|m| m.get("mlp"))
            .and_then(|m| m.get("package"))
            .and_then(|p| p.as_str())
            .ok_or_else(|| {
                fail(format!(
                    "{path} does not name the plugin; add\n\n[package.metadata.mlp]\npackage = \"acme:churn\"\n"
                ))
            })?;
        let (namespace, name) = package
            .split_once(':')
            .filter(|(namespace, name)| is_kebab(namespace) && is_kebab(name))
            .ok_or_else(|| fail(format!("{path}: `{package}` is no package name; write it like `acme:churn`")))?;
        Ok(Manifest {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            version: variable("CARGO_PKG_VERSION")?,
            doc: variable("CARGO_PKG_DESCRIPTION").unwrap_or_default(),
            path,
        })
    }

    /// `std/tabular`
    pub fn module_name(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// The head of the signature; its steps follow.
    pub fn head(&self) -> Vec<(&'static str, Json)> {
        vec![
            ("name", self.module_name().into()),
            ("version", self.version.clone().into()),
            ("world", crate::wit::WORLD.into()),
            ("doc", self.doc.clone().into()),
        ]
    }
}

fn variable(name: &str) -> syn::Result<String> {
    std::env::var(name).map_err(|_| fail(format!("{name} is not set: build with cargo")))
}

fn fail(message: String) -> syn::Error {
    syn::Error::new(Span::call_site(), message)
}

fn is_kebab(text: &str) -> bool {
    text.split('-').all(|word| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    })
}
