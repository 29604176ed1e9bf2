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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_grow_coarser() {
        let said: Vec<String> = [-5, 40, 1_940, 12_900, 185_000, 7_620_000, 273_600_000].map(took).into();
        assert_eq!(said, ["0.0s", "0.0s", "1.9s", "12s", "3m 05s", "2h 07m", "3d 4h"]);
    }

    #[test]
    fn times_are_told_from_now() {
        let said: Vec<String> = [0, 59_000, 60_000, 7_200_000, 90_000_000, 864_000_000].map(|now| ago(0, now)).into();
        assert_eq!(said, ["just now", "59 s ago", "1 min ago", "2 h ago", "1 day ago", "10 days ago"]);
        assert_eq!(ago(1_000_000, 0), "in the future");
        assert_eq!(absolute(0), "1970-01-01 00:00:00 UTC");
    }
}
