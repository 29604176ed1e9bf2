//! `tune search over train { lr in log(1e-4..1e-1)  maximize eval.auc  trials = 40 }`

use super::live::{constant, count, word};
use super::{block, references, referred, space};
use crate::codes;
use crate::context::{Context, NodeFacts};
use crate::finding::Finding;
use crate::names::{Kind, suggest};
use crate::pipeline::{Expr, MetricRef, NodeId};
use crate::signature::{ParamSignature, ParamType};
use crate::span::Span;
use crate::syntax::ast::{self, DeclarationKind, ExprKind, Goal, Ident, Setting, SpaceLine, Task};
use crate::tune::{Prune, Space, TuneNode};
use crate::types::Type;
use crate::typing::fit::type_of;
use crate::typing::{Scope, Typing, operators, with_article};
use crate::value::Value;
use crate::written::listed;
use indexmap::IndexMap;
use std::collections::{BTreeSet, HashMap};

/// A search as written.
pub(super) struct Written<'e> {
    pub(super) name: &'e Ident,
    pub(super) over: &'e Ident,
    pub(super) space: &'e [SpaceLine],
    pub(super) goals: &'e [Goal],
    pub(super) settings: &'e [Setting],
    pub(super) damaged: bool,
}

/// More trials than this are a slip of the keyboard.
const MOST_TRIALS: u32 = 1_000_000;

pub(super) fn lower(
    cx: &mut Context<'_>,
    written: &Written<'_>,
    needs: &mut BTreeSet<NodeId>,
) -> (NodeFacts, Option<TuneNode>) {
    let step = referred(cx, written.over, Kind::Step, "a search is `over` a step");
    let facts = step.and_then(|index| cx.nodes.get(&index)).map(|facts| NodeFacts::clone(facts)).unwrap_or_default();
    let searchable = step.and_then(|index| searchable(cx, written, index));
    let space = searched(cx, written, searchable.as_deref());
    let over = step.and_then(|index| cx.ids.get(&index)).copied();
    let goal = goal(cx, written, over);
    let plan = settings(cx, written, space.as_ref());
    let node = || {
        let (over, (maximize, goal), plan) = (over?, goal?, plan?);
        let again = again(cx, over, goal.node)?;
        for node in &again {
            needs.extend(cx.needs.get(node)?.iter().filter(|need| !again.contains(need)));
        }
        Some(TuneNode {
            over,
            again,
            space: space?,
            maximize,
            goal,
            trials: plan.trials,
            parallel: plan.parallel,
            seed: plan.seed,
            prune: plan.prune,
            outputs: facts.outputs.clone()?,
        })
    };
    let node = node();
    (facts, node)
}

/// The settings of a step that a search may choose. `None`: not known, because of a mistake that was reported.
fn searchable(cx: &mut Context<'_>, written: &Written<'_>, index: usize) -> Option<Vec<ParamSignature>> {
    let DeclarationKind::Step { body, task, .. } = &cx.file.declarations.get(index)?.kind else { return None };
    let ExprKind::Call(callee, _) = &body.kind else { return None };
    match &callee.kind {
        ExprKind::Member(base, step) => {
            let ExprKind::Name(module) = &base.kind else { return None };
            let module = cx.modules.get(&cx.names.get(module)?.index)?.as_ref()?;
            Some(module.signature.step(&step.name)?.params.clone())
        }
        ExprKind::Name(program) if program == "docker" || program == "process" => Some(entries(cx, task)),
        ExprKind::Name(other) => {
            let message = format!("`{}` is made by `{other}`, which has no settings to search", written.over.name);
            let finding = Finding::error(codes::UNSEARCHABLE, cx.place(written.over.span), message);
            cx.report(
                finding.help("search over a step that calls a module's step, or that runs a program `with { ... }`"),
            );
            None
        }
        _ => None,
    }
}

/// What a program is given: `with { lr: 0.1 }`.
fn entries(cx: &Context<'_>, task: &Task) -> Vec<ParamSignature> {
    let given = task.with.iter().flat_map(|with| &with.entries);
    let setting = |(name, value): &(Ident, ast::Expr)| {
        let (name, ty) = (name.name.clone(), ParamType::Plain(plainly(cx, value)));
        ParamSignature { name, doc: String::new(), ty, default: None, min: None, max: None }
    };
    given.map(setting).collect()
}

