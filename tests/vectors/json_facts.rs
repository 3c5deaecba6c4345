//! What a JSON document says, read by a reader of the tests' own: reasons to refuse it, and its canonical forms by JCS and by kerai.

use crate::decimal_model::Decimal;
use kerai_vm::encoding::text;
use kerai_vm::limit;
use std::collections::{BTreeSet, HashSet};
use std::fmt::Write;

/// Deeper documents are not taken apart.
const DEEPEST: usize = 5000;

/// A document, keys as they stand.
enum Json {
    Word(&'static str),
    Number(String),
    Text(String),
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
}

#[derive(Default)]
pub struct JsonFacts {
    /// The codes for which kerai must refuse the document.
    pub refusals: BTreeSet<&'static str>,
    pub is_rounded_by_jcs: bool,
    pub is_ordered_otherwise_by_jcs: bool,
    pub is_not_nfc: bool,
    /// Canonical by RFC 8785.
    pub jcs: Vec<u8>,
    /// Canonical by RFC 8785 after all keys and strings were normalized.
    pub jcs_of_nfc: Vec<u8>,
    /// Canonical by kerai's rules.
    pub kerai: Vec<u8>,
}

impl JsonFacts {
    /// The facts of a document that follows RFC 8259, duplicate keys and lone surrogates included.
    pub fn of(input: &[u8]) -> Option<JsonFacts> {
        let source = str::from_utf8(input).ok()?;
        let mut facts = JsonFacts::default();
        let mut reader = Reader { rest: source, facts: &mut facts };
        reader.space();
        let document = reader.value(0)?;
        reader.space();
        if !reader.rest.is_empty() {
            return None;
        }
        let render = |style: Style| {
            let mut out = String::new();
            write(&document, style, &mut out);
            out.into_bytes()
        };
        facts.jcs = render(Style { is_kerai: false, is_normalized: false });
        facts.jcs_of_nfc = render(Style { is_kerai: false, is_normalized: true });
        facts.kerai = render(Style { is_kerai: true, is_normalized: true });
        Some(facts)
    }
}

fn nfc(text: &str) -> String {
    text::normalize(text.as_bytes())
        .ok()
        .and_then(|text| String::from_utf8(text.into_owned()).ok())
        .unwrap_or_else(|| text.to_owned())
}

struct Reader<'s, 'f> {
    rest: &'s str,
    facts: &'f mut JsonFacts,
}

impl<'s> Reader<'s, '_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn eat(&mut self, token: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        match self.rest.chars().next()? {
            '[' | '{' if depth >= DEEPEST => None,
            '[' => self.list(depth + 1),
            '{' => self.map(depth + 1),
            '"' => self.text().map(Json::Text),
            '-' | '0'..='9' => self.number(),
            _ => {
                let word = ["null", "true", "false"].into_iter().find(|word| self.rest.starts_with(word))?;
                self.eat(word)?;
                Some(Json::Word(word))
            }
        }
    }

    fn enter(&mut self, depth: usize) {
        if depth as u64 > limit::DATA_DEPTH.value {
            self.facts.refusals.insert("DATA_DEPTH");
        }
    }

    fn list(&mut self, depth: usize) -> Option<Json> {
        self.enter(depth);
        self.eat("[")?;
        let mut items = Vec::new();
        self.space();
        if self.eat("]").is_some() {
            return Some(Json::List(items));
        }
        loop {
            self.space();
            items.push(self.value(depth)?);
            self.space();
            if self.eat("]").is_some() {
                return Some(Json::List(items));
            }
            self.eat(",")?;
        }
    }

    fn map(&mut self, depth: usize) -> Option<Json> {
        self.enter(depth);
        self.eat("{")?;
        let mut entries = Vec::new();
        self.space();
        if self.eat("}").is_some() {
            return Some(Json::Map(entries));
        }
        loop {
            self.space();
            let key = self.text()?;
            self.space();
            self.eat(":")?;
            self.space();
            entries.push((key, self.value(depth)?));
            self.space();
            if self.eat("}").is_some() {
                self.look_at_keys(&entries);
                return Some(Json::Map(entries));
            }
            self.eat(",")?;
        }
    }

    fn look_at_keys(&mut self, entries: &[(String, Json)]) {
        let keys: Vec<String> = entries.iter().map(|(key, _)| nfc(key)).collect();
        let mut seen = HashSet::new();
        if !keys.iter().all(|key| seen.insert(key)) {
            self.facts.refusals.insert("DATA_DUPLICATE_KEY");
        }
        let (mut by_bytes, mut by_units) = (keys.clone(), keys);
        by_bytes.sort();
        by_units.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
        self.facts.is_ordered_otherwise_by_jcs |= by_bytes != by_units;
    }

    fn number(&mut self) -> Option<Json> {
        let end =
            self.rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(self.rest.len());
        let (literal, rest) = self.rest.split_at(end);
        if !is_json_number(literal) {
            return None;
        }
        self.rest = rest;
        if literal.len() as u64 > limit::NUMBER_TEXT.value {
            self.facts.refusals.insert("NUMBER_TEXT");
        }
        let decimal = Decimal::parse(literal)?;
        match decimal.refusal() {
            Some(code) => {
                self.facts.refusals.insert(code);
            }
            None => self.facts.is_rounded_by_jcs |= decimal.plain() != ecmascript(literal),
        }
        Some(Json::Number(literal.to_owned()))
    }

    fn text(&mut self) -> Option<String> {
        self.eat("\"")?;
        let mut units: Vec<u16> = Vec::new();
        loop {
            let c = self.rest.chars().next()?;
            self.rest = self.rest.get(c.len_utf8()..)?;
            match c {
                '"' => break,
                '\\' => units.push(self.escape()?),
                '\0'..'\u{20}' => return None,
                _ => units.extend(c.encode_utf16(&mut [0; 2]).iter()),
            }
        }
        let text: String = char::decode_utf16(units)
            .map(|c| {
                c.unwrap_or_else(|_| {
                    self.facts.refusals.insert("JSON_SURROGATE");
                    '\u{fffd}'
                })
            })
            .collect();
        if text.chars().any(|c| !text::is_assigned(c)) {
            self.facts.refusals.insert("DATA_UNASSIGNED");
        }
        self.facts.is_not_nfc |= nfc(&text) != text;
        Some(text)
    }

    fn escape(&mut self) -> Option<u16> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..)?;
        Some(match c {
            '"' | '\\' | '/' => c as u16,
            'b' => 8,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'u' => {
                let digits = self.rest.get(..4)?;
                self.rest = self.rest.get(4..)?;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return None;
                }
                u16::from_str_radix(digits, 16).ok()?
            }
            _ => return None,
        })
    }
}

