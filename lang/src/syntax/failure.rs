//! How a mistake is told: what was found, what was expected, what to write.

use super::codes;
use super::grammar::{Failure, Rule};
use super::keywords::nearest;
use super::lexer::{Bracket, LexError, Token, TokenKind};
use super::tree::place;
use crate::finding::{Finding, Place, Safety};
use crate::span::Span;
use std::ops::Range;

/// How deep brackets may be nested.
pub const DEEPEST_BRACKETS: usize = 64;
/// How many operators, calls and brackets may stand inside of each other, counted along the way to the deepest.
pub const DEEPEST_TREE: usize = 256;

/// Some tokens that were to be parsed by one rule.
pub struct Line<'l> {
    /// The chunk's text.
    pub text: &'l str,
    /// The chunk's tokens, from the keyword on.
    pub tokens: &'l [Token],
    /// The partner of each bracket.
    pub partner: &'l [Option<usize>],
    /// Which tokens.
    pub range: Range<usize>,
}

/// Where a finding stands, for sorting.
pub fn position(finding: &Finding) -> u32 {
    match &finding.primary.place {
        Place::Source { span, .. } => span.start,
        Place::Data { .. } => 0,
    }
}

/// What can be told of a line from its tokens alone: a mistake of the lexer, a bracket left open, too much nesting.
pub fn before_parsing(line: &Line<'_>) -> Option<Finding> {
    let mut range = line.range.clone();
    if let Some((i, error)) = range.find_map(|i| match line.tokens[i].kind {
        TokenKind::Error(error) => Some((i, error)),
        _ => None,
    }) {
        return Some(lexical(line.text, line.tokens, i, error));
    }
    let open = |i: &usize| matches!(line.tokens[*i].kind, TokenKind::Open(_)) && line.partner[*i].is_none();
    if let Some(open) = line.range.clone().find(open) {
        let newline = |i: &usize| line.tokens[*i].kind == TokenKind::Newline;
        let end = (open..line.range.end).find(newline).unwrap_or(line.range.end);
        let last = (open..end).rev().find(|i| !line.tokens[*i].kind.is_trivia()).unwrap_or(open);
        return Some(unclosed(line.text, line.tokens, open, last));
    }
    too_deep(line)
}

/// A mistake that the lexer found.
fn lexical(text: &str, tokens: &[Token], i: usize, error: LexError) -> Finding {
    let token = tokens[i];
    let written = &text[token.span.range()];
    let opener = |wanted: fn(TokenKind) -> bool| {
        (0..i).rev().find(|n| wanted(tokens[*n].kind)).map_or(token.span, |n| tokens[n].span)
    };
    match error {
        LexError::Name => {
            Finding::error(codes::UNEXPECTED_CHARACTER, place(token.span), format!("`{written}` is not a name"))
                .label("has letters outside ASCII")
                .help("names have the letters a to z, digits and `_`; a column of another name is written in quotes")
        }
        LexError::Character => foreign(written, token.span),
        LexError::UnclosedString => {
            let start = opener(|k| k == TokenKind::StringStart);
            let span = Span { start: start.start, end: token.span.end };
            Finding::error(codes::UNCLOSED_STRING, place(span), "this text has no closing quote on its line")
                .label("starts here")
                .help("close it with `\"`; a text of several lines stands between `\"\"\"`")
        }
        LexError::UnclosedTriple => {
            let start = opener(|k| k == TokenKind::StringStart);
            Finding::error(codes::UNCLOSED_STRING, place(start), "this text has no closing `\"\"\"`")
                .label("starts here")
                .help("close it with `\"\"\"`")
        }
        LexError::UnclosedHole => {
            let start = opener(|k| k == TokenKind::Open(Bracket::Hole));
            Finding::error(codes::UNCLOSED_HOLE, place(start), "this `${` has no `}` on its line")
                .label("starts here")
                .help("close it with `}`, or write `\\$` for a dollar sign")
        }
    }
}

