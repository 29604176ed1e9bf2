//! `mlp check`: findings, without running anything; and what mends them.

use super::load::overrides;
use super::profile;
use crate::args::{Check, Output};
use crate::baseline::Baseline;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::files;
use crate::render::findings::{self, Report};
use crate::render::text::{BAD, GOOD, WARN, plural, styled};
use crate::render::{diff, json};
use crate::screen::Screen;
use crate::world::World;
use mlp_lang::finding::{Finding, Place, Safety};
use mlp_lang::fix::{self, Fixed};
use mlp_lang::import::identity;
use mlp_lang::silence::{Level, LevelError, Levels, Silenced};
use mlp_lang::span::Source;
use serde_json::json;
use std::path::{Path, PathBuf};

/// What was found in all files.
#[derive(Default)]
struct Found {
    sources: Vec<Source>,
    findings: Vec<Finding>,
    silenced: Vec<Silenced>,
    faults: Vec<Fault>,
    /// Told to people, beside the result.
    said: String,
    admitted: usize,
    gone: usize,
}

impl Found {
    /// Adds what was found in a file and in those that it uses. Files that several use are told once.
    fn add(&mut self, findings: Vec<Finding>, silenced: Vec<Silenced>, sources: Vec<Source>) {
        let known = |source: &Source| self.sources.iter().any(|other| identity(&other.path) == identity(&source.path));
        let (again, new): (Vec<Source>, Vec<Source>) = sources.into_iter().partition(known);
        let told_before = |finding: &Finding| match &finding.primary.place {
            Place::Source { path, .. } => again.iter().any(|source| source.path == *path),
            Place::Data { .. } => false,
        };
        let findings: Vec<Finding> =
            findings.into_iter().filter(|it| !told_before(it) || !self.findings.contains(it)).collect();
        self.findings.extend(findings);
        self.silenced.extend(silenced);
        self.sources.extend(new);
    }
}

/// Checks every file, then tells all that was found: one broken file does not hide the next.
pub fn check(screen: &Screen, args: &Check) -> Result<Exit, Fault> {
    let overrides = overrides(&args.params, args.files.first().map_or(Path::new("."), PathBuf::as_path))?;
    let levels = levels(args)?;
    let baseline = match &args.baseline {
        Some(path) if args.write_baseline && !path.exists() => Some(Baseline::default()),
        Some(path) => Some(Baseline::read(path)?),
        None => None,
    };
    let mut found = Found::default();
    for path in paths(&args.files, &mut found.faults) {
        let file = path.as_deref().unwrap_or(Path::new(&args.stdin_name));
        let world = World::around(file);
        let inspect = |source: &Source| {
            let mut checked = mlp_lang::check::inspect(source, world.modules(), &overrides);
            profile::attribute(&mut checked.findings, &args.params);
            (levels.apply(checked.findings), checked.silenced, checked.sources)
        };
        let source = match &path {
            Some(path) => files::read(path),
            None => files::read_stdin(&args.stdin_name),
        };
        let mended = source.and_then(|source| match args.fix {
            true => mend(screen, args, source, path.as_deref(), &mut found.said, |source| inspect(source).0),
            false => Ok(source),
        });
        match mended {
            Ok(source) => {
                let (findings, silenced, sources) = inspect(&source);
                found.add(findings, silenced, sources);
            }
            Err(fault) => found.faults.push(fault),
        }
    }
    if let (Some(baseline), Some(file)) = (baseline, &args.baseline) {
        admit(args, baseline, file, &mut found)?;
    }
    let wrong = !found.faults.is_empty() || found.findings.iter().any(Finding::is_error);
    tell(screen, args, &found)?;
    Ok(if wrong { Exit::Usage } else { Exit::Done })
}

/// The levels that the command line asks for.
fn levels(args: &Check) -> Result<Levels, Fault> {
    let mut levels = Levels::default();
    for (names, level) in [(&args.allow, Level::Allow), (&args.warn, Level::Warn), (&args.deny, Level::Deny)] {
        for name in names {
            levels.set(name, level).map_err(|error| {
                let fault = Fault::usage(error.to_string());
                match error {
                    LevelError::Unknown { near: Some(near), .. } => fault.next(format!("did you mean {near}?")),
                    LevelError::Unknown { .. } => fault.next("`mlp explain` lists all lints: their codes begin with W"),
                    LevelError::NotALint { .. } => fault.next("mend what it tells; `mlp explain` says how"),
                    LevelError::Twice { .. } => fault.next("name it once"),
                }
            })?;
        }
    }
    Ok(levels)
}

/// Every file meant, each once, in the order given; `None` is standard input.
pub(super) fn paths(files: &[PathBuf], faults: &mut Vec<Fault>) -> Vec<Option<PathBuf>> {
    let mut paths: Vec<Option<PathBuf>> = Vec::new();
    for file in files {
        let found = match file.as_os_str() == "-" {
            true => Ok(vec![None]),
            false => files::pipelines_at(file).map(|found| found.into_iter().map(Some).collect()),
        };
        match found {
            Ok(found) => {
                let new: Vec<_> = found.into_iter().filter(|path| !paths.contains(path)).collect();
                paths.extend(new);
            }
            Err(fault) => faults.push(fault),
        }
    }
    paths
}

