//! What stands between the ports of a flow: operators, types that are written, what is done about failures, and flows in
//! flows, generic ones too.
#![allow(clippy::panic, missing_docs, clippy::unwrap_used)]

use routilux::prelude::*;
use serde::{Deserialize, Serialize};

/// Sends on what it takes.
#[routine]
pub struct Numbers;

#[routine]
impl Numbers {
    #[event]
    fn number(n: u64);
    #[event]
    fn more(n: u64);

    #[slot]
    fn n(&self, n: u64, out: &mut Emit<Self>) {
        out.number(n);
        out.more(n + 1);
    }
}

/// Gathers texts.
#[routine]
pub struct Texts;

#[routine]
impl Texts {
    #[event]
    fn said(text: String);

    #[slot(optional)]
    fn text(&self, text: String, out: &mut Emit<Self>) {
        out.said(text);
    }

    #[slot(optional)]
    fn letters(&self, letters: &usize, out: &mut Emit<Self>) {
        out.said(format!("{letters} letters"));
    }
}

/// Becomes something else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Named(String);

impl From<u64> for Named {
    fn from(n: u64) -> Self {
        assert!(n != 13, "unlucky");
        Named(format!("number {n}"))
    }
}

mod operators {
    use super::*;

    flow! {
        flow Operated(least: u64, word: String) {
            numbers: Numbers;
            texts: Texts;

            in n: u64 -> |n| n + 1 -> numbers.n;
            in text if |text| text.len() > 2 -> texts.text else -> |text| text.len() -> texts.letters;
            numbers.number if |n| *n >= *least -> |n| format!("{word} {n}") -> texts.text, out words: String;
            else -> out small;
            numbers.number => out named: Named;
            numbers.more if |n| n % 2 == 0 -> out even;
            texts.said -> out said;
        }
    }

    fn run(numbers: &[u64], texts: &[&str]) -> Job<Operated> {
        let mut job = Operated::new(10, "word".into()).job();
        numbers.iter().for_each(|n| job.inputs().n(*n).unwrap());
        texts.iter().for_each(|text| job.inputs().text((*text).into()).unwrap());
        assert_eq!(job.run().unwrap().status(), Status::Completed);
        job
    }

    #[test]
    fn guards_maps_and_conversions() {
        let mut job = run(&[2, 9, 11], &["abc", "ab"]);
        let said: Vec<String> = job.outputs().said().collect();
        assert_eq!(said, ["abc", "2 letters", "word 10", "word 12"]);
        assert_eq!(job.outputs().words().collect::<Vec<_>>(), ["word 10", "word 12"]);
        assert_eq!(job.outputs().small().collect::<Vec<_>>(), [3]);
        let named: Vec<String> = job.outputs().named().map(|named| named.0).collect();
        assert_eq!(named, ["number 3", "number 10", "number 12"]);
        assert_eq!(job.outputs().even().collect::<Vec<_>>(), [4]);
        // 11 and 13 are odd.
        assert_eq!(job.report().filtered(), 2);
    }

    #[test]
    fn what_panics_on_the_way_is_named_and_nothing_is_half_sent() {
        let mut job = Operated::new(10, "word".into()).job();
        job.inputs().n(12).unwrap();
        let error = job.run().unwrap_err().to_string();
        assert!(error.contains("the conversion of `numbers.number => out named`"), "{error}");
        assert!(error.contains("unlucky"), "{error}");
        assert_eq!(job.outputs().words().len(), 0);
    }

    #[test]
    fn the_flow_as_data_has_the_operators() {
        let written: Vec<String> = Operated::graph().connections.iter().map(ToString::to_string).collect();
        assert_eq!(
            written,
            [
                "in n -> |n| n + 1 -> numbers.n",
                "in text if |text| text.len() > 2 -> texts.text",
                "in text if |text| text.len() > 2 else -> |text| text.len() -> texts.letters",
                "numbers.number if |n| *n >= *least -> |n| format!(\"{word} {n}\") -> texts.text",
                "numbers.number if |n| *n >= *least -> |n| format!(\"{word} {n}\") -> out words",
                "numbers.number if |n| *n >= *least else -> out small",
                "numbers.number => out named",
                "numbers.more if |n| n % 2 == 0 -> out even",
                "texts.said -> out said",
            ]
        );
    }
}

mod loops {
    use super::*;

