//! Between calls: what the owner of a machine does with its heap and its rows while nothing runs.

use super::{Machine, Output};
use crate::bytecode::Limits;
use crate::meter::Left;
use crate::value::{Extent, Value};

impl Machine<'_> {
    /// Takes what the last call emitted.
    pub(crate) fn take_output(&mut self) -> Output {
        core::mem::take(&mut self.core.output)
    }

    /// The limits of each call.
    pub(crate) const fn limits(&self) -> Limits {
        self.core.limits
    }

    /// What the last call left of them.
    pub(crate) const fn left(&self) -> Left {
        self.core.meter.left()
    }

    /// Forgets what neither the roots nor the machine need, and gives the bytes that stay, about.
    pub(crate) fn collect(&mut self, extent: Extent, roots: &mut Vec<Value>) -> usize {
        let own = roots.len();
        roots.push(self.core.raised);
        roots.extend_from_slice(&self.core.constants);
        let size = self.core.heap.collect(extent, roots);
        let mut kept = roots.drain(own..);
        self.core.raised = kept.next().unwrap_or(Value::NIL);
        self.core.constants.iter_mut().zip(kept).for_each(|(constant, value)| *constant = value);
        size
    }
}
