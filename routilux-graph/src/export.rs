//! The flow in the formats of other tools, and as pictures. Each is a method of [`Graph`](crate::Graph), takes any flow, also one
//! with mistakes, and writes the same text for the same flow.

mod look;
mod svg;
