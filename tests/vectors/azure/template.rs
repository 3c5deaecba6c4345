//! Template expressions: what Azure's policies write in brackets, computed before a request is made of it.

#![expect(clippy::wildcard_enum_match_arm, reason = "the arms name the kinds that are treated alone")]

use super::{Scope, Untranslated};
use serde_json::{Value as Json, json};
use std::net::IpAddr;

/// What an expression comes to: nothing where it reads what is not there.
pub(super) type Computed = Result<Option<Json>, Untranslated>;

/// A text's value: that of the expression in it, if it is one.
pub(super) fn value(text: &str, scope: &Scope) -> Computed {
    match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        Some(_) if text.starts_with("[[") => Ok(Some(json!(text.get(1..).unwrap_or_default()))),
        Some(inner) => {
            let mut reader = Reader { text: inner.chars().collect(), at: 0, scope };
            let value = reader.expression()?;
            reader.space();
            if reader.at < reader.text.len() {
                return Err(Untranslated(format!("expression {inner}")));
            }
            Ok(value)
        }
        None => Ok(Some(json!(text))),
    }
}

/// A value with all expressions in it computed.
pub(super) fn all(value: &Json, scope: &Scope) -> Computed {
    Ok(Some(match value {
        Json::String(text) => return self::value(text, scope),
        Json::Array(items) => {
            let items: Result<Vec<Json>, _> =
                items.iter().map(|item| all(item, scope).map(Option::unwrap_or_default)).collect();
            Json::Array(items?)
        }
        Json::Object(entries) => {
            let mut out = serde_json::Map::new();
            for (key, value) in entries {
                out.insert(key.clone(), all(value, scope)?.unwrap_or_default());
            }
            Json::Object(out)
        }
        other => other.clone(),
    }))
}

struct Reader<'s> {
    text: Vec<char>,
    at: usize,
    scope: &'s Scope<'s>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.space();
        let is_there = self.peek() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    fn word(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(|found| found.is_alphanumeric() || found == '_') {
            self.at += 1;
        }
        self.text.get(start..self.at).unwrap_or_default().iter().collect()
    }

    fn expression(&mut self) -> Computed {
        self.space();
        let mut value = match self.peek() {
            Some('\'') => Some(json!(self.quoted())),
            Some(found) if found.is_ascii_digit() || found == '-' => {
                let start = self.at;
                self.at += 1;
                while self.peek().is_some_and(|found| found.is_ascii_digit() || found == '.') {
                    self.at += 1;
                }
                let text: String = self.text.get(start..self.at).unwrap_or_default().iter().collect();
                serde_json::from_str(&text).ok()
            }
            _ => {
                let name = self.word().to_ascii_lowercase();
                if !self.eat('(') {
                    return match name.as_str() {
                        "true" => Ok(Some(json!(true))),
                        "false" => Ok(Some(json!(false))),
                        "null" => Ok(Some(Json::Null)),
                        _ => Err(Untranslated(format!("expression `{name}`"))),
                    };
                }
                let mut arguments = Vec::new();
                while !self.eat(')') {
                    arguments.push(self.expression()?);
                    if !self.eat(',') && {
                        self.space();
                        self.peek() != Some(')')
                    } {
                        return Err(Untranslated("an expression without an end".into()));
                    }
                }
                call(&name, &arguments, self.scope)?
            }
        };
        loop {
            if self.eat('.') {
                let name = self.word();
                value = value.and_then(|value| super::entry(&value, &name).cloned());
            } else if self.eat('[') {
                let key = self.expression()?;
                if !self.eat(']') {
                    return Err(Untranslated("an expression without an end".into()));
                }
                value = value.zip(key).and_then(|(value, key)| match key {
                    Json::String(name) => super::entry(&value, &name).cloned(),
                    key => value.get(usize::try_from(key.as_u64()?).ok()?).cloned(),
                });
            } else {
                return Ok(value);
            }
        }
    }

    fn quoted(&mut self) -> String {
        let mut text = String::new();
        self.at += 1;
        while let Some(found) = self.peek() {
            self.at += 1;
            if found == '\'' {
                if self.peek() != Some('\'') {
                    break;
                }
                self.at += 1;
            }
            text.push(found);
        }
        text
    }
}

fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Bool(truth) => if *truth { "True" } else { "False" }.to_owned(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

fn integer(value: &Json) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok()).or_else(|| {
        let float: f64 = value.to_string().parse().ok()?;
        Some(float.trunc() as i64)
    })
}

