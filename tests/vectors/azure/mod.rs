//! Azure's policies, translated: the condition of a policy is a rule, and what its fields come to in a resource is the
//! request. An effect is due where the rule allows.
//!
//! Azure's conditions have two truths: what is missing or of another kind is unequal. So a request says of each field
//! what kind it is, and a condition asks for the kind first. Texts are compared in lower case. How often something is
//! so is a condition on each of the items.

#![expect(clippy::wildcard_enum_match_arm, reason = "the arms name what has a counterpart, nothing else has")]

mod template;

use crate::folder::Folder;
use crate::judge::Report;
use crate::keep;
use kerai_compiler::explain::Examiner;
use kerai_compiler::syntax::policy::check;
use kerai_compiler::syntax::yaml::{
    self,
    tree::{Kind, Node},
};
use kerai_golden::policy::naive::{self, Datum};
use kerai_golden::policy::{agreed, indexed};
use kerai_vm::number::parse_decimal;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use template::Computed;

const INPUTS: &str = "inputs: { v: { \"*\": any }, k: { \"*\": string } }\nrules:\n";

/// The subscription where a case names none.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// Something of Azure's that kerai has no counterpart of.
pub(super) struct Untranslated(String);

pub fn run(folder: &Folder, report: &mut Report) {
    for file in folder.files() {
        if !file.path.contains("azure_policy/cases/") {
            continue;
        }
        // A tilde is read as nothing by some readers of YAML, and is refused by kerai's.
        let text = file.text().replace(": ~\n", ": null\n");
        let Ok(document) = yaml::read(&text) else {
            report.note(format!("not read: {}", file.path));
            continue;
        };
        let document = to_json(&document);
        for case in list(&document, "cases") {
            let note = case["note"].as_str().unwrap_or("-").to_owned();
            let keep = |policy: &str, request: &Datum| {
                report.keep(&file.path, || keep::decided(policy, &request.to_json()));
            };
            match judge(case, &document, keep) {
                Ok(None) => report.pass(),
                Ok(Some((expected, found))) => report.fail(&file.path, note, expected, found),
                Err(Untranslated(what)) => report.note(format!("not run, `{what}` has no counterpart")),
            }
        }
    }
}

fn list<'j>(value: &'j Json, key: &str) -> impl Iterator<Item = &'j Json> {
    value[key].as_array().into_iter().flatten()
}

fn to_json(node: &Node) -> Json {
    use kerai_compiler::syntax::yaml::Meaning;
    match &node.kind {
        Kind::Scalar(scalar) => match scalar.meaning() {
            Meaning::Null => Json::Null,
            Meaning::Bool(truth) => json!(truth),
            Meaning::Number => serde_json::from_str(&scalar.text).unwrap_or(Json::Null),
            Meaning::Text => json!(scalar.text),
        },
        Kind::Sequence(items) => Json::Array(items.iter().map(to_json).collect()),
        Kind::Mapping(entries) => {
            Json::Object(entries.iter().map(|entry| (entry.key.text.to_string(), to_json(&entry.value))).collect())
        }
    }
}

/// Names that Azure gives to fields by a table of its own: the end of the name, and where it lies below `properties`.
const ALIASES: &[(&str, &str)] = &[
    ("microsoft.compute/imagepublisher", "storageProfile.imageReference.publisher"),
    ("microsoft.compute/imageoffer", "storageProfile.imageReference.offer"),
    ("microsoft.compute/imagesku", "storageProfile.imageReference.sku"),
    ("microsoft.compute/imageid", "storageProfile.imageReference.id"),
    ("microsoft.compute/imageversion", "storageProfile.imageReference.version"),
    ("microsoft.compute/licensetype", "licenseType"),
    ("microsoft.compute/virtualmachines/sku.name", "hardwareProfile.vmSize"),
    ("storageaccounts/enableblobencryption", "encryption.services.blob.enabled"),
    ("storageaccounts/enablefileencryption", "encryption.services.file.enabled"),
    ("virtualmachines/osdisk.uri", "storageProfile.osDisk.vhd.uri"),
    ("virtualmachinescalesets/osdisk.vhdcontainers", "virtualMachineProfile.storageProfile.osDisk.vhdContainers"),
    ("virtualmachinescalesets/osdisk.imageurl", "virtualMachineProfile.storageProfile.osDisk.image.uri"),
];

