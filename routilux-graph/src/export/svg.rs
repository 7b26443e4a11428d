//! The flow as a picture: an SVG of its own, and one for the pages of rustdoc.

use super::look::{DARK, LIGHT, RUSTDOC, style};
use crate::layout::boxes::{Anchor, HEAD, Look, Text};
use crate::layout::path::{Point, Step};
use crate::layout::text::line;
use crate::layout::{LABEL_HEIGHT, Line, Picture, Placed, layout};
use crate::model::Graph;
use crate::sketch::{Kind, Link, Node, Sketch, Style};
use std::fmt::{self, Write};

/// How wide a row of the picture is at most, where the flow can be folded.
const OWN_WIDTH: f64 = 1200.0;
/// What a page of rustdoc has room for.
const PAGE_WIDTH: f64 = 900.0;

impl Graph {
    /// The flow as a picture, a whole SVG file. It has colours of its own for light and for dark, and needs no script and nothing from
    /// elsewhere.
    ///
    /// ```
    /// use routilux_graph::{Connection, Graph, Port, Routine, Slot, Source, Target};
    ///
    /// let mut print = Routine::new("print", "Print");
    /// print.slots.push(Slot::new("text", "String"));
    /// let mut graph = Graph::new("Hello");
    /// graph.routines.push(print);
    /// graph.connections.push(Connection::new(
    ///     Source::Input("text".into()),
    ///     Target::Slot(Port::new("print", "text")),
    /// ));
    /// let svg = graph.to_svg();
    /// assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    /// assert!(svg.contains("<title>in text -&gt; print.text</title>"));
    /// ```
    pub fn to_svg(&self) -> String {
        let look = format!(
            "{}@media (prefers-color-scheme:dark){{{}}}",
            style("rtx-own", &LIGHT),
            style("rtx-own", &DARK)
        );
        let sketch = Sketch::of(self);
        let picture = layout(&sketch, OWN_WIDTH);
        let mut svg = String::new();
        // A `String` takes all that is written to it.
        let _ = write(&mut svg, self, &sketch, &picture, &Dress { root: "rtx-own", look: &look, own: true });
        svg.push('\n');
        svg
    }

    /// The flow as a picture for a page of rustdoc, in the colours of the page's theme: what stands in `#[doc = "…"]`. It is HTML in
    /// one line that Markdown leaves as it is, if an empty line follows, and scrolls where it is wider than the page.
    ///
    /// ```
    /// use routilux_graph::{Graph, Routine};
    ///
    /// let mut graph = Graph::new("Hello");
    /// graph.routines.push(Routine::new("print", "Print<T>"));
    /// let html = graph.to_rustdoc_svg();
    /// assert!(html.starts_with("<div") && html.ends_with("</div>") && !html.contains('\n'));
    /// assert!(html.contains("Print&lt;T&gt;"));
    /// ```
    pub fn to_rustdoc_svg(&self) -> String {
        let look = style("rtx-doc", &RUSTDOC);
        let sketch = Sketch::of(self);
        let picture = layout(&sketch, PAGE_WIDTH);
        let mut html = String::from("<div class=\"rtx-flow\" style=\"overflow-x:auto;margin:0 0 1em\">");
        let dress = Dress { root: "rtx-doc", look: &look, own: false };
        let _ = write(&mut html, self, &sketch, &picture, &dress);
        html.push_str("</div>");
        html
    }
}

struct Dress<'a> {
    root: &'a str,
    look: &'a str,
    /// Whether it is a file of its own.
    own: bool,
}

