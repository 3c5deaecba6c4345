//! What a scalar means, where its writing alone says so.

use super::tree::{Scalar, Style};

/// The kinds that plain scalars can have. They are those of JSON, and written as JSON writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// `null`, or nothing at all.
    Null,
    Bool(bool),
    /// The text is a number of JSON; reading it exactly is left to whoever wants it.
    Number,
    Text,
}

impl Scalar<'_> {
    /// What the scalar means. Quoted and block scalars are text.
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        match (self.style, &*self.text) {
            (Style::Plain, "" | "null") => Meaning::Null,
            (Style::Plain, "true") => Meaning::Bool(true),
            (Style::Plain, "false") => Meaning::Bool(false),
            (Style::Plain, text) if is_number(text) => Meaning::Number,
            (Style::Plain | Style::Single | Style::Double | Style::Literal | Style::Folded, _) => Meaning::Text,
        }
    }
}

/// Whether the text is a number as JSON writes them.
pub(super) fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (whole, rest) = digits(text);
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
        return false;
    }
    let rest = match rest.strip_prefix('.').map(digits) {
        Some(("", _)) => return false,
        Some((_, rest)) => rest,
        None => rest,
    };
    match rest.strip_prefix(['e', 'E']) {
        None => rest.is_empty(),
        Some(exponent) => {
            let (digits, rest) = digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
            !digits.is_empty() && rest.is_empty()
        }
    }
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Words that one reader of YAML or another takes for a boolean, for nothing, or for a float.
const WORDS: &[&str] = &["true", "false", "null", "yes", "no", "on", "off", "~", ".inf", "+.inf", "-.inf", ".nan"];

/// Whether readers of YAML differ on a plain scalar, which is no word or number of JSON's.
pub(super) fn is_ambiguous(text: &str) -> bool {
    let is_word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    is_word || is_number_elsewhere(text)
}

/// Whether a text is a number in YAML 1.1 or 1.2: with a sign, with zeros before it, in another base, without a digit
/// on one side of its point, with `_` between digits, or in parts of sixty.
fn is_number_elsewhere(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let has_prefix = |prefixes: [&str; 3], is_digit: fn(&u8) -> bool| {
        let rest = prefixes.iter().find_map(|prefix| unsigned.strip_prefix(prefix));
        rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| is_digit(&byte) || byte == b'_'))
    };
    if has_prefix(["0x", "0X", "0o"], u8::is_ascii_hexdigit) || has_prefix(["0b", "0B", "0O"], u8::is_ascii_digit) {
        return true;
    }
    let begins_right = unsigned.strip_prefix('.').unwrap_or(unsigned).starts_with(|first: char| first.is_ascii_digit());
    if !begins_right {
        return false;
    }
    let parts_of_sixty = unsigned.contains(':')
        && unsigned.bytes().all(|byte| byte.is_ascii_digit() || byte == b':' || byte == b'.' || byte == b'_');
    parts_of_sixty || is_decimal_elsewhere(unsigned)
}

/// Digits with `_` between them, a point anywhere or not at all, and an exponent or none.
fn is_decimal_elsewhere(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text, None),
    };
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let mut parts = mantissa.splitn(2, '.');
    let is_mantissa = parts.all(is_digits);
    let is_exponent = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && is_digits(digits)
    });
    is_mantissa && is_exponent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_json() {
        for text in ["0", "-0", "12", "1.5", "-1.50", "1e3", "1E+3", "10.25e-7"] {
            assert!(is_number(text), "{text}");
        }
        for text in ["", "-", "01", "+1", ".5", "5.", "1e", "1_000", "0x1f", "1 ", "one", "1.5.2"] {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn what_readers_differ_on_is_ambiguous() {
        for text in [
            "True",
            "NO",
            "~",
            "0o17",
            "0x1F",
            "-0b1",
            "+1",
            "007",
            ".5",
            "5.",
            "1_000",
            "1:30",
            "190:20:30.15",
            ".NaN",
            "1e_3",
        ] {
            assert!(is_ambiguous(text), "{text}");
        }
        for text in ["yes please", "1.2.3", "2026-11-21", "e3", ".", "a:1", "0x", "-", "1e", "12:ab", "10.0.0.0/8"] {
            assert!(!is_ambiguous(text), "{text}");
        }
    }
}
