//! Documents by path, open and closed, and what is known about each.

use crate::meaning::Meaning;
use crate::outline::Outline;
use crate::overlay::Overlay;
use crate::text::Lines;
use crate::view::{Declared, View};
use mlp_lang::analysis::{Analysis, analyze_again};
use mlp_lang::finding::Finding;
use mlp_lang::pipeline::Pipeline;
use mlp_lang::signature::Modules;
use mlp_lang::span::{Source, Span};
use mlp_lang::types::MetricField;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// What the world around the documents knows. The binary fills it from the disk and the history of runs.
pub trait Environment: Send + Sync {
    /// Asks the modules that a document at this path can use.
    fn modules(&self, path: &str, ask: &mut dyn FnMut(&dyn Modules));

    /// The value that a metric had in the last run of the pipeline at this path.
    fn last_value(&self, _path: &str, _node: &str, _output: &str, _metric: &MetricField) -> Option<LastValue> {
        None
    }

    /// What running the pipeline at this path, as its text is now, would do, in a few words: `3 steps would run`.
    fn plan(&self, _path: &str, _pipeline: &Pipeline) -> Option<String> {
        None
    }
}

/// A number of an earlier run.
#[derive(Clone, Debug, PartialEq)]
pub struct LastValue {
    /// As it is written for people.
    pub value: String,
    /// Which run: `run 7, 2 days ago`.
    pub run: String,
}

/// One text. It never changes: an edit makes another document.
#[derive(Debug)]
pub struct Document {
    path: Arc<str>,
    text: Arc<str>,
    version: Option<i32>,
    lines: Lines,
    reads_files: bool,
    looked: Mutex<Option<Arc<Looked>>>,
    /// The text before it, until this one is analysed: most of what is known about that is true of this one.
    before: Mutex<Option<Arc<Document>>>,
    findings: OnceLock<Arc<Vec<Finding>>>,
}

/// What is known about one text.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) analysis: Arc<Analysis>,
    text: Arc<str>,
    outline: OnceLock<Outline>,
    /// For each token, once somebody asked for all of them.
    pub(crate) meanings: OnceLock<Vec<Option<Meaning>>>,
    /// What the file declares, by name.
    pub(crate) names: OnceLock<HashMap<String, Declared>>,
}

impl Looked {
    /// `text`: what is asked about; the analysis may be of one that is a little different.
    pub(crate) fn new(analysis: Arc<Analysis>, text: Arc<str>) -> Looked {
        Looked { analysis, text, outline: OnceLock::new(), meanings: OnceLock::new(), names: OnceLock::new() }
    }

    /// What stands where in the text. Not looked for until somebody asks: who only wants the findings does not.
    pub(crate) fn outline(&self) -> &Outline {
        self.outline.get_or_init(|| Outline::new(&self.text))
    }
}

impl Document {
    pub(crate) fn new(path: Arc<str>, text: Arc<str>, version: Option<i32>) -> Document {
        let (lines, reads_files) = (Lines::new(&text), reads_files(&text));
        let (looked, before) = (Mutex::new(None), Mutex::new(None));
        Document { path, text, version, lines, reads_files, looked, before, findings: OnceLock::new() }
    }

    /// The last one of these texts that is analysed, or is being analysed right now.
    fn last_analysed(self: &Arc<Document>) -> Option<Arc<Document>> {
        match self.looked.try_lock() {
            Ok(looked) if looked.is_none() => lock(&self.before).take(),
            _ => Some(self.clone()),
        }
    }

    /// Takes what is known about the text before, if anything is. Whoever looks at that one still keeps what he has.
    fn known_before(&self) -> Option<Analysis> {
        let before = lock(&self.before).take()?;
        let looked = lock(&before.looked).take()?;
        let analysis = Arc::try_unwrap(looked).map_or_else(|looked| looked.analysis.clone(), |looked| looked.analysis);
        Some(Arc::try_unwrap(analysis).unwrap_or_else(|analysis| (*analysis).clone()))
    }

