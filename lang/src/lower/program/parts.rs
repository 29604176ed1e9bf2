//! What a program is given and gives: `with`, `in`, `out`.

use crate::codes;
use crate::context::{Context, SeenIn};
use crate::finding::Finding;
use crate::names::suggest;
use crate::pipeline::OutputRef;
use crate::syntax::ast::{self, Expr, ExprKind, Ident, Task, TypeExpr, TypeKind};
use crate::types::{MetricField, Type};
use crate::typing::access::{self, Accessed};
use crate::typing::{Scope, Typing, with_article};
use crate::value::Value;
use crate::work::ProgramInput;
use indexmap::IndexMap;

/// `with { lr: 0.1 }`; `None` when an entry was not understood.
pub(super) fn params(cx: &mut Context<'_>, task: &Task) -> Option<IndexMap<String, Value>> {
    let mut params = IndexMap::new();
    let mut sound = true;
    for (name, written) in task.with.iter().flat_map(|with| &with.entries) {
        let value = cx.seen_in(SeenIn::Settings, |cx| Typing::new(cx, Scope::Constant).constant(written));
        let is_new = new(cx, "with", name, params.contains_key(&name.name));
        match value {
            Some((_, value)) if is_new => {
                params.insert(name.name.clone(), value);
            }
            _ => sound = false,
        }
    }
    sound.then_some(params)
}

fn new(cx: &mut Context<'_>, clause: &str, name: &Ident, known: bool) -> bool {
    if known {
        let message = format!("`{}` stands twice in `{clause}`", name.name);
        cx.report(Finding::error(codes::DUPLICATE_SETTING, cx.place(name.span), message).help("remove one"));
    }
    !known
}

/// `in { rows: split.train, code: file("train.py") }`
pub(super) fn inputs(cx: &mut Context<'_>, task: &Task) -> Option<IndexMap<String, ProgramInput>> {
    let mut inputs = IndexMap::new();
    let mut sound = true;
    for (name, written) in task.inputs.iter().flat_map(|inputs| &inputs.entries) {
        let input = input(cx, &name.name, written);
        let is_new = new(cx, "in", name, inputs.contains_key(&name.name));
        match input {
            Some(input) if is_new => {
                inputs.insert(name.name.clone(), input);
            }
            _ => sound = false,
        }
    }
    sound.then_some(inputs)
}

fn input(cx: &mut Context<'_>, name: &str, written: &Expr) -> Option<ProgramInput> {
    let found = match &written.kind {
        ExprKind::Error => return None,
        ExprKind::Call(callee, arguments) => match &callee.kind {
            ExprKind::Name(word) if word == "file" || word == "folder" => {
                return outside(cx, written, word, arguments);
            }
            ExprKind::Name(word) if word == "registry" => {
                "a registered model, which only a module's step takes".to_owned()
            }
            _ => "a call".to_owned(),
        },
        _ => match access::path(written) {
            Some(path) => match cx.access(&path) {
                Accessed::Output { node, output, ty } => {
                    return Some(ProgramInput::Output { from: OutputRef { node, output }, ty });
                }
                Accessed::Metric { field, .. } => {
                    let message = format!("the input `{name}` is one number, {}", with_article(&field.ty));
                    let finding = Finding::error(codes::TYPE_MISMATCH, cx.place(written.span), message);
                    cx.report(finding.help("give all metrics of the step: `eval.metrics`; they come as JSON"));
                    return None;
                }
                Accessed::Poison => return None,
            },
            None => "a value".to_owned(),
        },
    };
    let message = format!("the input `{name}` is a table, a model, metrics or files, not {found}");
    let finding = Finding::error(codes::TYPE_MISMATCH, cx.place(written.span), message);
    cx.report(match &written.kind {
        ExprKind::String(_) => {
            let text = cx.text(written.span);
            finding.help(format!("a file of the project is `file({text})`, a folder `folder({text})`")).fix(
                format!("write `file({text})`"),
                written.span,
                format!("file({text})"),
                crate::finding::Safety::Unsafe,
            )
        }
        ExprKind::Call(..) => finding.help("give a step's output: `split.train`"),
        _ => finding.help("a plain value stands in `with { ... }`"),
    });
    None
}

/// `file("train.py")`, `folder("src")`
fn outside(cx: &mut Context<'_>, whole: &Expr, word: &str, arguments: &[ast::Argument]) -> Option<ProgramInput> {
    let [ast::Argument { name: None, value }] = arguments else {
        let finding = Finding::error(codes::BAD_ARGUMENTS, cx.place(whole.span), format!("`{word}` takes one path"));
        cx.report(finding.help(format!("write `{word}(\"path\")`")));
        return None;
    };
    let path = super::text(cx, value, "a path")?;
    Some(if word == "file" { ProgramInput::File(path) } else { ProgramInput::Folder(path) })
}

/// Outputs as far as they were understood: what was not is `Unknown`, and fits everywhere.
pub(super) struct Outputs {
    pub(super) types: IndexMap<String, Type>,
    pub(super) sound: bool,
}

