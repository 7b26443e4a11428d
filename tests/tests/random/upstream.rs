//! When nothing can come any more, found by looking: at what waits, what is open and what has not fired, and at where the ways of the
//! flow lead from there.

use crate::view::{View, Waiting};
use tests::random::plan::{From, Plan, Role, To, When};
use tests::tokens::Mark;

/// A port that fires when nothing can come any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Closer {
    node: usize,
    port: usize,
    is_finish: bool,
}

/// What leads where.
pub(crate) struct Ways {
    closers: Vec<Closer>,
    /// By routine: the slots that anything in it may lead to.
    leads_to: Vec<Vec<(usize, usize)>>,
    inputs: Vec<(usize, usize)>,
}

impl Ways {
    pub(crate) fn of(plan: &Plan) -> Self {
        // In the order in which they are declared: in a cycle that says who goes first.
        let mut closers = Vec::new();
        for &node in &plan.order {
            for (port, known) in plan.nodes[node].kind.ports.iter().enumerate() {
                let is_finish = known.role == Role::Finish;
                if is_finish || known.within || matches!(known.when, When::Drained | When::Count(_)) {
                    closers.push(Closer { node, port, is_finish });
                }
            }
        }
        let inputs = plan.ways().filter_map(|(statement, to)| match (statement.from, to) {
            (From::Input(_), To::Slot { node, port, .. }) => Some((*node, *port)),
            _ => None,
        });
        let leads_to = (0..plan.nodes.len()).map(|node| plan.leads_to(node)).collect();
        Ways { closers, leads_to, inputs: inputs.collect() }
    }

    fn is_at(&self, slot: (usize, usize), closer: Closer) -> bool {
        match closer.is_finish {
            true => slot.0 == closer.node,
            false => slot == (closer.node, closer.port),
        }
    }

    /// Whether something at this slot may bring something to the closer.
    fn may_bring(&self, slot: (usize, usize), closer: Closer) -> bool {
        self.is_at(slot, closer) || self.leads_to[slot.0].iter().any(|slot| self.is_at(*slot, closer))
    }

    /// Whether it is downstream of itself.
    fn is_in_cycle(&self, closer: Closer) -> bool {
        self.leads_to[closer.node].iter().any(|slot| self.is_at(*slot, closer))
    }
}

/// Every closer has fired exactly if nothing may come to it any more: between two steps of a job that has begun.
pub(crate) fn check(view: &View<'_>, ways: &Ways) {
    let closed = view.closed();
    let has_fired = |closer: Closer| closed.contains(&(closer.node, closer.port));
    let is_open = view.data["inputs_closed"] == false;
    for (number, &closer) in ways.closers.iter().enumerate() {
        let name = format!("r{}.{}", closer.node, view.plan.port(closer.node, closer.port).name);
        let own = (closer.node, closer.port);
        let may_bring = |waiting: &&Waiting| {
            let slot = view.slot(&waiting.to);
            // Its own firing is nothing that comes to it.
            let is_firing = slot == own && (waiting.payload == "close" || waiting.payload.is_null());
            !is_firing && ways.may_bring(slot, closer)
        };
        let mut waits = view.waiting.iter().filter(may_bring).peekable();
        let comes_in =
            is_open.then(|| ways.inputs.iter().find(|slot| ways.may_bring(**slot, closer))).flatten();
        let unfired = ways.closers.iter().enumerate().find(|(other, who)| {
            let (to, fro) = (ways.may_bring((who.node, who.port), closer), ways.may_bring(own, **who));
            *other != number && !has_fired(**who) && to && !(fro && number < *other)
        });
        let nothing_comes = waits.peek().is_none() && comes_in.is_none() && unfired.is_none();
        if nothing_comes {
            assert!(has_fired(closer), "nothing can come to `{name}` any more, and it has not fired");
        }
        // In a cycle what it sends may come back. That values may have waited too long is no news to a join that keeps none any more.
        if has_fired(closer) && !ways.is_in_cycle(closer) {
            let late = waits
                .find(|waiting| waiting.payload != "expire" || !closed.contains(&view.slot(&waiting.to)));
            assert!(
                late.is_none() && comes_in.is_none() && unfired.is_none(),
                "`{name}` has fired, and there is {late:?}, the inputs are open to {comes_in:?}, {unfired:?} has not fired"
            );
        }
    }
}

/// No handler upstream of a slot that waits for the end of all others ran or began after it: by what the handlers wrote down.
pub(crate) fn check_marks(view: &View<'_>, ways: &Ways) {
    let record = view.record;
    for &closer in &ways.closers {
        let known = view.plan.port(closer.node, closer.port);
        let is_its = |call: usize| {
            let call = &record.calls[call];
            (call.routine, call.slot) == (closer.node, known.name)
        };
        if ways.is_in_cycle(closer) || !(closer.is_finish || known.when == When::Drained) {
            continue;
        }
        let begun = record.marks.iter().position(|mark| matches!(mark, Mark::Begin(call) if is_its(*call)));
        let Some(begun) = begun else { continue };
        let late = record.marks[begun..].iter().find_map(|mark| {
            let (Mark::Begin(call) | Mark::End(call)) = mark;
            let at = &record.calls[*call];
            let port = view.slot(&format!("r{}.{}", at.routine, at.slot)).1;
            (!is_its(*call) && ways.may_bring((at.routine, port), closer)).then_some(at)
        });
        assert!(late.is_none(), "r{}.{} has fired, and then ran {late:?}", closer.node, known.name);
    }
}
