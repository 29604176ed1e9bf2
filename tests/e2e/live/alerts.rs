//! Alerts: who is told what, and who is not told where.

use super::hook::Hook;
use super::probe_project;
use super::served::{Served, eventually};
use serde_json::Value;

const MINUTE: i64 = 60_000;
/// 1 January 2024.
const START: i64 = 1_704_067_200_000;

/// Silence is a breach here, so that nobody has to ask anything.
const MONITOR: &str = "secret chat = file(\"chat.txt\")\n\nmonitor health of production {\n  every 1m over 1m\n  on_no_data = fail\n  \
                       watch error_rate <= 1%\n  on breach {\n    alert slack(chat)\n    alert webhook(\"HOOK\")\n  }\n}";

#[test]
fn people_are_told_at_a_secret_address_and_programs_all_that_is_known() {
    let (people, program) = (Hook::start(0), Hook::start(0));
    let space = probe_project("  replace", &MONITOR.replace("HOOK", program.url()));
    // There at first is what is no address; the right one comes before the second attempt.
    space.write("chat.txt", "ask Jo for it\n");
    space.mlp(&["check", "bikes.mlp", "--deny", "warnings", "--allow", "ungated-deployment"]).exits(0);
    let served = Served::start(&space, &["bikes.mlp", "--virtual-from", "2024-01-01"]);
    space.mlp(&["run", "bikes.mlp"]).exits(0);
    served.advance(START + 2 * MINUTE);
    let body = eventually("an alert for the program", &space, || program.last());
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((&body["monitor"], &body["model"], &body["version"]), (&"health".into(), &"demand".into(), &1.into()));
    assert_eq!(people.last(), None);

    space.write("chat.txt", format!("{}\n", people.url()));
    served.advance(START + 3 * MINUTE);
    let body = eventually("an alert for people", &space, || people.last());
    let body: Value = serde_json::from_str(&body).expect("JSON");
    let text = body["text"].as_str().expect("a text");
    let (head, watch) = text.split_once("\n• ").expect("a breached watch");
    assert_eq!(
        head,
        "*health* is breached: deployment `production`, model `demand` version 1, 2024-01-01 00:00 UTC to 2024-01-01 00:01 UTC"
    );
    assert!(watch.contains("error_rate"), "{watch}");
    assert_eq!(served.stop(), Some(0));

    let log = space.read("serve.log");
    let why = "the address in file(\"chat.txt\") could not be told: what is found there is not an address";
    assert!(log.contains(why), "{log}");
    let state = space.files(".mlp");
    assert!(state.iter().any(|file| file.as_str() == "live/journal"), "{state:?}");
    for file in state.iter().map(|file| format!(".mlp/{file}")).chain(["serve.log".to_owned()]) {
        let bytes = std::fs::read(space.path(&file)).unwrap_or_default();
        let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!holds(people.url()) && !holds("ask Jo"), "{file} tells the secret");
    }
}

#[test]
fn a_secret_address_is_not_in_what_is_said_about_a_failure() {
    // Nobody listens there.
    let space = probe_project("  replace", &MONITOR.replace("    alert webhook(\"HOOK\")\n", ""));
    space.write("chat.txt", "http://127.0.0.1:9/t0ken");
    let served = Served::start(&space, &["bikes.mlp", "--virtual-from", "2024-01-01"]);
    space.mlp(&["run", "bikes.mlp"]).exits(0);
    served.advance(START + 2 * MINUTE);
    let told = || space.read("serve.log").contains("could not be told").then_some(());
    eventually("the failure", &space, told);
    assert_eq!(served.stop(), Some(0));
    let log = space.read("serve.log");
    assert!(!log.contains("t0ken") && !log.contains("127.0.0.1:9/"), "{log}");
}
