#![allow(unused)]

use routilux::prelude::*;
use std::path::Path;

#[routine]
struct Reader;

#[routine]
impl Reader {
    #[event]
    fn line(text: Option<&str>);
    #[event]
    fn pair(both: (&str, u64));
    #[event]
    fn fixed(words: Vec<&'static str>);
    #[event]
    fn any(value: dyn Send);

    #[slot]
    fn maybe(&self, text: Option<&str>) {}
    #[slot]
    fn always(&self, text: &'static str) {}
    #[slot]
    fn nested(&self, texts: &Vec<(&Path, u64)>) {}
    #[slot(merge = "append")]
    fn all(&mut self, texts: &[&str]) {}
    #[slot(merge = "append", when = 3)]
    fn three(&mut self, texts: Vec<&str>) {}
    #[join]
    fn both(&mut self, left: Option<&str>, right: u64) {}
    #[merge]
    fn longest(longest: &mut Option<&str>, text: String) {}
    #[merge]
    fn count(count: &mut u64, texts: Vec<&str>) {}
}

#[routine]
struct Echo;

#[routine]
impl Echo {
    #[event]
    fn text(text: String);
    #[event]
    fn number(number: u64);

    #[slot(emit = text)]
    fn say(&self, text: &str) -> String {
        text.to_owned()
    }
    #[slot(emit = number)]
    fn count(&self, number: u64) -> u64 {
        number
    }
}

flow! {
    flow Echoes(prefix: &str) {
        echo: Echo;

        in text: &str -> echo.say;
        in number: impl Into<u64> -> echo.count;
        echo.text -> out texts: str;
        echo.number -> |n| Some("n") -> return: Option<&str>;
    }
}

fn main() -> routilux::Result<()> {
    let mut job = Echoes::new("a").job();
    job.inputs().text("a".to_owned())?;
    job.inputs().number(3)?;
    for text in job.outputs().texts() {
        println!("{text}");
    }
    Ok(())
}
//~ RTX0111 RTX0111 RTX0111 RTX0111 RTX0111 RTX0111 RTX0111 RTX0111 RTX0111 RTX0111 RTX0111 RTX0111 RTX0084 RTX0111 RTX0111 RTX0111 RTX0111
