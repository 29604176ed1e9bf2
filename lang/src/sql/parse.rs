//! From text to one query: what is no query, and what nests too deeply, ends here.

use super::{Lines, Mistake};
use crate::codes;
use sqlparser::ast::{ObjectName, Query, Spanned, Statement, visit_relations};
use sqlparser::dialect::GenericDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::ops::Range;

/// How deeply parentheses, subqueries and `case` may nest. The parser tries each level in several ways, so that its time
/// and its stack grow faster than the depth.
const DEEPEST: usize = 12;
/// What the parser itself bears of what is nested without brackets.
const PARSER_LIMIT: usize = 30;
/// How many operators may stand side by side: their tree is as deep.
const LONGEST_CHAIN: usize = 300;
/// How many queries may be put together by `union` and the like.
const MOST_TOGETHER: usize = 100;

/// A query with the lines of its text.
pub(crate) struct Parsed {
    pub(super) query: Box<Query>,
    pub(super) lines: Lines,
}

/// Reads the text of one query.
pub(crate) fn parse(text: &str) -> Result<Parsed, Box<Mistake>> {
    let lines = Lines::new(text);
    let start = text.len() - text.trim_start().len();
    let whole = start..text.trim_end().len().max(start);
    let dialect = GenericDialect {};
    let tokens = Tokenizer::new(&dialect, text).tokenize_with_location().map_err(|error| {
        let at = lines.offset(error.location);
        Mistake::new(codes::SQL_SYNTAX, at..at + 1, format!("the query cannot be read: {}", plain(&error.message)))
    })?;
    if let Some(mistake) = other_statement(&tokens, &lines) {
        return Err(mistake.into());
    }
    if let Some((range, message)) = too_deep(&tokens, &lines) {
        let help = "split it into several steps, or use `with name as (...)`";
        return Err(Mistake::new(codes::SQL_SYNTAX, range, message.to_owned()).help(help).into());
    }
    let parsed =
        Parser::new(&dialect).with_recursion_limit(PARSER_LIMIT).with_tokens_with_locations(tokens).parse_statements();
    let mut statements = parsed.map_err(|error| unreadable(error, &lines, whole.clone(), text))?.into_iter();
    let Some(first) = statements.next() else {
        let mistake = Mistake::new(codes::SQL_SYNTAX, whole, "the query is empty".to_owned());
        return Err(mistake.help("write `select ... from ...`").into());
    };
    if let Some(second) = statements.next() {
        let range = lines.range(second.span()).unwrap_or(whole);
        return Err(Mistake::new(codes::NOT_A_QUERY, range, "a step is one query, and this is the second".to_owned())
            .help("write a step for each")
            .into());
    }
    match first {
        Statement::Query(query) => Ok(Parsed { query, lines }),
        other => {
            let range = lines.range(other.span()).unwrap_or(whole);
            let word = other.to_string().split_whitespace().next().unwrap_or_default().to_lowercase();
            Err(Mistake::new(
                codes::NOT_A_QUERY,
                range,
                format!("a step reads tables, and `{word}` does something else"),
            )
            .help("write `select ... from ...`: what it gives is the step's table")
            .into())
        }
    }
}

/// What begins with a word that no query begins with.
fn other_statement(tokens: &[TokenWithSpan], lines: &Lines) -> Option<Mistake> {
    let first = tokens.iter().find(|token| !matches!(token.token, Token::Whitespace(_)))?;
    let Token::Word(word) = &first.token else { return None };
    if matches!(
        word.keyword,
        Keyword::SELECT | Keyword::WITH | Keyword::VALUES | Keyword::FROM | Keyword::TABLE | Keyword::NoKeyword
    ) {
        return None;
    }
    let message = format!("a step reads tables, and `{}` does something else", word.value.to_lowercase());
    let mistake = Mistake::new(codes::NOT_A_QUERY, lines.range(first.span).unwrap_or(0..1), message);
    Some(mistake.help("write `select ... from ...`: what it gives is the step's table"))
}

