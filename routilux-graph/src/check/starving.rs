//! Joins that may wait for a partner that never comes: what goes to one of their inputs need not go to the other. They lose
//! nothing, and the report counts what is left; but pairs are made in the order of arrival, so one that is missing
//! shifts all that follow.

use super::{Checker, Part, Place};
use crate::code::Code;
use crate::ends::{Leaving, To};
use crate::model::{Connection, Graph, Merge, Policy, Port, Role, Subject};
use crate::ways::Ways;

impl Checker<'_> {
    pub(super) fn starving(&mut self) {
        let graph = self.graph;
        let ways = Ways::of(graph, &self.ends);
        for (r, routine) in graph.routines.iter().enumerate() {
            for (s, slot) in routine.slots.iter().enumerate() {
                if slot.role == Role::Join && !slot.within && slot.merge != Merge::Latest {
                    let told = self.decided(r, s);
                    if !told {
                        self.skipped(&ways, r, s);
                    }
                }
            }
        }
    }

    /// By parameter: the connections that end at it.
    fn feeding(&self, routine: usize, slot: usize) -> Vec<Vec<usize>> {
        let params = self.graph.routines[routine].slots[slot].params.len();
        let ends = |param: usize, end: &Option<To>| *end == Some((routine, slot, Some(param)));
        let into = |param: usize| {
            (0..self.ends.slots.len()).filter(|index| ends(param, &self.ends.slots[*index])).collect()
        };
        (0..params).map(into).collect()
    }

    /// One event goes to two parameters, and a guard lets it to one of them and not to the other.
    fn decided(&mut self, routine: usize, slot: usize) -> bool {
        let graph = self.graph;
        let into = self.feeding(routine, slot);
        let is_guarded = |index: usize| graph.connections[index].guard.is_some();
        let gate = |index: usize| {
            let Connection { guard, otherwise, .. } = &graph.connections[index];
            (guard, *otherwise)
        };
        for (number, own) in into.iter().enumerate() {
            for (other, others) in into.iter().enumerate().filter(|(other, _)| *other != number) {
                let apart = own.iter().copied().find(|&index| {
                    let from = &graph.connections[index].from;
                    let beside = |other: &&usize| graph.connections[**other].from == *from;
                    let mut beside = others.iter().filter(beside).peekable();
                    let more = own.iter().filter(|known| graph.connections[**known].from == *from).count();
                    is_guarded(index)
                        && more == 1
                        && beside.peek().is_some()
                        && beside.all(|other| gate(*other) != gate(index))
                });
                let Some(index) = apart else { continue };
                let join = Port::new(&graph.routines[routine].id, &graph.routines[routine].slots[slot].name);
                let param = |number: usize| &graph.routines[routine].slots[slot].params[number].name;
                let from = &graph.connections[index].from;
                self.tell(
                    Code::JoinMayStarve,
                    Place::To(index, Part::Whole),
                    format!(
                        "the join `{join}` may wait for ever: not every `{from}` that goes to `{}` goes to `{}` too",
                        param(other),
                        param(number)
                    ),
                    limit(&join),
                );
                return true;
            }
        }
        false
    }

    /// A policy skips what would have led to one parameter, and not to the other.
    fn skipped(&mut self, ways: &Ways, routine: usize, slot: usize) {
        let graph = self.graph;
        let reaching: Vec<Vec<bool>> = self
            .feeding(routine, slot)
            .iter()
            .map(|into| {
                let from = into.iter().filter_map(|index| self.ends.events[*index]);
                // An error event leaves where nothing was skipped.
                let from = from.filter(|(_, leaving)| matches!(leaving, Leaving::Event(_)));
                ways.reaching(from.map(|from| ways.leaving(from)).collect::<Vec<_>>())
            })
            .collect();
        for (index, policy) in graph.policies.iter().enumerate() {
            let Some(at) = skips(graph, policy) else { continue };
            let node = ways.starting(at);
            let reached: Vec<bool> = reaching.iter().map(|reaching| reaching[node]).collect();
            let (Some(yes), Some(no)) =
                (reached.iter().position(|reached| *reached), reached.iter().position(|reached| !reached))
            else {
                continue;
            };
            let slot = &graph.routines[routine].slots[slot];
            let join = Port::new(&graph.routines[routine].id, &slot.name);
            let (yes, no) = (&slot.params[yes].name, &slot.params[no].name);
            self.tell(
                Code::JoinMayStarve,
                Place::Policy(index, Part::Whole),
                format!(
                    "the join `{join}` may wait for ever: what is skipped here leads to `{yes}`, and not to `{no}`"
                ),
                limit(&join),
            );
            return;
        }
    }
}

/// The routine whose deliveries a policy skips, where it names one that is no flow.
fn skips(graph: &Graph, policy: &Policy) -> Option<usize> {
    let id = match policy.of.as_ref()? {
        Subject::Routine(id) => id,
        Subject::Slot(port) => &port.routine,
    };
    let skips = policy.text.split(|c: char| !c.is_alphanumeric()).any(|word| word == "skip");
    let at = graph.routines.iter().position(|routine| routine.id == *id)?;
    (skips && graph.routines[at].inner.is_none()).then_some(at)
}

fn limit(join: &Port) -> String {
    format!(
        "send both on every way, or give it a time limit where it is declared, `#[join(within = \"30min\")] fn {}(..)`, \
         and connect `{join}.unpaired`",
        join.name
    )
}
