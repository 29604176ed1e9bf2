//! Prints sources with their findings, and trees, for snapshots.

use crate::finding::{Label, Place};
use crate::span::{Source, Span};
use crate::syntax::Syntax;
use crate::syntax::ast::*;
use std::fmt::Write;

/// The source, and below it every finding with the lines it speaks of.
pub fn findings(source: &Source, syntax: &Syntax) -> String {
    let mut out = String::new();
    for (n, line) in source.text.lines().enumerate() {
        let _ = writeln!(out, "{:3} | {line}", n + 1);
    }
    for finding in &syntax.findings {
        let severity = if finding.is_error() { "error" } else { "warning" };
        let _ = write!(out, "\n{severity}[{} {}]: {}", finding.code.id, finding.code.name, finding.message);
        label(&mut out, source, &finding.primary);
        finding.secondary.iter().for_each(|l| label(&mut out, source, l));
        for note in &finding.notes {
            let _ = write!(out, "\n  note: {note}");
        }
        if let Some(help) = &finding.help {
            let _ = write!(out, "\n  help: {help}");
        }
        if let Some(fix) = &finding.fix {
            let _ = write!(out, "\n  fix ({:?}): {}", fix.safety, fix.title);
            for edit in &fix.edits {
                let _ = write!(out, ": {:?} -> {:?}", &source.text[edit.span.range()], edit.text);
            }
        }
        out.push('\n');
    }
    out
}

fn label(out: &mut String, source: &Source, label: &Label) {
    if let Place::Source { span, .. } = &label.place {
        let (line, column) = source.line_column(span.start);
        let _ = write!(out, "\n  {line}:{column} {:?}", &source.text[span.range()]);
        if !label.text.is_empty() {
            let _ = write!(out, " <- {}", label.text);
        }
    }
}

/// A tree, one declaration after the other; expressions fully parenthesised.
pub fn tree(file: &File) -> String {
    let mut out = String::new();
    if let Some(edition) = &file.edition {
        let _ = writeln!(out, "mlp {}", edition.number);
    }
    file.declarations.iter().for_each(|d| declaration(&mut out, d));
    out
}

/// One declaration.
pub fn declaration(out: &mut String, declaration: &Declaration) {
    use DeclarationKind::*;
    if let Some(doc) = &declaration.doc {
        let _ = writeln!(out, "doc {doc:?}");
    }
    let _ = match &declaration.kind {
        Pipeline { name, settings: s } => writeln!(out, "pipeline {}", name.name).map(|()| settings(out, s)),
        Use { path, quoted, alias, .. } => {
            writeln!(out, "use {path:?} quoted={quoted} as {:?}", alias.as_ref().map(|a| &a.name)).map(drop)
        }
        Param { name, ty: t, default } => {
            writeln!(out, "param {}: {} = {}", name.name, ty(t), default.as_ref().map_or("-".into(), expr))
        }
        Schema { name, fields } => {
            writeln!(out, "schema {}", name.name).map(|()| fields.iter().for_each(|f| field(out, f)))
        }
        Secret { name, source } => writeln!(out, "secret {} = {}", name.name, expr(source)),
        Component { name, params, declarations, outputs } => {
            writeln!(out, "component {} {}", name.name, spanless(params)).map(|()| {
                declarations.iter().for_each(|inner| self::declaration(out, inner));
                let _ = writeln!(out, "end component {}", spanless(outputs));
            })
        }
        Tune { name, over, space, goals, settings: s } => {
            writeln!(out, "tune {} over {} {} {}", name.name, over.name, spanless(space), spanless(goals))
                .map(|()| settings(out, s))
        }
        Test { name, withs, expectations } => {
            writeln!(out, "test {:?} {} {}", name.name, spanless(withs), spanless(expectations))
        }
        Data { name, schema, settings: s, expectations, pii } => {
            writeln!(out, "data {}: {:?}", name.name, schema.as_ref().map(|s| &s.name)).map(|()| {
                settings(out, s);
                clauses(out, "expect", expectations);
                pii.iter().for_each(|rule| {
                    let _ = writeln!(out, "  pii {}", rule.name);
                });
            })
        }
        Step { name, body, fan, when, after, task, settings: s } => {
            let fan =
                fan.as_ref().map_or(String::new(), |f| format!(" for {} in {}", f.variable.name, expr(&f.values)));
            let when = when.as_ref().map_or(String::new(), |w| format!(" when {}", expr(w)));
            writeln!(out, "step {} = {}{fan}{when}{}", name.name, expr(body), names(after)).map(|()| {
                if *task != Task::default() {
                    let _ = writeln!(out, "  {}", spanless(task));
                }
                settings(out, s);
            })
        }
        Gate { name, requirements, approvals, after } => {
            writeln!(out, "gate {}{}", name.name, names(after)).map(|()| {
                clauses(out, "require", requirements);
                approvals.iter().for_each(|approval| {
                    let _ = writeln!(out, "  {}", spanless(approval));
                });
            })
        }
        Model { name, value, after, card, settings: s } => {
            writeln!(out, "model {} = {}{}", name.name, expr(value), names(after)).map(|()| {
                for (key, value) in card {
                    let _ = writeln!(out, "  card {} = {}", key.name, expr(value));
                }
                settings(out, s);
            })
        }
        Deploy { name, model, settings: s, strategies, rollback } => {
            writeln!(out, "deploy {} of {}", name.name, model.name).map(|()| {
                settings(out, s);
                strategies.iter().for_each(|s| strategy(out, s));
                rollback.iter().for_each(|limit| {
                    let _ = writeln!(out, "  rollback within {}", expr(limit));
                });
            })
        }
        Monitor { name, deployment, rhythm, settings: s, watches, breaches, block: _ } => {
            writeln!(out, "monitor {} of {}", name.name, deployment.name).map(|()| {
                if let Some(Rhythm { every, over }) = rhythm {
                    let over = over.as_ref().map_or(String::new(), |over| format!(" over {}", expr(over)));
                    let _ = writeln!(out, "  every {}{over}", expr(every));
                }
                settings(out, s);
                watches.iter().for_each(|w| {
                    let _ = writeln!(out, "  watch {}", expr(&w.condition));
                });
                for breach in breaches {
                    let windows =
                        breach.windows.as_ref().map_or(String::new(), |w| format!(" for {} windows", expr(w)));
                    let _ = writeln!(out, "  on breach{windows}");
                    actions(out, &breach.actions);
                }
            })
        }
        Trigger { event, actions: a, settings: s } => match event {
            Event::Schedule { cron, zone } => {
                writeln!(out, "on schedule {:?} in {:?}", cron.name, zone.as_ref().map(|z| &z.name))
            }
            Event::Change(data) => writeln!(out, "on change {}", data.name),
            Event::Webhook(text) => writeln!(out, "on webhook {:?}", text.name),
            Event::Commit(text) => writeln!(out, "on commit {:?}", text.name),
            Event::End(text) => writeln!(out, "on end of {:?}", text.name),
        }
        .map(|()| {
            actions(out, a);
            settings(out, s);
        }),
    };
}

