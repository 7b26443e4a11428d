//! Cycles among routines. Any slot of a routine may lead to any of its events, so a cycle is one
//! of routines, and the connections that form it are what a message draws.

/// One edge of the graph of routines: which connection leads from which routine to which.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) connection: usize,
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// The edges that close a cycle, each with its cycle: the edges from the closing one's target back
/// to its source, then the closing one. Edges are added in the order given and the one that
/// closes is left out of what follows, so that each is told once.
pub(crate) fn closing(routines: usize, edges: &[Edge]) -> Vec<Vec<Edge>> {
    let mut kept: Vec<Vec<Edge>> = vec![Vec::new(); routines];
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

/// The shortest path between two routines, empty where they are the same one.
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
        pairs.iter().enumerate().map(|(connection, &(from, to))| Edge { connection, from, to }).collect()
    }

    fn closers(routines: usize, pairs: &[(usize, usize)]) -> Vec<Vec<usize>> {
        let cycles = closing(routines, &edges(pairs));
        cycles.iter().map(|cycle| cycle.iter().map(|edge| edge.connection).collect()).collect()
    }

    #[test]
    fn a_line_and_a_diamond_have_no_cycle() {
        assert!(closers(4, &[(0, 1), (0, 2), (1, 3), (2, 3)]).is_empty());
    }

    #[test]
    fn the_edge_that_closes_is_told_with_its_way_back() {
        assert_eq!(closers(3, &[(0, 1), (1, 2), (2, 0)]), [vec![0, 1, 2]]);
        assert_eq!(closers(1, &[(0, 0)]), [vec![0]]);
    }

    #[test]
    fn two_cycles_are_told_once_each() {
        assert_eq!(closers(3, &[(0, 1), (1, 0), (1, 2), (2, 1)]), [vec![0, 1], vec![2, 3]]);
    }
}
