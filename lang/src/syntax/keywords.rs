//! The words that start a declaration or a clause.

/// Words that start a declaration.
pub const DECLARATIONS: [&str; 16] = [
    "mlp",
    "pipeline",
    "use",
    "param",
    "secret",
    "schema",
    "data",
    "component",
    "step",
    "tune",
    "gate",
    "model",
    "deploy",
    "monitor",
    "on",
    "test",
];

/// Words that start a declaration in the block of a component.
pub const IN_COMPONENTS: [&str; 4] = ["data", "step", "tune", "gate"];

/// Words that end one block's clause and begin another; a line that starts with one is never the rest of the line above.
pub const CLAUSES: [&str; 3] = ["expect", "require", "watch"];

/// How a candidate takes over.
pub const STRATEGIES: [&str; 5] = ["replace", "canary", "blue_green", "shadow", "ab"];

/// Names of types that take another type: `list<int>`.
pub const GENERICS: [&str; 6] = ["list", "map", "range", "dataset", "model", "metrics"];

/// Whether `word` at column 0 starts a declaration.
pub fn is_declaration(word: &str) -> bool {
    DECLARATIONS.contains(&word)
}

/// The declaration's keyword that `word` was probably meant to be.
pub fn nearest_declaration(word: &str) -> Option<&'static str> {
    // `on` is one letter away from too many words.
    nearest(word, DECLARATIONS.iter().copied().filter(|known| *known != "on"))
}

/// What starts a declaration in other languages and tools, and how it is written here.
pub fn as_elsewhere(word: &str) -> Option<&'static str> {
    Some(match word {
        "import" | "from" | "include" | "require" => "`use std/tabular`, or `use \"./steps.wasm\" as steps`",
        "let" | "const" | "var" | "val" | "def" | "fn" | "func" => {
            "`param seed: int = 7`, or `step name = module.step(...)`"
        }
        "task" | "job" | "stage" | "node" | "run" => "`step name = module.step(...)`",
        "dataset" | "table" | "source" => "`data name: Schema { source = csv(\"rows.csv\") }`",
        "type" | "struct" | "class" | "record" => "`schema Name { column: int }`",
        "schedule" | "cron" | "trigger" => "`on schedule \"0 3 * * 1\"`",
        "workflow" | "dag" | "project" | "name" => "`pipeline name { about = \"...\" }`",
        _ => return None,
    })
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
