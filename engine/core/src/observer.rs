//! Watching a run as it happens.

use crate::record::Record;

/// Is told what happens in a run, when it happens (which is before it is durable). Called from several threads; must be
/// cheap and never block for long.
pub trait Observer: Send + Sync {
    /// Something happened: the same records that the journal keeps, in the same order.
    fn record(&self, record: &Record);

    /// A step said something. `level` is `debug`, `info`, `warn`, `error`, `stdout` or `stderr`.
    fn log(&self, _node: &str, _level: &str, _line: &str) {}

    /// A step told how far it is, 0 to 1.
    fn progress(&self, _node: &str, _fraction: f64) {}

    /// A step gave a number while it runs, at an optional iteration.
    fn metric(&self, _node: &str, _name: &str, _value: f64, _at: Option<u64>) {}
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn record(&self, _record: &Record) {}
}
