//! The loop of the example, through nine months of 2011: learnt, served, watched, learnt anew when the season turns.

use super::served::free_port;
use crate::space::Space;
use mlp_core::project::Project;
use mlp_core::record::Outcome;
use mlp_live::home::Home;
use mlp_live::machine::monitor::{Event, WatchVerdict};
use mlp_live::machine::{Entry, Live, What, retrain};
use std::collections::{BTreeMap, BTreeSet};

const DAY: i64 = 86_400_000;
/// The first moment that is played: 2011-04-01T00:00:00Z.
const APRIL: i64 = 1_301_616_000_000;
const MAY: i64 = APRIL + 30 * DAY;

/// A judged window.
struct Window {
    to: i64,
    version: u64,
    watches: Vec<WatchVerdict>,
}

impl Window {
    fn is_breached(&self) -> bool {
        self.watches.iter().any(|watch| watch.held == Some(false))
    }
}

/// A project that lived through the year.
struct Year {
    space: Space,
    entries: Vec<Entry>,
}

impl Year {
    fn replayed() -> Year {
        let space = Space::with_example("bikeshare");
        space.replace("bikeshare.mlp", "port: 8080", &format!("port: {}", free_port()));
        let arguments =
            ["replay", "data/hours.csv", "--through", "bikeshare.mlp", "--from", "2011-04-01", "--at", "max"];
        let ran = space.mlp(&[&arguments[..], &["--output", "json"]].concat()).exits(0);
        let last = ran.stdout().lines().last().expect("a last line").to_owned();
        let played: serde_json::Value = serde_json::from_str(&last).expect("JSON");
        assert_eq!((&played["schema"], &played["failed"]), (&"mlp.replay/1".into(), &0.into()), "{played}");
        assert_eq!(played["answered"], 6_578, "{played}");
        let entries = Home::of(&Project::at(space.path(".mlp"))).entries().expect("a readable journal");
        Year { space, entries }
    }

    fn windows(&self) -> Vec<Window> {
        let judged = |entry: &Entry| match &entry.what {
            What::Monitor { event: Event::Judged { window, version, watches }, .. } => {
                Some(Window { to: window.to, version: *version, watches: watches.clone() })
            }
            _ => None,
        };
        self.entries.iter().filter_map(judged).collect()
    }

    /// The key of each retraining and when it was started.
    fn retrainings(&self) -> Vec<(i64, String)> {
        let started = |entry: &Entry| match &entry.what {
            What::Retrain { key, event: retrain::Event::Started { run: None } } => Some((entry.at, key.clone())),
            _ => None,
        };
        self.entries.iter().filter_map(started).collect()
    }

    /// Each change of who answers: when, the stable version, the candidate and its share of the requests in percent.
    fn answering(&self) -> Vec<Answering> {
        let mut live = Live::default();
        let mut changes: Vec<Answering> = Vec::new();
        for entry in &self.entries {
            live.apply(entry).expect("a journal that can have happened");
            let routes = live.routes("production");
            let candidate = routes.candidate.map(|(version, share)| (version, (share * 100.0).round() as u32));
            if changes.last().is_none_or(|(_, stable, last)| (*stable, *last) != (routes.stable, candidate)) {
                changes.push((entry.at, routes.stable, candidate));
            }
        }
        changes.retain(|(_, stable, _)| stable.is_some());
        changes
    }

    /// What happened, in words.
    fn story(&self) -> Vec<String> {
        let live = Live::fold(&self.entries).expect("a journal that can have happened");
        // Processes differ, what they do must not.
        let told = live.story().iter().filter(|told| told.about != "mlp serve");
        told.map(|told| format!("{} {told}", told.at)).collect()
    }
}

type Answering = (i64, Option<u64>, Option<(u64, u32)>);

#[test]
fn the_season_turns_and_the_loop_follows_it_through_the_year() {
    let year = Year::replayed();
    the_first_alarm_comes_when_april_ends(&year);
    three_breaches_in_a_row_bring_a_retraining_that_its_gate_lets_through(&year);
    the_new_version_takes_over_in_steps_of_a_day(&year);
    what_is_watched_is_compared_with_what_the_new_version_learnt_from(&year);
    the_page_names_each_version_and_each_watch(&year);

    // The same data gives the same story.
    assert_eq!(Year::replayed().story(), year.story());
}