/// The type of what is given to a program, if it can be told at sight; what is wrong with it was said of the step.
fn plainly(cx: &Context<'_>, value: &ast::Expr) -> Type {
    match &value.kind {
        ExprKind::Bool(_) => Type::Bool,
        ExprKind::Int(_) => Type::Int,
        ExprKind::Float(_) => Type::Float,
        ExprKind::Fraction(_) => Type::Fraction,
        ExprKind::Duration(_) => Type::Duration,
        ExprKind::Size(_) => Type::Size,
        ExprKind::String(_) => Type::String,
        ExprKind::Negate(inner) => plainly(cx, inner),
        ExprKind::Name(name) => cx.params.get(name.as_str()).map_or(Type::Unknown, |param| param.ty.clone()),
        _ => Type::Unknown,
    }
}

/// What is tried, by setting.
fn searched(
    cx: &mut Context<'_>,
    written: &Written<'_>,
    searchable: Option<&[ParamSignature]>,
) -> Option<IndexMap<String, Space>> {
    let mut found: IndexMap<String, Space> = IndexMap::new();
    let mut places: HashMap<&str, Span> = HashMap::new();
    let mut sound = searchable.is_some();
    for line in written.space {
        let name = line.name.name.as_str();
        if let Some(first) = places.insert(name, line.name.span) {
            let message = format!("`{name}` is searched twice");
            let finding = Finding::error(codes::DUPLICATE_SETTING, cx.place(line.name.span), message);
            cx.report(finding.also(cx.place(first), "first here").help("remove one"));
            sound = false;
            continue;
        }
        let Some(settings) = searchable else { continue };
        let Some(setting) = settings.iter().find(|setting| setting.name == name) else {
            unknown(cx, written, line, settings);
            sound = false;
            continue;
        };
        match space::lower(cx, setting, line) {
            Some(space) => {
                found.insert(name.to_owned(), space);
            }
            None => sound = false,
        }
    }
    if written.space.is_empty() {
        if !written.damaged {
            let message = format!("the search `{}` searches nothing", written.name.name);
            let finding = Finding::error(codes::EMPTY_SEARCH, cx.place(written.name.span), message);
            cx.report(finding.help("say what is tried: `c in log(0.01..10.0)`, `depth in [3, 5, 7]`"));
        }
        return None;
    }
    sound.then_some(found)
}

fn unknown(cx: &mut Context<'_>, written: &Written<'_>, line: &SpaceLine, settings: &[ParamSignature]) {
    let names = || settings.iter().map(|setting| setting.name.as_str());
    let near = cx.names.nearest(&line.name.name, names());
    let message = format!("the step `{}` has no setting `{}`", written.over.name, line.name.name);
    let finding = Finding::error(codes::UNKNOWN_SEARCHED, cx.place(line.name.span), message);
    cx.report(suggest(finding, line.name.span, near, || match settings {
        [] => "it has none; a program has those of `with { ... }`".to_owned(),
        _ => format!("it has {}", listed(names())),
    }));
}

/// The one goal: whether it is to be large, and the number.
fn goal(cx: &mut Context<'_>, written: &Written<'_>, over: Option<NodeId>) -> Option<(bool, MetricRef)> {
    let add = "add a line such as `maximize eval.auc` or `minimize eval.rmse`";
    let goal = only_goal(cx, written.goals, ("a search", add), written.name.span, written.damaged);
    let first = written.goals.first()?;
    let typed = Typing::new(cx, Scope::Run).infer(&first.metric);
    if typed.is_unknown() {
        return None;
    }
    let Expr::Metric(metric) = typed.expr else {
        let text = cx.text(first.metric.span);
        let message = format!("a goal is one number that a step measures, and `{text}` is none");
        let finding = Finding::error(codes::TYPE_MISMATCH, cx.place(first.metric.span), message);
        cx.report(finding.help("name a metric of a step: `maximize eval.auc`"));
        return None;
    };
    if !operators::is_number(operators::present(&typed.ty)) && typed.ty != Type::Duration {
        let message = format!("a goal is a number, and this is {}", with_article(&typed.ty));
        cx.report(Finding::error(codes::TYPE_MISMATCH, cx.place(first.metric.span), message));
        return None;
    }
    if again(cx, over?, metric.node)?.is_empty() {
        let over = &written.over.name;
        let message = format!("nothing that `{over}` does changes this number");
        let finding = Finding::error(codes::UNRELATED_GOAL, cx.place(first.metric.span), message);
        cx.report(
            finding
                .label(format!("does not depend on `{over}`"))
                .help("choose a metric of a step that reads its outputs"),
        );
        return None;
    }
    goal.map(|goal| (goal.maximize, metric))
}

