//! The flow: texts go in; how hard each is to read comes out, and meanwhile how far the job is.

use routilux::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Reads texts, several at once.
#[routine]
pub(crate) struct Reader {
    /// How long a text takes: it stands for a model, or for a service elsewhere.
    takes: Duration,
}

#[routine]
impl Reader {
    /// How hard the text of that number is to read.
    #[event]
    fn reading(number: usize, reading: Reading);

    /// Takes one text.
    #[slot]
    fn text(&self, number: &usize, text: &str, out: &mut Emit<Self>) -> Result<(), Unreadable> {
        std::thread::sleep(self.takes);
        let reading = Reading::of(text).ok_or(Unreadable { number: *number })?;
        out.reading(*number, reading);
        Ok(())
    }
}

/// Gathers what the reader made of the texts, in whatever order it comes.
#[routine]
pub(crate) struct Gatherer {
    /// How many texts there are.
    texts: usize,
    #[state]
    readings: BTreeMap<usize, Reading>,
}

#[routine]
impl Gatherer {
    /// How far the job is.
    #[event(live)]
    fn progress(progress: Progress);
    /// All readings, in the order of the texts.
    #[event]
    fn complete(readings: Vec<Reading>);

    /// Takes the reading of one text.
    #[slot]
    fn reading(&mut self, number: usize, reading: Reading, out: &mut Emit<Self>) {
        self.readings.insert(number, reading);
        out.progress(Progress { done: self.readings.len(), texts: self.texts });
        if self.readings.len() == self.texts {
            out.complete(self.readings.values().cloned().collect());
        }
    }
}

flow! {
    /// So many numbered texts go in; how hard they are to read comes out.
    pub(crate) flow Analysis(texts: usize, takes: Duration) {
        reader: Reader { takes };
        gather: Gatherer { texts };

        in text         -> reader.text;
        reader.reading  -> gather.reading;
        gather.progress -> out progress;
        gather.complete -> return;
    }
}

/// How far a job is.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Progress {
    pub(crate) done: usize,
    pub(crate) texts: usize,
}

/// How hard a text is to read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Reading {
    words: usize,
    sentences: usize,
    /// The automated readability index: about how many years of school the text asks for.
    grade: f64,
}

impl Reading {
    /// `None` for a text without a word.
    fn of(text: &str) -> Option<Self> {
        let words = text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count();
        if words == 0 {
            return None;
        }
        let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
        let sentences =
            text.split(['.', '!', '?']).filter(|part| part.contains(char::is_alphanumeric)).count();
        let ratio = |one: usize, other: usize| one as f64 / other as f64;
        let grade = 4.71 * ratio(letters, words) + 0.5 * ratio(words, sentences) - 21.43;
        Some(Reading { words, sentences, grade })
    }
}

/// There is no word in a text.
#[derive(Debug)]
pub(crate) struct Unreadable {
    number: usize,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no word in texts[{}]", self.number)
    }
}

impl Error for Unreadable {}
