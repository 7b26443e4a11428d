//! The flow of routilux as data: its routines, their ports, its connections, and the checks on
//! them that need no Rust types. The macros use it while compiling, the runtime while resuming;
//! it runs nothing and has no dependencies.
//!
//! Any flow can be drawn, or written for other tools: [`Graph::to_svg`], [`Graph::to_rustdoc_svg`], [`Graph::to_dot`],
//! [`Graph::to_mermaid`], [`Graph::to_d2`], [`Graph::to_text`], and `Graph::to_json` with the feature `json`.
//!
//! ```
//! use routilux_graph::{Connection, Event, Graph, Port, Routine, Slot, Source, Target, check};
//!
//! let mut graph = Graph::new("Echo");
//! let mut say = Routine::new("say", "Say");
//! say.slots.push(Slot::new("text", "String"));
//! say.events.push(Event::new("said", "String"));
//! graph.routines.push(say);
//! graph.connections.push(Connection::new(Source::Input("text".into()), Target::Slot(Port::new("say", "txt"))));
//!
//! let problems = check(&graph);
//! assert_eq!(problems[0].message, "`say` has no slot `txt`");
//! assert_eq!(problems[0].help, "did you mean `text`? Its slots are: `text`");
//! ```

mod check;
mod closers;
mod code;
mod cycles;
mod ends;
mod export;
mod flatten;
mod inner;
mod layout;
mod model;
mod sketch;
mod suggest;
#[cfg(test)]
mod testing;
mod ways;

pub use check::{Part, Place, Problem, Severity, check};
pub use closers::{Closer, Closers, Closing};
pub use code::Code;
pub use model::{
    Connection, Drained, Event, Graph, Inner, Merge, Param, Policy, Port, Role, Routine, Slot, Source,
    Subject, Target, Unknown, When,
};
pub use suggest::{choices, did_you_mean};
