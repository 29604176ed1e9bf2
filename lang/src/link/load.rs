//! Reads a file and all that it uses, each once; cycles among files are findings.

use crate::codes;
use crate::finding::{Finding, Place};
use crate::import::{ImportError, Imported, identity};
use crate::names::{Kind, declared_name};
use crate::signature::Modules;
use crate::span::{Source, Span};
use crate::syntax::ast::{Declaration, DeclarationKind};
use crate::syntax::{LARGEST_FILE, Syntax};
use std::collections::{HashMap, HashSet};

/// How many files are read for one.
pub(crate) const MOST_FILES: usize = 500;

/// How many bytes all of them have together.
const MOST_BYTES: usize = 64 << 20;

/// A file by its position in [`World::files`].
pub(crate) type FileId = usize;

/// A file with all that it uses.
pub(crate) struct World<'m> {
    pub(crate) modules: &'m dyn Modules,
    /// The checked file first.
    pub(crate) files: Vec<Loaded>,
    /// Each file after the files that it uses.
    pub(crate) order: Vec<FileId>,
}

/// A file as read.
pub(crate) struct Loaded {
    pub(crate) source: Source,
    pub(crate) syntax: Syntax,
    /// What its names stand for: the first declaration of each. Kind and index.
    pub(crate) names: HashMap<String, (Kind, usize)>,
    /// What is wrong with what it imports.
    pub(crate) findings: Vec<Finding>,
    /// By index of the `use`.
    pub(crate) imports: HashMap<usize, Target>,
    /// Components by index of their declaration that cannot be used, which is reported.
    pub(crate) unsound: HashSet<usize>,
}

/// What a `use` of files brings.
pub(crate) enum Target {
    /// Nothing, which was reported.
    Failed,
    /// What these files declare.
    Files(Vec<FileId>),
}

/// Whether a `use` is of files, and not of a module of steps.
pub(crate) fn is_import(path: &str, quoted: bool) -> bool {
    quoted && !path.ends_with(".wasm") && !path.starts_with("std/")
}

impl<'m> World<'m> {
    /// Reads all that a file uses, directly and through others.
    pub(crate) fn load(source: &Source, syntax: Syntax, modules: &'m dyn Modules) -> World<'m> {
        let mut loader = Loader {
            world: World { modules, files: Vec::new(), order: Vec::new() },
            known: HashMap::new(),
            bytes: 0,
            full: false,
        };
        loader.add(source.clone(), syntax);
        // Not by recursion: a chain of files may be long.
        let mut next = 0;
        while next < loader.world.files.len() {
            loader.read_imports(next);
            next += 1;
        }
        loader.arrange();
        loader.world
    }

    /// A declaration of a file.
    pub(crate) fn declaration(&self, file: FileId, index: usize) -> Option<&Declaration> {
        self.files.get(file)?.syntax.file.declarations.get(index)
    }
}

struct Loader<'m> {
    world: World<'m>,
    known: HashMap<String, FileId>,
    bytes: usize,
    full: bool,
}

