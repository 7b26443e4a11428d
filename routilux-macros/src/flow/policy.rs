//! The syntax of a policy: what is done when a handler fails or panics.

use super::advice::follows;
use super::closure::{self, Closure, Use};
use super::connect::{Target, dotted, failure_targets, is_negative};
use super::pieces::{all, arrows, begins_closure, is_sign, is_word, split_at_commas};
use super::source_text;
use crate::diagnostic::error;
use crate::routine::millis;
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use routilux_graph::{Code, did_you_mean};
use syn::LitInt;

/// `on error of id.slot if |e| condition retry(3, 100ms) then skip;`
pub(crate) struct Policy {
    pub(crate) panic: bool,
    pub(crate) of: Option<Of>,
    pub(crate) guard: Option<Closure>,
    pub(crate) retry: Option<Retry>,
    /// What is done in the end; with `retry` alone the rows after it are tried.
    pub(crate) end: Option<End>,
    /// What is done, as written.
    pub(crate) text: String,
    /// All of it.
    pub(crate) tokens: TokenStream,
}

/// What a policy is about: a routine, or one handler of it.
pub(crate) struct Of {
    pub(crate) routine: Ident,
    /// The name of the handler, and what follows it though nothing can.
    pub(crate) names: Vec<Ident>,
    /// The tokens of the names.
    pub(crate) tokens: TokenStream,
}

pub(crate) struct Retry {
    /// `None` is for ever.
    pub(crate) times: Option<u32>,
    /// In milliseconds.
    pub(crate) delay: u64,
    pub(crate) factor: f64,
    /// In milliseconds: no delay is longer.
    pub(crate) longest: u64,
    pub(crate) in_order: bool,
}

pub(crate) enum End {
    Skip,
    Stop,
    /// On to these, as a `Failure`.
    To(Vec<Target>),
}

/// As many milliseconds as a clock can be moved on by.
const LONGEST: u64 = (1 << 40) - 1;

/// What follows `on error`.
const ACTIONS: [&str; 5] = ["retry", "skip", "stop", "of", "if"];

const SHAPE: &str =
    "write `on error of id.slot retry(3, 100ms) then skip;`: `retry(..)`, `skip`, `stop` or `-> id.slot`";

const RETRY: &str =
    "write how often, how long to wait, and by how much that grows: `retry(3, 100ms, x2, max 5s)`";

pub(super) fn policy(tokens: &[TokenTree]) -> syn::Result<Policy> {
    let [_, what, rest @ ..] = tokens else {
        return Err(error(Code::PolicyShape, all(tokens), "this policy says nothing", SHAPE));
    };
    let panic = is_word(Some(what), "panic");
    if !panic && !is_word(Some(what), "error") {
        return Err(error(
            Code::PolicyShape,
            what,
            "a policy is about errors or panics",
            "write `on error ..` or `on panic ..`",
        ));
    }
    let (of, rest) = match rest {
        [of, rest @ ..] if is_word(Some(of), "of") => {
            let (of, rest) = subject(of, rest)?;
            (Some(of), rest)
        }
        _ => match without_of(rest, panic) {
            Some(error) => return Err(error),
            None => (None, rest),
        },
    };
    let arrow = arrows(rest).first().copied();
    let (head, tail) = match arrow {
        Some(arrow) => (&rest[..arrow.at], Some((arrow, &rest[arrow.at + 2..]))),
        None => (rest, None),
    };
    let (guard, action) = match head {
        [word, closure @ ..] if is_word(Some(word), "if") => {
            if closure.is_empty() {
                return Err(error(Code::PolicyShape, word, "the condition is missing here", SHAPE));
            }
            let (guard, rest) = closure::front(closure, Use::Condition)?;
            (Some(guard), rest)
        }
        _ => (None, head.to_vec()),
    };
    let targets = match tail {
        None => None,
        Some((arrow, _)) if arrow.converts => {
            let help = "write `->`, and convert in a handler";
            return Err(error(Code::FailureAsItIs, arrow.tokens(rest), "a failure goes on as it is", help));
        }
        Some((arrow, targets)) => {
            if let Some(next) = arrows(&rest[arrow.at + 2..]).first()
                && !begins_closure(targets)
            {
                failure_targets(&targets[..next.at], &arrow.tokens(rest))?;
                return Err(error(
                    Code::PolicyShape,
                    next.tokens(targets),
                    "a policy ends at its targets",
                    "write `;` before the next statement",
                ));
            }
            Some((arrow.tokens(rest), failure_targets(targets, &arrow.tokens(rest))?))
        }
    };
    let mut text = source_text::of(all(&action));
    if let Some((arrow, _)) = tail {
        let space = if text.is_empty() { "" } else { " " };
        text = format!("{text}{space}{}", source_text::of(all(&rest[arrow.at..])));
    }
    let to = targets.map(|(arrow, to)| (arrow, End::To(to)));
    let (retry, end) = actions(&action, to, tokens)?;
    Ok(Policy { panic, of, guard, retry, end, text, tokens: all(tokens) })
}

