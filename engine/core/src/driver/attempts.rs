//! Attempts under way: how they start, and what follows from what they came to.

use super::attempt::{Attempt, Attempted, Finished, Piece};
use super::work::EPOCH;
use super::{Collected, Driver, Task};
use crate::artifacts::Published;
use crate::canonical;
use crate::digest::Digest;
use crate::error::EngineError;
use crate::executor::{Began, Cancel};
use crate::fan::Collection;
use crate::project::file_name;
use crate::record::{Artifact, Failure, Millis, Record};
use crate::scheduler::{Cause, Event, Token};
use crate::verdict;
use crate::view::NodeState;
use mlp_lang::capability;
use mlp_lang::pipeline::NodeKind;
use mlp_lang::value::Value;
use std::sync::Arc;

/// How many members that failed are named.
const NAMED: usize = 3;

impl Driver {
    pub(super) fn start(&mut self, number: usize, token: Token) -> Result<(), EngineError> {
        let pipeline = self.pipeline.clone();
        let at = self.context.clock.now();
        let (node, member) = self.part(number);
        let piece = match (&pipeline.nodes[node].kind, member) {
            (NodeKind::Gate(gate), None) => {
                let (passed, verdicts) = verdict::judge_gate(gate, self, &pipeline);
                if passed && !gate.approvals.is_empty() {
                    return self.ask(node, token, gate, verdicts);
                }
                self.verdicts.insert(node, verdicts.clone());
                self.record(Record::GateJudged { node: self.name(node), passed, verdicts, at });
                self.keep(node, Arc::default());
                let event = if passed { Event::Succeeded { node, token } } else { Event::Refused { node, token } };
                self.events.push_back(event);
                return Ok(());
            }
            (NodeKind::Data(data), None) => Piece::Data(data.clone()),
            _ => match self.task(number) {
                Some(task) => Piece::Task(task),
                None => return Err(EngineError::Defect(format!("`{}` is no work", self.name(number)))),
            },
        };
        let manifest = self.manifest_bytes(number);
        let fingerprint = Digest::of(&manifest);
        let name = self.name(number);
        self.record(Record::NodeStarted { node: name.clone(), attempt: token.attempt, fingerprint, at });
        let cancel = Cancel::default();
        if self.context.cancel.is_set() {
            cancel.set();
        }
        self.running.0.insert(number, cancel.clone());
        let work = Attempt {
            context: self.context.clone(),
            name,
            piece,
            number,
            attempt: token.attempt,
            manifest,
            fingerprint,
            started: at,
            inputs: self.inputs(number)?,
            began: self.began(number, token),
            file: self.prepared[node].file.clone().filter(|_| member.is_none()),
            given: self.given_files(number),
            cancel,
        };
        self.tasks.spawn(async move { Task::Attempt(Box::new(work.make().await)) });
        Ok(())
    }

    /// Where an attempt says that its work begins. Nobody needs to know of one without a limit.
    fn began(&self, number: usize, token: Token) -> Began {
        let limits = capability::most(&self.pipeline.nodes[self.part(number).0]);
        if limits.is_none_or(|limits| limits.timeout.is_none()) {
            return Began::default();
        }
        let told = self.begun.0.clone();
        // Who does not listen any more does not mind.
        Began::telling(move || {
            let _ = told.send((number, token));
        })
    }

    pub(super) fn finished(&mut self, finished: Finished) {
        let Finished { number, attempt, fingerprint, manifest, started, judged, usage, result } = finished;
        let at = self.context.clock.now();
        let token = Token { epoch: EPOCH, attempt };
        self.running.0.remove(&number);
        if let Some((passed, verdicts)) = judged
            && !verdicts.is_empty()
        {
            self.record(Record::DataJudged { node: self.name(number), passed, verdicts, at });
        }
        if let Some(usage) = usage {
            self.usages.insert(number, usage);
        }
        match result {
            Attempted::Gave(published) => {
                self.done(number, attempt, (fingerprint, manifest), started, published);
                self.events.push_back(Event::Succeeded { node: number, token });
                self.share(number, fingerprint);
            }
            Attempted::Failed { failure, transient } => {
                self.failures.insert(number, (attempt, failure));
                self.events.push_back(Event::Failed { node: number, token, transient });
            }
        }
    }

    /// What it gave is published: written down with everything that others need to find it again.
    fn done(
        &mut self,
        number: usize,
        attempt: u32,
        (fingerprint, manifest): (Digest, Vec<u8>),
        started: Millis,
        published: Vec<Published>,
    ) {
        let outputs: Vec<Artifact> = published.iter().map(|it| it.artifact.clone()).collect();
        self.keep(number, Arc::new(outputs.clone()));
        let stamps = published.iter().map(|it| (it.artifact.digest, it.stamp)).collect();
        let files = published.into_iter().filter_map(|it| it.sync).collect();
        let (node, at, usage) = (self.name(number), self.context.clock.now(), self.usages.remove(&number));
        let record = Record::NodeDone { node, attempt, fingerprint, manifest, outputs, usage, started, at };
        self.record_with(record, files, stamps);
    }

