//! Joins: values of several kinds that belong together. One queue for each parameter; the handler runs when there is one in each.

use crate::context::Context;
use crate::error::catch;
use crate::gather::Arrival;
use crate::job::value::{Value, ValueError};
use crate::merge::{Fault, Handover, Held, Ran};
use crate::routine::JoinPort;
use std::collections::VecDeque;

/// The values that wait for one parameter, each with the time it arrived, in milliseconds.
#[doc(hidden)]
pub struct Queue<T>(VecDeque<(u64, T)>);

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Queue(VecDeque::new())
    }
}

impl<T> Queue<T> {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn push(&mut self, at: u64, value: T) {
        self.0.push_back((at, value));
    }

    /// The one that arrived first, with the time it did.
    pub fn pop(&mut self) -> Option<(u64, T)> {
        self.0.pop_front()
    }

    pub fn oldest(&self) -> Option<u64> {
        self.0.front().map(|(at, _)| *at)
    }

    /// Those that arrived no later than `until`.
    pub fn expired(&mut self, until: u64) -> Vec<T> {
        let many = self.0.iter().take_while(|(at, _)| *at <= until).count();
        self.0.drain(..many).map(|(_, value)| value).collect()
    }

    pub fn iter(&self) -> impl Iterator<Item = &(u64, T)> {
        self.0.iter()
    }
}

/// What the handler of a join is called with.
#[doc(hidden)]
pub enum Pair<'a, T, P> {
    /// One of each. The handler that takes them by value takes them out.
    Of(&'a mut Option<T>),
    /// Those that found no partner in time, or never will: for the event `unpaired`.
    Unpaired(Vec<P>),
}

/// What a join keeps.
#[doc(hidden)]
#[derive(Default)]
pub struct Unpaired<S> {
    stores: S,
    /// Whether nothing more is to come.
    closed: bool,
}

/// Values that are paired in the order they arrive.
#[doc(hidden)]
pub struct Joined;

fn is_complete<R: JoinPort<I>, const I: usize>(stores: &R::Stores, part: &R::Payload) -> bool {
    let own = R::parameter(part);
    R::lengths(stores).iter().enumerate().all(|(parameter, waiting)| parameter == own || *waiting > 0)
}

/// Values that arrived no later than this have been there too long.
fn until<R: JoinPort<I>, const I: usize>(closed: bool, cx: &Context) -> u64 {
    match closed {
        true => u64::MAX,
        false => cx.clock.tick().millis().saturating_sub(R::MODE.within),
    }
}

impl<R: JoinPort<I>, const I: usize> Handover<R, I> for Joined {
    type Parcel = Arrival<R::Payload, R::Taken>;
    type Contents = Unpaired<R::Stores>;
    type Arg<'a> = Pair<'a, R::Taken, R::Payload>;
    type Failed = R::Values;

    fn runs(contents: &Self::Contents, parcel: &Self::Parcel, cx: &Context) -> bool {
        match parcel {
            Arrival::Of { payload, .. } => {
                is_complete::<R, I>(&contents.stores, payload) || (contents.closed && R::MODE.within > 0)
            }
            Arrival::Pair(_) => true,
            Arrival::Close => R::oldest(&contents.stores).is_some(),
            Arrival::Expire => {
                R::MODE.within > 0
                    && R::oldest(&contents.stores).is_some_and(|at| at <= until::<R, I>(contents.closed, cx))
            }
        }
    }

    fn kept(
        contents: &mut Self::Contents,
        parcel: Self::Parcel,
        cx: &Context,
        ran: &mut Ran,
    ) -> Result<(), (Fault, Option<Self::Parcel>)> {
        let Arrival::Of { payload, .. } = parcel else {
            contents.closed |= matches!(parcel, Arrival::Close);
            return Ok(());
        };
        let own = R::parameter(&payload);
        let replaces = R::LATEST && R::lengths(&contents.stores)[own] > 0;
        // What is replaced is dropped, and its `Drop` may panic.
        match catch(|| R::add(&mut contents.stores, payload, cx.clock.tick().millis())) {
            Ok(()) => {
                ran.superseded = u64::from(replaces);
                ran.look_after = (R::MODE.within > 0).then_some(R::MODE.within);
                Ok(())
            }
            Err(panic) => Err((Fault::Panicked(panic), None)),
        }
    }

