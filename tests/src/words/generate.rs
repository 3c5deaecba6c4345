//! Makes programs of words by chance. It knows what lies on the stack, as far as it wants to, so that most programs run
//! for long; some are changed in a place where nobody looked.

use super::program::{BETWEEN, Definition, Program, Term, Tree};
use crate::property::Random;
use kerai_compiler::syntax::words::library;
use kerai_compiler::syntax::words::tree::Notation;
use kerai_vm::number::Number;

/// What an item is meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Number,
    /// A small integer, so that nothing runs for long.
    Little,
    Text,
    Bool,
    Numbers,
    Texts,
    Map,
    Any,
}

use Sort::{Any, Bool, Little, Map, Numbers, Text, Texts};

impl Sort {
    pub const ALL: &[Sort] = &[Sort::Number, Little, Text, Bool, Numbers, Texts, Map, Any];

    /// Whether an item that is meant to be this one does for the other.
    fn does_for(self, wanted: Sort) -> bool {
        self == wanted || wanted == Any || (self == Little && wanted == Sort::Number)
    }
}

/// A program, what each of its definitions is meant to take, and whether something in it was changed blindly.
pub struct Generated {
    pub program: Program,
    pub takes: Vec<Vec<Sort>>,
    pub is_changed: bool,
}

/// Words that only compute: name, what they want, what they leave.
const OPERATIONS: &[(&str, &[Sort], Option<Sort>)] = &[
    ("+", &[Sort::Number, Sort::Number], Some(Sort::Number)),
    ("-", &[Sort::Number, Sort::Number], Some(Sort::Number)),
    ("*", &[Sort::Number, Sort::Number], Some(Sort::Number)),
    ("/", &[Sort::Number, Sort::Number], Some(Sort::Number)),
    ("//", &[Sort::Number, Sort::Number], Some(Sort::Number)),
    ("%", &[Sort::Number, Sort::Number], Some(Sort::Number)),
    ("^", &[Sort::Number, Little], Some(Sort::Number)),
    ("neg", &[Sort::Number], Some(Sort::Number)),
    ("abs", &[Sort::Number], Some(Sort::Number)),
    ("floor", &[Sort::Number], Some(Sort::Number)),
    ("ceil", &[Sort::Number], Some(Sort::Number)),
    ("min", &[Sort::Number, Sort::Number], Some(Sort::Number)),
    ("max", &[Sort::Number, Sort::Number], Some(Sort::Number)),
    ("bit.and", &[Little, Little], Some(Sort::Number)),
    ("bit.or", &[Little, Sort::Number], Some(Sort::Number)),
    ("bit.xor", &[Little, Little], Some(Sort::Number)),
    ("bit.not", &[Little], Some(Sort::Number)),
    ("bit.left", &[Little, Little], Some(Sort::Number)),
    ("bit.right", &[Sort::Number, Little], Some(Sort::Number)),
    ("=", &[Sort::Number, Sort::Number], Some(Bool)),
    ("==", &[Text, Text], Some(Bool)),
    ("!=", &[Text, Sort::Number], Some(Bool)),
    ("~=", &[Bool, Bool], Some(Bool)),
    ("<", &[Sort::Number, Sort::Number], Some(Bool)),
    ("<=", &[Text, Text], Some(Bool)),
    (">", &[Text, Text], Some(Bool)),
    (">=", &[Sort::Number, Sort::Number], Some(Bool)),
    ("and", &[Bool, Any], Some(Any)),
    ("or", &[Any, Sort::Number], Some(Any)),
    ("not", &[Any], Some(Bool)),
    ("true", &[], Some(Bool)),
    ("false", &[], Some(Bool)),
    ("nil", &[], Some(Any)),
    ("kind", &[Any], Some(Text)),
    ("text", &[Any], Some(Text)),
    ("number", &[Text], Some(Any)),
    ("float", &[Sort::Number], Some(Sort::Number)),
    ("fixed", &[Little], Some(Any)),
    ("get", &[Numbers, Little], Some(Any)),
    ("get", &[Map, Text], Some(Any)),
    ("set", &[Map, Text, Sort::Number], Some(Map)),
    ("set", &[Numbers, Little, Sort::Number], Some(Any)),
    ("has", &[Map, Text], Some(Bool)),
    ("has", &[Texts, Little], Some(Bool)),
    ("keys", &[Map], Some(Texts)),
    ("keys", &[Texts], Some(Numbers)),
    ("values", &[Map], Some(Numbers)),
    ("count", &[Numbers], Some(Little)),
    ("count", &[Map], Some(Little)),
    ("length", &[Texts], Some(Little)),
    ("length", &[Text], Some(Little)),
    ("append", &[Numbers, Sort::Number], Some(Numbers)),
    ("append", &[Texts, Text], Some(Texts)),
    ("concat", &[Numbers, Numbers], Some(Numbers)),
    ("concat", &[Texts, Map], Some(Any)),
    ("reverse", &[Texts], Some(Texts)),
    ("reverse", &[Text], Some(Text)),
    ("sort", &[Numbers], Some(Numbers)),
    ("sort", &[Texts], Some(Texts)),
    ("range", &[Little, Little], Some(Numbers)),
    ("sum", &[Numbers], Some(Sort::Number)),
    ("sum", &[Map], Some(Sort::Number)),
    ("..", &[Text, Text], Some(Text)),
    ("..", &[Text, Sort::Number], Some(Text)),
    ("upper", &[Text], Some(Text)),
    ("lower", &[Text], Some(Text)),
    ("trim", &[Text], Some(Text)),
    ("slice", &[Text, Little, Little], Some(Text)),
    ("repeat", &[Text, Little], Some(Text)),
    ("split", &[Text, Text], Some(Texts)),
    ("join", &[Texts, Text], Some(Text)),
    ("join", &[Numbers, Text], Some(Text)),
    ("replace", &[Text, Text, Text], Some(Text)),
    ("contains", &[Text, Text], Some(Any)),
    ("contains", &[Numbers, Sort::Number], Some(Any)),
    ("starts", &[Text, Text], Some(Any)),
    ("ends", &[Text, Text], Some(Any)),
    ("json.encode", &[Any], Some(Text)),
    ("json.decode", &[Text], Some(Any)),
    ("emit", &[Text, Text, Any], None),
    ("math.type", &[Any], Some(Any)),
    ("math.floor", &[Sort::Number], Some(Sort::Number)),
    ("math.fmod", &[Sort::Number, Little], Some(Sort::Number)),
    ("math.sqrt", &[Sort::Number], Some(Sort::Number)),
    ("math.tointeger", &[Sort::Number], Some(Any)),
    ("math.ult", &[Little, Little], Some(Bool)),
    ("string.len", &[Text], Some(Little)),
    ("string.reverse", &[Text], Some(Text)),
    ("total.add", &[Any, Sort::Number], Some(Any)),
    ("total.less", &[Any, Any], Some(Any)),
    ("total.field", &[Map, Text], Some(Any)),
    ("total.divide", &[Sort::Number, Sort::Number], Some(Any)),
    ("total.size", &[Any], Some(Any)),
    ("total.item", &[Numbers, Sort::Number], Some(Any)),
    ("set.has", &[Any, Any], Some(Bool)),
    ("error", &[Any], None),
];

