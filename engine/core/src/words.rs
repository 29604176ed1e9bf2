//! Sentences that more than one place needs to say the same way.

/// `a`; `a` and `b`; `a`, `b` and `c`.
pub(crate) fn listed(names: &[impl AsRef<str>]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// Why a model is not registered.
pub(crate) fn gates_said_no(gates: &[impl AsRef<str>]) -> String {
    let word = if gates.len() == 1 { "gate" } else { "gates" };
    format!("{word} {} said no", listed(gates))
}
