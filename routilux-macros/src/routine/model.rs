//! What the `impl` block of a routine declares: events, folds, and handlers with what each takes and returns.
//! Mistakes in a single function or attribute are found while it is read; `check` finds those that concern several.

use super::parse::{Function, Impl, Item};
use super::{event, fold, handler};
use crate::diagnostic::Diagnostics;
use crate::text;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use routilux_graph::{Code, Merge, When, did_you_mean};
use std::collections::HashSet;
use std::fmt;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Type};

pub(crate) struct Model {
    /// The routine's type without generics or path.
    pub(crate) name: Option<Ident>,
    pub(crate) events: Vec<Event>,
    /// Every one is a port, by its number.
    pub(crate) handlers: Vec<Handler>,
}

pub(crate) struct Event {
    pub(crate) name: Ident,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) params: Vec<(Ident, Type)>,
    /// Whether it leaves at once, before the step has ended.
    pub(crate) live: bool,
}

/// A function marked `#[merge]`.
pub(crate) struct Fold {
    pub(crate) name: Ident,
    /// What it gathers in, and what it takes; `None` if it has mistakes.
    pub(crate) understood: Option<(Type, Vec<Param>)>,
}

/// A function that the engine calls.
pub(crate) struct Handler {
    pub(crate) name: Ident,
    pub(crate) kind: Kind,
    /// Where it says `async`, if it does.
    pub(crate) waits: Option<Span>,
    /// `&mut self`
    pub(crate) exclusive: bool,
    pub(crate) returns: Returns,
    /// What one arrival is, by parts; how they are passed is said where the handler takes one arrival.
    pub(crate) payload: Vec<Param>,
    pub(crate) takes_out: bool,
    pub(crate) takes_cx: bool,
    pub(crate) optional: bool,
    pub(crate) atomic: bool,
    /// How many runs there may be at once; 0 where it is not said.
    pub(crate) parallel: u32,
    /// How long a run may take, in milliseconds; 0 where it is not said.
    pub(crate) timeout: u64,
}

pub(crate) enum Kind {
    Slot {
        merge: Merge,
        when: When,
        /// The fold's function and what it gathers in.
        fold: Option<Box<(Ident, Type)>>,
    },
    Join {
        latest: bool,
        /// How long a value waits for its partners, in milliseconds; 0 is for ever.
        within: u64,
        /// The names of the payload's parts.
        inputs: Vec<Ident>,
    },
    Source {
        start: bool,
    },
    Finish,
}

/// What a handler is given of its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// One arrival: `T` or `&T`, or its parts.
    One,
    /// All so far: `&[T]`.
    Slice,
    /// All that were gathered: `Vec<T>`.
    All,
    /// The fold so far: `&Acc`.
    Fold,
    /// The fold of all that were gathered: `Acc`.
    FoldOfAll,
}

pub(crate) enum Returns {
    Nothing,
    /// `Result<(), E>`
    Checked(Type),
    Emits(Emits),
    /// `More` or `Result<More>`
    More {
        ty: Type,
        fails: bool,
    },
}

/// A value that is emitted.
pub(crate) struct Emits {
    /// The number of the event.
    pub(crate) event: usize,
    /// All that the handler returns; `None` where it returns nothing.
    pub(crate) ty: Option<Type>,
    pub(crate) each: Each,
    /// Whether it is the value of a `Result`.
    pub(crate) fails: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Each {
    /// It is the payload.
    One,
    /// An `Option` of the payload.
    Maybe,
    /// Something to iterate over, of payloads.
    All,
}

/// One parameter that is payload, or a part of it.
#[derive(Clone)]
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
        self.handlers.iter().any(|handler| handler.waits.is_some())
    }

    /// Whether all handlers take `&mut self`.
    pub(crate) fn all_exclusive(&self) -> bool {
        self.handlers.iter().all(|handler| handler.exclusive)
    }
}

impl Event {
    /// The payload's type: a tuple for several parameters.
    pub(crate) fn payload(&self) -> TokenStream {
        tuple(self.params.iter().map(|(_, ty)| ty))
    }
}

impl Handler {
    pub(crate) fn payload(&self) -> TokenStream {
        tuple(self.payload.iter().map(|param| &param.ty))
    }

    pub(crate) fn payload_text(&self) -> String {
        payload_text(&self.payload)
    }

