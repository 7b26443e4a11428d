//! The type parameters of a flow, as each generated item needs them. A flow without any is generated as if there were none.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericParam, WherePredicate};

pub(super) struct Generics {
    /// `<T: Payload>`
    pub(super) decl: TokenStream,
    /// `T: Payload`, without the angle brackets.
    pub(super) listed: Vec<TokenStream>,
    /// `<T>`
    pub(super) args: TokenStream,
    /// `T`
    pub(super) listed_args: Vec<Ident>,
    /// `where ..`
    pub(super) clause: TokenStream,
    pub(super) predicates: Vec<TokenStream>,
    params: Vec<GenericParam>,
}

impl Generics {
    pub(super) fn of(written: &syn::Generics) -> Self {
        let mut params: Vec<GenericParam> = written.params.iter().cloned().collect();
        for param in &mut params {
            match param {
                GenericParam::Type(param) => {
                    param.default = None;
                }
                GenericParam::Const(param) => {
                    param.default = None;
                }
                GenericParam::Lifetime(_) => {}
            }
        }
        let names: Vec<Ident> = params.iter().filter_map(name).cloned().collect();
        let given = written.where_clause.iter().flat_map(|clause| &clause.predicates);
        // What a job holds is there for as long as the job.
        let lasting = params.iter().filter_map(|param| match param {
            GenericParam::Type(param) => Some(&param.ident),
            _ => None,
        });
        let predicates: Vec<TokenStream> = given
            .map(WherePredicate::to_token_stream)
            .chain(lasting.map(|name| quote! { #name: 'static }))
            .collect();
        let wrapped = |tokens: TokenStream| match params.is_empty() {
            true => TokenStream::new(),
            false => tokens,
        };
        Generics {
            decl: wrapped(quote! { <#(#params),*> }),
            listed: params.iter().map(GenericParam::to_token_stream).collect(),
            args: wrapped(quote! { <#(#names),*> }),
            listed_args: names,
            clause: match predicates.is_empty() {
                true => TokenStream::new(),
                false => quote! { where #(#predicates),* },
            },
            predicates,
            params,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.params.is_empty()
    }

    /// The parameters that are named among the tokens, as arguments: `<T>`, or nothing.
    pub(super) fn args_in(&self, tokens: &TokenStream) -> TokenStream {
        let named = self.named_in(tokens);
        let names = named.iter().filter_map(|param| name(param));
        match named.is_empty() {
            true => TokenStream::new(),
            false => quote! { <#(#names),*> },
        }
    }

    /// The same as the parameters of an alias, which has no bounds: `<T>`.
    pub(super) fn decl_in(&self, tokens: &TokenStream) -> TokenStream {
        let params = self.named_in(tokens).into_iter().map(|param| match param {
            GenericParam::Type(param) => param.ident.to_token_stream(),
            other => other.to_token_stream(),
        });
        let params: Vec<TokenStream> = params.collect();
        match params.is_empty() {
            true => TokenStream::new(),
            false => quote! { <#(#params),*> },
        }
    }

    fn named_in(&self, tokens: &TokenStream) -> Vec<&GenericParam> {
        self.params.iter().filter(|param| name(param).is_some_and(|name| is_in(name, tokens))).collect()
    }

    /// A name for a type, standing at `place`: its declaration, and the type. Within a function a name for a type has type
    /// parameters of its own.
    pub(super) fn alias(&self, alias: &str, place: Span, ty: &TokenStream) -> (TokenStream, TokenStream) {
        let alias = Ident::new(alias, place);
        let (decl, args) = (self.decl_in(ty), self.args_in(ty));
        (quote! { type #alias #decl = #ty; }, quote! { #alias #args })
    }

    /// For a struct with named fields: one that uses every type parameter, and its value.
    pub(super) fn phantom(&self) -> (TokenStream, TokenStream) {
        if self.is_empty() {
            return (TokenStream::new(), TokenStream::new());
        }
        let types = self.phantom_types();
        (
            quote! { __routilux: ::core::marker::PhantomData<fn() -> (#(#types,)*)>, },
            quote! { __routilux: ::core::marker::PhantomData, },
        )
    }

    /// The same for a tuple struct, each with a comma before it.
    pub(super) fn phantom_field(&self) -> TokenStream {
        match self.is_empty() {
            true => TokenStream::new(),
            false => {
                let types = self.phantom_types();
                quote! { , ::core::marker::PhantomData<fn() -> (#(#types,)*)> }
            }
        }
    }

    pub(super) fn phantom_value(&self) -> TokenStream {
        match self.is_empty() {
            true => TokenStream::new(),
            false => quote! { , ::core::marker::PhantomData },
        }
    }

    fn phantom_types(&self) -> Vec<&Ident> {
        let types = self.params.iter().filter_map(|param| match param {
            GenericParam::Type(param) => Some(&param.ident),
            _ => None,
        });
        types.collect()
    }
}

fn name(param: &GenericParam) -> Option<&Ident> {
    match param {
        GenericParam::Type(param) => Some(&param.ident),
        GenericParam::Const(param) => Some(&param.ident),
        GenericParam::Lifetime(_) => None,
    }
}

fn is_in(name: &Ident, tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => is_in(name, &group.stream()),
        _ => false,
    })
}
