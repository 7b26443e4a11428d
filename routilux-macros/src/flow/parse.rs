//! The syntax of a flow. Each statement is read alone, so that a broken one does not hide the others; what a
//! broken one mentions is kept, so that it is not told to be missing.

use crate::diagnostic::error;
use proc_macro2::{Delimiter, Ident, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Path, Token, Type, Visibility, braced, parenthesized};

/// `pub flow Name(parameter: Type) { statements }`
pub(crate) struct Header {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) name: Ident,
    pub(crate) params: Vec<Param>,
    pub(crate) body: TokenStream,
}

pub(crate) struct Param {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
}

pub(crate) enum Statement {
    Instance(Box<Instance>),
    Connect { from: Source, to: Vec<Target> },
    Ignore(Port),
    Broken { error: syn::Error, mentions: Mentions },
}

/// `id: Type { configuration };`
pub(crate) struct Instance {
    pub(crate) id: Ident,
    pub(crate) path: Path,
    pub(crate) configuration: TokenStream,
}

pub(crate) enum Source {
    Input(Ident),
    Event(Port),
}

pub(crate) struct Target {
    pub(crate) kind: TargetKind,
    /// All of it, as written.
    pub(crate) tokens: TokenStream,
}

pub(crate) enum TargetKind {
    Slot { port: Port, feedback: bool },
    Output(Ident),
    Return,
}

/// `routine.port`
#[derive(Clone)]
pub(crate) struct Port {
    pub(crate) routine: Ident,
    pub(crate) name: Ident,
    pub(crate) tokens: TokenStream,
}

/// What a broken statement speaks of.
#[derive(Default)]
pub(crate) struct Mentions {
    pub(crate) ports: Vec<(String, String)>,
    pub(crate) ids: Vec<String>,
    pub(crate) input: bool,
}

const STATEMENTS: &str = "a flow is made of `id: Type { configuration };`, `in name -> id.slot;`, `id.event -> id.slot;`, \
                          `id.event -> out name;`, `id.event -> return;` and `ignore id.event;`";

pub(crate) fn header(flow: TokenStream) -> syn::Result<Header> {
    syn::parse2(flow)
}

impl Parse for Header {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let shape = "write `flow! { pub flow Name(parameter: Type) { .. } }`";
        let keyword: Option<Ident> = input.parse().ok();
        match &keyword {
            Some(keyword) if keyword == "flow" => {}
            Some(other) => return Err(error(other, "expected `flow` and the flow's name", shape)),
            None => return Err(error(TokenStream::new(), "expected `flow` and the flow's name", shape)),
        }
        let name: Ident = input.parse().map_err(|_| error(&keyword, "the flow has no name", shape))?;
        if input.peek(Token![<]) {
            let generics: syn::Generics = input.parse()?;
            return Err(error(
                generics,
                "generic flows are not part of this version",
                "write the type in the flow",
            ));
        }
        let mut params = Vec::new();
        if input.peek(syn::token::Paren) {
            let content;
            parenthesized!(content in input);
            let parsed = Punctuated::<Param, Token![,]>::parse_terminated(&content).map_err(|error| {
                self::error(
                    OneSpan(error.span()),
                    "a parameter of a flow is a name and a type",
                    "write `name: Type`",
                )
            })?;
            params.extend(parsed);
        }
        if !input.peek(syn::token::Brace) {
            return Err(error(&name, "the flow has no body", shape));
        }
        let body;
        braced!(body in input);
        let body = body.parse()?;
        if !input.is_empty() {
            let rest: TokenTree = input.parse()?;
            return Err(error(rest, "a `flow!` holds one flow", "write each flow in a `flow!` of its own"));
        }
        Ok(Header { attrs, vis, name, params, body })
    }
}

/// Stands for a place, where there is no token.
struct OneSpan(proc_macro2::Span);

impl ToTokens for OneSpan {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        Ident::new("_place", self.0).to_tokens(tokens);
    }
}

impl Parse for Param {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![:]>()?;
        Ok(Param { name, ty: input.parse()? })
    }
}

/// Reads every statement.
pub(crate) fn statements(body: &TokenStream) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut tokens = Vec::new();
    for token in without_invisible_groups(body.clone()) {
        match &token {
            TokenTree::Punct(punct) if punct.as_char() == ';' => {
                match tokens.is_empty() {
                    // A `;` too many does no harm.
                    true => {}
                    false => statements.push(read(&std::mem::take(&mut tokens))),
                }
            }
            _ => tokens.push(token),
        }
    }
    if let Some(last) = tokens.last() {
        let error = error(last, "this statement does not end", "write `;` after it");
        statements.push(Statement::Broken { error, mentions: mentions(&tokens) });
        // What it says is checked all the same.
        statements.extend(statement(&tokens));
    }
    statements
}

/// A path or type that the user's own macro passed in comes as a group without delimiters: it is its tokens that count.
fn without_invisible_groups(tokens: TokenStream) -> Vec<TokenTree> {
    let mut flat = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                flat.extend(without_invisible_groups(group.stream()));
            }
            other => flat.push(other),
        }
    }
    flat
}