    /// Where to point for the payload as a whole.
    pub(crate) fn payload_span(&self) -> Span {
        self.payload.first().map_or(self.name.span(), |param| param.ty.span())
    }

    pub(crate) fn merge(&self) -> Merge {
        match &self.kind {
            Kind::Slot { merge, .. } => merge.clone(),
            Kind::Join { latest: true, .. } => Merge::Latest,
            _ => Merge::Override,
        }
    }

    pub(crate) fn when(&self) -> When {
        match &self.kind {
            Kind::Slot { when, .. } => *when,
            _ => When::Each,
        }
    }

    pub(crate) fn takes(&self) -> Takes {
        Takes::of(&self.merge(), self.when())
    }

    pub(crate) fn is_join(&self) -> bool {
        matches!(self.kind, Kind::Join { .. })
    }

    /// How long a value of a join waits for its partners, in milliseconds; 0 for ever, and of another handler.
    pub(crate) fn within(&self) -> u64 {
        match self.kind {
            Kind::Join { within, .. } => within,
            _ => 0,
        }
    }

    /// The event that it emits once each time that it runs, as far as can be told: it returns the payload, and cannot fail.
    pub(crate) fn always(&self) -> Option<usize> {
        match &self.returns {
            Returns::Emits(Emits { event, each: Each::One, fails: false, .. }) => Some(*event),
            _ => None,
        }
    }

    /// Whether it takes all of its payload by reference.
    pub(crate) fn is_lent(&self) -> bool {
        !self.payload.is_empty() && self.payload.iter().all(|param| param.pass != Pass::Value)
    }

    /// The function that folds what arrives, and what it gathers in.
    pub(crate) fn fold(&self) -> Option<(&Ident, &Type)> {
        match &self.kind {
            Kind::Slot { fold: Some(fold), .. } => Some((&fold.0, &fold.1)),
            _ => None,
        }
    }

    /// Whether no other handler of the routine runs meanwhile: it takes `&mut self`, or something is kept for it.
    pub(crate) fn is_alone(&self) -> bool {
        match &self.kind {
            Kind::Slot { merge, .. } => self.exclusive || *merge != Merge::Override,
            Kind::Join { .. } | Kind::Source { .. } | Kind::Finish => true,
        }
    }

    /// Whether a clone of what it takes by value is kept for another attempt.
    pub(crate) fn keeps(&self) -> bool {
        match (&self.kind, self.takes()) {
            (Kind::Source { .. } | Kind::Finish, _) => false,
            (Kind::Join { .. }, _) => self.is_undoable() && !self.is_lent(),
            // What waits may be given up: the payload is there for another attempt then. A unit is neither cloned nor lost.
            (_, Takes::One) => {
                !self.is_lent() && (self.waits.is_some() || self.payload.is_empty() || self.is_undoable())
            }
            (_, Takes::Slice) => false,
            // A fold has changed what was kept.
            (_, Takes::All | Takes::Fold | Takes::FoldOfAll) => self.is_undoable(),
        }
    }

    /// Whether a panic leaves the routine's state and what arrived as they were.
    pub(crate) fn is_whole(&self) -> bool {
        let state = !self.exclusive || self.is_undoable();
        let payload = match (&self.kind, self.takes()) {
            (Kind::Source { .. } | Kind::Finish, _) => true,
            (Kind::Join { .. }, _) | (_, Takes::One) => self.is_lent() || self.keeps(),
            (_, Takes::Slice) => true,
            (_, Takes::All | Takes::Fold | Takes::FoldOfAll) => self.keeps(),
        };
        state && payload
    }

    /// Whether it can fail: by what it returns, or by taking too long.
    pub(crate) fn is_fallible(&self) -> bool {
        self.returns.fails() || self.timeout > 0
    }

    /// Whether what a failed attempt did can be undone.
    pub(crate) fn is_undoable(&self) -> bool {
        self.is_fallible() && self.atomic
    }
}

impl Kind {
    /// A port of this kind, as a noun.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Kind::Slot { .. } => Mark::Slot.noun(),
            Kind::Join { .. } => Mark::Join.noun(),
            Kind::Source { .. } => Mark::Source.noun(),
            Kind::Finish => Mark::Finish.noun(),
        }
    }
}

impl Returns {
    pub(crate) fn fails(&self) -> bool {
        match self {
            Returns::Nothing => false,
            Returns::Checked(_) => true,
            Returns::Emits(Emits { fails, .. }) | Returns::More { fails, .. } => *fails,
        }
    }
}