/// Applies the fixes of a file and writes it, or shows the difference. Gives the file as it is afterwards.
fn mend(
    screen: &Screen,
    args: &Check,
    source: Source,
    file: Option<&Path>,
    said: &mut String,
    inspect: impl FnMut(&Source) -> Vec<Finding>,
) -> Result<Source, Fault> {
    let least = if args.unsafe_fixes { Safety::Unsafe } else { Safety::Safe };
    let fixed = fix::fix(&source, least, inspect);
    if args.diff {
        screen.print(&diff::unified(&source.path, &source.text, &fixed.text))?;
        said.push_str(&mended(&source, &fixed, "would mend"));
        return Ok(source);
    }
    match file {
        Some(file) if !fixed.mended.is_empty() => files::replace(file, &fixed.text)?,
        Some(_) => {}
        None => screen.print(&fixed.text)?,
    }
    said.push_str(&mended(&source, &fixed, "mended"));
    Ok(Source::new(&source.path, &fixed.text))
}

/// `mended 3 findings in a.mlp: unused-module, missing-unit (2)`
fn mended(source: &Source, fixed: &Fixed, verb: &str) -> String {
    let mut counts: indexmap::IndexMap<&str, usize> = indexmap::IndexMap::new();
    for finding in &fixed.mended {
        *counts.entry(&*finding.code.name).or_insert(0) += 1;
    }
    let kind = |(name, count): (&str, usize)| if count == 1 { name.to_owned() } else { format!("{name} ({count})") };
    match counts.is_empty() {
        true => String::new(),
        false => {
            let findings = plural(fixed.mended.len(), "finding");
            let kinds: Vec<String> = counts.into_iter().map(kind).collect();
            let path = crate::render::text::one_line(&source.path);
            format!("{verb} {findings} in {path}: {}\n", kinds.join(", "))
        }
    }
}

/// Takes off what the baseline admits, after making it anew if that is asked for.
fn admit(args: &Check, mut baseline: Baseline, file: &Path, found: &mut Found) -> Result<(), Fault> {
    if args.write_baseline {
        baseline = baseline.renewed(file, &found.findings, &found.sources);
        baseline.write(file)?;
        found.said.push_str(&format!("wrote {}: {}\n", file.display(), plural(baseline.len(), "finding")));
    }
    let rest = baseline.admit(file, std::mem::take(&mut found.findings), &found.sources);
    (found.findings, found.admitted, found.gone) = (rest.findings, rest.admitted, rest.gone);
    if found.admitted > 0 && !args.write_baseline {
        found.said.push_str(&format!("{} admitted by {}\n", plural(found.admitted, "finding"), file.display()));
    }
    if found.gone > 0 {
        found.said.push_str(&format!(
            "{} of {} no longer there: `--write-baseline` takes them out\n",
            plural(found.gone, "finding"),
            file.display()
        ));
    }
    Ok(())
}

fn tell(screen: &Screen, args: &Check, found: &Found) -> Result<(), Fault> {
    let base = std::env::current_dir().unwrap_or_default();
    let report = Report {
        findings: &found.findings,
        silenced: &found.silenced,
        sources: &found.sources,
        unreadable: &found.faults,
        base: &base,
    };
    // A difference, or a mended text, is the result: what is left to say goes beside it.
    let result_is_text = args.fix && (args.diff || args.files.iter().any(|file| file.as_os_str() == "-"));
    if !screen.options.quiet {
        screen.say(&found.said);
    }
    if result_is_text {
        for fault in &found.faults {
            screen.fault(fault);
        }
        if !args.diff {
            screen.say(&findings::full(&found.findings, &found.sources, screen.width()));
        }
        return Ok(());
    }
    match screen.options.output {
        Output::Json => {
            let unreadable: Vec<_> = found.faults.iter().map(Fault::json).collect();
            let mut document = json::check(found.sources.len(), &found.findings, &found.sources, &unreadable);
            document["silenced"] = json!(found.silenced.len());
            document["admitted"] = json!(found.admitted);
            return screen.print_json(&document, false);
        }
        Output::Concise => screen.print(&findings::concise(&found.findings, &found.sources))?,
        Output::Text => screen.print(&findings::full(&found.findings, &found.sources, screen.width()))?,
        Output::Sarif => screen.print(&findings::sarif(&report))?,
        Output::Github => screen.print(&findings::github(&report))?,
        Output::Gitlab => screen.print(&findings::gitlab(&report))?,
        Output::Junit => screen.print(&findings::junit(&report))?,
    }
    for fault in &found.faults {
        screen.fault(fault);
    }
    if found.sources.is_empty() || screen.options.output != Output::Text || screen.options.quiet {
        return Ok(());
    }
    let style = match () {
        () if found.findings.iter().any(Finding::is_error) => BAD,
        () if !found.findings.is_empty() => WARN,
        () => GOOD,
    };
    screen.print(&format!("{}\n", styled(style, findings::counts(&found.findings, found.sources.len()))))
}
