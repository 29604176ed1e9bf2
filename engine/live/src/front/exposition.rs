//! Counters in the text format of Prometheus, version 0.0.4.

use super::deployment::Deployment;
use super::meter::{Exposed, LE};
use std::fmt::Write;
use std::sync::Arc;

/// One line for each series of these deployments.
pub(super) fn text(deployments: &[Arc<Deployment>]) -> String {
    let mut out = String::new();
    family(&mut out, "mlp_requests_total", "counter", "Requests for predictions that ended, by HTTP status.");
    for deployment in deployments {
        for ((version, role, status), count) in deployment.answers() {
            let version = version.map_or_else(String::new, |version| version.to_string());
            let labels = format!("{},role=\"{}\",code=\"{status}\"", labels(deployment, &version), role.word());
            line(&mut out, "mlp_requests_total", &labels, count);
        }
    }
    let versions: Vec<(String, Exposed)> = deployments
        .iter()
        .flat_map(|deployment| {
            let meters = deployment.meters().into_iter();
            meters.map(|(version, meter)| (labels(deployment, &version.to_string()), meter.exposed()))
        })
        .collect();
    family(&mut out, "mlp_request_seconds", "histogram", "From the arrival of a request at a version to its end.");
    for (labels, exposed) in &versions {
        let mut below = 0;
        for (le, count) in LE.iter().zip(exposed.le) {
            below += count;
            line(&mut out, "mlp_request_seconds_bucket", &format!("{labels},le=\"{le}\""), below);
        }
        line(&mut out, "mlp_request_seconds_bucket", &format!("{labels},le=\"+Inf\""), exposed.count);
        line(&mut out, "mlp_request_seconds_sum", labels, exposed.sum);
        line(&mut out, "mlp_request_seconds_count", labels, exposed.count);
    }
    family(&mut out, "mlp_in_flight", "gauge", "Requests under way at a version.");
    versions.iter().for_each(|(labels, exposed)| line(&mut out, "mlp_in_flight", labels, exposed.under_way));
    family(&mut out, "mlp_rows_total", "counter", "Rows that a version predicted.");
    versions.iter().for_each(|(labels, exposed)| line(&mut out, "mlp_rows_total", labels, exposed.rows));
    family(&mut out, "mlp_mirror_dropped_total", "counter", "Copies that a mirror could not take.");
    versions.iter().for_each(|(labels, exposed)| line(&mut out, "mlp_mirror_dropped_total", labels, exposed.dropped));
    family(&mut out, "mlp_weight", "gauge", "The share of requests that a version answers, 0 to 1.");
    for deployment in deployments {
        let routes = deployment.routes.load();
        let candidate = routes.candidate.map_or(0.0, |(_, share)| share);
        let shares = [routes.stable.map(|version| (version, 1.0 - candidate)), routes.candidate];
        for (version, share) in shares.into_iter().flatten() {
            line(&mut out, "mlp_weight", &labels(deployment, &version.to_string()), share);
        }
    }
    out
}

/// Names of deployments are identifiers, so nothing has to be escaped.
fn labels(deployment: &Deployment, version: &str) -> String {
    format!("deployment=\"{}\",version=\"{version}\"", deployment.name)
}

// Writing into a text does not fail.
fn family(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

fn line(out: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let _ = writeln!(out, "{name}{{{labels}}} {value}");
}
