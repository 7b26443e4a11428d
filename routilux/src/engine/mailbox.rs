//! What waits for one routine of a job on threads, and who of it may run now.
//!
//! Deliveries go in the order they came. One that needs the routine alone waits for those that run, and none that came
//! later overtakes it; between two of those, the ones that share the routine run at the same time, as many as their
//! slots allow. So neither kind can starve the other.

use super::queue::Waiting;
use crate::flow::Flow;
use crate::routine::SlotMode;
use std::collections::VecDeque;

/// How many runs of an `async` handler there are at once where `parallel` does not say it: no worker is held by them, so
/// nothing else would bound them.
pub(crate) const WAITING: u32 = 64;

pub(crate) struct Mailbox<D> {
    slots: Box<[Slot<D>]>,
    /// How many handlers run, and whether it is one that needs the routine alone.
    running: u32,
    alone: bool,
    /// How many activations of the routine wait in the pool for a worker.
    pub(crate) tokens: u32,
    /// How many deliveries a worker may handle before it looks at a precise clock.
    pub(crate) stride: u32,
    pub(crate) handled: u64,
    pub(crate) failed: u64,
}

struct Slot<D> {
    /// Its number in the flow.
    number: usize,
    alone: bool,
    most: u32,
    running: u32,
    waiting: VecDeque<Waiting<D>>,
    is_source: bool,
    /// Whether it is a source that waits for room.
    parked: bool,
    /// Whether one that waits is superseded by a newer one over its connection.
    latest: bool,
    /// The connections whose deliveries wait for the next attempt at another one.
    held: Vec<u16>,
    connection: fn(&D) -> u16,
}

/// A delivery on its way to its handler.
pub(crate) struct Taken<D> {
    /// Which slot of the routine it is for.
    pub(crate) slot: usize,
    /// Which of the flow.
    pub(crate) number: usize,
    pub(crate) waiting: Waiting<D>,
}

impl<D> Mailbox<D> {
    /// One for each routine of a flow; and where each slot of the flow is in the one of its routine.
    pub(crate) fn of_flow<F: Flow<Delivery = D>>() -> (Vec<Mailbox<D>>, Vec<usize>) {
        let mut boxes: Vec<Vec<Slot<D>>> = F::shape().routines.iter().map(|_| Vec::new()).collect();
        let mut at = Vec::with_capacity(F::shape().placed.len());
        for (number, placed) in F::shape().placed.iter().enumerate() {
            at.push(boxes[placed.routine].len());
            boxes[placed.routine].push(Slot::new(number, placed.mode, F::connection_of));
        }
        (boxes.into_iter().map(Mailbox::new).collect(), at)
    }

    fn new(slots: Vec<Slot<D>>) -> Self {
        Mailbox { slots: slots.into(), running: 0, alone: false, tokens: 0, stride: 1, handled: 0, failed: 0 }
    }

    /// The one that it supersedes comes back.
    pub(crate) fn push(&mut self, slot: usize, waiting: Waiting<D>) -> Option<Waiting<D>> {
        let slot = &mut self.slots[slot];
        let old = match slot.latest {
            false => None,
            true => slot
                .of_connection((slot.connection)(&waiting.delivery))
                .and_then(|at| slot.waiting.remove(at)),
        };
        slot.waiting.push_back(waiting);
        old
    }

    /// For one that was taken and not handled: it is where it was, before all that came later. It comes back if one of those
    /// supersedes it.
    pub(crate) fn put_back(&mut self, slot: usize, back: Waiting<D>) -> Option<Waiting<D>> {
        let slot = &mut self.slots[slot];
        if slot.latest && slot.of_connection((slot.connection)(&back.delivery)).is_some() {
            return Some(back);
        }
        let waiting = &mut slot.waiting;
        let at = waiting.iter().position(|other| other.id > back.id).unwrap_or(waiting.len());
        waiting.insert(at, back);
        None
    }

    /// Has those that come over the connection wait for another one.
    pub(crate) fn hold(&mut self, slot: usize, connection: u16) {
        self.slots[slot].held.push(connection);
    }

    /// They need not wait any more.
    pub(crate) fn release(&mut self, slot: usize, connection: u16) {
        let held = &mut self.slots[slot].held;
        if let Some(at) = held.iter().position(|known| *known == connection) {
            held.swap_remove(at);
        }
    }

    /// Has a source wait until there is room.
    pub(crate) fn park(&mut self, slot: usize) {
        self.slots[slot].parked = true;
    }

