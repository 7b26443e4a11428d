//! What a job did, bounded: by default the last 1000 handler runs of the last hour.

use crate::clock::Tick;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::SystemTime;

/// How much history a job keeps. Settable before the run with [`Job::retention`](crate::Job::retention).
///
/// ```
/// use routilux::Retention;
///
/// let default = Retention::default();
/// assert_eq!(default.max_history_size, Some(1000));
/// assert_eq!(default.history_ttl_seconds, Some(3600));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// The most entries kept; the oldest go first. 0 keeps none and costs nothing, `None` is unlimited.
    pub max_history_size: Option<usize>,
    /// How long an entry is kept, in seconds. `None` is no limit.
    pub history_ttl_seconds: Option<u64>,
}

impl Default for Retention {
    fn default() -> Self {
        Retention { max_history_size: Some(1000), history_ttl_seconds: Some(3600) }
    }
}

impl Retention {
    /// No history at all.
    pub fn none() -> Self {
        Retention { max_history_size: Some(0), history_ttl_seconds: None }
    }

    /// All history.
    pub fn unlimited() -> Self {
        Retention { max_history_size: None, history_ttl_seconds: None }
    }
}

/// One handler run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct HistoryEntry {
    /// Which run of the job it was, counted from 1, without gaps.
    pub sequence: u64,
    /// When it ended, to some milliseconds; see [`Clock`](crate::Clock). Saved as milliseconds since the Unix epoch.
    #[serde(with = "as_millis")]
    pub time: SystemTime,
    /// The routine's id.
    pub routine: Cow<'static, str>,
    /// The slot's name.
    pub slot: Cow<'static, str>,
    /// The delivery's id.
    pub delivery: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// How many events left: none when it failed.
    pub emitted: u32,
}

/// How a handler run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Outcome {
    /// The handler returned without an error.
    Handled,
    /// The handler failed or panicked, with this text.
    Failed(String),
}

/// A change of a job's configuration between two steps; see [`Job::reconfigure`](crate::Job::reconfigure).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Reconfigured {
    /// After how many handler runs: those of a higher [`sequence`](HistoryEntry::sequence) had the new configuration.
    pub after: u64,
    /// When, to some milliseconds. Saved as milliseconds since the Unix epoch.
    #[serde(with = "as_millis")]
    pub time: SystemTime,
}

mod as_millis {
    use crate::clock::Tick;
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::SystemTime;

    pub(super) fn serialize<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(Tick::of(*time).millis())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
        u64::deserialize(deserializer).map(|millis| Tick::of_millis(millis).time())
    }
}

/// The slots of a flow by number, `(routine, slot)`.
type Slots = &'static [(&'static str, &'static str)];

/// The history of a running job: a few words an entry, nothing reserved before use, and the cost of an
/// entry is the same however many there are.
#[derive(Debug)]
pub(crate) struct History {
    slots: Slots,
    max: usize,
    ttl_millis: u64,
    /// The sequence number of the next entry.
    next: u64,
    /// How many of the newest entries are kept.
    len: usize,
    /// None, or a power of two. The entry of sequence number `n` is at `n` modulo that.
    ring: Vec<Entry>,
    /// The errors of those that failed, by sequence number: few, so they are kept apart.
    failures: VecDeque<(u64, String)>,
    /// From which sequence number on it was how late. The clock stands still for many entries, and moves on for few.
    times: VecDeque<(u64, Tick)>,
    /// The time of the newest entry.
    newest: Tick,
    /// The last changes of the configuration.
    reconfigured: Vec<Reconfigured>,
    /// Whether a new entry just takes the place of the oldest one: as many as there may be, and no failure.
    steady: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    delivery: u64,
    slot: u32,
    emitted: u32,
}

