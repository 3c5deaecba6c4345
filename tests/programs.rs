//! Properties of programs: generated ones verify, and mutants of them are refused or keep every law, without a panic.
//!
//! `KERAI_SEED` names another seed; the seed in use is printed.

use kerai_tests::property::{Random, Run};
use kerai_vm::bytecode::{
    Builtin, Certificate, Class, Constant, Exit, Function, Grounds, Limits, Merging, Op, Operand, Order, PROFILE,
    Place, Program, ProgramKind, Role, Rule, SPREAD, Verified, Word,
};
use kerai_vm::encoding::{Options, cbor, json};
use kerai_vm::execute::Machine;
use kerai_vm::number::Number;
use kerai_vm::trap::Trap;
use kerai_vm::value::Value;

/// Registers of every generated function.
const REGISTERS: u8 = 12;

/// Makes programs that pass the verifier: code from the instruction table, by the roles of operands.
struct Maker<'r> {
    random: &'r mut Random,
    constants: Vec<Constant>,
    /// Captures of each function, chosen before any code, for calls may go forward.
    captures: Vec<u8>,
}

/// A function that is being made: its code, and which registers hold a value here.
#[derive(Default)]
struct Body {
    code: Vec<Word>,
    assigned: Vec<bool>,
    captures: u8,
}

impl Body {
    fn holds(&self, register: u64) -> bool {
        self.assigned.get(register as usize).is_some_and(|&assigned| assigned)
    }

    /// How many registers from this one on hold values.
    fn run(&self, register: u64) -> u64 {
        (register..u64::from(REGISTERS)).take_while(|&register| self.holds(register)).count() as u64
    }

    fn assign(&mut self, first: u64, count: u64) {
        self.assigned.iter_mut().skip(first as usize).take(count as usize).for_each(|assigned| *assigned = true);
    }

    fn put(&mut self, op: Op, a: u8, b: u8, wide: usize) {
        self.code.push(Word::new(op, a, b, 0, wide as u32));
    }

    fn aim(&mut self, at: usize, target: usize) {
        let target_operand = Operand { place: Place::Wide, role: Role::Target };
        if let Some(word) = self.code.get_mut(at) {
            *word = word.with(target_operand, target as u32);
        }
    }
}

/// What a program of this kind may say beside its code.
fn merging(random: &mut Random, kind: ProgramKind) -> Merging {
    if kind != ProgramKind::Fold {
        return Merging::default();
    }
    let key = (0..random.below(3)).map(|number| format!("name {number}")).collect();
    let order = *random.pick(Order::ALL);
    // What was only tried is taken at its word here: what can be derived of code by chance is nothing.
    let tested = Certificate { class: Class::Monoid, grounds: Grounds::Tested { trials: random.below(1000), seed: 7 } };
    Merging { order, key, certificate: (order == Order::Join).then_some(tested) }
}

