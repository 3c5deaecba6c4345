//! Sources as words and signs, so that they can be written anew or changed one token at a time. No grammar is known
//! here: that is the compiler's, which is judged by what it makes of the result.
#![expect(clippy::indexing_slicing, reason = "places are below the number of tokens")]

use crate::property::Random;
use kerai_compiler::Language;

/// What a token is, as far as one can see by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Word,
    Number,
    Text,
    Sign,
    /// A comment that means something: it stays where it is.
    Pragma,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub text: String,
}

impl Token {
    #[must_use]
    pub fn sign(text: &str) -> Token {
        Token { kind: Kind::Sign, text: text.to_owned() }
    }

    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.text == text && matches!(self.kind, Kind::Sign | Kind::Word)
    }
}

/// Signs of more than one letter, the longest first.
const SIGNS: &[&str] = &["...", "..", "==", "~=", "<=", ">=", "//", "<<", ">>", "::"];

/// The length of a bracket `[==[…]==]` that a text begins with.
fn long_bracket(text: &str) -> Option<usize> {
    let level = text.strip_prefix('[')?.bytes().take_while(|&byte| byte == b'=').count();
    text.get(1 + level..)?.strip_prefix('[')?;
    let end = format!("]{}]", "=".repeat(level));
    Some(text.find(&end)? + end.len())
}

fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        if letter == quote && !is_escaped {
            return at + 1;
        }
        is_escaped = letter == '\\' && !is_escaped;
    }
    text.len()
}

fn length_while(text: &str, is_part: impl Fn(char) -> bool) -> usize {
    text.find(|letter| !is_part(letter)).unwrap_or(text.len())
}

/// The tokens of a source that the compiler takes, in Lua or the IR. Comments and blanks are not among them.
#[must_use]
pub fn tokens(language: Language, source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = source.trim_start_matches('\u{feff}');
    if rest.starts_with('#') {
        rest = rest.get(length_while(rest, |letter| letter != '\n')..).unwrap_or_default();
    }
    loop {
        rest = rest.trim_start_matches(|letter: char| letter.is_ascii_whitespace() || letter == '\u{b}');
        let Some(first) = rest.chars().next() else { return tokens };
        let (kind, length) = match language {
            Language::Lua => lua(rest, first),
            Language::Ir => ir(rest, first),
            Language::Policy | Language::Words | Language::Yaml => return tokens,
        };
        let (text, after) = rest.split_at(length.max(first.len_utf8()));
        rest = after;
        if let Some(kind) = kind {
            tokens.push(Token { kind, text: text.to_owned() });
        }
    }
}

fn lua(rest: &str, first: char) -> (Option<Kind>, usize) {
    if let Some(comment) = rest.strip_prefix("--") {
        let line = length_while(rest, |letter| letter != '\n');
        return match long_bracket(comment) {
            _ if comment.starts_with('!') => (Some(Kind::Pragma), line),
            Some(length) => (None, length + 2),
            None => (None, line),
        };
    }
    let is_numeral =
        first.is_ascii_digit() || first == '.' && rest.chars().nth(1).is_some_and(|second| second.is_ascii_digit());
    if first == '"' || first == '\'' {
        return (Some(Kind::Text), quoted(rest, first));
    }
    if let Some(length) = long_bracket(rest) {
        return (Some(Kind::Text), length);
    }
    if is_numeral {
        let mut length = 0;
        let mut before = ' ';
        for letter in rest.chars() {
            let is_sign =
                matches!(letter, '+' | '-') && matches!(before, 'e' | 'E' | 'p' | 'P') && !rest.starts_with("0x");
            if !(letter.is_ascii_alphanumeric() || letter == '.' || is_sign) {
                break;
            }
            length += letter.len_utf8();
            before = letter;
        }
        return (Some(Kind::Number), length);
    }
    let word = length_while(rest, |letter| letter.is_ascii_alphanumeric() || letter == '_');
    if word > 0 {
        return (Some(Kind::Word), word);
    }
    let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign)).map_or(1, |sign| sign.len());
    (Some(Kind::Sign), sign)
}

fn ir(rest: &str, first: char) -> (Option<Kind>, usize) {
    match first {
        '(' | ')' => (Some(Kind::Sign), 1),
        '"' => (Some(Kind::Text), quoted(rest, first)),
        ';' => (None, length_while(rest, |letter| letter != '\n')),
        _ => {
            let length = length_while(rest, |letter| !" \n();\"".contains(letter));
            let is_constant = ["float(", "fixed(", "bytes("].iter().any(|constant| rest.starts_with(constant));
            let closing = rest.find(')').filter(|_| is_constant);
            (Some(Kind::Word), closing.map_or(length, |closing| closing + 1))
        }
    }
}

/// Writes tokens with blanks, and where the language has them comments, as nobody would.
#[must_use]
pub fn written(language: Language, tokens: &[Token], random: &mut Random) -> String {
    let mut out = String::new();
    for token in tokens {
        // A call's arguments stand on its line.
        let stays = token.kind == Kind::Text || ["(", "{"].iter().any(|sign| token.is(sign));
        let blank = *random.pick(&[" ", "  ", "\n", " \n\n "]);
        let comment = *random.pick(&["--[[ a comment ]] ", "-- else end\n", " --[==[ ]] ]==]\n"]);
        match language {
            Language::Lua if stays => out.push(' '),
            Language::Lua if random.below(12) == 0 => {
                out.push(' ');
                out.push_str(comment);
            }
            Language::Lua if random.below(8) == 0 => out.push('\t'),
            Language::Ir if random.below(12) == 0 => out.push_str(" ; a comment (\n"),
            Language::Lua | Language::Ir | Language::Policy | Language::Words | Language::Yaml => out.push_str(blank),
        }
        out.push_str(&token.text);
        if token.kind == Kind::Pragma {
            out.push('\n');
        }
    }
    out
}

/// Tokens that can stand for one another.
const ALIKE: &[&[&str]] = &[
    &["+", "-", "*", "/", "//", "%", ".."],
    &["<", "<=", ">", ">=", "==", "~="],
    &["and", "or"],
    &["true", "false", "nil"],
    &["&", "|", "~", "<<", ">>"],
    &["add", "subtract", "multiply", "divide", "modulo"],
    &["less", "at-most", "greater", "at-least", "equal", "different"],
    &["while", "repeat"],
];

/// The tokens with one of them changed: into one like it, into another of the source, away, or for its neighbour.
#[must_use]
pub fn mutated(language: Language, tokens: &[Token], random: &mut Random) -> Vec<Token> {
    let mut mutant = tokens.to_vec();
    let place = random.below(tokens.len() as u64) as usize;
    let others: Vec<&Token> = tokens.iter().filter(|token| token.kind == mutant[place].kind).collect();
    let number = ["0", "1", "2", "3", "-1", "0.5", "10"];
    let text = &mutant[place].text;
    let alike = ALIKE.iter().find(|alike| alike.contains(&text.as_str()));
    let is_number = mutant[place].kind == Kind::Number || language == Language::Ir && text.parse::<i64>().is_ok();
    match random.below(8) {
        0 => {
            mutant.remove(place);
        }
        1 if place + 1 < mutant.len() => mutant.swap(place, place + 1),
        2 => mutant.insert(place, tokens[place].clone()),
        3.. if alike.is_some() => mutant[place].text = (*random.pick(alike.unwrap_or(&ALIKE[0]))).to_owned(),
        3..7 if is_number => mutant[place].text = (*random.pick(&number)).to_owned(),
        _ => mutant[place] = (*random.pick(&others)).clone(),
    }
    mutant
}
