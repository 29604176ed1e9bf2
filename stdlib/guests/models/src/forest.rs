//! Trees laid out for prediction.
//!
//! All nodes of all trees lie in one array, 16 bytes each, the children of a node side by side. A leaf is its own child,
//! so a walk takes as many steps as the tree is deep, wherever it goes, without a branch that a processor could guess
//! wrong; several walks at once hide what each waits for.

use crate::file::{Node, Tree};

/// Walks at once. More than these no longer fit a processor's registers.
const LANES: usize = 8;

/// Rows whose cells stay in the first-level cache while tree after tree is walked.
const BLOCK: usize = 256;

/// The children of a node stand at `first`: left, right and, where missing values go elsewhere, a third.
#[derive(Clone, Copy, Debug)]
struct Flat {
    below: f64,
    first: u32,
    /// The column, and in the two highest bits which child missing values go to.
    column: u32,
}

/// The bits of [`Flat::column`] that are the column.
const COLUMN: u32 = (1 << 30) - 1;

/// The trees of a model.
#[derive(Clone, Debug)]
pub struct Forest {
    base: f64,
    roots: Vec<u32>,
    nodes: Vec<Flat>,
    /// What a leaf adds, by node.
    values: Vec<f64>,
    /// Steps from a root to the deepest leaf.
    depth: usize,
}

impl Forest {
    /// Of trees that [`crate::ModelFile::parse`] found sound: each node but the root is the child of one other.
    pub fn new(base: f64, trees: &[Tree]) -> Forest {
        let mut forest = Forest { base, roots: vec![], nodes: vec![], values: vec![], depth: 0 };
        for tree in trees {
            let root = forest.room(1);
            forest.roots.push(root);
            // In this order what is reached early lies together.
            let mut level = vec![(0_u32, root)];
            let mut depth = 0;
            while !level.is_empty() {
                forest.depth = forest.depth.max(depth);
                depth += 1;
                level = level.into_iter().flat_map(|(from, to)| forest.place(tree, from, to)).collect();
            }
        }
        forest
    }

    /// Room for nodes that are placed later.
    fn room(&mut self, nodes: usize) -> u32 {
        let first = self.nodes.len();
        self.nodes.resize(first + nodes, Flat { below: 0.0, first: 0, column: 0 });
        self.values.resize(first + nodes, 0.0);
        first as u32
    }

    /// Gives the children: where they are in the tree, where they are to be placed.
    fn place(&mut self, tree: &Tree, from: u32, to: u32) -> Vec<(u32, u32)> {
        match &tree.0[from as usize] {
            Node::Leaf { value } => {
                // Every cell is below infinity and missing ones go to the first child: the leaf itself.
                self.nodes[to as usize] = Flat { below: f64::INFINITY, first: to, column: 0 };
                self.values[to as usize] = *value;
                vec![]
            }
            Node::Split { column, below, left, right, missing } => {
                let mut children = vec![*left, *right];
                let known = children.iter().position(|child| child == missing);
                if known.is_none() {
                    children.push(*missing);
                }
                let first = self.room(children.len());
                let missing = known.unwrap_or(2) as u32;
                self.nodes[to as usize] = Flat { below: *below, first, column: *column | missing << 30 };
                children.into_iter().zip(first..).collect()
            }
        }
    }

    /// One sum for each row of `cells`, which has `width` cells per row, row after row; added to `sums`' end.
    pub fn sums(&self, cells: &[f64], width: usize, sums: &mut Vec<f64>) {
        if width == 0 {
            return;
        }
        for block in cells.chunks(BLOCK * width) {
            let start = sums.len();
            sums.resize(start + block.len() / width, self.base);
            let sums = &mut sums[start..];
            match block.iter().any(|cell| cell.is_nan()) {
                true => self.add::<true>(block, width, sums),
                false => self.add::<false>(block, width, sums),
            }
        }
    }

