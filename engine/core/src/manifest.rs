//! What a node's result depends on, written down canonically.
//!
//! A [`Manifest`] is a list of facts in a fixed order. Two visitors walk the same list: one writes the bytes whose
//! digest is the fingerprint ([`Manifest::bytes`]), the other compares with the bytes of an earlier manifest and says
//! what differs ([`Manifest::differences`]). So a reason can never speak of something that the key does not cover, nor be
//! silent about something it does.
//!
//! Left out on purpose: node names, paths, limits, retries, formatting, comments, expectations' thresholds.

use crate::digest::Digest;
use crate::plan::Reason;
use serde::Serialize;
use std::collections::BTreeMap;

/// Opens every canonical form; a new number re-runs everything, so it changes only when the meaning of a fact does.
const HEADER: &[u8] = b"mlp manifest 1\n";

/// What kind of fact it is. The byte is part of the canonical form; never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Section {
    /// What runs: `component`, `module`, `reader`.
    Runs = 1,
    /// A setting of a step, an option of a source.
    Setting = 2,
    /// The digest of an input.
    Input = 3,
    /// The type of an output.
    Output = 4,
    /// The digest of a file from outside.
    Content = 5,
}

impl Section {
    fn from_byte(byte: u8) -> Option<Section> {
        [Section::Runs, Section::Setting, Section::Input, Section::Output, Section::Content]
            .into_iter()
            .find(|section| *section as u8 == byte)
    }
}

/// One fact: `setting seed = 7`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// What kind.
    pub section: Section,
    /// Its name.
    pub name: String,
    /// Its value, canonical text.
    pub value: String,
}

/// Everything that can change a node's result. Inputs that are yet to be made are absent, and the manifest then has no
/// fingerprint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    facts: BTreeMap<(Section, String), String>,
    /// Inputs whose digest is not known yet.
    open: Vec<String>,
    /// How files from outside are called, by the name of their fact. Only for words, never hashed.
    shown: BTreeMap<String, String>,
}

/// A fact that differs: its kind, its name, its value then and now.
type Change = (Section, String, Option<String>, Option<String>);

/// Walks the facts of a manifest in order.
trait Visitor {
    fn fact(&mut self, section: Section, name: &str, value: &str);
}

impl Manifest {
    /// Adds a fact.
    pub fn set(&mut self, section: Section, name: impl Into<String>, value: impl Into<String>) {
        self.facts.insert((section, name.into()), value.into());
    }

    /// Adds the digest of an input, or that it is yet to be made.
    pub fn input(&mut self, name: &str, digest: Option<Digest>) {
        match digest {
            Some(digest) => self.set(Section::Input, name, digest.to_string()),
            None => self.open.push(name.to_owned()),
        }
    }

    /// Adds the digest of a file from outside and the name it has for people; without a digest it cannot be read.
    pub fn content(&mut self, name: &str, shown: &str, digest: Option<Digest>) {
        self.shown.insert(name.to_owned(), shown.to_owned());
        match digest {
            Some(digest) => self.set(Section::Content, name, digest.to_string()),
            None => self.open.push(name.to_owned()),
        }
    }

    /// The facts that another one has, too, and what is open in either.
    pub(crate) fn shared_with(&self, other: &Manifest) -> Manifest {
        let same = self.facts.iter().filter(|(fact, value)| other.facts.get(*fact) == Some(*value));
        let mut open = self.open.clone();
        open.extend(other.open.iter().filter(|name| !self.open.contains(name)).cloned());
        Manifest {
            facts: same.map(|(fact, value)| (fact.clone(), value.clone())).collect(),
            open,
            shown: self.shown.clone(),
        }
    }

    /// Whether everything in it is known.
    pub fn is_complete(&self) -> bool {
        self.open.is_empty()
    }

    /// The canonical form.
    pub fn bytes(&self) -> Vec<u8> {
        let mut writer = Canonical(HEADER.to_vec());
        self.visit(&mut writer);
        writer.0
    }

    /// What differs from an earlier manifest, most telling first: what runs, files, settings, inputs, outputs. An input
    /// that is yet to be made is not compared. `None` if the earlier one cannot be read.
    pub fn differences(&self, earlier: &[u8]) -> Option<Vec<Reason>> {
        let mut comparison = Comparison::new(earlier)?;
        self.visit(&mut comparison);
        for ((section, name), value) in std::mem::take(&mut comparison.earlier) {
            // A file that cannot be read is a difference; an input that is yet to be made may turn out the same.
            if section != Section::Input || !self.open.contains(&name) {
                comparison.changed.push((section, name, Some(value), None));
            }
        }
        Some(self.worded(comparison.changed))
    }

    /// The facts in a canonical form; `None` if it is not one.
    pub fn facts_of(bytes: &[u8]) -> Option<Vec<Fact>> {
        let mut rest = bytes.strip_prefix(HEADER)?;
        let mut facts = Vec::new();
        while let Some((&byte, after)) = rest.split_first() {
            let section = Section::from_byte(byte)?;
            let (name, after) = take_text(after)?;
            let (value, after) = take_text(after)?;
            facts.push(Fact { section, name: name.to_owned(), value: value.to_owned() });
            rest = after;
        }
        Some(facts)
    }