impl Maker<'_> {
    fn program(random: &mut Random) -> Program {
        let captures: Vec<u8> = (0..=random.below(3)).map(|number| (random.below(3) * number.min(1)) as u8).collect();
        let mut maker = Maker { random, constants: Vec::new(), captures: captures.clone() };
        let functions: Vec<Function> = captures.iter().map(|&captures| maker.function(captures)).collect();
        let gas = maker.random.below(Limits::DEFAULT.gas);
        let kind = *maker.random.pick(ProgramKind::ALL);
        Program {
            profile: PROFILE,
            kind,
            constants: maker.constants,
            functions,
            exports: ["main", "lift", "join"].map(|name| (name.to_owned(), 0)).into(),
            limits: if gas.is_multiple_of(2) { Limits::DEFAULT } else { Limits { gas, ..Limits::DEFAULT } },
            rules: vec![Rule { id: "rule-1".into(), reason: "a \"reason\"\n".into() }],
            merging: merging(maker.random, kind),
        }
    }

    fn function(&mut self, captures: u8) -> Function {
        let (parameters, is_variadic) = (1 + self.random.below(3), self.random.below(4) == 0);
        let mut body = Body { captures, assigned: vec![false; REGISTERS.into()], ..Body::default() };
        body.assign(0, parameters + u64::from(is_variadic));
        self.block(&mut body, 2);
        self.leave(&mut body);
        Function { parameters: parameters as u8, is_variadic, registers: REGISTERS, captures, code: body.code }
    }

    fn block(&mut self, body: &mut Body, depth: u8) {
        for _ in 0..=self.random.below(4) {
            match self.random.below(if depth == 0 { 5 } else { 8 }) {
                5 => self.choice(body, depth - 1),
                6 => self.counting(body, depth - 1),
                7 => self.walking(body, depth - 1),
                _ => self.straight(body),
            }
        }
    }

    fn leave(&mut self, body: &mut Body) {
        let register = self.held(body);
        if self.random.below(5) == 0 {
            body.put(Op::Raise, register as u8, 0, 0);
        } else {
            let count = self.random.below(body.run(register) + 1);
            body.put(Op::Return, register as u8, count as u8, 0);
        }
    }

    /// Two ways that meet again: each ends with a jump, so that nothing falls into a target.
    fn choice(&mut self, body: &mut Body, depth: u8) {
        let is_test = |op: &&Op| {
            let information = op.information();
            let is_plain = |operand: &Operand| !matches!(operand.role, Role::Cursor | Role::Counter);
            information.exit == Exit::Branch && information.operands.iter().all(is_plain)
        };
        let tests: Vec<Op> = Op::ALL.iter().filter(is_test).copied().collect();
        let test = *self.random.pick(&tests);
        let Some(word) = self.word(body, test) else { return };
        let branch = body.code.len();
        body.code.push(word);
        let before = body.assigned.clone();
        self.block(body, depth);
        let is_left = self.random.below(4) == 0;
        let first_end = body.code.len();
        if is_left {
            self.leave(body);
        } else {
            body.put(Op::Jump, 0, 0, 0);
        }
        body.aim(branch, body.code.len());
        let first = core::mem::replace(&mut body.assigned, before);
        self.block(body, depth);
        body.put(Op::Jump, 0, 0, body.code.len() + 1);
        if !is_left {
            body.aim(first_end, body.code.len());
            body.assigned.iter_mut().zip(first).for_each(|(second, first)| *second &= first);
        }
    }

    /// A counting loop.
    fn counting(&mut self, body: &mut Body, depth: u8) {
        let base = REGISTERS - 4;
        for register in base..base + 3 {
            body.put(Op::Integer, register, 0, 1 + usize::from(register - base) % 2);
        }
        body.assign(base.into(), 3);
        let start = body.code.len();
        body.put(Op::Loop, base, 0, 0);
        let before = body.assigned.clone();
        body.assign(u64::from(base) + 3, 1);
        self.block(body, depth);
        body.put(Op::Again, base, 0, start + 1);
        body.aim(start, body.code.len());
        body.assigned = before;
    }

    /// A walk over the keys of a table.
    fn walking(&mut self, body: &mut Body, depth: u8) {
        let (base, table) = (REGISTERS - 4, self.held(body) as u8);
        body.put(Op::Keys, base, table, 0);
        body.put(Op::Integer, base + 1, 0, 0);
        body.assign(base.into(), 2);
        let start = body.code.len();
        body.put(Op::Jump, 0, 0, 0);
        let before = body.assigned.clone();
        self.block(body, depth);
        body.put(Op::Jump, 0, 0, body.code.len() + 1);
        let end = body.code.len();
        body.aim(start, end);
        body.put(Op::Each, base, table, start + 1);
        body.assigned = before;
    }

    /// One instruction that goes on to the next.
    fn straight(&mut self, body: &mut Body) {
        let op = *self.random.pick(Op::ALL);
        if op.information().exit == Exit::Next
            && let Some(word) = self.word(body, op)
        {
            body.code.push(word);
            for operand in op.information().operands.iter().filter(|operand| operand.role == Role::Write) {
                body.assign(word.get(*operand).into(), 1);
            }
            let results = op.information().operands.iter().find(|operand| operand.role == Role::Results);
            if let Some(results) = results.map(|results| word.get(*results)) {
                body.assign(word.a().into(), if results == 255 { 1 } else { results.into() });
            }
        }
    }

    /// A register that holds a value; parameters always do.
    fn held(&mut self, body: &Body) -> u64 {
        let register = self.random.below(REGISTERS.into());
        if body.holds(register) { register } else { 0 }
    }

    /// The instruction with fitting operands, if what it needs is there.
    fn word(&mut self, body: &Body, op: Op) -> Option<Word> {
        let base = self.held(body);
        let mut count = self.random.below(body.run(base) + 1);
        let mut is_spread = count > 0 && self.random.below(5) == 0;
        let mut word = Word::new(op, 0, 0, 0, 0);
        let operands = op.information().operands;
        // What a builtin or function wants decides the arguments, which stand before it.
        for &operand in operands {
            match operand.role {
                Role::Builtin => {
                    let builtin = *self.random.pick(Builtin::ALL);
                    let (least, most) = builtin.arguments();
                    // Where there is no most, more than there are registers can't be given.
                    let most = most.min(least.saturating_add(REGISTERS));
                    (count, is_spread) = (self.random.below(u64::from(most - least) + 1) + u64::from(least), false);
                    word = word.with(operand, builtin.number());
                }
                Role::Function => {
                    let function = self.random.below(self.captures.len() as u64);
                    let captures = self.captures.get(function as usize).copied()?;
                    if op == Op::Closure {
                        (count, is_spread) = (captures.into(), false);
                    } else if captures != 0 {
                        return None;
                    }
                    word = word.with(operand, function as u32);
                }
                Role::Write | Role::Read | Role::Base | Role::Arguments | Role::Results | Role::Cursor => {}
                Role::Counter | Role::Flag | Role::Small | Role::Integer | Role::Constant | Role::Name => {}
                Role::Capture | Role::Target => {}
            }
        }
        if operands.iter().any(|operand| operand.role == Role::Base) && count > body.run(base) {
            return None;
        }
        for &operand in operands {
            let bits = match operand.role {
                Role::Write => self.random.below(REGISTERS.into()) as u32,
                Role::Read => self.held(body) as u32,
                Role::Base => base as u32,
                Role::Arguments => count as u32 | if is_spread { SPREAD.into() } else { 0 },
                Role::Results => match self.random.below(5) {
                    4 => 255,
                    results => results.min(u64::from(REGISTERS) - base) as u32,
                },
                Role::Flag => self.random.below(2) as u32,
                Role::Small => u32::from(self.random.next() as u16),
                Role::Integer => self.random.next() as u32,
                Role::Constant => self.constant(false),
                Role::Name => self.constant(true),
                Role::Capture if body.captures == 0 => return None,
                Role::Capture => self.random.below(body.captures.into()) as u32,
                Role::Function | Role::Builtin | Role::Target | Role::Cursor | Role::Counter => continue,
            };
            word = word.with(operand, bits);
        }
        Some(word)
    }

    /// A constant's index: each stands once, in the order of first use.
    fn constant(&mut self, is_name: bool) -> u32 {
        let small = self.random.below(6);
        let text = *self.random.pick(&["a", "é", "two words", "\u{0}\n\"\\", "amount", ""]);
        let constant = match self.random.below(if is_name { 2 } else { 6 }) {
            0 => Constant::String(text.as_bytes().into()),
            1 => Constant::String([0xff, small as u8].into()),
            2 => Constant::Number(Number::new(small as i128 * 7 - 9, small as u32).unwrap_or(Number::ZERO)),
            3 => {
                Constant::Float(*self.random.pick(&[0, 1 << 63, 0x7ff0 << 48, 0x7ff8 << 48, 0x3fb9_9999_9999_999a, 1]))
            }
            4 => Constant::Fixed(Box::new(*self.random.pick(&[0, 1, -1, 1 << 63, i128::MAX, i128::MIN]))),
            _ => Constant::Bytes(vec![small as u8; small as usize]),
        };
        let known = self.constants.iter().position(|known| *known == constant);
        known.unwrap_or_else(|| {
            self.constants.push(constant);
            self.constants.len() - 1
        }) as u32
    }
}

