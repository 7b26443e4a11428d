//! What can be made out of tokens that may be half-typed.

use super::super::super::parse::declares;
use super::super::super::pieces::{Angles, all, is_sign, is_word};
use super::is_marked;
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use std::collections::HashSet;

/// The routines of the flow; also of statements with no `;` before them.
pub(super) fn instances(tokens: &[TokenTree]) -> Vec<(Ident, TokenStream)> {
    let mut instances = Vec::new();
    let mut seen = HashSet::new();
    for statement in tokens.split(|token| is_sign(Some(token), ';')) {
        for begin in 0..statement.len() {
            let TokenTree::Ident(id) = &statement[begin] else { continue };
            // Not a parameter of a closure, and not the `b:` of `a::b::c`.
            let before = begin.checked_sub(1).and_then(|before| statement.get(before));
            let begins = match before {
                None | Some(TokenTree::Group(_)) => true,
                Some(TokenTree::Ident(word)) => word != "in" && word != "out",
                before => is_sign(before, '>'),
            };
            if !begins || is_word(Some(&statement[begin]), "return") || !declares(&statement[begin..]) {
                continue;
            }
            let (path, _, _) = type_and_group(&statement[begin + 2..]);
            if !path.is_empty() && seen.insert(id.clone()) {
                instances.push((id.clone(), all(path)));
            }
        }
    }
    instances
}

/// `Type { configuration }` and what follows.
pub(super) fn type_and_group(tokens: &[TokenTree]) -> (&[TokenTree], Option<&Group>, &[TokenTree]) {
    let mut angles = Angles::default();
    let end = (0..tokens.len()).find(|&at| {
        angles.step(tokens, at);
        let side_by_side = at > 0
            && matches!((&tokens[at - 1], &tokens[at]), (TokenTree::Ident(_), TokenTree::Ident(_)))
            || at > 0 && is_sign(tokens.get(at - 1), '>') && matches!(tokens[at], TokenTree::Ident(_));
        let group = matches!(&tokens[at], TokenTree::Group(group) if group.delimiter() != Delimiter::Bracket);
        angles.depth == 0 && (side_by_side || group)
    });
    let (path, rest) = tokens.split_at(end.unwrap_or(tokens.len()));
    match rest {
        [TokenTree::Group(group), after @ ..] => (path, Some(group), after),
        _ => (path, None, rest),
    }
}

pub(super) struct Dotted<'t> {
    pub(super) names: Vec<&'t Ident>,
    /// Whether there is a dot with nothing behind it.
    pub(super) dot: bool,
    pub(super) rest: &'t [TokenTree],
}

/// Names with dots between. The one that is typed is the last.
pub(super) fn dotted(tokens: &[TokenTree]) -> Dotted<'_> {
    let mut dotted = Dotted { names: Vec::new(), dot: false, rest: tokens };
    while let [TokenTree::Ident(name), after @ ..] = dotted.rest {
        // With nothing behind the dot, what follows may be the next statement.
        if ["in", "return", "loop", "if", "else"].iter().any(|word| name == word) {
            break;
        }
        dotted.names.push(name);
        dotted.dot = false;
        dotted.rest = after;
        match after {
            [dot, next @ ..] if is_sign(Some(dot), '.') && !is_marked(name) => {
                dotted.dot = true;
                dotted.rest = next;
            }
            _ => break,
        }
    }
    dotted
}

pub(super) fn idents(tokens: TokenStream, found: &mut Vec<Ident>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => found.push(ident),
            TokenTree::Group(group) => idents(group.stream(), found),
            _ => {}
        }
    }
}