/// Names that lie elsewhere by the version that is asked for, the first that fits: the end of the name, the versions,
/// all where none are named, and the way from the resource, or from the item that is counted.
const VERSIONED: &[(&str, &[&str], &str)] = &[
    ("versionedresources/accounttype", &["2020-01-01", "2019-06-01"], "sku.name"),
    ("versionedresources/config.threshold", &["2015-06-15", "2015-01-01"], "properties.config.properties.threshold"),
    ("versionedresources/config.threshold", &[], "properties.config.threshold"),
    ("versionedresources/tier", &["2015-06-15", "2015-01-01"], "properties.pricingTier"),
    ("versionedresources/tier", &[], "sku.tier"),
    ("versionedresources/operationmode", &["2015-01-01"], "properties.legacyMode"),
    ("versionedresources/operationmode", &["2017-06-01"], "properties.settings.mode"),
    ("versionedresources/operationmode", &[], "properties.mode"),
    ("complexresources/rules[*].priority", &["2020-01-01"], "properties.prio"),
    ("complexresources/config.retrycount", &["2015-01-01"], "properties.config.properties.retryCount"),
    ("complexresources/config.retrycount", &[], "properties.config.retryCount"),
    ("complexresources/settings.encryption.enabled", &["2015-01-01"], "properties.encryptionEnabled"),
];

/// What a map has under a name, however its letters are written.
pub(super) fn entry<'j>(map: &'j Json, name: &str) -> Option<&'j Json> {
    let entries = map.as_object()?;
    entries.get(name).or_else(|| entries.iter().find(|entry| entry.0.eq_ignore_ascii_case(name)).map(|entry| entry.1))
}

fn lowered(value: &Json) -> Json {
    match value {
        Json::String(text) => json!(text.to_lowercase()),
        Json::Array(items) => Json::Array(items.iter().map(lowered).collect()),
        Json::Object(entries) => {
            Json::Object(entries.iter().map(|(key, value)| (key.to_lowercase(), lowered(value))).collect())
        }
        other => other.clone(),
    }
}

pub(super) fn is_same(a: &Json, b: &Json) -> bool {
    lowered(a) == lowered(b)
}

/// Where an expression is computed.
pub(super) struct Scope<'s> {
    resource: &'s Json,
    /// What expressions read fields of, where that is another one.
    first: Option<&'s Json>,
    kind: String,
    parameters: &'s Json,
    defaults: &'s Json,
    context: &'s Json,
    request: &'s Json,
    /// What is counted: its path or name, in lower case, and the item.
    bound: Vec<(String, Json)>,
}

