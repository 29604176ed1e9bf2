//! What the macros' code stands on. Not for authors.

pub use crate::predictor::Slot;
pub use crate::settings::Setting;
pub use wit_bindgen;

/// Compiles for predictors alone.
pub const fn is_predictor<P: crate::Predictor>() {}

/// Bytes of all pieces together.
pub const fn length(pieces: &[&str]) -> usize {
    let mut total = 0;
    let mut piece = 0;
    while piece < pieces.len() {
        total += pieces[piece].len();
        piece += 1;
    }
    total
}

/// All pieces, one after the other; `N` is their [`length`].
pub const fn concat<const N: usize>(pieces: &[&str]) -> [u8; N] {
    let mut bytes = [0; N];
    let mut at = 0;
    let mut piece = 0;
    while piece < pieces.len() {
        let from = pieces[piece].as_bytes();
        let mut index = 0;
        while index < from.len() {
            bytes[at] = from[index];
            at += 1;
            index += 1;
        }
        piece += 1;
    }
    bytes
}

/// The bytes as text, at compile time.
pub const fn text(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("pieces of text make text"),
    }
}
