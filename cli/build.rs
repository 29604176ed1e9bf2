//! Makes the table of the pages in `spec/diagnostics/`, so that a page that is added is in the binary without further ado.

use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("../spec/diagnostics");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", folder.display());
    let pages = table(&folder, "md", |stem| stem.bytes().next_back().is_some_and(|last| last.is_ascii_digit()))?;
    let beginnings = table(&folder.join("with"), "mlp", |_| true)?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let text =
        format!("const PAGES: &[(&str, &str)] = &[{pages}];\nconst BEGINNINGS: &[(&str, &str)] = &[{beginnings}];\n");
    std::fs::write(out.join("pages.rs"), text)?;
    Ok(())
}

/// `("E0203", include_str!(...)), ...`, sorted.
fn table(folder: &Path, extension: &str, wanted: impl Fn(&str) -> bool) -> Result<String, std::io::Error> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.sort();
    let mut rows = String::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|found| found == extension)) {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        if wanted(&stem) {
            let _ = write!(rows, "({stem:?}, include_str!({:?})), ", file.display().to_string());
        }
    }
    Ok(rows)
}
