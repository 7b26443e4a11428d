//! Handlers of every kind, called by themselves as a unit test of the user's calls them, and as the engine does.

#![allow(missing_docs, dead_code, clippy::unwrap_used)]

use routilux::__private::{self as p, FoldPort, JoinParam, JoinPort, Pair, SlotPort};
use routilux::prelude::*;
use std::collections::HashMap;
use std::time::Duration;

/// Calls the port as the engine does.
macro_rules! call {
    ($routine:ty, $port:literal, $this:expr, $argument:expr) => {{
        let mut out = Emit::<$routine>::default();
        <$routine as SlotPort<$port>>::call($this, $argument, &mut out, &Context::test()).map(|()| out)
    }};
}

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Order {
    id: u32,
}

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Payment {
    of: u32,
}

/// Every merge with every rule.
#[routine]
#[derive(Default)]
struct Gathers {
    #[state]
    seen: Vec<String>,
}

#[routine]
impl Gathers {
    #[event]
    fn total(n: u64);

    #[merge]
    fn add(acc: &mut u64, n: u32) {
        *acc += u64::from(n);
    }

    #[merge]
    fn count_words(acc: &mut HashMap<String, u64>, word: String, times: u64) {
        *acc.entry(word).or_default() += times;
    }

    #[merge]
    fn ticks(acc: &mut u64) {
        *acc += 1;
    }

    #[slot(merge = "latest")]
    fn newest(&self, n: &u32) {
        let _ = n;
    }

    #[slot(merge = "latest", when = "all")]
    fn newest_of_all(&mut self, all: Vec<u32>) -> Result {
        self.seen.push(format!("{all:?}"));
        Ok(())
    }

    #[slot(merge = "append", when = 3)]
    fn batch(&mut self, batch: Vec<(u32, String)>) {
        self.seen.push(format!("{batch:?}"));
    }

    #[slot(merge = add)]
    fn so_far(&self, total: &u64, out: &mut Emit<Self>) {
        out.total(*total);
    }

    #[slot(merge = Self::add, when = "drained")]
    fn sum(&mut self, total: u64, out: &mut Emit<Self>, cx: &Context) -> Result<()> {
        self.seen.push(format!("{} at attempt {}", total, cx.attempt()));
        out.total(total);
        Ok(())
    }

    #[slot(merge = count_words, when = "drained", optional)]
    fn words(&mut self, words: std::collections::HashMap<String, u64>) {
        self.seen.push(format!("{}", words.len()));
    }

    #[slot(merge = ticks, when = "drained")]
    fn ticked(&mut self, ticks: u64) {
        self.seen.push(format!("{ticks}"));
    }
}

#[routine]
#[derive(Default)]
struct Desk {
    #[state]
    settled: u32,
}

#[routine]
impl Desk {
    #[event]
    fn settled(id: u32);

    #[join]
    fn settle(&mut self, order: Order, _payment: Payment, out: &mut Emit<Self>) -> Result {
        self.settled += 1;
        out.settled(order.id);
        Ok(())
    }

    #[join(latest, within = "30min")]
    fn compare(&self, order: &Order, payment: &Payment, note: &str) {
        let _ = (order, payment, note);
    }

    #[join(within = "1s", emit = settled)]
    fn mixed(&self, order: Order, payment: &Payment) -> Option<u32> {
        (order.id == payment.of).then_some(order.id)
    }
}

/// A join of a generic routine: the enum has only the parameters that it needs.
#[routine]
struct Pairs<A: Payload, B: Payload, C: Payload>
where
    C: Default,
{
    #[state]
    kept: (Option<A>, Option<B>, Option<C>),
}

#[routine]
impl<A: Payload, B: Payload, C: Payload> Pairs<A, B, C>
where
    C: Default,
{
    #[event]
    fn pair(a: A, c: C);

    #[join(within = "1h", emit = pair)]
    fn bring(&self, a: A, c: Option<C>) -> Option<(A, C)> {
        c.map(|c| (a, c))
    }
}

/// A fold of a generic routine, over values of two kinds.
#[routine]
struct Sums<T: Payload + Default + std::ops::AddAssign + Clone, const N: usize> {
    #[state]
    largest: Option<T>,
}

