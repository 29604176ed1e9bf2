//! Names that stand for values within one step: entries of `with`, the variable of a `for`.

use super::access::Path;
use super::fit::type_of;
use super::{Typed, Typing};
use crate::codes;
use crate::context::KnownParam;
use crate::finding::Finding;
use crate::names::suggest;
use crate::value::Value;
use crate::written::listed;

impl Typing<'_, '_, '_> {
    /// The value of a local name; of one that is a map, `x.lr` is an entry.
    pub(super) fn local(&mut self, path: &Path<'_>, local: KnownParam) -> Typed {
        let Some(mut value) = local.value else { return Typed::unknown() };
        let mut ty = local.ty;
        for member in &path.members {
            let Value::Map(entries) = &value else {
                let message = format!("`{}` is {}, without members", path.root, super::with_article(&ty));
                let finding = Finding::error(codes::NOT_A_VALUE, self.cx.place(member.span), message);
                self.cx.report(finding.help("only a map has members"));
                return Typed::unknown();
            };
            let Some(entry) = entries.get(&member.name).cloned() else {
                let near = self.cx.names.nearest(&member.name, entries.keys().map(String::as_str));
                let message = format!("`{}` has no entry `{}`", path.root, member.name);
                let finding = Finding::error(codes::UNKNOWN_NAME, self.cx.place(member.span), message);
                self.cx.report(suggest(finding, member.span, near, || format!("it has {}", listed(entries.keys()))));
                return Typed::unknown();
            };
            ty = type_of(&entry);
            value = entry;
        }
        Typed::constant(ty, value)
    }
}