/// Of several goals, or of none, a finding.
pub(super) fn only_goal<'e>(
    cx: &mut Context<'_>,
    goals: &'e [Goal],
    (owner, add): (&str, &str),
    place: Span,
    damaged: bool,
) -> Option<&'e Goal> {
    match goals {
        [goal] => Some(goal),
        [] => {
            if !damaged {
                let message = format!("{owner} has one goal, and this one has none");
                let finding = Finding::error(codes::WRONG_GOAL, cx.place(place), message);
                cx.report(finding.help(add));
            }
            None
        }
        [first, second, ..] => {
            let message = format!("{owner} has one goal, and this is the second");
            let finding = Finding::error(codes::WRONG_GOAL, cx.place(second.span), message);
            cx.report(finding.also(cx.place(first.span), "the first").help("keep one; a `gate` can require the other"));
            None
        }
    }
}

/// The nodes from `over` to `goal`, in order: those that are `over` or rest on it, and that `goal` is or rests on. Empty
/// if the goal does not rest on it; `None` if that is not known.
fn again(cx: &Context<'_>, over: NodeId, goal: NodeId) -> Option<Vec<NodeId>> {
    let mut wanted = BTreeSet::from([goal]);
    for id in (0..=goal.0).rev().map(NodeId) {
        if wanted.contains(&id) {
            wanted.extend(cx.needs.get(&id)?);
        }
    }
    let mut again = Vec::new();
    for id in wanted {
        if id == over || cx.needs.get(&id)?.iter().any(|need| again.contains(need)) {
            again.push(id);
        }
    }
    cx.needs.get(&over)?;
    Some(if again.contains(&goal) { again } else { Vec::new() })
}

/// How the search goes.
struct Plan {
    trials: u32,
    parallel: u32,
    seed: i64,
    prune: Prune,
}

fn settings(cx: &mut Context<'_>, written: &Written<'_>, space: Option<&IndexMap<String, Space>>) -> Option<Plan> {
    let known = ["trials", "parallel", "seed", "prune"];
    let found = block::settings(cx, "a search", written.settings, &known, &[]);
    let value = |name: &str| found.get(name).filter(|setting| !block::is_broken(setting)).map(|it| &it.value);
    let broken = found.values().any(|setting| block::is_broken(setting));
    let points = space.and_then(points);
    let trials = match value("trials") {
        Some(written) => count(cx, written, "`trials`", 1, MOST_TRIALS).map(|trials| (trials, Some(written))),
        None => default_trials(cx, written, space, points, broken).map(|trials| (trials, None)),
    };
    let parallel = match value("parallel") {
        Some(written) => count(cx, written, "`parallel`", 1, 1024).map(|parallel| (parallel, Some(written))),
        None => Some((1, None)),
    };
    let seed = match value("seed") {
        Some(written) => match constant(cx, written, &Type::Int, "`seed`", "a whole number", |_| true) {
            Some(Value::Int(seed)) => Some(seed),
            _ => None,
        },
        None => Some(0),
    };
    let words = [Prune::None, Prune::Asha, Prune::Median].map(|prune| (prune.word(), prune));
    let prune = match value("prune") {
        Some(written) => word(cx, written, "`prune`", &words),
        None => Some(Prune::None),
    };
    if points == Some(1) && !written.damaged {
        let finding = Finding::warning(
            codes::ONE_POINT,
            cx.place(written.name.span),
            "this search has one choice to make, and one way to make it",
        );
        cx.report(
            finding.label("nothing to choose").help("widen a range, name more values, or give the setting in the step"),
        );
    }
    let (mut trials, said) = trials?;
    if let (Some(points), Some(said)) = (points.filter(|points| *points < u64::from(trials) && *points > 1), said) {
        let message = format!("{trials} trials, and there are {points} different choices");
        let finding = Finding::warning(codes::SPARE_TRIALS, cx.place(said.span), message);
        cx.report(
            finding.label("never so many").help(format!("write `trials = {points}`, or leave it out to try each")),
        );
    }
    trials = points.and_then(|points| u32::try_from(points).ok()).map_or(trials, |points| trials.min(points));
    let (parallel, said) = parallel?;
    if let Some(said) = said.filter(|_| parallel > trials) {
        let message = format!("{parallel} trials at once, and there are {trials}");
        let finding = Finding::warning(codes::IDLE_WORKERS, cx.place(said.span), message);
        cx.report(finding.label("more than there are").help(format!("write `parallel = {trials}` or less")));
    }
    (!broken).then_some(())?;
    Some(Plan { trials, parallel, seed: seed?, prune: prune? })
}