/// Characters that the language does not use, with what people mean by them elsewhere.
fn foreign(written: &str, span: Span) -> Finding {
    let finding =
        Finding::error(codes::UNEXPECTED_CHARACTER, place(span), format!("`{}` means nothing here", shown(written)))
            .label("not part of the language");
    let instead = match written {
        "&&" => "and",
        "||" => "or",
        "!" => "not ",
        "//" => "#",
        "\u{201c}" | "\u{201d}" | "'" | "\u{2018}" | "\u{2019}" | "`" => "\"",
        _ => "",
    };
    match (written, instead) {
        ("//", _) => finding.help("a comment starts with `#`").fix("write `#`", span, "#", Safety::Unsafe),
        ("%", _) => finding.help("`%` is a unit, written without a space: `20%`; a remainder is `mod(a, b)`"),
        (";", _) => finding.help("a line needs no mark at its end").fix("remove it", span, "", Safety::Unsafe),
        ("**", _) => finding.help("there is no operator for powers; multiply"),
        (_, "\"") => finding.help("texts stand between straight double quotes: `\"...\"`"),
        (_, "") => finding,
        (_, instead) => {
            let title = format!("write `{}`", instead.trim_end());
            finding.help(title.clone()).fix(title, span, instead, Safety::Unsafe)
        }
    }
}

/// A bracket without its partner. `last` is the last token before the place where it should be.
pub fn unclosed(text: &str, tokens: &[Token], open: usize, last: usize) -> Finding {
    let opener = &text[tokens[open].span.range()];
    let closer = match tokens[open].kind {
        TokenKind::Open(Bracket::Round) => ")",
        TokenKind::Open(Bracket::Square) => "]",
        _ => "}",
    };
    let finding = Finding::error(
        codes::UNCLOSED_BRACKET,
        place(extent(tokens, last)),
        format!("a `{opener}` has no closing `{closer}`"),
    );
    if open == last {
        return finding.label("opened here");
    }
    finding.label(format!("expected `{closer}` after this")).also(place(tokens[open].span), "opened here")
}

/// Nesting that would need a deep stack. Counts, along each path into the brackets, the brackets and the operators.
fn too_deep(line: &Line<'_>) -> Option<Finding> {
    let mut frames = vec![0];
    let mut total = 0;
    for i in line.range.clone() {
        let token = line.tokens[i];
        let text = &line.text[token.span.range()];
        let adds = match token.kind {
            TokenKind::Open(_) => {
                frames.push(0);
                1
            }
            TokenKind::Close(_) if frames.len() > 1 => {
                total -= frames.pop().unwrap_or(0);
                0
            }
            TokenKind::Operator => 1,
            TokenKind::Punctuation if text == "," => {
                total -= frames.last_mut().map_or(0, std::mem::take);
                0
            }
            TokenKind::Punctuation => usize::from(text == "." || text == "?"),
            TokenKind::Word => usize::from(matches!(text, "and" | "or" | "not" | "in" | "when" | "else")),
            _ => 0,
        };
        // What is opened counts for the frame around it: `f()()()` is as deep as it is long.
        let frame = frames.len() - if matches!(token.kind, TokenKind::Open(_)) { 2 } else { 1 };
        frames[frame] += adds;
        total += adds;
        if frames.len() > DEEPEST_BRACKETS + 1 || total > DEEPEST_TREE {
            let what = if total > DEEPEST_TREE { "operators" } else { "brackets" };
            return Some(
                Finding::error(codes::TOO_DEEP, place(token.span), format!("this nests too many {what}"))
                    .label("too deep from here on")
                    .help("give a part of it a name of its own, as a `param` or a `step`"),
            );
        }
    }
    None
}

/// Why a line does not fit its rule.
pub fn explain(line: &Line<'_>, rule: Rule, base: usize, failed: &Failure) -> Finding {
    let at = (base + failed.at) as u32;
    let significant = || line.range.clone().filter(|i| !line.tokens[*i].kind.is_trivia());
    let found = significant().find(|i| line.tokens[*i].span.end > at);
    let before = significant().take_while(|i| Some(*i) != found).last();
    let word = |i: usize| &line.text[extent(line.tokens, i).range()];
    let span = found.or(before).map_or(Span::new(at as usize, at as usize), |i| extent(line.tokens, i));

    let expected = join(&failed.expected);
    let after = before.map_or(String::new(), |i| format!(" after `{}`", shown(word(i))));
    let (message, label) = match (found, failed.expected.is_empty()) {
        (Some(i), true) => (format!("`{}` is not expected{after}", shown(word(i))), "not expected here".to_owned()),
        (Some(i), false) => {
            (format!("expected {expected}{after}, found `{}`", shown(word(i))), format!("expected {expected}"))
        }
        (None, true) => (format!("more is expected{after}"), "the line ends here".to_owned()),
        (None, false) => (format!("expected {expected}{after}"), format!("expected {expected} after this")),
    };
    let finding = Finding::error(codes::UNEXPECTED_SYNTAX, place(span), message).label(label);
    let finding = match found {
        Some(found) => advise(finding, line, rule, failed, (before, found)),
        None => finding,
    };
    as_elsewhere(finding, line, rule, failed, (before, found))
}

