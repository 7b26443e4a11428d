//! How a value is sent to where connections end: fitted to what is taken, copied for several receivers, and on its way there
//! through the user's closures.

use super::super::model;
use super::ends::{Begin, End, Fit, Way};
use super::{Flow, local};
use crate::diagnostic::{at, standing_at};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use routilux_graph::Code;
use syn::spanned::Spanned;

impl Flow<'_> {
    /// Whether a connection runs code of the user's, or sends into a flow.
    pub(super) fn is_operated(&self, connection: usize) -> bool {
        let known = &self.model.graph.connections[connection];
        known.guard.is_some()
            || known.map.is_some()
            || known.converts
            || known.bound.is_some()
            || matches!(self.end(connection), End::In(..))
    }

    /// The statements that send `value` to the targets of the given connections, in their order. Where any of them is operated
    /// they are in a function that returns a `Result`.
    pub(super) fn sends(
        &self,
        connections: &[usize],
        begin: Begin,
        value: &Ident,
        post: &Ident,
        place: Span,
    ) -> TokenStream {
        match connections.iter().any(|connection| self.is_operated(*connection)) {
            true => self.operated(connections, begin, value, post, place),
            false => self.plain_sends(connections, begin, value, post, place),
        }
    }

    fn plain_sends(
        &self,
        connections: &[usize],
        begin: Begin,
        value: &Ident,
        post: &Ident,
        place: Span,
    ) -> TokenStream {
        let sent = self.sent(begin);
        let copies: Vec<Ident> = (1..connections.len()).map(|n| local(&format!("__copy{n}"))).collect();
        // All copies first: if the user's `Clone` panics, no receiver has the event.
        let (aliased, copy_of) = self.copy_of(&sent, place);
        let aliased = (!copies.is_empty()).then_some(aliased);
        let made = copies.iter().map(|copy| quote! { let #copy = #copy_of(&#value); });
        let values = copies.iter().chain([value]);
        let sent_on = connections.iter().zip(values).map(|(&connection, value)| {
            let fitted = self.fitted(connection, value.to_token_stream(), &sent);
            self.send(Way::Connection(connection), fitted, post)
        });
        quote! { #aliased #(#made)* #(#sent_on)* }
    }

    /// The statement that sends a value, which has the type that is taken.
    pub(super) fn send(&self, way: Way, value: TokenStream, post: &Ident) -> TokenStream {
        let p = self.p;
        let end = match way {
            Way::Connection(connection) => self.end(connection),
            Way::Policy(policy, target) => self.end_at(&self.model.graph.policies[policy].to[target]),
        };
        match end {
            End::Slot(slot) => {
                let delivery = self.delivery(slot, way, value);
                quote! { #post.send(#delivery); }
            }
            End::Param(slot, param) => {
                let (alias, number) = (self.routine_type(self.slots[slot].routine), self.slots[slot].number);
                let part = quote! { <#alias as #p::JoinParam<#param, #number>>::part(#value) };
                let delivery = self.delivery(slot, way, part);
                quote! { #post.send(#delivery); }
            }
            End::In(inner, input) => self.enter(inner, input, value, post),
            End::Output(output) => {
                let number = self.outputs.iter().position(|known| *known == output).unwrap_or_default();
                let field = format_ident!("o{number}");
                quote! { #post.outbound.#field.put(#value); }
            }
            End::Return => quote! { #post.outbound.result.give(#value); },
        }
    }

    /// The delivery of a payload over a way to its slot.
    fn delivery(&self, slot: usize, way: Way, payload: TokenStream) -> TokenStream {
        let p = self.p;
        let variant = format_ident!("S{slot}");
        let ways = self.ways_to(slot);
        let number = ways.iter().position(|known| *known == way).unwrap_or_default();
        let (number, of) = (number as u16, ways.len() as u16);
        let at = &self.slots[slot];
        match (at.gathers(), at.has_connection()) {
            (true, _) => quote! { __Delivery::#variant(#p::Arrival::of(#payload, #number, #of)) },
            (false, true) => quote! { __Delivery::#variant(#payload, #number) },
            (false, false) => quote! { __Delivery::#variant(#payload) },
        }
    }

    /// The value as the target of a connection takes it.
    pub(super) fn fitted(&self, connection: usize, value: TokenStream, sent: &TokenStream) -> TokenStream {
        let taken = self.taken(self.end(connection));
        let signature = |taken: TokenStream| quote! { fn fits(value: Self) -> #taken };
        self.fitting(&self.fit(connection), value, sent, &taken, signature)
    }

    /// The live outlet as one of what the event sends: a live event is put into its outlet where it is sent, so there the
    /// two ends have to be known to be the same.
    pub(super) fn fitted_outlet(
        &self,
        connection: usize,
        outlet: TokenStream,
        sent: &TokenStream,
        taken: &TokenStream,
    ) -> TokenStream {
        let p = self.p;
        let signature = |taken: TokenStream| {
            quote! { fn fits(value: &#p::LiveOutlet<#taken>) -> &#p::LiveOutlet<Self> }
        };
        self.fitting(&self.fit(connection), outlet, sent, taken, signature)
    }

    /// `signature` says, for the type that the target takes, what is fitted; it is the identity where `Self` is that type.
    /// Ends of different types have a trait of their own, for the message; every token of the call is the user's, so that
    /// the error is.
    pub(super) fn fitting(
        &self,
        fit: &Fit,
        value: TokenStream,
        sent: &TokenStream,
        taken: &TokenStream,
        signature: impl Fn(TokenStream) -> TokenStream,
    ) -> TokenStream {
        if !fit.differs() {
            return standing_at(fit.place, value);
        }
        let Fit { from, to, note, place, .. } = fit;
        let message = match &fit.converted {
            None => format!("{from} `{{Self}}`, but {to} `{{T}}` [{}]", Code::PayloadMismatch),
            Some(written) => format!(
                "{from} `{{Self}}`, but {to} `{{T}}`, which is made of it by `=>`: write `{written}` [{}]",
                Code::WriteConversion
            ),
        };
        let label = format!("{to} `{{T}}`");
        let (sent_alias, sent_name) = self.generics.alias("__Sent", *place, sent);
        let (taken_alias, taken_name) = self.generics.alias("__Taken", *place, taken);
        let fits = Ident::new("ConnectsTo", *place);
        let call = at(*place, quote! { <#sent_name as #fits<#taken_name>>::fits });
        let (of_any, of_same) = (signature(quote!(T)), signature(quote!(T)));
        quote! {
            {
                #[diagnostic::on_unimplemented(message = #message, label = #label, note = #note)]
                trait #fits<T>: ::core::marker::Sized { #of_any; }
                #[diagnostic::do_not_recommend]
                impl<T> #fits<T> for T {
                    #[inline(always)]
                    #of_same { value }
                }
                #sent_alias
                #taken_alias
                #call(#value)
            }
        }
    }

    /// The value converted into what the target takes; if there is no `From`, the error stands at the target.
    fn converting(&self, connection: usize, value: TokenStream, sent: &TokenStream) -> TokenStream {
        let Fit { from, to, place, .. } = self.fit(connection);
        let taken = self.taken(self.end(connection));
        let message = format!(
            "{from} `{{Self}}`, {to} `{{T}}`, and there is no conversion from the one to the other [{}]",
            Code::NoConversion
        );
        let label = format!("{to} `{{T}}`");
        let note = "`=>` converts with `From`: write `impl From<{Self}> for {T}`, or map it with a closure, `-> |e| .. ->`";
        let (sent_alias, sent_name) = self.generics.alias("__Sent", place, sent);
        let (taken_alias, taken_name) = self.generics.alias("__Taken", place, &taken);
        let converts = Ident::new("ConvertsTo", place);
        let call = at(place, quote! { <#sent_name as #converts<#taken_name>>::convert });
        quote! {
            {
                #[diagnostic::on_unimplemented(message = #message, label = #label, note = #note)]
                trait #converts<T>: ::core::marker::Sized { fn convert(value: Self) -> T; }
                #[diagnostic::do_not_recommend]
                impl<S, T: ::core::convert::From<S>> #converts<T> for S {
                    #[inline(always)]
                    fn convert(value: S) -> T { ::core::convert::From::from(value) }
                }
                #sent_alias
                #taken_alias
                #call(#value)
            }
        }
    }

    /// What clones a payload that goes to several receivers; if it cannot, the error stands at `place`. First the
    /// statements that it needs.
    pub(super) fn copy_of(&self, sent: &TokenStream, place: Span) -> (TokenStream, TokenStream) {
        let p = self.p;
        let [receivers, fan_out] = ["__Receivers", "__FanOut"].map(|name| Ident::new(name, place));
        let (alias, payload) = self.generics.alias("__Payload", place, sent);
        let aliased = quote! { #alias use #p::{FanOut as #fan_out, Receivers as #receivers}; };
        (aliased, at(place, quote! { <#receivers as #fan_out<#payload>>::copy }))
    }

    /// As `sends`, with operators: every guard, map and copy is evaluated before anything is sent, so that one that fails leaves
    /// nothing half sent.
    fn operated(
        &self,
        connections: &[usize],
        begin: Begin,
        value: &Ident,
        post: &Ident,
        place: Span,
    ) -> TokenStream {
        let mut statements: Vec<usize> = Vec::new();
        for connection in connections {
            let way = self.model.connections[*connection].way;
            if statements.last() != Some(&way) {
                statements.push(way);
            }
        }
        let sent = self.sent(begin);
        let alone = statements.len() == 1;
        let mut guards = TokenStream::new();
        let mut made = TokenStream::new();
        let mut sent_on = TokenStream::new();
        for (n, statement) in statements.iter().enumerate() {
            let way = &self.model.ways[*statement];
            let source = Source { sent: &sent, value, is_last: n + 1 == statements.len(), place };
            let then = self.branch(&source, &way.then, post);
            let Some(guard) = &way.guard else {
                made.extend(then.made);
                sent_on.extend(then.sent_on);
                continue;
            };
            let passes = local(&format!("__passes{n}"));
            let first = &self.model.graph.connections[way.then.connections.start];
            let what = format!("the guard of `{}`", first.from);
            let run = self.run(&what, guard, &quote! { &#value }, &quote! { &#sent }, &self.decides(guard));
            guards.extend(quote! { let #passes = #run?; });
            let otherwise = match &way.otherwise {
                Some(branch) => self.branch(&source, branch, post),
                None => Sent { sent_on: quote! { #post.filter(); }, ..Sent::default() },
            };
            if alone {
                let (then_made, then_sent) = (then.made, then.sent_on);
                let (else_made, else_sent) = (otherwise.made, otherwise.sent_on);
                made.extend(quote! {
                    if #passes { #then_made #then_sent } else { #else_made #else_sent }
                });
                continue;
            }
            let [if_so, if_not] = [format!("__then{n}"), format!("__else{n}")].map(|name| local(&name));
            let Sent { made: then_made, names: then_names, sent_on: then_sent } = then;
            let Sent { made: else_made, names: else_names, sent_on: else_sent } = otherwise;
            made.extend(quote! {
                let (#if_so, #if_not) = if #passes {
                    #then_made
                    (::core::option::Option::Some((#(#then_names,)*)), ::core::option::Option::None)
                } else {
                    #else_made
                    (::core::option::Option::None, ::core::option::Option::Some((#(#else_names,)*)))
                };
            });
            sent_on.extend(quote! {
                if let ::core::option::Option::Some((#(#then_names,)*)) = #if_so { #then_sent }
                if let ::core::option::Option::Some((#(#else_names,)*)) = #if_not { #else_sent }
            });
        }
        quote! { #guards #made #sent_on }
    }

    fn branch(&self, source: &Source<'_>, branch: &model::Branch, post: &Ident) -> Sent {
        let Source { sent, value, is_last, place } = *source;
        let connections: Vec<usize> = branch.connections.clone().collect();
        let (Some(&first), Some(last)) = (connections.first(), connections.len().checked_sub(1)) else {
            return Sent::default();
        };
        let copied = |value: &Ident, ty: &TokenStream, place: Span| {
            let (aliased, copy) = self.copy_of(ty, place);
            quote! { { #aliased #copy(&#value) } }
        };
        let given = |n: usize| match is_last && n == last {
            true => value.to_token_stream(),
            false => copied(value, sent, place),
        };
        let mut made = TokenStream::new();
        let fits: Vec<TokenStream> = match &branch.map {
            None => {
                let fit = |(n, connection): (usize, &usize)| match branch.converts {
                    false => self.fitted(*connection, given(n), sent),
                    true => {
                        let p = self.p;
                        let what = format!("the conversion of `{}`", self.written(*connection));
                        let converted = self.converting(*connection, given(n), sent);
                        quote! { #p::operate(#what, || #converted)? }
                    }
                };
                connections.iter().enumerate().map(fit).collect()
            }
            Some(map) => {
                // The closure gives what its first target takes.
                let taken = self.taken(self.end(first));
                let (alias, returns) = self.generics.alias("__Mapped", self.end_of(first), &taken);
                let what = format!("the map of `{}`", self.written(first));
                let run = self.run(&what, map, &given(last), sent, &returns);
                let mapped = local("__mapped");
                made.extend(quote! { #alias let #mapped = #run?; });
                let fit = |(n, connection): (usize, &usize)| {
                    let value = match n == last {
                        true => mapped.to_token_stream(),
                        false => copied(&mapped, &taken, map.expr.body.span()),
                    };
                    self.fitted_mapped(first, *connection, value)
                };
                connections.iter().enumerate().map(fit).collect()
            }
        };
        let names: Vec<Ident> =
            connections.iter().map(|connection| local(&format!("__value{connection}"))).collect();
        // What was not the last is copied before the last is given away.
        for (name, fitted) in names.iter().zip(fits) {
            made.extend(quote! { let #name = #fitted; });
        }
        let mut sent_on = TokenStream::new();
        for (name, &connection) in names.iter().zip(&connections) {
            if let Some(most) = self.model.graph.connections[connection].bound {
                let (ways, field) = (self.ways_here(), format_ident!("b{connection}"));
                let (text, most) = (self.model.graph.connections[connection].to_string(), u64::from(most));
                made.extend(quote! { #ways.#field.take(#most, #text, #post)?; });
            }
            sent_on.extend(self.send(Way::Connection(connection), name.to_token_stream(), post));
        }
        // What is named to make them is not seen by the next.
        let made = quote! { let (#(#names,)*) = { #made (#(#names,)*) }; };
        Sent { made, names, sent_on }
    }

    /// What a closure has made for its first target, for another one.
    fn fitted_mapped(&self, first: usize, connection: usize, value: TokenStream) -> TokenStream {
        if connection == first {
            return value;
        }
        let [from, to] = [first, connection].map(|number| &self.model.graph.connections[number].to);
        let [made, taken] = [first, connection].map(|number| self.taken(self.end(number)));
        let from = format!("the closure makes what `{from}` takes,");
        let text = self.taken_text(self.end(first));
        let note = "a closure makes one type: write a connection for each".to_owned();
        let fit = self.fit_of((from, text), to, note, self.end_of(connection));
        self.fitting(&fit, value, &made, &taken, |taken| quote! { fn fits(value: Self) -> #taken })
    }

    /// A connection without its operators, for a message.
    fn written(&self, connection: usize) -> String {
        let known = &self.model.graph.connections[connection];
        let arrow = if known.converts { "=>" } else { "->" };
        format!("{} {arrow} {}", known.from, known.to)
    }

    /// Where the errors about what an event is copied for stand.
    pub(super) fn place_of(&self, connection: usize) -> Span {
        self.model.connections[connection].source_tokens().span()
    }
}

/// What goes the way of a statement.
#[derive(Clone, Copy)]
struct Source<'a> {
    sent: &'a TokenStream,
    value: &'a Ident,
    /// Whether the value may be given away, because no statement after this one needs it.
    is_last: bool,
    place: Span,
}

/// The statements of a branch: what makes its values, under these names, and what sends them.
#[derive(Default)]
struct Sent {
    made: TokenStream,
    names: Vec<Ident>,
    sent_on: TokenStream,
}
