//! What the ways of a flow need beside its events: the parameters that closures name, the counts of bounded loops, and the
//! same of the flows in it.

use super::super::closure::Closure;
use super::{Flow, local, names};
use crate::routine::plain;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Pat;
use syn::spanned::Spanned;

impl Flow<'_> {
    pub(super) fn has_ways(&self) -> bool {
        !(self.shared.is_empty() && self.bounds.is_empty() && self.inner.is_empty())
    }

    pub(super) fn ways_type(&self) -> TokenStream {
        match self.has_ways() {
            true => self.generated("__Ways"),
            false => quote! { () },
        }
    }

    pub(super) fn ways_struct(&self) -> TokenStream {
        if !self.has_ways() {
            return TokenStream::new();
        }
        let p = self.p;
        let params = self.shared.iter().map(|param| {
            let (field, ty) = (format_ident!("p{param}"), &self.header.params[*param].ty);
            quote! { #field: #ty }
        });
        let bounds = self.bounds.iter().map(|bound| format_ident!("b{bound}"));
        let inner = (0..self.inner.len()).map(|inner| {
            let (field, flow) = (format_ident!("i{inner}"), self.inner_type(inner));
            quote! { #field: ::std::sync::Arc<<#flow as #p::Flow>::Ways> }
        });
        let (decl, clause) = (&self.generics.decl, &self.generics.clause);
        let (phantom, _) = self.generics.phantom();
        quote! {
            pub struct __Ways #decl #clause {
                #(#params,)* #(#bounds: #p::Bound,)* #(#inner,)*
                #phantom
            }
        }
    }

    /// The statements that make them, and the field of the cells.
    pub(super) fn made_ways(&self) -> (TokenStream, TokenStream) {
        if !self.has_ways() {
            return (TokenStream::new(), TokenStream::new());
        }
        let p = self.p;
        let params = self.shared.iter().map(|param| {
            let (field, name) = (format_ident!("p{param}"), &self.header.params[*param].name);
            quote! { #field: ::core::clone::Clone::clone(&self.#name) }
        });
        let bounds = self.bounds.iter().map(|bound| format_ident!("b{bound}"));
        let inner = (0..self.inner.len()).map(|inner| {
            let (field, flow) = (format_ident!("i{inner}"), self.inner_type(inner));
            let cells = local(&field.to_string());
            quote! { #field: <#flow as #p::Flow>::ways(&#cells) }
        });
        let ways = local("__ways");
        let (_, phantom) = self.generics.phantom();
        let made = quote! {
            let #ways = __Ways {
                #(#params,)* #(#bounds: ::core::default::Default::default(),)* #(#inner,)*
                #phantom
            };
        };
        (made, quote! { ways: #p::Keeps::new(::std::sync::Arc::new(#ways)), })
    }

    /// New configuration puts new ways in, with the counts of the old.
    pub(super) fn ways_taken_over(&self) -> TokenStream {
        if !self.has_ways() {
            return TokenStream::new();
        }
        let bounds = self.bounds.iter().map(|bound| format_ident!("b{bound}"));
        quote! {
            let fresh = ::std::sync::Arc::clone(new.ways.get_mut());
            cells.ways.with(|old| {
                #(fresh.#bounds.take_over(&old.#bounds);)*
                *old = fresh;
            });
        }
    }

    pub(super) fn ways_functions(&self) -> TokenStream {
        let p = self.p;
        let (cells_type, ways_type) = (self.generated("__Cells"), self.ways_type());
        if !self.has_ways() {
            return quote! {
                fn ways(_: &#cells_type) -> ::std::sync::Arc<()> {
                    ::core::default::Default::default()
                }
            };
        }
        let own = self.bounds.iter().map(|bound| {
            let (field, text) = (format_ident!("b{bound}"), self.model.graph.connections[*bound].to_string());
            quote! { loops.push((::std::string::String::from(#text), &ways.#field)); }
        });
        let inner = self.inner.iter().enumerate().map(|(inner, routine)| {
            let (field, flow) = (format_ident!("i{inner}"), self.inner_type(inner));
            let prefix = format!("{}.", self.model.graph.routines[*routine].id);
            quote! {
                loops.extend(
                    <#flow as #p::Flow>::loops(&ways.#field)
                        .into_iter()
                        .map(|(text, bound)| (::std::string::String::from(#prefix) + &text, bound)),
                );
            }
        });
        quote! {
            fn ways(cells: &#cells_type) -> ::std::sync::Arc<#ways_type> {
                cells.ways.with(|ways| ::std::sync::Arc::clone(ways))
            }

            fn loops(ways: &#ways_type) -> ::std::vec::Vec<(::std::string::String, &#p::Bound)> {
                let mut loops = ::std::vec::Vec::new();
                #(#own)*
                #(#inner)*
                loops
            }
        }
    }

    /// Runs a closure of the user's with `value`, which is of the type `ty`: the result is a `Result`. Not called as a closure,
    /// but as a block with its parameter before it: what is wrong in it is told in it, with no word of the macro.
    pub(super) fn run(
        &self,
        what: &str,
        closure: &Closure,
        value: &TokenStream,
        ty: &TokenStream,
        returns: &TokenStream,
    ) -> TokenStream {
        let p = self.p;
        let ways = local("__ways");
        let named = names(quote! { #closure });
        let params = self.shared.iter().filter_map(|number| {
            let param = &self.header.params[*number];
            let (name, ty, field) = (&param.name, &param.ty, format_ident!("p{number}"));
            named.contains(&plain(name)).then(|| quote! { let #name: &#ty = &#ways.#field; })
        });
        let Some(pattern) = closure.expr.inputs.first() else { return TokenStream::new() };
        let body = &closure.expr.body;
        // Where what is taken is not what is sent, the error has no token of ours in it.
        let given = Ident::new("__given", pattern.span());
        let taken = match pattern {
            Pat::Type(_) => quote! { let #given: #ty = #value; let #pattern = #given; },
            _ => quote! { let #given = #value; let #pattern: #ty = #given; },
        };
        quote! { #p::operate(#what, || -> #returns { #(#params)* #taken #body }) }
    }

    /// The ways of `cells`, to be kept.
    pub(super) fn ways_of_cells(&self) -> TokenStream {
        match self.has_ways() {
            true => quote! { Self::ways(cells) },
            false => quote! { () },
        }
    }

    /// What a guard gives: `bool`, standing where the closure begins.
    pub(super) fn decides(&self, closure: &Closure) -> TokenStream {
        quote_spanned! { closure.expr.inputs_begin.span()=> ::core::primitive::bool }
    }

    /// Where the ways are, in a function that has the cells.
    pub(super) fn ways_here(&self) -> Ident {
        local("__ways")
    }
}