fn read(tokens: &[TokenTree]) -> Statement {
    statement(tokens).unwrap_or_else(|error| Statement::Broken { error, mentions: mentions(tokens) })
}

fn statement(tokens: &[TokenTree]) -> syn::Result<Statement> {
    let word = |index: usize, wanted: &str| matches!(tokens.get(index), Some(TokenTree::Ident(ident)) if ident == wanted);
    let sign = |index: usize| match tokens.get(index) {
        Some(TokenTree::Punct(punct)) => Some(punct.as_char()),
        _ => None,
    };
    if sign(1) == Some(':') && sign(2) != Some(':') && !word(0, "in") {
        return instance(tokens);
    }
    // A routine may be called as a statement begins: then a dot follows.
    if word(0, "ignore") && sign(1) != Some('.') {
        return port(&tokens[1..], &tokens[0], "event").map(Statement::Ignore);
    }
    if word(0, "on") && sign(1) != Some('.') {
        return Err(error(
            all(tokens),
            "error policies are not part of this version",
            "a handler that fails stops the job, which keeps the delivery",
        ));
    }
    connection(tokens)
}

fn instance(tokens: &[TokenTree]) -> syn::Result<Statement> {
    let TokenTree::Ident(id) = &tokens[0] else {
        return Err(error(&tokens[0], "a routine's id is a name", "write `id: Type { configuration };`"));
    };
    let rest = &tokens[2..];
    let Some(first) = rest.first() else {
        return Err(error(
            id,
            format!("`{id}` has no type"),
            format!("write `{id}: Type {{ configuration }};`"),
        ));
    };
    if matches!(first, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket) {
        return Err(error(
            first,
            "keyed instances are not part of this version",
            "write one instance for each key",
        ));
    }
    let end = rest.iter().position(
        |token| matches!(token, TokenTree::Group(group) if group.delimiter() != Delimiter::Bracket),
    );
    let (ty, group) = match end {
        Some(end) => (&rest[..end], Some(&rest[end])),
        None => (rest, None),
    };
    // `lines: Lines tok: Tokenizer`: a type is not two names side by side.
    let side_by_side = ty.windows(2).find(|pair| matches!(pair, [TokenTree::Ident(_), TokenTree::Ident(_)]));
    if let Some([_, next]) = side_by_side {
        return Err(error(next, "a statement ends before this", "write `;` before it"));
    }
    if let Some(extra) = end.and_then(|end| rest.get(end + 1)) {
        return Err(error(extra, "a statement ends before this", "write `;` before it"));
    }
    let configuration = match group {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => group.stream(),
        Some(other) => {
            return Err(error(
                other,
                "configuration is given by name",
                "write it in braces: `{ field, other: value }`",
            ));
        }
        None => TokenStream::new(),
    };
    let path = syn::parse2::<Path>(all(ty)).map_err(|_| {
        let place = if ty.is_empty() { id.to_token_stream() } else { all(ty) };
        error(
            place,
            format!("the type of `{id}` is the name of a routine"),
            format!("write `{id}: Type {{ configuration }};`"),
        )
    })?;
    Ok(Statement::Instance(Box::new(Instance { id: id.clone(), path, configuration })))
}

fn connection(tokens: &[TokenTree]) -> syn::Result<Statement> {
    let arrows = arrows(tokens);
    let Some(&(at, converts)) = arrows.first() else {
        return Err(not_a_statement(tokens));
    };
    let arrow = all(&tokens[at..at + 2]);
    if converts {
        return Err(error(arrow, "`=>` is not part of this version", "write `->`, and convert in a handler"));
    }
    let (before, after) = (&tokens[..at], &tokens[at + 2..]);
    if matches!(after.first(), Some(TokenTree::Punct(punct)) if punct.as_char() == '|') {
        return Err(error(
            all(after),
            "a map between two ports is not part of this version",
            "map in a handler",
        ));
    }
    let from = source(before, arrow.clone())?;
    let to = split_at_commas(after)
        .into_iter()
        .map(|part| target(part, &arrow))
        .collect::<syn::Result<Vec<_>>>()?;
    Ok(Statement::Connect { from, to })
}

fn source(tokens: &[TokenTree], arrow: TokenStream) -> syn::Result<Source> {
    if let Some(TokenTree::Ident(first)) = tokens.first()
        && first == "in"
    {
        return match &tokens[1..] {
            [TokenTree::Ident(name)] => Ok(Source::Input(name.clone())),
            [TokenTree::Ident(name), TokenTree::Punct(colon), ..] if colon.as_char() == ':' => Err(error(
                all(&tokens[2..]),
                "the type of an input is that of its slot",
                format!("write `in {name} -> ..`"),
            )),
            _ => Err(error(all(tokens), "an input is `in` and a name", "write `in name -> id.slot;`")),
        };
    }
    if let Some(guard) = tokens.iter().find(|token| matches!(token, TokenTree::Ident(ident) if ident == "if"))
    {
        return Err(error(
            guard,
            "guards are not part of this version",
            "decide in a handler, and emit different events",
        ));
    }
    port(tokens, &arrow, "event").map(Source::Event)
}

