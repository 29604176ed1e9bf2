//! One replica: a component's instance in a store of its own, with the model loaded.

use super::calls::{self, Column, LoadArguments, LoadResult, Loaded, PredictArguments, PredictResult};
use super::{PredictorOptions, Shared};
use crate::library::Component;
use crate::wasm::code::Code;
use crate::wasm::{failure, sandbox};
use mlp_core::digest::Digest;
use mlp_core::executor::{StepError, StepLog};
use mlp_core::predictor::{Cells, PredictError, PredictionKind, Predictions};
use mlp_core::record::ModelVersion;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wasmtime::Store;
use wasmtime::component::{Func, Instance as Started};

/// Makes replicas of one model.
pub struct Maker {
    shared: Arc<Shared>,
    code: Code,
    /// The component's name, for messages.
    module: String,
    model: Vec<u8>,
    digest: Digest,
    features: Vec<String>,
    flavor: String,
    memory: u64,
    loading: Duration,
    log: Arc<dyn StepLog>,
}

/// A replica.
pub struct Instance {
    store: Store<sandbox::Guest>,
    predict: Func,
    /// The component's name, for messages.
    module: String,
    features: Vec<String>,
    /// Numbers that it gives for one row.
    per_row: usize,
    kind: PredictionKind,
}

/// Why a call gave no prediction, and what became of the replica.
pub struct Failure {
    /// What to tell.
    pub error: PredictError,
    /// It cannot be called again.
    pub is_broken: bool,
}

impl Maker {
    /// Compiles the component, unless that was done before.
    pub fn new(
        shared: Arc<Shared>,
        component: &Component,
        model: &ModelVersion,
        bytes: &[u8],
        options: &PredictorOptions,
    ) -> Result<Maker, String> {
        let code = shared.codes.get(component).map_err(|error| error.to_string())?;
        if code.component().get_export_index(None, calls::INTERFACE).is_none() {
            return Err(format!(
                "{} {} makes models and does not serve them: it has no `{}`; its author can add `; predictor: ...` to \
                 `mlp_sdk::plugin!`",
                component.signature.name,
                component.signature.version,
                calls::INTERFACE
            ));
        }
        Ok(Maker {
            shared,
            code,
            module: component.signature.name.clone(),
            model: bytes.to_vec(),
            digest: model.digest,
            features: model.features.clone(),
            flavor: model.flavor.clone(),
            memory: options.memory,
            loading: options.loading,
            log: Arc::new(Said { model: format!("{} {}", model.name, model.version) }),
        })
    }

    /// A new replica. Blocks until the model is loaded.
    pub fn make(&self) -> Result<Instance, String> {
        let engine = self.shared.codes.engine();
        let mut store = sandbox::lasting_store(engine, "model", &self.digest, self.log.clone(), self.memory)
            .map_err(|error| format!("its sandbox cannot be made: {error:#}"))?;
        store.data_mut().limits.until(Instant::now() + self.loading);
        let _ticking = self.shared.ticker.running();
        let started = self.code.instantiate(&mut store).map_err(|error| failure::explain_start(&mut store, &error));
        let started = started.map_err(|error| self.in_words(error))?;
        let loaded = self.load(&mut store, &started)?;
        if loaded.features != self.features {
            return Err(format!(
                "its file says that it needs the columns {}, its entry in the registry {}",
                loaded.features.join(", "),
                self.features.join(", ")
            ));
        }
        let is_classifier = !loaded.classes.is_empty();
        if is_classifier != (self.flavor == "classifier") {
            let found = if is_classifier { "classes" } else { "numbers" };
            return Err(format!("it is registered as a {} and predicts {found}", self.flavor));
        }
        let predict = self.function(&mut store, &started, "predict")?;
        predict.typed::<PredictArguments<'_>, PredictResult>(&store).map_err(|error| self.odd("predict", &error))?;
        Ok(Instance {
            predict,
            module: self.module.clone(),
            features: loaded.features,
            per_row: loaded.classes.len().max(1),
            kind: if is_classifier { PredictionKind::Class(loaded.classes) } else { PredictionKind::Number },
            store,
        })
    }

