//! What a handler returns: nothing, whether it failed, a value that is emitted, or whether there is more.

use super::model::{Each, Emits, Event, Known, Mark, Returns, plain};
use super::options::Options;
use super::parse::Function;
use super::signature::Parameters;
use super::types::{alike, arguments, bare, is_impl_iterator, is_named, is_unit, only_argument};
use crate::diagnostic::Diagnostics;
use crate::text;
use proc_macro2::Ident;
use routilux_graph::{Code, did_you_mean};
use syn::{ReturnType, Signature, Type};

pub(super) fn read(
    function: &Function,
    mark: Mark,
    options: &Options,
    parameters: &Parameters<'_>,
    known: &Known<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Returns> {
    let signature = &function.signature;
    let ty = match &signature.output {
        ReturnType::Type(_, ty) if !is_unit(ty) => Some(&**ty),
        _ => None,
    };
    match (mark, &options.emit, ty) {
        (Mark::Source, _, _) => more(signature, ty, diagnostics),
        (_, Some(event), _) => emits(signature, event, ty, parameters, known, diagnostics),
        (_, None, None) => Some(Returns::Nothing),
        (_, None, Some(ty)) => match goes_nowhere(ty) {
            Some(value) => {
                nowhere(signature, mark, ty, value, known, diagnostics);
                None
            }
            None => Some(Returns::Checked(ty.clone())),
        },
    }
}

fn more(signature: &Signature, ty: Option<&Type>, diagnostics: &mut Diagnostics) -> Option<Returns> {
    const HELP: &str =
        "return `More::Now`, `More::After(duration)` or `More::Done`, or a `Result` with one of them";
    match ty {
        Some(ty) if is_named(ty, "More") => return Some(Returns::More { ty: ty.clone(), fails: false }),
        Some(ty)
            if arguments(ty, "Result")
                .is_some_and(|given| given.first().is_some_and(|ty| is_named(ty, "More"))) =>
        {
            return Some(Returns::More { ty: ty.clone(), fails: true });
        }
        Some(ty) => {
            let message = format!("a source returns whether there is more, and not `{}`", text::of(ty));
            diagnostics.error(Code::SourceShape, ty, message, HELP);
        }
        None => {
            let name = &signature.ident;
            diagnostics.error(
                Code::SourceShape,
                name,
                format!("the source `{name}` does not say whether there is more"),
                HELP,
            );
        }
    }
    None
}

/// The value in a type that surely is no `Result<(), E>`. What may be a name for one is left to the compiler.
fn goes_nowhere(ty: &Type) -> Option<&Type> {
    if let Some(given) = arguments(ty, "Result") {
        return match given.as_slice() {
            [value, _] if !is_unit(value) => Some(value),
            _ => None,
        };
    }
    let primitive = |ty: &Type| match ty {
        Type::Path(path) => path.path.get_ident().is_some_and(|name| {
            name == "String" || name.to_string().starts_with(|first: char| first.is_ascii_lowercase())
        }),
        _ => false,
    };
    match bare(ty) {
        Type::Tuple(_) | Type::Array(_) | Type::Reference(_) | Type::ImplTrait(_) => Some(ty),
        path if primitive(path) || is_named(path, "Option") || is_named(path, "Vec") => Some(ty),
        _ => None,
    }
}

fn nowhere(
    signature: &Signature,
    mark: Mark,
    ty: &Type,
    value: &Type,
    known: &Known<'_>,
    diagnostics: &mut Diagnostics,
) {
    let name = &signature.ident;
    let (item, _) = item(value, None);
    let fitting = known.events.iter().find(|event| item.is_some_and(|item| alike(event.payload(), item)));
    let word = mark.to_string();
    let word = word.trim_start_matches("#[").trim_end_matches(']');
    let event = fitting.map_or("word".to_owned(), |event| plain(&event.name));
    let help = match fitting {
        Some(_) => format!("write `#[{word}(emit = {event})]` to emit it"),
        None => format!(
            "write `#[{word}(emit = {event})]` to emit it, with the name of an event that carries it; or return nothing"
        ),
    };
    diagnostics.error(Code::EmitTarget, ty, format!("`{name}` returns a value, and nothing takes it"), help);
}

/// What is emitted one by one of a value that is returned, where that can be told.
fn item<'t>(value: &'t Type, event: Option<&Event>) -> (Option<&'t Type>, Each) {
    if event.is_some_and(|event| alike(event.payload(), value)) {
        // The event carries a list, or an option.
        return (Some(value), Each::One);
    }
    match () {
        () if is_impl_iterator(value) => (None, Each::All),
        () => match (only_argument(value, "Option"), only_argument(value, "Vec")) {
            (Some(item), _) => (Some(item), Each::Maybe),
            (_, Some(item)) => (Some(item), Each::All),
            _ => (Some(value), Each::One),
        },
    }
}

