//! The pest grammar, and what its failures say in the language's words.

use pest::Parser;
use pest::error::{ErrorVariant, InputLocation};
use pest::iterators::Pair;

/// One node of what pest parsed.
pub type Node<'t> = Pair<'t, Rule>;

#[derive(pest_derive::Parser)]
#[grammar = "syntax/grammar.pest"]
struct Grammar;

/// Where a line stops being what it should be, and what could have stood there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Byte in the line.
    pub at: usize,
    /// What could have stood there, in the language's words; empty when the line could have ended there.
    pub expected: Vec<&'static str>,
    /// Keywords that could have stood there.
    pub keywords: Vec<&'static str>,
}

/// Parses one line by one rule, or tells how far it got.
pub fn parse(rule: Rule, line: &str) -> Result<Node<'_>, Failure> {
    let nothing = Failure { at: 0, expected: Vec::new(), keywords: Vec::new() };
    let error = match Grammar::parse(rule, line) {
        Ok(mut nodes) => return nodes.next().ok_or(nothing),
        Err(error) => error,
    };
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    match error.variant {
        ErrorVariant::ParsingError { positives, .. } => {
            let keywords = positives.iter().flat_map(|r| keywords(*r)).copied().collect();
            Err(Failure { at, expected: expected(&positives), keywords })
        }
        ErrorVariant::CustomError { .. } => Err(Failure { at, ..nothing }),
    }
}

/// What must follow, in the language's words. What merely could follow (one more operator, one more argument) is left out,
/// and so is everything when the line could have ended.
fn expected(rules: &[Rule]) -> Vec<&'static str> {
    if rules.contains(&Rule::EOI) {
        return Vec::new();
    }
    let closes = [Rule::rparen, Rule::rbracket, Rule::rbrace, Rule::hole_end];
    let closes = rules.iter().any(|r| closes.contains(r));
    let mut words = Vec::new();
    for rule in rules {
        let word = match rule {
            Rule::infix | Rule::bound_infix | Rule::dot | Rule::arguments | Rule::question | Rule::lparen => continue,
            Rule::langle => continue,
            Rule::kw_when | Rule::kw_as | Rule::attribute | Rule::comparison => continue,
            Rule::colon if closes => continue,
            other => phrase(*other),
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    // Arguments could follow a name wherever it stands, so `(` is worth a word only where nothing else can follow.
    if words.is_empty() && rules.contains(&Rule::lparen) {
        words.push("`(`");
    }
    if words.contains(&"a value") {
        // The start of a value; that a list may also end here is no news.
        words.retain(|w| !matches!(*w, "a name" | "a number" | "a text in quotes" | "`[`" | "`{`" | "`)`" | "`]`"));
    }
    // `,` before what closes: the order in which people read it.
    words.sort_by_key(|w| (*w != "a value", *w != "`,`"));
    words
}

fn phrase(rule: Rule) -> &'static str {
    match rule {
        Rule::name | Rule::label => "a name",
        Rule::ty | Rule::choice | Rule::generic | Rule::named => "a type",
        Rule::quoted | Rule::triple | Rule::plain_string => "a text in quotes",
        Rule::number => "a number",
        Rule::module => "a module",
        Rule::entry => "`name: value`",
        Rule::colon => "`:`",
        Rule::equals => "`=`",
        Rule::comma => "`,`",
        Rule::dot => "`.`",
        Rule::bar => "`|`",
        Rule::lparen => "`(`",
        Rule::rparen => "`)`",
        Rule::lbracket => "`[`",
        Rule::rbracket => "`]`",
        Rule::lbrace => "`{`",
        Rule::rbrace | Rule::hole_end => "`}`",
        Rule::langle => "`<`",
        Rule::rangle => "`>`",
        Rule::kw_else => "`else`",
        Rule::kw_in => "`in`",
        Rule::kw_after => "`after`",
        Rule::kw_because => "`because`",
        Rule::kw_of => "`of`",
        Rule::kw_every => "`every`",
        Rule::kw_within => "`within`",
        Rule::kw_promoted => "`promoted`",
        Rule::kw_breach => "`breach`",
        Rule::kw_for => "`for`",
        Rule::kw_windows => "`windows`",
        Rule::kw_schedule | Rule::schedule => "`schedule`",
        Rule::kw_change | Rule::change => "`change`",
        Rule::kw_webhook | Rule::webhook => "`webhook`",
        Rule::kw_commit | Rule::commit => "`commit`",
        Rule::kw_end | Rule::finish => "`end`",
        Rule::kw_over => "`over`",
        Rule::kw_by => "`by`",
        Rule::given | Rule::typed => "`name: type`",
        Rule::ending => "`fails`",
        Rule::qualified => "a name",
        Rule::count => "a number and what it counts",
        Rule::field => "`name: type`",
        Rule::setting => "`name = value`",
        _ => "a value",
    }
}

/// The keywords that a rule can start with.
fn keywords(rule: Rule) -> &'static [&'static str] {
    match rule {
        Rule::kw_as => &["as"],
        Rule::kw_after | Rule::after => &["after"],
        Rule::kw_when | Rule::condition => &["when"],
        Rule::kw_else => &["else"],
        Rule::kw_because | Rule::because => &["because"],
        Rule::kw_min_support | Rule::min_support => &["min_support"],
        Rule::kw_unless | Rule::unless => &["unless"],
        Rule::attribute | Rule::kw_unique | Rule::kw_label => &["unique", "label"],
        Rule::kw_of => &["of"],
        Rule::kw_every => &["every"],
        Rule::kw_over => &["over"],
        Rule::kw_for => &["for"],
        Rule::kw_until | Rule::promotion => &["until"],
        Rule::kw_promoted => &["promoted"],
        Rule::kw_fails => &["fails"],
        Rule::kw_within => &["within"],
        Rule::kw_breach => &["breach"],
        Rule::kw_windows => &["windows"],
        Rule::kw_schedule | Rule::schedule => &["schedule"],
        Rule::kw_change | Rule::change => &["change"],
        Rule::kw_webhook | Rule::webhook => &["webhook"],
        Rule::kw_commit | Rule::commit => &["commit"],
        Rule::kw_end | Rule::finish => &["end"],
        Rule::kw_by => &["by"],
        Rule::limit => &["within"],
        Rule::of_people => &["of"],
        Rule::fan_out => &["for"],
        Rule::ending => &["fails", "passes", "skipped"],
        _ => &[],
    }
}