impl History {
    pub(crate) fn new(slots: Slots, retention: Retention) -> Self {
        let mut history = History {
            slots,
            max: 0,
            ttl_millis: 0,
            next: 1,
            len: 0,
            ring: Vec::new(),
            failures: VecDeque::new(),
            times: VecDeque::new(),
            newest: Tick::default(),
            reconfigured: Vec::new(),
            steady: false,
        };
        history.set_retention(retention);
        history
    }

    pub(crate) fn set_retention(&mut self, retention: Retention) {
        self.max = retention.max_history_size.unwrap_or(usize::MAX);
        self.ttl_millis =
            retention.history_ttl_seconds.map_or(u64::MAX, |seconds| seconds.saturating_mul(1000));
        self.steady = false;
        while self.len > self.max {
            self.drop_oldest(self.next);
        }
    }

    /// Whether entries are kept at all, so that who records need not read the clock for nothing.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.max > 0
    }

    /// Counts handler runs, whether or not entries of them are kept.
    pub(crate) fn count(&mut self, runs: u64) {
        self.next += runs;
    }

    pub(crate) fn record(&mut self, time: Tick, slot: u32, delivery: u64, emitted: u32) {
        self.record_at(self.next, time, slot, delivery, emitted);
        self.count(1);
    }

    /// Records the run of that sequence number: the next one, or one after those that were recorded since `count` was
    /// last called. Who records many counts them once.
    #[inline]
    pub(crate) fn record_at(&mut self, sequence: u64, time: Tick, slot: u32, delivery: u64, emitted: u32) {
        if !self.steady {
            self.make_room(sequence, time);
        }
        if time != self.newest {
            self.move_on(sequence, time);
        }
        let at = self.at(sequence);
        self.ring[at] = Entry { delivery, slot, emitted };
    }

    #[cold]
    fn move_on(&mut self, sequence: u64, time: Tick) {
        self.newest = time;
        self.times.push_back((sequence, time));
        let first = (sequence + 1).saturating_sub(self.len as u64);
        while self.times.get(1).is_some_and(|(since, _)| *since <= first) {
            self.times.pop_front();
        }
    }

    fn time_of(&self, sequence: u64) -> Tick {
        let after = self.times.partition_point(|(since, _)| *since <= sequence);
        after.checked_sub(1).map_or(Tick::default(), |at| self.times[at].1)
    }

    fn make_room(&mut self, sequence: u64, now: Tick) {
        if self.len < self.max {
            if self.len == self.ring.len() {
                self.drop_expired(sequence, now);
            }
            if self.len == self.ring.len() {
                self.grow(sequence);
            }
            self.len += 1;
        } else {
            self.forget_failure(sequence - self.len as u64);
            self.steady = self.failures.is_empty();
        }
    }

    pub(crate) fn record_failure(&mut self, time: Tick, slot: u32, delivery: u64, error: String) {
        self.steady = false;
        self.failures.push_back((self.next, error));
        self.record(time, slot, delivery, 0);
    }

    #[inline]
    fn at(&self, sequence: u64) -> usize {
        // Meant to wrap for a ring of no size, which is never indexed.
        sequence as usize & self.ring.len().wrapping_sub(1)
    }

    /// Doubles the ring in place: entries whose sequence number has the new bit move up.
    #[cold]
    fn grow(&mut self, next: u64) {
        let old = self.ring.len();
        self.ring.resize((old * 2).max(16), Entry::default());
        for sequence in next - self.len as u64..next {
            let at = self.at(sequence);
            if at >= old {
                self.ring[at] = self.ring[at - old];
            }
        }
    }

    /// Notes a change of the configuration. The last hundred are kept.
    pub(crate) fn note_reconfigured(&mut self, time: Tick) {
        if self.reconfigured.len() == 100 {
            self.reconfigured.remove(0);
        }
        self.reconfigured.push(Reconfigured { after: self.next - 1, time: time.time() });
    }

    pub(crate) fn reconfigured(&self) -> &[Reconfigured] {
        &self.reconfigured
    }

    pub(crate) fn restore_reconfigured(&mut self, reconfigured: Vec<Reconfigured>) {
        self.reconfigured = reconfigured;
    }

    fn first(&self) -> u64 {
        self.next - self.len as u64
    }

    fn drop_oldest(&mut self, next: u64) {
        self.forget_failure(next - self.len as u64);
        self.len -= 1;
        self.steady = false;
    }

    fn forget_failure(&mut self, sequence: u64) {
        if self.failures.front().is_some_and(|(failed, _)| *failed == sequence) {
            self.failures.pop_front();
        }
    }

    /// Expired entries are dropped when there is no room for a new one, and never shown.
    fn drop_expired(&mut self, next: u64, now: Tick) {
        while self.len > 0 && self.is_expired(next - self.len as u64, now) {
            self.drop_oldest(next);
        }
    }

    fn is_expired(&self, sequence: u64, now: Tick) -> bool {
        self.time_of(sequence).millis().saturating_add(self.ttl_millis) < now.millis()
    }

    pub(crate) fn next_sequence(&self) -> u64 {
        self.next
    }

    /// The entries that have not expired by now, oldest first.
    pub(crate) fn iter(&self, now: Tick) -> impl Iterator<Item = HistoryEntry> + '_ {
        (self.first()..self.next)
            // Not `filter`: without gaps even if the clock was set back meanwhile.
            .skip_while(move |sequence| self.is_expired(*sequence, now))
            .map(|sequence| self.entry(sequence))
    }

    /// The newest entry, whether or not it has expired.
    pub(crate) fn newest(&self) -> Option<HistoryEntry> {
        (self.len > 0).then(|| self.entry(self.next - 1))
    }

    fn entry(&self, sequence: u64) -> HistoryEntry {
        let Entry { delivery, slot, emitted } = self.ring[self.at(sequence)];
        let time = self.time_of(sequence);
        let failure = self.failures.binary_search_by_key(&sequence, |(failed, _)| *failed);
        let outcome = match failure {
            Ok(at) => Outcome::Failed(self.failures[at].1.clone()),
            Err(_) => Outcome::Handled,
        };
        entry_of(self.slots, sequence, time, slot, delivery, outcome, emitted)
    }

    /// Takes over the entries of a saved job. They have to name slots of the flow and end just before `next`.
    pub(crate) fn restore(&mut self, next: u64, entries: Vec<HistoryEntry>) -> Result<(), String> {
        let Some(first) = next.checked_sub(entries.len() as u64).filter(|first| *first > 0) else {
            return Err("its history has more entries than it has run".into());
        };
        self.next = first;
        for saved in entries {
            let slot = self
                .slots
                .iter()
                .position(|(routine, slot)| saved.routine == *routine && saved.slot == *slot);
            let Some(slot) = slot else {
                return Err(format!(
                    "its history names `{}.{}`, which the flow does not have",
                    saved.routine, saved.slot
                ));
            };
            if saved.sequence != self.next {
                return Err(format!("its history is not in sequence at entry {}", saved.sequence));
            }
            let time = Tick::of(saved.time);
            if !self.is_on() {
                self.count(1);
                continue;
            }
            match saved.outcome {
                Outcome::Handled => self.record(time, slot as u32, saved.delivery, saved.emitted),
                Outcome::Failed(error) => self.record_failure(time, slot as u32, saved.delivery, error),
            }
        }
        Ok(())
    }
}

