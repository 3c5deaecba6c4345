//! From tokens to a tree. Postfix notation needs no grammar, so the reader is a plain one; what infix and prefix mean is
//! known where the effects of words are.

use super::token::{Token, TokenKind, lex, parts};
use super::tree::{Bracket, Header, Line, Name, Notation, Script, Term, TermKind};
use crate::diagnostic::Report;
use crate::syntax::lua;
use crate::{Code, Diagnostic, Span};
use kerai_vm::limit;

/// What a source was read as.
#[derive(Debug)]
pub struct Parsed {
    /// Whole only where there are no diagnostics.
    pub script: Script,
    pub(super) tokens: Vec<Token>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a source.
#[must_use]
pub fn parse(text: &str) -> Parsed {
    let mut report = Report::default();
    let tokens = lex(text, &mut report);
    let said: Vec<Token> = tokens.iter().copied().filter(|token| token.kind != TokenKind::Comment).collect();
    let mut reader = Reader { text, tokens: &said, next: 0, depth: 0, is_lost: false, report };
    let mut script = Script::default();
    let mut notation = Notation::Postfix;
    while let Some(line) = reader.line() {
        reader.read_line(line, &mut notation, &mut script);
    }
    Parsed { script, diagnostics: reader.report.into_diagnostics(), tokens }
}

/// What a word stands for that looks like a number.
///
/// # Errors
/// No value is this numeral exactly.
pub fn number(word: &str) -> Option<Result<kerai_vm::number::Number, &'static str>> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let is_numeral =
        digits.strip_prefix('.').unwrap_or(digits).bytes().next().is_some_and(|byte| byte.is_ascii_digit());
    is_numeral.then(|| lua::exact(digits, digits.len() < word.len()))
}

