//! Playing the past to a deployment: rows with their own time, as requests; labels when they would have come.
//!
//! ```text
//! for each moment of the data:  labels that have come by now -> time moves on -> the rows of this moment are requested
//! ```
//!
//! The engine's virtual time moves with the data and stands still while anything is under way, so the same data gives the
//! same story on any machine.

use crate::control::{Answer, Client, Line, NotAsked, Request};
use crate::evidence::LabelValue;
use mlp_core::clock::rfc3339;
use mlp_core::predictor::Cells;
use mlp_core::record::Millis;
use mlp_lang::live::DeployNode;
use mlp_lang::types::{Column, Type};
use serde_json::{Map, Number, Value};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// Labels arrive in batches of a day, like an export that somebody makes at night.
const DAY: Millis = 86_400_000;

/// A row to play.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its own time.
    pub at: Millis,
    /// Its place in the data, from 1: with it comes the request id, so that a replay that is cut off can be taken up.
    pub number: u64,
    /// The request.
    pub body: String,
    /// What really happened.
    pub label: Option<LabelValue>,
}

/// How rows are played.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Seconds of the data in one second; `None`: as fast as they are answered.
    pub speed: Option<f64>,
    /// How long after its row a label comes.
    pub labels_after: Millis,
    /// How many lines of the story are known already; more than there are: all.
    pub known: usize,
}

/// What was played.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// Rows that were answered.
    pub answered: u64,
    /// Rows that were refused or failed.
    pub failed: u64,
    /// What the first of those was told.
    pub first_failure: Option<String>,
    /// Labels that were handed over.
    pub labels: u64,
}

/// Why a replay cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The engine.
    #[error(transparent)]
    Engine(#[from] NotAsked),
    /// The engine does not want to.
    #[error("{0}")]
    Refused(String),
    /// It is gone.
    #[error("row {row} ({at}) was not answered: {why}")]
    Gone {
        /// Which row.
        row: u64,
        /// Its time.
        at: String,
        /// Why.
        why: String,
    },
}

/// The rows of a table as requests to a deployment, in the order of their time. `time` is the column that tells it.
pub fn rows(table: &BTreeMap<String, Cells>, node: &DeployNode, time: &str) -> Result<Vec<Row>, String> {
    let Some(Cells::Numbers(times)) = table.get(time) else {
        return Err(format!("the data has no column `{time}` of type `time`"));
    };
    let columns: Vec<(&Column, &Cells)> =
        node.row.columns.iter().filter_map(|column| Some((column, table.get(&column.name)?))).collect();
    let label = node.label.as_ref().and_then(|column| table.get(&column.name));
    let mut rows = Vec::with_capacity(times.len());
    for (index, at) in times.iter().enumerate().filter(|(_, at)| at.is_finite()) {
        let mut row = Map::new();
        for (column, cells) in &columns {
            if let Some(value) = json(column, cells, index) {
                row.insert(column.name.clone(), value);
            }
        }
        let label = label.and_then(|cells| match cells {
            Cells::Numbers(numbers) => {
                numbers.get(index).filter(|number| number.is_finite()).map(|n| LabelValue::Number(*n))
            }
            Cells::Texts(texts) => texts.get(index)?.clone().map(LabelValue::Text),
        });
        let body = Value::Object(Map::from_iter([("rows".to_owned(), Value::Array(vec![Value::Object(row)]))]));
        rows.push(Row { at: *at as Millis, number: index as u64 + 1, body: body.to_string(), label });
    }
    rows.sort_by_key(|row| row.at);
    Ok(rows)
}

/// A cell as it is written in a request.
fn json(column: &Column, cells: &Cells, index: usize) -> Option<Value> {
    match cells {
        Cells::Texts(texts) => texts.get(index)?.clone().map(Value::String),
        Cells::Numbers(numbers) => {
            let number = *numbers.get(index)?;
            if number.is_nan() {
                return None;
            }
            Some(match &column.ty {
                Type::Bool => Value::Bool(number != 0.0),
                Type::Int => Value::Number(Number::from(number as i64)),
                Type::Time => Value::String(rfc3339(number as Millis)),
                Type::Date => Value::String(rfc3339(number as Millis * DAY).chars().take(10).collect()),
                _ => Value::Number(Number::from_f64(number)?),
            })
        }
    }
}

