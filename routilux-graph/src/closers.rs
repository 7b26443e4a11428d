//! When nothing can come any more. A *closer* is a port that fires then: a drained slot, a slot with a remainder, a join
//! with a time limit, a finish. An engine keeps one counter for each closer, and a closer fires when its counter is zero. There is one
//! counter, and not a sum over several, because a sum that is read while others change it is a race.
//!
//! The invariant. A closer's counter is
//! - the deliveries that wait, are delayed or run and that [`Closers::counted`] says count in it,
//! - plus the other closers that it waits for and that have not fired: each counts like a delivery to its slot,
//! - plus one while the inputs of the flow are open, if one of them leads to it.
//!
//! So it is zero exactly when nothing can come any more: whatever may still bring something to the closer's slot is a
//! delivery upstream of it, a closer upstream of it, or an input. A step keeps the invariant when it counts what it sends before it
//! takes back what it handled; then a counter that is zero stays zero.
//!
//! An engine does these things:
//! - At the start, each counter is [`Closers::initial`]; then the first call of each source that is started is counted as a delivery
//!   to its port.
//! - A delivery that is sent, to a slot or to a source's port, adds one to each closer in `counted` of that slot. One that is handled,
//!   skipped, superseded or dropped takes it back, after what its step sends is counted.
//! - The inputs are closed: one less for each closer with `from_input`.
//! - A closer fires when its counter is zero and it has not fired: first its firing is counted as a delivery to its slot, then
//!   each closer in [`Closers::waited_for_by`] has one less. For those this changes nothing until the step has ended.
//! - A slot with a remainder, or a join with a time limit, that has fired in a cycle may gather again. Then it has not fired any more: in
//!   the step that gathers, each closer in `waited_for_by` has one more, before the delivery is taken back.
//!
//! A closer waits for those upstream of it. In a cycle two closers are upstream of each other, and would wait for
//! ever: there, and only there, the one with the lower number does not wait for the higher one. What is upstream is so by
//! transitivity, so the order that is left has no cycle, and when nothing waits, runs or is delayed and the inputs are
//! closed, a closer that has not fired can.

use crate::ends::Ends;
use crate::model::{Graph, Role, Routine, Slot, Source, When};
use crate::ways::Ways;

/// The closers of a flow, and what counts in their counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closers {
    /// The closers, in the order of their slots.
    pub closers: Vec<Closer>,
    /// By slot of the flow: the numbers of the closers in whose counters a delivery to it counts.
    pub counted: Vec<Vec<usize>>,
    waits_for: Vec<Vec<usize>>,
    waited_for_by: Vec<Vec<usize>>,
}

/// A port that fires when nothing can come any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closer {
    /// What it does then.
    pub kind: Closing,
    /// Its number among all ports of the flow, counted routine by routine.
    pub slot: usize,
    /// The number of its routine.
    pub routine: usize,
    /// By routine: whether a way leads from it into the closer's slot; for a finish, into any port of its routine, or it is that
    /// routine. Feedback is a way like any other.
    pub upstream: Vec<bool>,
    /// Whether an input of the flow leads to it.
    pub from_input: bool,
}

/// What a closer does when nothing can come any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// A drained slot runs, once in a job.
    Drained,
    /// A slot that runs after a number of arrivals runs with the remainder, if there is one.
    Remainder,
    /// A join gives up what has no partner.
    Unpaired,
    /// A finish runs, once in a job.
    Finish,
}

impl Closing {
    fn of(slot: &Slot) -> Option<Closing> {
        match (slot.role, slot.when) {
            (Role::Finish, _) => Some(Closing::Finish),
            (Role::Source { .. }, _) => None,
            (_, When::Drained) => Some(Closing::Drained),
            (_, When::Count(_)) => Some(Closing::Remainder),
            _ => slot.within.then_some(Closing::Unpaired),
        }
    }
}

