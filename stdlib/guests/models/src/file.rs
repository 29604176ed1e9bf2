//! The file of a standard model: one JSON document.

use crate::encoding::Encoding;
use mlp_sdk::{Error, Model};
use serde::{Deserialize, Serialize};

/// The version of the format. A reader refuses any other.
pub const FORMAT: u32 = 1;

/// A trained model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelFile {
    /// [`FORMAT`]
    pub format: u32,
    /// What it predicts.
    pub flavor: Flavor,
    /// The step that made it: `logistic`.
    pub algorithm: String,
    /// The column it predicts.
    pub label: String,
    /// The classes in order; empty for a regressor.
    pub classes: Vec<String>,
    /// From columns to numbers.
    pub encoding: Encoding,
    /// From numbers to a prediction.
    pub learned: Learned,
}

/// What a model predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flavor {
    /// A probability for each class.
    Classifier,
    /// A number.
    Regressor,
}

/// What training found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Learned {
    /// `intercept + sum of weight * (x - mean) / scale` for each output.
    Linear {
        /// One for each column of the matrix.
        means: Vec<f64>,
        /// One for each column of the matrix; never 0.
        scales: Vec<f64>,
        /// One for each output.
        outputs: Vec<Weights>,
    },
    /// `base + sum of the leaf that each tree leads to`.
    Trees {
        /// Where the sum starts.
        base: f64,
        /// Added up.
        trees: Vec<Tree>,
    },
}

/// The weights of one linear output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Added to the sum.
    pub intercept: f64,
    /// One for each column of the matrix.
    pub weights: Vec<f64>,
}

/// A decision tree: its nodes, the root first; children stand after their parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tree(pub Vec<Node>);

/// A node of a tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Node {
    /// Goes on.
    Split {
        /// The column of the matrix.
        column: u32,
        /// Left if smaller.
        below: f64,
        /// Where smaller numbers go.
        left: u32,
        /// Where other numbers go.
        right: u32,
        /// Where NaN goes.
        missing: u32,
    },
    /// Ends.
    Leaf {
        /// Added to the sum.
        value: f64,
    },
}

impl Flavor {
    /// As in signatures.
    pub fn name(self) -> &'static str {
        match self {
            Flavor::Classifier => "classifier",
            Flavor::Regressor => "regressor",
        }
    }
}

impl ModelFile {
    /// As a step's output.
    pub fn into_model(self) -> Result<Model, Error> {
        let mut bytes =
            serde_json::to_vec(&self).map_err(|e| Error::failed(format!("the model cannot be written: {e}")))?;
        bytes.push(b'\n');
        Ok(Model::new(self.flavor.name(), self.encoding.names(), bytes))
    }

    /// From a step's input.
    pub fn read(model: &Model, wanted: Flavor) -> Result<ModelFile, Error> {
        let file = ModelFile::parse(&model.bytes()?)?;
        match file.flavor == wanted {
            true => Ok(file),
            false => {
                Err(Error::param("model", format!("it is a {}, and a {} is wanted", file.flavor.name(), wanted.name())))
            }
        }
    }

    /// From the bytes of a file; whatever it says, prediction with the result neither panics nor runs forever.
    pub fn parse(bytes: &[u8]) -> Result<ModelFile, Error> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let unusable = |why: String| Error::param("model", format!("it is no model of the standard library: {why}"));
        let head: Head = serde_json::from_slice(bytes).map_err(|e| unusable(e.to_string()))?;
        if head.format != FORMAT {
            return Err(unusable(format!("its format is {}, and this version reads {FORMAT}", head.format)));
        }
        let file: ModelFile = serde_json::from_slice(bytes).map_err(|e| unusable(e.to_string()))?;
        file.check().map_err(unusable)?;
        Ok(file)
    }

    fn check(&self) -> Result<(), String> {
        let outputs = match (self.flavor, self.classes.len()) {
            (Flavor::Regressor, 0) | (Flavor::Classifier, 2) => 1,
            (Flavor::Classifier, more) if more > 2 => more,
            (flavor, classes) => return Err(format!("a {} with {classes} classes", flavor.name())),
        };
        match &self.learned {
            Learned::Linear { means, scales, outputs: found } => {
                let width = self.encoding.width();
                let whole = found.len() == outputs
                    && [means.len(), scales.len()]
                        .iter()
                        .chain(found.iter().map(|w| w.weights.len()).collect::<Vec<_>>().iter())
                        .all(|&n| n == width);
                whole
                    .then_some(())
                    .ok_or_else(|| format!("weights for {outputs} outputs of {width} columns are wanted"))
            }
            Learned::Trees { .. } if outputs != 1 => Err("trees tell two classes apart, not more".into()),
            Learned::Trees { trees, .. } => trees.iter().try_for_each(|tree| self.check_tree(tree)),
        }
    }

    fn check_tree(&self, tree: &Tree) -> Result<(), String> {
        let width = self.encoding.width() as u32;
        if tree.0.is_empty() {
            return Err("a tree without nodes".into());
        }
        let mut has_parent = vec![false; tree.0.len()];
        for (at, node) in tree.0.iter().enumerate() {
            if let Node::Split { column, left, right, missing, .. } = node {
                // Children after their parent: a walk always ends.
                let ends = [left, right, missing].iter().all(|&&to| to as usize > at && (to as usize) < tree.0.len());
                if *column >= width || !ends {
                    return Err(format!("node {at} of a tree leads nowhere"));
                }
                // One parent each: laid out for prediction, a tree takes no more room than in its file.
                let own = (missing != left && missing != right).then_some(missing);
                for &child in [left, right].into_iter().chain(own) {
                    if std::mem::replace(&mut has_parent[child as usize], true) {
                        return Err(format!("node {child} of a tree is reached on two ways"));
                    }
                }
            }
        }
        Ok(())
    }
}
