//! What the type parameters of a routine or a flow are bound by, as far as it can be read off their text. A bound that is
//! missing would be told by the compiler at each of the many places that need it; what is certain is told once instead.

use crate::text;
use proc_macro2::Ident;
use syn::{
    GenericArgument, GenericParam, Generics, Path, PathArguments, Type, TypeParamBound, WherePredicate,
};

/// Traits that are known well enough to say of each whether one has it.
const KNOWN: [&str; 15] = [
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Deserialize",
    "DeserializeOwned",
    "Display",
    "Eq",
    "Hash",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Payload",
    "Send",
    "Serialize",
];

const IMPLIED: [(&str, &[&str]); 5] = [
    ("Copy", &["Clone"]),
    ("Eq", &["PartialEq"]),
    ("Ord", &["Eq", "PartialEq", "PartialOrd"]),
    ("PartialOrd", &["PartialEq"]),
    ("Payload", &["Serialize", "DeserializeOwned"]),
];

/// The traits that a type parameter is bound by, by their last names.
pub(crate) fn of(generics: &Generics, param: &Ident) -> Vec<String> {
    let inline = generics.type_params().filter(|known| known.ident == *param).flat_map(|known| &known.bounds);
    let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let others = predicates.flat_map(|predicate| match predicate {
        WherePredicate::Type(predicate) if is_param(&predicate.bounded_ty, param) => {
            predicate.bounds.iter().collect::<Vec<_>>()
        }
        _ => Vec::new(),
    });
    inline.chain(others).filter_map(name).collect()
}

fn name(bound: &TypeParamBound) -> Option<String> {
    match bound {
        TypeParamBound::Trait(bound) => {
            let last = bound.path.segments.last()?;
            // `Deserialize<'de>` and the like are not of those that are known.
            match &last.arguments {
                PathArguments::None => Some(last.ident.to_string()),
                arguments => Some(format!("{}{}", last.ident, text::of(arguments))),
            }
        }
        _ => None,
    }
}

pub(crate) fn is_param(ty: &Type, param: &Ident) -> bool {
    matches!(ty, Type::Path(ty) if ty.qself.is_none() && ty.path.is_ident(param))
}

/// By argument of a type: the bounds of what is given there, where it is a type parameter.
pub(crate) fn of_arguments(generics: &Generics, path: &Path) -> Vec<Vec<String>> {
    let arguments = arguments(path).into_iter();
    arguments
        .map(|argument| param_of(generics, argument).map(|param| of(generics, param)).unwrap_or_default())
        .collect()
}

/// The bounds of a flow's own parameters, in their order.
pub(crate) fn of_all(generics: &Generics) -> Vec<Vec<String>> {
    let all = generics.params.iter().filter_map(|param| match param {
        GenericParam::Type(param) => Some(of(generics, &param.ident)),
        GenericParam::Const(_) => Some(Vec::new()),
        GenericParam::Lifetime(_) => None,
    });
    all.collect()
}

/// What is given to a type, without lifetimes.
pub(crate) fn arguments(path: &Path) -> Vec<&GenericArgument> {
    let Some(last) = path.segments.last() else { return Vec::new() };
    let PathArguments::AngleBracketed(given) = &last.arguments else { return Vec::new() };
    given.args.iter().filter(|argument| !matches!(argument, GenericArgument::Lifetime(_))).collect()
}

/// The type parameter that an argument is.
pub(crate) fn param_of<'g>(generics: &'g Generics, argument: &GenericArgument) -> Option<&'g Ident> {
    let GenericArgument::Type(ty) = argument else { return None };
    generics.type_params().map(|param| &param.ident).find(|param| is_param(ty, param))
}

/// Whether a type with these bounds may be one that borrows nothing: it is a payload, or a trait that is not known says more.
pub(crate) fn lives(bounds: &[String]) -> bool {
    bounds.iter().any(|name| name == "Payload" || !is_known(name))
}

fn is_known(name: &String) -> bool {
    KNOWN.contains(&name.as_str()) || name == "Sync"
}

/// The needed traits that a parameter with these bounds certainly has not.
pub(crate) fn missing(has: &[String], needs: &[String]) -> Vec<String> {
    if !has.iter().all(is_known) {
        return Vec::new();
    }
    let mut all: Vec<&str> = has.iter().map(String::as_str).collect();
    for (name, implied) in IMPLIED {
        if has.iter().any(|has| has == name) {
            all.extend(implied);
        }
    }
    if all.contains(&"Serialize") && all.contains(&"DeserializeOwned") {
        all.push("Payload");
    }
    let missing = needs.iter().filter(|needed| is_known(needed) && !all.contains(&needed.as_str()));
    missing.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &str) -> Vec<String> {
        names.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    #[test]
    fn what_is_certainly_missing() {
        for (has, needs, expected) in [
            ("", "Payload Clone", "Payload Clone"),
            ("Payload", "Payload Clone", "Clone"),
            ("Payload Copy", "Payload Clone", ""),
            ("Serialize DeserializeOwned", "Payload", ""),
            ("Ord", "PartialEq Hash", "Hash"),
            // Who knows what these bring.
            ("Value", "Payload Clone", ""),
            ("Payload", "Value", ""),
        ] {
            assert_eq!(missing(&names(has), &names(needs)), names(expected), "{has}: {needs}");
        }
    }

    #[test]
    fn bounds_are_read_where_they_stand() {
        let item: syn::ItemStruct = syn::parse_str(
            "struct S<'a, T: serde::Serialize + 'static, U, const N: usize> where U: Payload + Into<String>, Vec<T>: Clone;",
        )
        .unwrap();
        assert_eq!(of_all(&item.generics), [names("Serialize"), names("Payload Into<String>"), vec![]]);
        let path: Path = syn::parse_str("a::Keep<'a, U, Vec<T>, T>").unwrap();
        assert_eq!(
            of_arguments(&item.generics, &path),
            [names("Payload Into<String>"), vec![], names("Serialize")]
        );
    }
}
