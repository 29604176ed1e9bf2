//! Pages of findings: as Markdown, fitted to a terminal, and the list of all of them.

use super::table::{Cell, Table};
use super::text::{DIM, PLAIN, STRONG, styled};
use crate::pages::{self, Explained};
use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

/// Names, values and what is typed.
const CODE: Style = AnsiColor::Cyan.on_default();

/// Lines longer than this are hard to read, however wide the terminal is.
const WIDEST: usize = 100;

/// A page in Markdown, with the beginnings that its examples stand after.
pub fn markdown(one: &Explained) -> String {
    let mut text = match one.page {
        Some(page) => page.to_owned(),
        None => format!("# {} {}\n\n{}\n", one.code.id, one.code.name, one.meaning),
    };
    for name in beginnings(&text) {
        if let Some(lines) = pages::beginning(&name) {
            text.push_str(&format!("\n## with/{name}.mlp\n\n```mlp\n{lines}```\n"));
        }
    }
    text
}

/// A page for a terminal of this width.
pub fn page(one: &Explained, width: usize) -> String {
    let width = width.clamp(20, WIDEST);
    let text = markdown(one);
    let mut out = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            out.push_str(&about_block(info));
            for line in lines.by_ref().take_while(|line| !line.starts_with("```")) {
                out.push_str(&if line.is_empty() { "\n".to_owned() } else { format!("    {}\n", styled(CODE, line)) });
            }
        } else if let Some(heading) = line.strip_prefix('#') {
            out.push_str(&format!("{}\n", styled(STRONG, heading.trim_start_matches('#').trim())));
        } else if line.trim().is_empty() {
            out.push('\n');
        } else {
            let (first, rest) = if line.starts_with("- ") { ("- ", "  ") } else { ("", "") };
            let mut paragraph = line.trim_start_matches("- ").to_owned();
            while let Some(next) = lines.next_if(|next| goes_on(next)) {
                paragraph.push(' ');
                paragraph.push_str(next.trim());
            }
            out.push_str(&wrapped(&paragraph, width, first, rest));
        }
    }
    out
}

/// Every code with its level and meaning.
pub fn list(width: Option<usize>) -> String {
    let mut table = Table::new(&["code", "name", "level", "what is wrong"]).wrapping();
    for one in pages::all() {
        table.row([
            Cell::styled(STRONG, &one.code.id),
            Cell::from(&*one.code.name),
            Cell::styled(DIM, one.level()),
            Cell::from(one.meaning),
        ]);
    }
    table.render("", width)
}

/// One code for programs.
pub fn json(one: &Explained) -> Value {
    let mut value = summary(one);
    value["schema"] = json!("mlp.explain/1");
    value["page"] = json!(markdown(one));
    value
}

/// All codes for programs.
pub fn json_list() -> Value {
    json!({"schema": "mlp.explain/1", "codes": pages::all().iter().map(summary).collect::<Value>()})
}

fn summary(one: &Explained) -> Value {
    json!({"code": one.code.id, "name": one.code.name, "level": one.level(), "meaning": one.meaning})
}

/// The names in `with=name` of a page's blocks, each once.
fn beginnings(page: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for word in page.lines().filter_map(|line| line.strip_prefix("```")).flat_map(str::split_whitespace) {
        if let Some(name) = word.strip_prefix("with=")
            && names.iter().all(|known| known != name)
        {
            names.push(name.to_owned());
        }
    }
    names
}

/// What stands behind the opening fence and a reader wants to know: the file's name, and how it was called.
fn about_block(info: &str) -> String {
    let mut about = Vec::new();
    let mut call = String::new();
    for word in info.split_whitespace() {
        if let Some(name) = word.strip_prefix("file=") {
            about.push(name.to_owned());
        } else if let Some(params) = word.strip_prefix("params=") {
            call.push_str(&format!(" -p {params}"));
        }
    }
    if !call.is_empty() {
        about.push(format!("with{call}"));
    }
    if about.is_empty() { String::new() } else { format!("    {}\n", styled(DIM, about.join(", "))) }
}

fn goes_on(line: &str) -> bool {
    !line.trim().is_empty() && !["```", "#", "- "].iter().any(|mark| line.starts_with(mark))
}

