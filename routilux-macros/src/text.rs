//! Rust code as a person writes it, for messages: tokens print with a space between any two.

use quote::ToTokens;

/// A type or path without the needless spaces.
pub(crate) fn of(tokens: impl ToTokens) -> String {
    let printed = tokens.to_token_stream().to_string();
    let mut text = String::with_capacity(printed.len());
    let mut chars = printed.chars().peekable();
    while let Some(c) = chars.next() {
        if c != ' ' {
            text.push(c);
            continue;
        }
        let Some(next) = chars.peek() else { break };
        let after_opening = text.ends_with(['<', '(', '[', '&', '!', '\'']) || text.ends_with("::");
        let before_closing = matches!(next, '>' | ')' | ']' | ',' | ';' | '<' | ':' | '!')
            || (*next == '(' && text.ends_with("Fn"));
        // `-> T` and `= T` keep theirs.
        let arrow = *next == '>' && text.ends_with('-');
        if !(after_opening || before_closing) || arrow {
            text.push(' ');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn types_read_as_they_are_written() {
        for text in [
            "Vec<u8>",
            "std::collections::HashMap<String, (u32, u32)>",
            "[u8; 4]",
            "Option<Box<dyn Fn(u8) -> u8>>",
            "()",
        ] {
            let parsed: syn::Type = syn::parse_str(text).unwrap();
            assert_eq!(super::of(&parsed), text);
        }
    }
}
