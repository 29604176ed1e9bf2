//! Arguments of a call, put to the inputs and settings of a signature.

use super::step::{Callee, written_type};
use crate::codes;
use crate::context::Context;
use crate::finding::Finding;
use crate::names::suggest;
use crate::signature::{InputKind, OutputKind, ParamDefault, StepSignature};
use crate::syntax::ast::{self, Argument, Ident};

/// Arguments as written.
pub(super) type Given<'e> = &'e [Argument];

/// Arguments by what they fill, in the signature's order.
pub(super) struct Arguments<'e> {
    pub(super) inputs: Vec<Option<&'e ast::Expr>>,
    pub(super) settings: Vec<Option<&'e ast::Expr>>,
    /// Whether each argument found its place and each input its argument.
    pub(super) sound: bool,
}

pub(super) fn arrange<'e>(
    cx: &mut Context<'_>,
    signature: &StepSignature,
    callee: Callee<'_>,
    given: Given<'e>,
) -> Arguments<'e> {
    let mut arguments = Arguments {
        inputs: vec![None; signature.inputs.len()],
        settings: vec![None; signature.params.len()],
        sound: true,
    };
    let mut position = 0;
    // An input stands in another's place: where each belongs is then for the author to say, and none is missed.
    let mut displaced = false;
    for argument in given {
        match &argument.name {
            None => {
                if let Some(slot) = arguments.inputs.get_mut(position) {
                    if slot.is_some() {
                        displaced = true;
                        arguments.sound = false;
                        twice(cx, signature, callee, argument, position);
                    } else {
                        *slot = Some(&argument.value);
                    }
                } else {
                    too_many(cx, signature, callee, argument);
                    arguments.sound = false;
                }
                position += 1;
            }
            Some(name) => named(cx, signature, callee, argument, name, &mut arguments),
        }
    }
    for (input, slot) in signature.inputs.iter().zip(&arguments.inputs) {
        if slot.is_none() && !displaced {
            arguments.sound = false;
            let kind = match &input.kind {
                InputKind::Dataset => "a table".to_owned(),
                InputKind::Model(flavor) => format!("a model<{flavor}>"),
            };
            let finding = Finding::error(
                codes::MISSING_ARGUMENT,
                cx.place(callee.whole),
                format!("`{}.{}` needs `{}`, {kind}", callee.text.0, callee.text.1, input.name),
            )
            .label(format!("called without `{}`", input.name))
            .note(written(signature, callee))
            .help(format!("add `{}: ...`", input.name));
            cx.report(finding);
        }
    }
    arguments
}

fn named<'e>(
    cx: &mut Context<'_>,
    signature: &StepSignature,
    callee: Callee<'_>,
    argument: &'e Argument,
    name: &Ident,
    arguments: &mut Arguments<'e>,
) {
    let input = signature.inputs.iter().position(|input| input.name == name.name);
    let setting = signature.params.iter().position(|param| param.name == name.name);
    let slot = match (input, setting) {
        (Some(at), _) => &mut arguments.inputs[at],
        (None, Some(at)) => &mut arguments.settings[at],
        (None, None) => {
            arguments.sound = false;
            let inputs = signature.inputs.iter().map(|input| input.name.as_str());
            let params = signature.params.iter().map(|param| param.name.as_str());
            let near = cx.names.nearest(&name.name, params.chain(inputs));
            let finding = Finding::error(
                codes::UNKNOWN_ARGUMENT,
                cx.place(name.span),
                format!("`{}.{}` takes no `{}`", callee.text.0, callee.text.1, name.name),
            )
            .note(written(signature, callee));
            let finding = match near {
                Some(near) => suggest(finding, name.span, Some(near), String::new),
                None => finding.help("remove it"),
            };
            return cx.report(finding);
        }
    };
    if let Some(first) = slot {
        arguments.sound = false;
        let finding =
            Finding::error(codes::DUPLICATE_SETTING, cx.place(name.span), format!("`{}` is given twice", name.name))
                .also(cx.place(first.span), "first given here");
        return cx.report(finding.help("remove one"));
    }
    *slot = Some(&argument.value);
}

/// An input without a name, whose place another took by name.
fn twice(cx: &mut Context<'_>, signature: &StepSignature, callee: Callee<'_>, argument: &Argument, position: usize) {
    let name = &signature.inputs[position].name;
    let finding = Finding::error(
        codes::DUPLICATE_SETTING,
        cx.place(argument.value.span),
        format!("the input `{name}` is given twice"),
    );
    let help = match signature.inputs.get(position + 1) {
        Some(next) => format!("name this one too: `{}: {}`", next.name, cx.text(argument.value.span)),
        None => "give it once".to_owned(),
    };
    cx.report(finding.note(written(signature, callee)).help(help));
}

fn too_many(cx: &mut Context<'_>, signature: &StepSignature, callee: Callee<'_>, argument: &Argument) {
    let inputs = match signature.inputs.len() {
        0 => "no argument without a name".to_owned(),
        1 => format!("one argument without a name, `{}`", signature.inputs[0].name),
        several => format!("{several} arguments without a name"),
    };
    let help = match signature.params.first() {
        Some(param) => format!("settings are given by name: `{}: {}`", param.name, cx.text(argument.value.span)),
        None => "remove it".to_owned(),
    };
    let finding = Finding::error(
        codes::TOO_MANY_ARGUMENTS,
        cx.place(argument.value.span),
        format!("`{}.{}` takes {inputs}", callee.text.0, callee.text.1),
    );
    cx.report(finding.note(written(signature, callee)).help(help));
}

/// The signature as a call, for notes.
pub(super) fn written(signature: &StepSignature, callee: Callee<'_>) -> String {
    let inputs = signature.inputs.iter().map(|input| match &input.kind {
        InputKind::Dataset => format!("{}: dataset", input.name),
        InputKind::Model(flavor) => format!("{}: model<{flavor}>", input.name),
    });
    let params = signature.params.iter().map(|param| {
        let default = match &param.default {
            None => String::new(),
            Some(ParamDefault::Value(value)) => format!(" = {value}"),
            Some(ParamDefault::Label { .. }) => " = the label".to_owned(),
            Some(ParamDefault::Features { .. }) => " = the features".to_owned(),
        };
        format!("{}: {}{default}", param.name, written_type(&param.ty))
    });
    let outputs = signature.outputs.iter().map(|output| match &output.kind {
        OutputKind::SameAs(_) | OutputKind::Table(_) => format!("{}: dataset", output.name),
        OutputKind::Model(flavor) => format!("{}: model<{flavor}>", output.name),
        OutputKind::Metrics { .. } => format!("{}: metrics", output.name),
    });
    let arguments: Vec<String> = inputs.chain(params).collect();
    let outputs: Vec<String> = outputs.collect();
    format!("{}.{}({}) -> {}", callee.text.0, callee.text.1, arguments.join(", "), outputs.join(", "))
}
