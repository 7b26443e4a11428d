//! A flow that is a part of others, in other crates.

use crate::words::{Lines, Tokenizer};
use routilux::prelude::*;

flow! {
    /// Splits a text into its words, by their length.
    pub flow Splitting(lowercase: bool, least: usize) {
        lines: Lines;
        tok: Tokenizer { lowercase };

        in text -> lines.text;
        lines.line -> tok.line;
        tok.word if |word| word.len() >= *least -> out words else -> out short;
        lines.done -> return;
    }
}