/// Without `trials`, each choice is tried, if they can be counted and are not too many.
fn default_trials(
    cx: &mut Context<'_>,
    written: &Written<'_>,
    space: Option<&IndexMap<String, Space>>,
    points: Option<u64>,
    broken: bool,
) -> Option<u32> {
    space?;
    const MOST: u64 = 1_000;
    if let Some(points) = points.filter(|points| *points <= MOST) {
        return u32::try_from(points).ok();
    }
    if !written.damaged && !broken {
        let why = match points {
            Some(points) => format!("there are {points} choices"),
            None => "there are more choices than can be counted".to_owned(),
        };
        let message = format!("the search `{}` does not say how many trials there are, and {why}", written.name.name);
        let finding = Finding::error(codes::MISSING_SETTING, cx.place(written.name.span), message);
        cx.report(finding.help("add `trials = 40`"));
    }
    None
}

fn points(space: &IndexMap<String, Space>) -> Option<u64> {
    space.values().try_fold(1_u64, |product, space| Some(product.saturating_mul(space.points()?)))
}

/// The type of a program's parameter, as the search must keep it.
pub(super) fn plain(ty: &ParamType) -> Option<&Type> {
    match ty {
        ParamType::Plain(ty) => Some(operators::present(ty)),
        ParamType::Optional(inner) => plain(inner),
        _ => None,
    }
}

/// What the lints about a search look at: whether anything mentions it.
pub(super) fn lint(cx: &mut Context<'_>) {
    let file = cx.file;
    for (index, declaration) in file.declarations.iter().enumerate() {
        let DeclarationKind::Tune { name, over, .. } = &declaration.kind else { continue };
        let lowered = cx.ids.get(&index).is_some_and(|id| cx.needs.contains_key(id));
        if !lowered || !cx.names.owns(&name.name, index) {
            continue;
        }
        let mut used = false;
        let mut untuned = None;
        for other in &file.declarations {
            let mut mentions = |expr: &ast::Expr| references::names(expr, &mut |found, _| used |= found == name.name);
            match &other.kind {
                DeclarationKind::Model { value, .. } => {
                    mentions(value);
                    let mut direct = false;
                    references::names(value, &mut |found, _| direct |= found == over.name);
                    untuned = untuned.or(direct.then_some(value.span));
                }
                DeclarationKind::Step { body, when, task, .. } => {
                    mentions(body);
                    when.iter().for_each(&mut mentions);
                    task.inputs.iter().flat_map(|it| &it.entries).for_each(|(_, value)| mentions(value));
                }
                DeclarationKind::Gate { requirements, .. } => {
                    requirements.iter().for_each(|it| mentions(&it.condition));
                }
                DeclarationKind::Component { .. } => used = true,
                _ => {}
            }
        }
        let best = format!("{}.best", name.name);
        match untuned {
            Some(span) => {
                let message =
                    format!("this is the model of `{}` itself, not the best that `{}` finds", over.name, name.name);
                let finding = Finding::warning(codes::UNTUNED_MODEL, cx.place(span), message);
                cx.report(
                    finding
                        .also(cx.place(name.span), "the search")
                        .help(format!("write `{best}` in place of `{}`", over.name)),
                );
            }
            None if !used && !name.name.starts_with('_') => {
                let message = format!("nothing uses what the search `{}` finds", name.name);
                let finding = Finding::warning(codes::IDLE_SEARCH, cx.place(name.span), message).label("unused");
                cx.report(finding.help(format!("use `{best}`, as in `model churn = {best}.model`")));
            }
            None => {}
        }
    }
}

/// The type of a value for messages.
pub(super) fn described(value: &Value) -> String {
    with_article(&type_of(value))
}
