//! What is shown when the mouse rests on a word.

use crate::builtin;
use crate::meaning::{Meaning, Symbol};
use crate::outline::TokKind;
use crate::view::{Callee, Declared, View};
use crate::workspace::Workspace;
use mlp_lang::analysis::written_type;
use mlp_lang::signature::{
    InputKind, ModuleSignature, OutputKind, ParamDefault, ParamSignature, ParamType, StepSignature,
};
use mlp_lang::span::Span;
use mlp_lang::syntax::ast::{DeclarationKind, Field};
use mlp_lang::types::{Bound, Column, MetricField, Schema, Type};
use mlp_lang::value::Value;
use std::fmt::Write;

/// A text about a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    /// The word.
    pub span: Span,
    /// Markdown.
    pub text: String,
}

/// How many columns or steps a hover lists.
const LISTED: usize = 24;

impl Workspace {
    /// What is known about the word at a byte.
    pub fn hover(&self, path: &str, offset: u32) -> Option<Hover> {
        let view = self.view(path)?;
        let tok = view.outline().at(offset)?;
        let span = view.outline().toks.get(tok)?.span;
        match view.meaning(tok) {
            Some(meaning) => Some(Hover { span, text: view.describe(tok, &meaning)? }),
            None => match view.table_at(tok, offset) {
                Some((symbol, span)) => Some(Hover { span, text: view.about(&symbol)? }),
                None => Some(Hover { span, text: view.literal(tok)? }),
            },
        }
    }
}

