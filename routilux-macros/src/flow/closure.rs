//! The closures of a flow: guards, maps, and the conditions of policies.

use super::pieces::{all, begins_closure};
use super::source_text;
use crate::diagnostic::{OneSpan, error};
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use routilux_graph::Code;
use syn::ExprClosure;
use syn::parse::{ParseStream, Parser};

/// `|e| e.n > 3`, as it is written.
#[derive(Clone)]
pub(crate) struct Closure {
    pub(crate) expr: ExprClosure,
    pub(crate) text: String,
}

impl ToTokens for Closure {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.expr.to_tokens(tokens);
    }
}

/// What a closure is for.
#[derive(Clone, Copy)]
pub(super) enum Use {
    Guard,
    Map,
    Condition,
}

impl Use {
    fn name(self) -> &'static str {
        match self {
            Use::Guard => "a guard",
            Use::Map => "a map",
            Use::Condition => "the condition of a policy",
        }
    }

    fn code(self) -> Code {
        match self {
            Use::Guard => Code::GuardShape,
            Use::Map => Code::MapShape,
            Use::Condition => Code::PolicyShape,
        }
    }

    fn shape(self) -> &'static str {
        match self {
            Use::Guard => {
                "write `id.event if |e| condition -> id.slot;`, where `e` is the payload by reference"
            }
            Use::Map => "write `id.event -> |e| value -> id.slot;`, where `e` is the payload",
            Use::Condition => {
                "write `on error of id.slot if |e| condition skip;`, where `e` is the `&HandlerError`"
            }
        }
    }
}

/// A closure that is all of `tokens`, which are not empty.
pub(super) fn whole(tokens: &[TokenTree], what: Use) -> syn::Result<Closure> {
    let (closure, rest) = front(tokens, what)?;
    let Some(extra) = rest.first() else { return Ok(closure) };
    let comma = matches!(extra, TokenTree::Punct(punct) if punct.as_char() == ',');
    Err(match comma {
        true => error(
            Code::ClosureShape,
            extra,
            "a comma does not go on with a closure: at this level it separates targets",
            "put what belongs to the closure into parentheses or braces: `|e| (e.a, e.b)`, `|e| { .. }`",
        ),
        false => error(
            Code::ClosureShape,
            extra,
            "the closure ends before this",
            "put its body into braces: `|e| { .. }`",
        ),
    })
}

/// The closure that `tokens` begin with, and what follows it.
pub(super) fn front(tokens: &[TokenTree], what: Use) -> syn::Result<(Closure, Vec<TokenTree>)> {
    if !begins_closure(tokens) {
        let written = source_text::of(all(tokens));
        let help = match what {
            Use::Guard => format!("write `if |e| {written}`, where `e` is the payload by reference"),
            _ => what.shape().to_owned(),
        };
        return Err(error(what.code(), all(tokens), format!("{} is a closure", what.name()), help));
    }
    let parse = |input: ParseStream<'_>| Ok((input.parse::<ExprClosure>()?, input.parse::<TokenStream>()?));
    let (expr, rest) = parse.parse2(all(tokens)).map_err(|problem| unreadable(&problem, tokens))?;
    if let Some(asyncness) = &expr.asyncness {
        return Err(error(
            what.code(),
            asyncness,
            format!("{} is not `async`", what.name()),
            "wait in a handler",
        ));
    }
    if expr.inputs.len() != 1 {
        let (begin, end) = (&expr.inputs_begin, &expr.inputs_end);
        let inputs = &expr.inputs;
        let message = format!("{} takes one value", what.name());
        let help = match expr.inputs.is_empty() {
            true => what.shape().to_owned(),
            false => "take a tuple apart in parentheses: `|(a, b)|`".to_owned(),
        };
        return Err(error(what.code(), quote! { #begin #inputs #end }, message, help));
    }
    let rest: Vec<TokenTree> = rest.into_iter().collect();
    let text = source_text::of(all(&tokens[..tokens.len() - rest.len()]));
    Ok((Closure { expr, text }, rest))
}

/// The parser's own words, at the user's token: at the end of what it read there is none.
fn unreadable(problem: &syn::Error, tokens: &[TokenTree]) -> syn::Error {
    let text = problem.to_string();
    let help = "a closure is written as in Rust: `|e| e.n > 3`";
    let bar = |token: &&TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '|');
    match (text.strip_prefix("unexpected end of input, "), tokens.last()) {
        (_, Some(last)) if bar(&last) => {
            error(Code::ClosureShape, all(tokens), "this closure has no body", help)
        }
        (Some(expected), Some(last)) => {
            error(Code::ClosureShape, last, format!("the closure does not end with this: {expected}"), help)
        }
        _ => error(
            Code::ClosureShape,
            OneSpan(problem.span()),
            format!("this closure cannot be read: {text}"),
            help,
        ),
    }
}