/// Changes a program's code, and sometimes its other parts.
fn mutate(random: &mut Random, program: &mut Program) {
    let constants = program.constants.len() as u64;
    let number = random.below(program.functions.len() as u64) as usize;
    let Some(function) = program.functions.get_mut(number) else { return };
    let at = random.below(function.code.len() as u64) as usize;
    let other = random.below(function.code.len() as u64) as usize;
    let Some(word) = function.code.get_mut(at) else { return };
    match random.below(12) {
        0 => *word = Word(word.0 & !0xff | u64::from(random.pick(Op::ALL).information().byte)),
        1..=3 => *word = Word(word.0 ^ 1 << random.below(64)),
        4 => *word = Word(word.0 & !0xff00 | random.below(16) << 8),
        5 => *word = Word(word.0 & !0x00ff_0000 | random.below(16) << 16),
        6 => *word = Word(word.0 & 0xffff_ffff | random.below(40) << 32),
        7 => function.code.swap(at, other),
        8 => {
            function.code.remove(at);
        }
        9 => function.registers = random.below(20) as u8,
        10 if constants > 0 => program.constants.swap(0, random.below(constants) as usize),
        10 => function.captures ^= 1,
        _ => {
            program.constants.pop();
        }
    }
}

fn assert_laws(bytes: &[u8], program: &Program) {
    assert_eq!(program.encode().as_deref(), Ok(bytes), "accepted, but it encodes differently");
    let text = program.to_text();
    assert_eq!(Program::from_text(&text).as_ref(), Ok(program), "{text}");
}

