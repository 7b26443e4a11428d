//! A flow that others have in theirs: it trims texts, refuses those that are too long, and lets each through once.
//!
//! Who uses it knows its parameters, its `in`, its `out`s and its result, and nothing of what is inside.

use routilux::prelude::*;
use std::collections::BTreeSet;

/// Trims.
#[routine]
struct Trim {
    lowercase: bool,
}

#[routine]
impl Trim {
    /// A text without white space around it, which may be empty then.
    #[event]
    fn trimmed(text: String);

    /// Takes any text.
    #[slot(emit = trimmed)]
    fn text(&self, text: &str) -> String {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if self.lowercase { text.to_lowercase() } else { text }
    }
}

/// Refuses what is too long.
#[routine]
struct Check {
    longest: usize,
}

#[routine]
impl Check {
    /// A text that is not too long.
    #[event]
    fn fits(text: String);

    /// Fails if the text is too long. What becomes of it then, the flow around says.
    #[slot]
    fn text(&self, text: &str, out: &mut Emit<Self>) -> Result {
        let (length, longest) = (text.chars().count(), self.longest);
        if length > longest {
            return Err(format!("{text:?} has {length} characters, more than {longest}").into());
        }
        out.fits(text.to_owned());
        Ok(())
    }
}

/// Lets each text through once.
#[routine]
struct Distinct {
    #[state]
    seen: BTreeSet<String>,
}

#[routine]
impl Distinct {
    /// A text that was not there before.
    #[event]
    fn first(text: String);
    /// One that was.
    #[event]
    fn again(text: String);
    /// How many there were.
    #[event]
    fn counted(different: usize);

    /// Takes a text.
    #[slot]
    fn text(&mut self, text: String, out: &mut Emit<Self>) {
        match self.seen.insert(text.clone()) {
            true => out.first(text),
            false => out.again(text),
        }
    }

    /// Runs when nothing more can come, from the flow around neither.
    #[finish]
    fn count(&self, out: &mut Emit<Self>) {
        out.counted(self.seen.len());
    }
}

flow! {
    /// Cleans texts. Empty ones go nowhere; how many different ones there were is the result.
    pub flow Clean(lowercase: bool, longest: usize) {
        trim:     Trim { lowercase };
        check:    Check { longest };
        distinct: Distinct;

        in text -> trim.text;
        trim.trimmed if |text| !text.is_empty() -> check.text;
        check.fits       -> distinct.text;
        distinct.first   -> out clean;
        distinct.again   -> out repeated;
        distinct.counted -> return;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_flow_like_any_other() {
        let mut job = Clean::new(true, 5).job();
        for text in [" A  b ", "a b", "", "  ", "c"] {
            job.inputs().text(text.to_owned()).unwrap();
        }
        let report = job.run().unwrap();
        assert_eq!((report.result().unwrap(), report.filtered()), (&2, 2));
        assert_eq!(job.outputs().clean().collect::<Vec<_>>(), ["a b", "c"]);
        assert_eq!(job.outputs().repeated().collect::<Vec<_>>(), ["a b"]);
    }

    #[test]
    fn what_is_too_long_stops_it_unless_the_flow_around_says_otherwise() {
        let mut job = Clean::new(false, 2).job();
        job.inputs().text("abc".to_owned()).unwrap();
        let error = job.run().unwrap_err().to_string();
        assert!(error.contains("`check.text` failed") && error.contains("more than 2"), "{error}");
    }
}
