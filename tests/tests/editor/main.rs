//! The editor helps inside `flow!`: rust-analyzer is asked what an editor asks it. Where it is not installed the test says so
//! and passes; `scripts/rust-analyzer` installs it.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod editor;
mod fixture;
mod server;

use editor::{At, Editor};
use std::fmt::Debug;
use std::io::Write;
use std::process::Command;

const FLOWS: &str = "src/flows.rs";
const WORDS: &str = "src/words.rs";
const SHOP: &str = "src/shop.rs";

#[test]
fn an_editor_helps_inside_flows() {
    let Some((program, version)) = server::found() else {
        return skipped("rust-analyzer is not installed");
    };
    if !has_sources_of_std() {
        return skipped("rust-analyzer has no types of the standard library without the component rust-src");
    }
    let fixture = fixture::write("editor");
    let server = match server::Server::start(&program, &fixture.root, &fixture::target("editor-target")) {
        Ok(server) => server,
        Err(why) => return skipped(&why),
    };
    let mut cases = Cases { editor: Editor::open(server, fixture), failed: Vec::new(), count: 0 };
    cases.nothing_is_underlined();
    cases.names_are_completed();
    cases.half_typed_statements_are_completed();
    cases.configuration_and_closures_are_completed();
    cases.names_are_explained();
    cases.definitions_are_found();
    cases.references_are_found();
    cases.names_are_renamed();
    cases.mistakes_are_told_where_they_are();
    let Cases { failed, count, .. } = cases;
    assert!(failed.is_empty(), "{version}, {} of {count} cases:\n\n{}", failed.len(), failed.join("\n\n"));
}

/// The same without rust-analyzer: what it is shown of flows is sound Rust. Otherwise it would underline what is right.
#[test]
fn what_an_editor_is_shown_is_sound() {
    let fixture = fixture::write("shown");
    let names = "
        //! It is there, and has the names and the types.
        use routilux::__private::editor::Named;
        pub fn word(events: <crate::words::Tokenizer as Named>::Events) -> String { events.word }
        pub fn order(slots: <crate::flows::Checkout as Named>::Slots) -> crate::shop::Order { slots.order }
        pub fn lost(events: <crate::flows::Checkout as Named>::Events) -> u32 { events.lost }
        pub fn less(events: <crate::flows::AtLeast<u8> as Named>::Events) -> (u8, (Option<u8>, u8)) { (events.less, events.result) }
        pub fn payment(slots: <crate::shop::Desk as Named>::Slots) -> crate::shop::Payment { slots.settle.payment }
        pub fn failed(events: <crate::shop::Dispatch as Named>::Events) -> crate::shop::Sale { events.parcel.error.payload }
    ";
    std::fs::write(fixture.root.join("src/names.rs"), names).unwrap();
    std::fs::write(
        fixture.root.join("src/lib.rs"),
        format!("{}pub mod names;\n", fixture.files["src/lib.rs"]),
    )
    .unwrap();
    let checked = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--offline"])
        .current_dir(&fixture.root)
        .env("CARGO_TARGET_DIR", fixture::target("shown-target"))
        // The code that uses the parameters is left out of what is run.
        .env("RUSTFLAGS", "--cfg rust_analyzer -A dead_code")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && said.is_empty(), "{said}");
}

/// To standard error itself: what a test that passes prints is not shown.
fn skipped(why: &str) {
    let _ = writeln!(
        std::io::stderr(),
        "\nSKIPPED: the help of the editor is not tested: {why}.\nTo install it, outside of the repository: scripts/rust-analyzer\n"
    );
}

fn has_sources_of_std() -> bool {
    let answer = Command::new("rustc").args(["--print", "sysroot"]).output().unwrap();
    let sysroot = std::path::PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim());
    sysroot.join("lib/rustlib/src/rust/library/std/src/lib.rs").exists()
}

struct Cases {
    editor: Editor,
    failed: Vec<String>,
    count: usize,
}

