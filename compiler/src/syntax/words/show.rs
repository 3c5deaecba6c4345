//! The tree as text, for goldens and curious people: a line each, notation and brackets as they were read.

use super::tree::{Bracket, Line, Name, Notation, Script, Term, TermKind};
use std::fmt::Write as _;

/// The tree in prefix form, without places.
#[must_use]
pub fn show(script: &Script) -> String {
    let mut out = String::new();
    for line in &script.lines {
        show_line(line, &mut out);
        out.push('\n');
    }
    out
}

// Writing to a string never fails.
fn show_line(line: &Line, out: &mut String) {
    let notation = notation_name(line.notation);
    match &line.header {
        Some(header) => {
            let _ = write!(out, "(define {} {} (", notation, header.name.text);
            names(&header.parameters, out);
            out.push(')');
        }
        None => {
            let _ = write!(out, "(run {notation}");
        }
    }
    terms(&line.terms, out);
    out.push(')');
}

const fn notation_name(notation: Notation) -> &'static str {
    match notation {
        Notation::Postfix => "postfix",
        Notation::Infix => "infix",
        Notation::Prefix => "prefix",
    }
}

fn names(all: &[Name], out: &mut String) {
    out.push_str(&all.iter().map(|name| &*name.text).collect::<Vec<_>>().join(" "));
}

fn terms(all: &[Term], out: &mut String) {
    for term in all {
        out.push(' ');
        match &term.kind {
            TermKind::Number(number) => {
                let mut text = Vec::new();
                number.write_text(&mut text);
                out.push_str(&String::from_utf8_lossy(&text));
            }
            TermKind::Text(bytes) => {
                let _ = write!(out, "\"{}\"", bytes.escape_ascii());
            }
            TermKind::Word(word) => out.push_str(word),
            TermKind::Key(key) => {
                let _ = write!(out, "(key {key})");
            }
            TermKind::Comma => out.push_str("(comma)"),
            TermKind::Group(notation, inner) => {
                let _ = write!(out, "(group {}", notation_name(*notation));
                terms(inner, out);
                out.push(')');
            }
            TermKind::Bracket(Bracket { notation, parameters, is_code, terms: inner }) => {
                let _ = write!(out, "({} {}", if *is_code { "code" } else { "bracket" }, notation_name(*notation));
                if *is_code {
                    out.push_str(" (");
                    names(parameters, out);
                    out.push(')');
                }
                terms(inner, out);
                out.push(')');
            }
        }
    }
}
