//! Answers, written: plain rows, and tensors as JSON or in the binary extension.

use super::deployment::Answer;
use super::refused::Refused;
use super::tensor::Inference;
use mlp_core::predictor::{PredictionKind, Predictions};
use std::io::Write;

impl Answer {
    /// For each row the class with the highest probability, the first if there are several.
    fn classes<'a>(&'a self, classes: &'a [String]) -> impl Iterator<Item = &'a str> {
        self.values.chunks_exact(classes.len().max(1)).map(|row| {
            let first = row.iter().enumerate().reduce(|best, next| if next.1 > best.1 { next } else { best });
            first.and_then(|(class, _)| classes.get(class)).map_or("", String::as_str)
        })
    }

    /// As the prediction log keeps it.
    pub fn predictions(&self) -> Predictions {
        match self.kind {
            PredictionKind::Number => Predictions::Numbers(self.values.clone()),
            PredictionKind::Class(_) => Predictions::Probabilities(self.values.clone()),
        }
    }
}

/// `{"request_id": ..., "model": ..., "version": ..., "predictions": [...]}`
pub(super) fn rows(answer: &Answer, id: &str) -> Vec<u8> {
    let mut out = Json::default();
    out.raw("{\"request_id\":").text(id).raw(",\"model\":").text(&answer.model);
    out.raw(",\"version\":").whole(answer.version).raw(",\"predictions\":[");
    match &answer.kind {
        PredictionKind::Number => out.numbers(&answer.values),
        PredictionKind::Class(classes) => {
            let rows = answer.values.chunks_exact(classes.len().max(1)).zip(answer.classes(classes));
            for (n, (row, class)) in rows.enumerate() {
                out.comma(n).raw("{\"class\":").text(class).raw(",\"probabilities\":{");
                for (n, (class, probability)) in classes.iter().zip(row).enumerate() {
                    out.comma(n).text(class).raw(":").number(*probability);
                }
                out.raw("}}");
            }
            &mut out
        }
    };
    out.raw("]}");
    out.0
}

/// The answer to an inference request, and the length of its JSON if binary data follows.
pub(super) fn tensors(answer: &Answer, asked: &Inference, id: &str) -> Result<(Vec<u8>, Option<usize>), Refused> {
    let wanted = outputs(answer, asked)?;
    let mut binary = Vec::new();
    let mut any = false;
    let mut out = Json::default();
    out.raw("{\"model_name\":").text(&answer.model).raw(",\"model_version\":\"").whole(answer.version);
    out.raw("\",\"id\":").text(asked.id.as_deref().unwrap_or(id)).raw(",\"outputs\":[");
    for (n, (output, as_binary)) in wanted.into_iter().enumerate() {
        any |= as_binary;
        out.comma(n).raw("{\"name\":").text(output.name()).raw(",\"datatype\":").text(output.datatype(&answer.kind));
        out.raw(",\"shape\":[").whole(answer.rows);
        if let (Output::Probabilities, PredictionKind::Class(classes)) = (output, &answer.kind) {
            out.raw(",").whole(classes.len());
        }
        if as_binary {
            let before = binary.len();
            output.bytes(answer, &mut binary);
            out.raw("],\"parameters\":{\"binary_data_size\":").whole(binary.len() - before).raw("}}");
        } else {
            out.raw("],\"data\":[");
            output.json(answer, &mut out);
            out.raw("]}");
        }
    }
    out.raw("]}");
    let length = any.then_some(out.0.len());
    out.0.append(&mut binary);
    Ok((out.0, length))
}

/// An output of a model.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Output {
    Prediction,
    Probabilities,
}

impl Output {
    /// What a model of this kind gives.
    pub fn of(kind: &PredictionKind) -> &'static [Output] {
        match kind {
            PredictionKind::Number => &[Output::Prediction],
            PredictionKind::Class(_) => &[Output::Prediction, Output::Probabilities],
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Output::Prediction => "prediction",
            Output::Probabilities => "probabilities",
        }
    }

    pub fn datatype(self, kind: &PredictionKind) -> &'static str {
        match (self, kind) {
            (Output::Prediction, PredictionKind::Class(_)) => "BYTES",
            _ => "FP64",
        }
    }

    fn json(self, answer: &Answer, out: &mut Json) {
        match (self, &answer.kind) {
            (Output::Prediction, PredictionKind::Class(classes)) => {
                for (n, class) in answer.classes(classes).enumerate() {
                    out.comma(n).text(class);
                }
            }
            _ => {
                out.numbers(&answer.values);
            }
        }
    }

    fn bytes(self, answer: &Answer, out: &mut Vec<u8>) {
        match (self, &answer.kind) {
            (Output::Prediction, PredictionKind::Class(classes)) => {
                for class in answer.classes(classes) {
                    out.extend_from_slice(&u32::try_from(class.len()).unwrap_or(u32::MAX).to_le_bytes());
                    out.extend_from_slice(class.as_bytes());
                }
            }
            _ => answer.values.iter().for_each(|value| out.extend_from_slice(&value.to_le_bytes())),
        }
    }
}

fn outputs(answer: &Answer, asked: &Inference) -> Result<Vec<(Output, bool)>, Refused> {
    let all = Output::of(&answer.kind);
    if asked.outputs.is_empty() {
        return Ok(all.iter().map(|output| (*output, asked.binary)).collect());
    }
    let find = |(name, binary): &(String, bool)| match all.iter().find(|output| output.name() == name) {
        Some(output) => Ok((*output, *binary)),
        None => {
            let names: Vec<String> = all.iter().map(|output| format!("`{}`", output.name())).collect();
            let why = format!("the model has no output {}; it has {}", mlp_data::quoted(name), names.join(", "));
            Err(Refused::new(400, why).by(answer.version))
        }
    };
    asked.outputs.iter().map(find).collect()
}

/// JSON, written piece by piece.
#[derive(Default)]
struct Json(Vec<u8>);

impl Json {
    fn raw(&mut self, json: &str) -> &mut Json {
        self.0.extend_from_slice(json.as_bytes());
        self
    }

    fn comma(&mut self, n: usize) -> &mut Json {
        if n > 0 { self.raw(",") } else { self }
    }

    /// A quoted text.
    fn text(&mut self, text: &str) -> &mut Json {
        // Writing into memory does not fail.
        let _ = serde_json::to_writer(&mut self.0, text);
        self
    }

    /// A whole number.
    fn whole(&mut self, number: impl std::fmt::Display) -> &mut Json {
        let _ = write!(self.0, "{number}");
        self
    }

    /// A finite number, in the fewest digits that give it back.
    fn number(&mut self, number: f64) -> &mut Json {
        let _ = serde_json::to_writer(&mut self.0, &number);
        self
    }

    fn numbers(&mut self, numbers: &[f64]) -> &mut Json {
        for (n, number) in numbers.iter().enumerate() {
            self.comma(n).number(*number);
        }
        self
    }
}