struct Reader<'t> {
    text: &'t str,
    tokens: &'t [Token],
    next: usize,
    depth: u64,
    /// Whether it is nested too deeply, so that nothing more is read.
    is_lost: bool,
    report: Report,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<Token> {
        self.tokens.get(self.next).copied().filter(|_| !self.is_lost)
    }

    /// The tokens of the next line: up to a line's end outside of brackets, and those that are indented below a
    /// definition. What opens and is never closed takes all that follows.
    fn line(&mut self) -> Option<&'t [Token]> {
        if self.is_lost {
            return None;
        }
        let rest = self.tokens.get(self.next..).filter(|rest| !rest.is_empty())?;
        let (mut depth, mut length, mut is_definition) = (0_u64, 0, false);
        for (at, token) in rest.iter().enumerate() {
            match token.kind {
                TokenKind::Open | TokenKind::OpenGroup => depth += 1,
                TokenKind::Close | TokenKind::CloseGroup => depth = depth.saturating_sub(1),
                TokenKind::Word if depth == 0 => is_definition |= is_key(token.span.text(self.text)),
                TokenKind::Semicolon if depth == 0 => break,
                TokenKind::Newline if depth == 0 => {
                    let after = rest.get(at + 1).filter(|after| after.kind != TokenKind::Newline);
                    if !(is_definition && after.is_some_and(|after| self.is_indented(*after))) {
                        break;
                    }
                }
                TokenKind::Newline | TokenKind::Semicolon | TokenKind::Comma | TokenKind::Comment => {}
                TokenKind::Text | TokenKind::Word => {}
            }
            length = at + 1;
        }
        // The line's end is read with it.
        self.next += length + 1;
        rest.get(..length)
    }

    fn is_indented(&self, token: Token) -> bool {
        let start = token.span.start as usize;
        self.text.get(..start).is_some_and(|before| before.ends_with([' ', '\t']))
    }

    fn read_line(&mut self, tokens: &'t [Token], notation: &mut Notation, script: &mut Script) {
        let switch = tokens.first().and_then(|first| self.switch(*first));
        *notation = switch.unwrap_or(*notation);
        let tokens = tokens.get(usize::from(switch.is_some())..).unwrap_or_default();
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return };
        let span = first.span.to(last.span);
        let (header, body) = self.header(tokens);
        let report = std::mem::take(&mut self.report);
        let mut inner = Reader { text: self.text, tokens: body, next: 0, depth: 0, is_lost: false, report };
        let terms = inner.terms(*notation, None);
        self.is_lost = inner.is_lost;
        self.report = inner.report;
        script.lines.push(Line { notation: *notation, header, terms, span });
    }

    fn switch(&self, token: Token) -> Option<Notation> {
        Notation::of(token.span.text(self.text)).filter(|_| token.kind == TokenKind::Word)
    }

    /// `name a b:` at the beginning of a line, and what follows.
    fn header(&mut self, tokens: &'t [Token]) -> (Option<Header>, &'t [Token]) {
        let is_word = |token: &&Token| token.kind == TokenKind::Word;
        let words: Vec<Token> = tokens.iter().take_while(is_word).copied().collect();
        let Some(end) = words.iter().position(|word| is_key(word.span.text(self.text))) else { return (None, tokens) };
        let mut names = Vec::new();
        for word in words.iter().take(end + 1) {
            let text = word.span.text(self.text);
            let text = text.strip_suffix(':').unwrap_or(text);
            if !is_name(text) {
                let message = format!("`{text}` can't be defined");
                self.report.push(Diagnostic::new(Code::WORDS_NAME, word.span, message));
            }
            names.push(Name { text: text.into(), span: word.span });
        }
        let mut names = names.into_iter();
        let Some(name) = names.next() else { return (None, tokens) };
        let parameters: Vec<Name> = names.collect();
        self.parameters(&parameters);
        (Some(Header { name, parameters }), tokens.get(end + 1..).unwrap_or_default())
    }

    fn parameters(&mut self, parameters: &[Name]) {
        for (at, parameter) in parameters.iter().enumerate() {
            if parameters.iter().take(at).any(|other| other.text == parameter.text) {
                let message = format!("`{}` names two items", parameter.text);
                self.report.push(Diagnostic::new(Code::WORDS_NAME, parameter.span, message));
            }
        }
    }

    /// Terms up to what closes them.
    fn terms(&mut self, notation: Notation, closes: Option<(TokenKind, Span)>) -> Vec<Term> {
        let mut terms = Vec::new();
        while let Some(token) = self.peek() {
            self.next += 1;
            match token.kind {
                TokenKind::Newline | TokenKind::Comment => {}
                TokenKind::Close | TokenKind::CloseGroup if closes.is_some_and(|(kind, _)| kind == token.kind) => {
                    return terms;
                }
                TokenKind::Close | TokenKind::CloseGroup => {
                    let text = token.span.text(self.text);
                    let message = match closes {
                        Some((_, open)) => {
                            format!("`{text}` closes nothing: `{}` is open here", open.text(self.text))
                        }
                        None => format!("`{text}` closes nothing"),
                    };
                    let mut found = Diagnostic::new(Code::WORDS_BRACKET, token.span, message);
                    if let Some((_, open)) = closes {
                        found = found.with_note(open, "this is open");
                    }
                    self.report.push(found);
                    // One such mistake makes all that follows look wrong.
                    self.is_lost = true;
                }
                TokenKind::Open => terms.extend(self.nested(token, |reader| reader.bracket(notation, token))),
                TokenKind::OpenGroup => terms.extend(self.nested(token, |reader| reader.group(notation, token))),
                TokenKind::Comma => terms.push(Term { kind: TermKind::Comma, span: token.span }),
                TokenKind::Semicolon => {
                    let message = "`;` ends a line, and brackets are open here";
                    self.report.push(Diagnostic::new(Code::WORDS_BRACKET, token.span, message));
                    self.is_lost = true;
                }
                TokenKind::Text => {
                    let kind = TermKind::Text(self.text_bytes(token.span).into());
                    terms.push(Term { kind, span: token.span });
                }
                TokenKind::Word => self.word(token.span, notation, closes.is_some(), &mut terms),
            }
        }
        if let (Some((_, open)), false) = (closes, self.is_lost) {
            let message = format!("`{}` is never closed", open.text(self.text));
            self.report.push(Diagnostic::new(Code::WORDS_BRACKET, open, message));
            self.is_lost = true;
        }
        terms
    }

    fn nested(&mut self, open: Token, read: impl FnOnce(&mut Self) -> TermKind) -> Option<Term> {
        if self.depth == limit::SOURCE_DEPTH.value {
            let message = format!("more than {} levels (limit `{}`)", self.depth, limit::SOURCE_DEPTH.name);
            self.report.push(Diagnostic::new(Code::SOURCE_DEPTH, open.span, message));
            self.is_lost = true;
            return None;
        }
        self.depth += 1;
        let kind = read(self);
        self.depth -= 1;
        let close = self.tokens.get(self.next.saturating_sub(1)).map_or(open.span, |token| token.span);
        Some(Term { kind, span: open.span.to(close) })
    }

    fn group(&mut self, notation: Notation, open: Token) -> TermKind {
        let notation = self.section().unwrap_or(notation);
        TermKind::Group(notation, self.terms(notation, Some((TokenKind::CloseGroup, open.span))))
    }

    /// The notation that is named behind a bracket.
    fn section(&mut self) -> Option<Notation> {
        let notation = self.peek().and_then(|token| self.switch(token))?;
        self.next += 1;
        Some(notation)
    }

    fn bracket(&mut self, notation: Notation, open: Token) -> TermKind {
        let notation = self.section().unwrap_or(notation);
        let mut terms = self.terms(notation, Some((TokenKind::Close, open.span)));
        let is_arrow = |term: &Term| matches!(&term.kind, TermKind::Word(word) if &**word == "=>");
        let arrow = terms.iter().position(is_arrow);
        let mut parameters = Vec::new();
        if let Some(arrow) = arrow {
            let body = terms.split_off(arrow);
            for term in terms {
                match term.kind {
                    TermKind::Word(text) if is_name(&text) => parameters.push(Name { text, span: term.span }),
                    TermKind::Comma => {}
                    TermKind::Word(_) | TermKind::Number(_) | TermKind::Text(_) | TermKind::Key(_) => {
                        self.no_name(term.span);
                    }
                    TermKind::Bracket(_) | TermKind::Group(..) => self.no_name(term.span),
                }
            }
            self.parameters(&parameters);
            terms = body.into_iter().skip(1).collect();
        }
        TermKind::Bracket(Bracket { notation, parameters, is_code: arrow.is_some(), terms })
    }

    fn no_name(&mut self, span: Span) {
        let message = format!("`{}` is no name for an item", span.text(self.text));
        self.report.push(Diagnostic::new(Code::WORDS_NAME, span, message));
    }

    fn word(&mut self, span: Span, notation: Notation, is_inside: bool, terms: &mut Vec<Term>) {
        let text = span.text(self.text);
        if is_inside && is_key(text) {
            let key = text.strip_suffix(':').unwrap_or(text);
            return terms.push(Term { kind: TermKind::Key(key.into()), span });
        }
        let spans = if notation == Notation::Infix { parts(self.text, span) } else { vec![span] };
        for span in spans {
            let text = span.text(self.text);
            if let (Some(notation), false) = (Notation::of(text), text.is_empty()) {
                let message = format!("`{}` stands at the beginning of a line or behind a bracket", notation.word());
                self.report.push(Diagnostic::new(Code::WORDS_NOTATION, span, message));
                continue;
            }
            let kind = match number(text) {
                Some(Ok(number)) => TermKind::Number(number),
                Some(Err(fault)) => {
                    self.report.push(Diagnostic::new(Code::WORDS_NUMERAL, span, format!("`{text}` {fault}")));
                    TermKind::Number(kerai_vm::number::Number::from_i64(0))
                }
                None => TermKind::Word(text.into()),
            };
            terms.push(Term { kind, span });
        }
    }

    /// The bytes that a text between quotes stands for.
    fn text_bytes(&mut self, span: Span) -> Vec<u8> {
        let literal = span.text(self.text);
        let inner = literal.get(1..literal.len().saturating_sub(1)).unwrap_or_default();
        let mut bytes = Vec::with_capacity(inner.len());
        let mut rest = inner;
        while let Some((before, after)) = rest.split_once('\\') {
            bytes.extend_from_slice(before.as_bytes());
            rest = match escape(after, &mut bytes) {
                Some(rest) => rest,
                None => {
                    // The place of the backslash, behind the quote and what was read.
                    let start = span.start.saturating_add(1).saturating_add(length(inner.len() - after.len() - 1));
                    let escape: String = after.chars().take(1).collect();
                    let place = Span::new(start, start.saturating_add(1).saturating_add(length(escape.len())));
                    let message = format!("`\\{escape}` is no escape");
                    self.report.push(Diagnostic::new(Code::WORDS_ESCAPE, place, message));
                    after.get(escape.len()..).unwrap_or_default()
                }
            };
        }
        bytes.extend_from_slice(rest.as_bytes());
        bytes
    }
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// What stands behind a backslash, as bytes; gives what follows it, or nothing where it has no meaning.
fn escape<'t>(after: &'t str, bytes: &mut Vec<u8>) -> Option<&'t str> {
    let plain = match after.bytes().next()? {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'0' => 0,
        same @ (b'\\' | b'\'' | b'"') => same,
        b'x' => {
            let digits = after.get(1..3)?;
            let is_right = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| is_right)?);
            return after.get(3..);
        }
        b'u' => {
            let (digits, rest) = after.get(1..)?.strip_prefix('{')?.split_once('}')?;
            let is_right = (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let point = u32::from_str_radix(digits, 16).ok().filter(|_| is_right).and_then(char::from_u32)?;
            bytes.extend_from_slice(point.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(rest);
        }
        _ => return None,
    };
    bytes.push(plain);
    after.get(1..)
}

/// Whether a word is a name with a colon behind it.
fn is_key(word: &str) -> bool {
    word.len() > 1 && word.ends_with(':')
}

/// Whether a word or an item can have this name: hosts call words by their names, so these are plain.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let is_part = |part: &str| {
        let mut bytes = part.bytes();
        bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    !text.is_empty() && text.split('.').all(is_part)
}
