//! `mlp approve`: says yes or no, in a name that a gate asks for.

use super::{now, project_here};
use crate::args::Approve;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::approvals;
use crate::render::text::some_of;
use crate::screen::Screen;
use mlp_core::approval::{self, Answer, Standing};
use mlp_core::error::EngineError;
use mlp_core::history::History;
use mlp_core::record::Question;
use mlp_core::view::{NodeState, NodeView, RunView};
use mlp_data::nearest;

/// Keeps the answer, and says where the gate stands then.
pub fn approve(screen: &Screen, args: &Approve) -> Result<Exit, Fault> {
    let project = project_here(&screen.options)?;
    let history = History::open(&project);
    let run = history.run(&args.run)?;
    let (node, question) = asking(&run, args.gate.as_deref())?;
    let person = person(&question, &args.name)?;
    let by = format!("{}@{}", std::env::var("USER").unwrap_or_else(|_| "unknown".to_owned()), mlp_core::host::name());
    let answer = Answer { person, yes: !args.reject, note: args.note.clone(), by, at: now() };
    let before = approval::answer(&project, question.run, &node.name, &answer).map_err(EngineError::from)?;
    if let Some(before) = before.filter(|before| before.yes != answer.yes) {
        let said = if before.yes { "yes" } else { "no" };
        return Err(Fault::new(format!("{} said {said} already: the first answer stands", before.person))
            .safe("nothing was changed")
            .next("to be asked again, change what is measured, and run the pipeline"));
    }
    let answers = approval::answers(&project, question.run, &node.name).map_err(EngineError::from)?;
    let standing = approval::standing(&question.approvals, &answers, question.since, now());
    if screen.is_json() {
        screen.print_json(&approvals::json(&run, &node.name, &answers, &standing), false)?;
    } else {
        let is_live = history.live()?.is_some_and(|holder| holder.run == Some(run.started.run));
        screen.print(&approvals::told(&run, &node.name, &answer, &standing, is_live, now()))?;
    }
    Ok(match standing {
        Standing::Open { .. } => Exit::Waiting,
        Standing::Yes | Standing::No(_) => Exit::Done,
    })
}

/// The gate that waits: the one that is named, or the only one.
fn asking<'a>(run: &'a RunView, gate: Option<&str>) -> Result<(&'a NodeView, Question), Fault> {
    let number = run.started.run;
    let waiting: Vec<&NodeView> = run.nodes.iter().filter(|node| node.state == NodeState::Asking).collect();
    let names = || waiting.iter().map(|node| node.name.as_str());
    let node = match (gate, waiting.as_slice()) {
        (_, []) => {
            return Err(Fault::new(format!("no gate of run {number} waits for anybody"))
                .safe("nothing was changed")
                .next("`mlp status` says what waits"));
        }
        (None, [one]) => *one,
        (None, _) => {
            return Err(Fault::usage(format!("several gates of run {number} wait"))
                .next(format!("name one: {}", some_of(names()))));
        }
        (Some(name), _) => *waiting.iter().find(|node| node.name == name).ok_or_else(|| {
            Fault::usage(format!("`{name}` is no gate of run {number} that waits")).next(match nearest(name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("these wait: {}", some_of(names())),
            })
        })?,
    };
    match &node.question {
        Some(question) => Ok((node, question.clone())),
        None => Err(Fault::new(format!("run {number} does not say whom `{}` asks", node.name))),
    }
}

/// The name as the gate has it.
fn person(question: &Question, name: &str) -> Result<String, Fault> {
    let people = || question.approvals.iter().flat_map(|approval| &approval.people).map(String::as_str);
    match people().find(|person| *person == name) {
        Some(person) => Ok(person.to_owned()),
        None => Err(Fault::usage(format!("nobody asks `{name}`")).next(match nearest(name, people()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("these are asked: {}", some_of(people())),
        })),
    }
}