impl Scope<'_> {
    fn parameter(&self, name: &str) -> Option<Json> {
        let given = entry(self.parameters, name);
        let given = given.map(|given| entry(given, "value").unwrap_or(given));
        given.or_else(|| entry(entry(self.defaults, name)?, "defaultValue")).cloned()
    }

    /// Whether a name's type is the resource's.
    fn is_of(&self, name: &str) -> bool {
        self.kind.to_lowercase().rsplit_once('/').is_some_and(|(_, kind)| name.starts_with(&format!("{kind}/")))
    }

    /// The path within the resource that a field names.
    fn path(&self, field: &str) -> Option<Vec<String>> {
        let lower = field.to_lowercase();
        let kind = self.kind.to_lowercase();
        let mut rest = field;
        if lower.starts_with("microsoft.") && !kind.is_empty() {
            // A resource of a type within a type is an item of what the outer type's field names.
            let outer = kind.rsplit_once('/').filter(|(outer, _)| outer.contains('/'));
            if let Some(found) = lower.strip_prefix(&format!("{kind}/")) {
                rest = field.get(field.len() - found.len()..)?;
            } else if let Some(found) = outer
                .and_then(|(_, inner)| lower.strip_prefix(&format!("{kind}[*].")).or_else(|| lower.strip_prefix(inner)))
            {
                rest = field.get(field.len() - found.len()..)?;
            } else if let Some(found) = kind
                .split_once('/')
                .and_then(|(space, _)| lower.strip_prefix(&format!("{space}/")))
                .filter(|found| !found.contains('/'))
            {
                rest = field.get(field.len() - found.len()..)?;
            } else {
                return None;
            }
        }
        // A type within this one may stand before the name.
        if lower.starts_with("microsoft.")
            && let Some(slash) =
                rest.find(['.', '[']).map_or_else(|| rest.rfind('/'), |end| rest.get(..end)?.rfind('/'))
        {
            rest = rest.get(slash + 1..)?;
        }
        let mut parts = Vec::new();
        let mut part = String::new();
        let mut letters = rest.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '.' => parts.push(std::mem::take(&mut part)),
                '[' if letters.peek() == Some(&'\'') => {
                    parts.push(std::mem::take(&mut part));
                    letters.next();
                    for letter in letters.by_ref() {
                        if letter == '\'' {
                            break;
                        }
                        part.push(letter);
                    }
                    letters.next();
                }
                '[' if letters.peek() == Some(&'*') => {
                    parts.push(std::mem::take(&mut part));
                    part.push('*');
                    letters.next();
                    letters.next();
                }
                '[' => {
                    parts.push(std::mem::take(&mut part));
                    part.extend(letters.by_ref().take_while(|&letter| letter != ']'));
                }
                letter => part.push(letter),
            }
        }
        parts.push(part);
        parts.retain(|part| !part.is_empty());
        Some(parts)
    }

    /// All that a field names: for `[*]` each item. A value that is not there is none.
    fn read(&self, field: &str) -> Vec<Option<Json>> {
        let lower = field.to_lowercase();
        let version = entry(self.request, "apiVersion").and_then(Json::as_str).unwrap_or_default();
        let fits = |name: &str, versions: &[&str]| {
            let is_there = lower.ends_with(name)
                || !lower.contains('/') && name.ends_with(&format!("/{lower}")) && self.is_of(name);
            is_there && (versions.is_empty() || versions.contains(&version))
        };
        if let Some((_, _, path)) = VERSIONED.iter().find(|(name, versions, _)| fits(name, versions)) {
            let from = self.bound.last().map_or(self.resource, |bound| &bound.1);
            return walk(Some(from), &path.split('.').map(str::to_owned).collect::<Vec<_>>());
        }
        // What is counted stands for its path, and everything below.
        for (path, item) in self.bound.iter().rev() {
            if let Some(rest) = lower.strip_prefix(path.as_str())
                && path.ends_with("[*]")
                && (rest.is_empty() || rest.starts_with('.') || rest.starts_with('['))
            {
                let rest = field.get(field.len() - rest.len()..).unwrap_or_default();
                let inner = Scope { kind: String::new(), resource: item, first: None, bound: Vec::new(), ..*self };
                return inner.path(rest.trim_start_matches('.')).map_or_else(Vec::new, |path| walk(Some(item), &path));
            }
        }
        if let Some((_, path)) = ALIASES.iter().find(|alias| lower.ends_with(alias.0)) {
            let path: Vec<String> = path.split('.').map(str::to_owned).collect();
            return walk(entry(self.resource, "properties"), &path);
        }
        // What is looked up may be told by the whole name.
        if let (Some(named), Some(rest)) = (entry(self.resource, "microsoft"), field.get("microsoft.".len()..)) {
            let (name, is_each) = rest.strip_suffix("[*]").map_or((rest, false), |name| (name, true));
            let path = [Some(name.to_owned()), is_each.then(|| "*".to_owned())];
            return walk(Some(named), &path.into_iter().flatten().collect::<Vec<_>>());
        }
        let Some(mut path) = self.path(field) else { return vec![None] };
        if lower.starts_with("microsoft.")
            && let Some(properties) = entry(self.resource, "properties")
        {
            // A variant's name stands before what the variant has.
            let variant = entry(properties, "type").and_then(Json::as_str).unwrap_or_default();
            if path.first().is_some_and(|first| first.eq_ignore_ascii_case(variant)) {
                path.remove(0);
            }
            let first = path.first().map(String::as_str).unwrap_or_default();
            if entry(properties, first).is_some() || entry(self.resource, first).is_none() {
                return walk(Some(properties), &path);
            }
        }
        if lower == "apiversion" && entry(self.resource, "apiVersion").is_none() {
            return vec![entry(self.request, "apiVersion").cloned()];
        }
        if lower == "fullname" {
            return vec![entry(self.resource, "fullName").or_else(|| entry(self.resource, "name")).cloned()];
        }
        walk(Some(self.resource), &path)
    }

    pub(super) fn field_value(&self, field: &str) -> Computed {
        if let (Some(first), true) = (self.first, self.bound.is_empty() || !field.contains("[*]")) {
            let kind = entry(first, "type").and_then(Json::as_str).unwrap_or_default().to_owned();
            return Scope { resource: first, first: None, kind, bound: Vec::new(), ..*self }.field_value(field);
        }
        let found = self.read(field);
        if field.contains("[*]") {
            return Ok(Some(Json::Array(found.into_iter().flatten().collect())));
        }
        Ok(found.into_iter().next().flatten())
    }

    pub(super) fn current(&self, name: &str) -> Computed {
        let lower = name.to_lowercase();
        let mut bound = self.bound.iter().rev();
        let found = if lower.is_empty() { bound.next() } else { bound.find(|bound| bound.0 == lower) };
        match found {
            Some((_, item)) => Ok(Some(item.clone())),
            None if self.bound.iter().any(|(path, _)| lower.starts_with(path.as_str()) && path.ends_with("[*]")) => {
                let found = self.read(name);
                let is_list = lower.matches("[*]").count() > 1;
                Ok(if is_list {
                    Some(Json::Array(found.into_iter().flatten().collect()))
                } else {
                    found.into_iter().next().flatten()
                })
            }
            None if lower.contains("[*]") => self.field_value(name),
            None => Err(Untranslated(format!("current({name})"))),
        }
    }
}