    /// What differs between the facts behind two results, most telling first. `shown`: how a file from outside is called.
    pub fn between(then: &[Fact], now: &[Fact], shown: &str) -> Vec<Reason> {
        let of = |facts: &[Fact]| Manifest {
            facts: facts.iter().map(|fact| ((fact.section, fact.name.clone()), fact.value.clone())).collect(),
            open: Vec::new(),
            shown: BTreeMap::from([("file".to_owned(), shown.to_owned())]),
        };
        of(now).differences(&of(then).bytes()).unwrap_or_default()
    }

    fn visit(&self, visitor: &mut dyn Visitor) {
        for ((section, name), value) in &self.facts {
            visitor.fact(*section, name, value);
        }
    }

    /// Differences as reasons. A module and its component are one thing to people: a new version is told without the
    /// new digest that comes with it, a new digest under the same version is told as a rebuild.
    fn worded(&self, changed: Vec<Change>) -> Vec<Reason> {
        let module = self.facts.get(&(Section::Runs, "module".to_owned())).cloned().unwrap_or_default();
        let module_changed = changed.iter().any(|(section, name, _, _)| *section == Section::Runs && name == "module");
        let mut worded: Vec<(u8, Reason)> = Vec::new();
        for (section, name, from, to) in changed {
            let (rank, what, from, to) = match (section, name.as_str()) {
                (Section::Runs, "component") if module_changed => continue,
                (Section::Runs, "component") if !module.is_empty() => (0, format!("component {module}"), from, to),
                (Section::Runs, "module") => {
                    let (was, is) = (split_version(from.as_deref()), split_version(to.as_deref()));
                    match (was, is) {
                        (Some((was, old)), Some((is, new))) if was == is => {
                            (0, format!("module {is}"), Some(old.to_owned()), Some(new.to_owned()))
                        }
                        _ => (0, "module".to_owned(), from, to),
                    }
                }
                (Section::Runs, _) => (1, name, from, to),
                (Section::Content, _) if from.is_none() || (to.is_none() && !self.open.contains(&name)) => {
                    (4, format!("input {name}"), from, to)
                }
                (Section::Content, _) => {
                    let shown = self.shown.get(&name).unwrap_or(&name);
                    (2, format!("file {shown}"), from, to)
                }
                (Section::Setting, _) => (3, format!("setting {name}"), from, to),
                (Section::Input, _) => (4, format!("input {name}"), from, to),
                (Section::Output, "columns" | "statistics") => (5, format!("list of {name}"), from, to),
                (Section::Output, _) if name.starts_with("column ") => (5, name, from, to),
                (Section::Output, _) => (5, format!("output {name}"), from, to),
            };
            worded.push((rank, Reason::Changed { what, from, to }));
        }
        worded.sort_by_key(|(rank, _)| *rank);
        worded.into_iter().map(|(_, reason)| reason).collect()
    }
}

/// `std/classify 0.1.0` -> (`std/classify`, `0.1.0`)
fn split_version(module: Option<&str>) -> Option<(&str, &str)> {
    module?.rsplit_once(' ')
}

/// Writes the canonical form: section byte, then name and value with their lengths, so that no two lists of facts are
/// written alike.
struct Canonical(Vec<u8>);

impl Visitor for Canonical {
    fn fact(&mut self, section: Section, name: &str, value: &str) {
        self.0.push(section as u8);
        for text in [name, value] {
            self.0.extend_from_slice(&(text.len() as u32).to_be_bytes());
            self.0.extend_from_slice(text.as_bytes());
        }
    }
}

fn take_text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (text, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

/// Compares with an earlier manifest, fact by fact. What is left in `earlier` at the end is gone.
struct Comparison {
    earlier: BTreeMap<(Section, String), String>,
    changed: Vec<Change>,
}

impl Comparison {
    fn new(earlier: &[u8]) -> Option<Comparison> {
        let facts = Manifest::facts_of(earlier)?;
        let earlier = facts.into_iter().map(|fact| ((fact.section, fact.name), fact.value)).collect();
        Some(Comparison { earlier, changed: Vec::new() })
    }
}

impl Visitor for Comparison {
    fn fact(&mut self, section: Section, name: &str, value: &str) {
        match self.earlier.remove(&(section, name.to_owned())) {
            Some(same) if same == value => {}
            from => self.changed.push((section, name.to_owned(), from, Some(value.to_owned()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn manifest() -> impl Strategy<Value = Manifest> {
        let section = prop_oneof![Just(Section::Runs), Just(Section::Setting), Just(Section::Input)];
        let facts = proptest::collection::btree_map((section, "[ab]{0,3}"), "[ab]{0,3}", 0..5);
        facts.prop_map(|facts| Manifest { facts, ..Manifest::default() })
    }

    proptest! {
        #[test]
        fn there_is_a_reason_exactly_when_the_key_differs(now in manifest(), then in manifest()) {
            let reasons = now.differences(&then.bytes());
            prop_assert_eq!(reasons.map(|reasons| reasons.is_empty()), Some(now.bytes() == then.bytes()));
            prop_assert_eq!(now.bytes() == then.bytes(), now.facts == then.facts);
        }

        #[test]
        fn the_canonical_form_reads_back(manifest in manifest()) {
            let facts = Manifest::facts_of(&manifest.bytes()).unwrap_or_default();
            let facts = facts.into_iter().map(|fact| ((fact.section, fact.name), fact.value)).collect();
            prop_assert_eq!(manifest.facts, facts);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = Manifest::facts_of(&[HEADER, &bytes].concat());
        }
    }
}
