//! Functions to kerai's assembly: locals and the places of the operand stack are registers.

use super::module::{Access, Constant, Function, Instruction, Module, Type};
use super::operation::{Lowering, Numeric, Test};
use kerai_vm::bytecode::Program;
use kerai_vm::limit;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Functions in kerai's assembly for what it has no instruction for.
const PRELUDE: &str = include_str!("prelude.asm");

/// The prelude's functions by the names behind their headers.
fn prelude() -> BTreeMap<&'static str, usize> {
    let headers = PRELUDE.lines().filter(|line| line.starts_with("function "));
    headers.enumerate().filter_map(|(index, line)| Some((line.split_once("# ")?.1, index))).collect()
}

/// A module as a program, with what each of its functions is exported as, or why it is not there.
pub struct Translated {
    pub program: Program,
    pub exports: Vec<Result<String, String>>,
}

/// The module as a program.
///
/// # Errors
/// With the refusal, where kerai's assembler takes the text of the program for none.
pub fn translate(module: &Module) -> Result<Translated, String> {
    let prelude = prelude();
    let kept = kept(module);
    let mut text = String::from("profile 1\nkind words\n");
    let mut functions = String::new();
    let mut exports = Vec::new();
    // Where each function that is there comes to stand, behind the prelude.
    let mut places = vec![0; module.functions.len()];
    for (count, (place, _)) in places.iter_mut().zip(&kept).filter(|(_, kept)| kept.is_ok()).enumerate() {
        *place = prelude.len() + count;
    }
    for ((function, kept), &place) in module.functions.iter().zip(&kept).zip(&places) {
        let code = match (function, kept) {
            (Ok(function), Ok(())) => Writer::new(&prelude, module, &places, function).write(),
            (_, Err(reason)) | (Err(reason), _) => Err(reason.clone()),
        };
        exports.push(code.as_ref().map(|_| format!("f{place}")).map_err(Clone::clone));
        if let Ok(code) = code {
            let _ = writeln!(text, "export f{place} {place}");
            functions.push_str(&code);
        }
    }
    text.push_str(PRELUDE);
    text.push_str(&functions);
    let program = Program::from_text(&text).map_err(|refusal| refusal.to_string())?;
    Ok(Translated { program, exports })
}

/// Which functions can be there: those that were read, fit a frame, and call no other.
fn kept(module: &Module) -> Vec<Result<(), String>> {
    let read = |function: &Result<Function, String>| function.as_ref().map(|_| ()).map_err(Clone::clone);
    let mut kept: Vec<Result<(), String>> = module.functions.iter().map(read).collect();
    // Each round leaves out one function at least, or is the last.
    for _ in 0..module.functions.len() {
        let misses = |(function, kept_itself): (&Result<Function, String>, &Result<(), String>)| {
            let calls = function.as_ref().ok().filter(|_| kept_itself.is_ok()).map(|function| calls(&function.body));
            calls
                .into_iter()
                .flatten()
                .find_map(|callee| kept.get(callee).and_then(|kept| kept.as_ref().err()).cloned())
        };
        let missing: Vec<Option<String>> = module.functions.iter().zip(&kept).map(misses).collect();
        if missing.iter().all(Option::is_none) {
            break;
        }
        for (kept, missing) in kept.iter_mut().zip(missing) {
            *kept = missing.map_or_else(|| kept.clone(), Err);
        }
    }
    kept
}

/// The functions that a body calls, from its blocks too.
fn calls(body: &[Instruction]) -> Vec<usize> {
    let of = |instruction: &Instruction| {
        let itself = if let Instruction::Call(function) = instruction { Some(*function) } else { None };
        itself.into_iter().chain(instruction.bodies().into_iter().flat_map(calls)).collect::<Vec<_>>()
    };
    body.iter().flat_map(of).collect()
}

/// A block that branches can go to: where, with how many values, put where.
struct Label {
    name: String,
    values: usize,
    height: usize,
    is_used: bool,
}

struct Writer<'m> {
    prelude: &'m BTreeMap<&'static str, usize>,
    module: &'m Module,
    places: &'m [usize],
    function: &'m Function,
    out: String,
    labels: Vec<Label>,
    /// How many labels were named.
    named: usize,
    /// Registers in use; the last of them is the stack's top.
    height: usize,
    most: usize,
    is_reached: bool,
}

