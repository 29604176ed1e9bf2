//! Replicas of one model, and who waits for which.
//!
//! A replica is ready, or in use, or absent. One that broke is absent; a thread beside the calls makes another, so that a
//! call waits for a replica at most until its own deadline.

use super::instance::{Instance, Maker};
use mlp_core::predictor::{Cells, PredictError, PredictionKind, Predictions, Predictor};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A loaded model.
pub struct Pool {
    inner: Arc<Inner>,
    kind: PredictionKind,
}

struct Inner {
    maker: Maker,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    ready: Vec<Instance>,
    /// In use.
    busy: u32,
    /// Being made.
    making: u32,
    /// Neither.
    absent: u32,
    /// How often one could not be made.
    misses: u64,
    /// Why, the last time.
    why: String,
}

impl Pool {
    /// With `replicas` of them, all ready.
    pub fn start(maker: Maker, replicas: u32) -> Result<Pool, String> {
        let first = maker.make()?;
        let kind = first.kind().clone();
        let mut ready = vec![first];
        for _ in 1..replicas {
            ready.push(maker.make()?);
        }
        let state = State { ready, busy: 0, making: 0, absent: 0, misses: 0, why: String::new() };
        let inner = Inner { maker, state: Mutex::new(state), changed: Condvar::new() };
        Ok(Pool { inner: Arc::new(inner), kind })
    }
}

impl Predictor for Pool {
    fn output(&self) -> &PredictionKind {
        &self.kind
    }

    fn predict(&self, columns: &[Cells], deadline: Instant) -> Result<Predictions, PredictError> {
        let mut instance = self.inner.take(deadline)?;
        let result = {
            let _ticking = self.inner.maker.shared().ticker.running();
            instance.predict(columns, deadline)
        };
        match result {
            Ok(predictions) => {
                self.inner.put_back(instance);
                Ok(predictions)
            }
            Err(failure) => {
                match failure.is_broken {
                    true => self.inner.replace(instance),
                    false => self.inner.put_back(instance),
                }
                Err(failure.error)
            }
        }
    }
}

impl Inner {
    /// A ready replica, waiting for one if need be.
    fn take(self: &Arc<Self>, deadline: Instant) -> Result<Instance, PredictError> {
        let mut state = self.lock();
        let misses = state.misses;
        loop {
            if let Some(instance) = state.ready.pop() {
                state.busy += 1;
                return Ok(instance);
            }
            let nothing_comes = state.busy == 0 && state.making == 0;
            if nothing_comes && state.misses > misses {
                return Err(PredictError::Failed(format!("the model cannot be loaded again: {}", state.why)));
            }
            if state.absent > 0 && state.misses == misses {
                // Each call sees to it once that what is missing is made.
                self.make(&mut state);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(PredictError::TimedOut);
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn put_back(&self, instance: Instance) {
        let mut state = self.lock();
        state.busy -= 1;
        state.ready.push(instance);
        drop(state);
        self.changed.notify_one();
    }

    /// Throws it away and has another made.
    fn replace(self: &Arc<Self>, broken: Instance) {
        // Its memory goes before another takes as much.
        drop(broken);
        let mut state = self.lock();
        state.busy -= 1;
        state.absent += 1;
        self.make(&mut state);
    }

    /// One that is absent, in a thread of its own.
    fn make(self: &Arc<Self>, state: &mut State) {
        let inner = self.clone();
        let work = move || {
            let made = inner.maker.make();
            let mut state = inner.lock();
            state.making -= 1;
            match made {
                Ok(instance) => state.ready.push(instance),
                Err(why) => state.miss(why),
            }
            drop(state);
            inner.changed.notify_all();
        };
        state.absent -= 1;
        state.making += 1;
        if let Err(error) = std::thread::Builder::new().name("mlp-model".into()).spawn(work) {
            state.making -= 1;
            state.miss(format!("no thread can be started: {error}"));
            self.changed.notify_all();
        }
    }

    /// A panic elsewhere leaves the counts whole: nothing that panics runs under the lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn miss(&mut self, why: String) {
        self.absent += 1;
        self.misses += 1;
        self.why = why;
    }
}