/// Mutants that decode, of all: fewer, and the mutations test the decoder alone.
const LEAST_DECODED: f64 = 0.2;

/// A way to call an export.
type Way<'p> = fn(&mut Machine<'p>, &str, &[Value]) -> Option<Result<Vec<Value>, Trap>>;

/// What came of calling every export: results as they are shown, or the trap, and the gas.
fn runs<'p>(program: &'p Verified, seed: u64, limits: Limits, way: Way<'p>) -> Vec<(Result<Vec<String>, Trap>, u64)> {
    let mut machine = Machine::new(program, seed, limits);
    let arguments = br#"[7, "text", {"a": [1, 2.5], "b": {}}, [3, 1, 2]]"#;
    let mut outcomes = Vec::new();
    for export in program.program().exports.keys() {
        let list = json::decode(machine.heap(), arguments, &Options::CANONICAL).expect("a document");
        let arguments = machine.values().items(list).expect("a list").to_vec();
        let result = way(&mut machine, export, &arguments).expect("an export");
        let shown = result.map(|values| values.iter().map(|&value| shown(&machine, value)).collect());
        outcomes.push((shown, machine.gas_used()));
    }
    outcomes
}

/// The value's snapshot in hexadecimal digits, or why it has none.
fn shown(machine: &Machine, value: Value) -> String {
    let mut out = Vec::new();
    match cbor::encode(machine.values(), value, &Options::SNAPSHOT, &mut out) {
        Ok(()) => out.iter().map(|byte| format!("{byte:02x}")).collect(),
        Err(refusal) => refusal.to_string(),
    }
}

