//! Gates that ask people: what they are shown, what they said, what follows.
//!
//! A run does not stay for people: once nothing else is left to do it ends as waiting, and whoever takes it up again finds
//! what was said meanwhile. Answers that come while something else runs are heard at once.

use super::Driver;
use crate::approval::{self, Answer, Standing};
use crate::digest::Digest;
use crate::error::EngineError;
use crate::record::{Millis, Question, Record, Verdict};
use crate::scheduler::{Decision, Event, Life, Token, Wait};
use mlp_lang::pipeline::{Approval, GateNode, NodeKind};
use std::time::{Duration, Instant};

/// How often is looked whether somebody answered.
const GLANCE: Duration = Duration::from_millis(100);

/// A gate that waits for people.
pub(super) struct Asked {
    node: usize,
    question: Question,
    verdicts: Vec<Verdict>,
    heard: Vec<Answer>,
}

/// All of them, and when they were last looked at.
#[derive(Default)]
pub(super) struct Asking {
    asked: Vec<Asked>,
    looked: Option<Instant>,
}

impl Asking {
    /// The next look is due now.
    pub fn looked_long_ago(&mut self) {
        self.looked = None;
    }
}

impl Driver {
    /// Everything that a gate can measure holds: people are asked, or were, about the same evidence.
    pub(super) fn ask(
        &mut self,
        node: usize,
        token: Token,
        gate: &GateNode,
        verdicts: Vec<Verdict>,
    ) -> Result<(), EngineError> {
        let at = self.context.clock.now();
        let name = self.name(node);
        let evidence = self.evidence(node, gate, &verdicts);
        let earlier = self.context.store.question(&self.pipeline.name, &name)?;
        let question = match earlier.filter(|earlier| earlier.evidence == evidence) {
            Some(earlier) if !self.ran_out(&earlier, &name, at)? => earlier,
            _ => Question { run: self.context.run, since: at, evidence, approvals: gate.approvals.clone() },
        };
        self.record(Record::Asked { node: name, question: question.clone(), verdicts: verdicts.clone(), at });
        self.asking.asked.push(Asked { node, question, verdicts, heard: Vec::new() });
        self.asking.looked = None;
        self.events.push_back(Event::Awaits { node, token, wait: Wait::Person });
        Ok(())
    }

    /// Nobody said no to it, and nobody is asked any more: another run asks anew.
    fn ran_out(&self, question: &Question, gate: &str, now: Millis) -> Result<bool, EngineError> {
        let answers = approval::answers(&self.context.project, question.run, gate)?;
        let at = |time| approval::standing(&question.approvals, &answers, question.since, time);
        Ok(matches!((at(question.since), at(now)), (Standing::Open { .. }, Standing::No(_))))
    }

    /// Hears who answered meanwhile, and decides what is decided by that.
    pub(super) fn listen(&mut self) -> Result<(), EngineError> {
        if self.asking.asked.is_empty() || self.asking.looked.is_some_and(|looked| looked.elapsed() < GLANCE) {
            return Ok(());
        }
        self.asking.looked = Some(Instant::now());
        let now = self.context.clock.now();
        let mut open = Vec::new();
        for mut asked in std::mem::take(&mut self.asking.asked) {
            // A run that stops does not go on asking.
            if !matches!(
                self.scheduler.life(asked.node),
                Life::Queued { .. } | Life::Running { .. } | Life::Awaiting { .. }
            ) {
                continue;
            }
            let name = self.name(asked.node);
            let answers = approval::answers(&self.context.project, asked.question.run, &name)?;
            for answer in answers.iter().filter(|answer| !asked.heard.contains(answer)) {
                self.record(Record::Answered { node: name.clone(), answer: answer.clone(), at: now });
            }
            asked.heard = answers;
            let Question { approvals, since, .. } = &asked.question;
            match approval::standing(approvals, &asked.heard, *since, now) {
                Standing::Open { .. } => open.push(asked),
                Standing::Yes => self.decided(asked, None, now),
                Standing::No(why) => self.decided(asked, Some(why), now),
            }
        }
        self.asking.asked = open;
        Ok(())
    }

    fn decided(&mut self, asked: Asked, why_not: Option<String>, at: Millis) {
        let Asked { node, question, mut verdicts, heard } = asked;
        let passed = why_not.is_none();
        verdicts.extend(question.approvals.iter().map(|approval| said(approval, &heard, why_not.as_deref())));
        self.verdicts.insert(node, verdicts.clone());
        self.record(Record::GateJudged { node: self.name(node), passed, verdicts, at });
        self.keep(node, Default::default());
        let decision = if passed { Decision::Yes } else { Decision::No };
        self.events.push_back(Event::Decided { node, decision });
    }

    /// What an answer is about: what was measured, what the gate lets through, and who is asked how.
    fn evidence(&self, node: usize, gate: &GateNode, verdicts: &[Verdict]) -> Digest {
        let mut bytes = b"mlp evidence 1\n".to_vec();
        let mut add = |text: &str| {
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        };
        for verdict in verdicts {
            add(&verdict.text);
            for measured in &verdict.measured {
                add(&measured.text);
                add(&format!("{:?}", measured.value));
            }
        }
        for approval in &gate.approvals {
            add(&format!("{} of {:?} within {:?}", approval.count, approval.people, approval.within));
        }
        // The models and the deployments behind it, by the bytes that they would be.
        for behind in &self.pipeline.nodes {
            if let NodeKind::Model(model) = &behind.kind
                && model.gates.iter().any(|gate| gate.index() == node)
            {
                let artifact = crate::verdict::Given::artifact(self, model.source.node.index(), &model.source.output);
                add(&behind.name);
                add(&artifact.map_or(String::new(), |artifact| artifact.digest.to_string()));
            }
        }
        Digest::of(&bytes)
    }
}

/// A question with its answers, as a line of the gate's verdict.
fn said(approval: &Approval, answers: &[Answer], why_not: Option<&str>) -> Verdict {
    let of = |wanted: bool| {
        let people = answers.iter().filter(|answer| answer.yes == wanted && approval.people.contains(&answer.person));
        people.map(|answer| answer.person.as_str()).collect::<Vec<_>>()
    };
    let yes = of(true);
    let held = yes.len() >= approval.count as usize;
    let text = format!("approve by {} of {}", approval.count, approval.people.join(", "));
    let because = match (held, why_not) {
        (true, _) => Some(format!("approved by {}", yes.join(", "))),
        (false, Some(why)) => Some(why.to_owned()),
        (false, None) => None,
    };
    Verdict { text, because, held, waived: None, measured: Vec::new() }
}
