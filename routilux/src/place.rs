//! Where the routines of a job stand. A thread that has the job to itself gets at them without a lock; next to others,
//! a handler that takes `&mut self` has its routine alone, and those that take `&self` share it.

use crate::engine::sync::{Mutex, RwLock};
use crate::job::LiveSink;
use crate::job::part::Saved;
use crate::job::value::{Value, ValueError};
use crate::routine::{Cell, EventPayload, Fields, LivePort, Outgoing, Routine};
use std::sync::{Arc, PoisonError};

/// One routine of a job. Who runs next is settled before a handler gets here, so a lock is never waited for long.
#[doc(hidden)]
pub trait Place<R: Routine>: 'static {
    fn new(cell: Cell<R>) -> Self;
    fn get_mut(&mut self) -> (&mut R, &mut R::Emit);
    fn alone<T>(&self, run: impl FnOnce(&mut R, &mut R::Emit) -> T) -> T;
    /// For a handler that runs next to others: each run has an `Emit` of its own.
    fn along<T>(&self, run: impl FnOnce(&R, &mut R::Emit) -> T) -> T;
    fn look<T>(&self, run: impl FnOnce(&R) -> T) -> T;
}

/// For a routine whose handlers all take `&mut self`: it need not be `Sync`.
#[doc(hidden)]
pub struct Alone<R: Routine>(Mutex<Cell<R>>);

/// For a routine with handlers that take `&self`. Its `Emit` has a lock of its own, because events need not be `Sync`.
#[doc(hidden)]
pub struct Along<R: Routine>(RwLock<(R, Mutex<R::Emit>)>);

// A panic of the user's never gets past a step, so what a poisoned lock guards is what it was.

impl<R: Routine> Place<R> for Alone<R> {
    fn new(cell: Cell<R>) -> Self {
        Alone(Mutex::new(cell))
    }

    #[inline]
    fn get_mut(&mut self) -> (&mut R, &mut R::Emit) {
        let Cell { routine, emit } = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        (routine, emit)
    }

    #[inline]
    fn alone<T>(&self, run: impl FnOnce(&mut R, &mut R::Emit) -> T) -> T {
        let Cell { routine, emit } = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        run(routine, emit)
    }

    fn along<T>(&self, run: impl FnOnce(&R, &mut R::Emit) -> T) -> T {
        self.alone(|routine, emit| run(routine, emit))
    }

    fn look<T>(&self, run: impl FnOnce(&R) -> T) -> T {
        self.alone(|routine, _| run(routine))
    }
}

impl<R: Routine> Place<R> for Along<R> {
    fn new(cell: Cell<R>) -> Self {
        Along(RwLock::new((cell.routine, Mutex::new(cell.emit))))
    }

    #[inline]
    fn get_mut(&mut self) -> (&mut R, &mut R::Emit) {
        let (routine, emit) = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        (routine, emit.get_mut().unwrap_or_else(PoisonError::into_inner))
    }

    #[inline]
    fn alone<T>(&self, run: impl FnOnce(&mut R, &mut R::Emit) -> T) -> T {
        let (routine, emit) = &mut *self.0.write().unwrap_or_else(PoisonError::into_inner);
        run(routine, emit.get_mut().unwrap_or_else(PoisonError::into_inner))
    }

    #[inline]
    fn along<T>(&self, run: impl FnOnce(&R, &mut R::Emit) -> T) -> T {
        let (routine, emit) = &*self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut own = match R::Emit::LIVE {
            true => emit.lock().unwrap_or_else(PoisonError::into_inner).another(),
            false => R::Emit::default(),
        };
        run(routine, &mut own)
    }

    fn look<T>(&self, run: impl FnOnce(&R) -> T) -> T {
        run(&self.0.read().unwrap_or_else(PoisonError::into_inner).0)
    }
}

/// For a routine with `async` handlers: what they wait in holds it.
#[doc(hidden)]
pub struct Lasting<R: Routine>(Mutex<(Arc<R>, R::Emit)>);

impl<R: Routine> Lasting<R> {
    /// For a handler that is begun: it has an `Emit` of its own.
    pub(crate) fn hold(&self) -> (Arc<R>, R::Emit) {
        let (routine, emit) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (routine.clone(), emit.another())
    }
}

/// Who has the routine alone comes when nobody holds it: the mailbox sees to that.
fn unheld<R>(routine: &mut Arc<R>) -> &mut R {
    Arc::get_mut(routine).unwrap_or_else(|| unreachable!("an `async` handler holds the routine"))
}

