//! The syntax of a connection: where it begins, what becomes of a payload on the way, and where it ends.

use super::advice;
use super::closure::{self, Closure, Use};
use super::pieces::{
    Arrow, all, arrow_at, arrows, begins_closure, branches, is_sign, is_word, split_at_commas,
};
use super::source_text;
use crate::diagnostic::error;
use crate::routine::plain;
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use routilux_graph::Code;
use syn::{LitInt, Type};

/// `source if |e| guard -> targets else -> targets;`
pub(crate) struct Connect {
    pub(crate) from: Source,
    pub(crate) guard: Option<Closure>,
    pub(crate) then: Branch,
    pub(crate) otherwise: Option<Branch>,
}

/// `-> |e| map -> targets`
pub(crate) struct Branch {
    /// Whether the arrow is `=>`.
    pub(crate) converts: bool,
    pub(crate) map: Option<Closure>,
    pub(crate) to: Vec<Target>,
}

pub(crate) enum Source {
    Input { name: Ident, ty: Option<Box<Type>> },
    Event(Port),
}

pub(crate) struct Target {
    pub(crate) kind: TargetKind,
    /// All of it, as written.
    pub(crate) tokens: TokenStream,
}

pub(crate) enum TargetKind {
    Slot { port: Port, feedback: bool, bound: Option<u32> },
    Output { name: Ident, ty: Option<Type> },
    Return { ty: Option<Type> },
}

/// `routine.port`, `routine.join.parameter`, `routine.slot.error`
#[derive(Clone)]
pub(crate) struct Port {
    pub(crate) routine: Ident,
    /// One name, or two.
    pub(crate) names: Vec<Ident>,
    pub(crate) tokens: TokenStream,
}

impl Port {
    /// The name without the routine: `line`, `line.error`.
    pub(crate) fn name(&self) -> String {
        self.names.iter().map(plain).collect::<Vec<_>>().join(".")
    }

    /// The tokens of the name.
    pub(crate) fn name_tokens(&self) -> TokenStream {
        self.tokens.clone().into_iter().skip(2).collect()
    }
}

pub(super) fn connection(tokens: &[TokenTree]) -> syn::Result<Connect> {
    let mut parts = branches(tokens).into_iter();
    let main = parts.next().unwrap_or_default();
    let Some(&first) = arrows(main).first() else { return Err(not_a_statement(main)) };
    let (from, guard) = source(&main[..first.at], first.tokens(main))?;
    let then = branch(&main[first.at..])?;
    let otherwise = match parts.next() {
        None => None,
        Some(part) if guard.is_none() => return Err(else_without_guard(&part[0])),
        Some(part) => Some(branch(&part[1..])?),
    };
    match parts.next() {
        None => Ok(Connect { from, guard, then, otherwise }),
        Some(part) => Err(second_else(&part[0])),
    }
}

/// `else -> targets` as a statement of its own: that of the guard before it.
pub(super) fn otherwise(tokens: &[TokenTree]) -> syn::Result<Branch> {
    match arrow_at(tokens, 1) {
        Some(_) => match branches(tokens).get(1) {
            None => branch(&tokens[1..]),
            Some(part) => Err(second_else(&part[0])),
        },
        None => Err(else_without_arrow(&tokens[0], tokens.get(1))),
    }
}

pub(super) fn else_without_arrow(word: &TokenTree, next: Option<&TokenTree>) -> syn::Error {
    match next {
        Some(next) if is_word(Some(next), "if") => error(
            Code::ElseShape,
            next,
            "an `else` has no guard",
            "write another connection with a guard of its own: `id.event if |e| condition -> id.slot;`",
        ),
        _ => error(Code::ElseShape, word, "an `else` goes on with an arrow", "write `else -> id.slot`"),
    }
}

pub(super) fn else_without_guard(word: &TokenTree) -> syn::Error {
    error(
        Code::ElseWithoutGuard,
        word,
        "this `else` belongs to no guard",
        "write `id.event if |e| condition -> id.slot; else -> id.slot;`",
    )
}

pub(super) fn second_else(word: &TokenTree) -> syn::Error {
    error(
        Code::ElseShape,
        word,
        "a guard has one `else`",
        "name all the targets at once: `else -> id.slot, id.slot;`",
    )
}