/// In the flows of the fixture.
fn flows<'a>(find: &'a str, with: &'a str) -> At<'a> {
    At { file: FLOWS, find, with }
}

fn words<'a>(find: &'a str, with: &'a str) -> At<'a> {
    At { file: WORDS, find, with }
}

fn shop<'a>(find: &'a str, with: &'a str) -> At<'a> {
    At { file: SHOP, find, with }
}

impl Cases {
    fn check(&mut self, what: impl Debug, expected: impl Debug, found: impl Debug, holds: bool) {
        self.count += 1;
        if !holds {
            self.failed.push(format!("{what:?}\n  expected: {expected:?}\n  found:    {found:?}"));
        }
    }

    /// All fields that are offered, in whichever order.
    fn completes(&mut self, at: At<'_>, expected: &[&str]) {
        let mut found = self.editor.names(at);
        found.sort();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        self.check(("completion", at.with), &expected, &found, found == expected);
    }

    /// Some of what is offered.
    fn offers(&mut self, at: At<'_>, expected: &str) {
        let found = self.editor.completions(at);
        let holds = found.iter().any(|label| label == expected || label.starts_with(&format!("{expected}(")));
        self.check(("completion", at.with), expected, &found, holds);
    }

    fn explains(&mut self, at: At<'_>, expected: &[&str]) {
        let found = self.editor.hover(at);
        self.check(("hover", at.with), expected, &found, expected.iter().all(|part| found.contains(part)));
    }

    fn goes_to(&mut self, at: At<'_>, expected: &[&str]) {
        let found = self.editor.definition(at);
        self.check(("definition", at.with), expected, &found, found == expected);
    }

    fn refers(&mut self, at: At<'_>, expected: &[&str]) {
        let found = self.editor.references(at);
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        self.check(("references", at.with), &expected, &found, found == expected);
    }

    fn renames(&mut self, at: At<'_>, name: &str, expected: &[&str]) {
        let found = self.editor.rename(at, name);
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        self.check(("rename", at.with, name), &expected, &found, found == expected);
    }

    /// One error, on that token.
    fn tells(&mut self, at: At<'_>, token: &str, message: &str) {
        let found = self.editor.diagnostics_with(at);
        let holds = matches!(found.as_slice(), [(on, said)] if on == token && said.contains(message));
        self.check(("diagnostics", at.with), (token, message), &found, holds);
    }

    fn nothing_is_underlined(&mut self) {
        for file in [FLOWS, WORDS, SHOP, "src/lib.rs"] {
            let found = self.editor.diagnostics(file);
            self.check(("diagnostics", file), "none", &found, found.is_empty());
        }
    }

    fn names_are_completed(&mut self) {
        const TO_COUNT: &str = "tok.word     -> count.add, out words;";
        // Ids.
        self.completes(flows(TO_COUNT, "to$0.word -> count.add;"), &["lines", "tok", "count"]);
        self.completes(flows(TO_COUNT, "tok.word -> co$0.add;"), &["lines", "tok", "count"]);
        // Events and slots.
        self.completes(flows(TO_COUNT, "lines.$0word -> count.add;"), &["line", "done"]);
        self.completes(flows(TO_COUNT, "tok.wo$0rd -> count.add;"), &["word"]);
        self.completes(flows(TO_COUNT, "tok.word -> count.a$0dd;"), &["add", "end"]);
        self.completes(flows(TO_COUNT, "tok.word -> out words, count.$0add;"), &["add", "end"]);
        self.completes(flows(TO_COUNT, "tok.word -> loop count.$0add;"), &["add", "end"]);
        self.completes(flows("ignore lines.done;", "ignore lines.do$0ne;"), &["line", "done"]);
        // Joins, and what leaves a handler beside its events.
        self.completes(
            flows("in order              -> desk.settle.order;", "in order -> desk.settle.or$0der;"),
            &["order", "payment"],
        );
        self.completes(flows("desk.settle.unpaired  ->", "desk.settle.un$0paired ->"), &["unpaired"]);
        self.completes(flows("dispatch.parcel.error ->", "dispatch.parcel.er$0ror ->"), &["error"]);
        self.completes(
            flows("dispatch.sent         ->", "dispatch.se$0nt ->"),
            &["sent", "parcel", "another"],
        );
        // Policies.
        self.completes(
            flows("on error of dispatch.parcel if", "on error of dispatch.par$0cel if"),
            &["parcel", "another"],
        );
        self.completes(
            flows("on error of numbers.count skip;", "on error of num$0bers.count skip;"),
            &["numbers", "large"],
        );
        // A flow in a flow: its inputs are slots, its outputs events.
        self.completes(
            flows("numbers.number -> large.value;", "numbers.number -> large.va$0lue;"),
            &["value"],
        );
        self.completes(flows("large.less     =>", "large.le$0ss =>"), &["less", "result"]);
        // An output that several events share.
        self.completes(
            flows("else                  -> dispatch.parcel;", "else -> dispatch.parcel, out de$0ar;"),
            &["unpaired", "dear", "lost", "sent"],
        );
        // Types.
        self.offers(flows("Tokenizer { lowercase }", "Tokeni$0 { lowercase }"), "Tokenizer");
    }

