//! Cowlishaw's decimal cases: where an exact number has the one right answer, and what it does in the others' place.
//!
//! Each case is worked out digit by digit by a model, which says what kerai must give; whether that is also what the
//! case says decides between passed and different. A context's precision is a `quantize` after kerai's operation.

use crate::decimal_model::Decimal;
use crate::folder::{File, Folder};
use crate::json_facts::is_json_number;
use crate::judge::{Expected, Outcome, Report};
use crate::keep;
use crate::rules::Case;
use kerai_vm::number::{Number, NumberFault, Rounding, parse_decimal};
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// The places that exact numbers round to.
const PLACES: i64 = 18;
/// Quotients are worked out so far; the rest is only known to be there.
const CUT: i64 = -80;
/// Powers of more digits are not worked out.
const LONGEST_POWER: usize = 80;

#[derive(Default)]
pub struct DecimalFacts {
    pub refusals: BTreeSet<&'static str>,
    /// The result has more than 18 places.
    pub exceeds_places: bool,
    /// The result has more digits than the case's context, and they are not all zeros.
    pub exceeds_precision: bool,
    /// Flooring and truncating part.
    pub floors: bool,
    pub is_minus_zero: bool,
    /// What kerai must give instead, in the model's canonical text.
    pub mapped: Option<String>,
}

/// The directives in force.
#[derive(Clone)]
struct Context {
    precision: i64,
    rounding: String,
}

/// One case, taken apart.
struct Line {
    name: String,
    operation: String,
    operands: Vec<String>,
    result: String,
    conditions: String,
}

pub fn run(folder: &Folder, report: &mut Report) {
    for file in folder.files() {
        if file.extension().eq_ignore_ascii_case("decTest") {
            cases(&file, report);
        } else {
            report.note(format!("not run: {}", file.path));
        }
    }
}

fn cases(file: &File, report: &mut Report) {
    let mut context = Context { precision: 9, rounding: "half_up".to_owned() };
    for row in file.text().lines() {
        let row = row.trim();
        if row.is_empty() || row.starts_with("--") {
            continue;
        }
        match (take_apart(row), row.split_once(':')) {
            (Some(line), _) => {
                if let Err(why) = one(&file.path, &line, &context, report) {
                    report.note(format!("skipped: {why}"));
                }
            }
            (None, Some((name, value))) => direct(&mut context, name, value),
            _ => report.note(format!("not a row in {}: {row}", file.path)),
        }
    }
}

fn direct(context: &mut Context, name: &str, value: &str) {
    let value = value.split("--").next().unwrap_or_default().trim().to_lowercase();
    match name.trim().to_lowercase().as_str() {
        "precision" => context.precision = value.parse().unwrap_or(9),
        "rounding" => context.rounding = value,
        _ => {}
    }
}

