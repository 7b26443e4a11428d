//! Random flows as plain data, made from a seed: what is connected to what, and what is done about failures. `build.rs` writes
//! them down as `flow!`s, and the tests make them again from the same seed, to know what has to come out. It knows nothing of routilux.

/// Random numbers from a seed.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(mixed(seed ^ 0x005e_ed0f_f105))
    }

    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.any() % end.max(1) as u64) as usize
    }

    pub fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    pub fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// A number that looks random, of one that does not.
pub fn mixed(n: u64) -> u64 {
    // splitmix64
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

// ---- the kinds of routines, as `tokens` has them ----

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Handler,
    Join,
    Source,
    Started,
    Finish,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    Token,
    Wrapped,
    Letter,
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    Override,
    Latest,
    Append,
    Fold,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Each,
    All,
    Count(usize),
    Drained,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    pub name: &'static str,
    pub role: Role,
    pub takes: Takes,
    pub merge: Merge,
    pub when: When,
    pub fallible: bool,
    /// Of a join.
    pub params: &'static [&'static str],
    /// Of a join: whether it gives up what found no partner.
    pub within: bool,
}

impl Port {
    /// Whether it keeps arrivals until it hands over several.
    pub fn gathers(&self) -> bool {
        self.role == Role::Join || self.when != When::Each
    }

    /// Whether a value can take the place of another one.
    pub fn supersedes(&self) -> bool {
        self.merge == Merge::Latest
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    pub name: &'static str,
    pub ports: &'static [Port],
    pub events: &'static [&'static str],
    /// Whether what comes of it does not depend on the order in which things come.
    pub commutes: bool,
}

const fn slot(name: &'static str) -> Port {
    Port {
        name,
        role: Role::Handler,
        takes: Takes::Token,
        merge: Merge::Override,
        when: When::Each,
        fallible: true,
        params: &[],
        within: false,
    }
}

const fn gathers(name: &'static str, merge: Merge, when: When) -> Port {
    Port { merge, when, ..slot(name) }
}

const fn join(name: &'static str, params: &'static [&'static str]) -> Port {
    Port { role: Role::Join, params, ..slot(name) }
}

const fn by_itself(name: &'static str, role: Role) -> Port {
    Port { role, takes: Takes::Nothing, ..slot(name) }
}

const TWO: &[&str] = &["a", "b"];

const fn kind(name: &'static str, ports: &'static [Port]) -> Kind {
    Kind { name, ports, events: TWO, commutes: true }
}

const fn in_order(name: &'static str, ports: &'static [Port]) -> Kind {
    Kind { commutes: false, ..kind(name, ports) }
}

pub const DEAD: Kind = kind("Dead", &[Port { takes: Takes::Letter, fallible: false, ..slot("letter") }]);

pub const KINDS: &[Kind] = &[
    kind("Step", &[slot("n"), slot("owned"), Port { fallible: false, ..slot("plain") }]),
    kind(
        "Along",
        &[
            slot("n"),
            slot("few"),
            Port { takes: Takes::Wrapped, ..slot("wrapped") },
            Port { fallible: false, ..slot("quick") },
        ],
    ),
    kind("Keeps", &[gathers("all", Merge::Append, When::Each), gathers("sum", Merge::Fold, When::Each)]),
    in_order("Newest", &[gathers("newest", Merge::Latest, When::Each), slot("n")]),
    in_order(
        "Batch",
        &[
            gathers("two", Merge::Append, When::Count(2)),
            gathers("three", Merge::Latest, When::Count(3)),
            gathers("four", Merge::Fold, When::Count(4)),
        ],
    ),
    in_order(
        "Whole",
        &[
            gathers("all", Merge::Append, When::All),
            gathers("newest", Merge::Latest, When::All),
            gathers("sum", Merge::Fold, When::All),
        ],
    ),
    kind("Total", &[slot("n"), gathers("total", Merge::Append, When::Drained)]),
    in_order("TotalNewest", &[gathers("newest", Merge::Latest, When::Drained), slot("n")]),
    kind("TotalSum", &[slot("n"), gathers("sum", Merge::Fold, When::Drained)]),
    in_order("Pair", &[join("pair", &["left", "right"])]),
    in_order("Triple", &[join("triple", &["x", "y", "z"]), slot("n")]),
    in_order("Match", &[Port { merge: Merge::Latest, ..join("pair", &["left", "right"]) }]),
    Kind {
        events: &["a", "b", "timely.unpaired"],
        ..in_order("Timely", &[Port { within: true, ..join("timely", &["left", "right"]) }])
    },
    kind("Feed", &[by_itself("numbers", Role::Started)]),
    kind("Pull", &[slot("open"), by_itself("lines", Role::Source)]),
    kind("Ends", &[slot("n"), by_itself("flush", Role::Finish)]),
    kind("Delay", &[slot("n")]),
];

// ---- a flow ----

#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    /// Whether the same comes of it in whatever order things come.
    pub commutes: bool,
    /// In such an order that all ways but feedback lead onwards.
    pub nodes: Vec<Node>,
    /// In which order they are declared.
    pub order: Vec<usize>,
    pub statements: Vec<Statement>,
    /// The row for all of the flow.
    pub default: Option<Action>,
    /// How many deliveries may wait before its sources do.
    pub capacity: usize,
}

