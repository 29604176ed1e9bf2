//! The pages of `spec/diagnostics/`, which are in the binary, and the codes that they explain.

use mlp_lang::finding::Code;
use std::sync::LazyLock;

include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// A code and what is known about it.
#[derive(Clone, Copy, Debug)]
pub struct Explained {
    /// `E0203 unknown-step`
    pub code: &'static Code,
    /// One line: what is wrong.
    pub meaning: &'static str,
    /// Its page, in Markdown, with the beginnings that its examples need.
    pub page: Option<&'static str>,
}

impl Explained {
    /// `error`, or of a lint the level that it has when nobody sets one.
    pub fn level(&self) -> &'static str {
        if self.code.id.starts_with('W') { "warn" } else { "error" }
    }
}

/// Every code of the language and of data, in order.
pub fn all() -> &'static [Explained] {
    static ALL: LazyLock<Vec<Explained>> = LazyLock::new(|| {
        let codes = [mlp_lang::syntax::codes::ALL, mlp_lang::codes::ALL, mlp_data::codes::ALL];
        let mut all: Vec<Explained> =
            codes.iter().flat_map(|codes| codes.iter()).map(|(code, meaning)| explained(code, meaning)).collect();
        // `D0022` after `E0401` and `W0201`: the language before the data.
        all.sort_by_key(|one| (one.code.id.starts_with('D'), one.code.id.clone()));
        all
    });
    &ALL
}

/// The code that is meant by `E0203`, `e0203` or `unknown-step`.
pub fn find(wanted: &str) -> Option<&'static Explained> {
    all().iter().find(|one| one.code.id.eq_ignore_ascii_case(wanted) || one.code.name.eq_ignore_ascii_case(wanted))
}

/// The code or name most like what was asked for.
pub fn nearest(wanted: &str) -> Option<&'static str> {
    let lower = wanted.to_ascii_lowercase();
    let upper = wanted.to_ascii_uppercase();
    mlp_data::nearest(&lower, all().iter().map(|one| &*one.code.name))
        .or_else(|| mlp_data::nearest(&upper, all().iter().map(|one| &*one.code.id)))
}

/// The lines that examples written `with=name` stand after.
pub fn beginning(name: &str) -> Option<&'static str> {
    BEGINNINGS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

fn explained(code: &'static Code, meaning: &'static str) -> Explained {
    let page = PAGES.iter().find(|(id, _)| *id == code.id).map(|(_, page)| *page);
    Explained { code, meaning, page }
}