impl Takes {
    pub(crate) fn of(merge: &Merge, when: When) -> Self {
        match (merge, when) {
            (Merge::Override, _) | (Merge::Latest, When::Each) => Takes::One,
            (Merge::Append, When::Each) => Takes::Slice,
            (Merge::Fold(_), When::Each) => Takes::Fold,
            (Merge::Latest | Merge::Append, _) => Takes::All,
            (Merge::Fold(_), _) => Takes::FoldOfAll,
        }
    }
}

pub(super) fn payload_text(params: &[Param]) -> String {
    let texts: Vec<&str> = params.iter().map(|param| param.text.as_str()).collect();
    match texts.as_slice() {
        [one] => (*one).to_owned(),
        several => format!("({})", several.join(", ")),
    }
}

fn tuple<'t>(types: impl Iterator<Item = &'t Type>) -> TokenStream {
    let types: Vec<_> = types.collect();
    match types.as_slice() {
        [one] => one.to_token_stream(),
        several => quote! { (#(#several),*) },
    }
}

/// What a function is marked as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Event,
    Slot,
    Join,
    Source,
    Finish,
    Merge,
}

/// Attributes of the language, which are no misspelt marks.
const OF_THE_LANGUAGE: [&str; 15] = [
    "allow",
    "cfg",
    "cfg_attr",
    "cold",
    "deny",
    "deprecated",
    "doc",
    "expect",
    "forbid",
    "inline",
    "must_use",
    "target_feature",
    "test",
    "track_caller",
    "warn",
];

impl Mark {
    const ALL: [(&str, Mark); 6] = [
        ("event", Mark::Event),
        ("slot", Mark::Slot),
        ("join", Mark::Join),
        ("source", Mark::Source),
        ("finish", Mark::Finish),
        ("merge", Mark::Merge),
    ];

    /// A misspelt one is taken for what it was probably meant to be.
    pub(crate) fn of(attr: &Attribute) -> Option<Self> {
        let name = attr.path().get_ident()?.to_string();
        let known = |name: &str| Mark::ALL.iter().find(|(known, _)| *known == name).map(|(_, mark)| *mark);
        known(&name).or_else(|| match OF_THE_LANGUAGE.contains(&name.as_str()) {
            true => None,
            false => known(did_you_mean(&name, Mark::ALL.map(|(known, _)| known))?),
        })
    }

    fn is_misspelt(self, attr: &Attribute) -> bool {
        Mark::ALL.iter().all(|(name, mark)| *mark != self || !attr.path().is_ident(name))
    }

    /// A function with this mark, as a noun.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Mark::Event => "event",
            Mark::Slot => "slot",
            Mark::Join => "join",
            Mark::Source => "source",
            Mark::Finish => "finish",
            Mark::Merge => "fold",
        }
    }

    /// The same, where it is the function that is spoken of.
    pub(crate) fn handler(self) -> &'static str {
        match self {
            Mark::Slot => "handler",
            other => other.noun(),
        }
    }

    fn article(self) -> &'static str {
        if self == Mark::Event { "an" } else { "a" }
    }
}

/// As it is written.
impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if *self == Mark::Merge { "merge" } else { self.noun() };
        write!(f, "#[{word}]")
    }
}

/// What the handlers of an `impl` block can name.
pub(super) struct Known<'m> {
    pub(super) events: &'m [Event],
    /// Of all events, those with mistakes too.
    pub(super) event_names: Vec<String>,
    pub(super) folds: &'m [Fold],
    /// The names of all other functions.
    pub(super) functions: Vec<String>,
}

