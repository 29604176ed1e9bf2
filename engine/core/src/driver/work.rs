//! From a pipeline to what the scheduler sees of it: needs, rules, what attempts take up.

use crate::machine;
use crate::planner::PreparedNode;
use crate::record::Millis;
use crate::request::RunRequest;
use crate::scheduler::{Ask, Fan, Jitter, Rules, Unit, Work};
use mlp_lang::capability::{self, Present};
use mlp_lang::pipeline::{Limits, Node, NodeKind};

/// The pause before the second attempt of a step that does not say; each further one doubles it.
const BACKOFF: Millis = 1_000;
/// The longest pause, unless the first is longer.
const LONGEST_BACKOFF: Millis = 60_000;
/// Members of a fan that are looked up or wait for room at once: enough never to keep an executor waiting, so few that the
/// first begins before the last was looked up.
const MEMBERS_AT_ONCE: u32 = 64;
/// How long what was asked to stop may go on: what Docker and systemd-run services are used to.
const GRACE: Millis = 10_000;
/// Engines of a run. A run that is resumed is a new one, and no attempt outlives its engine, so there is one.
pub(super) const EPOCH: u32 = 1;

/// What is scheduled of a run with this number.
pub(super) fn work(request: &RunRequest, prepared: &[PreparedNode], run: u64) -> Work {
    let present = machine::present();
    let unsaid = machine::unsaid(&present, request.jobs);
    let unit = |node: &Node| Unit {
        // One that is left out has no effect: like any other node it is looked at, and skipped.
        effect: has_effect(node) && prepared.get(node.id.index()).is_none_or(|prepared| !prepared.left_out),
        ..unit(node, request, &present, unsaid)
    };
    Work {
        nodes: request.pipeline.batch().iter().map(unit).collect(),
        room: machine::room(&present, request.jobs),
        keep_going: request.keep_going,
        seed: run,
        epoch: EPOCH,
    }
}

fn unit(node: &Node, request: &RunRequest, present: &Present, unsaid: u64) -> Unit {
    let most = capability::most(node);
    Unit {
        name: node.name.clone(),
        needs: node.needs.iter().map(|need| need.index()).collect(),
        tolerant: matches!(node.kind, NodeKind::Gate(_)),
        ask: most.map(|limits| ask(&limits, present, unsaid)).unwrap_or_default(),
        rules: most.map(|limits| rules(&limits)).unwrap_or_default(),
        fan: matches!(node.kind, NodeKind::Fan(_)).then(|| Fan {
            at_most: Some((request.jobs as u32).saturating_mul(8).max(MEMBERS_AT_ONCE)),
            keep_going: request.keep_going,
            may_fail: 0,
        }),
        ..Unit::default()
    }
}

/// What it does is visible outside.
fn has_effect(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Model(_) | NodeKind::Deploy(_))
}

/// Who asks for more than there is was refused where people see it; nothing here waits forever.
fn ask(limits: &Limits, present: &Present, unsaid: u64) -> Ask {
    let (cpu, memory, gpus) = capability::asked(limits);
    Ask {
        cpu: cpu.unwrap_or(unsaid).min(present.cpu),
        memory: memory.unwrap_or(0).min(present.memory),
        gpus: gpus.min(present.gpus),
        pools: Vec::new(),
    }
}

fn rules(limits: &Limits) -> Rules {
    Rules {
        retries: limits.retry,
        // Whoever allows more attempts allows them for an attempt that hung.
        retry_timeouts: true,
        backoff: limits.backoff.map_or(BACKOFF, millis),
        longest_backoff: Some(LONGEST_BACKOFF),
        jitter: Jitter::Added,
        timeout: limits.timeout.map(millis),
        in_all: limits.deadline.map(millis),
        grace: Some(GRACE),
    }
}

/// At least one, so that a limit is never over before it begins.
fn millis(nanos: i64) -> Millis {
    (nanos / 1_000_000).max(1)
}