/// Adds what is written here for what people write in other languages.
fn as_elsewhere(
    finding: Finding,
    line: &Line<'_>,
    rule: Rule,
    failed: &Failure,
    (before, found): (Option<usize>, Option<usize>),
) -> Finding {
    let span = |i: usize| line.tokens[i].span;
    let word = |i: Option<usize>| i.map_or("", |i| &line.text[span(i).range()]);
    let number = |i: usize| line.tokens.get(i).is_some_and(|token| token.kind == TokenKind::Number);
    // The next token, if it stands directly behind.
    let behind = |i: usize| line.range.contains(&(i + 1)).then_some(i + 1);
    let replace = |finding: Finding, span: Span, text: &str| {
        finding.help(format!("write `{text}`")).fix(format!("write `{text}`"), span, text, Safety::Unsafe)
    };
    match (before, found) {
        // `5.`: what follows the point is missed, or the point itself is not expected.
        (Some(point), _) if word(before) == "." && point > 0 && number(point - 1) => {
            let whole = span(point - 1).to(span(point));
            replace(finding, whole, &format!("{}.0", word(Some(point - 1))))
        }
        (Some(digits), Some(point)) if word(found) == "." && point == digits + 1 && number(digits) => {
            replace(finding, span(digits).to(span(point)), &format!("{}.0", word(before)))
        }
        (_, Some(point)) if word(found) == "." && number(point + 1) => {
            replace(finding, span(point).to(span(point + 1)), &format!("0.{}", word(Some(point + 1))))
        }
        (_, Some(equals)) if word(found) == "=" && matches!(word(behind(equals)), ">" | "<") => {
            let other = equals + 1;
            replace(finding, span(equals).to(span(other)), &format!("{}=", word(Some(other))))
        }
        (Some(_), Some(equals)) if word(found) == "=" && failed.expected.contains(&"`)`") => {
            let at = Span { start: before.map_or(span(equals).start, |i| span(i).end), end: span(equals).end };
            finding.help("an argument is written `name: value`").fix("write `:`", at, ":", Safety::Unsafe)
        }
        (Some(thousands), Some(comma))
            if word(found) == "," && number(thousands) && number(comma + 1) && word(behind(comma)).len() == 3 =>
        {
            let whole = span(thousands).to(span(comma + 1));
            replace(finding, whole, &format!("{}_{}", word(before), word(behind(comma))))
        }
        (Some(date), Some(clock)) if number(date) && number(clock) && is_date(word(before)) => {
            finding.help("a time is written without a space, and with its offset: `2011-04-01T12:00:00Z`")
        }
        (_, Some(_)) if word(found) == "?" && !matches!(rule, Rule::field) => {
            finding.help("a choice is written `1 when x else 2`")
        }
        (Some(_), Some(_)) if word(before) == "if" => finding.help("a choice is written `1 when x else 2`"),
        _ => finding,
    }
}

/// Adds what was probably meant.
fn advise(
    finding: Finding,
    line: &Line<'_>,
    rule: Rule,
    failed: &Failure,
    (before, found): (Option<usize>, usize),
) -> Finding {
    let word = &line.text[line.tokens[found].span.range()];
    let span = line.tokens[found].span;
    let wants = |mark: &str| failed.expected.contains(&mark);
    let kind = |i: usize| line.tokens[i].kind;
    match (word, rule) {
        ("=", Rule::expectation | Rule::requirement) => {
            finding.help("to compare, write `==`").fix("write `==`", span, "==", Safety::Unsafe)
        }
        (":", Rule::secret) => {
            finding.help("a secret is always a text, and says no type: `secret token = env(\"TOKEN\")`")
        }
        (":", _) if wants("`=`") => {
            finding.help("a setting is written `name = value`").fix("write ` =`", span, " =", Safety::Unsafe)
        }
        ("=", Rule::param) if wants("`:`") => finding.help("a parameter says its type, as in `param seed: int = 7`"),
        ("=", _) if wants("`:`") => finding.fix("write `:`", span, ":", Safety::Unsafe),
        ("true" | "false" | "null" | "and" | "or" | "not" | "in" | "when" | "else", _) if wants("a name") => {
            finding.help(format!("`{word}` is a word of the language and cannot be a name"))
        }
        (_, Rule::weight) if kind(found) == TokenKind::Number && wants_nothing(failed) => {
            let at = Span { start: span.start, end: span.start };
            finding.help("say `for` before the time").fix("write `for`", at, "for ", Safety::Unsafe)
        }
        (_, Rule::breach) if kind(found) == TokenKind::Word && wants_nothing(failed) => {
            finding.help(format!("what is done stands in braces: `on breach {{ {word} }}`"))
        }
        _ if before.is_some_and(|i| kind(i) == TokenKind::Number)
            && kind(found) == TokenKind::Word
            && super::literals::number(&format!("1{word}")).is_ok() =>
        {
            let gap = Span { start: before.map_or(span.start, |i| line.tokens[i].span.end), end: span.start };
            finding.help("a unit stands directly behind its number").fix("remove the space", gap, "", Safety::Unsafe)
        }
        _ if kind(found) == TokenKind::Word => match nearest(word, failed.keywords.iter().copied()) {
            Some(meant) => finding.help(format!("did you mean `{meant}`?")).fix(
                format!("write `{meant}`"),
                span,
                meant,
                Safety::Unsafe,
            ),
            None => finding,
        },
        _ => finding,
    }
}

