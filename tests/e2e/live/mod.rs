//! Deployments: what clients, people and a kill see of them.

mod alerts;
mod hook;
mod kills;
mod people;
mod rollouts;
mod served;
mod serving;
mod story;

/// A project whose models misbehave as told: trained by the probe plugin, served by its predictor. Whatever else the file
/// declares comes last.
fn probe_project(strategy: &str, more: &str) -> crate::space::Space {
    let space = crate::space::Space::new();
    std::fs::copy(mlp_stdlib::PROBE, space.path("probe.wasm")).expect("the probe");
    let rows: String = (0..200).map(|row| format!("{row},{}\n", row % 2)).collect();
    space.write("rows.csv", format!("x,y\n{rows}"));
    space.write(
        "bikes.mlp",
        format!(
            "mlp 1\nuse \"./probe.wasm\" as probe\n\n\
             param value: float = 1.0\nparam errors: fraction = 0%\nparam delay: int = 0\nparam hang: bool = false\n\
             param below: float = 1000000.0\n\n\
             schema Row {{\n  x: float\n  y: float label\n}}\n\n\
             data points: Row {{\n  source = csv(\"rows.csv\")\n}}\n\n\
             step train = probe.model(points, value: value, error_rate: errors, delay: delay, hang: hang, \
             when_below: below)\n\n\
             model demand = train.model\n\n\
             deploy production of demand {{\n  serve = online(port: PORT, timeout: 400ms, replicas: 2)\n{strategy}\n  \
             rollback within 1s\n}}\n\n{more}\n"
        ),
    );
    space.replace("bikes.mlp", "PORT", &served::free_port().to_string());
    space
}
