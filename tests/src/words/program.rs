//! A program of words as generators make it, and its text in each notation.

use kerai_compiler::syntax::words::tree::Notation;
use kerai_vm::number::Number;

/// What a body is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Term {
    /// A number, as it is written.
    Number(Number, String),
    Text(Vec<u8>),
    Word(String),
    List(Vec<Term>),
    Map(Vec<(String, Term)>),
    /// A quotation, with names for the topmost items.
    Code(Vec<String>, Vec<Term>),
    /// A part in another notation, in parentheses.
    Section(Notation, Box<Tree>),
}

/// An expression: what other notations can write.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    Leaf(Term),
    Apply(String, Vec<Tree>),
}

impl Tree {
    /// What it is in postfix notation.
    pub fn terms(&self, terms: &mut Vec<Term>) {
        match self {
            Tree::Leaf(leaf) => terms.push(leaf.clone()),
            Tree::Apply(word, arguments) => {
                arguments.iter().for_each(|argument| argument.terms(terms));
                terms.push(Term::Word(word.clone()));
            }
        }
    }
}

/// `name a b: …`
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    pub name: String,
    pub names: Vec<String>,
    pub body: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Program {
    pub definitions: Vec<Definition>,
    /// What runs from top to bottom; nothing where it is empty.
    pub main: Vec<Term>,
}

/// Words that stand between what they take in infix notation.
pub const BETWEEN: &[&str] =
    &["+", "-", "*", "/", "//", "%", "^", "=", "==", "!=", "~=", "<", "<=", ">", ">=", "..", "and", "or"];

impl Program {
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        for Definition { name, names, body } in &self.definitions {
            out.push_str(name);
            names.iter().for_each(|name| out.push_str(&format!(" {name}")));
            out.push(':');
            put_all(body, &mut out);
            out.push('\n');
        }
        if !self.main.is_empty() {
            let mut main = String::new();
            put_all(&self.main, &mut main);
            // An indented line would belong to the definition above it.
            out.push_str(main.trim_start());
            out.push('\n');
        }
        out
    }
}

fn put_all(terms: &[Term], out: &mut String) {
    for term in terms {
        out.push(' ');
        put(term, out);
    }
}

fn put(term: &Term, out: &mut String) {
    match term {
        Term::Number(_, written) => out.push_str(written),
        Term::Word(word) => out.push_str(word),
        Term::Text(bytes) => {
            out.push('"');
            bytes.iter().for_each(|&byte| match byte {
                b'"' | b'\\' => out.extend(['\\', byte.into()]),
                b' '..=b'~' => out.push(byte.into()),
                _ => out.push_str(&format!("\\x{byte:02x}")),
            });
            out.push('"');
        }
        Term::List(items) => {
            out.push('[');
            put_all(items, out);
            out.push_str(" ]");
        }
        Term::Map(entries) => {
            out.push('[');
            for (key, value) in entries {
                out.push_str(&format!(" {key}: "));
                put(value, out);
            }
            out.push(']');
        }
        Term::Code(names, terms) => {
            out.push('[');
            if !names.is_empty() {
                out.push_str(&format!("{} =>", names.join(" ")));
            }
            put_all(terms, out);
            out.push(']');
        }
        Term::Section(notation, tree) => {
            out.push_str(&format!("({} ", notation.word()));
            out.push_str(&written(tree, *notation));
            out.push(')');
        }
    }
}

/// A value in infix notation: what stands in brackets is told apart by commas.
fn put_infix(term: &Term, out: &mut String) {
    let mut part = |opens: &str, items: &[(Option<&String>, &Term)]| {
        out.push_str(opens);
        for (at, (key, value)) in items.iter().enumerate() {
            out.push_str(if at > 0 { ", " } else { "" });
            key.iter().for_each(|key| out.push_str(&format!("{key}: ")));
            put_infix(value, out);
        }
        out.push(']');
    };
    match term {
        Term::List(items) => part("[", &items.iter().map(|item| (None, item)).collect::<Vec<_>>()),
        Term::Map(entries) => part("[", &entries.iter().map(|(key, value)| (Some(key), value)).collect::<Vec<_>>()),
        Term::Number(_, written) if written.starts_with('-') => out.push_str(&format!("({written})")),
        Term::Code(..) | Term::Number(..) | Term::Text(_) | Term::Word(_) | Term::Section(..) => put(term, out),
    }
}

/// An expression in a notation.
#[must_use]
pub fn written(tree: &Tree, notation: Notation) -> String {
    let mut out = String::new();
    match (tree, notation) {
        (Tree::Leaf(leaf), Notation::Infix) => put_infix(leaf, &mut out),
        (Tree::Leaf(leaf), Notation::Postfix | Notation::Prefix) => put(leaf, &mut out),
        (Tree::Apply(word, arguments), Notation::Postfix) => {
            arguments.iter().for_each(|argument| out.push_str(&format!("{} ", written(argument, notation))));
            out.push_str(word);
        }
        (Tree::Apply(word, arguments), Notation::Prefix) => {
            out.push_str(word);
            arguments.iter().for_each(|argument| out.push_str(&format!(" {}", written(argument, notation))));
        }
        (Tree::Apply(word, arguments), Notation::Infix) => {
            let binding = firmness(tree);
            match arguments.as_slice() {
                [first, second] if BETWEEN.contains(&word.as_str()) => {
                    // `^` is read from the right, all others from the left.
                    let (left, right) = if word == "^" { (binding + 1, binding) } else { (binding, binding + 1) };
                    out = format!("{} {word} {}", within(first, left), within(second, right));
                }
                [one] if word == "neg" => out = format!("- {}", within(one, binding)),
                [one] if word == "not" => out = format!("not {}", within(one, binding)),
                arguments => {
                    let arguments: Vec<String> = arguments.iter().map(|argument| written(argument, notation)).collect();
                    out = format!("{word}({})", arguments.join(", "));
                }
            }
        }
    }
    out
}

/// How firmly the outermost operator binds; what has none is as firm as can be.
fn firmness(tree: &Tree) -> u8 {
    let Tree::Apply(word, arguments) = tree else { return u8::MAX };
    match (word.as_str(), arguments.len()) {
        ("or", 2) => 1,
        ("and", 2) => 2,
        ("=" | "==" | "!=" | "~=" | "<" | "<=" | ">" | ">=", 2) => 3,
        ("..", 2) => 4,
        ("+" | "-", 2) => 5,
        ("*" | "/" | "//" | "%", 2) => 6,
        ("neg" | "not", 1) => 7,
        ("^", 2) => 8,
        _ => u8::MAX,
    }
}

/// An operand in infix notation, in parentheses where it would not hold together.
fn within(tree: &Tree, least: u8) -> String {
    let text = written(tree, Notation::Infix);
    if firmness(tree) < least { format!("({text})") } else { text }
}
