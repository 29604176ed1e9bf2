//! When a schedule fires: `0 3 * * 1` in `Europe/Paris`.
//!
//! A pure function of the schedule, the zone and a time. Nothing is read from the machine: the zones are data of the
//! program (`jiff`'s bundle of the IANA database), so that a replay gives the same times everywhere.
//!
//! When clocks change: a schedule whose hours are named fires once for each of them. A time that is skipped is taken as
//! much later as the clock was moved; one that comes twice counts the first time. A schedule whose hours begin with `*`
//! follows the clock as it goes: it fires at each time the clock shows, also when it shows it again.

use cronexpr::{Crontab, FallbackTimezoneOption, MakeTimestamp, ParseOptions};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

/// The first time after `after` at which the schedule fires, both in milliseconds since 1970 in UTC. `cron` has five
/// fields: minute, hour, day of month, month, day of week; `zone` is an IANA name. `None` if one of them is wrong or if it
/// does not fire within four years.
///
/// ```
/// use mlp_lang::schedule::next;
///
/// // Monday, 3 o'clock in Paris: in summer two hours before UTC.
/// let friday = "2024-07-05T12:00:00Z".parse::<jiff::Timestamp>().unwrap().as_millisecond();
/// let monday = "2024-07-08T01:00:00Z".parse::<jiff::Timestamp>().unwrap().as_millisecond();
/// assert_eq!(next("0 3 * * 1", "Europe/Paris", friday), Some(monday));
/// ```
pub fn next(cron: &str, zone: &str, after: i64) -> Option<i64> {
    let (crontab, zone) = (parse(cron).ok()?, find_zone(zone)?);
    let by_the_clock = cron.split_ascii_whitespace().nth(1).is_some_and(|hours| hours.starts_with('*'));
    if by_the_clock { next_shown(&crontab, &zone, after) } else { next_named(&crontab, &zone, after) }
}

/// Whether a schedule can be read and fires at all; else what is wrong with it.
pub(crate) fn examine(cron: &str) -> Result<(), Unfit> {
    let crontab = parse(cron)?;
    // Four years from here hold a leap day.
    const SOME_TIME: i64 = 1_704_067_200_000;
    following(&crontab, SOME_TIME).map(|_| ()).ok_or(Unfit::NeverFires)
}

/// Why a schedule is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It has another number of fields than five.
    Fields(usize),
    /// The field at this position, from 0, cannot be read.
    Unreadable(usize),
    /// Each field is right, and no day is all of them: `0 0 31 2 *`.
    NeverFires,
}

/// The zone of this IANA name, in any case.
pub(crate) fn find_zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// The names of all zones.
pub(crate) fn zones() -> Vec<String> {
    TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect()
}

fn parse(cron: &str) -> Result<Crontab, Unfit> {
    let fields: Vec<&str> = cron.split_ascii_whitespace().collect();
    if fields.len() != 5 {
        return Err(Unfit::Fields(fields.len()));
    }
    let mut options = ParseOptions::default();
    // The zone is ours: the library would ask the machine for it.
    options.fallback_timezone_option = FallbackTimezoneOption::UTC;
    let read = |fields: &[&str]| cronexpr::parse_crontab_with(&fields.join(" "), options);
    read(&fields).map_err(|_| {
        let alone = |at: usize| {
            let mut others = ["*"; 5];
            others[at] = fields[at];
            read(&others).is_err()
        };
        Unfit::Unreadable((0..5).find(|at| alone(*at)).unwrap_or(0))
    })
}

/// The next time at which a clock without a zone shows what the schedule wants.
fn following(crontab: &Crontab, clock: i64) -> Option<i64> {
    let found = crontab.find_next(MakeTimestamp::from_millisecond(clock).ok()?).ok()?;
    Some(found.timestamp().as_millisecond())
}

fn shown(at: i64, offset: Offset) -> i64 {
    at.saturating_add(i64::from(offset.seconds()) * 1000)
}

/// Named hours: each time of the calendar once.
fn next_named(crontab: &Crontab, zone: &TimeZone, after: i64) -> Option<i64> {
    let now = Timestamp::from_millisecond(after).ok()?;
    let mut clock = shown(after, zone.to_offset(now));
    loop {
        clock = following(crontab, clock)?;
        let civil = Offset::UTC.to_datetime(Timestamp::from_millisecond(clock).ok()?);
        let at = zone.to_ambiguous_timestamp(civil).compatible().ok()?.as_millisecond();
        // While the clock shows an hour again, what it shows is over already.
        if at > after {
            return Some(at);
        }
    }
}