/// What begins with an arrow.
fn branch(tokens: &[TokenTree]) -> syn::Result<Branch> {
    let arrows = arrows(tokens);
    let arrow_tokens = all(&tokens[..2]);
    let converts = arrow_at(tokens, 0).is_some_and(|arrow| arrow.converts);
    let end = arrows.get(1).map_or(tokens.len(), |arrow| arrow.at);
    let first = &tokens[2..end];
    if !begins_closure(first) {
        if let (Some(_), true) = (arrows.get(1), is_path(first)) {
            let help = format!("write `-> |e| {}(e) -> id.slot`", source_text::of(all(first)));
            return Err(error(Code::MapShape, all(first), "a map is a closure", help));
        }
        if let (Some(_), Some(error)) = (arrows.get(1), advice::expression(first)) {
            return Err(error);
        }
        let to = targets(first, &arrow_tokens)?;
        return match arrows.get(1) {
            None => Ok(Branch { converts, map: None, to }),
            Some(next) => Err(chained(*next, tokens, first)),
        };
    }
    let map = closure::whole(first, Use::Map)?;
    let Some(&to_targets) = arrows.get(1) else {
        let help = format!("write where it goes: `-> {} -> id.slot`", map.text);
        return Err(error(Code::MapShape, &map, "this map leads nowhere", help));
    };
    let converting = if converts { Some(arrow_tokens.clone()) } else { None }
        .or_else(|| to_targets.converts.then(|| to_targets.tokens(tokens)));
    if let Some(arrow) = converting {
        let help = "write `->`, and convert in the map";
        return Err(error(
            Code::MapShape,
            arrow,
            "`=>` converts, and so does a map: a connection has one of the two",
            help,
        ));
    }
    let end = arrows.get(2).map_or(tokens.len(), |arrow| arrow.at);
    let rest = &tokens[to_targets.at + 2..end];
    if begins_closure(rest) {
        let help = "put both into one closure, or a routine between them";
        return Err(error(Code::MapShape, all(rest), "a connection has one map", help));
    }
    let to = targets(rest, &to_targets.tokens(tokens))?;
    match arrows.get(2) {
        None => Ok(Branch { converts, map: Some(map), to }),
        Some(next) => Err(chained(*next, tokens, rest)),
    }
}

/// `to_upper`, `String::from`: a function, where a closure belongs.
fn is_path(tokens: &[TokenTree]) -> bool {
    !tokens.is_empty()
        && !is_word(tokens.first(), "return")
        && tokens.iter().enumerate().all(|(at, token)| match token {
            TokenTree::Ident(_) => at % 3 == 0,
            token => at % 3 != 0 && is_sign(Some(token), ':'),
        })
}

/// `a.b -> c.d -> e.f`, and `a.b -> c.d, |e| e.x -> e.f`.
fn chained(next: Arrow, tokens: &[TokenTree], before: &[TokenTree]) -> syn::Error {
    let before = source_text::of(all(before));
    error(
        Code::Statement,
        next.tokens(tokens),
        "a connection ends at its targets, and here it goes on",
        format!(
            "write `;` after `{before}`, and a connection of its own; a map stands before the targets: `-> |e| value -> {before}`"
        ),
    )
}

fn source(tokens: &[TokenTree], arrow: TokenStream) -> syn::Result<(Source, Option<Closure>)> {
    let condition = tokens.iter().position(|token| is_word(Some(token), "if"));
    let (begin, guard) = match condition {
        None => (tokens, None),
        Some(at) => match &tokens[at + 1..] {
            [] => {
                let help = "write `id.event if |e| condition -> id.slot;`";
                return Err(error(Code::GuardShape, &tokens[at], "the guard is missing here", help));
            }
            guard => (&tokens[..at], Some(closure::whole(guard, Use::Guard)?)),
        },
    };
    if let [.., dash] = begin
        && (is_sign(Some(dash), '-') || is_sign(Some(dash), '='))
    {
        let written = [all(std::slice::from_ref(dash)), arrow].into_iter().collect::<TokenStream>();
        return Err(error(Code::Arrow, written, "this is no arrow", "write `->`"));
    }
    let events = split_at_commas(begin);
    if !is_word(begin.first(), "in") && events.len() > 1 {
        // A comma too many at the end is no second event.
        let named: Vec<_> = events.iter().filter(|event| !event.is_empty()).collect();
        let help = match named.as_slice() {
            [one] => format!("leave the comma out: `{} -> ..;`", source_text::of(all(one))),
            _ => {
                let each = named.iter().map(|event| format!("{} -> ..;", source_text::of(all(event))));
                format!("write a statement for each: `{}`", each.collect::<Vec<_>>().join(" "))
            }
        };
        return Err(error(Code::Statement, all(begin), "a connection begins at one event", help));
    }
    let from = match begin {
        [TokenTree::Ident(word), rest @ ..] if word == "in" => input(begin, rest)?,
        _ if let Some(error) = advice::beginning(begin) => return Err(error),
        _ => Source::Event(port(begin, &arrow, "event")?),
    };
    Ok((from, guard))
}

