//! Builds the standard steps, which are WebAssembly components, and hands their bytes to `src/lib.rs`.
//!
//! The guests are a workspace of their own with a lock file of their own. They are built by a second cargo, in a clean
//! environment and a target folder of its own, so that what the outer build was asked for (flags, wrappers, clippy,
//! coverage) neither breaks them nor changes their bytes: a component's digest is part of a step's identity.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Where components run.
const TARGET: &str = "wasm32-wasip2";

/// The guests that are components: the package, and the file that `src/lib.rs` takes it from.
const GUESTS: [(&str, &str); 4] = [
    ("mlp-std-classify", "classify.wasm"),
    ("mlp-std-regress", "regress.wasm"),
    ("mlp-std-tabular", "tabular.wasm"),
    ("mlp-probe", "probe.wasm"),
];

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("\nerror: the standard steps were not built: {message}\n");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let out = PathBuf::from(variable("OUT_DIR")?);
    let guests = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("guests");
    watch(&guests)?;
    ensure_target(&guests)?;
    let target_folder = out.join("guests");
    let mut cargo = clean(&variable("CARGO")?, &guests);
    cargo.args(["build", "--release", "--locked", "--target", TARGET, "--target-dir"]).arg(&target_folder);
    for (package, _) in GUESTS {
        cargo.args(["-p", package]);
    }
    run(&mut cargo)?;
    let mut digests = String::new();
    for (package, file) in GUESTS {
        let from = target_folder.join(TARGET).join("release").join(package.replace('-', "_")).with_extension("wasm");
        let to = out.join(file);
        let cannot = |e: std::io::Error| format!("cannot copy {} to {}: {e}", from.display(), to.display());
        let bytes = std::fs::read(&from).map_err(cannot)?;
        std::fs::write(&to, &bytes).map_err(cannot)?;
        if let Some(name) = package.strip_prefix("mlp-std-") {
            digests.push_str(&format!("(\"std/{name}\", \"{}\"), ", blake3::hash(&bytes).to_hex()));
        }
    }
    let table = out.join("digests.rs");
    std::fs::write(&table, format!("&[{digests}]")).map_err(|e| format!("cannot write {}: {e}", table.display()))?;
    Ok(())
}

/// Build again only when something that goes into a component changes. Cargo would otherwise watch the whole package,
/// and with it whatever the guests' own tests leave behind.
fn watch(guests: &Path) -> Result<(), String> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../spec/wit/step.wit");
    println!("cargo::rerun-if-changed=../spec/wit/predictor.wit");
    let entries = std::fs::read_dir(guests).map_err(|e| format!("cannot read {}: {e}", guests.display()))?;
    for entry in entries {
        let path = entry.map_err(|e| format!("cannot read {}: {e}", guests.display()))?.path();
        let parts: &[&str] = if path.is_dir() { &["Cargo.toml", "src", "config.toml"] } else { &[""] };
        for part in parts {
            let watched = if part.is_empty() { path.clone() } else { path.join(part) };
            if watched.exists() {
                println!("cargo::rerun-if-changed={}", watched.display());
            }
        }
    }
    Ok(())
}

/// Cargo cannot add a target by itself; rustup can.
fn ensure_target(guests: &Path) -> Result<(), String> {
    let rustc = variable("RUSTC")?;
    let libraries = clean(&rustc, guests)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .map_err(|e| format!("cannot run {rustc}: {e}"))?;
    let folder = String::from_utf8_lossy(&libraries.stdout).trim().to_owned();
    if libraries.status.success() && Path::new(&folder).is_dir() {
        return Ok(());
    }
    let toolchain = std::env::var("RUSTUP_TOOLCHAIN").ok();
    let mut rustup = clean("rustup", guests);
    rustup.args(["target", "add", TARGET]);
    if let Some(toolchain) = &toolchain {
        rustup.args(["--toolchain", toolchain]);
    }
    run(&mut rustup).map_err(|why| {
        let toolchain = toolchain.map(|t| format!(" --toolchain {t}")).unwrap_or_default();
        format!(
            "Rust's libraries for {TARGET} are missing and could not be installed ({why}); run\n\n    \
             rustup target add {TARGET}{toolchain}\n\nor install your distribution's package for that target"
        )
    })
}

/// A command that sees nothing of the outer build but where its tools are.
fn clean(program: &str, folder: &Path) -> Command {
    const KEPT: [&str; 14] = [
        "PATH",
        "HOME",
        "USER",
        "TMPDIR",
        "CARGO_HOME",
        "RUSTUP_HOME",
        "RUSTUP_TOOLCHAIN",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
    ];
    // Cargo's own settings that say how to reach the registry, not what to build.
    let reach = |name: &str| {
        ["CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTRIES_", "CARGO_REGISTRY_", "CARGO_SOURCE_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
    };
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear();
    command.envs(
        std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(|name| KEPT.contains(&name) || reach(name))),
    );
    command
}

fn run(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{shown} ended with {status}")),
        Err(error) => Err(format!("cannot run {shown}: {error}")),
    }
}

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("{name} is not set: build with cargo"))
}