impl Closers {
    /// The closers of a flow without flows in it: see [`Graph::flattened`].
    ///
    /// ```
    /// use routilux_graph::{Closers, Connection, Event, Graph, Port, Routine, Slot, Source, Target, When};
    ///
    /// let mut read = Routine::new("read", "Read");
    /// read.slots.push(Slot::new("path", "String"));
    /// read.events.push(Event::new("line", "String"));
    /// let mut count = Routine::new("count", "Count");
    /// count.slots.push(Slot { when: When::Drained, ..Slot::new("lines", "String") });
    /// let mut graph = Graph::new("Lines");
    /// graph.routines = vec![read, count];
    /// let port = |routine: &str, name: &str| Port::new(routine, name);
    /// graph.connections = vec![
    ///     Connection::new(Source::Input("path".into()), Target::Slot(port("read", "path"))),
    ///     Connection::new(Source::Event(port("read", "line")), Target::Slot(port("count", "lines"))),
    /// ];
    ///
    /// let closers = Closers::of(&graph);
    /// assert_eq!(closers.closers.len(), 1);
    /// assert_eq!(closers.counted, [[0], [0]]);
    /// assert_eq!(closers.initial(0), 1);
    /// ```
    pub fn of(graph: &Graph) -> Self {
        let ends = Ends::of(graph);
        let ways = Ways::of(graph, &ends);
        let mut closers = Vec::new();
        let mut routine_of = Vec::new();
        for (r, routine) in graph.routines.iter().enumerate() {
            for (s, slot) in routine.slots.iter().enumerate() {
                if let Some(kind) = Closing::of(slot) {
                    closers.push(closer(graph, &ends, &ways, kind, (r, s), routine_of.len()));
                }
                routine_of.push(r);
            }
        }
        let counted: Vec<Vec<usize>> = routine_of
            .iter()
            .enumerate()
            .map(|(slot, routine)| {
                let counts = |closer: &Closer| closer.upstream[*routine] || closer.slot == slot;
                (0..closers.len()).filter(|number| counts(&closers[*number])).collect()
            })
            .collect();
        let brings = |from: &Closer, to: usize| counted[from.slot].contains(&to);
        let waits = |who: usize, whom: usize| {
            who != whom && brings(&closers[whom], who) && !(who < whom && brings(&closers[who], whom))
        };
        let numbers = 0..closers.len();
        let waits_for = numbers.clone().map(|c| numbers.clone().filter(|other| waits(c, *other)).collect());
        let waits_for: Vec<Vec<usize>> = waits_for.collect();
        let waited_for_by =
            numbers.clone().map(|c| numbers.clone().filter(|other| waits(*other, c)).collect());
        let waited_for_by = waited_for_by.collect();
        Closers { closers, counted, waits_for, waited_for_by }
    }

    /// The other closers whose firing may still bring something to this one.
    pub fn waits_for(&self, closer: usize) -> &[usize] {
        &self.waits_for[closer]
    }

    /// The other closers that this one may still bring something to: those that [wait for](Self::waits_for) it.
    pub fn waited_for_by(&self, closer: usize) -> &[usize] {
        &self.waited_for_by[closer]
    }

    /// What a closer's counter begins with: the closers that it waits for, and the inputs.
    pub fn initial(&self, closer: usize) -> usize {
        self.waits_for[closer].len() + usize::from(self.closers[closer].from_input)
    }
}

fn closer(graph: &Graph, ends: &Ends, ways: &Ways, kind: Closing, at: (usize, usize), slot: usize) -> Closer {
    let (routine, port) = at;
    let ports = match kind {
        Closing::Finish => 0..graph.routines[routine].slots.len(),
        Closing::Drained | Closing::Remainder | Closing::Unpaired => port..port + 1,
    };
    let next = ports.clone().flat_map(|port| ways.ending_at(ends, routine, port));
    let itself = (kind == Closing::Finish).then(|| ways.starting(routine));
    let reaching = ways.reaching(next.map(|edge| edge.from).chain(itself));
    let mut upstream = vec![false; graph.routines.len()];
    reaching.iter().enumerate().filter(|(_, reaches)| **reaches).for_each(|(node, _)| {
        upstream[ways.routine(node)] = true;
    });
    let from_input = graph.connections.iter().zip(&ends.slots).any(|(connection, to)| {
        let (Source::Input(_), Some(to)) = (&connection.from, to) else { return false };
        reaching[ways.entering(*to)] || (to.0 == routine && ports.contains(&to.1))
    });
    Closer { kind, slot, routine, upstream, from_input }
}