const TEXTS: &[&str] =
    &["", "a", "b", "ab", " a b ", "abab", "A,b", ",", "12", "1.5", "x=1", "[1,2]", "\u{fc}", "\n\t"];
const KEYS: &[&str] = &["a", "b", "ab", "x"];

struct Maker<'r> {
    random: &'r mut Random,
    definitions: Vec<Definition>,
    effects: Vec<(Vec<Sort>, Vec<Sort>)>,
    /// What has a name here.
    names: Vec<(String, Sort)>,
    next: u32,
    /// Whether parts may be written in other notations.
    has_sections: bool,
}

/// A program by chance.
pub fn program(random: &mut Random) -> Generated {
    let is_changed = random.below(3) == 0;
    let mut maker = Maker {
        random,
        definitions: Vec::new(),
        effects: Vec::new(),
        names: Vec::new(),
        next: 0,
        has_sections: !is_changed,
    };
    for _ in 0..=maker.random.below(3) {
        maker.definition();
    }
    let mut main = Vec::new();
    if maker.random.below(2) == 0 {
        let mut stack = Vec::new();
        for _ in 0..maker.random.below(3) {
            maker.steps(&mut stack, 0, &mut main, 2, 4);
            if maker.random.below(2) == 0 {
                main.push(Term::Word("depth".to_owned()));
                stack.push(Little);
            } else if maker.random.below(4) == 0 {
                main.push(Term::Word("clear".to_owned()));
                stack.clear();
            }
        }
    }
    let mut program = Program { definitions: maker.definitions, main };
    let takes = maker.effects.into_iter().map(|(takes, _)| takes).collect();
    if is_changed {
        change(random, &mut program);
    }
    Generated { program, takes, is_changed }
}