/// Plays rows. `tell` is given what happened, once a day of the data: when, about what, in words.
pub fn play(
    client: &mut Client,
    url: &str,
    deployment: &str,
    rows: &[Row],
    pace: Pace,
    tell: &mut dyn FnMut(&[Line]),
) -> Result<Played, ReplayError> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(60)))
        .http_status_as_error(false)
        .build()
        .into();
    let endpoint = format!("{url}/deployments/{deployment}/predict");
    let mut played = Played::default();
    let mut waiting: VecDeque<(Millis, (String, LabelValue))> = VecDeque::new();
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(played) };
    let begun = Instant::now();
    let mut known = story(client, pace.known, tell)?;
    let mut day = first.at.div_euclid(DAY);
    let mut now = Millis::MIN;
    for row in rows {
        if row.at > now {
            now = row.at;
            pause(pace, begun, now - first.at);
            if now.div_euclid(DAY) != day {
                day = now.div_euclid(DAY);
                played.labels += hand_over(client, deployment, &mut waiting, day * DAY)?;
                advance(client, day * DAY)?;
                known = story(client, known, tell)?;
            }
            advance(client, now)?;
        }
        let id = format!("{deployment}-{}", row.number);
        let sent = agent
            .post(&endpoint)
            .header("content-type", "application/json")
            .header("x-request-id", &id)
            .send(&row.body);
        match sent {
            Ok(answer) if answer.status().is_success() => {
                played.answered += 1;
                // Read to its end, or the connection cannot be used again.
                let _ = answer.into_body().read_to_vec();
                if let Some(label) = &row.label {
                    waiting.push_back((row.at + pace.labels_after, (id, label.clone())));
                }
            }
            Ok(answer) => {
                played.failed += 1;
                let words = format!("{} {}", answer.status(), answer.into_body().read_to_string().unwrap_or_default());
                played.first_failure.get_or_insert(words);
            }
            Err(error) => {
                return Err(ReplayError::Gone { row: row.number, at: rfc3339(row.at), why: error.to_string() });
            }
        }
    }
    played.labels += hand_over(client, deployment, &mut waiting, last.at)?;
    story(client, known, tell)?;
    Ok(played)
}

/// Waits until it is time for what lies `virtual_time` behind the first row.
fn pause(pace: Pace, begun: Instant, behind: Millis) {
    if let Some(speed) = pace.speed.filter(|speed| *speed > 0.0) {
        let due = Duration::try_from_secs_f64(behind as f64 / 1000.0 / speed).unwrap_or(Duration::MAX);
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
    }
}

fn advance(client: &mut Client, to: Millis) -> Result<(), ReplayError> {
    match client.ask(&Request::Advance { to })? {
        Answer::Refused(why) => Err(ReplayError::Refused(why)),
        _ => Ok(()),
    }
}

/// Hands over the labels that have come by `now`.
fn hand_over(
    client: &mut Client,
    deployment: &str,
    waiting: &mut VecDeque<(Millis, (String, LabelValue))>,
    now: Millis,
) -> Result<u64, ReplayError> {
    let come = waiting.iter().take_while(|(at, _)| *at <= now).count();
    if come == 0 {
        return Ok(0);
    }
    let labels: Vec<_> = waiting.drain(..come).map(|(_, label)| label).collect();
    match client.ask(&Request::Labels { deployment: deployment.to_owned(), labels })? {
        Answer::Refused(why) => Err(ReplayError::Refused(why)),
        _ => Ok(come as u64),
    }
}

/// Tells what happened since `known` entries; gives how many are known now.
fn story(client: &mut Client, known: usize, tell: &mut dyn FnMut(&[Line])) -> Result<usize, ReplayError> {
    match client.ask(&Request::Story { after: known })? {
        Answer::Story { lines, known } => {
            if !lines.is_empty() {
                tell(&lines);
            }
            Ok(known)
        }
        other => Err(NotAsked::Strange(format!("{other:?}")).into()),
    }
}