impl Graph {
    /// The port of that number among all ports of the flow, counted routine by routine.
    pub fn slot_at(&self, number: usize) -> Option<(&Routine, &Slot)> {
        let ports =
            self.routines.iter().flat_map(|routine| routine.slots.iter().map(move |slot| (routine, slot)));
        ports.into_iter().nth(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Connection, Policy, Port, Subject, Target};
    use crate::testing::{self, Lcg, flow};

    fn routine(id: &str, slots: &[&str]) -> Routine {
        testing::routine(id, slots, &["e"])
    }

    fn waits(graph: &Graph) -> Vec<Vec<usize>> {
        let closers = Closers::of(graph);
        (0..closers.closers.len()).map(|number| closers.waits_for(number).to_vec()).collect()
    }

    #[test]
    fn nested_drained_slots_wait_in_the_order_of_the_flow() {
        let graph = flow(
            vec![routine("c", &["x:drained"]), routine("b", &["x:drained"]), routine("a", &["x"])],
            &["in x -> a.x", "a.e -> b.x", "b.e -> c.x"],
        );
        let closers = Closers::of(&graph);
        assert_eq!(closers.counted, [vec![0], vec![0, 1], vec![0, 1]]);
        assert_eq!(closers.waits_for(0), [1]);
        assert_eq!(closers.waits_for(1), [0_usize; 0]);
        assert_eq!(closers.waited_for_by(1), [0]);
        assert_eq!((closers.initial(0), closers.initial(1)), (2, 1));
        assert_eq!(closers.closers[0].upstream, [false, true, true]);
        assert_eq!(graph.slot_at(1).map(|(routine, slot)| (&*routine.id, &*slot.name)), Some(("b", "x")));
    }

    #[test]
    fn other_slots_of_the_same_routine_are_not_upstream_of_a_drained_one() {
        let graph = flow(
            vec![routine("a", &["x"]), routine("b", &["x", "total:drained"]), routine("c", &["x"])],
            &["in x -> a.x", "in x -> c.x", "a.e -> b.total", "c.e -> b.x"],
        );
        assert_eq!(Closers::of(&graph).closers[0].upstream, [true, false, false]);
    }

    #[test]
    fn a_finish_runs_after_all_of_its_routine_and_before_its_drained_receivers() {
        let graph = flow(
            vec![routine("a", &["flush:finish", "x", "total:drained"]), routine("b", &["x:drained"])],
            &["in x -> a.x", "in x -> a.total", "a.e -> b.x"],
        );
        // 0: a.flush, 1: a.total, 2: b.x
        assert_eq!(waits(&graph), [vec![1], vec![], vec![0, 1]]);
        assert!(Closers::of(&graph).closers[0].from_input);
    }

    #[test]
    fn what_nothing_leads_to_fires_at_once() {
        let graph = flow(vec![routine("a", &["x", "total:drained"])], &["in x -> a.x"]);
        let closers = Closers::of(&graph);
        assert_eq!(closers.initial(0), 0);
        assert_eq!(closers.counted, [vec![], vec![0]]);
    }

    #[test]
    fn in_a_cycle_the_lower_number_goes_first() {
        let round = &["in x -> a.x", "a.e -> b.x", "b.e -> a.x"];
        let graph = flow(vec![routine("a", &["x:2"]), routine("b", &["x:3"])], round);
        assert_eq!(waits(&graph), [vec![], vec![0]]);
        let graph =
            flow(vec![routine("a", &["x", "end:finish"]), routine("b", &["x:within", "end:finish"])], round);
        assert_eq!(waits(&graph), [vec![], vec![0], vec![0, 1]]);
    }

    #[test]
    fn errors_and_diversions_are_ways_too() {
        let mut graph = flow(vec![routine("a", &["x?"]), routine("b", &["x:drained"])], &["in x -> a.x"]);
        assert_eq!(Closers::of(&graph).closers[0].upstream, [false, false]);
        let divert = |of| Policy { to: vec![Target::Slot(Port::new("b", "x"))], ..Policy::new(of, "-> b.x") };
        graph.policies = vec![divert(Some(Subject::Slot(Port::new("a", "x"))))];
        assert_eq!(Closers::of(&graph).closers[0].upstream, [true, false]);
        assert!(Closers::of(&graph).closers[0].from_input);
        graph.policies.clear();
        graph.connections.push(Connection::new(
            Source::Event(Port::new("a", "x.error")),
            Target::Slot(Port::new("b", "x")),
        ));
        assert_eq!(Closers::of(&graph).closers[0].upstream, [true, false]);
    }

    fn random_graph(random: &mut Lcg) -> Graph {
        let count = 1 + random.below(5);
        let ids = ["a", "b", "c", "d", "e"];
        let kinds = ["each", "each", "drained", "2", "within", "finish", "start", "all"];
        let routines: Vec<Routine> = ids[..count]
            .iter()
            .map(|id| {
                let slots: Vec<String> = (0..1 + random.below(3))
                    .map(|number| format!("x{number}:{}", kinds[random.below(kinds.len())]))
                    .collect();
                routine(id, &slots.iter().map(String::as_str).collect::<Vec<_>>())
            })
            .collect();
        let mut graph = flow(routines, &[]);
        let mut receivers = Vec::new();
        for routine in &graph.routines {
            for slot in &routine.slots {
                if slot.role == Role::Handler {
                    receivers.push(Port::new(&routine.id, &slot.name));
                }
            }
        }
        for number in 0..random.below(2 * receivers.len() + 1) {
            let to = Target::Slot(receivers[random.below(receivers.len())].clone());
            let from = match random.one_in(5) {
                true => Source::Input(format!("in{number}")),
                false => Source::Event(Port::new(ids[random.below(count)], "e")),
            };
            graph.connections.push(Connection::new(from, to));
        }
        // A drained slot downstream of itself is a mistake in a flow: it becomes one like others.
        for closer in Closers::of(&graph).closers {
            if closer.kind == Closing::Drained && closer.upstream[closer.routine] {
                let first: usize = graph.routines[..closer.routine].iter().map(|r| r.slots.len()).sum();
                graph.routines[closer.routine].slots[closer.slot - first].when = When::Each;
            }
        }
        graph
    }

    /// A job of which only the comings and goings are known.
    struct Job<'g> {
        graph: &'g Graph,
        closers: Closers,
        /// By slot: its routine, its number there.
        slots: Vec<(usize, usize)>,
        counters: Vec<usize>,
        fired: Vec<bool>,
        open: bool,
        /// What waits: the slot, and whether it is a firing or a call of a source, and not an arrival.
        waiting: Vec<(usize, bool)>,
    }

