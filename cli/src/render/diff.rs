//! The difference of two texts, as `diff -u` writes it and `patch` reads it.

use super::text::{BAD, DIM, GOOD, PLAIN, STRONG, clean, styled};

/// Unchanged lines around a change.
const AROUND: usize = 3;

/// Texts that differ in more lines than this are shown as one change: nobody reads which of the lines stayed.
const MOST_CHANGES: usize = 1_000;

/// What happened to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Kept,
    Removed,
    Added,
}

/// From `before` to `after`, under the name of their file. Empty when nothing changed.
pub fn unified(path: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let (old, new) = (lines(before), lines(after));
    let script = script(&old, &new);
    let mut text = styled(STRONG, format!("--- {}\n", clean(path))) + &styled(STRONG, format!("+++ {}\n", clean(path)));
    for hunk in hunks(&script) {
        let (first_old, first_new) = position(&script[..hunk.start]);
        let (old_lines, new_lines) = position(&script[hunk.clone()]);
        let range = |first: usize, lines: usize| match lines {
            // Of nothing, the line before it is told.
            0 => format!("{first},0"),
            1 => format!("{}", first + 1),
            _ => format!("{},{lines}", first + 1),
        };
        let place = format!("@@ -{} +{} @@", range(first_old, old_lines), range(first_new, new_lines));
        text.push_str(&format!("{}\n", styled(DIM, place)));
        let (mut at_old, mut at_new) = (first_old, first_new);
        for change in &script[hunk] {
            let (mark, style, line) = match change {
                Change::Kept => (' ', PLAIN, old.get(at_old)),
                Change::Removed => ('-', BAD, old.get(at_old)),
                Change::Added => ('+', GOOD, new.get(at_new)),
            };
            at_old += usize::from(*change != Change::Added);
            at_new += usize::from(*change != Change::Removed);
            let line = line.copied().unwrap_or_default();
            let body = line.strip_suffix('\n').unwrap_or(line);
            text.push_str(&format!("{}\n", styled(style, format!("{mark}{}", clean(body)))));
            if !line.ends_with('\n') {
                text.push_str("\\ No newline at end of file\n");
            }
        }
    }
    text
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// How many lines of the old and of the new text these changes go over.
fn position(script: &[Change]) -> (usize, usize) {
    let count = |without| script.iter().filter(|change| **change != without).count();
    (count(Change::Added), count(Change::Removed))
}

/// The changes with the lines around them; those near each other together.
fn hunks(script: &[Change]) -> Vec<std::ops::Range<usize>> {
    let mut hunks: Vec<std::ops::Range<usize>> = Vec::new();
    for (at, _) in script.iter().enumerate().filter(|(_, change)| **change != Change::Kept) {
        let (start, end) = (at.saturating_sub(AROUND), (at + 1 + AROUND).min(script.len()));
        match hunks.last_mut() {
            Some(last) if start <= last.end => last.end = end,
            _ => hunks.push(start..end),
        }
    }
    hunks
}

/// What happens to each line; of a changed place the old lines first.
fn script(old: &[&str], new: &[&str]) -> Vec<Change> {
    let same = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[same..], &new[same..]);
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[..old.len() - end], &new[..new.len() - end]);
    let mut script = vec![Change::Kept; same];
    script.extend(shortest(old, new).unwrap_or_else(|| {
        let mut all = vec![Change::Removed; old.len()];
        all.resize(old.len() + new.len(), Change::Added);
        all
    }));
    script.resize(script.len() + end, Change::Kept);
    script
}

