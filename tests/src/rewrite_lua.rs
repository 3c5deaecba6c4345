//! Rewrites of Lua sources that keep what they do: other names of locals, other places of functions, parentheses
//! around what is one value already. They are made of tokens, and only where it is plain that nothing changes.
#![expect(clippy::indexing_slicing, reason = "places are below the number of tokens")]

use crate::property::Random;
use crate::tokens::{Kind, Token};
use std::collections::BTreeSet;

/// Words that are no names.
const KEYWORDS: &[&str] = &[
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil",
    "not", "or", "repeat", "return", "then", "true", "until", "while",
];

/// Names that may mean something that is not declared in the source, or that hosts call.
const KEPT: &[&str] = &[
    "self",
    "_ENV",
    "_G",
    "_VERSION",
    "const",
    "close",
    "init",
    "step",
    "finish",
    "fold",
    "lift",
    "join",
    "emit",
    "emit_json_canonical",
    "json",
    "math",
    "string",
    "table",
    "utf8",
    "list",
    "set",
    "rng",
    "float",
    "fixed",
    "decimal",
    "number",
    "dpairs",
    "dkeys",
    "dvalues",
    "dsort",
    "ipairs",
    "pairs",
    "next",
    "pcall",
    "error",
    "assert",
    "type",
    "tostring",
    "tonumber",
    "select",
    "os",
    "io",
    "debug",
    "print",
    "require",
    "load",
    "count",
    "compare",
    "kind",
];

fn is_name(token: &Token) -> bool {
    token.kind == Kind::Word && !KEYWORDS.contains(&token.text.as_str())
}

fn at(tokens: &[Token], place: usize) -> &str {
    tokens.get(place).map_or("", |token| token.text.as_str())
}

/// The names of a list that begins at a place.
fn names(tokens: &[Token], place: usize) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = tokens.iter().skip(place).peekable();
    while let Some(name) = rest.next().filter(|token| is_name(token)) {
        names.push(name.text.clone());
        // An attribute follows some.
        while rest.next_if(|token| ["<", ">", "const", "close"].contains(&token.text.as_str())).is_some() {}
        if rest.next_if(|token| token.is(",")).is_none() {
            break;
        }
    }
    names
}

/// Names that are declared as locals, and nowhere may mean something else.
fn locals(tokens: &[Token]) -> BTreeSet<String> {
    let (mut locals, mut others) = (BTreeSet::new(), BTreeSet::new());
    for (place, token) in tokens.iter().enumerate() {
        let is_local = place > 0 && at(tokens, place - 1) == "local";
        match token.text.as_str() {
            "local" if at(tokens, place + 1) == "function" => locals.extend(names(tokens, place + 2)),
            "local" | "for" => locals.extend(names(tokens, place + 1)),
            "function" => {
                // A function of the program is an export, or part of a table.
                if !is_local {
                    others.extend(names(tokens, place + 1));
                }
                let open = (place..place + 8).find(|&place| at(tokens, place) == "(");
                locals.extend(open.map(|open| names(tokens, open + 1)).unwrap_or_default());
            }
            // What stands so in a table's constructor is a key; the same word elsewhere is left alone with it.
            "=" if place > 1 && is_name(&tokens[place - 1]) && ["{", ",", ";"].contains(&at(tokens, place - 2)) => {
                others.insert(at(tokens, place - 1).to_owned());
            }
            _ => {}
        }
    }
    locals.retain(|name| !others.contains(name) && !KEPT.contains(&name.as_str()));
    locals
}

fn renamed(tokens: &mut [Token], random: &mut Random) {
    let all: BTreeSet<String> = tokens.iter().map(|token| token.text.clone()).collect();
    let mut number = random.below(1000);
    for name in locals(tokens) {
        if random.below(3) == 0 {
            continue;
        }
        let new = loop {
            number += 1;
            let new = format!("{}{number}", random.pick(&["x", "total_", "_", "LongerName"]));
            if !all.contains(&new) {
                break new;
            }
        };
        for place in 0..tokens.len() {
            let is_field = place > 0 && [".", ":"].contains(&at(tokens, place - 1));
            if tokens[place].kind == Kind::Word && tokens[place].text == name && !is_field {
                tokens[place].text.clone_from(&new);
            }
        }
    }
}

