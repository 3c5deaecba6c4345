//! CEL's expressions, translated: each is the condition of a policy, and what CEL gives is what it must come to.
//!
//! Where the two part, a rule of the design says so by what the expression holds: kerai's numbers are exact and of one
//! kind, sizes are those of bytes, and what can't be compared is refused when the policy is built.

#![expect(clippy::indexing_slicing, reason = "what a document lacks reads as null")]
#![expect(clippy::wildcard_enum_match_arm, reason = "the arms name what has a counterpart, nothing else has")]

use crate::cel_syntax::{Cel, parse};
use crate::folder::Folder;
use crate::judge::{Expected, Outcome, Report};
use crate::keep;
use crate::rules::{Case, CelFacts};
use kerai_compiler::explain::Examiner;
use kerai_compiler::syntax::policy::check;
use kerai_golden::policy::naive::{self, Datum};
use kerai_golden::policy::{agreed, indexed};
use kerai_vm::number::parse_decimal;
use serde_json::Value as Json;

/// The files with expressions of the kinds that conditions have.
const FILES: &[&str] = &["basic", "comparisons", "fp_math", "integer_math", "lists", "logic", "network_ext", "string"];

/// Addresses stand in the request: a literal that is none would be refused when the policy is built.
const INPUTS: &str = "inputs: { addresses: { \"*\": string }, values: any }\n";

pub fn run(folder: &Folder, report: &mut Report) {
    for file in folder.files() {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        if !FILES.iter().any(|known| name == format!("{known}.jsonl")) {
            if name.ends_with(".jsonl") {
                report.note(format!("not run, no conditions of these kinds: {}", file.path));
            }
            continue;
        }
        for (line, text) in file.text().lines().enumerate() {
            if let Ok(case) = serde_json::from_str::<Json>(text) {
                one(&file.path, line + 1, &case, report);
            }
        }
    }
}

fn one(path: &str, line: usize, case: &Json, report: &mut Report) {
    let expression = case["expr"].as_str().unwrap_or_default();
    let mut translation = Translation::default();
    let condition = match parse(expression).and_then(|cel| translation.whole(&cel, &case["expect"], &case["bindings"]))
    {
        Ok(condition) => condition,
        Err(what) => return report.note(format!("not run, `{what}` has no counterpart")),
    };
    let expected = match &case["expect"]["value"] {
        Json::Null => Expected::Refuses,
        Json::Object(value) => match value.get("bool") {
            Some(truth) => Expected::Gives(truth.to_string().into_bytes()),
            None => Expected::Gives(b"true".to_vec()),
        },
        _ => return report.note("not run, a result of no kind that conditions have"),
    };
    let quoted = serde_json::to_string(&condition).unwrap_or_default();
    let text = format!("{INPUTS}id: cel\nallow_if: [{quoted}]\n");
    let place = format!("{line} `{expression}` as `{condition}`");
    let mut facts = translation.facts;
    let policy = match check(&text) {
        Ok(policy) => policy,
        Err(found) => {
            let code = found.first().map_or("", |found| found.code.name());
            return report.judge(path, place, &Case::Cel(&facts), &expected, &Outcome::Refused(code));
        }
    };
    let Ok(program) = indexed(&policy) else { return report.fail(path, place, "a program", "none") };
    let addresses = translation.addresses.iter().enumerate();
    let addresses = addresses.map(|(number, text)| (format!("a{number}"), Datum::Text(text.clone()))).collect();
    let request = Datum::Map([("addresses".to_owned(), Datum::Map(addresses))].into());
    report.keep(path, || keep::decided(&text, &request.to_json()));
    let naively = naive::decide(&policy, &request);
    facts.kerai = outcome(&naively);
    let mut examiner = Examiner::new(&policy, &program);
    let value = request.build(examiner.heap());
    match agreed(&mut examiner, value, &naively) {
        Ok(found) => report.judge(path, place, &Case::Cel(&facts), &expected, &outcome(&found)),
        Err(fault) => report.fail(path, place, "what the naive evaluator says", fault),
    }
}