    /// Its path, as it was given.
    pub fn path(&self) -> &Arc<str> {
        &self.path
    }

    /// Its text.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The editor's version of it; none: nobody has it open.
    pub fn version(&self) -> Option<i32> {
        self.version
    }

    /// Whether it imports other files, so that what they say changes what it says.
    pub fn reads_files(&self) -> bool {
        self.reads_files
    }

    /// Its lines.
    pub fn lines(&self) -> &Lines {
        &self.lines
    }
}

/// Documents and their world. A clone is a snapshot: it shares what is known and does not see later changes.
#[derive(Clone)]
pub struct Workspace {
    documents: BTreeMap<Arc<str>, Arc<Document>>,
    environment: Arc<dyn Environment>,
    /// Whose analysis is kept, the last one asked about last.
    recent: Arc<Mutex<Vec<Arc<str>>>>,
}

/// Of how much text all that is known is kept; of other documents the findings are. A thousand lines, some 30 kB, take a few
/// megabytes with everything that is known about them.
const KEPT: usize = 128 << 10;

/// How many documents are kept whatever their size: those that somebody goes back and forth between.
const ALWAYS: usize = 3;

impl Workspace {
    /// Without documents.
    pub fn new(environment: Arc<dyn Environment>) -> Workspace {
        Workspace { documents: BTreeMap::new(), environment, recent: Arc::default() }
    }

    /// The world around the documents.
    pub fn environment(&self) -> &Arc<dyn Environment> {
        &self.environment
    }

    /// Adds a document, or gives it another text. `version`: of an editor that has it open.
    pub fn set(&mut self, path: &str, text: &str, version: Option<i32>) {
        let same = |document: &Arc<Document>| *document.text == *text && document.version == version;
        if self.documents.get(path).is_some_and(same) {
            return;
        }
        let path: Arc<str> = path.into();
        let document = Document::new(path.clone(), text.into(), version);
        *lock(&document.before) = self.documents.get(&path).and_then(Document::last_analysed);
        self.documents.insert(path.clone(), Arc::new(document));
        self.forget_readers(&path);
    }

    /// Removes a document.
    pub fn remove(&mut self, path: &str) {
        if let Some(document) = self.documents.remove(path) {
            self.forget_readers(&document.path);
        }
    }

    /// Forgets what was found out about all documents: the world around them is another.
    pub fn forget(&mut self) {
        for document in self.documents.values_mut() {
            *document = fresh(document);
        }
    }

    /// Documents that read other files say something else when one of those does.
    fn forget_readers(&mut self, changed: &str) {
        for (path, document) in &mut self.documents {
            if **path != *changed && document.reads_files() {
                *document = fresh(document);
            }
        }
    }

    /// The document at a path.
    pub fn document(&self, path: &str) -> Option<&Arc<Document>> {
        self.documents.get(path)
    }

    /// All documents, by path.
    pub fn documents(&self) -> impl Iterator<Item = &Arc<Document>> {
        self.documents.values()
    }

    /// Asks the modules and files that a document can use: documents go before files of the same path.
    pub(crate) fn modules(&self, path: &str, ask: &mut dyn FnMut(&dyn Modules)) {
        self.environment.modules(path, &mut |world| ask(&Overlay { workspace: self, world }));
    }

    /// The documents directly in a folder.
    pub(crate) fn inside(&self, folder: &str) -> Vec<&Arc<Document>> {
        let folder = folder.trim_end_matches('/');
        let inside = |document: &&Arc<Document>| {
            let rest = document.path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
            rest.is_some_and(|rest| !rest.contains('/') && rest.ends_with(".mlp"))
        };
        self.documents.values().filter(inside).collect()
    }

    /// What is wrong in a document, as `mlp check` tells it.
    pub fn findings(&self, path: &str) -> Arc<Vec<Finding>> {
        let Some(document) = self.documents.get(path) else { return Arc::default() };
        if let Some(found) = document.findings.get() {
            return found.clone();
        }
        self.looked(document);
        document.findings.get().cloned().unwrap_or_default()
    }

