//! Modules as their functions: each a list of structured instructions, or the reason why kerai has nothing like it.

use super::body;
use super::syntax::Node;
use std::collections::BTreeMap;

/// The types that have a counterpart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Integer(u32),
    Float,
}

impl Type {
    pub fn of(word: &str) -> Result<Type, String> {
        match word {
            "i32" => Ok(Type::Integer(32)),
            "i64" => Ok(Type::Integer(64)),
            "f64" => Ok(Type::Float),
            "f32" => Err(NARROW.to_owned()),
            _ => Err(format!("the type `{word}`")),
        }
    }
}

/// Why nothing with 32-bit floats is run.
pub const NARROW: &str = "f32: kerai's floats are binary64";

/// A constant that stands in code, a float with the text that says it to kerai.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Constant {
    Integer(i128),
    Float(u64, String),
}

/// Where memory is read or written: how many bytes from the address, and as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    pub offset: i32,
    pub bytes: u32,
    pub kind: Type,
    pub is_signed: bool,
}

#[derive(Clone)]
pub enum Instruction {
    Constant(Constant),
    Numeric(super::operation::Numeric),
    Get(usize),
    Set(usize),
    Tee(usize),
    Drop,
    Select,
    Nop,
    Return,
    Unreachable,
    Block { results: usize, body: Vec<Instruction> },
    Loop { results: usize, body: Vec<Instruction> },
    If { results: usize, then: Vec<Instruction>, otherwise: Vec<Instruction> },
    Branch(usize),
    BranchIf(usize),
    Call(usize),
    Load(Access),
    Store(Access),
}

impl Instruction {
    /// The bodies that lie in it.
    pub fn bodies(&self) -> [&[Instruction]; 2] {
        if let Instruction::Block { body, .. } | Instruction::Loop { body, .. } = self {
            return [body, &[]];
        }
        if let Instruction::If { then, otherwise, .. } = self { [then, otherwise] } else { [&[], &[]] }
    }
}

pub struct Function {
    pub parameters: Vec<Type>,
    pub results: Vec<Type>,
    /// Beyond the parameters.
    pub locals: Vec<Type>,
    pub body: Vec<Instruction>,
}

/// A module's functions by number, and which of them its exports name.
pub struct Module {
    pub name: Option<String>,
    pub functions: Vec<Result<Function, String>>,
    pub exports: BTreeMap<String, usize>,
    pub has_memory: bool,
    /// Bytes that memory holds from the beginning.
    pub data: Vec<(usize, Vec<u8>)>,
}

/// What functions name each other and their types by.
#[derive(Default)]
pub struct Names<'n> {
    functions: BTreeMap<&'n str, usize>,
    types: Vec<(Option<&'n str>, &'n [Node])>,
    pub results: Vec<usize>,
}

impl<'n> Names<'n> {
    pub fn function(&self, word: &str) -> Option<usize> {
        self.functions.get(word).copied().or_else(|| word.parse().ok())
    }

    fn signature(&self, word: &str) -> Option<&'n [Node]> {
        let by_name = self.types.iter().find(|(name, _)| *name == Some(word));
        by_name.or_else(|| self.types.get(word.parse::<usize>().ok()?)).map(|(_, nodes)| *nodes)
    }
}

/// A name that stands before the rest.
fn split_name(nodes: &[Node]) -> (Option<&str>, &[Node]) {
    match nodes {
        [Node::Word(name), rest @ ..] if name.starts_with('$') => (Some(name), rest),
        all => (None, all),
    }
}

impl Module {
    /// The module whose fields these are, or why it can't be had.
    pub fn read(fields: &[Node]) -> Result<Module, String> {
        let (name, fields) = split_name(fields);
        if let Some(Node::Word(word)) = fields.first() {
            return Err(format!("modules as `{word}`"));
        }
        let mut module = Module {
            name: name.map(str::to_owned),
            functions: Vec::new(),
            exports: BTreeMap::new(),
            has_memory: false,
            data: Vec::new(),
        };
        let names = names(fields)?;
        for (kind, nodes) in fields.iter().filter_map(Node::form) {
            match kind {
                "func" => module.function(&names, nodes),
                "export" => {
                    if let [name, target] = nodes
                        && let Some(("func", [Node::Word(function)])) = target.form()
                        && let (Some(name), Some(index)) = (name.text(), names.function(function))
                    {
                        module.exports.insert(name, index);
                    }
                }
                "memory" => module.memory(nodes),
                "data" => module.data(nodes),
                // What else there is, its users will miss.
                _ => {}
            }
        }
        Ok(module)
    }