/// What a resource or a part of one has under a name, itself or below its properties.
fn named<'j>(from: Option<&'j Json>, name: &str) -> Option<&'j Json> {
    let from = from?;
    entry(from, name).or_else(|| entry(entry(from, "properties")?, name))
}

fn walk(from: Option<&Json>, path: &[String]) -> Vec<Option<Json>> {
    let Some((first, rest)) = path.split_first() else { return vec![from.cloned()] };
    if first == "*" {
        return match from {
            Some(Json::Array(items)) => items.iter().flat_map(|item| walk(Some(item), rest)).collect(),
            _ => Vec::new(),
        };
    }
    let inner = from.and_then(|from| from.as_array()?.get(first.parse::<usize>().ok()?)).or_else(|| named(from, first));
    if inner.is_none() && rest.iter().any(|part| part == "*") {
        return Vec::new();
    }
    walk(inner, rest)
}

/// The rules and the request that a case becomes.
#[derive(Default)]
struct Translation {
    values: BTreeMap<String, Datum>,
    kinds: BTreeMap<String, Datum>,
}

/// What is compared.
enum Operand {
    One(Option<Json>),
    /// Each of them must hold.
    Each(Vec<Option<Json>>),
    /// Conditions on items, of which so many hold.
    Count(Vec<String>),
}