/// A paragraph in lines of this width.
fn wrapped(paragraph: &str, width: usize, first: &str, rest: &str) -> String {
    let mut out = first.to_owned();
    let mut used = first.width();
    let mut empty = true;
    for word in words(paragraph) {
        let length: usize = word.iter().map(|(_, text)| text.width()).sum();
        if !empty && used + 1 + length > width {
            out.push('\n');
            out.push_str(rest);
            used = rest.width();
        } else if !empty {
            out.push(' ');
            used += 1;
        }
        word.iter().for_each(|(style, text)| out.push_str(&styled(*style, text)));
        used += length;
        empty = false;
    }
    out.push('\n');
    out
}

/// The words of a paragraph; a word may be of several styles.
fn words(paragraph: &str) -> Vec<Vec<(Style, String)>> {
    let mut words: Vec<Vec<(Style, String)>> = vec![Vec::new()];
    for (style, text) in pieces(paragraph) {
        for (n, part) in text.split(' ').enumerate() {
            if n > 0 {
                words.push(Vec::new());
            }
            if let Some(word) = words.last_mut().filter(|_| !part.is_empty()) {
                word.push((style, part.to_owned()));
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// `code`, **strong** and [links](target) with what stands between them. A mark without its partner is text.
fn pieces(mut text: &str) -> Vec<(Style, &str)> {
    let mut pieces = Vec::new();
    while !text.is_empty() {
        let Some((before, style, inside, after)) = next_mark(text) else {
            pieces.push((PLAIN, text));
            break;
        };
        pieces.push((PLAIN, before));
        pieces.push((style, inside));
        text = after;
    }
    pieces
}

/// What stands before the first mark, its style, what it holds, and what follows.
fn next_mark(text: &str) -> Option<(&str, Style, &str, &str)> {
    let between = |open: &str, close: &str, style: Style| {
        let (before, rest) = text.split_once(open)?;
        let (inside, after) = rest.split_once(close)?;
        Some((before, style, inside, after))
    };
    let link = || {
        let (before, style, inside, after) = between("[", "](", PLAIN)?;
        Some((before, style, inside, after.split_once(')')?.1))
    };
    [between("`", "`", CODE), between("**", "**", STRONG), link()]
        .into_iter()
        .flatten()
        .min_by_key(|(before, ..)| before.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlp_lang::finding::Code;

    const PAGE: &str = "# E0001 a-name\n\nA `file of code` with **marks that are long** and [a link](to/a.md), told in more \
                        words than fit\non one line.\n\n- one point\n- another, which\n  goes on\n\n## Wrong\n\n\
                        ```mlp params=a=1 file=x.mlp\nmlp 1\n\n  param a: int\n```\n";

    fn explained() -> Explained {
        static CODE: Code = Code::new("E0001", "a-name");
        Explained { code: &CODE, meaning: "It is wrong.", page: Some(PAGE) }
    }

    #[test]
    fn a_page_fits_the_terminal() {
        let plain = anstream::adapter::strip_str(&page(&explained(), 40)).to_string();
        assert!(plain.lines().all(|line| line.width() <= 40), "{plain}");
        insta::assert_snapshot!(plain);
    }

    #[test]
    fn marks_become_styles_and_single_marks_are_text() {
        let shown =
            |text: &'static str| pieces(text).into_iter().filter(|(_, text)| !text.is_empty()).collect::<Vec<_>>();
        assert_eq!(shown("a `b` c"), [(PLAIN, "a "), (CODE, "b"), (PLAIN, " c")]);
        assert_eq!(shown("[a](b)."), [(PLAIN, "a"), (PLAIN, ".")]);
        assert_eq!(shown("a [b] `c"), [(PLAIN, "a [b] `c")]);
        assert_eq!(shown("`a **` **b**"), [(CODE, "a **"), (PLAIN, " "), (STRONG, "b")]);
    }

    #[test]
    fn a_page_is_itself_in_markdown_and_a_missing_page_says_what_is_known() {
        assert_eq!(markdown(&explained()), PAGE);
        let without = Explained { page: None, ..explained() };
        assert_eq!(markdown(&without), "# E0001 a-name\n\nIt is wrong.\n");
    }
}
