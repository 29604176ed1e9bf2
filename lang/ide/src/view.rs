//! One document with all that is known about it: what names it declares and what they give.

use crate::outline::{GroupKind, Outline, Part, TokKind};
use crate::workspace::{Document, Looked, Workspace};
use indexmap::IndexMap;
use mlp_lang::analysis::{Facts, NodeFacts};
use mlp_lang::import::resolve;
use mlp_lang::signature::{InputSignature, ModuleSignature, OutputKind, ParamSignature, StepSignature};
use mlp_lang::types::{Schema, Type};
use std::sync::Arc;

/// A document under a question.
pub(crate) struct View<'w> {
    pub(crate) workspace: &'w Workspace,
    pub(crate) document: Arc<Document>,
    pub(crate) looked: Arc<Looked>,
}

/// A name that a document declares.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Declared {
    /// The token of the name.
    pub(crate) name: usize,
    /// The token of the keyword.
    pub(crate) keyword: usize,
    /// The declaration.
    pub(crate) part: Part,
}

/// What a call calls.
pub(crate) enum Callee<'v> {
    /// A step of a module.
    Step(&'v Arc<ModuleSignature>, &'v StepSignature),
    /// A component, or another declaration with parameters.
    Component(Declared),
    /// A word of the language.
    Word(&'v str),
    /// A path that stands for nothing known.
    Unknown,
}

