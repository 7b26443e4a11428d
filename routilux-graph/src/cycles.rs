//! Cycles among the nodes of `Ways`. The connections that form one are what a message draws.

/// One edge: what leads from which node to which.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) via: Via,
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// What an edge is in the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    Connection(usize),
    /// A row that sends what failed to a slot.
    Policy(usize),
    /// A way inside a flow that is an instance in this one.
    Inner,
}

impl Edge {
    pub(crate) fn connection(&self) -> Option<usize> {
        match self.via {
            Via::Connection(index) => Some(index),
            Via::Policy(_) | Via::Inner => None,
        }
    }
}

/// The edges that close a cycle, each with its cycle: the edges from the closing one's target back
/// to its source, then the closing one. Edges are added in the order given and the one that
/// closes is left out of what follows, so that each is told once.
pub(crate) fn closing(nodes: usize, edges: &[Edge]) -> Vec<Vec<Edge>> {
    let mut kept: Vec<Vec<Edge>> = vec![Vec::new(); nodes];
    let mut cycles = Vec::new();
    for edge in edges {
        match path(&kept, edge.to, edge.from) {
            Some(mut cycle) => {
                cycle.push(*edge);
                cycles.push(cycle);
            }
            None => kept[edge.from].push(*edge),
        }
    }
    cycles
}

/// The shortest path between two nodes, empty where they are the same one.
pub(crate) fn path(out_of: &[Vec<Edge>], start: usize, end: usize) -> Option<Vec<Edge>> {
    let mut came_by: Vec<Option<Edge>> = vec![None; out_of.len()];
    let mut seen = vec![false; out_of.len()];
    let mut queue = std::collections::VecDeque::from([start]);
    seen[start] = true;
    while let Some(at) = queue.pop_front() {
        if at == end {
            let mut path = Vec::new();
            let mut at = end;
            while at != start {
                let edge = came_by[at]?;
                path.push(edge);
                at = edge.from;
            }
            path.reverse();
            return Some(path);
        }
        for edge in &out_of[at] {
            if !seen[edge.to] {
                seen[edge.to] = true;
                came_by[edge.to] = Some(*edge);
                queue.push_back(edge.to);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(pairs: &[(usize, usize)]) -> Vec<Edge> {
        pairs
            .iter()
            .enumerate()
            .map(|(index, &(from, to))| Edge { via: Via::Connection(index), from, to })
            .collect()
    }

    fn closed(routines: usize, pairs: &[(usize, usize)]) -> Vec<Vec<usize>> {
        let cycles = closing(routines, &edges(pairs));
        cycles.iter().map(|cycle| cycle.iter().filter_map(Edge::connection).collect()).collect()
    }

    #[test]
    fn a_line_and_a_diamond_have_no_cycle() {
        assert!(closed(4, &[(0, 1), (0, 2), (1, 3), (2, 3)]).is_empty());
    }

    #[test]
    fn the_edge_that_closes_is_told_with_its_way_back() {
        assert_eq!(closed(3, &[(0, 1), (1, 2), (2, 0)]), [vec![0, 1, 2]]);
        assert_eq!(closed(1, &[(0, 0)]), [vec![0]]);
    }

    #[test]
    fn two_cycles_are_told_once_each() {
        assert_eq!(closed(3, &[(0, 1), (1, 0), (1, 2), (2, 1)]), [vec![0, 1], vec![2, 3]]);
    }
}
