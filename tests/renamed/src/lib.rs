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

/// Brings words and their numbers together.
#[routine(crate = rx)]
pub struct Numbers {
    #[state]
    next: u64,
}

#[routine(crate = rx)]
impl Numbers {
    /// A word with its number.
    #[event]
    fn numbered(number: u64, word: String);

    #[merge]
    fn add(acc: &mut u64, n: u64) {
        *acc += n;
    }

    /// The sum of all numbers.
    #[slot(merge = add, when = "drained", emit = numbered, optional)]
    fn sum(&self, sum: u64) -> (u64, String) {
        (sum, "in all".into())
    }

    /// A word and its number.
    #[join(within = "1min", emit = numbered)]
    fn bring(&self, number: u64, word: String) -> Result<(u64, String)> {
        Ok((number, word))
    }

    /// All numbers.
    #[source(start)]
    fn numbers(&mut self, out: &mut Emit<Self>) -> Result<More> {
        self.next += 1;
        out.numbered(self.next, String::new());
        Ok(More::Done)
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

flow! {
    /// Counts the letters of long words: the words come from a flow of another crate.
    pub flow CountLong(least: usize) {
        split: tests::flows::Splitting { lowercase: true, least };
        letters: Letters;

        in text -> split.text;
        split.words -> letters.word;
        split.short -> out short;
        split.result -> out lines;
        letters.so_far -> |letters| letters as u64 -> return: u64;
    }
}

#[cfg(test)]
mod tests_of_it {
    use super::*;

    #[test]
    fn a_flow_of_another_crate_is_a_part_of_one_of_this() {
        let mut job = CountLong::new(3).job();
        assert!(job.inputs().text("To be\nor NOT to be".into()).is_ok());
        let report = job.run();
        assert!(report.is_ok_and(|report| report.result().is_ok_and(|letters| *letters == 3)));
        assert_eq!(job.outputs().short().collect::<Vec<_>>(), ["to", "be", "or", "to", "be"]);
        assert_eq!(job.outputs().lines().collect::<Vec<_>>(), [2]);
    }

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

        let unpaired: rx::Result<BringUnpaired> = Ok(BringUnpaired::Number(7));
        assert_eq!(unpaired.ok(), Some(BringUnpaired::Number(7)));

        let state = job.state().ok();
        assert_eq!(state.map(|state| Count::new(true).resume(state).is_ok()), Some(true));
    }
}