/// `on error id.slot ..`, `on error in id.slot ..`.
fn without_of(tokens: &[TokenTree], panic: bool) -> Option<syn::Error> {
    let (word, names) = match tokens {
        [word, names @ ..] if ["in", "at", "for", "from"].iter().any(|it| is_word(Some(word), it)) => {
            (Some(word), names)
        }
        names => (None, names),
    };
    let (path, rest) = dotted(names);
    let names_one = match path.as_slice() {
        [] => false,
        // `on error id skip`
        [only] if word.is_none() => {
            let is_action =
                |token| ["retry", "then", "skip", "stop", "if"].iter().any(|action| is_word(token, action));
            let is_misspelt = did_you_mean(&only.to_string(), ACTIONS).is_some();
            is_action(rest.first()) && !is_action(names.first()) && !is_misspelt
        }
        _ => true,
    };
    if !names_one {
        return None;
    }
    let written = all(&names[..names.len() - rest.len()]);
    let place = word.map_or(written, ToTokens::to_token_stream);
    let what = if panic { "panic" } else { "error" };
    let path = path.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
    let help = format!("write `on {what} of {path} ..;`");
    Some(error(Code::PolicyShape, place, "what a policy is about follows an `of`", help))
}

/// `id` or `id.slot`, after `of`.
fn subject<'t>(of: &TokenTree, tokens: &'t [TokenTree]) -> syn::Result<(Of, &'t [TokenTree])> {
    let (names, rest) = dotted(tokens);
    let written = all(&tokens[..tokens.len() - rest.len()]);
    let shape = "write `of id.slot`, or `of id` for all handlers of a routine";
    match names.as_slice() {
        [_, ..] if is_sign(rest.first(), '.') => {
            Err(error(Code::PolicyShape, written, "this names no handler", shape))
        }
        [] => Err(error(Code::PolicyShape, of, "`of` is followed by what the policy is about", shape)),
        // `of id.slot. skip`: what is to be done has become a part of the name.
        [routine, name, more @ ..] if !more.is_empty() && rest.is_empty() => {
            let text = more.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
            let message = format!("a policy is about a handler, and `.{text}` follows its name");
            Err(error(Code::PolicyShape, written, message, format!("write `of {routine}.{name}`")))
        }
        [routine, names @ ..] => {
            let names = names.iter().map(|name| (*name).clone()).collect();
            let tokens = written.into_iter().skip(2).collect();
            Ok((Of { routine: (*routine).clone(), names, tokens }, rest))
        }
    }
}

