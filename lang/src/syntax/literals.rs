//! What numbers, units, dates and the texts of strings mean.

use super::ast::ExprKind;
use super::codes;
use super::keywords::nearest;
use crate::finding::Code;

/// Why a literal means nothing, and what was probably meant.
#[derive(Clone, Debug, PartialEq)]
pub struct BadLiteral {
    /// Which finding.
    pub code: Code,
    /// One sentence.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// What to write instead of the whole literal.
    pub instead: Option<String>,
}

impl BadLiteral {
    fn new(code: Code, message: impl Into<String>) -> BadLiteral {
        BadLiteral { code, message: message.into(), help: None, instead: None }
    }

    fn help(self, help: impl Into<String>) -> BadLiteral {
        BadLiteral { help: Some(help.into()), ..self }
    }

    fn instead(self, instead: impl Into<String>) -> BadLiteral {
        BadLiteral { instead: Some(instead.into()), ..self }
    }
}

const NS: i128 = 1;
const SECOND: i128 = 1_000_000_000;

/// Units of duration, largest first, in nanoseconds.
const DURATIONS: [(&str, i128); 8] = [
    ("w", 7 * 86_400 * SECOND),
    ("d", 86_400 * SECOND),
    ("h", 3_600 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", 1_000_000 * NS),
    ("us", 1_000 * NS),
    ("ns", NS),
];

/// Units of size, in bytes.
const SIZES: [(&str, i128); 9] = [
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// What people write for a unit elsewhere.
const OTHER_SPELLINGS: [(&str, &str); 17] = [
    ("sec", "s"),
    ("secs", "s"),
    ("min", "m"),
    ("mins", "m"),
    ("hr", "h"),
    ("hrs", "h"),
    ("day", "d"),
    ("days", "d"),
    ("week", "w"),
    ("weeks", "w"),
    ("K", "KB"),
    ("G", "GB"),
    ("T", "TB"),
    ("Ki", "KiB"),
    ("Mi", "MiB"),
    ("Gi", "GiB"),
    ("Ti", "TiB"),
];

/// What a number, date or time as written means.
pub fn number(text: &str) -> Result<ExprKind, BadLiteral> {
    if text.as_bytes().get(4) == Some(&b'-') && text.len() >= 10 {
        return date_or_time(text);
    }
    if text
        .split(|c: char| !(c.is_ascii_digit() || c == '_'))
        .any(|run| run.starts_with('_') || run.ends_with('_') || run.contains("__"))
    {
        return Err(BadLiteral::new(
            codes::BAD_NUMBER,
            format!("`{text}` has a `_` that does not stand between two digits"),
        )
        .help("write one `_` between two digits, as in `1_000`"));
    }
    let digits = text.replace('_', "");
    if let Some(percent) = digits.strip_suffix('%') {
        return fraction(text, percent);
    }
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        return digits.parse().map(ExprKind::Int).map_err(|_| too_large(text, "an int", &i64::MAX.to_string()));
    }
    if split_decimal(&digits).is_some() {
        return finite(text, &digits).map(ExprKind::Float);
    }
    with_units(text, &digits)
}

/// Mantissa and exponent of a plain decimal number.
fn split_decimal(digits: &str) -> Option<(&str, i64)> {
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse().ok()?),
        None => (digits, 0),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let plain = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    (plain(whole) && plain(part)).then_some((mantissa, exponent))
}

fn finite(text: &str, digits: &str) -> Result<f64, BadLiteral> {
    let value: f64 = digits.parse().unwrap_or(f64::INFINITY);
    if value.is_finite() { Ok(value) } else { Err(too_large(text, "a float", "1.797e308")) }
}

/// `20%`: the decimal point is moved in the text, so that `97%` is exactly the number that `0.97` is.
fn fraction(text: &str, percent: &str) -> Result<ExprKind, BadLiteral> {
    match split_decimal(percent) {
        Some((mantissa, exponent)) => {
            finite(text, &format!("{mantissa}e{}", exponent.saturating_sub(2))).map(ExprKind::Fraction)
        }
        None => Err(BadLiteral::new(codes::BAD_NUMBER, format!("`{text}` is not a number of percent"))
            .help("write a plain number before `%`, as in `2.5%`")),
    }
}

fn too_large(text: &str, what: &str, largest: &str) -> BadLiteral {
    BadLiteral::new(codes::BAD_NUMBER, format!("`{text}` is too large for {what}"))
        .help(format!("the largest is {largest}"))
}

