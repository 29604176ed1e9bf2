//! One cell: from text to a typed value. The grammar of each type is in `spec/07-data.md`.

use crate::codes;
use crate::report::{is_unseen, nearest};
use jiff::civil::Date;
use mlp_lang::finding::Code;
use mlp_lang::types::Type;
use mlp_lang::value::Value;
use std::cmp::Ordering;
use std::num::IntErrorKind;

/// A typed value, borrowed from where it was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Missing.
    Null,
    /// `bool`
    Bool(bool),
    /// `int`
    Int(i64),
    /// `float`, `fraction`: finite.
    Float(f64),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Time(i64),
    /// `string` or one of an enum.
    Text(&'a str),
}

/// Why a text is no value of its column's type.
pub struct Fault {
    /// Its kind.
    pub code: Code,
    /// What would have been right.
    pub expected: String,
    /// What to do.
    pub help: Option<String>,
}

impl Fault {
    fn new(code: Code, expected: &str) -> Fault {
        Fault { code, expected: expected.to_owned(), help: None }
    }

    fn help(mut self, text: impl Into<String>) -> Fault {
        self.help = Some(text.into());
        self
    }
}

/// The value of a present cell. Spaces and tabs around it mean nothing, except in a `string`, which is kept as it is.
pub fn parse<'a>(ty: &Type, raw: &'a str) -> Result<Cell<'a>, Fault> {
    let text = raw.trim_matches([' ', '\t']);
    match ty {
        Type::Bool => bool(text),
        Type::Int => int(text),
        Type::Float => Ok(Cell::Float(float(text)?)),
        Type::Fraction => fraction(text),
        Type::Date => date(text),
        Type::Time => time(text),
        Type::String => Ok(Cell::Text(raw)),
        Type::Enum(values) => one_of(values, text),
        _ => Err(Fault::new(codes::RULE_UNUSABLE, "a column type that tables know")),
    }
}

fn bool<'a>(text: &str) -> Result<Cell<'a>, Fault> {
    match text {
        "true" | "True" | "TRUE" | "1" => Ok(Cell::Bool(true)),
        "false" | "False" | "FALSE" | "0" => Ok(Cell::Bool(false)),
        _ => Err(Fault::new(codes::NOT_BOOL, "`true` or `false` (or `1`, `0`)")
            .help("if the column has two words of its own, declare them: `\"yes\" | \"no\"`")),
    }
}

fn int<'a>(text: &str) -> Result<Cell<'a>, Fault> {
    text.parse().map(Cell::Int).map_err(|e| match e.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => {
            Fault::new(codes::INT_OVERFLOW, "a whole number between -9223372036854775808 and 9223372036854775807")
                .help("an identifier this long is a text: declare the column `string`")
        }
        _ => {
            let fault = Fault::new(codes::NOT_INT, "a whole number");
            match text.parse::<f64>() {
                Ok(f) if f.is_finite() => fault.help("declare the column `float` if it holds fractional numbers"),
                _ => number_help(fault, text),
            }
        }
    })
}

fn float(text: &str) -> Result<f64, Fault> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(value) => {
            let fault = Fault::new(codes::NOT_FINITE, "a finite number");
            Err(if value.is_nan() { missing_help(fault, text) } else { fault.help(TOO_LARGE) })
        }
        Err(_) => Err(number_help(Fault::new(codes::NOT_FLOAT, "a number"), text)),
    }
}

/// What to do about a cell of a number column that is no number.
fn number_help(fault: Fault, text: &str) -> Fault {
    if text.chars().any(is_unseen) {
        return fault.help("remove the characters that cannot be seen: they are written as `\\u{...}` above");
    }
    let digits = |t: &str| t.bytes().any(|b| b.is_ascii_digit());
    if digits(text) && text.replace([',', '_', ' ', '\''], "").parse::<f64>().is_ok() {
        fault.help("write numbers with a decimal point and without separators between thousands")
    } else if text.is_empty() {
        fault.help("list the empty text among the missing ones: `missing: [\"\"]`")
    } else if digits(text) {
        fault.help("write the number alone, without a unit; or declare the column `string`")
    } else {
        missing_help(fault, text)
    }
}

const TOO_LARGE: &str =
    "floats end near 1.8e308: write a number within that, or leave the cell empty where there is none";

/// Suggests to list the text among the missing ones, if it looks like such a word.
fn missing_help(fault: Fault, text: &str) -> Fault {
    match plain(text) {
        Some(text) => fault.help(format!("if it stands for a missing value, list it: `missing: [\"\", \"{text}\"]`")),
        None => fault.help("write the number alone, or declare the column `string`"),
    }
}

/// The text, if it is short and tame enough to be taken over from a suggestion as it stands.
fn plain(text: &str) -> Option<&str> {
    const LONGEST: usize = 30;
    let tame = |c: char| !is_unseen(c) && !matches!(c, '"' | '\\' | '`' | '{' | '}');
    (text.chars().count() <= LONGEST && text.chars().all(tame)).then_some(text)
}

fn fraction<'a>(text: &str) -> Result<Cell<'a>, Fault> {
    let value = match text.strip_suffix('%') {
        Some(percent) => float(percent.trim_end_matches([' ', '\t'])).map(|v| v / 100.0),
        None => float(text),
    };
    value.map(Cell::Float).map_err(|fault| {
        let code = if fault.code == codes::NOT_FLOAT { codes::NOT_FRACTION } else { fault.code };
        Fault { code, expected: "a fraction such as `0.12` or `12%`".to_owned(), ..fault }
    })
}