    /// What keeps the clock that interrupts replicas.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    fn load(&self, store: &mut Store<sandbox::Guest>, started: &Started) -> Result<Loaded, String> {
        let load = self.function(store, started, "load")?;
        let load = load.typed::<LoadArguments<'_>, LoadResult>(&*store).map_err(|error| self.odd("load", &error))?;
        match load.call(&mut *store, (&self.model,)) {
            Ok((Ok(loaded),)) => Ok(loaded),
            Ok((Err(error),)) => Err(format!("{} does not load it: {}", self.module, error.into_words())),
            Err(error) => {
                let error = failure::explain(store, &error);
                Err(self.in_words(error))
            }
        }
    }

    fn function(&self, store: &mut Store<sandbox::Guest>, started: &Started, name: &str) -> Result<Func, String> {
        let interface = started.get_export_index(&mut *store, None, calls::INTERFACE);
        let function = interface.and_then(|interface| started.get_export_index(&mut *store, Some(&interface), name));
        function
            .and_then(|function| started.get_func(&mut *store, function))
            .ok_or_else(|| format!("{} has no function `{name}` in `{}`", self.module, calls::INTERFACE))
    }

    fn odd(&self, function: &str, error: &wasmtime::Error) -> String {
        format!(
            "`{function}` of {} is not as {} has it ({error:#}): build it with the SDK of this version",
            self.module,
            crate::PREDICTOR_WORLD
        )
    }

    fn in_words(&self, error: StepError) -> String {
        match error {
            StepError::TimedOut { .. } => format!("{} did not load it within {:?}", self.module, self.loading),
            limit @ StepError::OutOfMemory { .. } => format!("loading it {limit}"),
            other => other.to_string(),
        }
    }
}

impl Instance {
    /// What its predictions are.
    pub fn kind(&self) -> &PredictionKind {
        &self.kind
    }

    /// Blocks. Whoever calls keeps the clock running.
    pub fn predict(&mut self, columns: &[Cells], deadline: Instant) -> Result<Predictions, Failure> {
        let whole = |error| Failure { error, is_broken: false };
        let rows = self.rows(columns).map_err(whole)?;
        let columns: Vec<Column<'_>> = columns.iter().map(Column::from).collect();
        self.store.data_mut().limits.until(deadline);
        let result = match self.predict.typed::<PredictArguments<'_>, PredictResult>(&self.store) {
            Ok(predict) => predict.call(&mut self.store, (rows, &columns)),
            Err(error) => Err(error),
        };
        match result {
            Ok((Ok(numbers),)) if numbers.len() == rows as usize * self.per_row => Ok(match self.kind {
                PredictionKind::Number => Predictions::Numbers(numbers),
                PredictionKind::Class(_) => Predictions::Probabilities(numbers),
            }),
            Ok((Ok(numbers),)) => Err(whole(PredictError::Failed(format!(
                "{} gave {} numbers for {rows} rows, where {} are wanted",
                self.module,
                numbers.len(),
                rows as usize * self.per_row
            )))),
            Ok((Err(error),)) => Err(whole(error.into())),
            Err(error) => {
                let error = match failure::explain(&mut self.store, &error) {
                    StepError::TimedOut { .. } => PredictError::TimedOut,
                    limit @ StepError::OutOfMemory { .. } => PredictError::Failed(format!("the model {limit}")),
                    other => PredictError::Failed(other.to_string()),
                };
                Err(Failure { error, is_broken: true })
            }
        }
    }

    fn rows(&self, columns: &[Cells]) -> Result<u32, PredictError> {
        if columns.len() != self.features.len() {
            return Err(PredictError::BadInput(format!(
                "{} columns were given, and the model needs {}: {}",
                columns.len(),
                self.features.len(),
                self.features.join(", ")
            )));
        }
        let rows = columns.first().map_or(0, Cells::len);
        if let Some((name, column)) = self.features.iter().zip(columns).find(|(_, column)| column.len() != rows) {
            let cells = column.len();
            return Err(PredictError::BadInput(format!("column `{name}` has {cells} cells for {rows} rows")));
        }
        u32::try_from(rows).map_err(|_| PredictError::BadInput(format!("{rows} rows are too many for one call")))
    }
}

/// What a model says goes to the engine's own log: nobody reads it while it serves.
struct Said {
    model: String,
}

impl StepLog for Said {
    fn line(&self, level: &str, message: &str) {
        tracing::debug!(model = self.model, level, "{message}");
    }

    fn progress(&self, _: f64) {}

    fn metric(&self, _: &str, _: f64, _: Option<u64>) {}
}