/// `retry(..) then skip`, `skip`; and `to` where an arrow follows.
fn actions(
    tokens: &[TokenTree],
    to: Option<(TokenStream, End)>,
    row: &[TokenTree],
) -> syn::Result<(Option<Retry>, Option<End>)> {
    let (retry, rest) = match tokens {
        [word, rest @ ..] if is_word(Some(word), "retry") => match rest {
            [TokenTree::Group(arguments), rest @ ..] if arguments.delimiter() == Delimiter::Parenthesis => {
                (Some(self::retry(arguments)?), rest)
            }
            _ => return Err(error(Code::RetryShape, word, "`retry` does not say how often", RETRY)),
        },
        _ => (None, tokens),
    };
    let (then, rest) = match rest {
        [then, rest @ ..] if is_word(Some(then), "then") => {
            let Some(retry) = &retry else {
                return Err(error(
                    Code::PolicyShape,
                    then,
                    "`then` follows a `retry`",
                    "leave the `then` out",
                ));
            };
            if retry.times.is_none() {
                let help = "write how many attempts there are instead of `forever`, or leave the `then` out";
                return Err(error(
                    Code::PolicyShape,
                    then,
                    "attempts that go on for ever never come to this `then`",
                    help,
                ));
            }
            (Some(then), rest)
        }
        _ => (None, rest),
    };
    let end = match rest {
        [word, rest @ ..] if is_word(Some(word), "skip") || is_word(Some(word), "stop") => {
            if is_word(rest.first(), "if") {
                let help = format!("write `on error of id.slot if |e| condition {word};`");
                let message = "the condition of a policy stands before what is done";
                return Err(error(Code::PolicyShape, all(rest), message, help));
            }
            if let Some(error) = follows(rest) {
                return Err(error);
            }
            if let Some((arrow, _)) = &to {
                let help = format!("leave `{word}` out, or the arrow");
                return Err(error(
                    Code::PolicyShape,
                    arrow,
                    format!("`{word}` is the end, and here it goes on"),
                    help,
                ));
            }
            let end = if is_word(Some(word), "skip") { End::Skip } else { End::Stop };
            needs_then(retry.as_ref(), then, word)?;
            Some(end)
        }
        [] => {
            if let (Some((arrow, _)), Some(retry)) = (&to, &retry) {
                needs_then(Some(retry), then, arrow)?;
            }
            to.map(|(_, end)| end)
        }
        [extra, after @ ..] => return Err(unknown_action(extra, after, retry.is_some(), then.is_some())),
    };
    match (&retry, &end, then) {
        (_, None, Some(then)) => Err(error(
            Code::PolicyShape,
            then,
            "`then` is followed by what is done in the end",
            "write `then skip`, `then stop` or `then -> id.slot`",
        )),
        (None, None, None) => Err(error(Code::PolicyShape, all(row), "this policy says nothing", SHAPE)),
        _ => Ok((retry, end)),
    }
}

fn needs_then(retry: Option<&Retry>, then: Option<&TokenTree>, end: impl ToTokens) -> syn::Result<()> {
    match (retry, then) {
        (Some(_), None) => Err(error(
            Code::PolicyShape,
            end,
            "what is done after the last attempt follows a `then`",
            "write `then` before it",
        )),
        _ => Ok(()),
    }
}

fn unknown_action(extra: &TokenTree, after: &[TokenTree], has_retry: bool, has_then: bool) -> syn::Error {
    // `on error skip \n tok.word -> count.word;`
    if has_retry && !has_then && (is_sign(after.first(), '.') || is_sign(after.first(), ':')) {
        return error(Code::MissingSemicolon, extra, "a statement ends before this", "write `;` before it");
    }
    let known = match (has_retry, has_then) {
        (_, true) => vec!["skip", "stop"],
        (true, false) => vec!["then"],
        (false, false) => ACTIONS.to_vec(),
    };
    let help = match did_you_mean(&extra.to_string(), known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => SHAPE.to_owned(),
    };
    error(Code::UnknownAction, extra, "this is nothing that a policy can do", help)
}

