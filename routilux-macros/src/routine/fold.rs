//! `#[merge] fn add(acc: &mut u64, n: u32)`: what a slot makes of its arrivals.

use super::model::{Fold, Param, Pass};
use super::parse::Function;
use super::signature::{Role, role};
use super::types::bare;
use crate::diagnostic::Diagnostics;
use crate::owned::{mistake, owned, without_references};
use crate::text;
use routilux_graph::Code;
use syn::{Attribute, FnArg, Meta, Type};

const SHAPE: &str = "write `#[merge] fn add(acc: &mut Acc, value: T)`: it starts at the `Default` of `Acc`";

/// A fold with a mistake in it is there too: what names it has no error of its own.
pub(super) fn read(function: &Function, attr: &Attribute, diagnostics: &mut Diagnostics) -> Fold {
    let understood = understand(function, attr, diagnostics);
    Fold { name: function.signature.ident.clone(), understood }
}

fn understand(
    function: &Function,
    attr: &Attribute,
    diagnostics: &mut Diagnostics,
) -> Option<(Type, Vec<Param>)> {
    let signature = &function.signature;
    let name = &signature.ident;
    if !matches!(attr.meta, Meta::Path(_)) {
        let help = format!("write `#[merge]`; a slot names it: `#[slot(merge = {name})]`");
        diagnostics.error(Code::FoldShape, attr, "`#[merge]` takes no option", help);
        return None;
    }
    if function.body.is_none() {
        diagnostics.error(Code::FoldShape, signature, format!("the fold `{name}` has no body"), SHAPE);
        return None;
    }
    if let Some(asyncness) = &signature.asyncness {
        diagnostics.error(
            Code::FoldShape,
            asyncness,
            "a fold is not `async`: it only gathers",
            "wait in the handler that takes what was gathered",
        );
        return None;
    }
    if let Some(receiver) = signature.receiver() {
        let help = format!("{SHAPE}; what needs `self` is done in the handler");
        diagnostics.error(Code::FoldShape, receiver, "a fold does not take `self`: it only gathers", help);
        return None;
    }
    if !signature.generics.params.is_empty() {
        let help = "use those of the routine";
        diagnostics.error(
            Code::FoldShape,
            &signature.generics,
            "a fold has no type parameters of its own",
            help,
        );
        return None;
    }
    if let syn::ReturnType::Type(_, ty) = &signature.output {
        diagnostics.error(
            Code::FoldShape,
            ty,
            "a fold returns nothing: it changes what it has so far",
            SHAPE,
        );
        return None;
    }
    let mut inputs = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    let Some(first) = inputs.next() else {
        diagnostics.error(Code::FoldShape, name, "a fold takes what it has so far, and a value", SHAPE);
        return None;
    };
    let acc = match bare(&first.ty) {
        Type::Reference(reference) if reference.mutability.is_some() => match &*reference.elem {
            Type::Slice(_) | Type::ImplTrait(_) => {
                let help = format!("write `&mut {}`", without_references(&reference.elem));
                diagnostics.error(
                    Code::FoldShape,
                    &first.ty,
                    "what a fold has so far starts at its `Default`",
                    help,
                );
                return None;
            }
            elem => {
                if let Some(owned) = owned(elem) {
                    let message = "what a fold has so far is owned: it waits, and is saved";
                    diagnostics.error(
                        Code::PayloadShape,
                        &first.ty,
                        message,
                        format!("write `&mut {owned}`"),
                    );
                    return None;
                }
                elem.clone()
            }
        },
        other => {
            let owned = match other {
                Type::Reference(reference) => without_references(&reference.elem),
                owned => text::of(owned),
            };
            diagnostics.error(
                Code::FoldShape,
                &first.ty,
                "a fold takes what it has so far as `&mut`, to change it",
                format!("write `&mut {owned}`"),
            );
            return None;
        }
    };
    let mut payload = Vec::new();
    for typed in inputs {
        if !matches!(role(&typed.ty), Role::Payload) {
            diagnostics.error(
                Code::FoldShape,
                typed,
                "a fold only gathers: it has no outbox and no context",
                "emit in the handler that takes what was gathered",
            );
            return None;
        }
        match bare(&typed.ty) {
            Type::Reference(reference) => {
                let help = format!("write `{}`", without_references(&reference.elem));
                diagnostics.error(
                    Code::FoldShape,
                    &typed.ty,
                    "a fold takes its value as `T`: it arrives for good",
                    help,
                );
                return None;
            }
            owned => {
                if let Some((message, help)) = mistake(owned) {
                    diagnostics.error(Code::PayloadShape, &typed.ty, message, help);
                    return None;
                }
                payload.push(Param { ty: owned.clone(), text: text::of(owned), pass: Pass::Value });
            }
        }
    }
    Some((acc, payload))
}
