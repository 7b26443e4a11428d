//! What a unit test reads of what a handler asked for that is to happen later.

use crate::emit::Ask;
use crate::routine::Outbox;
use std::time::Duration;

impl<E> Outbox<E> {
    /// What is emitted later, once or again and again, each with its time.
    pub fn asked_later(&self) -> Vec<(Duration, &E)> {
        let asked = self.asked().iter().filter_map(|ask| match ask {
            Ask::After { after: time, event, .. } | Ask::Every { period: time, event, .. } => {
                Some((*time, event))
            }
            Ask::Cancel { .. } => None,
        });
        asked.collect()
    }

    /// What is emitted once, after so long.
    pub fn asked_after(&self, duration: Duration) -> Vec<&E> {
        let asked = self.asked().iter().filter_map(|ask| match ask {
            Ask::After { after, event, .. } if *after == duration => Some(event),
            _ => None,
        });
        asked.collect()
    }

    /// What is emitted each time after so long.
    pub fn asked_every(&self, duration: Duration) -> Vec<&E> {
        let asked = self.asked().iter().filter_map(|ask| match ask {
            Ask::Every { period, event, .. } if *period == duration => Some(event),
            _ => None,
        });
        asked.collect()
    }

    /// What is emitted later under that name.
    pub fn asked_named(&self, wanted: &str) -> Vec<&E> {
        let asked = self.asked().iter().filter_map(|ask| match ask {
            Ask::After { name, event, .. } | Ask::Every { name, event, .. } => {
                (name.as_deref() == Some(wanted)).then_some(event)
            }
            Ask::Cancel { .. } => None,
        });
        asked.collect()
    }

    /// The names of what is no longer to be emitted.
    pub fn asked_to_cancel(&self) -> Vec<&str> {
        let asked = self.asked().iter().filter_map(|ask| match ask {
            Ask::Cancel { name } => Some(name.as_str()),
            _ => None,
        });
        asked.collect()
    }
}
