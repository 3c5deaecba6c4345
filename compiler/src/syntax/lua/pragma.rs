//! Pragmas: comments that begin with `--!` and say something about the whole source.

use super::lexer::{Comment, shortened};
use super::tree::{Pragma, PragmaKind};
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Report};
use kerai_vm::bytecode::Order;
use std::mem::discriminant;

const MARK: &str = "--!";

/// The pragmas among the comments. One that is unknown, or there twice, is a mistake.
pub fn pragmas(text: &str, comments: &[Comment], report: &mut Report) -> Vec<Pragma> {
    let mut found: Vec<Pragma> = Vec::new();
    for comment in comments {
        let Some(content) = comment.span.text(text).strip_prefix(MARK) else { continue };
        let Some(kind) = kind(content) else {
            let message = format!("`{}` is no pragma", shortened(comment.span.text(text).trim_ascii_end()));
            report.push(Diagnostic::new(Code::LUA_PRAGMA, comment.span, message));
            continue;
        };
        match found.iter().find(|other| discriminant(&other.kind) == discriminant(&kind)) {
            Some(first) => report.push(
                Diagnostic::new(Code::LUA_PRAGMA, comment.span, "this is said twice")
                    .with_note(first.span, "it was said here"),
            ),
            None => found.push(Pragma { kind, span: comment.span }),
        }
    }
    found
}

fn kind(content: &str) -> Option<PragmaKind> {
    let words: Vec<&str> = content.split_ascii_whitespace().collect();
    Some(match words.as_slice() {
        ["numeric", "float"] => PragmaKind::NumericFloat,
        ["order", name] => PragmaKind::Order(Order::ALL.iter().copied().find(|order| order.name() == *name)?),
        ["key", path] => PragmaKind::Key(path.split('.').map(name).collect::<Option<Vec<_>>>()?),
        ["rng"] => PragmaKind::Random,
        _ => return None,
    })
}

/// A part of a path, where it is a name.
fn name(part: &str) -> Option<Box<str>> {
    let begins = part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    (begins && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')).then(|| part.into())
}
