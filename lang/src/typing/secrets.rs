//! Secrets in expressions: whatever an expression becomes is seen by somebody.

use super::Typing;
use crate::codes;
use crate::context::SeenIn;
use crate::finding::Finding;
use crate::span::Span;

impl Typing<'_, '_, '_> {
    /// Reports a secret that would be seen, and where it would be.
    pub(super) fn secret_seen(&mut self, written: &str, span: Span) {
        let (label, help) = match self.cx.seen_in {
            SeenIn::Command => (
                "an argument, which every process of the machine can read, and a part of the log",
                "grant it in `secrets = { TOKEN: ... }`; the program reads the variable",
            ),
            SeenIn::Environment => (
                "`env` is shown in the plan and is a part of the fingerprint",
                "grant it in `secrets = { TOKEN: ... }`; the program reads it as a variable all the same",
            ),
            SeenIn::Settings => (
                "a setting is written to a file beside the work, shown in the plan, and a part of the fingerprint",
                "only programs are granted secrets, in `secrets = { TOKEN: ... }`",
            ),
            SeenIn::Tag => ("a tag is shown wherever the step is", "leave it out: nothing reads tags to get at data"),
            SeenIn::Query => (
                "the text of a query is shown in the plan and is a part of the fingerprint",
                "a query needs no credential; a source has `password:` and `token:`",
            ),
            SeenIn::Address => (
                "an address is shown in the plan, in findings and in the log",
                "give it as `password:` or `token:` of the source",
            ),
            SeenIn::Verdict => (
                "a condition is written into the log with the numbers that decided it",
                "compare metrics and parameters; a secret decides nothing",
            ),
            SeenIn::Plan => (
                "it would be written into the plan",
                "a secret stands in `secrets = { ... }` of a step, or as `password:` and `token:` of a source",
            ),
        };
        let finding = Finding::error(
            codes::SECRET_SEEN,
            self.cx.place(span),
            format!("`{written}` is a secret, and here it would be seen"),
        );
        self.cx.report(finding.label(label).help(help));
    }
}