impl View<'_> {
    fn describe(&self, tok: usize, meaning: &Meaning) -> Option<String> {
        match &meaning.symbol {
            Some(symbol) => self.about(symbol),
            None => self.of_language(tok),
        }
    }

    /// What is known about a symbol, in Markdown.
    pub(crate) fn about(&self, symbol: &Symbol) -> Option<String> {
        match symbol {
            Symbol::Named { path, name } => {
                let view = self.workspace.view(path)?;
                let declared = view.declared(name)?;
                Some(view.about_declaration(declared))
            }
            Symbol::Local { path, declaration, name } => {
                let view = self.workspace.view(path)?;
                let part = *view.outline().groups.first()?.parts.get(*declaration as usize)?;
                match view.block_of(part).and_then(|block| view.declared_in(block).get(&**name).copied()) {
                    Some(member) => Some(view.about_declaration(member)),
                    None => Some(code(&view.local_line(part, name)?)),
                }
            }
            Symbol::Column { path, schema, name } => {
                let view = self.workspace.view(path)?;
                let found = view.facts().schemas.get(&**schema).and_then(|found| found.column(name))?;
                Some(view.about_column(schema, found))
            }
            Symbol::Output { path, node, output, metric } => {
                self.workspace.view(path)?.about_output(node, output, metric.as_deref())
            }
            Symbol::Step { module, step } => {
                let module = self.module_named(module)?;
                Some(about_step(module, module.step(step)?))
            }
            Symbol::Argument { module, step, name } => about_argument(self.module_named(module)?.step(step)?, name),
        }
    }

    /// A module that this file uses, by its own name.
    pub(crate) fn module_named(&self, name: &str) -> Option<&ModuleSignature> {
        self.facts().modules.values().map(|module| &**module).find(|module| module.name == name)
    }

    /// The `##` comment above a declaration of the file.
    pub(crate) fn doc(&self, declared: Declared) -> Option<&str> {
        let keyword = self.outline().toks.get(declared.keyword)?.span;
        let found = self.looked.analysis.syntax().file.declarations.iter().find(|found| found.keyword == keyword)?;
        found.doc.as_deref()
    }

    fn about_declaration(&self, declared: Declared) -> String {
        let name = self.word(declared.name);
        let mut text = match self.word(declared.keyword) {
            "use" => match self.facts().modules.get(name) {
                Some(module) => return about_module(name, module),
                None => code(&self.header(declared)),
            },
            "schema" => match self.facts().schemas.get(name) {
                Some(schema) => code(&written_schema(schema)),
                None => code(&self.header(declared)),
            },
            _ => code(&self.header(declared)),
        };
        if let Some(doc) = self.doc(declared) {
            let _ = write!(text, "\n\n{doc}");
        }
        match self.word(declared.keyword) {
            "param" => self.parameter(name, &mut text),
            "data" => {
                if let Some(schema) = self.schema_of_data(declared) {
                    let _ = write!(text, "\n\n{}", columns(&schema));
                }
            }
            "step" => self.step(declared, &mut text),
            "model" | "deploy" => {
                if let Some(trained) = self.node(name).and_then(|node| node.trained.as_ref()) {
                    let label =
                        trained.label.as_ref().map_or(String::new(), |label| format!(", predicts `{}`", label.name));
                    let _ = write!(text, "\n\nLearnt from {} columns{label}.", trained.row.columns.len());
                }
            }
            _ => {}
        }
        text
    }

    fn parameter(&self, name: &str, text: &mut String) {
        if let Some((_, value)) = self.facts().params.get(name) {
            let _ = match value {
                Some(value) => write!(text, "\n\nValue: `{value}`; `mlp run -p {name}=...` sets another one."),
                None => write!(text, "\n\nWithout a value: the command line must give one, `-p {name}=...`."),
            };
        }
    }

    fn step(&self, declared: Declared, text: &mut String) {
        let name = self.word(declared.name);
        if let Some(Callee::Step(_, signature)) = self.body_of(declared)
            && !signature.doc.is_empty()
        {
            let _ = write!(text, "\n\n{}", signature.doc);
        }
        let outputs = self.outputs(declared);
        if !outputs.is_empty() {
            text.push_str("\n\nGives:\n");
        }
        for (output, ty) in &outputs {
            let _ = write!(text, "\n- `{name}.{output}`: {}", shown(ty));
            let Type::Metrics(fields) = ty else { continue };
            for field in fields.iter().take(LISTED) {
                let _ = write!(text, "\n  - `{}`: {}", field.name, field.ty);
                if let Some(last) = self.last(name, output, field) {
                    let _ = write!(text, " = **{}** ({})", last.value, last.run);
                }
            }
        }
    }

    fn last(&self, node: &str, output: &str, metric: &MetricField) -> Option<crate::workspace::LastValue> {
        self.workspace.environment().last_value(self.document.path(), node, output, metric)
    }

    /// The first line of a declaration, without its block.
    fn header(&self, declared: Declared) -> String {
        let toks = &self.outline().toks;
        let start = toks.get(declared.part.first).map_or(0, |tok| tok.span.start);
        let block =
            self.block_of(declared.part).and_then(|group| self.outline().groups.get(group)).map(|group| group.open);
        let end = block.unwrap_or(declared.part.end);
        let end = toks.get(end.saturating_sub(1)).map_or(start, |tok| tok.span.end);
        shortened(self.text().get(start as usize..end as usize).unwrap_or_default())
    }

    /// How a parameter of a component, or the variable of a `for`, is written.
    fn local_line(&self, declaration: crate::outline::Part, name: &str) -> Option<String> {
        if let Some(parameters) = self.parameters_of(declaration)
            && let Some(part) = self
                .outline()
                .groups
                .get(parameters)?
                .parts
                .iter()
                .find(|part| part.name.is_some_and(|found| self.word(found) == name))
        {
            return Some(self.slice(part.first, part.end));
        }
        let marker =
            (declaration.first..declaration.end).find(|at| self.word(*at) == "for" && self.word(at + 1) == name)?;
        Some(self.slice(marker, declaration.end))
    }

    /// The text from one token to before another.
    pub(crate) fn slice(&self, first: usize, end: usize) -> String {
        let toks = &self.outline().toks;
        let start = toks.get(first).map_or(0, |tok| tok.span.start);
        let end = end.checked_sub(1).and_then(|last| toks.get(last)).map_or(start, |tok| tok.span.end);
        shortened(self.text().get(start as usize..end as usize).unwrap_or_default())
    }

    fn about_column(&self, schema: &str, column: &Column) -> String {
        let mut text = code(&written_column(column));
        if let Some(doc) = self.written_field(schema, &column.name).and_then(|field| field.doc.as_ref()) {
            let _ = write!(text, "\n\n{doc}");
        }
        let _ = write!(text, "\n\nA column of `{schema}`.");
        text
    }

    fn written_field(&self, schema: &str, column: &str) -> Option<&Field> {
        self.looked.analysis.syntax().file.declarations.iter().find_map(|declaration| match &declaration.kind {
            DeclarationKind::Schema { name, fields, .. } if name.name == schema => {
                fields.iter().find(|field| field.name.name == column)
            }
            _ => None,
        })
    }

    fn about_output(&self, node: &str, output: &str, metric: Option<&str>) -> Option<String> {
        let declared = self.declared(node);
        let outputs = declared.map(|declared| self.outputs(declared)).unwrap_or_default();
        let ty = outputs.get(output).cloned().unwrap_or(Type::Unknown);
        let documented = declared.and_then(|declared| match self.body_of(declared) {
            Some(Callee::Step(_, signature)) => {
                signature.outputs.iter().find(|found| found.name == output).map(|found| found.doc.clone())
            }
            _ => None,
        });
        let Some(metric) = metric else {
            let mut text = code(&format!("{node}.{output}: {}", plain_type(&ty)));
            if let Some(doc) = documented.filter(|doc| !doc.is_empty()) {
                let _ = write!(text, "\n\n{doc}");
            }
            if let Type::Dataset(schema) = &ty {
                let _ = write!(text, "\n\n{}", columns(schema));
            }
            return Some(text);
        };
        let Type::Metrics(fields) = &ty else { return None };
        let field = fields.iter().find(|field| field.name == metric)?;
        let mut text = code(&format!("{node}.{metric}: {}", field.ty));
        if !field.doc.is_empty() {
            let _ = write!(text, "\n\n{}", field.doc);
        }
        if let Some(last) = self.last(node, output, field) {
            let _ = write!(text, "\n\nLast: **{}** ({})", last.value, last.run);
        }
        Some(text)
    }

    /// A word of the language.
    fn of_language(&self, tok: usize) -> Option<String> {
        let site = self.site(tok)?;
        let part = self.outline().part(tok)?;
        let owner = self.block(site.group);
        let head = self.head(part);
        let call = self.outline().around(site.group).next().filter(|_| part.name == Some(tok));
        if let Some(group) = call
            && let Callee::Word(callee) = self.callee(group)
            && let Some(found) = builtin::arguments(callee).iter().find(|known| known.word == self.word(tok))
        {
            return Some(format!("`{}`: {}", found.word, found.doc));
        }
        let (owner, head) = match self.outline().declaration(site.group, site.part) {
            // Inside of a call the member around it says which words there are.
            Some((_, declaration)) if owner.is_empty() || head.is_empty() => (owner, self.head(declaration)),
            _ => (owner, head),
        };
        let member = self.outline().around(site.group).find_map(|group| {
            let around = self.outline().part_around(group)?;
            Some(self.head(around)).filter(|head| !head.is_empty())
        });
        let word = self.word(tok);
        let found = builtin::documented(word, owner, head).or_else(|| builtin::documented(word, owner, member?))?;
        Some(format!("`{}`: {}", found.word, found.doc))
    }

    /// A number with its unit, told in other words.
    fn literal(&self, tok: usize) -> Option<String> {
        if self.kind(tok)? != TokKind::Number {
            return None;
        }
        let word = self.word(tok);
        let nanos = mlp_lang::syntax::duration(word)?;
        Some(format!("`{word}`: a duration of {} s", nanos as f64 / 1e9))
    }
}