    fn half_typed_statements_are_completed(&mut self) {
        const WORD: &str = "tok.word     -> count.add, out words;";
        self.completes(flows(WORD, "tok.$0"), &["word"]);
        self.completes(flows(WORD, "tok.wo$0"), &["word"]);
        self.completes(flows(WORD, "tok.word -> $0"), &["lines", "tok", "count"]);
        self.completes(flows(WORD, "tok.word -> co$0"), &["lines", "tok", "count"]);
        self.completes(flows(WORD, "tok.word -> count.$0"), &["add", "end"]);
        self.completes(flows(WORD, "tok.word -> count.a$0"), &["add", "end"]);
        self.completes(flows(WORD, "tok.word -> out words, count.$0;"), &["add", "end"]);
        self.completes(flows(WORD, "$0"), &["lines", "tok", "count"]);
        self.completes(flows("in end       ->", "$0\n        in end ->"), &["lines", "tok", "count"]);
        self.completes(
            flows("ignore lines.done;", "$0\n        ignore lines.done;"),
            &["lines", "tok", "count"],
        );
        self.completes(flows("count: Count;", "$0\n        count: Count;"), &["lines", "tok", "count"]);
        self.completes(
            flows("count.totals -> return;", "count.totals -> return;\n        $0"),
            &["lines", "tok", "count"],
        );
        self.completes(
            flows("on error of numbers.count skip;", "$0\n        on error of numbers.count skip;"),
            &["numbers", "large"],
        );
        self.completes(flows(WORD, "ignore lines.$0"), &["line", "done"]);
        self.completes(flows(WORD, "on error of tok.$0"), &["row"]);
        self.completes(
            flows("count.totals -> return;", "count.totals -> return;\n        tok.$0"),
            &["word"],
        );
        self.completes(
            flows("in order              -> desk.settle.order;", "in order -> desk.settle.$0"),
            &["order", "payment"],
        );
        // While something else is wrong, too.
        self.completes(
            flows(
                "count: Count;\n\n        in text      -> lines.text;",
                "count: ;\n\n        in text -> lines.$0;",
            ),
            &["text"],
        );
        self.completes(
            flows(
                "count: Count;\n\n        in text      -> lines.text;",
                "count: Cuont;\n\n        in text -> lines.$0;",
            ),
            &["text"],
        );
    }

