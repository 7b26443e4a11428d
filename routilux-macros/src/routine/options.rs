//! The options of the marks: `#[slot(merge = "append", when = 3)]`, `#[join(latest)]`, `#[source(start)]`.

use super::duration;
use super::model::{Known, Mark, plain};
use crate::diagnostic::{Diagnostics, coded, error};
use crate::text;
use proc_macro2::{Ident, TokenTree};
use quote::ToTokens;
use routilux_graph::{Code, Merge, When, did_you_mean};
use syn::{Attribute, Expr, ExprLit, Lit, Meta, MetaList, MetaNameValue, Token};

/// `"append"` for `merge = "append"`, and `merge: "append"`.
fn meant(list: &MetaList) -> Option<String> {
    let tokens: Vec<TokenTree> = list.tokens.clone().into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Literal(value)] => {
            let key = match value.to_string().trim_matches('"') {
                "append" | "latest" | "override" => "merge",
                "drained" => "when",
                _ => return None,
            };
            Some(format!("{key} = {value}"))
        }
        [TokenTree::Ident(key), TokenTree::Punct(colon), value] if colon.as_char() == ':' => {
            Some(format!("{key} = {value}"))
        }
        _ => None,
    }
}

/// Every option, and the marks that have it.
const OPTIONS: [(&str, &[Mark]); 10] = [
    ("merge", &[Mark::Slot]),
    ("when", &[Mark::Slot]),
    ("latest", &[Mark::Join]),
    ("within", &[Mark::Join]),
    ("start", &[Mark::Source]),
    ("emit", &[Mark::Slot, Mark::Join, Mark::Finish]),
    ("optional", &[Mark::Slot]),
    ("atomic", &[Mark::Slot, Mark::Join, Mark::Source, Mark::Finish]),
    ("parallel", &[Mark::Slot]),
    ("timeout", &[Mark::Slot, Mark::Join, Mark::Source, Mark::Finish]),
];

/// The options that are words without a value.
const WORDS: [&str; 3] = ["latest", "start", "optional"];

pub(super) struct Options {
    pub(super) merge: Merge,
    /// The function that `merge` names.
    pub(super) fold: Option<Ident>,
    pub(super) when: When,
    /// Where `when` is said.
    pub(super) when_at: Option<Expr>,
    /// The event that what the handler returns is emitted as.
    pub(super) emit: Option<Ident>,
    pub(super) latest: bool,
    /// How long a value of a join waits for its partners, in milliseconds; 0 where it is not said.
    pub(super) within: u64,
    pub(super) start: bool,
    pub(super) optional: bool,
    pub(super) atomic: bool,
    /// How many runs there may be at once; 0 where it is not said.
    pub(super) parallel: u32,
    /// How long a run may take, in milliseconds; 0 where it is not said.
    pub(super) timeout: u64,
    /// Whether what the handler takes cannot be told, because an option has a value that is not known.
    pub(super) unclear: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            merge: Merge::Override,
            fold: None,
            when: When::Each,
            when_at: None,
            emit: None,
            latest: false,
            within: 0,
            start: false,
            optional: false,
            atomic: true,
            parallel: 0,
            timeout: 0,
            unclear: false,
        }
    }
}