#[derive(Clone, Debug)]
pub struct Node {
    pub kind: Kind,
    pub fails: Fails,
    pub rows: Vec<Row>,
    /// By port: where what failed for good goes along an error wire, or a row's.
    pub diverts: Vec<Option<To>>,
    /// By port: whether the error wire is written as such.
    pub wired: Vec<bool>,
    /// How much a source has to give.
    pub many: u64,
    /// For how long a source or a delay waits, in milliseconds.
    pub pause: u64,
}

/// When handlers of a routine fail.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fails {
    /// One of so many; 0 is none.
    pub one_in: u64,
    /// So many attempts at most.
    pub times: u32,
    pub panics: bool,
}

#[derive(Clone, Debug)]
pub struct Row {
    /// `None` is all of the routine.
    pub port: Option<usize>,
    pub panic: bool,
    /// Whether it is about hard errors only.
    pub hard: bool,
    pub action: Action,
}

#[derive(Clone, Debug, Default)]
pub struct Action {
    pub retry: Option<Retry>,
    pub end: Option<End>,
}

#[derive(Clone, Copy, Debug)]
pub struct Retry {
    pub times: u32,
    pub delay: u64,
    pub grows: bool,
    pub in_order: bool,
}

#[derive(Clone, Debug)]
pub enum End {
    Skip,
    To(To),
}

#[derive(Clone, Debug)]
pub struct Statement {
    pub from: From,
    pub guard: Option<Guard>,
    pub then: Branch,
    pub otherwise: Option<Branch>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Input(usize),
    Event { node: usize, event: usize },
}

/// Lets one of so many through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    pub one_of: u64,
    pub which: u64,
}

#[derive(Clone, Debug)]
pub struct Branch {
    /// What the closure mixes into the tokens.
    pub map: Option<u64>,
    pub to: Vec<To>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    Slot {
        node: usize,
        port: usize,
        param: Option<usize>,
        back: Option<Loop>,
    },
    Out(usize),
    /// What failed for good.
    Letters,
    /// What failed for good of joins of two.
    Pairs,
    /// What found no partner.
    Unpaired,
    Return,
}

/// Feedback, and how often it may be gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loop {
    Unbounded,
    Bounded(u64),
}

pub const OUTS: usize = 2;

impl Plan {
    pub fn port(&self, node: usize, port: usize) -> &Port {
        &self.nodes[node].kind.ports[port]
    }

    /// Each way, with the statement that it is in.
    pub fn ways(&self) -> impl Iterator<Item = (&Statement, &To)> {
        self.statements.iter().flat_map(|statement| {
            let branches = std::iter::once(&statement.then).chain(&statement.otherwise);
            branches.flat_map(move |branch| branch.to.iter().map(move |to| (statement, to)))
        })
    }