    fn configuration_and_closures_are_completed(&mut self) {
        self.completes(flows("Tokenizer { lowercase }", "Tokenizer { $0 }"), &["lowercase"]);
        self.completes(flows("Tokenizer { lowercase }", "Tokenizer { lowerc$0 }"), &["lowercase"]);
        self.completes(flows("AtLeast<u64> { first: least };", "AtLeast<u64> { fi$0 };"), &["first"]);
        self.offers(flows("Numbers { to: least * 2 };", "Numbers { to: least.$0 };"), "pow");
        self.offers(flows("Numbers { to: least * 2 };", "Numbers { to: le$0 };"), "least");
        self.offers(flows("|sale| sale.order.cents > *limit", "|sale| sale.order.cents > *li$0"), "limit");
        self.offers(flows("job.inputs().text(text)?;", "job.inputs().te$0"), "text");
        self.offers(flows("job.outputs().words()", "job.outputs().wo$0"), "words");
        self.offers(flows("|sale| sale.order.cents > *limit", "|sale| sale.$0"), "payment");
        self.offers(flows("|sale| sale.order ->", "|sale| sale.or$0 ->"), "order");
        self.offers(flows("|failure| failure.attempts ->", "|failure| failure.payload.$0 ->"), "payment");
        self.offers(flows("|error| error.to_string().is_empty()", "|error| error.downc$0"), "downcast_ref");
    }

    fn names_are_explained(&mut self) {
        self.explains(flows("tok.word     ->", "tok.wo$0rd ->"), &["word: String", "One word."]);
        self.explains(
            flows("-> count.add,", "-> count.a$0dd,"),
            &["add: String", "Takes one word.", "fn add(&mut self, word: String)"],
        );
        self.explains(flows("tok.word     ->", "to$0k.word ->"), &["tok: Instance<Tokenizer>"]);
        self.explains(
            flows("Tokenizer { lowercase }", "Tok$0enizer { lowercase }"),
            &["struct Tokenizer", "Splits lines into words."],
        );
        self.explains(
            flows("Tokenizer { lowercase }", "Tokenizer { lower$0case }"),
            &["lowercase: bool", "Whether words become lower-case."],
        );
        self.explains(flows("in text      ->", "in te$0xt ->"), &["text: String"]);
        self.explains(flows("-> out lost: u32;", "-> out lo$0st: u32;"), &["lost: u32"]);
        self.explains(flows("-> count.add, out words;", "-> count.add, out wo$0rds;"), &["words: String"]);
        self.explains(flows("-> desk.settle.payment;", "-> desk.settle.pay$0ment;"), &["payment: Payment"]);
        self.explains(
            flows("-> desk.settle.payment;", "-> desk.set$0tle.payment;"),
            &["Runs when there is one of each."],
        );
        self.explains(
            flows("desk.settle.unpaired  ->", "desk.settle.un$0paired ->"),
            &["unpaired: SettleUnpaired"],
        );
        self.explains(
            flows("dispatch.parcel.error ->", "dispatch.parcel.er$0ror ->"),
            &["error: Failure<Sale>"],
        );
        self.explains(flows("if |value| value >= first", "if |val$0ue| value >= first"), &["value: &T"]);
        self.explains(flows("|sale| sale.order ->", "|sa$0le| sale.order ->"), &["sale: Sale"]);
        self.explains(
            flows("|error| error.to_string()", "|er$0ror| error.to_string()"),
            &["error: &HandlerError"],
        );
        self.explains(flows("-> large.value;", "-> large.val$0ue;"), &["value: T", "`T` = `u64`"]);
        self.explains(flows("large.less     =>", "large.le$0ss ->"), &["less"]);
    }

