//! Pure words in a session: they are compiled and run on the machine, so that there is one arithmetic.

use crate::error::{Done, WordError};
use crate::item::Content;
use crate::machine::Machine;
use kerai_compiler::{Language, Source, Span, compile};
use kerai_vm::bytecode::{Limits, Verified};
use kerai_vm::encoding::{Options, cbor};
use kerai_vm::execute;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;

/// What is run has this name in its program.
const IT: &str = "it__";

/// A program that was made of a word, and how many items it takes.
pub(crate) struct Unit {
    verified: Verified,
    takes: usize,
}

impl Machine {
    fn compiled(&mut self, code: &str, span: Span) -> Done<Rc<Unit>> {
        if let Some(unit) = self.units.get(code) {
            return Ok(Rc::clone(unit));
        }
        let text = format!("{}{IT}: {code}\n", self.pure_source());
        let refused = |diagnostics: Vec<kerai_compiler::Diagnostic>| {
            let first = diagnostics.first().map(WordError::of_diagnostic);
            let none = || WordError::new("WORDS_UNKNOWN", span, "this can't be run", "");
            WordError { span, ..first.unwrap_or_else(none) }
        };
        let source = Source::read(text.as_bytes()).map_err(|found| refused(vec![found]))?;
        let compiled = compile(Language::Words, &source).map_err(refused)?;
        let verified = compiled.program.verify().map_err(|refusal| {
            WordError::new(refusal.code.name(), span, refusal.code.summary(), refusal.code.explanation())
        })?;
        let program = verified.program();
        let function = program.exports.get(IT).and_then(|&id| program.functions.get(id as usize));
        let takes = function.map_or(0, |function| usize::from(function.parameters));
        let unit = Rc::new(Unit { verified, takes });
        // What was typed by a person is little; what a script makes is not kept for ever.
        if self.units.len() >= MOST_UNITS {
            self.units.clear();
        }
        self.units.insert(code.to_owned(), Rc::clone(&unit));
        Ok(unit)
    }

    /// Whether code finds nothing but values: tables can be moved, but not computed with.
    pub(crate) fn has_values(&mut self, code: &str, span: Span) -> Done<bool> {
        let takes = self.compiled(code, span)?.takes;
        let start = self.items.len().saturating_sub(takes);
        let taken = self.items.get(start..).unwrap_or_default();
        Ok(taken.iter().all(|item| matches!(item.content, Content::Value { .. })))
    }

    /// Runs code on the items below the topmost `above`, which it takes with them.
    pub(crate) fn unit(&mut self, code: &str, word: &str, above: usize, span: Span) -> Done {
        let unit = self.compiled(code, span)?;
        self.need(unit.takes + above, word, span)?;
        let end = self.items.len() - above;
        let start = end - unit.takes;
        // The seed can't be observed in any result: a random one defeats keys that were crafted to collide.
        let mut machine = execute::Machine::new(&unit.verified, RandomState::new().hash_one(0), Limits::DEFAULT);
        let mut arguments = Vec::new();
        for item in self.items.get(start..end).unwrap_or_default() {
            let Content::Value { bytes, .. } = &item.content else {
                let kind = item.content.kind();
                let message = format!("`{word}` takes a value, and finds a {kind}");
                return Err(WordError::new("WORDS_KIND", span, message, "`table.rows` makes a list of a table"));
            };
            let value = cbor::decode(machine.heap(), bytes, &Options::SNAPSHOT);
            arguments
                .push(value.map_err(|refusal| WordError::new(refusal.code.name(), span, refusal.to_string(), ""))?);
        }
        let result = machine.call(IT, &arguments);
        self.gas = self.gas.saturating_add(machine.gas_used());
        let results = match result {
            Some(Ok(results)) => results,
            Some(Err(trap)) => {
                let raised = Content::of(machine.values(), machine.raised()).map(|raised| raised.view());
                let raised = raised.ok().filter(|raised| raised != "null").map(|raised| format!(": {raised}"));
                let message = format!("`{word}`: {}{}", trap.code.summary(), raised.unwrap_or_default());
                return Err(WordError::new(
                    trap.code.name(),
                    span,
                    message,
                    format!("`help {word}` says what it takes"),
                ));
            }
            None => return Err(WordError::new("WORDS_UNKNOWN", span, format!("`{word}` can't be run"), "")),
        };
        let made: Result<Vec<Content>, String> =
            results.iter().map(|&value| Content::of(machine.values(), value)).collect();
        let made =
            made.map_err(|fault| WordError::new("WORDS_KIND", span, fault, "keep values that can be written down"))?;
        for row in machine.rows() {
            let [key, value] = [&row.key, &row.value]
                .map(|bytes| Content::Value { kind: "row".to_owned(), bytes: bytes.clone(), code: None }.view());
            self.outside.say(&format!("row {key} {value}"));
        }
        self.take(unit.takes + above);
        made.into_iter().for_each(|content| self.push(content));
        Ok(())
    }
}

/// The most programs that are kept to be run again.
const MOST_UNITS: usize = 1000;
