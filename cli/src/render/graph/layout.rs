//! Where the nodes of a graph stand: layers from top to bottom, few crossings, edges as straight as may be.
//!
//! The method of Sugiyama, Tagawa and Toda (1981) in its plainest form: a node's layer is its longest path from above; an
//! edge over several layers is cut by bends; in each layer the order is by barycentre, swept down and up, the best one
//! kept; then each layer is moved as near to its neighbours as the order allows (least squares, by pooling what would
//! overlap).

/// A node to be placed: how wide it is.
pub struct Box {
    pub width: f64,
}

/// Where everything stands.
#[derive(Debug, Default)]
pub struct Placed {
    /// Of each node: the middle of its box, and its layer.
    pub nodes: Vec<(f64, usize)>,
    /// Of each edge: the bends between its ends, as middle and layer, from above.
    pub bends: Vec<Vec<(f64, usize)>>,
    /// From 0.
    pub width: f64,
    pub layers: usize,
}

/// Between two boxes of a layer.
const GAP: f64 = 28.0;
/// The room that an edge takes where it passes a layer.
const LANE: f64 = 14.0;
const SWEEPS: usize = 12;
/// How often the layers are moved; long edges need some to become straight.
const SETTLING: usize = 80;
/// Beyond so many crossings to count, orders are no longer compared.
const MOST_EDGES: usize = 3_000;

/// An item of a layer: a node, or a bend of an edge.
struct Item {
    node: Option<usize>,
    width: f64,
    above: Vec<usize>,
    below: Vec<usize>,
}

/// Places boxes. Edges are pairs of indices, each from an earlier box to a later one, and each at most once.
pub fn place(boxes: &[Box], edges: &[(usize, usize)]) -> Placed {
    let layer_of = layers(boxes.len(), edges);
    let count = layer_of.iter().map(|layer| layer + 1).max().unwrap_or(0);
    let mut items: Vec<Item> = boxes
        .iter()
        .enumerate()
        .map(|(node, one)| Item { node: Some(node), width: one.width, above: Vec::new(), below: Vec::new() })
        .collect();
    let mut layers: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (node, layer) in layer_of.iter().enumerate() {
        layers[*layer].push(node);
    }
    let mut chains = Vec::with_capacity(edges.len());
    for (from, to) in edges {
        let mut chain = vec![*from];
        for layer in layers.iter_mut().take(layer_of[*to]).skip(layer_of[*from] + 1) {
            layer.push(items.len());
            chain.push(items.len());
            items.push(Item { node: None, width: LANE, above: Vec::new(), below: Vec::new() });
        }
        chain.push(*to);
        for pair in chain.windows(2) {
            items[pair[0]].below.push(pair[1]);
            items[pair[1]].above.push(pair[0]);
        }
        chains.push(chain);
    }
    order(&mut layers, &items, edges.len());
    let x = positions(&layers, &items);
    let left = (0..items.len()).map(|i| x[i] - items[i].width / 2.0).fold(f64::INFINITY, f64::min);
    let right = (0..items.len()).map(|i| x[i] + items[i].width / 2.0).fold(f64::NEG_INFINITY, f64::max);
    let left = if left.is_finite() { left } else { 0.0 };
    Placed {
        nodes: layer_of.iter().enumerate().map(|(node, layer)| (x[node] - left, *layer)).collect(),
        bends: chains
            .iter()
            .map(|chain| {
                let bends = chain.iter().enumerate().filter(|(_, item)| items[**item].node.is_none());
                bends.map(|(step, item)| (x[*item] - left, layer_of[chain[0]] + step)).collect()
            })
            .collect(),
        width: if right.is_finite() { right - left } else { 0.0 },
        layers: count,
    }
}

/// The longest path to each node; what starts nothing above stands directly above the first that needs it.
fn layers(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut layer: Vec<usize> = vec![0; count];
    let mut sorted = edges.to_vec();
    sorted.sort_unstable();
    for (from, to) in &sorted {
        layer[*to] = layer[*to].max(layer[*from] + 1);
    }
    for node in (0..count).rev() {
        let has_above = edges.iter().any(|(_, to)| *to == node);
        let below = edges.iter().filter(|(from, _)| *from == node).map(|(_, to)| layer[*to]).min();
        if let (false, Some(below)) = (has_above, below) {
            layer[node] = below.saturating_sub(1);
        }
    }
    layer
}