impl<R: Routine> Place<R> for Lasting<R> {
    fn new(cell: Cell<R>) -> Self {
        Lasting(Mutex::new((Arc::new(cell.routine), cell.emit)))
    }

    fn get_mut(&mut self) -> (&mut R, &mut R::Emit) {
        let (routine, emit) = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        (unheld(routine), emit)
    }

    fn alone<T>(&self, run: impl FnOnce(&mut R, &mut R::Emit) -> T) -> T {
        let (routine, emit) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        run(unheld(routine), emit)
    }

    fn along<T>(&self, run: impl FnOnce(&R, &mut R::Emit) -> T) -> T {
        let (routine, mut emit) = self.hold();
        run(&routine, &mut emit)
    }

    fn look<T>(&self, run: impl FnOnce(&R) -> T) -> T {
        run(&self.hold().0)
    }
}

/// Where a live event of the routine leads.
#[doc(hidden)]
pub fn live_sink<R: LivePort<I>, const I: usize>(place: &mut R::Place) -> &mut LiveSink<EventPayload<R, I>> {
    R::sink(place.get_mut().1)
}

/// What a slot keeps.
#[doc(hidden)]
#[derive(Default)]
pub struct Keeps<C>(Mutex<C>);

impl<C> Keeps<C> {
    pub fn new(kept: C) -> Self {
        Keeps(Mutex::new(kept))
    }

    #[inline]
    pub fn get_mut(&mut self) -> &mut C {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    pub fn with<T>(&self, run: impl FnOnce(&mut C) -> T) -> T {
        run(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Puts the state of `old` into a routine with new configuration.
#[doc(hidden)]
pub fn reconfigure<R: Routine + Fields>(place: &R::Place, mut new: R::Place) {
    place.alone(|old, _| {
        let (new, _) = new.get_mut();
        new.swap_state(old);
        std::mem::swap(new, old);
    });
}

impl<R: Routine + Fields> Saved for Alone<R> {
    fn save(&self) -> Result<Value, ValueError> {
        self.look(save)
    }

    fn load(&mut self, value: Value) -> Result<(), ValueError> {
        load(self.get_mut().0, value)
    }
}

impl<R: Routine + Fields> Saved for Along<R> {
    fn save(&self) -> Result<Value, ValueError> {
        self.look(save)
    }

    fn load(&mut self, value: Value) -> Result<(), ValueError> {
        load(self.get_mut().0, value)
    }
}

impl<R: Routine + Fields> Saved for Lasting<R> {
    fn save(&self) -> Result<Value, ValueError> {
        self.look(save)
    }

    fn load(&mut self, value: Value) -> Result<(), ValueError> {
        load(self.get_mut().0, value)
    }
}

/// The `#[state]` fields of a routine by name.
fn save<R: Routine + Fields>(routine: &R) -> Result<Value, ValueError> {
    let fields = R::STATE.iter().zip(routine.state());
    let fields = fields.map(|(name, field)| match field.save() {
        Ok(value) => Ok((Value::Text((*name).to_owned()), value)),
        Err(error) => Err(ValueError(format!("field `{name}`: {error}"))),
    });
    Ok(Value::Map(fields.collect::<Result<_, _>>()?))
}

/// All fields must be there and no other, so that a changed routine is noticed.
fn load<R: Routine + Fields>(routine: &mut R, value: Value) -> Result<(), ValueError> {
    let Value::Map(mut saved) = value else {
        return Err(ValueError("expected a map of the routine's state".into()));
    };
    for (number, name) in R::STATE.iter().enumerate() {
        let Some(at) = saved.iter().position(|(key, _)| matches!(key, Value::Text(key) if key == name))
        else {
            return Err(ValueError(format!("the saved state has no field `{name}`")));
        };
        let (_, value) = saved.swap_remove(at);
        let loaded = routine.state()[number].load(value);
        let loaded = loaded.map_err(|error| ValueError(format!("field `{name}`: {error}")))?;
        routine.set_state(number, loaded);
    }
    match saved.first() {
        None => Ok(()),
        Some((Value::Text(name), _)) => {
            Err(ValueError(format!("`{}` has no `#[state]` field `{name}`", R::TYPE)))
        }
        Some(_) => Err(ValueError("the names of state fields are text".into())),
    }
}
