//! A program to text.

use super::{ALL, INDEX, LABEL, RAW, SPREAD_MARK, constant};
use crate::bytecode::{
    ALL_RESULTS, Arguments, Builtin, Certificate, Constant, Function, Limits, Order, Program, Role, Word,
};
use core::fmt::Write;
use std::collections::BTreeSet;

/// Prints one program.
pub(super) struct Printer<'p> {
    program: &'p Program,
    /// Whether constants stand in the code where they are used. Then their table is the order of their first use;
    /// a table in another order, which only a program that can't be verified has, is written out.
    in_place: bool,
    out: String,
}

impl<'p> Printer<'p> {
    pub(super) fn of(program: &'p Program) -> Printer<'p> {
        let mut printer = Printer { program, in_place: true, out: String::new() };
        printer.in_place = printer.is_in_order();
        printer
    }

    /// Whether reading the code, constants in place, would make the same table.
    fn is_in_order(&self) -> bool {
        let constants = &self.program.constants;
        let mut next = 0;
        for function in &self.program.functions {
            for &word in function.code.iter().filter(|&&word| self.instruction(function, word).is_some()) {
                let operands = word.op().map_or(&[][..], |op| op.information().operands);
                for operand in operands.iter().filter(|operand| matches!(operand.role, Role::Constant | Role::Name)) {
                    let index = word.get(*operand) as usize;
                    if index > next || index >= constants.len() {
                        return false;
                    }
                    next = next.max(index + 1);
                }
            }
        }
        next == constants.len() && constants.iter().collect::<BTreeSet<_>>().len() == next
    }

    /// The instructions of every function, each by itself.
    pub(super) fn instructions(&self) -> Vec<Vec<String>> {
        let text = |function: &Function, word: Word| {
            self.instruction(function, word).unwrap_or_else(|| format!("{RAW} {:#018x}", word.0))
        };
        let all = |function: &Function| function.code.iter().map(|&word| text(function, word)).collect();
        self.program.functions.iter().map(all).collect()
    }

    pub(super) fn print(mut self) -> String {
        let program = self.program;
        self.put(format_args!("profile {}\nkind {}\n", program.profile, program.kind.name()));
        self.limits();
        for (name, index) in &program.exports {
            let name = if is_plain(name) { name.clone() } else { constant::quote(name.as_bytes()) };
            self.put(format_args!("export {name} {index}\n"));
        }
        for rule in &program.rules {
            self.put(format_args!(
                "rule {} {}\n",
                constant::quote(rule.id.as_bytes()),
                constant::quote(rule.reason.as_bytes())
            ));
        }
        self.merging();
        if !self.in_place {
            self.out.push_str("constants");
            for constant in &program.constants {
                self.put(format_args!(" {}", constant::print(constant)));
            }
            self.out.push('\n');
        }
        for (number, function) in program.functions.iter().enumerate() {
            self.function(number, function);
        }
        self.out
    }

    fn put(&mut self, text: core::fmt::Arguments<'_>) {
        // Writing to a string never fails.
        let _ = self.out.write_fmt(text);
    }

    fn merging(&mut self) {
        let merging = &self.program.merging;
        if merging.order != Order::default() {
            self.put(format_args!("order {}\n", merging.order.name()));
        }
        if !merging.key.is_empty() {
            let names: Vec<String> = merging.key.iter().map(|name| constant::quote(name.as_bytes())).collect();
            self.put(format_args!("key {}\n", names.join(" ")));
        }
        if let Some(Certificate { class, grounds }) = merging.certificate {
            let numbers: Vec<String> = grounds.numbers().into_iter().map(|number| format!(" {number}")).collect();
            self.put(format_args!("certificate {} {}{}\n", class.name(), grounds.name(), numbers.concat()));
        }
    }

    fn limits(&mut self) {
        let own = self.program.limits.named();
        let lowered = own.iter().zip(Limits::DEFAULT.named()).filter(|((_, value, _), default)| *value != default.1);
        let words: Vec<String> = lowered.map(|((name, value, _), _)| format!(" {name} {value}")).collect();
        if !words.is_empty() {
            self.put(format_args!("limits{}\n", words.concat()));
        }
    }

    fn function(&mut self, number: usize, function: &Function) {
        let Function { parameters, registers, captures, .. } = function;
        self.put(format_args!("\nfunction {number} parameters {parameters} registers {registers}"));
        if function.is_variadic {
            self.out.push_str(" variadic");
        }
        if *captures != 0 {
            self.put(format_args!(" captures {captures}"));
        }
        self.out.push('\n');
        let targets: BTreeSet<usize> = function.code.iter().filter_map(|&word| target(word)).collect();
        for (at, &word) in function.code.iter().enumerate() {
            if targets.contains(&at) {
                self.put(format_args!("  {LABEL}{at}:\n"));
            }
            match self.instruction(function, word) {
                Some(text) => self.put(format_args!("    {text}\n")),
                None => self.put(format_args!("    {RAW} {:#018x}\n", word.0)),
            }
        }
    }

    /// The instruction by name, if its operands say all that is in the word.
    fn instruction(&self, function: &Function, word: Word) -> Option<String> {
        let information = word.op()?.information();
        if !word.is_tidy(information) {
            return None;
        }
        let mut text = information.name.to_owned();
        for &operand in information.operands {
            text.push(' ');
            text.push_str(&self.operand(function, operand.role, word.get(operand))?);
        }
        Some(text)
    }

    fn operand(&self, function: &Function, role: Role, bits: u32) -> Option<String> {
        match role {
            Role::Write | Role::Read | Role::Base | Role::Cursor | Role::Counter => Some(format!("r{bits}")),
            Role::Arguments => {
                let Arguments { count, is_spread } = Arguments::of(bits as u8);
                Some(format!("{count}{}", if is_spread { SPREAD_MARK } else { "" }))
            }
            Role::Results if bits == u32::from(ALL_RESULTS) => Some(ALL.to_owned()),
            Role::Results | Role::Function | Role::Capture => Some(bits.to_string()),
            Role::Flag => (bits < 2).then(|| (bits == 1).to_string()),
            Role::Small => Some((bits as u16).cast_signed().to_string()),
            Role::Integer => Some(bits.cast_signed().to_string()),
            Role::Builtin => Builtin::of(bits).map(|builtin| builtin.name().to_owned()),
            Role::Target => ((bits as usize) < function.code.len()).then(|| format!("{LABEL}{bits}")),
            Role::Constant | Role::Name => Some(self.constant(role, bits)),
        }
    }

    fn constant(&self, role: Role, index: u32) -> String {
        match self.program.constants.get(index as usize).filter(|_| self.in_place) {
            None => format!("{INDEX}{index}"),
            Some(Constant::String(name)) if role == Role::Name && name.iter().all(is_name_byte) && !name.is_empty() => {
                format!(".{}", String::from_utf8_lossy(name))
            }
            Some(constant) => constant::print(constant),
        }
    }
}

/// Where the instruction may go, if it says so.
fn target(word: Word) -> Option<usize> {
    let operand = word.op()?.information().operands.iter().find(|operand| operand.role == Role::Target)?;
    Some(word.get(*operand) as usize)
}

/// Whether the name can stand without quotes.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| is_name_byte(&byte) || byte == b'.')
}

const fn is_name_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_'
}
