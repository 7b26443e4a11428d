//! Slots that gather: an arrival goes into the slot, and the handler runs when the firing rule says so. Folds that hand over
//! each time are here too, because they keep their fold in the same way.

use crate::context::Context;
use crate::error::catch;
use crate::job::value::{Value, ValueError};
use crate::merge::{Fault, Handover, Held, Ran, plain_parcel};
use crate::routine::{FoldPort, SlotPort};
use routilux_graph::When;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::marker::PhantomData;

/// What travels to a slot that gathers, and to a join.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub enum Arrival<P, T = Infallible> {
    /// A payload, over which of the slot's connections it came, and how many there are.
    Of { payload: P, connection: u16, of: u16 },
    /// What a join has brought together already, for another attempt.
    Pair(T),
    /// Nothing more will come.
    Close,
    /// Values may have been there too long.
    Expire,
}

impl<P, T> Arrival<P, T> {
    pub fn of(payload: P, connection: u16, of: u16) -> Self {
        Arrival::Of { payload, connection, of }
    }

    /// Whether it is a value, and not word that no more will come.
    pub fn has_payload(&self) -> bool {
        matches!(self, Arrival::Of { .. } | Arrival::Pair(_))
    }

    /// Over which of the slot's connections it came.
    pub fn connection(&self) -> u16 {
        match self {
            Arrival::Of { connection, .. } => *connection,
            _ => 0,
        }
    }

    pub(crate) fn save(
        &self,
        save: impl FnOnce(&P) -> Result<Value, ValueError>,
        save_pair: impl FnOnce(&T) -> Result<Value, ValueError>,
    ) -> Result<Value, ValueError> {
        Value::of(&match self {
            Arrival::Of { payload, connection, of } => {
                SavedArrival::Of { payload: save(payload)?, connection: *connection, of: *of }
            }
            Arrival::Pair(pair) => SavedArrival::Pair(save_pair(pair)?),
            Arrival::Close => SavedArrival::Close,
            Arrival::Expire => SavedArrival::Expire,
        })
    }