/// Whether the text is a number in JSON's grammar.
pub fn is_json_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) =
        text.split_once(['e', 'E']).map_or((text, "0"), |(mantissa, exponent)| (mantissa, exponent));
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    digits(integer) && (integer == "0" || !integer.starts_with('0')) && digits(fraction) && digits(exponent)
}

/// The number as ECMAScript writes the nearest double.
fn ecmascript(literal: &str) -> String {
    let value: f64 = literal.parse().unwrap_or(f64::NAN);
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = shortest(value);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-7..21).contains(&exponent) {
        return Decimal::parse(&scientific).map(|decimal| decimal.plain()).unwrap_or_default();
    }
    format!("{mantissa}e{}{}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// The shortest digits by the standard library, where of two that are equally close the even one is taken, as ECMAScript says.
fn shortest(value: f64) -> String {
    let scientific = format!("{value:e}");
    let places =
        scientific.split('e').next().map_or(0, |mantissa| mantissa.trim_start_matches('-').len().saturating_sub(2));
    // Twenty places on, a tie is a five and zeros; halfway between zero digits there is none.
    let exact = format!("{value:.*e}", places + 20);
    let (Some(exact), Some(chosen)) = (Decimal::parse(&exact), Decimal::parse(&scientific)) else { return scientific };
    let place = chosen.exponent;
    let even = exact.round(place, false, "half_even").map(|even| even.lowest());
    let is_even_shortest = |even: &Decimal| even.canonical().parse::<f64>() == Ok(value);
    match even.filter(is_even_shortest) {
        Some(even) if even != chosen.lowest() => even_text(&even),
        _ => scientific,
    }
}

/// One digit, a point where more follow, and the exponent.
fn even_text(decimal: &Decimal) -> String {
    let digits: String = decimal.digits.iter().map(|&digit| char::from(b'0' + digit)).collect();
    let (first, rest) = digits.split_at(digits.len().min(1));
    let point = if rest.is_empty() { "" } else { "." };
    format!("{}{first}{point}{rest}e{}", if decimal.negative { "-" } else { "" }, decimal.magnitude())
}

#[derive(Clone, Copy)]
struct Style {
    is_kerai: bool,
    is_normalized: bool,
}

fn write(json: &Json, style: Style, out: &mut String) {
    match json {
        Json::Word(word) => out.push_str(word),
        Json::Number(literal) if style.is_kerai => {
            out.push_str(&Decimal::parse(literal).map(|decimal| decimal.plain()).unwrap_or_default())
        }
        Json::Number(literal) => out.push_str(&ecmascript(literal)),
        Json::Text(text) => write_text(text, style, out),
        Json::List(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write(item, style, out);
            }
            out.push(']');
        }
        Json::Map(entries) => write_map(entries, style, out),
    }
}

fn write_map(entries: &[(String, Json)], style: Style, out: &mut String) {
    let key = |key: &String| if style.is_normalized { nfc(key) } else { key.clone() };
    let mut sorted: Vec<(String, &Json)> = entries.iter().map(|entry| (key(&entry.0), &entry.1)).collect();
    if style.is_kerai {
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
    } else {
        sorted.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
    }
    out.push('{');
    for (position, (key, value)) in sorted.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        write_text(key, style, out);
        out.push(':');
        write(value, style, out);
    }
    out.push('}');
}

fn write_text(text: &str, style: Style, out: &mut String) {
    let text = if style.is_normalized { nfc(text) } else { text.to_owned() };
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            // Writing to a string never fails.
            '\0'..'\u{20}' => _ = write!(out, "\\u{:04x}", c as u32),
            _ => out.push(c),
        }
    }
    out.push('"');
}
