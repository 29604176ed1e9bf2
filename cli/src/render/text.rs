//! Words, styles, and what keeps a terminal safe from other people's bytes.

use anstyle::{AnsiColor, Effects, Reset, Style};
use std::borrow::Cow;

/// What went wrong.
pub const BAD: Style = AnsiColor::BrightRed.on_default().effects(Effects::BOLD);
/// What went well.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What deserves a look.
pub const WARN: Style = AnsiColor::Yellow.on_default();
/// What is beside the point.
pub const DIM: Style = Style::new().effects(Effects::DIMMED);
/// What the eye should find first.
pub const STRONG: Style = Style::new().effects(Effects::BOLD);
/// Ordinary text.
pub const PLAIN: Style = Style::new();
/// Back to ordinary text.
pub const RESET: Reset = Reset;

/// The text in a style.
pub fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// The text with everything that could move a cursor, change a colour or reverse the reading order written out.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match is_harmful(character) {
            true => clean.extend(character.escape_default()),
            false => clean.push(character),
        }
    }
    Cow::Owned(clean)
}

/// The same, on one line.
pub fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `1 step`, `4 steps`, `1,200 steps`.
pub fn plural(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{} {noun}s", thousands(count as u64)),
    }
}

/// `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `a`; `a, b`; the first few of many and how many more.
pub fn some_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 8;
    let names: Vec<&str> = names.into_iter().collect();
    let shown = names.iter().take(SHOWN).map(|name| clean(name)).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {} more", thousands(more as u64)),
    }
}

/// Every line, with this before it.
pub fn indented(text: &str, by: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{by}{line}\n") }).collect()
}

fn is_harmful(character: char) -> bool {
    let reorders = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    reorders || (character.is_control() && !matches!(character, '\n' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_moves_the_cursor() {
        assert_eq!(clean("a\x1b[2Jb\r\u{202e}c\n"), "a\\u{1b}[2Jb\\r\\u{202e}c\n");
        assert!(matches!(clean("plain\ttext\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn counts_read_well() {
        assert_eq!(plural(1, "step"), "1 step");
        assert_eq!(plural(12_345, "row"), "12,345 rows");
        assert_eq!(some_of(["a", "b"]), "a, b");
        assert_eq!(some_of(["a"; 10]), "a, a, a, a, a, a, a, a and 2 more");
    }
}
