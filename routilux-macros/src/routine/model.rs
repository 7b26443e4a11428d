//! What the `impl` block of a routine declares: events, slots, and how each handler is called. Mistakes in a
//! single signature or attribute are found here; `check` finds those that concern several.

use super::duration;
use super::parse::{Function, Impl, Item};
use crate::diagnostic::Diagnostics;
use crate::text;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use routilux_graph::{Merge, did_you_mean};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, Expr, ExprLit, FnArg, Lit, Meta, Pat, ReceiverKind, ReturnType, Signature, Token, Type,
};

pub(crate) struct Model {
    /// The routine's type without generics or path.
    pub(crate) name: Option<Ident>,
    pub(crate) events: Vec<Event>,
    pub(crate) slots: Vec<Slot>,
}

pub(crate) struct Event {
    pub(crate) name: Ident,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) params: Vec<(Ident, Type)>,
    /// Whether it leaves at once, before the step has ended.
    pub(crate) live: bool,
}

pub(crate) struct Slot {
    pub(crate) name: Ident,
    pub(crate) options: Options,
    /// Where it says `async`, if it does.
    pub(crate) waits: Option<Span>,
    /// `&mut self`
    pub(crate) exclusive: bool,
    /// The declared result, for a handler that can fail.
    pub(crate) output: Option<Type>,
    pub(crate) payload: Vec<Param>,
    pub(crate) takes_out: bool,
    pub(crate) takes_cx: bool,
}

pub(crate) struct Options {
    pub(crate) merge: Merge,
    pub(crate) optional: bool,
    pub(crate) atomic: bool,
    /// How many runs there may be at once; 0 where it is not said.
    pub(crate) parallel: u32,
    /// How long a run may take, in milliseconds; 0 where it is not said.
    pub(crate) timeout: u64,
    /// Whether `merge` has a value that is not known.
    pub(crate) merge_unknown: bool,
}

/// One parameter that is payload, or a part of it.
pub(crate) struct Param {
    /// The owned type.
    pub(crate) ty: Type,
    /// The same as a person writes it.
    pub(crate) text: String,
    pub(crate) pass: Pass,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// `T`
    Value,
    /// `&T`
    Reference,
    /// `&[T]`
    Slice,
}

impl Model {
    /// Whether any handler is `async`.
    pub(crate) fn waits(&self) -> bool {
        self.slots.iter().any(|slot| slot.waits.is_some())
    }

    /// Whether all handlers take `&mut self`.
    pub(crate) fn all_exclusive(&self) -> bool {
        self.slots.iter().all(|slot| slot.exclusive)
    }
}

impl Event {
    /// The payload's type: a tuple for several parameters.
    pub(crate) fn payload(&self) -> TokenStream {
        tuple(self.params.iter().map(|(_, ty)| ty))
    }
}

impl Slot {
    pub(crate) fn payload(&self) -> TokenStream {
        tuple(self.payload.iter().map(|param| &param.ty))
    }

    pub(crate) fn payload_text(&self) -> String {
        let texts: Vec<&str> = self.payload.iter().map(|param| param.text.as_str()).collect();
        match texts.as_slice() {
            [one] => (*one).to_owned(),
            several => format!("({})", several.join(", ")),
        }
    }

    /// Where to point for the payload as a whole.
    pub(crate) fn payload_span(&self) -> Span {
        self.payload.first().map_or(self.name.span(), |param| param.ty.span())
    }
}