    fn definitions_are_found(&mut self) {
        self.goes_to(flows("tok.word     ->", "tok.wo$0rd ->"), &["src/words.rs: fn $0word(text: String);"]);
        self.goes_to(
            flows("-> count.add,", "-> count.a$0dd,"),
            &["src/words.rs: fn $0add(&mut self, word: String) {"],
        );
        self.goes_to(
            flows("tok.word     ->", "to$0k.word ->"),
            &["src/flows.rs: $0tok:   Tokenizer { lowercase };"],
        );
        self.goes_to(
            flows("Tokenizer { lowercase }", "Tok$0enizer { lowercase }"),
            &["src/words.rs: pub struct $0Tokenizer {"],
        );
        self.goes_to(
            flows("numbers: Numbers { to: least * 2 };", "numbers: Numbers { t$0o: least * 2 };"),
            &["src/shop.rs: $0to: u64,"],
        );
        self.goes_to(
            flows("-> desk.settle.payment;", "-> desk.settle.pay$0ment;"),
            &["src/shop.rs: fn settle(&mut self, order: Order, $0payment: Payment) -> Sale {"],
        );
        self.goes_to(
            flows("desk.settle.unpaired  ->", "desk.set$0tle.unpaired ->"),
            &["src/shop.rs: fn $0settle(&mut self, order: Order, payment: Payment) -> Sale {"],
        );
        self.goes_to(
            flows("on error of numbers.count skip;", "on error of numbers.co$0unt skip;"),
            &["src/shop.rs: fn $0count(&mut self, out: &mut Emit<Self>) -> Result<More> {"],
        );
        self.goes_to(
            flows("-> large.value;", "-> large.val$0ue;"),
            &["src/flows.rs: in $0value: T if |value| value >= first -> latest.next else -> out less;"],
        );
        self.goes_to(
            flows("large.less     =>", "large.le$0ss =>"),
            &["src/flows.rs: in value: T if |value| value >= first -> latest.next else -> out $0less;"],
        );
        self.goes_to(
            flows("job.inputs().text(text)?;", "job.inputs().te$0xt(text)?;"),
            &["src/flows.rs: in $0text      -> lines.text;"],
        );
        self.goes_to(
            flows("numbers.number => out small;", "numbers.number => out sm$0all;"),
            &["src/flows.rs: large.less     => out $0small: u128;"],
        );
        let map = words("totals: BTreeMap<String, u64>,", "totals: BTree$0Map<String, u64>,");
        let found = self.editor.definition(map);
        self.check("the definition of the type of a state", "one place", &found, found.len() == 1);
    }

    fn references_are_found(&mut self) {
        let word = [
            "src/words.rs: fn $0word(text: String);",
            "src/words.rs: out.$0word(if self.lowercase { word.to_lowercase() } else { word.to_owned() });",
            "src/flows.rs: tok.$0word     -> count.add, out words;",
        ];
        self.refers(flows("tok.word     ->", "tok.wo$0rd     ->"), &word);
        self.refers(words("fn word(text: String);", "fn wo$0rd(text: String);"), &word);
        self.refers(words("out.word(if", "out.wo$0rd(if"), &word);
        let parcel = [
            "src/shop.rs: fn $0parcel(&self, sale: &Sale, out: &mut Emit<Self>) -> Result {",
            "src/shop.rs: self.$0parcel(sale, out)",
            "src/flows.rs: else                  -> dispatch.$0parcel;",
            "src/flows.rs: on error of dispatch.$0parcel if |error| error.to_string().is_empty() retry(3, 100ms) then skip;",
            "src/flows.rs: dispatch.$0parcel.error -> |failure| failure.attempts -> out lost: u32;",
        ];
        self.refers(
            flows("else                  -> dispatch.parcel;", "else                  -> dispatch.par$0cel;"),
            &parcel,
        );
        self.refers(shop("fn parcel(&self", "fn par$0cel(&self"), &parcel);
        self.refers(shop("self.parcel(sale, out)", "self.par$0cel(sale, out)"), &parcel);
    }

