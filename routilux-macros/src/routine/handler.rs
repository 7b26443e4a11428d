//! A function that the engine calls: `#[slot]`, `#[join]`, `#[source]`, `#[finish]`. What its slot keeps, and when it
//! runs, says what it takes.

use super::model::{
    Handler, Kind, Known, Mark, Param, Pass, Takes, input_name, is_reserved, payload_text, plain,
};
use super::options::{self, Options};
use super::parse::Function;
use super::returns;
use super::signature::{self, Parameters, param};
use super::types::{alike, bare, is_str, only_argument};
use crate::diagnostic::Diagnostics;
use crate::owned;
use crate::text;
use proc_macro2::Ident;
use quote::quote;
use routilux_graph::{Code, Merge, When};
use syn::spanned::Spanned;
use syn::{Attribute, Pat, PatType, Type};

pub(super) fn read(
    function: &Function,
    mark: Mark,
    attr: &Attribute,
    known: &Known<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Handler> {
    let signature = &function.signature;
    let name = &signature.ident;
    let options = options::read(mark, attr, known, diagnostics);
    let what = mark.handler();
    if function.body.is_none() {
        let help = match mark {
            Mark::Slot => "write what it does when something arrives",
            Mark::Join => "write what it does with what it brings together",
            Mark::Source => "write what it does when there is room for more",
            _ => "write what it does when nothing can arrive any more",
        };
        diagnostics.error(Code::HandlerShape, signature, format!("the {what} `{name}` has no body"), help);
        return None;
    }
    let exclusive = signature::receiver(signature, mark, diagnostics)?;
    if is_reserved(name, &format!("a {}", mark.noun()), diagnostics) {
        return None;
    }
    if let Some(asyncness) = &signature.asyncness
        && let Some((message, help)) = not_async(mark, exclusive, &options)
    {
        diagnostics.error(Code::AsyncHandler, asyncness, message, help);
        return None;
    }
    if !signature.generics.params.is_empty() {
        let help = "a flow has to know its payload: use the parameters of the routine";
        diagnostics.error(
            Code::HandlerShape,
            &signature.generics,
            format!("a {what} has no type parameters of its own"),
            help,
        );
        return None;
    }
    if options.parallel > 1 && (exclusive || options.merge != Merge::Override) {
        let (why, help) = match exclusive {
            true => ("it takes `&mut self`", "leave `parallel` out, or take `&self`"),
            false => ("its slot keeps something", "leave `parallel` out, or gather in another slot"),
        };
        diagnostics.error(Code::OptionConflict, attr, format!("`{name}` runs one at a time: {why}"), help);
    }
    let parameters = signature::parameters(signature, mark, diagnostics)?;
    if options.unclear {
        return None;
    }
    let returns = returns::read(function, mark, &options, &parameters, known, diagnostics);
    let (kind, payload) = match mark {
        Mark::Join => join(name, attr, &options, &parameters, diagnostics)?,
        Mark::Source => (Kind::Source { start: options.start }, Vec::new()),
        Mark::Finish => (Kind::Finish, Vec::new()),
        _ => slot(name, &options, &parameters, known, diagnostics)?,
    };
    Some(Handler {
        name: name.clone(),
        kind,
        waits: signature.asyncness.as_ref().map(Spanned::span),
        exclusive,
        returns: returns?,
        payload,
        takes_out: parameters.out.is_some(),
        takes_cx: parameters.cx,
        optional: options.optional,
        atomic: options.atomic,
        parallel: options.parallel,
        timeout: options.timeout,
    })
}

/// Why a handler cannot be `async`, and what to do instead.
fn not_async(mark: Mark, exclusive: bool, options: &Options) -> Option<(&'static str, &'static str)> {
    match mark {
        Mark::Source => Some((
            "a source is not `async`: it is asked for more while there is room",
            "return `More::After(duration)` where it would wait, or let it emit what an `async` slot shall do",
        )),
        Mark::Finish => Some((
            "a finish is not `async`: it runs when nothing of its routine does",
            "emit what an `async` slot of another routine shall do",
        )),
        Mark::Join => Some((
            "a join is not `async`: what it keeps is brought together one at a time",
            "emit what it brought together to an `async` slot",
        )),
        _ if exclusive => Some((
            "an `async` handler takes `&self`: while it waits, the others of its routine run",
            "take `&self`, and send what it found to a slot that takes `&mut self`",
        )),
        _ if options.merge != Merge::Override => Some((
            "an `async` handler takes one value: a slot that keeps something runs one at a time",
            "leave `merge` out, and gather in another slot",
        )),
        _ => None,
    }
}

fn join(
    name: &Ident,
    attr: &Attribute,
    options: &Options,
    parameters: &Parameters<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<(Kind, Vec<Param>)> {
    let mut inputs = Vec::new();
    let mut payload = Vec::new();
    for typed in &parameters.payload {
        let Pat::Ident(pat) = &*typed.pat else {
            let help = "name it, and take it apart in the body: a flow connects each parameter by its name";
            diagnostics.error(
                Code::JoinShape,
                &typed.pat,
                "a parameter of a join is a name and a type",
                help,
            );
            return None;
        };
        if !input_name(&pat.ident).starts_with(char::is_alphabetic) {
            let help = "give it a name that begins with a letter";
            diagnostics.error(
                Code::JoinShape,
                &pat.ident,
                "a flow connects each parameter of a join by its name",
                help,
            );
            return None;
        }
        let param = param(&typed.ty, diagnostics)?;
        if param.pass == Pass::Slice {
            let help = format!(
                "write `{0}` or `&{0}`; a list as payload is `&Vec<{0}>`; what gathers is a `#[slot]`",
                param.text
            );
            diagnostics.error(Code::JoinShape, &typed.ty, "a join takes one value of each parameter", help);
            return None;
        }
        inputs.push(pat.ident.clone());
        payload.push(param);
    }
    if let [] | [_] = inputs.as_slice() {
        let message = format!(
            "the join `{name}` brings nothing together: it has {} payload",
            match inputs.len() {
                0 => "no",
                _ => "one",
            }
        );
        let help = "take one parameter for each input: `order: Order, payment: Payment`; what takes one payload is a `#[slot]`";
        match parameters.payload.first() {
            Some(typed) => diagnostics.error(Code::JoinShape, typed, message, help),
            None => diagnostics.error(Code::JoinShape, attr, message, help),
        }
        return None;
    }
    // More have no `Default` as a tuple.
    if inputs.len() > 12 {
        let help = "bring some of them together in a join of its own first";
        diagnostics.error(Code::JoinShape, &inputs[12], "a join has twelve inputs at most", help);
        return None;
    }
    let kind = Kind::Join { latest: options.latest, within: options.within, inputs };
    Some((kind, payload))
}

fn slot(
    name: &Ident,
    options: &Options,
    parameters: &Parameters<'_>,
    known: &Known<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<(Kind, Vec<Param>)> {
    if let (Merge::Override, Some(when_at)) = (&options.merge, &options.when_at)
        && options.when != When::Each
    {
        let when = text::of(quote!(when = #when_at));
        diagnostics.error(Code::KeepsNothing,
            when_at,
            "a slot that does not say `merge`, or says `override`, keeps nothing: there is nothing to hand over then",
            format!(
                "write append, latest or a fold: `#[slot(merge = \"append\", {when})]` hands over a `Vec`"
            ),
        );
        return None;
    }
    let payload = match Takes::of(&options.merge, options.when) {
        Takes::One => one(parameters, diagnostics)?,
        takes @ (Takes::Slice | Takes::All) => list(takes, name, options, parameters, diagnostics)?,
        takes @ (Takes::Fold | Takes::FoldOfAll) => {
            let named = plain(options.fold.as_ref()?);
            let fold = known.folds.iter().find(|fold| plain(&fold.name) == named)?;
            let (acc, payload) = fold.understood.as_ref()?;
            folded(takes, name, (&named, acc), parameters, diagnostics)?;
            let kind = Kind::Slot {
                merge: options.merge.clone(),
                when: options.when,
                fold: Some(Box::new((fold.name.clone(), acc.clone()))),
            };
            return Some((kind, payload.clone()));
        }
    };
    Some((Kind::Slot { merge: options.merge.clone(), when: options.when, fold: None }, payload))
}

/// `T` or `&T`; several of them where a payload is taken in parts.
fn one(parameters: &Parameters<'_>, diagnostics: &mut Diagnostics) -> Option<Vec<Param>> {
    let mut payload = Vec::new();
    for typed in &parameters.payload {
        let param = param(&typed.ty, diagnostics)?;
        if param.pass == Pass::Slice {
            let ty = &param.text;
            let help = format!(
                "write `#[slot(merge = \"append\")]`, or take one value: `{ty}` or `&{ty}`; a list as payload is `&Vec<{ty}>`"
            );
            diagnostics.error(Code::MergedType, &param.ty, "a slice is what a slot takes that appends", help);
            return None;
        }
        payload.push(param);
    }
    Some(payload)
}

/// `&[T]` or `Vec<T>`, as one parameter.
fn list(
    takes: Takes,
    name: &Ident,
    options: &Options,
    parameters: &Parameters<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<Param>> {
    let item = match parameters.payload.as_slice() {
        [typed] => match (takes, bare(&typed.ty)) {
            (Takes::Slice, Type::Reference(reference)) if reference.mutability.is_none() => {
                match bare(&reference.elem) {
                    Type::Slice(slice) => Some(&*slice.elem),
                    _ => None,
                }
            }
            (Takes::Slice, _) => None,
            (_, ty) => only_argument(ty, "Vec"),
        },
        _ => None,
    };
    if let (Some(item), [typed]) = (item, parameters.payload.as_slice()) {
        let written = |owned: String| match takes {
            Takes::Slice => format!("write `&[{owned}]`"),
            _ => format!("write `Vec<{owned}>`"),
        };
        if let Some((message, help)) = owned::mistake(item) {
            let help = owned::owned(item).map_or(help, written);
            diagnostics.error(Code::PayloadShape, &typed.ty, message, help);
            return None;
        }
        return Some(vec![Param { ty: item.clone(), text: text::of(item), pass: Pass::Slice }]);
    }
    let ty = item_text(&parameters.payload);
    let (message, wanted) = match (takes, &options.merge) {
        (Takes::Slice, _) => {
            ("a slot that appends takes all values so far, as one slice".to_owned(), format!("&[{ty}]"))
        }
        (_, Merge::Latest) => (
            "a slot with `merge = \"latest\"` that gathers takes the newest value of each connection, as one `Vec`".to_owned(),
            format!("Vec<{ty}>"),
        ),
        _ => ("a slot that gathers takes all values at once, as one `Vec`".to_owned(), format!("Vec<{ty}>")),
    };
    wrong_payload(name, &parameters.payload, message, &wanted, diagnostics);
    None
}

/// What a fold gathered, as one parameter.
fn folded(
    takes: Takes,
    name: &Ident,
    (fold, acc): (&str, &Type),
    parameters: &Parameters<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<()> {
    if let [typed] = parameters.payload.as_slice() {
        let fits = match (takes, bare(&typed.ty)) {
            (Takes::Fold, Type::Reference(reference)) if reference.mutability.is_none() => {
                let is_text = is_str(&reference.elem) && alike(acc, quote!(String));
                is_text || alike(&*reference.elem, acc)
            }
            (Takes::Fold, _) => false,
            (_, ty) => alike(ty, acc),
        };
        if fits {
            return Some(());
        }
    }
    let acc = text::of(acc);
    let (message, wanted) = match takes {
        Takes::Fold => {
            (format!("this slot takes what `{fold}` made of all values so far"), format!("&{acc}"))
        }
        _ => (format!("this slot takes what `{fold}` made of all values"), acc),
    };
    wrong_payload(name, &parameters.payload, message, &wanted, diagnostics);
    None
}

/// Says which type to write, at what is there instead.
fn wrong_payload(
    name: &Ident,
    payload: &[&PatType],
    message: String,
    wanted: &str,
    diagnostics: &mut Diagnostics,
) {
    match payload {
        [] => {
            diagnostics.error(Code::MergedType, name, message, format!("take it after `self`, as `{wanted}`"))
        }
        [one] => diagnostics.error(Code::MergedType, &one.ty, message, format!("write `{wanted}`")),
        several => {
            diagnostics.error(
                Code::MergedType,
                quote!(#(#several),*),
                message,
                format!("take one parameter, as `{wanted}`"),
            );
        }
    }
}

/// What one arrival probably is, where the handler takes it in the wrong way.
fn item_text(payload: &[&PatType]) -> String {
    let texts = payload.iter().map(|typed| {
        let referred = match bare(&typed.ty) {
            Type::Reference(reference) => bare(&reference.elem),
            other => other,
        };
        match referred {
            Type::Slice(slice) => text::of(&slice.elem),
            ty => match only_argument(ty, "Vec") {
                Some(item) => text::of(item),
                None if is_str(ty) => "String".to_owned(),
                None => text::of(ty),
            },
        }
    });
    let params: Vec<Param> =
        texts.map(|text| Param { ty: Type::Verbatim(quote!(())), text, pass: Pass::Value }).collect();
    match params.as_slice() {
        [] => "T".to_owned(),
        params => payload_text(params),
    }
}