    /// Halves.
    #[routine]
    pub(crate) struct Halve;

    #[routine]
    impl Halve {
        #[event]
        fn half(n: u64);
        #[event]
        fn odd(n: u64);

        #[slot]
        fn n(&self, n: &u64, out: &mut Emit<Self>) {
            if n.is_multiple_of(2) { out.half(n / 2) } else { out.odd(*n) }
        }
    }

    flow! {
        flow Halving() {
            halve: Halve;
            in n -> halve.n;
            halve.half -> loop(3) halve.n;
            halve.odd => return: Named;
        }
    }

    #[test]
    fn a_bounded_loop_is_taken_so_many_times_in_a_job() {
        let mut job = Halving::new().job();
        job.inputs().n(24).unwrap();
        assert_eq!(job.run().unwrap().result().unwrap().0, "number 3");

        let mut job = Halving::new().job();
        job.inputs().n(48).unwrap();
        let error = job.run().unwrap_err().to_string();
        assert!(error.contains("`halve.half -> loop(3) halve.n`"), "{error}");
        // The count is a part of the job: the attempt that failed is not in it.
        let state = job.state().unwrap();
        let mut job = Halving::new().resume(state).unwrap();
        assert!(job.run().is_err());
    }
}

mod policies {
    use super::*;

    /// What is wrong with a text.
    #[derive(Debug, thiserror::Error)]
    #[error("it is {0}")]
    struct Wrong(&'static str);

    /// Reads numbers, each at the attempt that it says.
    #[routine]
    pub(crate) struct Read {
        #[state]
        attempts: u32,
    }

    #[routine]
    impl Read {
        #[event]
        fn number(n: u64);

        #[slot]
        fn text(&mut self, text: &str, out: &mut Emit<Self>, cx: &Context) -> Result {
            match text {
                "empty" => return Err(Wrong("empty").into()),
                "late" if cx.attempt() < 3 => return Err(Wrong("late").into()),
                "panic" => panic!("as it says"),
                _ => {}
            }
            out.number(text.len() as u64);
            Ok(())
        }
    }

    /// Keeps what failed.
    #[routine]
    pub(crate) struct Dead;

    #[routine]
    impl Dead {
        #[event]
        fn letter(text: String);

        #[slot]
        fn failed(&self, failed: &Failure<String>, out: &mut Emit<Self>) {
            out.letter(format!("{}: {} ({})", failed.payload, failed.error, failed.attempts));
        }
    }

    flow! {
        flow Skips() {
            read: Read;
            in text -> read.text;
            read.number -> out numbers;
            on error of read.text if |e| e.downcast_ref::<Wrong>().is_some_and(|wrong| wrong.0 == "late") retry(2);
            on error skip;
            on panic of read.text skip;
        }
    }

    #[test]
    fn rows_are_tried_in_order() {
        let mut job = Skips::new().job();
        for text in ["one", "empty", "late", "panic", "three"] {
            job.inputs().text(text.into()).unwrap();
        }
        let report = job.run().unwrap();
        assert_eq!(report.status(), Status::Completed);
        let mut numbers: Vec<u64> = job.outputs().numbers().collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [3, 4, 5]);
        assert_eq!(report.failures(), 2);
    }

    flow! {
        flow Letters() {
            read: Read;
            dead: Dead;
            in text -> read.text;
            read.number -> out numbers;
            read.error -> dead.failed, out failed;
            dead.letter -> out letters;
            on error retry(2, 1ms) then stop;
        }
    }

    #[test]
    fn what_failed_goes_along_the_wire_when_its_attempts_are_used_up() {
        let mut job = Letters::new().job();
        for text in ["one", "empty", "late"] {
            job.inputs().text(text.into()).unwrap();
        }
        assert_eq!(job.run().unwrap().status(), Status::Completed);
        let mut numbers: Vec<u64> = job.outputs().numbers().collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [3, 4]);
        assert_eq!(job.outputs().letters().collect::<Vec<_>>(), ["empty: it is empty (3)"]);
        assert_eq!(job.outputs().failed().next().unwrap().payload, "empty");
    }

    flow! {
        flow Diverts() {
            read: Read;
            dead: Dead;
            in text -> read.text;
            read.number -> out numbers;
            dead.letter -> out letters;
            on error of read.text -> dead.failed, out failed;
        }
    }

    #[test]
    fn a_row_may_send_what_failed_on() {
        let mut job = Diverts::new().job();
        job.inputs().text("empty".into()).unwrap();
        assert_eq!(job.run().unwrap().status(), Status::Completed);
        assert_eq!(job.outputs().letters().collect::<Vec<_>>(), ["empty: it is empty (1)"]);
        assert_eq!(job.outputs().failed().next().unwrap().error, "it is empty");
    }
}

