//! `#[routine]`: on a struct, its fields by kind; on an `impl` block, its ports and handlers.

mod args;
mod bounds;
mod check;
mod document;
mod duration;
mod event;
mod expand;
mod fields;
mod fold;
mod handler;
mod model;
mod options;
mod parse;
mod returns;
mod signature;
mod types;
pub(crate) mod unmarked;

use crate::diagnostic::{Diagnostics, coded, error};
use crate::editor;
pub(crate) use duration::millis;
pub(crate) use expand::TABLE;
pub(crate) use expand::answering_macro;
pub(crate) use expand::event_variant;
pub(crate) use model::plain;

use args::Args;
use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use routilux_graph::Code;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, GenericArgument, PathArguments, Token, Type, Visibility};

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let is_about_the_crate =
        matches!(args.clone().into_iter().next(), Some(TokenTree::Ident(word)) if word == "crate");
    let (args, error) = match Args::parse(args) {
        Ok(args) => (args, None),
        // Where the crate is cannot be known then.
        Err(error) if is_about_the_crate => return with_item(error, item),
        Err(error) => (Args::default(), Some(error.to_compile_error())),
    };
    let expanded = expand_item(&args, item);
    quote! { #expanded #error }
}

fn expand_item(args: &Args, item: TokenStream) -> TokenStream {
    match kind.parse2(item.clone()) {
        Ok(Kind::Struct) => fields::expand(args, item),
        Ok(Kind::Impl) => expand_impl(args, item),
        Ok(Kind::Other) | Err(_) => {
            let help = "a routine is a struct with its configuration and state, and one `impl` block with its events and slots";
            with_item(
                error(
                    Code::RoutinePlace,
                    &item,
                    "`#[routine]` goes on a struct or on its `impl` block",
                    help,
                ),
                item,
            )
        }
    }
}

/// What the compiler itself reads, and the parser does not.
fn unreadable(error: syn::Error, item: &TokenStream) -> syn::Error {
    let help = "if it is new syntax, put it into an item of its own";
    coded(Code::RoutinePlace, error, item, "`#[routine]` cannot read this", help)
}

/// The item as it was, so that who uses it sees no error of ours, and the error.
fn with_item(error: syn::Error, item: TokenStream) -> TokenStream {
    let error = error.to_compile_error();
    quote! { #item #error }
}

enum Kind {
    Struct,
    Impl,
    Other,
}

fn kind(input: ParseStream<'_>) -> syn::Result<Kind> {
    Attribute::parse_outer(input)?;
    input.parse::<Visibility>()?;
    let kind = match () {
        () if input.peek(Token![struct]) => Kind::Struct,
        () if input.peek(Token![impl]) || input.peek(Token![unsafe]) => Kind::Impl,
        () => Kind::Other,
    };
    input.parse::<TokenStream>()?;
    Ok(kind)
}

/// Whether the `impl` is one of a struct with lifetimes.
fn borrows(parsed: &parse::Impl) -> bool {
    let is_lifetime = |argument: &GenericArgument| matches!(argument, GenericArgument::Lifetime(_));
    let of_type = match &parsed.self_type {
        Type::Path(ty) => ty.path.segments.last().is_some_and(|last| match &last.arguments {
            PathArguments::AngleBracketed(given) => given.args.iter().any(is_lifetime),
            _ => false,
        }),
        _ => false,
    };
    of_type || parsed.generics.lifetimes().next().is_some()
}

fn expand_impl(args: &Args, item: TokenStream) -> TokenStream {
    let parsed = match parse::parse(item.clone()) {
        Ok(parsed) => parsed,
        // Not the item too: its marks would be looked for.
        Err(error) => {
            let table = expand::table_of_unread(&item);
            let error = unreadable(error, &item).to_compile_error();
            return quote! { #table #error };
        }
    };
    let mut diagnostics = Diagnostics::default();
    let is_unbounded = bounds::unbounded(&parsed.generics, &mut diagnostics);
    let model = model::build(&parsed, &mut diagnostics);
    check::check(&model, &mut diagnostics);
    // The handlers would name an outbox that there is not.
    if borrows(&parsed) {
        // That is told at the struct, and more may follow from it.
        return expand::macro_only(args, &parsed, &model, true);
    }
    if is_unbounded {
        let table = expand::macro_only(args, &parsed, &model, false);
        let errors = diagnostics.into_tokens();
        return quote! { #table #errors };
    }
    let user = expand::users_impl(&parsed);
    let editor = editor::asks().then(|| expand::editor(args, &parsed, &model));
    match diagnostics.split() {
        (None, _) => {
            let mut generated = expand::expand(args, &parsed, &model);
            if editor.is_some() {
                generated = editor::unplaced(generated, item);
            }
            quote! { #user #generated #editor }
        }
        (Some(first), others) => {
            // The port table as far as it was understood: a flow that uses the routine has no errors of its own.
            let stub = expand::stub(args, &parsed, &model, &first);
            quote! { #user #stub #editor #others }
        }
    }
}