impl<'m> Writer<'m> {
    fn new(
        prelude: &'m BTreeMap<&'static str, usize>,
        module: &'m Module,
        places: &'m [usize],
        function: &'m Function,
    ) -> Writer<'m> {
        let filled = function.parameters.len() + usize::from(module.has_memory);
        let height = filled + function.locals.len();
        Writer {
            prelude,
            module,
            places,
            function,
            out: String::new(),
            labels: Vec::new(),
            named: 0,
            height,
            most: height,
            is_reached: true,
        }
    }

    fn write(mut self) -> Result<String, String> {
        let filled = self.filled();
        for (place, local) in self.function.locals.iter().enumerate() {
            let register = filled + place;
            match local {
                Type::Integer(_) => self.put(format_args!("integer r{register} 0")),
                Type::Float => self.put(format_args!("constant r{register} float(0)")),
            }
        }
        let results = self.function.results.len();
        let label = self.label(results);
        self.labels.push(label);
        self.body(&self.function.body)?;
        self.end_block();
        if self.is_reached {
            let first = self.height - results;
            self.put(format_args!("return r{first} {results}"));
        }
        if self.most as u64 > limit::PROGRAM_REGISTERS.value {
            return Err("more values than a function has registers".to_owned());
        }
        Ok(format!("function parameters {filled} registers {}\n{}", self.most, self.out))
    }

    /// Parameters, and behind them memory.
    fn filled(&self) -> usize {
        self.function.parameters.len() + usize::from(self.module.has_memory)
    }

    fn register(&self, local: usize) -> usize {
        let is_parameter = local < self.function.parameters.len();
        if is_parameter { local } else { local + usize::from(self.module.has_memory) }
    }

    fn put(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string never fails.
        let _ = writeln!(self.out, "    {line}");
    }

    /// A register above the stack's top, counted from it.
    fn above(&mut self, place: usize) -> usize {
        self.most = self.most.max(self.height + place + 1);
        self.height + place
    }

    fn push(&mut self) -> usize {
        let register = self.above(0);
        self.height += 1;
        register
    }

    fn pop(&mut self) -> usize {
        self.height -= 1;
        self.height
    }

    fn name(&mut self) -> String {
        self.named += 1;
        format!("@{}", self.named)
    }

    fn label(&mut self, values: usize) -> Label {
        Label { name: self.name(), values, height: self.height, is_used: false }
    }

    /// Puts a label here. Nothing may fall into a block, so that what comes from above jumps.
    fn place(&mut self, name: &str) {
        if self.is_reached {
            self.put(format_args!("jump {name}"));
        }
        let _ = writeln!(self.out, "  {name}:");
        self.is_reached = true;
    }

    /// Ends the innermost block: those who branched out of it come here.
    fn end_block(&mut self) {
        let Some(label) = self.labels.pop() else { return };
        self.height = label.height + label.values;
        self.most = self.most.max(self.height);
        if label.is_used {
            self.place(&label.name);
        }
    }

    fn body(&mut self, body: &[Instruction]) -> Result<(), String> {
        for instruction in body {
            // What can't be reached has no place in a program.
            if !self.is_reached {
                break;
            }
            self.instruction(instruction)?;
        }
        Ok(())
    }

    fn instruction(&mut self, instruction: &Instruction) -> Result<(), String> {
        match instruction {
            Instruction::Constant(constant) => self.constant(constant),
            Instruction::Numeric(numeric) => self.numeric(*numeric),
            Instruction::Get(local) => {
                let (from, to) = (self.register(*local), self.push());
                self.put(format_args!("move r{to} r{from}"));
            }
            Instruction::Set(local) => {
                let (to, from) = (self.register(*local), self.pop());
                self.put(format_args!("move r{to} r{from}"));
            }
            Instruction::Tee(local) => {
                let (to, from) = (self.register(*local), self.height - 1);
                self.put(format_args!("move r{to} r{from}"));
            }
            Instruction::Drop => {
                self.pop();
            }
            Instruction::Nop => {}
            Instruction::Select => self.select(),
            Instruction::Return => self.branch(self.labels.len() - 1),
            Instruction::Branch(depth) => self.branch(*depth),
            Instruction::BranchIf(depth) => self.branch_if(*depth),
            Instruction::Unreachable => {
                let register = self.above(0);
                self.put(format_args!("nil r{register}"));
                self.put(format_args!("raise r{register}"));
                self.is_reached = false;
            }
            Instruction::Block { results, body } => {
                let label = self.label(*results);
                self.labels.push(label);
                self.body(body)?;
                self.end_block();
            }
            Instruction::Loop { results, body } => self.repeat(*results, body)?,
            Instruction::If { results, then, otherwise } => self.choose(*results, then, otherwise)?,
            Instruction::Call(callee) => self.call(*callee)?,
            Instruction::Load(access) => self.load(*access),
            Instruction::Store(access) => self.store(*access),
        }
        Ok(())
    }

    fn constant(&mut self, constant: &Constant) {
        let register = self.push();
        match constant {
            Constant::Integer(value) => self.put(format_args!("constant r{register} {value}")),
            Constant::Float(_, text) => self.put(format_args!("constant r{register} float({text})")),
        }
    }

    fn numeric(&mut self, Numeric { operation, width }: Numeric) {
        self.height -= operation.operands;
        let first = self.above(operation.operands);
        let first = first - operation.operands;
        let second = first + 1;
        match operation.lowering {
            Lowering::Nothing => {}
            Lowering::Instruction(name) if operation.operands == 1 => {
                self.put(format_args!("{name} r{first} r{first}"));
            }
            Lowering::Instruction(name) => self.put(format_args!("{name} r{first} r{first} r{second}")),
            Lowering::Builtin(name) => self.put(format_args!("call-builtin r{first} 1 1 {name}")),
            Lowering::Prelude(name) => self.prelude(name, operation.operands, width, 1),
            Lowering::IsZero => {
                let zero = self.above(1);
                self.put(format_args!("integer r{zero} 0"));
                self.put(format_args!("equal r{first} r{first} r{zero}"));
                self.truth(first);
            }
            Lowering::Test(test) => self.test(test, first, second),
            Lowering::UnsignedTest(test) => {
                let (copy, spare) = (self.above(2), self.above(3));
                let unsigned = self.prelude.get("unsigned").copied().unwrap_or_default();
                self.put(format_args!("move r{copy} r{second}"));
                self.put(format_args!("integer r{spare} {width}"));
                self.put(format_args!("call-function r{copy} 2 1 {unsigned}"));
                self.put(format_args!("integer r{second} {width}"));
                self.put(format_args!("call-function r{first} 2 1 {unsigned}"));
                self.test(test, first, copy);
            }
        }
        self.height += 1;
    }

    /// Calls a function of the prelude on what stands above the stack's top; a width comes last.
    fn prelude(&mut self, name: &str, operands: usize, width: u32, results: usize) {
        let index = self.prelude.get(name).copied().unwrap_or_default();
        let (first, last) = (self.above(0), self.above(operands));
        let mut arguments = operands;
        if width != 0 {
            self.put(format_args!("integer r{last} {width}"));
            arguments += 1;
        }
        self.put(format_args!("call-function r{first} {arguments} {results} {index}"));
    }

    fn test(&mut self, test: Test, first: usize, second: usize) {
        let (left, right) = if test.is_swapped { (second, first) } else { (first, second) };
        self.put(format_args!("{} r{first} r{left} r{right}", test.instruction));
        if test.is_negated {
            self.put(format_args!("not r{first} r{first}"));
        }
        self.truth(first);
    }

    /// True and false become 1 and 0.
    fn truth(&mut self, register: usize) {
        let (holds, end) = (self.name(), self.name());
        self.put(format_args!("if r{register} {holds}"));
        self.put(format_args!("integer r{register} 0"));
        self.put(format_args!("jump {end}"));
        self.is_reached = false;
        self.place(&holds);
        self.put(format_args!("integer r{register} 1"));
        self.place(&end);
    }

    fn select(&mut self) {
        let (condition, second) = (self.pop(), self.pop());
        let first = second - 1;
        let end = self.name();
        self.put(format_args!("unless-equal-integer r{condition} 0 {end}"));
        self.put(format_args!("move r{first} r{second}"));
        self.place(&end);
    }

    /// Moves the values of a branch to where its label wants them.
    fn carry(&mut self, values: usize, height: usize) {
        let from = self.height - values;
        for place in (0..values).filter(|_| from != height) {
            self.put(format_args!("move r{} r{}", height + place, from + place));
        }
    }

    fn target(&mut self, depth: usize) -> (String, usize, usize) {
        let place = self.labels.len().saturating_sub(depth + 1);
        self.labels.get_mut(place).map_or((String::new(), 0, 0), |label| {
            label.is_used = true;
            (label.name.clone(), label.values, label.height)
        })
    }

    fn branch(&mut self, depth: usize) {
        let (name, values, height) = self.target(depth);
        self.carry(values, height);
        self.put(format_args!("jump {name}"));
        self.is_reached = false;
    }

    fn branch_if(&mut self, depth: usize) {
        let condition = self.pop();
        let (name, values, height) = self.target(depth);
        if values == 0 || self.height - values == height {
            return self.put(format_args!("unless-equal-integer r{condition} 0 {name}"));
        }
        let stay = self.name();
        self.put(format_args!("if-equal-integer r{condition} 0 {stay}"));
        self.carry(values, height);
        self.put(format_args!("jump {name}"));
        self.is_reached = false;
        self.place(&stay);
    }

    /// Who branches to a loop goes to its beginning.
    fn repeat(&mut self, results: usize, body: &[Instruction]) -> Result<(), String> {
        let label = self.label(0);
        let height = label.height;
        self.place(&label.name);
        self.labels.push(label);
        self.body(body)?;
        self.labels.pop();
        self.height = height + results;
        self.most = self.most.max(self.height);
        Ok(())
    }

    fn choose(&mut self, results: usize, then: &[Instruction], otherwise: &[Instruction]) -> Result<(), String> {
        let condition = self.pop();
        let other = self.name();
        self.put(format_args!("if-equal-integer r{condition} 0 {other}"));
        let label = self.label(results);
        let height = label.height;
        self.labels.push(label);
        self.body(then)?;
        if self.is_reached {
            self.branch(0);
        }
        self.height = height;
        self.place(&other);
        self.body(otherwise)?;
        self.end_block();
        Ok(())
    }

    fn call(&mut self, callee: usize) -> Result<(), String> {
        let place = self.places.get(callee).copied().unwrap_or_default();
        let Some(Ok(function)) = self.module.functions.get(callee) else { return Err("a call to nothing".to_owned()) };
        let (mut arguments, results) = (function.parameters.len(), function.results.len());
        self.height -= arguments;
        let first = self.above(arguments.max(results)) - arguments.max(results);
        if self.module.has_memory {
            let memory = self.function.parameters.len();
            self.put(format_args!("move r{} r{memory}", first + arguments));
            arguments += 1;
        }
        self.put(format_args!("call-function r{first} {arguments} {results} {place}"));
        self.height += results;
        Ok(())
    }

    /// The address on the top becomes what memory holds there.
    fn load(&mut self, access: Access) {
        self.pop();
        let (address, memory, size) = (self.above(0), self.above(1), self.above(2));
        self.put(format_args!("add-integer r{address} r{address} {}", access.offset));
        self.put(format_args!("move r{memory} r{}", self.function.parameters.len()));
        self.put(format_args!("integer r{size} {}", access.bytes));
        self.call_prelude("load", address, 3, 1);
        match access.kind {
            Type::Float => {
                self.prelude("wrap", 1, 64, 1);
                self.prelude("float_of", 1, 0, 1);
            }
            Type::Integer(width) if access.is_signed || access.bytes * 8 == width => {
                self.prelude("wrap", 1, access.bytes * 8, 1);
            }
            Type::Integer(_) => {}
        }
        self.height += 1;
    }

    fn store(&mut self, access: Access) {
        self.pop();
        if access.kind == Type::Float {
            self.prelude("bits_of", 1, 0, 1);
        }
        self.pop();
        let (address, memory, size) = (self.above(0), self.above(2), self.above(3));
        self.put(format_args!("add-integer r{address} r{address} {}", access.offset));
        self.put(format_args!("move r{memory} r{}", self.function.parameters.len()));
        self.put(format_args!("integer r{size} {}", access.bytes));
        self.call_prelude("store", address, 4, 0);
    }

    fn call_prelude(&mut self, name: &str, first: usize, arguments: usize, results: usize) {
        let index = self.prelude.get(name).copied().unwrap_or_default();
        self.put(format_args!("call-function r{first} {arguments} {results} {index}"));
    }
}
