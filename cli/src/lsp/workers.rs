//! Threads that answer requests.

use lsp_server::RequestId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// How many requests are answered at once.
const THREADS: usize = 3;

/// The parser bounds how deep it goes; this is more than it ever needs.
const STACK: usize = 16 << 20;

type Job = Box<dyn FnOnce() + Send>;

/// A few threads that take jobs in the order they come.
pub struct Workers {
    jobs: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    pub fn new() -> Workers {
        let (jobs, waiting) = channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        let worker = |waiting: Arc<Mutex<std::sync::mpsc::Receiver<Job>>>| {
            move || {
                loop {
                    let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    match job {
                        Ok(job) => job(),
                        Err(_) => return,
                    }
                }
            }
        };
        let threads = (0..THREADS)
            .filter_map(|_| std::thread::Builder::new().stack_size(STACK).spawn(worker(waiting.clone())).ok())
            .collect();
        Workers { jobs: Some(jobs), threads }
    }

    /// Has a job done. Jobs catch their own panics.
    pub fn take(&self, job: impl FnOnce() + Send + 'static) {
        if let Some(jobs) = &self.jobs {
            let _ = jobs.send(Box::new(job));
        }
    }

    /// Waits for the jobs that were taken.
    pub fn finish(mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Requests that are not answered yet.
#[derive(Clone, Default)]
pub struct Pending(Arc<Mutex<HashMap<RequestId, Arc<AtomicBool>>>>);

impl Pending {
    /// Notes a request; what is given back turns true when nobody wants its answer any more.
    pub fn begin(&self, id: &RequestId) -> Arc<AtomicBool> {
        let cancelled = Arc::new(AtomicBool::new(false));
        self.lock().insert(id.clone(), cancelled.clone());
        cancelled
    }

    pub fn end(&self, id: &RequestId) {
        self.lock().remove(id);
    }

    pub fn cancel(&self, id: &RequestId) {
        if let Some(cancelled) = self.lock().get(id) {
            cancelled.store(true, Ordering::Relaxed);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<RequestId, Arc<AtomicBool>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
