//! Tokens: Lua's words, signs and literals, as logos finds them.

use crate::code::Code;
use crate::span::Span;
use logos::{Lexer, Logos};

/// A token with its place. What it says is the text there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    pub span: Span,
}

/// Why a text is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    #[default]
    Character,
    StringOpen,
    CommentOpen,
    Numeral,
}

impl Fault {
    pub const fn code(self) -> Code {
        match self {
            Fault::Character => Code::LUA_CHARACTER,
            Fault::StringOpen => Code::LUA_STRING_OPEN,
            Fault::CommentOpen => Code::LUA_COMMENT_OPEN,
            Fault::Numeral => Code::LUA_NUMERAL_SYNTAX,
        }
    }
}

macro_rules! tokens {
    (words { $($word:ident $word_text:literal)+ } signs { $($sign:ident $sign_text:literal)+ }) => {
        #[derive(Logos, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[logos(skip r"[ \t\r\n\f\x0B]+")]
        #[logos(error = Fault)]
        pub enum TokenKind {
            $(#[token($word_text)] $word,)+
            $(#[token($sign_text)] $sign,)+
            /// The parenthesis that opens the arguments of a call. To logos both are `Open`; see `pairing`.
            CallOpen,
            #[regex("[A-Za-z_][A-Za-z0-9_]*")]
            Name,
            #[regex(r"\.?[0-9]", numeral)]
            Numeral,
            #[token("\"", |lexer| short_string(lexer, b'"'))]
            #[token("'", |lexer| short_string(lexer, b'\''))]
            #[regex(r"\[=*\[", long_string)]
            String,
            #[token("--", comment)]
            Comment,
        }

        impl TokenKind {
            /// How it is written, or what it is.
            pub const fn text(self) -> &'static str {
                match self {
                    $(TokenKind::$word => $word_text,)+
                    $(TokenKind::$sign => $sign_text,)+
                    TokenKind::CallOpen => "(",
                    TokenKind::Name => "a name",
                    TokenKind::Numeral => "a number",
                    TokenKind::String => "a string",
                    TokenKind::Comment => "a comment",
                }
            }
        }
    };
}

tokens! {
    words {
        And "and" Break "break" Do "do" Else "else" ElseIf "elseif" End "end" False "false" For "for"
        Function "function" Goto "goto" If "if" In "in" Local "local" Nil "nil" Not "not" Or "or"
        Repeat "repeat" Return "return" Then "then" True "true" Until "until" While "while"
    }
    signs {
        Plus "+" Minus "-" Star "*" Slash "/" DoubleSlash "//" Percent "%" Caret "^" Hash "#"
        Ampersand "&" Tilde "~" Bar "|" ShiftLeft "<<" ShiftRight ">>"
        Equal "==" NotEqual "~=" LessEqual "<=" GreaterEqual ">=" Less "<" Greater ">" Assign "="
        Open "(" Close ")" OpenBrace "{" CloseBrace "}" OpenBracket "[" CloseBracket "]"
        DoubleColon "::" Semicolon ";" Colon ":" Comma "," Dot "." Concat ".." Ellipsis "..."
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// All that stands together with the digits, as stock Lua takes it: whether it is a number is asked later.
fn numeral(lexer: &mut Lexer<'_, TokenKind>) -> Result<(), Fault> {
    let rest = lexer.remainder().as_bytes();
    let is_hexadecimal = lexer.slice() == "0" && matches!(rest.first(), Some(b'x' | b'X'));
    let mut last = lexer.slice().bytes().last().unwrap_or_default();
    let mut length = 0;
    for &byte in rest {
        let exponent = if is_hexadecimal { matches!(last, b'p' | b'P') } else { matches!(last, b'e' | b'E') };
        if !(is_word_byte(byte) || byte == b'.' || (exponent && matches!(byte, b'+' | b'-'))) {
            break;
        }
        length += 1;
        last = byte;
    }
    lexer.bump(length);
    if super::literal::numeral_kind(lexer.slice()).is_some() { Ok(()) } else { Err(Fault::Numeral) }
}

/// Up to the closing quote on the same line. An escaped line's end, and the white space after `\z`, go on.
fn short_string(lexer: &mut Lexer<'_, TokenKind>, quote: u8) -> Result<(), Fault> {
    let rest = lexer.remainder().as_bytes();
    let mut bytes = rest.iter().copied().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\n' | b'\r' => {
                lexer.bump(at);
                return Err(Fault::StringOpen);
            }
            b'\\' => match bytes.next() {
                Some((_, b'z')) => while bytes.next_if(|(_, byte)| is_space(*byte)).is_some() {},
                Some((_, b'\r')) => _ = bytes.next_if(|(_, byte)| *byte == b'\n'),
                Some((_, b'\n')) => _ = bytes.next_if(|(_, byte)| *byte == b'\r'),
                _ => {}
            },
            _ if byte == quote => {
                lexer.bump(at + 1);
                return Ok(());
            }
            _ => {}
        }
    }
    lexer.bump(rest.len());
    Err(Fault::StringOpen)
}

/// White space as Lua has it.
pub const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c)
}

/// The bytes up to and with the closing bracket of a level.
fn long_end(rest: &str, level: usize) -> Option<usize> {
    let end = format!("]{}]", "=".repeat(level));
    rest.find(&end).map(|at| at + end.len())
}

fn long_string(lexer: &mut Lexer<'_, TokenKind>) -> Result<(), Fault> {
    let end = long_end(lexer.remainder(), lexer.slice().len() - 2);
    lexer.bump(end.unwrap_or(lexer.remainder().len()));
    end.map(|_| ()).ok_or(Fault::StringOpen)
}

/// The level of the long bracket that a text begins with.
pub fn long_level(text: &str) -> Option<usize> {
    let rest = text.strip_prefix('[')?;
    let level = rest.bytes().take_while(|&byte| byte == b'=').count();
    rest.get(level..)?.starts_with('[').then_some(level)
}

fn comment(lexer: &mut Lexer<'_, TokenKind>) -> Result<(), Fault> {
    let rest = lexer.remainder();
    let Some(level) = long_level(rest) else {
        let line = rest.bytes().position(|byte| matches!(byte, b'\n' | b'\r'));
        lexer.bump(line.unwrap_or(rest.len()));
        return Ok(());
    };
    let begin = level + 2;
    let end = rest.get(begin..).and_then(|rest| long_end(rest, level));
    lexer.bump(end.map_or(rest.len(), |end| begin + end));
    end.map(|_| ()).ok_or(Fault::CommentOpen)
}
