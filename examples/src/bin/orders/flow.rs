//! One order, from the counter to the books.

use crate::log::{Order, Payment};
use crate::outside::{Busy, Carrier, Ledger, Refusal};
use routilux::prelude::*;
use serde::{Deserialize, Serialize};

/// An order that is paid.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sale {
    pub(crate) order: Order,
    pub(crate) payment: Payment,
}

/// Brings an order together with its payment.
#[routine]
pub(crate) struct Desk;

#[routine]
impl Desk {
    /// The order is paid.
    #[event]
    fn paid(sale: Sale);

    /// Runs when there is one of each, whichever came first. What is alone for longer than `within` is emitted as
    /// `settle.unpaired`, an enum of the parameters: `SettleUnpaired`.
    #[join(within = "30min", emit = paid)]
    fn settle(&mut self, order: Order, payment: Payment) -> Sale {
        Sale { order, payment }
    }
}

/// Sends parcels.
#[routine]
pub(crate) struct Dispatch {
    #[resource]
    carrier: Carrier,
}

#[routine]
impl Dispatch {
    /// The carrier has it.
    #[event]
    fn sent(sale: Sale);

    /// Hands a parcel to the carrier. What it fails with is for the flow to judge.
    #[slot]
    fn parcel(&self, sale: &Sale, out: &mut Emit<Self>, cx: &Context) -> Result {
        match self.carrier.take(&sale.order, cx.attempt()) {
            Ok(()) => out.sent(sale.clone()),
            Err(Refusal::Busy(busy)) => {
                let wait = busy.come_back;
                let error = HandlerError::from(busy);
                return Err(match wait {
                    // He knows better than the flow when to ask again.
                    Some(wait) => error.retry_after(wait),
                    None => error,
                });
            }
            Err(Refusal::NoSuchAddress(error)) => return Err(error.into()),
        }
        Ok(())
    }
}

/// Books sales.
#[routine]
pub(crate) struct Books {
    #[resource]
    ledger: Ledger,
}

#[routine]
impl Books {
    /// It is in the ledger.
    #[event]
    fn booked(sale: Sale);

    /// Books a sale. The key is the same in every attempt at this delivery, also in another process that goes on with
    /// the job: by it the ledger knows what it has.
    #[slot]
    fn sale(&self, sale: &Sale, out: &mut Emit<Self>, cx: &Context) -> Result {
        let loses_answer = sale.order.trouble.loses_answer();
        self.ledger.book(cx.idempotency_key("ledger"), sale.payment.cents, loses_answer)?;
        out.booked(sale.clone());
        Ok(())
    }
}

flow! {
    /// An order and its payment go in; it is booked, without a partner, or a dead letter.
    pub(crate) flow Checkout(carrier: Carrier, ledger: Ledger) {
        desk:     Desk;
        dispatch: Dispatch { carrier };
        books:    Books { ledger };

        in order              -> desk.settle.order;
        in payment            -> desk.settle.payment;
        desk.settle.unpaired  -> out unpaired;
        desk.paid             -> dispatch.parcel;

        // Three more attempts, after 1, 2 and 4 minutes, but only where it helps.
        on error of dispatch.parcel if |error| error.downcast_ref::<Busy>().is_some() retry(3, 1min, x2);
        // What fails for good.
        dispatch.parcel.error -> out dead_letters;

        dispatch.sent         -> books.sale;
        on error of books.sale retry(5, 10s, x2, max 1min);
        books.booked          -> out booked;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Trouble;
    use routilux::sim;

    #[test]
    fn an_order_ends_in_one_way_and_is_booked_once_whatever_comes_first() {
        const SEEDS: u64 = 50;
        for (trouble, booked) in [
            (Trouble::None, 1),
            (Trouble::Busy(3), 1),
            (Trouble::Busy(4), 0),
            (Trouble::NoSuchAddress, 0),
            (Trouble::AnswerLost, 1),
        ] {
            let ledger = Ledger::default();
            let flow = Checkout::new(Carrier, ledger.clone());
            sim::with_crashes().explore(flow, SEEDS, |job| -> routilux::Result<()> {
                job.inputs().order(Order { number: 1, trouble })?;
                job.inputs().payment(Payment { order: 1, cents: 5 })?;
                assert_eq!(job.run()?.status(), Status::Completed);
                assert_eq!(job.outputs().booked().count(), booked);
                assert_eq!(job.outputs().dead_letters().count(), 1 - booked);
                assert_eq!(job.outputs().unpaired().count(), 0);
                Ok(())
            });
            assert_eq!(ledger.totals().0, SEEDS * 5 * booked as u64, "{trouble:?}");
        }
    }
}
