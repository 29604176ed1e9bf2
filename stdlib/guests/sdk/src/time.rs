//! Dates and instants as text: ISO 8601 dates, RFC 3339 instants in UTC.

use chrono::{DateTime, NaiveDate, SecondsFormat};

/// Days since 1970-01-01 of `2011-04-01`.
pub fn parse_date(text: &str) -> Option<i64> {
    let date: NaiveDate = text.parse().ok()?;
    Some(date.signed_duration_since(NaiveDate::default()).num_days())
}

/// Nanoseconds since 1970-01-01T00:00:00Z of `2011-04-01T12:00:00.5+02:00`.
pub fn parse_time(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok()?.timestamp_nanos_opt()
}

/// `2011-04-01`; days beyond the calendar stay a number.
pub fn date_text(days: i64) -> String {
    let date = i32::try_from(days)
        .ok()
        .and_then(|days| NaiveDate::default().checked_add_signed(chrono::Duration::try_days(i64::from(days))?));
    date.map_or_else(|| days.to_string(), |date| date.to_string())
}

/// `2011-04-01T12:00:00Z`, with as many digits of a fraction as there are.
pub fn time_text(nanoseconds: i64) -> String {
    DateTime::from_timestamp_nanos(nanoseconds).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
