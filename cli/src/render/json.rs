//! Everything that is shown, for programs. The shapes are documented in `docs/cli.md`; a top-level object names its
//! schema, and a schema of one number only ever gains fields.
//!
//! Digests are hex, times RFC 3339, durations seconds, values plain JSON.

use super::nodes::{Evidence, state};
use super::{approvals, events, values};
use mlp_core::clock::rfc3339;
use mlp_core::estimate::Forecast;
use mlp_core::executor::Usage;
use mlp_core::history::RunSummary;
use mlp_core::lock::Holder;
use mlp_core::manifest::Fact;
use mlp_core::metrics::Metrics;
use mlp_core::plan::{Decision, Plan, Reason};
use mlp_core::record::{Artifact, Failure, Millis, ModelVersion, Question, Record, Trigger, Verdict};
use mlp_core::view::{Attempt, DeployRequest, MemberView, NodeView, Registration, RunView};
use mlp_core::why::Account;
use mlp_lang::finding::{Finding, Fix, Label, Place};
use mlp_lang::span::Source;
use serde_json::{Value, json};

/// `mlp.check/1`. `unreadable`: files that could not be read, and why.
pub fn check(files: usize, findings: &[Finding], sources: &[Source], unreadable: &[Value]) -> Value {
    json!({
        "schema": "mlp.check/1",
        "files": files,
        "errors": findings.iter().filter(|finding| finding.is_error()).count(),
        "warnings": findings.iter().filter(|finding| !finding.is_error()).count(),
        "findings": findings.iter().map(|one| finding(one, sources)).collect::<Value>(),
        "unreadable": unreadable,
    })
}

/// `mlp.plan/1`
pub fn plan(plan: &Plan, pipeline: &str, file: &str) -> Value {
    json!({
        "schema": "mlp.plan/1",
        "pipeline": pipeline,
        "file": file,
        "nodes": plan.nodes.iter().map(|node| {
            let mut object = json!({"name": node.name, "kind": node.kind, "what": node.what});
            extend(&mut object, decision(&node.decision));
            object
        }).collect::<Value>(),
        "counts": {
            "run": plan.nodes.iter().filter(|node| matches!(node.decision, Decision::Run { .. })).count(),
            "reuse": plan.nodes.iter().filter(|node| matches!(node.decision, Decision::Reuse { .. })).count(),
            "decide": plan.nodes.iter().filter(|node| matches!(node.decision, Decision::Decide)).count(),
            "skip": plan.nodes.iter().filter(|node| matches!(node.decision, Decision::Skip { .. })).count(),
        },
        "resident": plan.resident.iter().map(|node| json!({"name": node.name, "kind": node.kind})).collect::<Value>(),
    })
}

/// Adds to a plan how long it will take: to each node, and in all.
pub fn add_forecast(plan: &mut Value, forecast: &Forecast) {
    let told = forecast.nodes.iter().map(|took| took.map(|took| (seconds(took.median), took.runs)).unzip());
    for (node, (median, runs)) in plan["nodes"].as_array_mut().into_iter().flatten().zip(told) {
        node["seconds"] = json!(median);
        node["seconds_of_runs"] = json!(runs);
    }
    plan["estimate"] = json!({
        "jobs": forecast.jobs,
        "seconds": seconds(forecast.packed),
        "work_seconds": seconds(forecast.work),
        "longest_chain_seconds": seconds(forecast.critical),
        "unknown": forecast.unknown,
    });
}

/// `mlp.cancel/1`. `ended`: the run, if its end was waited for.
pub fn cancel(run: u64, ended: Option<&RunView>) -> Value {
    json!({
        "schema": "mlp.cancel/1",
        "run": run,
        "outcome": ended.map(|view| outcome_or(view, false)),
        "counts": ended.map(counts),
    })
}

