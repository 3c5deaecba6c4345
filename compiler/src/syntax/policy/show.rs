//! Conditions in their one form of writing: equal texts are equal trees.

use super::tree::*;
use std::fmt::{self, Display, Formatter, Write};

impl Display for Expression {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write(out, self, Level::Or)
    }
}

impl Display for Reference {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        reference(out, self)
    }
}

/// The one form of an expression, which is often about as long as so many bytes.
pub(super) fn text_of(expression: &Expression, length: usize) -> String {
    let mut text = String::with_capacity(length);
    // Writing to a string cannot fail.
    let _ = write(&mut text, expression, Level::Or);
    text
}

fn reference(out: &mut impl Write, reference: &Reference) -> fmt::Result {
    out.write_str(&reference.root.text)?;
    for step in &reference.steps {
        match step {
            Step::Field(name) => write!(out, ".{}", name.text)?,
            Step::Key(key) => write!(out, "[{key}]")?,
        }
    }
    Ok(())
}

/// How closely a place binds: what binds less stands in parentheses there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Not,
    Comparison,
    Sum,
    Product,
    Primary,
}

impl Level {
    const fn of(operator: Operator) -> (Level, Level, Level) {
        match operator.level() {
            0 => (Level::Comparison, Level::Sum, Level::Sum),
            1 => (Level::Sum, Level::Sum, Level::Product),
            _ => (Level::Product, Level::Product, Level::Primary),
        }
    }
}

/// Writes what stands where a level is wanted. The tree's depth is bounded, so this may recur.
fn write(out: &mut impl Write, expression: &Expression, wanted: Level) -> fmt::Result {
    let own = match &expression.kind {
        ExpressionKind::Or(..) => Level::Or,
        ExpressionKind::And(..) => Level::And,
        ExpressionKind::Not(_) => Level::Not,
        ExpressionKind::Has(_) => Level::Comparison,
        ExpressionKind::Binary(operator, ..) => Level::of(*operator).0,
        // A minus before its digits binds like the sign of a product.
        ExpressionKind::Number(_)
        | ExpressionKind::Bool(_)
        | ExpressionKind::String(_)
        | ExpressionKind::List(_)
        | ExpressionKind::Reference(_)
        | ExpressionKind::Call(..) => Level::Primary,
    };
    if own < wanted {
        out.write_char('(')?;
        write(out, expression, Level::Or)?;
        return out.write_char(')');
    }
    match &expression.kind {
        ExpressionKind::Bool(truth) => write!(out, "{truth}"),
        ExpressionKind::Number(number) => write!(out, "{number}"),
        ExpressionKind::String(text) => quoted(out, text),
        ExpressionKind::List(items) => {
            out.write_char('[')?;
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.write_str(", ")?;
                }
                write(out, item, Level::Or)?;
            }
            out.write_char(']')
        }
        ExpressionKind::Reference(told) => reference(out, told),
        ExpressionKind::Has(told) => {
            out.write_str("has ")?;
            reference(out, told)
        }
        ExpressionKind::Not(operand) => {
            out.write_str("not ")?;
            write(out, operand, Level::Not)
        }
        ExpressionKind::And(left, right) => {
            write(out, left, Level::And)?;
            out.write_str(" and ")?;
            write(out, right, Level::Not)
        }
        ExpressionKind::Or(left, right) => {
            write(out, left, Level::Or)?;
            out.write_str(" or ")?;
            write(out, right, Level::And)
        }
        ExpressionKind::Binary(operator, left, right) => {
            let (_, before, behind) = Level::of(*operator);
            write(out, left, before)?;
            [" ", operator.text(), " "].into_iter().try_for_each(|part| out.write_str(part))?;
            write(out, right, behind)
        }
        ExpressionKind::Call(function, argument) => {
            out.write_str(function.text())?;
            out.write_char('(')?;
            write(out, argument, Level::Or)?;
            out.write_char(')')
        }
    }
}

/// A text between single quotes.
pub(super) fn quoted(out: &mut impl Write, text: &str) -> fmt::Result {
    let is_escaped = |point: char| matches!(point, '\'' | '\\' | '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}');
    out.write_char('\'')?;
    let mut rest = text;
    // What lies between is written at once; in most texts that is all.
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'\'' && byte != b'\\');
    while !is_plain && let Some((plain, point)) = rest.find(is_escaped).and_then(|at| rest.split_at_checked(at)) {
        out.write_str(plain)?;
        let mut points = point.chars();
        match points.next() {
            Some('\'') => out.write_str("\\'")?,
            Some('\\') => out.write_str("\\\\")?,
            Some('\n') => out.write_str("\\n")?,
            Some('\t') => out.write_str("\\t")?,
            Some(point) => write!(out, "\\u{{{:x}}}", u32::from(point))?,
            None => {}
        }
        rest = points.as_str();
    }
    out.write_str(rest)?;
    out.write_char('\'')
}
