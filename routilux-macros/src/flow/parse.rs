//! The syntax of a flow. Each statement is read alone, so that a broken one does not hide the others; what a
//! broken one mentions is kept, so that it is not told to be missing.

use super::connect::{self, Connect, Port, port};
use super::pieces::{Angles, all, arrows, is_sign, is_word, split_at_commas};
use super::policy::{self, Policy};
use super::source_text;
use crate::diagnostic::{OneSpan, error};
use crate::owned::{self, borrowed_for_ever};
use crate::routine::plain;
use crate::text;
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use routilux_graph::Code;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Generics, Path, Token, Type, Visibility, WhereClause, braced, parenthesized};

/// `pub flow Name<T: Payload>(parameter: Type) where .. { statements }`
pub(crate) struct Header {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) name: Ident,
    /// With the `where` clause.
    pub(crate) generics: Generics,
    pub(crate) params: Vec<Param>,
    pub(crate) body: TokenStream,
}

pub(crate) struct Param {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    /// The type as it is written, where it borrows; `ty` borrows for ever then, so that nothing follows from it.
    pub(crate) borrows: Option<Type>,
}

pub(crate) enum Statement {
    Instance(Box<Instance>),
    Connect(Box<Connect>),
    Ignore(Port),
    Policy(Box<Policy>),
    Broken { error: syn::Error, mentions: Mentions },
}

/// `id: Type { configuration };`
pub(crate) struct Instance {
    pub(crate) id: Ident,
    pub(crate) path: Path,
    pub(crate) configuration: TokenStream,
}

/// What a broken statement speaks of.
#[derive(Default)]
pub(crate) struct Mentions {
    pub(crate) ports: Vec<(String, String)>,
    pub(crate) ids: Vec<String>,
    /// Routines that stand there without a port: which of theirs is meant is not known.
    pub(crate) alone: Vec<String>,
    pub(crate) input: bool,
    /// The flow's inputs and outputs: they are there all the same.
    pub(crate) inputs: Vec<Ident>,
    pub(crate) outputs: Vec<Ident>,
    /// Whether it declares a routine, which may begin by itself.
    pub(crate) instance: bool,
}

pub(super) const STATEMENTS: &str = "a flow is made of `id: Type { configuration };`, `in name -> id.slot;`, `id.event -> id.slot;`, \
                                     `id.event -> out name;`, `id.event -> return;`, `ignore id.event;` and `on error of id.slot ..;`";

pub(crate) fn header(flow: TokenStream) -> syn::Result<Header> {
    syn::parse2(flow)
}

impl Header {
    /// The names and types of the parameters.
    pub(crate) fn params_as_text(&self) -> Vec<(String, String)> {
        self.params.iter().map(|param| (plain(&param.name), text::of(&param.ty))).collect()
    }
}

impl Parse for Header {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let shape = "write `flow! { pub flow Name(parameter: Type) { .. } }`";
        let keyword: Option<Ident> = input.call(Ident::parse_any).ok();
        match &keyword {
            Some(keyword) if keyword == "flow" => {}
            Some(other) => {
                return Err(error(Code::FlowHeader, other, "expected `flow` and the flow's name", shape));
            }
            None => {
                let last = attrs.last().filter(|_| input.is_empty());
                let place = OneSpan(last.map_or(input.span(), |attr| attr.span()));
                return Err(error(Code::FlowHeader, place, "expected `flow` and the flow's name", shape));
            }
        }
        let name: Ident =
            input.parse().map_err(|_| error(Code::FlowHeader, &keyword, "the flow has no name", shape))?;
        let mut generics = generics(input)?;
        let mut params = Vec::new();
        if input.peek(syn::token::Paren) {
            let content;
            parenthesized!(content in input);
            let parsed =
                Punctuated::<Param, Token![,]>::parse_terminated(&content).map_err(
                    |problem| match problem.to_string().ends_with(']') {
                        true => problem,
                        false => no_parameter(OneSpan(problem.span())),
                    },
                )?;
            if let Some(error) = parsed.iter().find_map(|param: &Param| of_no_type(&param.ty)) {
                return Err(error);
            }
            params.extend(parsed);
            for (number, param) in params.iter().enumerate() {
                let is_same = |other: &&Param| plain(&other.name) == plain(&param.name);
                if params[..number].iter().any(|other| is_same(&other)) {
                    let message = format!("two parameters of the flow are called `{}`", param.name);
                    let help = "give each a name of its own";
                    return Err(error(Code::FlowParameter, &param.name, message, help));
                }
            }
        }
        if input.peek(Token![->]) {
            let arrow: Token![->] = input.parse()?;
            let ty = input.call(Type::without_plus).ok();
            return Err(error(
                Code::FlowHeader,
                quote::quote! { #arrow #ty },
                "a flow has no return type: its result is what goes to `return`",
                "leave it out; the result's type is that of the event that goes there: `id.event -> return;`",
            ));
        }
        generics.where_clause = input.parse::<Option<WhereClause>>().map_err(|error| {
            self::error(
                Code::FlowHeader,
                OneSpan(error.span()),
                format!("this is no bound: {error}"),
                "write `where T: Payload`",
            )
        })?;
        if !input.peek(syn::token::Brace) {
            return Err(error(Code::FlowHeader, &name, "the flow has no body", shape));
        }
        let body;
        braced!(body in input);
        let body = body.parse()?;
        if !input.is_empty() {
            let rest: TokenTree = input.parse()?;
            return Err(error(
                Code::FlowHeader,
                rest,
                "a `flow!` holds one flow",
                "write each flow in a `flow!` of its own",
            ));
        }
        Ok(Header { attrs, vis, name, generics, params, body })
    }
}

