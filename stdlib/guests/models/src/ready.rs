//! A model made ready to predict: parsed once, asked often. The evaluation steps and the predictor of served models both
//! predict with this, so that they cannot differ.

use crate::encoding::{Feature, Kind, Missing};
use crate::file::{Flavor, Learned, ModelFile, Weights};
use crate::forest::Forest;
use mlp_sdk::predictor::{Column, Loaded, Predictor};
use mlp_sdk::{Error, Table};
use std::collections::HashMap;

/// A model made ready.
#[derive(Clone, Debug)]
pub struct Ready {
    features: Vec<Reader>,
    missing: Missing,
    /// Cells of an encoded row; at least one, so that a row is a piece of `cells` even where no column says anything.
    width: usize,
    classes: Vec<String>,
    learned: Engine,
    /// Encoded rows, row after row; kept for its room.
    cells: Vec<f64>,
}

#[derive(Clone, Debug)]
enum Engine {
    Linear { means: Vec<f64>, scales: Vec<f64>, outputs: Vec<Weights> },
    Trees(Forest),
}

/// How a column becomes cells.
#[derive(Clone, Debug)]
struct Reader {
    name: String,
    /// Cells it becomes.
    width: usize,
    kind: Reads,
}

#[derive(Clone, Debug)]
enum Reads {
    Number,
    /// The place of each text.
    Category(HashMap<String, usize>),
}

impl Ready {
    /// Of a model that [`ModelFile::parse`] found sound.
    pub fn new(file: ModelFile) -> Ready {
        let width = file.encoding.width().max(1);
        let features = file.encoding.features.into_iter().map(Reader::new).collect();
        let learned = match file.learned {
            Learned::Linear { means, scales, outputs } => Engine::Linear { means, scales, outputs },
            Learned::Trees { base, trees } => Engine::Trees(Forest::new(base, &trees)),
        };
        Ready { features, missing: file.encoding.missing, width, classes: file.classes, learned, cells: vec![] }
    }

    /// A number for each row of a regressor, the probability of each class for each row of a classifier, row by row.
    pub fn predict_table(&mut self, table: &Table) -> Result<Vec<f64>, Error> {
        let read = |feature: &Reader| feature.column(table, self.missing);
        let columns = self.features.iter().map(read).collect::<Result<Vec<Column>, Error>>()?;
        self.predict_columns(table.rows(), &columns)
    }

    /// The same for columns in the order of the features.
    pub fn predict_columns(&mut self, rows: usize, columns: &[Column]) -> Result<Vec<f64>, Error> {
        self.encode(rows, columns)?;
        let mut scores = vec![];
        match &self.learned {
            Engine::Linear { means, scales, outputs } => {
                for row in self.cells.chunks_exact(self.width) {
                    scores.extend(outputs.iter().map(|output| linear(row, means, scales, output)));
                }
            }
            Engine::Trees(forest) => forest.sums(&self.cells, self.width, &mut scores),
        }
        Ok(match self.classes.len() {
            0 => scores,
            2 => scores.into_iter().map(logistic).flat_map(|positive| [1.0 - positive, positive]).collect(),
            classes => {
                scores.chunks_exact_mut(classes).for_each(softmax);
                scores
            }
        })
    }

    /// Fills `cells`.
    fn encode(&mut self, rows: usize, columns: &[Column]) -> Result<(), Error> {
        if columns.len() != self.features.len() {
            let (given, wanted) = (columns.len(), self.features.len());
            return Err(Error::input(format!("{given} columns were given, and the model reads {wanted}")));
        }
        self.cells.clear();
        self.cells.resize(rows * self.width, 0.0);
        let mut at = 0;
        for (feature, column) in self.features.iter().zip(columns) {
            if self.missing == Missing::Rejected {
                feature.reject_missing(column)?;
            }
            match (&feature.kind, column) {
                (Reads::Number, Column::Numbers(numbers)) => {
                    if let Some(row) = numbers.iter().position(|number| number.is_infinite()) {
                        return Err(Error::column(&feature.name, format!("row {} is infinite", row + 1)));
                    }
                    let cells = self.cells.iter_mut().skip(at).step_by(self.width);
                    cells.zip(numbers).for_each(|(cell, number)| *cell = *number);
                }
                (Reads::Category(levels), Column::Texts(texts)) => {
                    for (row, text) in self.cells.chunks_exact_mut(self.width).zip(texts) {
                        let row = &mut row[at..][..feature.width];
                        match text {
                            None => row.fill(f64::NAN),
                            Some(text) => {
                                if let Some(&level) = levels.get(text) {
                                    row[level] = 1.0;
                                }
                            }
                        }
                    }
                }
                (Reads::Number, Column::Texts(_)) => return Err(not_numbers(&feature.name)),
                (Reads::Category(_), Column::Numbers(_)) => {
                    let message = "the model was trained on texts here, and these are none";
                    return Err(Error::column(&feature.name, message));
                }
            }
            at += feature.width;
        }
        Ok(())
    }
}

