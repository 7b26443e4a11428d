//! Where the pieces of a statement begin and end. A statement is cut at its arrows before anything of it is read:
//! read whole, `|e| e.n > 3 -> c.d` would be a subtraction.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// `->`, or `=>`, which converts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrow {
    pub(super) at: usize,
    pub(super) converts: bool,
}

impl Arrow {
    pub(super) fn tokens(self, statement: &[TokenTree]) -> TokenStream {
        all(&statement[self.at..self.at + 2])
    }
}

pub(super) fn all(tokens: &[TokenTree]) -> TokenStream {
    tokens.iter().cloned().collect()
}

pub(super) fn is_word(token: Option<&TokenTree>, word: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == word)
}

pub(super) fn is_sign(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

fn is_braces(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

/// The arrow that begins at a token.
pub(super) fn arrow_at(tokens: &[TokenTree], at: usize) -> Option<Arrow> {
    match (tokens.get(at), tokens.get(at + 1)) {
        (Some(TokenTree::Punct(first)), second)
            if first.spacing() == Spacing::Joint && is_sign(second, '>') =>
        {
            match first.as_char() {
                '-' => Some(Arrow { at, converts: false }),
                '=' => Some(Arrow { at, converts: true }),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether tokens begin as a closure does: `|e|`, `||`, `move |e|`.
pub(super) fn begins_closure(tokens: &[TokenTree]) -> bool {
    let rest = tokens
        .iter()
        .position(|token| !["move", "async", "static"].iter().any(|modifier| is_word(Some(token), modifier)));
    rest.is_some_and(|at| is_sign(tokens.get(at), '|'))
}

/// How many tokens the head of a closure has, and its return type if one is written: then its body is in braces.
fn closure_head(tokens: &[TokenTree]) -> usize {
    let bar = |from: usize| (from..tokens.len()).find(|&at| is_sign(tokens.get(at), '|'));
    let end = bar(0).and_then(|open| bar(open + 1)).map_or(tokens.len(), |close| close + 1);
    match arrow_at(tokens, end) {
        Some(Arrow { converts: false, .. }) => {
            // Without a body the arrow is that of the connection.
            let next = (end + 2..tokens.len()).find(|&at| {
                is_braces(&tokens[at])
                    || arrow_at(tokens, at).is_some_and(|_| !in_angles(&tokens[end + 2..at]))
            });
            match next {
                Some(at) if is_braces(&tokens[at]) => at + 1,
                _ => end,
            }
        }
        _ => end,
    }
}

fn in_angles(tokens: &[TokenTree]) -> bool {
    let mut angles = Angles::default();
    (0..tokens.len()).for_each(|at| angles.step(tokens, at));
    angles.depth > 0
}

/// How deep in `<` and `>` a type is; the `>` of an arrow closes nothing.
#[derive(Default)]
pub(super) struct Angles {
    pub(super) depth: usize,
}

impl Angles {
    pub(super) fn step(&mut self, tokens: &[TokenTree], at: usize) {
        if is_sign(tokens.get(at), '<') {
            self.depth += 1;
        } else if is_sign(tokens.get(at), '>') && (at == 0 || arrow_at(tokens, at - 1).is_none()) {
            self.depth = self.depth.saturating_sub(1);
        }
    }
}

/// The arrows between the pieces: not those of a closure's return type, nor those inside a type.
pub(super) fn arrows(tokens: &[TokenTree]) -> Vec<Arrow> {
    let mut arrows = Vec::new();
    let mut angles = Angles::default();
    let mut in_closure = false;
    // A closure stands after `if` and after an arrow.
    let mut may_begin = false;
    let mut after_if = false;
    let mut at = 0;
    while at < tokens.len() {
        if may_begin && begins_closure(&tokens[at..]) {
            at += closure_head(&tokens[at..]);
            (in_closure, may_begin) = (true, false);
            continue;
        }
        if after_if {
            // A guard that is no closure is an expression all the same.
            (in_closure, may_begin) = (true, false);
        }
        after_if = false;
        if angles.depth == 0
            && let Some(arrow) = arrow_at(tokens, at)
        {
            arrows.push(arrow);
            (in_closure, may_begin) = (false, true);
            at += 2;
            continue;
        }
        if !in_closure {
            angles.step(tokens, at);
            after_if = angles.depth == 0 && is_word(tokens.get(at), "if");
            may_begin = after_if;
        }
        at += 1;
    }
    arrows
}

/// The statement up to its `else`, and each `else -> ..` after it. An `else` inside a closure has no arrow behind it.
pub(super) fn branches(tokens: &[TokenTree]) -> Vec<&[TokenTree]> {
    let mut branches = Vec::new();
    let mut begin = 0;
    for at in 1..tokens.len() {
        if is_word(tokens.get(at), "else") && arrow_at(tokens, at + 1).is_some() {
            branches.push(&tokens[begin..at]);
            begin = at;
        }
    }
    branches.push(&tokens[begin..]);
    branches
}

/// Splits at the commas that are not inside a type.
pub(super) fn split_at_commas(tokens: &[TokenTree]) -> Vec<&[TokenTree]> {
    let mut parts = Vec::new();
    let mut angles = Angles::default();
    let mut begin = 0;
    for at in 0..tokens.len() {
        angles.step(tokens, at);
        if angles.depth == 0 && is_sign(tokens.get(at), ',') {
            parts.push(&tokens[begin..at]);
            begin = at + 1;
        }
    }
    parts.push(&tokens[begin..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<TokenTree> {
        text.parse::<TokenStream>().unwrap().into_iter().collect()
    }

    /// The pieces between the arrows, printed.
    fn pieces(text: &str) -> Vec<String> {
        let tokens = tokens(text);
        let mut begin = 0;
        let mut pieces = Vec::new();
        for arrow in arrows(&tokens) {
            pieces.push(all(&tokens[begin..arrow.at]).to_string());
            begin = arrow.at + 2;
        }
        pieces.push(all(&tokens[begin..]).to_string());
        pieces
    }

    #[test]
    fn a_statement_is_cut_at_its_arrows() {
        for (text, expected) in [
            ("a.b -> c.d", vec!["a.b", "c.d"]),
            ("a.b if |e| e.n > 3 -> c.d", vec!["a.b if |e| e.n > 3", "c.d"]),
            ("a.b if n < 3 -> c.d", vec!["a.b if n < 3", "c.d"]),
            ("a.b if |e| e.n >= 3 => c.d", vec!["a.b if |e| e.n >= 3", "c.d"]),
            ("a.b if |e| e.n < 3 -> |e| e.n << 2 -> c.d", vec!["a.b if |e| e.n < 3", "|e| e.n << 2", "c.d"]),
            ("a.b -> |e| -> Vec<u8> { e.n } -> c.d", vec!["a.b", "|e| -> Vec<u8> { e.n }", "c.d"]),
            ("a.b if |e| -> bool { true } -> c.d", vec!["a.b if |e| -> bool { true }", "c.d"]),
            // Without its body the arrow is that of the connection.
            ("a.b if |e| -> c.d", vec!["a.b if |e|", "c.d"]),
            (
                "a.b -> |e| -> c.d else -> |e| -> u8 { 1 } -> f.g",
                vec!["a.b", "|e|", "c.d else", "|e| -> u8 { 1 }", "f.g"],
            ),
            ("a.b -> || 3 -> c.d", vec!["a.b", "|| 3", "c.d"]),
            ("a.b -> move |e| e || true -> c.d", vec!["a.b", "move |e| e || true", "c.d"]),
            (
                "a.b -> |e| match e { A => 1, B => 2 } -> c.d",
                vec!["a.b", "|e| match e { A => 1, B => 2 }", "c.d"],
            ),
            (
                "a.b -> |e| e.iter().map(|x| -> u8 { x.0 }) -> c.d",
                vec!["a.b", "|e| e.iter().map(|x| -> u8 { x.0 })", "c.d"],
            ),
            ("a.b -> |e| if e { 1 } else { 2 } -> c.d", vec!["a.b", "|e| if e { 1 } else { 2 }", "c.d"]),
            ("in a: Map<u8, Fn() -> u8> -> c.d", vec!["in a: Map<u8, Fn() -> u8>", "c.d"]),
            ("in a: Vec<Vec<u8>> => c.d", vec!["in a: Vec<Vec<u8>>", "c.d"]),
            ("a.b => out c: Map<u8, Vec<u8>>, d.e", vec!["a.b", "out c: Map<u8, Vec<u8>>, d.e"]),
        ] {
            let expected: Vec<String> =
                expected.into_iter().map(|text| all(&tokens(text)).to_string()).collect();
            assert_eq!(pieces(text), expected, "{text}");
        }
    }

    #[test]
    fn an_else_of_the_flow_has_an_arrow() {
        let statement = tokens("a.b if |e| if e { true } else { false } -> c.d else -> e.f");
        let branches: Vec<String> =
            branches(&statement).into_iter().map(|branch| all(branch).to_string()).collect();
        assert_eq!(branches.len(), 2);
        assert_eq!(branches[1], all(&tokens("else -> e.f")).to_string());
    }

    #[test]
    fn a_comma_in_a_type_separates_nothing() {
        let targets = tokens("out a: Map<u8, Box<Fn() -> u8>>, b.c, return");
        let parts: Vec<usize> = split_at_commas(&targets).into_iter().map(<[TokenTree]>::len).collect();
        assert_eq!(parts.len(), 3);
        assert_eq!(parts[1..], [3, 1]);
    }
}