/// Every hour: as the clock goes, from one change of it to the next.
fn next_shown(crontab: &Crontab, zone: &TimeZone, after: i64) -> Option<i64> {
    let (mut from, mut before_change) = (after, 0);
    loop {
        let start = Timestamp::from_millisecond(from).ok()?;
        let offset = zone.to_offset(start);
        let clock = following(crontab, shown(from, offset) - before_change)?;
        let at = clock - i64::from(offset.seconds()) * 1000;
        match zone.following(start).next().map(|change| change.timestamp().as_millisecond()) {
            Some(change) if change <= at && change > from => (from, before_change) = (change, 1),
            _ => return Some(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn millis(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap_or_else(|error| panic!("{text}: {error}")).as_millisecond()
    }

    #[test]
    fn a_schedule_fires_at_the_time_of_its_zone() {
        let table = [
            ("0 3 * * 1", "Europe/Paris", "2024-07-05T12:00:00Z", "2024-07-08T01:00:00Z"),
            ("0 3 * * 1", "Europe/Paris", "2024-12-05T12:00:00Z", "2024-12-09T02:00:00Z"),
            ("0 3 * * 1", "UTC", "2024-07-08T03:00:00Z", "2024-07-15T03:00:00Z"),
            ("0 3 * * 1", "UTC", "2024-07-08T02:59:59.999Z", "2024-07-08T03:00:00Z"),
            ("*/15 * * * *", "Asia/Kolkata", "2024-07-08T03:07:00Z", "2024-07-08T03:15:00Z"),
            ("0 0 29 2 *", "UTC", "2024-03-01T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("  0   12  1 JAN * ", "america/new_york", "2024-03-01T00:00:00Z", "2025-01-01T17:00:00Z"),
        ];
        for (cron, zone, after, expected) in table {
            let found = next(cron, zone, millis(after));
            assert_eq!(found, Some(millis(expected)), "{cron} in {zone} after {after}");
        }
    }

    #[test]
    fn a_named_hour_that_is_skipped_comes_as_much_later() {
        // Paris, 31 March 2024: from 2:00 to 3:00 at 1:00 UTC.
        let found = next("30 2 * * *", "Europe/Paris", millis("2024-03-30T22:00:00Z"));
        assert_eq!(found, Some(millis("2024-03-31T01:30:00Z")));
    }

    #[test]
    fn a_named_hour_that_comes_twice_counts_once() {
        // Paris, 27 October 2024: from 3:00 back to 2:00 at 1:00 UTC.
        let first = next("30 2 * * *", "Europe/Paris", millis("2024-10-26T22:00:00Z"));
        assert_eq!(first, Some(millis("2024-10-27T00:30:00Z")));
        let second = next("30 2 * * *", "Europe/Paris", millis("2024-10-27T00:30:00Z"));
        assert_eq!(second, Some(millis("2024-10-28T01:30:00Z")));
    }

    #[test]
    fn every_hour_is_every_hour_when_clocks_change() {
        for start in ["2024-03-30T23:30:00Z", "2024-10-26T23:30:00Z"] {
            let mut at = millis(start);
            for hour in 1..=5 {
                at = next("30 * * * *", "Europe/Paris", at).unwrap_or_default();
                assert_eq!(at, millis(start) + hour * 3_600_000, "{hour} hours after {start}");
            }
        }
    }

    #[test]
    fn what_is_wrong_with_a_schedule_is_told() {
        let table = [
            ("0 3 * * 1", Ok(())),
            ("0 0 29 2 *", Ok(())),
            ("0 0 31 2 *", Err(Unfit::NeverFires)),
            ("0 0 30 2 *", Err(Unfit::NeverFires)),
            ("0 0 31 4,6,9,11 *", Err(Unfit::NeverFires)),
            ("61 * * * *", Err(Unfit::Unreadable(0))),
            ("0 3 * * monday", Err(Unfit::Unreadable(4))),
            ("H 3 * * 1", Err(Unfit::Unreadable(0))),
            ("0 3 * *", Err(Unfit::Fields(4))),
            ("0 0 3 * * 1", Err(Unfit::Fields(6))),
            ("0 3 * * 1 UTC", Err(Unfit::Fields(6))),
            ("@daily", Err(Unfit::Fields(1))),
            ("", Err(Unfit::Fields(0))),
        ];
        for (cron, expected) in table {
            assert_eq!(examine(cron), expected, "{cron}");
        }
    }

    #[test]
    fn an_unknown_zone_never_fires() {
        assert_eq!(next("0 3 * * 1", "Europe/Pariss", 0), None);
        assert!(zones().iter().any(|zone| zone == "Europe/Paris"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(cron in "[0-9*/,LW#A-Za-z?-]{0,6}( [0-9*/,LW#A-Z-]{0,5}){3,5}", after in any::<i64>()) {
            let _ = examine(&cron);
            let _ = next(&cron, "Europe/Paris", after);
        }

        #[test]
        fn times_rise_and_are_a_minute_apart(
            minute in prop_oneof!["[0-5]?[0-9]", Just("*".to_owned()), Just("*/7".to_owned())],
            hour in prop_oneof!["1?[0-9]", Just("*".to_owned()), Just("*/5".to_owned()), Just("0-4".to_owned())],
            zone in prop_oneof![Just("Europe/Paris"), Just("America/New_York"), Just("Australia/Lord_Howe"), Just("UTC")],
            start in 1_600_000_000_000i64..1_800_000_000_000,
        ) {
            let cron = format!("{minute} {hour} * * *");
            let mut at = start;
            for round in 0..40 {
                let later = next(&cron, zone, at);
                prop_assert!(later.is_some(), "{cron} in {zone} after {at}");
                let later = later.unwrap_or(at);
                prop_assert!(later > at && (round == 0 || later - at >= 60_000), "{cron} in {zone}: {at} then {later}");
                at = later;
            }
        }
    }
}
