//! A job that was written down, read without any of its types: what waits where, what slots keep, what has come out.

use routilux::{JobState, Outcome};
use serde_json::Value;
use std::collections::BTreeMap;
use tests::random::plan::{Plan, Port, Role};
use tests::tokens::{Call, Record, Token};

/// How often something is there; less than never where more was seen than is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bag(pub(crate) BTreeMap<Token, i64>);

impl Bag {
    pub(crate) fn add(&mut self, token: Token) {
        self.change(token, 1);
    }

    pub(crate) fn take(&mut self, token: Token) {
        self.change(token, -1);
    }

    fn change(&mut self, token: Token, by: i64) {
        let count = self.0.entry(token).or_default();
        *count += by;
        if *count == 0 {
            self.0.remove(&token);
        }
    }

    pub(crate) fn len(&self) -> i64 {
        self.0.values().sum()
    }

    pub(crate) fn tokens(&self) -> impl Iterator<Item = Token> + '_ {
        self.0.iter().flat_map(|(token, count)| (0..*count).map(|_| *token))
    }
}

/// What waits for a slot.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// 0 where it has none yet.
    pub(crate) id: u64,
    /// `r3.n`
    pub(crate) to: String,
    pub(crate) payload: Value,
}

pub(crate) struct View<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) record: &'a Record,
    pub(crate) data: Value,
    /// All that waits and that the job waits for: also what has failed, is tried again later, or is emitted later.
    pub(crate) waiting: Vec<Waiting>,
    /// Events that leave later, for outputs: by output; the result is `return`.
    pub(crate) later_out: BTreeMap<String, Vec<Token>>,
    /// Whether events leave later at all.
    pub(crate) has_later: bool,
    /// The deliveries that were handled, and in which attempt.
    pub(crate) handled: BTreeMap<u64, u32>,
}

impl<'a> View<'a> {
    pub(crate) fn new(plan: &'a Plan, state: &JobState, record: &'a Record) -> Self {
        let data = serde_json::to_value(state).unwrap();
        let (mut attempts, mut handled) = (BTreeMap::new(), BTreeMap::new());
        for run in state.history().iter().chain(&record.runs) {
            let attempts = attempts.entry(run.delivery).or_insert(0);
            *attempts += 1;
            if run.outcome == Outcome::Handled {
                let before = handled.insert(run.delivery, *attempts);
                assert_eq!(before, None, "delivery {} was handled twice", run.delivery);
            }
        }
        let mut view = View {
            plan,
            record,
            handled,
            waiting: Vec::new(),
            later_out: BTreeMap::new(),
            has_later: false,
            data,
        };
        view.read();
        view
    }

    fn read(&mut self) {
        let waiting = |value: &Value| Waiting {
            id: value["id"].as_u64().unwrap_or_default(),
            to: value["to"].as_str().unwrap().to_owned(),
            payload: value["payload"].clone(),
        };
        let here = self.data["waiting"].as_array().unwrap().iter().map(waiting);
        let mut all: Vec<Waiting> = here.collect();
        let failed = &self.data["failure"]["delivery"];
        if failed.is_object() {
            all.push(waiting(failed));
        }
        for later in self.data["later"].as_array().unwrap() {
            let (what, due) = later["what"].as_object().unwrap().iter().next().unwrap();
            match what.as_str() {
                "retry" => all.push(waiting(&due["delivery"])),
                "again" if due["is_work"] == true => all.push(waiting(due)),
                "again" => {}
                "events" => {
                    self.has_later = true;
                    for delivery in due["parcel"]["deliveries"].as_array().unwrap() {
                        let to = delivery[0].as_str().unwrap().to_owned();
                        all.push(Waiting { id: 0, to, payload: delivery[1].clone() });
                    }
                    for (name, values) in due["parcel"]["outputs"].as_object().unwrap() {
                        self.later_out.entry(name.clone()).or_default().extend(tokens(values));
                    }
                    let results = tokens(&due["parcel"]["result"]);
                    self.later_out.entry("return".into()).or_default().extend(results);
                }
                other => panic!("nothing here is repeated: {other}"),
            }
        }
        self.waiting = all;
    }