#[routine]
impl<T: Payload + Default + std::ops::AddAssign + Clone, const N: usize> Sums<T, N> {
    #[event]
    fn sums(of: Vec<T>);

    #[merge]
    fn add(acc: &mut Vec<T>, number: usize, value: T) {
        acc.resize(N, T::default());
        acc[number % N] += value;
    }

    #[slot(merge = add, when = "drained", emit = sums)]
    fn sum(&mut self, mut sums: Vec<T>) -> Result<Vec<T>> {
        self.largest = sums.first().cloned();
        sums.truncate(N);
        Ok(sums)
    }

    #[join(latest, within = "1s")]
    fn both(&self, one: T, other: (T, u8)) -> Result {
        let _ = (one, other);
        Ok(())
    }
}

#[test]
fn a_generic_routine_folds_and_joins() {
    type S = Sums<u8, 2>;
    let mut acc = <S as FoldPort<0>>::start();
    for n in 0..5 {
        <S as FoldPort<0>>::fold(&mut acc, (usize::from(n), n));
    }
    let out = call!(S, 0, &mut Sums { largest: None }, <S as FoldPort<0>>::keep_acc(&acc)).unwrap();
    assert_eq!(out.emitted().sums(), [&[6, 4]]);
    let mut stores = <S as JoinPort<1>>::Stores::default();
    <S as JoinPort<1>>::add(&mut stores, <S as JoinParam<0, 1>>::part(3), 0);
    assert_eq!(<S as JoinPort<1>>::expired(&mut stores, 0), [BothUnpaired::One(3)]);
}

#[routine]
#[derive(Default)]
struct Reader {
    to: u64,
    #[state]
    next: u64,
}

#[routine]
impl Reader {
    #[event]
    fn number(n: u64);

    #[event]
    fn timeout(what: String, n: u64);

    #[event(live)]
    fn token(text: String);

    #[slot]
    fn open(&mut self, to: u64, out: &mut Emit<Self>) {
        self.to = to;
        out.numbers();
        out.after(Duration::from_secs(5)).named("watch").timeout("open".into(), to);
        out.every(Duration::from_millis(10)).number(0);
        out.cancel("other");
    }

    #[source]
    fn numbers(&mut self, out: &mut Emit<Self>, _cx: &Context) -> Result<More> {
        if self.next == self.to {
            return Ok(More::Done);
        }
        out.number(self.next);
        self.next += 1;
        Ok(More::Now)
    }

    #[source(start, atomic = false)]
    fn ticks(&mut self) -> More {
        More::After(Duration::from_secs(1))
    }

    #[finish]
    fn flush(&mut self, out: &mut Emit<Self>) {
        out.number(self.next);
    }
}

#[routine]
struct Returns {
    factor: u64,
}

#[routine]
impl Returns {
    #[event]
    fn word(text: String);
    #[event]
    fn counted(words: usize, letters: usize);
    #[event]
    fn list(all: Vec<u64>);
    #[event]
    fn done();
    #[event]
    fn number(n: u64);
    #[event(live)]
    fn token(text: String);

    #[slot(emit = word)]
    fn one(&self, text: &str) -> String {
        text.to_uppercase()
    }

    #[slot(emit = counted)]
    fn count(&self, text: String) -> Result<(usize, usize)> {
        Ok((text.split(' ').count(), text.len()))
    }

    #[slot(emit = number)]
    fn parse(&self, text: String) -> Result<u64, std::num::ParseIntError> {
        text.parse()
    }

    #[slot(emit = number)]
    fn maybe(&self, n: u64) -> Option<u64> {
        (n > 0).then_some(n)
    }

    #[slot(emit = word)]
    fn all(&self, text: String, out: &mut Emit<Self>) -> Result<Vec<String>> {
        out.done();
        Ok(text.split(' ').map(str::to_owned).collect())
    }

    #[slot(emit = number)]
    fn lazily(&self, n: &Vec<u64>) -> impl Iterator<Item = u64> {
        n.iter().map(|n| n * self.factor)
    }

    #[slot(emit = number)]
    fn into(&self, n: Vec<u64>) -> Result<impl IntoIterator<Item = u64> + use<>> {
        Ok(n)
    }

    #[slot(emit = list)]
    fn whole(&self, n: u64) -> Vec<u64> {
        vec![n, n]
    }

