//! Standard output and standard error: colours where they are wanted, no complaint about a closed pipe.

use crate::args::{Color, Options, Output};
use crate::exit::Exit;
use crate::fault::Fault;
use anstream::{AutoStream, ColorChoice};
use std::io::{ErrorKind, IsTerminal, Write};

/// Where a command writes to.
#[derive(Clone, Debug)]
pub struct Screen {
    /// What holds for every command.
    pub options: Options,
}

impl Screen {
    /// With these options.
    pub fn new(options: &Options) -> Screen {
        Screen { options: options.clone() }
    }

    /// Whether results are written as JSON.
    pub fn is_json(&self) -> bool {
        self.options.output == Output::Json
    }

    /// Whether a live view can be drawn: two terminals that understand how to move the cursor.
    pub fn is_live(&self) -> bool {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        !dumb
            && !self.is_json()
            && !self.options.quiet
            && std::io::stdout().is_terminal()
            && std::io::stderr().is_terminal()
    }

    /// Columns of the terminal; `None` when the output goes elsewhere, where nothing is cut.
    pub fn width(&self) -> Option<usize> {
        let stdout = std::io::stdout();
        if !stdout.is_terminal() {
            return None;
        }
        terminal_size::terminal_size_of(stdout).map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0)
    }

    /// The width that a page of prose is fitted to; `None` when it goes elsewhere and stays as it was written.
    pub fn page_width(&self) -> Option<usize> {
        let forced = self.options.color == Color::Always;
        (forced || std::io::stdout().is_terminal()).then(|| self.width().unwrap_or(80))
    }

    /// Writes a result to standard output. A reader that has gone away is no fault.
    pub fn print(&self, text: &str) -> Result<(), Fault> {
        if text.is_empty() {
            return Ok(());
        }
        let stdout = std::io::stdout().lock();
        let choice = self.choice(&stdout);
        let mut stream = AutoStream::new(stdout, choice);
        match stream.write_all(text.as_bytes()).and_then(|()| stream.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Fault::new("cannot write to standard output").cause(error))
            }
            _ => Ok(()),
        }
    }

    /// Writes a JSON document to standard output, on one line if `compact`.
    pub fn print_json(&self, document: &serde_json::Value, compact: bool) -> Result<(), Fault> {
        let text = if compact { format!("{document}\n") } else { format!("{document:#}\n") };
        self.print(&text)
    }

    /// Writes for people, beside the result. Nothing can be done if that fails.
    pub fn say(&self, text: &str) {
        let stderr = std::io::stderr().lock();
        let choice = self.choice(&stderr);
        let _ = AutoStream::new(stderr, choice).write_all(text.as_bytes());
    }

    /// Tells a fault, and how the command ends.
    pub fn fault(&self, fault: &Fault) -> Exit {
        if self.is_json() {
            // If standard output is what failed, standard error still tells.
            let _ = self.print_json(&fault.json(), true);
        }
        let text = fault.text();
        let styled = match text.strip_prefix("error:") {
            Some(rest) => {
                format!("{}error:{} {}\n", crate::render::text::BAD, crate::render::text::RESET, rest.trim_start())
            }
            None => format!("{text}\n"),
        };
        self.say(&styled);
        fault.exit
    }

    /// Whether what is written for people beside the result has colours.
    pub fn is_coloured(&self) -> bool {
        self.choice(&std::io::stderr()) != ColorChoice::Never
    }

    fn choice(&self, stream: &impl anstream::stream::RawStream) -> ColorChoice {
        match self.options.color {
            Color::Always => ColorChoice::AlwaysAnsi,
            Color::Never => ColorChoice::Never,
            Color::Auto => AutoStream::choice(stream),
        }
    }
}
