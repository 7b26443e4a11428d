//! What is to happen later: a delivery's next attempt, an event that was emitted for later, a source that waits. What a
//! step asks for, and the agenda of a job.

use super::queue::Waiting;
use super::step::Post;
use crate::error::{Error, Result};
use crate::flow::Flow;
use crate::job::part::Saved;
use crate::job::value::{Value, ValueError};
use crate::merge::Fault;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// What a step has asked for.
pub(crate) struct Timed<F: Flow> {
    /// In so many milliseconds.
    pub(crate) after: u64,
    pub(crate) what: Later<F>,
}

pub(crate) enum Later<F: Flow> {
    /// Events that leave once. The slot is that of the handler that emitted them: names are its routine's.
    Events { slot: u32, name: Option<String>, parcel: Box<Post<F>> },
    /// Events that leave each time the period has passed.
    Every { slot: u32, name: Option<String>, period: u64, parcel: Box<Post<F>> },
    /// The one of this name is forgotten.
    Cancel { slot: u32, name: String },
    /// A delivery of the engine's own: to a source, or to a join whose values may have been there too long. The job
    /// waits for it only if it `is_work`.
    Again { delivery: F::Delivery, is_work: bool },
}

impl<F: Flow> Timed<F> {
    /// As the flow around sees it.
    pub(crate) fn lifted<O: Flow>(
        self,
        offset: u32,
        wrap: fn(F::Delivery) -> O::Delivery,
        lift: impl FnOnce(Post<F>) -> std::result::Result<Post<O>, Fault>,
    ) -> std::result::Result<Timed<O>, Fault> {
        let what = match self.what {
            Later::Events { slot, name, parcel } => {
                Later::Events { slot: slot + offset, name, parcel: Box::new(lift(*parcel)?) }
            }
            Later::Every { slot, name, period, parcel } => {
                Later::Every { slot: slot + offset, name, period, parcel: Box::new(lift(*parcel)?) }
            }
            Later::Cancel { slot, name } => Later::Cancel { slot: slot + offset, name },
            Later::Again { delivery, is_work } => Later::Again { delivery: wrap(delivery), is_work },
        };
        Ok(Timed { after: self.after, what })
    }
}

/// Whose name it is, and which: of two of the same, the newer replaces the older.
type Name = (usize, String);

/// What a job has on its agenda.
pub(crate) enum Due<F: Flow> {
    /// The next attempt at a delivery. Those that came later over its connection wait for it where it is `in_order`.
    Retry {
        waiting: Waiting<F::Delivery>,
        in_order: bool,
    },
    /// A delivery that has no id yet.
    Again {
        delivery: F::Delivery,
        is_work: bool,
    },
    Events {
        name: Option<Name>,
        parcel: Box<Post<F>>,
    },
    Every {
        name: Option<Name>,
        period: u64,
        parcel: SavedParcel,
    },
}

impl<F: Flow> Due<F> {
    /// How many deliveries it is that the job waits for.
    pub(crate) fn work(&self) -> u64 {
        match self {
            Due::Retry { .. } | Due::Again { is_work: true, .. } => 1,
            // What goes to outputs alone is waited for too.
            Due::Events { parcel, .. } => (parcel.queue.regular_len() as u64).max(1),
            Due::Again { .. } | Due::Every { .. } => 0,
        }
    }

    /// Calls `each` with the slot of each delivery that the job waits for.
    pub(crate) fn slots(&self, mut each: impl FnMut(usize)) {
        match self {
            Due::Retry { waiting, .. } => each(F::slot_of(&waiting.delivery)),
            Due::Again { delivery, is_work: true } => each(F::slot_of(delivery)),
            Due::Events { parcel, .. } => parcel.queue.iter().for_each(|(_, _, d)| each(F::slot_of(d))),
            Due::Again { .. } | Due::Every { .. } => {}
        }
    }

    fn name(&self) -> Option<&Name> {
        match self {
            Due::Events { name, .. } | Due::Every { name, .. } => name.as_ref(),
            Due::Retry { .. } | Due::Again { .. } => None,
        }
    }
}