impl Translation {
    fn condition(&mut self, node: &Json, scope: &mut Scope) -> Result<String, Untranslated> {
        let has = |key: &str| entry(node, key);
        if let Some(all) = has("allOf") {
            return self.joined(all, scope, " and ", "true");
        }
        if let Some(any) = has("anyOf") {
            return self.joined(any, scope, " or ", "false");
        }
        if let Some(inner) = has("not") {
            return Ok(format!("not ({})", self.condition(inner, scope)?));
        }
        let operand = if let Some(field) = has("field") {
            let name = match template::all(field, scope)? {
                Some(Json::String(name)) => name,
                _ => return Err(Untranslated("a field without a name".into())),
            };
            let found = scope.read(&name);
            let is_bound = scope.bound.iter().any(|bound| bound.0 == name.to_lowercase());
            if name.contains("[*]") && !is_bound && !self::is_within(&name, scope) {
                Operand::Each(found)
            } else {
                Operand::One(found.into_iter().next().flatten())
            }
        } else if let Some(value) = has("value") {
            Operand::One(template::all(value, scope)?)
        } else if let Some(count) = has("count") {
            self.count(count, scope)?
        } else {
            return Err(Untranslated("a condition without a field".into()));
        };
        let known = ["field", "value", "count"];
        let Some((operator, wanted)) =
            node.as_object().into_iter().flatten().find(|(key, _)| !known.contains(&key.to_lowercase().as_str()))
        else {
            return Err(Untranslated("a condition without an operator".into()));
        };
        let wanted = template::all(wanted, scope)?;
        let operator = operator.to_lowercase();
        match operand {
            Operand::One(value) => self.compare(value.as_ref(), &operator, wanted.as_ref()),
            Operand::Each(values) => {
                let each: Result<Vec<String>, _> =
                    values.iter().map(|value| self.compare(value.as_ref(), &operator, wanted.as_ref())).collect();
                Ok(bracketed(&each?, " and ", "true"))
            }
            Operand::Count(conditions) => counted(&conditions, &operator, wanted.as_ref()),
        }
    }

    fn joined(&mut self, nodes: &Json, scope: &mut Scope, by: &str, none: &str) -> Result<String, Untranslated> {
        let nodes = nodes.as_array().ok_or_else(|| Untranslated("a list of conditions".into()))?;
        let all: Result<Vec<String>, _> = nodes.iter().map(|node| self.condition(node, scope)).collect();
        Ok(bracketed(&all?, by, none))
    }

    fn count(&mut self, count: &Json, scope: &mut Scope) -> Result<Operand, Untranslated> {
        let (name, items) = if let Some(field) = entry(count, "field").and_then(Json::as_str) {
            (field.to_lowercase(), scope.read(field).into_iter().flatten().collect())
        } else {
            let value = entry(count, "value").ok_or_else(|| Untranslated("a count of nothing".into()))?;
            let name = entry(count, "name").and_then(Json::as_str).unwrap_or_default().to_lowercase();
            match template::all(value, scope)? {
                Some(Json::Array(items)) => (name, items),
                None | Some(Json::Null) => (name, Vec::new()),
                Some(other) => (name, vec![other]),
            }
        };
        let mut conditions = Vec::new();
        for item in items {
            conditions.push(match entry(count, "where") {
                None => "true".to_owned(),
                Some(inner) => {
                    scope.bound.push((name.clone(), item));
                    let condition = self.condition(inner, scope);
                    scope.bound.pop();
                    condition?
                }
            });
        }
        Ok(Operand::Count(conditions))
    }

    /// Puts a value into the request, and gives its name there.
    fn put(&mut self, value: Option<&Json>) -> String {
        let name = format!("a{}", self.kinds.len());
        let kind = match value {
            None => "missing",
            Some(Json::Null) => "null",
            Some(Json::Bool(_)) => "bool",
            Some(Json::Number(_)) => "number",
            Some(Json::String(_)) => "string",
            Some(Json::Array(_)) => "list",
            Some(Json::Object(_)) => "map",
        };
        if let Some(value) = value {
            self.values.insert(name.clone(), datum(value));
        }
        self.kinds.insert(name.clone(), Datum::Text(kind.to_owned()));
        name
    }

