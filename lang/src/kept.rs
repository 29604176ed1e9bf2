//! What one check of a file leaves for the next: declarations that need not be looked at again.
//!
//! Most declarations are sound, and an edit touches one. Of a declaration about which *nothing was said* the checker keeps what
//! it gives to others. It is not looked at again while its text, and whatever its text can mean, stays the same: no word in it
//! is the name of a declaration that was edited, came, went, or has such a word in its own text. Everything else is done anew
//! for the whole file: names, parameters, secrets, the order of nodes, lints, silencers.
//!
//! Invariant: findings and facts of a check with something kept are those of a check without. It holds since a declaration that
//! says anything is always looked at again, so that nothing depends on what was said elsewhere; and since words are compared as
//! they stand in the text, which is more than could be meant by them.

use crate::context::{Module, NodeFacts};
use crate::names::declared_name;
use crate::pipeline::{Node, NodeId};
use crate::span::Source;
use crate::syntax::ast::{Declaration, DeclarationKind, File};
use crate::syntax::{Edit, Incremental};
use crate::types::Schema;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

/// What is kept of a file. The default keeps nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// Whether anybody will check this file again.
    wanted: bool,
    /// Whether what is found out about nodes may be kept.
    sound: bool,
    /// Every word that was seen, with its number: as it is written, and in small letters.
    words: HashMap<Box<str>, u32>,
    /// By declaration.
    declarations: Vec<Known>,
    /// The declaration of each node that is kept, by its number.
    order: Vec<Option<usize>>,
    modules: HashMap<Arc<str>, Option<Module>>,
}

/// What is kept of a declaration.
#[derive(Clone, Debug)]
struct Known {
    /// The words in its text, each once. `None`: its text can mean words that do not stand in it.
    words: Option<Box<[u32]>>,
    /// The one that it declares.
    name: Option<u32>,
    /// The same as it is written.
    written: Option<u32>,
    /// The names that it mentions, as they are written.
    mentions: Box<[u32]>,
    outcome: Outcome,
}

/// What a declaration came to about which nothing was said.
#[derive(Clone, Debug, Default)]
pub(crate) enum Outcome {
    /// Has to be looked at.
    #[default]
    Unknown,
    Schema(Option<Arc<Schema>>),
    Node(KnownNode),
}

/// A node about which nothing was said.
#[derive(Clone, Debug)]
pub(crate) struct KnownNode {
    pub(crate) facts: Option<Arc<NodeFacts>>,
    /// The node, with the numbers of the last check; its places are of the text it was lowered from. `None`: it rests on a
    /// mistake that was told elsewhere.
    pub(crate) node: Option<Arc<Node>>,
    /// The declarations that must come before it.
    pub(crate) behind: Box<[usize]>,
}

/// After so many rounds of looking for what an edit reaches, it reaches everything: a file that declares each name behind its
/// use must not take quadratic time.
const MOST_ROUNDS: usize = 8;

impl Kept {
    /// Makes ready for a check of what an edit made. `parsed` is the text after it.
    pub(crate) fn edit(&mut self, source: &Source, parsed: &Incremental, edit: Edit) {
        self.wanted = !crate::link::joins(&parsed.syntax().file);
        self.sound = true;
        let file = &parsed.syntax().file;
        let removed = edit.removed.len();
        if !self.wanted || self.declarations.len() + edit.added != file.declarations.len() + removed {
            *self = Kept { wanted: self.wanted, ..Kept::default() };
            if !self.wanted {
                return;
            }
            let texts = parsed.declared().map(|range| &source.text[range]);
            let known = texts.zip(&file.declarations).map(|(text, it)| known(&mut self.words, text, it)).collect();
            (self.declarations, self.sound) = (known, true);
            return;
        }
        // Words that nobody writes any more are forgotten, once there are many of them.
        if self.words.len() > 4096 + 64 * file.declarations.len() {
            *self = Kept::default();
            return self.edit(source, parsed, Edit { before: 0, removed: Vec::new(), added: 0, broken: edit.broken });
        }
        let changed = edit.before..edit.before + edit.added;
        let texts = parsed.declared().skip(changed.start).take(edit.added).map(|range| &source.text[range]);
        let fresh: Vec<Known> = (texts.zip(&file.declarations[changed.clone()]))
            .map(|(text, declaration)| known(&mut self.words, text, declaration))
            .collect();
        let mut reached: Vec<bool> = vec![false; self.words.len()];
        let gone: Vec<Known> = self.declarations.splice(changed.start..changed.start + removed, fresh).collect();
        for name in gone.iter().chain(&self.declarations[changed.clone()]).filter_map(|known| known.name) {
            reached[name as usize] = true;
        }
        for name in &edit.broken {
            if let Some(word) = self.words.get(&*name.to_ascii_lowercase()) {
                reached[*word as usize] = true;
            }
        }
        let is_pipeline = |declaration: &Declaration| matches!(declaration.kind, DeclarationKind::Pipeline { .. });
        if edit.removed.iter().any(is_pipeline) {
            return self.forget();
        }
        self.move_needs(edit.before, removed, edit.added);
        let dirty = self.spread(changed, reached);
        match dirty {
            Some(dirty) if !dirty.iter().any(|at| is_pipeline(&file.declarations[*at])) => {
                dirty.into_iter().for_each(|at| self.declarations[at].outcome = Outcome::Unknown);
            }
            _ => self.forget(),
        }
    }

