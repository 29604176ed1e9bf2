//! Secrets: read from where the pipeline says, when they are needed, and kept nowhere.

use mlp_lang::work::SecretSource;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a command may take to say a secret.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest secret, in bytes: a certificate with its chain is far below.
const LONGEST: u64 = 1 << 20;

/// The text of a secret. It prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Why a secret cannot be read. Nothing of its text is in the words.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// No such variable.
    #[error("the variable {0} is not set in the environment of mlp")]
    NotSet(String),
    /// It is there, and holds nothing.
    #[error("{0} is empty")]
    Empty(String),
    /// It is not UTF-8, or longer than 1 MiB.
    #[error("{0} is not a text")]
    NotText(String),
    /// A file that cannot be read.
    #[error("cannot read {path}: {why}")]
    File {
        /// As the pipeline says it.
        path: String,
        /// What the system says.
        why: std::io::Error,
    },
    /// A program that cannot be started.
    #[error("cannot start `{program}`: {why}")]
    Start {
        /// Its name.
        program: String,
        /// What the system says.
        why: std::io::Error,
    },
    /// A program that failed. What it printed is not told: it may be the secret.
    #[error("`{program}` ended with {status}")]
    Failed {
        /// Its name.
        program: String,
        /// As the system words it.
        status: String,
    },
    /// A program that does not end.
    #[error("`{0}` had not ended after 30 s")]
    Slow(String),
}

/// Reads a secret. Blocks, at most half a minute. `base` is the folder that relative paths start from; commands run in it.
/// One newline at the end is not part of a file's or a command's secret.
pub fn read(source: &SecretSource, base: &Path) -> Result<Secret, SecretError> {
    match source {
        SecretSource::Env(name) => match std::env::var(name) {
            Ok(text) => filled(text, name),
            Err(std::env::VarError::NotPresent) => Err(SecretError::NotSet(name.clone())),
            Err(std::env::VarError::NotUnicode(_)) => Err(SecretError::NotText(name.clone())),
        },
        SecretSource::File(path) => {
            let file = |why| SecretError::File { path: path.clone(), why };
            let mut bytes = Vec::new();
            let opened = std::fs::File::open(base.join(path)).map_err(file)?;
            opened.take(LONGEST + 1).read_to_end(&mut bytes).map_err(file)?;
            line(bytes, path)
        }
        SecretSource::Command(words) => command(words, base),
    }
}

fn command(words: &[String], base: &Path) -> Result<Secret, SecretError> {
    let program = words.first().cloned().unwrap_or_default();
    let failed = |why| SecretError::Start { program: program.clone(), why };
    let mut command = Command::new(&program);
    command.args(words.iter().skip(1)).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    if !base.as_os_str().is_empty() {
        command.current_dir(base);
    }
    let mut child = command.spawn().map_err(failed)?;
    let Some(out) = child.stdout.take() else { return Err(SecretError::NotText(program)) };
    // Read beside the waiting: a full pipe would keep the program from ending.
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        out.take(LONGEST + 1).read_to_end(&mut bytes).map(|_| bytes)
    });
    let begin = Instant::now();
    let status = loop {
        match child.try_wait().map_err(failed)? {
            Some(status) => break status,
            None if begin.elapsed() > PATIENCE => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(SecretError::Slow(program));
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    if !status.success() {
        return Err(SecretError::Failed { program, status: status.to_string() });
    }
    let bytes = reader.join().ok().and_then(Result::ok).unwrap_or_default();
    line(bytes, &format!("what `{program}` prints"))
}

/// A text without the newline at its end.
fn line(bytes: Vec<u8>, what: &str) -> Result<Secret, SecretError> {
    if bytes.len() as u64 > LONGEST {
        return Err(SecretError::NotText(what.to_owned()));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| SecretError::NotText(what.to_owned()))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    filled(text, what)
}

fn filled(text: String, what: &str) -> Result<Secret, SecretError> {
    if text.is_empty() { Err(SecretError::Empty(what.to_owned())) } else { Ok(Secret(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(source: &SecretSource, base: &Path) -> String {
        match read(source, base) {
            Ok(secret) => secret.reveal().to_owned(),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn a_secret_is_what_is_found_without_its_last_newline() {
        let folder = tempfile::tempdir().expect("a folder");
        let command = |words: &[&str]| SecretSource::Command(words.iter().map(ToString::to_string).collect());
        for (text, secret) in
            [("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), ("two\nlines\n\n", "two\nlines\n"), ("none", "none")]
        {
            std::fs::write(folder.path().join("token"), text).expect("written");
            assert_eq!(told(&SecretSource::File("token".into()), folder.path()), secret);
            assert_eq!(told(&command(&["cat", "token"]), folder.path()), secret);
        }
        assert!(told(&SecretSource::Env("PATH".into()), folder.path()).contains('/'));
    }

    #[test]
    fn what_is_wrong_is_told_and_what_was_printed_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("empty"), "\n").expect("written");
        std::fs::write(folder.path().join("bytes"), [0xff, 0xfe]).expect("written");
        let command = |text: &str| SecretSource::Command(vec!["sh".into(), "-c".into(), text.into()]);
        for (source, expected) in [
            (
                SecretSource::Env("MLP_NOBODY_SETS_THIS".into()),
                "the variable MLP_NOBODY_SETS_THIS is not set in the environment of mlp",
            ),
            (SecretSource::File("nowhere".into()), "cannot read nowhere: No such file or directory (os error 2)"),
            (SecretSource::File("empty".into()), "empty is empty"),
            (SecretSource::File("bytes".into()), "bytes is not a text"),
            (command("echo s3cret; exit 3"), "`sh` ended with exit status: 3"),
            (
                SecretSource::Command(vec!["/no/such/program".into()]),
                "cannot start `/no/such/program`: No such file or directory (os error 2)",
            ),
        ] {
            assert_eq!(told(&source, folder.path()), format!("error: {expected}"));
        }
        let secret = read(&command("echo s3cret"), folder.path()).expect("a secret");
        assert_eq!(format!("{secret:?}"), "***");
    }
}
