//! The line of a link: straight parts, round corners, and curves.

pub(crate) type Point = (f64, f64);

const RADIUS: f64 = 8.0;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Line(Point),
    /// A corner that is rounded off: the corner, and where it ends.
    Corner(Point, Point),
    /// A curve with its two control points, and where it ends.
    Curve(Point, Point, Point),
}

#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) start: Point,
    pub(crate) steps: Vec<Step>,
    end: Point,
}

impl Path {
    pub(crate) fn new(start: Point) -> Self {
        Path { start, steps: Vec::new(), end: start }
    }

    pub(crate) fn line(&mut self, to: Point) {
        if to == self.end {
            return;
        }
        // A line that goes on in the same direction is one line.
        if let Some(Step::Line(last)) = self.steps.last_mut()
            && last.1 == to.1
            && self.end.1 == to.1
            && to.0 > last.0
        {
            *last = to;
        } else {
            self.steps.push(Step::Line(to));
        }
        self.end = to;
    }

    /// From left to right, level at both ends.
    pub(crate) fn curve(&mut self, to: Point) {
        let from = self.end;
        if from.1 == to.1 {
            return self.line(to);
        }
        let middle = ((from.0 + to.0) / 2.0).round();
        self.steps.push(Step::Curve((middle, from.1), (middle, to.1), to));
        self.end = to;
    }

    /// Along lines that go only across and down or up, with round corners.
    pub(crate) fn corners(&mut self, points: &[Point]) {
        for (number, &corner) in points.iter().enumerate() {
            let Some(&next) = points.get(number + 1) else { return self.line(corner) };
            let radius = RADIUS.min(distance(self.end, corner)).min(distance(corner, next) / 2.0);
            if radius < 1.0 {
                self.line(corner);
                continue;
            }
            self.line(towards(corner, self.end, radius));
            let after = towards(corner, next, radius);
            self.steps.push(Step::Corner(corner, after));
            self.end = after;
        }
    }

    /// All points that the line lies between.
    pub(crate) fn points(&self) -> impl Iterator<Item = Point> + '_ {
        let steps = self.steps.iter().flat_map(|step| match *step {
            Step::Line(to) => [to, to, to],
            Step::Corner(corner, to) => [corner, to, to],
            Step::Curve(a, b, to) => [a, b, to],
        });
        std::iter::once(self.start).chain(steps)
    }
}

fn distance(a: Point, b: Point) -> f64 {
    (a.0 - b.0).abs() + (a.1 - b.1).abs()
}

/// The point at this distance from one point on the way to another, which is straight across or straight down.
fn towards(from: Point, to: Point, by: f64) -> Point {
    let step = |from: f64, to: f64| {
        if to == from {
            0.0
        } else if to > from {
            by
        } else {
            -by
        }
    };
    (from.0 + step(from.0, to.0), from.1 + step(from.1, to.1))
}
