//! Function bodies, folded or flat, to structured instructions.

use super::literal;
use super::module::{Access, Constant, Instruction, NARROW, Names, Type};
use super::operation;
use super::syntax::Node;

/// Blocks in blocks, no deeper than this.
const NESTING: usize = 200;

struct Reader<'n> {
    names: &'n Names<'n>,
    locals: Vec<Option<&'n str>>,
    /// The names of the blocks around, the innermost last.
    labels: Vec<Option<String>>,
}

/// What is left of a body.
type Rest<'n> = std::slice::Iter<'n, Node>;

/// The instructions of a body whose parameters and locals have these names.
pub fn read<'n>(
    names: &'n Names<'n>,
    locals: Vec<Option<&'n str>>,
    nodes: &'n [Node],
) -> Result<Vec<Instruction>, String> {
    let mut reader = Reader { names, locals, labels: Vec::new() };
    let mut rest = nodes.iter();
    let (body, end) = reader.until_end(&mut rest)?;
    if end.is_some() { Err("an `end` that ends nothing".to_owned()) } else { Ok(body) }
}

impl<'n> Reader<'n> {
    /// Instructions up to the `end` or `else` of the block around, or to the end of the list.
    fn until_end(&mut self, rest: &mut Rest<'n>) -> Result<(Vec<Instruction>, Option<&'n str>), String> {
        let mut out = Vec::new();
        while let Some(node) = rest.next() {
            match node.word() {
                Some(word @ ("end" | "else")) => {
                    skip_name(rest);
                    return Ok((out, Some(word)));
                }
                Some(word) => self.flat(word, rest, &mut out)?,
                None => self.folded(node, &mut out)?,
            }
        }
        Ok((out, None))
    }

    /// An instruction whose operands came before it.
    fn flat(&mut self, word: &'n str, rest: &mut Rest<'n>, out: &mut Vec<Instruction>) -> Result<(), String> {
        match word {
            "block" | "loop" | "if" => {
                let results = self.open(rest)?;
                let (body, end) = self.until_end(rest)?;
                let otherwise = match end {
                    Some("else") => self.until_end(rest)?.0,
                    _ => Vec::new(),
                };
                self.labels.pop();
                out.push(match word {
                    "block" => Instruction::Block { results, body },
                    "loop" => Instruction::Loop { results, body },
                    _ => Instruction::If { results, then: body, otherwise },
                });
            }
            _ => out.push(self.plain(word, rest)?),
        }
        Ok(())
    }

    /// An instruction with its operands in its list.
    fn folded(&mut self, node: &'n Node, out: &mut Vec<Instruction>) -> Result<(), String> {
        let (word, nodes) = node.form().ok_or("a list without an instruction")?;
        let mut rest = nodes.iter();
        match word {
            "block" | "loop" => {
                let results = self.open(&mut rest)?;
                let (body, _) = self.until_end(&mut rest)?;
                self.labels.pop();
                out.push(if word == "block" {
                    Instruction::Block { results, body }
                } else {
                    Instruction::Loop { results, body }
                });
            }
            "if" => self.folded_if(rest, out)?,
            _ => {
                let instruction = self.plain(word, &mut rest)?;
                for operand in rest {
                    self.folded(operand, out)?;
                }
                out.push(instruction);
            }
        }
        Ok(())
    }

    /// The condition is outside the label that the arms see.
    fn folded_if(&mut self, mut rest: Rest<'n>, out: &mut Vec<Instruction>) -> Result<(), String> {
        let results = self.open(&mut rest)?;
        let label = self.labels.pop().flatten();
        let (mut then, mut otherwise) = (Vec::new(), Vec::new());
        for node in rest {
            let arm = match node.form() {
                Some(("then", nodes)) => (&mut then, nodes),
                Some(("else", nodes)) => (&mut otherwise, nodes),
                _ => {
                    self.folded(node, out)?;
                    continue;
                }
            };
            self.labels.push(label.clone());
            *arm.0 = self.until_end(&mut arm.1.iter())?.0;
            self.labels.pop();
        }
        out.push(Instruction::If { results, then, otherwise });
        Ok(())
    }

    /// A block's name and type: how many results it has.
    fn open(&mut self, rest: &mut Rest<'n>) -> Result<usize, String> {
        if self.labels.len() >= NESTING {
            return Err("blocks nested too deeply".to_owned());
        }
        let label = skip_name(rest);
        self.labels.push(label.map(str::to_owned));
        let mut results = 0;
        while let Some((kind, types)) = rest.as_slice().first().and_then(Node::form) {
            match kind {
                "result" => results += types.len(),
                "param" | "type" => return Err("blocks with parameters".to_owned()),
                _ => break,
            }
            if types.iter().any(|node| node.word() == Some("f32")) {
                return Err(NARROW.to_owned());
            }
            rest.next();
        }
        Ok(results)
    }