/// An expression over names, for what is written in every notation.
pub fn tree(random: &mut Random, names: &[&str], depth: u32) -> Tree {
    if depth == 0 || random.below(4) == 0 {
        return Tree::Leaf(match random.below(3) {
            0 => number(random, Sort::Number),
            _ => Term::Word((*random.pick(names)).to_owned()),
        });
    }
    let (word, count) = *random.pick(EVERYWHERE);
    Tree::Apply(word.to_owned(), (0..count).map(|_| tree(random, names, depth - 1)).collect())
}

/// Words that every notation and Lua can write.
const EVERYWHERE: &[(&str, usize)] = &[
    ("+", 2),
    ("-", 2),
    ("*", 2),
    ("/", 2),
    ("//", 2),
    ("%", 2),
    ("^", 2),
    ("=", 2),
    ("!=", 2),
    ("<", 2),
    ("<=", 2),
    (">", 2),
    (">=", 2),
    ("neg", 1),
    ("not", 1),
    ("max", 2),
    ("min", 2),
    ("abs", 1),
    ("floor", 1),
    ("bit.and", 2),
    ("length", 1),
    ("text", 1),
    ("get", 2),
];

fn number(random: &mut Random, sort: Sort) -> Term {
    if sort != Little && random.below(4) == 0 {
        let (coefficient, scale) = (i128::from(random.below(40_000)) - 20_000, random.below(4) as u32);
        let number = Number::new(coefficient, scale).unwrap_or(Number::ZERO);
        let mut written = Vec::new();
        number.write_text(&mut written);
        return Term::Number(number, String::from_utf8_lossy(&written).into_owned());
    }
    let value = match random.below(12) {
        0 if sort != Little => *random.pick(&[i64::MAX, i64::MIN + 1, 1 << 31, -32_769, 1_000_000]),
        _ => random.below(9) as i64 - 2,
    };
    let written = match random.below(6) {
        0 if value >= 0 => format!("{value:#x}"),
        1 if (1..9).contains(&value) => format!("{value}e0"),
        _ => value.to_string(),
    };
    Term::Number(Number::from_i64(value), written)
}

fn text(random: &mut Random) -> Term {
    Term::Text(random.pick(TEXTS).as_bytes().to_vec())
}

