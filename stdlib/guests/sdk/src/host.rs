//! What the host offers while a step runs. Natively there is no host: lines go to standard error, numbers nowhere.

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For the step's author.
    Debug,
    /// Worth reading.
    Info,
    /// Worth acting on.
    Warn,
    /// Something went wrong.
    Error,
}

/// A line in the step's log.
pub fn log(level: Level, message: &str) {
    imp::log(level, message);
}

/// A line worth reading.
pub fn info(message: &str) {
    log(Level::Info, message);
}

/// A line worth acting on.
pub fn warn(message: &str) {
    log(Level::Warn, message);
}

/// How far the step is, 0 to 1.
pub fn progress(fraction: f64) {
    imp::progress(fraction);
}

/// A number worth seeing while the step runs, at an optional iteration.
pub fn emit(name: &str, value: f64, at: Option<u64>) {
    imp::emit(name, value, at);
}

/// A seed that is the same for the same work, always.
pub fn seed() -> u64 {
    imp::seed()
}

#[cfg(target_family = "wasm")]
mod imp {
    use super::Level;
    use crate::wit::host;
    use crate::wit::types::Metric;

    pub fn log(level: Level, message: &str) {
        let level = match level {
            Level::Debug => host::Level::Debug,
            Level::Info => host::Level::Info,
            Level::Warn => host::Level::Warn,
            Level::Error => host::Level::Error,
        };
        host::log(level, message);
    }

    pub fn progress(fraction: f64) {
        host::progress(fraction);
    }

    pub fn emit(name: &str, value: f64, at: Option<u64>) {
        host::emit(&Metric { name: name.into(), value }, at);
    }

    pub fn seed() -> u64 {
        host::seed()
    }
}

#[cfg(not(target_family = "wasm"))]
mod imp {
    use super::Level;

    pub fn log(level: Level, message: &str) {
        eprintln!("{level:?}: {message}");
    }

    pub fn progress(_: f64) {}

    pub fn emit(_: &str, _: f64, _: Option<u64>) {}

    pub fn seed() -> u64 {
        0
    }
}