/// Whatever is verified can be run: it ends, and in the same way whatever spreads the hashes, quickly or plainly.
fn assert_runs(program: &Verified) {
    assert_runs_within(program, Limits { gas: 20_000, memory: 1 << 20, ..Limits::DEFAULT });
}

fn assert_runs_within(program: &Verified, limits: Limits) {
    let quickly = runs(program, 1, limits, Machine::call);
    assert_eq!(quickly, runs(program, 2, limits, Machine::call));
    let plainly = runs(program, 2, limits, Machine::call_plainly);
    assert_eq!(quickly, plainly, "{}\n{limits:?}", program.program().to_text());
}

/// A program with a loop that does little but put a value into a list, at positions, from places and into lists of all
/// sorts: most of its rounds can be run at once, and some only seem so.
fn filling(random: &mut Random) -> String {
    let mut mostly = |usual: u64, others: u64| if random.below(8) > 0 { usual } else { random.below(others) };
    let (table, key, value, made) = (mostly(0, 9), mostly(5, 9), mostly(6, 9), mostly(6, 9));
    let (first, by, hole) = (mostly(1, 6) as i64 - 1, mostly(1, 9) as i64 - 1, mostly(0, 40));
    let (items, limit, first) = (random.below(40), random.below(60), first + random.below(3) as i64);
    let by = if random.below(2) == 0 { 1 } else { by + random.below(4) as i64 };
    let hole = if hole == 0 { String::new() } else { format!("integer r7 {hole}\n set r0 r7 r8\n") };
    let made = match random.below(4) {
        0 => String::new(),
        1 => format!("bool r{made} true\n"),
        2 => format!("bool r{made} false\n"),
        _ => format!("nil r{made}\n"),
    };
    let begins = if random.below(8) > 0 { "loop r2 @end" } else { "jump @go" };
    format!(
        "profile 1\nkind words\nexport run 0\nfunction 0 parameters 0 registers 9\n\
         table r0 r0 0\n bool r1 true\n integer r2 1\n integer r3 {items}\n integer r4 1\n integer r5 0\n\
         integer r6 5\n integer r7 3\n nil r8\n loop r2 @filled\n\
         @fill:\n set r0 r5 r1\n again r2 @fill\n\
         @filled:\n {hole} integer r2 {first}\n integer r3 {limit}\n integer r4 {by}\n {begins}\n\
         @go:\n {made} set r{table} r{key} r{value}\n again r2 @go\n\
         @end:\n return r0 9\n"
    )
}

/// A program whose function of one argument answers some at once, and else calls itself: or only seems to.
fn answering(random: &mut Random) -> String {
    let mut mostly = |usual: u64, others: u64| if random.below(8) > 0 { usual } else { random.below(others) };
    let (compared, given, returned, made) = (mostly(0, 2), mostly(1, 3), mostly(0, 2), mostly(0, 2));
    let (results, count) = (mostly(1, 4), mostly(1, 3));
    let compares = *random.pick(&["less", "at-most", "equal"]);
    let small = random.below(7) as i64 - 2;
    let made = match random.below(3) {
        0 => String::new(),
        1 => format!("integer r{made} -7\n"),
        _ => format!("bool r{made} true\n"),
    };
    let argument = match random.below(8) {
        0 => "nil r0\n".to_owned(),
        1 => "constant r0 2.5\n".to_owned(),
        2 => "constant r0 -9223372036854775808\n".to_owned(),
        _ => format!("integer r0 {}\n", random.below(9) as i64 - 1),
    };
    format!(
        "profile 1\nkind words\nexport run 0\nfunction 0 parameters 0 registers 4\n\
         {argument} integer r1 1\n integer r2 2\n integer r3 3\n call-function r0 {given} {results} 1\n return r0 4\n\
         function 1 parameters 1 registers 3\n integer r1 5\n integer r2 6\n jump @begin\n\
         @begin:\n call-function r0 1 1 2\n return r0 1\n\
         function 2 parameters 1 registers 3\n unless-{compares}-integer r{compared} {small} @go\n\
         {made} return r{returned} {count}\n\
         @go:\n add-integer r1 r0 -1\n call-function r1 1 1 2\n add r1 r1 r0\n return r1 1\n"
    )
}

