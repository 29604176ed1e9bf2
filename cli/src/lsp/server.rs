//! The loop: takes messages one by one, changes the workspace, and hands requests to workers.

use super::capabilities::Client;
use super::checker::{Checker, Wanted};
use super::convert::{Places, Shown};
use super::environment::Disk;
use super::requests;
use super::wire::{Incoming, Sender};
use super::workers::{Pending, Workers};
use super::{documents, uri};
use crate::exit::Exit;
use gen_lsp_types as lsp;
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use mlp_ide::Workspace;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

/// A language server and its state.
pub struct Server {
    sender: Sender,
    /// To itself, from threads that read files.
    itself: SyncSender<Incoming>,
    /// Known from `initialize` on.
    client: Option<Client>,
    shut_down: bool,
    workspace: Workspace,
    disk: Arc<Disk>,
    /// Documents that the editor has open, by path, with the URI it calls them by.
    open: HashMap<String, lsp::Uri>,
    folders: Vec<PathBuf>,
    /// Requests about all files, which wait until those are read.
    waiting: Vec<Request>,
    loading: usize,
    pending: Pending,
    workers: Workers,
    checker: Checker,
    asked: i32,
}

/// Requests whose answers may lie in any file.
const ABOUT_ALL: [&str; 4] =
    ["textDocument/definition", "textDocument/references", "textDocument/rename", "workspace/symbol"];

impl Server {
    pub fn new(sender: Sender, itself: SyncSender<Incoming>) -> Server {
        let disk = Arc::new(Disk::default());
        Server {
            checker: Checker::new(sender.clone()),
            sender,
            itself,
            client: None,
            shut_down: false,
            workspace: Workspace::new(disk.clone()),
            disk,
            open: HashMap::new(),
            folders: Vec::new(),
            waiting: Vec::new(),
            loading: 0,
            pending: Pending::default(),
            workers: Workers::new(),
            asked: 0,
        }
    }

    /// Serves until `exit`, or until the input ends.
    pub fn run(mut self, incoming: &Receiver<Incoming>) -> Exit {
        let mut asked_to_exit = false;
        for message in incoming {
            match message {
                Incoming::Message(Message::Notification(notification)) if notification.method == "exit" => {
                    asked_to_exit = true;
                    break;
                }
                Incoming::End => break,
                message => self.take(message),
            }
        }
        self.workers.finish();
        self.checker.finish();
        if asked_to_exit && self.shut_down { Exit::Done } else { Exit::Failed }
    }

    /// Takes one message. A panic is told, and the next message is taken.
    fn take(&mut self, message: Incoming) {
        let id = match &message {
            Incoming::Message(Message::Request(request)) => Some(request.id.clone()),
            _ => None,
        };
        let taken = std::panic::catch_unwind(AssertUnwindSafe(|| match message {
            Incoming::Message(Message::Request(request)) => self.request(request),
            Incoming::Message(Message::Notification(notification)) => self.notification(notification),
            Incoming::Message(Message::Response(_)) | Incoming::End => {}
            Incoming::Unreadable(answer) => self.sender.send_raw(answer),
            Incoming::Loaded(files) => self.loaded(files),
        }));
        if taken.is_err() {
            match id {
                Some(id) => self.fail(id, ErrorCode::InternalError, "a defect in mlp; the server goes on"),
                None => self.log("a defect in mlp; the server goes on"),
            }
        }
    }

    fn fail(&self, id: RequestId, code: ErrorCode, why: &str) {
        self.sender.send(Response::new_err(id, code as i32, why.to_owned()));
    }

    fn log(&self, text: &str) {
        let params = json!({ "type": 2, "message": text });
        self.sender.send(Notification { method: "window/logMessage".to_owned(), params });
    }

    fn request(&mut self, request: Request) {
        match (request.method.as_str(), &self.client) {
            ("initialize", None) => self.initialize(request),
            ("initialize", Some(_)) => {
                self.fail(request.id, ErrorCode::InvalidRequest, "`initialize` was said already");
            }
            (_, None) => self.fail(request.id, ErrorCode::ServerNotInitialized, "`initialize` comes first"),
            _ if self.shut_down => self.fail(request.id, ErrorCode::InvalidRequest, "`shutdown` was said already"),
            ("shutdown", _) => {
                self.shut_down = true;
                self.sender.send(Response::new_ok(request.id, Value::Null));
            }
            (method, _) if self.loading > 0 && ABOUT_ALL.contains(&method) => self.waiting.push(request),
            _ => self.hand_over(request),
        }
    }

