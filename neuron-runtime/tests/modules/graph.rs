//! Cycles of a graph.

use std::collections::{BTreeMap, BTreeSet};

/// What each module imports.
pub type Graph = BTreeMap<String, BTreeSet<String>>;

/// Groups of two or more nodes each of which reaches every other, in alphabetical order.
pub fn cycles(graph: &Graph) -> Vec<BTreeSet<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        graph.keys().map(|node| (node, reached_from(graph, node))).collect();
    let groups = reached.iter().map(|(node, others)| {
        let back = others.iter().filter(|other| reached.get(**other).is_some_and(|from| from.contains(node)));
        back.map(|other| (*other).clone()).collect::<BTreeSet<String>>()
    });
    groups.filter(|group| group.len() > 1).collect::<BTreeSet<_>>().into_iter().collect()
}

fn reached_from<'g>(graph: &'g Graph, start: &String) -> BTreeSet<&'g String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&String> = graph[start].iter().collect();
    while let Some(node) = open.pop() {
        if reached.insert(node) {
            open.extend(&graph[node]);
        }
    }
    reached
}
