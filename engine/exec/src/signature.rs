//! The `mlp-signature` custom section of a component: docs, defaults, ranges and needs, beside what WIT can say.
//!
//! The section may sit on the component itself or on any core module inside of it (where a linker puts it), and there may
//! be several: each holds one or more JSON documents of the form of [`ModuleSignature`], all of the same module, whose
//! steps are put together.

use crate::interface;
use mlp_core::digest::Digest;
use mlp_lang::signature::ModuleSignature;
use wasmparser::{Encoding, Parser, Payload};

/// The name of the custom section.
pub const SECTION: &str = "mlp-signature";

/// What a signature may weigh. Far above any honest one; keeps a hostile file from costing memory.
const MAX_BYTES: usize = 4 << 20;

const HOW_TO_BUILD: &str = "build it with `cargo build --release --target wasm32-wasip2`, or turn a core module into a \
                            component with `wasm-tools component new`";

/// The signature of a component that is trusted to agree with its own interface, such as one that is part of the binary:
/// reads the custom section alone. `digest` is that of the component, if somebody knows it.
pub fn of_trusted(component: &[u8], digest: Option<&str>) -> Result<ModuleSignature, String> {
    let documents = documents(component)?;
    let mut signature = merge(&documents)?;
    signature.digest = digest.map_or_else(|| Digest::of(component).to_string(), str::to_owned);
    Ok(signature)
}

/// The signature of any component: its custom section, checked against its interface and its imports.
pub fn of_plugin(component: &[u8]) -> Result<ModuleSignature, String> {
    let signature = of_trusted(component, None)?;
    interface::agree(component, &signature)?;
    Ok(signature)
}

/// The JSON texts of all sections of that name, at any depth.
fn documents(component: &[u8]) -> Result<Vec<&[u8]>, String> {
    if component.get(..4) != Some(b"\0asm") {
        return Err(format!("this is not WebAssembly; {HOW_TO_BUILD}"));
    }
    let mut found: Vec<&[u8]> = vec![];
    let mut is_first = true;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(|error| format!("the file is damaged: {error}; build it again"))? {
            Payload::Version { encoding, .. } if std::mem::take(&mut is_first) && encoding == Encoding::Module => {
                return Err(format!("this is a core module, not a component; {HOW_TO_BUILD}"));
            }
            Payload::CustomSection(section) if section.name() == SECTION && !found.contains(&section.data()) => {
                found.push(section.data());
            }
            _ => {}
        }
    }
    if found.iter().map(|data| data.len()).sum::<usize>() > MAX_BYTES {
        return Err(format!("its `{SECTION}` section is larger than {MAX_BYTES} bytes"));
    }
    Ok(found)
}

fn merge(sections: &[&[u8]]) -> Result<ModuleSignature, String> {
    let mut whole: Option<ModuleSignature> = None;
    for section in sections {
        for document in serde_json::Deserializer::from_slice(section).into_iter::<ModuleSignature>() {
            let part = document.map_err(|error| {
                format!("its `{SECTION}` section is not a signature this version of mlp can read ({error}); build the plugin with the SDK of this version")
            })?;
            match &mut whole {
                None => whole = Some(part),
                Some(whole) => join(whole, part)?,
            }
        }
    }
    let signature = whole.ok_or_else(|| {
        format!("it has no `{SECTION}` section, so it is no mlp plugin; write `mlp_sdk::plugin!(my_step);` at the end of its lib.rs")
    })?;
    check(&signature)?;
    Ok(signature)
}

fn join(whole: &mut ModuleSignature, part: ModuleSignature) -> Result<(), String> {
    if (&part.name, &part.version, &part.world) != (&whole.name, &whole.version, &whole.world) {
        return Err(format!(
            "it holds signatures of two modules, {} {} and {} {}; a component is one module",
            whole.name, whole.version, part.name, part.version
        ));
    }
    if whole.doc.is_empty() {
        whole.doc = part.doc;
    }
    whole.steps.extend(part.steps);
    Ok(())
}

/// What must hold of any signature by itself.
fn check(signature: &ModuleSignature) -> Result<(), String> {
    check_world(&signature.world)?;
    if signature.steps.is_empty() {
        return Err("its signature offers no step".into());
    }
    for (index, step) in signature.steps.iter().enumerate() {
        if signature.steps[..index].iter().any(|other| other.name == step.name) {
            return Err(format!("its signature offers the step `{}` twice", step.name));
        }
        let names = step.inputs.iter().map(|i| &i.name).chain(step.params.iter().map(|p| &p.name));
        let outputs = step.outputs.iter().map(|o| &o.name);
        for name in [&step.name].into_iter().chain(names.clone()).chain(outputs.clone()) {
            if !is_snake(name) {
                return Err(format!("its signature holds the name {name:?}; names are like `max_depth`"));
            }
        }
        let mut taken: Vec<&String> = vec![];
        for name in names {
            if taken.contains(&name) {
                return Err(format!("step `{}` has two inputs or settings named `{name}`", step.name));
            }
            taken.push(name);
        }
        let mut given: Vec<&String> = vec![];
        for name in outputs {
            if given.contains(&name) {
                return Err(format!("step `{}` has two outputs named `{name}`", step.name));
            }
            given.push(name);
        }
    }
    Ok(())
}

/// `mlp:step@1.x.y` is what this engine speaks.
fn check_world(world: &str) -> Result<(), String> {
    match world.strip_prefix("mlp:step@").and_then(|version| version.split('.').next()?.parse::<u64>().ok()) {
        Some(1) => Ok(()),
        Some(major) if major > 1 => {
            Err(format!("it was built for {world}; this mlp speaks {}: update mlp", crate::WORLD))
        }
        _ => Err(format!("it was built for {world:?}; this mlp speaks {}", crate::WORLD)),
    }
}

/// Names become file names and WIT names: nothing else is let in.
fn is_snake(name: &str) -> bool {
    name.len() <= 64
        && name.split('_').all(|word| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
}