/// What a job has to do later, by when: in milliseconds since the Unix epoch.
pub(crate) struct Agenda<F: Flow> {
    due: BTreeMap<(u64, u64), Due<F>>,
    next: u64,
    named: HashMap<Name, (u64, u64)>,
    /// How many deliveries it is that the job waits for.
    work: u64,
    /// Slot and connection of those whose next attempt others wait for.
    holding: Vec<(usize, u16)>,
}

/// What became of what a step has asked for.
pub(crate) struct Planned<F: Flow> {
    /// Where it is on the agenda.
    pub(crate) added: Option<(u64, u64)>,
    /// Those that are on the agenda no longer.
    pub(crate) dropped: Vec<Due<F>>,
}

impl<F: Flow> Agenda<F> {
    pub(crate) fn new() -> Self {
        Agenda { due: BTreeMap::new(), next: 0, named: HashMap::new(), work: 0, holding: Vec::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.due.is_empty()
    }

    /// How many deliveries of it the job waits for.
    pub(crate) fn work(&self) -> u64 {
        self.work
    }

    /// When the first of all is due.
    pub(crate) fn first(&self) -> Option<u64> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    pub(crate) fn get(&self, key: (u64, u64)) -> Option<&Due<F>> {
        self.due.get(&key)
    }

    /// Slot and connection of those whose next attempt others wait for.
    pub(crate) fn held(&self) -> impl Iterator<Item = (usize, u16)> {
        self.holding.iter().copied()
    }

    /// Whether deliveries over that connection wait for the next attempt at another one.
    pub(crate) fn holds(&self, slot: usize, connection: u16) -> bool {
        self.holding.contains(&(slot, connection))
    }

    pub(crate) fn add(&mut self, at: u64, due: Due<F>) {
        self.work += due.work();
        if let Due::Retry { waiting, in_order: true } = &due {
            self.holding.push((F::slot_of(&waiting.delivery), F::connection_of(&waiting.delivery)));
        }
        let key = (at, self.next);
        self.next += 1;
        if let Some(name) = due.name() {
            self.named.insert(name.clone(), key);
        }
        self.due.insert(key, due);
    }

    /// Takes the first of those that are due.
    pub(crate) fn take(&mut self, now: u64) -> Option<(u64, Due<F>)> {
        let key = *self.due.keys().next().filter(|(at, _)| *at <= now)?;
        self.remove(key).map(|due| (key.0, due))
    }

    fn remove(&mut self, key: (u64, u64)) -> Option<Due<F>> {
        let due = self.due.remove(&key)?;
        self.work -= due.work();
        if let Some(name) = due.name()
            && self.named.get(name) == Some(&key)
        {
            self.named.remove(name);
        }
        if let Due::Retry { waiting, in_order: true } = &due {
            let held = (F::slot_of(&waiting.delivery), F::connection_of(&waiting.delivery));
            if let Some(at) = self.holding.iter().position(|known| *known == held) {
                self.holding.swap_remove(at);
            }
        }
        Some(due)
    }

    /// Puts what a step has asked for on the agenda. What is on it no longer comes back.
    ///
    /// # Errors
    /// If what is to be repeated cannot be written down.
    pub(crate) fn plan(&mut self, now: u64, timed: Timed<F>) -> Result<Planned<F>> {
        let at = now.saturating_add(timed.after);
        let named = |slot: u32, name: String| (F::shape().routine_of(slot as usize), name);
        let (mut dropped, key) = (Vec::new(), (at, self.next));
        match timed.what {
            Later::Cancel { slot, name } => dropped.extend(self.forget(&named(slot, name))),
            Later::Again { delivery, is_work } => self.add(at, Due::Again { delivery, is_work }),
            Later::Events { slot, name, parcel } => {
                let name = name.map(|name| named(slot, name));
                dropped.extend(name.as_ref().and_then(|name| self.forget(name)));
                self.add(at, Due::Events { name, parcel });
            }
            Later::Every { slot, name, period, parcel } => {
                let name = name.map(|name| named(slot, name));
                let parcel = SavedParcel::of(&parcel)?;
                dropped.extend(name.as_ref().and_then(|name| self.forget(name)));
                self.add(at, Due::Every { name, period, parcel });
            }
        }
        Ok(Planned { added: self.due.contains_key(&key).then_some(key), dropped })
    }

    fn forget(&mut self, name: &Name) -> Option<Due<F>> {
        let key = *self.named.get(name)?;
        self.remove(key)
    }

    /// Takes the deliveries out whose next attempt waits, over that connection, and that are older than the one of that id.
    pub(crate) fn take_older(&mut self, slot: usize, connection: u16, id: u64) -> Vec<Waiting<F::Delivery>> {
        let is_older = |due: &Due<F>| match due {
            Due::Retry { waiting: Waiting { id: other, delivery, .. }, .. } => {
                *other < id && F::slot_of(delivery) == slot && F::connection_of(delivery) == connection
            }
            _ => false,
        };
        let keys: Vec<_> = self.due.iter().filter(|(_, due)| is_older(due)).map(|(key, _)| *key).collect();
        let older = keys.into_iter().filter_map(|key| match self.remove(key) {
            Some(Due::Retry { waiting, .. }) => Some(waiting),
            _ => None,
        });
        older.collect()
    }

    /// Drops what the job does not wait for: it has ended.
    pub(crate) fn end(&mut self) {
        let idle: Vec<(u64, u64)> =
            self.due.iter().filter(|(_, due)| due.work() == 0).map(|(key, _)| *key).collect();
        for key in idle {
            // The user's `Drop` may panic, and nothing comes of it any more.
            let due = self.remove(key);
            let _ = crate::error::catch(|| drop(due));
        }
    }

    /// All of it, in the order it is due.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Due<F>)> {
        self.due.iter().map(|((at, _), due)| (*at, due))
    }
}

