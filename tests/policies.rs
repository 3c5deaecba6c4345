//! Policies on generated rules and requests: compiled as naive, with the index and without; and what is left out of a
//! request never opens the gate.

use kerai_compiler::explain::Examiner;
use kerai_compiler::price::Unpriced;
use kerai_compiler::syntax::policy::check;
use kerai_compiler::syntax::policy::tree::{Policy, Rules};
use kerai_golden::policy::naive::{self, Datum};
use kerai_golden::policy::{agreed, in_order, indexed, price, priced, pricing as compiled_prices};
use kerai_tests::property::{Random, Run};
use kerai_vm::bytecode::{Builtin, Limits, Program};
use kerai_vm::execute::Machine;
use kerai_vm::number::Number;
use kerai_vm::value::Value;
use std::collections::BTreeMap;

/// How many requests each policy is asked.
const REQUESTS: u64 = 100;

const INPUTS: &str = "inputs:
    intent: string
    path: path
    actor: string
    n: number
    m: number
    tags: [string]
    nums: [number]
    flag: bool
    any: any
    who: { \"*\": { level: number } }
    rec: { a: string, b: number }
constants: { two: 2, names: [ann, bob] }
";

const TEXTS: &[&str] =
    &["ann", "bob", "a", "a/b", "a/b/c", "a/bc", "b/x/c", "read", "write", "10.0.0.1", "10.0.0.0/8", ""];
const FORMS: &[&str] = &["a/**", "a/b/**", "a/*", "**/c", "a/b", "*/x/*", "**", "b/x/c", "a/b/c/**"];
const NUMBERS: &[&str] = &["0", "1", "2", "-1", "0.5", "170141183460469231731"];

struct Writer {
    random: Random,
}

impl Writer {
    fn chance(&mut self, of: u64) -> bool {
        self.random.below(of) == 0
    }

    fn quoted(&mut self) -> String {
        format!("'{}'", self.random.pick(TEXTS))
    }

    fn text(&mut self) -> String {
        match self.random.below(9) {
            0..=3 => (*self.random.pick(&["intent", "path", "actor", "rec.a"])).to_owned(),
            4 => (*self.random.pick(&["any", "any.x", "any[actor]"])).to_owned(),
            5 => format!("lower({})", self.random.pick(&["actor", "rec['a']", "any"])),
            _ => self.quoted(),
        }
    }

    fn number(&mut self, depth: u64) -> String {
        match self.random.below(if depth == 0 { 7 } else { 9 }) {
            0..=2 => (*self.random.pick(&["n", "m", "rec.b", "two"])).to_owned(),
            3 => (*self.random.pick(&["who[actor].level", "who.ann.level", "any.x", "any"])).to_owned(),
            4 => format!("size({})", self.random.pick(&["tags", "actor", "any", "nums"])),
            5 | 6 => (*self.random.pick(NUMBERS)).to_owned(),
            _ => {
                let operator = *self.random.pick(&["+", "-", "*", "/", "//", "%"]);
                format!("({} {operator} {})", self.number(depth - 1), self.number(depth - 1))
            }
        }
    }

    fn atom(&mut self) -> String {
        let order = *self.random.pick(&["==", "!=", "<", "<=", ">", ">="]);
        match self.random.below(14) {
            0 | 1 => format!("{} {order} {}", self.number(2), self.number(2)),
            2 | 3 => format!("{} {order} {}", self.text(), self.text()),
            4 => format!(
                "{} {} {}",
                self.random.pick(&["tags", "any", "any.x"]),
                self.random.pick(&["includes", "contains"]),
                self.text()
            ),
            5 => format!("nums includes {}", self.number(1)),
            6 => format!(
                "{} in {}",
                self.text(),
                self.random.pick(&["names", "tags", "any", "['a', actor, 'b']", "who"])
            ),
            7 => format!("{} matches '{}'", self.random.pick(&["path", "actor", "any.x"]), self.random.pick(FORMS)),
            8 => format!(
                "{} in_cidr {}",
                self.random.pick(&["actor", "any", "'10.1.1.1'"]),
                self.random.pick(&["'10.0.0.0/8'", "intent", "'::/0'"])
            ),
            9 => format!(
                "{} {} {}",
                self.text(),
                self.random.pick(&["starts_with", "ends_with", "contains"]),
                self.text()
            ),
            10 => format!(
                "has {}",
                self.random.pick(&["intent", "any.x", "who[actor]", "who[actor].level", "rec", "tags"])
            ),
            11 => (*self.random.pick(&["flag", "any", "any.x", "true", "false", "flag == any.x"])).to_owned(),
            12 => format!("who {} {}", self.random.pick(&["includes", "contains"]), self.text()),
            _ => format!("({}) == flag", self.simple()),
        }
    }

    fn simple(&mut self) -> String {
        format!("{} < {}", self.number(1), self.number(1))
    }

    fn condition(&mut self, depth: u64) -> String {
        if depth == 0 {
            return self.atom();
        }
        match self.random.below(8) {
            0 | 1 => format!("({} and {})", self.condition(depth - 1), self.condition(depth - 1)),
            2 | 3 => format!("({} or {})", self.condition(depth - 1), self.condition(depth - 1)),
            4 => format!("not ({})", self.condition(depth - 1)),
            _ => self.atom(),
        }
    }

    fn conditions(&mut self) -> String {
        let count = 1 + self.random.below(2);
        let conditions: Vec<String> = (0..count).map(|_| format!("\"{}\"", self.condition(2))).collect();
        format!("[{}]", conditions.join(", "))
    }

    fn when(&mut self) -> String {
        let path = |writer: &mut Self| match writer.random.below(3) {
            0 => format!("[\"{}\", \"{}\"]", writer.random.pick(FORMS), writer.random.pick(FORMS)),
            _ => format!("\"{}\"", writer.random.pick(FORMS)),
        };
        match self.random.below(7) {
            0 => self.conditions(),
            1 => format!("{{ intent: \"{}\" }}", self.random.pick(TEXTS)),
            2 => format!("{{ intent: [read, write], path: {} }}", path(self)),
            3 => format!("{{ actor: [\"{}\", bob] }}", self.random.pick(TEXTS)),
            _ => format!("{{ path: {} }}", path(self)),
        }
    }

    fn rule(&mut self) -> String {
        let mut text = String::new();
        if !self.chance(4) {
            text.push_str(&format!("      when: {}\n", self.when()));
        }
        let parts = self.random.below(5);
        if parts != 0 {
            text.push_str(&format!("      allow_if: {}\n", self.conditions()));
        }
        if parts == 0 || parts == 1 {
            text.push_str(&format!("      deny_if: {}\n", self.conditions()));
        }
        text
    }

    /// The same rule with other texts and forms.
    fn alike(&mut self, rule: &str) -> String {
        let pick = |writer: &mut Self, part: &str| match part {
            _ if FORMS.contains(&part) => (*writer.random.pick(FORMS)).to_owned(),
            // An address must stay one where a network is wanted, and nothing stands between two quotes of two kinds.
            _ if part.is_empty() || part.starts_with("10.") => part.to_owned(),
            _ if TEXTS.contains(&part) => (*writer.random.pick(TEXTS)).to_owned(),
            _ => part.to_owned(),
        };
        let mut text = String::new();
        for part in rule.split_inclusive(['\'', '"']) {
            let (part, quote) = part.split_at(part.len() - usize::from(part.ends_with(['\'', '"'])));
            text.push_str(&pick(self, part));
            text.push_str(quote);
        }
        text
    }

    fn policy(&mut self) -> String {
        let mut rules = Vec::new();
        for _ in 0..=self.random.below(12) {
            rules.push(self.rule());
        }
        if self.chance(3) {
            let first = self.rule();
            for _ in 0..8 + self.random.below(20) {
                rules.push(self.alike(&first));
            }
        }
        let mut text = format!("{INPUTS}rules:\n");
        for (number, rule) in rules.iter().enumerate() {
            text.push_str(&format!("    - id: r{number}\n{rule}"));
        }
        text
    }

    /// A number as a price list has it: plain, or computed.
    fn cost(&mut self) -> String {
        match self.random.below(3) {
            0 => format!("\"{}\"", self.number(1)),
            _ => (*self.random.pick(&["0", "1", "2", "0.5", "10", "-1", "2.25", "100000000000000000000"])).to_owned(),
        }
    }

    fn term(&mut self) -> String {
        let only_if = if self.chance(3) { format!(", if: {}", self.conditions()) } else { String::new() };
        let amount = match self.random.below(6) {
            0 => format!("base: {}", self.cost()),
            1 => format!("node: {}, op: {}", self.cost(), self.cost()),
            2 => format!("units: {{ of: {}, each: {} }}", self.cost(), self.cost()),
            3 => format!(
                "tiers: {{ of: {}, tiers: [{{ to: 1, each: {} }}, {{ to: 2.5, each: {} }}, {{ each: {} }}] }}",
                self.cost(),
                self.cost(),
                self.cost(),
                self.cost()
            ),
            4 => format!("percent: {}", self.cost()),
            _ => format!(
                "auction: {{ start: \"any\", decrement: \"m\", interval: \"n\", floor: {}, begin: {}, now: {} }}",
                self.cost(),
                self.cost(),
                self.cost()
            ),
        };
        format!("{{ {amount}{only_if} }}")
    }

    fn pricing(&mut self) -> String {
        let inputs = INPUTS.replace("    rec:", "    nodes: number\n    ops: number\n    rec:");
        let mut text = format!("{inputs}rules:\n");
        for number in 0..=self.random.below(6) {
            text.push_str(&format!("    - id: r{number}\n"));
            if self.chance(2) {
                text.push_str(&format!("      scope: {}\n", self.random.pick(&["a", "a/b", "b/x/c", "a/b/c"])));
            }
            if self.chance(2) {
                text.push_str(&format!("      when: {}\n", self.when()));
            }
            let terms: Vec<String> = (0..=self.random.below(3)).map(|_| self.term()).collect();
            text.push_str(&format!("      price: [{}]\n", terms.join(", ")));
            text.push_str(&format!("      rounding: {}\n", self.random.pick(&["up", "down", "half-even"])));
        }
        text
    }

    fn datum(&mut self, depth: u64) -> Datum {
        match self.random.below(if depth == 0 { 4 } else { 6 }) {
            0 => Datum::Nothing,
            1 => Datum::Bool(self.chance(2)),
            2 => self.number_datum(),
            3 => self.text_datum(),
            4 => Datum::List((0..self.random.below(3)).map(|_| self.datum(depth - 1)).collect()),
            _ => {
                let keys = ["x", "ann", "level", "a"];
                Datum::Map(
                    (0..self.random.below(3))
                        .map(|_| ((*self.random.pick(&keys)).to_owned(), self.datum(depth - 1)))
                        .collect(),
                )
            }
        }
    }

    fn number_datum(&mut self) -> Datum {
        let text = *self.random.pick(NUMBERS);
        Datum::Number(kerai_vm::number::parse_decimal(text.as_bytes()).unwrap_or(Number::from_i64(0)))
    }

    fn text_datum(&mut self) -> Datum {
        Datum::Text((*self.random.pick(TEXTS)).to_owned())
    }

    fn request(&mut self) -> Datum {
        let mut entries = BTreeMap::new();
        for name in ["intent", "path", "actor", "n", "m", "nodes", "ops", "tags", "nums", "flag", "any", "who", "rec"] {
            let datum = match (self.random.below(8), name) {
                (0, _) => continue,
                (1, _) | (_, "any") => self.datum(2),
                (_, "intent" | "path" | "actor") => self.text_datum(),
                (_, "n" | "m" | "nodes" | "ops") => self.number_datum(),
                (_, "tags") => Datum::List((0..self.random.below(3)).map(|_| self.text_datum()).collect()),
                (_, "nums") => Datum::List((0..self.random.below(3)).map(|_| self.number_datum()).collect()),
                (_, "flag") => Datum::Bool(self.chance(2)),
                (_, "who") => {
                    let level = Datum::Map([("level".to_owned(), self.number_datum())].into());
                    Datum::Map([("ann".to_owned(), level)].into())
                }
                _ => Datum::Map([("a".to_owned(), self.text_datum()), ("b".to_owned(), self.number_datum())].into()),
            };
            entries.insert(name.to_owned(), datum);
        }
        Datum::Map(entries)
    }
}

fn read(text: &str) -> Policy {
    check(text).unwrap_or_else(|found| {
        let lines: Vec<String> = found.iter().map(|found| found.describe(text)).collect();
        panic!("{text}\n{}", lines.join("\n"))
    })
}

#[test]
fn compiled_policies_decide_and_explain_as_the_naive_evaluator() {
    let run = Run::new("policies", 250, 100_000);
    let mut writer = Writer { random: Random::new(run.seed) };
    let (mut allowed, mut denied, mut prepared, mut policies) = (0_u64, 0_u64, 0_u64, 0_u64);
    run.each(|_| {
        policies += 1;
        let text = writer.policy();
        let policy = read(&text);
        let programs = [indexed(&policy).expect("it compiles"), in_order(&policy).expect("it compiles")];
        let mut examiners = programs.each_ref().map(|program| Examiner::new(&policy, program));
        prepared += u64::from(examiners.iter_mut().all(Examiner::prepare));
        let marks = examiners.each_mut().map(|examiner| examiner.heap().mark());
        for _ in 0..REQUESTS {
            let request = writer.request();
            let expected = naive::decide(&policy, &request);
            *(if expected.is_allowed { &mut allowed } else { &mut denied }) += 1;
            for (examiner, mark) in examiners.iter_mut().zip(marks) {
                let value = request.build(examiner.heap());
                agreed(examiner, value, &expected).unwrap_or_else(|fault| panic!("{text}\n{request:?}\n{fault}"));
                examiner.heap().rewind(mark);
            }
        }
    });
    println!(
        "{} pairs: {allowed} allowed, {denied} denied; {prepared} of {policies} policies prepared",
        allowed + denied
    );
    assert!(prepared * 4 > policies * 3, "most policies must be tried in both ways");
    assert!(allowed > denied / 50, "there must be enough of both to say something");
}

/// The request without one attribute, for each attribute at any depth.
fn without_one(datum: &Datum) -> Vec<Datum> {
    let mut fewer = Vec::new();
    match datum {
        Datum::Map(entries) => {
            for (name, value) in entries {
                let mut rest = entries.clone();
                rest.remove(name);
                fewer.push(Datum::Map(rest));
                for smaller in without_one(value) {
                    let mut changed = entries.clone();
                    changed.insert(name.clone(), smaller);
                    fewer.push(Datum::Map(changed));
                }
            }
        }
        Datum::List(items) => {
            for (place, item) in items.iter().enumerate() {
                for smaller in without_one(item) {
                    let mut changed = items.clone();
                    if let Some(item) = changed.get_mut(place) {
                        *item = smaller;
                    }
                    fewer.push(Datum::List(changed));
                }
            }
        }
        Datum::Nothing | Datum::Bool(_) | Datum::Number(_) | Datum::Text(_) | Datum::Other(_) => {}
    }
    fewer
}

#[test]
fn leaving_an_attribute_out_never_turns_a_denial_into_an_admission() {
    let run = Run::new("attributes left out", 200, 40_000);
    let mut writer = Writer { random: Random::new(run.seed ^ 1) };
    let mut count = 0_u64;
    run.each(|_| {
        let text = writer.policy();
        let policy = read(&text);
        let program = indexed(&policy).expect("it compiles");
        let mut examiner = Examiner::new(&policy, &program);
        let mark = examiner.heap().mark();
        for _ in 0..REQUESTS / 4 {
            let request = writer.request();
            let mut decide = |request: &Datum| {
                let value = request.build(examiner.heap());
                let answer = examiner.decide(value).expect("it answers").0;
                examiner.heap().rewind(mark);
                answer
            };
            if decide(&request) {
                continue;
            }
            for fewer in without_one(&request) {
                count += 1;
                assert!(!decide(&fewer), "{text}\n{request:?}\n{fewer:?}");
            }
        }
    });
    println!("{count} attributes were left out of requests that are denied");
}

#[test]
fn prices_are_those_of_the_naive_evaluator_and_never_fall_because_something_is_left_out() {
    let run = Run::new("prices", 60, 20_000);
    let mut writer = Writer { random: Random::new(run.seed ^ 2) };
    let (mut known, mut unknown, mut fewer_count) = (0_u64, 0_u64, 0_u64);
    run.each(|_| {
        let text = writer.pricing();
        let rules = kerai_compiler::syntax::policy::read(&text).unwrap_or_else(|found| {
            let lines: Vec<String> = found.iter().map(|found| found.describe(&text)).collect();
            panic!("{text}\n{}", lines.join("\n"))
        });
        let Rules::Pricing(pricing) = rules else { panic!("no price list: {text}") };
        let program = compiled_prices(&pricing).expect("it compiles");
        let mut machine = Machine::new(&program, 0, Limits::DEFAULT);
        let mark = machine.heap().mark();
        for _ in 0..REQUESTS / 4 {
            let request = writer.request();
            let mut ask = |request: &Datum| {
                let expected = price::price(&pricing, request);
                let value = request.build(machine.heap());
                priced(&mut machine, value, &expected).unwrap_or_else(|fault| panic!("{text}\n{request:?}\n{fault}"));
                machine.heap().rewind(mark);
                expected
            };
            let bill = ask(&request);
            *(if bill.verdict.is_ok() { &mut known } else { &mut unknown }) += 1;
            for fewer in without_one(&request) {
                fewer_count += 1;
                let less = ask(&fewer);
                let is_same = less == bill;
                let is_kept = is_same || matches!(&less.verdict, Err(unpriced) if *unpriced != Unpriced::NoRule);
                let is_kept = is_kept || bill.verdict.is_err() && less.verdict.is_err();
                assert!(is_kept, "{text}\n{request:?} {bill:?}\n{fewer:?} {less:?}");
            }
        }
    });
    println!("{known} priced, {unknown} not, {fewer_count} attributes left out");
    assert!(known > unknown / 20, "there must be enough of both to say something");
}

/// Every operation of conditions on its own: with an argument left out, or a part of one, it gives the same or nothing.
#[test]
fn every_operation_keeps_what_it_knows() {
    let total: Vec<Builtin> =
        Builtin::ALL.iter().copied().filter(|builtin| builtin.name().starts_with("total.")).collect();
    let mut random = Writer { random: Random::new(7) };
    let mut values: Vec<Datum> = (0..60).map(|_| random.datum(2)).collect();
    let texts = TEXTS.iter().chain(FORMS).chain(&["string", "list", "map", "number"]);
    values.extend(texts.map(|text| Datum::Text((*text).to_owned())));
    for builtin in total {
        let (count, _) = builtin.arguments();
        let name = builtin.name();
        let text = format!(
            "profile 1\nkind words\nexport f 0\n\nfunction 0 parameters {count} registers {count}\n    call-builtin r0 {count} 1 {name}\n    return r0 1\n"
        );
        let program = Program::from_text(&text).and_then(Program::verify).expect("it stands");
        let mut machine = Machine::new(&program, 0, Limits::DEFAULT);
        let mark = machine.heap().mark();
        let mut call = |arguments: &[&Datum]| {
            let arguments: Vec<Value> = arguments.iter().map(|datum| datum.build(machine.heap())).collect();
            let results =
                machine.call("f", &arguments).expect("it is exported").map(|results| results.first().copied());
            let result = results.map(|result| Datum::of(machine.values(), result.unwrap_or(Value::NIL)));
            machine.heap().rewind(mark);
            result.unwrap_or_else(|trap| panic!("{name} {trap}"))
        };
        // What is asked for a kind must be told one, which is never left out.
        let is_of = builtin == Builtin::TotalOf;
        for first in &values {
            for second in if count == 2 { values.as_slice() } else { &[Datum::Nothing] } {
                if is_of && !matches!(second, Datum::Text(_)) {
                    continue;
                }
                let arguments = [first, second];
                let arguments = arguments.get(..usize::from(count)).unwrap_or_default();
                let known = call(arguments);
                for place in 0..if is_of { 1 } else { arguments.len() } {
                    let mut less = vec![Datum::Nothing];
                    less.extend(arguments.get(place).map(|datum| without_one(datum)).unwrap_or_default());
                    for datum in &less {
                        let mut fewer = arguments.to_vec();
                        if let Some(argument) = fewer.get_mut(place) {
                            *argument = datum;
                        }
                        let found = call(&fewer);
                        assert!(is_less(&found, &known), "{name} {arguments:?} gives {known:?}, {fewer:?} {found:?}");
                    }
                }
            }
        }
    }
}

/// Whether a value says the same as another or less.
fn is_less(less: &Datum, more: &Datum) -> bool {
    match (less, more) {
        (Datum::Nothing, _) => true,
        (Datum::Map(less), Datum::Map(more)) => {
            less.iter().all(|(key, value)| more.get(key).is_some_and(|other| is_less(value, other)))
        }
        (Datum::List(less), Datum::List(more)) => {
            less.len() == more.len() && less.iter().zip(more).all(|(less, more)| is_less(less, more))
        }
        (less, more) => less == more,
    }
}

/// What is written in one form says what it said, and stays as it is.
#[test]
fn what_is_formatted_means_the_same_and_stays() {
    let run = Run::new("policies formatted", 200, 20_000);
    let mut writer = Writer { random: Random::new(run.seed ^ 3) };
    let compiled = |text: &str| {
        let source = kerai_compiler::Source::read(text.as_bytes()).expect("it is text");
        let compiled = kerai_compiler::compile(kerai_compiler::Language::Policy, &source);
        compiled.unwrap_or_else(|found| panic!("{text}\n{found:?}")).program.encode().expect("it encodes")
    };
    run.each(|number| {
        let text = if number % 2 == 0 { writer.policy() } else { writer.pricing() };
        let text = text.replace("rules:\n", "# what is decided\nrules:   # all of them\n\n\n  # the first\n");
        let formatted = kerai_compiler::syntax::policy::format(&text).expect("it is a policy");
        assert_eq!(formatted.matches('#').count(), text.matches('#').count(), "{text}\n{formatted}");
        assert_eq!(compiled(&text), compiled(&formatted), "{text}\n{formatted}");
        let again = kerai_compiler::syntax::policy::format(&formatted).expect("it is a policy");
        assert_eq!(formatted, again);
    });
}