    /// The declarations that an edit reaches. `None`: they are many.
    fn spread(&self, changed: std::ops::Range<usize>, mut reached: Vec<bool>) -> Option<Vec<usize>> {
        let mut dirty: Vec<usize> = changed.collect();
        let mut is_dirty = vec![false; self.declarations.len()];
        dirty.iter().for_each(|at| is_dirty[*at] = true);
        for _ in 0..MOST_ROUNDS {
            let before = dirty.len();
            for (at, known) in self.declarations.iter().enumerate() {
                let reaches = |words: &[u32]| words.iter().any(|word| reached[*word as usize]);
                if !is_dirty[at] && known.words.as_deref().is_none_or(reaches) {
                    is_dirty[at] = true;
                    dirty.push(at);
                    if let Some(name) = known.name {
                        reached[name as usize] = true;
                    }
                }
            }
            if dirty.len() == before {
                return Some(dirty);
            }
        }
        None
    }

    /// Declarations behind an edit have other places in the file.
    fn move_needs(&mut self, before: usize, removed: usize, added: usize) {
        if removed == added {
            return;
        }
        for known in &mut self.declarations {
            let Outcome::Node(node) = &mut known.outcome else { continue };
            for other in node.behind.iter_mut().filter(|other| **other >= before + removed) {
                *other = *other + added - removed;
            }
        }
        for place in &mut self.order {
            *place = match *place {
                Some(at) if at >= before + removed => Some(at + added - removed),
                Some(at) if at >= before => None,
                place => place,
            };
        }
    }

    /// Gives kept nodes the numbers of the coming check. `order`: the declaration of each node. Of one that speaks of a node
    /// that is gone nothing is kept.
    pub(crate) fn renumber(&mut self, order: &[usize]) {
        if !self.wanted {
            return;
        }
        let same = self.order.len() == order.len() && self.order.iter().zip(order).all(|(old, new)| *old == Some(*new));
        let before = std::mem::replace(&mut self.order, order.iter().copied().map(Some).collect());
        if same {
            return;
        }
        let new: HashMap<usize, NodeId> = (0..).map(NodeId).zip(order).map(|(id, at)| (*at, id)).collect();
        let numbers: Vec<Option<NodeId>> = before.iter().map(|at| new.get(at.as_ref()?).copied()).collect();
        for known in &mut self.declarations {
            let Outcome::Node(KnownNode { node: Some(node), .. }) = &mut known.outcome else { continue };
            let lost = Cell::new(false);
            Arc::make_mut(node).renumber(&|id| match numbers.get(id.index()).copied().flatten() {
                Some(id) => id,
                None => {
                    lost.set(true);
                    id
                }
            });
            if lost.get() {
                known.outcome = Outcome::Unknown;
            }
        }
    }

    /// Whether nodes may be kept.
    pub(crate) fn is_trusted(&self) -> bool {
        self.wanted && self.sound
    }

