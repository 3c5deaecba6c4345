//! Cedar's cases, translated: each of its policies is a rule, its requests with their entities are inputs.
//!
//! Where the two part it must be as the design has it: kerai denies because a condition is unknown, where Cedar skips the
//! policy, or takes what is missing or of another kind for false.

#![expect(clippy::indexing_slicing, reason = "what a document lacks reads as null")]
#![expect(clippy::wildcard_enum_match_arm, reason = "the arms name what has a counterpart, nothing else has")]

use crate::folder::{File, Folder};
use crate::judge::Report;
use crate::keep;
use kerai_compiler::explain::{Examiner, Explanation};
use kerai_compiler::syntax::policy::check;
use kerai_golden::policy::naive::{self, Datum};
use kerai_golden::policy::{agreed, indexed};
use kerai_vm::number::{Number, parse_decimal};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const INPUTS: &str = "inputs: { principal: string, action: string, resource: string, context: any, entities: { \"*\": any }, literals: any }\nrules:\n";

pub fn run(folder: &Folder, report: &mut Report) {
    for file in folder.files() {
        match file.path.as_str() {
            path if path.ends_with("-est.jsonl") => {
                for (line, text) in file.text().lines().enumerate() {
                    if let Ok(case) = serde_json::from_str::<Json>(text) {
                        let (policies, entities) = (&case["policies"], &case["entities"]);
                        set(&file.path, line + 1, policies, entities, &case["requests"], report);
                    }
                }
            }
            path if path.contains("handwritten/tests/") && path.ends_with(".est.json") => {
                handwritten(folder, &file, report);
            }
            _ => {}
        }
    }
}

/// A test written by hand: its file names those of its entities.
fn handwritten(folder: &Folder, file: &File, report: &mut Report) {
    let read = |end: &str| {
        let files = folder.files();
        let found = files.iter().find(|file| file.path.ends_with(end));
        found.and_then(|file| serde_json::from_slice::<Json>(&file.content).ok())
    };
    let test = file.path.replace("policies_", "").replace(".est.json", ".json");
    let Some((policies, test)) = serde_json::from_slice::<Json>(&file.content).ok().zip(read(&test)) else {
        return report.fail(&file.path, "-", "a test beside it", "none");
    };
    let entities = test["entities"].as_str().and_then(read).unwrap_or(Json::Null);
    set(&file.path, 0, &policies, &entities, &test["requests"], report);
}

fn set(path: &str, line: usize, policies: &Json, entities: &Json, requests: &Json, report: &mut Report) {
    let empty = Vec::new();
    let requests = requests.as_array().unwrap_or(&empty);
    let mut translation = Translation::default();
    let text = match translation.policies(policies) {
        Ok(text) => text,
        Err(Untranslated(what)) => {
            requests.iter().for_each(|_| report.note(format!("requests not run, `{what}` has no counterpart")));
            return;
        }
    };
    let policy = match check(&text) {
        Ok(policy) => policy,
        // What Cedar finds at run time, or takes for false, is found when the policy is built.
        Err(found) if found.iter().all(|found| found.code.name() == "POLICY_KIND") => {
            report.differ += requests.len() as u64;
            *report.by_rule.entry("policy-kinds-when-built").or_default() += requests.len() as u64;
            return;
        }
        Err(found) => return report.fail(path, line, "a policy", format!("{found:?}\n{text}")),
    };
    let program = match indexed(&policy) {
        Ok(program) => program,
        Err(fault) => return report.fail(path, line, "a program", fault),
    };
    let mut examiner = Examiner::new(&policy, &program);
    for (number, request) in requests.iter().enumerate() {
        let input = translation.request(request, entities);
        report.keep(path, || keep::decided(&text, &input.to_json()));
        let expected = naive::decide(&policy, &input);
        let value = input.build(examiner.heap());
        let place = format!("{line}.{number}");
        match agreed(&mut examiner, value, &expected) {
            Ok(found) => compare(path, &place, request, &found, report),
            Err(fault) => report.fail(path, &place, "what the naive evaluator says", fault),
        }
    }
}

