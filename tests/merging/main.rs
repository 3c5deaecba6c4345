//! Merge folds against what they promise: one state whatever the order, the repeats and the parts; and the laws.

mod graphs;
mod known;
mod lattices;
mod laws;

use kerai_compiler::{Compiled, Diagnostic, Language, Source, compile};
use kerai_vm::bytecode::Verified;

/// A source, compiled and verified.
fn program(language: Language, text: &str) -> Verified {
    made(compile, language, text).program.verify().unwrap_or_else(|refusal| panic!("{refusal}\n{text}"))
}

/// A source of whose joins nothing is claimed.
fn unproven(language: Language, text: &str) -> Verified {
    made(compile::unproven, language, text).program.verify().unwrap_or_else(|refusal| panic!("{refusal}\n{text}"))
}

type Compile = fn(Language, &Source) -> Result<Compiled, Vec<Diagnostic>>;

fn made(compile: Compile, language: Language, text: &str) -> Compiled {
    let source = Source::read(text.as_bytes()).unwrap_or_else(|fault| panic!("{}\n{text}", fault.describe(text)));
    compile(language, &source).unwrap_or_else(|faults| {
        let faults: Vec<String> = faults.iter().map(|fault| fault.describe(source.text())).collect();
        panic!("{}\n{text}", faults.join("\n"))
    })
}
