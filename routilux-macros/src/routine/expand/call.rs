//! How a handler is called with what it takes, and what is done with what it returns.

use super::Routine;
use crate::diagnostic::{at, standing_at};
use crate::routine::model::{Each, Emits, Event, Handler, Pass, Returns};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;

impl Routine<'_> {
    /// The expression that calls the handler with the parts of its payload and gives `Result<(), HandlerError>`.
    pub(super) fn run(&self, handler: &Handler, given: &[TokenStream], events: &[Event]) -> TokenStream {
        let p = self.p;
        let name = &handler.name;
        let waits = handler.waits.is_some();
        let mut_emit = waits.then(|| quote! { &mut });
        let reference = waits.then(|| quote! { & });
        let out = handler.takes_out.then(|| quote! { , #mut_emit emit });
        let cx = handler.takes_cx.then(|| quote! { , #reference cx });
        let awaited = waits.then(|| quote! { .await });
        let call = quote! { Self::#name(#reference this #(, #given)* #out #cx) #awaited };
        let ok = quote! { ::core::result::Result::Ok(()) };
        match &handler.returns {
            Returns::Nothing => quote! {{ #call; #ok }},
            Returns::Checked(ty) => {
                let handled = at(ty.span(), quote! { #p::Handled::handled });
                let call = standing_at(ty.span(), call);
                quote! { #handled(#call) }
            }
            Returns::More { ty, fails } => {
                let more = Ident::new("__more", Span::mixed_site());
                let go_on = quote! { #p::Outgoing::outbox(emit).go_on(#more); };
                self.used(ty.span(), call, &more, go_on, *fails)
            }
            Returns::Emits(Emits { event, ty, each, fails }) => {
                let value = Ident::new("__value", Span::mixed_site());
                let place = ty.as_ref().map_or(name.span(), Spanned::span);
                let emit = self.emit_value(&events[*event], &value, place);
                let emit = match each {
                    Each::One => emit,
                    Each::Maybe => quote! {
                        if let ::core::option::Option::Some(#value) = #value {
                            #emit
                        }
                    },
                    Each::All => quote! { for #value in #value { #emit } },
                };
                self.used(place, call, &value, emit, *fails)
            }
        }
    }

    /// Uses the value that the call gives, or that its `Result` has. What does not fit is told at `place`, where the
    /// type that is returned is written.
    fn used(
        &self,
        place: Span,
        call: TokenStream,
        value: &Ident,
        used: TokenStream,
        fails: bool,
    ) -> TokenStream {
        let p = self.p;
        let error = Ident::new("__error", Span::mixed_site());
        let failed = at(place, quote! { #p::Fails::failed });
        let run = match fails {
            false => quote! {{
                let #value = #call;
                #used
                ::core::result::Result::Ok(())
            }},
            true => quote! {
                match #call {
                    ::core::result::Result::Ok(#value) => {
                        #used
                        ::core::result::Result::Ok(())
                    }
                    ::core::result::Result::Err(#error) => ::core::result::Result::Err(#failed(#error)),
                }
            },
        };
        standing_at(place, run)
    }

    /// The statement that emits a value as this event.
    fn emit_value(&self, event: &Event, value: &Ident, place: Span) -> TokenStream {
        let p = self.p;
        let (name, payload) = (&event.name, event.payload());
        let payload = at(place, quote! { #p::EmittedAs::<#payload>::emitted });
        let parts = parts(event.params.len());
        match parts.as_slice() {
            [_] => quote! { emit.#name(#payload(#value)); },
            several => quote! {{
                let (#(#several),*) = #payload(#value);
                emit.#name(#(#several),*);
            }},
        }
    }
}

/// Names for the parts of a tuple.
pub(super) fn parts(count: usize) -> Vec<Ident> {
    (0..count).map(|number| Ident::new(&format!("__part{number}"), Span::mixed_site())).collect()
}

/// Takes one arrival apart: the statement that does, and its parts as the handler takes them.
pub(super) fn taken_apart(handler: &Handler, arrival: &Ident) -> (TokenStream, Vec<TokenStream>) {
    let parts = parts(handler.payload.len());
    match parts.as_slice() {
        [] => (quote! { let () = #arrival; }, Vec::new()),
        [_] => (TokenStream::new(), vec![quote! { #arrival }]),
        several => {
            let given = given(handler, several);
            (quote! { let (#(#several),*) = #arrival; }, given)
        }
    }
}

/// The parts as the handler takes them: they are owned unless it takes all of them by reference.
pub(super) fn given(handler: &Handler, parts: &[Ident]) -> Vec<TokenStream> {
    let lent = handler.is_lent();
    let given = parts.iter().zip(&handler.payload).map(|(part, param)| match (lent, param.pass) {
        (false, Pass::Reference) => quote! { &#part },
        _ => quote! { #part },
    });
    given.collect()
}
