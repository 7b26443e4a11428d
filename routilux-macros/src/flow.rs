//! `flow!`, in two stages. The first sees only the flow: it writes the flow's struct and asks each routine type
//! for its port table, by the macro of the type's own name, each passing the question on to the next. The
//! second is called with all tables, checks the wiring and writes what runs it; after an error it writes
//! stubs, so that who uses the flow has no errors of their own. It also writes the macro of the flow's own name, which
//! answers other flows: what an `in` takes and what it reaches is not known before. For rustdoc the second stage writes the struct too,
//! because its documentation says what the tables say.

mod advice;
mod check;
mod closure;
mod connect;
mod conversions;
mod expand;
mod model;
mod parameters;
mod parse;
mod pieces;
mod policy;
mod ports;
mod source_text;

use crate::bounds;
use crate::diagnostic::{Diagnostics, coded};
use crate::editor;
use crate::routine::answering_macro;
use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote;
use routilux_graph::Code;

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut tokens = input.into_iter();
    match (tokens.next(), tokens.next()) {
        // @tables { [$crate] { flow } } { tables }
        (Some(TokenTree::Punct(_)), Some(TokenTree::Ident(_))) => match (tokens.next(), tokens.next()) {
            (Some(TokenTree::Group(state)), Some(TokenTree::Group(tables))) => second_stage(&state, &tables),
            _ => TokenStream::new(),
        },
        // [$crate] flow
        (Some(TokenTree::Group(krate)), first) => {
            first_stage(krate.stream(), first.into_iter().chain(tokens).collect())
        }
        _ => TokenStream::new(),
    }
}

fn first_stage(krate: TokenStream, flow: TokenStream) -> TokenStream {
    let header = match parse::header(flow.clone()) {
        Ok(header) => header,
        Err(error) => {
            let help = "write `flow! { pub flow Name(parameter: Type) { .. } }`";
            let error = coded(Code::FlowHeader, error, &flow, "this flow cannot be read", help);
            return error.to_compile_error();
        }
    };
    let private = quote! { #krate::__private };
    let editor = editor::asks().then(|| expand::editor(&private, &header));
    if editor.is_some() && expand::is_completed(&header) {
        return quote! { #editor };
    }
    let paths = ports::distinct(&parse::statements(&header.body), &header.name);
    // An editor is told the type of a job that is a job only.
    let shell = match editor.is_some() {
        true => expand::plain_shell(&private, &header),
        false => expand::shell(&private, &header, &paths),
    };
    let paths = paths.iter().map(|path| match editor.is_some() {
        // The name is that of the type, and not of the macro too.
        true => editor::unplaced(quote! { #path }, TokenStream::new()),
        false => quote! { #path },
    });
    let paths: Vec<TokenStream> = paths.collect();
    let ask = |state: TokenStream| match paths.split_first() {
        Some((first, others)) => {
            quote! { #first! { @ports [#((#others))*] [#private::flow_stage] #state {} } }
        }
        None => quote! { #private::flow_stage! { @tables #state {} } },
    };
    let (plain, documented) =
        (ask(quote! { { [#krate] {#flow} } }), ask(quote! { { [#krate] {#flow} doc } }));
    quote! {
        #editor
        #shell
        #[cfg(not(doc))]
        #plain
        #[cfg(doc)]
        #documented
    }
}

fn second_stage(state: &Group, tables: &Group) -> TokenStream {
    let mut state = state.stream().into_iter();
    let (Some(TokenTree::Group(krate)), Some(TokenTree::Group(flow))) = (state.next(), state.next()) else {
        return TokenStream::new();
    };
    let is_documented = state.next().is_some();
    // The first stage has told the errors of the header.
    let Ok(header) = parse::header(flow.stream()) else { return TokenStream::new() };
    let (krate, written) = (krate.stream(), flow.stream());
    let private = quote! { #krate::__private };
    let mut diagnostics = Diagnostics::default();
    let statements = parse::statements(&header.body);
    let tables = ports::tables(tables.stream());
    let mut model = model::build(&header, statements, tables, &mut diagnostics);
    let warnings = check::check(&header, &model, &mut diagnostics);
    // `#[allow(deprecated)]` on the flow is about these too.
    let mut allowed = header.attrs.iter().filter(|attr| attr.path().is_ident("allow")).peekable();
    let warnings = match allowed.peek() {
        Some(_) => quote! { #(#allowed)* const _: () = { #warnings }; },
        None => warnings,
    };
    let shell = is_documented.then(|| expand::documented_shell(&private, &header, &model));
    match diagnostics.is_empty() && model.broken.is_empty() {
        true => {
            if editor::asks() {
                expand::leave_code_to_editor(&private, &mut model);
            }
            let mut flow = expand::flow(&private, &header, &model);
            if editor::asks() {
                flow = editor::unplaced(flow, written);
                flow.extend(expand::in_editor(&private, &header, &model));
            }
            let table = answering_macro(
                &header.name,
                ports::flow_table(
                    &model.as_instance(),
                    model.has_waiting(),
                    &header.params_as_text(),
                    &bounds::of_all(&header.generics),
                ),
            );
            quote! { #shell #flow #table #warnings }
        }
        false => {
            let (first, others) = diagnostics.split();
            // An editor does not know of a value that it is wrong, and would tell of its type.
            let (first, wrong) = match editor::asks() {
                true => (first.map(|first| quote! { const _: usize = #first; }), None),
                false => (None, first.or_else(|| model.wrong_by_routine(&private, &header))),
            };
            let stub = expand::stub(&private, &header, &model, wrong.as_ref());
            let table = ports::broken_table(&model.live_outputs(), wrong.is_some());
            let table = answering_macro(&header.name, table);
            quote! { #shell #stub #table #first #others }
        }
    }
}