    /// The numbers of the inputs.
    pub fn inputs(&self) -> Vec<usize> {
        let input = |statement: &Statement| match statement.from {
            From::Input(input) => Some(input),
            From::Event { .. } => None,
        };
        let mut inputs: Vec<usize> = self.statements.iter().filter_map(input).collect();
        inputs.sort_unstable();
        inputs.dedup();
        inputs
    }

    /// How many ways lead to a slot, or to each parameter of a join.
    pub fn ways_into(&self, node: usize, port: usize) -> usize {
        let here = |to: &To| matches!(to, To::Slot { node: n, port: p, .. } if (*n, *p) == (node, port));
        let diverted = self.nodes.iter().flat_map(|node| node.diverts.iter().flatten());
        self.ways().map(|(_, to)| to).chain(diverted).filter(|to| here(to)).count()
    }

    /// The routines that lead directly to others: by event, by error wire, by row.
    fn edges(&self) -> Vec<(usize, (usize, usize))> {
        let mut edges = Vec::new();
        for (statement, to) in self.ways() {
            if let (From::Event { node, .. }, To::Slot { node: to, port, .. }) = (statement.from, to) {
                edges.push((node, (*to, *port)));
            }
        }
        for (node, failing) in self.nodes.iter().enumerate() {
            for to in failing.diverts.iter().flatten() {
                if let To::Slot { node: to, port, .. } = to {
                    edges.push((node, (*to, *port)));
                }
            }
        }
        edges
    }

    /// The slots that something in a routine may lead to: any of its ports to any of its events.
    pub fn leads_to(&self, node: usize) -> Vec<(usize, usize)> {
        let edges = self.edges();
        let mut seen = vec![false; self.nodes.len()];
        let mut slots = Vec::new();
        let mut todo = vec![node];
        while let Some(at) = todo.pop() {
            if std::mem::replace(&mut seen[at], true) {
                continue;
            }
            for (from, slot) in &edges {
                if *from == at {
                    slots.push(*slot);
                    todo.push(slot.0);
                }
            }
        }
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    /// Whether some drained slot would wait for itself.
    fn is_drained_in_vain(&self) -> bool {
        (0..self.nodes.len()).any(|node| {
            let after = self.leads_to(node);
            let ports = self.nodes[node].kind.ports.iter().enumerate();
            let mut drained = ports.filter(|(_, port)| port.when == When::Drained);
            drained.any(|(port, _)| after.contains(&(node, port)))
        })
    }

    /// The flow of that seed.
    pub fn new(seed: u64) -> Plan {
        Maker::new(seed).made()
    }
}

// ---- how one is made ----

struct Maker {
    dice: Dice,
    plan: Plan,
    inputs: usize,
    /// Per routine, the ports that are connected: with the parameter of a join.
    used: Vec<Vec<(usize, Option<usize>)>>,
}

impl Maker {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let commutes = dice.one_in(3);
        let capacity = dice.of(&[1, 2, 5, 1024]);
        let plan = Plan {
            seed,
            commutes,
            nodes: Vec::new(),
            order: Vec::new(),
            statements: Vec::new(),
            default: None,
            capacity,
        };
        Maker { dice, plan, inputs: 0, used: Vec::new() }
    }

    fn made(mut self) -> Plan {
        let size = 3 + self.dice.below(10);
        let kinds: Vec<Kind> =
            KINDS.iter().copied().filter(|kind| kind.commutes || !self.plan.commutes).collect();
        for _ in 0..size {
            let kind = self.dice.of(&kinds);
            self.node(kind);
        }
        // Letters come from any of the others.
        if size < 12 && self.dice.one_in(2) {
            self.node(DEAD);
        }
        self.connect();
        self.more();
        self.default();
        self.feedback();
        self.failures();
        self.rest();
        self.order();
        self.plan
    }

    /// Another one than that of their ways, in most flows.
    fn order(&mut self) {
        self.plan.order = (0..self.plan.nodes.len()).collect();
        if self.dice.one_in(4) {
            return;
        }
        for end in (1..self.plan.nodes.len()).rev() {
            let at = self.dice.below(end + 1);
            self.plan.order.swap(at, end);
        }
    }