fn retry(group: &Group) -> syn::Result<Retry> {
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    let mut arguments = split_at_commas(&tokens);
    // A comma too many at the end does no harm.
    if arguments.last().is_some_and(|last| last.is_empty()) {
        arguments.pop();
    }
    let mut arguments = arguments.into_iter();
    let Some(first) = arguments.next() else {
        return Err(error(Code::RetryShape, group, "`retry` does not say how often", RETRY));
    };
    let mut retry =
        Retry { times: times(first, group)?, delay: 0, factor: 1.0, longest: LONGEST, in_order: false };
    let mut seen: Vec<(&str, TokenStream)> = Vec::new();
    for argument in arguments {
        let name = match argument {
            [] => return Err(error(Code::RetryShape, group, "between two commas nothing is said", RETRY)),
            [TokenTree::Literal(number)] if number.to_string().ends_with('x') => {
                let number = number.to_string();
                let help = format!("did you mean `x{}`?", number.trim_end_matches('x'));
                return Err(error(Code::RetryShape, all(argument), "a factor begins with `x`", help));
            }
            [TokenTree::Literal(_), ..] => {
                retry.delay = duration(argument)?;
                "the delay"
            }
            [TokenTree::Ident(word), rest @ ..] if word == "max" => {
                if rest.is_empty() {
                    return Err(error(
                        Code::RetryShape,
                        word,
                        "`max` is followed by the longest delay",
                        "write `max 5s`",
                    ));
                }
                retry.longest = duration(rest)?;
                "`max`"
            }
            [TokenTree::Ident(word)] if word == "in_order" => {
                retry.in_order = true;
                "`in_order`"
            }
            [TokenTree::Ident(word), ..] if is_factor(word) => {
                retry.factor = factor(argument)?;
                "the factor"
            }
            [other, ..] => return Err(unknown_argument(other, argument)),
        };
        if seen.iter().any(|(known, _)| *known == name) {
            return Err(error(
                Code::RetryShape,
                all(argument),
                format!("{name} is said twice"),
                "remove one of them",
            ));
        }
        seen.push((name, all(argument)));
    }
    let said = |name: &str| seen.iter().find(|(known, _)| *known == name).map(|(_, tokens)| tokens);
    for name in ["the factor", "`max`"] {
        if let (None, Some(tokens)) = (said("the delay"), said(name)) {
            let help = "write the delay before it: `retry(3, 100ms, x2, max 5s)`";
            return Err(error(Code::RetryShape, tokens, "there is no delay that this could be about", help));
        }
    }
    if retry.longest < retry.delay
        && let Some(longest) = said("`max`")
    {
        return Err(error(
            Code::RetryShape,
            longest,
            "the longest delay is shorter than the first",
            "write a longer one, or leave it out",
        ));
    }
    if said("`max`").is_none()
        && let Some(factor) = said("the factor")
    {
        overflow(&retry, factor)?;
    }
    Ok(retry)
}

fn times(tokens: &[TokenTree], group: &Group) -> syn::Result<Option<u32>> {
    let place = if tokens.is_empty() { group.to_token_stream() } else { all(tokens) };
    match tokens {
        [word] if is_word(Some(word), "forever") => return Ok(None),
        [TokenTree::Ident(word)] if did_you_mean(&word.to_string(), ["forever"]).is_some() => {
            return Err(error(
                Code::RetryShape,
                word,
                format!("`{word}` is no number of attempts"),
                "did you mean `forever`?",
            ));
        }
        _ => {}
    }
    let number = syn::parse2::<LitInt>(all(tokens)).ok().filter(|number| number.suffix().is_empty());
    match number.map(|number| number.base10_parse::<u32>()) {
        Some(Ok(0)) => Err(error(
            Code::RetryShape,
            place,
            "no further attempt is no `retry`",
            "write what is done instead: `skip`, `stop` or `-> id.slot`",
        )),
        Some(Ok(times)) if times < u32::MAX => Ok(Some(times)),
        Some(Err(_)) if is_negative(all(tokens)) => {
            Err(error(Code::RetryShape, place, "a number of attempts is not negative", RETRY))
        }
        Some(_) => Err(error(Code::RetryShape, place, "so many attempts are not counted", "write `forever`")),
        None => Err(error(
            Code::RetryShape,
            place,
            "`retry` begins with how many further attempts there are",
            RETRY,
        )),
    }
}