/// Whether the line could have ended here.
fn wants_nothing(failed: &Failure) -> bool {
    failed.expected.is_empty()
}

/// Whether a number is written like `2011-04-01`.
fn is_date(number: &str) -> bool {
    number.len() == 10 && number.split('-').map(str::len).eq([4, 2, 2])
}

/// "a value", "`,` or `)`".
fn join(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A token as a message shows it: on one line, and not all of a long one.
fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (n, c) in text.chars().enumerate() {
        if c == '\n' || n == 40 {
            shown.push('…');
            break;
        }
        if c.is_control() { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

/// The span of a token, or of the whole text in quotes that it starts or ends.
fn extent(tokens: &[Token], i: usize) -> Span {
    let mut depth = 0usize;
    let mut edge = |kind: TokenKind, opens: TokenKind, closes: TokenKind| {
        depth += usize::from(kind == opens);
        depth -= usize::from(kind == closes && depth > 0);
        depth == 0
    };
    let (start, end) = (TokenKind::StringStart, TokenKind::StringEnd);
    let partner = match tokens[i].kind {
        TokenKind::StringStart => (i..tokens.len()).find(|n| edge(tokens[*n].kind, start, end)),
        TokenKind::StringEnd => (0..=i).rev().find(|n| edge(tokens[*n].kind, end, start)),
        _ => None,
    };
    tokens[i].span.to(tokens[partner.unwrap_or(i)].span)
}

/// Tokens after a declaration that is complete.
pub fn trailing(text: &str, tokens: &[Token], first: usize, has_block: bool) -> Finding {
    let span = tokens[first].span;
    let word = shown(&text[span.range()]);
    if let TokenKind::Error(error) = tokens[first].kind {
        return lexical(text, tokens, first, error);
    }
    let finding = Finding::error(codes::STRAY_TEXT, place(span), format!("`{word}` belongs to no declaration"));
    match tokens[first].kind {
        TokenKind::Close(_) => finding.label("nothing is open here").fix("remove it", span, "", Safety::Unsafe),
        _ if has_block => finding.label("stands behind the closing `}`"),
        _ => finding
            .label("the declaration ended on the line above")
            .help("to go on in the next line, end the line above with an operator or a comma, or stay inside `( )`"),
    }
}

/// Text before the first declaration.
pub fn stray(text: &str, tokens: &[Token]) -> Finding {
    if let TokenKind::Error(error) = tokens[0].kind {
        return lexical(text, tokens, 0, error);
    }
    let span = tokens[0].span;
    let word = shown(&text[span.range()]);
    let finding = Finding::error(codes::STRAY_TEXT, place(span), format!("`{word}` belongs to no declaration"));
    if matches!(tokens[0].kind, TokenKind::Close(_)) {
        return finding.label("nothing is open here").fix("remove it", span, "", Safety::Unsafe);
    }
    finding
        .label("expected a declaration")
        .help("a file starts with `mlp 1`, and each declaration with its keyword in the first column")
}

/// A clause that may stand once.
pub fn repeated(span: Span, word: &str) -> Finding {
    Finding::error(codes::REPEATED_CLAUSE, place(span), format!("`{word}` stands here twice"))
        .label("the second one")
        .help("keep one of them")
}