    fn node(&mut self, kind: Kind) {
        let ports = kind.ports.len();
        let mut used = Vec::new();
        let mut connectable = Vec::new();
        for (number, port) in kind.ports.iter().enumerate() {
            match port.role {
                Role::Join => used.extend((0..port.params.len()).map(|param| (number, Some(param)))),
                Role::Handler if port.takes != Takes::Letter => connectable.push((number, None)),
                _ => {}
            }
        }
        if !connectable.is_empty() && (used.is_empty() || self.dice.one_in(3)) {
            // One of its slots, and some more.
            let sure = self.dice.below(connectable.len());
            for (at, slot) in connectable.iter().enumerate() {
                if at == sure || self.dice.one_in(3) {
                    used.push(*slot);
                }
            }
        }
        self.used.push(used);
        let node = Node {
            kind,
            fails: Fails::default(),
            rows: Vec::new(),
            diverts: vec![None; ports],
            wired: vec![false; ports],
            many: 1 + self.dice.below(5) as u64,
            pause: self.dice.of(&[0, 0, 2, 9]),
        };
        self.plan.nodes.push(node);
    }

    fn targets(&self, node: usize) -> Vec<To> {
        let to = |(port, param): &(usize, Option<usize>)| To::Slot {
            node,
            port: *port,
            param: *param,
            back: None,
        };
        self.used[node].iter().map(to).collect()
    }

    /// Every slot that is to be connected is, from something before it.
    fn connect(&mut self) {
        for node in 0..self.plan.nodes.len() {
            for to in self.targets(node) {
                let many = match to {
                    To::Slot { port, param: None, .. } if self.plan.port(node, port).gathers() => 2,
                    _ => 1,
                };
                for _ in 0..many {
                    let from = self.source(node);
                    self.way(from, to);
                }
            }
        }
    }

    /// Something that may lead to this routine: most often an event of one shortly before it.
    fn source(&mut self, node: usize) -> From {
        let letters = |node: &Node| node.kind.name == DEAD.name;
        let before: Vec<usize> = (0..node).filter(|before| !letters(&self.plan.nodes[*before])).collect();
        if before.is_empty() || self.dice.one_in(5) {
            return self.input();
        }
        let near = before.len().min(4);
        let node = before[before.len() - 1 - self.dice.below(near)];
        From::Event { node, event: self.dice.below(2) }
    }

    fn input(&mut self) -> From {
        if self.inputs == 0 || (self.inputs < 4 && self.dice.one_in(3)) {
            self.inputs += 1;
        }
        From::Input(self.dice.below(self.inputs))
    }

    fn takes(&self, to: To) -> Takes {
        match to {
            To::Slot { node, port, .. } => self.plan.port(node, port).takes,
            _ => Takes::Token,
        }
    }

    /// Whether this way is there already, without operators that would tell it from another one.
    fn is_there(&self, from: From, to: To) -> bool {
        let same = |known: &To| match (known, to) {
            (To::Slot { node: a, port: b, param: c, .. }, To::Slot { node: x, port: y, param: z, .. }) => {
                (*a, *b, *c) == (x, y, z)
            }
            (known, to) => *known == to,
        };
        self.plan.ways().any(|(statement, known)| statement.from == from && same(known))
    }

