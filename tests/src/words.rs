//! Counting the words of lines of text.

use routilux::prelude::*;
use std::collections::BTreeMap;

/// Splits a text into lines.
#[routine]
pub struct Lines;

#[routine]
impl Lines {
    /// A line, without its end.
    #[event]
    fn line(text: String);
    /// How many there were.
    #[event]
    fn done(lines: u64);

    /// Takes a whole text.
    #[slot]
    fn text(&self, text: &str, out: &mut Emit<Self>) {
        let mut lines = 0;
        for line in text.lines() {
            lines += 1;
            out.line(line.to_owned());
        }
        out.done(lines);
    }
}

/// Splits lines into words.
#[routine]
pub struct Tokenizer {
    lowercase: bool,
    #[state]
    words: u64,
}

#[routine]
impl Tokenizer {
    /// One word.
    #[event]
    fn word(text: String);

    /// Takes one line.
    #[slot]
    fn line(&mut self, line: String, out: &mut Emit<Self>) {
        for word in line.split_whitespace() {
            self.words += 1;
            out.word(if self.lowercase { word.to_lowercase() } else { word.to_owned() });
        }
    }
}

/// Counts words.
#[routine]
#[derive(Debug)]
pub struct Count {
    #[state]
    totals: BTreeMap<String, u64>,
}

#[routine]
impl Count {
    /// How often each word was there so far.
    #[event]
    fn totals(totals: BTreeMap<String, u64>);

    /// Takes one word.
    #[slot]
    fn word(&mut self, word: String) {
        *self.totals.entry(word).or_default() += 1;
    }

    /// Says that there are no more.
    #[slot]
    fn end(&mut self, _lines: u64, out: &mut Emit<Self>) {
        out.totals(self.totals.clone());
    }
}

/// Keeps the latest of the values of one type: a routine with a type parameter.
#[routine]
pub struct Latest<T: Payload + Clone> {
    #[state]
    value: Option<T>,
}

#[routine]
impl<T: Payload + Clone> Latest<T> {
    /// The value before this one, and this one.
    #[event]
    fn moved(from: Option<T>, to: T);

    /// Takes the next value.
    #[slot]
    fn next(&mut self, value: T, out: &mut Emit<Self>) {
        out.moved(self.value.replace(value.clone()), value);
    }
}

flow! {
    /// Counts the words of texts.
    pub flow WordCount(lowercase: bool) {
        lines: Lines;
        tok:   Tokenizer { lowercase };
        count: Count;

        in text      -> lines.text;
        lines.line   -> tok.line;
        tok.word     -> count.word;
        in end       -> count.end;
        ignore lines.done;
        count.totals -> return;
    }
}

/// Private, as are the types of some fields of the public routine below: neither is part of its interface.
#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
struct Ledger(u64);

#[derive(Clone)]
struct Mode;

/// Sums up, and refuses zero.
#[routine]
pub struct Account {
    mode: Mode,
    #[state]
    ledger: Ledger,
    #[transient]
    cache: Vec<Ledger>,
}

#[routine]
impl Account {
    /// The sum so far. It is no `Debug`, and need not be.
    #[event]
    fn balance(balance: Balance);

    /// Takes an amount.
    #[slot]
    fn pay(&mut self, cents: u64, out: &mut Emit<Self>) -> Result {
        let Mode = self.mode;
        self.ledger.0 += cents;
        self.cache.push(self.ledger.clone());
        out.balance(Balance(self.ledger.0));
        match cents {
            0 => Err("nothing to pay".into()),
            _ => Ok(()),
        }
    }
}

/// A payload with no more than it needs.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Balance(pub u64);

flow! {
    /// Sums up amounts.
    pub flow Bank() {
        account: Account { mode: Mode };
        in pay -> account.pay;
        account.balance -> return;
    }
}
