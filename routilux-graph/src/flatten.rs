//! Flows in flows, laid out: one graph of routines only.

use crate::model::{Connection, Graph, Policy, Port, Routine, Source, Subject, Target};
use crate::ways::output_name;

impl Graph {
    /// The same flow without flows in it: each instance of a flow is replaced by what is in it, with ids like `etl.parse`. First come
    /// the graph's own routines, then what is in its flows, one after the other, each in this order too.
    ///
    /// A connection to an input of an instance becomes connections to what that input leads to, and one from an output, or from
    /// `result`, begins where that output comes from. The operators of both ends are joined: a payload is converted if either
    /// converts, guards and maps are joined with `then`. What nothing outside is connected to is gone. Rows for what fails inside
    /// come before those outside, as they are tried.
    ///
    /// An instance of which only the outside is known ([`Inner::graph`](crate::Inner::graph) is `None`) stays as it is.
    pub fn flattened(&self) -> Graph {
        Flattener::new(self).flattened()
    }
}

/// An instance of a flow, laid out.
struct Instance<'g> {
    id: &'g str,
    graph: Graph,
}

struct Flattener<'g> {
    graph: &'g Graph,
    instances: Vec<Instance<'g>>,
}

/// Where a connection begins or ends, and the connections between there and where it was written, in the order of the way.
type Way<'a, End> = (End, Vec<&'a Connection>);

impl<'g> Flattener<'g> {
    fn new(graph: &'g Graph) -> Self {
        let instances = graph.routines.iter().filter_map(|routine| {
            let inner = routine.inner.as_ref()?.graph.as_ref()?;
            Some(Instance { id: &routine.id, graph: inner.flattened() })
        });
        Flattener { graph, instances: instances.collect() }
    }

    fn flattened(&self) -> Graph {
        let graph = self.graph;
        let mut flat = Graph::new(&graph.name);
        let own = graph.routines.iter().filter(|routine| self.instance(&routine.id).is_none());
        flat.routines.extend(own.cloned());
        let ignored = graph.ignored.iter().filter(|port| self.instance(&port.routine).is_none());
        flat.ignored.extend(ignored.cloned());
        for instance in &self.instances {
            flat.policies
                .extend(instance.graph.policies.iter().map(|policy| self.inner_policy(instance, policy)));
        }
        flat.policies.extend(graph.policies.iter().map(|policy| Policy {
            to: policy.to.iter().flat_map(|target| self.ends(target)).map(|(to, _)| to).collect(),
            ..policy.clone()
        }));
        for connection in &graph.connections {
            for (from, before) in self.starts(&connection.from, &mut Vec::new()) {
                for (to, after) in self.ends(&connection.to) {
                    let way: Vec<&Connection> =
                        before.iter().copied().chain([connection]).chain(after).collect();
                    flat.connections.push(joined(from.clone(), to, &way));
                }
            }
        }
        for instance in &self.instances {
            let Graph { routines, connections, ignored, .. } = &instance.graph;
            let named = |routine: &Routine| Routine { id: instance.named(&routine.id), ..routine.clone() };
            flat.routines.extend(routines.iter().map(named));
            flat.ignored.extend(ignored.iter().map(|port| instance.port(port)));
            flat.connections.extend(connections.iter().filter_map(|connection| {
                match (&connection.from, &connection.to) {
                    (Source::Event(from), Target::Slot(to)) => Some(Connection {
                        from: Source::Event(instance.port(from)),
                        to: Target::Slot(instance.port(to)),
                        ..connection.clone()
                    }),
                    _ => None,
                }
            }));
        }
        flat
    }

