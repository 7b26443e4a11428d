//! What is typed while a flow is not finished, and what never was one: truncated, shuffled and random tokens. The macros have to
//! come to an end with them, and each error has to stand in the user's text and to end with its code.

use crate::routine::TABLE;
use crate::{flow, routine};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use proptest::prelude::*;
use quote::quote;
use std::ops::Range;

/// A flow with every kind of statement, and routines with every kind of handler and field.
const FLOWS: [&str; 2] = [
    "/// Words.
    pub flow Words<T: Payload>(lowercase: bool, least: u64) where T: Clone {
        lines: Lines; tok: a::b::Tok { lowercase, least: least + 1 }; desk: Desk<T>; inner: Inner { path: 1 };
        in path: std::path::PathBuf -> |p| p.open() -> lines.open;
        in order -> desk.settle.order, inner.path;
        lines.line if |l: &String| l.len() > 3 && !l.is_empty() -> tok.line;
        else => loop(3) lines.open, out short: u64;
        lines.bad -> out bad;
        tok.word => desk.settle.payment;
        tok.word -> |(a, b)| { a + b } -> loop tok.line;
        lines.open.error -> out failed;
        desk.settle.unpaired -> out left;
        inner.word -> return: Vec<u64>;
        ignore desk.pair;
        on error of lines.open if |e| e.is::<Io>() retry(3, 100ms, x2, max 5s) then skip;
        on error of lines -> tok.line, out lost;
        on panic of tok.line retry(forever, 1s, in_order);
        on error stop;
    }",
    "flow Small { a: Lines; in x -> a.open; a.line -> return; }",
];

const ROUTINES: [&str; 3] = [
    "impl<T: Payload + Clone> Desk<T> where T: Send {
        #[event] fn pair(order: T, count: u64);
        #[event(live)] fn token(text: String);
        #[merge] fn add(acc: &mut u64, n: u32) { *acc += u64::from(n); }
        #[slot(merge = \"append\", when = 3, optional)] fn several(&mut self, all: Vec<u64>, out: &mut Emit<Self>) -> Result { Ok(()) }
        #[slot(merge = add, when = \"drained\", emit = pair)] fn sum(&mut self, sum: u64, cx: &Context) -> Result<(T, u64)> { todo!() }
        #[slot(parallel = 4, timeout = \"30s\")] async fn ask(&self, text: &str) {}
        #[join(within = \"30min\")] fn settle(&mut self, order: T, payment: &Payment, out: &mut Emit<Self>) {}
        #[source(start)] fn lines(&mut self, out: &mut Emit<Self>) -> More { More::Done }
        #[finish] fn end(&mut self) {}
        pub fn helper() -> u8 { 1 }
        const N: usize = 3;
    }",
    "pub struct Desk<T: Payload> { lowercase: bool, #[state] words: Vec<T>, #[resource] client: Client, #[transient] open: Option<File> }",
    "struct Unit;",
];

/// What the macros look for, and what could stand beside it.
const WORDS: [&str; 48] = [
    "flow", "pub", "in", "out", "return", "ignore", "on", "error", "panic", "of", "retry", "then", "skip",
    "stop", "loop", "else", "if", "lines", "tok", "desk", "word", "line", "settle", "Lines", "Desk", "Self",
    "->", "=>", ".", ";", ":", "::", ",", "|", "||", "&", "-", ">", "<", "=", "#", "'a", "3", "100ms", "x2",
    "\"text\"", "{ }", "( )",
];

fn tokens(text: &str) -> TokenStream {
    text.parse().expect("what is written here can be read")
}

