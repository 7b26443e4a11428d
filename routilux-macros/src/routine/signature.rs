//! The parameters of a handler, sorted by their types: payload, outbox, context.

use super::model::{Mark, Param, Pass};
use super::types::{bare, is_str};
use crate::diagnostic::{Diagnostics, at};
use crate::owned;
use crate::text;
use quote::quote;
use routilux_graph::Code;
use syn::spanned::Spanned;
use syn::{FnArg, PatType, ReceiverKind, Signature, Type};

/// What a handler takes, in order.
pub(super) struct Parameters<'f> {
    pub(super) payload: Vec<&'f PatType>,
    pub(super) out: Option<&'f PatType>,
    pub(super) cx: bool,
}

/// The whole signature of a handler of this kind, for a `help:`.
pub(super) fn whole(mark: Mark) -> &'static str {
    match mark {
        Mark::Join => {
            "a join takes `&mut self` or `&self`, then the payloads that it brings together, then `out: &mut Emit<Self>`, \
             then `cx: &Context`; the last two may be left out"
        }
        Mark::Source => {
            "a source takes `&mut self`, then `out: &mut Emit<Self>`, then `cx: &Context`, and returns `More` or `Result<More>`; \
             the last two may be left out"
        }
        Mark::Finish => {
            "a finish takes `&mut self` or `&self`, then `out: &mut Emit<Self>`, then `cx: &Context`; the last two may be left \
             out"
        }
        _ => {
            "a handler takes `&mut self` or `&self`, then its payload, then `out: &mut Emit<Self>`, then `cx: &Context`; \
             the last two may be left out"
        }
    }
}

/// Whether it takes `&mut self`.
pub(super) fn receiver(signature: &Signature, mark: Mark, diagnostics: &mut Diagnostics) -> Option<bool> {
    let what = mark.handler();
    match signature.receiver() {
        Some(receiver) => match &receiver.kind {
            ReceiverKind::Reference(_, None, None) if mark == Mark::Source => {
                diagnostics.error(
                    Code::Receiver,
                    receiver,
                    "a source takes `&mut self`: how far it has come is in its state",
                    whole(mark),
                );
                None
            }
            ReceiverKind::Reference(_, None, mutability) => Some(mutability.is_some()),
            _ => {
                let takes = match mark {
                    Mark::Source => "`&mut self`",
                    _ => "`&mut self` or `&self`",
                };
                diagnostics.error(Code::Receiver, receiver, format!("a {what} takes {takes}"), whole(mark));
                None
            }
        },
        None => {
            let name = &signature.ident;
            diagnostics.error(
                Code::Receiver,
                name,
                format!("the {what} `{name}` does not take `self`"),
                whole(mark),
            );
            None
        }
    }
}

pub(super) fn parameters<'f>(
    signature: &'f Signature,
    mark: Mark,
    diagnostics: &mut Diagnostics,
) -> Option<Parameters<'f>> {
    let mut found = Parameters { payload: Vec::new(), out: None, cx: false };
    for input in &signature.inputs {
        let FnArg::Typed(typed) = input else { continue };
        match role(&typed.ty) {
            Role::Outbox if found.out.is_some() || found.cx => {
                diagnostics.error(
                    Code::Arguments,
                    typed,
                    "the outbox comes once, after the payload and before the context",
                    whole(mark),
                );
                return None;
            }
            Role::Outbox => found.out = Some(typed),
            Role::WrongOutbox => {
                diagnostics.error(
                    Code::Arguments,
                    &typed.ty,
                    "the outbox is taken as `&mut`",
                    "write `out: &mut Emit<Self>`",
                );
                return None;
            }
            Role::OutboxOfNone => {
                diagnostics.error(
                    Code::Arguments,
                    &typed.ty,
                    "the outbox does not say whose it is",
                    "write `out: &mut Emit<Self>`",
                );
                return None;
            }
            Role::WrongContext => {
                let help = "write `cx: &Context`; for a type of your own with that name, `self::Context`";
                diagnostics.error(Code::Arguments, &typed.ty, "the context is taken as `&`", help);
                return None;
            }
            Role::Context if found.cx => {
                diagnostics.error(Code::Arguments, typed, "the context comes once", whole(mark));
                return None;
            }
            Role::Context => found.cx = true,
            Role::Payload if matches!(mark, Mark::Source | Mark::Finish) => {
                let (code, message, help) = match mark {
                    Mark::Source => (
                        Code::SourceShape,
                        "nothing arrives at a source: it is called when there is room for more",
                        "what it has to know is state, or configuration: set it in the `#[slot]` that arms the source",
                    ),
                    _ => (
                        Code::FinishShape,
                        "nothing arrives at a finish: it runs when nothing can reach the routine any more",
                        "gather in a `#[slot]`, and read the state here",
                    ),
                };
                diagnostics.error(code, typed, message, help);
                return None;
            }
            Role::Payload if found.out.is_some() || found.cx => {
                diagnostics.error(
                    Code::Arguments,
                    typed,
                    "the payload comes before the outbox and the context",
                    whole(mark),
                );
                return None;
            }
            Role::Payload => found.payload.push(typed),
        }
    }
    Some(found)
}

