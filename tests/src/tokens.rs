//! Routines of every kind, with payloads that have an identity. Their handlers write down what they take and what they send, so that a
//! test can count where everything went. What they send follows from what they take alone. `random/plan.rs` has the same
//! kinds as data.
#![allow(missing_docs)]

use crate::random::plan::mixed;
use routilux::HistoryEntry;
use routilux::prelude::*;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// For how many hops what comes of an input goes on.
pub const HOPS: u8 = 5;

/// What travels. The same `id` means the same sender and the same of what it has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Token {
    pub id: u64,
    /// How many hops are left.
    pub left: u8,
}

impl Token {
    pub fn new(number: u64) -> Self {
        Token { id: mixed(number), left: HOPS }
    }

    /// For guards.
    pub fn passes(&self, one_of: u64, which: u64) -> bool {
        mixed(self.id ^ 0x9a55) % one_of == which
    }

    /// For maps.
    pub fn mapped(self, by: u64) -> Self {
        Token { id: mixed(self.id ^ mixed(by)), ..self }
    }
}

/// What `=>` converts into.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wrapped {
    token: Token,
}

impl From<Token> for Wrapped {
    fn from(token: Token) -> Self {
        Wrapped { token }
    }
}

/// A fold that forgets nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sum {
    tokens: Vec<Token>,
}

impl TimelyUnpaired {
    pub fn token(self) -> Token {
        match self {
            TimelyUnpaired::Left(token) | TimelyUnpaired::Right(token) => token,
        }
    }
}

/// What a handler fails with.
#[derive(Debug)]
pub struct Refused {
    attempt: u32,
    hard: bool,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused at attempt {}", self.attempt)
    }
}

impl std::error::Error for Refused {}

pub fn is_hard(error: &HandlerError) -> bool {
    error.downcast_ref::<Refused>().is_some_and(|refused| refused.hard)
}

// ---- what is written down ----

/// One run of a handler.
#[derive(Clone, Debug)]
pub struct Call {
    pub delivery: u64,
    pub attempt: u32,
    pub routine: usize,
    pub slot: &'static str,
    /// By parameter, where it is a join.
    pub took: Vec<Vec<Token>>,
    pub sent: Vec<Sent>,
    /// Whether it returned without an error.
    pub well: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sent {
    pub event: &'static str,
    pub token: Token,
    pub later: bool,
}

/// When handlers began and ended, with the number of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Begin(usize),
    End(usize),
}

#[derive(Clone, Debug, Default)]
pub struct Record {
    pub calls: Vec<Call>,
    pub marks: Vec<Mark>,
    /// What a hook tells of each step.
    pub runs: Vec<HistoryEntry>,
}

/// What all handlers of a job write down.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    record: Mutex<Record>,
    pauses: AtomicBool,
}

impl Log {
    /// One that goes on from there.
    pub fn after(record: Record) -> Self {
        Log(Arc::new(Shared { record: Mutex::new(record), pauses: AtomicBool::default() }))
    }

    pub fn record(&self) -> Record {
        self.open().clone()
    }

    pub fn clear(&self) {
        *self.open() = Record::default();
    }

    /// For a hook.
    pub fn ran(&self, run: &HistoryEntry) {
        self.open().runs.push(run.clone());
    }

    /// Whether each handler asks the job to pause.
    pub fn pause_after_each(&self, pauses: bool) {
        self.0.pauses.store(pauses, Ordering::Relaxed);
    }

    fn open(&self) -> MutexGuard<'_, Record> {
        self.0.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a routine stands: its number, how much a source has to give and after which pauses, and when it fails.
    pub fn site(&self, routine: usize, [many, pause]: [u64; 2], fails: Fails) -> Site {
        Site { log: self.clone(), routine, many, pause: Duration::from_millis(pause), fails }
    }
}

/// When handlers fail.
#[derive(Clone, Copy, Debug)]
pub struct Fails {
    /// One of so many; 0 is none.
    pub one_in: u64,
    /// In so many attempts at most.
    pub times: u32,
    pub panics: bool,
}

