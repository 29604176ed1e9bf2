//! The thread that looks for what is wrong in open documents, always in their newest texts.

use super::convert::Shown;
use super::wire::Sender;
use gen_lsp_types::PublishDiagnosticsParams;
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
    /// Which of them, with the URIs that the editor knows them by.
    pub documents: Vec<(String, gen_lsp_types::Uri)>,
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
    let mut left: HashMap<String, (gen_lsp_types::Uri, Workspace, Shown)> = HashMap::new();
    loop {
        let mut first = None;
        if left.is_empty() {
            match waiting.recv() {
                Ok(wanted) => first = Some(wanted),
                Err(_) => return,
            }
        }
        for wanted in first.into_iter().chain(waiting.try_iter()) {
            for (path, uri) in wanted.documents {
                left.insert(path, (uri, wanted.workspace.clone(), wanted.shown.clone()));
            }
        }
        let Some(path) = left.keys().next().cloned() else { continue };
        let Some((uri, workspace, shown)) = left.remove(&path) else { continue };
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
