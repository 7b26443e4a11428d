//! When nothing can come any more: a counter for each slot that waits for that, as `routilux_graph::Closers` says what counts in
//! it. The counters of a job, whatever engine runs it.

use super::sync::{AtomicBool, AtomicI64, Ordering};
use crate::shape::Shape;

pub(crate) struct Closing {
    shape: &'static Shape,
    counters: Box<[AtomicI64]>,
    fired: Box<[AtomicBool]>,
}

/// How the counters are to change, all at once.
#[derive(Default)]
pub(crate) struct Change(Vec<i64>);

impl Closing {
    /// Those of a new job, or of one in which these have fired already.
    pub(crate) fn new(shape: &'static Shape, inputs_closed: bool, fired: &[usize]) -> Self {
        let closers = &shape.closers;
        let counters = closers.closers.iter().enumerate().map(|(number, closer)| {
            let waits_for = closers.waits_for(number).iter().filter(|other| !fired.contains(other)).count();
            AtomicI64::new(waits_for as i64 + i64::from(closer.from_input && !inputs_closed))
        });
        Closing {
            shape,
            counters: counters.collect(),
            fired: (0..closers.closers.len())
                .map(|number| AtomicBool::new(fired.contains(&number)))
                .collect(),
        }
    }

    pub(crate) fn is_needed(&self) -> bool {
        !self.counters.is_empty()
    }

    /// Whether no delivery to the slot counts anywhere.
    fn counted(&self, slot: usize) -> &'static [usize] {
        self.shape.closers.counted.get(slot).map_or(&[], Vec::as_slice)
    }

    /// Adds deliveries to a slot, or takes them back, in `change`.
    pub(crate) fn note(&self, change: &mut Change, slot: usize, by: i64) {
        if change.0.is_empty() {
            change.0.resize(self.counters.len(), 0);
        }
        for closer in self.counted(slot) {
            change.0[*closer] += by;
        }
    }

    /// The inputs are closed.
    pub(crate) fn note_closed(&self, change: &mut Change) {
        change.0.resize(self.counters.len(), 0);
        for (counter, closer) in change.0.iter_mut().zip(&self.shape.closers.closers) {
            *counter -= i64::from(closer.from_input);
        }
    }

    /// Makes the change where nothing can fire: the job is new.
    pub(crate) fn add_all(&self, change: &mut Change) {
        for (counter, by) in self.counters.iter().zip(&mut change.0) {
            counter.fetch_add(std::mem::take(by), Ordering::SeqCst);
        }
    }

    /// Makes the change. The slots that fire, each of which has been counted as a delivery to it by then.
    pub(crate) fn make(&self, change: &mut Change) -> Vec<usize> {
        let mut fires = Vec::new();
        for (number, by) in change.0.iter_mut().enumerate() {
            let by = std::mem::take(by);
            if by != 0 && self.counters[number].fetch_add(by, Ordering::SeqCst) + by == 0 {
                self.fire(number, &mut fires);
            }
        }
        fires
    }

    /// Those that have nothing to wait for from the start.
    pub(crate) fn at_once(&self) -> Vec<usize> {
        let mut fires = Vec::new();
        for (number, counter) in self.counters.iter().enumerate() {
            if counter.load(Ordering::SeqCst) == 0 {
                self.fire(number, &mut fires);
            }
        }
        fires
    }

    fn fire(&self, number: usize, fires: &mut Vec<usize>) {
        if self.fired[number].swap(true, Ordering::SeqCst) {
            return;
        }
        let closers = &self.shape.closers;
        let slot = closers.closers[number].slot;
        // As a delivery to its slot, in place of what it was in those that wait for it.
        for closer in self.counted(slot) {
            self.counters[*closer].fetch_add(1, Ordering::SeqCst);
        }
        for closer in closers.waited_for_by(number) {
            self.counters[*closer].fetch_sub(1, Ordering::SeqCst);
        }
        fires.push(slot);
    }

    /// A slot that has fired, and to which nothing is sent then: what waits for it need not any more.
    pub(crate) fn note_unsent(&self, change: &mut Change, slot: usize) {
        self.note(change, slot, -1);
    }

    /// Whether something that a delivery to the slot may lead to was told that nothing can come any more.
    pub(crate) fn is_over(&self, slot: usize) -> bool {
        self.counted(slot).iter().any(|closer| self.fired[*closer].load(Ordering::SeqCst))
    }

    /// The numbers of those that have fired.
    pub(crate) fn fired(&self) -> Vec<usize> {
        (0..self.fired.len()).filter(|number| self.fired[*number].load(Ordering::SeqCst)).collect()
    }
}
