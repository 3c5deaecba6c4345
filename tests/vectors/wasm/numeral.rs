//! Literals that a script calls malformed: what kerai's assembler makes of them as its own constants.

use super::literal;
use super::syntax::{self, Node};
use crate::folder::File;
use crate::judge::{Expected, Outcome, Report};
use crate::rules::{Case, WasmFacts};
use kerai_vm::bytecode::{Limits, Program};
use kerai_vm::execute::Machine;

/// Judges a command if it is about a malformed module.
pub fn judge(file: &File, command: &Node, report: &mut Report) -> bool {
    let Some(("assert_malformed", of)) = command.form() else { return false };
    match literal_of(of) {
        Ok((kind, literal)) => {
            let facts = facts(&kind, &literal);
            let outcome = read(&kind, &literal);
            let case = format!("line {}: `{literal}`", command.line());
            report.judge(&file.path, case, &Case::Wasm(&facts), &Expected::Refuses, &outcome);
        }
        Err(reason) => report.note(format!("not run: {reason}")),
    }
    true
}

/// The one constant of a quoted module: its type and its literal.
fn literal_of(of: &[Node]) -> Result<(String, String), String> {
    let none = || "malformed text that is no literal".to_owned();
    let Some(("module", [Node::Word(form), texts @ ..])) = of.first().and_then(Node::form) else { return Err(none()) };
    let text: Vec<String> = texts.iter().filter_map(Node::text).collect();
    let nodes = syntax::read(&text.join(" ")).map_err(|_| none())?;
    let mut found = Vec::new();
    let mut waiting: Vec<&Node> = nodes.iter().collect();
    while let Some(node) = waiting.pop() {
        if let Node::List(_, items) = node {
            waiting.extend(items);
        }
        if let Some((kind, [Node::Word(literal)])) = node.form()
            && let Some(kind) = kind.strip_suffix(".const")
        {
            found.push((kind.to_owned(), literal.clone()));
        }
    }
    match found.as_slice() {
        [(kind, _)] if kind == "f32" => Err(super::module::NARROW.to_owned()),
        [(kind, literal)] if kind != "f64" && literal.contains("0x") => {
            Err("hexadecimal integers: kerai's assembler has none".to_owned())
        }
        [one] if form == "quote" => Ok(one.clone()),
        _ => Err(none()),
    }
}

/// What kerai's assembler and machine make of the literal, given to them letter by letter.
fn read(kind: &str, literal: &str) -> Outcome {
    let constant = if kind == "f64" { format!("float({literal})") } else { literal.to_owned() };
    let text = format!(
        "profile 1\nkind words\nexport it 0\nfunction registers 1\n    constant r0 {constant}\n    return r0 1\n"
    );
    let verified = match Program::from_text(&text).and_then(Program::verify) {
        Ok(verified) => verified,
        Err(refusal) => return Outcome::Refused(refusal.code.name()),
    };
    let mut machine = Machine::new(&verified, 0, Limits::DEFAULT);
    let value = match machine.call("it", &[]) {
        Some(Ok(values)) => values.first().copied(),
        Some(Err(trap)) => return Outcome::Refused(trap.code.name()),
        None => None,
    };
    let heap = machine.values();
    let number = value.and_then(|value| heap.as_number(value)).map(|number| number.coefficient().to_string());
    let float = value.and_then(|value| value.as_float()).map(|float| float.to_f64().to_string());
    number.or(float).map_or(Outcome::Absent, |text| Outcome::Gave(text.into_bytes()))
}

/// Why kerai may take the literal all the same, and for what, by the host's reader.
fn facts(kind: &str, literal: &str) -> WasmFacts {
    let mut facts = WasmFacts { kerai: Outcome::Refused("ASSEMBLY_SYNTAX"), ..WasmFacts::default() };
    let unsigned = literal.trim_start_matches(['+', '-']);
    if kind != "f64" {
        let value = literal::integer(literal).filter(|_| !literal.contains('_'));
        let width = if kind == "i32" { 32 } else { 64 };
        facts.has_grown = value.is_some() && literal::integer_of_width(literal, width).is_none();
        facts.kerai = value.map_or(facts.kerai, |value| Outcome::Gave(value.to_string().into_bytes()));
        return facts;
    }
    let is_plain = unsigned.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.');
    let host: Option<f64> = if unsigned.starts_with("0x") { hexadecimal(literal) } else { literal.parse().ok() };
    let Some(value) = host.filter(|_| is_plain) else { return facts };
    facts.begins_with_dot = unsigned.trim_start_matches("0x").starts_with('.');
    facts.is_beyond_floats = value.is_infinite();
    facts.kerai = Outcome::Gave(value.to_string().into_bytes());
    facts
}

/// A hexadecimal literal without digits after its exponent's end, as far as the host's arithmetic tells its size.
fn hexadecimal(literal: &str) -> Option<f64> {
    let (sign, unsigned) = literal.strip_prefix('-').map_or((1.0, literal), |rest| (-1.0, rest));
    let digits = unsigned.trim_start_matches('+').strip_prefix("0x")?.to_ascii_lowercase();
    let (mantissa, exponent) = digits.split_once('p').unwrap_or((&digits, "0"));
    let (integral, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i32 = exponent.parse().ok()?;
    let all = format!("{integral}{fraction}");
    let significand = u64::from_str_radix(&all, 16).ok()?;
    let places = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    // Halves so that the greatest floats do not overflow before they are scaled.
    Some(
        sign * significand as f64
            * 2_f64.powi((exponent - places) / 2)
            * 2_f64.powi((exponent - places) - (exponent - places) / 2),
    )
}