/// `out { clf: model<onnx>, fit: metrics { auc: float } }`
pub(super) fn outputs(cx: &mut Context<'_>, task: &Task) -> Outputs {
    let mut outputs = Outputs { types: IndexMap::new(), sound: true };
    for (name, written) in task.outputs.iter().flat_map(|outputs| &outputs.entries) {
        let ty = cx.output_type(written);
        outputs.sound &= ty != Type::Unknown;
        if new(cx, "out", name, outputs.types.contains_key(&name.name)) {
            outputs.types.insert(name.name.clone(), ty);
        } else {
            outputs.sound = false;
        }
    }
    outputs
}

impl Context<'_> {
    /// The type of something that a step gives: a table, a model, metrics, a file or a folder.
    pub(crate) fn output_type(&mut self, written: &TypeExpr) -> Type {
        match &written.kind {
            TypeKind::Named(name) if name == "file" => Type::File,
            TypeKind::Named(name) if name == "folder" => Type::Folder,
            TypeKind::Named(name) if name == "metrics" => {
                let message = "a program's metrics have names";
                let finding = Finding::error(codes::TYPE_MISMATCH, self.place(written.span), message);
                self.report(finding.help("say which: `metrics { auc: float, rows: int }`"));
                Type::Unknown
            }
            TypeKind::Named(name) if name == "dataset" || name == "model" => {
                let (what, example) = match name.as_str() {
                    "dataset" => ("a table has a schema", "dataset<Customer>"),
                    _ => ("a model has a flavor", "model<onnx>"),
                };
                let finding = Finding::error(codes::TYPE_MISMATCH, self.place(written.span), what);
                self.report(finding.help(format!("write `{example}`")));
                Type::Unknown
            }
            TypeKind::Generic(kind, inner) if kind.name == "dataset" => self.dataset_type(inner),
            TypeKind::Generic(kind, inner) if kind.name == "model" => match &inner.kind {
                TypeKind::Named(flavor) => Type::Model(flavor.clone()),
                _ => {
                    let finding =
                        Finding::error(codes::TYPE_MISMATCH, self.place(inner.span), "a flavor of models is one word");
                    self.report(finding.help("write `model<onnx>`"));
                    Type::Unknown
                }
            },
            TypeKind::Metrics(fields) => self.metrics_type(fields),
            _ => {
                let text = self.text(written.span);
                let message = format!("a program gives no `{text}`");
                let finding = match &written.kind {
                    TypeKind::Named(name) => {
                        let near = self.names.nearest(name, ["file", "folder"]);
                        let finding = Finding::error(codes::UNKNOWN_TYPE, self.place(written.span), message);
                        suggest(finding, written.span, near, || WHAT_PROGRAMS_GIVE.to_owned())
                    }
                    _ => {
                        Finding::error(codes::TYPE_MISMATCH, self.place(written.span), message).help(WHAT_PROGRAMS_GIVE)
                    }
                };
                self.report(finding);
                Type::Unknown
            }
        }
    }

    fn dataset_type(&mut self, schema: &TypeExpr) -> Type {
        let TypeKind::Named(name) = &schema.kind else {
            let finding = Finding::error(codes::TYPE_MISMATCH, self.place(schema.span), "a table has one schema");
            self.report(finding.help("write `dataset<Customer>` and declare `schema Customer { ... }`"));
            return Type::Unknown;
        };
        let schema = Ident { name: name.clone(), span: schema.span };
        match super::super::data::schema_named(self, &schema) {
            Some(schema) => Type::Dataset((*schema).clone()),
            None => Type::Unknown,
        }
    }

    fn metrics_type(&mut self, fields: &[(Ident, TypeExpr)]) -> Type {
        let mut known: Vec<MetricField> = Vec::with_capacity(fields.len());
        let mut sound = true;
        for (name, written) in fields {
            let ty = match &written.kind {
                TypeKind::Named(ty) if ty == "int" => Type::Int,
                TypeKind::Named(ty) if ty == "float" => Type::Float,
                TypeKind::Named(ty) if ty == "fraction" => Type::Fraction,
                _ => {
                    let message = format!("the metric `{}` is a number: int, float or fraction", name.name);
                    let finding = Finding::error(codes::TYPE_MISMATCH, self.place(written.span), message);
                    self.report(finding.help(format!("write `{}: float`", name.name)));
                    sound = false;
                    continue;
                }
            };
            if new(self, "metrics", name, known.iter().any(|field| field.name == name.name)) {
                known.push(MetricField { name: name.name.clone(), ty, doc: String::new() });
            } else {
                sound = false;
            }
        }
        if sound { Type::Metrics(known) } else { Type::Unknown }
    }
}

const WHAT_PROGRAMS_GIVE: &str =
    "programs give `dataset<Schema>`, `model<flavor>`, `metrics { name: float }`, `file` and `folder`";
