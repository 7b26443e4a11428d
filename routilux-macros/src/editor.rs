//! Whether an editor asks. It is not built then, but looked at: what is written for it costs a build nothing.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use std::collections::HashSet;
use std::sync::OnceLock;

/// Whether it is rust-analyzer that expands a macro. It does so in a process of its own, and in every crate; the `cfg` that it
/// sets is only that of the crates in the workspace, and to name it in generated code would be a warning there. A build with
/// that `cfg` shows what rust-analyzer sees: a test makes one.
pub(crate) fn asks() -> bool {
    static ASKS: OnceLock<bool> = OnceLock::new();
    *ASKS.get_or_init(|| {
        let program = std::env::current_exe().unwrap_or_default();
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        cfg!(rust_analyzer) || name.starts_with("rust-analyzer")
    })
}

/// What was generated from `written`, without what is not the user's at the places where the user's names stand: it is there
/// for the compiler's messages, and an editor would find it with the name.
pub(crate) fn unplaced(generated: TokenStream, written: TokenStream) -> TokenStream {
    let mut names = HashSet::new();
    collect(written, &mut names);
    move_others(generated, &names)
}

fn collect(tokens: TokenStream, names: &mut HashSet<(String, String)>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => drop(names.insert(key(&ident))),
            TokenTree::Group(group) => collect(group.stream(), names),
            _ => {}
        }
    }
}

fn move_others(tokens: TokenStream, names: &HashSet<(String, String)>) -> TokenStream {
    let moved = tokens.into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            let mut moved = Group::new(group.delimiter(), move_others(group.stream(), names));
            moved.set_span(group.span());
            TokenTree::Group(moved)
        }
        TokenTree::Ident(mut ident) if !names.contains(&key(&ident)) => {
            ident.set_span(Span::call_site().resolved_at(ident.span()));
            TokenTree::Ident(ident)
        }
        other => other,
    });
    moved.collect()
}

/// The name, and where it stands.
fn key(ident: &Ident) -> (String, String) {
    (ident.to_string(), format!("{:?}", ident.span()))
}
