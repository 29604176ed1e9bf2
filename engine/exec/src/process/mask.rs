//! Secrets are taken out of what a program says, before anybody sees it.
//!
//! All forms of all secrets are looked for at once, in a stream (the automaton of Aho and Corasick): a secret is found
//! wherever writes cut it, and also where it is broken over lines, since line ends are not part of any form. Only bytes
//! that may still turn out to be the beginning of a secret are held back.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// What stands in the place of a secret.
const MASK: &[u8] = b"***";

/// Longer secrets are looked for in pieces of this many bytes, each of which is masked by itself.
const PIECE: usize = 1024;

/// Beyond this many bytes a secret is looked for as it is, and not in other forms: the automaton would grow too large.
const LARGE: usize = 16 << 10;

/// A part of a secret, or an encoded form of it, that is shorter says nothing, and would mask what has nothing to do with it.
const SHORTEST_FORM: usize = 6;

/// A line of a secret of several lines counts as a secret itself from this length on.
const SHORTEST_LINE: usize = 8;

/// All that is to be masked. Clones share it.
#[derive(Clone)]
pub struct Patterns(Arc<Vec<State>>);

/// A node of the automaton: what was seen last is the beginning of some form.
#[derive(Default)]
struct State {
    next: BTreeMap<u8, u32>,
    /// Where to go on if no form continues: the longest end of this beginning that is itself a beginning.
    fallback: u32,
    /// How many bytes the beginning has.
    depth: u32,
    /// The longest form that ends here, in bytes; 0: none.
    ends: u32,
}

impl Patterns {
    /// All forms of these secrets; `None` if there is nothing to look for.
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Option<Patterns> {
        let forms: BTreeSet<Vec<u8>> = secrets.into_iter().flat_map(forms).collect();
        if forms.is_empty() {
            return None;
        }
        let mut states = vec![State::default()];
        for form in &forms {
            let mut at = 0;
            for byte in form {
                at = match states[at].next.get(byte) {
                    Some(next) => *next as usize,
                    None => {
                        let depth = states[at].depth + 1;
                        let new = states.len();
                        states[at].next.insert(*byte, new as u32);
                        states.push(State { depth, ..State::default() });
                        new
                    }
                };
            }
            states[at].ends = form.len() as u32;
        }
        fall_back(&mut states);
        Some(Patterns(Arc::new(states)))
    }

    fn step(&self, mut state: u32, byte: u8) -> u32 {
        loop {
            let here = &self.0[state as usize];
            match here.next.get(&byte) {
                Some(next) => return *next,
                None if state == 0 => return 0,
                None => state = here.fallback,
            }
        }
    }
}

/// Fills in the fallbacks, shallow states first, and what ends in them.
fn fall_back(states: &mut [State]) {
    let mut open = VecDeque::from([0]);
    while let Some(at) = open.pop_front() {
        let children: Vec<(u8, u32)> = states[at].next.iter().map(|(byte, next)| (*byte, *next)).collect();
        for (byte, child) in children {
            let mut from = at;
            let fallback = loop {
                if from == 0 {
                    break 0;
                }
                from = states[from].fallback as usize;
                if let Some(next) = states[from].next.get(&byte) {
                    break *next;
                }
            };
            let ends = states[fallback as usize].ends;
            let state = &mut states[child as usize];
            state.fallback = fallback;
            state.ends = state.ends.max(ends);
            open.push_back(child as usize);
        }
    }
}

/// Takes secrets out of one stream.
pub struct Masker {
    patterns: Patterns,
    state: u32,
    /// Bytes that are not decided yet, with whether they are known to be part of a secret.
    held: VecDeque<(u8, bool)>,
    /// How many of them are no line ends.
    counted: usize,
    /// The last byte that was let out was part of a secret.
    in_secret: bool,
}

impl Masker {
    /// For a stream that begins now.
    pub fn new(patterns: Patterns) -> Masker {
        Masker { patterns, state: 0, held: VecDeque::new(), counted: 0, in_secret: false }
    }