    #[slot(emit = done)]
    fn nothing(&self, _n: u64) {}

    #[slot(emit = token)]
    fn live(&self, n: u64) -> Option<String> {
        Some(n.to_string())
    }

    #[slot(emit = counted)]
    async fn waits(&self, n: Vec<usize>) -> Result<impl Iterator<Item = (usize, usize)>> {
        std::future::ready(()).await;
        Ok(n.into_iter().map(|n| (n, n)))
    }

    #[slot(emit = number)]
    async fn waits_too(&self, n: &u64, out: &mut Emit<Self>) -> Option<u64> {
        out.done();
        Some(*n)
    }

    #[slot(emit = done)]
    fn nothing_or_error(&self, _n: u64) -> Result<()> {
        Ok(())
    }

    #[slot(emit = done)]
    fn nothing_or_plain_error(&self, _n: u64) -> Result {
        Ok(())
    }
}

#[test]
fn what_a_handler_returns_is_emitted() {
    let it = Returns { factor: 2 };
    assert_eq!(call!(Returns, 0, &it, &"a".into()).unwrap().emitted().word(), ["A"]);
    assert_eq!(call!(Returns, 1, &it, "a bc".into()).unwrap().emitted().counted(), [&(2, 4)]);
    assert_eq!(call!(Returns, 2, &it, "7".into()).unwrap().emitted().number(), [&7]);
    let failed = call!(Returns, 2, &it, "seven".into()).err().unwrap();
    assert_eq!(failed.to_string(), "invalid digit found in string");
    assert_eq!(call!(Returns, 3, &it, 7).unwrap().emitted().number(), [&7]);
    assert!(call!(Returns, 3, &it, 0).unwrap().emitted().number().is_empty());
    let out = call!(Returns, 4, &it, "a b".into()).unwrap();
    assert_eq!(out.emitted().events(), ["done", "word", "word"]);
    assert_eq!(out.emitted().word(), ["a", "b"]);
    assert_eq!(call!(Returns, 5, &it, &vec![1, 2]).unwrap().emitted().number(), [&2, &4]);
    assert_eq!(call!(Returns, 6, &it, vec![1, 2]).unwrap().emitted().number(), [&1, &2]);
    assert_eq!(call!(Returns, 7, &it, 3).unwrap().emitted().list(), [&vec![3, 3]]);
    assert_eq!(call!(Returns, 8, &it, 3).unwrap().emitted().events(), ["done"]);
    assert_eq!(call!(Returns, 9, &it, 3).unwrap().emitted().token(), ["3"]);
    assert_eq!(call!(Returns, 12, &it, 3).unwrap().emitted().events(), ["done"]);
    assert_eq!(call!(Returns, 13, &it, 3).unwrap().emitted().events(), ["done"]);
}

#[test]
fn a_source_is_armed_and_says_whether_there_is_more() {
    let mut reader = Reader::default();
    let mut out = Emit::<Reader>::default();
    reader.open(1, &mut out);
    assert_eq!(out.emitted().events(), ["numbers"]);
    assert_eq!(out.emitted().numbers().len(), 1);
    let cx = Context::test();
    assert_eq!(reader.numbers(&mut out, &cx).unwrap(), More::Now);
    assert_eq!(reader.numbers(&mut out, &cx).unwrap(), More::Done);
    assert_eq!(out.emitted().number(), [&0]);
}

#[test]
fn what_is_emitted_later_can_be_read() {
    let mut out = Emit::<Reader>::default();
    Reader::default().open(7, &mut out);
    let (five, ten) = (Duration::from_secs(5), Duration::from_millis(10));
    assert_eq!(out.emitted().later(), [(five, "timeout"), (ten, "number")]);
    assert_eq!(out.emitted().after(five).timeout(), [&("open".to_owned(), 7)]);
    assert_eq!(out.emitted().named("watch").events(), ["timeout"]);
    assert_eq!(out.emitted().every(ten).number(), [&0]);
    assert!(out.emitted().after(ten).number().is_empty());
    assert_eq!(out.emitted().cancel(), ["other"]);
}