    impl<'g> Job<'g> {
        fn new(graph: &'g Graph) -> Self {
            let closers = Closers::of(graph);
            let number = closers.closers.len();
            let slots = graph
                .routines
                .iter()
                .enumerate()
                .flat_map(|(r, routine)| (0..routine.slots.len()).map(move |slot| (r, slot)));
            let mut job = Job {
                graph,
                slots: slots.collect(),
                counters: (0..number).map(|closer| closers.initial(closer)).collect(),
                closers,
                fired: vec![false; number],
                open: true,
                waiting: Vec::new(),
            };
            for slot in 0..job.slots.len() {
                if job.slot(slot).role == (Role::Source { start: true }) {
                    job.send(slot, true);
                }
            }
            job
        }

        fn slot(&self, slot: usize) -> &Slot {
            let (routine, number) = self.slots[slot];
            &self.graph.routines[routine].slots[number]
        }

        fn send(&mut self, slot: usize, by_itself: bool) {
            self.waiting.push((slot, by_itself));
            for closer in &self.closers.counted[slot] {
                self.counters[*closer] += 1;
            }
        }

        /// The slots that the events of a routine, or the inputs, lead to.
        fn receivers(&self, routine: Option<usize>) -> Vec<usize> {
            let from_it = |connection: &&Connection| match &connection.from {
                Source::Input(_) => routine.is_none(),
                Source::Event(port) => routine.is_some_and(|r| self.graph.routines[r].id == port.routine),
            };
            let connections = self.graph.connections.iter().filter(from_it);
            let slots = connections.map(|connection| {
                let Target::Slot(port) = &connection.to else { panic!() };
                let is_it = |(r, s): &(usize, usize)| {
                    let routine = &self.graph.routines[*r];
                    routine.id == port.routine && routine.slots[*s].name == port.name
                };
                self.slots.iter().position(is_it).unwrap()
            });
            slots.collect()
        }

