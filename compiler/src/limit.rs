//! The compiler's named limits.

use kerai_vm::limit::Limit;

/// How deep expressions and blocks may nest in the IR, whatever language they came from.
pub const IR_DEPTH: Limit =
    Limit { name: "ir.depth", value: 600, about: "how deep expressions and blocks may nest in a program" };

/// The most values in one list of arguments, results or items that a single instruction takes.
pub const IR_WINDOW: Limit =
    Limit { name: "ir.window", value: 120, about: "values in one list of arguments or results" };

/// How many cases are looked at when two policies are compared.
pub const RELATE_CASES: Limit =
    Limit { name: "relate.cases", value: 4_000_000, about: "cases that are looked at when two policies are compared" };

/// How many requests are tried as a witness when two policies are compared.
pub const RELATE_TRIES: Limit = Limit {
    name: "relate.tries",
    value: 256,
    about: "requests that are tried as a witness of how two policies differ",
};

/// All limits of the compiler.
pub const ALL: &[Limit] = &[IR_DEPTH, IR_WINDOW, RELATE_CASES, RELATE_TRIES];