    /// A way with or without operators, if it is not there already.
    fn way(&mut self, from: From, to: To) {
        if self.is_there(from, to) {
            return;
        }
        let wrapped = self.takes(to) == Takes::Wrapped;
        let map = match self.dice.below(if wrapped { 2 } else { 6 }) {
            0 => Some(1 + self.dice.below(1000) as u64),
            _ => None,
        };
        let guard = match self.dice.below(5) {
            0 => {
                let one_of = 2 + self.dice.below(2) as u64;
                Some(Guard { one_of, which: self.dice.below(one_of as usize) as u64 })
            }
            _ => None,
        };
        // Several targets of one statement: of an input there is no other way.
        let with_others = guard.is_none() && map.is_none() && self.dice.one_in(2);
        if !wrapped && (with_others || matches!(from, From::Input(_))) {
            let takes_tokens =
                |statement: &Statement| statement.then.to.iter().all(|to| self.takes(*to) == Takes::Token);
            let fits = |statement: &Statement| statement.from == from && takes_tokens(statement);
            if let Some(at) = self.plan.statements.iter().position(fits) {
                self.plan.statements[at].then.to.push(to);
                return;
            }
        }
        let is_there = self.plan.statements.iter().any(|statement| statement.from == from);
        let from = match from {
            From::Input(_) if is_there => {
                self.inputs += 1;
                From::Input(self.inputs - 1)
            }
            from => from,
        };
        let statement = Statement { from, guard, then: Branch { map, to: vec![to] }, otherwise: None };
        self.plan.statements.push(statement);
    }

    /// Some more ways, and what becomes of what guards reject.
    fn more(&mut self) {
        let letters = |node: &Node| node.kind.name == DEAD.name;
        let first_dead = self.plan.nodes.iter().position(letters).unwrap_or(self.plan.nodes.len());
        if first_dead > 1 {
            for _ in 0..self.dice.below(4) {
                let node = self.dice.below(first_dead - 1);
                let from = From::Event { node, event: self.dice.below(2) };
                let after: Vec<To> = (node + 1..first_dead).flat_map(|after| self.targets(after)).collect();
                if !after.is_empty() {
                    let to = self.dice.of(&after);
                    self.way(from, to);
                }
            }
        }
        for at in 0..self.plan.statements.len() {
            let Statement { from, guard: Some(_), .. } = self.plan.statements[at] else { continue };
            if self.dice.one_in(2) {
                continue;
            }
            let first = match from {
                From::Input(_) => 0,
                From::Event { node, .. } => node + 1,
            };
            let mut after: Vec<To> = (first..first_dead).flat_map(|after| self.targets(after)).collect();
            after.retain(|to| self.takes(*to) == Takes::Token && !self.is_there(from, *to));
            if matches!(from, From::Event { .. }) {
                after.push(To::Out(self.dice.below(OUTS)));
            }
            if !after.is_empty() {
                let to = self.dice.of(&after);
                let map = match self.dice.one_in(4) && matches!(to, To::Slot { .. }) {
                    true => Some(1 + self.dice.below(1000) as u64),
                    false => None,
                };
                self.plan.statements[at].otherwise = Some(Branch { map, to: vec![to] });
            }
        }
    }

    fn default(&mut self) {
        if self.dice.one_in(3) {
            let retry = self.dice.one_in(2).then(|| self.retry(false));
            self.plan.default = Some(Action { retry, end: Some(End::Skip) });
        }
    }

    /// Ways that lead back, which are marked.
    fn feedback(&mut self) {
        for _ in 0..self.dice.below(4) {
            let node = self.dice.below(self.plan.nodes.len());
            let targets = self.targets(node);
            if targets.is_empty() {
                continue;
            }
            let To::Slot { port, param, .. } = self.dice.of(&targets) else { continue };
            // From where it can be reached, or from itself.
            let mut from: Vec<usize> = self.plan.leads_to(node).iter().map(|(node, _)| *node).collect();
            from.push(node);
            from.retain(|from| *from >= node && self.plan.nodes[*from].kind.name != DEAD.name);
            from.dedup();
            let by = self.dice.of(&from);
            let from = From::Event { node: by, event: self.dice.below(2) };
            // Who goes too often fails, whatever it is: then something has to be done about that.
            // And nothing can be done where nothing is kept.
            let kind = self.plan.nodes[by].kind;
            let is_bounded = self.plan.default.is_some()
                && !self.plan.commutes
                && kind.name != "Timely"
                && kind.ports.iter().all(|port| port.fallible);
            let back = match is_bounded {
                true => Loop::Bounded(1 + self.dice.below(5) as u64),
                false => Loop::Unbounded,
            };
            let to = To::Slot { node, port, param, back: Some(back) };
            if self.is_there(from, to) {
                continue;
            }
            let map = match self.takes(to) {
                Takes::Wrapped => Some(1 + self.dice.below(1000) as u64),
                _ => None,
            };
            let then = Branch { map, to: vec![to] };
            self.plan.statements.push(Statement { from, guard: None, then, otherwise: None });
            if self.plan.is_drained_in_vain() {
                self.plan.statements.pop();
            }
        }
    }