pub(super) fn read(
    mark: Mark,
    attr: &Attribute,
    known: &Known<'_>,
    diagnostics: &mut Diagnostics,
) -> Options {
    let mut options = Options::default();
    let list = match &attr.meta {
        Meta::Path(_) => return options,
        Meta::List(list) => list,
        Meta::NameValue(value) => {
            let message = format!("`{mark}` takes its options in brackets");
            diagnostics.error(Code::OptionValue, value, message, format!("write `{}`", example(mark)));
            options.unclear = true;
            return options;
        }
    };
    let parsed = list.parse_args_with(syn::punctuated::Punctuated::<Meta, Token![,]>::parse_terminated);
    let metas = match parsed {
        Ok(metas) => metas,
        Err(problem) => {
            diagnostics.add(match meant(list) {
                Some(written) => {
                    let help = format!("write `#[{}({written})]`", text::of(&list.path));
                    error(Code::OptionValue, &list.tokens, "an option is a name, `=` and a value", help)
                }
                None => {
                    let example = example(mark);
                    let help = format!("write options one after the other, with commas between: `{example}`");
                    let what = format!("the options of `{mark}` cannot be read");
                    coded(Code::OptionValue, problem, &list.to_token_stream(), &what, &help)
                }
            });
            options.unclear = true;
            return options;
        }
    };
    let mut seen: Vec<String> = Vec::new();
    for meta in metas {
        let key = text::of(meta.path());
        let marks = OPTIONS.iter().find(|(name, _)| *name == key).map(|(_, marks)| *marks);
        if marks.is_none_or(|marks| !marks.contains(&mark)) {
            no_such_option(mark, &meta, &key, marks, diagnostics);
            // It may be a misspelt `merge`, or `when`.
            options.unclear = true;
            continue;
        }
        if seen.contains(&key) {
            diagnostics.error(
                Code::OptionTwice,
                &meta,
                format!("`{key}` is said twice"),
                "keep one of the two",
            );
            continue;
        }
        match (&meta, WORDS.contains(&key.as_str())) {
            (Meta::Path(_), true) => match key.as_str() {
                "latest" => options.latest = true,
                "start" => options.start = true,
                _ => options.optional = true,
            },
            (Meta::NameValue(pair), false) => options.value(&key, pair, known, diagnostics),
            (_, true) => diagnostics.error(
                Code::OptionValue,
                &meta,
                format!("`{key}` takes no value"),
                format!("write `{key}`"),
            ),
            (_, false) => {
                options.unclear = true;
                let help = format!("write `{key} = ..`");
                diagnostics.error(Code::OptionValue, &meta, format!("`{key}` needs a value"), help);
            }
        }
        seen.push(key);
    }
    options
}

fn no_such_option(
    mark: Mark,
    meta: &Meta,
    key: &str,
    elsewhere: Option<&[Mark]>,
    diagnostics: &mut Diagnostics,
) {
    let known = || OPTIONS.iter().filter(|(_, marks)| marks.contains(&mark)).map(|(name, _)| *name);
    let list = known().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ");
    let help = match (did_you_mean(key, known()), elsewhere) {
        (_, Some(marks)) => {
            let marks = marks.iter().map(|mark| format!("`{mark}`")).collect::<Vec<_>>().join(", ");
            format!("it is an option of {marks}; those of `{mark}` are: {list}")
        }
        (Some(near), None) => format!("did you mean `{near}`? The options are: {list}"),
        (None, None) => format!("the options are: {list}"),
    };
    diagnostics.error(Code::UnknownOption, meta.path(), format!("`{mark}` has no option `{key}`"), help);
}

impl Options {
    fn value(&mut self, key: &str, pair: &MetaNameValue, known: &Known<'_>, diagnostics: &mut Diagnostics) {
        let value = &pair.value;
        match key {
            "merge" => self.merge(value, known, diagnostics),
            "when" => self.when(value, diagnostics),
            "emit" => match name(value) {
                Some(event) => self.emit = Some(event),
                None => {
                    self.unclear = true;
                    let help = match word(value) {
                        Some(event) => format!("write it without quotes: `emit = {event}`"),
                        None => "write `emit = word`, with the name of an event".to_owned(),
                    };
                    diagnostics.error(
                        Code::EmitTarget,
                        value,
                        "`emit` is the name of an event of this routine",
                        help,
                    );
                }
            },
            // A wrong one is taken for one, so that what names the join's enum has no error of its own.
            "within" => self.within = time(value, Time::WITHIN, diagnostics).max(1),
            "timeout" => self.timeout = time(value, Time::TIMEOUT, diagnostics),
            "atomic" => match value {
                Expr::Lit(ExprLit { lit: Lit::Bool(value), .. }) => self.atomic = value.value,
                other => diagnostics.error(
                    Code::OptionValue,
                    other,
                    "`atomic` is `true` or `false`",
                    "write `atomic = false`",
                ),
            },
            _ => match number(value) {
                Some(most) if most > 0 => self.parallel = most,
                _ => diagnostics.error(
                    Code::OptionValue,
                    value,
                    "`parallel` is how many runs of the handler there may be at once",
                    "write a number from 1 on: `parallel = 4`",
                ),
            },
        }
    }

