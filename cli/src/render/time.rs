//! Times and durations as people say them. Absolute times are in UTC, so that two people read the same.

use mlp_core::record::Millis;

/// `0.4s`, `12s`, `3m 05s`, `2h 07m`, `3d 4h`.
pub fn took(milliseconds: Millis) -> String {
    let milliseconds = milliseconds.max(0);
    let seconds = milliseconds / 1000;
    match seconds {
        0..10 => format!("{:.1}s", milliseconds as f64 / 1000.0),
        10..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// `just now`, `5 min ago`, `3 h ago`, `2 days ago`.
pub fn ago(at: Millis, now: Millis) -> String {
    let seconds = (now - at) / 1000;
    match seconds {
        ..0 => "in the future".to_owned(),
        0..10 => "just now".to_owned(),
        10..60 => format!("{seconds} s ago"),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..86_400 => format!("{} h ago", seconds / 3_600),
        86_400..172_800 => "1 day ago".to_owned(),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// `2026-11-21 02:40:12 UTC`
pub fn absolute(at: Millis) -> String {
    match jiff::Timestamp::from_millisecond(at) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => format!("{at} ms"),
    }
}

/// `2026-11-21`
pub fn day(at: Millis) -> String {
    absolute(at).chars().take("2026-11-21".len()).collect()
}

/// Turns of the calendar between two moments, at most so many, with their names: months over a long time, else days,
/// else hours.
pub fn calendar_marks(from: Millis, to: Millis, most: usize) -> Vec<(Millis, String)> {
    const HOUR: Millis = 3_600_000;
    let utc = |at: Millis| jiff::Timestamp::from_millisecond(at).map(|time| time.to_zoned(jiff::tz::TimeZone::UTC));
    let (Ok(begin), span) = (utc(from), to - from) else { return Vec::new() };
    let mut marks = Vec::new();
    let day = begin.date();
    if span > 60 * 24 * HOUR {
        let mut month = day.first_of_month();
        while let Ok(start) = month.to_zoned(jiff::tz::TimeZone::UTC) {
            let at = start.timestamp().as_millisecond();
            if at > to {
                break;
            }
            if at >= from {
                marks.push((at, month.strftime("%b").to_string()));
            }
            let Ok(next) = month.checked_add(jiff::Span::new().months(1)) else { break };
            month = next;
        }
    } else {
        let step = if span > 3 * 24 * HOUR { 24 * HOUR } else { HOUR };
        let form = if step == HOUR { "%H:%M" } else { "%b %-d" };
        let mut at = from.div_euclid(step) * step + step;
        while at <= to && marks.len() < 10_000 {
            marks.extend(utc(at).map(|time| (at, time.strftime(form).to_string())));
            at += step;
        }
    }
    let keep = marks.len().div_ceil(most.max(1)).max(1);
    marks.into_iter().step_by(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_grow_coarser() {
        let said: Vec<String> = [-5, 40, 1_940, 12_900, 185_000, 7_620_000, 273_600_000].map(took).into();
        assert_eq!(said, ["0.0s", "0.0s", "1.9s", "12s", "3m 05s", "2h 07m", "3d 4h"]);
    }

    #[test]
    fn a_calendar_is_marked_by_what_fits_its_span() {
        let named = |from: &str, to: &str| {
            let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
            let marks = calendar_marks(at(from), at(to), 6);
            marks.into_iter().map(|(_, name)| name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(named("2011-04-01T00:00:00Z", "2011-09-10T00:00:00Z"), "Apr May Jun Jul Aug Sep");
        assert_eq!(named("2011-01-15T00:00:00Z", "2011-12-31T00:00:00Z"), "Feb Apr Jun Aug Oct Dec");
        assert_eq!(named("2011-04-01T00:00:00Z", "2011-04-05T12:00:00Z"), "Apr 2 Apr 3 Apr 4 Apr 5");
        assert_eq!(named("2011-04-01T00:10:00Z", "2011-04-01T03:00:00Z"), "01:00 02:00 03:00");
    }

    #[test]
    fn times_are_told_from_now() {
        let said: Vec<String> = [0, 59_000, 60_000, 7_200_000, 90_000_000, 864_000_000].map(|now| ago(0, now)).into();
        assert_eq!(said, ["just now", "59 s ago", "1 min ago", "2 h ago", "1 day ago", "10 days ago"]);
        assert_eq!(ago(1_000_000, 0), "in the future");
        assert_eq!(absolute(0), "1970-01-01 00:00:00 UTC");
    }
}