fn input(tokens: &[TokenTree], rest: &[TokenTree]) -> syn::Result<Source> {
    match rest {
        [TokenTree::Ident(name)] => Ok(Source::Input { name: name.clone(), ty: None }),
        [TokenTree::Ident(name), colon, ty @ ..] if is_sign(Some(colon), ':') => {
            Ok(Source::Input { name: name.clone(), ty: Some(Box::new(written_type(ty, colon, "input")?)) })
        }
        _ => Err(error(
            Code::Statement,
            all(tokens),
            "an input is `in` and a name",
            "write `in name -> id.slot;`",
        )),
    }
}

fn written_type(tokens: &[TokenTree], colon: &TokenTree, what: &str) -> syn::Result<Type> {
    if tokens.is_empty() {
        let help = "write it after the `:`, or leave the `:` out";
        return Err(error(Code::TypeShape, colon, format!("the type of this {what} is missing"), help));
    }
    syn::parse2(all(tokens))
        .map_err(|_| error(Code::TypeShape, all(tokens), "this is no type", "write `name: Type`"))
}

fn targets(tokens: &[TokenTree], arrow: &TokenStream) -> syn::Result<Vec<Target>> {
    split_at_commas(tokens).into_iter().map(|part| target(part, arrow)).collect()
}

/// The targets of a policy: where what failed goes on to.
pub(super) fn failure_targets(tokens: &[TokenTree], arrow: &TokenStream) -> syn::Result<Vec<Target>> {
    if begins_closure(tokens) {
        return Err(error(
            Code::FailureAsItIs,
            all(tokens),
            "a failure goes on as it is",
            "map it in a handler; or connect the error event, which may have a map: `id.slot.error -> |e| value -> id.slot;`",
        ));
    }
    let targets = targets(tokens, arrow)?;
    match targets.iter().find(|target| matches!(target.kind, TargetKind::Return { .. })) {
        None => Ok(targets),
        Some(target) => Err(error(
            Code::Statement,
            &target.tokens,
            "a failure is not the result of a job",
            "send it to a slot or to an `out`",
        )),
    }
}

fn target(tokens: &[TokenTree], arrow: &TokenStream) -> syn::Result<Target> {
    let kind = match tokens {
        [TokenTree::Ident(word), TokenTree::Ident(name), rest @ ..] if word == "out" => {
            TargetKind::Output { name: name.clone(), ty: optional_type(rest, "output")? }
        }
        [TokenTree::Ident(word), rest @ ..] if word == "return" && !is_sign(rest.first(), '.') => {
            if let [TokenTree::Ident(value)] = rest {
                let message = "`return` has no value: what goes there is the result";
                return Err(error(Code::Statement, value, message, "write `return`"));
            }
            TargetKind::Return { ty: optional_type(rest, "result")? }
        }
        [TokenTree::Ident(word), rest @ ..] if word == "loop" => {
            let (bound, rest) = match rest {
                [TokenTree::Group(bound), rest @ ..] if bound.delimiter() == Delimiter::Parenthesis => {
                    (Some(self::bound(bound)?), rest)
                }
                [TokenTree::Literal(number), ..] => {
                    let help = format!("write `loop({number}) id.slot`");
                    return Err(error(
                        Code::LoopBound,
                        number,
                        "the bound of a loop stands in parentheses",
                        help,
                    ));
                }
                _ => (None, rest),
            };
            if matches!(rest, [TokenTree::Ident(word), ..] if word == "out" || word == "return") {
                return Err(error(
                    Code::LoopTarget,
                    all(tokens),
                    "feedback goes to a slot",
                    "write `-> loop id.slot`",
                ));
            }
            TargetKind::Slot { port: port(rest, &tokens[0], "slot")?, feedback: true, bound }
        }
        _ if let Some(error) = advice::end(tokens) => return Err(error),
        _ => TargetKind::Slot { port: port(tokens, arrow, "slot")?, feedback: false, bound: None },
    };
    Ok(Target { kind, tokens: all(tokens) })
}

/// `: Type`, or nothing.
fn optional_type(tokens: &[TokenTree], what: &str) -> syn::Result<Option<Type>> {
    match tokens {
        [] => Ok(None),
        [colon, ty @ ..] if is_sign(Some(colon), ':') => written_type(ty, colon, what).map(Some),
        rest => advice::follows(rest).map_or(Ok(None), Err),
    }
}

pub(super) fn is_negative(number: TokenStream) -> bool {
    is_sign(number.into_iter().next().as_ref(), '-')
}