    /// Takes what was written next; what is decided by it goes to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for &byte in bytes {
            self.held.push_back((byte, false));
            if is_line_end(byte) {
                self.release(out);
                continue;
            }
            self.counted += 1;
            self.state = self.patterns.step(self.state, byte);
            let ends = self.patterns.0[self.state as usize].ends as usize;
            let parts = self.held.iter_mut().rev().filter(|(byte, _)| !is_line_end(*byte));
            parts.take(ends).for_each(|(_, is_secret)| *is_secret = true);
            self.release(out);
        }
    }

    /// The stream is over: nothing that is held back can become a secret any more.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.state = 0;
        self.release(out);
    }

    /// Lets out all but what may still be the beginning of a secret.
    fn release(&mut self, out: &mut Vec<u8>) {
        let kept = self.patterns.0[self.state as usize].depth as usize;
        while self.counted > kept || self.held.front().is_some_and(|(byte, _)| is_line_end(*byte)) {
            let Some((byte, is_secret)) = self.held.pop_front() else { return };
            if is_line_end(byte) {
                self.in_secret = false;
                out.push(byte);
                continue;
            }
            self.counted -= 1;
            match is_secret {
                true if self.in_secret => {}
                true => out.extend_from_slice(MASK),
                false => out.push(byte),
            }
            self.in_secret = is_secret;
        }
    }
}

fn is_line_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

/// The forms in which a secret may appear, without line ends.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let bytes = secret.as_bytes();
    let mut forms = Vec::new();
    for piece in pieces(bytes) {
        forms.push(piece.to_vec());
        if bytes.len() <= LARGE {
            let long = encoded(piece).into_iter().filter(|form| form.len() >= SHORTEST_FORM);
            forms.extend(long.map(String::into_bytes));
        }
    }
    let lines = secret.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE && !line.starts_with("-----"));
    forms.extend(lines.flat_map(|line| pieces(line.as_bytes())).map(<[u8]>::to_vec));
    for form in &mut forms {
        form.retain(|byte| !is_line_end(*byte));
    }
    forms.retain(|form| !form.is_empty());
    forms
}

/// Pieces of at most [`PIECE`] bytes; the last one is not short unless the whole is.
fn pieces(bytes: &[u8]) -> Vec<&[u8]> {
    let whole = bytes.len() / PIECE;
    if whole < 2 {
        return vec![bytes];
    }
    let (even, rest) = bytes.split_at((whole - 1) * PIECE);
    even.chunks(PIECE).chain([rest]).collect()
}

/// Base64 wherever the secret lies in a longer text, percent-encoding, the escapes of JSON, hexadecimal.
fn encoded(piece: &[u8]) -> Vec<String> {
    let mut forms: Vec<String> = (0..3).map(|offset| base64(piece, offset)).collect();
    let url_safe: Vec<String> = forms.iter().map(|form| form.replace('+', "-").replace('/', "_")).collect();
    forms.extend(url_safe);
    let hex: String = piece.iter().map(|byte| format!("{byte:02x}")).collect();
    let percent = percent(piece);
    forms.extend([percent.replace("%20", "+"), lower_escapes(&percent), percent, hex.to_uppercase(), hex]);
    if let Ok(text) = std::str::from_utf8(piece) {
        let json = serde_json::Value::from(text).to_string();
        let json = json.trim_start_matches('"').strip_suffix('"').unwrap_or(&json).to_owned();
        // As Python and others write it: nothing but ASCII.
        let ascii: String = json
            .chars()
            .flat_map(|c| match c.is_ascii() {
                true => vec![c.to_string()],
                false => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
            })
            .collect();
        forms.extend([json.replace('/', "\\/"), json, ascii]);
    }
    forms
}

/// The characters of base64 that follow from these bytes alone, when `offset` (0 to 2) bytes stand before them in a group
/// of three and others may follow.
fn base64(bytes: &[u8], offset: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let padded: Vec<u8> = std::iter::repeat_n(0, offset).chain(bytes.iter().copied()).collect();
    let bit = |at: usize| padded[at / 8] >> (7 - at % 8) & 1;
    let first = (offset * 8).div_ceil(6);
    let character = |at: usize| ALPHABET[(at * 6..at * 6 + 6).fold(0, |sum, at| sum << 1 | bit(at)) as usize] as char;
    (first..padded.len() * 8 / 6).map(character).collect()
}

fn percent(bytes: &[u8]) -> String {
    let one = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => (*byte as char).to_string(),
        _ => format!("%{byte:02X}"),
    };
    bytes.iter().map(one).collect()
}

