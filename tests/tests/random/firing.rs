//! What slots that gather hand over, and when: the table of `merge` and `when`, and what joins do, written once more, and fed with
//! the arrivals of a job that is looked at between all of its steps.

use crate::view::{Bag, View, arrival, is_pair};
use routilux::Outcome;
use std::collections::{BTreeMap, HashMap};
use tests::random::plan::{Merge, Plan, Port, Role, When};
use tests::tokens::{Call, Token};

#[derive(Clone, Copy, Debug)]
struct Arrived {
    node: usize,
    port: usize,
    param: Option<usize>,
    connection: u64,
    /// `None` is word that nothing more comes.
    token: Option<Token>,
    /// Whether a join has brought it together with others before.
    is_pair: bool,
}

#[derive(Default)]
struct Contents {
    /// In the order of arrival: by which connection, and for which parameter.
    values: Vec<(u64, Option<usize>, Token)>,
    /// How many came since it was last emptied, those that were superseded among them.
    count: usize,
    closed: bool,
}

/// All slots of a job, as they have to be.
#[derive(Default)]
pub(crate) struct Firing {
    arrived: HashMap<u64, Arrived>,
    /// What has no id yet, because it leaves later.
    later: Vec<Arrived>,
    slots: BTreeMap<(usize, usize), Contents>,
    /// What joins have brought together that was not handled, by delivery.
    pairs: HashMap<u64, Vec<Vec<Token>>>,
    /// How many of the steps that were written down are done here too.
    runs: usize,
}

impl Firing {
    /// Notes what waits: what is handled next is among it.
    pub(crate) fn before(&mut self, view: &View<'_>) {
        self.later.clear();
        for waiting in &view.waiting {
            let (node, port) = view.slot(&waiting.to);
            let known = view.plan.port(node, port);
            if !matches!(known.role, Role::Handler | Role::Join) {
                continue;
            }
            let came = arrival(known, &waiting.payload);
            let of = &waiting.payload["of"];
            let is_pair = is_pair(&waiting.payload);
            if known.gathers() && !came.is_empty() && !is_pair {
                let ways = view.plan.ways_into(node, port) as u64;
                assert_eq!(of["of"].as_u64(), Some(ways), "so many ways lead to {}", waiting.to);
            }
            let arrived = Arrived {
                node,
                port,
                param: came.first().and_then(|(param, _)| *param),
                connection: of["connection"].as_u64().unwrap_or_default(),
                token: came.first().map(|(_, token)| *token),
                is_pair,
            };
            match waiting.id {
                0 => self.later.push(arrived),
                id => drop(self.arrived.insert(id, arrived)),
            }
        }
    }

    /// Does what was done since then, and compares what handlers were given and what slots keep.
    pub(crate) fn after(&mut self, view: &View<'_>) {
        let runs = &view.record.runs[self.runs..];
        self.runs = view.record.runs.len();
        for run in runs {
            // What leaves later may be due and handled in one step: then it is the first of those to its slot.
            let name = format!("{}.{}", run.routine, run.slot);
            let slot = view.slot(&name);
            let first = || self.later.iter().find(|later| (later.node, later.port) == slot);
            let Some(&arrived) = self.arrived.get(&run.delivery).or_else(first) else { continue };
            self.arrived.insert(run.delivery, arrived);
            let known = *view.plan.port(arrived.node, arrived.port);
            let keeps = known.gathers() || matches!(known.merge, Merge::Append | Merge::Fold);
            if !keeps || known.within {
                continue;
            }
            if run.outcome != Outcome::Handled {
                // What a join has brought together stays so. Other slots are as they were.
                if known.role == Role::Join && !arrived.is_pair {
                    let contents = self.slots.entry((arrived.node, arrived.port)).or_default();
                    let pair = contents.add(&known, &arrived, view.plan);
                    self.pairs.insert(
                        run.delivery,
                        pair.unwrap_or_else(|| panic!("`{name}` has failed with nothing")),
                    );
                }
                continue;
            }
            let called = view.done().find(|call| call.delivery == run.delivery);
            let contents = self.slots.entry((arrived.node, arrived.port)).or_default();
            let expected = match arrived.is_pair {
                true => self.pairs.remove(&run.delivery),
                false => contents.add(&known, &arrived, view.plan),
            };
            match (&expected, called) {
                (None, None) => {}
                (Some(took), Some(Call { took: really, .. })) => {
                    assert_eq!(took, really, "`{name}` was given")
                }
                _ => panic!("`{name}` was to be given {expected:?}, and was {called:?}"),
            }
        }
        for ((node, port), contents) in &self.slots {
            if view.plan.port(*node, *port).gathers() {
                let (mut here, mut there) = (Bag::default(), Bag::default());
                contents.values.iter().for_each(|(.., token)| here.add(*token));
                view.held(*node, *port).iter().for_each(|(_, token)| there.add(*token));
                assert_eq!(here, there, "r{node}.{} keeps", view.plan.port(*node, *port).name);
            }
        }
    }
}

impl Contents {
    /// Adds what arrives. What the handler is given, if it runs.
    fn add(&mut self, port: &Port, arrived: &Arrived, plan: &Plan) -> Option<Vec<Vec<Token>>> {
        let Some(token) = arrived.token else {
            self.closed = true;
            let fires = match port.when {
                When::Drained => true,
                When::Count(_) => self.count > 0,
                When::Each | When::All => false,
            };
            return fires.then(|| self.all(port));
        };
        let is_latest = port.merge == Merge::Latest;
        let place = |value: &(u64, Option<usize>, Token)| match port.role {
            Role::Join => value.1 == arrived.param,
            _ => value.0 == arrived.connection,
        };
        self.count += 1;
        match self.values.iter_mut().find(|value| is_latest && place(value)) {
            Some(value) => value.2 = token,
            None => self.values.push((arrived.connection, arrived.param, token)),
        }
        if port.role == Role::Join {
            return self.pair(port);
        }
        let ways = plan.ways_into(arrived.node, arrived.port);
        let fires = match port.when {
            When::Each => {
                return Some(vec![self.values.iter().map(|(.., token)| *token).collect()]);
            }
            When::Count(most) => self.closed || self.count >= most,
            When::All => {
                let mut seen: Vec<u64> = self.values.iter().map(|(connection, ..)| *connection).collect();
                seen.sort_unstable();
                seen.dedup();
                seen.len() >= ways
            }
            When::Drained => false,
        };
        fires.then(|| self.all(port))
    }

    fn all(&mut self, port: &Port) -> Vec<Vec<Token>> {
        self.count = 0;
        let mut values = std::mem::take(&mut self.values);
        if port.merge == Merge::Latest {
            values.sort_by_key(|(connection, ..)| *connection);
        }
        vec![values.into_iter().map(|(.., token)| token).collect()]
    }

    /// The first of each parameter, if there is one of each.
    fn pair(&mut self, port: &Port) -> Option<Vec<Vec<Token>>> {
        let first = |param| self.values.iter().position(|value| value.1 == Some(param));
        let found: Vec<usize> = (0..port.params.len()).map(first).collect::<Option<_>>()?;
        let taken = found.iter().map(|at| vec![self.values[*at].2]).collect();
        let mut at = 0;
        self.values.retain(|_| {
            at += 1;
            !found.contains(&(at - 1))
        });
        Some(taken)
    }
}