    fn names_are_renamed(&mut self) {
        let word = [
            "src/words.rs: fn term(text: String);",
            "src/words.rs: out.term(if self.lowercase { word.to_lowercase() } else { word.to_owned() });",
            "src/flows.rs: tok.term     -> count.add, out words;",
        ];
        self.renames(flows("tok.word     ->", "tok.wo$0rd     ->"), "term", &word);
        self.renames(words("fn word(text: String);", "fn wo$0rd(text: String);"), "term", &word);
        self.renames(words("out.word(if", "out.wo$0rd(if"), "term", &word);
        let parcel = [
            "src/shop.rs: fn send(&self, sale: &Sale, out: &mut Emit<Self>) -> Result {",
            "src/shop.rs: self.send(sale, out)",
            "src/flows.rs: else                  -> dispatch.send;",
            "src/flows.rs: on error of dispatch.send if |error| error.to_string().is_empty() retry(3, 100ms) then skip;",
            "src/flows.rs: dispatch.send.error -> |failure| failure.attempts -> out lost: u32;",
        ];
        self.renames(
            flows("else                  -> dispatch.parcel;", "else                  -> dispatch.par$0cel;"),
            "send",
            &parcel,
        );
        self.renames(shop("fn parcel(&self", "fn par$0cel(&self"), "send", &parcel);
        self.renames(shop("self.parcel(sale, out)", "self.par$0cel(sale, out)"), "send", &parcel);
        let order = [
            "src/shop.rs: fn settle(&mut self, bought: Order, payment: Payment) -> Sale {",
            "src/shop.rs: let sale = Sale { order: bought, payment };",
            "src/flows.rs: in order              -> desk.settle.bought;",
        ];
        self.renames(
            shop("fn settle(&mut self, order: Order", "fn settle(&mut self, or$0der: Order"),
            "bought",
            &order,
        );
        let id = [
            "src/flows.rs: split:   Tokenizer { lowercase };",
            "src/flows.rs: lines.line   -> split.row;",
            "src/flows.rs: split.word     -> count.add, out words;",
        ];
        self.renames(flows("tok:   Tokenizer", "to$0k:   Tokenizer"), "split", &id);
        self.renames(flows("-> tok.row;", "-> to$0k.row;"), "split", &id);
        let less = [
            "src/flows.rs: in value: T if |value| value >= first -> latest.next else -> out small;",
            "src/flows.rs: large.small     => out small: u128;",
        ];
        self.renames(flows("large.less     =>", "large.le$0ss     =>"), "small", &less);
        let small = [
            "src/flows.rs: large.less     => out little: u128;",
            "src/flows.rs: numbers.number => out little;",
        ];
        self.renames(
            flows("numbers.number => out small;", "numbers.number => out sm$0all;"),
            "little",
            &small,
        );
        self.renames(flows("=> out small: u128;", "=> out sm$0all: u128;"), "little", &small);
        // The word `return` is no name.
        self.renames(flows("large.result   ->", "large.res$0ult   ->"), "kept", &[]);
        let text = ["src/flows.rs: in book      -> lines.text;", "src/flows.rs: job.inputs().book(text)?;"];
        self.renames(flows("job.inputs().text(text)?;", "job.inputs().te$0xt(text)?;"), "book", &text);
        self.renames(flows("in text      ->", "in te$0xt      ->"), "book", &text);
        let field = [
            "src/shop.rs: end: u64,",
            "src/shop.rs: if self.next == self.end {",
            "src/flows.rs: numbers: Numbers { end: least * 2 };",
        ];
        self.renames(shop("    to: u64,", "    t$0o: u64,"), "end", &field);
    }

    fn mistakes_are_told_where_they_are(&mut self) {
        self.tells(flows("tok.word     ->", "tok.wrod     ->"), "wrod", "`tok` has no event `wrod`");
        self.tells(flows("-> tok.row;", "-> tko.row;"), "tko", "there is no routine `tko` in this flow");
        self.tells(
            flows("count.totals -> return;", "count.totals -> return"),
            "return",
            "this statement does not end",
        );
        self.tells(
            flows("numbers: Numbers { to: least * 2 };", "numbers: Numbers { to: \"2\" };"),
            "\"2\"",
            "expected u64",
        );
        self.tells(flows("Tokenizer { lowercase }", "Tokenizer { }"), "{", "missing structure fields");
        self.tells(
            flows("pub flow WordCount(lowercase: bool)", "pub flow(lowercase: bool)"),
            "flow",
            "the flow has no name",
        );
    }
}