    fn function(&mut self, names: &Names<'_>, nodes: &[Node]) {
        let index = self.functions.len();
        let (_, nodes) = split_name(nodes);
        for (_, name) in nodes.iter().filter_map(Node::form).filter(|(kind, _)| *kind == "export") {
            self.exports.extend(name.first().and_then(Node::text).map(|name| (name, index)));
        }
        self.functions.push(function(names, nodes));
    }

    fn memory(&mut self, nodes: &[Node]) {
        self.has_memory = true;
        for (_, texts) in nodes.iter().filter_map(Node::form).filter(|(kind, _)| *kind == "data") {
            self.data.push((0, bytes(texts)));
        }
    }

    /// A segment at a constant place.
    fn data(&mut self, nodes: &[Node]) {
        let (_, nodes) = split_name(nodes);
        let place = nodes.iter().filter_map(Node::form).find_map(|(kind, nodes)| match (kind, nodes) {
            ("i32.const", [place]) => place.word().and_then(super::literal::integer),
            ("offset", [place]) => match place.form() {
                Some(("i32.const", [place])) => place.word().and_then(super::literal::integer),
                _ => None,
            },
            _ => None,
        });
        self.data.extend(place.and_then(|place| usize::try_from(place).ok()).map(|place| (place, bytes(nodes))));
    }
}

/// All texts, one after the other.
fn bytes(nodes: &[Node]) -> Vec<u8> {
    let text = |node: &Node| match node {
        Node::Text(bytes) => bytes.clone(),
        Node::Word(_) | Node::List(..) => Vec::new(),
    };
    nodes.iter().flat_map(text).collect()
}

fn names(fields: &[Node]) -> Result<Names<'_>, String> {
    let mut names = Names::default();
    for (kind, nodes) in fields.iter().filter_map(Node::form) {
        let (name, rest) = split_name(nodes);
        match kind {
            "type" => {
                let signature = rest.first().and_then(Node::form).filter(|(kind, _)| *kind == "func");
                names.types.push((name, signature.map_or(&[], |(_, nodes)| nodes)));
            }
            "import" => return Err("modules that import".to_owned()),
            "start" => return Err("modules that run something when they start".to_owned()),
            _ => {}
        }
    }
    let functions = fields.iter().filter_map(Node::form).filter(|(kind, _)| *kind == "func");
    for (index, (_, nodes)) in functions.enumerate() {
        let (name, rest) = split_name(nodes);
        names.functions.extend(name.map(|name| (name, index)));
        let results = header(&names, rest).map_or(0, |header| header.results.len());
        names.results.push(results);
    }
    Ok(names)
}

/// A parameter's or local's name and type.
type Local<'n> = (Option<&'n str>, &'n str);

/// What stands before a function's body.
#[derive(Default)]
struct Header<'n> {
    parameters: Vec<Local<'n>>,
    results: Vec<&'n str>,
    locals: Vec<Local<'n>>,
    /// How many nodes it takes.
    length: usize,
}

fn header<'n>(names: &Names<'n>, nodes: &'n [Node]) -> Option<Header<'n>> {
    let mut header = Header::default();
    let mut signature: &[Node] = &[];
    for (kind, of) in nodes.iter().map_while(Node::form) {
        match kind {
            "export" => {}
            "type" => signature = names.signature(of.first()?.word()?)?,
            _ if !header.put(kind, of) => break,
            _ => {}
        }
        header.length += 1;
    }
    if header.parameters.is_empty() && header.results.is_empty() {
        for (kind, of) in signature.iter().filter_map(Node::form) {
            header.put(kind, of);
        }
    }
    Some(header)
}

impl<'n> Header<'n> {
    /// Takes a declaration; false where it is none.
    fn put(&mut self, kind: &str, of: &'n [Node]) -> bool {
        let (name, types) = split_name(of);
        let types = types.iter().filter_map(Node::word);
        match kind {
            "param" => self.parameters.extend(types.map(|word| (name, word))),
            "local" => self.locals.extend(types.map(|word| (name, word))),
            "result" => self.results.extend(types),
            _ => return false,
        }
        true
    }
}

fn function(names: &Names<'_>, nodes: &[Node]) -> Result<Function, String> {
    let header = header(names, nodes).ok_or("a type that is not there")?;
    let all = || header.parameters.iter().chain(&header.locals);
    let types = |words: &[Local<'_>]| words.iter().map(|(_, word)| Type::of(word)).collect::<Result<Vec<_>, _>>();
    let (parameters, locals) = (types(&header.parameters)?, types(&header.locals)?);
    let results = header.results.iter().map(|word| Type::of(word)).collect::<Result<_, _>>()?;
    let nodes = nodes.get(header.length..).unwrap_or_default();
    let body = body::read(names, all().map(|(name, _)| *name).collect(), nodes)?;
    Ok(Function { parameters, results, locals, body })
}
