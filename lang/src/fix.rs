//! Applying what findings propose: edits to a text, once or until nothing is left to mend.
//!
//! Owns: which fixes go together, and when to stop. Must never know: files, and what checks the text.

use crate::finding::{Edit, Finding, Fix, Place, Safety};
use crate::span::{Source, Span};
use std::collections::HashSet;
use std::sync::Arc;

/// How often a text is checked and mended before it is taken as it is. Each round applies every fix that touches no
/// other, so that more are needed only where fixes overlap or uncover each other.
const MOST_ROUNDS: usize = 32;

/// How many sets of fixes are tried in one round, where some make things worse.
const MOST_ATTEMPTS: usize = 64;

/// A text with fixes applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Fixed {
    /// The text afterwards.
    pub text: String,
    /// The findings that were mended, in the order of their mending, as they were told.
    pub mended: Vec<Finding>,
    /// What is found in the text afterwards.
    pub findings: Vec<Finding>,
}

/// Applies the fixes of `findings` that lie in this file, that are at least as safe as `least`, and that touch none
/// applied before. Gives the text and the findings whose fixes were applied.
///
/// A fix is applied whole or not at all. One that does not fit the text is left out.
pub fn apply<'f>(
    source: &Source,
    findings: impl IntoIterator<Item = &'f Finding>,
    least: Safety,
) -> (String, Vec<&'f Finding>) {
    let mut applied: Vec<&Finding> = Vec::new();
    let mut edits: Vec<&Edit> = Vec::new();
    for finding in findings {
        let Some(fix) = fix_in(finding, source, least) else { continue };
        let fits = fix.edits.iter().enumerate().all(|(index, edit)| {
            let others = fix.edits.iter().take(index).chain(edits.iter().copied());
            source.text.get(edit.span.range()).is_some_and(|old| *old != *edit.text)
                && others.into_iter().all(|other| apart(edit.span, other.span))
        });
        if fits && !fix.edits.is_empty() {
            edits.extend(&fix.edits);
            applied.push(finding);
        }
    }
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut text = String::with_capacity(source.text.len());
    let mut at = 0;
    for edit in edits {
        text.push_str(source.text.get(at..edit.span.start as usize).unwrap_or_default());
        text.push_str(&edit.text);
        at = edit.span.end as usize;
    }
    text.push_str(source.text.get(at..).unwrap_or_default());
    (text, applied)
}

/// Applies fixes and checks again, until none is left that helps.
///
/// The text that comes out never has more errors than the one that went in, nor does any text on the way: a fix that
/// would bring more errors to light than it mends is left to a person. It ends: each round checks a text that was not
/// seen before, and there are at most 32 rounds.
pub fn fix(source: &Source, least: Safety, mut check: impl FnMut(&Source) -> Vec<Finding>) -> Fixed {
    let mut source = source.clone();
    let mut findings = check(&source);
    let mut mended = Vec::new();
    let mut seen = HashSet::from([source.text.clone()]);
    for _ in 0..MOST_ROUNDS {
        let Some(round) = next(&source, &findings, least, &seen, &mut check) else { break };
        mended.extend(round.mended);
        (source, findings) = (round.source, round.findings);
        seen.insert(source.text.clone());
    }
    Fixed { text: source.text.to_string(), mended, findings }
}

struct Round {
    source: Source,
    mended: Vec<Finding>,
    findings: Vec<Finding>,
}

/// All fixes at once; if that makes things worse, half of them, and so on to the first ones that do not.
fn next(
    source: &Source,
    findings: &[Finding],
    least: Safety,
    seen: &HashSet<Arc<str>>,
    check: &mut impl FnMut(&Source) -> Vec<Finding>,
) -> Option<Round> {
    let all: Vec<&Finding> = findings.iter().filter(|finding| fix_in(finding, source, least).is_some()).collect();
    let mut open = vec![&*all];
    for _ in 0..MOST_ATTEMPTS {
        let candidates = open.pop().filter(|candidates| !candidates.is_empty())?;
        let (text, applied) = apply(source, candidates.iter().copied(), least);
        let changed = Source::new(&source.path, &text);
        if !applied.is_empty() && !seen.contains(&changed.text) {
            let after = check(&changed);
            if errors(&after) <= errors(findings) {
                let mended = applied.into_iter().cloned().collect();
                return Some(Round { source: changed, mended, findings: after });
            }
        }
        if candidates.len() > 1 {
            let (first, second) = candidates.split_at(candidates.len() / 2);
            open.extend([second, first]);
        }
    }
    None
}

fn errors(findings: &[Finding]) -> usize {
    findings.iter().filter(|finding| finding.is_error()).count()
}

/// The fix of a finding in this file, if it is safe enough.
fn fix_in<'f>(finding: &'f Finding, source: &Source, least: Safety) -> Option<&'f Fix> {
    let here = matches!(&finding.primary.place, Place::Source { path, .. } if *path == source.path);
    finding.fix.as_ref().filter(|fix| here && (least == Safety::Unsafe || fix.safety == Safety::Safe))
}