        fn handle(&mut self, index: usize, random: &mut Lcg, most: &mut usize) {
            let (slot, by_itself) = self.waiting.remove(index);
            let closer = self.closers.closers.iter().position(|closer| closer.slot == slot);
            let emits = match self.closers.closers.iter().find(|closer| closer.slot == slot).map(|c| c.kind) {
                None | Some(Closing::Finish) => true,
                Some(Closing::Drained) => by_itself,
                Some(Closing::Remainder | Closing::Unpaired) => by_itself || random.one_in(2),
            };
            if emits {
                for receiver in self.receivers(Some(self.slots[slot].0)) {
                    if *most > 0 && random.one_in(2) {
                        *most -= 1;
                        self.send(receiver, false);
                    }
                }
                if matches!(self.slot(slot).role, Role::Source { .. }) && *most > 0 && random.one_in(2) {
                    *most -= 1;
                    self.send(slot, true);
                }
            } else if let Some(closer) = closer
                && std::mem::replace(&mut self.fired[closer], false)
            {
                assert_ne!(
                    self.closers.closers[closer].kind,
                    Closing::Drained,
                    "something came after it fired"
                );
                for other in self.closers.waited_for_by(closer) {
                    self.counters[*other] += 1;
                }
            }
            for closer in &self.closers.counted[slot] {
                self.counters[*closer] -= 1;
            }
        }

        fn close(&mut self) {
            self.open = false;
            for (closer, counter) in self.closers.closers.iter().zip(&mut self.counters) {
                *counter -= usize::from(closer.from_input);
            }
        }

        fn fire(&mut self, closer: usize) {
            self.fired[closer] = true;
            self.send(self.closers.closers[closer].slot, true);
            for other in self.closers.waited_for_by(closer) {
                self.counters[*other] -= 1;
            }
        }

        /// Whether something at these slots may bring something to the closer: to its slot, or to its routine if it is a finish.
        fn may_bring(&self, from: impl IntoIterator<Item = usize>, closer: usize) -> bool {
            let closer = &self.closers.closers[closer];
            let mut seen = vec![false; self.slots.len()];
            let mut todo: Vec<usize> = from.into_iter().collect();
            while let Some(slot) = todo.pop() {
                let here = match closer.kind {
                    Closing::Finish => self.slots[slot].0 == closer.routine,
                    _ => slot == closer.slot,
                };
                if here {
                    return true;
                }
                if !std::mem::replace(&mut seen[slot], true) {
                    todo.extend(self.receivers(Some(self.slots[slot].0)));
                }
            }
            false
        }

        /// Whether something may still come to the closer, found by looking.
        fn may_still_come(&self, closer: usize) -> bool {
            let slot = |closer: usize| [self.closers.closers[closer].slot];
            let others = 0..self.closers.closers.len();
            let unfired = others.filter(|other| *other != closer && !self.fired[*other]).any(|other| {
                let each_other = self.may_bring(slot(closer), other);
                self.may_bring(slot(other), closer) && !(each_other && closer < other)
            });
            unfired
                || self.may_bring(self.waiting.iter().map(|(slot, _)| *slot), closer)
                || (self.open && self.may_bring(self.receivers(None), closer))
        }

        fn verify(&self) {
            for (closer, counter) in self.counters.iter().enumerate() {
                assert_eq!(*counter > 0, self.may_still_come(closer), "{closer} in {:?}", self.graph);
            }
        }
    }

    #[test]
    fn a_counter_is_zero_exactly_when_a_search_finds_nothing_that_could_come() {
        let mut random = Lcg(4);
        let mut fired = 0;
        for _ in 0..3000 {
            let graph = random_graph(&mut random);
            let mut job = Job::new(&graph);
            let mut most = 30;
            loop {
                job.verify();
                let ready: Vec<usize> =
                    (0..job.fired.len()).filter(|c| !job.fired[*c] && job.counters[*c] == 0).collect();
                match random.below(4) {
                    0 if job.open && random.one_in(3) => job.close(),
                    0 if job.open && most > 0 => {
                        let into = job.receivers(None);
                        if !into.is_empty() {
                            most -= 1;
                            job.send(into[random.below(into.len())], false);
                        }
                    }
                    1 if !ready.is_empty() => {
                        fired += 1;
                        job.fire(ready[random.below(ready.len())]);
                    }
                    _ if !job.waiting.is_empty() => {
                        let index = random.below(job.waiting.len());
                        job.handle(index, &mut random, &mut most);
                    }
                    _ if job.open => {}
                    _ if ready.is_empty() => break,
                    _ => {}
                }
            }
            // Nothing hangs.
            assert!(job.fired.iter().all(|fired| *fired), "{graph:?}");
        }
        assert!(fired > 3000);
    }
}