/// The first place where a tree would be deeper than a stack is sure to bear.
fn too_deep(tokens: &[TokenWithSpan], lines: &Lines) -> Option<(Range<usize>, &'static str)> {
    let mut chains = vec![0_usize];
    let mut together = 0_usize;
    let mut prefixes = 0_usize;
    for token in tokens {
        prefixes = match &token.token {
            Token::Whitespace(_) => prefixes,
            Token::Minus | Token::Plus | Token::Tilde | Token::ExclamationMark => prefixes + 1,
            Token::Word(word) if matches!(word.keyword, Keyword::NOT | Keyword::PRIOR | Keyword::INTERVAL) => {
                prefixes + 1
            }
            _ => 0,
        };
        let nested = chains.len() > 1;
        let chain = chains.last_mut()?;
        match &token.token {
            Token::LParen | Token::LBracket => chains.push(0),
            Token::RParen | Token::RBracket if nested => {
                chains.pop();
            }
            Token::Comma | Token::SemiColon => *chain = 0,
            Token::Word(word) => match word.keyword {
                Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT => together += 1,
                Keyword::CASE => chains.push(0),
                Keyword::END if nested => {
                    chains.pop();
                }
                Keyword::NOT
                | Keyword::AND
                | Keyword::OR
                | Keyword::XOR
                | Keyword::IS
                | Keyword::COLLATE
                | Keyword::AT => *chain += 1,
                Keyword::WHEN | Keyword::THEN | Keyword::ELSE | Keyword::SELECT | Keyword::FROM | Keyword::WHERE => {
                    *chain = 0;
                }
                _ => {}
            },
            Token::Number(..) | Token::Whitespace(_) | Token::SingleQuotedString(_) | Token::Period | Token::EOF => {}
            _ => *chain += 1,
        }
        if *chains.last()? > LONGEST_CHAIN || together > MOST_TOGETHER {
            return Some((lines.range(token.span).unwrap_or(0..1), "the query has too many operators side by side"));
        }
        if chains.len() > DEEPEST || prefixes > DEEPEST {
            return Some((lines.range(token.span).unwrap_or(0..1), "the query nests too deeply"));
        }
    }
    None
}

/// What the parser said, as a mistake at its place.
fn unreadable(error: ParserError, lines: &Lines, whole: Range<usize>, text: &str) -> Mistake {
    let message = match error {
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
        ParserError::RecursionLimitExceeded => {
            return Mistake::new(codes::SQL_SYNTAX, whole, "the query nests too deeply".to_owned())
                .help("split it into several steps, or use `with name as (...)`");
        }
    };
    let (message, location) = match message.rsplit_once(" at Line: ") {
        Some((message, place)) => {
            let numbers: Vec<u64> = place.split(", Column: ").filter_map(|number| number.trim().parse().ok()).collect();
            let location = match numbers.as_slice() {
                [line, column] => Some(Location { line: *line, column: *column }),
                _ => None,
            };
            (message.to_owned(), location)
        }
        None => (message, None),
    };
    let range = match location {
        Some(location) => {
            let at = lines.offset(location);
            let word = text
                .get(at..)
                .map_or(0, |rest| rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()).max(1));
            at..(at + word).min(text.len())
        }
        // It ends too early: the place is its last word.
        None => {
            let end = whole.end;
            let start = text.get(..end).and_then(|text| text.rfind(char::is_whitespace)).map_or(0, |at| at + 1);
            start.min(end)..end
        }
    };
    Mistake::new(codes::SQL_SYNTAX, range, format!("the query cannot be read: {}", plain(&message)))
}

/// The parser's words in ours: "Expected: an expression, found: FROM" is "expected an expression, found `FROM`".
fn plain(message: &str) -> String {
    match message.strip_prefix("Expected: ").and_then(|rest| rest.rsplit_once(", found: ")) {
        Some((wanted, "EOF")) => format!("expected {wanted}, and it ends here"),
        Some((wanted, found)) => format!("expected {wanted}, found `{found}`"),
        None => {
            let mut chars = message.chars();
            chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
        }
    }
}

impl Parsed {
    /// The tables that the query reads, each once, in the order written: the parts of the name and where it stands.
    pub(crate) fn tables(&self) -> Vec<(Vec<String>, Range<usize>)> {
        let mut inner: HashSet<String> = HashSet::new();
        collect_ctes(&self.query, &mut inner);
        let mut found: Vec<(Vec<String>, Range<usize>)> = Vec::new();
        let _ = visit_relations(&self.query, |name: &ObjectName| {
            if let Some(path) = super::path(name)
                && !(path.len() == 1 && inner.contains(&path[0]))
                && !found.iter().any(|(known, _)| *known == path)
            {
                found.push((path, self.lines.range(name.span()).unwrap_or(0..1)));
            }
            ControlFlow::<()>::Continue(())
        });
        found
    }
}

/// The names that queries give to parts of themselves, anywhere in them.
fn collect_ctes(query: &Query, found: &mut HashSet<String>) {
    struct Names<'n>(&'n mut HashSet<String>);
    impl sqlparser::ast::Visitor for Names<'_> {
        type Break = ();
        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
            self.0.extend(ctes.map(|cte| cte.alias.name.value.clone()));
            ControlFlow::Continue(())
        }
    }
    let _ = sqlparser::ast::Visit::visit(query, &mut Names(found));
}