fn the_first_alarm_comes_when_april_ends(year: &Year) {
    let windows = year.windows();
    let april = windows.iter().filter(|window| window.to <= APRIL + 21 * DAY);
    assert!(april.clone().count() >= 20, "a window a day");
    assert!(april.clone().all(|window| !window.is_breached()), "an alarm in the first three weeks");
    let first = windows.iter().find(|window| window.is_breached()).expect("an alarm");
    assert!(first.to <= MAY, "the first alarm came only at {}", first.to);
}

fn three_breaches_in_a_row_bring_a_retraining_that_its_gate_lets_through(year: &Year) {
    let (windows, retrainings) = (year.windows(), year.retrainings());
    for (at, key) in &retrainings {
        let before: Vec<&Window> = windows.iter().filter(|window| window.to <= *at).collect();
        assert!(before.iter().rev().take(3).all(|window| window.is_breached()), "{key}");
    }
    let (at, key) = retrainings.first().expect("a retraining");
    let breaches = windows.iter().filter(|window| window.to <= *at && window.is_breached()).count();
    assert_eq!(breaches, 3, "the third breach is enough");

    let run = year.space.history().triggered(key).expect("readable journals").expect("its run");
    assert_eq!((run.outcome, run.models.as_slice()), (Some(Outcome::Succeeded), &[("demand".to_owned(), 2)][..]));
    let view = year.space.history().run(&run.run.to_string()).expect("the run");
    let gate = view.node("challenger").expect("its gate");
    let champion = gate.verdicts.get(1).and_then(|verdict| verdict.measured.first()).expect("against the champion");
    assert!(champion.value.is_some() && champion.threshold.is_some() && champion.held, "{champion:?}");
}

fn the_new_version_takes_over_in_steps_of_a_day(year: &Year) {
    let answering = year.answering();
    let begun = answering.iter().position(|(_, _, candidate)| candidate.is_some()).expect("a rollout");
    let steps: Vec<_> = answering[begun..].iter().take(3).map(|(_, stable, candidate)| (*stable, *candidate)).collect();
    assert_eq!(steps, [(Some(1), Some((2, 25))), (Some(1), Some((2, 50))), (Some(2), None)]);
    let (retrained, _) = year.retrainings()[0];
    let times: Vec<i64> = answering[begun..].iter().take(3).map(|(at, _, _)| (at - retrained) / DAY).collect();
    assert_eq!(times, [0, 1, 2], "in days after the retraining");

    let served: BTreeSet<u64> = answering.iter().filter_map(|(_, stable, _)| *stable).collect();
    assert!(served.len() >= 3, "{served:?}");
}

fn what_is_watched_is_compared_with_what_the_new_version_learnt_from(year: &Year) {
    let mut learnt_from: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for window in year.windows() {
        let rows = window.watches.iter().map(|watch| watch.reference_rows).filter(|rows| *rows > 0);
        learnt_from.entry(window.version).or_default().extend(rows);
    }
    assert!(learnt_from.values().all(|rows| rows.len() == 1), "one reference for each version: {learnt_from:?}");
    assert_ne!(learnt_from[&1], learnt_from[&2]);

    // Against the new reference all is well again.
    let (_, key) = &year.retrainings()[0];
    let quiet: Vec<bool> =
        year.windows().iter().filter(|window| window.version == 2).take(14).map(Window::is_breached).collect();
    assert_eq!(quiet, [false; 14], "after {key}");
}

fn the_page_names_each_version_and_each_watch(year: &Year) {
    year.space.mlp(&["story", "bikeshare", "--html", "-O", "page.html"]).exits(0);
    let page = year.space.read("page.html");
    for version in year.answering().iter().filter_map(|(_, stable, _)| *stable) {
        assert!(page.contains(&format!("demand@{version}")), "version {version}");
    }
    for watch in year.windows().iter().flat_map(|window| &window.watches) {
        let text = watch.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        assert!(page.contains(&text), "{text}");
    }
}