mod nested {
    use super::*;

    flow! {
        /// Names numbers from a least one on.
        pub flow Inner(least: u64, word: String) {
            numbers: Numbers;
            texts: Texts;

            in n -> numbers.n;
            in named: Named -> |named| named.0 -> texts.text;
            numbers.number if |n| *n >= *least -> |n| format!("{word} {n}") -> texts.text;
            numbers.more -> return;
            texts.said -> out said;
        }
    }

    flow! {
        flow Outer(word: String) {
            first: Inner { least: 10, word: format!("{word} one") };
            second: Inner { least: 0, word };
            texts: Texts;

            in n if |n| n % 2 == 0 -> first.n else -> second.n;
            in named -> first.named;
            first.said -> texts.text, out first;
            first.result -> out results;
            second.said -> texts.text;
            second.result -> |n| Named(n.to_string()) -> second.named;
            texts.said -> out said;
        }
    }

    #[test]
    fn two_instances_of_a_flow_are_independent() {
        let mut job = Outer::new("number".into()).job();
        for n in [2, 10, 3, 12] {
            job.inputs().n(n).unwrap();
        }
        job.inputs().named(Named("me".into())).unwrap();
        assert_eq!(job.run().unwrap().status(), Status::Completed);
        assert_eq!(job.outputs().first().collect::<Vec<_>>(), ["me", "number one 10", "number one 12"]);
        assert_eq!(job.outputs().results().collect::<Vec<_>>(), [3, 11, 13]);
        let mut said: Vec<String> = job.outputs().said().collect();
        said.sort();
        assert_eq!(said, ["4", "me", "number 3", "number one 10", "number one 12"]);
    }
}

mod generic {
    use super::*;

    /// Keeps what it is given, and gives it on.
    #[routine]
    pub(crate) struct Keep<T: Payload + Clone> {
        #[state]
        kept: Vec<T>,
    }

    #[routine]
    impl<T: Payload + Clone> Keep<T> {
        #[event]
        fn given(value: T);
        #[event]
        fn all(values: Vec<T>);

        #[slot]
        fn value(&mut self, value: &T, out: &mut Emit<Self>) -> Result {
            self.kept.push(value.clone());
            out.given(value.clone());
            Ok(())
        }

        #[slot(optional, when = "drained", merge = "append")]
        fn end(&mut self, _ends: Vec<u64>, out: &mut Emit<Self>) {
            out.all(self.kept.clone());
        }
    }

    flow! {
        /// Keeps values of any type, from a first one on.
        flow Pipe<T: Payload + Clone + PartialEq>(first: T, many: usize) {
            keep: Keep<T>;
            again: Keep<Vec<T>>;

            in value: T -> |value| value -> keep.value;
            keep.given if |value| value == first -> |value| vec![value; *many] -> again.value else -> out other;
            keep.all -> return;
            again.given -> out kept;
            ignore again.all;
        }
    }

    flow! {
        flow Both() {
            words: Pipe<String> { first: "a".to_owned(), many: 2 };
            numbers: Pipe<u64> { first: 7, many: 1 };

            in word -> words.value;
            in number -> numbers.value;
            words.kept -> out words;
            words.other -> |word| word.len() as u64 -> numbers.value;
            numbers.kept -> out numbers;
            numbers.other -> out others;
            words.result -> out all_words;
            ignore numbers.result;
        }
    }

    #[test]
    fn a_generic_flow_is_one_for_each_type() {
        let mut job = Pipe::new(3_u64, 2).job();
        for n in [3, 4] {
            job.inputs().value(n).unwrap();
        }
        let report = job.run().unwrap();
        assert_eq!(report.result().unwrap(), &[3, 4]);
        assert_eq!(job.outputs().kept().collect::<Vec<_>>(), [[3, 3]]);
        assert_eq!(job.outputs().other().collect::<Vec<_>>(), [4]);
        assert_eq!(Pipe::<u64>::graph().routines[0].id, "keep");

        let mut job = Both::new().job();
        for word in ["a", "bcd"] {
            job.inputs().word(word.to_owned()).unwrap();
        }
        job.inputs().number(7).unwrap();
        assert_eq!(job.run().unwrap().status(), Status::Completed);
        assert_eq!(job.outputs().words().collect::<Vec<_>>(), [["a", "a"]]);
        assert_eq!(job.outputs().numbers().collect::<Vec<_>>(), [[7]]);
        assert_eq!(job.outputs().others().collect::<Vec<_>>(), [3]);
        assert_eq!(job.outputs().all_words().collect::<Vec<_>>(), [["a", "bcd"]]);
    }

