//! Telling others: a POST of JSON with an idempotency key.

use crate::machine::AlertBody;
use std::time::Duration;

/// How long the other side may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends an alert once. Blocks. The error is in words: who could not be told, and why.
pub(super) fn send(webhook: &str, key: &str, attempt: u32, body: &AlertBody) -> Result<(), String> {
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
    let text = serde_json::to_string(body).map_err(|error| error.to_string())?;
    agent
        .post(webhook)
        .header("content-type", "application/json")
        // A receiver that knows the key has seen this alert: an attempt whose answer was lost is made again under it.
        .header("idempotency-key", key)
        .header("x-mlp-attempt", attempt.to_string())
        .send(text)
        .map(drop)
        .map_err(|error| format!("{webhook} could not be told: {error}"))
}
