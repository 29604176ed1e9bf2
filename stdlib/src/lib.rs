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

/// Each module's name and the digest of its component (blake3, hex), taken when it was built: hashing all of them anew would
/// be most of what a check costs.
pub fn digests() -> &'static [(&'static str, &'static str)] {
    include!(concat!(env!("OUT_DIR"), "/digests.rs"))
}

/// Where the build left the probe: a plugin for tests and benchmarks, which is part of no binary.
pub const PROBE: &str = concat!(env!("OUT_DIR"), "/probe.wasm");

#[cfg(test)]
mod tests {
    use super::*;
    use mlp_lang::signature::{ModuleSignature, ParamDefault, ParamType};
    use wasmparser::{Parser, Payload};

    /// Walks nested modules too, as a loader does.
    fn signature(name: &str, component: &[u8]) -> ModuleSignature {
        let mut found = vec![];
        for payload in Parser::new(0).parse_all(component) {
            if let Payload::CustomSection(section) = payload.expect("a component")
                && section.name() == "mlp-signature"
            {
                found.push(section.data().to_vec());
            }
        }
        assert_eq!(found.len(), 1, "{name} has exactly one signature");
        serde_json::from_slice(&found[0]).expect("the signature is what the checker reads")
    }

    #[test]
    fn a_digest_is_that_of_the_component() {
        let hashed: Vec<_> =
            components().iter().map(|(name, bytes)| (*name, blake3::hash(bytes).to_hex().to_string())).collect();
        let told: Vec<_> = digests().iter().map(|(name, digest)| (*name, (*digest).to_owned())).collect();
        assert_eq!(told, hashed);
    }

    #[test]
    fn every_component_holds_the_signature_of_its_module() {
        let mut steps = vec![];
        for (name, component) in components() {
            let signature = signature(name, component);
            assert_eq!(signature.name, *name);
            assert_eq!(signature.version, env!("CARGO_PKG_VERSION"));
            assert_eq!(signature.world, "mlp:step@1.0.0");
            steps.extend(signature.steps.iter().map(|step| format!("{name}.{}", step.name)));
        }
        assert_eq!(
            steps,
            [
                "std/classify.logistic",
                "std/classify.gradient_boosting",
                "std/classify.evaluate",
                "std/regress.linear",
                "std/regress.gradient_boosting",
                "std/regress.evaluate",
                "std/tabular.split",
            ]
        );
    }

    #[test]
    fn nothing_that_a_user_sees_is_without_a_description() {
        for (name, component) in components() {
            for step in &signature(name, component).steps {
                let settings = step.params.iter().map(|p| (&p.name, &p.doc));
                let inputs = step.inputs.iter().map(|i| (&i.name, &i.doc));
                let outputs = step.outputs.iter().map(|o| (&o.name, &o.doc));
                for (what, doc) in settings.chain(inputs).chain(outputs).chain([(&step.name, &step.doc)]) {
                    assert!(!doc.is_empty(), "{name}.{} does not describe `{what}`", step.name);
                }
            }
        }
    }

    #[test]
    fn every_setting_has_a_default_or_is_optional() {
        for (name, component) in components() {
            for step in &signature(name, component).steps {
                for param in &step.params {
                    let optional = matches!(param.ty, ParamType::Optional(_));
                    assert!(optional != param.default.is_some(), "{name}.{} `{}`", step.name, param.name);
                    if let Some(ParamDefault::Value(serde_json::Value::Null)) = param.default {
                        panic!("{name}.{} `{}` has null for a default", step.name, param.name);
                    }
                }
            }
        }
    }
}