pub(crate) fn build(parsed: &Impl, diagnostics: &mut Diagnostics) -> Model {
    let name = routine_name(&parsed.self_type, diagnostics);
    let functions: Vec<(&Function, Option<Marked<'_>>)> = parsed
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Function(function) => Some((&**function, marked(function, diagnostics))),
            Item::Other(_) => None,
        })
        .collect();
    let of_mark = |wanted: Mark| {
        functions.iter().filter_map(move |(function, marked)| match marked {
            Some(Marked::As(mark, attr)) if *mark == wanted => Some((*function, *attr)),
            _ => None,
        })
    };
    let events: Vec<Event> = of_mark(Mark::Event)
        .filter_map(|(function, attr)| event::read(function, attr, diagnostics))
        .collect();
    let folds: Vec<Fold> =
        of_mark(Mark::Merge).map(|(function, attr)| fold::read(function, attr, diagnostics)).collect();
    let is_event =
        |function: &Function| function.attrs.iter().any(|attr| Mark::of(attr) == Some(Mark::Event));
    let names = |wanted: bool| {
        let chosen = functions.iter().filter(move |(function, _)| is_event(function) == wanted);
        chosen.map(|(function, _)| plain(&function.signature.ident)).collect()
    };
    let known = Known { events: &events, event_names: names(true), folds: &folds, functions: names(false) };
    let mut seen = HashSet::new();
    let handlers = functions
        .iter()
        .filter_map(|(function, marked)| match marked {
            Some(Marked::As(mark, attr)) if !matches!(mark, Mark::Event | Mark::Merge) => {
                handler::read(function, *mark, attr, &known, diagnostics)
            }
            _ => None,
        })
        // A second function of a name is told by the compiler.
        .filter(|handler: &Handler| seen.insert(plain(&handler.name)))
        .collect();
    Model { name, events, handlers }
}

enum Marked<'f> {
    As(Mark, &'f Attribute),
    Twice,
}

fn marked<'f>(function: &'f Function, diagnostics: &mut Diagnostics) -> Option<Marked<'f>> {
    let marks: Vec<(Mark, &Attribute)> =
        function.attrs.iter().filter_map(|attr| Some((Mark::of(attr)?, attr))).collect();
    if !marks.is_empty()
        && let Some(cfg) = function.attrs.iter().find(|attr| attr.path().is_ident("cfg"))
    {
        let help =
            "put it on the struct and on the whole `impl` block, and write the routine once for each case";
        diagnostics.error(
            Code::ConditionalPort,
            cfg,
            "a routine has the same ports in every build: `#[cfg]` cannot stand on one",
            help,
        );
    }
    match marks.as_slice() {
        [] if function.body.is_none() => {
            let name = &function.signature.ident;
            diagnostics.error(
                Code::HandlerShape,
                &function.signature,
                format!("`{name}` has no body"),
                format!("if it is an event, mark it: `#[event] fn {name}(..);`"),
            );
            None
        }
        [] => None,
        [(mark, attr)] => {
            if mark.is_misspelt(attr) {
                let message = format!("a function has no mark `#[{}]`", text::of(attr.path()));
                diagnostics.error(Code::FieldMark, attr, message, format!("did you mean `{mark}`?"));
            }
            Some(Marked::As(*mark, attr))
        }
        [(first, _), (second, attr), ..] => {
            let message = match first == second {
                true => format!("`{first}` stands here twice"),
                false => format!(
                    "a function is {} {} or {} {}, not both",
                    first.article(),
                    first.noun(),
                    second.article(),
                    second.noun()
                ),
            };
            diagnostics.error(Code::TwoMarks, attr, message, "remove one of the two marks");
            Some(Marked::Twice)
        }
    }
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
        Code::RoutinePlace,
        ty,
        "a routine's `impl` block stands in the module of its struct and names it without a path",
        "write `impl YourRoutine { .. }`",
    );
    None
}

/// Names that the outbox, error wires and timers have for themselves.
pub(super) fn is_reserved(name: &Ident, what: &str, diagnostics: &mut Diagnostics) -> bool {
    let reserved = ["error", "after", "every", "cancel", "named", "later", "emitted", "events", "default"];
    let is_reserved = reserved.contains(&plain(name).as_str());
    if is_reserved {
        let message = format!("`{name}` is a reserved name for {what}");
        let what = what.trim_start_matches("an ").trim_start_matches("a ");
        diagnostics.error(Code::ReservedName, name, message, format!("give the {what} another name"));
    }
    is_reserved
}

/// The name of an input of a join, from its parameter's: one that is not looked at may begin with `_`.
pub(crate) fn input_name(parameter: &Ident) -> String {
    plain(parameter).trim_start_matches('_').to_owned()
}

/// The name of a variant or a type, from that of a parameter or a port: `first_order` is `FirstOrder`.
pub(crate) fn upper_camel(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let mut chars = word.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect::<String>()).unwrap_or_default()
    });
    let name: String = words.collect();
    match name.chars().next() {
        Some(first) if first.is_alphabetic() && name != "Self" => name,
        _ => format!("_{name}"),
    }
}

/// A port's name as it is in messages: without `r#`.
pub(crate) fn plain(name: &Ident) -> String {
    name.unraw().to_string()
}