/// Whether two edits can be made in either order with the same outcome.
fn apart(a: Span, b: Span) -> bool {
    let (first, second) = if (a.start, a.end) <= (b.start, b.end) { (a, b) } else { (b, a) };
    first.end <= second.start && first.start < second.start
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;
    use proptest::prelude::*;

    fn finding(edits: &[(usize, usize, &str)], safety: Safety) -> Finding {
        let place = Place::Source { path: "a.mlp".into(), span: Span::new(0, 0) };
        let edits = edits.iter().map(|(start, end, text)| Edit { span: Span::new(*start, *end), text: (*text).into() });
        let fix = Fix { title: String::new(), edits: edits.collect(), safety };
        Finding { fix: Some(fix), ..Finding::error(codes::UNKNOWN_NAME, place, "wrong") }
    }

    fn applied(text: &str, findings: &[Finding]) -> (String, usize) {
        let (text, applied) = apply(&Source::new("a.mlp", text), findings, Safety::Safe);
        (text, applied.len())
    }

    #[test]
    fn fixes_that_touch_nothing_else_go_together() {
        let safe = |edits| finding(edits, Safety::Safe);
        let table: &[(&[Finding], &str, usize)] = &[
            (&[], "abcdef", 0),
            (&[safe(&[(1, 2, "B")]), safe(&[(4, 5, "E")])], "aBcdEf", 2),
            (&[safe(&[(4, 5, "E")]), safe(&[(1, 2, "B")])], "aBcdEf", 2),
            // Side by side is apart, in any order.
            (&[safe(&[(2, 3, "")]), safe(&[(1, 2, "")])], "adef", 2),
            // The first of two that overlap, or that insert at one place.
            (&[safe(&[(1, 3, "X")]), safe(&[(2, 4, "Y")])], "aXdef", 1),
            (&[safe(&[(1, 1, "X")]), safe(&[(1, 1, "Y")])], "aXbcdef", 1),
            // Whole or not at all.
            (&[safe(&[(1, 2, "X")]), safe(&[(5, 6, "F"), (1, 2, "Y")])], "aXcdef", 1),
            // What does not fit, does nothing or is not safe.
            (&[safe(&[(5, 9, "X")])], "abcdef", 0),
            (&[safe(&[(1, 2, "b")])], "abcdef", 0),
            (&[safe(&[])], "abcdef", 0),
            (&[finding(&[(1, 2, "X")], Safety::Unsafe)], "abcdef", 0),
        ];
        for (findings, text, count) in table {
            assert_eq!(applied("abcdef", findings), ((*text).to_owned(), *count), "{findings:?}");
        }
        assert_eq!(applied("é", &[safe(&[(1, 2, "e")])]), ("é".to_owned(), 0), "not inside a character");
    }

    /// Each `x` is an error whose fix writes `y`; with `worse` each `y` is two.
    fn letters(source: &Source, worse: bool) -> Vec<Finding> {
        let of = |letter, text: &'static str| {
            let at = source.text.match_indices(letter).map(|(at, _)| at).collect::<Vec<_>>();
            at.into_iter().map(move |at| finding(&[(at, at + 1, text)], Safety::Safe))
        };
        match worse {
            true => of("x", "y").chain(of("y", "x")).chain(of("y", "x")).collect(),
            false => of("x", "y").chain(of("z", "x")).collect(),
        }
    }

    #[test]
    fn fixes_uncover_fixes_until_none_is_left() {
        let fixed = fix(&Source::new("a.mlp", "xz"), Safety::Safe, |source| letters(source, false));
        assert_eq!((fixed.text.as_str(), fixed.mended.len(), fixed.findings.len()), ("yy", 3, 0));
    }

    #[test]
    fn a_fix_that_makes_things_worse_is_not_made() {
        let fixed = fix(&Source::new("a.mlp", "xx"), Safety::Safe, |source| letters(source, true));
        assert_eq!((fixed.text.as_str(), fixed.mended.len(), fixed.findings.len()), ("xx", 0, 2));
    }

    #[test]
    fn fixes_that_undo_each_other_end() {
        let swap = |source: &Source| match &*source.text {
            "a" => vec![finding(&[(0, 1, "b")], Safety::Safe)],
            _ => vec![finding(&[(0, 1, "a")], Safety::Safe)],
        };
        let fixed = fix(&Source::new("a.mlp", "a"), Safety::Safe, swap);
        assert_eq!((fixed.text.as_str(), fixed.mended.len()), ("b", 1));
    }

    #[test]
    fn fixes_without_end_are_cut_off() {
        let longer = |_: &Source| vec![finding(&[(0, 0, "a")], Safety::Safe)];
        assert_eq!(fix(&Source::new("a.mlp", ""), Safety::Safe, longer).text.len(), MOST_ROUNDS);
    }

    proptest! {
        /// What is applied is applied as a whole, and nothing else in the text moves.
        #[test]
        fn the_rest_of_the_text_stays(
            text in "[a-dé]{0,12}",
            edits in prop::collection::vec((0usize..16, 0usize..6, "[A-C]{0,3}"), 0..6),
        ) {
            let findings: Vec<Finding> =
                edits.iter().map(|(start, length, text)| finding(&[(*start, start + length, text)], Safety::Safe)).collect();
            let source = Source::new("a.mlp", &text);
            let (after, applied) = apply(&source, &findings, Safety::Safe);
            let (mut removed, mut added) = (0, 0);
            for edit in applied.iter().filter_map(|finding| finding.fix.as_ref()).flat_map(|fix| &fix.edits) {
                removed += edit.span.range().len();
                added += edit.text.len();
            }
            prop_assert_eq!(after.len() + removed, text.len() + added);
            let small = |text: &str| text.chars().filter(|c| c.is_lowercase()).count();
            prop_assert!(small(&after) <= small(&text));
        }
    }
}