#[derive(Clone, Debug)]
pub struct Site {
    log: Log,
    routine: usize,
    many: u64,
    pause: Duration,
    fails: Fails,
}

impl Site {
    /// A handler begins, with these.
    fn enter(&self, slot: &'static str, cx: &Context, took: &[&[Token]]) -> Visit<'_> {
        // The same in whichever order they came.
        let all = || took.iter().copied().flatten();
        let id = all().map(|token| mixed(token.id)).fold(0, u64::wrapping_add);
        let left = all().map(|token| token.left).min().unwrap_or(2);
        self.enter_as(slot, cx, took, Token { id, left })
    }

    /// A handler that is handed all there were so far: the last one is new.
    fn enter_with_last(&self, slot: &'static str, cx: &Context, took: &[Token]) -> Visit<'_> {
        let last = took.last().copied().unwrap_or(Token { id: 0, left: 0 });
        self.enter_as(slot, cx, &[took], Token { id: mixed(last.id), ..last })
    }

    fn enter_as(&self, slot: &'static str, cx: &Context, took: &[&[Token]], seed: Token) -> Visit<'_> {
        let mut record = self.log.open();
        let number = record.calls.len();
        record.calls.push(Call {
            delivery: cx.delivery(),
            attempt: cx.attempt(),
            routine: self.routine,
            slot,
            took: took.iter().map(|took| took.to_vec()).collect(),
            sent: Vec::new(),
            well: false,
        });
        record.marks.push(Mark::Begin(number));
        if self.log.0.pauses.load(Ordering::Relaxed) {
            cx.pause("to be looked at");
        }
        let of_slot = slot.bytes().fold(self.routine as u64, |of, byte| mixed(of ^ u64::from(byte)));
        Visit { site: self, number, attempt: cx.attempt(), id: mixed(seed.id ^ of_slot), left: seed.left }
    }
}

/// A handler that runs.
struct Visit<'s> {
    site: &'s Site,
    number: usize,
    attempt: u32,
    id: u64,
    left: u8,
}

impl Visit<'_> {
    /// What it sends by this event.
    fn tokens(&self, event: &'static str, later: bool) -> Vec<Token> {
        let id = event.bytes().fold(self.id, |id, byte| mixed(id ^ u64::from(byte)));
        let many = if self.left == 0 { 0 } else { [0, 1, 1, 1, 2][(id % 5) as usize] };
        let tokens: Vec<Token> =
            (0..many).map(|n| Token { id: mixed(id + n + 1), left: self.left - 1 }).collect();
        let sent = tokens.iter().map(|&token| Sent { event, token, later });
        self.site.log.open().calls[self.number].sent.extend(sent);
        tokens
    }

    /// Sends what there is to send.
    fn send(&self, event: &'static str, mut send: impl FnMut(Token)) {
        self.tokens(event, false).into_iter().for_each(&mut send);
    }

    /// It ends: well, or not.
    fn leave(self) -> Result {
        let Fails { one_in, times, panics } = self.site.fails;
        let chance = mixed(self.id ^ 0xfa11);
        let fails =
            one_in > 0 && chance.is_multiple_of(one_in) && self.attempt <= 1 + (chance >> 32) as u32 % times;
        let (hard, panics) = (chance >> 20 & 3 == 0, panics && chance >> 24 & 1 == 0);
        match (fails, panics) {
            (false, _) => {
                self.well();
                Ok(())
            }
            (true, false) => Err(Refused { attempt: self.attempt, hard }.into()),
            // Without the message that a panic prints.
            (true, true) => std::panic::resume_unwind(Box::new("as it happens")),
        }
    }

    fn well(self) {
        self.site.log.open().calls[self.number].well = true;
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.site.log.open().marks.push(Mark::End(self.number));
    }
}

// ---- the routines ----

/// One at a time, in every way that a payload is handed over.
#[routine]
pub struct Step {
    #[resource]
    site: Site,
    #[state]
    count: u64,
}

#[routine]
impl Step {
    #[event]
    fn a(token: Token);
    #[event]
    fn b(token: Token);

