//! What people ask of a deployment, and what the audit log says of it.

use super::rollouts::{patient_project, reaches, serving_the_first, status};
use super::served::Served;
use crate::space::Space;
use mlp_core::project::Project;
use mlp_live::home::Home;
use mlp_live::machine::What;

/// Who we are, as the system says.
fn me() -> String {
    let said = std::process::Command::new("id").arg("-un").output().expect("id starts");
    match said.status.success() {
        true => String::from_utf8_lossy(&said.stdout).trim().to_owned(),
        false => format!("user {}", rustix::process::getuid().as_raw()),
    }
}

/// Everything that was asked: who, what, and why it was refused.
fn audit_log(space: &Space) -> Vec<(String, &'static str, Option<String>)> {
    let entries = Home::of(&Project::at(space.path(".mlp"))).entries().expect("a readable journal");
    let asked = entries.into_iter().filter_map(|entry| match entry.what {
        What::Asked { who, what, refused, .. } => Some((who, what.word(), refused)),
        _ => None,
    });
    asked.collect()
}

#[test]
fn whatever_people_ask_is_done_or_refused_and_written_down_with_who_asked() {
    let space = patient_project("  canary {\n    5% until promoted\n    50% until promoted\n    100%\n  }", "");
    let _served = serving_the_first(&space, &[]);
    let done = |what: &str, state: &str| {
        space.mlp(&["deploy", what, "production"]).exits(0);
        reaches(&space, state)
    };
    let refused = |arguments: &[&str], why: &str| {
        let said = space.mlp(&[&["deploy"], arguments].concat()).exits(1).says(&format!("not done: {why}"));
        said.says("the request is in the audit log").says("`mlp deploy status production` tells how it stands");
    };

    for what in ["promote", "pause", "resume", "abort"] {
        refused(&[what, "production"], "nothing is being rolled out");
    }
    refused(&["rollback", "production"], "no version was stable before demand@1");
    refused(&["retry", "production"], "nothing was rejected");

    space.mlp(&["run", "bikes.mlp", "-p", "value=2.0"]).exits(0);
    reaches(&space, "awaiting_promotion");
    refused(&["resume", "production"], "it is not paused");
    refused(&["retry", "production"], "demand@2 is on its way");
    done("pause", "paused");
    refused(&["pause", "production"], "it is paused already");
    done("resume", "awaiting_promotion");
    let promoted = done("promote", "awaiting_promotion");
    assert_eq!(promoted["routes"]["candidate"]["share"], 0.5, "{promoted}");
    let aborted = done("abort", "serving");
    assert_eq!((&aborted["stable"], &aborted["rejected"][0]["version"]), (&1.into(), &2.into()), "{aborted}");

    let again = done("retry", "awaiting_promotion");
    assert_eq!(again["routes"]["candidate"]["share"], 0.05, "{again}");
    done("promote", "awaiting_promotion");
    assert_eq!(done("promote", "serving")["stable"], 2);
    refused(&["rollback", "production", "--to", "9"], "demand@9 was never stable in `production`");
    refused(&["rollback", "production", "--to", "2"], "demand@2 is stable already");
    assert_eq!(done("rollback", "serving")["stable"], 1);

    let log = audit_log(&space);
    let me = me();
    assert!(log.iter().all(|(who, ..)| *who == me), "{me}: {log:?}");
    let carried_out: Vec<&str> = log.iter().filter(|(.., why)| why.is_none()).map(|(_, what, _)| *what).collect();
    let expected = ["pause", "resume", "promote", "abort", "retry", "promote", "promote", "rollback"];
    assert_eq!(carried_out, expected);
    assert_eq!(log.len() - carried_out.len(), 11, "{log:?}");

    // The same for people, in the order in which it happened.
    let history = space.mlp(&["deploy", "history", "production"]).exits(0).stdout();
    let mut rest = history.as_str();
    for words in [
        format!("{me} asked for promote, refused: nothing is being rolled out"),
        format!("{me} asked for rollback, refused: no version was stable before demand@1"),
        format!("demand@2 paused by {me}"),
        format!("{me} asked for pause, refused: it is paused already"),
        format!("demand@2 resumed by {me}"),
        format!("demand@2 promoted by {me}"),
        format!("demand@2 aborted: by {me}"),
        format!("demand@2 offered again by {me}"),
        "demand@2 is stable, demand@1 no longer".to_owned(),
        format!("back to demand@1: by {me}"),
    ] {
        let at = rest.find(&words).unwrap_or_else(|| panic!("{words:?} does not come where it should:\n{history}"));
        rest = &rest[at + words.len()..];
    }
}

#[test]
fn asking_nobody_says_how_to_have_somebody() {
    let space = patient_project("  replace", "");
    space
        .mlp(&["deploy", "promote", "production"])
        .exits(1)
        .says("no resident engine")
        .says("`mlp serve` lets it live");
    space.mlp(&["deploy", "status"]).exits(0).says("nothing is deployed in this project");
    space.mlp(&["deploy", "history", "production"]).exits(2).says("nothing is deployed in this project");

    let _served = Served::start(&space, &["bikes.mlp"]);
    space.mlp(&["deploy", "promote", "productoin"]).exits(1).says("productoin").says("`production`");
    space.mlp(&["deploy", "status", "productoin"]).exits(2).says("there is production");
}

#[test]
fn a_run_without_a_resident_engine_waits_for_the_next_one_and_with_one_is_handed_over() {
    let space = patient_project("  replace", "");
    let alone = space.mlp(&["run", "bikes.mlp"]).exits(4);
    let alone = alone.says("demand version 1 waits for the resident engine, which is not running");
    alone.says("mlp serve bikes.mlp takes it up");

    let served = Served::start(&space, &["bikes.mlp"]);
    assert_eq!(reaches(&space, "serving")["stable"], 1);
    assert_eq!(served.predict(1.0).version, Some(1));

    let told = space.mlp(&["run", "bikes.mlp", "-p", "value=2.0"]).exits(0);
    told.says(&format!("demand version 2 handed over to the resident engine (process {})", served.pid()));
    let end = super::served::eventually("version 2", &space, || {
        Some(status(&space, "production")).filter(|it| it["stable"] == 2)
    });
    assert_eq!(end["state"], "serving", "{end}");
    assert_eq!(served.predict(1.0).version, Some(2));

    // One that has ended is nobody.
    assert_eq!(served.stop(), Some(0));
    space.mlp(&["run", "bikes.mlp", "-p", "value=3.0"]).exits(4).says("demand version 3 waits");
    let served = Served::start(&space, &[]);
    super::served::eventually("version 3", &space, || (served.predict(1.0).version == Some(3)).then_some(()));
}