    #[test]
    fn a_generic_flow_runs_on_threads_and_is_saved() {
        let pool = routilux::Pool::new(2).unwrap();
        let job = Both::new().job().start_on(&pool).unwrap();
        job.inputs().word("bcd".to_owned()).unwrap();
        let report = job.finish().unwrap();
        assert_eq!(report.status(), Status::Completed);
        assert_eq!(job.outputs().others().collect::<Vec<_>>(), [3]);

        let mut job = Both::new().job();
        job.inputs().word("bcd".to_owned()).unwrap();
        job.step().unwrap();
        let state = job.state().unwrap();
        let mut job = Both::new().resume(state).unwrap();
        assert_eq!(job.run().unwrap().status(), Status::Completed);
        assert_eq!(job.outputs().others().collect::<Vec<_>>(), [3]);
        assert_eq!(job.outputs().all_words().collect::<Vec<_>>(), [["bcd"]]);
    }
}

mod roles {
    use super::*;

    /// Counts up, by itself.
    #[routine]
    pub(crate) struct Ticks {
        to: u64,
        #[state]
        next: u64,
    }

    #[routine]
    impl Ticks {
        #[event]
        fn tick(n: u64);

        #[source(start)]
        fn ticks(&mut self, out: &mut Emit<Self>) -> More {
            if self.next == self.to {
                return More::Done;
            }
            self.next += 1;
            out.tick(self.next);
            More::Now
        }
    }

    /// Pairs numbers with texts, and sums.
    #[routine]
    pub(crate) struct Desk;

    #[routine]
    impl Desk {
        #[event]
        fn pair(text: String);
        #[event]
        fn sum(n: u64);
        #[event]
        fn newest(texts: Vec<String>);

        #[join]
        fn settle(&mut self, n: u64, text: String, out: &mut Emit<Self>) {
            out.pair(format!("{n} {text}"));
        }

        #[merge]
        fn add(sum: &mut u64, n: u64) {
            *sum += n;
        }

        #[slot(merge = add, when = "drained")]
        fn total(&mut self, sum: u64, out: &mut Emit<Self>) {
            out.sum(sum);
        }

        #[slot(merge = "latest", when = "all")]
        fn each(&mut self, texts: Vec<String>, out: &mut Emit<Self>) {
            out.newest(texts);
        }
    }

    flow! {
        pub(crate) flow Summing(to: u64) {
            ticks: Ticks { to };
            desk: Desk;

            in text -> desk.settle.text, desk.each;
            ticks.tick -> desk.settle.n, desk.total;
            ticks.tick -> |n| n.to_string() -> desk.each;
            desk.pair -> out pairs;
            desk.newest -> out newest;
            desk.sum -> return;
        }
    }

    #[test]
    fn joins_sources_and_slots_that_gather() {
        let mut job = Summing::new(3).job();
        for text in ["a", "b"] {
            job.inputs().text(text.into()).unwrap();
        }
        let report = job.run().unwrap();
        assert_eq!(report.result().unwrap(), &6);
        assert_eq!(job.outputs().pairs().collect::<Vec<_>>(), ["1 a", "2 b"]);
        assert!(job.outputs().newest().all(|texts| texts.len() == 2));
        assert!(
            Summing::graph()
                .connections
                .iter()
                .any(|known| known.to_string() == "ticks.tick -> desk.settle.n")
        );
    }

    flow! {
        flow Around() {
            low: Summing { to: 2 };
            high: Summing { to: 4 };
            desk: Desk;

            in text -> low.text, high.text;
            low.pairs -> desk.settle.text;
            low.result -> desk.settle.n, desk.total;
            high.result -> desk.total;
            high.pairs -> desk.each;
            low.newest -> |texts| texts.concat() -> desk.each;
            ignore high.newest;
            desk.pair -> out pairs;
            desk.sum -> return;
            ignore desk.newest;
        }
    }