impl Maker<'_> {
    fn word(word: &str) -> Term {
        Term::Word(word.to_owned())
    }

    fn sort(&mut self) -> Sort {
        *self.random.pick(Sort::ALL)
    }

    fn name(&mut self) -> String {
        self.next += 1;
        format!("n{}", self.next)
    }

    fn definition(&mut self) {
        let takes: Vec<Sort> = (0..self.random.below(4)).map(|_| self.sort()).collect();
        let named = self.random.below(takes.len() as u64 + 1) as usize * usize::from(self.random.below(2) == 0);
        let mut stack = takes.clone();
        let names: Vec<(String, Sort)> =
            stack.split_off(takes.len() - named).into_iter().map(|sort| (self.name(), sort)).collect();
        self.names.clone_from(&names);
        let mut body = Vec::new();
        let most = 3 + self.random.below(8);
        self.steps(&mut stack, 0, &mut body, 3, most);
        self.names.clear();
        let name = format!("word{}", self.definitions.len());
        self.definitions.push(Definition { name, names: names.into_iter().map(|(name, _)| name).collect(), body });
        self.effects.push((takes, stack));
    }

    /// Steps that take nothing from below the floor.
    fn steps(&mut self, stack: &mut Vec<Sort>, floor: usize, out: &mut Vec<Term>, depth: u32, most: u64) {
        for _ in 0..=self.random.below(most) {
            match self.random.below(if depth == 0 { 14 } else { 22 }) {
                0..2 => {
                    let sort = self.sort();
                    self.value(sort, out);
                    stack.push(sort);
                }
                2..6 => self.shuffle(stack, floor, out),
                6..12 => self.operation(stack, floor, out),
                12 => self.called(stack, floor, out),
                13 => self.section(stack, out),
                _ => self.combinator(stack, floor, out, depth - 1),
            }
        }
    }

    /// Puts a value on the stack.
    fn value(&mut self, sort: Sort, out: &mut Vec<Term>) {
        let named: Vec<String> =
            self.names.iter().filter(|(_, named)| named.does_for(sort)).map(|(name, _)| name.clone()).collect();
        if !named.is_empty() && self.random.below(2) == 0 {
            return out.push(Term::Word(self.random.pick(&named).clone()));
        }
        // What is wanted is not always what is given.
        let sort = if self.random.below(60) == 0 { self.sort() } else { sort };
        let literal = self.literal(sort);
        out.push(literal);
    }

    fn literal(&mut self, sort: Sort) -> Term {
        match sort {
            Sort::Number | Little => number(self.random, sort),
            Text => text(self.random),
            Bool => Self::word(if self.random.below(2) == 0 { "true" } else { "false" }),
            Numbers | Texts => {
                let each = if sort == Numbers { Sort::Number } else { Text };
                let count = self.random.below(5);
                Term::List((0..count).map(|_| self.datum(each)).collect())
            }
            Map => {
                let mut keys = KEYS.to_vec();
                keys.retain(|_| self.random.below(3) > 0);
                match keys.as_slice() {
                    [] => Term::Map(vec![("z".to_owned(), self.datum(Sort::Number))]),
                    keys => Term::Map(keys.iter().map(|key| ((*key).to_owned(), self.datum(Sort::Number))).collect()),
                }
            }
            Any => {
                let sort = *self.random.pick(&[Sort::Number, Text, Bool, Numbers, Map]);
                self.literal(sort)
            }
        }
    }

    /// A value within a list.
    fn datum(&mut self, sort: Sort) -> Term {
        let named: Vec<String> =
            self.names.iter().filter(|(_, named)| *named == sort).map(|(name, _)| name.clone()).collect();
        match self.random.below(8) {
            0 if !named.is_empty() => Term::Word(self.random.pick(&named).clone()),
            // A bare word is a text.
            1 if sort == Text => Self::word("plain"),
            2 if sort == Sort::Number && self.has_sections => {
                let sum = ["+", "max"].map(|word| {
                    let leaves = [number(self.random, Little), number(self.random, Little)];
                    Tree::Apply(word.to_owned(), leaves.map(Tree::Leaf).to_vec())
                });
                Term::Section(*self.random.pick(Notation::ALL), Box::new(self.random.pick(&sum).clone()))
            }
            3 if self.random.below(10) == 0 => Term::List(vec![number(self.random, Little)]),
            _ => self.literal(sort),
        }
    }

    fn shuffle(&mut self, stack: &mut Vec<Sort>, floor: usize, out: &mut Vec<Term>) {
        let wanted: &[(&str, &[usize], usize)] = &[
            ("dup", &[0, 0], 1),
            ("drop", &[], 1),
            ("swap", &[1, 0], 2),
            ("over", &[0, 1, 0], 2),
            ("rot", &[1, 2, 0], 3),
            ("nip", &[1], 2),
            ("tuck", &[1, 0, 1], 2),
        ];
        let (word, order, count) = *self.random.pick(wanted);
        if stack.len() < floor + count || stack.len() > 12 {
            return;
        }
        let taken = stack.split_off(stack.len() - count);
        stack.extend(order.iter().filter_map(|&at| taken.get(at)));
        out.push(Self::word(word));
    }

    /// Sees to it that these lie on the top.
    fn want(&mut self, stack: &mut Vec<Sort>, floor: usize, wanted: &[Sort], out: &mut Vec<Term>) {
        let above = stack.get(floor..).unwrap_or_default();
        let lying = (0..=wanted.len().min(above.len())).rev().find(|&count| {
            let top = above.iter().rev().take(count).rev();
            top.zip(wanted).all(|(found, wanted)| found.does_for(*wanted))
        });
        let lying = lying.filter(|_| self.random.below(5) > 0).unwrap_or(0);
        for &sort in wanted.iter().skip(lying) {
            self.value(sort, out);
            stack.push(sort);
        }
        // Not each is what is wanted, but so many there are.
        if self.random.below(40) == 0 && wanted.len() == 2 && wanted.first() == wanted.last() {
            out.push(Self::word("swap"));
        }
    }

    fn operation(&mut self, stack: &mut Vec<Sort>, floor: usize, out: &mut Vec<Term>) {
        let (word, takes, leaves) = *self.random.pick(OPERATIONS);
        if word == "error" && self.random.below(30) > 0 {
            return;
        }
        self.want(stack, floor, takes, out);
        stack.truncate(stack.len() - takes.len());
        out.push(Self::word(word));
        stack.extend(leaves);
    }

    fn called(&mut self, stack: &mut Vec<Sort>, floor: usize, out: &mut Vec<Term>) {
        let Some(at) = (self.effects.len() as u64).checked_sub(1).map(|last| self.random.below(last + 1) as usize)
        else {
            return;
        };
        let Some((takes, leaves)) = self.effects.get(at).cloned() else { return };
        self.want(stack, floor, &takes, out);
        stack.truncate(stack.len() - takes.len());
        out.push(Term::Word(format!("word{at}")));
        stack.extend(leaves);
    }

    /// An expression in some notation.
    fn section(&mut self, stack: &mut Vec<Sort>, out: &mut Vec<Term>) {
        if !self.has_sections {
            return;
        }
        let tree = self.of_sort(Sort::Number, 3);
        out.push(Term::Section(*self.random.pick(Notation::ALL), Box::new(tree)));
        stack.push(Sort::Number);
    }

    fn of_sort(&mut self, sort: Sort, depth: u32) -> Tree {
        if depth > 0 && self.random.below(4) > 0 {
            let fits = |(word, takes, leaves): &&(&str, &[Sort], Option<Sort>)| {
                *leaves == Some(sort)
                    && !takes.is_empty()
                    && (BETWEEN.contains(word) || !word.contains(['<', '=', '>']))
            };
            let all: Vec<_> = OPERATIONS.iter().filter(fits).collect();
            if !all.is_empty() {
                let (word, takes, _) = *self.random.pick(&all);
                return Tree::Apply(
                    (*word).to_owned(),
                    takes.iter().map(|&sort| self.of_sort(sort, depth - 1)).collect(),
                );
            }
        }
        let mut terms = Vec::new();
        self.value(sort, &mut terms);
        terms.into_iter().next().map_or(Tree::Leaf(number(self.random, Little)), Tree::Leaf)
    }

    /// Makes the stack above the floor what is wanted.
    fn conform(&mut self, stack: &mut Vec<Sort>, floor: usize, wanted: &[Sort], out: &mut Vec<Term>) {
        while stack.len() > floor {
            let above = stack.get(floor..).unwrap_or_default();
            if above.len() == wanted.len() && above.iter().zip(wanted).all(|(found, wanted)| found.does_for(*wanted)) {
                return;
            }
            let is_below = above.len() >= 2 && wanted.len() == 1;
            let is_top = wanted.first().zip(above.last()).is_some_and(|(wanted, found)| found.does_for(*wanted));
            if is_below && is_top {
                out.push(Self::word("nip"));
                stack.remove(stack.len() - 2);
            } else {
                out.push(Self::word("drop"));
                stack.pop();
            }
        }
        for &sort in wanted {
            self.value(sort, out);
            stack.push(sort);
        }
    }

    /// A quotation that finds these, may use what lies below, and leaves that as it is.
    fn quotation(&mut self, below: &[Sort], given: &[Sort], left: &[Sort], depth: u32) -> Term {
        let before = self.names.len();
        let mut stack = below.to_vec();
        let mut names = Vec::new();
        if !given.is_empty() && self.random.below(3) == 0 {
            for &sort in given {
                let name = self.name();
                names.push(name.clone());
                self.names.push((name, sort));
            }
        } else {
            stack.extend(given);
        }
        let mut terms = Vec::new();
        let has_below = !below.is_empty() && self.random.below(3) == 0;
        let floor = if has_below { 0 } else { below.len() };
        self.steps(&mut stack, floor, &mut terms, depth, 4);
        let wanted: Vec<Sort> = below.iter().chain(left).copied().skip(floor).collect();
        self.conform(&mut stack, floor, &wanted, &mut terms);
        self.names.truncate(before);
        Term::Code(names, terms)
    }

    fn combinator(&mut self, stack: &mut Vec<Sort>, floor: usize, out: &mut Vec<Term>, depth: u32) {
        let word = *self.random.pick(&[
            "call", "dip", "if", "if", "when", "unless", "while", "times", "each", "map", "map", "filter", "fold",
            "fold",
        ]);
        let table = *self.random.pick(&[Numbers, Texts, Map]);
        let each = if table == Texts { Text } else { Sort::Number };
        match word {
            "if" | "when" | "unless" => self.want(stack, floor, &[Bool], out),
            "times" => self.want(stack, floor, &[Little], out),
            "each" | "map" | "filter" => self.want(stack, floor, &[table], out),
            "fold" => {
                let first = *self.random.pick(&[Sort::Number, Text, Numbers]);
                self.want(stack, floor, &[table, first], out);
            }
            "dip" if stack.len() <= floor => self.want(stack, floor, &[Any], out),
            "while" => return self.counted(stack, floor, out, depth),
            _ => {}
        }
        let above = stack.get(floor..).unwrap_or_default().to_vec();
        let (top, below) = match (word, above.split_last()) {
            ("call", _) | (_, None) => (None, above.as_slice()),
            (_, Some((top, below))) => (Some(*top), below),
        };
        let base = floor + below.len();
        match word {
            "fold" => {
                let (_, below) = below.split_last().unwrap_or((&Any, &[]));
                let first = top.unwrap_or(Any);
                let code = self.quotation(below, &[first, each], &[first], depth);
                out.push(code);
                stack.truncate(floor + below.len());
                stack.push(first);
            }
            "map" => {
                let left = *self.random.pick(&[Sort::Number, Text]);
                let code = self.quotation(below, &[each], &[left], depth);
                out.push(code);
                stack.truncate(base);
                stack.push(if left == Text { Texts } else { Numbers });
            }
            "filter" | "each" => {
                let left: &[Sort] = if word == "filter" { &[Bool] } else { &[] };
                let code = self.quotation(below, &[each], left, depth);
                out.push(code);
                stack.truncate(base);
                let kept = if table == Map { Numbers } else { table };
                stack.extend((word == "filter").then_some(kept));
            }
            "times" | "when" | "unless" => {
                let code = self.quotation(below, &[], &[], depth);
                out.push(code);
                stack.truncate(base);
            }
            "if" => {
                let left = [self.sort()];
                let left = left.get(..self.random.below(2) as usize).unwrap_or_default();
                let ways = [(); 2].map(|()| self.quotation(below, &[], left, depth));
                out.extend(ways);
                stack.truncate(base);
                stack.extend(left);
            }
            _ => {
                let left = [self.sort()];
                let left = left.get(..self.random.below(2) as usize).unwrap_or_default();
                let code = self.quotation(below, &[], left, depth);
                out.push(code);
                stack.truncate(base);
                stack.extend(left);
                stack.extend(top);
            }
        }
        out.push(Self::word(word));
    }

    /// A loop that comes to its end: it counts down.
    fn counted(&mut self, stack: &[Sort], floor: usize, out: &mut Vec<Term>, depth: u32) {
        let below = stack.get(floor..).unwrap_or_default().to_vec();
        out.push(number(self.random, Little));
        let code = self.quotation(&below, &[], &[], depth);
        let zero = Term::Number(Number::ZERO, "0".to_owned());
        let one = Term::Number(Number::from_i64(1), "1".to_owned());
        out.push(Term::Code(Vec::new(), vec![Self::word("dup"), zero, Self::word(">")]));
        let mut body = vec![one, Self::word("-")];
        if self.random.below(4) > 0 {
            body.extend([code, Self::word("dip")]);
        }
        out.push(Term::Code(Vec::new(), body));
        out.extend([Self::word("while"), Self::word("drop")]);
    }
}

/// Changes something blindly.
fn change(random: &mut Random, program: &mut Program) {
    let count = program.definitions.len() + usize::from(!program.main.is_empty());
    let at = random.below(count as u64) as usize;
    let body = match program.definitions.get_mut(at) {
        Some(definition) => &mut definition.body,
        None => &mut program.main,
    };
    for _ in 0..=random.below(2) {
        changed(random, body);
    }
}

fn changed(random: &mut Random, terms: &mut Vec<Term>) {
    let at = random.below(terms.len() as u64 + 1) as usize;
    if let (Some(Term::Code(_, inner)), true) = (terms.get_mut(at), random.below(3) > 0) {
        return changed(random, inner);
    }
    match random.below(3) {
        0 if at < terms.len() => drop(terms.remove(at)),
        1 if at + 1 < terms.len() => terms.swap(at, at + 1),
        _ => {
            let word = random.pick(library::ALL).name;
            terms.insert(at, if random.below(3) == 0 { number(random, Little) } else { Term::Word(word.to_owned()) });
        }
    }
}