fn duration(tokens: &[TokenTree]) -> syn::Result<u64> {
    let shape = "write a number and a unit: `100ms`, `1s`, `5min`, `2h`, `1d`";
    let text = match tokens {
        [TokenTree::Literal(literal)] => literal.to_string(),
        [TokenTree::Literal(literal), TokenTree::Ident(unit)] => {
            let help = format!("write it in one word: `{literal}{unit}`");
            return Err(error(Code::Duration, all(tokens), "a duration is one word", help));
        }
        _ => return Err(error(Code::Duration, all(tokens), "this is no duration", shape)),
    };
    if text.starts_with('"') {
        let help = format!("write it without quotes: `{}`", text.trim_matches('"'));
        return Err(error(Code::Duration, all(tokens), "a duration stands without quotes", help));
    }
    if text.contains('.') {
        let help = "write it in a smaller unit: `1500ms`";
        return Err(error(Code::Duration, all(tokens), "a duration is a whole number and a unit", help));
    }
    millis(&text.replace('_', "")).map_err(|why| {
        // For no delay none is written.
        let help = if why.contains("no time") { "leave it out" } else { shape };
        error(Code::Duration, all(tokens), format!("this is no duration: {why}"), help)
    })
}

/// `x2`, `x1` of `x1.5`
fn is_factor(word: &Ident) -> bool {
    let text = word.to_string();
    text == "x"
        || text.strip_prefix('x').is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()))
}

fn factor(tokens: &[TokenTree]) -> syn::Result<f64> {
    let text: String = tokens.iter().map(ToString::to_string).collect();
    match text[1..].parse::<f64>() {
        Ok(factor) if factor >= 1.0 && factor.is_finite() => Ok(factor),
        Ok(factor) if factor.is_finite() => Err(error(
            Code::RetryShape,
            all(tokens),
            "delays do not become shorter",
            "write a factor from 1 on: `x2`",
        )),
        _ => Err(error(
            Code::RetryShape,
            all(tokens),
            "this is no factor",
            "write by how much each delay is longer: `x2`",
        )),
    }
}

/// Whether the last delay is one that there can be.
fn overflow(retry: &Retry, factor: &TokenStream) -> syn::Result<()> {
    let written = source_text::of(factor.clone());
    let help = "say how long at most: `max 1h`";
    let Some(times) = retry.times else {
        return match retry.factor > 1.0 {
            true => Err(error(
                Code::RetryShape,
                factor,
                format!("with `{written}` for ever the delays grow without end"),
                help,
            )),
            false => Ok(()),
        };
    };
    let grows = i32::try_from(times - 1).unwrap_or(i32::MAX);
    let last = retry.delay as f64 * retry.factor.powi(grows);
    match last > LONGEST as f64 {
        true => Err(error(
            Code::RetryShape,
            factor,
            format!(
                "with `{written}` the delay before attempt {} is longer than thirty years",
                u64::from(times) + 1
            ),
            help,
        )),
        false => Ok(()),
    }
}