fn outcome(found: &kerai_compiler::explain::Explanation) -> Outcome {
    match (found.is_allowed, found.failing.first().map(|failing| failing.truth)) {
        (true, _) => Outcome::Gave(b"true".to_vec()),
        (false, Some(Some(truth))) => Outcome::Gave(truth.to_string().into_bytes()),
        (false, _) => Outcome::Refused("UNKNOWN"),
    }
}

#[derive(Default)]
struct Translation {
    addresses: Vec<String>,
    facts: CelFacts,
}

/// What is translated, or what of it has no counterpart.
type Text = Result<String, String>;

/// What CEL's values are, as far as they can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Int,
    Uint,
    Double,
    Text,
    List,
    Any,
}

fn kind(cel: &Cel) -> Kind {
    match cel {
        Cel::Bool(_) => Kind::Bool,
        Cel::Int(_) => Kind::Int,
        Cel::Uint(_) => Kind::Uint,
        Cel::Double(_) => Kind::Double,
        Cel::Text(_) => Kind::Text,
        Cel::List(_) => Kind::List,
        Cel::Unary('-', operand) => kind(operand),
        Cel::Unary(..) => Kind::Bool,
        Cel::Binary(operator, left, _) => match operator.as_str() {
            "+" | "-" | "*" | "/" | "%" => kind(left),
            _ => Kind::Bool,
        },
        Cel::Call(name, None, arguments) => match (name.as_str(), arguments.as_slice()) {
            ("size", _) => Kind::Int,
            ("dyn", [inner]) => kind(inner),
            _ => Kind::Any,
        },
        Cel::Call(name, Some(_), _) => match name.as_str() {
            "size" => Kind::Int,
            "lowerAscii" => Kind::Text,
            _ => Kind::Bool,
        },
        Cel::Choice(_, then, _) => kind(then),
        _ => Kind::Any,
    }
}

/// A text as a condition writes it, in ASCII.
fn quoted(text: &str) -> String {
    let points = text.chars().map(|point| match point {
        'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' => point.to_string(),
        _ => format!("\\u{{{:x}}}", u32::from(point)),
    });
    format!("'{}'", points.collect::<String>())
}

impl Translation {
    /// The expression as a condition: it comes to the bool that is expected, or equals the value.
    fn whole(&mut self, cel: &Cel, expect: &Json, bindings: &Json) -> Text {
        if !bindings.is_null() {
            return Err("a binding".to_owned());
        }
        let Some((name, value)) = expect["value"].as_object().and_then(|value| value.iter().next()) else {
            // An error may come of a value as well.
            if matches!(kind(cel), Kind::Bool | Kind::Any) {
                return self.truth(cel);
            }
            return self.value(cel).map(|value| format!("{value} == {value}"));
        };
        let text = value.as_str().unwrap_or_default();
        match name.as_str() {
            "bool" => self.truth(cel),
            "int" | "uint" => Ok(format!("{} == {text}", self.value(cel)?)),
            "double" => {
                let expected = self.double(text)?;
                // What is exact need not be what was rounded.
                self.facts.has_double = true;
                Ok(format!("{} == {expected}", self.value(cel)?))
            }
            "string" => Ok(format!("{} == {}", self.value(cel)?, quoted(text))),
            other => Err(other.to_owned()),
        }
    }

    fn double(&mut self, text: &str) -> Text {
        let number: f64 = text.parse().map_err(|_| text.to_owned())?;
        let plain = format!("{number}");
        match parse_decimal(plain.as_bytes()) {
            Ok(_) if number.is_finite() => Ok(plain),
            _ => Err("a float that is no exact number".to_owned()),
        }
    }

