//! The tree of a YAML document as text, without places.

use super::tree::{Kind, Node, Scalar, Style};

/// A line a value, items and entries indented below what holds them.
#[must_use]
pub fn show(node: &Node) -> String {
    let mut out = String::new();
    write(node, 0, &mut out);
    out
}

fn write(node: &Node, indent: usize, out: &mut String) {
    match &node.kind {
        Kind::Scalar(scalar) => write_scalar(scalar, out),
        Kind::Sequence(items) => {
            out.push_str("sequence\n");
            for item in items {
                out.push_str(&"  ".repeat(indent + 1));
                out.push_str("- ");
                write(item, indent + 1, out);
            }
        }
        Kind::Mapping(entries) => {
            out.push_str("mapping\n");
            for entry in entries {
                out.push_str(&"  ".repeat(indent + 1));
                quote(&entry.key.text, out);
                out.push_str(": ");
                write(&entry.value, indent + 1, out);
            }
        }
    }
}

fn write_scalar(scalar: &Scalar, out: &mut String) {
    out.push_str(match scalar.style {
        Style::Plain => "plain ",
        Style::Single => "single ",
        Style::Double => "double ",
        Style::Literal => "literal ",
        Style::Folded => "folded ",
    });
    quote(&scalar.text, out);
    out.push('\n');
}

/// Writes text in double quotes, so that each text has one writing and stays on its line.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for point in text.chars() {
        match point {
            '"' | '\\' => out.extend(['\\', point]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                out.push_str(&format!("\\u{{{:x}}}", u32::from(point)));
            }
            _ => out.push(point),
        }
    }
    out.push('"');
}
