//! A run in the trace event format that Chrome's viewer and Perfetto read.
//!
//! One lane for each job that was busy at the same time, a slice for each attempt; a slice of the category `wait` on a lane
//! of its own from a failed attempt to the next. What takes no time is an instant. Times are microseconds from the run's
//! beginning. <https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>

use mlp_core::record::{Millis, Outcome};
use mlp_core::view::{NodeState, NodeView, RunView};
use serde_json::{Value, json};

/// Which process the lanes of attempts belong to.
const WORK: u32 = 1;
/// Which one the lanes of waiting belong to.
const WAITS: u32 = 2;

/// A stretch of time, to be put on a lane.
struct Slice {
    start: Millis,
    end: Millis,
    event: Value,
}

/// The trace of a run; one that is live is told until `now`, one that was killed as far as is known.
pub fn document(run: &RunView, live: bool, now: Millis) -> Value {
    let origin = run.started.at;
    let attempts = run.nodes.iter().flat_map(|node| &node.attempts).flat_map(|it| [Some(it.started), it.ended]);
    let last = run.nodes.iter().map(|node| node.ended).chain(attempts).flatten().max();
    let over = match (run.outcome, run.ended) {
        (Some(outcome), Some(ended)) if outcome != Outcome::Interrupted => ended,
        (None, _) if live => now.max(origin),
        // Killed: nobody knows when.
        _ => last.unwrap_or(origin),
    };
    let (mut work, mut waits, mut instants) = (Vec::new(), Vec::new(), Vec::new());
    for node in &run.nodes {
        for (index, attempt) in node.attempts.iter().enumerate() {
            let end = attempt.ended.unwrap_or(over);
            work.push(Slice { start: attempt.started, end, event: of_attempt(node, index, live) });
            if let Some(next) = node.attempts.get(index + 1) {
                let event = json!({"name": format!("{} waits to try again", node.name), "cat": "wait"});
                waits.push(Slice { start: end, end: next.started, event });
            }
        }
        if node.attempts.is_empty()
            && let Some(at) = node.ended
        {
            instants.push(json!({
                "name": format!("{} {}", node.name, super::nodes::state(node.state).1),
                "cat": node.kind,
                "ph": "i",
                "s": "p",
                "ts": micros(at - origin),
                "pid": WORK,
                "tid": 0,
                "args": {"reason": node.reason, "from": node.from},
            }));
        }
    }
    if let Some(at) = run.cancelled {
        instants.push(json!({
            "name": "asked to stop", "cat": "run", "ph": "i", "s": "g", "ts": micros(at - origin), "pid": WORK, "tid": 0,
        }));
    }
    let mut events = vec![named("process_name", WORK, 0, "jobs"), named("process_name", WAITS, 0, "waiting")];
    events.extend(busy(&work, origin));
    events.extend(on_lanes(work, WORK, "job", origin));
    events.extend(on_lanes(waits, WAITS, "wait", origin));
    events.extend(instants);
    json!({
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": {
            "run": run.started.run,
            "pipeline": run.started.pipeline,
            "outcome": super::json::outcome_or(run, live),
            "started": mlp_core::clock::rfc3339(origin),
            "mlp": run.started.engine,
        },
    })
}

fn of_attempt(node: &NodeView, index: usize, live: bool) -> Value {
    let attempt = &node.attempts[index];
    let how = match (&attempt.failure, attempt.ended) {
        (Some(failure), _) => failure.kind.as_str(),
        (None, Some(_)) => "done",
        (None, None) if live && node.state == NodeState::Running => "running",
        (None, None) => "cut off",
    };
    json!({
        "name": node.name,
        "cat": node.kind,
        "args": {
            "what": node.what,
            "attempt": attempt.number,
            "ended": how,
            "message": attempt.failure.as_ref().map(|failure| failure.message.clone()),
            "fingerprint": node.fingerprint.map(|digest| digest.to_string()),
        },
    })
}

/// Puts each slice on the first lane that is free, and names the lanes that are used.
fn on_lanes(mut slices: Vec<Slice>, pid: u32, word: &str, origin: Millis) -> Vec<Value> {
    slices.sort_by_key(|slice| (slice.start, slice.end));
    let mut free: Vec<Millis> = Vec::new();
    let mut events = Vec::new();
    for Slice { start, end, mut event } in slices {
        let lane = match free.iter().position(|from| *from <= start) {
            Some(lane) => lane,
            None => {
                free.push(start);
                events.push(named("thread_name", pid, free.len(), &format!("{word} {}", free.len())));
                free.len() - 1
            }
        };
        free[lane] = end.max(start);
        if let Value::Object(fields) = &mut event {
            fields.insert("ph".to_owned(), json!("X"));
            fields.insert("ts".to_owned(), json!(micros(start - origin)));
            fields.insert("dur".to_owned(), json!(micros((end - start).max(0))));
            fields.insert("pid".to_owned(), json!(pid));
            fields.insert("tid".to_owned(), json!(lane + 1));
        }
        events.push(event);
    }
    events
}

/// How many attempts are under way, each time that changes.
fn busy(slices: &[Slice], origin: Millis) -> Vec<Value> {
    let mut changes: Vec<(Millis, i64)> = slices.iter().flat_map(|slice| [(slice.start, 1), (slice.end, -1)]).collect();
    // At one moment what ends comes before what starts.
    changes.sort_unstable();
    let mut running = 0;
    changes
        .into_iter()
        .map(|(at, change)| {
            running += change;
            json!({"name": "busy", "ph": "C", "ts": micros(at - origin), "pid": WORK, "tid": 0, "args": {"jobs": running}})
        })
        .collect()
}

fn named(what: &str, pid: u32, tid: usize, name: &str) -> Value {
    json!({"name": what, "ph": "M", "pid": pid, "tid": tid, "args": {"name": name}})
}

fn micros(milliseconds: Millis) -> Millis {
    milliseconds.saturating_mul(1_000)
}
