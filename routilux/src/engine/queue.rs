//! The queue of the sequential engine: deliveries in the order they were emitted, each with its id.

use std::collections::VecDeque;

/// Deliveries, first in, first out. New ones are numbered as they come, so that the ids of those in
/// `regular` need not be stored; those of a restored job, and one that failed and goes again, bring their own
/// and are handled first.
pub(crate) struct Fifo<D> {
    returned: VecDeque<Waiting<D>>,
    regular: VecDeque<D>,
    next_id: u64,
}

/// A delivery in a queue.
pub(crate) struct Waiting<D> {
    pub(crate) id: u64,
    /// How many times it was given to its handler already.
    pub(crate) attempts: u32,
    pub(crate) delivery: D,
}

impl<D> Fifo<D> {
    pub(crate) fn new() -> Self {
        Fifo { returned: VecDeque::new(), regular: VecDeque::new(), next_id: 1 }
    }

    /// A queue with these deliveries, in this order, that numbers new ones from `next_id` on.
    pub(crate) fn restored(waiting: VecDeque<Waiting<D>>, next_id: u64) -> Self {
        Fifo { returned: waiting, regular: VecDeque::new(), next_id }
    }

    #[inline]
    pub(crate) fn push(&mut self, delivery: D) {
        self.regular.push_back(delivery);
        self.next_id += 1;
    }

    pub(crate) fn push_front(&mut self, waiting: Waiting<D>) {
        self.returned.push_front(waiting);
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Waiting<D>> {
        if self.returned.is_empty() {
            let id = self.next_id - self.regular.len() as u64;
            return self.regular.pop_front().map(|delivery| Waiting { id, attempts: 0, delivery });
        }
        self.returned.pop_front()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.regular.is_empty() && self.returned.is_empty()
    }

    pub(crate) fn next_id(&self) -> u64 {
        self.next_id
    }

    /// Every delivery in the order it will be handled: id, attempts so far, delivery.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u32, &D)> {
        let first = self.next_id - self.regular.len() as u64;
        let returned = self.returned.iter().map(|waiting| (waiting.id, waiting.attempts, &waiting.delivery));
        let regular = self.regular.iter().enumerate().map(move |(n, delivery)| (first + n as u64, 0, delivery));
        returned.chain(regular)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_the_order_of_arrival_and_what_returns_goes_first() {
        let mut queue = Fifo::new();
        ["a", "b", "c"].into_iter().for_each(|delivery| queue.push(delivery));
        let a = queue.pop().unwrap();
        assert_eq!((a.id, a.attempts, a.delivery), (1, 0, "a"));
        queue.push_front(Waiting { attempts: 1, ..a });
        queue.push("d");
        assert_eq!(queue.iter().collect::<Vec<_>>(), [(1, 1, &"a"), (2, 0, &"b"), (3, 0, &"c"), (4, 0, &"d")]);
        let order: Vec<u64> = std::iter::from_fn(|| queue.pop()).map(|waiting| waiting.id).collect();
        assert_eq!(order, [1, 2, 3, 4]);
        assert!(queue.is_empty() && queue.next_id() == 5);
    }
}
