//! Telling others: a POST of JSON with an idempotency key.

use crate::machine::AlertBody;
use mlp_core::record::Millis;
use mlp_core::secret;
use mlp_lang::live::{Address, Channel};
use std::borrow::Cow;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

/// How long the other side may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is to be told, and where.
pub(super) struct Message {
    pub(super) channel: Channel,
    pub(super) to: Address,
    pub(super) key: String,
    pub(super) attempt: u32,
    pub(super) body: AlertBody,
}

/// Sends an alert once. Blocks. Files with secrets are looked for from `base`. The error is in words: who could not be told,
/// and why; a secret address is not in them.
pub(super) fn send(message: &Message, base: &Path) -> Result<(), String> {
    let failed = |why: &str| format!("{} could not be told: {why}", message.to);
    let address: Cow<'_, str> = match &message.to {
        Address::Plain(address) => address.into(),
        Address::Secret(source) => {
            let secret = secret::read(source, base).map_err(|error| failed(&error.to_string()))?;
            if !Address::is_one(secret.reveal()) {
                return Err(failed(&format!("what is found there is not {}", Address::WANTED)));
            }
            secret.reveal().to_owned().into()
        }
    };
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
    let text = match message.channel {
        Channel::Webhook => serde_json::to_string(&message.body).map_err(|error| error.to_string())?,
        Channel::Slack => serde_json::json!({ "text": in_words(&message.body) }).to_string(),
    };
    let sent = agent
        .post(&*address)
        .header("content-type", "application/json")
        // A receiver that knows the key has seen this alert: an attempt whose answer was lost is made again under it.
        .header("idempotency-key", &message.key)
        .header("x-mlp-attempt", message.attempt.to_string())
        .send(text);
    sent.map(drop).map_err(|error| failed(&without(&address, message, &error.to_string())))
}

/// What a client says about an address must not tell it, if it is secret: with its parts `https://host/path` and `host`.
fn without(address: &str, message: &Message, why: &str) -> String {
    if matches!(message.to, Address::Plain(_)) {
        return why.to_owned();
    }
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    [address, rest, host, name]
        .iter()
        .filter(|part| !part.is_empty())
        .fold(why.to_owned(), |why, part| why.replace(part, "(its address)"))
}

/// For people, in the text format of Slack: `mrkdwn`, <https://docs.slack.dev/messaging/formatting-message-text>.
fn in_words(body: &AlertBody) -> String {
    let AlertBody { monitor, deployment, model, version, window, breaches, breached, .. } = body;
    let mut text = format!(
        "*{}* is breached: deployment `{}`, model `{}` version {version}, {} to {}",
        escaped(monitor),
        escaped(deployment),
        escaped(model),
        time(window.from),
        time(window.to),
    );
    if *breaches > 1 {
        let _ = write!(text, ", {breaches} windows in a row");
    }
    for watch in breached {
        let _ = write!(text, "\n• {}", escaped(watch));
    }
    text
}

/// The three characters that mean something to Slack.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn time(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at)
        .map_or_else(|_| at.to_string(), |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string())
}
