//! The interface of a component, read from its types without running it, and held against its signature.
//!
//! A signature that the interface does not keep would fail in the middle of a run; here it fails before anything runs, in
//! words for the plugin's author. Imports are judged too: what this engine cannot give is named now, not by a linker.

use crate::kebab;
use mlp_lang::signature::{InputKind, ModuleSignature, OutputKind, ParamType, StepSignature};
use mlp_lang::types::Type as LangType;
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{Function, Interface, Resolve, Type, TypeDefKind, WorldId, WorldItem};

/// What `mlp:step/host` has, in this version of the world.
const HOST_FUNCTIONS: [&str; 4] = ["log", "progress", "emit", "seed"];

/// Packages of WASI 0.2 that a step may import. Importing is not being granted: sockets are there and refuse.
const WASI_PACKAGES: [&str; 6] = ["cli", "clocks", "filesystem", "io", "random", "sockets"];

/// Whether the component keeps what its signature says, and asks for nothing that steps are not given.
pub fn agree(component: &[u8], signature: &ModuleSignature) -> Result<(), String> {
    let (resolve, world) = match decode(component) {
        Ok(DecodedWasm::Component(resolve, world)) => (resolve, world),
        Ok(DecodedWasm::WitPackage(..)) => {
            return Err("this is a WIT package in binary form, not a component that can run".into());
        }
        Err(error) => return Err(format!("its types cannot be read: {error:#}")),
    };
    check_imports(&resolve, world)?;
    for step in &signature.steps {
        let interface = exported(&resolve, world, signature, step)?;
        let run = interface.functions.get("run").ok_or_else(|| {
            format!(
                "its interface `{}` has no function `run`, so the step `{}` cannot be called",
                kebab(&step.name),
                step.name
            )
        })?;
        check_run(&resolve, run, step)?;
    }
    Ok(())
}

/// The interface of a step: `acme:churn/evaluate@1.2.0` of `acme/churn` 1.2.0.
pub(crate) fn export_name(signature: &ModuleSignature, step: &str) -> String {
    format!("{}/{}@{}", signature.name.replacen('/', ":", 1), kebab(step), signature.version)
}

fn exported<'a>(
    resolve: &'a Resolve,
    world: WorldId,
    signature: &ModuleSignature,
    step: &StepSignature,
) -> Result<&'a Interface, String> {
    let wanted = export_name(signature, &step.name);
    let mut others = vec![];
    for (key, item) in &resolve.worlds[world].exports {
        let WorldItem::Interface { id, .. } = item else { continue };
        let name = resolve.name_world_key(key);
        if name == wanted {
            return Ok(&resolve.interfaces[*id]);
        }
        others.push(format!("`{name}`"));
    }
    let others = if others.is_empty() { "nothing".to_owned() } else { others.join(", ") };
    Err(format!(
        "its signature offers the step `{}`, but it does not export `{wanted}`; it exports {others}",
        step.name
    ))
}

fn check_run(resolve: &Resolve, run: &Function, step: &StepSignature) -> Result<(), String> {
    let name = &step.name;
    let params: Vec<_> = step.params.iter().map(|p| (kebab(&p.name), param_type(&p.ty))).collect();
    let inputs: Vec<_> = step.inputs.iter().map(|i| (kebab(&i.name), input_type(&i.kind).to_owned())).collect();
    let outputs: Vec<_> = step.outputs.iter().map(|o| (kebab(&o.name), output_type(&o.kind).to_owned())).collect();
    let wanted: Vec<_> = [("params", params), ("inputs", inputs)].into_iter().filter(|(_, f)| !f.is_empty()).collect();
    if run.params.len() != wanted.len() {
        let names: Vec<_> = wanted.iter().map(|(record, _)| *record).collect();
        return Err(format!(
            "`run` of step `{name}` takes {} arguments; by the signature it takes {}: {}",
            run.params.len(),
            wanted.len(),
            names.join(", ")
        ));
    }
    for (given, (record, fields)) in run.params.iter().zip(&wanted) {
        check_record(resolve, given.ty, fields).map_err(|why| format!("step `{name}`, {record}: {why}"))?;
    }
    let shape = || format!("`run` of step `{name}` must give result<outputs, error>");
    let TypeDefKind::Result(result) = kind(resolve, run.result.ok_or_else(shape)?).ok_or_else(shape)? else {
        return Err(shape());
    };
    if result.err.is_none_or(|ty| text(resolve, ty) != "error") {
        return Err(format!("{}, with the error of {}", shape(), crate::WORLD));
    }
    check_record(resolve, result.ok.ok_or_else(shape)?, &outputs)
        .map_err(|why| format!("step `{name}`, outputs: {why}"))
}

fn check_record(resolve: &Resolve, ty: Type, wanted: &[(String, String)]) -> Result<(), String> {
    let Some(TypeDefKind::Record(record)) = kind(resolve, ty) else {
        return Err(format!("it is {}, not a record", text(resolve, ty)));
    };
    for (name, ty) in wanted {
        match record.fields.iter().find(|field| field.name == *name) {
            None => return Err(format!("the signature has `{name}`, the interface does not")),
            Some(field) if text(resolve, field.ty) != *ty => {
                return Err(format!(
                    "`{name}` is {} in the interface and {ty} by the signature",
                    text(resolve, field.ty)
                ));
            }
            Some(_) => {}
        }
    }
    match record.fields.iter().find(|field| wanted.iter().all(|(name, _)| *name != field.name)) {
        Some(field) => Err(format!("the interface has `{}`, the signature does not", field.name)),
        None => Ok(()),
    }
}

