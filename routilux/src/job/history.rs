//! What a job did, bounded: by default the last 1000 handler runs of the last hour.

use crate::clock;
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

mod as_millis {
    use crate::clock;
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::SystemTime;

    pub(super) fn serialize<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(clock::millis_of(*time))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
        u64::deserialize(deserializer).map(clock::time_of)
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
    /// The newest entries, without gaps: the sequence numbers follow from `next`.
    entries: VecDeque<Entry>,
    /// The errors of those that failed, by sequence number: few, so they are kept apart.
    failures: VecDeque<(u64, String)>,
    /// The time of the newest entry: only when it moves on can an old one have expired.
    newest: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    millis: u64,
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
            entries: VecDeque::new(),
            failures: VecDeque::new(),
            newest: 0,
        };
        history.set_retention(retention);
        history
    }

    pub(crate) fn set_retention(&mut self, retention: Retention) {
        self.max = retention.max_history_size.unwrap_or(usize::MAX);
        self.ttl_millis = retention.history_ttl_seconds.map_or(u64::MAX, |seconds| seconds.saturating_mul(1000));
        while self.entries.len() > self.max {
            self.drop_oldest();
        }
    }

    /// Whether entries are kept at all, so that who records need not read the clock for nothing.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.max > 0
    }

    /// Counts a handler run of which no entry is kept.
    #[inline]
    pub(crate) fn count(&mut self) {
        self.next += 1;
    }

    #[inline]
    pub(crate) fn record(&mut self, millis: u64, slot: u32, delivery: u64, emitted: u32) {
        if self.entries.len() == self.max {
            self.drop_oldest();
        }
        self.entries.push_back(Entry { millis, delivery, slot, emitted });
        self.next += 1;
        if millis != self.newest {
            self.newest = millis;
            self.drop_expired(millis);
        }
    }

    pub(crate) fn record_failure(&mut self, millis: u64, slot: u32, delivery: u64, error: String) {
        self.failures.push_back((self.next, error));
        self.record(millis, slot, delivery, 0);
    }

    fn first(&self) -> u64 {
        self.next - self.entries.len() as u64
    }

    fn drop_oldest(&mut self) {
        let gone = self.first();
        if self.entries.pop_front().is_some()
            && let Some((failed, _)) = self.failures.front()
            && *failed == gone
        {
            self.failures.pop_front();
        }
    }

    fn drop_expired(&mut self, now: u64) {
        while let Some(oldest) = self.entries.front()
            && expired(oldest.millis, self.ttl_millis, now)
        {
            self.drop_oldest();
        }
    }

    pub(crate) fn next_sequence(&self) -> u64 {
        self.next
    }

    /// The entries that have not expired by now, oldest first.
    pub(crate) fn iter(&self, now: u64) -> impl Iterator<Item = HistoryEntry> + '_ {
        let first = self.first();
        self.entries
            .iter()
            .enumerate()
            // Not `filter`: without gaps even if the clock was set back meanwhile.
            .skip_while(move |(_, entry)| expired(entry.millis, self.ttl_millis, now))
            .map(move |(index, entry)| self.entry(first + index as u64, entry))
    }

    /// The newest entry, whether or not it has expired.
    pub(crate) fn newest(&self) -> Option<HistoryEntry> {
        self.entries.back().map(|entry| self.entry(self.next - 1, entry))
    }

    fn entry(&self, sequence: u64, entry: &Entry) -> HistoryEntry {
        let failure = self.failures.binary_search_by_key(&sequence, |(failed, _)| *failed);
        let outcome = match failure {
            Ok(at) => Outcome::Failed(self.failures[at].1.clone()),
            Err(_) => Outcome::Handled,
        };
        entry_of(self.slots, sequence, entry.millis, entry.slot, entry.delivery, outcome, entry.emitted)
    }

    /// Takes over the entries of a saved job. They have to name slots of the flow and end just before `next`.
    pub(crate) fn restore(&mut self, next: u64, entries: Vec<HistoryEntry>) -> Result<(), String> {
        self.next = next.saturating_sub(entries.len() as u64);
        for saved in entries {
            let slot = self.slots.iter().position(|(routine, slot)| saved.routine == *routine && saved.slot == *slot);
            let Some(slot) = slot else {
                return Err(format!("its history names `{}.{}`, which the flow does not have", saved.routine, saved.slot));
            };
            if saved.sequence != self.next || self.next == 0 {
                return Err(format!("its history is not in sequence at entry {}", saved.sequence));
            }
            if let Outcome::Failed(error) = saved.outcome {
                self.failures.push_back((self.next, error));
            }
            self.newest = clock::millis_of(saved.time);
            self.entries.push_back(Entry {
                millis: self.newest,
                delivery: saved.delivery,
                slot: slot as u32,
                emitted: saved.emitted,
            });
            self.next += 1;
        }
        self.next = next;
        Ok(())
    }
}