/// The same tokens with one of them, at any depth, left out, doubled or moved, or all after it left out.
fn mutated(stream: TokenStream, at: &mut usize, how: u8, other: &TokenTree) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    for token in stream {
        if *at == usize::MAX {
            if how != 3 {
                kept.push(token);
            }
            continue;
        }
        if *at == 0 {
            *at = usize::MAX;
            match how {
                0 => {}
                1 => kept.extend([token.clone(), token]),
                2 => kept.extend([other.clone(), token]),
                3 => kept.push(token),
                4 => kept.push(other.clone()),
                // With its neighbour.
                _ => {
                    let last = kept.pop();
                    kept.push(token);
                    kept.extend(last);
                }
            }
            continue;
        }
        *at -= 1;
        kept.push(match token {
            TokenTree::Group(group) => {
                let inside = mutated(group.stream(), at, how, other);
                let mut same = Group::new(group.delimiter(), inside);
                same.set_span(group.span());
                TokenTree::Group(same)
            }
            token => token,
        });
    }
    kept.into_iter().collect()
}

fn count(stream: TokenStream) -> usize {
    stream
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(group) => 1 + count(group.stream()),
            _ => 1,
        })
        .sum()
}

/// The statements of a flow, or the items of a block, in another order.
fn shuffled(stream: TokenStream, by: usize) -> TokenStream {
    stream
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let mut parts: Vec<Vec<TokenTree>> = vec![Vec::new()];
                for token in group.stream() {
                    let ends = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ';');
                    if let Some(last) = parts.last_mut() {
                        last.push(token);
                    }
                    if ends {
                        parts.push(Vec::new());
                    }
                }
                let middle = by % parts.len();
                parts.rotate_left(middle);
                let mut same = Group::new(Delimiter::Brace, parts.into_iter().flatten().collect());
                same.set_span(group.span());
                TokenTree::Group(same)
            }
            token => token,
        })
        .collect()
}

/// The places and texts of the errors in what a macro has written.
fn errors(stream: TokenStream, found: &mut Vec<(Range<usize>, String)>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    for (number, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(word) if *word == "compile_error" => {
                let text = match tokens.get(number + 2) {
                    Some(TokenTree::Group(group)) => group.stream().to_string(),
                    _ => String::new(),
                };
                found.push((word.span().byte_range(), text));
            }
            TokenTree::Group(group) => errors(group.stream(), found),
            _ => {}
        }
    }
}

/// The places that the user's tokens have.
fn places(stream: TokenStream, found: &mut Vec<Range<usize>>) {
    for token in stream {
        found.push(token.span().byte_range());
        if let TokenTree::Group(group) = token {
            found.push(group.span_open().byte_range());
            found.push(group.span_close().byte_range());
            places(group.stream(), found);
        }
    }
}

fn check(what: &str, written: &TokenStream, user: TokenStream) {
    let (mut told, mut known) = (Vec::new(), Vec::new());
    errors(written.clone(), &mut told);
    places(user.clone(), &mut known);
    let (start, end) =
        (known.iter().map(|place| place.start).min(), known.iter().map(|place| place.end).max());
    let is_within =
        |place: &Range<usize>| Some(place.start) >= start && Some(place.end) <= end && !place.is_empty();
    for (place, text) in told {
        // Of nothing at all there is no place.
        assert!(user.is_empty() || is_within(&place), "{what}: {text} at {place:?} of {user}");
        let end = text.trim_end_matches(['"', '#']);
        let code = end.strip_suffix(']').and_then(|text| text.rsplit_once("[RTX"));
        assert!(code.is_some_and(|(_, code)| code.len() == 4), "{what}: {text} of {user}");
    }
}