    /// Everything has to be looked at.
    fn forget(&mut self) {
        self.declarations.iter_mut().for_each(|known| known.outcome = Outcome::Unknown);
    }

    /// Something was found that no declaration is the reason of: nodes have to be looked at, and are not kept either.
    pub(crate) fn distrust(&mut self) {
        self.forget();
        self.sound = false;
    }

    /// Takes note of the modules. What steps of another module came to says nothing.
    pub(crate) fn meet<'m>(&mut self, modules: impl Iterator<Item = (&'m str, &'m Option<Module>)>) {
        if !self.wanted {
            return;
        }
        let now: HashMap<Arc<str>, Option<Module>> = modules.map(|(path, it)| (path.into(), it.clone())).collect();
        let same = |path: &str, module: &Option<Module>| match (self.modules.get(path), module) {
            (None, _) | (Some(None), None) => true,
            (Some(Some(before)), Some(now)) => {
                Arc::ptr_eq(&before.signature, &now.signature) || before.signature == now.signature
            }
            _ => false,
        };
        if !now.iter().all(|(path, module)| same(path, module)) {
            self.forget();
        }
        self.modules = now;
    }

    /// Whether the name of each declaration is mentioned anywhere. `None`: nothing is kept that tells.
    pub(crate) fn mentioned(&self) -> Option<Vec<bool>> {
        if !self.wanted {
            return None;
        }
        let mut mentioned = vec![false; self.words.len()];
        for word in self.declarations.iter().flat_map(|known| &known.mentions) {
            mentioned[*word as usize] = true;
        }
        let is_mentioned = |known: &Known| known.written.is_some_and(|word| mentioned[word as usize]);
        Some(self.declarations.iter().map(is_mentioned).collect())
    }

    /// What a schema came to.
    pub(crate) fn schema(&self, index: usize) -> Option<Option<Arc<Schema>>> {
        match &self.declarations.get(index)?.outcome {
            Outcome::Schema(schema) => Some(schema.clone()),
            _ => None,
        }
    }

    /// What a node came to.
    pub(crate) fn node(&self, index: usize) -> Option<&KnownNode> {
        match &self.declarations.get(index)?.outcome {
            Outcome::Node(node) => Some(node),
            _ => None,
        }
    }

    /// Keeps what a declaration came to.
    pub(crate) fn keep(&mut self, index: usize, file: &File, outcome: impl FnOnce() -> Outcome) {
        if !self.is_trusted() {
            return;
        }
        let lasts = file.declarations.get(index).is_some_and(lasts);
        if let Some(known) = self.declarations.get_mut(index).filter(|_| lasts) {
            known.outcome = outcome();
        }
    }
}

/// Whether a declaration of this kind is understood from what its words mean, and nothing else asks for its node.
fn lasts(declaration: &Declaration) -> bool {
    match &declaration.kind {
        DeclarationKind::Gate { approvals, .. } => approvals.is_empty(),
        DeclarationKind::Schema { .. }
        | DeclarationKind::Data { .. }
        | DeclarationKind::Step { .. }
        | DeclarationKind::Model { .. } => true,
        _ => false,
    }
}

/// Reads the words of a declaration.
fn known(words: &mut HashMap<Box<str>, u32>, text: &str, declaration: &Declaration) -> Known {
    let mut number = |word: &str| match words.get(word) {
        Some(number) => *number,
        None => {
            let number = words.len() as u32;
            words.insert(word.into(), number);
            number
        }
    };
    let declared = declared_name(declaration).map(|(name, ..)| name);
    let written = declared.map(&mut number);
    let mentions = crate::lint::mentioned(std::slice::from_ref(declaration)).into_iter().map(&mut number).collect();
    let mut small = |word: &str| match word.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => number(&word.to_ascii_lowercase()),
        false => number(word),
    };
    let name = declared.map(&mut small);
    // An escape can write a letter of a name in a query.
    let spelt = !text.contains('\\');
    let words = spelt.then(|| {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let begins = |word: &&str| word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let mut all: Vec<u32> = text.split(|c| !is_letter(c)).filter(begins).map(small).collect();
        all.sort_unstable();
        all.dedup();
        all.into()
    });
    Known { words, name, written, mentions, outcome: Outcome::Unknown }
}
