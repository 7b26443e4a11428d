//! How wide a text is, and how to shorten one. The fonts of the pictures are monospace, in which a character is 0.6 em wide
//! everywhere; what such a font does not have is taken to be wide.

/// How wide a text is at this size of the font, rather too much than too little.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let ems: f64 = text.chars().map(ems).sum();
    ems * size
}

/// How many characters of the usual width a character is.
fn ems(c: char) -> f64 {
    match c as u32 {
        // Marks on the character before, and what joins two.
        0x0300..=0x036F | 0x200B..=0x200D | 0xFE00..=0xFE0F => 0.0,
        // Latin, Greek, Cyrillic, arrows, lines and the like.
        0x0000..=0x04FF | 0x2000..=0x206F | 0x2190..=0x22FF | 0x2500..=0x25FF => 0.61,
        0x0500..=0x10FF | 0x1E00..=0x1FFF => 0.9,
        _ => 1.25,
    }
}

/// The text, or as much of its beginning as there is room for, and `…`.
pub(crate) fn fit(text: &str, size: f64, room: f64) -> String {
    // What is longer than this does not fit anywhere, and is not looked at to its end.
    if text.len() <= 400 && width(text, size) <= room {
        return text.to_owned();
    }
    let mut left = room - width("…", size);
    let mut short = String::new();
    for c in text.chars() {
        left -= ems(c) * size;
        if left < 0.0 {
            break;
        }
        short.push(c);
    }
    short.push('…');
    short
}

/// A text in one line, without characters that XML and terminals do not have.
pub(crate) fn line(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' | '\u{85}' => clean.push(' '),
            '\u{FFFE}' | '\u{FFFF}' => clean.push('\u{FFFD}'),
            // Characters that turn the direction of what follows would turn the rest of the picture.
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => clean.push('\u{FFFD}'),
            c if c.is_control() => clean.push('\u{FFFD}'),
            c => clean.push(c),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_shortened() {
        assert_eq!(fit("word", 10.0, 30.0), "word");
        assert_eq!(fit("a word", 10.0, 30.0), "a w…");
        assert_eq!(fit("語語語語", 10.0, 30.0), "語…");
        assert_eq!(fit("word", 10.0, -5.0), "…");
        assert_eq!(fit("", 10.0, 0.0), "");
    }

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(line("a\n\tb\u{0}"), "a  b\u{FFFD}");
    }
}
