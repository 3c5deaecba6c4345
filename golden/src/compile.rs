//! Sources that are compiled, and what the compiler says to them.

use kerai_compiler::{Language, Source, compile};
use kerai_vm::bytecode::Program;

/// A program from the IR's text.
///
/// # Errors
/// What is said of each mistake.
pub fn ir(bytes: &[u8]) -> Result<Program, Vec<String>> {
    source(Language::Ir, bytes)
}

/// A program from Lua.
///
/// # Errors
/// What is said of each mistake.
pub fn lua(bytes: &[u8]) -> Result<Program, Vec<String>> {
    source(Language::Lua, bytes)
}

/// A program from a policy.
///
/// # Errors
/// What is said of each mistake.
pub fn policy(bytes: &[u8]) -> Result<Program, Vec<String>> {
    source(Language::Policy, bytes)
}

/// A program from a merge fold.
///
/// # Errors
/// What is said of each mistake.
pub fn yaml(bytes: &[u8]) -> Result<Program, Vec<String>> {
    source(Language::Yaml, bytes)
}

fn source(language: Language, bytes: &[u8]) -> Result<Program, Vec<String>> {
    let source = Source::read(bytes).map_err(|fault| vec![fault.describe(&String::from_utf8_lossy(bytes))])?;
    let compiled = compile(language, &source);
    let describe = |found: &kerai_compiler::Diagnostic| found.describe(source.text());
    compiled.map(|compiled| compiled.program).map_err(|faults| faults.iter().map(describe).collect())
}
