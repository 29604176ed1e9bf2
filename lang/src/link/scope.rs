//! What a word means where it stands: in a file, or in the body of a component.

use super::Linker;
use super::load::{FileId, Target, is_importable};
use crate::codes;
use crate::context;
use crate::finding::Finding;
use crate::names::{Kind, declared_name, suggest};
use crate::span::Span;
use crate::syntax::ast::{ComponentParam, Declaration, DeclarationKind, Expr, ExprKind, Ident, OutputLine, TypeKind};
use crate::typing::access;
use crate::written::listed;
use std::collections::HashMap;
use std::rc::Rc;

/// Where a word stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum At {
    /// Among the declarations of a file.
    File(FileId),
    /// In the body of a component, as this instance has it.
    In(usize),
}

/// What a word means.
#[derive(Clone, Debug)]
pub(super) enum Meaning {
    /// Nothing that is declared: a column, a function, or a mistake.
    Nothing,
    /// A declaration of a file that others may use, or a module of steps.
    Top(FileId, usize, Kind),
    /// A plain parameter of a component, under its name in the whole.
    Value(String),
    /// A node, under its name in the whole.
    Node(String),
    /// A parameter of a component that is a table or a model: which of its instance's.
    Given(usize, usize),
    /// An instance of a component. `None`: it could not be understood, which was reported.
    Instance(Option<usize>),
    /// A `use` of files: the file it stands in, and its index.
    Import(FileId, usize),
    /// Declared outside of the component, and not to be seen in it.
    Hidden(Kind),
    /// Its declaration could not be understood, which was reported.
    Broken,
}

/// What stands in a component.
#[derive(Clone, Copy)]
pub(super) struct Component<'w> {
    pub(super) name: &'w Ident,
    pub(super) params: &'w [ComponentParam],
    pub(super) declarations: &'w [Declaration],
    pub(super) outputs: &'w [OutputLine],
    pub(super) declaration: &'w Declaration,
}

/// The names of a component.
#[derive(Default)]
pub(super) struct Table {
    pub(super) names: HashMap<String, Entry>,
    pub(super) outputs: HashMap<String, usize>,
}

/// What a name of a component is.
#[derive(Clone, Copy)]
pub(super) enum Entry {
    Param(usize),
    Declaration(usize),
}

/// What the body of a step calls.
pub(super) enum Callee {
    /// No component.
    Other,
    /// A component that cannot be used, or that is not there: reported.
    Failed,
    Component(FileId, usize),
}

/// A path that was followed to what it stands for.
pub(super) enum Followed {
    /// This is what stands there now.
    To(Expr),
    /// It is left as it was written.
    Left,
    /// A mistake, which was reported.
    Poison,
}

/// How often a path is followed from one instance to the next.
const MOST_HOPS: usize = 1_000;