fn unknown_argument(first: &TokenTree, argument: &[TokenTree]) -> syn::Error {
    let near = match first {
        TokenTree::Ident(word) => did_you_mean(&word.to_string(), ["max", "in_order"]),
        _ => None,
    };
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => RETRY.to_owned(),
    };
    error(Code::RetryShape, all(argument), "this says nothing about a `retry`", help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> Result<Policy, String> {
        let tokens: Vec<TokenTree> = text.parse::<TokenStream>().unwrap().into_iter().collect();
        super::policy(&tokens).map_err(|error| error.to_string())
    }

    fn retry(arguments: &str) -> Result<Retry, String> {
        Ok(policy(&format!("on error retry({arguments})"))?.retry.unwrap())
    }

    #[test]
    fn a_retry_is_read() {
        let read = retry("3, 100ms, x2, max 5s, in_order").unwrap();
        assert_eq!((read.times, read.delay, read.factor, read.longest), (Some(3), 100, 2.0, 5_000));
        assert!(read.in_order);
        let read = retry("forever, 1_000ms").unwrap();
        assert_eq!((read.times, read.delay, read.factor, read.in_order), (None, 1_000, 1.0, false));
        assert_eq!(retry("1, x1.5, 5min").unwrap().factor, 1.5);
        for (hours, delay) in [("2h", 7_200_000), ("1d", 86_400_000)] {
            assert_eq!(retry(&format!("1, {hours}")).unwrap().delay, delay);
        }
    }

    #[test]
    fn what_a_retry_cannot_be() {
        for (arguments, says) in [
            ("", "how often"),
            ("0", "no further attempt"),
            ("x2", "how many further attempts"),
            ("5000000000", "are not counted"),
            ("forevr", "did you mean `forever`?"),
            ("3, 100", "it has no unit"),
            ("3, 100msec", "no unit `msec`"),
            ("3, 5m", "did you mean `min`?"),
            ("3, 100 ms", "`100ms`"),
            ("3, 1.5s", "smaller unit"),
            ("3, \"1s\"", "without quotes"),
            ("3, 0s", "leave it out"),
            ("3, 99999999999d", "thirty years"),
            ("3, 1s, x0.5", "shorter"),
            ("3, 1s, x", "no factor"),
            ("3, x2", "no delay"),
            ("3, max 5s", "no delay"),
            ("3, 1s, 2s", "the delay is said twice"),
            ("3, 5s, max 1s", "shorter than the first"),
            ("3, 5s, max", "followed by the longest"),
            ("3, 5s, x2, mx 1s", "did you mean `max`?"),
            ("3, , 5s", "nothing is said"),
            ("60, 1s, x2", "thirty years"),
            ("forever, 1s, x2", "without end"),
        ] {
            let error = retry(arguments).err().unwrap_or_else(|| panic!("{arguments} is read"));
            assert!(error.contains(says), "{arguments}: {error}");
        }
        assert!(retry("40, 1s, x2, max 1h").is_ok());
    }

    #[test]
    fn a_row_is_read_in_its_parts() {
        let row =
            policy("on error of tok.line if |e| e.n > 3 retry(3, 1s) then -> log.failed, out bad").unwrap();
        let of = row.of.unwrap();
        assert_eq!((of.routine.to_string(), of.names[0].to_string()), ("tok".into(), "line".into()));
        assert!(row.guard.is_some());
        assert!(row.retry.is_some() && !row.panic);
        assert!(matches!(row.end, Some(End::To(to)) if to.len() == 2));
        assert!(policy("on panic stop").unwrap().panic);
        assert!(policy("on error of etl skip").unwrap().of.unwrap().names.is_empty());
        assert!(matches!(policy("on error of a.b -> c.d").unwrap().end, Some(End::To(_))));
        let boolean = "on error of a.b if |e| -> bool { true } skip";
        assert!(matches!(policy(boolean).unwrap().end, Some(End::Skip)));
    }

    #[test]
    fn what_a_row_cannot_be() {
        for (row, says) in [
            ("on", "says nothing"),
            ("on errors skip", "errors or panics"),
            ("on error", "says nothing"),
            ("on error of skip", "says nothing"),
            ("on error of a.b. skip", "`.skip` follows"),
            ("on error skp", "did you mean `skip`?"),
            ("on error o a.b skip", "did you mean `of`?"),
            ("on error a.b skip", "write `on error of a.b ..;`"),
            ("on error a retry(3)", "write `on error of a ..;`"),
            ("on panic in a.b stop", "write `on panic of a.b ..;`"),
            ("on error skip if |e| true", "before what is done"),
            ("on error skip a.b", "write `;` before it"),
            ("on error retry(3) a.b", "write `;` before it"),
            ("on error then skip", "follows a `retry`"),
            ("on error retry(3) skip", "write `then`"),
            ("on error retry(3) -> a.b", "write `then`"),
            ("on error retry(forever) then skip", "never come"),
            ("on error retry(3) then", "in the end"),
            ("on error retry 3", "how often"),
            ("on error skip -> a.b", "is the end"),
            ("on error => a.b", "goes on as it is"),
            ("on error -> |e| e -> a.b", "goes on as it is"),
            ("on error -> return", "not the result"),
            ("on error -> a.b -> c.d", "ends at its targets"),
            ("on error if skip", "is a closure"),
            ("on error if |a, b| true skip", "takes one value"),
        ] {
            let error = policy(row).err().unwrap_or_else(|| panic!("{row} is read"));
            assert!(error.contains(says), "{row}: {error}");
        }
    }
}