/// The shortest script from `old` to `new` (E. W. Myers, "An O(ND) difference algorithm and its variations", 1986).
/// `None`: it is longer than anybody would read.
fn shortest(old: &[&str], new: &[&str]) -> Option<Vec<Change>> {
    let most = (old.len() + new.len()).min(MOST_CHANGES);
    // `furthest[k + middle]`: how far in `old` a path gets on the diagonal `k`, the lines of `old` less those of `new`.
    let middle = most + 1;
    let mut furthest = vec![0usize; 2 * most + 3];
    let mut trace = Vec::new();
    for changes in 0..=most {
        trace.push(furthest.clone());
        for step in 0..=changes {
            let k = middle + 2 * step - changes;
            let down = step == 0 || step != changes && furthest[k - 1] < furthest[k + 1];
            let mut x = if down { furthest[k + 1] } else { furthest[k - 1] + 1 };
            // On a diagonal outside of the texts nothing can be matched.
            let Some(mut y) = (x + middle).checked_sub(k) else { continue };
            while x < old.len() && y < new.len() && old[x] == new[y] {
                (x, y) = (x + 1, y + 1);
            }
            furthest[k] = x;
            if x >= old.len() && y >= new.len() {
                return Some(back(&trace, old.len(), new.len(), middle));
            }
        }
    }
    None
}

/// The way back from the end through what was reached with each number of changes.
fn back(trace: &[Vec<usize>], mut x: usize, mut y: usize, middle: usize) -> Vec<Change> {
    let mut script = Vec::new();
    for (changes, furthest) in trace.iter().enumerate().rev() {
        let k = x + middle - y;
        let lowest = k + changes == middle;
        let highest = k == middle + changes;
        let down = lowest || !highest && furthest[k - 1] < furthest[k + 1];
        let before = if down { furthest[k + 1] } else { furthest[k - 1] };
        let start = if changes == 0 { 0 } else { before + usize::from(!down) };
        while x > start && y > 0 {
            script.push(Change::Kept);
            (x, y) = (x - 1, y - 1);
        }
        if changes > 0 {
            script.push(if down { Change::Added } else { Change::Removed });
            (x, y) = if down { (x, y - 1) } else { (x - 1, y) };
        }
    }
    script.reverse();
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(before: &str, after: &str) -> String {
        anstream::adapter::strip_str(&unified("a.mlp", before, after)).to_string()
    }

    /// What `patch` makes of the old lines.
    fn patched<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<&'t str> {
        let (mut from_old, mut from_new) = (old.iter(), new.iter());
        let mut lines = Vec::new();
        for change in script(old, new) {
            match change {
                Change::Kept => {
                    lines.extend(from_old.next());
                    from_new.next();
                }
                Change::Removed => drop(from_old.next()),
                Change::Added => lines.extend(from_new.next()),
            }
        }
        lines.extend(from_old);
        lines
    }

    #[test]
    fn a_diff_is_read_by_patch() {
        let before: String = (1..=20).map(|n| format!("line {n}\n")).collect();
        let after = before.replace("line 3\n", "line three\n").replace("line 18\n", "").replace("line 20\n", "line 20");
        insta::assert_snapshot!(plain(&before, &after));
        assert_eq!(plain(&before, &before), "");
        assert_eq!(plain("", "a\n"), "--- a.mlp\n+++ a.mlp\n@@ -0,0 +1 @@\n+a\n");
        assert_eq!(plain("a\n", ""), "--- a.mlp\n+++ a.mlp\n@@ -1 +0,0 @@\n-a\n");
    }

    #[test]
    fn any_two_texts_differ_by_what_turns_one_into_the_other() {
        let words = ["a", "b", "c"];
        let text = |number: usize| {
            let digits = (0..number % 7).map(|n| words[number / 7usize.pow(n as u32) % 3]);
            digits.collect::<Vec<&str>>()
        };
        for left in 0..300 {
            for right in 0..100 {
                let (old, new) = (text(left), text(right * 3 + 1));
                assert_eq!(patched(&old, &new), new, "{old:?}");
            }
        }
    }

    #[test]
    fn texts_with_nothing_in_common_are_one_change() {
        let old: Vec<String> = (0..2_000).map(|n| format!("a{n}")).collect();
        let new: Vec<String> = (0..2_000).map(|n| format!("b{n}")).collect();
        let (old, new): (Vec<&str>, Vec<&str>) =
            (old.iter().map(String::as_str).collect(), new.iter().map(String::as_str).collect());
        assert_eq!(patched(&old, &new), new);
        assert_eq!(hunks(&script(&old, &new)).len(), 1);
    }
}
