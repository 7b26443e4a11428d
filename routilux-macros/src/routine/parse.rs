//! The syntax of `#[routine] impl`: functions with and without a body. Bodies are not looked into: they are the
//! user's.

use crate::diagnostic::error;
use proc_macro2::{TokenStream, TokenTree};
use routilux_graph::Code;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Generics, ImplItem, Signature, Token, Type, Visibility, braced};

pub(crate) struct Impl {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) generics: Generics,
    pub(crate) self_type: Type,
    pub(crate) items: Vec<Item>,
}

pub(crate) enum Item {
    Function(Box<Function>),
    /// A constant, a macro call: passed on as it is.
    Other(TokenStream),
}

pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) signature: Signature,
    /// The block, braces included; `None` where a `;` stands.
    pub(crate) body: Option<TokenTree>,
}

pub(crate) fn parse(item: TokenStream) -> syn::Result<Impl> {
    syn::parse2(item)
}

impl Parse for Impl {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        if input.peek(Token![unsafe]) {
            let token: Token![unsafe] = input.parse()?;
            return Err(error(
                Code::RoutinePlace,
                token,
                "`#[routine]` goes on a plain `impl` block",
                "remove `unsafe`",
            ));
        }
        input.parse::<Token![impl]>()?;
        let mut generics: Generics = match input.peek(Token![<]) {
            true => input.parse()?,
            false => Generics::default(),
        };
        let self_type: Type = input.parse()?;
        if input.peek(Token![for]) {
            return Err(error(
                Code::RoutinePlace,
                &self_type,
                "`#[routine]` goes on the `impl` block of the routine itself, not of a trait",
                "put the events and slots in `impl YourRoutine { .. }` and leave the trait's block unmarked",
            ));
        }
        generics.where_clause = input.parse()?;
        let content;
        braced!(content in input);
        let mut items = Vec::new();
        while !content.is_empty() {
            items.push(content.parse()?);
        }
        Ok(Impl { attrs, generics, self_type, items })
    }
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ahead = input.fork();
        let attrs = ahead.call(Attribute::parse_outer)?;
        let vis: Visibility = ahead.parse()?;
        if let Ok(signature) = ahead.parse::<Signature>() {
            let body = match ahead.parse::<Option<Token![;]>>()? {
                Some(_) => None,
                None => Some(ahead.parse::<TokenTree>()?),
            };
            input.advance_to(&ahead);
            return Ok(Item::Function(Box::new(Function { attrs, vis, signature, body })));
        }
        let item: ImplItem = input.parse()?;
        Ok(Item::Other(quote::ToTokens::to_token_stream(&item)))
    }
}