fn generics(input: ParseStream<'_>) -> syn::Result<Generics> {
    let generics: Generics = input.parse().map_err(|error| {
        let help = "write `flow Name<T: Payload>(..) { .. }`";
        self::error(
            Code::FlowHeader,
            OneSpan(error.span()),
            format!("these are no type parameters: {error}"),
            help,
        )
    })?;
    match generics.lifetimes().next() {
        None => Ok(generics),
        Some(lifetime) => {
            let help = "let it hold what it needs: values, or an `Arc` of them";
            Err(error(Code::FlowHeader, lifetime, "a flow borrows nothing, so it has no lifetimes", help))
        }
    }
}

impl Parse for Param {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name: Ident = input.parse()?;
        // At the end of the parentheses there is no token of the parameter.
        let is_whole = input.parse::<Option<Token![:]>>()?.is_some() && !input.is_empty();
        if !is_whole {
            return Err(no_parameter(name));
        }
        let written: Type = input.parse()?;
        match borrowed_for_ever(&written) {
            Some(ty) => Ok(Param { name, ty, borrows: Some(written) }),
            None => Ok(Param { name, ty: written, borrows: None }),
        }
    }
}

fn no_parameter(place: impl ToTokens) -> syn::Error {
    error(Code::FlowParameter, place, "a parameter of a flow is a name and a type", "write `name: Type`")
}

/// A parameter of several types, or of one without a size.
fn of_no_type(ty: &Type) -> Option<syn::Error> {
    let help = match ty {
        Type::ImplTrait(ty) => {
            let bounds = text::of(&ty.bounds);
            format!(
                "name the type, or give the flow a type parameter: `flow Name<T: {bounds}>(parameter: T)`"
            )
        }
        Type::TraitObject(ty) => format!("write `Arc<{}>`", text::of(ty)),
        ty => format!("write `{}`", owned::sized(ty)?),
    };
    Some(error(Code::TypeShape, ty, "a parameter of a flow is a value of one type", help))
}

/// Reads every statement.
pub(crate) fn statements(body: &TokenStream) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut tokens = Vec::new();
    for token in without_invisible_groups(body.clone()) {
        match is_sign(Some(&token), ';') {
            // A `;` too many does no harm.
            true if tokens.is_empty() => {}
            true => read(&std::mem::take(&mut tokens), &mut statements),
            false => tokens.push(token),
        }
    }
    if let Some(last) = tokens.last() {
        let error = error(Code::MissingSemicolon, last, "this statement does not end", "write `;` after it");
        // What it says is checked all the same.
        match statement(&tokens) {
            Ok(statement) => statements.push(statement),
            Err(_) if is_word(tokens.first(), "else") => attach(&tokens, &mut statements),
            Err(_) => {}
        }
        statements.push(Statement::Broken { error, mentions: mentions(&tokens) });
    }
    statements
}