    /// Where a document uses another: the path in its `use`, through whatever files between.
    pub fn uses(&self, path: &str, used: &str) -> Option<Span> {
        let view = self.view(path)?;
        let mut first = None;
        for (name, declared) in view.declared_in(0) {
            if view.word(declared.keyword) != "use" {
                continue;
            }
            let span = view.outline().toks.get(declared.keyword + 1)?.span;
            let documents = view.imported(name);
            if documents.iter().any(|document| **document.path() == *used) {
                return Some(span);
            }
            if !documents.is_empty() {
                first.get_or_insert(span);
            }
        }
        first
    }

    /// A document with all that is known about it.
    pub(crate) fn view(&self, path: &str) -> Option<View<'_>> {
        let document = self.documents.get(path)?;
        Some(View { workspace: self, document: document.clone(), looked: self.looked(document) })
    }

    /// The analysis of a document.
    pub fn with_analysis<T>(&self, path: &str, ask: impl FnOnce(&Analysis) -> T) -> Option<T> {
        let document = self.documents.get(path)?;
        Some(ask(&self.looked(document).analysis))
    }

    fn looked(&self, document: &Arc<Document>) -> Arc<Looked> {
        // Held while it is analysed: two questions about one text wait for one analysis.
        let mut kept = lock(&document.looked);
        if let Some(looked) = &*kept {
            let looked = looked.clone();
            drop(kept);
            self.keep(&document.path);
            return looked;
        }
        let source = Source::new(&document.path, &document.text);
        let (mut before, mut analysis) = (document.known_before(), None);
        self.modules(&document.path, &mut |modules| {
            analysis = Some(analyze_again(before.take(), &source, modules));
        });
        let analysis = analysis.unwrap_or_else(|| analyze_again(before, &source, &NoModules));
        let _ = document.findings.set(Arc::new(analysis.findings.clone()));
        let looked = Arc::new(Looked::new(Arc::new(analysis), document.text.clone()));
        *kept = Some(looked.clone());
        drop(kept);
        self.keep(&document.path);
        looked
    }

    /// Notes that a document was asked about, and lets the one go that was not for the longest time.
    fn keep(&self, path: &Arc<str>) {
        let mut recent = lock(&self.recent);
        if recent.last() == Some(path) {
            return;
        }
        recent.retain(|known| known != path);
        recent.push(path.clone());
        let size = |path: &Arc<str>| self.documents.get(path).map_or(0, |document| document.text.len());
        let mut kept: usize = recent.iter().map(size).sum();
        let mut forgotten = Vec::new();
        while kept > KEPT && recent.len() > ALWAYS {
            let oldest = recent.remove(0);
            kept = kept.saturating_sub(size(&oldest));
            forgotten.push(oldest);
        }
        drop(recent);
        for path in forgotten {
            // Whoever is at it right now has it in hand; it is not waited for.
            if let Some(document) = self.documents.get(&path)
                && let Ok(mut looked) = document.looked.try_lock()
            {
                *looked = None;
            }
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn fresh(document: &Document) -> Arc<Document> {
    Arc::new(Document::new(document.path.clone(), document.text.clone(), document.version))
}

/// Whether a text imports files.
fn reads_files(text: &str) -> bool {
    text.lines().any(|line| line.strip_prefix("use").is_some_and(|rest| rest.trim_start().starts_with('"')))
}

/// A world without modules.
struct NoModules;

impl Modules for NoModules {
    fn module(
        &self,
        path: &str,
    ) -> Result<Arc<mlp_lang::signature::ModuleSignature>, mlp_lang::signature::ModuleError> {
        Err(mlp_lang::signature::ModuleError::NotFound(path.to_owned()))
    }

    fn known(&self) -> Vec<String> {
        Vec::new()
    }
}
