//! The words that start a declaration or a clause, and what this version says of those it cannot run.

/// Words that start a declaration this version runs.
pub const DECLARATIONS: [&str; 12] =
    ["mlp", "pipeline", "use", "param", "schema", "data", "step", "gate", "model", "deploy", "monitor", "on"];

/// Words that start a declaration of the language that this version cannot run, with what it is.
pub const LATER_DECLARATIONS: [(&str, &str); 5] = [
    ("test", "a test of the pipeline"),
    ("tune", "a search for the best settings of a step"),
    ("component", "a group of declarations to use again"),
    ("secret", "a secret granted to steps"),
    ("for", "a fan-out over a list"),
];

/// Words that end one block's clause and begin another; a line that starts with one is never the rest of the line above.
pub const CLAUSES: [&str; 3] = ["expect", "require", "watch"];

/// How a candidate takes over.
pub const STRATEGIES: [&str; 4] = ["replace", "canary", "blue_green", "shadow"];

/// Names of types that take another type: `list<int>`.
pub const GENERICS: [&str; 6] = ["list", "map", "range", "dataset", "model", "metrics"];

/// Whether `word` at column 0 starts a declaration, in this version or a later one.
pub fn is_declaration(word: &str) -> bool {
    DECLARATIONS.contains(&word) || later_declaration(word).is_some()
}

/// What the declaration is that this version cannot run.
pub fn later_declaration(word: &str) -> Option<&'static str> {
    LATER_DECLARATIONS.iter().find(|(w, _)| *w == word).map(|(_, what)| *what)
}

/// The declaration's keyword that `word` was probably meant to be.
pub fn nearest_declaration(word: &str) -> Option<&'static str> {
    // `for` and `on` are one letter away from too many words.
    let later = LATER_DECLARATIONS.iter().map(|(later, _)| *later).filter(|later| later.len() > 3);
    nearest(word, DECLARATIONS.iter().copied().filter(|known| *known != "on").chain(later))
}

/// The candidate that differs least from `word`, if it differs by little: a third of the letters, at most two.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if word.len() > 64 {
        return None;
    }
    let allowed = (word.chars().count().max(3) / 3).clamp(1, 2);
    (candidates.into_iter())
        .map(|c| (strsim::osa_distance(&word.to_lowercase(), &c.to_lowercase()), c))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}