/// A path or type that the user's own macro passed in comes as a group without delimiters: it is its tokens that count.
pub(super) fn without_invisible_groups(tokens: TokenStream) -> Vec<TokenTree> {
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

fn read(tokens: &[TokenTree], statements: &mut Vec<Statement>) {
    match is_word(tokens.first(), "else") {
        true => attach(tokens, statements),
        false => statements.push(statement(tokens).unwrap_or_else(|error| broken(error, tokens))),
    }
}

fn broken(error: syn::Error, tokens: &[TokenTree]) -> Statement {
    Statement::Broken { error, mentions: mentions(tokens) }
}

/// `else -> id.slot;` belongs to the guard of the statement before.
fn attach(tokens: &[TokenTree], statements: &mut Vec<Statement>) {
    let branch = match connect::otherwise(tokens) {
        Ok(branch) => branch,
        Err(error) => return statements.push(broken(error, tokens)),
    };
    match statements.last_mut() {
        Some(Statement::Connect(guarded)) if guarded.guard.is_some() => match guarded.otherwise {
            None => guarded.otherwise = Some(branch),
            Some(_) => statements.push(broken(connect::second_else(&tokens[0]), tokens)),
        },
        // It has been told what is wrong with the guard.
        Some(Statement::Broken { mentions, .. }) => mentions.add(self::mentions(tokens)),
        _ => statements.push(broken(connect::else_without_guard(&tokens[0]), tokens)),
    }
}

fn statement(tokens: &[TokenTree]) -> syn::Result<Statement> {
    let sign = |index: usize, sign: char| is_sign(tokens.get(index), sign);
    if declares(tokens) {
        return instance(tokens);
    }
    // A routine may be called as a statement begins: then a dot follows.
    if is_word(tokens.first(), "ignore") && !sign(1, '.') {
        return ignored(tokens).map(Statement::Ignore);
    }
    if is_word(tokens.first(), "on") && !sign(1, '.') {
        return policy::policy(tokens).map(|policy| Statement::Policy(Box::new(policy)));
    }
    connect::connection(tokens).map(|connect| Statement::Connect(Box::new(connect)))
}

fn ignored(tokens: &[TokenTree]) -> syn::Result<Port> {
    let events = split_at_commas(&tokens[1..]);
    if events.len() > 1 {
        let named = events.iter().filter(|event| !event.is_empty());
        let each: Vec<String> =
            named.map(|event| format!("ignore {};", source_text::of(all(event)))).collect();
        let help = match each.as_slice() {
            [one] => format!("write `{one}`"),
            several => format!("write one for each: `{}`", several.join(" ")),
        };
        return Err(error(Code::Statement, all(&tokens[1..]), "`ignore` names one event", help));
    }
    port(&tokens[1..], &tokens[0], "event")
}

/// Whether it begins as an instance does: `id: ..`.
pub(super) fn declares(tokens: &[TokenTree]) -> bool {
    let is_colon = |index: usize| is_sign(tokens.get(index), ':');
    is_colon(1) && !is_colon(2) && (!is_word(tokens.first(), "in") || arrows(tokens).is_empty())
}

fn instance(tokens: &[TokenTree]) -> syn::Result<Statement> {
    let TokenTree::Ident(id) = &tokens[0] else {
        return Err(error(
            Code::RoutineShape,
            &tokens[0],
            "a routine's id is a name",
            "write `id: Type { configuration };`",
        ));
    };
    if id == "out" || syn::parse2::<Ident>(id.to_token_stream()).is_err() {
        let message = format!("`{id}` is a reserved word, and no id of a routine");
        return Err(error(Code::ReservedName, id, message, "give the routine another id"));
    }
    let rest = &tokens[2..];
    let Some(first) = rest.first() else {
        return Err(error(
            Code::RoutineShape,
            id,
            format!("`{id}` has no type"),
            format!("write `{id}: Type {{ configuration }};`"),
        ));
    };
    if matches!(first, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket) {
        return Err(error(
            Code::RoutineShape,
            first,
            "keyed instances are not part of this version",
            "write one instance for each key",
        ));
    }
    let mut angles = Angles::default();
    let end = (0..rest.len()).find(|&at| {
        angles.step(rest, at);
        angles.depth == 0
            && matches!(&rest[at], TokenTree::Group(group) if group.delimiter() != Delimiter::Bracket)
    });
    let (ty, group) = match end {
        Some(end) => (&rest[..end], Some(&rest[end])),
        None => (rest, None),
    };
    // `lines: Lines tok: Tokenizer`: a type is not two names side by side.
    let side_by_side = ty.windows(2).find(|pair| matches!(pair, [TokenTree::Ident(_), TokenTree::Ident(_)]));
    if let Some([_, next]) = side_by_side {
        return Err(next_statement(next));
    }
    if let Some(extra) = end.and_then(|end| rest.get(end + 1)) {
        return Err(next_statement(extra));
    }
    let configuration = match group {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => group.stream(),
        Some(other) => {
            return Err(error(
                Code::ConfigurationShape,
                other,
                "configuration is given by name",
                "write it in braces: `{ field, other: value }`",
            ));
        }
        None => TokenStream::new(),
    };
    let path = syn::parse2::<Path>(all(ty)).map_err(|_| {
        let (place, message) = match ty.is_empty() {
            true => (id.to_token_stream(), format!("`{id}` has no type")),
            false => (all(ty), "this is no name of a routine".to_owned()),
        };
        error(Code::RoutineShape, place, message, format!("write `{id}: Type {{ configuration }};`"))
    })?;
    Ok(Statement::Instance(Box::new(Instance { id: id.clone(), path, configuration })))
}

fn next_statement(first: &TokenTree) -> syn::Error {
    error(Code::MissingSemicolon, first, "a statement ends before this", "write `;` before it")
}

fn mentions(tokens: &[TokenTree]) -> Mentions {
    let mut mentions = Mentions { instance: declares(tokens), ..Mentions::default() };
    for (index, token) in tokens.iter().enumerate() {
        let TokenTree::Ident(ident) = token else { continue };
        mentions.input |= ident == "in";
        if let Some(TokenTree::Ident(name)) = tokens.get(index + 1)
            && is_name(name)
        {
            match ident.to_string().as_str() {
                "in" => mentions.inputs.push(name.clone()),
                "out" => mentions.outputs.push(name.clone()),
                _ => {}
            }
        }
        // `id: Type`, and what was meant for it: `id = Type`, `id Type`.
        let is_assigned = |sign: char| is_sign(tokens.get(index + 1), sign);
        if is_assigned(':') || (index == 0 && (is_assigned('=') || is_named(tokens))) {
            mentions.ids.push(ident.to_string());
        }
        let (names, rest) = connect::dotted(&tokens[index..]);
        if names.len() == 1
            && !is_sign(rest.first(), ':')
            && (index == 0 || !is_sign(tokens.get(index - 1), '.'))
        {
            mentions.alone.push(ident.to_string());
            // `-> letters`, where `out letters` was meant.
            let follows = |sign: char| index > 0 && is_sign(tokens.get(index - 1), sign);
            if is_name(ident) && (follows('>') || follows(',')) {
                mentions.outputs.push(ident.clone());
            }
        }
        if let [routine, names @ ..] = names.as_slice()
            && let [name, ..] = names
        {
            mentions.ports.push((routine.to_string(), name.to_string()));
            if let [name, second, ..] = names {
                mentions.ports.push((routine.to_string(), format!("{name}.{second}")));
            }
        }
    }
    mentions
}

/// Whether a function can have this name.
fn is_name(ident: &Ident) -> bool {
    syn::parse2::<Ident>(ident.to_token_stream()).is_ok() && ident != "out"
}

/// `id Type { .. }`: two names, the second of them that of a type.
pub(super) fn is_named(tokens: &[TokenTree]) -> bool {
    let [TokenTree::Ident(_), TokenTree::Ident(ty), ..] = tokens else { return false };
    ty.to_string().starts_with(|first: char| first.is_uppercase())
}

impl Mentions {
    pub(crate) fn add(&mut self, other: Mentions) {
        self.ports.extend(other.ports);
        self.ids.extend(other.ids);
        self.alone.extend(other.alone);
        self.input |= other.input;
        self.inputs.extend(other.inputs);
        self.outputs.extend(other.outputs);
        self.instance |= other.instance;
    }
}