/// A history entry, or what a hook is told where none is kept.
pub(crate) fn entry_of(
    slots: Slots,
    sequence: u64,
    time: Tick,
    slot: u32,
    delivery: u64,
    outcome: Outcome,
    emitted: u32,
) -> HistoryEntry {
    let (routine, slot) = slots.get(slot as usize).copied().unwrap_or(("?", "?"));
    HistoryEntry {
        sequence,
        time: time.time(),
        routine: Cow::Borrowed(routine),
        slot: Cow::Borrowed(slot),
        delivery,
        outcome,
        emitted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOTS: Slots = &[("a", "x"), ("b", "y")];

    fn at(millis: u64) -> Tick {
        Tick::of_millis(millis)
    }

    fn history(max: Option<usize>, ttl: Option<u64>) -> History {
        History::new(SLOTS, Retention { max_history_size: max, history_ttl_seconds: ttl })
    }

    fn sequences(history: &History, now: u64) -> Vec<u64> {
        history.iter(at(now)).map(|entry| entry.sequence).collect()
    }

    #[test]
    fn the_newest_stay() {
        let mut history = history(Some(3), None);
        for delivery in 1..=5 {
            history.record(at(delivery), 0, delivery, 0);
        }
        assert_eq!(sequences(&history, 5), [3, 4, 5]);
        history.set_retention(Retention { max_history_size: Some(1), history_ttl_seconds: None });
        assert_eq!(sequences(&history, 5), [5]);
    }

    #[test]
    fn the_ring_grows_while_it_moves_on() {
        let mut history = history(Some(100), None);
        history.count(5);
        for sequence in 6..=500 {
            history.record(at(1), 0, sequence, 0);
            let first = 6.max(sequence.saturating_sub(99));
            assert!(
                history
                    .iter(at(1))
                    .map(|entry| (entry.sequence, entry.delivery))
                    .eq((first..=sequence).map(|n| (n, n)))
            );
        }
    }

    #[test]
    fn every_entry_keeps_its_own_time() {
        let mut history = history(Some(10), None);
        for sequence in 1..=100u64 {
            // The clock stands still for three entries, and sometimes is set back.
            let time = if sequence == 50 { 1 } else { sequence / 3 * 7 };
            history.record(at(time), 0, sequence, 0);
            for entry in history.iter(at(10_000)) {
                let expected = if entry.sequence == 50 { 1 } else { entry.sequence / 3 * 7 };
                assert_eq!(entry.time, at(expected).time(), "entry {}", entry.sequence);
            }
            assert!(history.times.len() <= 11);
        }
    }

    #[test]
    fn old_ones_go_when_the_time_moves_on_and_are_not_shown_before() {
        let mut history = history(None, Some(1));
        history.record(at(0), 0, 1, 0);
        history.record(at(500), 0, 2, 0);
        assert_eq!(sequences(&history, 1000), [1, 2]);
        assert_eq!(sequences(&history, 1001), [2]);
        history.record(at(1400), 0, 3, 0);
        assert_eq!(sequences(&history, 1501), [3]);
        // And the room that they took is used again.
        for second in 1..10_000 {
            history.record(at(second * 1000), 0, 4, 0);
        }
        assert!(history.ring.len() <= 16);
    }

    #[test]
    fn errors_go_with_their_entries() {
        let mut history = history(Some(2), None);
        history.record_failure(at(1), 1, 1, "first".into());
        history.record(at(2), 0, 2, 0);
        assert_eq!(history.iter(at(2)).next().unwrap().outcome, Outcome::Failed("first".into()));
        history.record_failure(at(3), 1, 3, "third".into());
        assert_eq!(history.failures, [(3, "third".to_owned())]);
        assert_eq!(history.newest().unwrap().outcome, Outcome::Failed("third".into()));
        assert_eq!(history.newest().unwrap().routine, "b");
    }

    #[test]
    fn nothing_is_reserved_before_use() {
        assert_eq!(history(Some(1_000_000), None).ring.capacity(), 0);
        assert_eq!(history(None, None).ring.capacity(), 0);
    }

    #[test]
    fn saved_entries_out_of_sequence_are_refused() {
        let mut saved = history(None, None);
        (1..=3).for_each(|delivery| saved.record(at(1), 0, delivery, 0));
        let entries: Vec<HistoryEntry> = saved.iter(at(1)).collect();
        assert_eq!(history(None, None).restore(4, entries.clone()), Ok(()));
        assert!(history(None, None).restore(9, entries.clone()).is_err());
        assert!(history(None, None).restore(2, entries).is_err());
    }
}
