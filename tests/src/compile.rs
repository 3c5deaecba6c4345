//! Sources that are compiled, and what the compiler says to them.

use kerai_compiler::{Diagnostic, emit, ir::Ir};
use kerai_vm::bytecode::Program;

/// A program from the IR's text.
///
/// # Errors
/// A line for each diagnostic.
pub fn ir(bytes: &[u8]) -> Result<Program, Vec<String>> {
    let text = str::from_utf8(bytes).map_err(|_| vec!["the source is not UTF-8".to_owned()])?;
    let checked = Ir::from_text(text).map_err(|fault| vec![fault]).and_then(Ir::check);
    let program = checked.and_then(|checked| emit::emit(&checked).map_err(|fault| vec![fault]));
    program.map(|(program, _)| program).map_err(|faults| lines(text, &faults))
}

/// A line a diagnostic: line and column in the source, code, message.
#[must_use]
pub fn lines(text: &str, diagnostics: &[Diagnostic]) -> Vec<String> {
    let line = |diagnostic: &Diagnostic| {
        let before = text.get(..diagnostic.span.start as usize).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{line}:{column}: {}: {}", diagnostic.code.name(), diagnostic.message)
    };
    diagnostics.iter().map(line).collect()
}