    #[test]
    fn what_is_drained_waits_for_what_is_drained_in_a_flow() {
        let run = |pool: Option<&routilux::Pool>| {
            let mut job = Around::new().job();
            job.inputs().text("a".into()).unwrap();
            match pool {
                None => *job.run().unwrap().result().unwrap(),
                Some(pool) => *job.start_on(pool).unwrap().finish().unwrap().result().unwrap(),
            }
        };
        assert_eq!(run(None), 13);
        assert_eq!(run(Some(&routilux::Pool::new(2).unwrap())), 13);
    }
}

mod failing_within {
    use super::*;

    /// Fails where it is told to.
    #[routine]
    pub(crate) struct Check;

    #[routine]
    impl Check {
        #[event]
        fn good(n: u64);

        #[slot]
        fn n(&self, n: &u64, out: &mut Emit<Self>, cx: &Context) -> Result {
            match n {
                1 => Err("one".into()),
                2 if cx.attempt() == 1 => Err("two".into()),
                3 => panic!("three"),
                4 => Err("four".into()),
                _ => {
                    out.good(*n);
                    Ok(())
                }
            }
        }
    }

    flow! {
        flow Within() {
            check: Check;
            in n -> check.n;
            check.good -> out good;
            check.error -> out bad;
            on error of check.n if |e| e.to_string() == "one" skip;
            on error of check.n if |e| e.to_string() == "four" stop;
        }
    }

    flow! {
        flow Without() {
            within: Within;
            in n -> within.n;
            within.good -> out good;
            within.bad -> |bad| bad.error -> out bad: String;
            on error of within if |e| e.to_string() == "four" skip;
            on panic of within skip;
        }
    }

    #[test]
    fn rows_of_the_flow_within_come_first_and_what_leaves_it_is_caught() {
        let mut job = Without::new().job();
        for n in 1..=5 {
            job.inputs().n(n).unwrap();
        }
        let report = job.run().unwrap();
        assert_eq!(report.status(), Status::Completed);
        assert_eq!(job.outputs().good().collect::<Vec<_>>(), [5]);
        assert_eq!(job.outputs().bad().collect::<Vec<_>>(), ["two"]);
        assert_eq!(report.failures(), 4);
        assert!(job.history().any(|entry| entry.routine == "within.check" && entry.slot == "n"));
    }
}

mod privacy {
    use super::*;

    /// Known only here.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Secret(u64);

    #[routine]
    struct Keeper;

    #[routine]
    impl Keeper {
        #[event]
        fn kept(secret: Secret);

        #[slot]
        fn secret(&self, secret: Secret, out: &mut Emit<Self>) -> Result {
            out.kept(secret);
            Ok(())
        }
    }

    flow! {
        pub flow Private(secret: Secret) {
            keeper: Keeper;
            in secret -> keeper.secret;
            in n: u64 -> |n| Secret(n + secret.0) -> keeper.secret;
            keeper.kept -> out kept, return;
            keeper.error -> out failed;
        }
    }

    // Used before it is written, in a function, in two levels of flows.
    #[test]
    fn a_public_flow_may_be_of_private_routines() {
        flow! {
            flow Outermost() {
                around: Around;
                in n -> around.n;
                in secret -> around.secret;
                around.kept -> out kept;
                around.result -> return;
            }
        }
        flow! {
            flow Around() {
                private: Private { secret: Secret(1) };
                in n -> private.n;
                in secret -> private.secret;
                private.kept -> out kept;
                private.result -> return;
                ignore private.failed;
            }
        }
        let mut job = Outermost::new().job();
        job.inputs().n(2).unwrap();
        job.inputs().secret(Secret(7)).unwrap();
        let report = job.run().unwrap();
        assert_eq!(report.result().unwrap(), &Secret(3));
        assert_eq!(job.outputs().kept().collect::<Vec<_>>(), [Secret(3), Secret(7)]);
        assert_eq!(job.history().next().unwrap().routine, "around.private.keeper");
    }
}

mod not_on_threads {
    use super::*;
    use std::cell::Cell;
    use std::rc::Rc;

    flow! {
        flow Counting(counted: Rc<Cell<u64>>) {
            numbers: Numbers;
            in n -> numbers.n;
            numbers.number if |_| { counted.set(counted.get() + 1); true } -> out numbers;
            ignore numbers.more;
        }
    }