/// A module and its steps.
fn about_module(alias: &str, module: &ModuleSignature) -> String {
    let mut text = code(&format!("use {}", module.name));
    if !module.doc.is_empty() {
        let _ = write!(text, "\n\n{}", module.doc);
    }
    let _ = write!(text, "\n\nVersion {}. Steps:\n", module.version);
    for step in module.steps.iter().take(LISTED) {
        let doc = step.doc.lines().next().unwrap_or_default();
        let _ = write!(text, "\n- `{alias}.{}`{}{doc}", step.name, if doc.is_empty() { "" } else { ": " });
    }
    text
}

/// A step with everything it takes and gives.
pub(crate) fn about_step(module: &ModuleSignature, step: &StepSignature) -> String {
    let short = module.name.rsplit('/').next().unwrap_or_default();
    let inputs = step.inputs.iter().map(|input| format!("  {}: {}", input.name, input_type(&input.kind)));
    let params = step.params.iter().map(|param| format!("  {}", written_param(param)));
    let all: Vec<String> = inputs.chain(params).collect();
    let mut text = code(&format!("{short}.{}(\n{},\n)", step.name, all.join(",\n")));
    if !step.doc.is_empty() {
        let _ = write!(text, "\n\n{}", step.doc);
    }
    for param in &step.params {
        if !param.doc.is_empty() {
            let _ = write!(text, "\n- `{}`: {}", param.name, param.doc);
        }
    }
    text.push_str("\n\nGives:\n");
    for output in &step.outputs {
        let kind = match &output.kind {
            OutputKind::SameAs(input) => format!("a table with the columns of `{input}`"),
            OutputKind::Table(schema) => format!("a table of {} columns", schema.columns.len()),
            OutputKind::Model(flavor) => format!("`model<{flavor}>`"),
            OutputKind::Metrics { fields, .. } => {
                let names: Vec<_> = fields.iter().map(|field| format!("`{}`", field.name)).collect();
                format!("metrics {}", names.join(", "))
            }
        };
        let _ = write!(text, "\n- `{}`: {kind}", output.name);
    }
    text
}