    fn compare(&mut self, value: Option<&Json>, operator: &str, wanted: Option<&Json>) -> Result<String, Untranslated> {
        let positive = match operator {
            "notequals" => Some("equals"),
            "notlike" => Some("like"),
            "notin" => Some("in"),
            "notcontains" => Some("contains"),
            "notcontainskey" => Some("containskey"),
            _ => None,
        };
        if let Some(positive) = positive {
            return Ok(format!("not ({})", self.compare(value, positive, wanted)?));
        }
        let name = self.put(value);
        let is = |kind: &str| format!("k.{name} == '{kind}'");
        let Some(wanted) = wanted else { return Ok("false".to_owned()) };
        match operator {
            "exists" => {
                let wants =
                    *wanted == json!(true) || wanted.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true"));
                let is_there = format!("k.{name} != 'missing' and k.{name} != 'null'");
                Ok(if wants { format!("({is_there})") } else { format!("not ({is_there})") })
            }
            "equals" => equals(&name, wanted),
            "in" => {
                let items = wanted.as_array().ok_or_else(|| Untranslated("`in` of no list".into()))?;
                let each: Result<Vec<String>, _> = items.iter().map(|item| equals(&name, item)).collect();
                Ok(bracketed(&each?, " or ", "false"))
            }
            "contains" => {
                let Json::String(text) = wanted else { return Err(Untranslated("`contains` of no text".into())) };
                let text = quoted(&text.to_lowercase())?;
                let whole = format!("{} and lower(v.{name}) contains {text}", is("string"));
                Ok(format!("(({whole}) or ({} and v.{name} includes {text}))", is("list")))
            }
            "containskey" => {
                let Json::String(key) = wanted else { return Err(Untranslated("`containsKey` of no text".into())) };
                Ok(format!("({} and v.{name} includes {})", is("map"), quoted(&key.to_lowercase())?))
            }
            "like" => like(&name, wanted),
            "less" | "lessorequals" | "greater" | "greaterorequals" => {
                let sign = match operator {
                    "less" => "<",
                    "lessorequals" => "<=",
                    "greater" => ">",
                    _ => ">=",
                };
                match wanted {
                    Json::Number(number) => Ok(format!("({} and v.{name} {sign} {})", is("number"), plain(number)?)),
                    Json::String(text) => {
                        let text = quoted(&text.to_lowercase())?;
                        Ok(format!("({} and lower(v.{name}) {sign} {text})", is("string")))
                    }
                    _ => Err(Untranslated("an order of neither numbers nor texts".into())),
                }
            }
            _ => Err(Untranslated(format!("operator `{operator}`"))),
        }
    }
}

/// Whether a field names one item of what is counted.
fn is_within(field: &str, scope: &Scope) -> bool {
    let lower = field.to_lowercase();
    let within = scope.bound.iter().filter_map(|(path, _)| lower.strip_prefix(path.as_str()));
    within.into_iter().any(|rest| !rest.contains("[*]"))
}

fn equals(name: &str, wanted: &Json) -> Result<String, Untranslated> {
    Ok(match wanted {
        Json::Null => format!("(k.{name} == 'null' or k.{name} == 'missing')"),
        Json::Bool(truth) => format!(
            "((k.{name} == 'bool' and v.{name} == {truth}) or (k.{name} == 'string' and lower(v.{name}) == '{truth}'))"
        ),
        Json::Number(number) => {
            let number = plain(number)?;
            format!(
                "((k.{name} == 'number' and v.{name} == {number}) or (k.{name} == 'string' and v.{name} == '{number}'))"
            )
        }
        Json::String(text) => {
            let quoted = quoted(&text.to_lowercase())?;
            let mut ways = vec![format!("(k.{name} == 'string' and lower(v.{name}) == {quoted})")];
            if let "true" | "false" = text.to_lowercase().as_str() {
                ways.push(format!("(k.{name} == 'bool' and v.{name} == {})", text.to_lowercase()));
            }
            if parse_decimal(text.as_bytes()).is_ok() && !text.starts_with('+') {
                ways.push(format!("(k.{name} == 'number' and v.{name} == {text})"));
            }
            format!("({})", ways.join(" or "))
        }
        Json::Array(_) | Json::Object(_) => return Err(Untranslated("equality with what is no scalar".into())),
    })
}

/// A form with `*` for any text.
fn like(name: &str, wanted: &Json) -> Result<String, Untranslated> {
    let Json::String(form) = wanted else { return Err(Untranslated("`like` of no text".into())) };
    let form = form.to_lowercase();
    let lower = format!("lower(v.{name})");
    let parts: Vec<&str> = form.split('*').collect();
    let truth = match parts.as_slice() {
        [whole] => format!("{lower} == {}", quoted(whole)?),
        [before, after] => format!(
            "{lower} starts_with {} and {lower} ends_with {} and size(v.{name}) >= {}",
            quoted(before)?,
            quoted(after)?,
            before.len() + after.len()
        ),
        ["", part, ""] => format!("{lower} contains {}", quoted(part)?),
        _ => return Err(Untranslated("`like` with more than one `*`".into())),
    };
    Ok(format!("(k.{name} == 'string' and {truth})"))
}