impl Loader<'_> {
    fn add(&mut self, source: Source, syntax: Syntax) -> FileId {
        let id = self.world.files.len();
        self.known.insert(identity(&source.path), id);
        self.bytes += source.text.len();
        let mut names = HashMap::new();
        for (index, declaration) in syntax.file.declarations.iter().enumerate() {
            if let Some((name, kind, _)) = declared_name(declaration) {
                names.entry(name.to_owned()).or_insert((kind, index));
            }
        }
        self.world.files.push(Loaded {
            source,
            syntax,
            names,
            findings: Vec::new(),
            imports: HashMap::new(),
            unsound: HashSet::new(),
        });
        id
    }

    fn read_imports(&mut self, id: FileId) {
        for (index, path, span) in uses(&self.world.files[id]) {
            let target = match self.import(id, &path, span) {
                Ok(files) => Target::Files(files),
                Err(finding) => {
                    self.world.files[id].findings.extend(finding.map(|finding| *finding));
                    Target::Failed
                }
            };
            self.world.files[id].imports.insert(index, target);
        }
    }

    /// Puts each file behind those that it uses. A `use` that closes a circle brings nothing.
    fn arrange(&mut self) {
        let imports = |world: &World<'_>, id: FileId| {
            let mut all: Vec<(usize, FileId)> = Vec::new();
            for (index, target) in &world.files[id].imports {
                if let Target::Files(files) = target {
                    all.extend(files.iter().map(|file| (*index, *file)));
                }
            }
            all.sort_unstable();
            all
        };
        let mut done: HashSet<FileId> = HashSet::new();
        let mut trail = vec![(0, imports(&self.world, 0), 0)];
        while let Some((id, targets, next)) = trail.last_mut() {
            let id = *id;
            let Some((index, target)) = targets.get(*next).copied() else {
                done.insert(id);
                self.world.order.push(id);
                trail.pop();
                continue;
            };
            *next += 1;
            if let Some(start) = trail.iter().position(|(at, ..)| *at == target) {
                let circle: Vec<FileId> = trail[start..].iter().map(|(at, ..)| *at).collect();
                let finding = self.cycle(&circle, id, index);
                self.world.files[id].findings.extend(finding);
                self.world.files[id].imports.insert(index, Target::Failed);
            } else if !done.contains(&target) {
                let targets = imports(&self.world, target);
                trail.push((target, targets, 0));
            }
        }
    }

    fn import(&mut self, importer: FileId, path: &str, span: Span) -> Result<Vec<FileId>, Option<Box<Finding>>> {
        let shown = self.world.files[importer].source.path.clone();
        let place = Place::Source { path: shown.clone(), span };
        let imported = match self.world.modules.files().import(&shown, path) {
            Ok(imported) => imported,
            Err(error) => return Err(Some(not_imported(error, path, place, span).into())),
        };
        let sources = match imported {
            Imported::File(source) => vec![source],
            Imported::Folder(sources) if sources.is_empty() => {
                return Err(Some(
                    Finding::error(codes::EMPTY_FOLDER, place, format!("there is no .mlp file in the folder `{path}`"))
                        .help("a folder is a module of the .mlp files directly in it: name a folder that has some")
                        .into(),
                ));
            }
            Imported::Folder(sources) => sources,
        };
        let mut files = Vec::with_capacity(sources.len());
        for source in sources {
            if source.text.len() > LARGEST_FILE {
                let reason = format!("it has more than {} MiB", LARGEST_FILE >> 20);
                return Err(Some(not_imported(ImportError::Unreadable(reason), path, place, span).into()));
            }
            match self.known.get(&identity(&source.path)) {
                Some(id) => files.push(*id),
                None if self.world.files.len() >= MOST_FILES || self.bytes + source.text.len() > MOST_BYTES => {
                    if std::mem::replace(&mut self.full, true) {
                        return Err(None);
                    }
                    return Err(Some(
                        Finding::error(
                            codes::TOO_MANY_FILES,
                            place,
                            "too many files are used, and this one is not read",
                        )
                        .note(format!("a file may use {MOST_FILES} files and {} MiB in all", MOST_BYTES >> 20))
                        .help("import fewer files, or split the pipeline")
                        .into(),
                    ));
                }
                None => {
                    let syntax = crate::syntax::parse(&source);
                    files.push(self.add(source, syntax));
                }
            }
        }
        self.report_doubles(importer, path, &files);
        Ok(files)
    }

    /// `a.mlp` uses `b.mlp`, which uses `a.mlp`.
    fn cycle(&self, circle: &[FileId], id: FileId, index: usize) -> Option<Finding> {
        let DeclarationKind::Use { path, path_span, .. } = &self.world.declaration(id, index)?.kind else {
            return None;
        };
        let shown = |id: &FileId| format!("`{}`", self.world.files[*id].source.path);
        let mut way: Vec<String> = circle.iter().map(shown).collect();
        way.extend(circle.first().map(shown));
        let message = match circle.len() {
            1 => format!("`{path}` is this file itself, or a folder that holds it"),
            _ => format!("these files use each other: {}", way.join(" -> ")),
        };
        let place = Place::Source { path: self.world.files[id].source.path.clone(), span: *path_span };
        Some(
            Finding::error(codes::IMPORT_CYCLE, place, message)
                .label("closes the circle")
                .help("move what both need into a file of its own, and use that in both"),
        )
    }

    /// What two files of one folder both declare.
    fn report_doubles(&mut self, importer: FileId, path: &str, files: &[FileId]) {
        let mut first: HashMap<&str, FileId> = HashMap::new();
        let mut doubles: Vec<(String, FileId, FileId)> = Vec::new();
        for id in files {
            let mut names: Vec<(&usize, &str)> = (self.world.files[*id].names.iter())
                .filter(|(_, (kind, _))| is_importable(*kind))
                .map(|(name, (_, index))| (index, name.as_str()))
                .collect();
            names.sort_unstable();
            for (_, name) in names {
                match first.get(name) {
                    Some(other) => doubles.push((name.to_owned(), *other, *id)),
                    None => drop(first.insert(name, *id)),
                }
            }
        }
        for (name, first, second) in doubles {
            let place = |id: FileId| {
                let loaded = &self.world.files[id];
                let (_, index) = loaded.names.get(&name)?;
                let (_, _, span) = declared_name(loaded.syntax.file.declarations.get(*index)?)?;
                Some(Place::Source { path: loaded.source.path.clone(), span })
            };
            let (Some(before), Some(again)) = (place(first), place(second)) else { continue };
            let user = self.world.files[importer].source.path.clone();
            let finding = Finding::error(
                codes::DUPLICATE_IN_FOLDER,
                again,
                format!("`{name}` is declared in two files of the folder `{path}`"),
            )
            .label("declared again")
            .also(before, "declared here")
            .note(format!("`{user}` uses the folder as one module, in which a name stands for one thing"))
            .help("rename one, or use the files one by one");
            self.world.files[importer].findings.push(finding);
        }
    }
}

