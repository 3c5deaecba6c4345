//! Programs out of files: bytecode, assembly, or a source in a language that is compiled on the way.

use crate::Global;
use crate::diagnostics;
use crate::map::Places;
use crate::outcome::{Answer, Fault};
use crate::sources::SourceFile;
use crate::{report, sources};
use kerai_compiler::ir::Ir;
use kerai_compiler::{Diagnostic, Language, Source, compile};
use kerai_store::program::Stored;
use kerai_vm::bytecode::{Program, Verified};
use kerai_vm::encoding::root::Root;
use kerai_vm::refusal::{Code, Refusal};
use serde_json::json;
use std::path::Path;

/// A program that may run.
pub struct Opened {
    pub verified: Verified,
    /// Its canonical bytes, and their root.
    pub bytes: Vec<u8>,
    pub root: Root,
    /// Where its instructions came from, where that is known.
    pub places: Option<Places>,
}

/// Why a file gives no program.
pub enum Refused {
    /// An author's mistakes, with the text that their places are of.
    Mistakes(String, Vec<Diagnostic>),
    Program(Refusal),
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Refused {
        Refused::Program(refusal)
    }
}

impl Refused {
    /// Says what is wrong, in the form that is wished.
    pub fn report(&self, path: &str, global: &Global) -> Answer {
        match self {
            Refused::Program(refusal) => return report::refuse(path, refusal, global.json),
            Refused::Mistakes(text, found) if global.json => {
                let shown = diagnostics::to_json(path, text, found);
                println!("{}", json!({ "ok": false, "path": path, "diagnostics": shown }));
            }
            Refused::Mistakes(text, found) => diagnostics::print(path, text, found),
        }
        Answer::No
    }
}

impl Refused {
    /// What is wrong, as text.
    pub fn to_text(&self, path: &str) -> String {
        match self {
            Refused::Program(refusal) => format!("{path}: {refusal}"),
            Refused::Mistakes(text, found) => diagnostics::to_text(path, text, found),
        }
    }
}

/// The sources that ship in the box, by name.
const SHIPPED: &[(&str, Language, &str)] =
    &[("std/prices", Language::Policy, include_str!("../../policies/prices.rgs"))];

/// A source that ships in the box.
pub fn shipped(name: &str) -> Option<(Language, &'static str)> {
    SHIPPED.iter().find(|shipped| shipped.0 == name).map(|&(_, language, text)| (language, text))
}

/// Opens what a path names: what ships in the box, by its name; a source or assembly by the ending of its name, else bytecode.
pub fn open(path: &str) -> Result<Result<Opened, Refused>, Fault> {
    if let Some((language, text)) = shipped(path) {
        return Ok(from_source(language, path, text.as_bytes()));
    }
    if let Some(stored) = Stored::shipped(path) {
        return Ok(from_bytes(stored.bytes, path).map_err(Refused::from));
    }
    let SourceFile { path: name, bytes } = sources::read(path)?;
    let ending = Path::new(path).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    Ok(match Language::of_ending(ending) {
        Some(language) => from_source(language, &name, &bytes),
        None if ending == "asm" => from_assembly(&bytes).map_err(Refused::from),
        None => from_bytes(bytes, path).map_err(Refused::from),
    })
}

/// As [`open`], but a source's joins need not be proven: that is still to be asked.
pub fn open_unproven(path: &str) -> Result<Result<Opened, Refused>, Fault> {
    let SourceFile { path: name, bytes } = sources::read(path)?;
    let ending = Path::new(path).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match Language::of_ending(ending) {
        Some(language) => Ok(unproven(language, &name, &bytes)),
        None => open(path),
    }
}

fn unproven(language: Language, name: &str, bytes: &[u8]) -> Result<Opened, Refused> {
    let source = source(bytes)?;
    let compiled = compile::unproven(language, &source).map_err(|found| mistakes(&source, found))?;
    let places = Places::new(name, source.text(), &compiled.map);
    Ok(Opened { places: Some(places), ..verified(compiled.program)? })
}

/// Compiles a source.
pub fn from_source(language: Language, name: &str, bytes: &[u8]) -> Result<Opened, Refused> {
    let source = source(bytes)?;
    let compiled = compile(language, &source).map_err(|found| mistakes(&source, found))?;
    let places = Places::new(name, source.text(), &compiled.map);
    Ok(Opened { places: Some(places), ..verified(compiled.program)? })
}

/// The text of a source's checked IR.
pub fn ir(language: Language, bytes: &[u8]) -> Result<String, Refused> {
    let source = source(bytes)?;
    let checked = kerai_compiler::compile::ir(language, &source).and_then(Ir::check);
    Ok(checked.map_err(|found| mistakes(&source, found))?.ir().to_text())
}

fn source(bytes: &[u8]) -> Result<Source<'_>, Refused> {
    let whole = || String::from_utf8_lossy(bytes).into_owned();
    Source::read(bytes).map_err(|mistake| Refused::Mistakes(whole(), vec![mistake]))
}

fn mistakes(source: &Source, found: Vec<Diagnostic>) -> Refused {
    Refused::Mistakes(source.text().to_owned(), found)
}

/// The program of an assembly text. None is given that would not run.
pub fn from_assembly(bytes: &[u8]) -> Result<Opened, Refusal> {
    let no_text = |fault: std::str::Utf8Error| Refusal::new(Code::DATA_UTF8, fault.valid_up_to()).in_text(bytes);
    verified(Program::from_text(str::from_utf8(bytes).map_err(no_text)?)?)
}

fn verified(program: Program) -> Result<Opened, Refusal> {
    let bytes = program.encode()?;
    let verified = program.verify()?;
    Ok(Opened { root: Root::of_program(&bytes), bytes, verified, places: None })
}

fn from_bytes(bytes: Vec<u8>, path: &str) -> Result<Opened, Refusal> {
    let verified = Program::decode(&bytes)?.verify()?;
    Ok(Opened { root: Root::of_program(&bytes), bytes, verified, places: Places::beside(path) })
}