fn tuple<'t>(types: impl Iterator<Item = &'t Type>) -> TokenStream {
    let types: Vec<_> = types.collect();
    match types.as_slice() {
        [one] => one.to_token_stream(),
        several => quote! { (#(#several),*) },
    }
}

const WHOLE_SIGNATURE: &str = "a handler takes `&mut self` or `&self`, then its payload, then `out: &mut Emit<Self>`, then `cx: &Context`; \
                               the last two may be left out";

pub(crate) fn build(parsed: &Impl, diagnostics: &mut Diagnostics) -> Model {
    let mut model =
        Model { name: routine_name(&parsed.self_type, diagnostics), events: Vec::new(), slots: Vec::new() };
    for item in &parsed.items {
        let Item::Function(function) = item else { continue };
        let event = function.attrs.iter().find(|attr| attr.path().is_ident("event"));
        let slot = function.attrs.iter().find(|attr| attr.path().is_ident("slot"));
        if (event.is_some() || slot.is_some())
            && let Some(cfg) = function.attrs.iter().find(|attr| attr.path().is_ident("cfg"))
        {
            let help = "put it on the struct and on the whole `impl` block, and write the routine once for each case";
            diagnostics.error(
                cfg,
                "a routine has the same ports in every build: `#[cfg]` cannot stand on one",
                help,
            );
        }
        match (event, slot) {
            (Some(_), Some(slot)) => {
                diagnostics.error(
                    slot,
                    "a function is an event or a slot, not both",
                    "remove one of the two marks",
                );
            }
            (Some(attr), None) => model.events.extend(event_of(function, attr, diagnostics)),
            (None, Some(attr)) => model.slots.extend(slot_of(function, attr, diagnostics)),
            (None, None) if function.body.is_none() => {
                let name = &function.signature.ident;
                diagnostics.error(
                    &function.signature,
                    format!("`{name}` has no body"),
                    format!("if it is an event, mark it: `#[event] fn {name}(..);`"),
                );
            }
            (None, None) => {}
        }
    }
    model
}

fn routine_name(ty: &Type, diagnostics: &mut Diagnostics) -> Option<Ident> {
    if let Type::Path(path) = ty
        && path.qself.is_none()
        && path.path.leading_colon.is_none()
        && path.path.segments.len() == 1
    {
        return Some(path.path.segments[0].ident.clone());
    }
    diagnostics.error(
        ty,
        "a routine's `impl` block stands in the module of its struct and names it without a path",
        "write `impl YourRoutine { .. }`",
    );
    None
}

fn event_of(function: &Function, attr: &Attribute, diagnostics: &mut Diagnostics) -> Option<Event> {
    let signature = &function.signature;
    let name = &signature.ident;
    let shape = format!("write `#[event] fn {name}(text: String);`, with the parameters it carries");
    let live = is_live(attr, diagnostics);
    if let Some(body) = &function.body {
        diagnostics.error(body, format!("the event `{name}` has a body"), shape);
        return None;
    }
    if let Some(receiver) = signature.receiver() {
        diagnostics.error(receiver, format!("the event `{name}` takes `self`"), shape);
        return None;
    }
    if !signature.generics.params.is_empty() {
        diagnostics.error(
            &signature.generics,
            "an event has no type parameters of its own",
            "use those of the routine",
        );
        return None;
    }
    if let ReturnType::Type(_, ty) = &signature.output {
        diagnostics.error(ty, format!("the event `{name}` returns something"), shape);
        return None;
    }
    let reserved = ["error", "after", "every", "cancel", "named", "emitted", "events", "default"];
    if reserved.contains(&name.to_string().as_str()) {
        diagnostics.error(
            name,
            format!("`{name}` is a reserved name for an event"),
            "give the event another name",
        );
        return None;
    }
    let mut params = Vec::new();
    for input in &signature.inputs {
        let FnArg::Typed(typed) = input else { continue };
        let Pat::Ident(pat) = &*typed.pat else {
            diagnostics.error(&typed.pat, "a parameter of an event is a name and a type", shape);
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
            diagnostics.error(value, "`#[event]` takes its option in brackets", WRITE);
            return true;
        }
    };
    let parsed = list.parse_args_with(syn::punctuated::Punctuated::<Meta, Token![,]>::parse_terminated);
    let metas = match parsed {
        Ok(metas) => metas,
        Err(error) => {
            diagnostics.add(error);
            return true;
        }
    };
    let mut live = false;
    for meta in metas {
        let key = text::of(meta.path());
        match (key.as_str(), &meta) {
            ("live", Meta::Path(_)) => {}
            ("live", _) => diagnostics.error(&meta, "`live` takes no value", WRITE),
            _ => {
                let near = did_you_mean(&key, ["live"]);
                let help = match near {
                    Some(near) => format!("did you mean `{near}`? It is the only option"),
                    None => "the only option is `live`, for an event that leaves before its step has ended"
                        .to_owned(),
                };
                diagnostics.error(meta.path(), format!("`#[event]` has no option `{key}`"), help);
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
    match ty {
        Type::Reference(reference) => {
            let owned = owned_name(&reference.elem);
            diagnostics.error(
                ty,
                "the payload of an event is owned: it may wait, and be saved",
                format!("write `{owned}`"),
            );
            None
        }
        Type::ImplTrait(_) => {
            diagnostics.error(ty, "a payload has one type", "name it instead of `impl Trait`");
            None
        }
        Type::Path(path) if path.path.is_ident("Self") => {
            diagnostics.error(
                ty,
                "a routine does not travel in an event of its own",
                "send what the receiver needs",
            );
            None
        }
        _ => Some(()),
    }
}

fn owned_name(ty: &Type) -> String {
    match ty {
        Type::Slice(slice) => format!("Vec<{}>", text::of(&slice.elem)),
        Type::Path(path) if path.path.is_ident("Path") => "PathBuf".to_owned(),
        other if is_str(other) => "String".to_owned(),
        other => text::of(other),
    }
}

fn is_str(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("str"))
}

fn slot_of(function: &Function, attr: &Attribute, diagnostics: &mut Diagnostics) -> Option<Slot> {
    let signature = &function.signature;
    let name = &signature.ident;
    let options = options(attr, diagnostics);
    if function.body.is_none() {
        diagnostics.error(
            signature,
            format!("the handler `{name}` has no body"),
            "write what it does when something arrives",
        );
        return None;
    }
    let exclusive = receiver(signature, diagnostics)?;
    if name == "error" {
        diagnostics.error(name, "`error` is a reserved name for a slot", "give the slot another name");
        return None;
    }
    if let Some(asyncness) = &signature.asyncness {
        let (message, help) = match () {
            () if exclusive => (
                "an `async` handler takes `&self`: while it waits, the others of its routine run",
                "take `&self`, and send what it found to a slot that takes `&mut self`",
            ),
            () if options.merge != Merge::Override => (
                "an `async` handler takes one value: a slot that keeps something runs one at a time",
                "leave `merge` out, and gather in another slot",
            ),
            () => ("", ""),
        };
        if !message.is_empty() {
            diagnostics.error(asyncness, message, help);
            return None;
        }
    }
    if !signature.generics.params.is_empty() {
        let help = "a flow has to know its payload: use the parameters of the routine";
        diagnostics.error(&signature.generics, "a handler has no parameters of its own", help);
        return None;
    }
    let output = match &signature.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) if matches!(&**ty, Type::Tuple(tuple) if tuple.elems.is_empty()) => None,
        ReturnType::Type(_, ty) => Some((**ty).clone()),
    };
    if options.parallel > 1 && (exclusive || options.merge != Merge::Override) {
        let why = match exclusive {
            true => "it takes `&mut self`",
            false => "its slot keeps something",
        };
        diagnostics.error(
            attr,
            format!("`{name}` runs one at a time: {why}"),
            "leave `parallel` out, or take `&self` and no more than the payload",
        );
    }
    let mut slot = Slot {
        name: name.clone(),
        options,
        waits: signature.asyncness.as_ref().map(Spanned::span),
        exclusive,
        output,
        payload: Vec::new(),
        takes_out: false,
        takes_cx: false,
    };
    parameters(signature, &mut slot, diagnostics)?;
    merge_fits(&slot, signature, diagnostics)?;
    Some(slot)
}

fn receiver(signature: &Signature, diagnostics: &mut Diagnostics) -> Option<bool> {
    match signature.receiver() {
        Some(receiver) => match &receiver.kind {
            ReceiverKind::Reference(_, None, mutability) => Some(mutability.is_some()),
            _ => {
                diagnostics.error(receiver, "a handler takes `&mut self` or `&self`", WHOLE_SIGNATURE);
                None
            }
        },
        None => {
            let name = &signature.ident;
            diagnostics.error(name, format!("the handler `{name}` does not take `self`"), WHOLE_SIGNATURE);
            None
        }
    }
}

/// Sorts the parameters into payload, outbox and context, by their types.
fn parameters(signature: &Signature, slot: &mut Slot, diagnostics: &mut Diagnostics) -> Option<()> {
    for input in &signature.inputs {
        let FnArg::Typed(typed) = input else { continue };
        match role(&typed.ty) {
            Role::Outbox if slot.takes_out || slot.takes_cx => {
                diagnostics.error(
                    typed,
                    "the outbox comes once, after the payload and before the context",
                    WHOLE_SIGNATURE,
                );
                return None;
            }
            Role::Outbox => slot.takes_out = true,
            Role::WrongOutbox => {
                diagnostics.error(&typed.ty, "the outbox is taken as `&mut`", "write `out: &mut Emit<Self>`");
                return None;
            }
            Role::WrongContext => {
                let help = "write `cx: &Context`; for a type of your own with that name, `self::Context`";
                diagnostics.error(&typed.ty, "the context is taken as `&`", help);
                return None;
            }
            Role::Context if slot.takes_cx => {
                diagnostics.error(typed, "the context comes once", WHOLE_SIGNATURE);
                return None;
            }
            Role::Context => slot.takes_cx = true,
            Role::Payload if slot.takes_out || slot.takes_cx => {
                diagnostics.error(
                    typed,
                    "the payload comes before the outbox and the context",
                    WHOLE_SIGNATURE,
                );
                return None;
            }
            Role::Payload => slot.payload.push(param(&typed.ty, diagnostics)?),
        }
    }
    Some(())
}

enum Role {
    Payload,
    Outbox,
    /// `&Emit<Self>` or `Emit<Self>`, which is a mistake.
    WrongOutbox,
    Context,
    /// `&mut Context` or `Context`, which is a mistake.
    WrongContext,
}

fn role(ty: &Type) -> Role {
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

fn param(ty: &Type, diagnostics: &mut Diagnostics) -> Option<Param> {
    let (owned, pass) = match ty {
        Type::Reference(reference) if reference.mutability.is_some() => {
            let owned = text::of(&reference.elem);
            diagnostics.error(
                ty,
                "a payload is taken as `T` or `&T`",
                format!("write `{owned}` or `&{owned}`"),
            );
            return None;
        }
        Type::Reference(reference) => match &*reference.elem {
            Type::Slice(slice) => ((*slice.elem).clone(), Pass::Slice),
            // What waits is a `String`, and a reference to it is as good as a `&str`.
            elem if is_str(elem) => {
                let string = crate::diagnostic::at(elem.span(), quote!(::std::string::String));
                return Some(Param {
                    ty: Type::Verbatim(string),
                    text: "String".to_owned(),
                    pass: Pass::Reference,
                });
            }
            Type::Path(path) if path.path.is_ident("Path") => {
                diagnostics.error(
                    ty,
                    "`Path` cannot wait in a queue: a payload is owned",
                    "write `&PathBuf`; for a type of your own with that name, `&self::Path`",
                );
                return None;
            }
            elem => (elem.clone(), Pass::Reference),
        },
        Type::ImplTrait(_) => {
            diagnostics.error(ty, "a payload has one type", "name it instead of `impl Trait`");
            return None;
        }
        _ => (ty.clone(), Pass::Value),
    };
    Some(Param { text: text::of(&owned), ty: owned, pass })
}

fn merge_fits(slot: &Slot, signature: &Signature, diagnostics: &mut Diagnostics) -> Option<()> {
    if slot.options.merge_unknown {
        return None;
    }
    let slice = slot.payload.iter().find(|param| param.pass == Pass::Slice);
    match (&slot.options.merge, slice) {
        (Merge::Override, None) => Some(()),
        (Merge::Override, Some(param)) => {
            let ty = text::of(&param.ty);
            let help = format!(
                "write `#[slot(merge = \"append\")]`, or take one value: `{ty}` or `&{ty}`; a list as payload is `&Vec<{ty}>`"
            );
            diagnostics.error(&param.ty, "a slice is what a slot takes that appends", help);
            None
        }
        (Merge::Append, Some(_)) if slot.payload.len() == 1 => Some(()),
        (Merge::Latest | Merge::Append | Merge::Fold(_), _) => {
            let ty = match slot.payload.len() {
                0 => "()".to_owned(),
                _ => slot.payload_text(),
            };
            let inputs = &signature.inputs;
            let message = "a slot that appends takes all values so far, as one slice";
            diagnostics.error(inputs, message, format!("write `&[{ty}]` for the payload"));
            None
        }
    }
}

fn options(attr: &Attribute, diagnostics: &mut Diagnostics) -> Options {
    let mut options = Options {
        merge: Merge::Override,
        optional: false,
        atomic: true,
        parallel: 0,
        timeout: 0,
        merge_unknown: false,
    };
    let list = match &attr.meta {
        Meta::Path(_) => return options,
        Meta::List(list) => list,
        Meta::NameValue(value) => {
            diagnostics.error(
                value,
                "`#[slot]` takes its options in brackets",
                "write `#[slot(merge = \"append\")]`",
            );
            return options;
        }
    };
    let parsed = list.parse_args_with(syn::punctuated::Punctuated::<Meta, Token![,]>::parse_terminated);
    let metas = match parsed {
        Ok(metas) => metas,
        Err(error) => {
            diagnostics.add(error);
            return options;
        }
    };
    for meta in metas {
        let key = text::of(meta.path());
        match (key.as_str(), &meta) {
            ("optional", Meta::Path(_)) => options.optional = true,
            ("merge", Meta::NameValue(pair)) => match word(&pair.value).as_deref() {
                Some("override") => options.merge = Merge::Override,
                Some("append") => options.merge = Merge::Append,
                other => {
                    options.merge_unknown = true;
                    unknown_value(
                        &pair.value,
                        "merge",
                        other,
                        &["override", "append"],
                        &["latest"],
                        diagnostics,
                    );
                }
            },
            ("when", Meta::NameValue(pair)) => match word(&pair.value).as_deref() {
                Some("each") => {}
                other => {
                    unknown_value(&pair.value, "when", other, &["each"], &["all", "drained"], diagnostics)
                }
            },
            ("atomic", Meta::NameValue(pair)) => match &pair.value {
                Expr::Lit(ExprLit { lit: Lit::Bool(value), .. }) => options.atomic = value.value,
                other => diagnostics.error(other, "`atomic` is `true` or `false`", "write `atomic = false`"),
            },
            ("parallel", Meta::NameValue(pair)) => match number(&pair.value) {
                Some(most) if most > 0 => options.parallel = most,
                _ => diagnostics.error(
                    &pair.value,
                    "`parallel` is how many runs of the handler there may be at once",
                    "write a number from 1 on: `parallel = 4`",
                ),
            },
            ("timeout", Meta::NameValue(pair)) => match word(&pair.value).map(|text| duration::millis(&text))
            {
                Some(Ok(millis)) => options.timeout = millis,
                Some(Err(why)) => {
                    let help = "write a number and a unit: `timeout = \"500ms\"`, \"30s\", \"2min\", \"1h\"";
                    diagnostics.error(
                        &pair.value,
                        format!("this is no time that a handler may take: {why}"),
                        help,
                    );
                }
                None => diagnostics.error(
                    &pair.value,
                    "`timeout` is how long the handler may take, in quotes",
                    "write a number and a unit: `timeout = \"500ms\"`",
                ),
            },
            ("merge" | "when" | "atomic" | "parallel" | "timeout", _) => {
                let help = format!("write `{key} = ..`");
                diagnostics.error(&meta, format!("`{key}` needs a value"), help);
            }
            ("optional", _) => diagnostics.error(&meta, "`optional` takes no value", "write `optional`"),
            _ => {
                let known = ["merge", "when", "optional", "atomic", "parallel", "timeout"];
                let list = known.map(|known| format!("`{known}`")).join(", ");
                let help = match did_you_mean(&key, known) {
                    Some(near) => format!("did you mean `{near}`? The options are: {list}"),
                    None => format!("the options are: {list}"),
                };
                diagnostics.error(meta.path(), format!("`#[slot]` has no option `{key}`"), help);
            }
        }
    }
    options
}

fn number(expr: &Expr) -> Option<u32> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().ok(),
        _ => None,
    }
}

/// The text of a string literal.
fn word(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

fn unknown_value(
    expr: &Expr,
    key: &str,
    value: Option<&str>,
    known: &[&str],
    later: &[&str],
    diagnostics: &mut Diagnostics,
) {
    let list = known.iter().map(|known| format!("`\"{known}\"`")).collect::<Vec<_>>().join(", ");
    let message = match value {
        Some(value) if later.contains(&value) => format!("`{key} = \"{value}\"` is not part of this version"),
        Some(value) => format!("there is no `{key} = \"{value}\"`"),
        None => format!("`{key}` is one of the words that it knows, in quotes"),
    };
    let near = value.and_then(|value| did_you_mean(value, known.iter().copied()));
    let help = match near {
        Some(near) => format!("did you mean `\"{near}\"`? The values are: {list}"),
        None => format!("the values are: {list}"),
    };
    diagnostics.error(expr, message, help);
}

/// A port's name as it is in messages: without `r#`.
pub(crate) fn plain(name: &Ident) -> String {
    name.unraw().to_string()
}