    pub(crate) fn load(
        value: Value,
        load: impl FnOnce(Value) -> Result<P, ValueError>,
        load_pair: impl FnOnce(Value) -> Result<T, ValueError>,
    ) -> Result<Self, ValueError> {
        Ok(match value.read::<SavedArrival>()? {
            SavedArrival::Of { payload, connection, of } => {
                Arrival::Of { payload: load(payload)?, connection, of }
            }
            SavedArrival::Pair(pair) => Arrival::Pair(load_pair(pair)?),
            SavedArrival::Close => Arrival::Close,
            SavedArrival::Expire => Arrival::Expire,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SavedArrival {
    Of { payload: Value, connection: u16, of: u16 },
    Pair(Value),
    Close,
    Expire,
}

/// How a slot keeps what it gathers.
#[doc(hidden)]
pub trait Gather<R: SlotPort<I>, const I: usize>: 'static {
    type Store: 'static;
    /// What the handler takes.
    type Out;

    fn empty() -> Self::Store;
    /// Whether adding a value runs code of the user's.
    const MAY_PANIC: bool;

    /// Adds one value. How many it has taken the place of.
    fn add(store: &mut Self::Store, payload: R::Payload, connection: u16) -> u64;
    /// A copy of all, for the handler that can fail.
    fn copy(store: &Self::Store) -> Self::Store;
    fn out(store: Self::Store) -> Self::Out;
    /// How many values are there, of so many that came.
    fn held(_: &Self::Store, came: u64) -> u64 {
        came
    }
    fn save(store: &Self::Store) -> Result<Value, ValueError>;
    fn load(value: Value) -> Result<Self::Store, ValueError>;
}

/// `Vec<T>`: every value, in the order of arrival.
#[doc(hidden)]
pub struct Batch;

/// `Vec<T>`: the newest value of each connection, in the order of the connections.
#[doc(hidden)]
pub struct Newest;

/// `Acc`: the fold of all values.
#[doc(hidden)]
pub struct FoldOf;

impl<R: SlotPort<I>, const I: usize> Gather<R, I> for Batch {
    type Store = Vec<R::Payload>;
    type Out = Vec<R::Payload>;
    const MAY_PANIC: bool = false;

    fn empty() -> Vec<R::Payload> {
        Vec::new()
    }

    fn add(store: &mut Vec<R::Payload>, payload: R::Payload, _: u16) -> u64 {
        store.push(payload);
        0
    }

    fn copy(store: &Vec<R::Payload>) -> Vec<R::Payload> {
        store.iter().map(R::keep).collect()
    }

    fn out(store: Vec<R::Payload>) -> Vec<R::Payload> {
        store
    }

    fn save(store: &Vec<R::Payload>) -> Result<Value, ValueError> {
        R::codec().save_all(store)
    }

    fn load(value: Value) -> Result<Vec<R::Payload>, ValueError> {
        R::codec().load_all(value)
    }
}

impl<R: SlotPort<I>, const I: usize> Gather<R, I> for Newest {
    type Store = Vec<(u16, R::Payload)>;
    type Out = Vec<R::Payload>;
    /// The `Drop` of what is replaced.
    const MAY_PANIC: bool = std::mem::needs_drop::<R::Payload>();

    fn empty() -> Self::Store {
        Vec::new()
    }

    fn add(store: &mut Self::Store, payload: R::Payload, connection: u16) -> u64 {
        match store.binary_search_by_key(&connection, |(known, _)| *known) {
            Ok(at) => {
                store[at].1 = payload;
                1
            }
            Err(at) => {
                store.insert(at, (connection, payload));
                0
            }
        }
    }

    fn copy(store: &Self::Store) -> Self::Store {
        store.iter().map(|(connection, payload)| (*connection, R::keep(payload))).collect()
    }

    fn out(store: Self::Store) -> Vec<R::Payload> {
        store.into_iter().map(|(_, payload)| payload).collect()
    }

    fn held(store: &Self::Store, _: u64) -> u64 {
        store.len() as u64
    }

    fn save(store: &Self::Store) -> Result<Value, ValueError> {
        let pairs = store.iter().map(|(connection, payload)| {
            Ok(Value::List(vec![Value::of(connection)?, (R::codec().save)(payload)?]))
        });
        Ok(Value::List(pairs.collect::<Result<_, ValueError>>()?))
    }

    fn load(value: Value) -> Result<Self::Store, ValueError> {
        let Value::List(pairs) = value else { return Err(ValueError("expected a list".into())) };
        let pair = |pair| match pair {
            Value::List(mut pair) if pair.len() == 2 => {
                let (payload, connection) = (pair.swap_remove(1), pair.swap_remove(0));
                Ok((connection.read()?, (R::codec().load)(payload)?))
            }
            _ => Err(ValueError("expected a connection and its value".into())),
        };
        pairs.into_iter().map(pair).collect()
    }
}

impl<R: FoldPort<I>, const I: usize> Gather<R, I> for FoldOf {
    type Store = R::Acc;
    type Out = R::Acc;
    const MAY_PANIC: bool = true;

    fn empty() -> R::Acc {
        R::start()
    }

    fn add(store: &mut R::Acc, payload: R::Payload, _: u16) -> u64 {
        R::fold(store, payload);
        0
    }

    fn copy(store: &R::Acc) -> R::Acc {
        R::keep_acc(store)
    }

    fn out(store: R::Acc) -> R::Acc {
        store
    }

    fn save(store: &R::Acc) -> Result<Value, ValueError> {
        (R::codec_acc().save)(store)
    }

    fn load(value: Value) -> Result<R::Acc, ValueError> {
        (R::codec_acc().load)(value)
    }
}

/// What a slot that gathers keeps.
#[doc(hidden)]
pub struct Gathered<S> {
    /// `None` where nothing came since it was last emptied.
    store: Option<S>,
    /// How many came since then.
    count: u64,
    /// Over which connections they came.
    seen: Vec<u16>,
    /// How many connections there are.
    of: u16,
    /// Whether nothing more is to come.
    closed: bool,
}

impl<S> Default for Gathered<S> {
    fn default() -> Self {
        Gathered { store: None, count: 0, seen: Vec::new(), of: 0, closed: false }
    }
}

#[derive(Serialize, Deserialize)]
struct SavedGathered {
    values: Option<Value>,
    count: u64,
    seen: Vec<u16>,
    of: u16,
    closed: bool,
}

impl<S> Gathered<S> {
    /// Whether the handler runs when this one comes.
    fn fires<P>(&self, when: When, parcel: &Arrival<P>) -> bool {
        match (parcel, when) {
            (Arrival::Expire, _) => false,
            (Arrival::Pair(never), _) => match *never {},
            (Arrival::Close, When::Drained) => true,
            (Arrival::Close, When::Count(_)) => self.count > 0,
            (Arrival::Close, _) => false,
            // What comes after the end of all others is a remainder of its own.
            (Arrival::Of { .. }, When::Count(_)) if self.closed => true,
            (Arrival::Of { .. }, When::Count(most)) => self.count + 1 >= u64::from(most),
            (Arrival::Of { connection, of, .. }, When::All) => {
                let new = !self.seen.contains(connection);
                self.seen.len() + usize::from(new) >= usize::from(*of)
            }
            (Arrival::Of { .. }, When::Each) => true,
            (Arrival::Of { .. }, When::Drained) => false,
        }
    }

    fn note(&mut self, connection: u16, of: u16) {
        self.count += 1;
        self.of = of;
        if !self.seen.contains(&connection) {
            self.seen.push(connection);
        }
    }
}

/// A slot that gathers in the way that `G` says.
#[doc(hidden)]
pub struct Gathering<G>(PhantomData<G>);

impl<G: Gather<R, I>, R: SlotPort<I>, const I: usize> Handover<R, I> for Gathering<G> {
    type Parcel = Arrival<R::Payload>;
    type Contents = Gathered<G::Store>;
    type Arg<'a> = G::Out;
    type Failed = R::Payload;

    fn runs(contents: &Self::Contents, parcel: &Self::Parcel, _: &Context) -> bool {
        contents.fires(R::MODE.when, parcel)
    }

    fn kept(
        contents: &mut Self::Contents,
        parcel: Self::Parcel,
        _: &Context,
        ran: &mut Ran,
    ) -> Result<(), (Fault, Option<Self::Parcel>)> {
        let Arrival::Of { payload, connection, of } = parcel else {
            contents.closed = true;
            return Ok(());
        };
        // A fold of the user's may panic. Where the slot can be had back as it was, it is.
        let copies = match R::KEEPS {
            false => None,
            true if !G::MAY_PANIC => None,
            true => match catch(|| (contents.store.as_ref().map(G::copy), R::keep(&payload))) {
                Ok(copies) => Some(copies),
                Err(panic) => {
                    return Err((Fault::Panicked(panic), Some(Arrival::Of { payload, connection, of })));
                }
            },
        };
        match catch(|| G::add(contents.store.get_or_insert_with(G::empty), payload, connection)) {
            Ok(superseded) => {
                contents.note(connection, of);
                ran.superseded = superseded;
                Ok(())
            }
            Err(panic) => {
                let back = copies.map(|(store, payload)| {
                    contents.store = store;
                    Arrival::Of { payload, connection, of }
                });
                Err((Fault::Panicked(panic), back))
            }
        }
    }

    fn hand_over(
        contents: &mut Self::Contents,
        parcel: Self::Parcel,
        _: &Context,
        ran: &mut Ran,
        call: impl FnOnce(G::Out) -> Result<(), Fault>,
    ) -> Result<(), (Fault, Option<Self::Parcel>)> {
        let copies = match R::KEEPS {
            false => None,
            true => {
                let copied = catch(|| {
                    let parcel = match &parcel {
                        Arrival::Of { payload, connection, of } => {
                            Arrival::of(R::keep(payload), *connection, *of)
                        }
                        Arrival::Pair(never) => match *never {},
                        Arrival::Close => Arrival::Close,
                        Arrival::Expire => Arrival::Expire,
                    };
                    (contents.store.as_ref().map(G::copy), parcel)
                });
                match copied {
                    Ok(copies) => Some(copies),
                    Err(panic) => return Err((Fault::Panicked(panic), Some(parcel))),
                }
            }
        };
        // Whatever becomes of the attempt: it is the end.
        contents.closed |= matches!(parcel, Arrival::Close);
        let mut superseded = 0;
        let store = contents.store.take();
        let gathered = catch(|| {
            let mut store = store.unwrap_or_else(G::empty);
            if let Arrival::Of { payload, connection, .. } = parcel {
                superseded = G::add(&mut store, payload, connection);
            }
            G::out(store)
        });
        match gathered.map_err(Fault::Panicked).and_then(call) {
            Ok(()) => {
                contents.count = 0;
                contents.seen.clear();
                // The copies go: the user's `Drop` may panic.
                match catch(|| drop(copies)) {
                    Ok(()) => {
                        ran.superseded = superseded;
                        Ok(())
                    }
                    Err(panic) => Err((Fault::Panicked(panic), None)),
                }
            }
            Err(fault) => {
                if copies.is_none() {
                    // What it had gathered is gone, and counts no more.
                    contents.count = 0;
                    contents.seen.clear();
                }
                let back = copies.map(|(store, parcel)| {
                    contents.store = store;
                    parcel
                });
                Err((fault, back))
            }
        }
    }

    fn closing() -> Option<Self::Parcel> {
        match R::MODE.when {
            When::Drained | When::Count(_) => Some(Arrival::Close),
            _ => None,
        }
    }

    fn payload(parcel: Self::Parcel) -> Option<R::Payload> {
        match parcel {
            Arrival::Of { payload, .. } => Some(payload),
            Arrival::Pair(never) => match never {},
            Arrival::Close | Arrival::Expire => None,
        }
    }

    fn save_parcel(parcel: &Self::Parcel) -> Result<Value, ValueError> {
        parcel.save(R::codec().save, |never| match *never {})
    }

    fn load_parcel(value: Value) -> Result<Self::Parcel, ValueError> {
        Arrival::load(value, R::codec().load, |_| Err(ValueError("nothing is paired here now".into())))
    }

    fn save(contents: &Self::Contents) -> Result<Value, ValueError> {
        Value::of(&SavedGathered {
            values: contents.store.as_ref().map(G::save).transpose()?,
            count: contents.count,
            seen: contents.seen.clone(),
            of: contents.of,
            closed: contents.closed,
        })
    }

    fn load(contents: &mut Self::Contents, value: Value) -> Result<(), ValueError> {
        let SavedGathered { values, count, seen, of, closed } = value.read()?;
        let store = values.map(G::load).transpose()?;
        *contents = Gathered { store, count, seen, of, closed };
        Ok(())
    }

    fn held(contents: &Self::Contents) -> Vec<Held> {
        let count = contents.store.as_ref().map_or(0, |store| G::held(store, contents.count));
        match count {
            0 => Vec::new(),
            _ => vec![Held {
                parameter: None,
                count,
                missing: Vec::new(),
                missing_connections: (0..contents.of).filter(|c| !contents.seen.contains(c)).collect(),
            }],
        }
    }
}

/// `&Acc`: the fold of all arrivals so far.
#[doc(hidden)]
pub struct Folded;

/// The fold of a slot that hands it over at each arrival.
#[doc(hidden)]
pub struct Fold<A>(Option<A>);

impl<A> Default for Fold<A> {
    fn default() -> Self {
        Fold(None)
    }
}

impl<R: FoldPort<I>, const I: usize> Handover<R, I> for Folded {
    type Parcel = R::Payload;
    type Contents = Fold<R::Acc>;
    type Arg<'a> = &'a R::Acc;

    fn hand_over(
        contents: &mut Fold<R::Acc>,
        payload: R::Payload,
        _: &Context,
        _: &mut Ran,
        call: impl FnOnce(&R::Acc) -> Result<(), Fault>,
    ) -> Result<(), (Fault, Option<R::Payload>)> {
        let copies = match R::KEEPS {
            false => None,
            true => match catch(|| (contents.0.as_ref().map(R::keep_acc), R::keep(&payload))) {
                Ok(copies) => Some(copies),
                Err(panic) => return Err((Fault::Panicked(panic), Some(payload))),
            },
        };
        let acc = &mut contents.0;
        let folded = catch(|| {
            let acc = acc.get_or_insert_with(R::start);
            R::fold(acc, payload);
            &*acc
        });
        match folded.map_err(Fault::Panicked).and_then(call) {
            Ok(()) => match catch(|| drop(copies)) {
                Ok(()) => Ok(()),
                Err(panic) => Err((Fault::Panicked(panic), None)),
            },
            Err(fault) => Err((
                fault,
                copies.map(|(acc, payload)| {
                    contents.0 = acc;
                    payload
                }),
            )),
        }
    }

    plain_parcel!();

    fn save(contents: &Fold<R::Acc>) -> Result<Value, ValueError> {
        Value::of(&contents.0.as_ref().map(R::codec_acc().save).transpose()?)
    }

    fn load(contents: &mut Fold<R::Acc>, value: Value) -> Result<(), ValueError> {
        contents.0 = value.read::<Option<Value>>()?.map(R::codec_acc().load).transpose()?;
        Ok(())
    }
}
