//! The flow as an editor sees it: statement by statement in the order they are written, each name of the user's a field of
//! what stands before it. Only rust-analyzer expands it, so it costs a build nothing.
//!
//! To complete, rust-analyzer puts a marker where the cursor is, expands that too, and looks for the types at the same place
//! of what is expanded without it. So both have to be the same text up to the marker: nothing that is written before it may
//! depend on what follows, and what cannot be read is left out where it stands. The checks are not asked: a flow is
//! half-typed while it is written.

mod checked;
mod syntax;
#[cfg(test)]
mod tests;

pub(crate) use checked::{in_editor, leave_code_to_editor};

use super::super::parse::{Header, declares, without_invisible_groups};
use super::super::pieces::{Angles, all, arrow_at, arrows, begins_closure, is_sign, is_word};
use super::generics::Generics;
use crate::routine::plain;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syntax::{Dotted, dotted, idents, instances, type_and_group};

/// What rust-analyzer puts at the cursor, a part of the name that is typed: today, and in versions before.
const MARKERS: [&str; 2] = ["raCompletionMarker", "intellijRulezz"];

fn is_marked(ident: &Ident) -> bool {
    let name = ident.to_string();
    MARKERS.iter().any(|marker| name.contains(marker))
}

/// Whether the marker is among the tokens.
fn has_marker(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => is_marked(&ident),
        TokenTree::Group(group) => has_marker(group.stream()),
        _ => false,
    })
}

/// Whether something in the flow is completed right now: then it is expanded to this and no more.
pub(crate) fn is_completed(header: &Header) -> bool {
    has_marker(header.body.clone())
}

/// The first item of a flow's expansion.
pub(crate) fn editor(p: &TokenStream, header: &Header) -> TokenStream {
    let generics = Generics::of(&header.generics);
    let mut editor = Editor { p, header, generics, names: Names::default(), body: TokenStream::new() };
    let tokens = without_invisible_groups(header.body.clone());
    editor.names.ids = instances(&tokens);
    for statement in tokens.split(|token| is_sign(Some(token), ';')) {
        editor.statement(statement);
    }
    editor.item()
}

struct Editor<'a> {
    p: &'a TokenStream,
    header: &'a Header,
    generics: Generics,
    names: Names,
    body: TokenStream,
}

/// What the flow declares.
#[derive(Default)]
struct Names {
    /// The ids of the routines with their types.
    ids: Vec<(Ident, TokenStream)>,
    inputs: Vec<(Ident, Option<TokenStream>)>,
    outputs: Vec<(Ident, Option<TokenStream>)>,
    /// Those of policies are numbered after all others.
    outputs_of_policies: Vec<(Ident, Option<TokenStream>)>,
    /// The first `return`.
    result: Option<(Ident, Option<TokenStream>)>,
}

/// Which of a routine's ports a name is one of.
#[derive(Clone, Copy)]
enum Side {
    Events,
    Slots,
}

/// What goes on to targets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    /// A payload as it is.
    Payload,
    /// What a map made of it: its closure is to make what the target takes.
    Mapped,
    /// A failure that a policy hands over.
    Failure,
}

