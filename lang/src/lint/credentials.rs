//! Texts that look like credentials. Whoever can read the file can use them, and so can whoever reads its history.

use crate::codes;
use crate::context::Context;
use crate::finding::Finding;
use crate::span::Span;
use crate::syntax::ast::{DeclarationKind, Expr, ExprKind, StringPart};
use crate::syntax::lexer::{self, TokenKind};

/// How tokens begin that services hand out, how long they are at least, and whose they are.
const PREFIXES: &[(&str, usize, &str)] = &[
    ("AKIA", 20, "an access key of AWS"),
    ("ASIA", 20, "an access key of AWS"),
    ("ghp_", 36, "a token of GitHub"),
    ("gho_", 36, "a token of GitHub"),
    ("ghs_", 36, "a token of GitHub"),
    ("github_pat_", 40, "a token of GitHub"),
    ("glpat-", 20, "a token of GitLab"),
    ("xoxb-", 24, "a token of Slack"),
    ("xoxp-", 24, "a token of Slack"),
    ("hf_", 30, "a token of Hugging Face"),
    ("sk-", 32, "a key of an API"),
    ("AIza", 35, "a key of Google"),
    ("npm_", 36, "a token of npm"),
    ("pypi-", 40, "a token of PyPI"),
    ("eyJ", 60, "a signed token"),
];

/// How a key in the format PEM begins.
const BEGIN: &[u8] = b"-----BEGIN ";

/// Parts of names of variables that hold credentials.
const TELLING: &[&str] =
    &["TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASS", "KEY", "APIKEY", "CREDENTIAL", "CREDENTIALS"];

/// Adds a lint for each text that looks like a credential.
pub(super) fn lint(cx: &mut Context<'_>) {
    let mut found: Vec<(Span, String)> = Vec::new();
    in_texts(&cx.source.text, &mut found);
    for declaration in &cx.file.declarations {
        let DeclarationKind::Step { settings, .. } = &declaration.kind else { continue };
        for setting in settings.iter().filter(|setting| setting.name.name == "env") {
            in_environment(&setting.value, &mut found);
        }
    }
    found.sort_by_key(|(span, _)| span.start);
    found.dedup_by(|(span, _), (before, _)| span.start < before.end);
    for (span, what) in found {
        let finding = Finding::warning(codes::WRITTEN_SECRET, cx.place(span), format!("this looks like {what}"));
        cx.report(finding.label("everybody who reads the file knows it").help(
            "declare `secret token = env(\"TOKEN\")`, give that instead, and replace the credential where it is valid",
        ));
    }
}

fn in_texts(text: &str, found: &mut Vec<(Span, String)>) {
    let mut hits = Vec::new();
    let (mut addresses, mut keys) = (Vec::new(), Vec::new());
    let bytes = text.as_bytes();
    let mut before = b' ';
    // A file may be long, and is read once for all of them.
    for (at, byte) in bytes.iter().enumerate() {
        let begins = !is_token(char::from(before));
        before = *byte;
        match byte {
            b':' if bytes[at..].starts_with(b"://") => addresses.push(at),
            b'-' if bytes[at..].starts_with(BEGIN) => keys.push(at),
            b'A'..=b'Z' | b'a'..=b'z' if begins => {
                let known = PREFIXES.iter().find(|(prefix, ..)| bytes[at..].starts_with(prefix.as_bytes()));
                let Some((_, least, what)) = known else { continue };
                let token = text.get(at..).map_or(0, token_length);
                if token >= *least && is_mixed(text.get(at..at + token)) {
                    hits.push((Span::new(at, at + token), (*what).to_owned()));
                }
            }
            _ => {}
        }
    }
    for at in addresses {
        if let Some(span) = password(text, at + 3) {
            hits.push((span, "a password in an address".to_owned()));
        }
    }
    for at in keys {
        let rest = text.get(at + BEGIN.len()..).unwrap_or_default();
        let line = rest.split(['\n', '"', '\\']).next().unwrap_or_default();
        if line.contains("PRIVATE KEY") {
            hits.push((Span::new(at, at + BEGIN.len() + line.trim_end().len()), "a private key".to_owned()));
        }
    }
    if hits.is_empty() {
        return;
    }
    // Only now is it worth knowing what is a string and what a comment.
    let strings: Vec<Span> = lexer::lex(text)
        .into_iter()
        .filter(|token| token.kind == TokenKind::StringText)
        .map(|token| token.span)
        .collect();
    let in_string = |span: &Span| {
        let at = strings.partition_point(|string| string.end <= span.start);
        strings.get(at).is_some_and(|string| string.start <= span.start)
    };
    found.extend(hits.into_iter().filter(|(span, _)| in_string(span)));
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

fn token_length(text: &str) -> usize {
    text.find(|c| !is_token(c) && c != '.').unwrap_or(text.len())
}

/// Digits and letters: words of a language have none of the former.
fn is_mixed(token: Option<&str>) -> bool {
    token.is_some_and(|token| {
        token.bytes().any(|b| b.is_ascii_digit()) && token.bytes().any(|b| b.is_ascii_alphabetic())
    })
}

/// The password in `user:password@host`, which starts at `at`.
fn password(text: &str, at: usize) -> Option<Span> {
    let rest = text.get(at..)?;
    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '/' | '?' | '#' | '\\')).unwrap_or(rest.len());
    let (user, _) = rest.get(..end)?.rsplit_once('@')?;
    let (name, password) = user.split_once(':')?;
    let start = at + name.len() + 1;
    let placeholder = password.is_empty() || password.starts_with(['$', '<', '{', '*']);
    (!placeholder).then(|| Span::new(start, start + password.len()))
}

fn in_environment(map: &Expr, found: &mut Vec<(Span, String)>) {
    let ExprKind::Map(entries) = &map.kind else { return };
    for (name, value) in entries {
        let ExprKind::String(parts) = &value.kind else { continue };
        let [StringPart::Text(text)] = parts.as_slice() else { continue };
        let telling = name.name.split('_').any(|part| TELLING.contains(&part.to_ascii_uppercase().as_str()));
        let is_path = text.starts_with(['/', '.', '~']) || text.contains(char::is_whitespace) || text.contains("://");
        let token = text.chars().all(|c| c.is_ascii_alphanumeric() || "_-+/=.!@#%^&*".contains(c));
        if telling && !is_path && token && text.len() >= 8 {
            found.push((value.span, format!("a credential for `{}`", name.name)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        in_texts(text, &mut found);
        found.into_iter().map(|(span, _)| text[span.range()].to_owned()).collect()
    }

    #[test]
    fn credentials_are_seen_in_strings_alone() {
        assert_eq!(seen("\"postgres://me:hunter2@host/db\""), ["hunter2"]);
        assert_eq!(seen("\"AKIAIOSFODNN7EXAMPLE\""), ["AKIAIOSFODNN7EXAMPLE"]);
        assert_eq!(
            seen("\"x ghp_0123456789abcdefghijklmnopqrstuvwxyz\""),
            ["ghp_0123456789abcdefghijklmnopqrstuvwxyz"]
        );
        assert_eq!(seen("\"-----BEGIN RSA PRIVATE KEY-----\""), ["-----BEGIN RSA PRIVATE KEY-----"]);
        for text in [
            "# postgres://me:hunter2@host/db",
            "\"postgres://me@host/db\"",
            "\"postgres://me:${password}@host/db\"",
            "\"https://example.com/a:b@c\"",
            "\"sk-learn-a-long-name-without-any-digit-in-it\"",
            "\"task-risk-3\"",
        ] {
            assert_eq!(seen(text), Vec::<String>::new(), "{text}");
        }
    }
}