    pub(crate) fn number(&self, name: &str) -> u64 {
        self.data[name].as_u64().unwrap()
    }

    pub(crate) fn tally(&self, name: &str) -> u64 {
        self.data["tally"][name].as_u64().unwrap()
    }

    /// The routine and port of a name like `r3.n`.
    pub(crate) fn slot(&self, name: &str) -> (usize, usize) {
        slot_of(self.plan, name)
    }

    /// What a slot keeps that it has not handed over; of a join, by parameter.
    pub(crate) fn held(&self, node: usize, port: usize) -> Vec<(Option<usize>, Token)> {
        let known = self.plan.port(node, port);
        if !known.gathers() {
            return Vec::new();
        }
        let kept = &self.data["slots"][format!("r{node}.{}", known.name)];
        match known.role {
            Role::Join => by_param(kept),
            _ => tokens(kept).into_iter().map(|token| (None, token)).collect(),
        }
    }

    /// The handlers' runs whose step was done.
    pub(crate) fn done(&self) -> impl Iterator<Item = &Call> {
        self.record.calls.iter().filter(|call| self.handled.get(&call.delivery) == Some(&call.attempt))
    }

    /// The deliveries that policies have absorbed, with their slots: the last hundred.
    pub(crate) fn absorbed(&self) -> Vec<(u64, String)> {
        let skipped = self.data["absorbed"].as_array().unwrap().iter();
        skipped
            .map(|one| (one["delivery"].as_u64().unwrap(), one["slot"].as_str().unwrap().to_owned()))
            .collect()
    }

    /// The slots that were told that nothing more comes.
    pub(crate) fn closed(&self) -> Vec<(usize, usize)> {
        let closed = self.data["closed"].as_array().unwrap().iter();
        closed.map(|name| self.slot(name.as_str().unwrap())).collect()
    }
}

pub(crate) fn slot_of(plan: &Plan, name: &str) -> (usize, usize) {
    let (routine, slot) = name.split_once('.').unwrap();
    let node: usize = routine[1..].parse().unwrap();
    let port = plan.nodes[node].kind.ports.iter().position(|port| port.name == slot);
    (node, port.unwrap_or_else(|| panic!("there is no slot `{name}`")))
}

/// Every token in some data, in its order.
pub(crate) fn tokens(value: &Value) -> Vec<Token> {
    let mut found = Vec::new();
    visit(value, &mut |token| found.push(token));
    found
}

/// What a join keeps, by parameter: whether it is closed, and a list for each.
fn by_param(kept: &Value) -> Vec<(Option<usize>, Token)> {
    let lists = kept[1].as_array().unwrap().iter().enumerate();
    lists.flat_map(|(param, list)| tokens(list).into_iter().map(move |token| (Some(param), token))).collect()
}

/// What waits for a slot: a value, or those that a join has brought together, or word that nothing more comes.
pub(crate) fn arrival(port: &Port, payload: &Value) -> Vec<(Option<usize>, Token)> {
    let found = tokens(payload);
    if port.role != Role::Join {
        assert!(found.len() <= 1, "one delivery is one value: {payload}");
        return found.into_iter().map(|token| (None, token)).collect();
    }
    if is_pair(payload) {
        assert_eq!(found.len(), port.params.len(), "one for each: {payload}");
        return found.into_iter().enumerate().map(|(param, token)| (Some(param), token)).collect();
    }
    assert!(found.len() <= 1, "one delivery is one value: {payload}");
    let param = payload["of"]["payload"][0].as_u64().map(|param| param as usize);
    found.into_iter().map(|token| (Some(param.unwrap()), token)).collect()
}

/// Whether it is what a join has brought together before.
pub(crate) fn is_pair(payload: &Value) -> bool {
    payload.get("pair").is_some()
}
fn visit(value: &Value, found: &mut impl FnMut(Token)) {
    match value {
        Value::Object(fields) => {
            match (fields.get("id").and_then(Value::as_u64), fields.get("left").and_then(Value::as_u64)) {
                (Some(id), Some(left)) => found(Token { id, left: left as u8 }),
                _ => fields.values().for_each(|value| visit(value, found)),
            }
        }
        Value::Array(values) => values.iter().for_each(|value| visit(value, found)),
        _ => {}
    }
}
