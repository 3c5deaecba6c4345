//! Operations that nobody wrote: their payloads have the names that the program speaks of.

use crate::bytecode::{Constant, Program};

/// A generator of numbers (SplitMix64).
pub(super) struct Random {
    state: u64,
}

impl Random {
    pub(super) const fn new(seed: u64) -> Random {
        Random { state: seed }
    }

    const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub(super) const fn below(&mut self, bound: u64) -> u64 {
        ((self.next() as u128 * bound as u128) >> 64) as u64
    }

    fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        let place = self.below(choices.len().max(1) as u64);
        choices.get(usize::try_from(place).unwrap_or(0))
    }
}

/// A value of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sample {
    Bool(bool),
    Integer(i64),
    /// Halves, so that not every number is an integer.
    Half(i64),
    Text(String),
    List(Vec<Sample>),
    Map(Vec<(String, Sample)>),
}

impl Sample {
    pub(super) fn to_json(&self) -> String {
        match self {
            Sample::Bool(value) => value.to_string(),
            Sample::Integer(value) => value.to_string(),
            Sample::Half(value) => format!("{value}.5"),
            Sample::Text(text) => quoted(text),
            Sample::List(items) => {
                let items: Vec<String> = items.iter().map(Sample::to_json).collect();
                format!("[{}]", items.join(","))
            }
            Sample::Map(entries) => {
                let entries: Vec<String> =
                    entries.iter().map(|(key, value)| format!("{}:{}", quoted(key), value.to_json())).collect();
                format!("{{{}}}", entries.join(","))
            }
        }
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for point in text.chars() {
        match point {
            '"' | '\\' => quoted.extend(['\\', point]),
            '\u{0}'..='\u{1f}' => quoted.push_str(&format!("\\u{:04x}", u32::from(point))),
            _ => quoted.push(point),
        }
    }
    quoted + "\""
}

/// What a field of a payload holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
    Bool,
    Numbers,
    Texts,
    Names,
    Map,
}

const KINDS: &[Kind] = &[Kind::Number, Kind::Text, Kind::Bool, Kind::Texts, Kind::Numbers, Kind::Names, Kind::Map];

/// What each field of payloads holds.
#[derive(Debug, Clone)]
pub(super) struct Schema {
    fields: Vec<(String, Kind)>,
}

/// Makes operations from the words of a program.
pub(super) struct Generator {
    words: Vec<String>,
    resources: Vec<String>,
}

/// Words beyond these are not looked at, nor schemas beyond these.
const MOST_WORDS: usize = 48;
const MIXED_SCHEMAS: usize = 64;

/// Names that operations have beside their payload.
const OWN: &[&str] = &["payload", "ulid", "author", "actor", "seq", "id", "resource", "caps", "labels", "received_ms"];

impl Generator {
    pub(super) fn new(program: &Program) -> Generator {
        let texts = program.constants.iter().filter_map(|constant| match constant {
            Constant::String(bytes) => str::from_utf8(bytes).ok(),
            Constant::Number(_) | Constant::Float(_) | Constant::Fixed(_) | Constant::Bytes(_) => None,
        });
        let texts: Vec<&str> = texts.filter(|text| !text.is_empty() && text.len() < 64).collect();
        let is_word = |text: &&&str| !text.contains('/');
        let words = texts.iter().filter(is_word).take(MOST_WORDS).map(|text| (*text).to_owned()).collect();
        let mut resources: Vec<String> =
            texts.iter().filter(|text| text.contains('/')).map(|glob| resource(glob)).collect();
        resources.push("gatos://repo/space/path".to_owned());
        Generator { words, resources }
    }

    /// Schemas worth a try: each kind everywhere, then kinds by chance.
    pub(super) fn schemas(&self, random: &mut Random) -> Vec<Schema> {
        let names = || self.words.iter().filter(|word| !OWN.contains(&word.as_str()) || *word == "id").cloned();
        let uniform = KINDS.iter().map(|&kind| Schema { fields: names().map(|name| (name, kind)).collect() });
        let mut schemas: Vec<Schema> = uniform.collect();
        if names().next().is_some() {
            for _ in 0..MIXED_SCHEMAS {
                let mut kind = || random.pick(KINDS).copied().unwrap_or(Kind::Number);
                schemas.push(Schema { fields: names().map(|name| (name, kind())).collect() });
            }
        }
        schemas
    }

    pub(super) fn operation(&self, schema: &Schema, random: &mut Random) -> Sample {
        let payload = schema.fields.iter().map(|(name, kind)| (name.clone(), self.value(*kind, random))).collect();
        let text = |text: &str| Sample::Text(text.to_owned());
        let ulid = format!("01HZ00000000000000000000{:02}", random.below(12));
        let resource = random.pick(&self.resources).map_or("", String::as_str);
        let word = random.pick(&self.words).map_or("t", String::as_str);
        let author = if random.below(2) == 0 { "a" } else { "b" };
        Sample::Map(vec![
            ("ulid".to_owned(), Sample::Text(ulid)),
            ("type".to_owned(), text(word)),
            ("resource".to_owned(), text(resource)),
            ("author".to_owned(), text(author)),
            ("actor".to_owned(), text(author)),
            ("seq".to_owned(), Sample::Integer(1 + random.below(9).cast_signed())),
            ("payload".to_owned(), Sample::Map(payload)),
        ])
    }

    fn value(&self, kind: Kind, random: &mut Random) -> Sample {
        let word = |random: &mut Random| match random.below(3) {
            0 => random.pick(&self.words).map_or("", String::as_str).to_owned(),
            1 => "a".to_owned(),
            _ => "b".to_owned(),
        };
        let few = |random: &mut Random| 1 + random.below(3);
        match kind {
            Kind::Number => number(random),
            Kind::Text => Sample::Text(word(random)),
            Kind::Bool => Sample::Bool(random.below(2) == 0),
            Kind::Numbers => Sample::List((0..few(random)).map(|_| number(random)).collect()),
            Kind::Texts => Sample::List((0..few(random)).map(|_| Sample::Text(word(random))).collect()),
            Kind::Names => {
                let ulid =
                    |random: &mut Random| Sample::Text(format!("01HZ00000000000000000000{:02}", random.below(12)));
                Sample::List((0..few(random)).map(|_| ulid(random)).collect())
            }
            Kind::Map => {
                let mut entries: Vec<(String, Sample)> = Vec::new();
                for _ in 0..few(random) {
                    let key = word(random);
                    if !entries.iter().any(|(other, _)| *other == key) {
                        entries.push((key, number(random)));
                    }
                }
                Sample::Map(entries)
            }
        }
    }
}

/// Numbers that are often equal, often small, and now and then neither.
fn number(random: &mut Random) -> Sample {
    match random.below(8) {
        0 => Sample::Half(random.below(5).cast_signed()),
        1 => Sample::Integer(random.below(2000).cast_signed() - 1000),
        2 => Sample::Integer(random.below(100).cast_signed()),
        _ => Sample::Integer(random.below(9).cast_signed() - 3),
    }
}

/// A resource that a glob matches, if the text is one.
fn resource(glob: &str) -> String {
    let segments: Vec<&str> =
        glob.split('/').map(|segment| if segment.starts_with('*') { "x" } else { segment }).collect();
    format!("gatos://repo/{}", segments.join("/"))
}
