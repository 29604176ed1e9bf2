//! What gates ask people, and what people said.
//!
//! A question is a record of the run that asks; an answer is a file in that run's folder, durable before whoever gave it is
//! told that it was taken: it is there whether an engine looks now, in a moment, or when the run is taken up again. The journal
//! of the run that hears it then says so.
//!
//! An answer is about evidence: the numbers that the gate measured and the bytes that it lets through. A later run that
//! comes to the same evidence finds the answers that were given; one that comes to other evidence asks anew.

use crate::disk::{At, DiskError, make_folders, sync_folder};
use crate::project::{Project, file_name};
use crate::record::Millis;
use mlp_lang::pipeline::Approval;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// In whose name: as the gate names people.
    pub person: String,
    /// Yes or no.
    pub yes: bool,
    /// What they had to say about it.
    pub note: Option<String>,
    /// The account and the machine that it came from. Nobody proves who sits there.
    pub by: String,
    /// When.
    pub at: Millis,
}

/// Where a gate stands with the people that it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Everybody who is needed said yes.
    Yes,
    /// It cannot become a yes any more: why, in words.
    No(String),
    /// It waits.
    Open {
        /// Of each question that is open, how many more are needed, of whom.
        needs: Vec<(u32, Vec<String>)>,
        /// When it becomes a no by itself.
        until: Option<Millis>,
    },
}

/// What the answers come to, of questions that were asked at `since`. Of each person the first answer counts; a no of
/// somebody without whom there are not enough is a no.
pub fn standing(approvals: &[Approval], answers: &[Answer], since: Millis, now: Millis) -> Standing {
    let (mut needs, mut until) = (Vec::new(), None::<Millis>);
    for approval in approvals {
        let of = |person: &&String| answers.iter().find(|answer| answer.person == **person);
        let said =
            |wanted: bool| approval.people.iter().filter(move |person| of(person).is_some_and(|it| it.yes == wanted));
        let (yes, no) = (said(true).count(), said(false).count());
        let count = approval.count as usize;
        if yes >= count {
            continue;
        }
        if approval.people.len() - no < count {
            let who: Vec<String> = said(false).cloned().collect();
            return Standing::No(format!("{} said no", who.join(" and ")));
        }
        let end = approval.within.map(|within| since.saturating_add(within / 1_000_000));
        if end.is_some_and(|end| now >= end) {
            let missing = count - yes;
            return Standing::No(format!("{missing} more of {} did not answer in time", approval.people.join(", ")));
        }
        until = until.into_iter().chain(end).min();
        let open = approval.people.iter().filter(|person| of(person).is_none()).cloned().collect();
        needs.push(((count - yes) as u32, open));
    }
    if needs.is_empty() { Standing::Yes } else { Standing::Open { needs, until } }
}

/// Keeps an answer. The first one of a person stands: `Some` is what they said before.
pub fn answer(project: &Project, run: u64, gate: &str, answer: &Answer) -> Result<Option<Answer>, DiskError> {
    let folder = folder(project, run, gate);
    make_folders(&folder)?;
    let path = folder.join(file_name(&answer.person));
    // Written aside and then given its name, so that nobody reads half of it and nobody's answer is replaced.
    let aside = folder.join(format!("{}.{}.new", file_name(&answer.person), std::process::id()));
    let text = serde_json::to_vec(answer).map_err(std::io::Error::from).at("write", &path)?;
    let mut file = File::create(&aside).at("write", &aside)?;
    file.write_all(&text).and_then(|()| file.sync_all()).at("write", &aside)?;
    let linked = std::fs::hard_link(&aside, &path);
    let _ = std::fs::remove_file(&aside);
    match linked {
        Ok(()) => sync_folder(&folder).map(|()| None),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Ok(answers(project, run, gate)?.into_iter().find(|known| known.person == answer.person))
        }
        Err(error) => Err(error).at("write", &path),
    }
}

