//! The type parameters of a routine: what it holds of them is saved and moved, so they borrow nothing.

use crate::bounds;
use crate::diagnostic::Diagnostics;
use routilux_graph::Code;
use syn::{GenericParam, Generics, Lifetime, TypeParamBound, WherePredicate};

/// Whether there is a parameter that surely may borrow; each is told.
pub(super) fn unbounded(generics: &Generics, diagnostics: &mut Diagnostics) -> bool {
    let mut found = false;
    for param in generics.type_params() {
        let bounds = bounds::of(generics, &param.ident);
        if bounds::lives(&bounds) || is_static(generics, &param.ident) {
            continue;
        }
        found = true;
        let name = &param.ident;
        let (message, has) = match bounds.as_slice() {
            [] => ("may be any type", String::new()),
            bounds => {
                ("may be a type that borrows, or cannot be saved", format!("{} + ", bounds.join(" + ")))
            }
        };
        let message = format!("`{name}` {message}, and a routine has to save and to move what it holds");
        let help = format!(
            "write `{name}: {has}Payload`, or `{name}: {has}'static` for a type that is only configuration"
        );
        diagnostics.error(Code::RoutineBound, name, message, help);
    }
    found
}

fn is_static(generics: &Generics, param: &syn::Ident) -> bool {
    let of_param = generics.params.iter().filter_map(|known| match known {
        GenericParam::Type(known) if known.ident == *param => Some(&known.bounds),
        _ => None,
    });
    let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let of_clause = predicates.filter_map(|predicate| match predicate {
        WherePredicate::Type(predicate) if bounds::is_param(&predicate.bounded_ty, param) => {
            Some(&predicate.bounds)
        }
        _ => None,
    });
    let is_static = |lifetime: &Lifetime| lifetime.ident == "static";
    of_param
        .chain(of_clause)
        .flatten()
        .any(|bound| matches!(bound, TypeParamBound::Lifetime(lifetime) if is_static(lifetime)))
}
