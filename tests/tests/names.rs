//! Names that could get in each other's way: keywords, the user's own `Event`, `Delivery`, `Result`, parameters named as
//! ours could be, macros of the user's that write routines and flows, and a module without std's prelude.
#![allow(missing_docs, dead_code, clippy::unwrap_used)]

mod keywords {
    use routilux::prelude::*;

    #[routine]
    pub(crate) struct r#Try {
        r#type: u64,
        #[state]
        r#match: u64,
    }

    #[routine]
    impl r#Try {
        #[event]
        fn r#gen(n: u64);
        #[event]
        fn r#loop(r#in: u64);

        #[slot]
        fn r#move(&mut self, r#ref: u64, out: &mut Emit<Self>) {
            self.r#match += r#ref;
            out.r#gen(self.r#match * self.r#type);
            out.r#loop(0);
        }
    }

    flow! {
        pub(crate) flow Keywords(r#type: u64) {
            r#dyn: r#Try { r#type };
            in r#use -> r#dyn.r#move;
            r#dyn.r#gen -> out r#impl;
            r#dyn.r#loop -> return;
        }
    }
}

#[test]
fn keywords_are_names_like_others() {
    let mut job = keywords::Keywords::new(3).job();
    job.inputs().r#use(2).unwrap();
    let report = job.run().unwrap();
    assert_eq!(report.result().unwrap(), &0);
    assert_eq!(job.outputs().r#impl().collect::<Vec<_>>(), [6]);
    assert_eq!(job.history().next().unwrap().slot, "move");
}

mod shadowing {
    use routilux::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Default, Debug, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Event(pub(crate) u64);
    #[derive(Clone, Default, Serialize, Deserialize)]
    pub(crate) struct Delivery;
    #[derive(Clone, Default, Serialize, Deserialize)]
    pub(crate) struct Option;
    #[derive(Clone, Default, Serialize, Deserialize)]
    pub(crate) struct Vec;
    #[derive(Clone, Default)]
    pub(crate) struct Cells;

    #[routine]
    pub(crate) struct Cell {
        cells: Cells,
        #[state]
        delivery: Delivery,
        #[state]
        option: Option,
        #[transient]
        vec: Vec,
    }

    #[routine]
    impl Cell {
        #[event]
        fn event(event: Event);

        #[slot]
        fn delivery(&mut self, event: &Event, _option: Option, out: &mut Emit<Self>) -> Result {
            let Cells = self.cells;
            out.event(event.clone());
            Ok(())
        }
    }

    flow! {
        pub(crate) flow Outbound(job: u64, cells: Cells, post: u64, value: u64, self_: u64) {
            queue: Cell { cells: { let _ = (job, post, value, self_); cells } };
            in post -> queue.delivery;
            queue.event -> out value, return;
        }
    }
}

#[test]
fn the_users_names_are_the_users() {
    use shadowing::{Cells, Event, Option, Outbound};
    let mut job = Outbound::new(1, Cells, 2, 3, 4).job();
    job.inputs().post((Event(7), Option)).unwrap();
    assert_eq!(job.run().unwrap().result().unwrap(), &Event(7));
    assert_eq!(job.outputs().value().len(), 1);
}

mod written_by_macros {
    use routilux::prelude::*;

    macro_rules! adder {
        ($name:ident, $ty:ty) => {
            #[routine]
            pub(crate) struct $name {
                by: $ty,
            }

            #[routine]
            impl $name {
                #[event]
                fn sum(n: $ty);

                #[slot]
                fn n(&self, n: $ty, out: &mut Emit<Self>) {
                    out.sum(n + self.by);
                }
            }
        };
    }

    macro_rules! adding {
        ($flow:ident, $routine:path, $by:expr) => {
            flow! {
                pub(crate) flow $flow() {
                    add: $routine { by: $by };
                    in n -> add.n;
                    add.sum -> return;
                }
            }
        };
    }

    adder!(AddInt, u64);
    adder!(AddFloat, f64);
    adding!(Ints, AddInt, 2 + 3);
    adding!(Floats, self::AddFloat, 0.5);
}

#[test]
fn macros_may_write_routines_and_flows() {
    let mut job = written_by_macros::Ints::new().job();
    job.inputs().n(1).unwrap();
    assert_eq!(job.run().unwrap().result().unwrap(), &6);
    let mut job = written_by_macros::Floats::new().job();
    job.inputs().n(1.0).unwrap();
    assert_eq!(job.run().unwrap().result().unwrap(), &1.5);
}

/// The same of all other kinds of ports.
mod all_ports {
    #![no_implicit_prelude]
    use ::routilux::{__private as p, Emit, More, routine};

    #[routine]
    pub(super) struct r#Try {
        #[state]
        r#match: u64,
    }

    #[routine]
    impl r#Try {
        #[event]
        fn r#gen(n: u64);

        #[merge]
        fn r#mod(acc: &mut u64, r#in: u64, _: u64) {
            *acc += r#in;
        }

        #[slot(merge = r#mod, when = "drained", emit = r#gen)]
        fn r#move(&self, sum: u64) -> ::std::option::Option<u64> {
            ::std::option::Option::Some(sum)
        }

        #[slot(merge = "append", when = 2)]
        fn r#ref(&mut self, all: ::std::vec::Vec<u64>) -> ::routilux::prelude::Result {
            self.r#match += all[0];
            ::std::result::Result::Ok(())
        }

        #[join(within = "1s")]
        fn r#use(&mut self, r#type: u64, _value: ::std::string::String, out: &mut Emit<Self>) {
            self.r#match += r#type;
            out.r#impl();
            out.after(::std::time::Duration::from_secs(1)).r#gen(r#type);
        }

        #[join(latest, emit = r#gen)]
        fn r#fn(&self, a: u64, b: &u64, out: u64) -> ::routilux::prelude::Result<u64> {
            ::std::result::Result::Ok(a + b + out)
        }

        #[source(start)]
        fn r#impl(&mut self, out: &mut Emit<Self>) -> ::routilux::prelude::Result<More> {
            out.r#gen(self.r#match);
            ::std::result::Result::Ok(More::Done)
        }

        #[finish]
        fn r#loop(&mut self) {}
    }

    pub(super) fn unpaired() -> (UseUnpaired, UseUnpaired) {
        (UseUnpaired::Type(1), UseUnpaired::Value(::std::string::String::new()))
    }

    pub(super) fn ports() -> ::std::vec::Vec<&'static str> {
        let mut names = ::std::vec::Vec::new();
        for slot in <r#Try as p::Routine>::SLOTS {
            names.push(slot.name);
            for (name, _) in slot.params {
                names.push(name);
            }
        }
        for event in <r#Try as p::Routine>::EVENTS {
            names.push(event.name);
        }
        names
    }
}