fn about_argument(step: &StepSignature, name: &str) -> Option<String> {
    if let Some(input) = step.inputs.iter().find(|input| input.name == name) {
        let mut text = code(&format!("{}: {}", input.name, input_type(&input.kind)));
        if !input.doc.is_empty() {
            let _ = write!(text, "\n\n{}", input.doc);
        }
        return Some(text);
    }
    let param = step.params.iter().find(|param| param.name == name)?;
    let mut text = code(&written_param(param));
    let about = about_param(param);
    if !about.is_empty() {
        let _ = write!(text, "\n\n{about}");
    }
    Some(text)
}

/// The documentation of a setting, with its range.
pub(crate) fn about_param(param: &ParamSignature) -> String {
    let range = match (param.min, param.max) {
        (Some(min), Some(max)) => format!("Between {min} and {max}."),
        (Some(min), None) => format!("At least {min}."),
        (None, Some(max)) => format!("At most {max}."),
        (None, None) => String::new(),
    };
    [param.doc.as_str(), &range].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

pub(crate) fn input_type(kind: &InputKind) -> String {
    match kind {
        InputKind::Dataset => "dataset".to_owned(),
        InputKind::Model(flavor) => format!("model<{flavor}>"),
    }
}

/// A setting with its type and what stands for it when it is left out.
pub(crate) fn written_param(param: &ParamSignature) -> String {
    let default = match &param.default {
        Some(ParamDefault::Value(value)) => match (&param.ty, value.as_f64()) {
            (ParamType::Plain(Type::Fraction), Some(share)) => format!(" = {}", Value::Fraction(share)),
            _ => format!(" = {value}"),
        },
        Some(ParamDefault::Label { of }) => format!(" = the label of {of}"),
        Some(ParamDefault::Features { of }) => format!(" = the features of {of}"),
        None => String::new(),
    };
    format!("{}: {}{default}", param.name, written_type(&param.ty))
}

/// A column as it is declared.
pub(crate) fn written_column(column: &Column) -> String {
    let mut text = format!("{}: {}", mlp_lang::analysis::written_column(&column.name), column.ty);
    if column.nullable {
        text.push('?');
    }
    for bound in &column.bounds {
        let _ = match bound {
            Bound::Within(value) | Bound::OneOf(value) => write!(text, " in {value}"),
            Bound::Compare(comparison, value) => write!(text, " {comparison} {value}"),
        };
    }
    for (mark, set) in [(" unique", column.unique), (" label", column.label)] {
        if set {
            text.push_str(mark);
        }
    }
    text
}

fn written_schema(schema: &Schema) -> String {
    let mut text = format!("schema {} {{\n", schema.name.as_deref().unwrap_or("_"));
    for column in schema.columns.iter().take(LISTED) {
        let _ = writeln!(text, "  {}", written_column(column));
    }
    if schema.columns.len() > LISTED {
        let _ = writeln!(text, "  # {} more", schema.columns.len() - LISTED);
    }
    text + "}"
}

/// The columns of a table, in a sentence.
fn columns(schema: &Schema) -> String {
    let names: Vec<_> = schema.columns.iter().take(LISTED).map(|column| format!("`{}`", column.name)).collect();
    let more = if schema.columns.len() > LISTED { ", ..." } else { "" };
    format!("{} columns: {}{more}", schema.columns.len(), names.join(", "))
}

/// A type in a line.
pub(crate) fn shown(ty: &Type) -> String {
    match ty {
        Type::Unknown => "not known".to_owned(),
        Type::Metrics(fields) => format!("{} metrics", fields.len()),
        ty => format!("`{}`", plain_type(ty)),
    }
}

pub(crate) fn plain_type(ty: &Type) -> String {
    match ty {
        Type::Unknown => "?".to_owned(),
        Type::Dataset(Schema { name: None, .. }) => "dataset".to_owned(),
        ty => ty.to_string(),
    }
}

fn code(text: &str) -> String {
    format!("```mlp\n{text}\n```")
}

/// A declaration is shown in a few lines.
fn shortened(text: &str) -> String {
    const LINES: usize = 16;
    let count = text.lines().count();
    if count <= LINES && text.len() <= 2_000 {
        return text.to_owned();
    }
    let shown: Vec<_> = text.lines().take(LINES).map(|line| line.chars().take(200).collect::<String>()).collect();
    format!("{}\n# ...", shown.join("\n"))
}