    /// Lets a worker answer, about the texts as they are now.
    fn hand_over(&self, request: Request) {
        let workspace = self.workspace.clone();
        let shown = self.shown();
        let sender = self.sender.clone();
        let pending = self.pending.clone();
        let cancelled = self.pending.begin(&request.id);
        self.workers.take(move || {
            let id = request.id.clone();
            let is_cancelled = || cancelled.load(std::sync::atomic::Ordering::Relaxed);
            let answer = if is_cancelled() {
                Err((ErrorCode::RequestCanceled, "cancelled".to_owned()))
            } else {
                let asked = AssertUnwindSafe(|| requests::answer(&workspace, &shown, &request.method, request.params));
                let answer = std::panic::catch_unwind(asked).unwrap_or_else(|_| {
                    Err((ErrorCode::InternalError, "a defect in mlp; the server goes on".to_owned()))
                });
                if is_cancelled() { Err((ErrorCode::RequestCanceled, "cancelled".to_owned())) } else { answer }
            };
            pending.end(&id);
            sender.send(match answer {
                Ok(result) => Response { id, response_result: Ok(result) },
                Err((code, why)) => Response::new_err(id, code as i32, why),
            });
        });
    }

    fn shown(&self) -> Shown {
        self.client.as_ref().map(|client| client.shown.clone()).unwrap_or_default()
    }

    fn initialize(&mut self, request: Request) {
        let client = Client::new(&request.params);
        self.sender.send(Response::new_ok(request.id, client.answer()));
        self.folders = client.folders.iter().map(|folder| folder_of(folder)).collect();
        self.client = Some(client);
        self.load(self.folders.clone());
    }

    /// Reads the files of folders beside the loop.
    fn load(&mut self, folders: Vec<PathBuf>) {
        self.loading += 1;
        let itself = self.itself.clone();
        let read = move || {
            let files = std::panic::catch_unwind(|| documents::load(&folders)).unwrap_or_default();
            let _ = itself.send(Incoming::Loaded(files));
        };
        if std::thread::Builder::new().spawn(read).is_err() {
            self.loading -= 1;
        }
    }

    fn loaded(&mut self, files: Vec<(String, String)>) {
        for (path, text) in files {
            if !self.open.contains_key(&path) {
                self.workspace.set(&path, &text, None);
            }
        }
        self.loading = self.loading.saturating_sub(1);
        if self.loading == 0 {
            for request in std::mem::take(&mut self.waiting) {
                self.hand_over(request);
            }
            self.others_changed(None, false);
        }
    }

    fn notification(&mut self, notification: Notification) {
        if self.client.is_none() || self.shut_down {
            return;
        }
        let Notification { method, params } = notification;
        match method.as_str() {
            "initialized" => self.watch_files(),
            "$/cancelRequest" => self.cancel(params),
            "textDocument/didOpen" => self.with(params, Server::opened),
            "textDocument/didChange" => self.with(params, Server::changed),
            "textDocument/didClose" => self.with(params, Server::closed),
            "workspace/didChangeWatchedFiles" => self.with(params, Server::files_changed),
            "workspace/didChangeWorkspaceFolders" => self.with(params, Server::folders_changed),
            _ => {}
        }
    }

    /// Parameters that are not as they should be are told; there is nobody to answer.
    fn with<P: DeserializeOwned>(&mut self, params: Value, act: impl FnOnce(&mut Server, P)) {
        match serde_json::from_value(params) {
            Ok(params) => act(self, params),
            Err(error) => self.log(&format!("a message was not understood: {error}")),
        }
    }

    fn cancel(&mut self, params: Value) {
        let Ok(id) = serde_json::from_value::<RequestId>(params["id"].clone()) else { return };
        if let Some(at) = self.waiting.iter().position(|request| request.id == id) {
            self.waiting.remove(at);
            return self.fail(id, ErrorCode::RequestCanceled, "cancelled");
        }
        self.pending.cancel(&id);
    }

    fn opened(&mut self, params: lsp::DidOpenTextDocumentParams) {
        let item = params.text_document;
        let path = uri::to_path(&item.uri);
        self.open.insert(path.clone(), item.uri);
        self.workspace.set(&path, &item.text, Some(item.version));
        self.check(&path);
    }

    fn changed(&mut self, params: lsp::DidChangeTextDocumentParams) {
        let path = uri::to_path(&params.text_document.text_document_identifier.uri);
        if !self.open.contains_key(&path) {
            return self.log(&format!("{path} was changed and is not open"));
        }
        for change in params.content_changes {
            let Some(document) = self.workspace.document(&path) else { return };
            let text = match change {
                lsp::TextDocumentContentChangeEvent::TextDocumentContentChangePartial(change) => {
                    let span = Places::of(document, &self.shown()).span(change.range);
                    mlp_ide::text::replaced(document.text(), span, &change.text)
                }
                lsp::TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(change) => change.text,
            };
            self.workspace.set(&path, &text, Some(params.text_document.version));
        }
        self.check(&path);
    }