    fn merge(&mut self, value: &Expr, known: &Known<'_>, diagnostics: &mut Diagnostics) {
        const KNOWN: [&str; 3] = ["override", "latest", "append"];
        let folds = || known.folds.iter().map(|fold| plain(&fold.name));
        let list = || {
            let words = KNOWN.iter().map(|word| format!("`\"{word}\"`"));
            let folds = folds().map(|fold| format!("`{fold}`"));
            let values = words.chain(folds).collect::<Vec<_>>().join(", ");
            match known.folds.is_empty() {
                true => format!("{values}, or a function of this `impl` block that is marked `#[merge]`"),
                false => values,
            }
        };
        if let Some(fold) = name(value) {
            let named = plain(&fold);
            if folds().any(|known| known == named) {
                self.merge = Merge::Fold(named);
                self.fold = Some(fold);
                return;
            }
            self.unclear = true;
            let names: Vec<String> = folds().collect();
            let help = match did_you_mean(&named, names.iter().map(String::as_str)) {
                _ if KNOWN.contains(&named.as_str()) => format!("write it in quotes: `merge = \"{named}\"`"),
                _ if known.functions.contains(&named) => {
                    format!("mark it: `#[merge] fn {named}(acc: &mut Acc, value: T)`")
                }
                Some(near) => format!("did you mean `{near}`? The values are: {}", list()),
                None => format!("the values are: {}", list()),
            };
            let message = match known.functions.contains(&named) {
                true => format!("`{named}` is not marked as a fold"),
                false => format!("this `impl` block has no fold `{named}`"),
            };
            diagnostics.error(Code::UnknownMerge, value, message, help);
            return;
        }
        match word(value).as_deref() {
            Some("override") => self.merge = Merge::Override,
            Some("latest") => self.merge = Merge::Latest,
            Some("append") => self.merge = Merge::Append,
            Some(other) => {
                self.unclear = true;
                let help = match did_you_mean(other, KNOWN) {
                    _ if folds().any(|fold| fold == other) => {
                        format!("a fold is named without quotes: `merge = {other}`")
                    }
                    Some(near) => format!("did you mean `\"{near}\"`? The values are: {}", list()),
                    None => format!("the values are: {}", list()),
                };
                diagnostics.error(
                    Code::UnknownMerge,
                    value,
                    format!("there is no `merge = \"{other}\"`"),
                    help,
                );
            }
            None => {
                self.unclear = true;
                let message = "`merge` is one of the words that it knows, in quotes, or the name of a fold";
                diagnostics.error(Code::UnknownMerge, value, message, format!("the values are: {}", list()));
            }
        }
    }