    flow! {
        flow Around(counted: Rc<Cell<u64>>) {
            inner: Counting { counted };
            in n -> inner.n;
            inner.numbers -> return;
        }
    }

    #[test]
    fn a_parameter_need_not_be_for_threads() {
        let counted = Rc::new(Cell::new(0));
        let mut job = Around::new(counted.clone()).job();
        job.inputs().n(3).unwrap();
        assert_eq!(job.run().unwrap().result().unwrap(), &3);
        assert_eq!(counted.get(), 1);
    }
}

mod live {
    use super::*;

    /// Says its words one by one.
    #[routine]
    pub(crate) struct Writer;

    #[routine]
    impl Writer {
        #[event(live)]
        fn token(text: String);
        #[event]
        fn done(words: usize);

        #[slot]
        fn text(&self, text: &str, out: &mut Emit<Self>) {
            text.split(' ').for_each(|word| out.token(word.to_owned()));
            out.done(text.split(' ').count());
        }
    }

    flow! {
        pub(crate) flow Chat() {
            writer: Writer;
            in text -> writer.text;
            writer.token -> out tokens;
            writer.done -> return;
        }
    }

    flow! {
        flow Around() {
            one: Chat;
            other: Chat;
            in text -> one.text, other.text;
            one.tokens -> out tokens;
            ignore other.tokens;
            one.result -> out counts;
            other.result -> out counts;
        }
    }

    #[test]
    fn a_live_output_of_a_flow_is_one_of_the_flow_around() {
        let mut job = Around::new().job();
        let tokens = job.outputs().tokens();
        job.inputs().text("how are you".into()).unwrap();
        assert_eq!(job.run().unwrap().status(), Status::Completed);
        assert_eq!(tokens.map(|token| token.payload).collect::<Vec<_>>(), ["how", "are", "you"]);
        assert_eq!(job.outputs().counts().collect::<Vec<_>>(), [3, 3]);
    }
}

mod waiting {
    use super::*;

    /// Waits, and sends on.
    #[routine]
    pub(crate) struct Wait {
        millis: u64,
    }

    #[routine]
    impl Wait {
        #[event]
        fn waited(n: u64);

        #[slot(timeout = "50ms")]
        async fn n(&self, n: u64, out: &mut Emit<Self>, cx: &Context) -> Result {
            cx.sleep(std::time::Duration::from_millis(if n == 7 { 1_000 } else { self.millis })).await;
            out.waited(n);
            Ok(())
        }
    }

    flow! {
        pub(crate) flow Waiting(millis: u64, most: u64) {
            wait: Wait { millis };
            in n -> wait.n;
            wait.waited if |n| n < most -> |n| n + 1 -> return: u64;
            wait.error -> out late;
        }
    }

    flow! {
        flow Around(most: u64) {
            one: Waiting { millis: 1, most };
            other: Waiting { millis: 2, most: 3 };
            in n -> one.n, other.n;
            one.result -> |n| vec![n] -> out results: Vec<u64>;
            other.result -> |n| vec![n, n] -> out results;
            one.late -> out late;
            ignore other.late;
        }
    }

    #[test]
    fn async_handlers_of_a_flow_in_a_flow() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
        let _entered = runtime.enter();
        let job = Around::new(100).job().start().unwrap();
        for n in [1, 5, 7] {
            job.inputs().n(n).unwrap();
        }
        assert_eq!(job.finish().unwrap().status(), Status::Completed);
        let mut results: Vec<Vec<u64>> = job.outputs().results().collect();
        results.sort();
        assert_eq!(results, [vec![2], vec![2, 2], vec![6]]);
        assert_eq!(job.outputs().late().next().unwrap().payload, 7);
    }

    #[test]
    fn every_order_of_them_comes_to_the_same() {
        routilux::sim::explore(Around::new(100), 50, |job| -> routilux::Result<()> {
            for n in [1, 5, 7] {
                job.inputs().n(n)?;
            }
            assert_eq!(job.run()?.status(), Status::Completed);
            // Whoever is picked too late has taken too long.
            let late = job.outputs().late().len();
            assert_eq!(job.outputs().results().filter(|results| results.len() == 1).count() + late, 3);
            Ok(())
        });
    }
}

mod pairs_that_fail {
    use super::*;