    pub(crate) fn unpark(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.parked = false);
    }

    /// The slot whose first delivery may run now.
    #[inline]
    fn next_slot(&self) -> Option<usize> {
        match &*self.slots {
            _ if self.alone => None,
            [only] => only.may_begin(self.running).then_some(0),
            _ => self.next_of_several(),
        }
    }

    fn next_of_several(&self) -> Option<usize> {
        let mut passed = None;
        loop {
            let heads = self.slots.iter().enumerate().filter_map(|(slot, of)| {
                let id = of.waiting.get(of.next()?)?.id;
                (passed.is_none_or(|passed| id > passed)).then_some((id, slot))
            });
            let (id, slot) = heads.min()?;
            let of = &self.slots[slot];
            if of.alone {
                return (self.running == 0).then_some(slot);
            }
            if of.running < of.most {
                return Some(slot);
            }
            passed = Some(id);
        }
    }

    pub(crate) fn has_next(&self) -> bool {
        self.next_slot().is_some()
    }

    pub(crate) fn take(&mut self) -> Option<Taken<D>> {
        let slot = self.next_slot()?;
        let of = &mut self.slots[slot];
        let at = of.next()?;
        let waiting = if at == 0 { of.waiting.pop_front()? } else { of.waiting.remove(at)? };
        of.running += 1;
        self.running += 1;
        self.alone = of.alone;
        Some(Taken { slot, number: of.number, waiting })
    }

    /// Says that a handler has returned.
    pub(crate) fn done(&mut self, slot: usize) {
        self.slots[slot].running -= 1;
        self.running -= 1;
        self.alone = false;
    }

    /// The next one for who has just run one for `slot`. If there is none that one still counts as running.
    pub(crate) fn take_after(&mut self, slot: usize) -> Option<Taken<D>> {
        self.take_after_if(slot, |_| true)
    }

    /// As `take_after`, if the next one is for a slot of the flow that `fits`.
    pub(crate) fn take_after_if(&mut self, slot: usize, fits: impl Fn(usize) -> bool) -> Option<Taken<D>> {
        let was_alone = self.alone;
        self.done(slot);
        let next = match self.next_slot() {
            Some(next) if fits(self.slots[next].number) => self.take(),
            _ => None,
        };
        if next.is_none() {
            self.slots[slot].running += 1;
            self.running += 1;
            self.alone = was_alone;
        }
        next
    }

    /// Whether an activation should be given to the pool.
    pub(crate) fn wants_worker(&self) -> bool {
        self.tokens == 0 && self.has_next()
    }

    pub(crate) fn running(&self) -> u32 {
        self.running
    }

    /// How many deliveries are handled: calls of sources are none.
    pub(crate) fn handling(&self) -> u32 {
        self.slots.iter().filter(|slot| !slot.is_source).map(|slot| slot.running).sum()
    }

    pub(crate) fn waiting(&self) -> impl Iterator<Item = (usize, &Waiting<D>)> {
        self.slots.iter().flat_map(|slot| slot.waiting.iter().map(|waiting| (slot.number, waiting)))
    }

    pub(crate) fn len(&self) -> u64 {
        self.slots.iter().map(|slot| slot.waiting.len() as u64).sum()
    }
}

impl<D> Slot<D> {
    /// Whether its first delivery may run now, while so many handlers of the routine do.
    fn may_begin(&self, running: u32) -> bool {
        let free = if self.alone { running == 0 } else { self.running < self.most };
        free && self.next().is_some()
    }

    /// Where the first is that waits for nothing else.
    #[inline]
    fn next(&self) -> Option<usize> {
        match self.waiting.is_empty() {
            true => None,
            false if self.held.is_empty() && !self.parked => Some(0),
            false => self.next_of_held(),
        }
    }

    #[cold]
    fn next_of_held(&self) -> Option<usize> {
        if self.parked {
            return None;
        }
        self.waiting.iter().position(|waiting| !self.held.contains(&(self.connection)(&waiting.delivery)))
    }

    fn of_connection(&self, connection: u16) -> Option<usize> {
        self.waiting.iter().position(|waiting| (self.connection)(&waiting.delivery) == connection)
    }

