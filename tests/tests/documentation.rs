//! What rustdoc shows of routines and flows, and that it warns of nothing.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::fs;
use tests::project::Project;

const CRATE: &str = r#"//! Words.
#![deny(warnings, missing_docs, rustdoc::all)]
#![allow(rustdoc::missing_crate_level_docs)]
use routilux::prelude::*;

/// Splits lines.
///
/// At white space.
#[routine]
pub struct Tokenizer {
    /// Whether words are written small.
    lowercase: bool,
    /// How many | so far.
    #[state]
    words: u64,
}

#[routine]
impl Tokenizer {
    /// One word
    /// of the text.
    #[event]
    fn word(text: String);

    /// Takes one line.
    #[slot]
    fn line(&mut self, line: String, out: &mut Emit<Self>) -> Result {
        for word in line.split_whitespace() {
            self.words += 1;
            out.word(if self.lowercase { word.to_lowercase() } else { word.to_owned() });
        }
        Ok(())
    }
}

/// Brings both together.
#[routine]
struct Desk<T: Payload> {
    #[state]
    last: Option<T>,
}

#[routine]
impl<T: Payload> Desk<T> {
    #[event]
    fn pair(count: u64);

    #[join(within = "30min")]
    fn settle(&mut self, left: T, right: T, out: &mut Emit<Self>) {
        self.last = Some(left);
        drop(right);
        out.pair(1);
    }

    #[slot(merge = "append", when = 3, optional)]
    fn several(&self, lines: Vec<u64>) {
        drop(lines);
    }
}

/// Public, so that it has a page.
#[routine]
pub struct Ledger;

#[routine]
impl Ledger {
    #[join(within = "30min")]
    fn balance(&self, left: u64, right: u64) {
        drop((left, right));
    }

    #[slot(merge = "append", when = 3, optional)]
    fn several(&self, lines: Vec<u64>) {
        drop(lines);
    }
}

flow! {
    /// Pairs words.
    ///
    /// # How
    /// By [`Tokenizer`].
    pub flow Pairs(lowercase: bool) {
        tok: Tokenizer { lowercase };
        desk: Desk<String>;

        in line -> tok.line;
        in word: String -> desk.settle.left;
        tok.word if |word| word.len() > 1 -> desk.settle.right;
        else -> out short;
        desk.pair -> return;
        ignore desk.settle.unpaired;
        on error of tok.line retry(3, 100ms) then skip;
    }
}

flow! {
    /// Nested.
    pub flow Outer() {
        inner: Pairs { lowercase: true };
        in line -> inner.line;
        in word -> inner.word;
        inner.short -> out short;
        inner.result -> return;
    }
}

flow! {
    flow Private() {
        inner: Outer;
        in line -> inner.line;
        in word -> inner.word;
        inner.short -> out short;
        ignore inner.result;
    }
}

/// Uses them all.
pub fn run() -> routilux::Result<()> {
    let mut job = Private::new().job();
    job.inputs().line("a b".into())?;
    job.inputs().word("c".into())?;
    job.run()?;
    Ok(())
}
"#;

/// The text of a page, without what is between `<` and `>`.
fn text_of(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text += part.split_once('>').map_or(part, |(_, rest)| rest);
        text.push(' ');
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("&#39;", "'");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_told(page: &str, text: &str) {
    assert!(page.contains(text), "`{text}` is not on the page: {page}");
}

#[test]
fn rustdoc_shows_what_is_generated() {
    let project = Project::new("documented").unwrap();
    project.write("src/lib.rs", CRATE).unwrap();
    let output = project.cargo("doc").args(["--no-deps"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("warning"), "{said}");
    let read = |page: &str| fs::read_to_string(project.target().join("doc/documented").join(page)).unwrap();

    let html = read("struct.Pairs.html");
    let picture = &html[html.find("<svg").unwrap()..html.find("</svg>").unwrap()];
    for name in ["tok", "Tokenizer", "Desk&lt;String&gt;", "settle.left", "short", "return"] {
        is_told(picture, name);
    }
    assert!(!html.contains("<script>alert") && !picture.contains("http:"), "nothing from elsewhere");
    let page = text_of(&html);
    // The user's text, then the picture, then what it is made of.
    assert!(page.find("Pairs words.") < page.find("How By Tokenizer"));
    is_told(&page, "Inputs input takes line String word String");
    is_told(&page, "Outputs output carries short String");
    is_told(&page, "Result type result u64");
    is_told(&page, "Routines routine type tok Tokenizer desk Desk<String>");
    is_told(&page, "tok.word if |word| word.len() > 1 -> desk.settle.right;");
    is_told(&page, "on error of tok.line retry(3, 100ms) then skip;");
    is_told(&page, "pub fn job (&self) -> Job<Self>");
    assert!(html.contains("struct.Tokenizer.html"), "a routine is a link");

    let page = text_of(&read("struct.Tokenizer.html"));
    is_told(&page, "Splits lines. At white space.");
    is_told(&page, "Configuration field type lowercase bool Whether words are written small.");
    is_told(&page, "State field type words u64 How many | so far.");
    is_told(&page, "line String at each arrival; may fail Takes one line.");
    is_told(&page, "Events event carries word String One word of the text.");

    let page = text_of(&read("struct.Ledger.html"));
    is_told(&page, "balance.left u64 all with one of each, for 30min at most");
    is_told(&page, "several u64 all after 3 arrivals; need not be connected");
    is_told(&page, "balance.unpaired BalanceUnpaired What the join has found no partner for in time.");

    let page = text_of(&read("struct.Outer.html"));
    is_told(&page, "Routines routine type inner Pairs a flow");
}
