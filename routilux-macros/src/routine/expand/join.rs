//! A join: the enum of its inputs, of which one arrives at a time, and its queues as an implementation of `JoinPort`. With a time
//! limit the enum is the user's too: `SettleUnpaired` is what the event `settle.unpaired` carries.

use super::port::input_types;
use super::{Routine, call};
use crate::diagnostic::at;
use crate::routine::model::{Event, Handler, Kind, Model, input_name, plain, upper_camel};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::spanned::Spanned;
use syn::{GenericParam, Index, WherePredicate};

/// What of the routine's parameters the inputs of a join speak of.
struct Used<'r> {
    params: Vec<&'r GenericParam>,
    arguments: Vec<TokenStream>,
    predicates: Vec<&'r WherePredicate>,
}

impl Routine<'_> {
    fn parts_name(&self, number: usize, handler: &Handler) -> Ident {
        let join = upper_camel(&plain(&handler.name));
        match handler.within() {
            0 => format_ident!("__{join}Of{}{number}", plain(self.name), span = Span::call_site()),
            // The user names it.
            _ => Ident::new(&format!("{join}Unpaired"), handler.name.span()),
        }
    }

    pub(super) fn parts_type(&self, number: usize, handler: &Handler) -> TokenStream {
        let (name, arguments) = (self.parts_name(number, handler), self.spoken_of(handler).arguments);
        match arguments.is_empty() {
            true => name.to_token_stream(),
            false => quote! { #name<#(#arguments),*> },
        }
    }

    /// The same as a person writes it, of a join with a time limit.
    pub(super) fn parts_text(&self, handler: &Handler) -> String {
        crate::text::of(self.parts_type(0, handler))
    }

    fn spoken_of(&self, handler: &Handler) -> Used<'_> {
        let generics = &self.parsed.generics;
        let types: TokenStream = input_types(handler).into_iter().map(ToTokens::to_token_stream).collect();
        let name_of = |param: &GenericParam| match param {
            GenericParam::Type(param) => param.ident.clone(),
            GenericParam::Const(param) => param.ident.clone(),
            GenericParam::Lifetime(param) => param.lifetime.ident.clone(),
        };
        let (params, others): (Vec<&GenericParam>, Vec<&GenericParam>) =
            generics.params.iter().partition(|param| speaks_of(types.clone(), &name_of(param)));
        let arguments = params.iter().map(|param| name_of(param).to_token_stream()).collect();
        let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        let predicates = predicates
            .filter(|predicate| {
                let is_about =
                    |param: &&GenericParam| speaks_of(predicate.to_token_stream(), &name_of(param));
                params.iter().any(is_about) && !others.iter().any(is_about)
            })
            .collect();
        Used { params, arguments, predicates }
    }

    fn variants(handler: &Handler) -> Vec<Ident> {
        let Kind::Join { inputs, .. } = &handler.kind else { return Vec::new() };
        inputs.iter().map(|input| Ident::new(&upper_camel(&input_name(input)), input.span())).collect()
    }

    /// The enums of inputs that the user names.
    pub(super) fn unpaired_enums(&self, model: &Model) -> TokenStream {
        let joins = model.handlers.iter().enumerate().filter(|(_, handler)| handler.within() > 0);
        joins.map(|(number, handler)| self.parts_enum(number, handler)).collect()
    }

    /// The enum of a join's inputs.
    pub(super) fn parts_enum(&self, number: usize, handler: &Handler) -> TokenStream {
        let (name, used) = (self.parts_name(number, handler), self.spoken_of(handler));
        let (variants, types) = (Self::variants(handler), input_types(handler));
        let Used { params, predicates, .. } = &used;
        let params = (!params.is_empty()).then(|| quote! { <#(#params),*> });
        let bounds = (!predicates.is_empty()).then(|| quote! { where #(#predicates),* });
        if handler.within() == 0 {
            return quote! { pub enum #name #params #bounds { #(#variants(#types)),* } };
        }
        let Kind::Join { inputs, .. } = &handler.kind else { return TokenStream::new() };
        let doc = format!(
            "What the join `{}` of `{}` has found no partner for in time.",
            plain(&handler.name),
            plain(self.name)
        );
        let docs = inputs.iter().map(|input| format!("An `{}` without its partners.", input_name(input)));
        let implemented = self.parts_impls(number, handler, &used);
        quote! {
            #[doc = #doc]
            #[allow(private_interfaces, private_bounds, unreachable_pub)]
            pub enum #name #params #bounds { #(#[doc = #docs] #variants(#types)),* }

            #implemented
        }
    }

    /// What the user expects of an enum. Each is there where the inputs have it: whether they do is asked where it is used.
    fn parts_impls(&self, number: usize, handler: &Handler, used: &Used<'_>) -> TokenStream {
        let p = self.p;
        let (name, ty) = (self.parts_name(number, handler).to_string(), self.parts_type(number, handler));
        let (variants, types) = (Self::variants(handler), input_types(handler));
        let texts: Vec<String> = variants.iter().map(Ident::to_string).collect();
        let numbers: Vec<u32> = (0..).take(variants.len()).collect();
        let indices: Vec<usize> = (0..variants.len()).collect();
        let Used { params, predicates, .. } = used;
        let asks = |bound: TokenStream| {
            let asked = types.iter().map(|ty| match self.is_generic(ty.to_token_stream()) {
                true => quote! { #ty: #bound },
                // With a lifetime that means nothing it is asked where it is used, and not here.
                false => quote! { for<'__routilux> #ty: #bound },
            });
            quote! { where #(#predicates,)* #(#asked,)* }
        };
        let (clone, debug, equal) = (
            asks(quote! { ::core::clone::Clone }),
            asks(quote! { ::core::fmt::Debug }),
            asks(quote! { ::core::cmp::PartialEq }),
        );
        let serialize = asks(quote! { #p::serde::Serialize });
        let deserialize = asks(quote! { #p::serde::de::DeserializeOwned });
        quote! {
            #[doc(hidden)]
            #[allow(unused_variables, private_interfaces, private_bounds, unreachable_pub, clippy::all)]
            const _: () = {
                #[automatically_derived]
                impl<#(#params),*> ::core::clone::Clone for #ty #clone {
                    fn clone(&self) -> Self {
                        match self {
                            #(Self::#variants(value) => Self::#variants(::core::clone::Clone::clone(value)),)*
                        }
                    }
                }

                #[automatically_derived]
                impl<#(#params),*> ::core::fmt::Debug for #ty #debug {
                    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                        match self {
                            #(Self::#variants(value) => {
                                ::core::fmt::DebugTuple::finish(
                                    ::core::fmt::Formatter::debug_tuple(f, #texts).field(value),
                                )
                            })*
                        }
                    }
                }

                #[automatically_derived]
                impl<#(#params),*> ::core::cmp::PartialEq for #ty #equal {
                    fn eq(&self, other: &Self) -> bool {
                        match (self, other) {
                            #((Self::#variants(value), Self::#variants(other)) => {
                                ::core::cmp::PartialEq::eq(value, other)
                            })*
                            _ => false,
                        }
                    }
                }

                #[automatically_derived]
                impl<#(#params),*> #p::serde::Serialize for #ty #serialize {
                    fn serialize<__S: #p::serde::Serializer>(
                        &self,
                        serializer: __S,
                    ) -> ::core::result::Result<__S::Ok, __S::Error> {
                        match self {
                            #(Self::#variants(value) => {
                                #p::serde::Serializer::serialize_newtype_variant(
                                    serializer, #name, #numbers, #texts, value,
                                )
                            })*
                        }
                    }
                }

                #[automatically_derived]
                impl<'__de, #(#params),*> #p::serde::Deserialize<'__de> for #ty #deserialize {
                    fn deserialize<__D: #p::serde::Deserializer<'__de>>(
                        deserializer: __D,
                    ) -> ::core::result::Result<Self, __D::Error> {
                        #p::read_parts(deserializer)
                    }
                }

                #[automatically_derived]
                impl<'__de, #(#params),*> #p::Parts<'__de> for #ty #deserialize {
                    const NAME: &'static str = #name;
                    const VARIANTS: &'static [&'static str] = &[#(#texts),*];

                    fn read<__A: #p::serde::de::VariantAccess<'__de>>(
                        variant: usize,
                        access: __A,
                    ) -> ::core::result::Result<::core::option::Option<Self>, __A::Error> {
                        match variant {
                            #(#indices => {
                                let value = #p::serde::de::VariantAccess::newtype_variant(access);
                                ::core::result::Result::map(value, |value| {
                                    ::core::option::Option::Some(Self::#variants(value))
                                })
                            })*
                            _ => ::core::result::Result::Ok(::core::option::Option::None),
                        }
                    }
                }
            };
        }
    }

    /// The function that makes the codec of an input: the one place that asks whether it is a payload.
    fn input_codec(&self, number: usize, input: usize) -> TokenStream {
        let function = format_ident!("__codec{number}_{input}");
        let (_, ty_generics, _) = self.parsed.generics.split_for_impl();
        let turbofish = ty_generics.as_turbofish();
        quote! { #function #turbofish() }
    }

    /// How one arrival at a join is saved: by the number of its input.
    pub(super) fn parts_codec(&self, number: usize, handler: &Handler) -> TokenStream {
        let p = self.p;
        let variants = Self::variants(handler);
        let numbers: Vec<usize> = (0..variants.len()).collect();
        let codecs: Vec<_> = numbers.iter().map(|input| self.input_codec(number, *input)).collect();
        quote! {
            #p::Codec::of_parts(
                |part| match part {
                    #(Self::Payload::#variants(value) => #codecs.save_part(#numbers, value),)*
                },
                |value| {
                    let (input, value) = #p::part_of(value)?;
                    match input {
                        #(#numbers => ::core::result::Result::map(
                            #codecs.load_value(value),
                            Self::Payload::#variants,
                        ),)*
                        _ => ::core::result::Result::Err(#p::not_connected()),
                    }
                },
            )
        }
    }

    pub(super) fn join_port(&self, number: usize, handler: &Handler) -> TokenStream {
        let Kind::Join { latest, inputs, .. } = &handler.kind else { return TokenStream::new() };
        let p = self.p;
        let self_type = &self.parsed.self_type;
        let (impl_generics, _, where_clause) = self.impl_for();
        let (codec_generics, _, codec_where) = self.parsed.generics.split_for_impl();
        let (variants, types) = (Self::variants(handler), input_types(handler));
        let names = inputs.iter().map(input_name);
        let numbers: Vec<usize> = (0..variants.len()).collect();
        let at_numbers: Vec<Index> = numbers.iter().map(|number| Index::from(*number)).collect();
        let parts = call::parts(variants.len());
        let times: Vec<Ident> =
            numbers.iter().map(|n| Ident::new(&format!("__time{n}"), Span::mixed_site())).collect();
        let values = vec![quote! { #p::Value }; variants.len()];
        let parameter = Ident::new("__payload", Span::mixed_site());

        let asked = numbers.iter().zip(&types).map(|(input, ty)| {
            let function = format_ident!("__codec{number}_{input}");
            let made = at(ty.span(), quote! { <#ty as #p::Saves>::codec() });
            quote! { fn #function #codec_generics() -> #p::Codec<#ty> #codec_where { #made } }
        });
        let codecs: Vec<_> = numbers.iter().map(|input| self.input_codec(number, *input)).collect();

        let emptied = at_numbers
            .iter()
            .map(|number| latest.then(|| quote! { while stores.#number.pop().is_some() {} }));
        let paired = numbers.iter().zip(&variants).map(|(own, variant)| {
            let taken = numbers.iter().zip(&at_numbers).map(|(input, at)| match input == own {
                true => quote! { (0, #parameter) },
                false => quote! { stores.#at.pop()? },
            });
            quote! { Self::Payload::#variant(#parameter) => (#(#taken),*) }
        });
        let keep_taken = match handler.keeps() {
            false => quote! { ::core::unreachable!("only what is kept is cloned") },
            true => {
                let kept = at_numbers.iter().zip(&types).map(|(number, ty)| {
                    let keep = at(ty.span(), quote! { <#p::InSlot as #p::Clones<#ty>>::clone() });
                    quote! { (taken.#number.0, #keep(&taken.#number.1)) }
                });
                quote! { (#(#kept),*) }
            }
        };
        let params = numbers.iter().zip(&variants).zip(&types).map(|((input, variant), ty)| {
            quote! {
                #[automatically_derived]
                impl #impl_generics #p::JoinParam<#input, #number> for #self_type #where_clause {
                    type Value = #ty;

                    #[inline]
                    fn part(value: Self::Value) -> Self::Payload {
                        Self::Payload::#variant(value)
                    }
                }
            }
        });
        quote! {
            #(#asked)*
            #(#params)*

            #[automatically_derived]
            impl #impl_generics #p::JoinPort<#number> for #self_type #where_clause {
                type Stores = (#(#p::Queue<#types>),*);
                type Taken = (#((u64, #types)),*);
                type Values = (#(#types),*);
                const PARAMS: &'static [&'static str] = &[#(#names),*];
                const LATEST: bool = #latest;

                fn parameter(part: &Self::Payload) -> usize {
                    match part { #(Self::Payload::#variants(_) => #numbers),* }
                }

                fn lengths(stores: &Self::Stores) -> ::std::vec::Vec<usize> {
                    ::std::vec![#(stores.#at_numbers.len()),*]
                }

                fn add(stores: &mut Self::Stores, part: Self::Payload, at: u64) {
                    match part {
                        #(Self::Payload::#variants(#parameter) => {
                            #emptied
                            stores.#at_numbers.push(at, #parameter);
                        })*
                    }
                }

                fn pair(
                    stores: &mut Self::Stores,
                    part: Self::Payload,
                ) -> ::core::option::Option<Self::Taken> {
                    ::core::option::Option::Some(match part { #(#paired),* })
                }

                fn keep_taken(taken: &Self::Taken) -> Self::Taken {
                    #keep_taken
                }

                fn values((#((_, #parts)),*): Self::Taken) -> Self::Values {
                    (#(#parts),*)
                }

                fn save_taken(taken: &Self::Taken) -> ::core::result::Result<#p::Value, #p::ValueError> {
                    #p::Value::of(&(#((taken.#at_numbers.0, #codecs.save_value(&taken.#at_numbers.1)?)),*))
                }

                fn load_taken(value: #p::Value) -> ::core::result::Result<Self::Taken, #p::ValueError> {
                    let (#((#times, #parts)),*): (#((u64, #values)),*) = value.read()?;
                    ::core::result::Result::Ok((#((#times, #codecs.load_value(#parts)?)),*))
                }

                fn expired(stores: &mut Self::Stores, until: u64) -> ::std::vec::Vec<Self::Payload> {
                    let mut expired = ::std::vec::Vec::new();
                    #(for value in stores.#at_numbers.expired(until) {
                        expired.push(Self::Payload::#variants(value));
                    })*
                    expired
                }

                fn oldest(stores: &Self::Stores) -> ::core::option::Option<u64> {
                    let oldest = [#(stores.#at_numbers.oldest()),*];
                    ::core::iter::Iterator::min(::core::iter::Iterator::flatten(
                        ::core::iter::IntoIterator::into_iter(oldest),
                    ))
                }

                fn each(
                    stores: &Self::Stores,
                    see: &mut dyn ::core::ops::FnMut(usize, u64, ::core::result::Result<#p::Value, #p::ValueError>),
                ) {
                    #(for (at, value) in stores.#at_numbers.iter() {
                        see(#numbers, *at, #codecs.save_value(value));
                    })*
                }

                fn restore(
                    stores: &mut Self::Stores,
                    parameter: usize,
                    at: u64,
                    value: #p::Value,
                ) -> ::core::result::Result<(), #p::ValueError> {
                    match parameter {
                        #(#numbers => stores.#at_numbers.push(at, #codecs.load_value(value)?),)*
                        _ => return ::core::result::Result::Err(#p::not_connected()),
                    }
                    ::core::result::Result::Ok(())
                }
            }
        }
    }

    /// Calls the handler of a join with one of each, or emits what has found no partner.
    pub(super) fn call_join(&self, handler: &Handler, arrival: &Ident, events: &[Event]) -> TokenStream {
        let p = self.p;
        let parts = call::parts(handler.payload.len());
        let taken = Ident::new("__taken", Span::mixed_site());
        // Whose inputs are all taken by reference leaves them where they are.
        let take = match handler.is_lent() {
            true => quote!(as_ref),
            false => quote!(take),
        };
        let given: Vec<TokenStream> = match handler.is_lent() {
            true => parts.iter().map(|part| quote! { #part }).collect(),
            false => call::given(handler, &parts),
        };
        let run = self.run(handler, &given, events);
        let unpaired = match handler.within() {
            0 => quote! { #p::Pair::Unpaired(_) => {} },
            _ => {
                let (enumeration, variant) = (self.event_enum(), self.unpaired_variant(handler));
                quote! {
                    #p::Pair::Unpaired(unpaired) => {
                        for part in unpaired {
                            #p::Outgoing::outbox(emit).push(#enumeration::#variant(part));
                        }
                    }
                }
            }
        };
        quote! {
            match #arrival {
                #p::Pair::Of(#taken) => {
                    if let ::core::option::Option::Some((#((_, #parts)),*)) = #taken.#take() {
                        return #run;
                    }
                }
                #unpaired
            }
            ::core::result::Result::Ok(())
        }
    }
}

/// Whether the name is among the tokens.
pub(super) fn speaks_of(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => speaks_of(group.stream(), name),
        _ => false,
    })
}
