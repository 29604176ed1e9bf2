//! What it costs to say whether twenty columns of a million rows drift: ten of amounts, five of few numbers, five of texts.
//!
//! With `MLP_BENCH_PYTHON` naming an interpreter that has Evidently 0.7, its time for the same rows is measured in the same
//! run (`tests/benches/drift_evidently.py`), and the ratio printed: that is the number that means something on any machine.
//! `cargo bench -p mlp-data --bench drift [-- rows]`

use mlp_data::drift::{DriftMethod, Reference, Sample, drift, share};
use std::error::Error;
use std::process::Command;
use std::time::{Duration, Instant};

const REPEATS: usize = 5;
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/benches/drift_evidently.py");

enum Column {
    Amounts(Vec<f64>, Vec<f64>),
    Texts(Vec<Option<String>>, Vec<Option<String>>),
}

impl Column {
    fn samples(&self) -> (Sample<'_>, Sample<'_>, bool) {
        match self {
            Column::Amounts(reference, current) => (Sample::Numbers(reference), Sample::Numbers(current), true),
            Column::Texts(reference, current) => (Sample::Texts(reference), Sample::Texts(current), false),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let rows: usize = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(1_000_000);
    let columns: Vec<Column> = (0..20).map(|place| column(place, rows)).collect();
    let mut drifts = Vec::new();
    let whole = median(|| -> Result<(), Box<dyn Error>> {
        drifts.clear();
        for column in &columns {
            let (reference, current, numeric) = column.samples();
            drifts.push(drift(&reference, &current, DriftMethod::Auto, numeric)?);
        }
        Ok(())
    })?;
    let prepared = columns
        .iter()
        .map(|column| {
            let (reference, _, numeric) = column.samples();
            Reference::prepare(&reference, numeric)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let window = median(|| -> Result<(), Box<dyn Error>> {
        for (reference, column) in prepared.iter().zip(&columns) {
            reference.drift(&column.samples().1, DriftMethod::Auto)?;
        }
        Ok(())
    })?;
    let seconds = whole.as_secs_f64();
    println!("{rows} rows x {} columns, both samples: {seconds:.3} s (median of {REPEATS})", columns.len());
    println!("one more window against a prepared reference: {:.3} s", window.as_secs_f64());
    println!("share of drifted columns: {:?}", share(&drifts));
    for (name, place) in [("amounts", 0), ("few numbers", 10), ("texts", 15)] {
        let (reference, current, numeric) = columns[place].samples();
        let one = median(|| drift(&reference, &current, DriftMethod::Auto, numeric).map(|_| ()))?;
        println!("{name:>12}: {one:.1?} a column");
    }
    let Some(python) = std::env::var_os("MLP_BENCH_PYTHON") else { return Ok(()) };
    let told = Command::new(python).args(["-W", "ignore", PYTHON]).arg(rows.to_string()).output()?;
    if !told.status.success() {
        return Err(String::from_utf8_lossy(&told.stderr).into_owned().into());
    }
    let mut figures = drifts.iter().map(|drift| drift.statistic);
    for line in String::from_utf8_lossy(&told.stdout).lines() {
        let (name, value) = line.rsplit_once(' ').ok_or("a line of the script has no number")?;
        let value: f64 = value.parse()?;
        match name {
            "statistic" => {
                let ours = figures.next().ok_or("more columns than here")?;
                if (ours - value).abs() > 1e-9 {
                    return Err(format!("not the same work: {ours} here, {value} there").into());
                }
            }
            _ => println!("Evidently, {name}: {value:.2} s, {:.0} times as long", value / seconds),
        }
    }
    if figures.next().is_some() { Err("fewer columns than here".into()) } else { Ok(()) }
}

/// The reference and the current sample of a column; `drift_evidently.py` follows the same rule.
fn column(place: usize, rows: usize) -> Column {
    let seed = 2 * place as u64 + 1;
    let (reference, current) = (uniforms(seed, rows), uniforms(seed + 1, rows));
    // Every second column moves.
    let moved = if place.is_multiple_of(2) { 0.0 } else { 0.1 };
    match place {
        0..10 => Column::Amounts(reference.collect(), current.map(|uniform| uniform + moved).collect()),
        10..15 => Column::Amounts(
            reference.map(|uniform| (uniform * 5.0).floor()).collect(),
            current.map(|uniform| (uniform * 5.0 * (1.0 - moved)).floor()).collect(),
        ),
        _ => {
            let text = |uniform: f64| Some(format!("category {}", (uniform * 8.0).floor()));
            Column::Texts(reference.map(text).collect(), current.map(|uniform| text(uniform * (1.0 - moved))).collect())
        }
    }
}

/// splitmix64, the upper 53 bits as a fraction.
fn uniforms(mut seed: u64, rows: usize) -> impl Iterator<Item = f64> {
    let next = move || {
        seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 * 2f64.powi(-53)
    };
    std::iter::repeat_with(next).take(rows)
}

fn median<E>(mut work: impl FnMut() -> Result<(), E>) -> Result<Duration, E> {
    let mut times = Vec::with_capacity(REPEATS);
    for _ in 0..REPEATS {
        let start = Instant::now();
        work()?;
        times.push(start.elapsed());
    }
    times.sort();
    Ok(times[REPEATS / 2])
}
