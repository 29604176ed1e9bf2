//! From what pest parsed to the syntax tree.
//!
//! The grammar leaves expressions flat; [`Builder::chain`] gives them their shape. What is well formed but means nothing
//! (a unit that does not exist, a chain of comparisons) is a finding here and [`ExprKind::Error`] in the tree.

use super::ast::*;
use super::codes;
use super::grammar::{Node, Rule};
use super::literals::{self, BadLiteral, RawPart};
use crate::finding::{Finding, Place, Safety};
use crate::pipeline::Arithmetic;
use crate::span::Span;
use crate::types::Comparison;
use std::iter::Peekable;

/// Builds trees from nodes, gathering findings.
pub struct Builder<'f> {
    /// Where the line that was parsed starts in the chunk.
    pub base: usize,
    /// What was found wrong.
    pub findings: &'f mut Vec<Finding>,
}

/// A place in a chunk; the file's name is filled in when the chunk is placed.
pub fn place(span: Span) -> Place {
    Place::Source { path: "".into(), span }
}

/// How tightly an operator binds, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Loosest,
    Coalesce,
    Or,
    And,
    Not,
    Comparison,
    Range,
    Sum,
    Product,
    Unary,
}

impl Binding {
    fn tighter(self) -> Binding {
        use Binding::*;
        match self {
            Loosest => Coalesce,
            Coalesce => Or,
            Or => And,
            And => Not,
            Not => Comparison,
            Comparison => Range,
            Range => Sum,
            Sum => Product,
            Product | Unary => Unary,
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Infix {
    Coalesce,
    Or,
    And,
    Compare(Comparison),
    In,
    Range { inclusive: bool },
    Arithmetic(Arithmetic),
}

impl Infix {
    fn new(text: &str) -> Infix {
        match text {
            "??" => Infix::Coalesce,
            "or" => Infix::Or,
            "and" => Infix::And,
            "in" => Infix::In,
            ".." => Infix::Range { inclusive: false },
            "..=" => Infix::Range { inclusive: true },
            "+" => Infix::Arithmetic(Arithmetic::Add),
            "-" => Infix::Arithmetic(Arithmetic::Subtract),
            "*" => Infix::Arithmetic(Arithmetic::Multiply),
            "/" => Infix::Arithmetic(Arithmetic::Divide),
            other => Infix::Compare(comparison(other)),
        }
    }

    fn binding(self) -> Binding {
        match self {
            Infix::Coalesce => Binding::Coalesce,
            Infix::Or => Binding::Or,
            Infix::And => Binding::And,
            Infix::Compare(_) | Infix::In => Binding::Comparison,
            Infix::Range { .. } => Binding::Range,
            Infix::Arithmetic(Arithmetic::Add | Arithmetic::Subtract) => Binding::Sum,
            Infix::Arithmetic(_) => Binding::Product,
        }
    }
}

/// The comparison written as `text`.
pub fn comparison(text: &str) -> Comparison {
    match text {
        "!=" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        _ => Comparison::Equal,
    }
}

/// A chain of operands and operators, in the order written.
enum Item {
    Not(Span),
    Negate(Span),
    Operand(Expr),
    Infix(Infix),
}

impl Builder<'_> {
    /// Where a node stands in the chunk.
    pub fn span(&self, node: &Node<'_>) -> Span {
        let span = node.as_span();
        Span::new(span.start() + self.base, span.end() + self.base)
    }

    /// A name with its place.
    pub fn ident(&self, node: &Node<'_>) -> Ident {
        Ident { name: node.as_str().into(), span: self.span(node) }
    }

    fn report(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// `expr`
    pub fn expr(&mut self, node: Node<'_>) -> Expr {
        let span = self.span(&node);
        let mut parts = node.into_inner().filter(|n| matches!(n.as_rule(), Rule::chain | Rule::expr));
        let Some(then) = parts.next().map(|n| self.chain(n)) else { return error(span) };
        match (parts.next(), parts.next()) {
            (Some(condition), Some(otherwise)) => {
                let condition = Box::new(self.chain(condition));
                let otherwise = Box::new(self.expr(otherwise));
                Expr { kind: ExprKind::When { then: Box::new(then), condition, otherwise }, span }
            }
            _ => then,
        }
    }

    /// `operand`: a value with no operator behind it.
    pub fn single(&mut self, node: Node<'_>) -> Expr {
        let span = self.span(&node);
        let mut items = Vec::new();
        self.operand(node, &mut items);
        self.climb(&mut items.into_iter().peekable(), Binding::Loosest).unwrap_or_else(|| error(span))
    }

    /// `chain` or `bound`: operands and operators, shaped by precedence.
    pub fn chain(&mut self, node: Node<'_>) -> Expr {
        let span = self.span(&node);
        let mut items = Vec::new();
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::operand => self.operand(part, &mut items),
                _ => items.push(Item::Infix(Infix::new(part.as_str()))),
            }
        }
        self.climb(&mut items.into_iter().peekable(), Binding::Loosest).unwrap_or_else(|| error(span))
    }

    /// Operators that bind at least as tightly as `least`, and their operands.
    fn climb(&mut self, items: &mut Peekable<impl Iterator<Item = Item>>, least: Binding) -> Option<Expr> {
        let mut left = self.prefixed(items, least)?;
        let mut compared = Compared::Nothing;
        while let Some(Item::Infix(infix)) = items.peek() {
            let (infix, binding) = (*infix, infix.binding());
            if binding < least {
                break;
            }
            items.next();
            let right = self.climb(items, binding.tighter())?;
            let span = left.span.to(right.span);
            let again = matches!(binding, Binding::Comparison | Binding::Range) && compared.was(binding);
            if again {
                self.report_chain(binding, span);
                left = error(span);
                // The rest of the chain is the same mistake.
                compared = Compared::Reported(binding);
            } else if compared != Compared::Reported(binding) {
                compared = Compared::Once(binding);
                left = Expr { kind: join(infix, left, right), span };
            } else {
                left = error(span);
            }
        }
        Some(left)
    }

    fn prefixed(&mut self, items: &mut Peekable<impl Iterator<Item = Item>>, least: Binding) -> Option<Expr> {
        match items.next()? {
            Item::Operand(expr) => Some(expr),
            Item::Negate(sign) => {
                let inner = self.prefixed(items, Binding::Unary)?;
                let span = sign.to(inner.span);
                Some(Expr { kind: ExprKind::Negate(Box::new(inner)), span })
            }
            Item::Not(word) => {
                let inner = self.climb(items, Binding::Not)?;
                let span = word.to(inner.span);
                if least > Binding::Not {
                    self.report(
                        Finding::error(
                            codes::LOOSE_NOT,
                            place(word),
                            "`not` binds more loosely than the operator before it",
                        )
                        .label("what is negated here is unclear")
                        .help("put parentheses around `not` and what it negates"),
                    );
                    return Some(error(span));
                }
                Some(Expr { kind: ExprKind::Not(Box::new(inner)), span })
            }
            Item::Infix(_) => None,
        }
    }

    fn report_chain(&mut self, binding: Binding, span: Span) {
        let finding = match binding {
            Binding::Range => Finding::error(codes::UNEXPECTED_SYNTAX, place(span), "a range has two ends")
                .label("this has more")
                .help("write `low..high`, or `low..=high` to include the end"),
            _ => Finding::error(codes::CHAINED_COMPARISON, place(span), "comparisons cannot be chained")
                .label("compares the outcome of a comparison")
                .help("write `a < b and b < c`, or `b in a..=c`"),
        };
        self.report(finding);
    }

    fn operand(&mut self, node: Node<'_>, items: &mut Vec<Item>) {
        let mut value: Option<Expr> = None;
        for part in node.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::op_neg => items.push(Item::Negate(span)),
                Rule::op_not => items.push(Item::Not(span)),
                Rule::dot => {}
                Rule::label => {
                    value = value.take().map(|of| {
                        let span = of.span.to(span);
                        Expr { kind: ExprKind::Member(Box::new(of), self.ident(&part)), span }
                    });
                }
                Rule::arguments => {
                    value = value.take().map(|callee| {
                        let span = callee.span.to(span);
                        Expr { kind: ExprKind::Call(Box::new(callee), self.arguments(part)), span }
                    });
                }
                _ => value = Some(self.primary(part)),
            }
        }
        items.extend(value.map(Item::Operand));
    }

    fn primary(&mut self, node: Node<'_>) -> Expr {
        let span = self.span(&node);
        let kind = match node.as_rule() {
            Rule::number => self.number(&node),
            Rule::quoted => ExprKind::String(self.quoted(node)),
            Rule::triple => ExprKind::String(self.triple(node)),
            Rule::name => ExprKind::Name(node.as_str().into()),
            Rule::constant => match node.as_str() {
                "true" => ExprKind::Bool(true),
                "false" => ExprKind::Bool(false),
                _ => ExprKind::Null,
            },
            Rule::list => {
                let items = node.into_inner().filter(|n| n.as_rule() == Rule::expr);
                ExprKind::List(items.map(|n| self.expr(n)).collect())
            }
            Rule::map => ExprKind::Map(self.map(node)),
            Rule::paren => {
                let inner = node.into_inner().find(|n| n.as_rule() == Rule::expr);
                inner.map_or(ExprKind::Error, |n| self.expr(n).kind)
            }
            _ => ExprKind::Error,
        };
        Expr { kind, span }
    }

    fn arguments(&mut self, node: Node<'_>) -> Vec<Argument> {
        let arguments = node.into_inner().filter(|n| n.as_rule() == Rule::argument);
        arguments
            .map(|argument| {
                let mut name = None;
                let mut value = None;
                for part in argument.into_inner() {
                    match part.as_rule() {
                        Rule::label => name = Some(self.ident(&part)),
                        Rule::expr => value = Some(self.expr(part)),
                        _ => {}
                    }
                }
                Argument { name, value: value.unwrap_or_else(|| error(Span::default())) }
            })
            .collect()
    }

    /// `map`
    pub fn map(&mut self, node: Node<'_>) -> Vec<(Ident, Expr)> {
        let entries = node.into_inner().filter(|n| n.as_rule() == Rule::entry);
        entries
            .filter_map(|entry| {
                let mut parts = entry.into_inner().filter(|n| n.as_rule() != Rule::colon);
                let key = parts.next()?;
                let key = self.key(key);
                Some((key, self.expr(parts.next()?)))
            })
            .collect()
    }

    /// A name, or a string that stands for one.
    pub fn key(&mut self, node: Node<'_>) -> Ident {
        match node.as_rule() {
            Rule::plain_string => {
                let span = self.span(&node);
                Ident { name: self.plain_string(node), span }
            }
            _ => self.ident(&node),
        }
    }

    fn number(&mut self, node: &Node<'_>) -> ExprKind {
        literals::number(node.as_str()).unwrap_or_else(|bad| {
            let BadLiteral { code, message, help, instead } = bad;
            let span = self.span(node);
            let label = match code.id.as_ref() {
                id if id == codes::UNKNOWN_UNIT.id => "unknown unit",
                id if id == codes::BAD_DATE.id => "does not exist",
                _ => "cannot be read",
            };
            let mut finding = Finding::error(code, place(span), message).label(label);
            finding.help = help;
            if let Some(instead) = instead {
                finding = finding.fix(format!("write `{instead}`"), span, instead, Safety::Unsafe);
            }
            self.report(finding);
            ExprKind::Error
        })
    }

    fn quoted(&mut self, node: Node<'_>) -> Vec<StringPart> {
        node.into_inner()
            .filter_map(|part| match part.as_rule() {
                Rule::hole => self.hole(part),
                _ => Some(StringPart::Text(self.text(&part))),
            })
            .collect()
    }

    fn triple(&mut self, node: Node<'_>) -> Vec<StringPart> {
        let parts: Vec<Node<'_>> = node.into_inner().collect();
        let raw = |n: &Node<'_>| if n.as_rule() == Rule::hole { "" } else { n.as_span().as_str() }.to_owned();
        let texts: Vec<String> = parts.iter().map(raw).collect();
        let raws: Vec<RawPart<'_>> = (parts.iter().zip(&texts))
            .map(|(n, text)| if n.as_rule() == Rule::hole { RawPart::Hole } else { RawPart::Text(text) })
            .collect();
        let dedented = literals::dedent(&raws);
        let mut out = Vec::with_capacity(parts.len());
        for (part, text) in parts.into_iter().zip(dedented) {
            if part.as_rule() == Rule::hole {
                out.extend(self.hole(part));
            } else {
                // Mistakes are looked for in the text as written, where their places are right.
                self.text(&part);
                let text = literals::unescape(&text, &mut Vec::new());
                if !text.is_empty() {
                    out.push(StringPart::Text(text));
                }
            }
        }
        out
    }

    fn hole(&mut self, node: Node<'_>) -> Option<StringPart> {
        let inner = node.into_inner().find(|n| n.as_rule() == Rule::expr)?;
        Some(StringPart::Hole(self.expr(inner)))
    }

    /// `quoted` or `triple`, as a value.
    pub fn text_of(&mut self, node: Node<'_>) -> Expr {
        let span = self.span(&node);
        let parts = if node.as_rule() == Rule::triple { self.triple(node) } else { self.quoted(node) };
        Expr { kind: ExprKind::String(parts), span }
    }

    fn text(&mut self, node: &Node<'_>) -> String {
        let mut mistakes = Vec::new();
        let text = literals::unescape(node.as_str(), &mut mistakes);
        let start = self.span(node).start as usize;
        for (at, len, message) in mistakes {
            let span = Span::new(start + at, start + at + len);
            self.report(
                Finding::error(codes::BAD_ESCAPE, place(span), message)
                    .label("unknown escape")
                    .help("escapes are \\n \\t \\r \\\" \\\\ \\$ and \\u{...}; write `\\\\` for a backslash"),
            );
        }
        text
    }

    /// A string where no hole can stand.
    pub fn plain_string(&mut self, node: Node<'_>) -> String {
        self.fixed_text(node, "this")
    }

    /// A string where no hole can stand, with what it is.
    pub fn fixed_text(&mut self, node: Node<'_>, what: &str) -> String {
        let mut out = String::new();
        for part in node.into_inner().flat_map(Node::into_inner) {
            if part.as_rule() == Rule::hole {
                let span = self.span(&part);
                self.report(
                    Finding::error(
                        codes::UNEXPECTED_SYNTAX,
                        place(span),
                        format!("{what} is a fixed text, without `${{...}}`"),
                    )
                    .label("cannot stand here")
                    .help("write the text out, or `\\$` for a dollar sign"),
                );
            } else {
                out.push_str(&self.text(&part));
            }
        }
        out
    }

    /// `type`
    pub fn ty(&mut self, node: Node<'_>) -> TypeExpr {
        let span = self.span(&node);
        let mut ty = TypeExpr { kind: TypeKind::Named(String::new()), span };
        for part in node.into_inner() {
            let part_span = self.span(&part);
            ty = match part.as_rule() {
                Rule::question => TypeExpr { kind: TypeKind::Optional(Box::new(ty)), span },
                Rule::choice => {
                    let texts = part.into_inner().filter(|n| n.as_rule() == Rule::plain_string);
                    TypeExpr { kind: TypeKind::Enum(texts.map(|n| self.plain_string(n)).collect()), span: part_span }
                }
                Rule::fields => TypeExpr { kind: TypeKind::Metrics(self.typed(part)), span: part_span },
                Rule::generic => TypeExpr { kind: self.generic(part), span: part_span },
                _ => TypeExpr { kind: TypeKind::Named(part.as_str().trim_end().into()), span: part_span },
            };
        }
        ty
    }

    /// The `name: type` entries between braces.
    pub fn typed(&mut self, node: Node<'_>) -> Vec<(Ident, TypeExpr)> {
        let entries = node.into_inner().filter(|n| n.as_rule() == Rule::typed);
        entries
            .filter_map(|entry| {
                let mut parts = entry.into_inner().filter(|n| n.as_rule() != Rule::colon);
                let key = self.key(parts.next()?);
                Some((key, self.ty(parts.next()?)))
            })
            .collect()
    }

    fn generic(&mut self, node: Node<'_>) -> TypeKind {
        let mut name = Ident { name: String::new(), span: self.span(&node) };
        let mut inner = None;
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::name => name = self.ident(&part),
                Rule::ty => inner = Some(self.ty(part)),
                _ => {}
            }
        }
        match inner {
            Some(inner) => TypeKind::Generic(name, Box::new(inner)),
            None => TypeKind::Named(name.name),
        }
    }
}

/// How often the operators of one level that do not associate were seen.
#[derive(Clone, Copy, PartialEq)]
enum Compared {
    Nothing,
    Once(Binding),
    Reported(Binding),
}

impl Compared {
    fn was(self, binding: Binding) -> bool {
        self == Compared::Once(binding)
    }
}

/// An expression that could not be understood.
pub fn error(span: Span) -> Expr {
    Expr { kind: ExprKind::Error, span }
}

fn join(infix: Infix, left: Expr, right: Expr) -> ExprKind {
    let (left, right) = (Box::new(left), Box::new(right));
    match infix {
        Infix::Coalesce => ExprKind::Coalesce(left, right),
        Infix::Or => ExprKind::Or(left, right),
        Infix::And => ExprKind::And(left, right),
        Infix::Compare(comparison) => ExprKind::Compare(comparison, left, right),
        Infix::In => ExprKind::In(left, right),
        Infix::Range { inclusive } => ExprKind::Range { low: left, high: right, inclusive },
        Infix::Arithmetic(operator) => ExprKind::Arithmetic(operator, left, right),
    }
}