fn date<'a>(text: &str) -> Result<Cell<'a>, Fault> {
    parse_date(text).map(Cell::Date).ok_or_else(|| {
        Fault::new(codes::NOT_DATE, "a day of the calendar, year first: `2011-04-01`")
            .help("write dates as YYYY-MM-DD; for an instant with a clock time declare the column `time`")
    })
}

/// Days since 1970-01-01 of `YYYY-MM-DD`, if that day exists.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    let b = text.as_bytes();
    if b.len() != 10 || b[4] != b'-' || b[7] != b'-' {
        return None;
    }
    let number =
        |digits: &[u8]| digits.iter().try_fold(0i16, |n, d| d.is_ascii_digit().then(|| n * 10 + i16::from(d - b'0')));
    let (year, month, day) = (number(&b[..4])?, number(&b[5..7])?, number(&b[8..])?);
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    (year >= 1).then(|| days_since_epoch(date))
}

/// Counts days with years that begin in March, so that the leap day is the last of its year.
fn days_since_epoch(date: Date) -> i32 {
    let (month, day) = (i32::from(date.month()), i32::from(date.day()));
    let year = i32::from(date.year()) - i32::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn time<'a>(text: &str) -> Result<Cell<'a>, Fault> {
    let fault = || Fault::new(codes::NOT_TIME, "an instant with its offset: `2011-04-01T12:00:00Z`");
    match text.parse::<jiff::Timestamp>() {
        Ok(t) if t.as_nanosecond() % 1000 != 0 => {
            Err(fault().help("times are kept to the microsecond: write at most six digits after the second"))
        }
        Ok(t) => Ok(Cell::Time(t.as_microsecond())),
        Err(_) if text.parse::<jiff::civil::DateTime>().is_ok() => {
            Err(fault().help("say which clock it is: add `Z` for UTC or an offset such as `+02:00`"))
        }
        Err(_) => Err(fault().help("write times as RFC 3339: date, `T`, time, and `Z` or an offset")),
    }
}

/// Microseconds since the epoch of an RFC 3339 text.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(|t| t.as_microsecond())
}

fn one_of<'a>(values: &[String], text: &'a str) -> Result<Cell<'a>, Fault> {
    if values.iter().any(|v| v == text) {
        return Ok(Cell::Text(text));
    }
    let few: Vec<String> = values.iter().take(8).map(|v| format!("`{v}`")).collect();
    let more = if values.len() > few.len() { format!(" and {} more", values.len() - few.len()) } else { String::new() };
    let fault = Fault::new(codes::NOT_IN_ENUM, &format!("one of {}{more}", few.join(", ")));
    Err(match nearest(text, values.iter().map(String::as_str)) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => match plain(text) {
            Some(text) => fault.help(format!("if the value is right, add it to the column's type: `| \"{text}\"`")),
            None => fault.help("if the value is right, add it to the column's type"),
        },
    })
}

impl Cell<'_> {
    /// As a value of a column of type `ty`; `None` for a missing cell and for dates nobody can write.
    pub fn to_value(self, ty: &Type) -> Option<Value> {
        Some(match self {
            Cell::Null => return None,
            Cell::Bool(b) => Value::Bool(b),
            Cell::Int(i) => Value::Int(i),
            Cell::Float(f) if *ty == Type::Fraction => Value::Fraction(f),
            Cell::Float(f) => Value::Float(f),
            Cell::Date(days) => Value::Date(
                Date::constant(1970, 1, 1).checked_add(jiff::Span::new().try_days(days).ok()?).ok()?.to_string(),
            ),
            Cell::Time(micros) => Value::Time(jiff::Timestamp::from_microsecond(micros).ok()?.to_string()),
            Cell::Text(s) => Value::String(s.to_owned()),
        })
    }

    /// The order of two values of one column; `None` when they are not of one kind.
    pub fn order(&self, other: &Cell<'_>) -> Option<Ordering> {
        match (self, other) {
            (Cell::Bool(a), Cell::Bool(b)) => Some(a.cmp(b)),
            (Cell::Int(a), Cell::Int(b)) => Some(a.cmp(b)),
            (Cell::Float(a), Cell::Float(b)) => a.partial_cmp(b),
            (Cell::Int(a), Cell::Float(b)) => int_to_float(*a, *b),
            (Cell::Float(a), Cell::Int(b)) => int_to_float(*b, *a).map(Ordering::reverse),
            (Cell::Date(a), Cell::Date(b)) => Some(a.cmp(b)),
            (Cell::Time(a), Cell::Time(b)) => Some(a.cmp(b)),
            (Cell::Text(a), Cell::Text(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// A key that two cells of one column share exactly when they are equal. Texts are hashed (blake3, 128 bits: nobody
    /// can make two that collide), so that memory does not grow with their length.
    pub fn key(&self) -> u128 {
        match self {
            Cell::Null => 0,
            Cell::Bool(b) => u128::from(*b),
            Cell::Int(i) | Cell::Time(i) => u128::from(i.cast_unsigned()),
            // Adding zero makes one of the two zeros.
            Cell::Float(f) => u128::from((f + 0.0).to_bits()),
            Cell::Date(d) => u128::from(d.cast_unsigned()),
            Cell::Text(s) => {
                let mut half = [0; 16];
                half.copy_from_slice(&blake3::hash(s.as_bytes()).as_bytes()[..16]);
                u128::from_le_bytes(half)
            }
        }
    }
}

/// Exact also where an int is too large for a float.
fn int_to_float(a: i64, b: f64) -> Option<Ordering> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if b.is_nan() {
        return None;
    }
    Some(if b >= LIMIT {
        Ordering::Less
    } else if b < -LIMIT {
        Ordering::Greater
    } else {
        a.cmp(&(b.trunc() as i64)).then(0.0f64.total_cmp(&(b.fract() + 0.0)))
    })
}
