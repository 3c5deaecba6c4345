//! WebAssembly's numeric scripts: every function body is translated to kerai's bytecode, verified, and run by the
//! machine; a model that knows both arithmetics says where they must part.

mod assertion;
mod body;
mod literal;
mod model;
mod module;
mod numeral;
mod operation;
mod syntax;
mod translate;

use crate::folder::{File, Folder};
use crate::judge::Report;
use crate::keep;
use assertion::Instance;
use module::Module;
use syntax::Node;

/// A script of our own, with what no set need hold: all of it must run, before anything else is believed.
const CONTROL: &str = include_str!("control.wast");

pub fn run(folder: &Folder, report: &mut Report) {
    prove(report);
    for file in folder.files() {
        if file.extension() != "wast" {
            report.note(format!("not run: {}", file.path));
            continue;
        }
        match syntax::read(&file.text()) {
            Ok(nodes) => script(&file, &nodes, report),
            Err(fault) => report.fail(&file.path, "-", "a script", fault),
        }
    }
}

/// Runs the script of our own. Its cases are none of the set's, so that only what goes wrong is told.
fn prove(report: &mut Report) {
    let file = File { path: "our own script".to_owned(), content: CONTROL.as_bytes().to_vec() };
    let mut own = Report::default();
    match syntax::read(CONTROL) {
        Ok(nodes) => script(&file, &nodes, &mut own),
        Err(fault) => own.fail(&file.path, "-", "a script", fault),
    }
    for note in own.notes.keys() {
        report.fail(&file.path, "-", "all of it run", note);
    }
    report.failures.append(&mut own.failures);
}

/// A module and the assertions after it, up to the next one.
fn script(file: &File, nodes: &[Node], report: &mut Report) {
    let is_module = |node: &Node| node.form().is_some_and(|(kind, _)| kind == "module");
    let mut rest = nodes;
    while let Some((first, after)) = rest.split_first() {
        let length = after.iter().position(is_module).unwrap_or(after.len());
        let (commands, next) = after.split_at(length);
        match first.form() {
            Some(("module", fields)) => part(file, first.line(), fields, commands, report),
            _ => without_module(file, nodes.get(..=length).unwrap_or_default(), report),
        }
        rest = next;
    }
}

/// Counts what is not run, and why.
fn leave(command: &Node, reason: &str, report: &mut Report) {
    if command.form().is_some_and(|(kind, _)| kind.starts_with("assert_")) {
        report.note(format!("not run: {reason}"));
    }
}

fn without_module(file: &File, commands: &[Node], report: &mut Report) {
    for command in commands {
        if !numeral::judge(file, command, report) {
            leave(command, "no module before it", report);
        }
    }
}

fn part(file: &File, line: usize, fields: &[Node], commands: &[Node], report: &mut Report) {
    let module = Module::read(fields);
    let verified = module.as_ref().map_err(Clone::clone).map(|module| {
        let translated = translate::translate(module)?;
        let text = translated.program.to_text();
        let verified = translated.program.verify().map_err(|refusal| refusal.to_string())?;
        Ok::<_, String>((module, translated.exports, verified, text))
    });
    let mut instance = match &verified {
        Ok(Ok((module, exports, verified, _))) => Ok(Instance::new(module, exports, verified)),
        Ok(Err(fault)) => {
            report.fail(&file.path, format!("line {line}"), "a program that verifies", fault);
            return;
        }
        Err(reason) => Err(reason.clone()),
    };
    for command in commands {
        if numeral::judge(file, command, report) {
            continue;
        }
        let ran = instance.as_mut().map_err(|reason| reason.clone());
        if let Err(reason) = ran.and_then(|instance| instance.judge(file, command, report)) {
            leave(command, &reason, report);
        }
    }
    if let (Ok(Ok((.., text))), Ok(instance)) = (&verified, &instance) {
        report.keep(&file.path, || keep::called("asm", text, &instance.shown().join("\n")));
    }
}
