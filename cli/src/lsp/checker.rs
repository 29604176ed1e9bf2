//! The thread that looks for what is wrong in open documents, always in their newest texts.

use super::convert::Shown;
use super::wire::Sender;
use gen_lsp_types::{PublishDiagnosticsParams, Uri};
use lsp_server::Notification;
use mlp_ide::Workspace;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;

/// What is to be checked.
pub struct Wanted {
    /// The documents as they are now.
    pub workspace: Workspace,
    /// Which of them.
    pub path: String,
    /// The URI that the editor knows it by.
    pub uri: Uri,
    /// How it shows things.
    pub shown: Shown,
}

/// Publishes what is wrong. While one text is looked at, newer ones replace those that wait.
pub struct Checker {
    wanted: Option<std::sync::mpsc::Sender<Wanted>>,
    thread: Option<JoinHandle<()>>,
}

impl Checker {
    pub fn new(sender: Sender) -> Checker {
        let (wanted, waiting) = channel();
        let work = move || work(&waiting, &sender);
        let thread = std::thread::Builder::new().stack_size(16 << 20).spawn(work).ok();
        Checker { wanted: Some(wanted), thread }
    }

    pub fn check(&self, wanted: Wanted) {
        if let Some(waiting) = &self.wanted {
            let _ = waiting.send(wanted);
        }
    }

    /// Waits until everything was published.
    pub fn finish(mut self) {
        self.wanted = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn work(waiting: &Receiver<Wanted>, sender: &Sender) {
    let mut left: HashMap<String, Wanted> = HashMap::new();
    loop {
        let mut first = None;
        if left.is_empty() {
            match waiting.recv() {
                Ok(wanted) => first = Some(wanted),
                Err(_) => return,
            }
        }
        for wanted in first.into_iter().chain(waiting.try_iter()) {
            left.insert(wanted.path.clone(), wanted);
        }
        let Some(path) = left.keys().next().cloned() else { continue };
        let Some(Wanted { workspace, uri, shown, .. }) = left.remove(&path) else { continue };
        let publish = || {
            let document = workspace.document(&path)?;
            let diagnostics = shown.diagnostics(&workspace, &path);
            let params = PublishDiagnosticsParams { uri: uri.clone(), version: document.version(), diagnostics };
            Some(Notification::new("textDocument/publishDiagnostics".to_owned(), params))
        };
        // A panic leaves this text without findings; the next edit is looked at again.
        if let Ok(Some(notification)) = std::panic::catch_unwind(AssertUnwindSafe(publish)) {
            sender.send(notification);
        }
    }
}
