//! Merge folds against what they promise: one state whatever the order, the repeats and the parts; and the laws.

mod lattices;
mod laws;

use kerai_compiler::{Language, Source, compile};
use kerai_vm::bytecode::Verified;

/// A source, compiled and verified.
fn program(language: Language, text: &str) -> Verified {
    let source = Source::read(text.as_bytes()).unwrap_or_else(|fault| panic!("{}\n{text}", fault.describe(text)));
    let compiled = compile(language, &source).unwrap_or_else(|faults| {
        let faults: Vec<String> = faults.iter().map(|fault| fault.describe(source.text())).collect();
        panic!("{}\n{text}", faults.join("\n"))
    });
    compiled.program.verify().unwrap_or_else(|refusal| panic!("{refusal}\n{text}"))
}
