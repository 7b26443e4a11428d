//! A crate that knows routilux by another name, and uses routines of yet another crate: as they are, renamed, by a
//! path, and re-exported.

use rx::prelude::*;
use tests::words::Tokenizer as Splitter;

/// Counts letters.
#[routine(crate = rx)]
pub struct Letters {
    #[state]
    letters: usize,
}

#[routine(crate = rx)]
impl Letters {
    /// How many there were so far.
    #[event]
    fn so_far(letters: usize);

    /// Takes a word.
    #[slot]
    fn word(&mut self, word: &str, out: &mut Emit<Self>) -> Result {
        self.letters += word.len();
        out.so_far(self.letters);
        Ok(())
    }
}

flow! {
    /// Counts words and their letters.
    pub flow Count(lowercase: bool) {
        lines: tests::words::Lines;
        split: Splitter { lowercase };
        letters: Letters;
        totals: tests::Counting;
        latest: tests::words::Latest<usize>;

        in text -> lines.text;
        lines.line -> split.line;
        split.word -> letters.word, totals.word;
        letters.so_far -> latest.next;
        latest.moved -> out moved;
        lines.done -> out lines;
        in end -> totals.end;
        totals.totals -> return;
    }
}

#[cfg(test)]
mod tests_of_it {
    use super::*;

    #[test]
    fn routines_come_from_three_crates_by_four_names() {
        let mut job = Count::new(true).job();
        assert!(job.inputs().text("To be\nor not TO be".into()).is_ok());
        assert_eq!(job.run_until_idle().ok(), Some(Status::Waiting));
        assert!(job.inputs().end(2).is_ok());
        let report = job.run();
        let totals = report.as_ref().ok().and_then(|report| report.result().ok());
        assert_eq!(totals.map(|totals| totals["to"]), Some(2));
        assert_eq!(job.outputs().moved().last(), Some((Some(11), 13)));
        assert_eq!(job.outputs().lines().collect::<Vec<_>>(), [2]);

        let state = job.state().ok();
        assert_eq!(state.map(|state| Count::new(true).resume(state).is_ok()), Some(true));
    }
}