/// `mlp.why/1`
pub fn why(run: &RunView, node: &NodeView, account: &Account, live: bool) -> Value {
    let planned = decision(&node.decision);
    json!({
        "schema": "mlp.why/1",
        "run": run.started.run,
        "pipeline": run.started.pipeline,
        "name": node.name,
        "kind": node.kind,
        "state": state(node.state).1,
        "decision": planned["decision"],
        "reasons": planned["reasons"],
        "from": node.from,
        "fingerprint": node.fingerprint.map(|digest| digest.to_string()),
        "text": super::why::came_to(run, node, live),
        "compared_with": account.before,
        "changed": account.changed.iter().map(reason).collect::<Value>(),
    })
}

/// `mlp.run/1`: the end of a run's stream, and `mlp show RUN`.
pub fn run(run: &RunView, live: bool, evidence: &[(String, Evidence)]) -> Value {
    let nothing = Evidence::default();
    let of = |name: &str| evidence.iter().find(|(node, _)| node == name).map_or(&nothing, |(_, evidence)| evidence);
    json!({
        "schema": "mlp.run/1",
        "run": run.started.run,
        "pipeline": run.started.pipeline,
        "file": run.started.file,
        "engine": run.started.engine,
        "host": host(run),
        "outcome": outcome_or(run, live),
        "resumes": run.started.resumes,
        "started": rfc3339(run.started.at),
        "ended": run.ended.map(rfc3339),
        "seconds": run.ended.map(|ended| seconds(ended - run.started.at)),
        "cancelled": run.cancelled.map(rfc3339),
        "params": run.started.params.iter().map(|(name, value)| (name.clone(), values::json(value))).collect::<serde_json::Map<_, _>>(),
        "nothing_to_do": super::summary::nothing_to_do(run).is_some(),
        "counts": counts(run),
        "nodes": run.nodes.iter().map(|one| node(run, one, of(&one.name))).collect::<Value>(),
        "models": run.models.iter().map(registration).collect::<Value>(),
        "deployments": run.deployments.iter().map(deployment).collect::<Value>(),
        "trigger": trigger(run.started.trigger.as_ref()),
    })
}

/// `mlp.node/1`: `mlp show RUN NODE`.
pub fn one_node(run: &RunView, view: &NodeView, evidence: &Evidence) -> Value {
    let mut object = json!({"schema": "mlp.node/1", "run": run.started.run, "pipeline": run.started.pipeline});
    extend(&mut object, node(run, view, evidence));
    object
}

