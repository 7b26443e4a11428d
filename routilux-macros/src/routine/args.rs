//! The arguments of `#[routine(..)]`: where the crate is, if not at `::routilux`.

use crate::diagnostic::error;
use proc_macro2::TokenStream;
use quote::quote;
use routilux_graph::Code;
use syn::parse::{ParseStream, Parser};
use syn::{Path, Token};

pub(crate) struct Args {
    /// The module that generated code talks to.
    pub(crate) private: TokenStream,
}

impl Default for Args {
    fn default() -> Self {
        Args { private: quote!(::routilux::__private) }
    }
}

impl Args {
    pub(crate) fn parse(args: TokenStream) -> syn::Result<Self> {
        if args.is_empty() {
            return Ok(Args::default());
        }
        let parser = |input: ParseStream<'_>| {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            let path = input.call(Path::parse_mod_style)?;
            match input.is_empty() {
                true => Ok(path),
                false => Err(input.error("unexpected")),
            }
        };
        match parser.parse2(args.clone()) {
            Ok(path) => Ok(Args { private: quote!(#path::__private) }),
            Err(_) => Err(error(
                Code::RoutinePlace,
                args,
                "`#[routine]` takes no argument but `crate = path`",
                "fields are marked one by one, with `#[state]`, `#[resource]` or `#[transient]`",
            )),
        }
    }
}