fn target(tokens: &[TokenTree], arrow: &TokenStream) -> syn::Result<Target> {
    let kind = match tokens {
        [TokenTree::Ident(word), TokenTree::Ident(name)] if word == "out" => TargetKind::Output(name.clone()),
        [TokenTree::Ident(word)] if word == "return" => TargetKind::Return,
        [TokenTree::Ident(word), rest @ ..] if word == "loop" => {
            if let [bound @ TokenTree::Group(_), ..] = rest {
                return Err(error(
                    bound,
                    "a bound on a loop is not part of this version",
                    "write `loop`, and count in a handler",
                ));
            }
            if matches!(rest, [TokenTree::Ident(word), ..] if word == "out" || word == "return") {
                return Err(error(all(tokens), "feedback goes to a slot", "write `-> loop id.slot`"));
            }
            TargetKind::Slot { port: port(rest, &tokens[0], "slot")?, feedback: true }
        }
        _ => TargetKind::Slot { port: port(tokens, arrow, "slot")?, feedback: false },
    };
    Ok(Target { kind, tokens: all(tokens) })
}

fn port(tokens: &[TokenTree], beside: impl ToTokens, what: &str) -> syn::Result<Port> {
    let shape = format!("write `routine.{what}`");
    match tokens {
        [TokenTree::Ident(routine), TokenTree::Punct(dot), TokenTree::Ident(name)]
            if dot.as_char() == '.' =>
        {
            Ok(Port { routine: routine.clone(), name: name.clone(), tokens: all(tokens) })
        }
        [] => Err(error(beside, format!("the {what} is missing here"), shape)),
        [TokenTree::Ident(word), ..] if word == "in" || word == "out" => Err(error(
            all(tokens),
            format!("`{word}` cannot stand here"),
            "inputs begin a connection and outputs end it: `in name -> id.slot;`, `id.event -> out name;`",
        )),
        [TokenTree::Ident(_), TokenTree::Punct(dot), TokenTree::Ident(_), extra, ..]
            if dot.as_char() == '.' =>
        {
            match extra {
                TokenTree::Punct(dot) if dot.as_char() == '.' => Err(error(
                    all(tokens),
                    format!("`routine.{what}` names the {what}, and more follows"),
                    format!("{shape}; error wires, joins and flows in flows are not part of this version"),
                )),
                _ => Err(error(extra, "a statement ends before this", "write `;` before it")),
            }
        }
        [TokenTree::Ident(routine)] => Err(error(
            routine,
            format!("`{routine}` names no {what}"),
            format!("write `{routine}.{what}`, with the name of the {what}"),
        )),
        _ => Err(error(all(tokens), format!("this is no {what}"), shape)),
    }
}

fn not_a_statement(tokens: &[TokenTree]) -> syn::Error {
    match tokens {
        [TokenTree::Ident(_), TokenTree::Punct(dot), ..] if dot.as_char() == '.' => error(
            all(tokens),
            "this connection leads nowhere: it has no `->`",
            "write `id.event -> id.slot;`",
        ),
        _ => error(all(tokens), "this is no statement of a flow", STATEMENTS),
    }
}

/// The places of `->` and, with `true`, of `=>`.
fn arrows(tokens: &[TokenTree]) -> Vec<(usize, bool)> {
    let is = |index: usize, sign: char, joint: bool| {
        matches!(tokens.get(index), Some(TokenTree::Punct(punct))
            if punct.as_char() == sign && (!joint || punct.spacing() == Spacing::Joint))
    };
    (0..tokens.len())
        .filter(|&at| is(at + 1, '>', false))
        .filter_map(|at| match (is(at, '-', true), is(at, '=', true)) {
            (true, _) => Some((at, false)),
            (_, true) => Some((at, true)),
            _ => None,
        })
        .collect()
}

fn split_at_commas(tokens: &[TokenTree]) -> Vec<&[TokenTree]> {
    tokens.split(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',')).collect()
}

fn all(tokens: &[TokenTree]) -> TokenStream {
    tokens.iter().cloned().collect()
}

fn mentions(tokens: &[TokenTree]) -> Mentions {
    let mut mentions = Mentions::default();
    for (index, token) in tokens.iter().enumerate() {
        let TokenTree::Ident(ident) = token else { continue };
        mentions.input |= ident == "in";
        match (tokens.get(index + 1), tokens.get(index + 2)) {
            (Some(TokenTree::Punct(dot)), Some(TokenTree::Ident(name))) if dot.as_char() == '.' => {
                mentions.ports.push((ident.to_string(), name.to_string()));
            }
            (Some(TokenTree::Punct(colon)), _) if colon.as_char() == ':' => {
                mentions.ids.push(ident.to_string())
            }
            _ => {}
        }
    }
    mentions
}