/// What an argument is given to.
#[derive(Clone, Copy)]
pub(crate) enum Target<'v> {
    Input(&'v InputSignature),
    Setting(&'v ParamSignature),
}

impl View<'_> {
    pub(crate) fn text(&self) -> &str {
        self.document.text()
    }

    pub(crate) fn outline(&self) -> &Outline {
        self.looked.outline()
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.looked.analysis.facts
    }

    pub(crate) fn word(&self, tok: usize) -> &str {
        self.outline().word(self.text(), tok)
    }

    pub(crate) fn kind(&self, tok: usize) -> Option<TokKind> {
        self.outline().toks.get(tok).map(|tok| tok.kind)
    }

    /// The keyword of a part, if its first token is a word.
    pub(crate) fn head(&self, part: Part) -> &str {
        match self.kind(part.first) {
            Some(TokKind::Word) => self.word(part.first),
            _ => "",
        }
    }

    /// What a block is called: its own word, `breach` and `trigger` for the two that begin with `on`. Empty for the file.
    pub(crate) fn block(&self, group: usize) -> &str {
        let outline = self.outline();
        match outline.owner(self.text(), group) {
            "on" => {
                let top = outline.groups.get(group).is_some_and(|found| found.parent == 0);
                if top { "trigger" } else { "breach" }
            }
            owner => owner,
        }
    }

    /// Whether the members of this group are declarations: the file's, and a component's.
    pub(crate) fn declares(&self, group: usize) -> bool {
        match self.outline().groups.get(group).map(|group| group.kind) {
            Some(GroupKind::File) => true,
            Some(GroupKind::Block) => self.outline().owner(self.text(), group) == "component",
            _ => false,
        }
    }

    /// The name that a declaration declares.
    pub(crate) fn declared_by(&self, part: Part) -> Option<Declared> {
        const NAMED: [&str; 14] = [
            "pipeline",
            "param",
            "secret",
            "schema",
            "data",
            "step",
            "component",
            "tune",
            "gate",
            "model",
            "deploy",
            "monitor",
            "output",
            "use",
        ];
        let keyword = part.first;
        let head = self.head(part);
        if !NAMED.contains(&head) {
            return None;
        }
        let toks = &self.outline().toks;
        let in_line = |at: usize| at < part.end && toks.get(at).is_some_and(|tok| tok.kind == TokKind::Word);
        let name = if head == "use" {
            let alias = (keyword + 1..part.end).find(|at| self.word(*at) == "as").map(|at| at + 1);
            match alias {
                Some(alias) => Some(alias).filter(|at| in_line(*at)),
                None => (keyword + 1..part.end).rev().find(|at| in_line(*at)),
            }
        } else {
            Some(keyword + 1).filter(|at| in_line(*at))
        };
        name.map(|name| Declared { name, keyword, part })
    }

    /// Every name declared by the members of a group, with its first declaration. The pipeline's own name is none of them.
    pub(crate) fn declared_in(&self, group: usize) -> IndexMap<&str, Declared> {
        let mut found = IndexMap::new();
        for part in self.outline().groups.get(group).iter().flat_map(|group| &group.parts) {
            if let Some(declared) = self.declared_by(*part)
                && self.word(declared.keyword) != "pipeline"
            {
                found.entry(self.word(declared.name)).or_insert(declared);
            }
        }
        found
    }

    /// A name of the file.
    pub(crate) fn declared(&self, name: &str) -> Option<Declared> {
        let names = self.looked.names.get_or_init(|| {
            self.declared_in(0).into_iter().map(|(name, declared)| (name.to_owned(), declared)).collect()
        });
        names.get(name).copied()
    }

    /// The file, or the files of the folder, that a `use` brings under this name: those that are documents.
    pub(crate) fn imported(&self, alias: &str) -> Vec<&Arc<Document>> {
        let path = match self.declared(alias) {
            Some(declared) if self.word(declared.keyword) == "use" => self.written_path(declared.keyword + 1),
            _ => None,
        };
        let Some(path) = path else { return Vec::new() };
        let path = resolve(self.document.path(), path);
        if let Some(document) = self.workspace.document(&path) {
            return vec![document];
        }
        self.workspace.inside(&path)
    }

    /// The path that a string holds, without its quotes.
    pub(crate) fn written_path(&self, tok: usize) -> Option<&str> {
        let text = self.kind(tok).filter(|kind| *kind == TokKind::Text).map(|_| self.word(tok))?;
        Some(text.trim_matches('"')).filter(|path| !path.is_empty() && !path.contains('\n'))
    }

    /// The block of a component around a group, if it is in one.
    pub(crate) fn component_around(&self, group: usize) -> Option<usize> {
        self.outline().around(group).find(|group| {
            self.outline().groups.get(*group).is_some_and(|found| found.kind == GroupKind::Block)
                && self.outline().owner(self.text(), *group) == "component"
        })
    }

    /// The argument list of a component's header.
    pub(crate) fn parameters_of(&self, part: Part) -> Option<usize> {
        let outline = self.outline();
        let open = (part.first..part.end).find(|at| self.kind(*at) == Some(TokKind::Open))?;
        let at = outline.groups.partition_point(|group| group.open < open).max(1);
        outline.groups.get(at).filter(|group| group.open == open && group.kind == GroupKind::Call).map(|_| at)
    }

    /// The block of a declaration or a member.
    pub(crate) fn block_of(&self, part: Part) -> Option<usize> {
        let groups = &self.outline().groups;
        let inside = |open: usize| part.first <= open && open < part.end;
        let first = groups.partition_point(|group| group.open < part.first);
        groups.iter().enumerate().skip(first.max(1)).take_while(|(_, group)| group.open < part.end).find_map(
            |(at, group)| {
                let fits = matches!(group.kind, GroupKind::Block | GroupKind::Map) && inside(group.open);
                (fits && self.outline().part_around(at).is_some_and(|around| around.first == part.first)).then_some(at)
            },
        )
    }

    /// What a node is known to give.
    pub(crate) fn node(&self, name: &str) -> Option<&NodeFacts> {
        self.facts().nodes.get(name).map(|facts| &**facts)
    }

    /// The outputs of a node: as checked, else as its module promises.
    pub(crate) fn outputs(&self, declared: Declared) -> IndexMap<String, Type> {
        let name = self.word(declared.name);
        let top = self.declared(name).is_some_and(|top| top.name == declared.name);
        if top
            && let Some(node) = self.node(name)
            && let Some(outputs) = &node.outputs
        {
            return outputs.clone();
        }
        match self.word(declared.keyword) {
            "data" => [("rows".to_owned(), self.schema_of_data(declared).map_or(Type::Unknown, as_table))].into(),
            // `search.best` is the tuned step as it came out best; the name stands for it here.
            "tune" => self.tuned_step(declared).map(|step| self.outputs(step)).unwrap_or_default(),
            "step" => match self.body_of(declared) {
                Some(Callee::Step(_, signature)) => {
                    signature.outputs.iter().map(|output| (output.name.clone(), promised(&output.kind))).collect()
                }
                Some(Callee::Component(component)) => self.component_outputs(component),
                _ => IndexMap::new(),
            },
            _ => IndexMap::new(),
        }
    }

    /// What a component gives: its `output` members.
    fn component_outputs(&self, component: Declared) -> IndexMap<String, Type> {
        let Some(block) = self.block_of(component.part) else { return IndexMap::new() };
        let outputs = self.declared_in(block);
        let outputs = outputs.iter().filter(|(_, member)| self.word(member.keyword) == "output");
        outputs.map(|(name, member)| ((*name).to_owned(), self.type_of_member(block, *member))).collect()
    }

    /// The type of `output name = step.output`, if it is nothing else.
    fn type_of_member(&self, block: usize, output: Declared) -> Type {
        let part = output.part;
        let value = (part.first..part.end).find(|at| self.word(*at) == "=").map_or(part.end, |at| at + 1);
        let members = self.declared_in(block);
        let node = members.get(self.word(value)).filter(|node| node.name != output.name && value + 2 < part.end);
        let given = node.map(|node| self.outputs(*node)).unwrap_or_default();
        given.get(self.word(value + 2)).cloned().unwrap_or(Type::Unknown)
    }

    /// The step that a search is over.
    pub(crate) fn tuned_step(&self, search: Declared) -> Option<Declared> {
        let part = search.part;
        let over = (part.first..part.end).find(|at| self.word(*at) == "over")?;
        let step = self.lookup(self.outline().toks.get(over)?.group, self.word(over + 1))?;
        (self.word(step.keyword) == "step").then_some(step)
    }

    /// What a step calls.
    pub(crate) fn body_of(&self, declared: Declared) -> Option<Callee<'_>> {
        let groups = &self.outline().groups;
        let first = groups.partition_point(|group| group.open < declared.part.first).max(1);
        let call = groups.iter().enumerate().skip(first).find(|(_, group)| group.kind == GroupKind::Call)?;
        (call.1.open < declared.part.end).then(|| self.callee(call.0))
    }

    /// What a call calls.
    pub(crate) fn callee(&self, group: usize) -> Callee<'_> {
        let Some((first, last)) = self.outline().callee(self.text(), group) else { return Callee::Unknown };
        self.called(first, last)
    }

    /// What the path from one token to another calls.
    pub(crate) fn called(&self, first: usize, last: usize) -> Callee<'_> {
        if first == last {
            let word = self.word(first);
            return match self.declared(word) {
                Some(declared) if self.word(declared.keyword) == "component" => Callee::Component(declared),
                _ => Callee::Word(word),
            };
        }
        let module = self.facts().modules.get(self.word(first));
        match module.filter(|_| last == first + 2).and_then(|module| Some((module, module.step(self.word(last))?))) {
            Some((module, step)) => Callee::Step(module, step),
            None => Callee::Unknown,
        }
    }

    /// What the argument of a step's call at this index, or of this name, is given to.
    pub(crate) fn target<'v>(&'v self, group: usize, part: usize) -> Option<Target<'v>> {
        let Callee::Step(_, signature) = self.callee(group) else { return None };
        let parts = &self.outline().groups.get(group)?.parts;
        let name = parts.get(part).and_then(|part| part.name);
        match name {
            Some(name) => {
                let name = self.word(name);
                let input = signature.inputs.iter().find(|input| input.name == name).map(Target::Input);
                input.or_else(|| signature.params.iter().find(|param| param.name == name).map(Target::Setting))
            }
            None => {
                let before = parts.iter().take(part).filter(|part| part.name.is_none()).count();
                signature.inputs.get(before).map(Target::Input)
            }
        }
    }

    /// The columns of the table that an input of a step is given.
    pub(crate) fn columns_of_input(&self, group: usize, input: &str) -> Option<Arc<Schema>> {
        let parts = &self.outline().groups.get(group)?.parts;
        let given = (0..parts.len()).find(|part| match self.target(group, *part) {
            Some(Target::Input(found)) => found.name == input,
            _ => false,
        })?;
        let part = parts.get(given)?;
        let first = part.name.map_or(part.first, |name| name + 2);
        self.table(first, part.end)
    }

    /// The columns of what a path stands for, from its first token to before its end.
    pub(crate) fn table(&self, first: usize, end: usize) -> Option<Arc<Schema>> {
        let root = self.word(first);
        let group = self.outline().toks.get(first)?.group;
        let outputs = self.outputs(self.lookup(group, root)?);
        let ty = match (first + 2 < end && self.word(first + 1) == ".").then(|| self.word(first + 2)) {
            Some(member) => outputs.get(member)?,
            None => outputs.values().next().filter(|_| outputs.len() == 1)?,
        };
        match ty {
            Type::Dataset(schema) => Some(Arc::new(schema.clone())),
            _ => None,
        }
    }

    /// What a name stands for where it is written: a member of the component around, else a name of the file.
    pub(crate) fn lookup(&self, group: usize, name: &str) -> Option<Declared> {
        if let Some(block) = self.component_around(group)
            && let Some(member) = self.declared_in(block).get(name)
        {
            return Some(*member);
        }
        self.declared(name)
    }

    /// The schema of a data declaration.
    pub(crate) fn schema_of_data(&self, declared: Declared) -> Option<Arc<Schema>> {
        let colon = declared.name + 1;
        if self.word(colon) != ":" {
            return None;
        }
        self.facts().schemas.get(self.word(colon + 1)).cloned()
    }

    /// The schema of the declaration around a token, if that is of data.
    pub(crate) fn schema_around(&self, group: usize, part: usize) -> Option<Arc<Schema>> {
        let (_, part) = self.outline().declaration(group, part)?;
        let declared = self.declared_by(part).filter(|_| self.head(part) == "data")?;
        self.schema_of_data(declared)
    }

    /// What the deployment of the declaration around a token predicts with: its columns, and the label behind them.
    pub(crate) fn served_around(&self, group: usize, part: usize) -> Option<(Arc<Schema>, Option<String>)> {
        let (_, part) = self.outline().declaration(group, part)?;
        let declared = self.declared_by(part)?;
        let name = match self.head(part) {
            "deploy" => self.word(declared.name),
            "monitor" if self.word(declared.name + 1) == "of" => self.word(declared.name + 2),
            _ => return None,
        };
        let trained = self.node(name)?.trained.as_ref()?;
        Some((Arc::new(trained.row.clone()), trained.label.as_ref().map(|label| label.name.clone())))
    }
}

fn as_table(schema: Arc<Schema>) -> Type {
    Type::Dataset((*schema).clone())
}

/// The type of an output as far as the signature alone tells it.
fn promised(kind: &OutputKind) -> Type {
    match kind {
        OutputKind::SameAs(_) => Type::Unknown,
        OutputKind::Table(schema) => Type::Dataset(schema.clone()),
        OutputKind::Model(flavor) => Type::Model(flavor.clone()),
        OutputKind::Metrics { fields, .. } => Type::Metrics(fields.clone()),
    }
}
