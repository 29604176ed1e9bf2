//! Predictions per second of a gradient boosting model (200 trees of depth 5, 8 columns), by rows in a call, and how soon
//! a call that never ends is over. `cargo bench -p mlp-exec --bench predict`

#[path = "../tests/serving/mod.rs"]
#[allow(dead_code)]
mod serving;

use serde_json::json;
use std::time::{Duration, Instant};

fn main() {
    let features = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let entry = serving::entry("std/regress", "regressor", &features);
    let file = serving::trees(200, 5, &features);
    let started = Instant::now();
    let one = serving::load(&entry, &file, 1).expect("loads");
    println!("first load, compiling included unless cached: {:?}", started.elapsed());
    let started = Instant::now();
    drop(serving::load(&entry, &file, 1).expect("loads"));
    println!("load: {:?} for {} bytes", started.elapsed(), file.to_string().len());

    println!("\n{:>12} {:>14} {:>14} {:>16}", "rows a call", "us a call", "us a row", "rows a second");
    for rows in [1, 8, 32, 256, 4096] {
        let columns = serving::numbers(features.len(), rows, false);
        let each = fastest(|| {
            one.predict(&columns, Instant::now() + Duration::from_secs(10)).expect("predicts");
        });
        let micros = each.as_secs_f64() * 1e6;
        println!("{rows:>12} {micros:>14.2} {:>14.3} {:>16.0}", micros / rows as f64, rows as f64 / each.as_secs_f64());
    }
    interrupted();
}

/// The least mean time of a call over many short rounds: what others on the machine do makes a round slower, never
/// faster.
fn fastest(mut call: impl FnMut()) -> Duration {
    let round = Duration::from_millis(2);
    let mut best = Duration::MAX;
    for _ in 0..500 {
        let started = Instant::now();
        let mut calls = 0;
        while started.elapsed() < round {
            call();
            calls += 1;
        }
        best = best.min(started.elapsed() / calls);
    }
    best
}

fn interrupted() {
    let entry = serving::entry(serving::PROBE, "regressor", &["x"]);
    let hang = json!({ "features": ["x"], "value": 1.0, "hang": true });
    let model = serving::load(&entry, &hang, 1).expect("loads");
    let limit = Duration::from_millis(100);
    let mut late: Vec<Duration> = (0..20)
        .map(|_| {
            let started = Instant::now();
            let result = model.predict(&serving::numbers(1, 1, false), started + limit);
            assert!(result.is_err());
            started.elapsed() - limit
        })
        .collect();
    late.sort_unstable();
    println!("\nan endless call ends after its deadline by: median {:?}, worst of 20 {:?}", late[10], late[19]);
}