#[test]
fn answers_at_once_are_what_calls_give() {
    let run = Run::new("answers at once", 20_000, 1_000_000);
    let mut random = Random::new(run.seed);
    let (mut verified, mut ended) = (0_u64, 0_u64);
    run.each(|_| {
        let text = answering(&mut random);
        let program = Program::from_text(&text).unwrap_or_else(|refusal| panic!("{refusal}\n{text}"));
        // Some read what was not written.
        let Ok(program) = program.verify() else { return };
        verified += 1;
        let limits = Limits { gas: random.below(120), depth: 1 + random.below(8), ..Limits::DEFAULT };
        assert_runs_within(&program, limits);
        ended += u64::from(runs(&program, 1, limits, Machine::call).iter().all(|(result, _)| result.is_ok()));
    });
    assert!(verified > 0 && ended > verified / 20, "{ended} of {verified} came to an end");
}

/// A program with a loop that leaves some of its rounds out: or only seems to.
fn leaving_out(random: &mut Random) -> String {
    let mut mostly = |usual: u64, others: u64| if random.below(8) > 0 { usual } else { random.below(others) };
    let (asked, counter, back) = (mostly(6, 8), mostly(2, 4), mostly(0, 2));
    let number = |random: &mut Random, least: i64, count: u64| match random.below(16) {
        0 => "constant r{} 1.5".to_owned(),
        1 => "constant r{} 9223372036854775805".to_owned(),
        2 => "nil r{}".to_owned(),
        _ => format!("integer r{{}} {}", least + random.below(count) as i64),
    };
    let put = |register: u64, text: String| text.replacen("{}", &register.to_string(), 1);
    let (first, limit, by) = (number(random, -2, 6), number(random, 0, 12), number(random, 1, 3));
    let (first, limit, by) = (put(2, first), put(3, limit), put(4, by));
    let made = match random.below(4) {
        0 => "less r6 r5 r7",
        1 => "equal r6 r5 r7",
        2 => "modulo r6 r5 r7\n equal r6 r6 r8",
        _ => "get r6 r9 r5",
    };
    let (divisor, back) = (random.below(4), if back == 0 { "go" } else { "begin" });
    format!(
        "profile 1\nkind words\nexport run 0\nfunction 0 parameters 0 registers 10\n\
         integer r1 0\n {first}\n {limit}\n {by}\n integer r5 0\n bool r6 true\n integer r7 {divisor}\n\
         integer r8 0\n table r9 r9 0\n set-item r9 r6 1\n set-item r9 r1 2\n jump @begin\n\
         @begin:\n loop r2 @end\n\
         @go:\n {made}\n unless r{asked} @next\n add r1 r1 r5\n jump @next\n\
         @next:\n again r{counter} @{back}\n\
         @end:\n return r1 5\n"
    )
}

#[test]
fn rounds_left_out_are_what_their_instructions_are() {
    let run = Run::new("rounds left out", 20_000, 1_000_000);
    let mut random = Random::new(run.seed);
    let (mut verified, mut ended) = (0_u64, 0_u64);
    run.each(|_| {
        let text = leaving_out(&mut random);
        let program = Program::from_text(&text).unwrap_or_else(|refusal| panic!("{refusal}\n{text}"));
        // Some read what was not written.
        let Ok(program) = program.verify() else { return };
        verified += 1;
        let limits = Limits { gas: random.below(150), ..Limits::DEFAULT };
        assert_runs_within(&program, limits);
        ended += u64::from(runs(&program, 1, limits, Machine::call).iter().all(|(result, _)| result.is_ok()));
    });
    assert!(verified > 0 && ended > verified / 20, "{ended} of {verified} came to an end");
}

