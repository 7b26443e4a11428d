//! Where the boxes and lines of a picture are. From left to right: columns of boxes (`layers`), what stands in them (`chains`),
//! in which order (`order`), folded into rows (`rows`), how far down (`heights`), and the lines between them (`route`). Each takes what
//! the one before found, and none goes back. Nothing is random, so a flow always has the same picture.

pub(crate) mod boxes;
mod chains;
mod heights;
mod layers;
mod order;
pub(crate) mod path;
mod route;
mod rows;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod text;

use crate::sketch::Sketch;
use boxes::Shape;
pub(crate) use chains::LABEL_HEIGHT;
use path::{Path, Point};

/// A picture of a flow. Its left upper corner is 0, 0.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// By node of the sketch.
    pub(crate) boxes: Vec<Placed>,
    /// By link of the sketch.
    pub(crate) lines: Vec<Line>,
}

#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) shape: Shape,
}

#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) path: Path,
    /// Where it ends: the tip of its arrow.
    pub(crate) end: Point,
    pub(crate) label: Option<Label>,
}

/// What is written on a line; `x` and `y` are its middle.
#[derive(Debug)]
pub(crate) struct Label {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) shown: String,
    /// All of it, where it is shortened.
    pub(crate) full: Option<String>,
}

/// Lays a flow out. One that is wider than `most` is folded into rows, where few links would go from row to row.
pub(crate) fn layout(sketch: &Sketch<'_>, most: f64) -> Picture {
    let shapes: Vec<Shape> = sketch.nodes.iter().map(Shape::of).collect();
    let (layer, back) = layers::layers(sketch);
    let mut chains = chains::chains(sketch, &shapes, &layer, &back);
    order::order(&mut chains);
    let rows = rows::rows(sketch, &chains, most);
    let tops = heights::heights(&chains, &rows);
    route::picture(sketch, shapes, &chains, &rows, tops)
}
