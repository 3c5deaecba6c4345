//! Paths into a payload: of RFC 9535's JSONPath names, indexes, and `[*]` at the end.

/// A path from the payload.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path {
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Member(String),
    /// From 0, or from the end by negative numbers.
    Index(i64),
    /// Every value there.
    All,
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Path, String> {
        let mut rest = text.strip_prefix('$').ok_or("a path begins with `$`")?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if matches!(steps.last(), Some(Step::All)) {
                return Err("`[*]` stands at the end of a path".to_owned());
            }
            let (step, after) = step(rest)?;
            steps.push(step);
            rest = after;
        }
        Ok(Path { steps })
    }

    /// Whether it leads to any number of values.
    #[must_use]
    pub fn is_many(&self) -> bool {
        self.steps.last() == Some(&Step::All)
    }

    /// Whether what one path leads to holds what the other leads to, or is it.
    #[must_use]
    pub fn overlaps(&self, other: &Path) -> bool {
        self.steps.iter().zip(&other.steps).all(|(step, other)| {
            let is_member = |step: &Step| matches!(step, Step::Member(_));
            step == other || ((*step == Step::All || *other == Step::All) && !(is_member(step) && is_member(other)))
        })
    }

    /// Whether it leads into what the other leads to.
    #[must_use]
    pub fn is_below(&self, other: &Path) -> bool {
        self.steps.len() > other.steps.len() && self.steps.starts_with(&other.steps)
    }

    /// The names of the path, where it has nothing else but `[*]` at its end.
    #[must_use]
    pub fn names<'p>(&'p self) -> Option<Vec<&'p str>> {
        let steps = self.steps.strip_suffix(&[Step::All]).unwrap_or(&self.steps);
        let name = |step: &'p Step| match step {
            Step::Member(name) => Some(name.as_str()),
            Step::Index(_) | Step::All => None,
        };
        steps.iter().map(name).collect()
    }

    /// The normalized path of RFC 9535, but for `[*]`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = "$".to_owned();
        for step in &self.steps {
            match step {
                Step::Member(name) => text.push_str(&member(name)),
                Step::Index(index) => text.push_str(&format!("[{index}]")),
                Step::All => text.push_str("[*]"),
            }
        }
        text
    }
}

/// A name as a step of a normalized path.
pub(super) fn member(name: &str) -> String {
    let mut text = "['".to_owned();
    for point in name.chars() {
        match point {
            '\\' | '\'' => text.extend(['\\', point]),
            '\u{8}' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\u{c}' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            '\u{0}'..='\u{1f}' => text.push_str(&format!("\\u{:04x}", u32::from(point))),
            _ => text.push(point),
        }
    }
    text + "']"
}

fn step(text: &str) -> Result<(Step, &str), String> {
    if let Some(rest) = text.strip_prefix('.') {
        if rest.starts_with('.') {
            return Err("`..` can lead anywhere: name the way".to_owned());
        }
        if let Some(rest) = rest.strip_prefix('*') {
            return Ok((Step::All, rest));
        }
        let is_first = |point: char| point.is_ascii_alphabetic() || point == '_' || !point.is_ascii();
        let end = rest.find(|point: char| !is_first(point) && !point.is_ascii_digit()).unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if !name.starts_with(is_first) {
            return Err("a name follows `.`; other names are written `['name']`".to_owned());
        }
        return Ok((Step::Member(name.to_owned()), after));
    }
    let Some(inner) = text.strip_prefix('[') else {
        return Err(format!("`{text}` is no step: write `.name`, `['name']`, `[0]` or `[*]`"));
    };
    if let Some(quote) = inner.chars().next().filter(|first| matches!(first, '\'' | '"')) {
        return quoted(inner.get(1..).unwrap_or_default(), quote);
    }
    let (content, rest) = inner.split_once(']').ok_or("`[` is not closed")?;
    if content == "*" {
        return Ok((Step::All, rest));
    }
    let digits = content.strip_prefix('-').unwrap_or(content);
    let is_integer = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" && !content.starts_with('-') || !digits.starts_with('0'));
    match content.parse::<i64>() {
        Ok(index) if is_integer && index.unsigned_abs() < 1 << 53 => Ok((Step::Index(index), rest)),
        Ok(_) | Err(_) => {
            Err(format!("`[{content}]` is none of `['name']`, `[0]` and `[*]`: slices and filters are not taken"))
        }
    }
}