fn emits(
    signature: &Signature,
    named: &Ident,
    ty: Option<&Type>,
    parameters: &Parameters<'_>,
    known: &Known<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Returns> {
    let (number, event) = event(named, known, diagnostics)?;
    let name = &signature.ident;
    let result = ty.and_then(|ty| arguments(ty, "Result"));
    let fails = result.is_some();
    let value = match &result {
        Some(given) => given.first().copied(),
        None => ty,
    };
    let Some(value) = value.filter(|value| !is_unit(value)) else {
        // An event that carries nothing is emitted where nothing is returned.
        let is_plain = result.as_ref().is_some_and(Vec::is_empty);
        if event.params.is_empty() && (ty.is_none() || value.is_some() || is_plain) {
            return Some(Returns::Emits(Emits { event: number, ty: ty.cloned(), each: Each::One, fails }));
        }
        let payload = text::of(event.payload());
        let wanted = if fails { format!("Result<{payload}>") } else { payload };
        let help = format!(
            "return `{wanted}`; or leave `emit` out, take `out: &mut Emit<Self>` and write `out.{named}(..)`"
        );
        let message = format!("`{name}` returns nothing that could be emitted as `{named}`");
        match ty {
            Some(ty) => diagnostics.error(Code::EmitTarget, ty, message, help),
            None => diagnostics.error(Code::EmitTarget, name, message, help),
        }
        return None;
    };
    if let Type::Reference(reference) = bare(value) {
        let owned = crate::owned::without_references(&reference.elem);
        diagnostics.error(
            Code::EmitTarget,
            value,
            "what is emitted is owned: it may wait, and be saved",
            format!("return `{owned}`"),
        );
        return None;
    }
    let (_, each) = item(value, Some(event));
    if let Type::ImplTrait(_) = bare(value) {
        if !is_impl_iterator(value) {
            diagnostics.error(
                Code::EmitTarget,
                value,
                "what is emitted has one type",
                "name it instead of `impl Trait`; `impl Iterator<Item = T>` emits each `T`",
            );
            return None;
        }
        if let Some(out) = parameters.out {
            diagnostics.error(
                Code::EmitTarget,
                out,
                "an iterator that is returned goes on after the handler, and may not hold the outbox",
                "return a `Vec`, or leave the outbox out",
            );
            return None;
        }
    }
    Some(Returns::Emits(Emits { event: number, ty: ty.cloned(), each, fails }))
}

fn event<'k>(
    named: &Ident,
    known: &'k Known<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<(usize, &'k Event)> {
    let wanted = plain(named);
    let found = known.events.iter().enumerate().find(|(_, event)| plain(&event.name) == wanted);
    if found.is_some() {
        return found;
    }
    let is_broken = known.event_names.contains(&wanted);
    if !is_broken {
        let names = || known.event_names.iter().map(String::as_str);
        let list = names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let declare = format!("declare it: `#[event] fn {wanted}(..);`");
        let is_function = known.functions.contains(&wanted);
        let help = match did_you_mean(&wanted, names()) {
            Some(near) => format!("did you mean `{near}`? The events are: {list}"),
            None if list.is_empty() => "declare an event: `#[event] fn word(text: String);`".to_owned(),
            None if is_function => format!("the events are: {list}"),
            None => format!("{declare}; the events are: {list}"),
        };
        let message = match is_function {
            true => format!("`{wanted}` is a function, and not an event"),
            false => format!("this routine has no event `{wanted}`"),
        };
        diagnostics.error(Code::EmitTarget, named, message, help);
    }
    None
}
