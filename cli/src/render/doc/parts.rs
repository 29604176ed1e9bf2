//! Pieces of the page: tables, documentation, and what only the text of a file knows: schemas, components, tests.

use super::anchor;
use crate::render::export::Document;
use crate::render::page::escape;
use mlp_lang::span::Source;
use mlp_lang::syntax::ast::{Declaration, DeclarationKind, File};
use std::fmt::Write;

/// A heading over something, if there is something.
pub fn section(title: &str, inside: &str) -> String {
    match inside.is_empty() {
        true => String::new(),
        false => format!("<h2>{}</h2>\n{inside}", escape(title)),
    }
}

pub fn link(anchor: &str, text: &str) -> String {
    format!("<a href=\"#{}\"><code>{}</code></a>", escape(anchor), escape(text))
}

/// A `##` comment: an empty line starts a paragraph.
pub fn doc(text: Option<&str>) -> String {
    let text = text.unwrap_or_default().trim();
    let paragraphs = text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(|paragraph| format!("<p class=\"doc-text\">{}</p>\n", code_spans(paragraph))).collect()
}

/// Escapes, and shows what stands between backticks as code.
pub fn code_spans(text: &str) -> String {
    let lines = text.replace('\n', " ");
    let pieces: Vec<&str> = lines.split('`').collect();
    let mut html = String::new();
    for (index, piece) in pieces.iter().enumerate() {
        let closed = index % 2 == 1 && index + 1 < pieces.len();
        match (closed, index % 2 == 1) {
            (true, _) => html.push_str(&format!("<code>{}</code>", escape(piece))),
            (false, true) => html.push_str(&format!("`{}", escape(piece))),
            _ => html.push_str(&escape(piece)),
        }
    }
    html
}

/// Cells are HTML. An empty head leaves the heads out.
pub fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut inside = String::new();
    for row in rows {
        inside.push_str("<tr>");
        for cell in row {
            let _ = write!(inside, "<td>{cell}</td>");
        }
        inside.push_str("</tr>\n");
    }
    if inside.is_empty() {
        return inside;
    }
    let heads = match heads.iter().all(|head| head.is_empty()) {
        true => String::new(),
        false => {
            let cells: String = heads.iter().map(|head| format!("<th>{}</th>", escape(head))).collect();
            format!("<thead><tr>{cells}</tr></thead>")
        }
    };
    format!("<div class=\"wide\"><table>{heads}<tbody>\n{inside}</tbody></table></div>\n")
}

/// Parameters with their documentation, which only the text has.
pub fn parameters(chapter: usize, document: &Document, file: &File) -> String {
    let doc_of = |wanted: &str| {
        file.declarations.iter().find_map(|declaration| match &declaration.kind {
            DeclarationKind::Param { name, .. } if name.name == wanted => declaration.doc.clone(),
            _ => None,
        })
    };
    let rows = document.parameters.iter().map(|param| {
        vec![
            format!("<code id=\"{}\">{}</code>", anchor(chapter, "param", &param.name), escape(&param.name)),
            format!("<code>{}</code>", escape(&param.ty)),
            format!("<code>{}</code>", escape(&param.value.written)),
            doc_of(&param.name).map(|doc| code_spans(&doc)).unwrap_or_default(),
        ]
    });
    section("Parameters", &table(&["name", "type", "value", ""], rows))
}

/// Schemas as they are written, column by column.
pub fn schemas(chapter: usize, file: &File, source: &Source) -> String {
    let mut html = String::new();
    for declaration in &file.declarations {
        let DeclarationKind::Schema { name, fields } = &declaration.kind else { continue };
        let rows = fields.iter().map(|field| {
            let text = source.text.get(field.ty.span.end as usize..field.span.end as usize).unwrap_or_default();
            vec![
                format!("<code>{}</code>", escape(&field.name.name)),
                format!("<code>{}</code>", escape(source.text.get(field.ty.span.range()).unwrap_or_default())),
                match text.trim() {
                    "" => String::new(),
                    rest => format!("<code>{}</code>", escape(rest)),
                },
                field.doc.as_deref().map(code_spans).unwrap_or_default(),
            ]
        });
        let _ = write!(
            html,
            "<section class=\"card\" id=\"{}\"><h3>{}</h3>\n{}{}</section>\n",
            anchor(chapter, "schema", &name.name),
            escape(&name.name),
            doc(declaration.doc.as_deref()),
            table(&["column", "type", "rule", ""], rows)
        );
    }
    section("Schemas", &html)
}

/// What is declared and is no node: shown as it is written.
pub fn others(chapter: usize, file: &File, source: &Source) -> String {
    let mut html = String::new();
    for (title, declarations) in [("Components", "component"), ("Tests", "test"), ("Secrets", "secret")]
        .map(|(title, word)| (title, file.declarations.iter().filter(move |one| keyword(one, source) == word)))
    {
        let cards: String = declarations.map(|one| card(chapter, one, source)).collect();
        html.push_str(&section(title, &cards));
    }
    html
}

fn keyword<'s>(declaration: &Declaration, source: &'s Source) -> &'s str {
    source.text.get(declaration.keyword.range()).unwrap_or_default()
}

fn card(chapter: usize, declaration: &Declaration, source: &Source) -> String {
    let name = match &declaration.kind {
        DeclarationKind::Component { name, .. }
        | DeclarationKind::Secret { name, .. }
        | DeclarationKind::Test { name, .. } => name.name.as_str(),
        _ => "",
    };
    format!(
        "<section class=\"card\" id=\"{}\"><h3>{}</h3>\n{}<pre>{}</pre></section>\n",
        anchor(chapter, keyword(declaration, source), name),
        escape(name),
        doc(declaration.doc.as_deref()),
        lines(source.text.get(declaration.span.range()).unwrap_or_default()),
    )
}

/// Escapes text line by line: a newline is the one control character that stays.
pub fn lines(text: &str) -> String {
    text.lines().map(|line| escape(&line.replace('\t', "  "))).collect::<Vec<_>>().join("\n")
}