/// A name in quotes, up to the bracket behind it.
fn quoted(text: &str, quote: char) -> Result<(Step, &str), String> {
    let mut name = String::new();
    let mut points = text.char_indices();
    while let Some((place, point)) = points.next() {
        match point {
            '\\' => name.push(escape(&mut points)?),
            _ if point == quote => {
                let rest = text.get(place + point.len_utf8()..).unwrap_or_default();
                let rest = rest.strip_prefix(']').ok_or("`]` follows a quoted name")?;
                return Ok((Step::Member(name), rest));
            }
            '\u{0}'..='\u{1f}' => return Err("a control character in a name is written `\\u00XX`".to_owned()),
            _ => name.push(point),
        }
    }
    Err("a quoted name has no end".to_owned())
}

fn escape(points: &mut core::str::CharIndices<'_>) -> Result<char, String> {
    let unknown = || "the escapes of a name are those of JSON, and `\\'`".to_owned();
    Ok(match points.next().map(|(_, point)| point) {
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some(point @ ('/' | '\\' | '\'' | '"')) => point,
        Some('u') => {
            let first = hexadecimal(points).ok_or_else(unknown)?;
            let code = match first {
                0xd800..=0xdbff => {
                    let is_pair = points.next().is_some_and(|(_, point)| point == '\\')
                        && points.next().is_some_and(|(_, point)| point == 'u');
                    let second = hexadecimal(points).filter(|second| is_pair && (0xdc00..=0xdfff).contains(second));
                    0x10000 + ((first - 0xd800) << 10) + (second.ok_or_else(unknown)? - 0xdc00)
                }
                _ => first,
            };
            char::from_u32(code).ok_or_else(unknown)?
        }
        Some(_) | None => return Err(unknown()),
    })
}

fn hexadecimal(points: &mut core::str::CharIndices<'_>) -> Option<u32> {
    (0..4).try_fold(0, |code, _| Some(code << 4 | points.next()?.1.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_and_have_one_writing() {
        for (text, normal) in [
            ("$", "$"),
            ("$.id", "$['id']"),
            ("$['a b'][0].c", "$['a b'][0]['c']"),
            ("$[\"it's\"]", "$['it\\'s']"),
            ("$.tags[*]", "$['tags'][*]"),
            ("$.tags.*", "$['tags'][*]"),
            ("$['\\u00e9\\ud83d\\ude00']", "$['é😀']"),
            ("$.é1[-1]", "$['é1'][-1]"),
        ] {
            let path = Path::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
            assert_eq!(path.to_text(), normal);
            assert_eq!(Path::parse(normal).as_ref(), Ok(&path));
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            "",
            "id",
            "$id",
            "$.",
            "$..id",
            "$[",
            "$[]",
            "$[01]",
            "$[-0]",
            "$[1:2]",
            "$[?@.a]",
            "$['a",
            "$['a'",
            "$[*].a",
            "$.1",
            "$.a b",
            "$['\\x']",
            "$['\\ud800']",
            "$ .a",
            "$[9007199254740992]",
        ] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn paths_overlap_where_one_holds_the_other() {
        let overlap =
            |a: &str, b: &str| Path::parse(a).unwrap_or_default().overlaps(&Path::parse(b).unwrap_or_default());
        assert!(overlap("$", "$.a") && overlap("$.a", "$.a.b") && overlap("$.a[*]", "$.a[0]") && overlap("$.a", "$.a"));
        assert!(!overlap("$.a", "$.b") && !overlap("$.a.b", "$.a.c") && !overlap("$.a[0]", "$.a[1]"));
    }
}
