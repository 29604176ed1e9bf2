//! What gates ask people, and where they stand.

use super::text::{BAD, GOOD, clean, plural, some_of, styled};
use super::time;
use mlp_core::approval::{Answer, Standing};
use mlp_core::clock::rfc3339;
use mlp_core::record::Millis;
use mlp_core::view::RunView;
use serde_json::{Value, json};

/// What an answer came to.
pub fn told(run: &RunView, gate: &str, answer: &Answer, standing: &Standing, is_live: bool, now: Millis) -> String {
    let number = run.started.run;
    let said = if answer.yes { styled(GOOD, "yes") } else { styled(BAD, "no") };
    let mut text = format!("{} said {said} to {} of run {number}\n", clean(&answer.person), clean(gate));
    text.push_str(&match standing {
        Standing::Yes => format!("gate {} has all it asks for\n", clean(gate)),
        Standing::No(why) => format!("gate {} says no: {}\n", clean(gate), clean(why)),
        Standing::Open { .. } => format!("gate {} waits for {}\n", clean(gate), waits_for(standing, now)),
    });
    match (standing, is_live) {
        (Standing::Open { .. }, _) | (_, true) => {}
        _ => text.push_str(&format!("next:  mlp retry {number} goes on\n")),
    }
    text
}

/// `1 more of ml-lead, domain-risk, within 2d 3h`
pub fn waits_for(standing: &Standing, now: Millis) -> String {
    let Standing::Open { needs, until } = standing else { return String::new() };
    let needs = needs.iter().map(|(count, people)| match people.as_slice() {
        [one] => clean(one).into_owned(),
        many => format!("{} of {}", plural(*count as usize, "answer"), some_of(many.iter().map(String::as_str))),
    });
    let mut text = needs.collect::<Vec<_>>().join(", and ");
    if let Some(until) = until {
        text.push_str(&format!(", within {}", time::took(until.saturating_sub(now).max(0))));
    }
    text
}

/// The same for programs.
pub fn json(run: &RunView, gate: &str, answers: &[Answer], standing: &Standing) -> Value {
    let (word, why, needs, until) = match standing {
        Standing::Yes => ("yes", None, Vec::new(), None),
        Standing::No(why) => ("no", Some(why.clone()), Vec::new(), None),
        Standing::Open { needs, until } => ("open", None, needs.clone(), *until),
    };
    json!({
        "schema": "mlp.approval/1",
        "run": run.started.run,
        "gate": gate,
        "standing": word,
        "why": why,
        "needs": needs.iter().map(|(count, people)| json!({"count": count, "of": people})).collect::<Value>(),
        "until": until.map(rfc3339),
        "answers": answers.iter().map(self::answer).collect::<Value>(),
    })
}

/// One answer.
pub fn answer(answer: &Answer) -> Value {
    json!({
        "person": answer.person,
        "yes": answer.yes,
        "note": answer.note,
        "by": answer.by,
        "at": rfc3339(answer.at),
    })
}
