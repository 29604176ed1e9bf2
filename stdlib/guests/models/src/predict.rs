//! Prediction.

use crate::encoding::Matrix;
use crate::file::{Learned, ModelFile, Node, Tree, Weights};
use mlp_sdk::{Error, Table};

impl ModelFile {
    /// A number for each row: what a regressor predicts.
    pub fn predict(&self, table: &Table) -> Result<Vec<f64>, Error> {
        Ok(self.scores(table)?.swap_remove(0))
    }

    /// For each class, the probability of each row to be of it; over the classes they add up to 1.
    pub fn probabilities(&self, table: &Table) -> Result<Vec<Vec<f64>>, Error> {
        let mut scores = self.scores(table)?;
        if scores.len() == 1 {
            let positive: Vec<f64> = scores.swap_remove(0).into_iter().map(logistic).collect();
            return Ok(vec![positive.iter().map(|p| 1.0 - p).collect(), positive]);
        }
        for row in 0..table.rows() {
            softmax(&mut scores, row);
        }
        Ok(scores)
    }

    /// For each output, a number for each row.
    fn scores(&self, table: &Table) -> Result<Vec<Vec<f64>>, Error> {
        let matrix = self.encoding.encode(table)?;
        Ok(match &self.learned {
            Learned::Linear { means, scales, outputs } => {
                outputs.iter().map(|output| linear(&matrix, means, scales, output)).collect()
            }
            Learned::Trees { base, trees } => {
                let row = |row: usize| trees.iter().fold(*base, |sum, tree| sum + tree.leaf(&matrix, row));
                vec![(0..matrix.rows).map(row).collect()]
            }
        })
    }
}

impl Tree {
    fn leaf(&self, matrix: &Matrix, row: usize) -> f64 {
        let mut at = 0;
        loop {
            match &self.0[at] {
                Node::Leaf { value } => return *value,
                Node::Split { column, below, left, right, missing } => {
                    let x = matrix.columns[*column as usize][row];
                    at = *if x.is_nan() {
                        missing
                    } else if x < *below {
                        left
                    } else {
                        right
                    } as usize;
                }
            }
        }
    }
}

fn linear(matrix: &Matrix, means: &[f64], scales: &[f64], output: &Weights) -> Vec<f64> {
    let mut sums = vec![output.intercept; matrix.rows];
    for (index, column) in matrix.columns.iter().enumerate() {
        let (mean, scale, weight) = (means[index], scales[index], output.weights[index]);
        for (sum, x) in sums.iter_mut().zip(column) {
            *sum += weight * ((x - mean) / scale);
        }
    }
    sums
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

fn softmax(scores: &mut [Vec<f64>], row: usize) {
    let highest = scores.iter().fold(f64::NEG_INFINITY, |high, output| high.max(output[row]));
    scores.iter_mut().for_each(|output| output[row] = (output[row] - highest).exp());
    let total: f64 = scores.iter().map(|output| output[row]).sum();
    scores.iter_mut().for_each(|output| output[row] /= total);
}