#[test]
fn loops_that_fill_are_what_their_rounds_are() {
    let run = Run::new("loops that fill", 20_000, 1_000_000);
    let mut random = Random::new(run.seed);
    let mut ended = 0_u64;
    run.each(|_| {
        let text = filling(&mut random);
        let program = Program::from_text(&text).map(Program::verify);
        let Ok(Ok(program)) = program else { panic!("{program:?}\n{text}") };
        let limits = Limits { gas: 50 + random.below(500), memory: 64 + random.below(6_000), ..Limits::DEFAULT };
        assert_runs_within(&program, limits);
        ended += u64::from(runs(&program, 1, limits, Machine::call).iter().all(|(result, _)| result.is_ok()));
    });
    assert!(ended > 0, "no loop came to its end");
}

#[test]
fn mutants_are_refused_or_keep_the_laws() {
    let run = Run::new("mutants of programs", 50_000, 10_000_000);
    let mut random = Random::new(run.seed);
    let (mut mutants, mut decoded, mut verified) = (0_u64, 0_u64, 0_u64);
    let mut program = Maker::program(&mut random);
    run.each(|number| {
        if number.is_multiple_of(8) {
            program = Maker::program(&mut random);
            let bytes = program.encode().expect("what is small is encoded");
            assert_eq!(Program::decode(&bytes).as_ref(), Ok(&program));
            assert_laws(&bytes, &program);
            let result = program.clone().verify();
            match result {
                Ok(verified) => assert_runs(&verified),
                Err(refusal) => panic!("{refusal}\n{}", program.to_text()),
            }
        }
        let mut mutant = program.clone();
        for _ in 0..=random.below(3) {
            mutate(&mut random, &mut mutant);
            if mutant.functions.iter().any(|function| function.code.is_empty()) {
                break;
            }
        }
        let mut bytes = mutant.encode().expect("what is small is encoded");
        if random.below(4) == 0 {
            let place = random.below(bytes.len() as u64) as usize;
            bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= 1 << random.below(8));
        }
        mutants += 1;
        if let Ok(mutant) = Program::decode(&bytes) {
            decoded += 1;
            assert_laws(&bytes, &mutant);
            if let Ok(mutant) = mutant.verify() {
                verified += 1;
                assert_runs(&mutant);
            }
        }
    });
    println!("{mutants} mutants: {decoded} decoded, {verified} verified");
    assert!(decoded as f64 >= mutants as f64 * LEAST_DECODED, "only {decoded} of {mutants} mutants decoded");
}

/// Pieces that a hand might leave in a text.
const PIECES: &[&str] = &[
    "\"",
    "\\",
    " ",
    "\n",
    "@",
    "@2:",
    "#",
    "$0",
    "...",
    "all",
    "-",
    "0",
    "r",
    ".",
    "\t",
    "function ",
    "word 0x",
    "é",
    ")",
];

#[test]
fn mutated_texts_are_refused_or_say_a_program() {
    let run = Run::new("mutants of texts", 20_000, 2_000_000);
    let mut random = Random::new(run.seed);
    let (mut text, mut read) = (Vec::new(), 0_u64);
    run.each(|number| {
        if number.is_multiple_of(8) {
            text = Maker::program(&mut random).to_text().into_bytes();
        }
        let mut mutant = text.clone();
        for _ in 0..=random.below(2) {
            let start = random.below(mutant.len() as u64 + 1) as usize;
            let end = (start + random.below(4) as usize).min(mutant.len());
            mutant.splice(start..end, random.pick(PIECES).bytes());
        }
        if let Ok(program) = Program::from_text(&String::from_utf8_lossy(&mutant)) {
            read += 1;
            assert_laws(&program.encode().expect("what was read is encoded"), &program);
        }
    });
    println!("{read} mutants were read");
    assert!(read > 0, "no mutant was read");
}
