//! `#[slot]` and its like where no `#[routine]` has taken them away: the `impl` block around them is not marked.

use crate::diagnostic::error;
use proc_macro2::{TokenStream, TokenTree};
use routilux_graph::Code;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Leaves the function out, which may have no body, and tells it of the first in a file: the others follow from the same mistake.
pub(crate) fn expand(mark: &str, function: TokenStream) -> TokenStream {
    static TOLD: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    let mut tokens = function.clone().into_iter().skip_while(|token| token.to_string() != "fn").skip(1);
    let name = tokens.next().filter(|token| matches!(token, TokenTree::Ident(_)));
    let place = name.map_or(function, TokenStream::from);
    if proc_macro::is_available()
        && let Some(token) = place.clone().into_iter().next()
    {
        let file = token.span().unwrap().file();
        let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.get_or_insert_default().insert(file) {
            return TokenStream::new();
        }
    }
    let message = format!("`#[{mark}]` belongs into an `impl` block that is marked with `#[routine]`");
    error(Code::ImplNotMarked, place, message, "write `#[routine]` before the `impl`").to_compile_error()
}
