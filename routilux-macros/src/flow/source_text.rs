//! Tokens as they stand in the user's file, for the flow as data: a closure prints as it was written, on one line.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

/// The tokens with a space where the user has one, or a new line.
pub(super) fn of(tokens: TokenStream) -> String {
    if !proc_macro::is_available() {
        // Outside of a compiler there are no places.
        return crate::text::of(tokens);
    }
    let mut text = Text::default();
    text.tokens(tokens);
    text.written
}

#[derive(Default)]
struct Text {
    written: String,
    /// Line and column after the last piece.
    end: Option<(usize, usize)>,
}

impl Text {
    fn tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::None => ("", ""),
                    };
                    self.piece(open, group.span_open());
                    self.tokens(group.stream());
                    self.piece(close, group.span_close());
                }
                other => self.piece(&other.to_string(), other.span()),
            }
        }
    }

    fn piece(&mut self, piece: &str, span: Span) {
        if piece.is_empty() {
            return;
        }
        let span = span.unwrap();
        let place = |span: proc_macro::Span| (span.line(), span.column());
        let adjacent = self.end.is_some_and(|end| end == place(span.start()));
        if !adjacent && !self.written.is_empty() {
            self.written.push(' ');
        }
        self.written.push_str(piece);
        self.end = Some(place(span.end()));
    }
}
