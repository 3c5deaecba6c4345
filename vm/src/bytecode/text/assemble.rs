//! Text to a program.

use super::{ALL, INDEX, LABEL, RAW, SPREAD_MARK, constant};
use crate::bytecode::{
    ALL_RESULTS, Builtin, Certificate, Class, Constant, Function, Grounds, Limits, Merging, Op, Operand, Order,
    Program, ProgramKind, Role, Rule, SPREAD, Word,
};
use crate::encoding::text;
use crate::refusal::{Code, Refusal};
use core::str::FromStr;
use std::collections::BTreeMap;

/// A word of a line, or a string in its quotes.
#[derive(Debug, Clone, Copy)]
struct Token<'t> {
    text: &'t str,
    offset: usize,
}

impl<'t> Token<'t> {
    fn wrong(self) -> Refusal {
        Refusal::new(Code::ASSEMBLY_SYNTAX, self.offset)
    }

    fn number<T: FromStr>(self) -> Result<T, Refusal> {
        number(self.text).ok_or_else(|| self.wrong())
    }

    fn label(self) -> Option<&'t str> {
        self.text.strip_prefix(LABEL)
    }

    /// Text in quotes, or a word: what of a program is read by people must be canonical.
    fn name(self) -> Result<String, Refusal> {
        let bytes =
            if self.text.starts_with('"') { constant::unquote(self.text) } else { Some(self.text.as_bytes().to_vec()) };
        let bytes = bytes.ok_or_else(|| self.wrong())?;
        text::check(&bytes).map_err(|fault| Refusal::new(fault.code, self.offset))?;
        String::from_utf8(bytes).map_err(|_| self.wrong())
    }
}

/// Digits, with a minus where the type has one. The standard library's reader takes a plus too.
fn number<T: FromStr>(text: &str) -> Option<T> {
    if text.starts_with('+') { None } else { text.parse().ok() }
}

/// The tokens of a line, up to its comment.
fn tokens(line: &str, start: usize) -> Result<Vec<Token<'_>>, Refusal> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = line.get(at..) {
        let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let rest = rest.get(blank..).unwrap_or_default();
        at += blank;
        if rest.is_empty() || rest.starts_with('#') {
            break;
        }
        let length = if rest.starts_with('"') { quoted_length(rest) } else { rest.find([' ', '\t', '#']) };
        let text = rest.get(..length.unwrap_or(rest.len())).unwrap_or(rest);
        let token = Token { text, offset: start + at };
        at += text.len();
        let is_apart = line.get(at..).is_none_or(|after| after.is_empty() || after.starts_with([' ', '\t', '#']));
        if !is_apart {
            return Err(token.wrong());
        }
        found.push(token);
    }
    Ok(found)
}

/// The bytes up to and with the quote that ends a string; none where it does not end.
fn quoted_length(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    end.map(|end| end + 2)
}

/// A use of a label whose place is not known before the function ends.
struct Jump<'t> {
    at: usize,
    operand: Operand,
    label: Token<'t>,
}

/// What is known while lines are read.
#[derive(Default)]
struct Assembler<'t> {
    profile: Option<u32>,
    kind: Option<ProgramKind>,
    limits: Option<Limits>,
    exports: BTreeMap<String, u32>,
    rules: Vec<Rule>,
    order: Option<Order>,
    key: Option<Vec<String>>,
    certificate: Option<Certificate>,
    constants: Vec<Constant>,
    /// Where each constant stands in their table.
    known: BTreeMap<Constant, u32>,
    functions: Vec<Function>,
    labels: BTreeMap<&'t str, usize>,
    jumps: Vec<Jump<'t>>,
}

pub(super) fn assemble(text: &str) -> Result<Program, Refusal> {
    let mut assembler = Assembler::default();
    let mut offset = 0;
    for line in text.split('\n') {
        let tokens = tokens(line.strip_suffix('\r').unwrap_or(line), offset)?;
        assembler.line(&tokens)?;
        offset += line.len() + 1;
    }
    assembler.close()?;
    let Assembler { profile, kind, limits, exports, rules, order, key, certificate, constants, functions, .. } =
        assembler;
    let merging = Merging { order: order.unwrap_or_default(), key: key.unwrap_or_default(), certificate };
    let (Some(profile), Some(kind)) = (profile, kind) else {
        return Err(Refusal::new(Code::ASSEMBLY_SYNTAX, text.len()));
    };
    Ok(Program { profile, kind, constants, functions, exports, limits: limits.unwrap_or_default(), rules, merging })
}