    fn truth(&mut self, cel: &Cel) -> Text {
        match cel {
            Cel::Bool(truth) => Ok(truth.to_string()),
            Cel::Unary('!', operand) => Ok(format!("(not {})", self.truth(operand)?)),
            Cel::Choice(test, then, other) => {
                let (test, then, other) = (self.truth(test)?, self.truth(then)?, self.truth(other)?);
                Ok(format!("(({test} and {then}) or (not {test} and {other}))"))
            }
            Cel::Binary(operator, left, right) => match operator.as_str() {
                "&&" | "||" => {
                    let word = if operator == "&&" { "and" } else { "or" };
                    self.facts.joins_no_conditions |=
                        [left, right].iter().any(|side| kind(side) != Kind::Bool && kind(side) != Kind::Any);
                    Ok(format!("({} {word} {})", self.truth(left)?, self.truth(right)?))
                }
                "==" | "!=" | "<" | "<=" | ">" | ">=" => self.comparison(operator, left, right),
                "in" => {
                    let Cel::List(items) = &**right else { return Err("in what is no list".to_owned()) };
                    let others = items.iter().filter(|item| is_other(kind(left), kind(item))).count();
                    self.facts.mixes_kinds |= others > 0 && others == items.len();
                    self.facts.mixes_items |= others > 0 && others < items.len();
                    Ok(format!("({} in {})", self.value(left)?, self.value(right)?))
                }
                _ => self.value(cel),
            },
            Cel::Call(name, None, arguments) if name == "isIP" => match arguments.as_slice() {
                [address] => {
                    let address = self.address(address)?;
                    self.facts.asks_whether = true;
                    Ok(format!("(({address} in_cidr '0.0.0.0/0') or ({address} in_cidr '::/0'))"))
                }
                _ => Err("isIP".to_owned()),
            },
            Cel::Call(name, Some(on), arguments) => self.method(name, on, arguments),
            _ => self.value(cel),
        }
    }

    fn comparison(&mut self, operator: &str, left: &Cel, right: &Cel) -> Text {
        let is_address = |cel: &Cel| matches!(cel, Cel::Call(name, None, _) if name == "ip" || name == "cidr");
        if is_address(left) && is_address(right) && matches!(operator, "==" | "!=") {
            let (left, right) = (self.address(left)?, self.address(right)?);
            let both = format!("({left} in_cidr {right} and {right} in_cidr {left})");
            return Ok(if operator == "==" { both } else { format!("(not {both})") });
        }
        let (first, second) = (kind(left), kind(right));
        if first == Kind::List || second == Kind::List {
            return Err("lists compared".to_owned());
        }
        if first == Kind::Bool && second == Kind::Bool && !matches!(operator, "==" | "!=") {
            self.facts.orders_bools = true;
        }
        self.facts.mixes_kinds |= is_other(first, second);
        Ok(format!("({} {operator} {})", self.value(left)?, self.value(right)?))
    }

    fn method(&mut self, name: &str, on: &Cel, arguments: &[Cel]) -> Text {
        let networks: &[&str] = match (name, arguments) {
            ("startsWith", [part]) => return Ok(format!("({} starts_with {})", self.value(on)?, self.value(part)?)),
            ("endsWith", [part]) => return Ok(format!("({} ends_with {})", self.value(on)?, self.value(part)?)),
            ("contains", [part]) => return Ok(format!("({} contains {})", self.value(on)?, self.value(part)?)),
            ("containsIP" | "containsCIDR", [inner]) => {
                return Ok(format!("({} in_cidr {})", self.address(inner)?, self.address(on)?));
            }
            ("isLoopback", []) => &["127.0.0.0/8", "::1/128"],
            ("isLinkLocalUnicast", []) => &["169.254.0.0/16", "fe80::/10"],
            ("isLinkLocalMulticast", []) => &["224.0.0.0/24", "ff02::/16"],
            ("isUnspecified", []) => &["0.0.0.0/32", "::/128"],
            _ => return Err(name.to_owned()),
        };
        let address = self.address(on)?;
        let ways: Vec<String> = networks.iter().map(|network| format!("{address} in_cidr '{network}'")).collect();
        Ok(format!("({})", ways.join(" or ")))
    }