fn write(
    out: &mut String,
    graph: &Graph,
    sketch: &Sketch<'_>,
    picture: &Picture,
    dress: &Dress<'_>,
) -> fmt::Result {
    let (width, height) = (picture.width, picture.height);
    let name = Escaped(&graph.name);
    out.push_str("<svg ");
    if dress.own {
        out.push_str("xmlns=\"http://www.w3.org/2000/svg\" ");
    }
    // A picture that is a little too wide is shown a little smaller; others, and all on small screens, scroll.
    if !dress.own && width <= PAGE_WIDTH * 1.25 {
        let least = (width * 0.8).round();
        write!(out, "style=\"max-width:100%;min-width:{least}px;height:auto\" ")?;
    }
    let counted =
        |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let routines = counted(graph.routines.len(), "routine");
    let connections = counted(graph.connections.len(), "connection");
    write!(
        out,
        "class=\"{}\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"The flow {name}: {routines}, {connections}\">",
        dress.root
    )?;
    write!(out, "<title>The flow {name}</title><style>{}</style>", dress.look)?;
    if dress.own {
        write!(out, "<rect class=\"rtx-paper\" width=\"{width}\" height=\"{height}\"/>")?;
    }
    for (link, line) in sketch.links.iter().zip(&picture.lines) {
        wire(out, link, line, sketch.nodes[link.to.0].kind.is_end())?;
    }
    for (node, placed) in sketch.nodes.iter().zip(&picture.boxes) {
        if node.kind.is_end() {
            end(out, node, placed)?;
        } else {
            routine(out, node, placed)?;
        }
    }
    // Labels are over all lines, also those that cross the own one.
    for line in &picture.lines {
        if let Some(label) = &line.label {
            let (left, top) = (label.x - label.width / 2.0, label.y - LABEL_HEIGHT / 2.0);
            write!(
                out,
                "<rect class=\"rtx-paper\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{LABEL_HEIGHT}\" rx=\"3\"/>",
                Number(left),
                Number(top),
                Number(label.width)
            )?;
            write!(
                out,
                "<text class=\"rtx-label rtx-middle\" x=\"{}\" y=\"{}\">",
                Number(label.x),
                Number(label.y)
            )?;
            full(out, label.full.as_deref())?;
            write!(out, "{}</text>", Escaped(&label.shown))?;
        }
    }
    out.push_str("</svg>");
    Ok(())
}

/// `blunt` is whether it ends at a shape without a pin.
fn wire(out: &mut String, link: &Link, line: &Line, blunt: bool) -> fmt::Result {
    let (class, tip) = match link.style {
        Style::Plain => ("", ""),
        Style::Feedback => (" rtx-loop", " rtx-loop-tip"),
        Style::Error => (" rtx-error", " rtx-error-tip"),
    };
    write!(out, "<g class=\"rtx-link\"><title>{}</title>", Escaped(&link.text))?;
    write!(out, "<path class=\"rtx-line{class}\" d=\"M{}", At(line.path.start))?;
    for step in &line.path.steps {
        match step {
            Step::Line(to) => write!(out, "L{}", At(*to))?,
            Step::Corner(corner, to) => write!(out, "Q{} {}", At(*corner), At(*to))?,
            Step::Curve(a, b, to) => write!(out, "C{} {} {}", At(*a), At(*b), At(*to))?,
        }
    }
    let (x, y) = line.end;
    let x = if blunt { x } else { x - 3.0 };
    write!(
        out,
        "\"/><path class=\"rtx-tip{tip}\" d=\"M{}L{}L{}Z\"/></g>",
        At((x - 1.0, y)),
        At((x - 9.0, y - 4.0)),
        At((x - 9.0, y + 4.0))
    )
}

/// A box of a routine, a flow, or what there is not.
fn routine(out: &mut String, node: &Node<'_>, placed: &Placed) -> fmt::Result {
    let Placed { x, y, shape } = placed;
    let (width, height) = (shape.width, shape.height);
    let unknown = if node.kind == Kind::Unknown { " rtx-unknown" } else { "" };
    let rect = |out: &mut String, class: &str, by: f64, radius: f64| {
        write!(
            out,
            "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{radius}\"/>",
            Number(x - by + 0.5),
            Number(y - by + 0.5),
            Number(width + 2.0 * by - 1.0),
            Number(height + 2.0 * by - 1.0)
        )
    };
    out.push_str("<g>");
    if node.kind == Kind::Flow {
        rect(out, "rtx-box", 0.0, 7.0)?;
        rect(out, &format!("rtx-box{unknown}"), -3.0, 5.0)?;
    } else {
        rect(out, &format!("rtx-box{unknown}"), 0.0, 6.0)?;
    }
    let inset = if node.kind == Kind::Flow { 4.0 } else { 1.0 };
    let (left, right, top) = (x + inset, x + width - inset, y + inset);
    write!(out, "<path class=\"rtx-head\" d=\"M{}", At((left, y + HEAD - 3.0)))?;
    write!(out, "L{}Q{} {}", At((left, top + 5.0)), At((left, top)), At((left + 5.0, top)))?;
    write!(out, "L{}Q{} {}", At((right - 5.0, top)), At((right, top)), At((right, top + 5.0)))?;
    write!(out, "L{}Z\"/>", At((right, y + HEAD - 3.0)))?;
    if height > HEAD {
        let rule = y + HEAD - 2.5;
        write!(out, "<path class=\"rtx-rule\" d=\"M{}L{}\"/>", At((left, rule)), At((right, rule)))?;
    }
    for text in &shape.texts {
        write_text(out, text, (*x, *y))?;
    }
    let ins = node.ins.iter().zip(&shape.ins).map(|(pin, down)| (pin, (*x, y + down)));
    let outs = node.outs.iter().zip(&shape.outs).map(|(pin, down)| (pin, (x + width, y + down)));
    for (pin, (x, y)) in ins.chain(outs) {
        let class = match (pin.error || pin.unknown, pin.linked) {
            (true, _) => " rtx-pin-error",
            (false, true) => " rtx-pin-on",
            (false, false) => "",
        };
        write!(out, "<circle class=\"rtx-pin{class}\" cx=\"{}\" cy=\"{}\" r=\"3\"/>", Number(x), Number(y))?;
    }
    out.push_str("</g>");
    Ok(())
}

