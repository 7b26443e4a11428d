//! `#[event] fn word(text: String);`

use super::model::{Event, is_reserved};
use super::parse::Function;
use crate::diagnostic::{Diagnostics, coded};
use crate::owned::mistake;
use crate::text;
use quote::ToTokens;
use routilux_graph::{Code, did_you_mean};
use syn::{Attribute, FnArg, Meta, Pat, ReturnType, Token, Type};

/// After a mistake too, where the parameters can be read: who emits the event has no errors of their own then.
pub(super) fn read(function: &Function, attr: &Attribute, diagnostics: &mut Diagnostics) -> Option<Event> {
    let signature = &function.signature;
    let name = &signature.ident;
    let shape = format!("write `#[event] fn {name}(text: String);`, with the parameters it carries");
    let live = is_live(attr, diagnostics);
    if let Some(body) = &function.body {
        diagnostics.error(Code::EventShape, body, format!("the event `{name}` has a body"), &shape);
    } else if let Some(receiver) = signature.receiver() {
        diagnostics.error(Code::EventShape, receiver, format!("the event `{name}` takes `self`"), &shape);
    }
    if let Some(asyncness) = &signature.asyncness {
        let message = format!("the event `{name}` is `async`: it does nothing that could be awaited");
        diagnostics.error(Code::EventShape, asyncness, message, &shape);
    }
    if !signature.generics.params.is_empty() {
        diagnostics.error(
            Code::EventShape,
            &signature.generics,
            "an event has no type parameters of its own",
            "use those of the routine",
        );
        return None;
    }
    if let ReturnType::Type(_, ty) = &signature.output {
        diagnostics.error(Code::EventShape, ty, format!("the event `{name}` returns something"), &shape);
    }
    is_reserved(name, "an event", diagnostics);
    let mut params = Vec::new();
    for input in &signature.inputs {
        let FnArg::Typed(typed) = input else { continue };
        let Pat::Ident(pat) = &*typed.pat else {
            diagnostics.error(
                Code::EventShape,
                &typed.pat,
                "a parameter of an event is a name and a type",
                shape,
            );
            return None;
        };
        owned(&typed.ty, diagnostics)?;
        params.push((pat.ident.clone(), (*typed.ty).clone()));
    }
    let docs = function.attrs.iter().filter(|attr| attr.path().is_ident("doc")).cloned().collect();
    Some(Event { name: name.clone(), docs, params, live })
}

/// The one option of an event. A misspelt one is taken for it, so that what uses the event has no errors of its own.
fn is_live(attr: &Attribute, diagnostics: &mut Diagnostics) -> bool {
    const WRITE: &str = "write `#[event(live)]`";
    let list = match &attr.meta {
        Meta::Path(_) => return false,
        Meta::List(list) => list,
        Meta::NameValue(value) => {
            diagnostics.error(Code::OptionValue, value, "`#[event]` takes its option in brackets", WRITE);
            return true;
        }
    };
    let parsed = list.parse_args_with(syn::punctuated::Punctuated::<Meta, Token![,]>::parse_terminated);
    let metas = match parsed {
        Ok(metas) => metas,
        Err(problem) => {
            let what = "the option of `#[event]` cannot be read";
            diagnostics.add(coded(Code::OptionValue, problem, &list.to_token_stream(), what, WRITE));
            return true;
        }
    };
    let mut live = false;
    for meta in metas {
        let key = text::of(meta.path());
        match (key.as_str(), &meta) {
            ("live", Meta::Path(_)) => {}
            ("live", _) => diagnostics.error(Code::OptionValue, &meta, "`live` takes no value", WRITE),
            _ => {
                let near = did_you_mean(&key, ["live"]);
                let help = match near {
                    Some(near) => format!("did you mean `{near}`? It is the only option"),
                    None => "the only option is `live`, for an event that leaves before its step has ended"
                        .to_owned(),
                };
                diagnostics.error(
                    Code::UnknownOption,
                    meta.path(),
                    format!("`#[event]` has no option `{key}`"),
                    help,
                );
                if near.is_none() {
                    continue;
                }
            }
        }
        live = true;
    }
    live
}

/// A payload is owned, whatever it is.
fn owned(ty: &Type, diagnostics: &mut Diagnostics) -> Option<()> {
    let (message, help) = match ty {
        Type::Path(path) if path.path.is_ident("Self") => {
            let message = "a routine does not travel in an event of its own";
            (message, "send what the receiver needs".to_owned())
        }
        ty => match mistake(ty) {
            Some(mistake) => mistake,
            None => return Some(()),
        },
    };
    diagnostics.error(Code::PayloadShape, ty, message, help);
    None
}