/// `mlp.event/1`: one line of a run's stream.
pub fn event(record: &Record) -> Value {
    let (name, mut object) = match record {
        Record::RunStarted(started) => (
            "run_started",
            json!({
                "run": started.run,
                "pipeline": started.pipeline,
                "file": started.file,
                "engine": started.engine,
                "host": Some(&started.host).filter(|host| !host.is_empty()),
                "resumes": started.resumes,
                "trigger": trigger(started.trigger.as_ref()),
                "nodes": started.plan.nodes.iter().map(|node| json!({"name": node.name, "kind": node.kind})).collect::<Value>(),
                "at": rfc3339(started.at),
            }),
        ),
        Record::NodeStarted { node, attempt, fingerprint, at } => (
            "node_started",
            json!({"node": node, "attempt": attempt, "fingerprint": fingerprint.to_string(), "at": rfc3339(*at)}),
        ),
        Record::FannedOut { node, members, at } => {
            ("fanned_out", json!({"node": node, "members": members, "at": rfc3339(*at)}))
        }
        Record::NodeReused { node, fingerprint, outputs, from, at } => (
            "node_reused",
            json!({
                "node": node,
                "fingerprint": fingerprint.to_string(),
                "from": from,
                "outputs": artifacts(outputs),
                "at": rfc3339(*at),
            }),
        ),
        Record::NodeDone { node, attempt, fingerprint, outputs, usage: used, started, at, .. } => (
            "node_done",
            json!({
                "node": node,
                "attempt": attempt,
                "fingerprint": fingerprint.to_string(),
                "outputs": artifacts(outputs),
                "usage": usage(*used),
                "seconds": seconds(at - started),
                "at": rfc3339(*at),
            }),
        ),
        Record::NodeFailed { node, attempt, failure: why, usage: used, retry_at, at } => (
            "node_failed",
            json!({
                "node": node,
                "attempt": attempt,
                "failure": failure(why),
                "usage": usage(*used),
                "retry_at": retry_at.map(rfc3339),
                "at": rfc3339(*at),
            }),
        ),
        Record::NodeSkipped { node, reason, at } => {
            ("node_skipped", json!({"node": node, "reason": reason, "at": rfc3339(*at)}))
        }
        Record::GateJudged { node, passed, verdicts: judged, at } => {
            ("gate_judged", json!({"node": node, "passed": passed, "verdicts": verdicts(judged), "at": rfc3339(*at)}))
        }
        Record::Asked { node, question, verdicts: judged, at } => (
            "asked",
            json!({"node": node, "question": asked(question), "verdicts": verdicts(judged), "at": rfc3339(*at)}),
        ),
        Record::Answered { node, answer, at } => {
            ("answered", json!({"node": node, "answer": approvals::answer(answer), "at": rfc3339(*at)}))
        }
        Record::DataJudged { node, passed, verdicts: judged, at } => {
            ("data_judged", json!({"node": node, "passed": passed, "verdicts": verdicts(judged), "at": rfc3339(*at)}))
        }
        Record::ModelRegistered { node, entry, kept, at } => {
            ("model_registered", json!({"node": node, "kept": kept, "model": model_fields(entry), "at": rfc3339(*at)}))
        }
        Record::ModelBlocked { node, gates, at } => {
            ("model_blocked", json!({"node": node, "gates": gates, "at": rfc3339(*at)}))
        }
        Record::DeployRequested { node, model, version, at } => {
            ("deploy_requested", json!({"node": node, "model": model, "version": version, "at": rfc3339(*at)}))
        }
        Record::DeployBlocked { node, gates, at } => {
            ("deploy_blocked", json!({"node": node, "gates": gates, "at": rfc3339(*at)}))
        }
        Record::CancelRequested { at } => ("cancel_requested", json!({"at": rfc3339(*at)})),
        Record::RunEnded { outcome, at } => {
            ("run_ended", json!({"outcome": events::outcome(Some(*outcome)), "at": rfc3339(*at)}))
        }
    };
    extend(&mut object, json!({"schema": "mlp.event/1", "event": name}));
    object
}

/// `mlp.runs/1`
pub fn runs(runs: &[RunSummary], live: Option<u64>) -> Value {
    json!({
        "schema": "mlp.runs/1",
        "runs": runs.iter().map(|run| json!({
            "run": run.run,
            "pipeline": run.pipeline,
            "file": run.file,
            "outcome": match run.damaged {
                Some(_) => json!("damaged"),
                None => json!(outcome_word(run.outcome, live == Some(run.run))),
            },
            "damaged": run.damaged,
            "started": run.damaged.is_none().then(|| rfc3339(run.started)),
            "ended": run.ended.map(rfc3339),
            "seconds": run.ended.map(|ended| seconds(ended - run.started)),
            "counts": {"ran": run.ran, "reused": run.reused, "failed": run.failed, "skipped": run.skipped},
            "models": run.models.iter().map(|(name, version)| json!({"name": name, "version": version})).collect::<Value>(),
            "trigger": trigger(run.trigger.as_ref()),
        })).collect::<Value>(),
    })
}

/// `mlp.status/1`
pub fn status(live: Option<&Holder>, current: Option<&RunView>, models: &[&ModelVersion]) -> Value {
    json!({
        "schema": "mlp.status/1",
        "live": live.map(|holder| json!({
            "pid": holder.pid,
            "command": holder.command,
            "run": holder.run,
            "pipeline": holder.pipeline,
            "since": rfc3339(holder.since),
        })),
        "run": current.map(|view| run(view, live.is_some(), &[])),
        "models": models.iter().map(|model| model_fields(model)).collect::<Value>(),
    })
}

