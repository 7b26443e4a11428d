//! What rustdoc shows of what is generated: the ports and fields of a routine, and the inputs, outputs, routines and connections of a
//! flow. Only rustdoc reads any of it.

use crate::routine::plain;
use crate::text;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Expr, ExprLit, Field, Lit, Meta};

/// Documentation that is there for rustdoc only.
pub(crate) fn attribute(markdown: &str) -> TokenStream {
    match markdown.is_empty() {
        true => TokenStream::new(),
        false => quote! { #[cfg_attr(doc, doc = #markdown)] },
    }
}

/// A section with a table, or nothing where the table would be empty. A last column without a title is left out if it is empty.
pub(crate) fn section(title: &str, columns: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let is_empty =
        columns.last() == Some(&"") && rows.iter().all(|row| row.last().is_some_and(String::is_empty));
    let (columns, rows): (&[&str], Vec<Vec<String>>) = match is_empty {
        true => {
            let width = columns.len() - 1;
            (&columns[..width], rows.iter().map(|row| row[..width].to_vec()).collect())
        }
        false => (columns, rows.to_vec()),
    };
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut table = format!("\n# {title}\n\n");
    table += &line(columns.iter().map(|column| (*column).to_owned()).collect());
    table += &line(columns.iter().map(|_| "---".to_owned()).collect());
    rows.into_iter().for_each(|row| table += &line(row));
    table
}

/// Text as code in a cell of a table.
pub(crate) fn code(text: &str) -> String {
    match text.is_empty() {
        true => String::new(),
        false => format!("`{}`", cell(text)),
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// The first paragraph of the documentation, for a cell of a table.
pub(crate) fn summary(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter(|attr| attr.path().is_ident("doc")).filter_map(|attr| match &attr.meta {
        Meta::NameValue(value) => match &value.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    let lines: Vec<String> = lines.collect();
    let lines = lines.iter().flat_map(|text| text.split('\n')).map(str::trim);
    let lines: Vec<&str> =
        lines.skip_while(|line| line.is_empty()).take_while(|line| !line.is_empty()).collect();
    cell(&lines.join(" "))
}

/// A section about fields of a routine.
pub(crate) fn fields<'f>(title: &str, fields: impl Iterator<Item = &'f Field>) -> String {
    let rows = fields.filter_map(|field| {
        let name = plain(field.ident.as_ref()?);
        Some(vec![code(&name), code(&text::of(&field.ty)), summary(&field.attrs)])
    });
    section(title, &["field", "type", ""], &rows.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn the_first_paragraph_is_the_summary() {
        let item: syn::ItemStruct = parse_quote! {
            /// Takes a | b,
            /// one by one.
            ///
            /// # More
            struct X;
        };
        assert_eq!(summary(&item.attrs), "Takes a \\| b, one by one.");
        assert_eq!(summary(&[]), "");
    }

    #[test]
    fn nothing_has_no_table() {
        assert_eq!(section("Events", &["event"], &[]), "");
        let rows = [vec![code("word"), code("fn(u8) -> A|B")]];
        let table = "\n# Events\n\n| event | carries |\n| --- | --- |\n| `word` | `fn(u8) -> A\\|B` |\n";
        assert_eq!(section("Events", &["event", "carries"], &rows), table);
        let undocumented = [[rows[0].clone(), vec![String::new()]].concat()];
        assert_eq!(section("Events", &["event", "carries", ""], &undocumented), table);
    }
}