    fn instance(&self, id: &str) -> Option<&Instance<'g>> {
        self.instances.iter().find(|instance| instance.id == id)
    }

    /// Where what arrives at a target goes in the end. What passes through an instance is found from the other side, by where the
    /// connection from its output begins.
    fn ends<'a>(&'a self, target: &Target) -> Vec<Way<'a, Target>> {
        let Target::Slot(port) = target else { return vec![(target.clone(), Vec::new())] };
        let Some(instance) = self.instance(&port.routine) else { return vec![(target.clone(), Vec::new())] };
        let entering = instance.graph.connections.iter().filter_map(|connection| {
            match (&connection.from, &connection.to) {
                (Source::Input(name), Target::Slot(to)) if *name == port.name => {
                    Some((Target::Slot(instance.port(to)), vec![connection]))
                }
                _ => None,
            }
        });
        entering.collect()
    }

    /// Where what comes from a source begins. `through` are the inputs of instances that the way has passed: feedback that only
    /// passes through flows begins nowhere.
    fn starts<'a>(&'a self, source: &Source, through: &mut Vec<(&'a str, &'a str)>) -> Vec<Way<'a, Source>> {
        let Source::Event(port) = source else { return vec![(source.clone(), Vec::new())] };
        let Some(instance) = self.instance(&port.routine) else { return vec![(source.clone(), Vec::new())] };
        let mut starts = Vec::new();
        for leaving in &instance.graph.connections {
            if output_name(&leaving.to) != Some(&port.name) {
                continue;
            }
            let input = match &leaving.from {
                Source::Event(from) => {
                    starts.push((Source::Event(instance.port(from)), vec![leaving]));
                    continue;
                }
                Source::Input(input) => (instance.id, input.as_str()),
            };
            if through.contains(&input) {
                continue;
            }
            through.push(input);
            for outside in &self.graph.connections {
                let enters = |to: &Target| matches!(to, Target::Slot(port) if (port.routine.as_str(), port.name.as_str()) == input);
                if enters(&outside.to) {
                    for (from, mut way) in self.starts(&outside.from, through) {
                        way.extend([outside, leaving]);
                        starts.push((from, way));
                    }
                }
            }
            through.pop();
        }
        starts
    }

    /// A row that is written in an instance, as it is outside. What held for the whole flow holds for all that is in it.
    fn inner_policy(&self, instance: &Instance<'g>, policy: &Policy) -> Policy {
        let of = match &policy.of {
            None => Subject::Routine(instance.id.to_owned()),
            Some(Subject::Routine(id)) => Subject::Routine(instance.named(id)),
            Some(Subject::Slot(port)) => Subject::Slot(instance.port(port)),
        };
        let mut to = Vec::new();
        for target in &policy.to {
            match (target, output_name(target)) {
                (Target::Slot(port), _) => to.push(Target::Slot(instance.port(port))),
                (_, Some(output)) => {
                    let event = Source::Event(Port::new(instance.id, output));
                    let outside = self.graph.connections.iter().filter(|connection| connection.from == event);
                    to.extend(outside.flat_map(|connection| self.ends(&connection.to)).map(|(to, _)| to));
                }
                (_, None) => {}
            }
        }
        Policy { of: Some(of), to, ..policy.clone() }
    }
}

impl Instance<'_> {
    fn named(&self, id: &str) -> String {
        format!("{}.{id}", self.id)
    }

    fn port(&self, port: &Port) -> Port {
        Port::new(self.named(&port.routine), &port.name)
    }
}

/// One connection for a way of several.
fn joined(from: Source, to: Target, way: &[&Connection]) -> Connection {
    let mut joined = Connection::new(from, to);
    let several = way.iter().filter(|connection| connection.guard.is_some()).count() > 1;
    for connection in way {
        joined.feedback |= connection.feedback;
        joined.bound = joined.bound.or(connection.bound);
        joined.converts |= connection.converts;
        // An `else` among several guards is what its guard is not.
        joined.otherwise |= connection.otherwise && !several;
        let guard = connection.guard.as_ref().map(|guard| match several && connection.otherwise {
            true => format!("not {guard}"),
            false => guard.clone(),
        });
        joined.guard = then(joined.guard, guard);
        joined.map = then(joined.map, connection.map.clone());
    }
    joined
}

