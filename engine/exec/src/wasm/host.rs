//! `mlp:step/host`: the four functions that a step can call.

use super::sandbox::Guest;
use wasmtime::component::{ComponentType, Lift, Linker};
use wasmtime::{Result, StoreContextMut};

// Made by the guest: Rust code only reads it.
#[allow(dead_code)]
#[derive(Clone, Copy, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
enum Level {
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
}

#[derive(ComponentType, Lift)]
#[component(record)]
struct Metric {
    name: String,
    value: f64,
}

/// Offers them to guests.
pub fn add_to_linker(linker: &mut Linker<Guest>) -> Result<()> {
    // Interfaces with types alone: components import them by name.
    linker.instance("mlp:step/types@1.0.0")?;
    linker.instance("mlp:predictor/types@1.0.0")?;
    let mut host = linker.instance("mlp:step/host@1.0.0")?;
    host.func_wrap("log", |store: StoreContextMut<'_, Guest>, (level, message): (Level, String)| {
        let level = match level {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        };
        store.data().lines.say(level, &message);
        Ok(())
    })?;
    host.func_wrap("progress", |store: StoreContextMut<'_, Guest>, (fraction,): (f64,)| {
        store.data().lines.progress(fraction);
        Ok(())
    })?;
    host.func_wrap("emit", |store: StoreContextMut<'_, Guest>, (metric, at): (Metric, Option<u64>)| {
        store.data().lines.metric(&metric.name, metric.value, at);
        Ok(())
    })?;
    host.func_wrap("seed", |store: StoreContextMut<'_, Guest>, (): ()| Ok((store.data().seed,)))?;
    Ok(())
}
