//! How large the box of a node is, and where its texts and pins are in it.

use super::text::{fit, line, width};
use crate::sketch::{Kind, Node, Pin};

/// The size of the font of names, and that of everything else.
pub(crate) const TITLE: f64 = 13.0;
pub(crate) const SMALL: f64 = 11.0;
/// The size of the font of notes and labels.
pub(crate) const TINY: f64 = 10.0;

const PAD: f64 = 10.0;
/// Between the pins of the left and those of the right.
const BETWEEN: f64 = 16.0;
const LEAST: f64 = 120.0;
const MOST_TITLE: f64 = 260.0;
const MOST_PIN: f64 = 150.0;
const MOST_END: f64 = 150.0;
const PIN_HEIGHT: f64 = 20.0;
const NOTE_HEIGHT: f64 = 13.0;
/// The part of a box with its name and type.
pub(crate) const HEAD: f64 = 42.0;
const END_HEIGHT: f64 = 26.0;

/// The box of a node, with places counted from its left upper corner.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// How far down the pins are.
    pub(crate) ins: Vec<f64>,
    pub(crate) outs: Vec<f64>,
    pub(crate) texts: Vec<Text>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Name,
    Type,
    Pin,
    Note,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A line of text. `y` is that of its middle.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) anchor: Anchor,
    pub(crate) look: Look,
    pub(crate) size: f64,
    /// What is shown. Of a pin: its name, and its payload's type.
    pub(crate) shown: String,
    pub(crate) payload: String,
    /// All of it, where it is shortened.
    pub(crate) full: Option<String>,
}

impl Text {
    fn new(shown: &str, size: f64, most: f64, look: Look) -> Self {
        let full = line(shown);
        let shown = fit(&full, size, most);
        let full = (shown != full).then_some(full);
        Text { x: 0.0, y: 0.0, anchor: Anchor::Start, look, size, shown, payload: String::new(), full }
    }

    fn of_pin(pin: &Pin) -> Self {
        let mut text = Text::new(&pin.name, SMALL, MOST_PIN, Look::Pin);
        if pin.payload.is_empty() {
            return text;
        }
        let payload = format!(": {}", line(&pin.payload));
        if let Some(name) = &mut text.full {
            name.push_str(&payload);
            return text;
        }
        text.payload = fit(&payload, SMALL, MOST_PIN - width(&text.shown, SMALL));
        if text.payload.chars().count() < 4 {
            text.payload = String::new();
        }
        text.full = (text.payload != payload).then(|| format!("{}{payload}", text.shown));
        text
    }

    pub(crate) fn width(&self) -> f64 {
        width(&self.shown, self.size) + width(&self.payload, self.size)
    }

    fn at(self, x: f64, y: f64, anchor: Anchor) -> Self {
        Text { x, y, anchor, ..self }
    }
}

impl Shape {
    pub(crate) fn of(node: &Node<'_>) -> Self {
        if node.kind.is_end() { Shape::end(node) } else { Shape::routine(node) }
    }

    /// An input or an output.
    fn end(node: &Node<'_>) -> Self {
        let text = Text::new(&node.name, SMALL, MOST_END, Look::End);
        let width = even(text.width() + 34.0);
        let middle = END_HEIGHT / 2.0;
        // One end is pointed: of an input the right one, of an output the left one is notched.
        let shift = if node.kind == Kind::Input { -3.0 } else { 3.0 };
        Shape {
            width,
            height: END_HEIGHT,
            ins: vec![middle; node.ins.len()],
            outs: vec![middle; node.outs.len()],
            texts: vec![text.at(width / 2.0 + shift, middle, Anchor::Middle)],
        }
    }

    fn routine(node: &Node<'_>) -> Self {
        let name = Text::new(&node.name, TITLE, MOST_TITLE, Look::Name);
        let of_type = Text::new(&node.type_name, SMALL, MOST_TITLE, Look::Type);
        let side = |pins: &[Pin]| -> (Vec<(Text, Option<Text>)>, f64) {
            let texts = pins.iter().map(|pin| {
                let note = (!pin.note.is_empty()).then(|| Text::new(&pin.note, TINY, MOST_PIN, Look::Note));
                (Text::of_pin(pin), note)
            });
            let texts: Vec<(Text, Option<Text>)> = texts.collect();
            let widths = texts.iter().flat_map(|(text, note)| [Some(text), note.as_ref()]);
            let widest = widths.flatten().map(Text::width).fold(0.0, f64::max);
            (texts, widest)
        };
        let (ins, left) = side(&node.ins);
        let (outs, right) = side(&node.outs);
        let between = if left > 0.0 && right > 0.0 { BETWEEN } else { 0.0 };
        let inside = name.width().max(of_type.width()).max(left + between + right);
        let width = even((inside + 2.0 * PAD).max(LEAST));
        let mut texts =
            vec![name.at(width / 2.0, 15.0, Anchor::Middle), of_type.at(width / 2.0, 31.0, Anchor::Middle)];
        let mut lowest = HEAD;
        let mut column = |pins: Vec<(Text, Option<Text>)>, x: f64, anchor: Anchor| -> Vec<f64> {
            let mut top = HEAD + 4.0;
            let mut middles = Vec::with_capacity(pins.len());
            for (text, note) in pins {
                let middle = top + PIN_HEIGHT / 2.0;
                middles.push(middle);
                texts.push(text.at(x, middle, anchor));
                top += PIN_HEIGHT;
                if let Some(note) = note {
                    texts.push(note.at(x, top + NOTE_HEIGHT / 2.0 - 2.0, anchor));
                    top += NOTE_HEIGHT;
                }
                lowest = f64::max(lowest, top);
            }
            middles
        };
        let ins = column(ins, PAD, Anchor::Start);
        let outs = column(outs, width - PAD, Anchor::End);
        let height = if lowest > HEAD { lowest + 4.0 } else { HEAD };
        Shape { width, height, ins, outs, texts }
    }
}

/// Lines at whole numbers are drawn sharp, and so is the middle of an even width.
fn even(x: f64) -> f64 {
    (x / 2.0).ceil() * 2.0
}