    fn new(number: usize, mode: SlotMode, connection: fn(&D) -> u16) -> Self {
        let most = match mode {
            SlotMode { alone: true, .. } => 1,
            SlotMode { parallel: 0, waits: true, .. } => WAITING,
            SlotMode { parallel: 0, .. } => u32::MAX,
            SlotMode { parallel, .. } => parallel,
        };
        Slot {
            number,
            alone: mode.alone,
            most,
            running: 0,
            waiting: VecDeque::new(),
            is_source: mode.source,
            parked: false,
            latest: mode.latest,
            held: Vec::new(),
            connection,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALONE: SlotMode = SlotMode { alone: true, ..SlotMode::PLAIN };
    const SHARED: SlotMode = SlotMode::PLAIN;
    const TWO: SlotMode = SlotMode { parallel: 2, ..SlotMode::PLAIN };

    fn mailbox(modes: &[SlotMode]) -> Mailbox<()> {
        Mailbox::new(
            modes.iter().enumerate().map(|(number, mode)| Slot::new(number, *mode, |()| 0)).collect(),
        )
    }

    fn push(mailbox: &mut Mailbox<()>, slot: usize, id: u64) {
        assert!(mailbox.push(slot, Waiting { id, attempts: 0, delivery: () }).is_none());
    }

    fn take(mailbox: &mut Mailbox<()>) -> Option<u64> {
        mailbox.take().map(|taken| taken.waiting.id)
    }

    #[test]
    fn one_that_needs_the_routine_alone_is_not_overtaken() {
        let mut mailbox = mailbox(&[ALONE, SHARED]);
        for (id, slot) in [(1, 1), (2, 1), (3, 0), (4, 1), (5, 0)] {
            push(&mut mailbox, slot, id);
        }
        assert_eq!((take(&mut mailbox), take(&mut mailbox)), (Some(1), Some(2)));
        assert_eq!(take(&mut mailbox), None);
        mailbox.done(1);
        assert_eq!(take(&mut mailbox), None);
        mailbox.done(1);
        assert_eq!(take(&mut mailbox), Some(3));
        assert_eq!(take(&mut mailbox), None);
        mailbox.done(0);
        assert_eq!((take(&mut mailbox), take(&mut mailbox)), (Some(4), None));
        mailbox.done(1);
        assert_eq!(take(&mut mailbox), Some(5));
    }

    #[test]
    fn a_slot_at_its_limit_lets_others_pass_but_not_one_that_waits_to_be_alone() {
        let mut mailbox = mailbox(&[TWO, SHARED, ALONE]);
        for (id, slot) in [(1, 0), (2, 0), (3, 0), (4, 1), (5, 2), (6, 1)] {
            push(&mut mailbox, slot, id);
        }
        assert_eq!([take(&mut mailbox), take(&mut mailbox), take(&mut mailbox)], [Some(1), Some(2), Some(4)]);
        // 5 waits to be alone, and 6 came after it.
        assert_eq!(take(&mut mailbox), None);
        mailbox.done(0);
        assert_eq!(take(&mut mailbox), Some(3));
        mailbox.done(0);
        mailbox.done(0);
        assert_eq!(take(&mut mailbox), None);
        mailbox.done(1);
        assert_eq!(take(&mut mailbox), Some(5));
        mailbox.done(2);
        assert_eq!(take(&mut mailbox), Some(6));
    }

    #[test]
    fn who_finds_no_next_one_still_counts() {
        let mut mailbox = mailbox(&[ALONE]);
        push(&mut mailbox, 0, 1);
        assert_eq!(take(&mut mailbox), Some(1));
        assert!(mailbox.take_after(0).is_none());
        push(&mut mailbox, 0, 2);
        assert!(!mailbox.has_next());
        mailbox.done(0);
        assert!(mailbox.wants_worker());
        let back = mailbox.take().unwrap().waiting;
        mailbox.done(0);
        push(&mut mailbox, 0, 3);
        mailbox.put_back(0, Waiting { attempts: 1, ..back });
        assert_eq!(mailbox.waiting().map(|(_, w)| (w.id, w.attempts)).collect::<Vec<_>>(), [(2, 1), (3, 0)]);
    }

    #[test]
    fn those_that_come_back_are_in_the_order_they_were_in() {
        let mut mailbox = mailbox(&[SHARED]);
        (1..=4).for_each(|id| push(&mut mailbox, 0, id));
        let taken: Vec<_> = std::iter::from_fn(|| mailbox.take()).take(3).collect();
        for back in taken {
            mailbox.done(0);
            mailbox.put_back(0, back.waiting);
        }
        assert_eq!(mailbox.waiting().map(|(_, w)| w.id).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }
}
