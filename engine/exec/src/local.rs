//! The executor of this machine: each task goes to whoever can run it.

use crate::process::ProcessExecutor;
use crate::wasm::WasmExecutor;
use mlp_core::executor::{Executor, Job, Produced, StepError, Task};
use std::collections::BTreeMap;

/// Runs modules in a sandbox, and programs as processes.
pub struct LocalExecutor {
    modules: WasmExecutor,
    processes: ProcessExecutor,
}

impl LocalExecutor {
    /// Of these two.
    pub fn new(modules: WasmExecutor, processes: ProcessExecutor) -> LocalExecutor {
        LocalExecutor { modules, processes }
    }

    fn of(&self, task: &Task) -> &dyn Executor {
        match task {
            Task::Step(_) => &self.modules,
            Task::Program(_) => &self.processes,
        }
    }
}

#[async_trait::async_trait]
impl Executor for LocalExecutor {
    /// For modules alone, so that a project's results stay what they are: what runs programs names itself in its identity.
    fn name(&self) -> &'static str {
        self.modules.name()
    }

    fn identity(&self, task: &Task) -> BTreeMap<String, String> {
        self.of(task).identity(task)
    }

    async fn run(&self, job: Job) -> Result<BTreeMap<String, Produced>, StepError> {
        self.of(&job.task).run(job).await
    }
}