/// Every answer that was given, in the order in which they were.
pub fn answers(project: &Project, run: u64, gate: &str) -> Result<Vec<Answer>, DiskError> {
    let folder = folder(project, run, gate);
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).at("list", &folder),
    };
    let mut answers: Vec<Answer> = Vec::new();
    for entry in entries.flatten() {
        // What is not a whole answer is none: an answer is there or not.
        let bytes = std::fs::read(entry.path()).unwrap_or_default();
        if entry.path().extension().is_none()
            && let Ok(answer) = serde_json::from_slice::<Answer>(&bytes)
        {
            answers.push(answer);
        }
    }
    answers.sort_by(|a, b| (a.at, &a.person).cmp(&(b.at, &b.person)));
    Ok(answers)
}

/// Whether somebody answered something that this run asked: its folder is needed as long as the run is.
pub(crate) fn was_asked(project: &Project, run: u64) -> bool {
    project.run(run).join("approvals").exists()
}

fn folder(project: &Project, run: u64, gate: &str) -> PathBuf {
    project.run(run).join("approvals").join(file_name(gate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlp_lang::span::Span;

    fn asks(count: u32, people: &[&str], within: Option<i64>) -> Approval {
        let people = people.iter().map(|person| (*person).to_owned()).collect();
        Approval { count, people, within, span: Span::default() }
    }

    fn said(person: &str, yes: bool) -> Answer {
        Answer { person: person.to_owned(), yes, note: None, by: "u@h".to_owned(), at: 5 }
    }

    fn open(count: u32, people: &[&str]) -> Standing {
        let people = people.iter().map(|person| (*person).to_owned()).collect();
        Standing::Open { needs: vec![(count, people)], until: None }
    }

    #[test]
    fn enough_yes_is_a_yes_and_too_many_no_is_a_no() {
        let two_of_three = [asks(2, &["a", "b", "c"], None)];
        let now = |answers: &[Answer]| standing(&two_of_three, answers, 0, 10);
        assert_eq!(now(&[]), open(2, &["a", "b", "c"]));
        assert_eq!(now(&[said("a", true)]), open(1, &["b", "c"]));
        assert_eq!(now(&[said("a", true), said("b", false)]), open(1, &["c"]));
        assert_eq!(now(&[said("a", true), said("c", true)]), Standing::Yes);
        assert_eq!(now(&[said("a", false), said("b", false)]), Standing::No("a and b said no".to_owned()));
        assert_eq!(now(&[said("x", true), said("y", true)]), open(2, &["a", "b", "c"]), "nobody asked them");
    }

    #[test]
    fn all_questions_must_be_answered_and_in_time() {
        let second = 1_000_000_000;
        let both = [asks(1, &["a"], Some(second)), asks(1, &["b"], None)];
        let at = |answers: &[Answer], now| standing(&both, answers, 100, now);
        assert_eq!(at(&[said("a", true)], 99_999), open(1, &["b"]));
        assert_eq!(at(&[said("a", true), said("b", true)], 99_999), Standing::Yes);
        let late = Standing::No("1 more of a did not answer in time".to_owned());
        assert_eq!(at(&[said("b", true)], 1_100), late);
        let Standing::Open { until, .. } = at(&[], 1_099) else { panic!("it is open") };
        assert_eq!(until, Some(1_100));
    }

    #[test]
    fn the_first_answer_of_a_person_stands() {
        let top = tempfile::tempdir().unwrap();
        let project = Project::at(top.path().join(".mlp"));
        let kept = |it: &Answer| answer(&project, 3, "quality", it).unwrap();
        assert_eq!(answers(&project, 3, "quality").unwrap(), []);
        assert_eq!(kept(&said("ml-lead", true)), None);
        assert_eq!(kept(&said("ml-lead", false)), Some(said("ml-lead", true)));
        assert_eq!(kept(&said("domain risk", false)), None);
        let people: Vec<(String, bool)> =
            answers(&project, 3, "quality").unwrap().into_iter().map(|it| (it.person, it.yes)).collect();
        assert_eq!(people, [("domain risk".to_owned(), false), ("ml-lead".to_owned(), true)]);
    }
}
