//! From what went wrong in a guest to words for people.

use super::sandbox::{Guest, MAX_HANDLES};
use mlp_core::executor::StepError;
use wasmtime::component::ResourceTableError;
use wasmtime::{Error, Store, Trap};
use wasmtime_wasi::I32Exit;

/// Why a call ended without a result.
pub fn explain(store: &mut Store<Guest>, error: &Error) -> StepError {
    if let Some(stopped) = store.data_mut().limits.stopped.take() {
        return stopped;
    }
    let (who, said) = (store.data().role, store.data().lines.last_stderr());
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return StepError::Failed(with_words(format!("the {who} ended itself with exit code {}", exit.0), &said));
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => {
            StepError::Failed(format!("the {who} ran out of stack: it calls itself too deeply"))
        }
        Some(Trap::UnreachableCodeReached) => StepError::Failed(match panic_in(&said) {
            Some(panic) => format!("the {who} panicked: {panic}"),
            None => with_words(format!("the {who} aborted"), &said),
        }),
        Some(trap) => StepError::Failed(with_words(format!("the {who} crashed: {trap}"), &said)),
        None if matches!(error.downcast_ref(), Some(ResourceTableError::Full)) => StepError::Failed(format!(
            "the {who} holds too many files, folders or streams open at once: {MAX_HANDLES} at most"
        )),
        None => StepError::Failed(with_words(format!("the {who} could not go on: {}", error.root_cause()), &said)),
    }
}

/// Why a component could not be started. The engine's limits are the guest's doing too.
pub fn explain_start(store: &mut Store<Guest>, error: &Error) -> StepError {
    match store.data_mut().limits.stopped.take() {
        Some(stopped) => stopped,
        None if error.downcast_ref::<Trap>().is_some() => explain(store, error),
        None => StepError::Operational(format!("the component cannot be started: {error:#}")),
    }
}

/// `thread 'main' panicked at src/lib.rs:1:1:` and the message in the lines after it.
fn panic_in(said: &[String]) -> Option<String> {
    let head = said.iter().rposition(|line| line.contains("panicked at "))?;
    let place = said[head].split("panicked at ").nth(1)?.trim_end_matches(':');
    let message: Vec<_> =
        said[head + 1..].iter().take_while(|l| !l.starts_with("note: ")).map(String::as_str).collect();
    Some(if message.is_empty() { place.to_owned() } else { format!("{} ({place})", message.join(" ").trim()) })
}

fn with_words(what: String, said: &[String]) -> String {
    match said.last() {
        Some(line) if !line.is_empty() => format!("{what}; its last words: {line}"),
        _ => what,
    }
}