fn order(layers: &mut Vec<Vec<usize>>, items: &[Item], edges: usize) {
    let mut best = layers.clone();
    let mut fewest = if edges <= MOST_EDGES { crossings(layers, items) } else { usize::MAX };
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let range: Vec<usize> =
            if down { (1..layers.len()).collect() } else { (0..layers.len().saturating_sub(1)).rev().collect() };
        for layer in range {
            let fixed = if down { layer - 1 } else { layer + 1 };
            let place = ranks(&layers[fixed], items.len());
            let own = ranks(&layers[layer], items.len());
            let weight = |item: &usize| {
                let beside = if down { &items[*item].above } else { &items[*item].below };
                match beside.len() {
                    0 => own[*item] as f64,
                    n => beside.iter().map(|other| place[*other] as f64).sum::<f64>() / n as f64,
                }
            };
            layers[layer].sort_by(|a, b| weight(a).total_cmp(&weight(b)));
        }
        if edges <= MOST_EDGES {
            let now = crossings(layers, items);
            if now < fewest {
                (fewest, best) = (now, layers.clone());
            }
        } else {
            best.clone_from(layers);
        }
    }
    *layers = best;
}

/// The place of each item in its layer.
fn ranks(layer: &[usize], count: usize) -> Vec<usize> {
    let mut rank = vec![0; count];
    for (place, item) in layer.iter().enumerate() {
        rank[*item] = place;
    }
    rank
}

fn crossings(layers: &[Vec<usize>], items: &[Item]) -> usize {
    layers
        .windows(2)
        .map(|pair| {
            let below = ranks(&pair[1], items.len());
            let ends: Vec<usize> = pair[0]
                .iter()
                .flat_map(|item| {
                    let mut ends: Vec<usize> = items[*item].below.iter().map(|other| below[*other]).collect();
                    ends.sort_unstable();
                    ends
                })
                .collect();
            ends.iter().enumerate().map(|(i, a)| ends[i + 1..].iter().filter(|b| *b < a).count()).sum::<usize>()
        })
        .sum()
}

fn positions(layers: &[Vec<usize>], items: &[Item]) -> Vec<f64> {
    let mut x = vec![0.0; items.len()];
    for layer in layers {
        let mut at = 0.0;
        for item in layer {
            x[*item] = at + items[*item].width / 2.0;
            at += items[*item].width + GAP;
        }
    }
    for sweep in 0..SETTLING {
        let down = sweep % 2 == 0;
        let range: Vec<usize> = if down { (0..layers.len()).collect() } else { (0..layers.len()).rev().collect() };
        for layer in range {
            settle(&layers[layer], items, &mut x);
        }
    }
    x
}

/// Moves a layer as near to its neighbours as its order and the gaps allow.
fn settle(layer: &[usize], items: &[Item], x: &mut [f64]) {
    // Each item wants to be at a place; with the gaps taken out, the wishes only have to be in order.
    let mut groups: Vec<(f64, f64, Vec<usize>)> = Vec::new();
    let mut offsets = Vec::with_capacity(layer.len());
    let mut offset = 0.0;
    for (place, item) in layer.iter().enumerate() {
        if let Some(before) = place.checked_sub(1).map(|before| layer[before]) {
            offset += (items[before].width + items[*item].width) / 2.0 + GAP;
        }
        offsets.push(offset);
        let (mut sum, mut weight) = (0.0, 0.0);
        for other in items[*item].above.iter().chain(&items[*item].below) {
            // Two bends in a row should be straight, more than anything else.
            let pull = if items[*item].node.is_none() && items[*other].node.is_none() { 24.0 } else { 1.0 };
            sum += pull * x[*other];
            weight += pull;
        }
        let (wish, weight) = if weight > 0.0 { (sum / weight, weight) } else { (x[*item], 0.01) };
        groups.push(((wish - offset) * weight, weight, vec![place]));
        while let [.., before, last] = &groups[..]
            && before.0 / before.1 > last.0 / last.1
            && let Some(last) = groups.pop()
            && let Some(before) = groups.last_mut()
        {
            before.0 += last.0;
            before.1 += last.1;
            before.2.extend(last.2);
        }
    }
    for (sum, weight, places) in groups {
        for place in places {
            x[layer[place]] = sum / weight + offsets[place];
        }
    }
}