fn bound(group: &proc_macro2::Group) -> syn::Result<u32> {
    let number = syn::parse2::<LitInt>(group.stream()).ok().filter(|number| number.suffix().is_empty());
    match number.map(|number| number.base10_parse::<u32>()) {
        Some(Ok(0)) => Err(error(
            Code::LoopBound,
            group,
            "a loop that is gone no times is no connection",
            "write how often at most, `loop(3)`, or remove it",
        )),
        Some(Ok(bound)) => Ok(bound),
        Some(Err(_)) if is_negative(group.stream()) => Err(error(
            Code::LoopBound,
            group,
            "the bound of a loop is not negative",
            "write how often at most, `loop(3)`; without a bound write `loop`",
        )),
        Some(Err(_)) => Err(error(
            Code::LoopBound,
            group,
            format!("the bound of a loop is at most {}", u32::MAX),
            "without a bound write `loop`",
        )),
        None => Err(error(
            Code::LoopBound,
            group,
            "the bound of a loop is a number",
            "write how often a job may go this way at most: `loop(3)`; without a bound write `loop`",
        )),
    }
}

pub(super) fn port(tokens: &[TokenTree], beside: impl ToTokens, what: &str) -> syn::Result<Port> {
    let shape = format!("write `routine.{what}`");
    match tokens {
        [] => return Err(error(Code::MissingEnd, beside, format!("the {what} is missing here"), shape)),
        [TokenTree::Ident(word), next, ..]
            if (word == "in" || word == "out") && !is_sign(Some(next), '.') =>
        {
            return Err(misplaced(word, tokens));
        }
        [TokenTree::Ident(word)] if word == "in" || word == "out" => return Err(misplaced(word, tokens)),
        [TokenTree::Ident(routine)] => {
            return Err(error(
                Code::PortShape,
                routine,
                format!("`{routine}` names no {what}"),
                match what {
                    "slot" => format!(
                        "write `{routine}.slot`, with the name of the slot; an output of the flow is `out {routine}`"
                    ),
                    _ => format!("write `{routine}.{what}`, with the name of the {what}"),
                },
            ));
        }
        _ => {}
    }
    let (path, rest) = dotted(tokens);
    match (path.as_slice(), rest.first()) {
        ([routine, names @ ..], None) if names.len() == 1 || names.len() == 2 => Ok(Port {
            routine: (*routine).clone(),
            names: names.iter().map(|name| (*name).clone()).collect(),
            tokens: all(tokens),
        }),
        ([_, _, ..], Some(extra)) if !is_sign(Some(extra), '.') => {
            let port = &tokens[..tokens.len() - rest.len()];
            let extra = advice::called(port, rest).or_else(|| advice::follows(rest));
            Err(extra
                .unwrap_or_else(|| error(Code::PortShape, all(tokens), format!("this is no {what}"), shape)))
        }
        ([_, _, _, _, ..], None) => Err(error(
            Code::PortShape,
            all(tokens),
            format!("`routine.{what}` names the {what}, and more follows"),
            "a port has a name or two: `id.slot`, `id.join.parameter`, `id.slot.error`; what is inside another flow is its own",
        )),
        _ => Err(error(Code::PortShape, all(tokens), format!("this is no {what}"), shape)),
    }
}

fn misplaced(word: &Ident, tokens: &[TokenTree]) -> syn::Error {
    error(
        Code::PortShape,
        all(tokens),
        format!("`{word}` cannot stand here"),
        "inputs begin a connection and outputs end it: `in name -> id.slot;`, `id.event -> out name;`",
    )
}

/// The names with dots between that `tokens` begin with, and what follows.
pub(super) fn dotted(tokens: &[TokenTree]) -> (Vec<&Ident>, &[TokenTree]) {
    let mut names = Vec::new();
    let mut rest = tokens;
    while let [TokenTree::Ident(name), after @ ..] = rest {
        names.push(name);
        rest = after;
        match after {
            [dot, next @ ..]
                if is_sign(Some(dot), '.') && matches!(next.first(), Some(TokenTree::Ident(_))) =>
            {
                rest = next;
            }
            _ => break,
        }
    }
    (names, rest)
}

fn not_a_statement(tokens: &[TokenTree]) -> syn::Error {
    match tokens {
        [TokenTree::Ident(_), TokenTree::Punct(dot), ..] if dot.as_char() == '.' => error(
            Code::Arrow,
            all(tokens),
            "this connection leads nowhere: it has no `->`",
            "write `id.event -> id.slot;`",
        ),
        [TokenTree::Ident(word), TokenTree::Ident(name), ..] if word == "in" => error(
            Code::Arrow,
            all(tokens),
            "this input leads nowhere: it has no `->`",
            format!("write `in {name} -> id.slot;`"),
        ),
        _ => advice::statement(tokens).unwrap_or_else(|| {
            error(Code::Statement, all(tokens), "this is no statement of a flow", super::parse::STATEMENTS)
        }),
    }
}