/// Decisions, and the policies that made them.
fn compare(path: &str, place: &str, request: &Json, found: &Explanation, report: &mut Report) {
    let wants = request["decision"] == "allow";
    let texts = |name: &str| -> BTreeSet<String> {
        let texts = request[name].as_array().into_iter().flatten();
        texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let reason = texts("reason");
    let rules: BTreeSet<String> = found.rules.iter().filter(|rule| *rule != "default").cloned().collect();
    if wants == found.is_allowed && reason == rules {
        return report.pass();
    }
    let is_unknown = found.failing.iter().any(|failing| failing.truth.is_none());
    if !found.is_allowed && is_unknown {
        report.differ += 1;
        let errs = !texts("errors").is_empty();
        let rule = if errs { "policy-error-denies" } else { "policy-unknown-denies" };
        *report.by_rule.entry(rule).or_default() += 1;
    } else {
        report.fail(path, place, format!("{} by {reason:?}", request["decision"]), format!("{found:?}"));
    }
}

/// Something of Cedar's that kerai has no counterpart of.
struct Untranslated(String);

#[derive(Default)]
struct Translation {
    /// Texts that stand for addresses and decimals, which Cedar reads at run time.
    literals: Vec<String>,
    /// Entities that policies name, which must be known to be of a type.
    named: BTreeSet<(String, String)>,
}

/// An entity's type and id.
type Uid = (String, String);

/// A text as a condition writes it, in ASCII.
fn quoted(text: &str) -> String {
    let mut out = String::from("'");
    for point in text.chars() {
        match point {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '-' | '_' | '.' | ':' | '/' => out.push(point),
            _ => _ = write!(out, "\\u{{{:x}}}", u32::from(point)),
        }
    }
    out + "'"
}

/// How an entity is named in conditions and inputs; no text of the data begins so.
fn key(kind: &str, id: &str) -> String {
    format!("entity {kind}::{id}")
}

fn entity(json: &Json) -> Option<(String, String)> {
    let json = json.get("__entity").unwrap_or(json);
    Some((json.get("type")?.as_str()?.to_owned(), json.get("id")?.as_str()?.to_owned()))
}

type Text = Result<String, Untranslated>;

fn no<T>(what: impl Into<String>) -> Result<T, Untranslated> {
    Err(Untranslated(what.into()))
}

impl Translation {
    fn policies(&mut self, policies: &Json) -> Text {
        let mut text = INPUTS.to_owned();
        let Some(all) = policies["staticPolicies"].as_object() else { return no("no policies") };
        if all.is_empty() {
            // A policy without rules is refused; one that never allows says the same.
            text.push_str("    - { id: none, allow_if: \"false\" }\n");
        }
        for (id, policy) in all {
            let mut when = Vec::new();
            for name in ["principal", "action", "resource"] {
                when.extend(self.head(name, &policy[name])?);
            }
            let mut conditions = Vec::new();
            for condition in policy["conditions"].as_array().into_iter().flatten() {
                let body = self.truth(&condition["body"])?;
                conditions.push(if condition["kind"] == "when" { body } else { format!("(not {body})") });
            }
            let all = if conditions.is_empty() { "true".to_owned() } else { conditions.join(" and ") };
            let part = if policy["effect"] == "permit" { "allow_if" } else { "deny_if" };
            let _ = writeln!(text, "    - id: {id}");
            if !when.is_empty() {
                let all: Vec<String> = when.iter().map(|one| written(one)).collect();
                let _ = writeln!(text, "      when: [{}]", all.join(", "));
            }
            let _ = writeln!(text, "      {part}: {}", written(&all));
        }
        Ok(text)
    }

    fn named(&mut self, json: &Json) -> Text {
        let Some((kind, id)) = entity(json) else { return no("slot") };
        let text = quoted(&key(&kind, &id));
        self.named.insert((kind, id));
        Ok(text)
    }

    /// What the head of a policy says of a name.
    fn head(&mut self, name: &str, head: &Json) -> Result<Vec<String>, Untranslated> {
        let within = |text: String| format!("entities[{name}].ancestors includes {text}");
        Ok(match head["op"].as_str().unwrap_or_default() {
            "All" => Vec::new(),
            "==" => vec![format!("{name} == {}", self.named(&head["entity"])?)],
            "in" if head.get("entities").is_some() => {
                let mut any = vec!["false".to_owned()];
                for one in head["entities"].as_array().into_iter().flatten() {
                    any.push(within(self.named(one)?));
                }
                vec![any.join(" or ")]
            }
            "in" => vec![within(self.named(&head["entity"])?)],
            "is" => {
                let kind = quoted(head["entity_type"].as_str().unwrap_or_default());
                let mut all = vec![format!("entities[{name}].type == {kind}")];
                if let Some(whole) = head.get("in") {
                    all.push(within(self.named(&whole["entity"])?));
                }
                all
            }
            other => return no(other),
        })
    }

    /// A condition, in parentheses where it needs them.
    fn truth(&mut self, json: &Json) -> Text {
        let Some((operator, parts)) = json.as_object().and_then(|object| object.iter().next()) else { return no("?") };
        let both = |left: String, word: &str, right: String| Ok(format!("({left} {word} {right})"));
        match operator.as_str() {
            "&&" | "||" => {
                let (left, right) = (self.truth(&parts["left"])?, self.truth(&parts["right"])?);
                both(left, if operator == "&&" { "and" } else { "or" }, right)
            }
            "!" => Ok(format!("(not {})", self.truth(&parts["arg"])?)),
            "if-then-else" => {
                let [test, then, other] =
                    ["if", "then", "else"].map(|name| self.truth(&parts[name]).map_err(|fault| fault.0));
                let (test, then, other) =
                    (test.map_err(Untranslated)?, then.map_err(Untranslated)?, other.map_err(Untranslated)?);
                Ok(format!("(({test} and {then}) or (not {test} and {other}))"))
            }
            "has" => {
                let base = self.record(&parts["left"])?;
                Ok(format!("(has {base}[{}])", quoted(parts["attr"].as_str().unwrap_or_default())))
            }
            "hasTag" => {
                let (base, tag) = (self.entity_of(&parts["left"])?, self.value(&parts["right"])?);
                Ok(format!("(has {base}.tags[{tag}])"))
            }
            "is" => {
                let base = self.entity_of(&parts["left"])?;
                let kind = quoted(parts["entity_type"].as_str().unwrap_or_default());
                both(format!("{base}.type"), "==", kind)
            }
            "in" => {
                let base = self.entity_of(&parts["left"])?;
                let items = parts["right"]["Set"].as_array().cloned().unwrap_or_else(|| vec![parts["right"].clone()]);
                let mut any = vec!["false".to_owned()];
                for item in &items {
                    any.push(format!("{base}.ancestors includes {}", self.value(item)?));
                }
                Ok(format!("({})", any.join(" or ")))
            }
            "like" => self.like(parts),
            "isIpv4" | "isIpv6" | "isLoopback" | "isMulticast" => {
                let address = self.address(&parts[0])?;
                let networks: &[&str] = match operator.as_str() {
                    "isIpv4" => &["0.0.0.0/0"],
                    "isIpv6" => &["::/0"],
                    "isLoopback" => &["127.0.0.0/8", "::1/128"],
                    _ => &["224.0.0.0/4", "ff00::/8"],
                };
                let any: Vec<String> =
                    networks.iter().map(|network| format!("{address} in_cidr '{network}'")).collect();
                Ok(format!("({})", any.join(" or ")))
            }
            "isInRange" => {
                let (address, network) = (self.address(&parts[0])?, self.address(&parts[1])?);
                both(address, "in_cidr", network)
            }
            "lessThan" | "lessThanOrEqual" | "greaterThan" | "greaterThanOrEqual" => {
                let (left, right) = (self.value(&parts[0])?, self.value(&parts[1])?);
                let sign = match operator.as_str() {
                    "lessThan" => "<",
                    "lessThanOrEqual" => "<=",
                    "greaterThan" => ">",
                    _ => ">=",
                };
                both(left, sign, right)
            }
            "==" | "!=" | "<" | "<=" | ">" | ">=" if !is_scalar(&parts["left"]) || !is_scalar(&parts["right"]) => {
                no("sets, records or addresses compared")
            }
            "==" | "!=" | "<" | "<=" | ">" | ">=" => {
                let (left, right) = (self.value(&parts["left"])?, self.value(&parts["right"])?);
                both(left, operator, right)
            }
            "contains" => {
                let (left, right) = (self.value(&parts["left"])?, self.value(&parts["right"])?);
                both(left, "includes", right)
            }
            "containsAll" | "containsAny" => {
                let left = self.value(&parts["left"])?;
                let Some(items) = parts["right"]["Set"].as_array() else { return no(operator) };
                let is_all = operator == "containsAll";
                let mut each = vec![if is_all { "true".to_owned() } else { "false".to_owned() }];
                for item in items {
                    each.push(format!("{left} includes {}", self.value(item)?));
                }
                Ok(format!("({})", each.join(if is_all { " and " } else { " or " })))
            }
            "isEmpty" => Ok(format!("(size({}) == 0)", self.value(&parts["arg"])?)),
            _ => self.value(json),
        }
    }

    fn like(&mut self, parts: &Json) -> Text {
        let text = self.value(&parts["left"])?;
        let mut pieces = vec![String::new()];
        for part in parts["pattern"].as_array().into_iter().flatten() {
            match (part.get("Literal").and_then(Json::as_str), pieces.last_mut()) {
                (Some(literal), Some(last)) => last.push_str(literal),
                _ => pieces.push(String::new()),
            }
        }
        // Stars side by side are one.
        let last = pieces.len() - 1;
        let pieces: Vec<&String> = pieces
            .iter()
            .enumerate()
            .filter(|(at, piece)| *at == 0 || *at == last || !piece.is_empty())
            .map(|(_, piece)| piece)
            .collect();
        match pieces.as_slice() {
            [all] => Ok(format!("({text} == {})", quoted(all))),
            [start, end] if end.is_empty() => Ok(format!("({text} starts_with {})", quoted(start))),
            [start, end] if start.is_empty() => Ok(format!("({text} ends_with {})", quoted(end))),
            [start, part, end] if start.is_empty() && end.is_empty() => {
                Ok(format!("({text} contains {})", quoted(part)))
            }
            _ => no("like with several stars"),
        }
    }

    /// The map of what is known of an entity.
    fn entity_of(&mut self, json: &Json) -> Text {
        Ok(format!("entities[{}]", self.value(json)?))
    }

    /// What holds attributes: the context and what is in it, or an entity.
    fn record(&mut self, json: &Json) -> Text {
        if json["Var"] == "context" {
            return Ok("context".to_owned());
        }
        if json.get("Var").is_some() || json["Value"].get("__entity").is_some() {
            return Ok(format!("{}.attrs", self.entity_of(json)?));
        }
        no("an attribute of an attribute")
    }

    fn value(&mut self, json: &Json) -> Text {
        let Some((operator, parts)) = json.as_object().and_then(|object| object.iter().next()) else { return no("?") };
        match operator.as_str() {
            "Value" => match parts {
                Json::Bool(truth) => Ok(truth.to_string()),
                Json::Number(number) => Ok(format!("({number})")),
                Json::String(text) => Ok(quoted(text)),
                Json::Object(_) if parts.get("__entity").is_some() => self.named(parts),
                _ => no("a literal set or record"),
            },
            "Var" if parts == "context" => no("the context as a value"),
            "Var" => Ok(parts.as_str().unwrap_or_default().to_owned()),
            "." => {
                let base = self.record(&parts["left"])?;
                Ok(format!("{base}[{}]", quoted(parts["attr"].as_str().unwrap_or_default())))
            }
            "getTag" => {
                let (base, tag) = (self.entity_of(&parts["left"])?, self.value(&parts["right"])?);
                Ok(format!("{base}.tags[{tag}]"))
            }
            "Set" => {
                let mut items = Vec::new();
                for item in parts.as_array().into_iter().flatten() {
                    if !is_scalar(item) {
                        return no("a set of sets or records");
                    }
                    items.push(self.value(item)?);
                }
                Ok(format!("[{}]", items.join(", ")))
            }
            "ip" => self.address(json),
            "decimal" => match parts.as_array().map(Vec::as_slice) {
                Some([Json::Object(literal)]) => match literal.get("Value").and_then(Json::as_str) {
                    Some(text) if decimal(text).is_some() => Ok(format!("({text})")),
                    // What is no decimal is an error in Cedar, and here a reference to nothing.
                    Some(_) => Ok("literals.none".to_owned()),
                    None => no("decimal of a computed text"),
                },
                _ => no("decimal of several texts"),
            },
            "+" | "-" | "*" | "neg" => no("64-bit arithmetic"),
            "&&" | "||" | "!" | "if-then-else" | "has" | "in" | "is" | "isInRange" | "isEmpty" | "contains" => {
                no("a condition as a value")
            }
            other => no(other),
        }
    }

    /// A text that conditions read when they run, so that a wrong one is no mistake of the policy.
    fn literal(&mut self, text: &str) -> String {
        self.literals.push(text.to_owned());
        format!("literals.n{}", self.literals.len() - 1)
    }

    fn address(&mut self, json: &Json) -> Text {
        match json["ip"].as_array().map(Vec::as_slice) {
            Some([literal]) => match literal["Value"].as_str() {
                Some(text) => Ok(self.literal(text)),
                None => no("ip of a computed text"),
            },
            Some(_) => no("ip of several texts"),
            None => self.value(json),
        }
    }

    fn request(&self, request: &Json, entities: &Json) -> Datum {
        let mut known: BTreeMap<Uid, (Datum, Datum, Vec<Uid>)> = BTreeMap::new();
        let nothing = || Datum::Map(BTreeMap::new());
        for one in entities.as_array().into_iter().flatten() {
            let Some(name) = entity(&one["uid"]) else { continue };
            let parents = one["parents"].as_array().into_iter().flatten().filter_map(entity).collect();
            let tags = if one["tags"].is_null() { nothing() } else { datum(&one["tags"]) };
            known.insert(name, (datum(&one["attrs"]), tags, parents));
        }
        let mut names: Vec<(String, String)> = self.named.iter().cloned().collect();
        names.extend(["principal", "action", "resource"].iter().filter_map(|name| entity(&request[*name])));
        for name in names {
            known.entry(name).or_insert_with(|| (nothing(), nothing(), Vec::new()));
        }
        let ancestors = |name: &(String, String)| {
            let (mut found, mut open) = (BTreeSet::new(), vec![name.clone()]);
            while let Some(next) = open.pop() {
                if found.insert(next.clone()) {
                    open.extend(known.get(&next).map(|(.., parents)| parents.clone()).unwrap_or_default());
                }
            }
            Datum::List(found.iter().map(|(kind, id)| Datum::Text(key(kind, id))).collect())
        };
        let entries = known.iter().map(|(name, (attrs, tags, _))| {
            let fields = [
                ("attrs", attrs.clone()),
                ("tags", tags.clone()),
                ("type", Datum::Text(name.0.clone())),
                ("ancestors", ancestors(name)),
            ];
            (key(&name.0, &name.1), Datum::Map(fields.map(|(name, value)| (name.to_owned(), value)).into()))
        });
        let literals = self.literals.iter().enumerate();
        let literals = literals.map(|(number, text)| (format!("n{number}"), Datum::Text(text.clone()))).collect();
        let mut input = BTreeMap::from([
            ("entities".to_owned(), Datum::Map(entries.collect())),
            ("context".to_owned(), datum(&request["context"])),
            ("literals".to_owned(), Datum::Map(literals)),
        ]);
        for name in ["principal", "action", "resource"] {
            if let Some((kind, id)) = entity(&request[name]) {
                input.insert(name.to_owned(), Datum::Text(key(&kind, &id)));
            }
        }
        Datum::Map(input)
    }
}

/// A condition as the value of a key.
fn written(condition: &str) -> String {
    format!("\"{}\"", condition.replace('\\', "\\\\"))
}

/// Whether a value can only be a scalar, or is read from the data.
fn is_scalar(json: &Json) -> bool {
    let Some((operator, parts)) = json.as_object().and_then(|object| object.iter().next()) else { return false };
    match operator.as_str() {
        "Set" | "Record" | "ip" | "duration" | "datetime" => false,
        "Value" => !(parts.is_array() || (parts.is_object() && parts.get("__entity").is_none())),
        "Var" => parts != "context",
        _ => true,
    }
}

/// A decimal of Cedar's: an integer part, and one to four places.
fn decimal(text: &str) -> Option<Number> {
    let (_, places) = text.split_once('.')?;
    let is_short = (1..=4).contains(&places.len()) && places.bytes().all(|byte| byte.is_ascii_digit());
    let number = parse_decimal(text.as_bytes()).ok().filter(|_| is_short)?;
    let units = number.multiply(Number::from_i64(10_000)).ok()?;
    units.to_i64().map(|_| number)
}

fn datum(json: &Json) -> Datum {
    match json {
        Json::Null => Datum::Nothing,
        Json::Bool(truth) => Datum::Bool(*truth),
        Json::Number(number) => parse_decimal(number.to_string().as_bytes()).map_or(Datum::Nothing, Datum::Number),
        Json::String(text) => Datum::Text(text.clone()),
        Json::Array(items) => Datum::List(items.iter().map(datum).collect()),
        Json::Object(fields) => {
            if let Some((kind, id)) = fields.get("__entity").and_then(entity) {
                return Datum::Text(key(&kind, &id));
            }
            if let Some(value) = fields.get("__extn") {
                let text = value["arg"].as_str().unwrap_or_default();
                return match value["fn"].as_str() {
                    Some("decimal") => decimal(text).map_or(Datum::Nothing, Datum::Number),
                    _ => Datum::Text(text.to_owned()),
                };
            }
            Datum::Map(fields.iter().map(|(name, value)| (name.clone(), datum(value))).collect())
        }
    }
}
