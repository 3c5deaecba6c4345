//! Functions as values: a function of the module and what it keeps.

use super::heap::narrow;
use super::{Heap, Tag, Value};

/// A function with its kept values in the heap's slots.
#[derive(Debug, Clone, Copy)]
pub(super) struct Closure {
    function: u32,
    start: u32,
    count: u32,
}

impl Heap {
    /// A function value. One that keeps nothing is the same value each time; others are told apart by identity.
    pub(crate) fn closure(&mut self, function: u32, keeps: &[Value]) -> Value {
        self.has_functions = true;
        if keeps.is_empty() {
            return Value::function(function);
        }
        let closure = Closure { function, start: narrow(self.slots.len()), count: narrow(keeps.len()) };
        self.slots.extend_from_slice(keeps);
        self.closures.push(closure);
        Value::closure_at(narrow(self.closures.len() - 1))
    }

    /// A value that a closure keeps, nil where there is none.
    pub(crate) fn kept(&self, closure: Value, index: u32) -> Value {
        self.as_closure(closure).and_then(|(_, keeps)| keeps.get(index as usize).copied()).unwrap_or(Value::NIL)
    }

    /// The function of the module that a value calls.
    pub(crate) fn function_of(&self, value: Value) -> Option<u32> {
        Some(self.as_closure(value)?.0)
    }

    /// The function of the module and the values that it keeps.
    pub(crate) fn as_closure(&self, value: Value) -> Option<(u32, &[Value])> {
        let index = value.body() as u32;
        match value.tag() {
            Tag::Function => Some((index, &[])),
            Tag::Closure => {
                let closure = self.closures.get(index as usize)?;
                let start = closure.start as usize;
                Some((closure.function, self.slots.get(start..start + closure.count as usize)?))
            }
            Tag::Number | Tag::Nil | Tag::Bool | Tag::WideNumber | Tag::Float | Tag::Fixed => None,
            Tag::ShortString | Tag::LongString | Tag::Bytes | Tag::Table => None,
        }
    }
}