    fn retry(&mut self, in_order: bool) -> Retry {
        Retry {
            times: 1 + self.dice.below(3) as u32,
            delay: self.dice.of(&[0, 1, 3, 7]),
            grows: self.dice.one_in(2),
            in_order: in_order && self.dice.one_in(3),
        }
    }

    /// When handlers fail, and what is done then.
    fn failures(&mut self) {
        for node in 0..self.plan.nodes.len() {
            let kind = self.plan.nodes[node].kind;
            let fallible: Vec<usize> =
                (0..kind.ports.len()).filter(|port| kind.ports[*port].fallible).collect();
            if fallible.is_empty() || self.dice.one_in(3) {
                continue;
            }
            // What comes of these depends on what was given up before.
            let not_given_up = kind.name == "Timely" || (kind.name == "Pull" && self.plan.commutes);
            if not_given_up && self.plan.default.is_some() {
                continue;
            }
            let one_in = self.dice.of(&[2, 3, 5]);
            let has_dead = self.plan.nodes.iter().any(|node| node.kind.name == DEAD.name);
            let style = match not_given_up {
                true => self.dice.below(2),
                false if has_dead => self.dice.of(&[0, 1, 2, 3, 4, 5, 4, 5]),
                false => self.dice.below(6),
            };
            let absorbing = style > 1;
            let mut rows = Vec::new();
            let retry = self.retry(kind.ports.iter().all(|port| port.role == Role::Handler));
            let mut fails = Fails { one_in, times: 1 + self.dice.below(2) as u32, panics: false };
            match style {
                // The job stops, and whoever looks after it has it go on.
                0 => {}
                // It is tried again until it succeeds.
                1 => {
                    fails.times = 1 + self.dice.below(retry.times as usize) as u32;
                    self.rows(&fallible, Action { retry: Some(retry), end: None }, &mut rows);
                }
                // It is tried again, or not, and then given up.
                2 | 3 => {
                    let retry = (style == 2).then_some(retry);
                    fails.times = 1 + self.dice.below(2 + retry.map_or(1, |r| r.times) as usize) as u32;
                    self.rows(&fallible, Action { retry, end: Some(End::Skip) }, &mut rows);
                    if self.dice.one_in(3) {
                        // Hard errors are given up at once.
                        let hard = |port| Row { port, panic: false, hard: true, action: skip() };
                        let ports: Vec<Option<usize>> = rows.iter().map(|row| row.port).collect();
                        rows.splice(0..0, ports.into_iter().map(hard));
                    }
                }
                // It goes elsewhere.
                _ => {
                    fails.times = 1 + self.dice.below(2 + retry.times as usize) as u32;
                    self.diverted(node, &fallible, retry, style == 4, &mut rows);
                }
            }
            let wired = self.plan.nodes[node].wired.iter().any(|wired| *wired);
            if style > 0 && !wired && self.dice.one_in(3) {
                fails.panics = true;
                // One by one: where nothing is kept there is no going on after a panic.
                let on_panic: Vec<Row> = rows
                    .iter()
                    .filter(|row| !row.hard)
                    .flat_map(|row| {
                        let ports = row.port.map_or(fallible.clone(), |port| vec![port]);
                        ports.into_iter().map(|port| Row { port: Some(port), panic: true, ..row.clone() })
                    })
                    .collect();
                rows.extend(on_panic);
            }
            if !absorbing && self.plan.default.is_some() {
                // Whatever is left is given up.
                fails.times += 1;
            }
            self.plan.nodes[node].fails = fails;
            self.plan.nodes[node].rows = rows;
        }
    }

