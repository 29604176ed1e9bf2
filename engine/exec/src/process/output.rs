//! What a program writes to one of its streams becomes lines of the step's log.

use super::mask::{Masker, Patterns};
use crate::wasm::lines::{Lines, MAX_LINE};

/// A line of standard output that begins with this says how far the program is: `mlp:progress 0.4`.
const PROGRESS: &str = "mlp:progress ";
/// Likewise a number worth seeing now, and an iteration if there is one: `mlp:metric loss 0.31 120`.
const METRIC: &str = "mlp:metric ";

/// One stream of one attempt.
pub struct Stream {
    level: &'static str,
    lines: Lines,
    masker: Option<Masker>,
    /// What the masker has let out.
    clean: Vec<u8>,
    /// What is not yet a whole line.
    partial: Vec<u8>,
    /// The last byte was a carriage return: what follows replaces the line, unless it ends it.
    returned: bool,
}

impl Stream {
    /// `stdout` or `stderr`.
    pub fn new(level: &'static str, lines: Lines, secrets: Option<Patterns>) -> Stream {
        let masker = secrets.map(Masker::new);
        Stream { level, lines, masker, clean: Vec::new(), partial: Vec::new(), returned: false }
    }

    /// Takes what was written next.
    pub fn take(&mut self, bytes: &[u8]) {
        match &mut self.masker {
            None => self.cut(bytes),
            Some(masker) => {
                let mut clean = std::mem::take(&mut self.clean);
                masker.push(bytes, &mut clean);
                self.cut(&clean);
                clean.clear();
                self.clean = clean;
            }
        }
    }

    /// The stream is over: what was written last without a line end is a line too.
    pub fn finish(&mut self) {
        if let Some(mut masker) = self.masker.take() {
            let mut clean = Vec::new();
            masker.finish(&mut clean);
            self.cut(&clean);
        }
        if !self.partial.is_empty() {
            self.say();
        }
    }

    fn cut(&mut self, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            self.add(&bytes[..end]);
            match bytes[end] {
                b'\n' => self.say(),
                _ => self.returned = true,
            }
            bytes = &bytes[end + 1..];
        }
        self.add(bytes);
    }

    fn add(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if std::mem::take(&mut self.returned) {
            self.partial.clear();
        }
        // What a line has too much is dropped here, not stored: it would be cut anyway.
        let room = (MAX_LINE + 1).saturating_sub(self.partial.len());
        self.partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn say(&mut self) {
        self.returned = false;
        let line = String::from_utf8_lossy(&self.partial).into_owned();
        self.partial.clear();
        if self.level == "stdout" && self.is_told(&line) {
            return;
        }
        self.lines.say(self.level, if line.is_empty() { "\n" } else { &line });
    }

    /// Whether the line is for the engine and not for people.
    fn is_told(&self, line: &str) -> bool {
        if let Some(fraction) = line.strip_prefix(PROGRESS).and_then(|rest| rest.trim().parse().ok()) {
            self.lines.progress(fraction);
            return true;
        }
        let Some(rest) = line.strip_prefix(METRIC) else { return false };
        let words: Vec<&str> = rest.split_whitespace().collect();
        match words.as_slice() {
            [name, value] => self.metric(name, value, None),
            [name, value, at] => at.parse().is_ok_and(|at| self.metric(name, value, Some(at))),
            _ => false,
        }
    }

    fn metric(&self, name: &str, value: &str, at: Option<u64>) -> bool {
        let value = value.parse().ok().filter(|value: &f64| value.is_finite());
        value.is_some_and(|value| {
            self.lines.metric(name, value, at);
            true
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlp_core::executor::StepLog;
    use std::sync::{Arc, Mutex};

    #[derive(Default)]
    struct Heard(Mutex<Vec<String>>);

    impl Heard {
        fn hear(&self, text: String) {
            self.0.lock().unwrap().push(text);
        }
    }

    impl StepLog for Heard {
        fn line(&self, _: &str, message: &str) {
            self.hear(message.to_owned());
        }
        fn progress(&self, fraction: f64) {
            self.hear(format!("progress {fraction}"));
        }
        fn metric(&self, name: &str, value: f64, at: Option<u64>) {
            self.hear(format!("metric {name} {value} {at:?}"));
        }
    }

    fn heard(writes: &[&[u8]], secrets: &[&str]) -> Vec<String> {
        let log = Arc::new(Heard::default());
        let mut stream = Stream::new("stdout", Lines::new(log.clone()), Patterns::of(secrets.iter().copied()));
        writes.iter().for_each(|bytes| stream.take(bytes));
        stream.finish();
        log.0.lock().unwrap().clone()
    }

    #[test]
    fn bytes_become_lines() {
        let cases: [(&[&[u8]], &[&str]); 8] = [
            (&[b"one\ntwo\n"], &["one", "two"]),
            (&[b"o", b"ne\nt", b"wo"], &["one", "two"]),
            (&[b"windows\r\n", b"lines\r", b"\n"], &["windows", "lines"]),
            (&[b"10%\r20%\r", b"30%\n"], &["30%"]),
            (&[b"\xff\xfe bytes\n"], &["\u{fffd}\u{fffd} bytes"]),
            (&[b"a\n\nb\n"], &["a", "", "b"]),
            (
                &[b"mlp:progress 0.5\nmlp:metric loss 0.25 3\nmlp:metric auc 0.9\n"],
                &["progress 0.5", "metric loss 0.25 Some(3)", "metric auc 0.9 None"],
            ),
            (&[b"mlp:progress soon\nmlp:metric loss\n"], &["mlp:progress soon", "mlp:metric loss"]),
        ];
        for (writes, lines) in cases {
            assert_eq!(heard(writes, &[]), lines, "{writes:?}");
        }
    }

    #[test]
    fn secrets_are_masked_before_lines_are_cut() {
        assert_eq!(heard(&[b"key=hun", b"ter2\nhun\nter2 end"], &["hunter2"]), ["key=***", "***", "*** end"]);
    }

    #[test]
    fn a_line_without_end_is_bounded() {
        let long = vec![b'x'; 1 << 20];
        let lines = heard(&[&long, &long, b"\nnext\n"], &[]);
        assert_eq!(lines.len(), 2);
        assert!(lines[0].len() <= MAX_LINE);
        assert_eq!(lines[1], "next");
    }
}
