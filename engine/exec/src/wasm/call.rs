//! One attempt, from its files to its files.

use super::{Attempt, Shared, failure, files, sandbox, values};
use crate::interface;
use crate::library::Component;
use mlp_core::executor::{Produced, StepError, Usage};
use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeMap;
use std::time::Duration;
use wasmtime::Store;
use wasmtime::component::{Func, InstancePre, Val};

/// Blocks until the step ends or is stopped.
pub fn run(shared: &Shared, component: &Component, job: &Attempt) -> Result<BTreeMap<String, Produced>, StepError> {
    let code = shared.codes.get(component)?;
    if job.cancel.is_set() {
        return Err(StepError::Cancelled);
    }
    let view = files::lay_out(job)?;
    let mut store = sandbox::store(shared.codes.engine(), job, &view)
        .map_err(|error| StepError::Operational(format!("the sandbox of this step cannot be made: {error:#}")))?;
    let begin = processor_time();
    let result = {
        let _ticking = shared.ticker.running();
        call(&code, component, job, &mut store)
    };
    store.data().finish();
    let cpu = processor_time().saturating_sub(begin);
    job.log.usage(Usage { cpu, memory: store.data().limits.memory(), exit: None });
    // A guest can sit out its limit in the host, or catch its own interruption: what counts is when it ended.
    store.data().limits.check()?;
    let result = result.and_then(|result| values::results(job, result));
    result.map_err(|error| match error {
        // A guest cannot tell a full disk from its own fault: WASI has numbers of its own for errors, and no room to say.
        StepError::Failed(said) if files::is_full(&job.out) => StepError::Operational(format!(
            "there is no space left on the disk of {}; the step said: {said}",
            job.out.display()
        )),
        error => error,
    })
}

/// What this thread, which runs nothing but the step meanwhile, has had of processors.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn call(
    code: &InstancePre<sandbox::Guest>,
    component: &Component,
    job: &Attempt,
    store: &mut Store<sandbox::Guest>,
) -> Result<Val, StepError> {
    let instance = code.instantiate(&mut *store).map_err(|error| failure::explain_start(store, &error))?;
    let interface = interface::export_name(&component.signature, &job.step.step);
    let run = instance
        .get_export_index(&mut *store, None, &interface)
        .and_then(|interface| instance.get_export_index(&mut *store, Some(&interface), "run"))
        .and_then(|run| instance.get_func(&mut *store, run))
        .ok_or_else(|| {
            StepError::Failed(format!("{} has no function `run` in `{interface}`", component.signature.name))
        })?;
    let arguments = arguments(&run, job, store)?;
    let mut results = [Val::Bool(false)];
    match run.call(&mut *store, &arguments, &mut results) {
        Ok(()) => {
            let [result] = results;
            Ok(result)
        }
        Err(error) => Err(failure::explain(store, &error)),
    }
}

fn arguments(run: &Func, job: &Attempt, store: &Store<sandbox::Guest>) -> Result<Vec<Val>, StepError> {
    let ty = run.ty(store);
    ty.params()
        .map(|(name, ty)| values::argument(name, &ty, job))
        .collect::<Result<_, _>>()
        .map_err(|why| StepError::Failed(format!("{}.{} cannot be called: {why}", job.step.module, job.step.step)))
}