impl Editor<'_> {
    fn statement(&mut self, tokens: &[TokenTree]) {
        // Before a word of the syntax an id may be typed: there has to be a place for it.
        if ["in", "on", "else"].iter().any(|word| is_word(tokens.first(), word)) {
            self.at("__ids", &[]);
        }
        match tokens {
            [] => {}
            _ if declares(tokens) => self.instance(tokens),
            [word, rest @ ..] if is_word(Some(word), "in") && !is_sign(rest.first(), '.') => self.input(rest),
            [word, rest @ ..] if is_word(Some(word), "ignore") && !is_sign(rest.first(), '.') => {
                let rest = self.port(rest, Side::Events);
                self.rest(rest);
            }
            [word, what, rest @ ..]
                if is_word(Some(word), "on")
                    && (is_word(Some(what), "error") || is_word(Some(what), "panic")) =>
            {
                self.policy(is_word(Some(what), "panic"), rest);
            }
            [word, rest @ ..] if is_word(Some(word), "else") && arrow_at(rest, 0).is_some() => {
                self.targets(&rest[2..], Sent::Payload);
            }
            [TokenTree::Ident(_), after @ ..] => match self.port(tokens, Side::Events) {
                // A word that cannot stand here.
                rest if rest.len() == tokens.len() => self.rest(after),
                rest => {
                    self.body.extend(self.way());
                    self.guarded(rest);
                }
            },
            _ if arrow_at(tokens, 0).is_some() => self.guarded(tokens),
            [_, rest @ ..] => self.rest(rest),
        }
    }

    /// What stands behind a statement without a `;` between.
    fn rest(&mut self, tokens: &[TokenTree]) {
        if let Some(begin) = tokens.iter().position(|token| matches!(token, TokenTree::Ident(_))) {
            self.statement(&tokens[begin..]);
        }
    }

    /// A place of the user's: `.tok.events.word` after `__ids`.
    fn at(&mut self, begin: &str, names: &[Ident]) {
        let begin = Ident::new(begin, Span::call_site());
        let names = names.iter().map(field);
        self.body.extend(quote! { let __at = &#begin #(.#names)*; });
    }

    /// An input or output. Where it is there for the first time it is a variable too: of that, the type is told as it is.
    fn named(&mut self, begin: &str, name: &Ident) {
        self.at(begin, std::slice::from_ref(name));
        let Names { inputs, outputs, outputs_of_policies, .. } = &self.names;
        let known = match begin {
            "__slots" => [inputs.as_slice(), &[]],
            _ => [outputs.as_slice(), outputs_of_policies],
        };
        if is_marked(name) || known.into_iter().flatten().any(|(known, _)| known == name) {
            return;
        }
        let (p, name) = (self.p, field(name));
        self.body.extend(quote! { { let #name = #p::editor::value(__at); } });
    }

    fn way(&self) -> TokenStream {
        let p = self.p;
        quote! { let __way = #p::editor::way(__at); }
    }

    /// `id.port`, `id.join.parameter`, `id.slot.error`, and what there is of it. Returns what follows.
    fn port<'t>(&mut self, tokens: &'t [TokenTree], side: Side) -> &'t [TokenTree] {
        let Dotted { names, dot, rest } = dotted(tokens);
        let side = match side {
            Side::Events => "events",
            Side::Slots => "slots",
        };
        let known = |id: &Ident| is_marked(id) || self.names.ids.iter().any(|(known, _)| known == id);
        let place = match names.as_slice() {
            [] => Vec::new(),
            [id, ..] if !known(id) => {
                // No field, which would be a second error; but where it is completed a name has to stand there.
                self.at("__ids", &[]);
                let id = field(id);
                self.body.extend(quote! { |#id| (); });
                return rest;
            }
            [id] if !dot => vec![(*id).clone()],
            [id, names @ ..] => {
                let side = Ident::new(side, Span::call_site());
                let names = names.iter().map(|name| (*name).clone());
                [(*id).clone(), side].into_iter().chain(names).collect()
            }
        };
        self.at("__ids", &place);
        rest
    }

    /// `id: Type { configuration }`
    fn instance(&mut self, tokens: &[TokenTree]) {
        let p = self.p;
        let (path, group, rest) = type_and_group(&tokens[2..]);
        if let [TokenTree::Ident(id), ..] = tokens {
            self.at("__ids", std::slice::from_ref(id));
        }
        let path = all(path);
        if !path.is_empty() {
            self.body.extend(quote! { { let _: #p::editor::Instance<#path>; } });
        }
        if !path.is_empty() && !has_marker(path.clone()) {
            let configuration = quote! { <#path as #p::editor::Named>::Configuration };
            let (decl, args) = (self.generics.decl_in(&path), self.generics.args_in(&path));
            let turbofish = (!args.is_empty()).then(|| quote! { :: #args });
            let given = group.map(|group| {
                let mut given = Group::new(Delimiter::Brace, group.stream());
                given.set_span(group.span());
                // That a field is missing is told where the fields are.
                let literal = Ident::new("__Configuration", group.span_open());
                quote! { let _ = #literal #turbofish #given; }
            });
            self.body.extend(quote! { { type __Configuration #decl = #configuration; #given } });
        }
        self.rest(rest);
    }

    /// `name: Type -> ..` after `in`.
    fn input(&mut self, tokens: &[TokenTree]) {
        let [TokenTree::Ident(name), rest @ ..] = tokens else {
            self.at("__slots", &[]);
            return self.guarded(tokens);
        };
        self.named("__slots", name);
        self.body.extend(self.way());
        let (ty, rest) = self.written_type(rest);
        if !is_marked(name) && !self.names.inputs.iter().any(|(known, _)| known == name) {
            self.names.inputs.push((name.clone(), ty));
        }
        self.guarded(rest);
    }

    /// `: Type`, or nothing.
    fn written_type<'t>(&mut self, tokens: &'t [TokenTree]) -> (Option<TokenStream>, &'t [TokenTree]) {
        let [colon, rest @ ..] = tokens else { return (None, tokens) };
        if !is_sign(Some(colon), ':') {
            return (None, tokens);
        }
        let mut angles = Angles::default();
        let end = (0..rest.len()).find(|&at| {
            angles.step(rest, at);
            let ends = is_sign(rest.get(at), ',')
                || ["if", "else"].iter().any(|word| is_word(rest.get(at), word))
                || arrow_at(rest, at).is_some();
            angles.depth == 0 && ends
        });
        let (ty, rest) = rest.split_at(end.unwrap_or(rest.len()));
        if ty.is_empty() {
            return (None, rest);
        }
        let ty = all(ty);
        self.body.extend(quote! { { let _: #ty; } });
        (Some(ty), rest)
    }

    /// `if |e| .. -> ..` and `-> ..` after what a connection begins with.
    fn guarded(&mut self, tokens: &[TokenTree]) {
        let p = self.p;
        let (guard, rest) = match tokens {
            [word, guard @ ..] if is_word(Some(word), "if") => {
                let end = arrows(tokens).first().map_or(guard.len(), |arrow| arrow.at - 1);
                (Some(&guard[..end]), &guard[end..])
            }
            _ => (None, tokens),
        };
        if let Some(guard) = guard {
            let guard = self.closure(guard);
            self.body.extend(quote! { let __way = #p::editor::Way::filter(__way, #guard); });
            self.mention_params(tokens, rest);
        }
        match arrow_at(rest, 0) {
            Some(_) => self.targets(&rest[2..], Sent::Payload),
            None => self.rest(rest),
        }
    }

    /// A closure; the flow's parameters are in its scope by reference.
    fn closure(&self, tokens: &[TokenTree]) -> TokenStream {
        let names = self.header.params.iter().map(|param| &param.name);
        let tokens = all(tokens);
        quote! { { #(let #names = &#names;)* #tokens } }
    }

    /// In a closure a parameter is another variable than elsewhere; it has its name from here too.
    fn mention_params(&mut self, tokens: &[TokenTree], rest: &[TokenTree]) {
        let mut mentioned = Vec::new();
        idents(all(&tokens[..tokens.len() - rest.len()]), &mut mentioned);
        let is_param = |ident: &Ident| self.header.params.iter().any(|param| param.name == *ident);
        let mentioned: Vec<Ident> = mentioned.into_iter().filter(is_param).collect();
        self.body.extend(quote! { #(let _ = &#mentioned;)* });
    }

    /// `|e| .. -> a.b, out c, return; else -> ..` after an arrow.
    fn targets(&mut self, tokens: &[TokenTree], sent: Sent) {
        let p = self.p;
        if begins_closure(tokens) {
            let before = [TokenTree::Ident(Ident::new("if", Span::call_site()))];
            let whole: Vec<TokenTree> = before.into_iter().chain(tokens.iter().cloned()).collect();
            let end = arrows(&whole).first().map_or(tokens.len(), |arrow| arrow.at - 1);
            let (map, rest) = tokens.split_at(end);
            let map = self.closure(map);
            self.body.extend(quote! { let __mapped = #p::editor::Way::map(__way, #map); });
            self.mention_params(tokens, rest);
            if let [_, _, rest @ ..] = rest {
                self.targets(rest, Sent::Mapped);
            }
            return;
        }
        let mut rest = tokens;
        loop {
            rest = self.target(rest, sent);
            match rest {
                [comma, after @ ..] if is_sign(Some(comma), ',') => rest = after,
                _ => break,
            }
        }
        match rest {
            [word, after @ ..] if is_word(Some(word), "else") && arrow_at(after, 0).is_some() => {
                self.targets(&after[2..], Sent::Payload);
            }
            _ if arrow_at(rest, 0).is_some() => self.targets(&rest[2..], sent),
            _ => self.rest(rest),
        }
    }

    fn target<'t>(&mut self, tokens: &'t [TokenTree], sent: Sent) -> &'t [TokenTree] {
        if is_word(tokens.first(), "out") || is_word(tokens.first(), "return") {
            self.at("__ids", &[]);
        }
        let (ty, rest) = match tokens {
            [word, TokenTree::Ident(name), rest @ ..] if is_word(Some(word), "out") => {
                self.named("__events", name);
                let (ty, rest) = self.written_type(rest);
                if !is_marked(name) {
                    let outputs = match sent {
                        Sent::Failure => &mut self.names.outputs_of_policies,
                        _ => &mut self.names.outputs,
                    };
                    outputs.push((name.clone(), ty.clone()));
                }
                (ty.is_some(), rest)
            }
            [word, rest @ ..] if is_word(Some(word), "return") => {
                // Not where `return` stands: it would be renamed.
                let result = Ident::new("result", Span::call_site());
                let (ty, rest) = self.written_type(rest);
                let typed = ty.is_some();
                if typed {
                    self.at("__events", std::slice::from_ref(&result));
                }
                self.names.result.get_or_insert((result, ty));
                (typed, rest)
            }
            [word, rest @ ..] if is_word(Some(word), "loop") => {
                let rest = match rest {
                    [TokenTree::Group(_), rest @ ..] => rest,
                    _ => rest,
                };
                let after = self.port(rest, Side::Slots);
                (after.len() < rest.len(), after)
            }
            _ => {
                let rest = self.port(tokens, Side::Slots);
                (rest.len() < tokens.len(), rest)
            }
        };
        if ty && sent == Sent::Mapped {
            let p = self.p;
            self.body.extend(quote! { #p::editor::Way::to(__mapped, __at); });
        }
        rest
    }

    /// `of id.slot if |e| .. retry(..) then -> a.b` after `on error`.
    fn policy(&mut self, panic: bool, tokens: &[TokenTree]) {
        let p = self.p;
        let rest = match tokens {
            [word, rest @ ..] if is_word(Some(word), "of") => self.port(rest, Side::Slots),
            _ => tokens,
        };
        let rest = match rest {
            [word, condition @ ..] if is_word(Some(word), "if") => {
                let end = (0..condition.len()).find(|&at| {
                    let action =
                        ["retry", "skip", "stop"].iter().any(|word| is_word(condition.get(at), word));
                    let field = at > 0 && is_sign(condition.get(at - 1), '.');
                    (action && !field) || arrow_at(condition, at).is_some()
                });
                let (condition, rest) = condition.split_at(end.unwrap_or(condition.len()));
                let condition = self.closure(condition);
                let asks = if panic { quote!(on_panic) } else { quote!(on_error) };
                self.body.extend(quote! { #p::editor::#asks(#condition); });
                rest
            }
            _ => rest,
        };
        let is_action = |token: &TokenTree| match token {
            TokenTree::Ident(word) => ["retry", "then", "skip", "stop"].iter().any(|action| word == action),
            TokenTree::Group(_) => true,
            _ => false,
        };
        let end = rest.iter().position(|token| !is_action(token)).unwrap_or(rest.len());
        let rest = &rest[end..];
        match arrow_at(rest, 0) {
            Some(_) => self.targets(&rest[2..], Sent::Failure),
            None => self.rest(rest),
        }
    }

    /// All of it; of a flow that is completed only what the marker is in.
    fn item(self) -> TokenStream {
        let Editor { p, header, generics, names, body } = self;
        let name = &header.name;
        let Generics { decl, args, clause, .. } = &generics;
        let of = |what: &str| format_ident!("{what}Of{}", plain(name), span = Span::call_site());
        let (ids, events, slots, parameters) = (of("Ids"), of("Events"), of("Slots"), of("Parameters"));
        let param_names: Vec<&Ident> = header.params.iter().map(|param| &param.name).collect();
        let param_types: Vec<_> = header.params.iter().map(|param| &param.ty).collect();
        let function = quote! {
            fn __flow #decl(
                __ids: #ids #args, __events: #events #args, __slots: #slots #args, #(#param_names: #param_types),*
            ) #clause {
                #p::editor::never();
                let __at = &();
                let __way = #p::editor::way(__at);
                let __mapped = __way;
                #body
                let __at = &__ids;
            }
        };
        let declared = (!is_completed(header)).then(|| {
            let (id_names, id_types): (Vec<_>, Vec<_>) = names.ids.iter().cloned().unzip();
            let flow = quote! { #name #args };
            let of_input = |number: usize| quote! { <#flow as #p::InPort<#number>>::Payload };
            let of_output = |number: usize| quote! { <#flow as #p::OutPort<#number>>::Payload };
            let slot_fields = fields(names.inputs, of_input);
            let outputs = distinct(names.outputs.into_iter().chain(names.outputs_of_policies));
            let event_fields = fields(outputs.into_iter().chain(names.result), of_output);
            let id_fields = quote! { #(pub #id_names: #p::editor::Instance<#id_types>,)* };
            // Where a field speaks of the parameters there is none that is no port.
            let [ids_use, events_use, slots_use] = [&id_fields, &event_fields, &slot_fields].map(|fields| {
                let used = super::names(fields.clone());
                let all = header.generics.type_params().all(|param| used.contains(&plain(&param.ident)));
                (!all).then(|| generics.phantom().0)
            });
            // That of a generic flow has the types as parameters, so that each is used.
            let given: Vec<Ident> =
                (0..param_names.len()).map(|number| format_ident!("__F{number}")).collect();
            let (declared, configuration) = match args.is_empty() {
                true => (
                    quote! { pub struct #parameters { #(pub #param_names: #param_types,)* } },
                    quote! { #parameters },
                ),
                false => (
                    quote! { pub struct #parameters<#(#given),*> { #(pub #param_names: #given,)* } },
                    quote! { #parameters<#(#param_types),*> },
                ),
            };
            quote! {
                pub struct #ids #decl #clause { #id_fields #ids_use }
                pub struct #events #decl #clause { #event_fields #events_use }
                pub struct #slots #decl #clause { #slot_fields #slots_use }
                #declared
                impl #decl #p::editor::Named for #flow #clause {
                    type Configuration = #configuration;
                    type Events = #events #args;
                    type Slots = #slots #args;
                }
            }
        });
        quote! {
            #[allow(warnings, clippy::all, clippy::pedantic)]
            const _: () = { #function #declared };
        }
    }
}

/// A port may have the name of a keyword.
fn field(name: &Ident) -> Ident {
    match syn::parse2::<Ident>(name.to_token_stream()) {
        Ok(name) => name,
        Err(_) => Ident::new_raw(&name.to_string(), name.span()),
    }
}

/// Where a type is not written, it is that of the port of that number.
fn fields(
    names: impl IntoIterator<Item = (Ident, Option<TokenStream>)>,
    port: impl Fn(usize) -> TokenStream,
) -> TokenStream {
    let fields = names.into_iter().enumerate().map(|(number, (name, ty))| {
        let (name, ty) = (field(&name), ty.unwrap_or_else(|| port(number)));
        quote! { pub #name: #ty, }
    });
    fields.collect()
}

/// The first of each name, with the type that is written at any of them.
fn distinct(names: impl Iterator<Item = (Ident, Option<TokenStream>)>) -> Vec<(Ident, Option<TokenStream>)> {
    let mut distinct: Vec<(Ident, Option<TokenStream>)> = Vec::new();
    for (name, ty) in names {
        match distinct.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = known.take().or(ty),
            None => distinct.push((name, ty)),
        }
    }
    distinct
}