    /// All members ended well: what they gave is put together.
    pub(super) fn collect(&mut self, node: usize) -> Result<(), EngineError> {
        let name = self.name(node);
        let NodeKind::Fan(fan) = &self.pipeline.nodes[node].kind else {
            return Err(EngineError::Defect(format!("`{name}` has no members")));
        };
        let members = self.scheduler.members(node);
        let given: Option<Vec<_>> = members.map(|member| self.outputs.get(member).cloned().flatten()).collect();
        let given = given.ok_or_else(|| EngineError::Defect(format!("a member of `{name}` gave nothing")))?;
        let Some(fan) = Some(fan.clone()).filter(|fan| fan.members.len() == given.len()) else {
            return Err(EngineError::Defect(format!("`{name}` has lost members")));
        };
        let folder = format!("{:06}-{}-each", self.context.run, file_name(&name));
        let collection = Collection {
            project: self.context.project.clone(),
            tables: self.context.parts.tables.clone(),
            fan,
            given,
            work: self.context.project.work().join(folder),
        };
        let started = self.context.clock.now();
        self.tasks.spawn(async move {
            let published = tokio::task::spawn_blocking(move || collection.make()).await;
            let published = published.unwrap_or_else(|error| {
                let message = format!("putting together what the members gave panicked: {error}");
                Err(Failure { message, findings: Vec::new(), kind: "operational".to_owned() })
            });
            Task::Collected(Box::new(Collected { node, started, published }))
        });
        Ok(())
    }

    pub(super) fn collected(&mut self, collected: Collected) {
        let Collected { node, started, published } = collected;
        match published {
            Ok(published) => {
                let manifest = self.manifest_bytes(node);
                let fingerprint = Digest::of(&manifest);
                self.done(node, 1, (fingerprint, manifest), started, published);
                self.events.push_back(Event::Collected(node));
                self.share(node, fingerprint);
                // What members gave is a part of what the whole gave.
                for member in self.scheduler.members(node) {
                    self.outputs[member] = None;
                }
            }
            Err(failure) => {
                self.failures.insert(node, (0, failure));
                self.events.push_back(Event::Wrong(node));
            }
        }
    }

    pub(super) fn record_failure(&mut self, number: usize, retry_at: Option<Millis>, cause: Cause, at: Millis) {
        let known = self.failures.remove(&number);
        let failure = match self.explained(number, cause) {
            Some(failure) => Some((known.map_or(0, |(attempt, _)| attempt), failure)),
            None => known,
        };
        if let Some((attempt, failure)) = failure {
            let (node, usage) = (self.name(number), self.usages.remove(&number));
            self.record(Record::NodeFailed { node, attempt, failure, usage, retry_at, at });
        }
    }

    /// What is said of a failure whose cause is not what an attempt answered.
    fn explained(&self, number: usize, cause: Cause) -> Option<Failure> {
        let failure = |kind: &str, message| Failure { message, findings: Vec::new(), kind: kind.to_owned() };
        let limits = capability::most(&self.pipeline.nodes[self.part(number).0]);
        let time = |nanos| canonical::value(&Value::Duration(nanos));
        match cause {
            Cause::TimedOut => {
                let limit = limits?.timeout?;
                Some(failure("timed_out", format!("ran into its time limit of {}", time(limit))))
            }
            Cause::OutOfTime => {
                let limit = limits?.deadline?;
                let words = "was not done within its deadline, all attempts together, of";
                Some(failure("timed_out", format!("{words} {}", time(limit))))
            }
            Cause::Members => Some(failure("members", self.members_failed(number))),
            Cause::Itself | Cause::Lost | Cause::Cancelled => None,
        }
    }

    /// `2 of 10 values failed: part[0.1] (ran into ...), part[0.2] (...)`
    fn members_failed(&self, node: usize) -> String {
        let name = self.name(node);
        let members = self.view.node(&name).map_or(&[][..], |view| &view.members);
        let failed: Vec<_> = members.iter().filter(|member| member.state == NodeState::Failed).collect();
        let named = failed.iter().take(NAMED).map(|member| {
            let why = member.failure().map_or("", |failure| failure.message.lines().next().unwrap_or_default());
            format!("`{}`: {why}", member.name)
        });
        let more = if failed.len() > NAMED { "; ..." } else { "" };
        let all = self.scheduler.members(node).len();
        format!("{} of {all} values failed: {}{more}", failed.len(), named.collect::<Vec<_>>().join("; "))
    }
}
