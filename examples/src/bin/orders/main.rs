//! Orders and their payments, which come in any order or not at all, to a carrier and a ledger, which fail now and then.
//!
//! - A *join* brings each order together with its payment. What finds no partner within half an hour is not lost: it is the
//!   event `settle.unpaired`.
//! - A carrier who is busy is asked again, later each time, or when he says (`retry_after`). What he will never take, and
//!   what he was asked too often for, goes along the *error wire* to the output `dead_letters`.
//! - The ledger's answer may get lost after it has booked. So it is told again, with the same *idempotency key*, and
//!   books nothing twice.
//!
//! What belongs together is one job: each order has its own, with its number as the id. Time is that of the log, whose day
//! passes in a moment, because the jobs go by a *manual clock* that this program moves on.

mod flow;
mod log;
mod outside;

use clap::Parser;
use flow::{Checkout, SettleUnpaired};
use log::{Event, Record};
use outside::{Carrier, Ledger};
use routilux::Clock;
use routilux::prelude::*;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

const MINUTE: Duration = Duration::from_secs(60);

/// Replays a day's log of orders and payments, and tells how each order ended.
///
/// The log is CSV with the columns time, event (`order` or `payment`), order (its number), cents, trouble. The last is for
/// orders: nothing, `busy N` (the carrier is, N times), `no such address`, or `answer lost` (that of the ledger, once).
#[derive(Parser)]
#[command(name = "orders", version)]
struct Arguments {
    /// The log; the one that comes with this example otherwise
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
}

fn main() -> ExitCode {
    examples::end("orders", run(Arguments::parse()))
}

fn run(arguments: Arguments) -> Result<(), String> {
    let given = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/orders.csv");
    let records = log::read(&arguments.input.unwrap_or(given))?;
    let ledger = Ledger::default();
    let flow = Checkout::new(Carrier, ledger.clone());
    let jobs = replay(&records, &flow).map_err(examples::in_words)?;
    examples::print(Summary::of(&records, jobs, &ledger))
}

/// All jobs, by the number of their order.
type Jobs = BTreeMap<u64, Job<Checkout>>;

/// Gives each job what the log has for it, when the log has it.
fn replay(records: &[Record], flow: &Checkout) -> routilux::Result<Jobs> {
    let clock = Clock::manual(SystemTime::UNIX_EPOCH);
    let new = |number: u64| flow.job().id(format!("order-{number}")).clock(clock.clone());
    let mut jobs = Jobs::new();
    let mut now = 0;
    for record in records {
        // Whose time has come by then goes first: another attempt, or the end of a wait.
        for _ in now..record.minute {
            clock.advance(MINUTE);
            for job in jobs.values_mut() {
                job.run_until_idle()?;
            }
        }
        now = record.minute;
        let job = jobs.entry(record.event.order()).or_insert_with_key(|number| new(*number));
        match record.event.clone() {
            Event::Placed(order) => job.inputs().order(order)?,
            Event::Paid(payment) => job.inputs().payment(payment)?,
        }
        job.run_until_idle()?;
    }
    // After the last record nothing more comes, but there may be something to wait for. On the system's clock this would be
    // `job.run()`, which waits until a delivery is due: this clock stands still meanwhile.
    for job in jobs.values_mut() {
        job.close_inputs();
        while job.run_until_idle()? != Status::Completed {
            clock.advance(MINUTE);
        }
    }
    Ok(jobs)
}

/// How the day went.
#[derive(Default)]
struct Summary {
    orders: usize,
    settled: usize,
    unpaired: Vec<u64>,
    dead_letters: Vec<String>,
    /// In cents.
    booked: u64,
    /// What the ledger was told again.
    repeated: u64,
    /// Payments without an order.
    refunds: Vec<u64>,
}

impl Summary {
    fn of(records: &[Record], jobs: Jobs, ledger: &Ledger) -> Self {
        let orders = records.iter().filter(|record| matches!(record.event, Event::Placed(_))).count();
        let (booked, repeated) = ledger.totals();
        let mut summary = Summary { orders, booked, repeated, ..Summary::default() };
        for mut job in jobs.into_values() {
            summary.settled += job.outputs().booked().count();
            for dead in job.outputs().dead_letters() {
                let Failure { payload: sale, error, attempts, .. } = dead;
                let number = sale.order.number;
                summary.dead_letters.push(format!("order {number}, attempt {attempts}: {error}"));
            }
            for unpaired in job.outputs().unpaired() {
                match unpaired {
                    SettleUnpaired::Order(order) => summary.unpaired.push(order.number),
                    SettleUnpaired::Payment(payment) => summary.refunds.push(payment.order),
                }
            }
        }
        summary
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "Orders", self.orders)?;
        line(f, "  settled", self.settled)?;
        line(f, "  without a payment", self.unpaired.len())?;
        line(f, "  dead letters", self.dead_letters.len())?;
        line(f, "Booked, in cents", self.booked)?;
        line(f, "  told the ledger again", self.repeated)?;
        line(f, "Payments to return", self.refunds.len())?;
        writeln!(f)?;
        for letter in &self.dead_letters {
            writeln!(f, "Dead letter: {letter}")?;
        }
        for order in &self.unpaired {
            writeln!(f, "Order {order} was not paid in time")?;
        }
        for order in &self.refunds {
            writeln!(f, "The payment for order {order} came without one, or too late")?;
        }
        Ok(())
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, amount: impl fmt::Display) -> fmt::Result {
    writeln!(f, "{name:<25}{amount:>10}")
}