/// Every `use` of files: its index, its path and where that stands.
fn uses(file: &Loaded) -> Vec<(usize, String, Span)> {
    let declarations = file.syntax.file.declarations.iter().enumerate();
    let uses = declarations.filter_map(|(index, declaration)| match &declaration.kind {
        DeclarationKind::Use { path, path_span, quoted, .. } if is_import(path, *quoted) => {
            Some((index, path.clone(), *path_span))
        }
        _ => None,
    });
    uses.collect()
}

/// What others may use of a file.
pub(crate) fn is_importable(kind: Kind) -> bool {
    matches!(kind, Kind::Param | Kind::Schema | Kind::Secret | Kind::Data | Kind::Component)
}

fn not_imported(error: ImportError, path: &str, place: Place, span: Span) -> Finding {
    match error {
        ImportError::NotFound { near } => {
            let what = if path.ends_with(".mlp") { "file" } else { "file or folder" };
            let finding = Finding::error(codes::MISSING_IMPORT, place, format!("there is no {what} `{path}`"));
            let near = near.map(|near| crate::written::quoted(&near));
            crate::names::suggest(finding, span, near.as_deref(), || {
                "a relative path starts at the folder of this file".to_owned()
            })
        }
        ImportError::NotMlp => Finding::error(
            codes::NOT_IMPORTABLE_FILE,
            place,
            format!("`{path}` is no .mlp file, no folder and no plugin"),
        )
        .help("use a file that ends in .mlp, a folder of such files, or a plugin that ends in .wasm"),
        ImportError::Unreadable(reason) => {
            Finding::error(codes::UNREADABLE_IMPORT, place, format!("`{path}` cannot be read: {reason}"))
                .help("mend the file, or leave out this `use`")
        }
    }
}