/// `mlp.model/1`
pub fn model(entry: &ModelVersion, versions: &[&ModelVersion], file: Option<&std::path::Path>) -> Value {
    let mut object = json!({
        "schema": "mlp.model/1",
        "file": file.map(|file| file.display().to_string()),
        "versions": versions.iter().map(|model| json!(model.version)).collect::<Value>(),
    });
    extend(&mut object, model_fields(entry));
    object
}

/// `mlp.logs/1`
pub fn logs(run: u64, logs: &[(String, mlp_core::history::Log)]) -> Value {
    json!({
        "schema": "mlp.logs/1",
        "run": run,
        "logs": logs.iter().map(|(node, log)| json!({
            "node": node,
            "attempt": log.attempt,
            "path": log.path.display().to_string(),
            "lines": log.text.lines().collect::<Vec<_>>(),
        })).collect::<Value>(),
    })
}

/// A finding, with lines and columns beside the byte offsets.
pub fn finding(finding: &Finding, sources: &[Source]) -> Value {
    json!({
        "code": finding.code.id,
        "name": finding.code.name,
        "severity": if finding.is_error() { "error" } else { "warning" },
        "message": finding.message,
        "place": place(&finding.primary.place, sources),
        "label": finding.primary.text,
        "secondary": finding.secondary.iter().map(|label| secondary(label, sources)).collect::<Value>(),
        "notes": finding.notes,
        "help": finding.help,
        "fix": finding.fix.as_ref().map(fix),
    })
}

fn secondary(label: &Label, sources: &[Source]) -> Value {
    json!({"place": place(&label.place, sources), "text": label.text})
}

fn fix(fix: &Fix) -> Value {
    json!({
        "title": fix.title,
        "safety": fix.safety,
        "edits": fix.edits.iter().map(|edit| json!({
            "start": edit.span.start,
            "end": edit.span.end,
            "text": edit.text,
        })).collect::<Value>(),
    })
}

fn place(place: &Place, sources: &[Source]) -> Value {
    match place {
        Place::Source { path, span } => {
            let source = sources.iter().find(|source| source.path == *path);
            let at = |offset: u32| {
                let (line, column) = source.map(|source| source.line_column(offset)).unzip();
                json!({"offset": offset, "line": line, "column": column})
            };
            json!({"kind": "source", "path": path, "start": at(span.start), "end": at(span.end)})
        }
        Place::Data { path, row, line, column } => {
            json!({"kind": "data", "path": path, "row": row, "line": line, "column": column})
        }
    }
}

fn decision(decision: &Decision) -> Value {
    match decision {
        Decision::Reuse { fingerprint, run } => {
            json!({"decision": "reuse", "fingerprint": fingerprint.to_string(), "from": run, "reasons": []})
        }
        Decision::Run { fingerprint, reasons } => json!({
            "decision": "run",
            "fingerprint": fingerprint.map(|digest| digest.to_string()),
            "reasons": reasons.iter().map(reason).collect::<Value>(),
        }),
        Decision::Decide => json!({"decision": "decide", "reasons": []}),
        Decision::Skip { reason } => json!({"decision": "skip", "reasons": [{"kind": "skip", "text": reason}]}),
    }
}

/// What an attempt used: null if nobody counted.
fn usage(usage: Option<Usage>) -> Value {
    usage.map_or(
        Value::Null,
        |it| json!({"cpu_seconds": it.cpu.as_secs_f64(), "memory_bytes": it.memory, "exit": it.exit}),
    )
}

