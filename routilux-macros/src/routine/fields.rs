//! `#[routine]` on a struct: which field is configuration, state, resource or transient, and what follows.

use super::args::Args;
use super::bounds::unbounded;
use crate::diagnostic::{Diagnostics, at, error};
use crate::document;
use crate::editor;
use crate::owned::{borrowed_for_ever, owned};
use crate::text;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use routilux_graph::{Code, did_you_mean};
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::{Attribute, Field, Fields, GenericParam, Generics, Ident, ItemStruct, Meta};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Configuration or resource: given in the flow.
    Given,
    State,
    Transient,
}

struct Model {
    fields: Vec<(Kind, Field)>,
    /// Whether what follows from the fields can be written. If not, a stub is.
    understood: bool,
}

pub(super) fn expand(args: &Args, item: TokenStream) -> TokenStream {
    let written = item.clone();
    let mut item: ItemStruct = match syn::parse2(item.clone()) {
        Ok(item) => item,
        Err(error) => return super::with_item(super::unreadable(error, &item), item),
    };
    let mut diagnostics = Diagnostics::default();
    let mut model = model(&mut item, &mut diagnostics);
    check(&mut item, &mut model, &mut diagnostics);
    // With errors too, where it can be: who uses the routine has none of their own then.
    let mut generated = match model.understood {
        true => generate(args, &item, &model),
        // Nothing that it could be a stub of borrows.
        false if item.generics.lifetimes().next().is_some() => told(args, &item),
        false => stub(args, &item),
    };
    if editor::asks() {
        generated = editor::unplaced(generated, written);
    }
    let errors = diagnostics.into_tokens();
    let of_kind =
        |wanted: Kind| model.fields.iter().filter(move |(kind, _)| *kind == wanted).map(|(_, field)| field);
    let docs = document::fields("Configuration", of_kind(Kind::Given))
        + &document::fields("State", of_kind(Kind::State));
    let docs = document::attribute(&docs);
    item.attrs.extend(Attribute::parse_outer.parse2(docs).unwrap_or_default());
    quote! { #item #generated #errors }
}

/// Reads the marks off the fields and takes them away.
fn model(item: &mut ItemStruct, diagnostics: &mut Diagnostics) -> Model {
    let mut fields = Vec::new();
    for field in item.fields.iter_mut() {
        let (marks, others): (Vec<Attribute>, Vec<Attribute>) =
            std::mem::take(&mut field.attrs).into_iter().partition(|attr| mark(attr).is_some());
        field.attrs = others;
        let misspelt = misspelt(&mut field.attrs);
        if let Some((attr, near)) = &misspelt {
            let name = text::of(attr.path());
            let help = format!("did you mean `#[{near}]`?");
            diagnostics.error(Code::FieldMark, attr, format!("a field has no mark `#[{name}]`"), help);
        }
        if let Some(second) = marks.get(1) {
            diagnostics.error(Code::FieldMark, second, "a field is of one kind", "keep one of the two marks");
        }
        for attr in &marks {
            if !matches!(attr.meta, Meta::Path(_)) {
                let name = text::of(attr.path());
                diagnostics.error(
                    Code::FieldMark,
                    attr,
                    format!("`#[{name}]` takes no argument"),
                    format!("write `#[{name}]`"),
                );
            }
        }
        let meant = misspelt.and_then(|(_, near)| kind(near));
        let kind = marks.first().and_then(mark).or(meant).unwrap_or(Kind::Given);
        fields.push((kind, field.clone()));
    }
    Model { fields, understood: true }
}

fn mark(attr: &Attribute) -> Option<Kind> {
    kind(&attr.path().get_ident()?.to_string())
}

fn kind(mark: &str) -> Option<Kind> {
    match mark {
        "state" => Some(Kind::State),
        "resource" => Some(Kind::Given),
        "transient" => Some(Kind::Transient),
        _ => None,
    }
}

/// Takes away what was probably meant for a mark, and says which.
fn misspelt(attrs: &mut Vec<Attribute>) -> Option<(Attribute, &'static str)> {
    let found = attrs.iter().enumerate().find_map(|(at, attr)| {
        let near = did_you_mean(&attr.path().get_ident()?.to_string(), ["state", "resource", "transient"])?;
        Some((at, near))
    });
    found.map(|(at, near)| (attrs.remove(at), near))
}

fn check(item: &mut ItemStruct, model: &mut Model, diagnostics: &mut Diagnostics) {
    if let Fields::Unnamed(fields) = &item.fields {
        model.understood = false;
        diagnostics.error(
            Code::UnnamedField,
            fields,
            "the fields of a routine have names",
            "a flow gives the configuration by name: write `{ name: Type }`",
        );
    }
    for param in &item.generics.params {
        if let GenericParam::Lifetime(lifetime) = param {
            model.understood = false;
            diagnostics.error(
                Code::RoutineBorrows,
                lifetime,
                "a routine borrows nothing",
                "a saved job could not hold it: own the value, or share it by `Arc`",
            );
        }
    }
    model.understood &= !unbounded(&item.generics, diagnostics);
    let own_name = item.ident.to_string();
    let mut recursive = false;
    for (_, field) in &model.fields {
        if let Some(cfg) = field.attrs.iter().find(|attr| attr.path().is_ident("cfg")) {
            let help = "put it on the struct and on the whole `impl` block, and write the routine once for each case";
            diagnostics.error(
                Code::ConditionalPort,
                cfg,
                "a routine has the same fields in every build: `#[cfg]` cannot stand on one",
                help,
            );
        }
        if let Some(name) = mentions(field.ty.to_token_stream(), &[own_name.as_str(), "Self"]) {
            let help =
                "a routine is in the flow, not in another routine: hold what it needs, or connect the two";
            diagnostics.error(
                Code::RoutineInItself,
                &name,
                "a routine cannot hold a routine of its own type",
                help,
            );
            recursive = true;
        }
    }
    model.understood &= !recursive;
    borrowing(item, model, diagnostics);
    for (kind, field) in &mut model.fields {
        if *kind == Kind::State
            && let Some(shared) = shared_mutable(field.ty.to_token_stream())
        {
            diagnostics.add(error(Code::SharedState,
                &shared,
                format!("`{shared}` cannot be `#[state]`: it changes through `&self`, so a failed attempt could not be undone"),
                "keep a plain value and change it in a `&mut self` handler, or mark the field `#[resource]` or `#[transient]`",
            ));
            // It may have other mistakes as state, which follow from this one.
            *kind = Kind::Transient;
        }
    }
}

/// A field that borrows has a lifetime in the struct's parameters, where that is told, or none.
fn borrowing(item: &mut ItemStruct, model: &mut Model, diagnostics: &mut Diagnostics) {
    if item.generics.lifetimes().next().is_some() {
        return;
    }
    for (field, (kind, known)) in item.fields.iter_mut().zip(&mut model.fields) {
        if let Some(borrowed) = borrowed_for_ever(&field.ty)
            && let Some(owned) = owned(&field.ty)
        {
            let help =
                format!("own the value, as `{owned}`, or share it by `Arc`: a saved job could not hold it");
            diagnostics.error(Code::RoutineBorrows, &field.ty, "a routine borrows nothing", help);
            // So that nothing follows from it.
            (field.ty, known.ty, *kind) = (borrowed.clone(), borrowed, Kind::Given);
        }
    }
}

/// The first of these names in a type, where it stands alone.
fn mentions(ty: TokenStream, names: &[&str]) -> Option<Ident> {
    let tokens: Vec<TokenTree> = ty.into_iter().collect();
    let after_path =
        |at: usize| at > 0 && matches!(&tokens[at - 1], TokenTree::Punct(punct) if punct.as_char() == ':');
    tokens.iter().enumerate().find_map(|(at, token)| match token {
        TokenTree::Ident(ident) if !after_path(at) && names.contains(&ident.to_string().as_str()) => {
            Some(ident.clone())
        }
        TokenTree::Group(group) => mentions(group.stream(), names),
        _ => None,
    })
}

/// The first name in a type that is known to change behind a shared reference.
fn shared_mutable(ty: TokenStream) -> Option<Ident> {
    ty.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) => {
            let name = ident.to_string();
            let known = [
                "Cell",
                "RefCell",
                "OnceCell",
                "LazyCell",
                "UnsafeCell",
                "Mutex",
                "RwLock",
                "OnceLock",
                "LazyLock",
            ];
            (known.contains(&name.as_str()) || (name.starts_with("Atomic") && name.len() > 6))
                .then_some(ident)
        }
        TokenTree::Group(group) => shared_mutable(group.stream()),
        _ => None,
    })
}

