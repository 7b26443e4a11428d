//! The flow's struct and its functions: what needs only the flow's own text.

use super::super::model::Model;
use super::super::parse::Header;
use super::document;
use super::generics::Generics;
use crate::bounds;
use crate::routine::plain;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{GenericArgument, Path, Type};

/// The first stage. `asked` are the macros of the routine types. For rustdoc it is written by the second.
pub(crate) fn shell(p: &TokenStream, header: &Header, asked: &[Path]) -> TokenStream {
    let found = format_ident!("AskedBy{}", plain(&header.name), span = Span::call_site());
    let job = quote! { <#found as #p::JobOf<Self>>::Job };
    let shell = of(p, header, &job, &quote! { #[cfg(not(doc))] }, &Docs::default());
    quote! {
        #shell

        // `0` is asked of the macro of each routine type, in a place where the compiler takes none for an error.
        #[cfg(not(doc))]
        #[doc(hidden)]
        #[allow(dead_code)]
        type #found = #p::Asked<{ 0 #(+ #asked!(@zero))* }>;
    }
}

/// The same for an editor, where no routine type is missing in its end.
pub(crate) fn plain_shell(p: &TokenStream, header: &Header) -> TokenStream {
    of(p, header, &quote! { #p::Job<Self> }, &quote! { #[cfg(not(doc))] }, &Docs::default())
}

/// The same with all that is to be known of the flow.
pub(crate) fn documented_shell(p: &TokenStream, header: &Header, model: &Model) -> TokenStream {
    let docs = Docs { flow: document::picture(model), parts: document::parts(model) };
    of(p, header, &quote! { #p::Job<Self> }, &TokenStream::new(), &docs)
}

/// Markdown for the struct, and for its `impl` block.
#[derive(Default)]
struct Docs {
    flow: String,
    parts: String,
}

fn of(p: &TokenStream, header: &Header, job: &TokenStream, cfg: &TokenStream, docs: &Docs) -> TokenStream {
    let Header { attrs, vis, name, params, .. } = header;
    let names: Vec<&Ident> = params.iter().map(|param| &param.name).collect();
    let types: Vec<_> = params.iter().map(|param| &param.ty).collect();
    let new_doc = format!("The flow `{}`, with its parameters.", plain(name));
    let generics = shell_generics(header);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let default = params.is_empty().then(|| {
        quote! {
            #cfg
            #[automatically_derived]
            impl #impl_generics ::core::default::Default for #name #ty_generics #where_clause {
                fn default() -> Self { Self::new() }
            }
        }
    });
    let (mut derived, mut clone) = (Some(quote! { #[derive(::core::clone::Clone)] }), None);
    let (mut field, mut value) = (None, None);
    if !generics.params.is_empty() {
        // A type parameter may be in none of the flow's parameters, and need not be `Clone` for the flow to be.
        let phantoms = generics.type_params().map(|param| &param.ident);
        let predicates = where_clause.iter().flat_map(|clause| &clause.predicates);
        let cloned = params.iter().filter(|param| mentions(header, &param.ty)).map(|param| &param.ty);
        derived = None;
        field = Some(quote! { __routilux: ::core::marker::PhantomData<fn() -> (#(#phantoms,)*)>, });
        value = Some(quote! { __routilux: ::core::marker::PhantomData, });
        clone = Some(quote! {
            #cfg
            #[automatically_derived]
            impl #impl_generics ::core::clone::Clone for #name #ty_generics
            where #(#predicates,)* #(#cloned: ::core::clone::Clone,)*
            {
                fn clone(&self) -> Self {
                    Self { #(#names: ::core::clone::Clone::clone(&self.#names),)* #value }
                }
            }
        });
    }
    let methods = methods(p, header, job, cfg, &docs.parts);
    let picture = (!docs.flow.is_empty()).then(|| {
        let picture = &docs.flow;
        quote! { #[doc = #picture] }
    });
    quote! {
        #cfg
        #(#attrs)*
        #picture
        #derived
        #vis struct #name #generics #where_clause { #(#names: #types,)* #field }

        #cfg
        #[allow(dead_code, clippy::too_many_arguments)]
        impl #impl_generics #name #ty_generics #where_clause {
            #[doc = #new_doc]
            #vis fn new(#(#names: #types),*) -> Self {
                Self { #(#names,)* #value }
            }
        }

        #clone
        #default
        #methods
    }
}

/// The flow's type parameters, without bounds where its parameters can be written without: then a type that has not what the flow
/// needs is told where a job is made of it, and not at each of the places before.
fn shell_generics(header: &Header) -> syn::Generics {
    let mut generics = header.generics.clone();
    let is_param = |ty: &Type| {
        let argument = GenericArgument::Type(ty.clone());
        bounds::param_of(&header.generics, &argument).is_some()
    };
    if header.params.iter().any(|param| mentions(header, &param.ty) && !is_param(&param.ty)) {
        return generics;
    }
    generics.where_clause = None;
    for param in generics.type_params_mut() {
        param.colon_token = None;
        param.bounds.clear();
    }
    generics
}

/// Whether a type parameter of the flow is in a type.
fn mentions(header: &Header, ty: &Type) -> bool {
    let named = super::names(quote! { #ty });
    header.generics.type_params().any(|param| named.contains(&plain(&param.ident)))
}

/// What a flow can do. Where one of its routine types is not found, there is no second stage, and nothing is known of its
/// jobs: their type is then one that the compiler knows to be wrong, so that no use of it is an error again.
fn methods(
    p: &TokenStream,
    header: &Header,
    job: &TokenStream,
    cfg: &TokenStream,
    parts: &str,
) -> TokenStream {
    let Header { vis, name, .. } = header;
    let Generics { decl, args, clause, .. } = Generics::of(&header.generics);
    let of_flow = quote! { <#job as #p::OfFlow<Self>> };
    // What is private where the flow is public is not linked to, and no mistake of the user's.
    let documented = (!parts.is_empty()).then(|| {
        quote! { #[doc = #parts] #[allow(rustdoc::private_intra_doc_links, rustdoc::broken_intra_doc_links)] }
    });
    quote! {
        #cfg
        #documented
        #[allow(dead_code)]
        impl #decl #name #args #clause {
            /// A new job of this flow, in this thread: its configuration is evaluated now.
            #vis fn job(&self) -> #job {
                #of_flow::made(self)
            }

            /// Goes on with a saved job: on this flow's configuration and resources, and the saved state.
            #vis fn resume(&self, state: #p::JobState) -> #p::Result<#job> {
                #of_flow::resumed(self, state)
            }

            /// The flow as data.
            #vis fn graph() -> #p::Graph {
                #of_flow::graph()
            }
        }
    }
}