fn strategy(out: &mut String, strategy: &Strategy) {
    let _ = writeln!(out, "  {}", strategy.word.name);
    for weight in &strategy.weights {
        let hold = match &weight.hold {
            Hold::Unsaid => String::new(),
            Hold::For(length) => format!(" for {}", expr(length)),
            Hold::UntilPromoted(_) => " until promoted".to_owned(),
        };
        let _ = writeln!(out, "    weight {}{hold}", expr(&weight.share));
    }
    strategy.phases.iter().for_each(|p| {
        let _ = writeln!(out, "    {} for {}", p.name.name, expr(&p.length));
    });
    strategy.goals.iter().for_each(|goal| {
        let _ = writeln!(out, "    {}", spanless(goal));
    });
    settings(out, &strategy.settings);
    let Some(check) = &strategy.check else { return };
    let _ = writeln!(out, "    check every {}", check.every.as_ref().map_or("-".into(), expr));
    for verdict in &check.verdicts {
        let fails = verdict.failure.as_ref().map_or(String::new(), |f| format!(" fails when {}", expr(f)));
        let _ = writeln!(out, "      {}{fails}", expr(&verdict.success));
    }
    for (number, what) in &check.tolerate {
        let _ = writeln!(out, "      tolerate {} {}", expr(number), what.name);
    }
    settings(out, &check.settings);
}

fn actions(out: &mut String, actions: &[ActionLine]) {
    for action in actions {
        let _ = writeln!(out, "    {}{}", if action.alert { "alert " } else { "" }, expr(&action.what));
    }
}

fn names(names: &[Ident]) -> String {
    let names: Vec<&str> = names.iter().map(|n| n.name.as_str()).collect();
    if names.is_empty() { String::new() } else { format!(" after {}", names.join(", ")) }
}

fn settings(out: &mut String, settings: &[Setting]) {
    for setting in settings {
        let _ = writeln!(out, "  {} = {}", setting.name.name, expr(&setting.value));
    }
}

fn clauses(out: &mut String, keyword: &str, clauses: &[Clause]) {
    for clause in clauses {
        let _ = write!(out, "  {keyword} {}", expr(&clause.condition));
        if let Some(because) = &clause.because {
            let _ = write!(out, " because {because:?}");
        }
        if let Some(support) = &clause.min_support {
            let _ = write!(out, " min_support {}", expr(support));
        }
        if let Some(word) = &clause.unless {
            let _ = write!(out, " unless {}", word.name);
        }
        out.push('\n');
    }
}

