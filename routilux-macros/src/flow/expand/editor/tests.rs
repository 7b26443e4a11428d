//! What rust-analyzer relies on: with its marker at any place, what is written before the marker is what is written without.

use super::*;
use crate::flow::parse;

const FLOW: &str = "
    flow Shop<V: Payload>(least: u64, lower: bool) {
        read: Reader;
        tok: Tokenizer { lowercase: lower, least };
        keep: Keep<V>;
        desk: Desk;
        in text -> read.open;
        in order: Order if |order| order.cents >= *least => desk.settle.order, out seen else -> |o| o.n -> tok.n;
        desk.settle.unpaired -> out unpaired;
        read.line -> loop(3) tok.line;
        tok.word if |w| w.len() > 3 -> keep.value; else -> |w| -> u64 { w.len() as u64 } -> out lengths: u64;
        tok.line.error -> |f| f.payload -> return: String;
        ignore tok.number;
        on error of tok.line if |e| e.is::<Busy>() retry(3, 100ms, x2) then -> keep.value, out lost;
        on panic stop;
    }";

fn tokens(text: &str) -> TokenStream {
    text.parse().unwrap()
}

fn expanded(flow: &str) -> String {
    let header = parse::header(tokens(flow)).unwrap();
    editor(&tokens("rx::__private"), &header).to_string()
}

/// Whatever spaces are printed.
fn has(text: &str, part: &str) -> bool {
    text.replace(' ', "").contains(&part.replace(' ', ""))
}

/// The flow with the marker at each of its names: put before it, into it, after it, and in the place of it and all that follows
/// to the end of its statement.
fn marked() -> Vec<(String, String)> {
    let body = FLOW.find('{').unwrap();
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut flows = Vec::new();
    for (at, _) in FLOW.char_indices().skip(body) {
        let before = FLOW[..at].chars().next_back();
        let is_name = |c: Option<char>| c.is_some_and(is_part);
        if !is_name(before) && !is_name(FLOW[at..].chars().next()) && before != Some('.') {
            continue;
        }
        // Not in the middle of a number.
        let word: String = FLOW[..at].chars().rev().take_while(|c| is_part(*c)).collect();
        if word.chars().next_back().is_some_and(char::is_numeric) || FLOW[at..].starts_with(char::is_numeric)
        {
            continue;
        }
        let left: String = word.chars().rev().collect();
        let right: String = FLOW[at..].chars().take_while(|c| is_part(*c)).collect();
        let of_the_syntax = match format!("{left}{right}").as_str() {
            // Before these a name of the user's may be typed.
            "in" | "out" | "on" | "ignore" | "loop" | "return" => !left.is_empty(),
            word => {
                ["else", "if", "of", "error", "panic", "retry", "then", "skip", "stop"].contains(&word)
                    && !FLOW[..at].trim_end_matches(left.as_str()).ends_with('.')
            }
        };
        if !of_the_syntax {
            flows.push((FLOW.to_owned(), format!("{}{}{}", &FLOW[..at], MARKERS[0], &FLOW[at..])));
        }
        // Half-typed: the rest of the statement is not there yet, nor its `;`.
        let rest = FLOW[at..].find(';').map_or("", |end| &FLOW[at + end + 1..]);
        let typed_out = [
            "in", "out", "on", "ignore", "loop", "return", "else", "if", "of", "error", "panic", "retry",
            "then",
        ];
        if !typed_out.contains(&left.as_str()) && (is_name(before) || before == Some('.')) {
            let is_balanced = |text: &str| text.parse::<TokenStream>().is_ok();
            let (typed, completed) =
                (format!("{}\n{rest}", &FLOW[..at]), format!("{}{}\n{rest}", &FLOW[..at], MARKERS[0]));
            if is_balanced(&typed) && is_balanced(&completed) {
                flows.push((typed, completed));
            }
        }
    }
    flows
}

#[test]
fn what_stands_before_the_marker_is_the_same_without_it() {
    let flows = marked();
    assert!(flows.len() > 300, "{}", flows.len());
    let mut found = 0;
    for (typed, completed) in flows {
        let (without, with) = (expanded(&typed), expanded(&completed));
        // The words of the flow's own syntax are left out.
        let Some(at) = with.find(MARKERS[0]) else { continue };
        found += 1;
        // Of a field only what it is a field of: an id that is not known is none.
        let before = with[..at].trim_end_matches(|c: char| c.is_alphanumeric() || c == '_');
        let before = before.trim_end_matches(" . ");
        assert!(without.starts_with(before), "{completed}\n\n{before}");
        assert_eq!(with.matches(MARKERS[0]).count(), 1, "{completed}");
    }
    assert!(found > 250, "{found}");
}

#[test]
fn only_what_is_completed_is_expanded() {
    let completed =
        parse::header(tokens(&FLOW.replace("ignore tok.number", "ignore tok.raCompletionMarker"))).unwrap();
    assert!(is_completed(&completed));
    let text = editor(&tokens("rx::__private"), &completed).to_string();
    assert!(has(&text, "__ids . tok . events . raCompletionMarker"), "{text}");
    assert!(!text.contains("impl"), "{text}");
    assert!(!is_completed(&parse::header(tokens(FLOW)).unwrap()));
}

#[test]
fn names_are_fields() {
    let text = expanded(FLOW);
    for place in [
        "& __ids . tok ;",
        "& __slots . text ;",
        "& __ids . read . slots . open ;",
        "& __ids . desk . slots . settle . order ;",
        "& __ids . desk . events . settle . unpaired ;",
        "& __events . unpaired ;",
        "& __ids . tok . slots . line ;",
        "& __ids . tok . events . line . error ;",
        "& __ids . tok . events . number ;",
        "& __events . lost ;",
    ] {
        assert!(has(&text, place), "{place}\n\n{text}");
    }
    for field in [
        "pub keep : rx :: __private :: editor :: Instance < Keep < V > >",
        "pub lengths : u64",
        "pub order : Order",
        "pub result : String",
        "pub lost : < Shop < V > as rx :: __private :: OutPort < 3usize > > :: Payload",
    ] {
        assert!(has(&text, field), "{field}\n\n{text}");
    }
}

#[test]
fn what_is_not_typed_to_its_end_does_not_take_what_follows() {
    for (body, place) in [
        ("a: A; b: B; a. in x -> b.y;", "& __slots . x ;"),
        ("a: A; b: B; a.e b.f -> b.y;", "& __ids . b . events . f ;"),
        ("a: A; b: B; a.e -> b.f -> a.y", "& __ids . b . slots . f ;"),
        ("a: A b: B { n: 1 } b.e -> a.y;", "& __ids . b . events . e ;"),
        ("a: A; -> a.y;", "& __ids . a . slots . y ;"),
        ("a: A; on error of a. ignore a.e;", "& __ids . a . events . e ;"),
        ("a: A; a.e -> , a.y; ; . ! 3", "& __ids . a . slots . y ;"),
    ] {
        let text = expanded(&format!("flow F() {{ {body} }}"));
        assert!(has(&text, place), "{body}\n\n{text}");
    }
}
