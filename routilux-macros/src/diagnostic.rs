//! Errors and warnings for the person at the keyboard: all of them at once, in the order of the lines they are
//! on, each once.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use routilux_graph::Code;

/// The errors found so far.
#[derive(Default)]
pub(crate) struct Diagnostics {
    errors: Vec<syn::Error>,
}

impl Diagnostics {
    /// Underlines `tokens`, all of them.
    pub(crate) fn error(
        &mut self,
        code: Code,
        tokens: impl ToTokens,
        message: impl Into<String>,
        help: impl AsRef<str>,
    ) {
        self.add(error(code, tokens, message, help));
    }

    pub(crate) fn add(&mut self, error: syn::Error) {
        let is_same = |known: &syn::Error| {
            place(known.span()) == place(error.span()) && known.to_string() == error.to_string()
        };
        if !self.errors.iter().any(is_same) {
            self.errors.push(error);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// The first of the errors, and the others. The first is told as a value, which the compiler knows to be wrong then: what has it
    /// in its type is no error again. Nothing, and nothing, where there are none.
    pub(crate) fn split(mut self) -> (Option<TokenStream>, TokenStream) {
        self.errors.sort_by_key(|error| place(error.span()));
        let mut errors = self.errors.iter().map(syn::Error::to_compile_error);
        (errors.next().map(|first| quote! { (#first) }), errors.collect())
    }

    pub(crate) fn into_tokens(mut self) -> TokenStream {
        self.errors.sort_by_key(|error| place(error.span()));
        self.errors.iter().map(syn::Error::to_compile_error).collect()
    }
}

/// One error on `tokens`: what is wrong, below it how to mend it, and the code of its page at the end.
pub(crate) fn error(
    code: Code,
    tokens: impl ToTokens,
    message: impl Into<String>,
    help: impl AsRef<str>,
) -> syn::Error {
    let message = format!("{}\nhelp: {} [{code}]", message.into(), help.as_ref());
    let tokens = tokens.to_token_stream();
    match tokens.is_empty() {
        true => syn::Error::new(Span::call_site(), message),
        false => syn::Error::new_spanned(tokens, message),
    }
}

/// An error of a parser that was given `tokens`, which knows neither our codes nor what to do: where it is none of ours, it is put
/// into our words. What is missing at the end is told at the last token, of ours too.
pub(crate) fn coded(
    code: Code,
    problem: syn::Error,
    tokens: &TokenStream,
    what: &str,
    help: &str,
) -> syn::Error {
    let text = problem.to_string();
    // What is missing at the end has the place of the macro as a whole.
    let is_nowhere = format!("{:?}", problem.span()) == format!("{:?}", Span::call_site());
    let place = match tokens.clone().into_iter().last() {
        Some(last) if is_nowhere => last.span(),
        _ => problem.span(),
    };
    match text.contains("[RTX") {
        true if is_nowhere => syn::Error::new(place, text),
        true => problem,
        false => error(code, OneSpan(place), format!("{what}: {text}"), help),
    }
}

/// Stands for a place, where there is no token.
pub(crate) struct OneSpan(pub(crate) Span);

impl ToTokens for OneSpan {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        Ident::new("_place", self.0).to_tokens(tokens);
    }
}

/// A compiler warning on `token`: a deprecated constant of that name, used where the token stands.
pub(crate) fn warning(code: Code, token: &TokenTree, name: &str, message: &str, help: &str) -> TokenStream {
    let constant = Ident::new(name, token.span());
    let note = format!("{message}: {help} [{code}]");
    quote! {
        const _: () = {
            #[deprecated(note = #note)]
            #[allow(non_upper_case_globals)]
            const #constant: () = ();
            #constant
        };
    }
}

/// The same tokens, all of them the user's at `span`: an error about what they form stands there, with no word of the
/// macro. Not for tokens with a `$crate` among them, which would lose its meaning.
pub(crate) fn at(span: Span, tokens: TokenStream) -> TokenStream {
    let moved = tokens.into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            let mut moved = proc_macro2::Group::new(group.delimiter(), at(span, group.stream()));
            moved.set_span(span);
            TokenTree::Group(moved)
        }
        mut other => {
            other.set_span(span);
            other
        }
    });
    moved.collect()
}

/// The same tokens at the user's place `span`, with the meaning they have.
pub(crate) fn standing_at(span: Span, tokens: TokenStream) -> TokenStream {
    let moved = tokens.into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            let mut moved = proc_macro2::Group::new(group.delimiter(), standing_at(span, group.stream()));
            moved.set_span(group.span().located_at(span));
            TokenTree::Group(moved)
        }
        mut other => {
            other.set_span(other.span().located_at(span));
            other
        }
    });
    moved.collect()
}

/// Line and column, where they can be had.
pub(crate) fn place(span: Span) -> Option<(usize, usize)> {
    // Outside of a compiler, in a unit test say, there are no places.
    proc_macro::is_available().then(|| (span.unwrap().line(), span.unwrap().column()))
}
