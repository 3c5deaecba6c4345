//! Tokens of conditions, as logos finds them.

use crate::{Code, Span};
use logos::{Lexer, Logos};

/// A token with its place.
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
}

impl Fault {
    pub const fn code(self) -> Code {
        match self {
            Fault::Character => Code::POLICY_CHARACTER,
            Fault::StringOpen => Code::POLICY_STRING,
        }
    }
}

macro_rules! tokens {
    (words { $($word:ident $word_text:literal)+ } signs { $($sign:ident $sign_text:literal)+ }) => {
        #[derive(Logos, Debug, Clone, Copy, PartialEq, Eq)]
        #[logos(skip r"[ \t\r\n]+")]
        #[logos(error = Fault)]
        pub enum TokenKind {
            $(#[token($word_text)] $word,)+
            $(#[token($sign_text)] $sign,)+
            #[regex("[A-Za-z_][A-Za-z0-9_]*")]
            Name,
            #[regex(r"[0-9][0-9A-Za-z_]*(\.[0-9A-Za-z_]+)?")]
            Number,
            #[token("\"", |lexer| string(lexer, b'"'))]
            #[token("'", |lexer| string(lexer, b'\''))]
            String,
        }

        /// Words that can't be names of attributes or constants.
        pub const WORDS: &[&str] = &[$($word_text),+];
    };
}

tokens! {
    words {
        And "and" Or "or" Not "not" True "true" False "false" Has "has" HasCap "has_cap" BeforeEpoch "before_epoch"
        Includes "includes" Contains "contains" In "in" InCidr "in_cidr" StartsWith "starts_with" EndsWith "ends_with"
        Matches "matches"
    }
    signs {
        Equal "==" NotEqual "!=" Less "<" AtMost "<=" Greater ">" AtLeast ">=" Plus "+" Minus "-" Star "*" Slash "/"
        DoubleSlash "//" Percent "%" Open "(" Close ")" OpenBracket "[" CloseBracket "]" Comma "," Dot "."
    }
}

/// Up to the closing quote.
fn string(lexer: &mut Lexer<'_, TokenKind>, quote: u8) -> Result<(), Fault> {
    let rest = lexer.remainder().as_bytes();
    let mut is_escaped = false;
    for (at, &byte) in rest.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
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