    fn when(&mut self, value: &Expr, diagnostics: &mut Diagnostics) {
        const KNOWN: [&str; 3] = ["each", "all", "drained"];
        const LIST: &str =
            "the values are: `\"each\"`, `\"all\"`, `\"drained\"`, or a number of arrivals: `3`";
        self.when_at = Some(value.clone());
        if let Expr::Lit(ExprLit { lit: Lit::Int(_), .. }) = value {
            match number(value) {
                None if value.to_token_stream().to_string().starts_with('-') => {
                    let help = "write a number from 1 on: `when = 3`";
                    diagnostics.error(Code::UnknownWhen, value, "this is no number of arrivals", help);
                }
                Some(0) => {
                    let help = "write a number from 1 on; at every arrival is `when = \"each\"`";
                    diagnostics.error(
                        Code::UnknownWhen,
                        value,
                        "a slot with `when = 0` never runs its handler",
                        help,
                    );
                }
                Some(count) => {
                    self.when = When::Count(count);
                    return;
                }
                None => diagnostics.error(
                    Code::UnknownWhen,
                    value,
                    "no slot can wait for so many arrivals",
                    format!("write a number up to {}", u32::MAX),
                ),
            }
            self.unclear = true;
            return;
        }
        match word(value).as_deref() {
            Some("each") => self.when = When::Each,
            Some("all") => self.when = When::All,
            Some("drained") => self.when = When::Drained,
            Some(other) => {
                self.unclear = true;
                let help = match did_you_mean(other, KNOWN) {
                    _ if !other.is_empty() && other.chars().all(|c| c.is_ascii_digit()) => {
                        format!("write a number without quotes: `when = {other}`")
                    }
                    Some(near) => format!("did you mean `\"{near}\"`? T{}", &LIST[1..]),
                    None => LIST.to_owned(),
                };
                diagnostics.error(
                    Code::UnknownWhen,
                    value,
                    format!("there is no `when = \"{other}\"`"),
                    help,
                );
            }
            None => {
                self.unclear = true;
                let help = match name(value).map(|name| plain(&name)) {
                    Some(word) if KNOWN.contains(&word.as_str()) => {
                        format!("write it in quotes: `when = \"{word}\"`")
                    }
                    _ => LIST.to_owned(),
                };
                let message = "`when` is one of the words that it knows, in quotes, or a number";
                diagnostics.error(Code::UnknownWhen, value, message, help);
            }
        }
    }
}

/// How an option is written.
fn example(mark: Mark) -> &'static str {
    match mark {
        Mark::Join => "#[join(latest)]",
        Mark::Source => "#[source(start)]",
        Mark::Finish => "#[finish(timeout = \"10s\")]",
        _ => "#[slot(merge = \"append\")]",
    }
}

/// What a duration is for, in messages.
struct Time {
    key: &'static str,
    is: &'static str,
    wrong: &'static str,
    example: &'static str,
}

impl Time {
    const TIMEOUT: Time = Time {
        key: "timeout",
        is: "how long the handler may take",
        wrong: "this is no time that a handler may take",
        example: "500ms",
    };
    const WITHIN: Time = Time {
        key: "within",
        is: "how long a value waits for its partners",
        wrong: "this is no time that a value may wait",
        example: "30min",
    };
}

fn time(value: &Expr, time: Time, diagnostics: &mut Diagnostics) -> u64 {
    let Time { key, is, wrong, example } = time;
    match word(value).map(|text| duration::millis(&text)) {
        Some(Ok(millis)) => return millis,
        Some(Err(why)) => {
            let others = ["500ms", "30s", "2min", "1h"].into_iter().filter(|other| *other != example);
            let others = others.map(|other| format!("\"{other}\"")).collect::<Vec<_>>().join(", ");
            let help = format!("write a number and a unit: `{key} = \"{example}\"`, {others}");
            diagnostics.error(Code::Duration, value, format!("{wrong}: {why}"), help);
        }
        None => diagnostics.error(
            Code::Duration,
            value,
            format!("`{key}` is {is}, in quotes"),
            format!("write a number and a unit: `{key} = \"{example}\"`"),
        ),
    }
    0
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

/// A name, or `Self::name`.
fn name(expr: &Expr) -> Option<Ident> {
    let Expr::Path(path) = expr else { return None };
    if path.qself.is_some() || path.path.leading_colon.is_some() {
        return None;
    }
    let segments: Vec<_> = path.path.segments.iter().collect();
    let last = match segments.as_slice() {
        [last] => last,
        [first, last] if first.to_token_stream().to_string() == "Self" => last,
        _ => return None,
    };
    last.arguments.is_none().then(|| last.ident.clone())
}