/// A reason to run, or one difference between two results.
pub fn reason(reason: &Reason) -> Value {
    let mut object = match reason {
        Reason::New => json!({"kind": "new"}),
        Reason::Changed { what, from, to } => json!({"kind": "changed", "what": what, "from": from, "to": to}),
        Reason::Upstream { node, input } => json!({"kind": "upstream", "node": node, "input": input}),
        Reason::Version { of, from, to } => json!({"kind": "version", "of": of, "from": from, "to": to}),
        Reason::Lost { output } => json!({"kind": "lost", "output": output}),
        Reason::Each { run, of } => json!({"kind": "each", "run": run, "of": of}),
        Reason::Forced => json!({"kind": "forced"}),
        Reason::Uncached => json!({"kind": "uncached"}),
        Reason::Unexpected { why } => json!({"kind": "unexpected", "why": why}),
    };
    extend(&mut object, json!({"text": reason.to_string()}));
    object
}

/// The machine of a run; `null` if it did not say what it is called.
fn host(run: &RunView) -> Option<&str> {
    Some(run.started.host.as_str()).filter(|host| !host.is_empty())
}

fn node(run: &RunView, node: &NodeView, evidence: &Evidence) -> Value {
    let mut object = json!({
        "name": node.name,
        "kind": node.kind,
        "what": node.what,
        "state": state(node.state).1,
        "fingerprint": node.fingerprint.map(|digest| digest.to_string()),
        "from": node.from,
        "reason": node.reason,
        "started": node.started.map(rfc3339),
        "ended": node.ended.map(rfc3339),
        "seconds": node.took().map(seconds),
        "host": host(run).filter(|_| node.started.is_some()),
        "attempts": node.attempts.iter().map(attempt).collect::<Value>(),
        "outputs": artifacts(&node.outputs),
        "verdicts": verdicts(&node.verdicts),
        "metrics": evidence.metrics.iter().map(|(output, numbers)| (output.clone(), metrics(numbers))).collect::<serde_json::Map<_, _>>(),
        "logs": evidence.logs.iter().map(|path| json!(path.display().to_string())).collect::<Value>(),
        "facts": evidence.facts.iter().map(fact).collect::<Value>(),
    });
    if let Some(question) = &node.question {
        let answers = node.answers.iter().map(approvals::answer).collect::<Value>();
        extend(&mut object, json!({"question": asked(question), "answers": answers}));
    }
    if node.of_members > 0 {
        let members = node.members.iter().map(member).collect::<Value>();
        extend(&mut object, json!({"of_members": node.of_members, "members": members}));
    }
    let planned = decision(&node.decision);
    extend(&mut object, json!({"decision": planned["decision"], "reasons": planned["reasons"]}));
    object
}

fn attempt(attempt: &Attempt) -> Value {
    json!({
        "number": attempt.number,
        "started": rfc3339(attempt.started),
        "ended": attempt.ended.map(rfc3339),
        "failure": attempt.failure.as_ref().map(failure),
        "retry_at": attempt.retry_at.map(rfc3339),
        "usage": usage(attempt.usage),
    })
}

/// What a gate asks people.
fn asked(question: &Question) -> Value {
    let approvals = question.approvals.iter().map(
        |it| json!({"count": it.count, "of": it.people, "within_seconds": it.within.map(|nanos| nanos as f64 / 1e9)}),
    );
    json!({
        "run": question.run,
        "since": rfc3339(question.since),
        "evidence": question.evidence.to_string(),
        "approvals": approvals.collect::<Value>(),
    })
}

/// What is done for one of several values.
fn member(member: &MemberView) -> Value {
    json!({
        "name": member.name,
        "state": state(member.state).1,
        "attempts": member.attempts.iter().map(attempt).collect::<Value>(),
        "fingerprint": member.fingerprint.map(|it| it.to_string()),
        "from": member.from,
        "reason": member.reason,
        "outputs": artifacts(&member.outputs),
        "started": member.started.map(rfc3339),
        "ended": member.ended.map(rfc3339),
    })
}

fn failure(failure: &Failure) -> Value {
    json!({
        "kind": failure.kind,
        "message": failure.message,
        "findings": failure.findings.iter().map(|one| finding(one, &[])).collect::<Value>(),
    })
}

