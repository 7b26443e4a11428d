//! What was probably meant where a statement cannot be read: words that are nearly those of a flow, and parts in the wrong order.

use super::connect::else_without_arrow;
use super::parse::is_named;
use super::pieces::{all, is_sign, is_word};
use super::source_text;
use crate::diagnostic::error;
use proc_macro2::{Delimiter, TokenTree};
use routilux_graph::{Code, did_you_mean};

/// What follows where a statement, or a part of it, is at its end.
pub(super) fn follows(rest: &[TokenTree]) -> Option<syn::Error> {
    let extra = rest.first()?;
    Some(match extra {
        word if is_word(Some(word), "else") => else_without_arrow(word, rest.get(1)),
        word if is_word(Some(word), "if") => error(
            Code::GuardShape,
            all(rest),
            "a guard stands before the arrow",
            "write `id.event if |e| condition -> id.slot;`",
        ),
        word if ["when", "where", "unless"].iter().any(|known| is_word(Some(word), known)) => error(
            Code::GuardShape,
            word,
            "a guard begins with `if`",
            "write `id.event if |e| condition -> id.slot;`",
        ),
        sign if is_sign(Some(sign), '&') || is_sign(Some(sign), '+') || is_word(Some(sign), "and") => error(
            Code::Statement,
            sign,
            "several targets have a comma between them",
            "write `-> id.slot, out name`",
        ),
        _ => error(Code::MissingSemicolon, extra, "a statement ends before this", "write `;` before it"),
    })
}

/// `r.e()`: a port is not called.
pub(super) fn called(port: &[TokenTree], rest: &[TokenTree]) -> Option<syn::Error> {
    let parentheses = rest.first().filter(
        |token| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis),
    )?;
    let help = format!("write `{}`", source_text::of(all(port)));
    Some(error(Code::PortShape, parentheses, "a port is named, and not called", help))
}

/// `ot name`, `lop id.slot`, `retrun`: what a connection would end at but for a letter.
pub(super) fn end(tokens: &[TokenTree]) -> Option<syn::Error> {
    let [TokenTree::Ident(word), rest @ ..] = tokens else { return None };
    let known: &[&str] = match rest {
        [] => &["return"],
        [TokenTree::Ident(_), ..] => &["out", "loop"],
        [TokenTree::Group(_), TokenTree::Ident(_), ..] => &["loop"],
        [colon, ..] if is_sign(Some(colon), ':') => &["return"],
        _ => return None,
    };
    let near = did_you_mean(&word.to_string(), known.iter().copied())?;
    let what = match near {
        "return" => format!("`{word}` names no slot"),
        _ => format!("`{word}` is no word of a flow"),
    };
    Some(error(Code::PortShape, word, what, format!("did you mean `{near}`?")))
}

/// `inn name`: what a connection would begin at but for a letter.
pub(super) fn beginning(tokens: &[TokenTree]) -> Option<syn::Error> {
    let [TokenTree::Ident(word), TokenTree::Ident(_), ..] = tokens else { return None };
    let near = did_you_mean(&word.to_string(), ["in"])?;
    Some(error(
        Code::PortShape,
        word,
        format!("`{word}` is no word of a flow"),
        format!("did you mean `{near}`?"),
    ))
}

/// `ignor r.e`: what a statement would begin with but for a letter; `id = Type` and `id Type`, where a `:` belongs.
pub(super) fn statement(tokens: &[TokenTree]) -> Option<syn::Error> {
    let declared = match tokens {
        [TokenTree::Ident(_), equals, rest @ ..] if is_sign(Some(equals), '=') => Some(rest),
        [_, rest @ ..] if is_named(tokens) => Some(rest),
        _ => None,
    };
    if let (Some(rest), Some(TokenTree::Ident(id))) = (declared, tokens.first()) {
        let written = source_text::of(all(rest));
        let help = format!("write `{id}: {written};`");
        return Some(error(
            Code::RoutineShape,
            all(tokens),
            format!("between `{id}` and its type stands a `:`"),
            help,
        ));
    }
    let [TokenTree::Ident(word), TokenTree::Ident(_), ..] = tokens else { return None };
    let near = did_you_mean(&word.to_string(), ["ignore", "on"])?;
    Some(error(
        Code::Statement,
        word,
        format!("no statement begins with `{word}`"),
        format!("did you mean `{near}`?"),
    ))
}

/// `n + 1`, between two arrows: an expression, where a closure belongs.
pub(super) fn expression(tokens: &[TokenTree]) -> Option<syn::Error> {
    let is_operator = |token: &TokenTree| match token {
        TokenTree::Punct(punct) => "+-*/%&^!?".contains(punct.as_char()),
        TokenTree::Literal(_) | TokenTree::Group(_) => true,
        TokenTree::Ident(_) => false,
    };
    let has_words = tokens
        .iter()
        .any(|token| ["if", "else", "loop", "out"].iter().any(|word| is_word(Some(token), word)));
    if has_words || !tokens.iter().any(is_operator) {
        return None;
    }
    let payload = tokens.iter().find_map(|token| match token {
        TokenTree::Ident(name) => Some(name.to_string()),
        _ => None,
    });
    let payload = payload.unwrap_or_else(|| "_".to_owned());
    let written = source_text::of(all(tokens));
    let help = format!("write `-> |{payload}| {written} -> id.slot`");
    Some(error(Code::MapShape, all(tokens), "a map is a closure", help))
}
