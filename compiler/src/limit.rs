//! The compiler's named limits.

use kerai_vm::limit::Limit;

/// How deep expressions and blocks may nest in the IR, whatever language they came from.
pub const IR_DEPTH: Limit =
    Limit { name: "ir.depth", value: 600, about: "how deep expressions and blocks may nest in a program" };

/// The most values in one list of arguments, results or items that a single instruction takes.
pub const IR_WINDOW: Limit =
    Limit { name: "ir.window", value: 120, about: "values in one list of arguments or results" };

/// All limits of the compiler.
pub const ALL: &[Limit] = &[IR_DEPTH, IR_WINDOW];