    #[slot(optional)]
    fn n(&mut self, token: &Token, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("n", cx, &[&[*token]]);
        self.count += 1;
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.leave()
    }

    #[slot(optional)]
    fn owned(&mut self, token: Token, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("owned", cx, &[&[token]]);
        self.count += 1;
        visit.send("b", |token| out.b(token));
        visit.send("a", |token| out.a(token));
        visit.leave()
    }

    #[slot(optional)]
    fn plain(&mut self, token: Token, out: &mut Emit<Self>, cx: &Context) {
        let visit = self.site.enter("plain", cx, &[&[token]]);
        self.count += 1;
        visit.send("a", |token| out.a(token));
        visit.well();
    }
}

/// Several at once.
#[routine]
pub struct Along {
    #[resource]
    site: Site,
}

#[routine]
impl Along {
    #[event]
    fn a(token: Token);
    #[event]
    fn b(token: Token);

    #[slot(optional)]
    fn n(&self, token: &Token, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("n", cx, &[&[*token]]);
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.leave()
    }

    #[slot(optional, parallel = 2)]
    fn few(&self, token: Token, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("few", cx, &[&[token]]);
        visit.send("a", |token| out.a(token));
        visit.leave()
    }

    #[slot(optional, emit = b)]
    fn wrapped(&self, wrapped: &Wrapped, cx: &Context) -> Result<Vec<Token>> {
        let visit = self.site.enter("wrapped", cx, &[&[wrapped.token]]);
        let tokens = visit.tokens("b", false);
        visit.leave().map(|()| tokens)
    }

    #[slot(optional, emit = a)]
    fn quick(&self, token: Token, cx: &Context) -> Vec<Token> {
        let visit = self.site.enter("quick", cx, &[&[token]]);
        let tokens = visit.tokens("a", false);
        visit.well();
        tokens
    }
}

/// Keeps all, and is handed all so far.
#[routine]
pub struct Keeps {
    #[resource]
    site: Site,
}

#[routine]
impl Keeps {
    #[event]
    fn a(token: Token);
    #[event]
    fn b(token: Token);

    #[merge]
    fn add(sum: &mut Sum, token: Token) {
        sum.tokens.push(token);
    }

    #[slot(optional, merge = "append")]
    fn all(&mut self, tokens: &[Token], out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter_with_last("all", cx, tokens);
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.leave()
    }

    #[slot(optional, merge = add)]
    fn sum(&self, sum: &Sum, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter_with_last("sum", cx, &sum.tokens);
        visit.send("a", |token| out.a(token));
        visit.leave()
    }
}

/// Takes the newest of each connection.
#[routine]
pub struct Newest {
    #[resource]
    site: Site,
}

#[routine]
impl Newest {
    #[event]
    fn a(token: Token);
    #[event]
    fn b(token: Token);

    #[slot(optional, merge = "latest")]
    fn newest(&self, token: &Token, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("newest", cx, &[&[*token]]);
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.leave()
    }

    #[slot(optional)]
    fn n(&self, token: &Token, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("n", cx, &[&[*token]]);
        visit.send("b", |token| out.b(token));
        visit.leave()
    }
}

/// So many at a time.
#[routine]
pub struct Batch {
    #[resource]
    site: Site,
    #[state]
    count: u64,
}

#[routine]
impl Batch {
    #[event]
    fn a(token: Token);
    #[event]
    fn b(token: Token);

    #[merge]
    fn add(sum: &mut Sum, token: Token) {
        sum.tokens.push(token);
    }

    #[slot(optional, merge = "append", when = 2)]
    fn two(&mut self, tokens: Vec<Token>, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("two", cx, &[&tokens]);
        self.count += 1;
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.leave()
    }

    #[slot(optional, merge = "latest", when = 3)]
    fn three(&self, tokens: Vec<Token>, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("three", cx, &[&tokens]);
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.leave()
    }

    #[slot(optional, merge = add, when = 4)]
    fn four(&mut self, sum: Sum, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("four", cx, &[&sum.tokens]);
        self.count += 1;
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.leave()
    }
}

/// One of each connection.
#[routine]
pub struct Whole {
    #[resource]
    site: Site,
    #[state]
    count: u64,
}

#[routine]
impl Whole {
    #[event]
    fn a(token: Token);
    #[event]
    fn b(token: Token);

