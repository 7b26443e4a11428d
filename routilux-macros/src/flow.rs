//! `flow!`, in two stages. The first sees only the flow: it writes the flow's struct and asks each routine type
//! for its port table, by the macro of the type's own name, each passing the question on to the next. The
//! second is called with all tables, checks the wiring and writes what runs it; after an error it writes
//! stubs, so that who uses the flow has no errors of their own. It also writes the macro of the flow's own name, which
//! answers other flows: what an `in` takes and what it reaches is not known before.

mod check;
mod closure;
mod connect;
mod expand;
mod model;
mod parse;
mod pieces;
mod policy;
mod ports;
mod source_text;

use crate::bounds;
use crate::diagnostic::Diagnostics;
use crate::editor;
use crate::routine::answering_macro;
use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote;

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
        Err(error) => return error.to_compile_error(),
    };
    let private = quote! { #krate::__private };
    let editor = editor::asks().then(|| expand::editor(&private, &header));
    if editor.is_some() && expand::is_completed(&header) {
        return quote! { #editor };
    }
    let shell = expand::shell(&header);
    let state = quote! { { [#krate] {#flow} } };
    let paths = ports::distinct(&parse::statements(&header.body), &header.name).into_iter();
    let paths = paths.map(|path| match editor.is_some() {
        // The name is that of the type, and not of the macro too.
        true => editor::unplaced(quote! { #path }, TokenStream::new()),
        false => quote! { #path },
    });
    let paths: Vec<TokenStream> = paths.collect();
    let ask = match paths.split_first() {
        Some((first, others)) => {
            quote! { #first! { @ports [#((#others))*] [#private::flow_stage] #state {} } }
        }
        None => quote! { #private::flow_stage! { @tables #state {} } },
    };
    quote! { #editor #shell #ask }
}

fn second_stage(state: &Group, tables: &Group) -> TokenStream {
    let mut state = state.stream().into_iter();
    let (Some(TokenTree::Group(krate)), Some(TokenTree::Group(flow))) = (state.next(), state.next()) else {
        return TokenStream::new();
    };
    // The first stage has told the errors of the header.
    let Ok(header) = parse::header(flow.stream()) else { return TokenStream::new() };
    let (krate, written) = (krate.stream(), flow.stream());
    let private = quote! { #krate::__private };
    let mut diagnostics = Diagnostics::default();
    let statements = parse::statements(&header.body);
    let tables = ports::tables(tables.stream());
    let mut model = model::build(&header, statements, tables, &mut diagnostics);
    let warnings = check::check(&header, &model, &mut diagnostics);
    match diagnostics.is_empty() && !model.has_broken_routine {
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
                    &bounds::of_all(&header.generics),
                ),
            );
            quote! { #flow #table #warnings }
        }
        false => {
            let stub = expand::stub(&private, &header, &model);
            let table = answering_macro(&header.name, ports::broken_table(&model.live_outputs()));
            let errors = diagnostics.into_tokens();
            quote! { #stub #table #errors }
        }
    }
}
