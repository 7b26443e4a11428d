//! The queue of the sequential engine: deliveries in the order they were emitted, each with its id.

use std::collections::VecDeque;
use std::ops::Range;

/// Deliveries, first in, first out. They are numbered as they come, so that their ids need not be stored; those of
/// a restored job, and one that failed and goes again, bring their own and are handled first.
pub(crate) struct Fifo<D> {
    returned: VecDeque<Waiting<D>>,
    regular: VecDeque<D>,
    /// The id of the first one in `regular`, or of the next that comes.
    first: u64,
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
        Fifo::restored(VecDeque::new(), 1)
    }

    /// A queue with these deliveries, in this order, that numbers new ones from `next_id` on.
    pub(crate) fn restored(waiting: VecDeque<Waiting<D>>, next_id: u64) -> Self {
        Fifo { returned: waiting, regular: VecDeque::new(), first: next_id }
    }

    #[inline]
    pub(crate) fn push(&mut self, delivery: D) {
        self.regular.push_back(delivery);
    }

    /// Those that came in order, without the first ones.
    pub(crate) fn regular_from(&self, mark: usize) -> impl Iterator<Item = &D> {
        self.regular.range(mark.min(self.regular.len())..)
    }

    /// How many came in order and wait.
    pub(crate) fn regular_len(&self) -> usize {
        self.regular.len()
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.returned.len() + self.regular.len()
    }

    /// Takes those that came in order to `other`, and leaves them there in their order.
    pub(crate) fn hand_to(&mut self, other: &mut Self) {
        match other.regular.is_empty() {
            true => std::mem::swap(&mut self.regular, &mut other.regular),
            false => other.regular.append(&mut self.regular),
        }
    }

    pub(crate) fn push_front(&mut self, waiting: Waiting<D>) {
        self.returned.push_front(waiting);
    }

    /// Puts one that was put aside where it was: before all that came after it. So the order is that of the ids, and a job that is
    /// written down and read back goes on in the same order.
    pub(crate) fn put_where_it_was(&mut self, waiting: Waiting<D>) {
        let at = self.returned.partition_point(|known| known.id < waiting.id);
        self.returned.insert(at, waiting);
    }

    /// Whether there are deliveries that bring their own ids: then `pop` is the way to get at the next one.
    pub(crate) fn has_returned(&self) -> bool {
        !self.returned.is_empty()
    }

    /// The next of all.
    pub(crate) fn pop(&mut self) -> Option<Waiting<D>> {
        self.returned.pop_front().or_else(|| {
            let delivery = self.regular.pop_front()?;
            let id = self.first;
            self.first += 1;
            Some(Waiting { id, attempts: 0, delivery })
        })
    }

    /// The next of those that came in order. Its id is the caller's to count: see `first_id` and `took`.
    #[inline]
    pub(crate) fn pop_regular(&mut self) -> Option<D> {
        self.regular.pop_front()
    }

    /// Puts one back that `pop` gave, for `pop_regular` to give it again.
    pub(crate) fn put_back(&mut self, delivery: D) {
        self.regular.push_front(delivery);
    }

    /// The id of the next one that `pop_regular` gives.
    pub(crate) fn first_id(&self) -> u64 {
        self.first
    }

    /// Says how many `pop_regular` gave.
    pub(crate) fn took(&mut self, count: u64) {
        self.first += count;
    }

    /// Gives those that came in order their ids, which is what `take` needs. Their ids.
    pub(crate) fn number(&mut self) -> Range<u64> {
        let from = self.first;
        for delivery in self.regular.drain(..) {
            self.returned.push_back(Waiting { id: self.first, attempts: 0, delivery });
            self.first += 1;
        }
        from..self.first
    }

    /// The one at this place among those that are numbered.
    pub(crate) fn take(&mut self, at: usize) -> Option<Waiting<D>> {
        self.returned.remove(at)
    }

    pub(crate) fn next_id(&self) -> u64 {
        self.first + self.regular.len() as u64
    }

    /// Every delivery in the order it will be handled: id, attempts so far, delivery.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u32, &D)> {
        let returned = self.returned.iter().map(|waiting| (waiting.id, waiting.attempts, &waiting.delivery));
        let regular = (self.first..).zip(&self.regular).map(|(id, delivery)| (id, 0, delivery));
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
        assert_eq!(
            queue.iter().collect::<Vec<_>>(),
            [(1, 1, &"a"), (2, 0, &"b"), (3, 0, &"c"), (4, 0, &"d")]
        );
        let order: Vec<u64> = std::iter::from_fn(|| queue.pop()).map(|waiting| waiting.id).collect();
        assert_eq!(order, [1, 2, 3, 4]);
        assert_eq!(queue.next_id(), 5);
    }

    #[test]
    fn what_was_put_aside_comes_where_it_was() {
        let mut queue = Fifo::new();
        ["a", "b", "c", "d"].into_iter().for_each(|delivery| queue.push(delivery));
        let [a, b, c] = [0; 3].map(|_| queue.pop().unwrap());
        queue.put_where_it_was(b);
        queue.put_where_it_was(c);
        queue.put_where_it_was(a);
        let order: Vec<&str> = std::iter::from_fn(|| queue.pop()).map(|waiting| waiting.delivery).collect();
        assert_eq!(order, ["a", "b", "c", "d"]);
    }

    #[test]
    fn any_can_be_taken_and_keeps_its_id() {
        let mut queue = Fifo::new();
        ["a", "b", "c"].into_iter().for_each(|delivery| queue.push(delivery));
        assert_eq!(queue.number(), 1..4);
        let b = queue.take(1).unwrap();
        assert_eq!((b.id, b.delivery), (2, "b"));
        queue.push("d");
        assert_eq!(queue.iter().collect::<Vec<_>>(), [(1, 0, &"a"), (3, 0, &"c"), (4, 0, &"d")]);
        assert_eq!(queue.number(), 4..5);
        assert_eq!(queue.take(2).map(|d| (d.id, d.delivery)), Some((4, "d")));
        assert_eq!((queue.take(2).is_none(), queue.next_id()), (true, 5));
    }

    #[test]
    fn ids_stay_right_while_the_queue_grows_and_shrinks() {
        let mut queue = Fifo::new();
        let (mut sent, mut received) = (0u64, 0u64);
        for round in 0..200u64 {
            for _ in 0..=round % 7 {
                queue.push(sent);
                sent += 1;
            }
            for _ in 0..round % 5 {
                let Some(waiting) = queue.pop() else { break };
                assert_eq!((waiting.id, waiting.delivery), (received + 1, received));
                received += 1;
            }
        }
        assert!(sent - received > 16);
        assert_eq!(
            queue.iter().map(|(_, _, n)| *n).collect::<Vec<_>>(),
            (received..sent).collect::<Vec<_>>()
        );
    }
}
