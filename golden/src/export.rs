//! The cases as files for whoever implements kerai elsewhere, and what came of theirs.

use crate::case::Case;
use crate::stage;
use crate::verdict::Tally;
use kerai_vm::encoding::root::Root;

/// A file of the export: its path below the folder, with `/` between names, and its bytes.
pub type File = (String, Vec<u8>);

/// The sections that every accepted program is shown with, whether its case asks for them or not.
const PROGRAM: [&str; 2] = ["bytecode", "root"];

/// One case for elsewhere.
pub struct Exported {
    pub name: String,
    /// What is given: sources as the bytes that they stand for, calls, operations and requests as text.
    pub inputs: Vec<File>,
    /// What must come of it, a file a section.
    pub expected: Vec<File>,
}

/// A case as files. Its expected results are computed here, not copied.
///
/// # Errors
/// What is wrong with the case: nothing wrong is given out.
pub fn exported(name: &str, case: &Case, seed: u64) -> Result<Exported, String> {
    let mut inputs: Vec<File> = Vec::new();
    for section in case.sections() {
        let Some(bytes) = stage::input(section).transpose()? else { continue };
        let copies = inputs.iter().filter(|(path, _)| path.rsplit('/').next() == Some(section.name())).count();
        let number = if copies == 0 { String::new() } else { format!("-{}", copies + 1) };
        inputs.push((format!("inputs/{name}/{}{number}", section.name()), bytes));
    }
    let expected = expected(case, seed)?;
    let expected =
        expected.into_iter().map(|(section, text)| (format!("expected/{name}/{section}"), text.into_bytes()));
    Ok(Exported { name: name.to_owned(), inputs, expected: expected.collect() })
}

/// What must come of a case: its outputs, and of an accepted program its bytes and its root as well.
///
/// # Errors
/// What is wrong with the case.
pub fn expected(case: &Case, seed: u64) -> Result<Vec<(&'static str, String)>, String> {
    let outcome = stage::run(case, seed);
    if !outcome.faults.is_empty() {
        return Err(outcome.faults.join("\n"));
    }
    let more = stage::run(&stage::with_outputs(case, &PROGRAM), seed);
    Ok(if more.faults.is_empty() { more.outputs } else { outcome.outputs })
}

/// What another implementation gave, compared.
pub struct Checked {
    pub passed: usize,
    /// Names of cases, and what is missing or differs in them.
    pub failed: Vec<(String, String)>,
    /// The root over all cases and what was given for them: equal to the root of an export where all is equal.
    pub root: Root,
}

/// Compares results from elsewhere, which `given` reads by their path below the folder: `NAME/SECTION`.
///
/// # Errors
/// Where one of the cases here is wrong, or a result can't be read.
pub fn check<'c, F>(
    cases: impl Iterator<Item = (&'c str, &'c Case)>,
    seed: u64,
    mut given: impl FnMut(&str) -> Result<Option<Vec<u8>>, F>,
) -> Result<Checked, CheckFault<F>> {
    let mut tally = Tally::default();
    let (mut passed, mut failed) = (0, Vec::new());
    for (name, case) in cases {
        let expected = expected(case, seed).map_err(|fault| CheckFault::Case(format!("`{name}`: {fault}")))?;
        let mut complaints = Vec::new();
        for (section, text) in &expected {
            let theirs = given(&format!("{name}/{section}")).map_err(CheckFault::Given)?;
            match &theirs {
                None => complaints.push(format!("there is no `{section}`")),
                Some(bytes) if trimmed(bytes) != text.as_bytes() => complaints.push(format!("`{section}` differs")),
                Some(_) => {}
            }
            tally.add(name, section, trimmed(theirs.as_deref().unwrap_or_default()));
        }
        match complaints.is_empty() {
            true => passed += 1,
            false => failed.push((name.to_owned(), complaints.join(", "))),
        }
    }
    Ok(Checked { passed, failed, root: tally.root() })
}

/// Why results could not be compared.
#[derive(Debug)]
pub enum CheckFault<F> {
    Case(String),
    Given(F),
}

/// Editors end files with a newline: one more is no difference.
fn trimmed(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\n").unwrap_or(bytes)
}
