//! CEL's expressions as trees, as far as conditions have a counterpart.

use std::iter::Peekable;
use std::vec::IntoIter;

pub enum Cel {
    Bool(bool),
    Int(String),
    Uint(String),
    Double(String),
    Text(String),
    List(Vec<Cel>),
    Unary(char, Box<Cel>),
    Binary(String, Box<Cel>, Box<Cel>),
    Choice(Box<Cel>, Box<Cel>, Box<Cel>),
    /// A function by its name, of a value or of none, with arguments.
    Call(String, Option<Box<Cel>>, Vec<Cel>),
    /// What has no counterpart.
    Other(String),
}

/// Reads an expression, or says what of it is not read.
pub fn parse(text: &str) -> Result<Cel, String> {
    let mut parser = Parser { tokens: tokens(text)?.into_iter().peekable() };
    let cel = parser.choice()?;
    match parser.tokens.next() {
        None => Ok(cel),
        Some(token) => Err(format!("{token:?}")),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Number(String),
    Text(String),
    Sign(&'static str),
}

const SIGNS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", "(", ")", "[", "]", "{", "}",
    ",", ".",
];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let prefix: String =
            rest.chars().take_while(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase();
        let is_quoted = rest.get(prefix.len()..).is_some_and(|rest| rest.starts_with(['"', '\'']));
        if first == '"' || first == '\'' || is_quoted && ["r", "b", "br", "rb"].contains(&prefix.as_str()) {
            if prefix.contains('b') {
                return Err("bytes".to_owned());
            }
            let (literal, behind) = string(rest.get(prefix.len()..).unwrap_or_default(), prefix == "r")?;
            tokens.push(Token::Text(literal));
            rest = behind;
        } else if first.is_ascii_digit()
            || first == '.' && rest.chars().nth(1).is_some_and(|next| next.is_ascii_digit())
        {
            let mut before = ' ';
            let is_hex = rest.starts_with("0x") || rest.starts_with("0X");
            let end = rest.find(|point: char| {
                let goes_on = point.is_ascii_alphanumeric()
                    || point == '.'
                    || (point == '+' || point == '-') && !is_hex && matches!(before, 'e' | 'E');
                before = point;
                !goes_on
            });
            let (number, behind) = rest.split_at(end.unwrap_or(rest.len()));
            tokens.push(Token::Number(number.to_owned()));
            rest = behind;
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end = rest.find(|point: char| !point.is_ascii_alphanumeric() && point != '_').unwrap_or(rest.len());
            let (name, behind) = rest.split_at(end);
            tokens.push(Token::Name(name.to_owned()));
            rest = behind;
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign)).ok_or_else(|| first.to_string())?;
            tokens.push(Token::Sign(sign));
            rest = rest.get(sign.len()..).unwrap_or_default();
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

/// A text between quotes, and what is behind it.
fn string(text: &str, is_raw: bool) -> Result<(String, &str), String> {
    let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| text.starts_with(quote)).ok_or("a quote")?;
    let mut out = String::new();
    let mut rest = text.get(quote.len()..).unwrap_or_default();
    loop {
        if let Some(behind) = rest.strip_prefix(quote) {
            return Ok((out, behind));
        }
        let mut points = rest.chars();
        let point = points.next().ok_or("an open text")?;
        if point != '\\' || is_raw {
            out.push(point);
            rest = points.as_str();
            continue;
        }
        let escape = points.next().ok_or("an open text")?;
        let mut digits = |count: usize, radix: u32, first: Option<char>| {
            let digits: String = first.into_iter().chain(points.by_ref().take(count)).collect();
            u32::from_str_radix(&digits, radix).ok().and_then(char::from_u32).ok_or_else(|| format!("\\{digits}"))
        };
        let point = match escape {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'v' => '\u{b}',
            'x' | 'X' => digits(2, 16, None)?,
            'u' => digits(4, 16, None)?,
            'U' => digits(8, 16, None)?,
            '0'..='3' => digits(2, 8, Some(escape))?,
            other => other,
        };
        out.push(point);
        rest = points.as_str();
    }
}

struct Parser {
    tokens: Peekable<IntoIter<Token>>,
}