#[test]
fn a_fold_is_a_function_of_its_own() {
    let mut total = <Gathers as FoldPort<4>>::start();
    <Gathers as FoldPort<4>>::fold(&mut total, 2);
    <Gathers as FoldPort<4>>::fold(&mut total, 3);
    assert_eq!(<Gathers as FoldPort<4>>::keep_acc(&total), 5);
    let mut gathers = Gathers::default();
    let out = call!(Gathers, 4, &mut gathers, total).unwrap();
    assert_eq!(out.emitted().total(), [&5]);
    assert_eq!(call!(Gathers, 3, &gathers, &9).unwrap().emitted().total(), [&9]);
    let mut words = <Gathers as FoldPort<5>>::start();
    <Gathers as FoldPort<5>>::fold(&mut words, ("a".to_owned(), 2));
    assert_eq!(words["a"], 2);
    let mut ticks = <Gathers as FoldPort<6>>::start();
    <Gathers as FoldPort<6>>::fold(&mut ticks, ());
    assert_eq!(ticks, 1);
}

type Settle = <Desk as JoinPort<0>>::Stores;

/// What arrives at an input of `settle`.
fn order(id: u32) -> <Desk as SlotPort<0>>::Payload {
    <Desk as JoinParam<0, 0>>::part(Order { id })
}

fn payment(of: u32) -> <Desk as SlotPort<0>>::Payload {
    <Desk as JoinParam<1, 0>>::part(Payment { of })
}

#[test]
fn a_join_pairs_in_the_order_of_arrival_and_is_saved() {
    type J = Desk;
    let mut stores = Settle::default();
    assert_eq!(<J as JoinPort<0>>::PARAMS, ["order", "payment"]);
    assert_eq!(<J as JoinPort<0>>::parameter(&payment(1)), 1);
    <J as JoinPort<0>>::add(&mut stores, order(1), 10);
    <J as JoinPort<0>>::add(&mut stores, order(2), 20);
    assert_eq!(<J as JoinPort<0>>::lengths(&stores), [2, 0]);
    let taken = <J as JoinPort<0>>::pair(&mut stores, payment(1)).unwrap();
    assert_eq!(taken.0, (10, Order { id: 1 }));
    let copy = <J as JoinPort<0>>::keep_taken(&taken);
    assert_eq!(copy.1.1, Payment { of: 1 });
    let saved = <J as JoinPort<0>>::save_taken(&taken).unwrap();
    assert_eq!(<J as JoinPort<0>>::load_taken(saved).unwrap(), taken);
    assert_eq!(<J as JoinPort<0>>::values(taken), (Order { id: 1 }, Payment { of: 1 }));
    assert_eq!(<J as JoinPort<0>>::lengths(&stores), [1, 0]);
    assert_eq!(<J as JoinPort<0>>::oldest(&stores), Some(20));

    let mut values = Vec::new();
    <J as JoinPort<0>>::each(&stores, &mut |input, at, value| values.push((input, at, value.unwrap())));
    let mut restored = Settle::default();
    for (input, at, value) in values {
        <J as JoinPort<0>>::restore(&mut restored, input, at, value).unwrap();
    }
    assert_eq!(<J as JoinPort<0>>::lengths(&restored), [1, 0]);
    assert!(<J as JoinPort<0>>::expired(&mut restored, 19).is_empty());
    assert_eq!(<J as JoinPort<0>>::oldest(&restored), Some(20));
    assert_eq!(<J as JoinPort<0>>::expired(&mut restored, 20).len(), 1);

    let codec = <J as SlotPort<0>>::codec();
    let back = codec.load_value(codec.save_value(&payment(3)).unwrap()).unwrap();
    assert_eq!(<J as JoinPort<0>>::parameter(&back), 1);
}

#[test]
fn the_handler_of_a_join_takes_one_of_each() {
    let mut desk = Desk::default();
    let mut taken = Some(((0, Order { id: 4 }), (0, Payment { of: 4 })));
    let out = call!(Desk, 0, &mut desk, Pair::Of(&mut taken)).unwrap();
    assert_eq!(out.emitted().settled(), [&4]);
    assert_eq!((desk.settled, taken.is_none()), (1, true));
    // Where all are taken by reference they stay where they are.
    let mut taken = Some(((0, Order { id: 4 }), (0, Payment { of: 4 }), (0, "x".to_owned())));
    call!(Desk, 1, &desk, Pair::Of(&mut taken)).unwrap();
    assert!(taken.is_some());
    let mut taken = Some(((0, Order { id: 4 }), (0, Payment { of: 5 })));
    assert!(call!(Desk, 2, &desk, Pair::Of(&mut taken)).unwrap().emitted().settled().is_empty());
}