/// Deliveries and outputs as data: what is sent again and again, and how any of it is saved.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedParcel {
    /// `routine.slot`, and what is sent there.
    deliveries: Vec<(String, Value)>,
    outputs: BTreeMap<String, Value>,
    result: Option<Value>,
    /// How many of the events guards have rejected.
    #[serde(default)]
    filtered: u64,
}

impl SavedParcel {
    pub(crate) fn of<F: Flow>(post: &Post<F>) -> Result<Self> {
        let failed = |what: String, error: ValueError| Error::Serialization {
            what: format!("{what} that is to leave later could not be saved"),
            path: None,
            source: Some(error.into()),
        };
        let shape = F::shape();
        let caught = |what: &str, save: &dyn Fn() -> std::result::Result<Value, ValueError>| {
            let saved = crate::error::catch(save).unwrap_or_else(|panic| Err(ValueError(panic.message)));
            saved.map_err(|error| failed(what.to_owned(), error))
        };
        let deliveries = post.queue.iter().map(|(_, _, delivery)| {
            let to = shape.name(F::slot_of(delivery));
            let value = caught(&format!("what goes to `{to}` and"), &|| F::save_delivery(delivery))?;
            Ok((to, value))
        });
        let outputs = F::outbound(&post.outbound).into_iter().map(|(name, part): (&str, &dyn Saved)| {
            let value = caught(&format!("what goes to the output `{name}` and"), &|| part.save())?;
            Ok((name.to_owned(), value))
        });
        let result = F::__result(&post.outbound).and_then(|result| result.save());
        Ok(SavedParcel {
            deliveries: deliveries.collect::<Result<_>>()?,
            outputs: outputs.collect::<Result<_>>()?,
            result: result.transpose().map_err(|error| failed("the result".to_owned(), error))?,
            filtered: post.tally.filtered,
        })
    }

    pub(crate) fn open<F: Flow>(self) -> std::result::Result<Post<F>, ValueError> {
        let mut post = Post::empty();
        post.tally.filtered = self.filtered;
        for (to, value) in self.deliveries {
            let slot = F::shape().slot(&to);
            let slot = slot.ok_or_else(|| ValueError(format!("the flow has no slot `{to}`")))?;
            post.send(F::load_delivery(slot, value)?);
        }
        let mut outputs = self.outputs;
        for (name, part) in F::outbound_mut(&mut post.outbound) {
            if let Some(value) = outputs.remove(name) {
                part.load(value)?;
            }
        }
        if let (Some(value), Some(result)) = (self.result, F::__result_mut(&mut post.outbound)) {
            result.load(value)?;
        }
        Ok(post)
    }
}
