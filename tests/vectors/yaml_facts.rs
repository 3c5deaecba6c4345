//! What a YAML document says by the suite's events: its tree as kerai shows it, and reasons to refuse it.

use kerai_compiler::syntax::yaml::tree::{Kind, Node, Style};
use std::collections::BTreeSet;

#[derive(Default)]
pub struct YamlFacts {
    /// The tree as kerai would show it.
    pub tree: Option<String>,
    /// Codes of which one at least must be there, if there are any.
    pub must: BTreeSet<&'static str>,
    /// Codes that the source may give reason for.
    pub may: BTreeSet<&'static str>,
}

impl YamlFacts {
    pub fn of(source: &str, events: &str) -> YamlFacts {
        let mut facts = YamlFacts::default();
        let lines: Vec<&str> = events.lines().map(str::trim_start).filter(|line| !line.is_empty()).collect();
        match lines.iter().filter(|line| line.starts_with("+DOC")).count() {
            0 => drop(facts.must.insert("YAML_EMPTY")),
            1 => {}
            _ => drop(facts.must.insert("YAML_DOCUMENTS")),
        }
        if source.lines().any(|line| line.starts_with('%')) {
            facts.may.insert("YAML_DIRECTIVE");
        }
        let is_control = |point: char| point.is_control() && !['\t', '\n', '\r', '\u{85}'].contains(&point);
        if source.chars().any(is_control) {
            facts.must.insert("YAML_CHARACTER");
        }
        let first = lines.iter().position(|line| line.starts_with("+DOC")).map_or(lines.len(), |place| place + 1);
        let mut reader = Reader { source, lines: lines.get(first..).unwrap_or_default(), facts: &mut facts };
        let mut out = String::new();
        reader.node(0, &mut out);
        facts.tree = Some(out);
        facts
    }
}

struct Reader<'l, 'f> {
    source: &'l str,
    lines: &'l [&'l str],
    facts: &'f mut YamlFacts,
}

impl Reader<'_, '_> {
    fn next(&mut self) -> &str {
        let Some((first, rest)) = self.lines.split_first() else { return "" };
        self.lines = rest;
        first
    }

    fn ends(&mut self, with: &str) -> bool {
        let ends = self.lines.first().is_none_or(|line| line.starts_with(with));
        if ends {
            self.next();
        }
        ends
    }

    fn node(&mut self, indent: usize, out: &mut String) {
        let line = self.next().to_owned();
        let inner = "  ".repeat(indent + 1);
        match line.get(..4).unwrap_or_default() {
            "+SEQ" => {
                self.properties(line.get(4..).unwrap_or_default());
                out.push_str("sequence\n");
                while !self.ends("-SEQ") {
                    out.push_str(&format!("{inner}- "));
                    self.node(indent + 1, out);
                }
            }
            "+MAP" => {
                self.properties(line.get(4..).unwrap_or_default());
                out.push_str("mapping\n");
                let mut keys = BTreeSet::new();
                while !self.ends("-MAP") {
                    let key = self.key();
                    if !keys.insert(key.clone()) {
                        self.facts.must.insert("YAML_DUPLICATE");
                    }
                    out.push_str(&format!("{inner}{}: ", quoted(&key)));
                    self.node(indent + 1, out);
                }
            }
            "=VAL" => {
                let (style, text) = self.scalar(&line);
                if style == ':' && is_suspicious(&text) {
                    self.facts.may.insert("YAML_PLAIN");
                }
                let style = match style {
                    '\'' => "single",
                    '"' => "double",
                    '|' => "literal",
                    '>' => "folded",
                    _ => "plain",
                };
                out.push_str(&format!("{style} {}\n", quoted(&text)));
            }
            _ => drop(self.facts.must.insert("YAML_ANCHOR")),
        }
    }

