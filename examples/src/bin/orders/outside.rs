//! What is outside of the flow: a carrier and a ledger, which have the troubles that the log says.

use crate::log::{Order, Trouble};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Takes parcels.
#[derive(Clone)]
pub(crate) struct Carrier;

/// Why the carrier takes a parcel not.
pub(crate) enum Refusal {
    Busy(Busy),
    NoSuchAddress(NoSuchAddress),
}

/// Not now.
#[derive(Debug)]
pub(crate) struct Busy {
    /// In how long there will be someone.
    pub(crate) come_back: Option<Duration>,
}

/// Never.
#[derive(Debug)]
pub(crate) struct NoSuchAddress;

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the carrier is busy")
    }
}

impl fmt::Display for NoSuchAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the carrier finds no such address")
    }
}

impl Error for Busy {}
impl Error for NoSuchAddress {}

impl Carrier {
    pub(crate) fn take(&self, order: &Order, attempt: u32) -> Result<(), Refusal> {
        match order.trouble {
            Trouble::Busy(times) if attempt <= times => {
                // Once he is polite.
                let come_back = (attempt == 1).then_some(Duration::from_secs(3 * 60));
                Err(Refusal::Busy(Busy { come_back }))
            }
            Trouble::NoSuchAddress => Err(Refusal::NoSuchAddress(NoSuchAddress)),
            _ => Ok(()),
        }
    }
}

/// Books amounts. A clone is the same ledger.
#[derive(Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    /// In cents, by key.
    booked: BTreeMap<String, u64>,
    repeated: u64,
}

impl Ledger {
    /// Books so many cents, unless there is an entry with this key: it is the same one, told again.
    pub(crate) fn book(&self, key: String, cents: u64, loses_answer: bool) -> Result<(), &'static str> {
        let mut entries = self.entries();
        if entries.booked.contains_key(&key) {
            entries.repeated += 1;
            return Ok(());
        }
        entries.booked.insert(key, cents);
        match loses_answer {
            // It is booked, and who asked for it does not know.
            true => Err("the ledger does not answer"),
            false => Ok(()),
        }
    }

    /// How many cents are booked, and how many entries were told again.
    pub(crate) fn totals(&self) -> (u64, u64) {
        let entries = self.entries();
        (entries.booked.values().sum(), entries.repeated)
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