    /// The same for each of these: in one row for the routine, or in one for each.
    fn rows(&mut self, fallible: &[usize], action: Action, rows: &mut Vec<Row>) {
        let row = |port| Row { port, panic: false, hard: false, action: action.clone() };
        match self.dice.one_in(2) {
            true => rows.push(row(None)),
            false => rows.extend(fallible.iter().map(|port| row(Some(*port)))),
        }
    }

    fn diverted(&mut self, node: usize, fallible: &[usize], retry: Retry, wired: bool, rows: &mut Vec<Row>) {
        let dead: Vec<usize> =
            (0..self.plan.nodes.len()).filter(|node| self.plan.nodes[*node].kind.name == DEAD.name).collect();
        for &port in fallible {
            let known = *self.plan.port(node, port);
            if self.plan.ways_into(node, port) == 0 && known.takes != Takes::Nothing {
                continue;
            }
            // Of what is superseded it cannot be told what went where; a pair goes as a whole.
            let is_pair = known.role == Role::Join && known.params.len() == 2 && !known.within;
            let is_plain = known.takes == Takes::Token && known.role == Role::Handler;
            if known.supersedes() || !(is_pair || is_plain) {
                let action = Action { retry: Some(retry), end: Some(End::Skip) };
                rows.push(Row { port: Some(port), panic: false, hard: false, action });
                continue;
            }
            let to = match dead.first() {
                _ if is_pair => To::Pairs,
                Some(&node) if !self.dice.one_in(3) => To::Slot { node, port: 0, param: None, back: None },
                _ => To::Letters,
            };
            let retry = self.dice.one_in(2).then_some(retry);
            self.plan.nodes[node].diverts[port] = Some(to);
            match wired {
                true => {
                    self.plan.nodes[node].wired[port] = true;
                    if retry.is_some() {
                        let action = Action { retry, end: None };
                        rows.push(Row { port: Some(port), panic: false, hard: false, action });
                    }
                }
                false => {
                    let action = Action { retry, end: Some(End::To(to)) };
                    rows.push(Row { port: Some(port), panic: false, hard: false, action });
                }
            }
        }
    }

    /// What leads nowhere goes out, or is ignored.
    fn rest(&mut self) {
        // Someone has to send them.
        let is_sent = |plan: &Plan, to: usize| {
            plan.nodes
                .iter()
                .flat_map(|node| node.diverts.iter().flatten())
                .any(|known| matches!(known, To::Slot { node, .. } if *node == to))
        };
        for node in 0..self.plan.nodes.len() {
            if self.plan.nodes[node].kind.name == DEAD.name && !is_sent(&self.plan, node) {
                debug_assert_eq!(node + 1, self.plan.nodes.len());
                self.plan.nodes.pop();
                break;
            }
        }
        let mut returned = false;
        for node in 0..self.plan.nodes.len() {
            for event in 0..self.plan.nodes[node].kind.events.len() {
                let from = From::Event { node, event };
                if self.plan.statements.iter().any(|statement| statement.from == from) {
                    continue;
                }
                let to = match self.dice.below(6) {
                    _ if event == 2 => {
                        let after: Vec<To> =
                            (node + 1..self.plan.nodes.len()).flat_map(|n| self.targets(n)).collect();
                        let token = |to: &To| self.takes(*to) == Takes::Token;
                        match after.into_iter().find(token) {
                            Some(to) if self.dice.one_in(2) => to,
                            _ => To::Unpaired,
                        }
                    }
                    0 | 1 => continue,
                    2 if !returned => {
                        returned = true;
                        To::Return
                    }
                    _ => To::Out(self.dice.below(OUTS)),
                };
                let map = match (event, to) {
                    (2, To::Slot { .. }) => Some(1 + self.dice.below(1000) as u64),
                    _ => None,
                };
                let then = Branch { map, to: vec![to] };
                self.plan.statements.push(Statement { from, guard: None, then, otherwise: None });
            }
        }
    }
}

fn skip() -> Action {
    Action { retry: None, end: Some(End::Skip) }
}
