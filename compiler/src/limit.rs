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

/// How deep quotations, parentheses and operators of words may be run within each other.
pub const WORDS_DEPTH: Limit = Limit {
    name: "words.depth",
    value: 250,
    about: "how deep quotations and operators of words may run within each other",
};

/// How many words a program of words may have when its quotations are written out where they are run.
pub const WORDS_STEPS: Limit = Limit {
    name: "words.steps",
    value: 1 << 18,
    about: "words of a program, its quotations written out where they are run",
};

/// How many changes of a policy are tried to see what its cases cover.
pub const TRIAL_MUTANTS: Limit = Limit {
    name: "trial.mutants",
    value: 1000,
    about: "changes of a policy that are tried to see what its cases cover",
};

/// All limits of the compiler.
pub const ALL: &[Limit] = &[IR_DEPTH, IR_WINDOW, RELATE_CASES, RELATE_TRIES, TRIAL_MUTANTS, WORDS_DEPTH, WORDS_STEPS];
