//! The parts of a job that are saved under a name: a routine's state, an output not yet taken.

use super::value::{Value, ValueError};
use crate::routine::{Cell, Fields, Routine};

pub(crate) type Part<'a> = &'a dyn Saved;
pub(crate) type PartMut<'a> = &'a mut dyn Saved;

/// Something with a name in a saved job.
#[doc(hidden)]
pub trait Saved {
    fn save(&self) -> Result<Value, ValueError>;
    fn load(&mut self, value: Value) -> Result<(), ValueError>;
}

/// A routine: its `#[state]` fields by name. All must be there and no other, so that a changed
/// routine is noticed.
impl<R: Routine + Fields> Saved for Cell<R> {
    fn save(&self) -> Result<Value, ValueError> {
        let fields = R::STATE.iter().zip(self.routine.state());
        let fields = fields.map(|(name, field)| match field.save() {
            Ok(value) => Ok((Value::Text((*name).to_owned()), value)),
            Err(error) => Err(ValueError(format!("field `{name}`: {error}"))),
        });
        Ok(Value::Map(fields.collect::<Result<_, _>>()?))
    }

    fn load(&mut self, value: Value) -> Result<(), ValueError> {
        let Value::Map(mut saved) = value else {
            return Err(ValueError("expected a map of the routine's state".into()));
        };
        for (number, name) in R::STATE.iter().enumerate() {
            let Some(at) = saved.iter().position(|(key, _)| matches!(key, Value::Text(key) if key == name))
            else {
                return Err(ValueError(format!("the saved state has no field `{name}`")));
            };
            let (_, value) = saved.swap_remove(at);
            let loaded = self.routine.state()[number].load(value);
            let loaded = loaded.map_err(|error| ValueError(format!("field `{name}`: {error}")))?;
            self.routine.set_state(number, loaded);
        }
        match saved.first() {
            None => Ok(()),
            Some((Value::Text(name), _)) => {
                Err(ValueError(format!("`{}` has no `#[state]` field `{name}`", R::TYPE)))
            }
            Some(_) => Err(ValueError("the names of state fields are text".into())),
        }
    }
}