/// What may stand before and after a name that is a whole operand.
const BEFORE: &[&str] = &["+", "-", "*", "/", "//", "%", "==", "~=", "<=", ">=", "and", "or", "not", "return", ".."];
const AFTER: &[&str] =
    &["+", "-", "*", "/", "//", "%", "==", "~=", "<=", ">=", "and", "or", "then", "do", ")", "end", ".."];

fn parenthesized(tokens: Vec<Token>, random: &mut Random) -> Vec<Token> {
    // What is in parentheses can be called: nothing may follow that would become its arguments.
    let is_followed = |place: usize| {
        let next = tokens.get(place + 1);
        next.is_some_and(|next| next.kind == Kind::Text || ["(", "{", "[", ".", ":"].iter().any(|sign| next.is(sign)))
    };
    let is_operand = |place: usize, token: &Token| match token.kind {
        _ if is_followed(place) => false,
        Kind::Number => true,
        Kind::Word if ["true", "false", "nil"].contains(&token.text.as_str()) => true,
        Kind::Word => {
            let before = if place == 0 { "" } else { at(&tokens, place - 1) };
            is_name(token) && BEFORE.contains(&before) && AFTER.contains(&at(&tokens, place + 1))
        }
        Kind::Text | Kind::Sign | Kind::Pragma => false,
    };
    let mut out = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        let depth = if is_operand(place, token) && random.below(4) == 0 { 1 + random.below(2) } else { 0 };
        out.extend((0..depth).map(|_| Token::sign("(")));
        out.push(token.clone());
        out.extend((0..depth).map(|_| Token::sign(")")));
    }
    out
}

/// Where the block ends that the function at a place has: behind its `end`.
fn end_of_function(tokens: &[Token], place: usize) -> Option<usize> {
    let mut depth = 0_i64;
    for (at, token) in tokens.iter().enumerate().skip(place).filter(|(_, token)| token.kind == Kind::Word) {
        depth += match token.text.as_str() {
            // The `do` of a loop opens its block.
            "function" | "if" | "do" | "repeat" => 1,
            "end" | "until" => -1,
            _ => 0,
        };
        if depth == 0 && at > place {
            return Some(at + 1);
        }
    }
    None
}

/// A declaration of a function at the top of a source: where it begins and ends, and the name that it declares.
fn declaration(tokens: &[Token], place: usize) -> Option<(usize, usize, &str)> {
    let function = place + usize::from(at(tokens, place) == "local");
    if at(tokens, function) != "function" || at(tokens, function + 2) != "(" {
        return None;
    }
    Some((place, end_of_function(tokens, function)?, at(tokens, function + 1)))
}

/// Runs of declarations that follow one another and name none of one another, in another order.
fn reordered(tokens: &[Token], random: &mut Random) -> Vec<Token> {
    let (mut out, mut place) = (Vec::new(), 0);
    while place < tokens.len() {
        let mut run: Vec<(&[Token], &str)> = Vec::new();
        while let Some((start, end, name)) = declaration(tokens, place) {
            let body = tokens.get(start..end).unwrap_or_default();
            let names_it = |tokens: &[Token], name: &str| tokens.iter().any(|token| token.text == name);
            if run.iter().any(|(other, known)| names_it(body, known) || names_it(other, name)) {
                break;
            }
            run.push((body, name));
            place = end;
        }
        while !run.is_empty() {
            let next = random.below(run.len() as u64) as usize;
            out.extend_from_slice(run.swap_remove(next).0);
        }
        if declaration(tokens, place).is_some() {
            continue;
        }
        // Another statement, or what is left of it, up to the next declaration at the top.
        let nested = at(tokens, place) == "function" || ["if", "do", "repeat"].contains(&at(tokens, place));
        let end = if nested { end_of_function(tokens, place) } else { None }.unwrap_or(place + 1);
        out.extend_from_slice(tokens.get(place..end).unwrap_or_default());
        place = end;
    }
    out
}

/// The source's tokens, rewritten.
#[must_use]
pub fn rewritten(tokens: &[Token], random: &mut Random) -> Vec<Token> {
    let mut tokens = reordered(tokens, random);
    renamed(&mut tokens, random);
    parenthesized(tokens, random)
}