    /// The trees are added in their order, however the walks are grouped: a row's sum is the same in any company.
    /// Without `HOLES` no cell is NaN.
    fn add<const HOLES: bool>(&self, cells: &[f64], width: usize, sums: &mut [f64]) {
        let many = sums.len() / LANES * LANES;
        let (grouped, rest) = sums.split_at_mut(many);
        if many > 0 {
            for &root in &self.roots {
                for (group, sums) in grouped.chunks_exact_mut(LANES).enumerate() {
                    let rows = std::array::from_fn(|lane| (group * LANES + lane) * width);
                    let leaves = self.walk::<LANES, HOLES>([root; LANES], cells, rows);
                    sums.iter_mut().zip(leaves).for_each(|(sum, leaf)| *sum += self.values[leaf as usize]);
                }
            }
        }
        for (row, sum) in (many..).zip(rest) {
            let row = row * width;
            let mut groups = self.roots.chunks_exact(LANES);
            for roots in &mut groups {
                let roots = std::array::from_fn(|lane| roots[lane]);
                let leaves = self.walk::<LANES, HOLES>(roots, cells, [row; LANES]);
                leaves.iter().for_each(|&leaf| *sum += self.values[leaf as usize]);
            }
            for &root in groups.remainder() {
                let [leaf] = self.walk::<1, HOLES>([root], cells, [row]);
                *sum += self.values[leaf as usize];
            }
        }
    }

    /// From these nodes to the leaves, each for the row whose cells begin there.
    #[inline(always)]
    fn walk<const N: usize, const HOLES: bool>(&self, mut at: [u32; N], cells: &[f64], rows: [usize; N]) -> [u32; N] {
        for _ in 0..self.depth {
            for lane in 0..N {
                let node = &self.nodes[at[lane] as usize];
                let x = cells[rows[lane] + (node.column & COLUMN) as usize];
                let known = u32::from(x >= node.below);
                at[lane] = node.first + if HOLES && x.is_nan() { node.column >> 30 } else { known };
            }
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, as `spec/09-standard-library.md` has it.
    fn leaf(tree: &Tree, row: &[f64]) -> f64 {
        let mut at = 0;
        loop {
            match &tree.0[at] {
                Node::Leaf { value } => return *value,
                Node::Split { column, below, left, right, missing } => {
                    let x = row[*column as usize];
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

    struct Draw(u64);

    impl Draw {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % bound
        }
    }

    /// A tree of any shape whose splits may have a third child for missing values.
    fn tree(draw: &mut Draw, width: u64, splits: usize) -> Tree {
        let mut nodes = vec![Node::Leaf { value: 0.1 }];
        for _ in 0..splits {
            let leaves: Vec<usize> = (0..nodes.len()).filter(|&at| matches!(nodes[at], Node::Leaf { .. })).collect();
            let at = leaves[draw.below(leaves.len() as u64) as usize];
            let left = nodes.len() as u32;
            let missing = left + draw.below(3) as u32;
            let (column, below) = (draw.below(width) as u32, draw.below(10) as f64 / 2.0);
            nodes[at] = Node::Split { column, below, left, right: left + 1, missing };
            for _ in left..=missing.max(left + 1) {
                nodes.push(Node::Leaf { value: draw.below(1_000_000) as f64 / 7.0 - 1e4 });
            }
        }
        Tree(nodes)
    }

    #[test]
    fn a_walk_ends_where_the_definition_says_bit_for_bit_in_any_company() {
        let mut draw = Draw(7);
        for case in 0..60 {
            let width = 1 + draw.below(6);
            let trees: Vec<Tree> = (0..draw.below(21))
                .map(|_| {
                    let splits = draw.below(40) as usize;
                    tree(&mut draw, width, splits)
                })
                .collect();
            let rows = [0, 1, 7, 8, 9, 255, 256, 257, 600][case % 9];
            let cells: Vec<f64> = (0..rows * width)
                .map(|_| match draw.below(11) {
                    10 => f64::NAN,
                    number => number as f64 / 2.0,
                })
                .collect();
            let base = draw.below(100) as f64 / 3.0;
            let forest = Forest::new(base, &trees);
            let mut sums = vec![];
            forest.sums(&cells, width as usize, &mut sums);
            assert_eq!(sums.len() as u64, rows);
            for (row, sum) in cells.chunks_exact(width as usize).zip(sums) {
                let expected = trees.iter().fold(base, |sum, tree| sum + leaf(tree, row));
                assert_eq!(sum.to_bits(), expected.to_bits());
                let mut alone = vec![];
                forest.sums(row, width as usize, &mut alone);
                assert_eq!(alone[0].to_bits(), expected.to_bits());
            }
        }
    }
}
