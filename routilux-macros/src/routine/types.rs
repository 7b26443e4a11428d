//! Types as they are written: what can be told of them without knowing what their names mean.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, PathArguments, PathSegment, Type, TypeParamBound};

/// The type without the invisible group that a `macro_rules!` macro puts around one.
pub(super) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        other => other,
    }
}

/// The last segment of a path, if that is of this name: `Vec` of `std::vec::Vec<T>`.
fn last<'t>(ty: &'t Type, name: &str) -> Option<&'t PathSegment> {
    match bare(ty) {
        Type::Path(path) if path.qself.is_none() => {
            path.path.segments.last().filter(|segment| segment.ident == name)
        }
        _ => None,
    }
}

/// Whether a type's own name is this one, whatever its path and its arguments.
pub(super) fn is_named(ty: &Type, name: &str) -> bool {
    last(ty, name).is_some()
}

/// The type arguments of a type of that name: `[T]` of `Vec<T>`.
pub(super) fn arguments<'t>(ty: &'t Type, name: &str) -> Option<Vec<&'t Type>> {
    let given = match &last(ty, name)?.arguments {
        PathArguments::AngleBracketed(given) => given,
        PathArguments::None => return Some(Vec::new()),
        PathArguments::Parenthesized(_) => return None,
    };
    let types = given.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    Some(types.collect())
}

/// `T` of `Vec<T>`, of `Option<T>`.
pub(super) fn only_argument<'t>(ty: &'t Type, name: &str) -> Option<&'t Type> {
    match arguments(ty, name)?.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

/// Whether it is `impl Iterator<..>` or `impl IntoIterator<..>`.
pub(super) fn is_impl_iterator(ty: &Type) -> bool {
    let Type::ImplTrait(opaque) = bare(ty) else { return false };
    opaque.bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => bound
            .path
            .segments
            .last()
            .is_some_and(|segment| segment.ident == "Iterator" || segment.ident == "IntoIterator"),
        _ => false,
    })
}

pub(super) fn is_unit(ty: &Type) -> bool {
    matches!(bare(ty), Type::Tuple(tuple) if tuple.elems.is_empty())
}

pub(super) fn is_str(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("str"))
}

/// Whether two types are written alike, up to the paths before names: what `use` makes short is the same.
pub(super) fn alike(a: impl ToTokens, b: impl ToTokens) -> bool {
    without_paths(a.to_token_stream()) == without_paths(b.to_token_stream())
}

fn without_paths(tokens: TokenStream) -> String {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is_colon =
        |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    let is_ident = |at: usize| matches!(tokens.get(at), Some(TokenTree::Ident(_)));
    let mut text = String::new();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Ident(_) if is_colon(at + 1) && is_colon(at + 2) && is_ident(at + 3) => at += 3,
            TokenTree::Punct(punct) if punct.as_char() == ':' && is_colon(at + 1) => at += 2,
            TokenTree::Group(group) => {
                let inner = without_paths(group.stream());
                match group.delimiter() {
                    proc_macro2::Delimiter::None => text.push_str(&inner),
                    delimiter => text.push_str(&format!("{delimiter:?} {inner} end ")),
                }
                at += 1;
            }
            other => {
                text.push_str(&format!("{other} "));
                at += 1;
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    fn ty(text: &str) -> Type {
        syn::parse_str(text).unwrap()
    }

    #[test]
    fn types_are_alike_whatever_their_paths() {
        assert!(alike(
            ty("std::collections::HashMap<String, Vec<u8>>"),
            ty("HashMap<std::string::String, Vec<u8>>")
        ));
        assert!(alike(ty("::std::vec::Vec::<u8>"), ty("Vec<u8>")));
        assert!(!alike(ty("Vec<u8>"), ty("Vec<u16>")));
        assert!(!alike(ty("(u8, u16)"), ty("[u8; 16]")));
    }

    #[test]
    fn arguments_are_found_by_the_last_name() {
        let text = |ty: &Type| text::of(ty);
        assert_eq!(only_argument(&ty("std::vec::Vec<u8>"), "Vec").map(text).as_deref(), Some("u8"));
        assert!(only_argument(&ty("Result<u8, String>"), "Result").is_none());
        assert_eq!(arguments(&ty("io::Result<u8>"), "Result").unwrap().len(), 1);
        assert_eq!(arguments(&ty("Result"), "Result").unwrap().len(), 0);
        assert!(arguments(&ty("Vector<u8>"), "Vec").is_none());
    }

    #[test]
    fn iterators_are_those_that_say_so() {
        assert!(is_impl_iterator(&ty("impl Iterator<Item = u8> + '_")));
        assert!(is_impl_iterator(&ty("impl std::iter::IntoIterator<Item = u8>")));
        assert!(!is_impl_iterator(&ty("impl Into<u8>")));
        assert!(!is_impl_iterator(&ty("Box<dyn Iterator<Item = u8>>")));
    }
}