    #[merge]
    fn add(sum: &mut Sum, token: Token) {
        sum.tokens.push(token);
    }

    #[slot(optional, merge = "append", when = "all")]
    fn all(&mut self, tokens: Vec<Token>, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("all", cx, &[&tokens]);
        self.count += 1;
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.leave()
    }

    #[slot(optional, merge = "latest", when = "all")]
    fn newest(&mut self, tokens: Vec<Token>, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("newest", cx, &[&tokens]);
        self.count += 1;
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.leave()
    }

    #[slot(optional, merge = add, when = "all")]
    fn sum(&self, sum: Sum, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("sum", cx, &[&sum.tokens]);
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.leave()
    }
}

/// All, once there are no more.
#[routine]
pub struct Total {
    #[resource]
    site: Site,
    #[state]
    count: u64,
}

#[routine]
impl Total {
    #[event]
    fn a(token: Token);
    #[event]
    fn b(token: Token);

    #[slot(optional)]
    fn n(&mut self, token: &Token, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("n", cx, &[&[*token]]);
        self.count += 1;
        visit.send("a", |token| out.a(token));
        visit.leave()
    }

    #[slot(optional, merge = "append", when = "drained")]
    fn total(&mut self, tokens: Vec<Token>, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("total", cx, &[&tokens]);
        self.count += 1;
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.leave()
    }
}

/// The newest of each connection, once there are no more.
#[routine]
pub struct TotalNewest {
    #[resource]
    site: Site,
}

#[routine]
impl TotalNewest {
    #[event]
    fn a(token: Token);
    #[event]
    fn b(token: Token);

    #[slot(optional, merge = "latest", when = "drained")]
    fn newest(&self, tokens: Vec<Token>, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("newest", cx, &[&tokens]);
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.leave()
    }

    #[slot(optional)]
    fn n(&self, token: &Token, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("n", cx, &[&[*token]]);
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.leave()
    }
}

/// A fold of all, once there are no more.
#[routine]
pub struct TotalSum {
    #[resource]
    site: Site,
    #[state]
    count: u64,
}

#[routine]
impl TotalSum {
    #[event]
    fn a(token: Token);
    #[event]
    fn b(token: Token);

    #[merge]
    fn add(sum: &mut Sum, token: Token) {
        sum.tokens.push(token);
    }

    #[slot(optional)]
    fn n(&mut self, token: Token, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("n", cx, &[&[token]]);
        self.count += 1;
        visit.send("b", |token| out.b(token));
        visit.leave()
    }

    #[slot(optional, merge = add, when = "drained")]
    fn sum(&mut self, sum: Sum, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("sum", cx, &[&sum.tokens]);
        self.count += 1;
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.leave()
    }
}

/// Two that belong together.
#[routine]
pub struct Pair {
    #[resource]
    site: Site,
    #[state]
    count: u64,
}

#[routine]
impl Pair {
    #[event]
    fn a(token: Token);
    #[event]
    fn b(token: Token);

    #[join]
    fn pair(&mut self, left: Token, right: Token, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("pair", cx, &[&[left], &[right]]);
        self.count += 1;
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.leave()
    }
}

/// Three that belong together.
#[routine]
pub struct Triple {
    #[resource]
    site: Site,
}

#[routine]
impl Triple {
    #[event]
    fn a(token: Token);
    #[event]
    fn b(token: Token);

    #[join]
    fn triple(&self, x: &Token, y: &Token, z: Token, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("triple", cx, &[&[*x], &[*y], &[z]]);
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.leave()
    }

    #[slot(optional)]
    fn n(&self, token: &Token, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("n", cx, &[&[*token]]);
        visit.send("b", |token| out.b(token));
        visit.leave()
    }
}

/// The latest of two.
#[routine]
pub struct Match {
    #[resource]
    site: Site,
    #[state]
    count: u64,
}

#[routine]
impl Match {
    #[event]
    fn a(token: Token);
    #[event]
    fn b(token: Token);

