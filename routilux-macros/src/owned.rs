//! Types that no payload can have, as far as their text tells: what borrows, what has no size, and what is of any of several types.

use crate::text;
use quote::ToTokens;
use syn::{GenericArgument, PathArguments, Type};

/// Types of the standard library that hold what they are given: a `&'static str` in one of them cannot be read back.
const HOLDERS: [&str; 13] = [
    "Arc",
    "BTreeMap",
    "BTreeSet",
    "BinaryHeap",
    "Box",
    "HashMap",
    "HashSet",
    "LinkedList",
    "Option",
    "Rc",
    "Result",
    "Vec",
    "VecDeque",
];

/// What is wrong with a payload of this type, and what to write.
pub(crate) fn mistake(ty: &Type) -> Option<(&'static str, String)> {
    const ONE_TYPE: &str = "a payload has one type";
    match ty {
        Type::Group(group) => mistake(&group.elem),
        Type::ImplTrait(_) => Some((ONE_TYPE, "name it instead of `impl Trait`".to_owned())),
        Type::TraitObject(_) => Some((ONE_TYPE, "name it instead of `dyn Trait`".to_owned())),
        ty => owned(ty)
            .map(|owned| ("a payload is owned: it may wait, and be saved", format!("write `{owned}`"))),
    }
}

/// The type to own instead of one that borrows or has no size; `None` where there is nothing wrong.
pub(crate) fn owned(ty: &Type) -> Option<String> {
    match ty {
        Type::Group(group) => owned(&group.elem),
        Type::Reference(reference) => Some(without_references(&reference.elem)),
        ty if is_unsized(ty) => Some(name(ty)),
        ty => replaced(ty, false).map(text::of),
    }
}

/// The same without the references in it.
pub(crate) fn without_references(ty: &Type) -> String {
    owned(ty).unwrap_or_else(|| name(ty))
}

/// The type with each reference made `'static`, where one in it names no lifetime or another one: no struct could have a field of it.
pub(crate) fn borrowed_for_ever(ty: &Type) -> Option<Type> {
    replaced(ty, true)
}

/// What to own instead of a reference to `ty`.
pub(crate) fn name(ty: &Type) -> String {
    match ty {
        Type::Slice(slice) => format!("Vec<{}>", without_references(&slice.elem)),
        Type::Path(path) if path.path.is_ident("Path") => "PathBuf".to_owned(),
        Type::Path(path) if path.path.is_ident("str") => "String".to_owned(),
        other => text::of(other),
    }
}

/// The type to own instead of one that has no size.
pub(crate) fn sized(ty: &Type) -> Option<String> {
    is_unsized(ty).then(|| name(ty))
}

fn is_unsized(ty: &Type) -> bool {
    match ty {
        Type::Slice(_) => true,
        Type::Path(path) => path.path.is_ident("str"),
        _ => false,
    }
}

/// The type with its references replaced: by what they refer to, or by such to what is there for ever. What a function takes is not looked
/// into, nor what is behind a `dyn`.
fn replaced(ty: &Type, for_ever: bool) -> Option<Type> {
    let mut replaced = ty.clone();
    replace(&mut replaced, for_ever, true).then_some(replaced)
}

/// `holds` says whether the type is one that surely holds what is in it.
fn replace(ty: &mut Type, for_ever: bool, holds: bool) -> bool {
    match ty {
        Type::Reference(reference) => {
            let is_static = reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static");
            if for_ever {
                let inner = replace(&mut reference.elem, true, holds);
                reference.lifetime = Some(syn::Lifetime::new("'static", reference.and_token.span));
                return inner || !is_static;
            }
            if is_static && !holds {
                return false;
            }
            let owned = without_references(&reference.elem);
            *ty = syn::parse_str(&owned).unwrap_or_else(|_| Type::Verbatim(reference.elem.to_token_stream()));
            true
        }
        Type::Group(group) => replace(&mut group.elem, for_ever, holds),
        Type::Paren(paren) => replace(&mut paren.elem, for_ever, holds),
        Type::Array(array) => replace(&mut array.elem, for_ever, holds),
        Type::Slice(slice) => replace(&mut slice.elem, for_ever, holds),
        Type::Tuple(tuple) => {
            let elems = tuple.elems.iter_mut().map(|elem| replace(elem, for_ever, holds));
            elems.fold(false, |any, one| any | one)
        }
        Type::Path(path) if path.qself.is_none() => {
            let Some(last) = path.path.segments.last_mut() else { return false };
            let holds = holds && HOLDERS.iter().any(|known| last.ident == known);
            let PathArguments::AngleBracketed(given) = &mut last.arguments else { return false };
            let types = given.args.iter_mut().filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(replace(ty, for_ever, holds)),
                _ => None,
            });
            types.fold(false, |any, one| any | one)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(text: &str) -> Type {
        syn::parse_str(text).unwrap()
    }

    #[test]
    fn what_borrows_has_an_owned_form() {
        for (borrows, expected) in [
            ("&str", "String"),
            ("&&str", "String"),
            ("&[&str]", "Vec<String>"),
            ("Option<&str>", "Option<String>"),
            ("(&'static str, u64)", "(String, u64)"),
            ("Vec<Option<&[u8]>>", "Vec<Option<Vec<u8>>>"),
            ("mine::Tagged<&str>", "mine::Tagged<String>"),
            ("&Path", "PathBuf"),
            ("str", "String"),
            ("[u8]", "Vec<u8>"),
        ] {
            assert_eq!(owned(&ty(borrows)).as_deref(), Some(expected), "{borrows}");
        }
    }

    #[test]
    fn what_may_be_owned_is_left_alone() {
        for fine in [
            "Option<String>",
            "PhantomData<&'static str>",
            "mine::Tagged<&'static str>",
            "Box<dyn Fn(&str) -> u8>",
            "fn(&str) -> &str",
            "Cow<'static, str>",
            "Box<str>",
            "Arc<[u8]>",
        ] {
            assert_eq!(owned(&ty(fine)), None, "{fine}");
        }
    }

    #[test]
    fn a_field_is_borrowed_for_ever() {
        let text = |ty: &str| borrowed_for_ever(&self::ty(ty)).map(text::of);
        assert_eq!(text("&str").as_deref(), Some("&'static str"));
        assert_eq!(text("Vec<&'a str>").as_deref(), Some("Vec<&'static str>"));
        assert_eq!(text("Vec<&'static str>"), None);
    }
}