/// So many of some conditions, each way that it can be.
fn counted(conditions: &[String], operator: &str, wanted: Option<&Json>) -> Result<String, Untranslated> {
    let wanted = wanted.and_then(Json::as_i64).ok_or_else(|| Untranslated("a count beside no whole number".into()))?;
    let at_least = |count: i64| at_least(conditions, count);
    Ok(match operator {
        "equals" => format!("({} and not ({}))", at_least(wanted)?, at_least(wanted + 1)?),
        "notequals" => format!("not ({} and not ({}))", at_least(wanted)?, at_least(wanted + 1)?),
        "greater" => at_least(wanted + 1)?,
        "greaterorequals" => at_least(wanted)?,
        "less" => format!("not ({})", at_least(wanted)?),
        "lessorequals" => format!("not ({})", at_least(wanted + 1)?),
        _ => return Err(Untranslated(format!("`{operator}` of a count"))),
    })
}

fn at_least(conditions: &[String], count: i64) -> Result<String, Untranslated> {
    let Ok(count @ 1..) = usize::try_from(count.max(0)) else { return Ok("true".to_owned()) };
    if count > conditions.len() {
        return Ok("false".to_owned());
    }
    if conditions.iter().all(|condition| condition == "true") {
        return Ok("true".to_owned());
    }
    if conditions.len() > 10 {
        return Err(Untranslated("a count of many".into()));
    }
    let Some((first, rest)) = conditions.split_first() else { return Ok("false".to_owned()) };
    let more = i64::try_from(count).unwrap_or(i64::MAX);
    Ok(format!("(({first} and {}) or {})", at_least(rest, more - 1)?, at_least(rest, more)?))
}

fn bracketed(parts: &[String], by: &str, none: &str) -> String {
    if parts.is_empty() { none.to_owned() } else { format!("({})", parts.join(by)) }
}

fn quoted(text: &str) -> Result<String, Untranslated> {
    if text.contains(['\'', '\\', '\n']) {
        Err(Untranslated("a text with marks in it".into()))
    } else {
        Ok(format!("'{text}'"))
    }
}

fn plain(number: &serde_json::Number) -> Result<String, Untranslated> {
    let text = number.to_string();
    if text.contains(['e', 'E']) { Err(Untranslated("a number with an exponent".into())) } else { Ok(text) }
}

/// Lists and maps in lower case, because all that is asked of them is asked so.
fn datum(value: &Json) -> Datum {
    match value {
        Json::Null => Datum::Nothing,
        Json::Bool(truth) => Datum::Bool(*truth),
        Json::Number(number) => parse_decimal(number.to_string().as_bytes()).map_or(Datum::Nothing, Datum::Number),
        Json::String(text) => Datum::Text(text.to_lowercase()),
        Json::Array(items) => {
            Datum::List(items.iter().map(datum).filter(|item| matches!(item, Datum::Text(_))).collect())
        }
        Json::Object(entries) => {
            Datum::Map(entries.keys().map(|key| (key.to_lowercase(), Datum::Bool(true))).collect())
        }
    }
}

