//! The enum of a routine's events, and its outbox: `Emit` with a method for each, and what a unit test reads of it.

use super::{Routine, event_variant};
use crate::routine::model::{Event, Handler, Kind, plain};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, GenericParam, Index, Type};

/// The fields of an `Emit` are the outbox and, where there are live events, the stamp of the attempt and their sinks.
pub(super) const FIRST_SINK: usize = 2;

/// One variant of a routine's events.
pub(super) struct Outgoing<'m> {
    variant: Ident,
    /// As a unit test reads it.
    name: String,
    payload: TokenStream,
    /// The methods with which it is emitted and read; none where only the engine emits it.
    method: Option<Method<'m>>,
    live: bool,
}

struct Method<'m> {
    name: &'m Ident,
    docs: Vec<Attribute>,
    params: &'m [(Ident, Type)],
    /// Whether it can be emitted later.
    later: bool,
}

impl Routine<'_> {
    /// All that can leave a routine: its events, what joins have found no partner for, and word to sources to begin.
    pub(super) fn outgoing<'m>(
        &self,
        events: &[&'m Event],
        handlers: impl IntoIterator<Item = &'m Handler>,
    ) -> Vec<Outgoing<'m>> {
        let events = events.iter().map(|event| Outgoing {
            variant: event.name.clone(),
            name: plain(&event.name),
            payload: event.payload(),
            method: Some(Method {
                name: &event.name,
                docs: event.docs.clone(),
                params: &event.params,
                later: !event.live,
            }),
            live: event.live,
        });
        let others = handlers.into_iter().enumerate().filter_map(|(number, handler)| match handler.kind {
            Kind::Join { within: 1.., .. } => {
                let name = format!("{}.unpaired", plain(&handler.name));
                let payload = self.parts_type(number, handler);
                Some(Outgoing { variant: event_variant(&name), name, payload, method: None, live: false })
            }
            Kind::Source { .. } => Some(Self::arming(&handler.name)),
            _ => None,
        });
        events.chain(others).collect()
    }

    /// The word to a source to begin.
    pub(super) fn arming(source: &Ident) -> Outgoing<'_> {
        Outgoing {
            variant: source.clone(),
            name: plain(source),
            payload: quote!(()),
            method: Some(Method {
                name: source,
                docs: vec![syn::parse_quote! {
                    /// Arms the source: it is called from then on, until it is done.
                }],
                params: &[],
                later: false,
            }),
            live: false,
        }
    }

    /// The enum of events, and `Emit` with its methods.
    pub(super) fn outbox(&self, outgoing: &[Outgoing<'_>]) -> TokenStream {
        let p = self.p;
        let (enumeration, emit, emitted) = (self.event_enum(), self.emit(), self.emitted());
        let (impl_generics, ty_generics, where_clause) = self.parsed.generics.split_for_impl();
        let generics = &self.parsed.generics;
        let marker = self.marker();
        let variants = outgoing.iter().map(|Outgoing { variant, payload, .. }| quote! { #variant(#payload) });
        // Only a generic routine may have parameters that no event uses.
        let unused = match generics.params.is_empty() {
            true => TokenStream::new(),
            false => quote! { __Unused(::core::convert::Infallible, #marker) },
        };
        let live: Vec<&Outgoing<'_>> = outgoing.iter().filter(|event| event.live).collect();
        let methods = outgoing.iter().filter_map(|event| {
            let Method { name, docs, params, .. } = event.method.as_ref()?;
            let names: Vec<&Ident> = params.iter().map(|(name, _)| name).collect();
            let types = params.iter().map(|(_, ty)| ty);
            let (variant, value) = (&event.variant, value_of(&names));
            let push = quote! { self.0.push(#enumeration::#variant(#value)) };
            let push = match live.iter().position(|live| live.variant == *variant) {
                None => push,
                Some(number) => {
                    let sink = Index::from(number + FIRST_SINK);
                    let back = Ident::new("__back", Span::mixed_site());
                    quote! {
                        if let ::core::option::Option::Some(#back) = self.#sink.send(#value, self.1) {
                            self.0.push(#enumeration::#variant(#back));
                        }
                    }
                }
            };
            Some(quote! {
                #(#docs)*
                #[inline]
                pub fn #name(&mut self #(, #names: #types)*) {
                    #push
                }
            })
        });
        // Whose routine has no live event has nothing but its outbox.
        let payloads = live.iter().map(|event| &event.payload);
        let sinks: Vec<Index> = (0..live.len()).map(|number| Index::from(number + FIRST_SINK)).collect();
        let (more, made_more, leaving) = match live.is_empty() {
            true => (TokenStream::new(), TokenStream::new(), TokenStream::new()),
            false => (
                quote! { , #p::Stamp #(, #p::LiveSink<#payloads>)* },
                {
                    let made = vec![quote! { ::core::default::Default::default() }; live.len() + 1];
                    quote! { #(, #made)* }
                },
                quote! {
                    const LIVE: bool = true;

                    #[inline]
                    fn begins(&mut self, cx: &#p::Context) {
                        self.1 = #p::Stamp::of(cx);
                    }

                    fn another(&self) -> Self {
                        Self(
                            ::core::default::Default::default(),
                            self.1
                            #(, ::core::clone::Clone::clone(&self.#sinks))*
                        )
                    }
                },
            ),
        };
        let later = Self::is_later(outgoing).then(|| self.later(outgoing));
        let reading = self.reading(outgoing);
        let args = self.arguments();
        quote! {
            pub enum #enumeration #generics #where_clause { #(#variants,)* #unused }

            pub struct #emit #generics (#p::Outbox<#enumeration #ty_generics> #more) #where_clause;

            impl #impl_generics ::core::default::Default for #emit #ty_generics #where_clause {
                fn default() -> Self {
                    Self(::core::default::Default::default() #made_more)
                }
            }

            impl #impl_generics #p::Outgoing<#enumeration #ty_generics> for #emit #ty_generics #where_clause {
                #[inline]
                fn outbox(&mut self) -> &mut #p::Outbox<#enumeration #ty_generics> {
                    &mut self.0
                }

                #leaving
            }

            impl #impl_generics #emit #ty_generics #where_clause {
                #(#methods)*

                /// What was emitted so far, for a unit test to read.
                pub fn emitted(&self) -> #emitted<'_, #(#args),*> {
                    #emitted(&self.0, ::core::iter::Iterator::collect(self.0.iter()))
                }
            }

            #later
            #reading
        }
    }

    fn after_of(&self) -> Ident {
        format_ident!("AfterOf{}", plain(self.name), span = Span::call_site())
    }

    /// The routine's parameters, and how they are passed on.
    fn parameters(&self) -> Vec<TokenStream> {
        self.parsed.generics.params.iter().map(ToTokens::to_token_stream).collect()
    }

    fn arguments(&self) -> Vec<TokenStream> {
        let arguments = self.parsed.generics.params.iter().map(|param| match param {
            GenericParam::Type(param) => param.ident.to_token_stream(),
            GenericParam::Const(param) => param.ident.to_token_stream(),
            GenericParam::Lifetime(param) => param.lifetime.to_token_stream(),
        });
        arguments.collect()
    }

    /// Whether any event can be emitted later: a live one leaves at once.
    fn is_later(outgoing: &[Outgoing<'_>]) -> bool {
        outgoing.iter().any(|event| event.method.as_ref().is_some_and(|method| method.later))
    }

    /// What `out.after(..)` and `out.every(..)` return.
    fn later(&self, outgoing: &[Outgoing<'_>]) -> TokenStream {
        let p = self.p;
        let (enumeration, after_of) = (self.event_enum(), self.after_of());
        let (_, ty_generics, where_clause) = self.parsed.generics.split_for_impl();
        let (params, args) = (self.parameters(), self.arguments());
        let methods = outgoing.iter().filter_map(|event| {
            let Method { name, docs, params, later: true } = event.method.as_ref()? else { return None };
            let names: Vec<&Ident> = params.iter().map(|(name, _)| name).collect();
            let types = params.iter().map(|(_, ty)| ty);
            let (variant, value) = (&event.variant, value_of(&names));
            Some(quote! {
                #(#docs)*
                #[inline]
                pub fn #name(self #(, #names: #types)*) {
                    self.0.put(#enumeration::#variant(#value))
                }
            })
        });
        let emit = self.emit();
        let (impl_generics, _, _) = self.parsed.generics.split_for_impl();
        quote! {
            impl #impl_generics #emit #ty_generics #where_clause {
                /// Emits an event once, when so much time has passed: `out.after(duration).word(..)`.
                #[inline]
                pub fn after(&mut self, duration: ::core::time::Duration) -> #after_of<'_, #(#args),*> {
                    #after_of(#p::Later::after(&mut self.0, duration))
                }

                /// Emits an event again and again, each time so much time has passed: `out.every(duration).word(..)`.
                #[inline]
                pub fn every(&mut self, duration: ::core::time::Duration) -> #after_of<'_, #(#args),*> {
                    #after_of(#p::Later::every(&mut self.0, duration))
                }

                /// Forgets the event of this name that was to be emitted later.
                #[inline]
                pub fn cancel(&mut self, name: impl ::core::convert::Into<::std::string::String>) {
                    self.0.ask(#p::Ask::Cancel { name: ::core::convert::Into::into(name) });
                }
            }

            #[must_use = "it emits nothing until it is told which event: `.word(..)`"]
            pub struct #after_of<'__emit, #(#params),*>(#p::Later<'__emit, #enumeration #ty_generics>) #where_clause;

            impl<'__emit, #(#params),*> #after_of<'__emit, #(#args),*> #where_clause {
                /// Gives it a name: it takes the place of the one that this routine gave that name, and `cancel` knows it.
                #[inline]
                pub fn named(self, name: impl ::core::convert::Into<::std::string::String>) -> Self {
                    Self(self.0.named(::core::convert::Into::into(name)))
                }

                #(#methods)*
            }
        }
    }

    /// What `out.emitted()` returns.
    fn reading(&self, outgoing: &[Outgoing<'_>]) -> TokenStream {
        let p = self.p;
        let (enumeration, emitted) = (self.event_enum(), self.emitted());
        let (impl_generics, ty_generics, where_clause) = self.parsed.generics.split_for_impl();
        let generics = &self.parsed.generics;
        let (params, args) = (self.parameters(), self.arguments());
        let readers = outgoing.iter().filter_map(|event| {
            let name = event.method.as_ref()?.name;
            let Outgoing { variant, payload, .. } = event;
            let doc = format!("The payloads of `{}`, in the order they were emitted.", event.name);
            Some(quote! {
                #[doc = #doc]
                pub fn #name(&self) -> ::std::vec::Vec<&'__emitted #payload> {
                    let payloads = ::core::iter::Iterator::filter_map(self.1.iter(), |event| match event {
                        #enumeration::#variant(payload) => ::core::option::Option::Some(payload),
                        #[allow(unreachable_patterns)]
                        _ => ::core::option::Option::None,
                    });
                    ::core::iter::Iterator::collect(payloads)
                }
            })
        });
        let names = outgoing.iter().map(|Outgoing { variant, name, .. }| {
            quote! { #enumeration::#variant(_) => #name, }
        });
        let unused_name = match generics.params.is_empty() {
            true => TokenStream::new(),
            false => quote! { #enumeration::__Unused(never, _) => match *never {} },
        };
        let name = match outgoing.is_empty() && generics.params.is_empty() {
            true => quote! { match *self {} },
            false => quote! { match self { #(#names)* #unused_name } },
        };
        let later = Self::is_later(outgoing).then(|| quote! {
                /// The names of those that are to be emitted later, or again and again, each with its time.
                pub fn later(&self) -> ::std::vec::Vec<(::core::time::Duration, &'static str)> {
                    let asked = ::core::iter::IntoIterator::into_iter(self.0.asked_later());
                    ::core::iter::Iterator::collect(::core::iter::Iterator::map(asked, |(time, event)| (time, event.__name())))
                }

                /// Those that are emitted after so much time, to be read in the same way.
                pub fn after(&self, duration: ::core::time::Duration) -> Self {
                    Self(self.0, self.0.asked_after(duration))
                }

                /// Those that are emitted each time so much time has passed, to be read in the same way.
                pub fn every(&self, duration: ::core::time::Duration) -> Self {
                    Self(self.0, self.0.asked_every(duration))
                }

                /// Those that are emitted later under this name, to be read in the same way.
                pub fn named(&self, name: &str) -> Self {
                    Self(self.0, self.0.asked_named(name))
                }

                /// The names that were cancelled.
                pub fn cancel(&self) -> ::std::vec::Vec<&'__emitted str> {
                    self.0.asked_to_cancel()
                }
        });
        quote! {
            impl #impl_generics #enumeration #ty_generics #where_clause {
                fn __name(&self) -> &'static str {
                    #name
                }
            }

            pub struct #emitted<'__emitted, #(#params),*>(
                &'__emitted #p::Outbox<#enumeration #ty_generics>,
                ::std::vec::Vec<&'__emitted #enumeration #ty_generics>,
            ) #where_clause;

            impl<'__emitted, #(#params),*> #emitted<'__emitted, #(#args),*> #where_clause {
                #(#readers)*

                /// The names of the events, in the order they were emitted.
                pub fn events(&self) -> ::std::vec::Vec<&'static str> {
                    ::core::iter::Iterator::collect(::core::iter::Iterator::map(self.1.iter(), |event| event.__name()))
                }

                #later
            }
        }
    }
}

/// The payload of the parameters of these names.
fn value_of(names: &[&Ident]) -> TokenStream {
    match names {
        [one] => quote! { #one },
        several => quote! { (#(#several),*) },
    }
}