    /// A text that stands for an address or a network, out of the request.
    fn address(&mut self, cel: &Cel) -> Text {
        match cel {
            Cel::Text(text) => {
                let is_mapped = text.to_ascii_lowercase().contains("::ffff:");
                let bits = text.rsplit_once('/').map_or("", |(_, bits)| bits);
                self.facts.is_loose_network |= is_mapped || text.contains('%') || bits.contains('.');
                self.addresses.push(text.clone());
                Ok(format!("addresses.a{}", self.addresses.len() - 1))
            }
            Cel::Call(name, None, arguments) if name == "ip" || name == "cidr" => match arguments.as_slice() {
                [inner @ Cel::Text(text)] => {
                    self.facts.is_loose_network |= (name == "cidr") != text.contains('/');
                    self.address(inner)
                }
                _ => Err("an address that is computed".to_owned()),
            },
            _ => Err("an address that is computed".to_owned()),
        }
    }

    fn value(&mut self, cel: &Cel) -> Text {
        match cel {
            Cel::Bool(truth) => Ok(truth.to_string()),
            Cel::Int(text) | Cel::Uint(text) => {
                self.facts.is_beyond_longs |= text.parse::<i64>().is_err();
                let number: i128 = text.parse().map_err(|_| text.clone())?;
                Ok(number.to_string())
            }
            Cel::Double(text) => {
                self.facts.has_double = true;
                self.double(text)
            }
            Cel::Text(text) => Ok(quoted(text)),
            Cel::List(items) => {
                let items: Result<Vec<String>, String> = items.iter().map(|item| self.value(item)).collect();
                Ok(format!("[{}]", items?.join(", ")))
            }
            Cel::Unary('-', operand) => Ok(format!("(-{})", self.value(operand)?)),
            Cel::Binary(operator, left, right) => match operator.as_str() {
                "+" | "-" | "*" | "/" | "%" => {
                    let (first, second) = (kind(left), kind(right));
                    if matches!(first, Kind::Text | Kind::List) || matches!(second, Kind::Text | Kind::List) {
                        return Err("texts or lists joined".to_owned());
                    }
                    self.facts.mixes_kinds |= is_other(first, second);
                    self.facts.mixes_numbers |= first != second;
                    self.facts.divides |= matches!(operator.as_str(), "/" | "%");
                    self.facts.computes = true;
                    Ok(format!("({} {operator} {})", self.value(left)?, self.value(right)?))
                }
                _ => Err("a condition as a value".to_owned()),
            },
            Cel::Call(name, None, arguments) => match (name.as_str(), arguments.as_slice()) {
                ("dyn", [inner]) => self.value(inner),
                ("size", [whole]) => self.size(whole),
                _ => Err(name.clone()),
            },
            Cel::Call(name, Some(on), arguments) => match (name.as_str(), arguments.as_slice()) {
                ("size", []) => self.size(on),
                ("lowerAscii", []) => Ok(format!("lower({})", self.value(on)?)),
                _ => Err(name.clone()),
            },
            Cel::Choice(..) => Err("a choice between values".to_owned()),
            Cel::Unary(..) => Err("a condition as a value".to_owned()),
            Cel::Other(what) => Err(what.clone()),
        }
    }

    fn size(&mut self, whole: &Cel) -> Text {
        self.facts.sizes_points |= matches!(whole, Cel::Text(text) if !text.is_ascii());
        Ok(format!("size({})", self.value(whole)?))
    }
}

/// Whether values can never be of one kind for kerai, whose numbers are one.
fn is_other(first: Kind, second: Kind) -> bool {
    let as_kerai = |kind| match kind {
        Kind::Uint | Kind::Double => Kind::Int,
        kind => kind,
    };
    first != Kind::Any && second != Kind::Any && as_kerai(first) != as_kerai(second)
}
