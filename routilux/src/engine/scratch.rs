//! What a flow within another one has sent in a step, until the flow around takes it on.

use super::step::Post;
use crate::flow::Flow;
use std::fmt;

/// The post of a flow within, kept from step to step. Empty between two steps.
#[doc(hidden)]
pub struct Scratch<F: Flow>(Option<Box<Post<F>>>);

impl<F: Flow> Scratch<F> {
    /// To be put back when the step has ended. A step within a step has one of its own.
    pub fn take(&mut self) -> Box<Post<F>> {
        self.0.take().unwrap_or_else(|| {
            let mut post = Box::new(Post::empty());
            // Around it every result is an event like any other.
            if let Some(result) = F::__result_mut(&mut post.outbound) {
                result.keep_all();
            }
            post
        })
    }

    pub fn put(&mut self, post: Box<Post<F>>) {
        self.0 = Some(post);
    }
}

impl<F: Flow> Default for Scratch<F> {
    fn default() -> Self {
        Scratch(None)
    }
}

impl<F: Flow> fmt::Debug for Scratch<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scratch")
    }
}

/// Takes on what a step within has counted after it was lifted.
#[doc(hidden)]
pub fn lifted<F: Flow, O: Flow>(
    within: &mut Post<F>,
    post: &mut Post<O>,
    offset: u32,
    wrap: fn(F::Delivery) -> O::Delivery,
) {
    // What is left are words to a slot of its own: nothing goes out by them.
    let _ = within.lift_rest(post, offset, wrap, |_, _| Ok(()));
}