fn artifacts(artifacts: &[Artifact]) -> Value {
    let artifact = |artifact: &Artifact| {
        json!({
            "output": artifact.output,
            "digest": artifact.digest.to_string(),
            "size": artifact.size,
            "format": artifact.meta.format,
            "rows": artifact.meta.rows,
            "flavor": artifact.meta.flavor,
            "features": artifact.meta.features,
        })
    };
    artifacts.iter().map(artifact).collect()
}

fn verdicts(verdicts: &[Verdict]) -> Value {
    let verdict = |verdict: &Verdict| {
        json!({
            "text": verdict.text,
            "because": verdict.because,
            "held": verdict.held,
            "waived": verdict.waived,
            "measured": verdict.measured.iter().map(|one| json!({
                "text": one.text,
                "value": one.value.as_ref().map(values::json),
                "comparison": values::comparison(one.comparison),
                "threshold": one.threshold.as_ref().map(values::json),
                "margin": one.margin,
                "held": one.held,
            })).collect::<Value>(),
        })
    };
    verdicts.iter().map(verdict).collect()
}

fn metrics(metrics: &Metrics) -> Value {
    json!({
        "metrics": metrics.metrics,
        "groups": metrics.groups.iter().map(|group| json!({
            "by": group.by,
            "value": group.value,
            "rows": group.rows,
            "metrics": group.metrics,
        })).collect::<Value>(),
    })
}

fn fact(fact: &Fact) -> Value {
    json!({"section": fact.section, "name": fact.name, "value": fact.value})
}

fn deployment(request: &DeployRequest) -> Value {
    json!({
        "node": request.node,
        "model": request.model,
        "version": request.version,
        "requested": rfc3339(request.at),
    })
}

fn trigger(trigger: Option<&Trigger>) -> Value {
    trigger.map_or(Value::Null, |trigger| json!({"key": trigger.key, "words": trigger.words}))
}

fn registration(model: &Registration) -> Value {
    let mut object = json!({"node": model.node, "kept": model.kept, "complete": model.complete});
    extend(&mut object, model_fields(&model.entry));
    object
}

fn model_fields(model: &ModelVersion) -> Value {
    json!({
        "name": model.name,
        "version": model.version,
        "digest": model.digest.to_string(),
        "flavor": model.flavor,
        "features": model.features,
        "pipeline": model.pipeline,
        "run": model.run,
        "source": model.source,
        "module": model.module,
        "component": model.component,
        "gates": model.gates.iter().map(|(gate, judged)| json!({"gate": gate, "verdicts": verdicts(judged)})).collect::<Value>(),
        "card": model.card.iter().map(|(key, value)| (key.clone(), json!(value))).collect::<serde_json::Map<_, _>>(),
        "registered": rfc3339(model.at),
    })
}

fn counts(run: &RunView) -> Value {
    use mlp_core::view::NodeState;
    json!({
        "ran": run.count(NodeState::Done),
        "reused": run.count(NodeState::Reused),
        "passed": run.count(NodeState::Passed),
        "requested": run.count(NodeState::Requested),
        "blocked": run.count(NodeState::Blocked),
        "failed": run.count(NodeState::Failed),
        "skipped": run.count(NodeState::Skipped),
        "running": run.count(NodeState::Running) + run.count(NodeState::Retrying),
        "waiting": run.count(NodeState::Waiting),
    })
}

pub fn outcome_or(run: &RunView, live: bool) -> &'static str {
    outcome_word(run.outcome, live)
}

fn outcome_word(outcome: Option<mlp_core::record::Outcome>, live: bool) -> &'static str {
    match (outcome, live) {
        (None, true) => "running",
        (None, false) | (Some(mlp_core::record::Outcome::Interrupted), _) => "interrupted",
        (ended, _) => events::outcome(ended),
    }
}

fn seconds(milliseconds: Millis) -> f64 {
    milliseconds as f64 / 1000.0
}

/// Adds the fields of one object to another.
fn extend(object: &mut Value, with: Value) {
    if let (Value::Object(object), Value::Object(with)) = (object, with) {
        object.extend(with);
    }
}
