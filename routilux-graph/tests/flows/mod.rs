//! Flows for the golden files: each has something that another has not.

use routilux_graph::{
    Connection, Event, Graph, Merge, Param, Policy, Port, Role, Routine, Slot, Source, Subject, Target, When,
};

/// All flows, by the name of their golden files.
pub(crate) fn all() -> Vec<(&'static str, Graph)> {
    vec![
        ("empty", Graph::new("Empty")),
        ("words", words()),
        ("orders", orders()),
        ("nested", nested()),
        ("chain", chain(12)),
        ("odd", odd()),
    ]
}

/// The one of the README.
pub(crate) fn words() -> Graph {
    let routines = vec![
        routine("reader: LineReader", &["open: PathBuf"], &["line: String", "bad: BadLine"]),
        routine("tok: Tokenizer", &["line: String"], &["word: String"]),
        routine("count: Counter", &["word: String | append drained"], &["totals: BTreeMap<String, u64>"]),
    ];
    flow(
        "WordCount",
        routines,
        &[
            "in path -> reader.open",
            "reader.line -> tok.line",
            "reader.bad -> out rejected",
            "tok.word -> count.word",
            "count.totals -> return",
        ],
    )
}

/// Fan-out and fan-in, a join, guards, a map, a conversion, error wires, feedback, a source and a finish.
pub(crate) fn orders() -> Graph {
    let mut parse = routine("parse: ParseOrder", &["line: String?"], &["order: Order", "notice: Notice"]);
    parse.events[1].live = true;
    let mut desk = routine("desk: Desk", &[], &["settled: Settled", "settle.unpaired: Unpaired"]);
    desk.slots.push(Slot {
        within: true,
        ..Slot::join("settle", vec![Param::new("order", "Order"), Param::new("payment", "Payment")])
    });
    let mut stock = routine("stock: Stock", &["reserve: Order"], &["reserved: Order", "missing: Order"]);
    stock.slots.push(Slot::source("refill", false));
    let mut bank = routine("bank: Bank", &["charge: Money?", "again: Money"], &["paid: Payment"]);
    bank.slots[1].optional = true;
    let mut mail = routine("mail: Mailer", &["text: String | latest 10"], &["sent: u32", "unused: ()"]);
    mail.slots.push(Slot::finish("bye"));
    let audit = routine("audit: AuditLog", &["entry: Order | fold:add", "failed: Failure<Money>"], &[]);
    let mut clock = routine("clock: Ticker", &[], &["tick: Instant"]);
    clock.slots.push(Slot::source("ticks", true));
    let mut graph = flow(
        "Orders",
        vec![parse, stock, bank, desk, mail, audit, clock],
        &[
            "in lines -> parse.line",
            "parse.order -> stock.reserve",
            "parse.order -> audit.entry",
            "parse.notice -> out notices",
            "stock.reserved -> desk.settle.order",
            "stock.reserved -> bank.charge",
            "stock.missing -> loop(3) stock.reserve",
            "bank.paid -> desk.settle.payment",
            "bank.charge.error -> audit.failed",
            "desk.settled -> mail.text",
            "desk.settled -> return",
            "desk.settle.unpaired -> out unpaired",
            "mail.sent -> loop bank.again",
            "clock.tick -> audit.entry",
            "parse.error -> out rejected",
        ],
    );
    graph.connections[5].map = Some("|order| order.price * order.count".into());
    graph.connections[8].guard = Some("|f| f.attempts > 3".into());
    graph.connections[9].guard = Some("|s| s.total > 100".into());
    graph.connections[9].converts = true;
    graph.connections[10].guard = graph.connections[9].guard.clone();
    graph.connections[10].otherwise = true;
    graph.ignored.push(Port::new("mail", "unused"));
    graph.policies.push(Policy::new(None, "retry(3, 100ms, x2) then stop"));
    graph.policies.push(Policy {
        to: vec![Target::Output("failed".into())],
        ..Policy::new(Some(Subject::Slot(Port::new("bank", "charge"))), "retry(2, 1s) then -> out failed")
    });
    graph
}

/// A flow in a flow in a flow.
pub(crate) fn nested() -> Graph {
    let deep = flow(
        "Clean",
        vec![routine("trim: Trim", &["text: String"], &["text: String"])],
        &["in text -> trim.text", "trim.text -> out text"],
    );
    let parse = flow(
        "Parse",
        vec![
            deep.instance("clean"),
            routine("split: Split", &["text: String"], &["row: Row", "bad: String"]),
        ],
        &[
            "in text -> clean.text",
            "clean.text -> split.text",
            "split.row -> out rows",
            "split.bad -> out bad",
        ],
    );
    let mut known_from_outside = parse.instance("parse_two");
    if let Some(inner) = &mut known_from_outside.inner {
        inner.graph = None;
    }
    let routines = vec![
        parse.instance("parse"),
        known_from_outside,
        routine("load: Load", &["row: Row"], &["done: u64"]),
    ];
    flow(
        "Etl",
        routines,
        &[
            "in text -> parse.text",
            "in text -> parse_two.text",
            "parse.rows -> load.row",
            "parse_two.rows -> load.row",
            "parse.bad -> out bad",
            "load.done -> return",
        ],
    )
}