#[test]
fn keywords_name_ports_of_every_kind() {
    let ports = all_ports::ports();
    assert_eq!(
        ports,
        ["move", "ref", "use", "type", "value", "fn", "a", "b", "out", "impl", "loop", "gen", "use.unpaired"]
    );
    let (one, other) = all_ports::unpaired();
    assert_ne!(one, other);
}

mod every_port_written_by_a_macro {
    use routilux::prelude::*;

    macro_rules! gathers {
        ($name:ident, $ty:ty, $other:ty, $join:ident, $fold:ident, $event:ident) => {
            #[routine]
            pub(crate) struct $name {
                #[state]
                last: $ty,
            }

            #[routine]
            impl $name {
                #[event]
                fn $event(n: $ty, other: $other);

                #[merge]
                fn $fold(acc: &mut $ty, n: $ty) {
                    *acc += n;
                }

                #[slot(merge = $fold, when = "drained", emit = $event)]
                fn sum(&self, sum: $ty) -> Result<($ty, $other)> {
                    Ok((sum, <$other>::default()))
                }

                #[slot(merge = "append", when = 3, emit = $event)]
                fn batch(&self, all: Vec<$ty>) -> Result<impl Iterator<Item = ($ty, $other)>> {
                    Ok(all.into_iter().map(|n| (n, <$other>::default())))
                }

                #[join(within = "1h")]
                fn $join(&mut self, n: $ty, other: $other, out: &mut Emit<Self>) -> Result {
                    self.last = n;
                    out.$event(n, other);
                    out.lines();
                    Ok(())
                }

                #[source]
                fn lines(&mut self, out: &mut Emit<Self>) -> Result<More> {
                    out.$event(self.last, <$other>::default());
                    Ok(More::Now)
                }
            }
        };
    }

    gathers!(Ints, u64, String, pair, add, sent);
    gathers!(Floats, f64, Vec<u8>, bring, plus, moved);

    pub(crate) fn unpaired() -> (PairUnpaired, BringUnpaired) {
        (PairUnpaired::N(1), BringUnpaired::Other(vec![1]))
    }
}

#[test]
fn macros_may_write_ports_of_every_kind() {
    let (pair, bring) = every_port_written_by_a_macro::unpaired();
    assert_eq!((format!("{pair:?}"), format!("{bring:?}")), ("N(1)".into(), "Other([1])".into()));
}