fn generate(args: &Args, item: &ItemStruct, model: &Model) -> TokenStream {
    let p = &args.private;
    let ident = &item.ident;
    let (impl_generics, ty_generics, where_clause) = item.generics.split_for_impl();
    let outer_generics = without_bounds(&item.generics);

    let of_kind =
        |wanted: Kind| model.fields.iter().filter(move |(kind, _)| *kind == wanted).map(|(_, field)| field);
    let given: Vec<&Field> = of_kind(Kind::Given).collect();
    let state: Vec<&Field> = of_kind(Kind::State).collect();
    let transient: Vec<&Field> = of_kind(Kind::Transient).collect();
    let given_names: Vec<_> = given.iter().map(|field| &field.ident).collect();
    let given_types: Vec<_> = given.iter().map(|field| &field.ty).collect();
    let given_docs = given.iter().map(|field| docs(field));
    let given_docs: Vec<TokenStream> = given_docs.collect();

    // The configuration as a struct that is found beside the routine, so that the compiler's messages about a missing,
    // unknown or mistyped field name the routine. That of a generic routine has its field types as parameters, so
    // that each is used.
    let config = format_ident!("ConfigurationOf{}", super::plain(ident), span = Span::call_site());
    let (configuration, configuration_type) = match item.generics.params.is_empty() {
        true => (
            quote! { pub struct #config { #(#given_docs pub #given_names: #given_types,)* } },
            quote! { #config },
        ),
        false => {
            let params: Vec<Ident> = (0..given.len()).map(|n| format_ident!("__F{n}")).collect();
            (
                quote! { pub struct #config<#(#params),*> { #(#given_docs pub #given_names: #params,)* } },
                quote! { #config<#(#given_types),*> },
            )
        }
    };

    // One function for each field that starts by itself, so that a type that has no default is told once.
    let turbofish = ty_generics.as_turbofish();
    let starting: Vec<&Field> =
        model.fields.iter().filter(|(kind, _)| *kind != Kind::Given).map(|(_, field)| field).collect();
    let fresh: Vec<Ident> = (0..starting.len()).map(|n| format_ident!("__fresh{n}")).collect();
    let starts = starting.iter().zip(&fresh).map(|(field, fresh)| {
        let ty = &field.ty;
        let start = at(ty.span(), quote! { <#ty as #p::Starts>::start() });
        quote! { fn #fresh #impl_generics() -> #ty #where_clause { #start } }
    });
    let starting_names: Vec<_> = starting.iter().map(|field| &field.ident).collect();
    let transient_fresh: Vec<&Ident> = fresh
        .iter()
        .zip(model.fields.iter().filter(|(kind, _)| *kind != Kind::Given))
        .filter(|(_, (kind, _))| *kind == Kind::Transient)
        .map(|(fresh, _)| fresh)
        .collect();
    let marker = {
        let params = item.generics.params.iter().filter_map(|param| match param {
            GenericParam::Type(param) => Some(&param.ident),
            _ => None,
        });
        quote! { ::core::marker::PhantomData<fn() -> (#(#params,)*)> }
    };
    let generics = &item.generics;
    let state_names: Vec<_> = state.iter().filter_map(|field| field.ident.as_ref()).collect();
    let state_texts = state_names.iter().map(|name| text::of(name).trim_start_matches("r#").to_owned());
    let state_types: Vec<_> = state.iter().map(|field| &field.ty).collect();
    let state_refs = state.iter().map(|field| {
        let name = &field.ident;
        at(field.ty.span(), quote! { &self.#name as &dyn #p::StateField })
    });
    let numbers = 0..state.len();
    let copies: Vec<Ident> =
        (0..state.len()).map(|n| Ident::new(&format!("__f{n}"), Span::mixed_site())).collect();
    let snapshot_where = {
        let existing = where_clause.iter().flat_map(|clause| &clause.predicates);
        quote! { where #(#existing,)* #(for<'__routilux> #state_types: #p::StateCopy,)* }
    };
    let transient_names: Vec<_> = transient.iter().map(|field| &field.ident).collect();
    let on_threads = on_threads(p, item, model);

    quote! {
        #[doc(hidden)]
        #[allow(dead_code, non_camel_case_types, private_interfaces, unreachable_pub, missing_docs, missing_debug_implementations, clippy::all)]
        #configuration

        #[doc(hidden)]
        #[allow(dead_code, non_camel_case_types, non_snake_case, private_interfaces, private_bounds, unreachable_pub, missing_docs, clippy::all)]
        const _: () = {
            type __RoutiluxOuter #outer_generics = #ident #ty_generics;
            const _: () = {
                // A struct, because a tuple would make a private type of a field part of a public interface.
                pub struct __RoutiluxCopy #generics(#(#state_types,)* #marker) #where_clause;

                #(#starts)*

                #on_threads

                #[automatically_derived]
                impl #impl_generics #p::Fields for __RoutiluxOuter #ty_generics #where_clause {
                    type Configuration = #configuration_type;
                    const STATE: &'static [&'static str] = &[#(#state_texts),*];

                    #[allow(unused_variables)]
                    fn assemble(configuration: Self::Configuration) -> Self {
                        Self {
                            #(#given_names: configuration.#given_names,)*
                            #(#starting_names: #fresh #turbofish(),)*
                        }
                    }

                    fn state(&self) -> ::std::vec::Vec<&dyn #p::StateField> {
                        ::std::vec![#(#state_refs),*]
                    }

                    #[allow(unused_variables)]
                    fn set_state(&mut self, field: usize, value: ::std::boxed::Box<dyn ::core::any::Any>) {
                        match field {
                            #(#numbers => if let ::core::result::Result::Ok(value) = value.downcast() {
                                self.#state_names = *value;
                            },)*
                            _ => {}
                        }
                    }

                    fn reset_transient(&mut self) {
                        #(self.#transient_names = #transient_fresh #turbofish();)*
                    }

                    #[allow(unused_variables)]
                    fn swap_state(&mut self, other: &mut Self) {
                        #(::core::mem::swap(&mut self.#state_names, &mut other.#state_names);)*
                    }
                }

                #[automatically_derived]
                impl #impl_generics #p::Snapshot for __RoutiluxOuter #ty_generics #snapshot_where {
                    type Copy = __RoutiluxCopy #ty_generics;

                    #[inline]
                    fn copy(&self) -> Self::Copy {
                        __RoutiluxCopy(#(::core::clone::Clone::clone(&self.#state_names),)* ::core::marker::PhantomData)
                    }

                    fn put_back(&mut self, __RoutiluxCopy(#(#copies,)* _): Self::Copy) {
                        #(self.#state_names = #copies;)*
                    }
                }
            };
        };
    }
}

/// Whether the routine can run on threads is asked where a job is started and not before. A trait for each field, so that
/// the error names the field.
fn on_threads(p: &TokenStream, item: &ItemStruct, model: &Model) -> TokenStream {
    let (impl_generics, ty_generics, where_clause) = item.generics.split_for_impl();
    let existing: Vec<_> = where_clause.iter().flat_map(|clause| &clause.predicates).collect();
    let asked: Vec<&Field> =
        model.fields.iter().map(|(_, field)| field).filter(|field| !is_plain_data(&field.ty)).collect();
    let kinds = [
        ("Send", quote!(Send), quote!(SendFields), "sent to another thread"),
        ("Sync", quote!(Send + ::core::marker::Sync), quote!(SyncFields), "used by several threads at once"),
    ];
    let routine = text::of(&item.ident);
    let of_kind = kinds.into_iter().map(|(kind, bound, fields, what)| {
        let names: Vec<Ident> =
            (0..asked.len()).map(|number| format_ident!("__{kind}Field{number}")).collect();
        let types = asked.iter().map(|field| &field.ty);
        let traits = asked.iter().zip(&names).map(|(field, name)| {
            let field = field.ident.as_ref().map(text::of).unwrap_or_default();
            let message = format!(
                "`{routine}` cannot run on threads: its field `{field}` is `{{Self}}`, which cannot be {what} [{}]",
                Code::NotOnThreads
            );
            let note = match kind {
                "Send" => "use `Arc` instead of `Rc`; or run the job in this thread, with `run()`",
                _ => "`{Self}` has to be `Send` and `Sync`, because the routine has handlers that take `&self` and run at the same time: use `Arc` \
                      instead of `Rc`, and `Mutex` instead of `RefCell`; or take `&mut self` in all of them",
            };
            quote! {
                #[diagnostic::on_unimplemented(message = #message, label = "needs routines that can run on threads", note = #note)]
                pub trait #name: ::core::marker::#bound {}
                #[diagnostic::do_not_recommend]
                impl<__T: ::core::marker::#bound> #name for __T {}
            }
        });
        quote! {
            #(#traits)*
            impl #impl_generics #p::#fields for __RoutiluxOuter #ty_generics
            where #(#existing,)* #(for<'__routilux> #types: #names,)* {}
        }
    });
    of_kind.collect()
}

/// Whether a type is known to be safe for threads by its name.
fn is_plain_data(ty: &syn::Type) -> bool {
    let known = [
        "bool",
        "char",
        "u8",
        "u16",
        "u32",
        "u64",
        "u128",
        "usize",
        "i8",
        "i16",
        "i32",
        "i64",
        "i128",
        "isize",
        "f32",
        "f64",
        "String",
        "PathBuf",
        "Duration",
        "SystemTime",
        "Instant",
    ];
    matches!(ty, syn::Type::Path(path) if path.path.get_ident().is_some_and(|name| known.contains(&name.to_string().as_str())))
}

/// The docs of a field, which an editor shows where the flow gives it.
fn docs(field: &Field) -> TokenStream {
    let docs = field.attrs.iter().filter(|attr| editor::asks() && attr.path().is_ident("doc"));
    quote! { #(#docs)* }
}

/// Just enough for the `impl` block to compile.
fn stub(args: &Args, item: &ItemStruct) -> TokenStream {
    let p = &args.private;
    let ident = &item.ident;
    let (impl_generics, ty_generics, where_clause) = item.generics.split_for_impl();
    let given = where_clause.iter().flat_map(|clause| &clause.predicates);
    let params = item.generics.type_params().map(|param| &param.ident);
    quote! {
        impl #impl_generics #p::Fields for #ident #ty_generics where #(#params: 'static,)* #(#given,)* {
            type Configuration = ();
            const STATE: &'static [&'static str] = &[];
            fn assemble(_: ()) -> Self { ::core::unreachable!() }
            fn state(&self) -> ::std::vec::Vec<&dyn #p::StateField> { ::core::unreachable!() }
            fn set_state(&mut self, _: usize, _: ::std::boxed::Box<dyn ::core::any::Any>) {}
            fn reset_transient(&mut self) {}
            fn swap_state(&mut self, _: &mut Self) {}
        }
    }
}

/// That it borrows has been told.
fn told(args: &Args, item: &ItemStruct) -> TokenStream {
    let (p, ident) = (&args.private, &item.ident);
    let (impl_generics, ty_generics, where_clause) = item.generics.split_for_impl();
    quote! { impl #impl_generics #p::Told for #ident #ty_generics #where_clause {} }
}

/// The parameters of a struct as those of an alias for it.
fn without_bounds(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    generics.where_clause = None;
    for param in &mut generics.params {
        match param {
            GenericParam::Type(param) => {
                param.colon_token = None;
                param.bounds.clear();
                param.default = None;
            }
            GenericParam::Const(param) => param.default = None,
            GenericParam::Lifetime(_) => {}
        }
    }
    generics
}