/// So many steps one after the other.
pub(crate) fn chain(length: usize) -> Graph {
    let step = |number: usize| {
        routine(
            &format!("step{number}: Step"),
            &["item: Item", "again: Item"],
            &["done: Item", "retry: Item"],
        )
    };
    let mut connections = vec!["in items -> step0.item".to_owned()];
    for number in 1..length {
        connections.push(format!("step{}.done -> step{number}.item", number - 1));
    }
    connections.push(format!("step{}.done -> return", length - 1));
    connections.push("step2.retry -> loop step1.again".to_owned());
    connections.push("step9.retry -> loop(5) step3.again".to_owned());
    let connections: Vec<&str> = connections.iter().map(String::as_str).collect();
    flow("Chain", (0..length).map(step).collect(), &connections)
}

/// Names that mean something in one format or another, long ones, and mistakes.
pub(crate) fn odd() -> Graph {
    let mut end = Routine::new("end", "Pair<Vec<u8>, &'static str>");
    end.slots.push(Slot::new("graph", "HashMap<String, Box<dyn Fn(&str) -> Result<(), Error> + Send>>"));
    end.events.push(Event::new("subgraph", "[u8; 4]"));
    let mut quoted = Routine::new("say \"hi\" \\ <b>&amp; `x` #quot; ]] }} -->", "T\nwo\tlines");
    quoted.slots.push(Slot::new("{a|b}", "A | B"));
    quoted.events.push(Event::new("*star* _it_ [link](x)", "$x ${y} #z; %% //"));
    let mut wide = Routine::new("größe.語言.🦀", "Ünïcode<'a>");
    wide.slots.push(Slot {
        merge: Merge::Append,
        when: When::All,
        ..Slot::new("eingang_mit_einem_sehr_langen_namen_der_nicht_passt", "語言語言語言語言語言語言語言語言")
    });
    wide.slots.push(Slot { role: Role::Join, ..Slot::new("nothing", "()") });
    wide.events.push(Event::new("", ""));
    let twice = Routine::new("end", "Again");
    let empty = Routine::new("", "");
    let mut graph = Graph::new("Odd <\"flow\"> & 'so' on");
    graph.routines = vec![end, quoted, wide, twice, empty];
    let port = |routine: &str, name: &str| Port::new(routine, name);
    let names: Vec<String> = graph.routines.iter().map(|routine| routine.id.clone()).collect();
    graph.connections = vec![
        Connection::new(Source::Input("class".into()), Target::Slot(port("end", "graph"))),
        Connection::new(Source::Event(port("end", "subgraph")), Target::Slot(port(&names[1], "{a|b}"))),
        Connection {
            guard: Some("|x| x == \"a\" && x < 'b'".into()),
            ..Connection::new(
                Source::Event(port(&names[1], "*star* _it_ [link](x)")),
                Target::Slot(port(&names[2], "eingang_mit_einem_sehr_langen_namen_der_nicht_passt")),
            )
        },
        Connection::new(Source::Event(port(&names[2], "")), Target::Output("end".into())),
        Connection::new(Source::Event(port(&names[2], "")), Target::Output("class".into())),
        Connection::new(Source::Event(port("end", "none")), Target::Slot(port("nobody", "slot"))),
        Connection::new(Source::Event(port("", "x")), Target::Slot(port("", "y"))),
        Connection::new(Source::Input("a\"b".into()), Target::Return),
    ];
    graph.ignored.push(port("nobody", "x"));
    graph
}

/// `a.y -> b.x`, `in x -> a.x`, `a.y -> out y`, `a.y -> return`, `a.y -> loop(3) a.x`.
fn flow(name: &str, routines: Vec<Routine>, connections: &[&str]) -> Graph {
    let connections = connections.iter().map(|text| connection(text)).collect();
    Graph { routines, connections, ..Graph::new(name) }
}

fn connection(text: &str) -> Connection {
    let (from, to) = text.split_once(" -> ").unwrap();
    let from = match from.strip_prefix("in ") {
        Some(name) => Source::Input(name.into()),
        None => Source::Event(port(from)),
    };
    let (feedback, bound, to) = match to.strip_prefix("loop") {
        Some(rest) => {
            let (bound, to) = rest.split_once(' ').unwrap();
            (true, bound.trim_matches(['(', ')']).parse().ok(), to)
        }
        None => (false, None, to),
    };
    let to = match (to, to.strip_prefix("out ")) {
        ("return", _) => Target::Return,
        (_, Some(name)) => Target::Output(name.into()),
        _ => Target::Slot(port(to)),
    };
    Connection { feedback, bound, ..Connection::new(from, to) }
}

fn port(text: &str) -> Port {
    let (routine, name) = text.split_once('.').unwrap();
    Port::new(routine, name)
}

/// `id: Type`, its slots `name: Payload`, its events the same. A slot may fail: `name: Payload?`, and gather: `name: Payload | append drained`.
fn routine(text: &str, slots: &[&str], events: &[&str]) -> Routine {
    let (id, of_type) = text.split_once(": ").unwrap();
    let mut routine = Routine::new(id, of_type);
    for text in slots {
        let (text, gathers) = text.split_once(" | ").unwrap_or((text, ""));
        let (name, payload) = text.split_once(": ").unwrap();
        let fallible = payload.ends_with('?');
        let mut slot = Slot { fallible, ..Slot::new(name, payload.trim_end_matches('?')) };
        for word in gathers.split_whitespace() {
            match word.parse() {
                Ok(merge) => slot.merge = merge,
                Err(_) => slot.when = word.parse().unwrap(),
            }
        }
        routine.slots.push(slot);
    }
    for text in events {
        let (name, payload) = text.split_once(": ").unwrap();
        routine.events.push(Event::new(name, payload));
    }
    routine
}