/// `1h30m`, `4GiB`.
fn with_units(text: &str, digits: &str) -> Result<ExprKind, BadLiteral> {
    let mut rest = digits;
    let mut total: i128 = 0;
    let mut smallest: Option<usize> = None;
    while !rest.is_empty() {
        let number = take(&mut rest, |c| c.is_ascii_digit() || c == '.');
        let unit = take(&mut rest, |c| c.is_ascii_alphabetic() || c == '_');
        if let Some((_, bytes)) = SIZES.iter().find(|(u, _)| *u == unit) {
            if smallest.is_some() || !rest.is_empty() {
                return Err(BadLiteral::new(codes::BAD_NUMBER, format!("`{text}` is not one size"))
                    .help("a size has one number and one unit, as in `1536MiB`"));
            }
            let size = scaled(text, number, *bytes, "a byte")?;
            return u64::try_from(size).map(ExprKind::Size).map_err(|_| too_large(text, "a size", "16777215TiB"));
        }
        if unit.is_empty() {
            return Err(match smallest {
                Some(_) => BadLiteral::new(codes::BAD_NUMBER, format!("the end of `{text}` has no unit"))
                    .help("write it as in `1h30m`"),
                None => BadLiteral::new(codes::BAD_NUMBER, format!("`{text}` is not a number"))
                    .help("a number has one point, as in `1.5`"),
            });
        }
        let Some(place) = DURATIONS.iter().position(|(u, _)| *u == unit) else {
            return Err(unknown_unit(text, number, unit, rest.is_empty() && smallest.is_none()));
        };
        if smallest.is_some_and(|s| s >= place) {
            return Err(BadLiteral::new(codes::BAD_NUMBER, format!("the units of `{text}` are out of order"))
                .help("write a duration from its largest unit to its smallest, each once, as in `1h30m`"));
        }
        smallest = Some(place);
        let part = scaled(text, number, DURATIONS[place].1, "a nanosecond")?;
        total = total.checked_add(part).ok_or_else(|| too_large(text, "a duration", "about 292 years"))?;
    }
    i64::try_from(total).map(ExprKind::Duration).map_err(|_| too_large(text, "a duration", "about 292 years"))
}

fn take<'t>(rest: &mut &'t str, belongs: impl Fn(char) -> bool) -> &'t str {
    let (taken, left) = rest.split_at(rest.find(|c| !belongs(c)).unwrap_or(rest.len()));
    *rest = left;
    taken
}

/// `number` times `unit`, exactly.
fn scaled(text: &str, number: &str, unit: i128, finest: &str) -> Result<i128, BadLiteral> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let bad = || BadLiteral::new(codes::BAD_NUMBER, format!("`{text}` is not a number with a unit"));
    if part.contains('.') || whole.is_empty() {
        return Err(bad().help("write it as in `1.5h`"));
    }
    let part = part.trim_end_matches('0');
    let digits: i128 = format!("{whole}{part}").parse().map_err(|_| too_large(text, "its unit", "about 292 years"))?;
    let scale = 10_i128.checked_pow(part.len() as u32);
    let product = digits.checked_mul(unit).ok_or_else(|| too_large(text, "its unit", "about 292 years"))?;
    match scale {
        Some(scale) if product % scale == 0 => Ok(product / scale),
        _ => Err(BadLiteral::new(codes::BAD_NUMBER, format!("`{text}` is finer than {finest}"))
            .help("write fewer digits after the point")),
    }
}

fn unknown_unit(text: &str, number: &str, unit: &str, alone: bool) -> BadLiteral {
    let known = || DURATIONS.iter().chain(&SIZES).map(|(u, _)| *u);
    let list = "durations are w d h m s ms us ns; sizes are B KB MB GB TB KiB MiB GiB TiB; fractions are %";
    let bad = BadLiteral::new(codes::UNKNOWN_UNIT, format!("`{unit}` in `{text}` is not a unit"));
    if unit == "M" {
        return bad.help(format!("`m` is minutes, `MB` and `MiB` are sizes; {list}"));
    }
    let meant = (OTHER_SPELLINGS.iter().find(|(other, _)| *other == unit).map(|(_, ours)| *ours))
        .or_else(|| known().find(|u| u.eq_ignore_ascii_case(unit)))
        .or_else(|| if unit.len() > 1 { nearest(unit, known()) } else { None });
    match meant {
        Some(meant) if alone => {
            bad.help(format!("did you mean `{number}{meant}`? {list}")).instead(format!("{number}{meant}"))
        }
        Some(meant) => bad.help(format!("did you mean `{meant}`? {list}")),
        None => bad.help(list),
    }
}

