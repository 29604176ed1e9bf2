//! Gradient boosting, for both kinds of labels: forust trains, and what it found becomes our [`Tree`]s.

use crate::encoding::Matrix;
use crate::file::{Learned, Node, Tree};
use forust_ml::GradientBooster;
use forust_ml::objective::ObjectiveType;
use forust_ml::sampler::SampleMethod;
use mlp_sdk::{Error, host};

/// How trees are grown. The names are those of the steps' settings.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How many trees.
    pub iterations: i64,
    /// What part of each tree's correction is taken.
    pub learning_rate: f64,
    /// Most splits between the root and a leaf.
    pub max_depth: i64,
    /// The least sum of second derivatives of the loss in a leaf (for squared loss: of rows).
    pub min_leaf_weight: f64,
    /// Pulls leaves towards 0.
    pub l2: f64,
    /// Share of rows drawn for each tree.
    pub subsample: f64,
    /// Decides the draw.
    pub seed: i64,
}

/// What is minimised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// For labels 0 and 1; the sum of the trees is the log of the odds.
    Logistic,
    /// For any number.
    Squared,
}

impl Settings {
    fn check(&self) -> Result<(), Error> {
        let within = |name: &str, value: f64, low: f64, high: f64| match (low..=high).contains(&value) {
            true => Ok(()),
            false => Err(Error::param(name, format!("{value} is not in {low}..={high}"))),
        };
        within("iterations", self.iterations as f64, 1.0, 10_000.0)?;
        within("max_depth", self.max_depth as f64, 1.0, 16.0)?;
        within("learning_rate", self.learning_rate, 1e-4, 1.0)?;
        within("subsample", self.subsample, 1e-4, 1.0)?;
        within("min_leaf_weight", self.min_leaf_weight, 0.0, 1e9)?;
        within("l2", self.l2, 0.0, 1e9)
    }
}

/// Trains on a matrix, NaN standing for missing.
pub fn train(loss: Loss, settings: &Settings, matrix: Matrix, labels: &[f64]) -> Result<Learned, Error> {
    settings.check()?;
    // forust refuses a column without two different values, and nothing can be learned from it.
    let varying: Vec<usize> = (0..matrix.columns.len()).filter(|&c| varies(&matrix.columns[c])).collect();
    let base = base_score(loss, labels);
    if varying.is_empty() || !varies(labels) {
        host::warn("no column tells any two rows apart, or all labels are the same: the model is a constant");
        return Ok(Learned::Trees { base, trees: vec![] });
    }
    let Matrix { rows, mut columns } = matrix;
    let data: Vec<f64> = varying.iter().flat_map(|&c| std::mem::take(&mut columns[c])).collect();
    drop(columns);
    let method = if settings.subsample < 1.0 { SampleMethod::Random } else { SampleMethod::None };
    let mut booster = GradientBooster::default()
        .set_objective_type(match loss {
            Loss::Logistic => ObjectiveType::LogLoss,
            Loss::Squared => ObjectiveType::SquaredLoss,
        })
        .set_iterations(settings.iterations as usize)
        .set_learning_rate(settings.learning_rate as f32)
        .set_max_depth(settings.max_depth as usize)
        .set_min_leaf_weight(settings.min_leaf_weight as f32)
        .set_l2(settings.l2 as f32)
        .set_subsample(settings.subsample as f32)
        .set_sample_method(method)
        .set_seed(settings.seed.cast_unsigned())
        .set_initialize_base_score(false)
        .set_base_score(base)
        // A component has one thread, and results must not depend on how many there are.
        .set_parallel(false);
    let data = forust_ml::Matrix::new(&data, rows, varying.len());
    booster
        .fit_unweighted(&data, labels, None)
        .map_err(|error| Error::failed(format!("gradient boosting failed: {error}")))?;
    let trees = booster.trees.iter().map(|tree| convert(tree, &varying)).collect();
    Ok(Learned::Trees { base, trees })
}

/// The best constant: the log of the odds, or the mean.
fn base_score(loss: Loss, labels: &[f64]) -> f64 {
    let mean = labels.iter().sum::<f64>() / labels.len() as f64;
    match loss {
        Loss::Squared => mean,
        Loss::Logistic => {
            // One class alone has infinite odds; half a row of the other keeps them finite.
            let margin = 0.5 / labels.len() as f64;
            let mean = mean.clamp(margin, 1.0 - margin);
            (mean / (1.0 - mean)).ln()
        }
    }
}

fn varies(column: &[f64]) -> bool {
    let mut present = column.iter().filter(|x| !x.is_nan());
    let first = present.next();
    present.any(|x| Some(x) != first)
}

/// Our tree: the nodes that are reached, numbered parents first, columns numbered as in the whole matrix.
fn convert(tree: &forust_ml::tree::Tree, columns: &[usize]) -> Tree {
    let mut order = vec![0_usize];
    let mut nodes = vec![];
    let mut next = 0;
    while let Some(&at) = order.get(next) {
        next += 1;
        let node = &tree.nodes[at];
        if node.is_leaf {
            nodes.push(Node::Leaf { value: f64::from(node.weight_value) });
            continue;
        }
        let mut place = |child: usize| {
            order.push(child);
            (order.len() - 1) as u32
        };
        let (left, right) = (place(node.left_child), place(node.right_child));
        let missing = match node.missing_node {
            child if child == node.left_child => left,
            child if child == node.right_child => right,
            child => place(child),
        };
        let column = columns[node.split_feature] as u32;
        nodes.push(Node::Split { column, below: node.split_value, left, right, missing });
    }
    Tree(nodes)
}