fn check_imports(resolve: &Resolve, world: WorldId) -> Result<(), String> {
    for (key, item) in &resolve.worlds[world].imports {
        let name = resolve.name_world_key(key);
        let WorldItem::Interface { id, .. } = item else {
            return Err(format!("it imports `{name}`, which steps are not given"));
        };
        let (path, version) = name.split_once('@').unwrap_or((&name, ""));
        let version: Vec<&str> = version.split('.').collect();
        match path.split_once(':') {
            Some(("mlp", "step/host" | "step/types")) if version.first() == Some(&"1") => {
                if path == "mlp:step/host" {
                    check_host(&resolve.interfaces[*id], &name)?;
                }
            }
            Some(("mlp", "predictor/types")) if version.first() == Some(&"1") => {}
            Some(("mlp", "predictor/types")) => {
                return Err(format!(
                    "it imports `{name}`; this mlp speaks {}: update mlp or rebuild the plugin",
                    crate::PREDICTOR_WORLD
                ));
            }
            Some(("mlp", step)) if step.starts_with("step/") => {
                return Err(format!(
                    "it imports `{name}`; this mlp speaks {}: update mlp or rebuild the plugin",
                    crate::WORLD
                ));
            }
            Some(("wasi", rest)) => {
                let package = rest.split('/').next().unwrap_or_default();
                if !WASI_PACKAGES.contains(&package) || version.get(..2) != Some(&["0", "2"]) {
                    return Err(format!(
                        "it imports `{name}`, which steps are not given: they have files, random numbers and clocks of WASI 0.2, and no network"
                    ));
                }
            }
            _ => return Err(format!("it imports `{name}`, which steps are not given")),
        }
    }
    Ok(())
}

fn check_host(interface: &Interface, name: &str) -> Result<(), String> {
    match interface.functions.keys().find(|function| !HOST_FUNCTIONS.contains(&function.as_str())) {
        Some(function) => Err(format!(
            "it calls the function `{function}` of `{name}`, which this mlp does not have (it speaks {}): update mlp",
            crate::WORLD
        )),
        None => Ok(()),
    }
}

/// Aliases followed.
fn kind(resolve: &Resolve, ty: Type) -> Option<&TypeDefKind> {
    let Type::Id(id) = ty else { return None };
    match &resolve.types[id].kind {
        TypeDefKind::Type(alias) => kind(resolve, *alias),
        other => Some(other),
    }
}

/// As written in WIT; types of the step world by their plain name.
fn text(resolve: &Resolve, ty: Type) -> String {
    match ty {
        Type::Bool => "bool".into(),
        Type::S64 => "s64".into(),
        Type::U64 => "u64".into(),
        Type::F64 => "f64".into(),
        Type::String => "string".into(),
        Type::Id(id) => match &resolve.types[id].kind {
            TypeDefKind::Type(alias) => text(resolve, *alias),
            TypeDefKind::Option(inner) => format!("option<{}>", text(resolve, *inner)),
            TypeDefKind::List(inner) => format!("list<{}>", text(resolve, *inner)),
            other => named(resolve, id).unwrap_or_else(|| other.as_str().to_owned()),
        },
        other => format!("{other:?}").to_lowercase(),
    }
}

/// `dataset` for `mlp:step/types@1.0.0.dataset`; a plugin's own type of that name is not it.
fn named(resolve: &Resolve, id: wit_parser::TypeId) -> Option<String> {
    let ty = &resolve.types[id];
    let name = ty.name.as_ref()?;
    match ty.owner {
        wit_parser::TypeOwner::Interface(owner) => {
            let interface = &resolve.interfaces[owner];
            let owner = resolve.id_of_name(interface.package?, interface.name.as_ref()?);
            Some(if owner.starts_with("mlp:step/types@1.") { name.clone() } else { format!("{owner}.{name}") })
        }
        _ => Some(name.clone()),
    }
}

fn param_type(ty: &ParamType) -> String {
    match ty {
        ParamType::Plain(plain) => plain_type(plain).into(),
        ParamType::Column { .. } | ParamType::ValueOf { .. } => "string".into(),
        ParamType::Optional(inner) => format!("option<{}>", param_type(inner)),
        ParamType::List(inner) => format!("list<{}>", param_type(inner)),
    }
}

fn plain_type(ty: &LangType) -> &'static str {
    match ty {
        LangType::Bool => "bool",
        LangType::Int | LangType::Duration => "s64",
        LangType::Float | LangType::Fraction => "f64",
        LangType::Size => "u64",
        LangType::Date | LangType::Time | LangType::String | LangType::Enum(_) => "string",
        _ => "a type that no setting has",
    }
}

fn input_type(kind: &InputKind) -> &'static str {
    match kind {
        InputKind::Dataset => "dataset",
        InputKind::Model(_) => "model",
    }
}

fn output_type(kind: &OutputKind) -> &'static str {
    match kind {
        OutputKind::SameAs(_) | OutputKind::Table(_) => "dataset",
        OutputKind::Model(_) => "model",
        OutputKind::Metrics { .. } => "metrics",
    }
}