fn expired(millis: u64, ttl_millis: u64, now: u64) -> bool {
    millis.saturating_add(ttl_millis) < now
}

/// A history entry, or what a hook is told where none is kept.
pub(crate) fn entry_of(
    slots: Slots,
    sequence: u64,
    millis: u64,
    slot: u32,
    delivery: u64,
    outcome: Outcome,
    emitted: u32,
) -> HistoryEntry {
    let (routine, slot) = slots.get(slot as usize).copied().unwrap_or(("?", "?"));
    HistoryEntry {
        sequence,
        time: clock::time_of(millis),
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

    fn history(max: Option<usize>, ttl: Option<u64>) -> History {
        History::new(SLOTS, Retention { max_history_size: max, history_ttl_seconds: ttl })
    }

    fn sequences(history: &History, now: u64) -> Vec<u64> {
        history.iter(now).map(|entry| entry.sequence).collect()
    }

    #[test]
    fn the_newest_stay() {
        let mut history = history(Some(3), None);
        for delivery in 1..=5 {
            history.record(delivery, 0, delivery, 0);
        }
        assert_eq!(sequences(&history, 5), [3, 4, 5]);
        history.set_retention(Retention { max_history_size: Some(1), history_ttl_seconds: None });
        assert_eq!(sequences(&history, 5), [5]);
    }

    #[test]
    fn old_ones_go_when_the_time_moves_on_and_are_not_shown_before() {
        let mut history = history(None, Some(1));
        history.record(0, 0, 1, 0);
        history.record(500, 0, 2, 0);
        assert_eq!(sequences(&history, 1000), [1, 2]);
        assert_eq!(sequences(&history, 1001), [2]);
        history.record(1400, 0, 3, 0);
        assert_eq!(history.entries.len(), 2);
        assert_eq!(sequences(&history, 1501), [3]);
    }

    #[test]
    fn errors_go_with_their_entries() {
        let mut history = history(Some(2), None);
        history.record_failure(1, 1, 1, "first".into());
        history.record(2, 0, 2, 0);
        assert_eq!(history.iter(2).next().unwrap().outcome, Outcome::Failed("first".into()));
        history.record_failure(3, 1, 3, "third".into());
        assert_eq!(history.failures, [(3, "third".to_owned())]);
        assert_eq!(history.newest().unwrap().outcome, Outcome::Failed("third".into()));
        assert_eq!(history.newest().unwrap().routine, "b");
    }

    #[test]
    fn nothing_is_reserved_before_use() {
        assert_eq!(history(Some(1_000_000), None).entries.capacity(), 0);
        assert_eq!(history(None, None).entries.capacity(), 0);
    }

    #[test]
    fn saved_entries_out_of_sequence_are_refused() {
        let mut saved = history(None, None);
        (1..=3).for_each(|delivery| saved.record(1, 0, delivery, 0));
        let entries: Vec<HistoryEntry> = saved.iter(1).collect();
        assert_eq!(history(None, None).restore(4, entries.clone()), Ok(()));
        assert!(history(None, None).restore(9, entries.clone()).is_err());
        assert!(history(None, None).restore(2, entries).is_err());
    }
}