/// `%2F` as `%2f`.
fn lower_escapes(text: &str) -> String {
    let mut left = 0;
    let lower = |c: char| {
        if c == '%' {
            left = 3;
        }
        let inside = left > 0;
        left -= i32::from(inside);
        if inside { c.to_ascii_lowercase() } else { c }
    };
    text.chars().map(lower).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What is seen of `text` when it is written in pieces that end at these places.
    fn seen(secrets: &[&str], text: &[u8], cuts: &[usize]) -> String {
        let mut masker = Masker::new(Patterns::of(secrets.iter().copied()).unwrap());
        let (mut out, mut from) = (Vec::new(), 0);
        for cut in cuts.iter().map(|cut| cut % (text.len() + 1)).chain([text.len()]) {
            if cut > from {
                masker.push(&text[from..cut], &mut out);
                from = cut;
            }
        }
        masker.finish(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    fn encode(bytes: &[u8]) -> String {
        let padded = [bytes, &vec![0; (3 - bytes.len() % 3) % 3]].concat();
        base64(&padded, 0)
    }

    #[test]
    fn a_secret_is_masked_in_every_form() {
        let secret = "p/w \"ß7+x9?Z";
        let cases = [
            ("as it is", secret.to_owned()),
            ("base64", encode(secret.as_bytes())),
            ("base64, one byte before", encode(format!("u{secret}").as_bytes())),
            ("base64, two bytes before", encode(format!("u:{secret}").as_bytes())),
            ("base64, two bytes before and some behind", encode(format!("u:{secret}@host").as_bytes())),
            ("base64 for URLs", encode(secret.as_bytes()).replace('+', "-").replace('/', "_")),
            ("percent", percent(secret.as_bytes())),
            ("percent in lower case", lower_escapes(&percent(secret.as_bytes()))),
            ("form", percent(secret.as_bytes()).replace("%20", "+")),
            ("JSON", "p/w \\\"ß7+x9?Z".to_owned()),
            ("JSON with escaped slashes", "p\\/w \\\"ß7+x9?Z".to_owned()),
            ("JSON in ASCII", "p/w \\\"\\u00df7+x9?Z".to_owned()),
            ("over two lines", secret.replace("ß7", "ß\n7")),
            ("hexadecimal", secret.bytes().map(|byte| format!("{byte:02x}")).collect()),
        ];
        for (form, text) in cases {
            let seen = seen(&[secret], format!("<{text}>\n").as_bytes(), &[]);
            let left = seen.replace("***", "").replace(['<', '>', '\n', '='], "");
            // Of base64 the characters at both ends hold bits of what stands beside the secret.
            let spare = if form.starts_with("base64") { 13 } else { 0 };
            assert!(seen.contains("***") && left.len() <= spare, "{form}: {text:?} is seen as {seen:?}");
        }
    }

    #[test]
    fn what_is_no_secret_passes_as_it_is() {
        let text = "hunter\nhunte r2 HUNTER2 unter2\r\nhunter";
        assert_eq!(seen(&["hunter2"], text.as_bytes(), &[3, 9, 20]), text);
    }

    #[test]
    fn secrets_beside_and_inside_of_each_other_are_masked_whole() {
        assert_eq!(seen(&["abcd", "cdef"], b"xabcdefx", &[4]), "x***x");
        assert_eq!(seen(&["abcd", "bc"], b"xabcx abcd", &[]), "xa***x ***");
        assert_eq!(seen(&["aab"], b"aaab", &[2]), "a***");
    }

    #[test]
    fn each_line_of_a_long_secret_is_one() {
        let key = "-----BEGIN KEY-----\nMIIEvQIBADAN\nc2Vjb25kIGxpbmU=\n-----END KEY-----";
        let seen = seen(&[key], b"it says c2Vjb25kIGxpbmU= here\n-----BEGIN KEY-----\n", &[]);
        assert_eq!(seen, "it says *** here\n-----BEGIN KEY-----\n");
    }

    #[test]
    fn a_very_long_secret_is_masked_too() {
        let secret: String = (0..100_000u64).map(|n| char::from(b'a' + (n * n % 23) as u8)).collect();
        let seen = seen(&[&secret], format!("<{secret}>").as_bytes(), &[5000, 70_000]);
        assert!(seen.replace("***", "").len() < 8, "{}", seen.len());
    }

    proptest! {
        #[test]
        fn wherever_writes_are_cut_the_same_is_seen(
            secret in "[a-c]{3,6}",
            parts in proptest::collection::vec("[a-c\n]{0,8}", 0..6),
            cuts in proptest::collection::vec(any::<usize>(), 0..12),
        ) {
            let text = parts.join(&secret);
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
            cuts.sort_unstable();
            let whole = seen(&[&secret], text.as_bytes(), &[]);
            prop_assert_eq!(&whole, &seen(&[&secret], text.as_bytes(), &cuts));
            prop_assert!(!whole.replace('\n', "").contains(&secret));
            prop_assert_eq!(whole.matches('\n').count(), text.matches('\n').count());
        }

        #[test]
        fn nothing_else_is_taken(text in "[d-f \n]{0,60}") {
            prop_assert_eq!(seen(&["abc"], text.as_bytes(), &[7, 9]), text);
        }
    }
}
