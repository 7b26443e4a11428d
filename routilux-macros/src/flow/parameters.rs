//! What a flow in a flow is given for its parameters: each once, and no other.

use super::pieces::split_at_commas;
use crate::diagnostic::Diagnostics;
use crate::routine::plain;
use proc_macro2::{Ident, TokenStream, TokenTree};
use routilux_graph::{Code, choices, did_you_mean};
use syn::Path;

/// Adds an error for each parameter that the flow has not, and one for those that are missing.
pub(super) fn check(
    path: &Path,
    given: &TokenStream,
    params: &[(String, String)],
    diagnostics: &mut Diagnostics,
) {
    let flow = crate::text::of(path);
    let list: Vec<String> = params.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
    let mut missing: Vec<&(String, String)> = params.iter().collect();
    let Some(names) = names(given) else { return };
    let is_given = |name: &str| names.iter().any(|given| plain(given) == name);
    let is_param = |name: &Ident| params.iter().any(|(param, _)| *param == plain(name));
    let unknown = names.iter().filter(|name| !is_param(name)).count();
    for name in &names {
        let text = plain(name);
        if is_param(name) {
            missing.retain(|(param, _)| *param != text);
            continue;
        }
        let open = params.iter().map(|(param, _)| param.as_str()).filter(|param| !is_given(param));
        // One too many where one is missing is that one, however it is spelt.
        let sole = match (unknown, open.clone().collect::<Vec<_>>().as_slice()) {
            (1, [only]) => Some(*only),
            _ => None,
        };
        let near = did_you_mean(&text, open).or(sole);
        missing.retain(|(param, _)| near != Some(param.as_str()));
        let help = choices(near, "its parameters", list.iter().map(String::as_str));
        diagnostics.error(
            Code::UnknownField,
            name,
            format!("the flow `{flow}` has no parameter `{name}`"),
            help,
        );
    }
    if missing.is_empty() {
        return;
    }
    let lacking: Vec<String> = missing.iter().map(|(name, ty)| format!("`{name}: {ty}`")).collect();
    let written = names.iter().map(ToString::to_string).chain(missing.iter().map(|(name, _)| name.clone()));
    let written: Vec<String> = written.collect();
    diagnostics.error(
        Code::MissingField,
        path,
        format!("the flow `{flow}` is not given its parameter {}", lacking.join(" and ")),
        format!("write `{flow} {{ {} }}`", written.join(", ")),
    );
}

/// The names in `a, b: value`; none of what cannot be read, which the compiler says best.
fn names(given: &TokenStream) -> Option<Vec<Ident>> {
    let tokens: Vec<TokenTree> = given.clone().into_iter().collect();
    let fields = split_at_commas(&tokens).into_iter().filter(|field| !field.is_empty());
    let names = fields.map(|field| match field {
        [TokenTree::Ident(name)] => Some(name.clone()),
        [TokenTree::Ident(name), TokenTree::Punct(colon), _, ..] if colon.as_char() == ':' => {
            Some(name.clone())
        }
        _ => None,
    });
    names.collect()
}