    #[join(latest)]
    fn pair(&mut self, left: &Token, right: &Token, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("pair", cx, &[&[*left], &[*right]]);
        self.count += 1;
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.leave()
    }
}

/// Two that belong together, if they come in time.
#[routine]
pub struct Timely {
    #[resource]
    site: Site,
}

#[routine]
impl Timely {
    #[event]
    fn a(token: Token);
    #[event]
    fn b(token: Token);

    #[join(within = "8ms")]
    fn timely(&self, left: Token, right: Token, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("timely", cx, &[&[left], &[right]]);
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.leave()
    }
}

/// Gives by itself.
#[routine]
pub struct Feed {
    #[resource]
    site: Site,
    #[state]
    next: u64,
}

#[routine]
impl Feed {
    #[event]
    fn a(token: Token);
    #[event]
    fn b(token: Token);

    #[source(start)]
    fn numbers(&mut self, out: &mut Emit<Self>, cx: &Context) -> Result<More> {
        if self.next == self.site.many {
            return Ok(More::Done);
        }
        let visit = self.site.enter_as("numbers", cx, &[], Token { id: self.next + 1, left: 4 });
        self.next += 1;
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.leave()?;
        Ok(match self.site.pause.is_zero() {
            true => More::Now,
            false => More::After(self.site.pause),
        })
    }
}

/// Gives when it is asked to.
#[routine]
pub struct Pull {
    #[resource]
    site: Site,
    #[state]
    asked: Vec<Token>,
}

#[routine]
impl Pull {
    #[event]
    fn a(token: Token);
    #[event]
    fn b(token: Token);

    #[slot(optional)]
    fn open(&mut self, token: &Token, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("open", cx, &[&[*token]]);
        self.asked.push(*token);
        out.lines();
        visit.leave()
    }

    #[source]
    fn lines(&mut self, out: &mut Emit<Self>, cx: &Context) -> Result<More> {
        if self.asked.is_empty() {
            return Ok(More::Done);
        }
        let token = self.asked.remove(0);
        let visit = self.site.enter_as("lines", cx, &[], token);
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.leave()?;
        Ok(if self.asked.is_empty() { More::Done } else { More::Now })
    }
}

/// Says a last word.
#[routine]
pub struct Ends {
    #[resource]
    site: Site,
    #[state]
    count: u64,
}

#[routine]
impl Ends {
    #[event]
    fn a(token: Token);
    #[event]
    fn b(token: Token);

    #[slot(optional)]
    fn n(&mut self, token: &Token, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("n", cx, &[&[*token]]);
        self.count += 1;
        visit.send("a", |token| out.a(token));
        visit.leave()
    }

    #[finish]
    fn flush(&mut self, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter_as("flush", cx, &[], Token { id: self.count + 1, left: 2 });
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.leave()
    }
}

/// Where what failed for good goes.
#[routine]
pub struct Dead {
    #[resource]
    site: Site,
    #[state]
    count: u64,
}

#[routine]
impl Dead {
    #[event]
    fn a(token: Token);
    #[event]
    fn b(token: Token);

    #[slot]
    fn letter(&mut self, letter: Failure<Token>, out: &mut Emit<Self>, cx: &Context) {
        let visit = self.site.enter("letter", cx, &[&[letter.payload]]);
        self.count += 1;
        visit.send("a", |token| out.a(token));
        visit.send("b", |token| out.b(token));
        visit.well();
    }
}

/// Sends some of it later.
#[routine]
pub struct Delay {
    #[resource]
    site: Site,
}

#[routine]
impl Delay {
    #[event]
    fn a(token: Token);
    #[event]
    fn b(token: Token);

    #[slot]
    fn n(&self, token: &Token, out: &mut Emit<Self>, cx: &Context) -> Result {
        let visit = self.site.enter("n", cx, &[&[*token]]);
        for (n, token) in visit.tokens("a", true).into_iter().enumerate() {
            out.after(self.site.pause * (n as u32 + 1)).a(token);
        }
        visit.send("b", |token| out.b(token));
        visit.leave()
    }
}