pub(super) enum Role {
    Payload,
    Outbox,
    /// `&Emit<Self>` or `Emit<Self>`, which is a mistake.
    WrongOutbox,
    /// `&mut Emit`, which is a mistake.
    OutboxOfNone,
    Context,
    /// `&mut Context` or `Context`, which is a mistake.
    WrongContext,
}

pub(super) fn role(ty: &Type) -> Role {
    let (referred, mutable) = match ty {
        Type::Reference(reference) => (&*reference.elem, Some(reference.mutability.is_some())),
        other => (other, None),
    };
    let Type::Path(path) = referred else { return Role::Payload };
    let Some(last) = path.path.segments.last() else { return Role::Payload };
    let first = &path.path.segments[0];
    // `self::Context` is a type of the user's own.
    let ours = path.path.segments.len() == 1 || first.ident == "routilux";
    let with_arguments = !last.arguments.is_none();
    match mutable {
        Some(true) if last.ident == "Emit" && with_arguments => Role::Outbox,
        Some(true) if last.ident == "Emit" && ours => Role::OutboxOfNone,
        _ if last.ident == "Emit" && with_arguments => Role::WrongOutbox,
        Some(false)
            if last.ident == "Context"
                && (ours || path.path.segments.len() == 2 && first.ident != "self") =>
        {
            Role::Context
        }
        _ if last.ident == "Context" && ours => Role::WrongContext,
        _ => Role::Payload,
    }
}

/// The signature with what is told by us put right, so that the compiler has nothing more to say: `&mut Emit`, `&Emit<Self>` and
/// `Emit<Self>` become `&mut Emit<Self>`.
pub(super) fn mended(signature: &Signature) -> Signature {
    let mut signature = signature.clone();
    for input in &mut signature.inputs {
        let FnArg::Typed(typed) = input else { continue };
        if let Role::OutboxOfNone = role(&typed.ty)
            && let Type::Reference(reference) = &mut *typed.ty
        {
            let outbox = &reference.elem;
            *reference.elem = Type::Verbatim(at(outbox.span(), quote!(#outbox<Self>)));
        }
        if let Role::WrongOutbox = role(&typed.ty) {
            let outbox = match &*typed.ty {
                Type::Reference(reference) => &*reference.elem,
                owned => owned,
            };
            *typed.ty = Type::Verbatim(at(outbox.span(), quote!(&mut #outbox)));
        }
    }
    signature
}

/// How one parameter takes its payload.
pub(super) fn param(ty: &Type, diagnostics: &mut Diagnostics) -> Option<Param> {
    let (owned, pass) = match bare(ty) {
        Type::Reference(reference) if reference.mutability.is_some() => {
            let owned = text::of(&reference.elem);
            diagnostics.error(
                Code::Arguments,
                ty,
                "a payload is taken as `T` or `&T`",
                format!("write `{owned}` or `&{owned}`"),
            );
            return None;
        }
        Type::Reference(reference) if reference.lifetime.as_ref().is_some_and(|name| name.ident != "_") => {
            let name = owned::without_references(&reference.elem);
            diagnostics.error(
                Code::PayloadShape,
                ty,
                "what a handler is lent is there while it runs, and has no lifetime to name",
                format!("write `{name}` or `&{name}`"),
            );
            return None;
        }
        Type::Reference(reference) => match &*reference.elem {
            Type::Slice(slice) => ((*slice.elem).clone(), Pass::Slice),
            // What waits is a `String`, and a reference to it is as good as a `&str`.
            elem if is_str(elem) => {
                let string = at(elem.span(), quote!(::std::string::String));
                return Some(Param {
                    ty: Type::Verbatim(string),
                    text: "String".to_owned(),
                    pass: Pass::Reference,
                });
            }
            Type::Path(path) if path.path.is_ident("Path") => {
                diagnostics.error(
                    Code::PayloadShape,
                    ty,
                    "`Path` cannot wait in a queue: a payload is owned",
                    "write `&PathBuf`; for a type of your own with that name, `&self::Path`",
                );
                return None;
            }
            elem => (elem.clone(), Pass::Reference),
        },
        _ => (ty.clone(), Pass::Value),
    };
    is_owned(ty, &owned, pass, diagnostics)?;
    Some(Param { text: text::of(&owned), ty: owned, pass })
}

/// Tells what is wrong with a payload that is taken in this way, as `ty`.
fn is_owned(ty: &Type, payload: &Type, pass: Pass, diagnostics: &mut Diagnostics) -> Option<()> {
    let Some((message, help)) = owned::mistake(payload) else { return Some(()) };
    let help = match (owned::owned(payload), pass) {
        (Some(owned), Pass::Reference) => format!("write `&{owned}`"),
        (Some(owned), Pass::Slice) => format!("write `&[{owned}]`"),
        _ => help,
    };
    diagnostics.error(Code::PayloadShape, ty, message, help);
    None
}