fn then(first: Option<String>, second: Option<String>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("{first} then {second}")),
        (first, second) => first.or(second),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Inner;
    use crate::model::{Event, Slot};
    use crate::testing::{Lcg, connection, flow, routine};
    use crate::{Code, check};

    fn ids(graph: &Graph) -> Vec<&str> {
        graph.routines.iter().map(|routine| routine.id.as_str()).collect()
    }

    fn written(graph: &Graph) -> Vec<String> {
        graph.connections.iter().map(|connection| connection.to_string()).collect()
    }

    fn instance(id: &str, graph: Graph) -> Routine {
        graph.instance(id)
    }

    #[test]
    fn a_flow_without_flows_stays_as_it_is() {
        let mut graph = flow(vec![routine("a", &["x"], &["y"])], &["in x -> a.x", "a.y -> out y"]);
        graph.ignored.push(Port::new("a", "z"));
        graph.policies.push(Policy::new(None, "skip"));
        assert_eq!(graph.flattened(), graph);
    }

    #[test]
    fn two_instances_are_laid_out_after_what_is_the_flows_own() {
        let etl = || {
            let connections = [
                "in line -> parse.x",
                "in line -> log.x",
                "parse.y -> out row",
                "parse.y -> log.x",
                "log.y -> return",
            ];
            flow(vec![routine("parse", &["x"], &["y"]), routine("log", &["x"], &["y"])], &connections)
        };
        let graph = flow(
            vec![
                instance("one", etl()),
                routine("read", &["x"], &["y"]),
                instance("two", etl()),
                routine("sink", &["x"], &["y"]),
            ],
            &[
                "in x -> read.x",
                "read.y -> one.line",
                "one.row -> two.line",
                "two.result -> sink.x",
                "sink.y -> return",
            ],
        );
        let flat = graph.flattened();
        assert_eq!(ids(&flat), ["read", "sink", "one.parse", "one.log", "two.parse", "two.log"]);
        assert_eq!(
            written(&flat),
            [
                "in x -> read.x",
                "read.y -> one.parse.x",
                "read.y -> one.log.x",
                "one.parse.y -> two.parse.x",
                "one.parse.y -> two.log.x",
                "two.log.y -> sink.x",
                "sink.y -> return",
                "one.parse.y -> one.log.x",
                "two.parse.y -> two.log.x",
            ]
        );
        assert!(flat.routines.iter().all(|routine| routine.inner.is_none()));
    }

    #[test]
    fn flows_in_flows_in_flows_nest_their_ids() {
        let inmost = flow(vec![routine("c", &["x"], &["y"])], &["in x -> c.x", "c.y -> out y"]);
        let middle = flow(
            vec![instance("m", inmost), routine("b", &["x"], &["y"])],
            &["in x -> m.x", "m.y -> b.x", "b.y -> out y"],
        );
        let outer = flow(vec![instance("o", middle)], &["in x -> o.x", "o.y -> out y"]);
        let flat = outer.flattened();
        assert_eq!(ids(&flat), ["o.b", "o.m.c"]);
        assert_eq!(written(&flat), ["in x -> o.m.c.x", "o.b.y -> out y", "o.m.c.y -> o.b.x"]);
    }

    #[test]
    fn what_passes_through_a_flow_goes_past_it() {
        let through =
            flow(vec![routine("a", &["x"], &["y"])], &["in x -> a.x", "in x -> out x", "a.y -> out x"]);
        let graph = flow(
            vec![instance("t", through.clone()), instance("u", through), routine("b", &["x"], &[])],
            &["in x -> t.x", "t.x -> u.x", "u.x -> b.x"],
        );
        assert_eq!(
            written(&graph.flattened()),
            [
                "in x -> t.a.x",
                "in x -> u.a.x",
                "t.a.y -> u.a.x",
                "in x -> b.x",
                "t.a.y -> b.x",
                "u.a.y -> b.x",
            ]
        );
        let around = flow(
            vec![instance("t", flow(vec![], &["in x -> out x"]))],
            &["t.x -> loop t.x", "t.x -> out x", "in x -> t.x"],
        );
        assert_eq!(written(&around.flattened()), ["in x -> out x"]);
    }

    #[test]
    fn operators_of_both_ends_are_joined() {
        let mut inner = flow(vec![routine("a", &["x"], &["y"])], &[]);
        inner.connections = vec![
            Connection { converts: true, map: Some("|p| p.0".into()), ..connection("in x -> a.x") },
            Connection { guard: Some("|e| e.ok".into()), otherwise: true, ..connection("a.y -> out bad") },
        ];
        let mut graph = flow(vec![routine("b", &["x"], &["y"]), instance("f", inner)], &["in x -> b.x"]);
        graph.connections.extend([
            Connection {
                map: Some("|e| e.text".into()),
                guard: Some("|e| e.n > 3".into()),
                ..connection("b.y -> f.x")
            },
            connection("f.bad -> out bad"),
            Connection {
                feedback: true,
                bound: Some(2),
                guard: Some("|e| e.far".into()),
                ..connection("f.bad -> b.x")
            },
        ]);
        assert_eq!(
            written(&graph.flattened())[1..],
            [
                "b.y if |e| e.n > 3 -> |e| e.text then |p| p.0 => f.a.x",
                "f.a.y if |e| e.ok else -> out bad",
                "f.a.y if not |e| e.ok then |e| e.far -> loop(2) b.x",
            ]
        );
    }

    #[test]
    fn rows_inside_come_first_and_hold_inside_only() {
        let mut inner = flow(vec![routine("a", &["x"], &["y"])], &["in x -> a.x", "a.y -> out y"]);
        let slot = |routine: &str, name: &str| Some(Subject::Slot(Port::new(routine, name)));
        inner.policies = vec![
            Policy {
                to: vec![Target::Output("bad".into()), Target::Slot(Port::new("a", "x"))],
                ..Policy::new(slot("a", "x"), "-> out bad")
            },
            Policy::new(None, "skip"),
        ];
        let mut graph = flow(
            vec![instance("f", inner), routine("b", &["x", "z"], &[])],
            &["in x -> f.x", "f.y -> b.x", "f.bad -> b.z", "f.bad -> out bad"],
        );
        graph.policies = vec![Policy {
            to: vec![Target::Slot(Port::new("f", "x"))],
            ..Policy::new(slot("b", "x"), "-> f.x")
        }];
        let flat = graph.flattened();
        assert_eq!(
            flat.policies.iter().map(|policy| policy.to_string()).collect::<Vec<_>>(),
            ["on error of f.a.x -> out bad", "on error of f skip", "on error of b.x -> f.x"]
        );
        let to = |row: usize| flat.policies[row].to.iter().map(|to| to.to_string()).collect::<Vec<_>>();
        assert_eq!(to(0), ["b.z", "out bad", "f.a.x"]);
        assert_eq!(to(2), ["f.a.x"]);
    }

    #[test]
    fn an_instance_of_which_only_the_outside_is_known_stays() {
        let mut known = flow(vec![], &["in x -> out x"]).instance("f");
        known.inner = Some(Box::new(Inner::default()));
        let graph = flow(vec![known], &["in x -> f.x", "f.x -> out x"]);
        assert_eq!(graph.flattened(), graph);
    }

    #[test]
    fn an_instance_has_the_ports_of_its_flow() {
        let mut graph =
            flow(vec![routine("a", &["x"], &["y"])], &["in x -> a.x", "a.y -> out y", "a.y -> return"]);
        graph.connections.push(connection("in z -> out z"));
        let instance = graph.instance("f");
        assert_eq!(instance.slots, [Slot::new("x", "u64"), Slot::new("z", "")]);
        assert_eq!(
            instance.events,
            [Event::new("y", "u64"), Event::new("z", ""), Event::new("result", "u64")]
        );
    }

    /// A flow of these routines with connections, from its inputs `i` and `j` and to its outputs `o` and `p` too.
    fn random(random: &mut Lcg, routines: Vec<Routine>) -> Graph {
        let pick = |random: &mut Lcg, names: &[String]| names[random.below(names.len())].clone();
        let mut sources = vec!["in i".to_owned(), "in j".to_owned()];
        let mut targets = vec!["out o".to_owned(), "out p".to_owned()];
        for routine in &routines {
            sources.extend(routine.events.iter().map(|event| format!("{}.{}", routine.id, event.name)));
            targets.extend(routine.slots.iter().map(|slot| format!("{}.{}", routine.id, slot.name)));
        }
        let connections: Vec<String> = (0..sources.len() + targets.len())
            .map(|_| format!("{} -> {}", pick(random, &sources), pick(random, &targets)))
            .collect();
        flow(routines, &connections.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Which slots are told to lead to themselves.
    fn drained(graph: &Graph) -> Vec<String> {
        let problems = check(graph).into_iter().filter(|problem| problem.code == Code::DrainedDownstream);
        let slots = problems.map(|problem| problem.message.split(' ').next().unwrap_or_default().to_owned());
        let mut slots: Vec<String> = slots.collect();
        slots.sort();
        slots
    }

    #[test]
    fn what_is_known_outside_agrees_with_all_laid_out() {
        let mut numbers = Lcg(9);
        let mut told = 0;
        for _ in 0..3000 {
            let inner = random(
                &mut numbers,
                vec![routine("a", &["x", "t:drained"], &["y"]), routine("b", &["x", "u:drained"], &["y"])],
            );
            // What is a mistake inside is told there.
            if !drained(&inner).is_empty() {
                continue;
            }
            let routines =
                vec![inner.instance("f"), routine("c", &["x", "v:drained"], &["y"]), inner.instance("g")];
            let outer = random(&mut numbers, routines);
            let mut outside = outer.clone();
            for routine in &mut outside.routines {
                if let Some(inner) = &mut routine.inner {
                    inner.graph = None;
                }
            }
            let flat = outer.flattened();
            assert_eq!(drained(&outside), drained(&flat), "{:?}", written(&outer));
            let (known, all) = (Inner::of(&outside), Inner::of(&flat));
            let sorted = |inner: &Inner| {
                let mut reach = inner.reach.clone();
                reach.sort();
                let mut slots = inner.drained.clone();
                for drained in &mut slots {
                    drained.from.sort();
                    drained.to.sort();
                }
                slots.sort_by(|a, b| a.slot.cmp(&b.slot));
                (reach, slots)
            };
            assert_eq!(sorted(&known), sorted(&all), "{:?}", written(&outer));
            told += drained(&flat).len();
        }
        assert!(told > 100);
    }
}