fn date_or_time(text: &str) -> Result<ExprKind, BadLiteral> {
    let (day, clock) = text.split_at(10);
    if day.parse::<jiff::civil::Date>().is_err() {
        return Err(BadLiteral::new(codes::BAD_DATE, format!("`{text}` is not a day of the calendar"))
            .help("write a date as year, month, day, as in `2011-04-01`"));
    }
    if clock.is_empty() {
        return Ok(ExprKind::Date(text.into()));
    }
    if text.parse::<jiff::Timestamp>().is_ok() {
        return Ok(ExprKind::Time(text.into()));
    }
    let bad = BadLiteral::new(codes::BAD_DATE, format!("`{text}` is not a time"))
        .help("write a time with its offset, as in `2011-04-01T12:00:00Z` or `2011-04-01T14:00:00+02:00`");
    let with_offset = format!("{text}Z");
    if with_offset.parse::<jiff::Timestamp>().is_ok() { Err(bad.instead(with_offset)) } else { Err(bad) }
}

/// A mistake in a string's text: the byte where it is, how many bytes, and what is wrong.
pub type EscapeError = (usize, usize, String);

/// Resolves the escapes in a string's text. A bad one is kept as written.
pub fn unescape(text: &str, mistakes: &mut Vec<EscapeError>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (len, resolved) = escape(rest);
        match resolved {
            Ok(c) => out.push(c),
            Err(message) => {
                mistakes.push((text.len() - rest.len(), len, message));
                out.push_str(&rest[..len]);
            }
        }
        rest = &rest[len..];
    }
    out.push_str(rest);
    out
}

/// The escape at the start of `text`: its length, and what it stands for.
pub fn escape(text: &str) -> (usize, Result<char, String>) {
    let Some(kind) = text[1..].chars().next() else {
        return (1, Err("a `\\` at the end of a string stands for nothing".into()));
    };
    let simple = |c| (2, Ok(c));
    match kind {
        'n' => simple('\n'),
        't' => simple('\t'),
        'r' => simple('\r'),
        '"' | '\\' | '$' => simple(kind),
        'u' => {
            let hex = text[2..].strip_prefix('{').and_then(|t| t.find('}').map(|end| &t[..end]));
            let Some(hex) = hex.filter(|h| h.len() <= 6) else {
                return (2, Err("`\\u` needs a character's number in braces, as in `\\u{e9}`".into()));
            };
            match u32::from_str_radix(hex, 16).ok().and_then(char::from_u32) {
                Some(c) if !hex.starts_with('+') => (hex.len() + 4, Ok(c)),
                _ => (hex.len() + 4, Err(format!("`\\u{{{hex}}}` is not a character"))),
            }
        }
        '\n' | '\r' => (1, Err("a `\\` at the end of a line stands for nothing".into())),
        other => (1 + other.len_utf8(), Err(format!("`\\{other}` is not an escape"))),
    }
}

/// A piece of a `"""` string as written.
#[derive(Clone, Debug, PartialEq)]
pub enum RawPart<'t> {
    /// Text, escapes as written.
    Text(&'t str),
    /// A hole.
    Hole,
}

/// Removes from the texts of a `"""` string what only lays it out: an empty first line, an empty last line, and the
/// indentation that all its lines have in common. Gives the text of each part in turn; a hole's is empty.
pub fn dedent(parts: &[RawPart<'_>]) -> Vec<String> {
    let indentation = common_indentation(parts);
    let mut texts: Vec<String> = Vec::with_capacity(parts.len());
    for (n, part) in parts.iter().enumerate() {
        let RawPart::Text(text) = part else {
            texts.push(String::new());
            continue;
        };
        let mut text = text.replace("\r\n", "\n");
        let mut at_line_start = false;
        if n == 0 {
            let first = text.find('\n').filter(|end| text[..*end].trim().is_empty());
            if let Some(end) = first {
                text.drain(..=end);
                at_line_start = true;
            }
        }
        if n + 1 == parts.len() {
            match text.rfind('\n') {
                Some(line) if text[line..].trim().is_empty() => text.truncate(line),
                None if at_line_start && text.trim().is_empty() => text.clear(),
                _ => {}
            }
        }
        let mut out = String::with_capacity(text.len());
        for (i, line) in text.split('\n').enumerate() {
            if i > 0 {
                out.push('\n');
            }
            let starts = i > 0 || at_line_start;
            let cut = if starts { indentation.min(leading(line)) } else { 0 };
            out.push_str(&line[cut..]);
        }
        texts.push(out);
    }
    texts
}

/// The smallest indentation of the lines that hold anything; the line of the opening quotes does not count.
fn common_indentation(parts: &[RawPart<'_>]) -> usize {
    let mut smallest = usize::MAX;
    for (n, part) in parts.iter().enumerate() {
        let RawPart::Text(text) = part else { continue };
        let lines = text.split('\n').count();
        for (i, line) in text.split('\n').enumerate().skip(1) {
            let before_hole = i + 1 == lines && n + 1 < parts.len();
            if before_hole || !line.trim().is_empty() {
                smallest = smallest.min(leading(line));
            }
        }
    }
    if smallest == usize::MAX { 0 } else { smallest }
}

fn leading(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}