    /// An instruction that is no block, with what stands behind it at once.
    fn plain(&self, word: &str, rest: &mut Rest<'n>) -> Result<Instruction, String> {
        let mut next = || rest.next().and_then(Node::word).ok_or_else(|| format!("`{word}` without what it needs"));
        Ok(match word {
            "local.get" => Instruction::Get(self.local(next()?)?),
            "local.set" => Instruction::Set(self.local(next()?)?),
            "local.tee" => Instruction::Tee(self.local(next()?)?),
            "br" => Instruction::Branch(self.depth(next()?)?),
            "br_if" => Instruction::BranchIf(self.depth(next()?)?),
            "call" => Instruction::Call(self.names.function(next()?).ok_or("a function that is not there")?),
            "drop" => Instruction::Drop,
            "nop" => Instruction::Nop,
            "return" => Instruction::Return,
            "unreachable" => Instruction::Unreachable,
            "select" => {
                while rest.as_slice().first().and_then(Node::form).is_some_and(|(kind, _)| kind == "result") {
                    rest.next();
                }
                Instruction::Select
            }
            _ if word.ends_with(".const") => Instruction::Constant(constant(word, next()?)?),
            _ if word.contains(".load") || word.contains(".store") => access(word, rest)?,
            _ => Instruction::Numeric(operation::find(word).ok_or_else(|| absent(word))?),
        })
    }

    fn local(&self, word: &str) -> Result<usize, String> {
        let named = self.locals.iter().position(|name| *name == Some(word));
        named.or_else(|| word.parse().ok()).filter(|&local| local < self.locals.len()).ok_or_else(|| absent(word))
    }

    /// How many blocks out a label is.
    fn depth(&self, word: &str) -> Result<usize, String> {
        let named = self.labels.iter().rev().position(|name| name.as_deref() == Some(word));
        let depth = named.or_else(|| word.parse().ok());
        depth.filter(|&depth| depth <= self.labels.len()).ok_or_else(|| absent(word))
    }
}

fn absent(word: &str) -> String {
    if word.contains("f32") { NARROW.to_owned() } else { format!("`{word}`") }
}

/// Passes over a name, if one stands there.
fn skip_name<'n>(rest: &mut Rest<'n>) -> Option<&'n str> {
    let name = rest.as_slice().first().and_then(Node::word).filter(|word| word.starts_with('$'))?;
    rest.next();
    Some(name)
}

/// A constant by the word of its type.
pub fn constant(word: &str, literal: &str) -> Result<Constant, String> {
    let kind = Type::of(word.strip_suffix(".const").unwrap_or(word))?;
    let constant = match kind {
        Type::Integer(width) => literal::integer_of_width(literal, width).map(Constant::Integer),
        Type::Float => literal::float(literal).map(|(bits, text)| Constant::Float(bits, text)),
    };
    constant.ok_or_else(|| format!("the literal `{literal}`"))
}

/// Reading or writing memory: `i64.load16_s`, `f64.store` and the like, with an offset.
fn access(word: &str, rest: &mut Rest<'_>) -> Result<Instruction, String> {
    let (kind, action) = word.split_once('.').ok_or_else(|| absent(word))?;
    let kind = Type::of(kind)?;
    let mut offset = 0;
    while let Some((name, value)) = rest.as_slice().first().and_then(Node::word).and_then(|word| word.split_once('=')) {
        if name == "offset" {
            let value = literal::integer(value).and_then(|value| i32::try_from(value).ok());
            offset = value.ok_or_else(|| absent(word))?;
        }
        rest.next();
    }
    let (is_store, part) = match (action.strip_prefix("load"), action.strip_prefix("store")) {
        (Some(part), _) => (false, part),
        (_, Some(part)) => (true, part),
        (None, None) => return Err(absent(word)),
    };
    let (bits, is_signed) = match part.split_once('_') {
        Some((bits, sign)) => (bits, sign == "s"),
        None => (part, true),
    };
    let bits = match (bits, kind) {
        ("", Type::Integer(width)) => width,
        ("", Type::Float) => 64,
        (bits, _) => bits.parse().map_err(|_| absent(word))?,
    };
    let access = Access { offset, bytes: bits / 8, kind, is_signed };
    Ok(if is_store { Instruction::Store(access) } else { Instruction::Load(access) })
}