    fn hand_over(
        contents: &mut Self::Contents,
        parcel: Self::Parcel,
        cx: &Context,
        _: &mut Ran,
        call: impl FnOnce(Self::Arg<'_>) -> Result<(), Fault>,
    ) -> Result<(), (Fault, Option<Self::Parcel>)> {
        let Unpaired { stores, closed } = contents;
        let mut taken = match parcel {
            Arrival::Of { payload, .. } if is_complete::<R, I>(stores, &payload) => R::pair(stores, payload),
            Arrival::Pair(taken) => Some(taken),
            // Without a partner, and too late to find one.
            Arrival::Of { payload, .. } => {
                return match call(Pair::Unpaired(vec![payload])) {
                    Ok(()) => Ok(()),
                    Err(fault) => Err((fault, None)),
                };
            }
            Arrival::Close | Arrival::Expire => {
                let closes = matches!(parcel, Arrival::Close);
                let expired = R::expired(stores, until::<R, I>(*closed || closes, cx));
                return match call(Pair::Unpaired(expired)) {
                    Ok(()) => {
                        *closed |= closes;
                        Ok(())
                    }
                    Err(fault) => Err((fault, None)),
                };
            }
        };
        // What was brought together stays so, whatever becomes of it: if only one of them were tried again, skipped or sent
        // along an error wire, the others would meet the wrong partners.
        let copy = match (R::KEEPS, &taken) {
            (true, Some(taken)) => catch(|| R::keep_taken(taken)).map(Some),
            _ => Ok(None),
        };
        let copy = match copy {
            Ok(copy) => copy,
            Err(panic) => return Err((Fault::Panicked(panic), taken.map(Arrival::Pair))),
        };
        match call(Pair::Of(&mut taken)) {
            Ok(()) => match catch(|| drop((taken, copy))) {
                Ok(()) => Ok(()),
                Err(panic) => Err((Fault::Panicked(panic), None)),
            },
            Err(fault) => Err((fault, taken.or(copy).map(Arrival::Pair))),
        }
    }

    fn closing() -> Option<Self::Parcel> {
        (R::MODE.within > 0).then_some(Arrival::Close)
    }

    fn expiring() -> Option<Self::Parcel> {
        (R::MODE.within > 0).then_some(Arrival::Expire)
    }

    fn payload(parcel: Self::Parcel) -> Option<R::Values> {
        match parcel {
            Arrival::Pair(taken) => Some(R::values(taken)),
            Arrival::Of { .. } | Arrival::Close | Arrival::Expire => None,
        }
    }

    fn save_parcel(parcel: &Self::Parcel) -> Result<Value, ValueError> {
        parcel.save(R::codec().save, R::save_taken)
    }

    fn load_parcel(value: Value) -> Result<Self::Parcel, ValueError> {
        Arrival::load(value, R::codec().load, R::load_taken)
    }

    fn save(contents: &Self::Contents) -> Result<Value, ValueError> {
        let mut values: Vec<Vec<(u64, Value)>> = R::PARAMS.iter().map(|_| Vec::new()).collect();
        let mut failed = None;
        R::each(&contents.stores, &mut |parameter, at, value| match value {
            Ok(value) => values[parameter].push((at, value)),
            Err(error) => failed = Some(error),
        });
        match failed {
            Some(error) => Err(error),
            None => Value::of(&(contents.closed, values)),
        }
    }

    fn load(contents: &mut Self::Contents, value: Value) -> Result<(), ValueError> {
        let (closed, values): (bool, Vec<Vec<(u64, Value)>>) = value.read()?;
        if values.len() != R::PARAMS.len() {
            return Err(ValueError(format!("the join has {} parameters now", R::PARAMS.len())));
        }
        *contents = Unpaired { stores: R::Stores::default(), closed };
        for (parameter, values) in values.into_iter().enumerate() {
            for (at, value) in values {
                R::restore(&mut contents.stores, parameter, at, value)?;
            }
        }
        Ok(())
    }

    fn held(contents: &Self::Contents) -> Vec<Held> {
        let lengths = R::lengths(&contents.stores);
        let missing: Vec<&'static str> = R::PARAMS
            .iter()
            .zip(&lengths)
            .filter(|(_, waiting)| **waiting == 0)
            .map(|(name, _)| *name)
            .collect();
        let held = R::PARAMS.iter().zip(&lengths).filter(|(_, waiting)| **waiting > 0);
        held.map(|(name, waiting)| Held {
            parameter: Some(name),
            count: *waiting as u64,
            missing: missing.clone(),
            missing_connections: Vec::new(),
        })
        .collect()
    }
}
