//! Between which items a space stands, wherever the lines break.

use super::items::{Item, Kind};
use crate::syntax::keywords;
use crate::syntax::lexer::Bracket;

/// Words that are operators or parts of them.
const RESERVED: [&str; 6] = ["and", "or", "not", "in", "when", "else"];

/// Words that are keywords in some places and names in others. What follows them is a value where they are keywords, so
/// that the author's own space says whether `watch (a)` is one or a call.
const CONTEXTUAL: [&str; 25] = [
    "after",
    "alert",
    "because",
    "by",
    "card",
    "check",
    "every",
    "expect",
    "fails",
    "for",
    "from",
    "maximize",
    "min_support",
    "minimize",
    "of",
    "on",
    "out",
    "over",
    "require",
    "rollback",
    "unless",
    "until",
    "watch",
    "with",
    "within",
];

pub(super) fn is_reserved(item: &Item<'_>) -> bool {
    item.kind == Kind::Word && RESERVED.contains(&&*item.text)
}

fn is_contextual(item: &Item<'_>) -> bool {
    item.kind == Kind::Word && CONTEXTUAL.contains(&&*item.text)
}

/// Whether the `(` at `open` takes arguments.
pub(super) fn is_call(items: &[Item<'_>], previous: &[Option<usize>], open: usize) -> bool {
    let Some(p) = previous[open] else { return false };
    let before = &items[p];
    match before.kind {
        Kind::Word if is_contextual(before) => !items[open].spaced && previous[p].is_some_and(|p| wants_value(&items[p])),
        Kind::Word => !is_reserved(before),
        Kind::Close(bracket) => bracket != Bracket::Curly,
        _ => false,
    }
}

/// Whether only a value can stand behind this, so that a word there is a name: `= check(` and `std.check(`, not `> 0 require (`.
fn wants_value(item: &Item<'_>) -> bool {
    match item.kind {
        Kind::Operator | Kind::Open(Bracket::Round | Bracket::Square) => true,
        Kind::Mark => ["=", ":", "."].iter().any(|mark| item.is(mark)),
        Kind::Word => is_reserved(item) || is_contextual(item),
        _ => false,
    }
}

/// For each item whether a space stands before it when it stands on the line of the one before.
pub(super) fn spaces(items: &[Item<'_>]) -> Vec<bool> {
    let generics = generics(items);
    let mut spaces = vec![false; items.len()];
    let mut path = false;
    let mut sign_before = false;
    let mut previous: Option<usize> = None;
    for (i, item) in items.iter().enumerate() {
        if item.first_column && item.kind == Kind::Word {
            path = item.is("use");
        }
        if item.is_comment() {
            spaces[i] = true;
            continue;
        }
        let sign = item.is("-") && !path && is_sign(items, &generics, previous, i);
        if let Some(p) = previous {
            let tight = sign_before
                || generics[i]
                || (generics[p] && items[p].is("<"))
                || (path && [item, &items[p]].iter().any(|item| item.is("/") || item.is("-")));
            spaces[i] = !tight && space_between(&items[p], item);
        }
        sign_before = sign;
        previous = Some(i);
    }
    spaces
}

fn space_between(before: &Item<'_>, item: &Item<'_>) -> bool {
    use Bracket::{Curly, Round, Square};
    match (before.kind, item.kind) {
        (Kind::Open(Curly), Kind::Close(Curly)) => false,
        (Kind::Open(Round | Square), _) | (_, Kind::Close(Round | Square)) => false,
        (Kind::Open(Curly), _) | (_, Kind::Close(Curly)) => true,
        (_, Kind::Mark) if [",", ":", "?", "."].contains(&&*item.text) => false,
        _ if [before, item].iter().any(|item| item.is("..") || item.is("..=")) || before.is(".") => false,
        (Kind::Word, Kind::Open(Round)) if is_reserved(before) => true,
        (Kind::Word, Kind::Open(Round)) if is_contextual(before) => item.spaced,
        (Kind::Word | Kind::Close(Round | Square), Kind::Open(Round)) => false,
        _ => true,
    }
}

/// Whether the `-` at `i` is a sign and not a subtraction.
fn is_sign(items: &[Item<'_>], generics: &[bool], previous: Option<usize>, i: usize) -> bool {
    let Some(p) = previous else { return true };
    let before = &items[p];
    match before.kind {
        Kind::Operator => !generics[p],
        Kind::Open(_) => true,
        Kind::Mark => !before.is("?"),
        Kind::Word if is_reserved(before) => true,
        Kind::Word if is_contextual(before) => {
            let stands_off = items[i].spaced || items[i].breaks > 0;
            stands_off && items.get(i + 1).is_some_and(|next| !next.spaced && next.breaks == 0)
        }
        _ => false,
    }
}

/// Which `<` and `>` stand around the argument of a type, as in `list<int>`.
fn generics(items: &[Item<'_>]) -> Vec<bool> {
    let mut generics = vec![false; items.len()];
    let mut open: Vec<usize> = Vec::new();
    for i in 0..items.len() {
        match angle(items, i, !open.is_empty()) {
            Angle::Opens => open.push(i),
            Angle::Closes => {
                if let Some(opener) = open.pop() {
                    (generics[opener], generics[i]) = (true, true);
                }
            }
            Angle::Inside => {}
            Angle::Outside => open.clear(),
        }
    }
    generics
}

/// What an item is to the argument of a type.
enum Angle {
    Opens,
    Closes,
    Inside,
    Outside,
}

fn angle(items: &[Item<'_>], i: usize, open: bool) -> Angle {
    let item = &items[i];
    let takes = |p: usize| {
        let name = &items[p];
        let generic = name.kind == Kind::Word && keywords::GENERICS.contains(&&*name.text);
        generic && !(p > 0 && items[p - 1].is("."))
    };
    match () {
        _ if item.is("<") && i > 0 && takes(i - 1) => Angle::Opens,
        _ if open && item.is(">") => Angle::Closes,
        _ if matches!(item.kind, Kind::Word | Kind::Text) => Angle::Inside,
        _ if [".", "?", "|"].iter().any(|mark| item.is(mark)) => Angle::Inside,
        _ => Angle::Outside,
    }
}

/// `list<int>= [1]`: the `>=` is the end of a type and a `=`, which only its place can tell.
pub(super) fn part_types(items: Vec<Item<'_>>) -> Vec<Item<'_>> {
    let mut open = 0_usize;
    let mut out: Vec<Item<'_>> = Vec::with_capacity(items.len());
    for i in 0..items.len() {
        let item = &items[i];
        match angle(&items, i, open > 0) {
            Angle::Opens => open += 1,
            Angle::Closes => open -= 1,
            Angle::Inside => {}
            Angle::Outside if open > 0 && item.is(">=") => {
                open = 0;
                out.push(Item { text: ">".into(), ..item.clone() });
                out.push(Item { kind: Kind::Mark, text: "=".into(), breaks: 0, spaced: false, first_column: false });
                continue;
            }
            Angle::Outside => open = 0,
        }
        out.push(item.clone());
    }
    out
}