fn field(out: &mut String, field: &Field) {
    let _ = write!(out, "  {:?}: {}", field.name.name, ty(&field.ty));
    for attribute in &field.attributes {
        let _ = match attribute {
            Attribute::Unique(_) => write!(out, " unique"),
            Attribute::Label(_) => write!(out, " label"),
            Attribute::In(e) => write!(out, " in {}", expr(e)),
            Attribute::Compare(c, e) => write!(out, " {c:?} {}", expr(e)),
        };
    }
    if let Some(doc) = &field.doc {
        let _ = write!(out, " doc {doc:?}");
    }
    out.push('\n');
}

/// Parts that are printed seldom: as `Debug` does, without the places, so that a tree is the same wherever it stands.
fn spanless(parts: &impl std::fmt::Debug) -> String {
    let mut out = String::new();
    let debug = format!("{parts:?}");
    let mut rest = debug.as_str();
    while let Some((before, after)) = rest.split_once("Span { start: ") {
        out.push_str(before);
        out.push('_');
        rest = after.split_once(" }").map_or("", |(_, rest)| rest);
    }
    out + rest
}

/// A type.
pub fn ty(ty_expr: &TypeExpr) -> String {
    match &ty_expr.kind {
        TypeKind::Named(name) => name.clone(),
        TypeKind::Enum(texts) => format!("{texts:?}"),
        TypeKind::Optional(inner) => format!("{}?", ty(inner)),
        TypeKind::Generic(name, inner) => format!("{}<{}>", name.name, ty(inner)),
        TypeKind::Metrics(fields) => {
            let field = |(name, t): &(Ident, TypeExpr)| format!("{}: {}", name.name, ty(t));
            format!("metrics {{ {} }}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
    }
}

/// An expression.
pub fn expr(e: &Expr) -> String {
    use ExprKind::*;
    let list = |items: &[Expr]| items.iter().map(expr).collect::<Vec<_>>().join(", ");
    match &e.kind {
        Null => "null".into(),
        Bool(b) => b.to_string(),
        Int(i) => i.to_string(),
        Float(f) => format!("{f:?}"),
        Fraction(f) => format!("fraction({f:?})"),
        Duration(ns) => format!("{ns}ns"),
        Size(bytes) => format!("{bytes}B"),
        Date(d) | Time(d) => d.clone(),
        String(parts) => {
            let part = |p: &StringPart| match p {
                StringPart::Text(t) => format!("{t:?}"),
                StringPart::Hole(e) => format!("${{{}}}", expr(e)),
            };
            format!("text[{}]", parts.iter().map(part).collect::<Vec<_>>().join(" "))
        }
        Name(name) => name.clone(),
        Member(of, name) => format!("{}.{}", expr(of), name.name),
        Call(callee, arguments) => {
            let argument = |a: &Argument| match &a.name {
                Some(name) => format!("{}: {}", name.name, expr(&a.value)),
                None => expr(&a.value),
            };
            format!("{}({})", expr(callee), arguments.iter().map(argument).collect::<Vec<_>>().join(", "))
        }
        List(items) => format!("[{}]", list(items)),
        Map(entries) => {
            let entry = |(k, v): &(Ident, Expr)| format!("{:?}: {}", k.name, expr(v));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Range { low, high, inclusive } => {
            format!("({} ..{} {})", expr(low), if *inclusive { "=" } else { "" }, expr(high))
        }
        Not(inner) => format!("(not {})", expr(inner)),
        Negate(inner) => format!("(-{})", expr(inner)),
        And(a, b) => format!("({} and {})", expr(a), expr(b)),
        Or(a, b) => format!("({} or {})", expr(a), expr(b)),
        Compare(c, a, b) => format!("({} {c:?} {})", expr(a), expr(b)),
        In(a, b) => format!("({} in {})", expr(a), expr(b)),
        Arithmetic(o, a, b) => format!("({} {o:?} {})", expr(a), expr(b)),
        Coalesce(a, b) => format!("({} ?? {})", expr(a), expr(b)),
        When { then, condition, otherwise } => {
            format!("({} when {} else {})", expr(then), expr(condition), expr(otherwise))
        }
        Error => "ERROR".into(),
    }
}

/// Every span of a finding.
pub fn spans(syntax: &Syntax) -> Vec<Span> {
    let mut spans = Vec::new();
    for finding in &syntax.findings {
        for label in std::iter::once(&finding.primary).chain(&finding.secondary) {
            if let Place::Source { span, .. } = &label.place {
                spans.push(*span);
            }
        }
        spans.extend(finding.fix.iter().flat_map(|f| &f.edits).map(|e| e.span));
    }
    spans
}