/// Words apart from white space, in quotes where they hold any.
fn words(row: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = row.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = if first == '\'' || first == '"' {
            let inner = rest.get(1..).unwrap_or_default();
            inner.split_once(first).unwrap_or((inner, ""))
        } else if rest.starts_with("--") {
            break;
        } else {
            rest.split_once(char::is_whitespace).unwrap_or((rest, ""))
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

fn take_apart(row: &str) -> Option<Line> {
    let words = words(row);
    let arrow = words.iter().position(|word| word == "->")?;
    let mut before = words.iter().take(arrow).cloned();
    let (name, operation) = (before.next()?, before.next()?.to_lowercase());
    let mut after = words.iter().skip(arrow + 1).cloned();
    let result = after.next()?;
    Some(Line {
        name,
        operation,
        operands: before.collect(),
        result,
        conditions: after.collect::<Vec<_>>().join(" ").to_lowercase(),
    })
}

/// What the model says of an operation.
enum Model {
    /// The exact result, cut off with more behind it where the flag says so.
    Exact(Decimal, bool),
    Refuses(&'static str),
    /// An integer quotient by truncation and by flooring.
    Quotient(Decimal, Decimal),
}

type Skipped = String;

fn one(path: &str, line: &Line, context: &Context, report: &mut Report) -> Result<(), Skipped> {
    if line.operands.iter().any(|operand| operand.starts_with('#')) || line.result.starts_with('#') {
        return Err("an operand or result in another notation".to_owned());
    }
    if matches!(line.operation.as_str(), "tosci" | "toeng") {
        return text(path, line, context, report);
    }
    let is_rounding = matches!(line.operation.as_str(), "quantize" | "rescale" | "tointegral" | "tointegralx");
    report.keep_expression(path, keep::EXACT, || expression(line));
    let used = line.operands.get(..if is_rounding { 1 } else { line.operands.len() }).unwrap_or_default();
    let place = if is_rounding { Some(place_of(line)?) } else { None };
    is_offered(&line.operation)?;
    let mut facts = DecimalFacts::default();
    let mut numbers = Vec::new();
    let mut decimals = Vec::new();
    let mut refused = None;
    for operand in used {
        let (text, decimal) = operand_text(operand);
        facts.refusals.extend(decimal.as_ref().map_or(Some("NUMBER_SYNTAX"), Decimal::refusal));
        match parse_decimal(text.as_bytes()) {
            Ok(number) => numbers.push(number),
            Err(fault) => refused = refused.or(Some(code(fault))),
        }
        decimals.extend(decimal);
    }
    if let (Some(code), _) | (None, Some(code)) = (refused, facts.refusals.first().copied()) {
        let outcome = if refused.is_some() { Outcome::Refused(code) } else { Outcome::Gave(b"a number".to_vec()) };
        report.judge(path, &line.name, &Case::Decimal(&facts), &expected(&line.result), &outcome);
        return Ok(());
    }
    let operation = Operation { line, context, place };
    let got = operation.of_kerai(&numbers)?;
    let model = operation.of_model(&decimals)?;
    operation.settle(path, facts, &model, got, report)
}

/// The line's operation as Lua has it, if it does.
fn expression(line: &Line) -> Option<String> {
    let operand = |place: usize| Some(format!("decimal({})", keep::text(line.operands.get(place)?.as_bytes())));
    let between = |sign: &str| Some(format!("{} {sign} {}", operand(0)?, operand(1)?));
    let of_two = |function: &str| Some(format!("{function}({}, {})", operand(0)?, operand(1)?));
    match line.operation.as_str() {
        "abs" => Some(format!("math.abs({})", operand(0)?)),
        "minus" => Some(format!("-{}", operand(0)?)),
        "add" => between("+"),
        "subtract" => between("-"),
        "multiply" => between("*"),
        "divide" => between("/"),
        "divideint" => between("//"),
        "power" => between("^"),
        "compare" => between("<"),
        "remainder" => of_two("math.fmod"),
        "max" => of_two("math.max"),
        "min" => of_two("math.min"),
        _ => operand(0),
    }
}

/// Reading alone, of the text as it stands.
fn text(path: &str, line: &Line, context: &Context, report: &mut Report) -> Result<(), Skipped> {
    let [operand] = line.operands.as_slice() else { return Err("no single operand".to_owned()) };
    let mut facts = DecimalFacts::default();
    let got = parse_decimal(operand.as_bytes());
    let decimal = Decimal::parse(operand);
    match &decimal {
        Some(decimal) if is_json_number(operand) => facts.refusals.extend(decimal.refusal()),
        _ => facts.refusals.extend(Some("NUMBER_SYNTAX")),
    }
    match decimal {
        Some(decimal) if facts.refusals.is_empty() => {
            Operation { line, context, place: None }.settle(path, facts, &Model::Exact(decimal, false), got, report)
        }
        _ => {
            let outcome = got.map_or_else(
                |fault| Outcome::Refused(code(fault)),
                |number| Outcome::Gave(number.to_string().into_bytes()),
            );
            let expected =
                if line.conditions.contains("conversion_syntax") { Expected::Refuses } else { expected(&line.result) };
            report.judge(path, &line.name, &Case::Decimal(&facts), &expected, &outcome);
            Ok(())
        }
    }
}

/// The operand's value in the one grammar that kerai reads; what is no finite number stays as it is.
fn operand_text(operand: &str) -> (String, Option<Decimal>) {
    match Decimal::parse(operand) {
        Some(decimal) => (decimal.canonical(), Some(decimal)),
        None => (operand.to_owned(), None),
    }
}

fn code(fault: NumberFault) -> &'static str {
    if fault == NumberFault::DivisionByZero {
        return "DIVISION_BY_ZERO";
    }
    fault.code().map_or("NO_CODE", |code| code.name())
}

fn expected(result: &str) -> Expected {
    Expected::Gives(Decimal::parse(result).map_or_else(|| result.to_owned(), |value| value.canonical()).into_bytes())
}

fn rounding(mode: &str) -> Option<Rounding> {
    Some(match mode {
        "half_even" => Rounding::HalfEven,
        "half_up" => Rounding::HalfUp,
        "half_down" => Rounding::HalfDown,
        "down" => Rounding::Down,
        "up" => Rounding::Up,
        "floor" => Rounding::Floor,
        "ceiling" => Rounding::Ceiling,
        _ => return None,
    })
}

fn is_offered(operation: &str) -> Result<(), Skipped> {
    const OFFERED: &[&str] = &[
        "abs",
        "minus",
        "plus",
        "apply",
        "reduce",
        "add",
        "subtract",
        "multiply",
        "divide",
        "divideint",
        "remainder",
        "compare",
        "max",
        "min",
        "quantize",
        "rescale",
        "tointegral",
        "tointegralx",
        "power",
    ];
    if OFFERED.contains(&operation) { Ok(()) } else { Err(format!("operation `{operation}`")) }
}

/// The exponent that a rounding operation keeps.
fn place_of(line: &Line) -> Result<i64, Skipped> {
    let place = match (line.operation.as_str(), line.operands.get(1)) {
        ("quantize", Some(like)) => Decimal::parse(like).map(|like| like.exponent),
        ("rescale", Some(exponent)) => Decimal::parse(exponent).and_then(|exponent| {
            let plain = exponent.plain();
            plain.parse().ok()
        }),
        ("tointegral" | "tointegralx", _) => Some(0),
        _ => None,
    };
    match place {
        Some(place) if place > 0 => Err("rounding left of the point".to_owned()),
        Some(place) if place < -2000 => Err("rounding far right of all places".to_owned()),
        Some(place) => Ok(place),
        None => Err("rounding to something that is no exponent".to_owned()),
    }
}

struct Operation<'a> {
    line: &'a Line,
    context: &'a Context,
    place: Option<i64>,
}

impl Operation<'_> {
    fn operation(&self) -> &str {
        &self.line.operation
    }

    fn of_kerai(&self, numbers: &[Number]) -> Result<Result<Number, NumberFault>, Skipped> {
        Ok(match (self.operation(), numbers) {
            ("quantize" | "rescale" | "tointegral" | "tointegralx", [a]) => {
                let mode = rounding(&self.context.rounding).ok_or("a rounding mode that is not offered")?;
                let places = self.place.unwrap_or(0).unsigned_abs();
                a.quantize(u32::try_from(places).unwrap_or(u32::MAX), mode)
            }
            ("abs", [a]) => Ok(a.absolute()),
            ("minus", [a]) => Ok(a.negate()),
            ("plus" | "apply" | "reduce", [a]) => Ok(*a),
            ("add", [a, b]) => a.add(*b),
            ("subtract", [a, b]) => a.subtract(*b),
            ("multiply", [a, b]) => a.multiply(*b),
            ("divide", [a, b]) => a.divide(*b),
            ("divideint", [a, b]) => a.floor_divide(*b),
            ("remainder", [a, b]) => a.truncate_remainder(*b),
            ("compare", [a, b]) => Ok(Number::from_i64(a.compare(*b) as i64)),
            ("max", [a, b]) => Ok(if a.compare(*b).is_ge() { *a } else { *b }),
            ("min", [a, b]) => Ok(if a.compare(*b).is_le() { *a } else { *b }),
            ("power", [a, b]) => a.power(*b),
            _ => return Err("a number of operands that the operation does not have".to_owned()),
        })
    }

    fn of_model(&self, decimals: &[Decimal]) -> Result<Model, Skipped> {
        let exact = |value: Decimal| Ok(Model::Exact(value, false));
        match (self.operation(), decimals) {
            ("abs", [a]) => exact(a.absolute()),
            ("minus", [a]) => exact(a.negate()),
            ("add", [a, b]) => exact(a.add(b)),
            ("subtract", [a, b]) => exact(a.add(&b.negate())),
            ("multiply", [a, b]) => exact(a.multiply(b)),
            ("divide" | "divideint" | "remainder", [_, b]) if b.is_zero() => Ok(Model::Refuses("DIVISION_BY_ZERO")),
            ("divide", [a, b]) => {
                let (quotient, more) = a.divide(b, CUT);
                Ok(Model::Exact(quotient, more))
            }
            ("divideint", [a, b]) => {
                let (truncated, more) = a.divide(b, 0);
                let is_below = more && a.negative != b.negative;
                let one = Decimal { negative: true, digits: vec![1], exponent: 0 };
                let floor = if is_below { truncated.add(&one) } else { truncated.clone() };
                Ok(Model::Quotient(truncated, floor))
            }
            ("remainder", [a, b]) => {
                let (quotient, _) = a.divide(b, 0);
                exact(a.add(&quotient.multiply(b).negate()))
            }
            ("compare", [a, b]) => exact(match a.compare(b) {
                Ordering::Less => Decimal { negative: true, digits: vec![1], exponent: 0 },
                Ordering::Equal => Decimal::zero(),
                Ordering::Greater => Decimal { negative: false, digits: vec![1], exponent: 0 },
            }),
            ("max", [a, b]) => exact(if a.compare(b).is_ge() { a.clone() } else { b.clone() }),
            ("min", [a, b]) => exact(if a.compare(b).is_le() { a.clone() } else { b.clone() }),
            ("power", [a, b]) => power(a, b),
            (_, [a]) => exact(a.clone()),
            _ => Err("a number of operands that the operation does not have".to_owned()),
        }
    }

    /// Compares the model with kerai, and both with the case.
    fn settle(
        &self,
        path: &str,
        mut facts: DecimalFacts,
        model: &Model,
        got: Result<Number, NumberFault>,
        report: &mut Report,
    ) -> Result<(), Skipped> {
        let (exact, more, by_case) = match model {
            Model::Exact(exact, more) => (exact, *more, exact.clone()),
            Model::Quotient(truncated, floor) => {
                facts.floors = truncated.canonical() != floor.canonical();
                (floor, false, truncated.clone())
            }
            Model::Refuses(code) => {
                facts.refusals.insert(code);
                let outcome = got.map_or_else(
                    |fault| Outcome::Refused(crate::decimal::code(fault)),
                    |number| Outcome::Gave(number.to_string().into_bytes()),
                );
                report.judge(path, &self.line.name, &Case::Decimal(&facts), &expected(&self.line.result), &outcome);
                return Ok(());
            }
        };
        let by_context = match self.by_context(&by_case, more)? {
            Ok(by_context) => by_context,
            Err(model) => {
                let got = format!("{} by the model, {got:?} by kerai", model.canonical());
                report.fail(path, &self.line.name, self.line.result.clone(), got);
                return Ok(());
            }
        };
        let mode = if self.place.is_some() { self.context.rounding.as_str() } else { "half_even" };
        let place = self.place.unwrap_or(-PLACES).max(-PLACES);
        let rounded = exact.round(place, more, mode).ok_or("a rounding mode that is not offered")?;
        let rounded = if rounded.is_zero() { Decimal::zero() } else { rounded };
        facts.exceeds_places = self.place.is_none() && (more || exact.lowest().exponent < -PLACES);
        facts.exceeds_precision = self.exceeds_precision(by_context.as_ref(), &by_case);
        facts.refusals.extend(rounded.refusal());
        facts.is_minus_zero = Decimal::parse(&self.line.result).is_some_and(|value| value.is_zero() && value.negative);
        facts.mapped = Some(rounded.canonical());
        self.compare(path, &facts, &by_case, got, report);
        Ok(())
    }

    /// Whether the context lacks digits for the result: it rounds, or gives no number at all.
    fn exceeds_precision(&self, by_context: Option<&Decimal>, exact: &Decimal) -> bool {
        match (self.place, by_context) {
            (None, by_context) => by_context.is_none_or(|by_context| by_context.lowest() != exact.lowest()),
            (Some(_), _) => self.line.conditions.contains("invalid_operation"),
        }
    }

    /// The result that the context's precision makes, none where it gives no number at all; or where the case says
    /// something else, what it should have said.
    fn by_context(&self, exact: &Decimal, more: bool) -> Result<Result<Option<Decimal>, Decimal>, Skipped> {
        let Some(result) = Decimal::parse(&self.line.result) else { return Ok(Ok(None)) };
        let mode = self.context.rounding.as_str();
        let place = match self.place {
            Some(place) => place,
            None if exact.is_zero() => exact.exponent,
            None => exact.magnitude() - self.context.precision + 1,
        };
        let rounded = exact.round(place, more, mode).ok_or("a rounding mode that is not offered")?;
        let is_same = rounded.lowest() == result.lowest() || (rounded.is_zero() && result.is_zero());
        let is_at_the_edge =
            ["overflow", "underflow", "subnormal", "clamped"].iter().any(|edge| self.line.conditions.contains(edge));
        if !is_same && is_at_the_edge {
            return Err("a context whose exponents are narrower than exact numbers".to_owned());
        }
        if !is_same {
            return Ok(Err(rounded));
        }
        Ok(Ok(Some(rounded)))
    }

    fn compare(
        &self,
        path: &str,
        facts: &DecimalFacts,
        by_case: &Decimal,
        got: Result<Number, NumberFault>,
        report: &mut Report,
    ) {
        let outcome = match got {
            Ok(number) => Outcome::Gave(
                Decimal::parse(&number.to_string()).map(|value| value.canonical()).unwrap_or_default().into_bytes(),
            ),
            Err(fault) => Outcome::Refused(code(fault)),
        };
        let expected = expected(&self.line.result);
        let is_predicted = facts.refusals.is_empty()
            && facts.mapped.as_ref().is_some_and(|mapped| outcome == Outcome::Gave(mapped.clone().into_bytes()));
        if is_predicted
            && (facts.exceeds_precision || facts.exceeds_places)
            && self.quantized(by_case, got) == Some(expected.clone())
        {
            // The context's rounding, done by kerai's own.
            return report.pass();
        }
        let rules = facts.exceeds_precision
            || facts.exceeds_places
            || facts.floors
            || facts.is_minus_zero
            || !facts.refusals.is_empty();
        let content = Case::Decimal(facts);
        let plain_mapped = Expected::Gives(facts.mapped.clone().unwrap_or_default().into_bytes());
        if !rules && plain_mapped != expected {
            return report.fail(
                path,
                &self.line.name,
                self.line.result.clone(),
                facts.mapped.clone().unwrap_or_default(),
            );
        }
        report.judge(path, &self.line.name, &content, &expected, &outcome);
    }

    /// kerai's result rounded by kerai to the digits of the context, where these end right of the point.
    fn quantized(&self, exact: &Decimal, got: Result<Number, NumberFault>) -> Option<Expected> {
        if exact.is_zero() || self.place.is_some() {
            return None;
        }
        let place = exact.magnitude() - self.context.precision + 1;
        if place > 0 {
            return None;
        }
        let number = got.ok()?.quantize(u32::try_from(-place).ok()?, rounding(&self.context.rounding)?).ok()?;
        Some(Expected::Gives(Decimal::parse(&number.to_string())?.canonical().into_bytes()))
    }
}

/// A whole power whose every product is an exact number, so that no product is rounded.
fn power(base: &Decimal, exponent: &Decimal) -> Result<Model, Skipped> {
    let count: u32 = exponent.plain().parse().map_err(|_| "a power that is negative, broken or large")?;
    if count == 0 || count > 1000 {
        return Err("a power that is negative, broken or large".to_owned());
    }
    let mut product = base.clone();
    for _ in 1..count {
        product = product.multiply(base);
        if product.digits.len() > LONGEST_POWER {
            return Err("a power of many digits".to_owned());
        }
    }
    let is_exact = product.lowest().exponent >= -PLACES;
    if is_exact { Ok(Model::Exact(product, false)) } else { Err("a power whose products are rounded".to_owned()) }
}
