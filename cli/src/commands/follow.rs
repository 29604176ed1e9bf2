//! `mlp logs -f`: what a run says, as it says it, in whatever process it lives.

use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::events::came_to_its_end;
use crate::render::text::clean;
use crate::screen::Screen;
use mlp_core::history::History;
use serde_json::json;
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant};

/// How often is looked for more.
const GLANCE: Duration = Duration::from_millis(100);

/// Prints what was said and goes on until the run ends. `only`: the step to follow; all if it is left out.
pub fn follow(screen: &Screen, history: &History, run: u64, only: Option<&str>) -> Result<Exit, Fault> {
    let mut read: HashMap<(String, u32), Tail> = HashMap::new();
    loop {
        let began = Instant::now();
        // Before its journal and its logs are read: what is said until its end is not missed.
        let live = history.live()?.is_some_and(|holder| holder.run == Some(run));
        let view = history.run(&run.to_string())?;
        let mut text = String::new();
        for node in view.nodes.iter().filter(|node| only.is_none_or(|only| only == node.name)) {
            for attempt in &node.attempts {
                let tail = read.entry((node.name.clone(), attempt.number)).or_default();
                for line in tail.more(&history.log_path(run, &node.name, attempt.number), !live) {
                    text.push_str(&match (screen.is_json(), only) {
                        (true, _) => event(&node.name, attempt.number, &line),
                        (false, Some(_)) => format!("{}\n", clean(&line)),
                        (false, None) => format!("{} | {}\n", clean(&node.name), clean(&line)),
                    });
                }
            }
        }
        screen.print(&text)?;
        if !live {
            if !screen.options.quiet && !screen.is_json() {
                screen.say(&format!("run {run} {}\n", came_to_its_end(view.outcome)));
            }
            return Ok(Exit::Done);
        }
        // A journal that takes long to read is read seldom.
        std::thread::sleep(GLANCE.max(began.elapsed() * 9));
    }
}

/// A line as `mlp run --output json` tells it; the time is when it was said.
fn event(node: &str, attempt: u32, line: &str) -> String {
    let (at, rest) = line.split_once(' ').unwrap_or(("", line));
    let level = rest.split(' ').next().unwrap_or_default();
    // Levels are padded to six letters.
    let said = rest.get(7..).unwrap_or_default();
    let document = json!({
        "schema": "mlp.event/1",
        "event": "log",
        "node": node,
        "attempt": attempt,
        "at": at,
        "level": level,
        "line": said,
    });
    format!("{document}\n")
}

/// How far a log has been read.
#[derive(Default)]
struct Tail {
    offset: u64,
    /// The beginning of a line whose end is not written yet.
    open: Vec<u8>,
}

impl Tail {
    /// The lines that came since. `all`: also the last one if it has no end.
    fn more(&mut self, path: &Path, all: bool) -> Vec<String> {
        // A log that is not there yet says nothing yet.
        if let Ok(mut file) = File::open(path)
            && file.seek(SeekFrom::Start(self.offset)).is_ok()
        {
            self.offset += file.read_to_end(&mut self.open).unwrap_or(0) as u64;
        }
        let end = match (all, self.open.iter().rposition(|byte| *byte == b'\n')) {
            (true, _) => self.open.len(),
            (false, Some(last)) => last + 1,
            (false, None) => 0,
        };
        let whole: Vec<u8> = self.open.drain(..end).collect();
        String::from_utf8_lossy(&whole).lines().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn only_whole_lines_are_told_until_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        let mut tail = Tail::default();
        assert_eq!(tail.more(&path, false), [""; 0]);
        let mut file = File::create(&path).unwrap();
        file.write_all(b"one\ntw").unwrap();
        assert_eq!(tail.more(&path, false), ["one"]);
        file.write_all(b"o\nthree").unwrap();
        assert_eq!(tail.more(&path, false), ["two"]);
        assert_eq!(tail.more(&path, true), ["three"]);
        assert_eq!(tail.more(&path, true), [""; 0]);
    }

    #[test]
    fn a_line_for_programs_has_its_time_and_level() {
        let told: serde_json::Value =
            serde_json::from_str(&event("train", 2, "2026-11-21T02:40:00.000Z warn     two  spaces")).unwrap();
        assert_eq!(told["at"], "2026-11-21T02:40:00.000Z");
        assert_eq!(
            (&told["level"], &told["line"], &told["attempt"]),
            (&json!("warn"), &json!("  two  spaces"), &json!(2))
        );
    }
}