/// An input or an output: a tag whose point shows where things go.
fn end(out: &mut String, node: &Node<'_>, placed: &Placed) -> fmt::Result {
    let Placed { x, y, shape } = placed;
    let (left, right, top) = (x + 0.5, x + shape.width - 0.5, y + 0.5);
    let (middle, bottom) = (y + shape.height / 2.0, y + shape.height - 0.5);
    let point = 9.0;
    let d = match node.kind {
        Kind::Input => {
            let points = [(right - point, top), (right, middle), (right - point, bottom)];
            tag(&points, left, (top, bottom))
        }
        _ => {
            let points = [(left + point, bottom), (left, middle), (left + point, top)];
            tag(&points, right, (bottom, top))
        }
    };
    let what = match node.kind {
        Kind::Input => "input of the flow: ",
        Kind::Output => "output of the flow: ",
        _ => "the result of the job: ",
    };
    write!(out, "<g><title>{what}{}</title><path class=\"rtx-end\" d=\"{d}\"/>", Escaped(&node.name))?;
    for text in &shape.texts {
        write_text(out, text, (*x, *y))?;
    }
    out.push_str("</g>");
    Ok(())
}

/// A shape with a point at one side, and round corners at the other.
fn tag(points: &[Point; 3], side: f64, (first, last): (f64, f64)) -> String {
    let inwards = if points[1].0 > side { 5.0 } else { -5.0 };
    let down = if last > first { 5.0 } else { -5.0 };
    format!(
        "M{}L{}L{}L{}Q{} {}L{}Q{} {}Z",
        At(points[0]),
        At(points[1]),
        At(points[2]),
        At((side + inwards, last)),
        At((side, last)),
        At((side, last - down)),
        At((side, first + down)),
        At((side, first)),
        At((side + inwards, first))
    )
}

fn write_text(out: &mut String, text: &Text, (x, y): Point) -> fmt::Result {
    let anchor = match text.anchor {
        Anchor::Start => "rtx-start",
        Anchor::Middle => "rtx-middle",
        Anchor::End => "rtx-last",
    };
    let look = match text.look {
        Look::Name => " rtx-name",
        Look::Type => " rtx-type",
        Look::Note => " rtx-note",
        Look::Pin | Look::End => "",
    };
    write!(out, "<text class=\"{anchor}{look}\" x=\"{}\" y=\"{}\">", Number(x + text.x), Number(y + text.y))?;
    full(out, text.full.as_deref())?;
    write!(out, "{}", Escaped(&text.shown))?;
    if !text.payload.is_empty() {
        write!(out, "<tspan class=\"rtx-type\">{}</tspan>", Escaped(&text.payload))?;
    }
    out.push_str("</text>");
    Ok(())
}

/// What shows when the pointer is over a text that is shortened.
fn full(out: &mut String, text: Option<&str>) -> fmt::Result {
    text.map_or(Ok(()), |text| write!(out, "<title>{}</title>", Escaped(text)))
}

/// A text in HTML and XML, in one line.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in line(self.0).chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// A number with as few digits as are seen.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", (self.0 * 10.0).round() / 10.0)
    }
}

struct At(Point);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Number(self.0.0), Number(self.0.1))
    }
}