/// Both stages: the second as if the routine types had answered.
fn read_flow(user: TokenStream) {
    let krate = quote! { [routilux] };
    check("first stage", &flow::expand(quote! { #krate #user }), user.clone());
    let tables = quote! {
        { #TABLE "Lines" [["line" "String" false] ["bad" "String" false]]
          [[slot "open" "PathBuf" "override" "each" false false true true false [] []]] [] }
        { #TABLE "Tok" [["word" "String" false]]
          [[slot "line" "String" "override" "each" false false false false false ["word"] []]] [] }
        { #TABLE "Desk" [["pair" "u64" false] ["settle.unpaired" "U" false]]
          [[join "settle" "(T, u64)" "override" "each" false false false false true [] [["order" "T"] ["payment" "u64"]]]] [["Payload"]] }
        { flow #TABLE "Inner" false [["path" "u8"]] [["word" "String" false]]
          [[slot "path" "T" "override" "each" false false false false false [] []]] [] [["path" "word"]] [] [] }
    };
    for documented in [quote! {}, quote! { doc }] {
        let written = flow::expand(quote! { @tables { #krate { #user } #documented } { #tables } });
        check("second stage", &written, user.clone());
    }
}

fn read_routine(item: TokenStream) {
    check("routine", &routine::expand(TokenStream::new(), item.clone()), item);
}

fn word() -> impl Strategy<Value = TokenStream> {
    let leaf = prop_oneof![
        8 => proptest::sample::select(&WORDS[..]).prop_map(tokens),
        1 => any::<u16>().prop_map(|number| tokens(&number.to_string())),
        1 => "[a-z_][a-z0-9_]{0,4}".prop_filter_map("no name", |name| name.parse().ok()),
    ];
    leaf.prop_recursive(3, 40, 8, |inner| {
        let stream = proptest::collection::vec(inner, 0..8);
        (stream, 0..3_u8).prop_map(|(stream, kind)| {
            let delimiter = [Delimiter::Brace, Delimiter::Parenthesis, Delimiter::Bracket][usize::from(kind)];
            TokenTree::Group(Group::new(delimiter, stream.into_iter().collect())).into()
        })
    })
}

/// Written down and read again, so that each token has a place of its own.
fn placed(stream: &TokenStream) -> Option<TokenStream> {
    stream.to_string().parse().ok()
}

fn random() -> impl Strategy<Value = TokenStream> {
    proptest::collection::vec(word(), 0..40).prop_map(|words| words.into_iter().collect())
}

/// One of these texts, changed at up to three places.
fn changed(texts: &'static [&'static str]) -> impl Strategy<Value = TokenStream> {
    let change = (any::<prop::sample::Index>(), 0..6_u8, word());
    (proptest::sample::select(texts), proptest::collection::vec(change, 0..4), 0..8_usize).prop_map(
        |(text, changes, by)| {
            let mut stream = tokens(text);
            if by > 0 {
                stream = shuffled(stream, by);
            }
            for (at, how, other) in changes {
                let mut at = at.index(count(stream.clone()).max(1));
                if let Some(other) = other.into_iter().next() {
                    stream = mutated(stream, &mut at, how, &other);
                }
            }
            stream
        },
    )
}

fn how_often() -> ProptestConfig {
    // More with `PROPTEST_CASES=100000`.
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 500;
    }
    config
}

#[test]
fn what_is_sound_is_read_without_an_error() {
    for text in ROUTINES {
        let mut told = Vec::new();
        errors(routine::expand(TokenStream::new(), tokens(text)), &mut told);
        // An `async` handler asks for a feature.
        told.retain(|(_, text)| !text.contains("tokio"));
        assert!(told.is_empty(), "{told:?}");
    }
}

proptest! {
    #![proptest_config(how_often())]

    #[test]
    fn a_flow_with_changes_is_read_to_its_end(user in changed(&FLOWS)) {
        if let Some(user) = placed(&user) {
            read_flow(user);
        }
    }

    #[test]
    fn random_statements_are_read_to_their_end(body in random()) {
        if let Some(user) = placed(&quote! { flow Random { lines: Lines; #body } }) {
            read_flow(user);
        }
    }

    #[test]
    fn random_tokens_are_read_to_their_end(user in random()) {
        if let Some(user) = placed(&user) {
            read_flow(user.clone());
            read_routine(user);
        }
    }

    #[test]
    fn a_routine_with_changes_is_read_to_its_end(item in changed(&ROUTINES)) {
        if let Some(item) = placed(&item) {
            read_routine(item);
        }
    }
}