fn call(name: &str, arguments: &[Option<Json>], scope: &Scope) -> Computed {
    let missing = || Untranslated(format!("`{name}` of what is missing"));
    let lower = |value: &Json| text(value).to_lowercase();
    match name {
        "field" | "current" | "coalesce" | "if" | "empty" | "equals" | "not" | "and" | "or" | "tostring" | "length" => {
        }
        _ if arguments.iter().any(Option::is_none) => return Ok(None),
        _ => {}
    }
    let given: Vec<Json> = arguments.iter().map(|argument| argument.clone().unwrap_or_default()).collect();
    let at = |place: usize| given.get(place).ok_or_else(missing);
    let texts = |place: usize| at(place).map(text);
    let whole = |place: usize| at(place).and_then(|value| integer(value).ok_or_else(missing));
    let known = |value: Json| Ok(Some(value));
    match name {
        "parameters" => Ok(scope.parameter(&texts(0)?)),
        "field" => scope.field_value(&texts(0)?),
        "current" => match arguments.first() {
            Some(name) => scope.current(&name.as_ref().map(text).unwrap_or_default()),
            None => scope.current(""),
        },
        "resourcegroup" => Ok(super::entry(scope.context, "resourceGroup").cloned()),
        "subscription" => Ok(super::entry(scope.context, "subscription").cloned()),
        "requestcontext" => Ok(Some(scope.request.clone())),
        "concat" if !given.is_empty() && given.iter().all(Json::is_array) => {
            known(Json::Array(given.iter().flat_map(|list| list.as_array().into_iter().flatten().cloned()).collect()))
        }
        "concat" => known(json!(given.iter().map(text).collect::<String>())),
        "tolower" => known(json!(texts(0)?.to_lowercase())),
        "toupper" => known(json!(texts(0)?.to_uppercase())),
        "trim" => known(json!(texts(0)?.trim())),
        "replace" => known(json!(texts(0)?.replace(&texts(1)?, &texts(2)?))),
        "split" => {
            let by: Vec<String> = match at(1)? {
                Json::Array(all) => all.iter().map(text).collect(),
                one => vec![text(one)],
            };
            let mut parts = vec![texts(0)?];
            for by in by {
                parts = parts.iter().flat_map(|part| part.split(&by).map(str::to_owned).collect::<Vec<_>>()).collect();
            }
            known(json!(parts))
        }
        "startswith" => known(json!(lower(at(0)?).starts_with(&lower(at(1)?)))),
        "endswith" => known(json!(lower(at(0)?).ends_with(&lower(at(1)?)))),
        "indexof" | "lastindexof" => {
            let (whole, part) = (lower(at(0)?), lower(at(1)?));
            let found = if name == "indexof" { whole.find(&part) } else { whole.rfind(&part) };
            known(json!(found.map_or(-1, |at| i64::try_from(at).unwrap_or(-1))))
        }
        "substring" => {
            let (start, all) = (usize::try_from(whole(1)?).map_err(|_| missing())?, texts(0)?);
            let length = if given.len() > 2 { usize::try_from(whole(2)?).unwrap_or(0) } else { usize::MAX };
            known(json!(all.chars().skip(start).take(length).collect::<String>()))
        }
        "padleft" => {
            let fill = if given.len() > 2 { texts(2)? } else { " ".to_owned() };
            let (all, width) = (texts(0)?, usize::try_from(whole(1)?).unwrap_or(0));
            known(json!(fill.repeat(width.saturating_sub(all.chars().count())) + &all))
        }
        "string" | "tostring" => known(json!(match at(0)? {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        })),
        "int" => Ok(integer(at(0)?).map(|integer| json!(integer))),
        "float" => known(serde_json::from_str(&texts(0)?).map_err(|_| missing())?),
        "bool" => known(json!(lower(at(0)?) == "true" || lower(at(0)?) == "1")),
        "json" => known(serde_json::from_str(&texts(0)?).map_err(|_| missing())?),
        "length" => Ok(match arguments.first() {
            Some(Some(Json::String(text))) => Some(json!(text.chars().count())),
            Some(Some(Json::Array(items))) => Some(json!(items.len())),
            Some(Some(Json::Object(entries))) => Some(json!(entries.len())),
            _ => None,
        }),
        "empty" => known(json!(match at(0)? {
            Json::Null => true,
            Json::String(text) => text.is_empty(),
            Json::Array(items) => items.is_empty(),
            Json::Object(entries) => entries.is_empty(),
            Json::Bool(_) | Json::Number(_) => false,
        })),
        "first" | "last" => Ok(match at(0)? {
            Json::String(text) => {
                let found = if name == "first" { text.chars().next() } else { text.chars().last() };
                Some(json!(found.map(String::from).unwrap_or_default()))
            }
            Json::Array(items) => if name == "first" { items.first() } else { items.last() }.cloned(),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => None,
        }),
        "take" | "skip" => {
            let count = usize::try_from(whole(1)?).unwrap_or(0);
            let is_take = name == "take";
            known(match at(0)? {
                Json::Array(items) => {
                    let (before, after) = items.split_at(count.min(items.len()));
                    json!(if is_take { before } else { after })
                }
                other => {
                    let all: Vec<char> = text(other).chars().collect();
                    let (before, after) = all.split_at(count.min(all.len()));
                    json!(if is_take { before } else { after }.iter().collect::<String>())
                }
            })
        }
        "contains" => known(json!(match at(0)? {
            Json::Array(items) => items.iter().any(|item| super::is_same(item, given.get(1).unwrap_or(&Json::Null))),
            Json::Object(_) => super::entry(at(0)?, &texts(1)?).is_some(),
            other => lower(other).contains(&lower(at(1)?)),
        })),
        "createarray" => known(json!(given)),
        "array" => known(if at(0)?.is_array() { at(0)?.clone() } else { json!([at(0)?]) }),
        "createobject" => {
            let pairs = given.chunks(2).filter_map(|pair| Some((text(pair.first()?), pair.get(1)?.clone())));
            known(Json::Object(pairs.collect()))
        }
        "range" => known(json!((whole(0)?..whole(0)? + whole(1)?).collect::<Vec<i64>>())),
        "union" | "intersection" if given.iter().all(Json::is_array) => {
            let lists: Vec<&Vec<Json>> = given.iter().filter_map(Json::as_array).collect();
            let mut found: Vec<Json> = Vec::new();
            for item in lists.iter().copied().flatten() {
                let fits = name == "union" || lists.iter().all(|list| list.contains(item));
                if fits && !found.contains(item) {
                    found.push(item.clone());
                }
            }
            known(Json::Array(found))
        }
        "coalesce" => Ok(arguments.iter().flatten().find(|value| !value.is_null()).cloned()),
        "if" => Ok(arguments.get(if given.first() == Some(&json!(true)) { 1 } else { 2 }).cloned().flatten()),
        "equals" => known(json!(super::is_same(at(0)?, at(1)?))),
        "not" => known(json!(given.first() != Some(&json!(true)))),
        "and" => known(json!(given.iter().all(|value| *value == json!(true)))),
        "or" => known(json!(given.contains(&json!(true)))),
        "less" | "lessorequals" | "greater" | "greaterorequals" => {
            let order = match (at(0)?, at(1)?) {
                (Json::String(a), Json::String(b)) => a.to_lowercase().cmp(&b.to_lowercase()),
                _ => whole(0)?.cmp(&whole(1)?),
            };
            known(json!(match name {
                "less" => order.is_lt(),
                "lessorequals" => order.is_le(),
                "greater" => order.is_gt(),
                _ => order.is_ge(),
            }))
        }
        "add" => known(json!(whole(0)? + whole(1)?)),
        "sub" => known(json!(whole(0)? - whole(1)?)),
        "mul" => known(json!(whole(0)? * whole(1)?)),
        "div" => known(json!(whole(0)?.checked_div(whole(1)?).ok_or_else(missing)?)),
        "mod" => known(json!(whole(0)?.checked_rem(whole(1)?).ok_or_else(missing)?)),
        "min" | "max" => {
            let all = if let Json::Array(items) = at(0)? { items.clone() } else { given.clone() };
            let all = all.iter().filter_map(integer);
            known(json!(if name == "min" { all.min() } else { all.max() }.ok_or_else(missing)?))
        }
        "uri" => known(json!(format!("{}/{}", texts(0)?.trim_end_matches('/'), texts(1)?.trim_start_matches('/')))),
        "uricomponent" => known(json!(escaped(&texts(0)?))),
        "uricomponenttostring" => known(json!(unescaped(&texts(0)?))),
        "format" => {
            let mut out = texts(0)?;
            for (place, value) in given.iter().skip(1).enumerate() {
                out = out.replace(&format!("{{{place}}}"), &text(value));
            }
            known(json!(out))
        }
        "iprangecontains" => Ok(contains_range(&texts(0)?, &texts(1)?).map(|truth| json!(truth))),
        _ => Err(Untranslated(format!("function `{name}`"))),
    }
}

fn escaped(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, others)) = rest.split_first() {
        let code = others.get(..2).and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        match (first, code) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = others.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(first);
                rest = others;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The first and the last address of a range: one address, a network, or two with `-` between them.
fn range(text: &str) -> Option<(u8, u128, u128)> {
    let bits = |text: &str| match text.trim().parse().ok()? {
        IpAddr::V4(address) => Some((4, u128::from(address.to_bits()), 32)),
        IpAddr::V6(address) => Some((6, address.to_bits(), 128_u32)),
    };
    if let Some((first, last)) = text.split_once('-') {
        let ((version, first, _), (_, last, _)) = (bits(first)?, bits(last)?);
        return Some((version, first, last));
    }
    let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let (version, bits, width) = bits(address)?;
    let prefix: u32 = prefix.map_or(Some(width), |prefix| prefix.parse().ok())?;
    let rest = if width - prefix >= 128 { u128::MAX } else { (1 << (width - prefix)) - 1 };
    Some((version, bits & !rest, bits | rest))
}

fn contains_range(whole: &str, part: &str) -> Option<bool> {
    let ((version, from, to), (other, first, last)) = (range(whole)?, range(part)?);
    Some(version == other && from <= first && last <= to)
}