impl Predictor for Ready {
    fn load(model: &[u8]) -> Result<(Ready, Loaded), Error> {
        let file = ModelFile::parse(model)?;
        let loaded = Loaded { features: file.encoding.names(), classes: file.classes.clone() };
        Ok((Ready::new(file), loaded))
    }

    fn predict(&mut self, rows: usize, columns: &[Column]) -> Result<Vec<f64>, Error> {
        self.predict_columns(rows, columns)
    }
}

impl Reader {
    fn new(feature: Feature) -> Reader {
        let width = feature.kind.width();
        let kind = match feature.kind {
            Kind::Bool | Kind::Number => Reads::Number,
            Kind::Category { levels } => {
                let mut places = HashMap::new();
                levels.into_iter().zip(0..).for_each(|(level, place)| {
                    places.entry(level).or_insert(place);
                });
                Reads::Category(places)
            }
        };
        Reader { name: feature.name, width, kind }
    }

    /// The column of a table, as what a client would send.
    fn column(&self, table: &Table, missing: Missing) -> Result<Column, Error> {
        let cells = table.cells(&self.name)?;
        missing.check(&self.name, &cells)?;
        Ok(match &self.kind {
            Reads::Number => {
                let numbers = cells.numbers().ok_or_else(|| not_numbers(&self.name))?;
                Column::Numbers(numbers.into_iter().map(|number| number.unwrap_or(f64::NAN)).collect())
            }
            Reads::Category(_) => Column::Texts(cells.texts()),
        })
    }

    fn reject_missing(&self, column: &Column) -> Result<(), Error> {
        let first = match column {
            Column::Numbers(numbers) => numbers.iter().position(|number| number.is_nan()),
            Column::Texts(texts) => texts.iter().position(Option::is_none),
        };
        match first {
            None => Ok(()),
            Some(row) => {
                let message = format!("row {} is missing, and this model cannot predict for missing values", row + 1);
                Err(Error::column(&self.name, message))
            }
        }
    }
}

impl ModelFile {
    /// A number for each row: what a regressor predicts.
    pub fn predict(self, table: &Table) -> Result<Vec<f64>, Error> {
        match self.flavor {
            Flavor::Regressor => Ready::new(self).predict_table(table),
            Flavor::Classifier => Err(Error::param("model", "a classifier predicts no number")),
        }
    }

    /// For each class, the probability of each row to be of it; over the classes they add up to 1.
    pub fn probabilities(self, table: &Table) -> Result<Vec<Vec<f64>>, Error> {
        let classes = self.classes.len();
        let rows = Ready::new(self).predict_table(table)?;
        Ok((0..classes).map(|class| rows.iter().skip(class).step_by(classes).copied().collect()).collect())
    }
}

fn not_numbers(name: &str) -> Error {
    Error::column(name, "the model was trained on numbers here, and these are none")
}

fn linear(cells: &[f64], means: &[f64], scales: &[f64], output: &Weights) -> f64 {
    let standardised = cells.iter().zip(means).zip(scales).map(|((x, mean), scale)| (x - mean) / scale);
    standardised.zip(&output.weights).fold(output.intercept, |sum, (x, weight)| sum + weight * x)
}

/// `1 / (1 + exp(-x))`, without overflow on either side.
pub fn logistic(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// Scores of one row to probabilities.
fn softmax(scores: &mut [f64]) {
    let highest = scores.iter().fold(f64::NEG_INFINITY, |high, score| high.max(*score));
    scores.iter_mut().for_each(|score| *score = (*score - highest).exp());
    let total: f64 = scores.iter().sum();
    scores.iter_mut().for_each(|score| *score /= total);
}