    fn closed(&mut self, params: lsp::DidCloseTextDocumentParams) {
        let uri = params.text_document.uri;
        let path = uri::to_path(&uri);
        if self.open.remove(&path).is_none() {
            return;
        }
        match documents::read(std::path::Path::new(&path)) {
            Some((_, text)) => self.workspace.set(&path, &text, None),
            None => self.workspace.remove(&path),
        }
        if !self.pulls() {
            let params = lsp::PublishDiagnosticsParams { uri, version: None, diagnostics: Vec::new() };
            self.sender.send(Notification::new("textDocument/publishDiagnostics".to_owned(), params));
        }
        self.others_changed(Some(&path), false);
    }

    fn files_changed(&mut self, params: lsp::DidChangeWatchedFilesParams) {
        let mut modules = false;
        for event in params.changes {
            let path = uri::to_path(&event.uri);
            if !path.ends_with(".mlp") {
                modules = true;
                continue;
            }
            if self.open.contains_key(&path) {
                continue;
            }
            match documents::read(std::path::Path::new(&path)) {
                Some((_, text)) => self.workspace.set(&path, &text, None),
                None => self.workspace.remove(&path),
            }
        }
        if modules {
            self.disk.forget();
            self.workspace.forget();
        }
        self.others_changed(None, modules);
    }

    fn folders_changed(&mut self, params: lsp::DidChangeWorkspaceFoldersParams) {
        for folder in params.event.removed {
            let gone = folder_of(folder.uri.as_ref());
            self.folders.retain(|folder| *folder != gone);
            let inside = |path: &str| std::path::Path::new(path).starts_with(&gone);
            let paths: Vec<String> = self.workspace.documents().map(|document| document.path().to_string()).collect();
            let stays = |path: &str| self.folders.iter().any(|folder| std::path::Path::new(path).starts_with(folder));
            let dropped = paths.iter().filter(|path| inside(path) && !stays(path) && !self.open.contains_key(*path));
            dropped.for_each(|path| self.workspace.remove(path));
        }
        let added: Vec<PathBuf> = params.event.added.iter().map(|folder| folder_of(folder.uri.as_ref())).collect();
        if !added.is_empty() {
            self.folders.extend(added.iter().cloned());
            self.load(added);
        }
    }

    fn pulls(&self) -> bool {
        self.client.as_ref().is_some_and(|client| client.pulls)
    }

    /// Has a document checked, and those that may read it.
    fn check(&mut self, path: &str) {
        self.publish(path);
        self.others_changed(Some(path), false);
    }

    /// Something beside a document changed: those that read other files may say something else, or all of them.
    fn others_changed(&mut self, besides: Option<&str>, all: bool) {
        let affected = |path: &&String| {
            let reads = || self.workspace.document(path).is_some_and(|document| document.reads_files());
            Some(path.as_str()) != besides && (all || reads())
        };
        let affected: Vec<String> = self.open.keys().filter(affected).cloned().collect();
        if affected.is_empty() {
            return;
        }
        if self.client.as_ref().is_some_and(|client| client.pulls && client.refreshes_findings) {
            return self.ask("workspace/diagnostic/refresh", Value::Null);
        }
        affected.iter().for_each(|path| self.publish(path));
    }

    /// Has an open document checked, if its editor does not ask by itself.
    fn publish(&self, path: &str) {
        let Some(uri) = self.open.get(path).filter(|_| !self.pulls()) else { return };
        let (path, uri) = (path.to_owned(), uri.clone());
        self.checker.check(Wanted { workspace: self.workspace.clone(), path, uri, shown: self.shown() });
    }

    /// Asks the editor for something; its answer is not needed.
    fn ask(&mut self, method: &str, params: Value) {
        self.asked = self.asked.wrapping_add(1);
        self.sender.send(Request { id: RequestId::from(self.asked), method: method.to_owned(), params });
    }

    fn watch_files(&mut self) {
        if !self.client.as_ref().is_some_and(|client| client.watches) {
            return;
        }
        let watchers = json!([{ "globPattern": "**/*.mlp" }, { "globPattern": "**/*.wasm" }]);
        let registration = json!({
            "id": "mlp-files",
            "method": "workspace/didChangeWatchedFiles",
            "registerOptions": { "watchers": watchers },
        });
        self.ask("client/registerCapability", json!({ "registrations": [registration] }));
    }
}

fn folder_of(uri: &str) -> PathBuf {
    PathBuf::from(uri::to_path(&lsp::Uri::from(uri)))
}