    fn key(&mut self) -> String {
        if self.lines.first().is_some_and(|line| line.starts_with("=VAL")) {
            let line = self.next().to_owned();
            let (style, text) = self.scalar(&line);
            // A key of several lines stands on none.
            if !self.source.lines().any(|line| line.contains(&text)) {
                self.facts.may.insert("YAML_KEY");
            }
            match (style, text.as_str()) {
                (':', "") => drop(self.facts.must.insert("YAML_KEY")),
                (':', "<<") => drop(self.facts.must.insert("YAML_MERGE")),
                _ => {}
            }
            return text;
        }
        let is_alias = self.lines.first().is_some_and(|line| line.starts_with("=ALI"));
        self.facts.must.insert(if is_alias { "YAML_ANCHOR" } else { "YAML_KEY" });
        self.node(0, &mut String::new());
        format!("a key that is no text, before {} lines", self.lines.len())
    }

    fn scalar(&mut self, line: &str) -> (char, String) {
        let rest = self.properties(line.get(4..).unwrap_or_default());
        let mut points = rest.chars();
        let style = points.next().unwrap_or(':');
        let mut text = String::new();
        while let Some(point) = points.next() {
            text.push(match point {
                '\\' => match points.next() {
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some('r') => '\r',
                    Some('b') => '\u{8}',
                    Some(other) => other,
                    None => '\\',
                },
                other => other,
            });
        }
        (style, text)
    }

    /// Notes anchors and tags, and gives what follows them.
    fn properties<'e>(&mut self, text: &'e str) -> &'e str {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            match first {
                '&' => drop(self.facts.must.insert("YAML_ANCHOR")),
                '<' => drop(self.facts.must.insert("YAML_TAG")),
                '[' | '{' => {}
                _ => break,
            }
            rest = rest.split_once(' ').map_or("", |(_, rest)| rest);
        }
        rest
    }
}

/// Whether a plain value might be more than text to some reader, and is not JSON.
fn is_suspicious(text: &str) -> bool {
    let is_word =
        ["true", "false", "null", "yes", "no", "on", "off", "~"].contains(&text.to_ascii_lowercase().as_str());
    let is_written_as_in_json = ["true", "false", "null"].contains(&text);
    let is_number_like = text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first))
        && text.chars().all(|point| point.is_ascii_alphanumeric() || "+-._:".contains(point));
    (is_word && !is_written_as_in_json) || is_number_like
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for point in text.chars() {
        match point {
            '"' | '\\' => out.extend(['\\', point]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            point if point.is_control() || ['\u{2028}', '\u{2029}', '\u{feff}'].contains(&point) => {
                out.push_str(&format!("\\u{{{:x}}}", u32::from(point)));
            }
            point => out.push(point),
        }
    }
    out + "\""
}

/// Where a place does not hold what was read there, what is wrong. A plain scalar of one line is its own text; a quoted
/// one stands between its quotes; a block begins with its first word; what holds others reaches over them.
pub fn misplaced(node: &Node, source: &str) -> Option<String> {
    let text = node.span.text(source);
    let inside = |inner: &Node| {
        (inner.span.start < node.span.start || inner.span.end > node.span.end)
            .then(|| format!("{:?} reaches out of {:?}", inner.span, node.span))
    };
    match &node.kind {
        Kind::Scalar(scalar) => {
            let is_right = match scalar.style {
                Style::Plain => text.contains(['\n', '\r']) || text == scalar.text,
                Style::Single => text.starts_with('\'') && text.ends_with('\''),
                Style::Double => text.starts_with('"') && text.ends_with('"'),
                Style::Literal | Style::Folded => {
                    let first = scalar.text.split_whitespace().next();
                    first.is_none_or(|word| text.trim_start().starts_with(word))
                }
            };
            (!is_right).then(|| format!("{scalar:?} is not `{text}`"))
        }
        Kind::Sequence(items) => items.iter().find_map(|item| inside(item).or_else(|| misplaced(item, source))),
        Kind::Mapping(entries) => entries.iter().find_map(|entry| {
            let key = entry.key.span.text(source);
            let is_plain = !key.starts_with(['"', '\'']);
            let wrong_key =
                (is_plain && key != entry.key.text).then(|| format!("the key {:?} is not `{key}`", entry.key));
            wrong_key.or_else(|| inside(&entry.value)).or_else(|| misplaced(&entry.value, source))
        }),
    }
}
