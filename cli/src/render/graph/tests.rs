use super::layout::{Box, place};

/// Boxes of a layer that touch, and bends that touch a box: there must be none.
fn overlaps(widths: &[f64], edges: &[(usize, usize)]) -> Vec<String> {
    let boxes: Vec<Box> = widths.iter().map(|width| Box { width: *width }).collect();
    let placed = place(&boxes, edges);
    let mut items: Vec<(usize, f64, f64, String)> = Vec::new();
    for (index, (x, layer)) in placed.nodes.iter().enumerate() {
        items.push((*layer, x - widths[index] / 2.0, x + widths[index] / 2.0, format!("box {index}")));
    }
    for (index, bends) in placed.bends.iter().enumerate() {
        items.extend(bends.iter().map(|(x, layer)| (*layer, *x, *x, format!("edge {index}"))));
    }
    let mut wrong = Vec::new();
    for (i, a) in items.iter().enumerate() {
        assert!(a.1 >= -0.01 && a.2 <= placed.width + 0.01, "{} stands outside", a.3);
        for b in &items[i + 1..] {
            if a.0 == b.0 && a.1 < b.2 - 0.01 && b.1 < a.2 - 0.01 {
                wrong.push(format!("{} and {} in layer {}", a.3, b.3, a.0));
            }
        }
    }
    wrong
}

/// A small generator, so that the graphs are the same each time.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

#[test]
fn nothing_stands_on_anything_and_edges_lead_down() {
    let mut state = 7;
    for _ in 0..300 {
        let count = (random(&mut state) % 24) as usize;
        let widths: Vec<f64> = (0..count).map(|_| 60.0 + (random(&mut state) % 200) as f64).collect();
        let mut edges = Vec::new();
        for to in 1..count {
            for _ in 0..random(&mut state) % 3 {
                let edge = ((random(&mut state) as usize) % to, to);
                if !edges.contains(&edge) {
                    edges.push(edge);
                }
            }
        }
        assert_eq!(overlaps(&widths, &edges), Vec::<String>::new(), "{edges:?}");
        let boxes: Vec<Box> = widths.iter().map(|width| Box { width: *width }).collect();
        let placed = place(&boxes, &edges);
        for ((from, to), bends) in edges.iter().zip(&placed.bends) {
            let (above, below) = (placed.nodes[*from].1, placed.nodes[*to].1);
            assert!(above < below);
            assert_eq!(
                bends.iter().map(|(_, layer)| *layer).collect::<Vec<_>>(),
                (above + 1..below).collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn a_chain_is_a_straight_line() {
    let boxes: Vec<Box> = [100.0, 180.0, 60.0].map(|width| Box { width }).into();
    let placed = place(&boxes, &[(0, 1), (1, 2)]);
    assert!(placed.nodes.iter().all(|(x, _)| (x - 90.0).abs() < 0.5), "{placed:?}");
}

#[test]
fn two_chains_that_could_cross_do_not() {
    let boxes: Vec<Box> = (0..4).map(|_| Box { width: 80.0 }).collect();
    let placed = place(&boxes, &[(0, 3), (1, 2)]);
    let side = |a: usize, b: usize| placed.nodes[a].0 < placed.nodes[b].0;
    assert_eq!(side(0, 1), side(3, 2));
}

#[test]
fn nothing_is_a_picture_of_nothing() {
    let placed = place(&[], &[]);
    assert_eq!((placed.width, placed.layers), (0.0, 0));
}