    /// Brings together what belongs together.
    #[routine]
    pub(crate) struct Desk;

    #[routine]
    impl Desk {
        #[event]
        fn settled(order: u64);

        #[join]
        fn settle(&mut self, order: u64, paid: u64, out: &mut Emit<Self>) -> Result {
            if order != paid {
                return Err("too little".into());
            }
            out.settled(order);
            Ok(())
        }
    }

    flow! {
        pub(crate) flow Settling() {
            desk: Desk;
            in order -> desk.settle.order;
            in paid -> desk.settle.paid;
            desk.settled -> return;
            desk.settle.error -> out failed;
        }
    }

    flow! {
        flow Around() {
            settling: Settling;
            in order -> settling.order;
            in paid: String -> |paid| paid.len() as u64 -> settling.paid;
            settling.result -> out settled;
            settling.failed -> |failed| failed.payload -> out failed: (u64, u64);
        }
    }

    #[test]
    fn an_error_wire_of_a_join_carries_the_pair() {
        let mut job = Around::new().job();
        for order in [1, 2] {
            job.inputs().order(order).unwrap();
        }
        for paid in ["a", "b"] {
            job.inputs().paid(paid.into()).unwrap();
        }
        assert_eq!(job.run().unwrap().status(), Status::Completed);
        assert_eq!(job.outputs().settled().collect::<Vec<_>>(), [1]);
        assert_eq!(job.outputs().failed().collect::<Vec<_>>(), [(2, 1)]);
    }
}

mod saved {
    use super::*;
    use std::time::Duration;

    /// Sends on what it takes, later.
    #[routine]
    pub(crate) struct Later;

    #[routine]
    impl Later {
        #[event]
        fn n(n: u64);
        #[event]
        fn other(n: u64);

        #[slot]
        fn take(&self, n: &u64, out: &mut Emit<Self>) {
            out.after(Duration::from_millis(1)).n(*n);
            out.other(*n);
        }
    }

    /// Keeps what it sees.
    #[routine]
    pub(crate) struct See {
        #[state]
        seen: Vec<u64>,
    }

    #[routine]
    impl See {
        #[event]
        fn all(seen: Vec<u64>);

        #[slot(merge = "latest")]
        fn newest(&mut self, n: u64) {
            self.seen.push(n);
        }

        #[slot]
        fn each(&mut self, n: &u64, cx: &Context) -> Result {
            if *n == 1 && cx.attempt() < 3 {
                return Err("not yet".into());
            }
            self.seen.push(*n);
            Ok(())
        }

        #[finish]
        fn end(&mut self, out: &mut Emit<Self>) {
            out.all(self.seen.clone());
        }
    }

    flow! {
        flow Seeing(most: u64) {
            later: Later;
            see: See;
            in n -> later.take;
            in newest -> see.newest;
            later.n if |n| n < most -> |n| n * 10 -> see.newest;
            later.other -> see.each;
            see.all -> return;
            on error of see.each retry(3, 1ms, in_order);
        }
    }

    flow! {
        flow Around(most: u64) {
            seeing: Seeing { most };
            in n -> seeing.n;
            in newest -> seeing.newest;
            seeing.result -> return;
        }
    }

    #[test]
    fn what_is_on_its_way_is_saved_with_its_connection() {
        let run = |breaks: bool| {
            let mut job = Around::new(2).job();
            for n in [1, 2] {
                job.inputs().newest(n).unwrap();
            }
            for n in [1, 7, 3] {
                job.inputs().n(n).unwrap();
            }
            while breaks && job.step().unwrap() {
                job = Around::new(2).resume(job.state().unwrap()).unwrap();
            }
            let report = job.run().unwrap();
            assert_eq!((report.superseded(), report.filtered()), (1, 2));
            report.result().unwrap().clone()
        };
        // One newer value, and those that are each handled, in their order, and one that was mapped.
        for breaks in [false, true] {
            let mut seen = run(breaks);
            assert_eq!(seen.remove(0), 2);
            seen.retain(|n| *n != 10);
            assert_eq!(seen, [1, 7, 3], "{breaks}");
        }
    }

    #[test]
    fn new_parameters_are_seen_by_closures() {
        let mut job = Around::new(5).job();
        job.reconfigure(&Around::new(10)).unwrap();
        job.inputs().n(7).unwrap();
        assert_eq!(job.run().unwrap().result().unwrap(), &[7, 70]);
    }
}