/// Operators from those that bind the least.
const LEVELS: &[&[&str]] =
    &[&["||"], &["&&"], &["==", "!=", "<", "<=", ">", ">=", "in"], &["+", "-"], &["*", "/", "%"]];

impl Parser {
    fn takes(&mut self, sign: &'static str) -> bool {
        self.tokens.next_if(|token| *token == Token::Sign(sign)).is_some()
    }

    fn wants(&mut self, sign: &'static str) -> Result<(), String> {
        if self.takes(sign) { Ok(()) } else { Err(format!("no `{sign}`")) }
    }

    fn choice(&mut self) -> Result<Cel, String> {
        let test = self.level(0)?;
        if !self.takes("?") {
            return Ok(test);
        }
        let then = self.level(0)?;
        self.wants(":")?;
        Ok(Cel::Choice(Box::new(test), Box::new(then), Box::new(self.choice()?)))
    }

    fn level(&mut self, level: usize) -> Result<Cel, String> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1)?;
        loop {
            let is_one = |token: &Token| match token {
                Token::Sign(sign) => operators.contains(sign),
                Token::Name(name) => name == "in" && operators.contains(&"in"),
                Token::Number(_) | Token::Text(_) => false,
            };
            let operator = match self.tokens.next_if(is_one) {
                Some(Token::Sign(sign)) => sign.to_owned(),
                Some(Token::Name(name)) => name,
                Some(_) | None => return Ok(left),
            };
            left = Cel::Binary(operator, Box::new(left), Box::new(self.level(level + 1)?));
        }
    }

    fn unary(&mut self) -> Result<Cel, String> {
        if self.takes("!") {
            return Ok(Cel::Unary('!', Box::new(self.unary()?)));
        }
        if self.takes("-") {
            return Ok(Cel::Unary('-', Box::new(self.unary()?)));
        }
        self.member()
    }

    fn member(&mut self) -> Result<Cel, String> {
        let mut on = self.primary()?;
        loop {
            if self.takes(".") {
                let Some(Token::Name(name)) = self.tokens.next() else { return Err("a field".to_owned()) };
                if !self.takes("(") {
                    on = Cel::Other("a field".to_owned());
                    continue;
                }
                let arguments = self.list(")")?;
                on = Cel::Call(name, Some(Box::new(on)), arguments);
            } else if self.takes("[") {
                self.choice()?;
                self.wants("]")?;
                on = Cel::Other("an index".to_owned());
            } else {
                return Ok(on);
            }
        }
    }

    fn list(&mut self, close: &'static str) -> Result<Vec<Cel>, String> {
        let mut items = Vec::new();
        while !self.takes(close) {
            items.push(self.choice()?);
            if !self.takes(",") {
                self.wants(close)?;
                break;
            }
        }
        Ok(items)
    }

    fn primary(&mut self) -> Result<Cel, String> {
        match self.tokens.next() {
            Some(Token::Text(text)) => Ok(Cel::Text(text)),
            Some(Token::Number(number)) => numeral(&number),
            Some(Token::Name(name)) => match name.as_str() {
                "true" => Ok(Cel::Bool(true)),
                "false" => Ok(Cel::Bool(false)),
                _ if self.takes("(") => Ok(Cel::Call(name, None, self.list(")")?)),
                _ => Ok(Cel::Other(format!("the name {name}"))),
            },
            Some(Token::Sign("(")) => {
                let inner = self.choice()?;
                self.wants(")")?;
                Ok(inner)
            }
            Some(Token::Sign("[")) => Ok(Cel::List(self.list("]")?)),
            other => Err(other.map_or_else(|| "the end".to_owned(), |token| format!("{token:?}"))),
        }
    }
}

fn numeral(text: &str) -> Result<Cel, String> {
    let (digits, is_unsigned) = match text.strip_suffix(['u', 'U']) {
        Some(digits) => (digits, true),
        None => (text, false),
    };
    let hex = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let plain = match hex {
        Some(hex) => u128::from_str_radix(hex, 16).map_err(|_| text.to_owned())?.to_string(),
        None if digits.contains(['.', 'e', 'E']) => return Ok(Cel::Double(digits.to_owned())),
        None => digits.to_owned(),
    };
    Ok(if is_unsigned { Cel::Uint(plain) } else { Cel::Int(plain) })
}