impl<'w> Linker<'w> {
    pub(super) fn component(&self, file: FileId, index: usize) -> Option<Component<'w>> {
        let declaration = self.world.declaration(file, index)?;
        match &declaration.kind {
            DeclarationKind::Component { name, params, declarations, outputs } => {
                Some(Component { name, params, declarations, outputs, declaration })
            }
            _ => None,
        }
    }

    pub(super) fn table(&mut self, file: FileId, index: usize) -> Rc<Table> {
        if let Some(table) = self.tables.get(&(file, index)) {
            return table.clone();
        }
        let mut table = Table::default();
        if let Some(component) = self.component(file, index) {
            for (at, param) in component.params.iter().enumerate() {
                table.names.entry(param.name.name.clone()).or_insert(Entry::Param(at));
            }
            for (at, declaration) in component.declarations.iter().enumerate() {
                if let Some((name, ..)) = declared_name(declaration) {
                    table.names.entry(name.to_owned()).or_insert(Entry::Declaration(at));
                }
            }
            for (at, output) in component.outputs.iter().enumerate() {
                table.outputs.entry(output.name.name.clone()).or_insert(at);
            }
        }
        let table = Rc::new(table);
        self.tables.insert((file, index), table.clone());
        table
    }

    pub(super) fn meaning(&mut self, at: At, word: &str) -> Meaning {
        let instance = match at {
            At::File(file) => return self.in_file(file, word, false),
            At::In(instance) => instance,
        };
        let (file, index) = (self.instances[instance].file, self.instances[instance].index);
        let entry = self.table(file, index).names.get(word).copied();
        let component = self.component(file, index);
        match (entry, component) {
            (Some(Entry::Param(param)), Some(component)) => match component.params.get(param) {
                Some(given) if is_piped(given) && !self.instances[instance].definition => {
                    Meaning::Given(instance, param)
                }
                Some(given) if is_piped(given) => Meaning::Node(self.inner_name(instance, word)),
                _ => Meaning::Value(self.inner_name(instance, word)),
            },
            (Some(Entry::Declaration(inner)), Some(component)) => match component.declarations.get(inner) {
                Some(declaration) if self.calls_component(at, declaration) => {
                    let name = self.inner_name(instance, word);
                    Meaning::Instance(self.instance(at, declaration, name, Some(instance)))
                }
                _ => Meaning::Node(self.inner_name(instance, word)),
            },
            _ => self.in_file(file, word, true),
        }
    }

    fn in_file(&mut self, file: FileId, word: &str, inside: bool) -> Meaning {
        let world = self.world;
        let loaded = &world.files[file];
        let Some((kind, index)) = loaded.names.get(word).copied() else {
            let broken = loaded.syntax.broken.iter().any(|ident| ident.name == word);
            return if broken { Meaning::Broken } else { Meaning::Nothing };
        };
        match kind {
            Kind::Module if loaded.imports.contains_key(&index) => Meaning::Import(file, index),
            Kind::Module => Meaning::Top(file, index, kind),
            kind if is_importable(kind) => Meaning::Top(file, index, kind),
            kind if inside => Meaning::Hidden(kind),
            Kind::Step => match world.declaration(file, index) {
                Some(declaration) if self.calls_component(At::File(file), declaration) => {
                    Meaning::Instance(self.instance(At::File(file), declaration, word.to_owned(), None))
                }
                _ => Meaning::Node(word.to_owned()),
            },
            _ => Meaning::Node(word.to_owned()),
        }
    }

    /// The name of what an instance holds.
    pub(super) fn inner_name(&self, instance: usize, word: &str) -> String {
        match self.instances[instance].name.as_str() {
            "" => word.to_owned(),
            name => format!("{name}.{word}"),
        }
    }

    /// Whether the body of a step calls a component, or tries to.
    pub(super) fn calls_component(&mut self, at: At, declaration: &Declaration) -> bool {
        let DeclarationKind::Step { body, .. } = &declaration.kind else { return false };
        let ExprKind::Call(callee, _) = &body.kind else { return false };
        match &callee.kind {
            ExprKind::Name(word) => self.named_component(at, word).is_some(),
            ExprKind::Member(base, _) => match &base.kind {
                ExprKind::Name(alias) => self.named_import(at, alias).is_some(),
                _ => false,
            },
            _ => false,
        }
    }

    /// The file whose declarations a place sees, unless the word is declared nearer.
    fn file_of(&mut self, at: At, word: &str) -> Option<FileId> {
        match at {
            At::File(file) => Some(file),
            At::In(instance) => {
                let (file, index) = (self.instances[instance].file, self.instances[instance].index);
                (!self.table(file, index).names.contains_key(word)).then_some(file)
            }
        }
    }

    fn named_component(&mut self, at: At, word: &str) -> Option<(FileId, usize)> {
        let file = self.file_of(at, word)?;
        match self.world.files[file].names.get(word) {
            Some((Kind::Component, index)) => Some((file, *index)),
            _ => None,
        }
    }

    fn named_import(&mut self, at: At, word: &str) -> Option<(FileId, usize)> {
        let file = self.file_of(at, word)?;
        let loaded = &self.world.files[file];
        match loaded.names.get(word) {
            Some((Kind::Module, index)) if loaded.imports.contains_key(index) => Some((file, *index)),
            _ => None,
        }
    }

    /// What a step calls. Reports what is wrong with it.
    pub(super) fn callee(&mut self, at: At, body: &Expr) -> Callee {
        let ExprKind::Call(callee, _) = &body.kind else { return Callee::Other };
        let found = match &callee.kind {
            ExprKind::Name(word) => self.named_component(at, word),
            ExprKind::Member(base, member) => {
                let ExprKind::Name(alias) = &base.kind else { return Callee::Other };
                let Some((file, index)) = self.named_import(at, alias) else { return Callee::Other };
                let Some((file, index, kind)) = self.export(file, index, alias, member) else { return Callee::Failed };
                if kind != Kind::Component {
                    let message =
                        format!("`{alias}.{}` is {}, and a step calls a component", member.name, kind.with_article());
                    let finding = Finding::error(codes::WRONG_KIND, self.place(callee.span), message);
                    self.report(finding.help("name a component of the file, or a step of a module"));
                    return Callee::Failed;
                }
                Some((file, index))
            }
            _ => None,
        };
        match found {
            Some((file, index)) if self.world.files[file].unsound.contains(&index) => Callee::Failed,
            Some((file, index)) => Callee::Component(file, index),
            None => Callee::Other,
        }
    }

    /// What `alias.member` names in the files of a `use`. `None`: a mistake, which was reported.
    pub(super) fn export(
        &mut self,
        file: FileId,
        index: usize,
        alias: &str,
        member: &Ident,
    ) -> Option<(FileId, usize, Kind)> {
        let world = self.world;
        let Some(Target::Files(files)) = world.files[file].imports.get(&index) else { return None };
        let mut other = None;
        for id in files {
            match world.files[*id].names.get(&member.name) {
                Some((kind, index)) if is_importable(*kind) => return Some((*id, *index, *kind)),
                Some((kind, _)) => other = Some((*id, *kind)),
                None => {}
            }
        }
        if files.iter().any(|id| world.files[*id].syntax.broken.iter().any(|ident| ident.name == member.name)) {
            return None;
        }
        let path = match &world.declaration(file, index)?.kind {
            DeclarationKind::Use { path, .. } => path.as_str(),
            _ => "",
        };
        let finding = match other {
            Some((_, Kind::Module)) => Finding::error(
                codes::NOT_IMPORTABLE,
                self.place(member.span),
                format!("`{alias}` does not pass on what it imports itself, such as `{}`", member.name),
            )
            .help("import it here too, with a `use` of its own"),
            Some((_, kind)) => Finding::error(
                codes::NOT_IMPORTABLE,
                self.place(member.span),
                format!("`{}` is {} of the pipeline in `{path}`, and stays there", member.name, kind.with_article()),
            )
            .note("parameters, schemas, secrets, data and components can be used in other files")
            .help("put the steps into a `component`, and make an instance of it here"),
            None => {
                let all = || {
                    let mut names: Vec<(FileId, usize, &str)> = files
                        .iter()
                        .flat_map(|id| world.files[*id].names.iter().map(move |(name, found)| (id, name, found)))
                        .filter(|(_, _, (kind, _))| is_importable(*kind))
                        .map(|(id, name, (_, index))| (*id, *index, name.as_str()))
                        .collect();
                    names.sort_unstable();
                    names.into_iter().map(|(.., name)| name)
                };
                let near = self.suggestions.nearest(&member.name, all());
                let finding = Finding::error(
                    codes::UNKNOWN_IMPORT,
                    self.place(member.span),
                    format!("`{path}` declares no `{}`", member.name),
                )
                .label("not declared there");
                suggest(finding, member.span, near, || match all().next() {
                    Some(_) => format!("it declares {}", listed(all())),
                    None => "it declares nothing that can be used here".to_owned(),
                })
            }
        };
        self.report(finding);
        None
    }

    /// Follows a path through parameters, outputs and imports to the name of a node or of a value.
    pub(super) fn follow(&mut self, at: At, written: &Expr) -> Followed {
        let Some(path) = access::path(written) else { return Followed::Left };
        let (first_root, mut root_span) = (path.root.to_owned(), path.root_span);
        let mut members: Vec<Ident> = path.members.into_iter().cloned().collect();
        let (mut root, mut here, mut whole) = (first_root.clone(), at, written.span);
        for hop in 0..MOST_HOPS {
            match self.meaning(here, &root) {
                Meaning::Value(name) | Meaning::Node(name) => {
                    return Followed::To(build(name, root_span, members, whole));
                }
                Meaning::Top(file, index, Kind::Param | Kind::Secret | Kind::Data) => {
                    let name = self.need(file, index);
                    return Followed::To(build(name, root_span, members, whole));
                }
                Meaning::Import(file, index) => {
                    let Some(member) = members.first().cloned() else { return Followed::Left };
                    let Some((file, index, kind)) = self.export(file, index, &root, &member) else {
                        return Followed::Poison;
                    };
                    if !matches!(kind, Kind::Param | Kind::Secret | Kind::Data) {
                        let message =
                            format!("`{root}.{}` is {}, which has no value", member.name, kind.with_article());
                        self.report(Finding::error(codes::NOT_A_VALUE, self.place(member.span), message));
                        return Followed::Poison;
                    }
                    if kind == Kind::Param && self.lacks_value(file, index, &member) {
                        return Followed::Poison;
                    }
                    members.remove(0);
                    let name = self.need(file, index);
                    return Followed::To(build(name, root_span.to(member.span), members, whole));
                }
                Meaning::Given(instance, param) => {
                    let Some((value, caller)) = self.given(instance, param) else { return Followed::Poison };
                    let Some(path) = access::path(&value) else { return Followed::Poison };
                    if members.is_empty() {
                        whole = value.span;
                    }
                    members.splice(0..0, path.members.iter().map(|member| (*member).clone()));
                    (root, root_span, here) = (path.root.to_owned(), path.root_span, caller);
                }
                Meaning::Instance(None) | Meaning::Broken => return Followed::Poison,
                Meaning::Instance(Some(instance)) => {
                    let Some((value, member_span)) = self.output(instance, &root, root_span, &mut members, whole)
                    else {
                        return Followed::Poison;
                    };
                    let Some(path) = access::path(&value) else { return Followed::Poison };
                    let placed =
                        path.members.iter().map(|member| Ident { name: member.name.clone(), span: member_span });
                    members.splice(0..0, placed);
                    root_span = member_span;
                    (root, here) = (path.root.to_owned(), At::In(instance));
                }
                Meaning::Hidden(kind) if self.definition.is_some() => {
                    self.hidden(&root, root_span, kind);
                    return Followed::Poison;
                }
                // What nothing declares is reported where it is written.
                _ if hop == 0 => return Followed::Left,
                _ if matches!(here, At::File(file) if file == self.own) => {
                    return Followed::To(build(root, root_span, members, whole));
                }
                _ => return Followed::Poison,
            }
        }
        if std::mem::replace(&mut self.circle_told, true) {
            return Followed::Poison;
        }
        let message = format!("`{first_root}` leads from one instance to the next, and never to a step");
        let finding = Finding::error(codes::CYCLE, self.place(written.span), message);
        self.report(finding.help("let one of these instances read data or a step"));
        Followed::Poison
    }

    /// What an instance gives under the first member, or alone: its value in the component, and where it is named.
    fn output(
        &mut self,
        instance: usize,
        root: &str,
        root_span: Span,
        members: &mut Vec<Ident>,
        whole: Span,
    ) -> Option<(Expr, Span)> {
        let (file, index) = (self.instances[instance].file, self.instances[instance].index);
        let component = self.component(file, index)?;
        let table = self.table(file, index);
        let base = self.base(file);
        let names = || component.outputs.iter().map(|output| output.name.name.as_str());
        let line = match members.first().cloned() {
            None => match component.outputs {
                [only] => return Some((shifted(&only.value, base), root_span)),
                [] => {
                    let message =
                        format!("`{root}` gives nothing: the component `{}` has no output", component.name.name);
                    let finding = Finding::error(codes::UNKNOWN_OUTPUT, self.place(whole), message);
                    self.report(finding.help("add `output name = step.output` to the component"));
                    return None;
                }
                [first, ..] => {
                    let finding = Finding::error(
                        codes::UNKNOWN_OUTPUT,
                        self.place(whole),
                        format!("`{root}` gives {}: say which", listed(names())),
                    );
                    self.report(finding.help(format!("write `{root}.{}`", first.name.name)));
                    return None;
                }
            },
            Some(member) => match table.outputs.get(&member.name) {
                Some(at) => component.outputs.get(*at)?,
                None => {
                    let finding = Finding::error(
                        codes::UNKNOWN_OUTPUT,
                        self.place(member.span),
                        format!("`{root}` gives no output `{}`", member.name),
                    )
                    .label("not given")
                    .note(match component.outputs {
                        [] => format!("the component `{}` has no output", component.name.name),
                        _ => format!("it gives {}", listed(names())),
                    });
                    let near = self.suggestions.nearest(&member.name, names());
                    self.report(match near {
                        Some(near) => suggest(finding, member.span, Some(near), String::new),
                        None if table.names.contains_key(&member.name) => finding.help(format!(
                            "`{0}` stands inside the component, where only it can see it: give what is wanted as an output, \
                             `output name = {0}.output`",
                            member.name
                        )),
                        None => finding,
                    });
                    return None;
                }
            },
        };
        let member = members.remove(0);
        Some((shifted(&line.value, base), root_span.to(member.span)))
    }

    /// A parameter of another file must have a value of its own.
    fn lacks_value(&mut self, file: FileId, index: usize, member: &Ident) -> bool {
        let world = self.world;
        let Some(DeclarationKind::Param { default: None, .. }) = world.declaration(file, index).map(|it| &it.kind)
        else {
            return false;
        };
        let path = &world.files[file].source.path;
        let finding = Finding::error(
            codes::IMPORT_WITHOUT_VALUE,
            self.place(member.span),
            format!("the parameter `{}` of `{path}` has no value", member.name),
        )
        .note("a parameter of another file is a constant here: `--param` sets those of the file that runs")
        .help(format!("give it a default there, or declare `param {}` here", member.name));
        self.report(finding);
        true
    }

    /// Something of its file that a component does not see.
    pub(super) fn hidden(&mut self, name: &str, span: Span, kind: Kind) {
        let finding = Finding::error(
            codes::OUT_OF_SIGHT,
            self.place(span),
            format!("`{name}` is {} outside of this component, which does not see it", kind.with_article()),
        )
        .note("a component sees its parameters, what stands in it, and the parameters, schemas, data and modules of its file")
        .help("give the component a parameter for it: `rows: dataset<Schema>`, `clf: model<flavor>`");
        self.report(finding);
    }

    pub(super) fn place(&self, span: Span) -> crate::finding::Place {
        context::place(&self.world.files[self.own].source, span)
    }
}

/// Whether a parameter of a component is a table or a model, which only a run can know.
pub(super) fn is_piped(param: &ComponentParam) -> bool {
    matches!(&param.ty.kind, TypeKind::Generic(name, _) if name.name == "dataset" || name.name == "model")
}

/// A name with members.
fn build(name: String, root_span: Span, members: Vec<Ident>, whole: Span) -> Expr {
    let last = members.len();
    let root = Expr { kind: ExprKind::Name(name), span: if last == 0 { whole } else { root_span } };
    members.into_iter().enumerate().fold(root, |base, (at, member)| Expr {
        kind: ExprKind::Member(Box::new(base), member),
        span: if at + 1 == last { whole } else { root_span },
    })
}

pub(super) fn shifted<T: crate::syntax::Shift + Clone>(part: &T, by: u32) -> T {
    let mut part = part.clone();
    part.shift(by as usize);
    part
}