impl<'t> Assembler<'t> {
    fn line(&mut self, tokens: &[Token<'t>]) -> Result<(), Refusal> {
        let mut tokens = tokens;
        while let Some((first, rest)) = tokens.split_first()
            && let Some(label) = first.label().and_then(|label| label.strip_suffix(':'))
        {
            self.label(*first, label)?;
            tokens = rest;
        }
        let [first, rest @ ..] = tokens else { return Ok(()) };
        match (first.text, rest) {
            ("profile", [version]) => once(&mut self.profile, *first, version.number()?),
            ("kind", [name]) => {
                let kind = ProgramKind::ALL.iter().copied().find(|kind| kind.name() == name.text);
                once(&mut self.kind, *first, kind.ok_or_else(|| name.wrong())?)
            }
            ("limits", fields) => {
                let limits = limits(fields)?;
                once(&mut self.limits, *first, limits)
            }
            ("export", [name, index]) => match self.exports.insert(name.name()?, index.number()?) {
                None => Ok(()),
                Some(_) => Err(name.wrong()),
            },
            ("rule", [id, reason]) => {
                self.rules.push(Rule { id: id.name()?.into(), reason: reason.name()?.into() });
                Ok(())
            }
            ("order", [name]) => {
                let order = Order::ALL.iter().copied().find(|order| order.name() == name.text);
                once(&mut self.order, *first, order.ok_or_else(|| name.wrong())?)
            }
            ("key", names @ [_, ..]) => {
                let names = names.iter().map(|name| name.name()).collect::<Result<Vec<_>, _>>()?;
                once(&mut self.key, *first, names)
            }
            ("certificate", [class, grounds, numbers @ ..]) => {
                let class = Class::ALL.iter().copied().find(|known| known.name() == class.text).ok_or(class.wrong())?;
                let numbers = numbers.iter().map(|number| number.number()).collect::<Result<Vec<u64>, _>>()?;
                let grounds = Grounds::of(grounds.text, &numbers).ok_or_else(|| grounds.wrong())?;
                once(&mut self.certificate, *first, Certificate { class, grounds })
            }
            ("constants", list) => list.iter().try_for_each(|token| {
                let constant = constant::parse(token.text).ok_or_else(|| token.wrong())?;
                self.add(constant);
                Ok(())
            }),
            ("function", header) => {
                self.close()?;
                let function = self.header(header)?;
                self.functions.push(function);
                Ok(())
            }
            (RAW, [bits]) => {
                let bits = bits.text.strip_prefix("0x").filter(|digits| !digits.starts_with('+'));
                let bits = bits.and_then(|digits| u64::from_str_radix(digits, 16).ok()).ok_or_else(|| first.wrong())?;
                self.code(*first)?.push(Word(bits));
                Ok(())
            }
            _ => self.instruction(*first, rest),
        }
    }

    /// What follows `function`: its number, which may be left out, and what it has.
    fn header(&self, tokens: &[Token<'t>]) -> Result<Function, Refusal> {
        let tokens = match tokens {
            [first, rest @ ..] if first.text.starts_with(|letter: char| letter.is_ascii_digit()) => {
                if first.number::<usize>()? != self.functions.len() {
                    return Err(first.wrong());
                }
                rest
            }
            all => all,
        };
        let (mut parameters, mut registers, mut captures, mut variadic) = (None, None, None, None);
        let mut rest = tokens;
        loop {
            rest = match rest {
                [] => break,
                [word, rest @ ..] if word.text == "variadic" => {
                    once(&mut variadic, *word, true)?;
                    rest
                }
                [name, value, rest @ ..] => {
                    let field = match name.text {
                        "parameters" => &mut parameters,
                        "registers" => &mut registers,
                        "captures" => &mut captures,
                        _ => return Err(name.wrong()),
                    };
                    once(field, *name, value.number()?)?;
                    rest
                }
                [name] => return Err(name.wrong()),
            };
        }
        let [parameters, registers, captures] = [parameters, registers, captures].map(Option::unwrap_or_default);
        Ok(Function { parameters, is_variadic: variadic.is_some(), registers, captures, code: Vec::new() })
    }

    /// The code of the function that is being read.
    fn code(&mut self, token: Token<'t>) -> Result<&mut Vec<Word>, Refusal> {
        self.functions.last_mut().map(|function| &mut function.code).ok_or_else(|| token.wrong())
    }

    /// A label names the next instruction, which may stand on the same line.
    fn label(&mut self, token: Token<'t>, label: &'t str) -> Result<(), Refusal> {
        let at = self.code(token)?.len();
        if label.is_empty() || self.labels.insert(label, at).is_some() {
            return Err(token.wrong());
        }
        Ok(())
    }

    fn instruction(&mut self, name: Token<'t>, tokens: &[Token<'t>]) -> Result<(), Refusal> {
        let at = self.code(name)?.len();
        let op = Op::ALL.iter().find(|op| op.information().name == name.text).ok_or_else(|| name.wrong())?;
        let operands = op.information().operands;
        if let Some(extra) = tokens.get(operands.len()) {
            return Err(extra.wrong());
        }
        if tokens.len() < operands.len() {
            return Err(name.wrong());
        }
        let mut word = Word::new(*op, 0, 0, 0, 0);
        for (&operand, &token) in operands.iter().zip(tokens) {
            if operand.role == Role::Target {
                self.jumps.push(Jump { at, operand, label: token });
                continue;
            }
            let bits = self.operand(operand.role, token.text).ok_or_else(|| token.wrong())?;
            word = word.with(operand, bits);
            if word.get(operand) != bits {
                return Err(token.wrong());
            }
        }
        self.code(name)?.push(word);
        Ok(())
    }

    /// The raw bits of an operand.
    fn operand(&mut self, role: Role, text: &str) -> Option<u32> {
        match role {
            Role::Write | Role::Read | Role::Base | Role::Cursor | Role::Counter => number(text.strip_prefix('r')?),
            Role::Arguments => {
                let (count, spread) = text.strip_suffix(SPREAD_MARK).map_or((text, 0), |count| (count, SPREAD));
                number::<u8>(count).filter(|&count| count < SPREAD).map(|count| u32::from(count | spread))
            }
            Role::Results if text == ALL => Some(ALL_RESULTS.into()),
            Role::Results => number::<u8>(text).filter(|&count| count != ALL_RESULTS).map(u32::from),
            Role::Flag => text.parse().ok().map(|flag: bool| flag.into()),
            Role::Small => number::<i16>(text).map(|small| small.cast_unsigned().into()),
            Role::Integer => number::<i32>(text).map(i32::cast_unsigned),
            Role::Function | Role::Capture => number(text),
            Role::Builtin => Builtin::ALL.iter().find(|builtin| builtin.name() == text).map(|builtin| builtin.number()),
            Role::Constant | Role::Name => self.constant(text),
            // Where a label stands is known when the function ends.
            Role::Target => None,
        }
    }

    /// The index of a constant: as it is written out, or of the one that stands here, new or known.
    fn constant(&mut self, text: &str) -> Option<u32> {
        if let Some(index) = text.strip_prefix(INDEX) {
            return number(index);
        }
        let constant = match text.strip_prefix('.') {
            Some(name) => Constant::String(name.as_bytes().into()),
            None => constant::parse(text)?,
        };
        Some(self.known.get(&constant).copied().unwrap_or_else(|| self.add(constant)))
    }

    /// Puts a constant at the end of their table.
    fn add(&mut self, constant: Constant) -> u32 {
        let index = u32::try_from(self.constants.len()).unwrap_or(u32::MAX);
        self.constants.push(constant.clone());
        *self.known.entry(constant).or_insert(index)
    }

    /// Ends the function that is being read: now all its labels are known.
    fn close(&mut self) -> Result<(), Refusal> {
        let labels = core::mem::take(&mut self.labels);
        for Jump { at, operand, label } in core::mem::take(&mut self.jumps) {
            let target = label.label().and_then(|name| labels.get(name)).and_then(|&target| u32::try_from(target).ok());
            let target = target.ok_or_else(|| label.wrong())?;
            if let Some(word) = self.code(label)?.get_mut(at) {
                *word = word.with(operand, target);
            }
        }
        Ok(())
    }
}

/// Sets what may be said once.
fn once<T>(place: &mut Option<T>, token: Token<'_>, value: T) -> Result<(), Refusal> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(token.wrong()),
    }
}

/// Names and values; what is left out has its default.
fn limits(tokens: &[Token<'_>]) -> Result<Limits, Refusal> {
    let mut given: BTreeMap<&str, u64> = BTreeMap::new();
    let (pairs, alone) = tokens.as_chunks::<2>();
    for [name, value] in pairs {
        let named = Limits::DEFAULT.named().into_iter().find(|(known, ..)| *known == name.text);
        let (_, _, limit) = named.ok_or_else(|| name.wrong())?;
        let number: u64 = value.number()?;
        if number > limit.value {
            return Err(Refusal::over(Code::PROGRAM_LIMIT, value.offset, limit));
        }
        if given.insert(name.text, number).is_some() {
            return Err(name.wrong());
        }
    }
    if let [name] = alone {
        return Err(name.wrong());
    }
    let get = |name: &str, default: u64| given.get(name).copied().unwrap_or(default);
    let Limits { gas, memory, depth, output } = Limits::DEFAULT;
    Ok(Limits {
        gas: get("gas", gas),
        memory: get("memory", memory),
        depth: get("depth", depth),
        output: get("output", output),
    })
}