#[test]
fn the_latest_takes_the_place_of_what_waits() {
    let mut stores = <Desk as JoinPort<1>>::Stores::default();
    for id in [1, 2] {
        <Desk as JoinPort<1>>::add(&mut stores, CompareUnpaired::Order(Order { id }), 10);
    }
    const { assert!(<Desk as JoinPort<1>>::LATEST) };
    assert_eq!(<Desk as JoinPort<1>>::lengths(&stores), [1, 0, 0]);
    let expired = <Desk as JoinPort<1>>::expired(&mut stores, u64::MAX);
    assert_eq!(expired, [CompareUnpaired::Order(Order { id: 2 })]);
}

#[test]
fn what_found_no_partner_is_an_enum_that_travels() {
    let unpaired = || vec![MixedUnpaired::Order(Order { id: 1 }), MixedUnpaired::Payment(Payment { of: 2 })];
    let out = call!(Desk, 2, &Desk::default(), Pair::Unpaired(unpaired())).unwrap();
    assert_eq!(out.emitted().events(), ["mixed.unpaired", "mixed.unpaired"]);
    assert_eq!(format!("{:?}", unpaired()[0]), "Order(Order { id: 1 })");
    assert_eq!(unpaired().clone(), unpaired());

    let json = serde_json::to_string(&unpaired()).unwrap();
    assert_eq!(json, r#"[{"Order":{"id":1}},{"Payment":{"of":2}}]"#);
    assert_eq!(serde_json::from_str::<Vec<MixedUnpaired>>(&json).unwrap(), unpaired());
    let bytes = postcard::to_allocvec(&unpaired()).unwrap();
    assert_eq!(postcard::from_bytes::<Vec<MixedUnpaired>>(&bytes).unwrap(), unpaired());
    let wrong = serde_json::from_str::<MixedUnpaired>(r#"{"Refund":{}}"#).unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "unknown variant `Refund`, expected `Order` or `Payment` at line 1 column 9"
    );
    let codec = <Desk as SlotPort<2>>::codec();
    let back = codec.load_value(codec.save_value(&unpaired()[1]).unwrap()).unwrap();
    assert_eq!(back, unpaired()[1]);

    fn travels<T: Payload>() {}
    travels::<BringUnpaired<u32, String>>();
    let generic = BringUnpaired::<u32, String>::C(Some("x".into()));
    assert_eq!(serde_json::to_string(&generic).unwrap(), r#"{"C":"x"}"#);
}

#[test]
fn ports_are_data() {
    use p::{Role, Routine, When};
    let port = |name: &str| -> p::SlotInfo {
        let all = Gathers::SLOTS.iter().chain(Desk::SLOTS).chain(Reader::SLOTS).chain(Returns::SLOTS);
        all.clone().find(|slot| slot.name == name).unwrap().clone()
    };
    assert_eq!((port("newest").merge, port("newest").when), ("latest", When::Each));
    assert_eq!((port("batch").merge, port("batch").when), ("append", When::Count(3)));
    assert_eq!((port("so_far").merge, port("so_far").payload), ("fold:add", "u32"));
    assert_eq!((port("words").payload, port("words").optional), ("(String, u64)", true));
    assert_eq!((port("ticked").payload, port("ticked").when), ("()", When::Drained));
    assert_eq!(port("settle").role, Role::Join);
    assert_eq!(port("settle").params, [("order", "Order"), ("payment", "Payment")]);
    assert_eq!((port("settle").within, port("compare").within), (false, true));
    assert_eq!((port("settle").merge, port("compare").merge), ("override", "latest"));
    assert_eq!((port("numbers").role, port("numbers").payload), (Role::Source { start: false }, "()"));
    assert_eq!((port("ticks").role, port("flush").role), (Role::Source { start: true }, Role::Finish));
    let events: Vec<_> = Desk::EVENTS.iter().map(|event| (event.name, event.payload)).collect();
    assert_eq!(
        events,
        [("settled", "u32"), ("compare.unpaired", "CompareUnpaired"), ("mixed.unpaired", "MixedUnpaired")]
    );
    let generic = Pairs::<u8, u8, u8>::EVENTS[1];
    assert_eq!((generic.name, generic.payload), ("bring.unpaired", "BringUnpaired<A, C>"));

    // What can fail, and after which a panic leaves all as it was.
    let kept = |name: &str| (port(name).fallible, port(name).whole);
    assert_eq!(kept("newest"), (false, true));
    assert_eq!(kept("newest_of_all"), (true, true));
    assert_eq!(kept("batch"), (false, false));
    assert_eq!(kept("so_far"), (false, false));
    assert_eq!(kept("sum"), (true, true));
    assert_eq!(kept("settle"), (true, true));
    assert_eq!(kept("compare"), (false, true));
    assert_eq!(kept("mixed"), (false, false));
    assert_eq!(kept("numbers"), (true, true));
    assert_eq!(kept("ticks"), (false, false));
    assert_eq!(kept("one"), (false, true));
    assert_eq!(kept("count"), (true, true));
    assert_eq!(kept("maybe"), (false, false));
    assert_eq!(kept("nothing"), (false, false));
}

#[test]
fn how_each_is_run() {
    let mode = <Gathers as SlotPort<0>>::MODE;
    assert_eq!((mode.latest, mode.alone), (true, true));
    let mode = <Gathers as SlotPort<1>>::MODE;
    assert_eq!((mode.latest, mode.alone, mode.when), (false, true, p::When::All));
    let mode = <Desk as SlotPort<1>>::MODE;
    assert_eq!((mode.within, mode.alone, mode.source), (30 * 60_000, true, false));
    let mode = <Reader as SlotPort<1>>::MODE;
    assert_eq!((mode.source, mode.alone), (true, true));
    const { assert!(<Gathers as SlotPort<1>>::KEEPS && !<Gathers as SlotPort<2>>::KEEPS) };
    const { assert!(<Gathers as SlotPort<4>>::KEEPS && !<Gathers as SlotPort<3>>::KEEPS) };
    const { assert!(<Desk as SlotPort<0>>::KEEPS && !<Desk as SlotPort<1>>::KEEPS) };
}

#[test]
fn what_a_join_brought_together_stays_so_when_its_handler_fails() {
    use p::{Arrival, Fault, Handover, Joined};
    type Parcel = p::Parcel<Desk, 0>;
    let cx = Context::test();
    let mut contents = p::Contents::<Desk, 0>::default();
    for id in [1, 2] {
        let arrival: Parcel = Arrival::of(order(id), 0, 2);
        assert!(!<Joined as Handover<Desk, 0>>::runs(&contents, &arrival, &cx));
        assert!(
            <Joined as Handover<Desk, 0>>::kept(&mut contents, arrival, &cx, &mut Default::default()).is_ok()
        );
    }
    let mut paired = |parcel: Parcel, fails: bool| {
        let mut seen = None;
        let ran = <Joined as Handover<Desk, 0>>::hand_over(
            &mut contents,
            parcel,
            &cx,
            &mut Default::default(),
            |pair| match pair {
                Pair::Of(taken) => {
                    seen = taken.take().map(<Desk as JoinPort<0>>::values);
                    if fails { Err(Fault::Failed("not now".into())) } else { Ok(()) }
                }
                Pair::Unpaired(_) => Ok(()),
            },
        );
        (seen.unwrap(), ran.err().and_then(|(_, parcel)| parcel))
    };
    let pair = |of: u32| (Order { id: of }, Payment { of });
    let (seen, failed) = paired(Arrival::of(payment(1), 1, 2), true);
    assert_eq!(seen, pair(1));
    // The next one meets its own partner, and not that of the one that failed.
    assert_eq!(paired(Arrival::of(payment(2), 1, 2), false).0, pair(2));

    let saved = p::save_parcel::<Desk, 0>(&failed.unwrap()).unwrap();
    let (seen, failed) = paired(p::load_parcel::<Desk, 0>(saved).unwrap(), true);
    assert_eq!(seen, pair(1));
    assert_eq!(p::payload::<Desk, 0>(failed.unwrap()), Some(pair(1)));
}