/// What was expected and what was found, where the two differ; the policy and what it is asked are kept.
fn judge(
    case: &Json,
    document: &Json,
    keep: impl FnOnce(&str, &Datum),
) -> Result<Option<(String, String)>, Untranslated> {
    if !case["want_parse_error"].is_null() || !case["want_compile_error"].is_null() {
        return Err(Untranslated("a refusal of a policy".into()));
    }
    let read = |value: &Json| match value {
        Json::String(text) => serde_json::from_str(text).map_err(|_| Untranslated("a policy that is no JSON".into())),
        other => Ok(other.clone()),
    };
    let sources =
        [&case["policy_rule"], &case["policy_definition"], &document["policy_definition"], &document["policy_rule"]];
    let source =
        sources.into_iter().find(|source| !source.is_null()).ok_or_else(|| Untranslated("no policy".into()))?;
    let definition = read(source)?;
    let definition = entry(&definition, "properties").cloned().unwrap_or(definition);
    let defaults = entry(&definition, "parameters").cloned().unwrap_or_default();
    let rule = entry(&definition, "policyRule").cloned().unwrap_or(definition);
    let resource = &case["resource"];
    let nobody = json!({ "subscription": { "subscriptionId": NOBODY } });
    let contexts = [&case["context"], &document["context"], &nobody];
    let context = contexts.into_iter().find(|context| !context.is_null()).unwrap_or(&nobody);
    let version = json!({ "apiVersion": case["api_version"] });
    let asked = &case["request_context"];
    let mut scope = Scope {
        resource,
        first: None,
        kind: entry(resource, "type").and_then(Json::as_str).unwrap_or_default().to_owned(),
        parameters: &case["parameters"],
        defaults: &defaults,
        context,
        request: if asked.is_null() { &version } else { asked },
        bound: Vec::new(),
    };
    let mut translation = Translation::default();
    let condition = entry(&rule, "if").ok_or_else(|| Untranslated("a rule without a condition".into()))?;
    let mut conditions = vec![translation.condition(condition, &mut scope)?];
    let then = entry(&rule, "then").cloned().unwrap_or_default();
    let effect = entry(&then, "effect").map(|effect| template::all(effect, &scope)).transpose()?.flatten();
    let effect = effect.and_then(|effect| effect.as_str().map(str::to_owned)).unwrap_or_default();
    let looked = list(case, "host_await").next();
    if let (true, Some(looked)) = (effect.to_lowercase().ends_with("ifnotexists"), looked) {
        let found = &looked["response"];
        let details = entry(&then, "details").cloned().unwrap_or_default();
        if !found.is_null() {
            let kind = entry(&details, "type").and_then(Json::as_str).unwrap_or_default().to_owned();
            let mut scope = Scope { resource: found, first: Some(resource), kind, bound: Vec::new(), ..scope };
            let existence = entry(&details, "existenceCondition");
            let holds =
                existence.map_or(Ok("true".to_owned()), |existence| translation.condition(existence, &mut scope))?;
            conditions.push(format!("not ({holds})"));
        }
    }
    decided(case, &effect, &conditions, translation, keep)
}

fn decided(
    case: &Json,
    effect: &str,
    conditions: &[String],
    translation: Translation,
    keep: impl FnOnce(&str, &Datum),
) -> Result<Option<(String, String)>, Untranslated> {
    let conditions: Vec<String> = conditions.iter().map(|condition| format!("{condition:?}")).collect();
    let text = format!("{INPUTS}    - {{ id: effect, allow_if: [{}] }}\n", conditions.join(", "));
    let policy = match check(&text) {
        Ok(policy) => policy,
        Err(found) => return Ok(Some(("a policy".into(), format!("{found:?}\n{text}")))),
    };
    let program = match indexed(&policy) {
        Ok(program) => program,
        Err(fault) => return Ok(Some(("a program".into(), fault))),
    };
    let mut examiner = Examiner::new(&policy, &program);
    examiner.prepare();
    let request = Datum::Map(
        [("v".to_owned(), Datum::Map(translation.values)), ("k".to_owned(), Datum::Map(translation.kinds))].into(),
    );
    keep(&text, &request);
    let value = request.build(examiner.heap());
    let found = match agreed(&mut examiner, value, &naive::decide(&policy, &request)) {
        Ok(found) => found,
        Err(fault) => return Ok(Some(("what the naive evaluator says".into(), fault))),
    };
    let is_due = found.is_allowed && !effect.eq_ignore_ascii_case("disabled");
    let expected = case["want_effect"].as_str();
    let is_met = expected.map_or(!is_due, |expected| is_due && expected.eq_ignore_ascii_case(effect));
    if is_met {
        return Ok(None);
    }
    Ok(Some((format!("{expected:?}"), format!("{is_due}, {effect} {}", conditions.join(", ")))))
}
