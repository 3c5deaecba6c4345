//! Walking a plan: a decision by checks alone. Terms are computed where a check needs them; what several checks need is
//! computed once a request, and costs each time what it cost the first time, as it does the machine.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the arms name what has a short way, everything else goes by the library"
)]

use super::plan::{Check, DEPTH, ListId, Node, NodeId, Plan, Term, TermId};
use super::text::Texts;
use crate::bytecode::{Builtin, Constant, Program};
use crate::execute::library::{self, Results};
use crate::execute::{Core, Outcome, arithmetic};
use crate::glob;
use crate::meter::Meter;
use crate::trap::TrapCode;
use crate::value::{FieldPlace, Heap, Kind, Value};
use core::cmp::Ordering;

/// A decision; the ranks of its rules stand beside it.
pub(super) struct Answer {
    pub(super) is_allowed: bool,
}

/// How a term is computed.
enum Way {
    Constant(Value),
    /// What the request holds under a name.
    Attribute {
        key: Value,
        place: usize,
    },
    /// What a map holds under a constant text.
    Field {
        map: usize,
        key: Value,
        place: usize,
    },
    /// What a map holds under a key.
    Get {
        map: usize,
        key: usize,
    },
    Of {
        value: usize,
        kind: Kind,
    },
    /// Whether a text equals a constant one.
    IsText {
        value: usize,
        text: Value,
    },
    /// Whether a path is another one or below it.
    IsBelow {
        path: usize,
        other: Box<[u8]>,
        cost: u64,
    },
    Matches {
        path: usize,
        glob: Box<[u8]>,
    },
    /// Whether a list has a constant text.
    HasText {
        list: usize,
        text: Value,
    },
    /// Whether a value is one of some.
    IsOneOf {
        value: usize,
        items: Box<[usize]>,
    },
    Order {
        left: usize,
        right: usize,
        or_equal: bool,
    },
    Library {
        builtin: Builtin,
        arguments: [usize; 2],
        count: usize,
    },
    Not(usize),
    Equal(usize, usize),
    /// What was computed for this request before, by its place.
    Kept {
        way: usize,
        place: usize,
    },
}

/// What a term came to, for which request, and what it cost.
#[derive(Clone, Copy)]
struct Kept {
    request: u64,
    gas: u64,
    value: Value,
}

/// What changes while plans are walked.
struct Desk {
    places: Vec<FieldPlace>,
    kept: Vec<Kept>,
    /// Counts requests.
    request: u64,
    lists: [Vec<u32>; 2],
}

/// A plan that can be walked.
pub(super) struct Walk {
    ways: Vec<Way>,
    nodes: Vec<Node>,
    searches: Vec<(Texts, Vec<NodeId>)>,
    begin: NodeId,
    gas: u64,
    memory: u64,
    desk: Desk,
}

impl Walk {
    /// `None` where a term is not understood, or where the machine might reach a limit without the request's doing.
    pub(super) fn new(plan: &Plan, program: &Program, core: &mut Core) -> Option<Walk> {
        // What is left for the request is the other half.
        if plan.gas > core.limits.gas / 2 || plan.memory > core.limits.memory / 2 {
            return None;
        }
        if core.limits.depth <= u64::from(DEPTH) {
            return None;
        }
        let mut make = Make { plan, program, core, ways: Vec::new(), places: 0, kept: 0 };
        make.all()?;
        let mut searches = Vec::new();
        for pieces in &plan.searches {
            let texts = pieces.others.iter().map(|&(text, _)| match program.constants.get(text as usize) {
                Some(Constant::String(text)) => Some((**text).into()),
                _ => None,
            });
            let texts = texts.collect::<Option<Vec<Box<[u8]>>>>()?;
            let nodes = [pieces.first].into_iter().chain(pieces.others.iter().map(|&(_, node)| node)).collect();
            searches.push((Texts::new(texts), nodes));
        }
        let (places, kept) = (make.places, make.kept);
        let desk = Desk {
            places: vec![FieldPlace::default(); places],
            kept: vec![Kept { request: 0, gas: 0, value: Value::NIL }; kept],
            request: 0,
            lists: [0, 1].map(|_| Vec::with_capacity(program.rules.len())),
        };
        Some(Walk {
            ways: make.ways,
            nodes: plan.nodes.clone(),
            searches,
            begin: plan.begin,
            gas: core.limits.gas / 2,
            memory: core.limits.memory / 2,
            desk,
        })
    }

    /// Decides a request, and puts the ranks of the rules that decided in order; `None` where the machine is to decide.
    pub(super) fn decide(&mut self, core: &mut Core, input: Value, ranks: &mut Vec<u32>) -> Option<Answer> {
        // Only of a map it is certain that its attributes can be read.
        (core.heap.kind(input) == Kind::Map).then_some(())?;
        let Walk { ways, nodes, searches, desk, .. } = self;
        desk.request += 1;
        desk.lists.iter_mut().for_each(Vec::clear);
        let mut meter = Meter::new(crate::bytecode::Limits { gas: self.gas, memory: self.memory, ..core.limits });
        let mut on = On { ways, desk, core, meter: &mut meter, input };
        let mut behind = [NodeId(0); DEPTH as usize];
        let mut depth = 0;
        let mut at = self.begin;
        loop {
            at = match nodes.get(at.0 as usize)? {
                Node::Check { check, yes, no } => {
                    if on.check(*check).ok()? {
                        *yes
                    } else {
                        *no
                    }
                }
                Node::Search { term, texts, otherwise } => {
                    let value = on.value(term.0 as usize).ok()?;
                    let (texts, nodes) = searches.get(*texts as usize)?;
                    match on.core.heap.as_string(&value) {
                        Some(text) => {
                            // At least what all comparisons of the machine cost.
                            on.meter.charge((text.len() as u64 / 16).saturating_mul(u64::from(usize::BITS))).ok()?;
                            *nodes.get(texts.at_most(text))?
                        }
                        None => (*otherwise)?,
                    }
                }
                Node::Call { begin, next } => {
                    *behind.get_mut(depth)? = *next;
                    depth += 1;
                    *begin
                }
                Node::Done => {
                    depth = depth.checked_sub(1)?;
                    *behind.get(depth)?
                }
                Node::Note { list, rule, next } => {
                    on.desk.list(*list).push(*rule);
                    *next
                }
                Node::Answer { is_allowed, list } => {
                    if let Some(list) = list {
                        let list = on.desk.list(*list);
                        ranks.extend_from_slice(list);
                        if ranks.is_empty() {
                            return None;
                        }
                    }
                    if ranks.len() > 1 {
                        ranks.sort_unstable();
                        ranks.dedup();
                    }
                    return Some(Answer { is_allowed: *is_allowed });
                }
            };
        }
    }
}

impl Desk {
    const fn list(&mut self, list: ListId) -> &mut Vec<u32> {
        let [first, second] = &mut self.lists;
        match list {
            ListId::First => first,
            ListId::Second => second,
        }
    }
}

/// A request that is being decided.
struct On<'d> {
    ways: &'d [Way],
    desk: &'d mut Desk,
    core: &'d mut Core,
    meter: &'d mut Meter,
    input: Value,
}

impl On<'_> {
    #[inline]
    fn check(&mut self, check: Check) -> Outcome<bool> {
        match check {
            Check::Truth(term) => self.value(term.0 as usize).map(Value::is_true),
            Check::Equal(left, right) => self.equal(left.0 as usize, right.0 as usize),
            Check::Less(left, right) => Ok(self.order(left, right)?.is_some_and(Ordering::is_lt)),
            Check::AtMost(left, right) => Ok(self.order(left, right)?.is_some_and(Ordering::is_le)),
            Check::Filled(list) => Ok(!self.desk.list(list).is_empty()),
        }
    }

    fn order(&mut self, left: TermId, right: TermId) -> Outcome<Option<Ordering>> {
        let (left, right) = (self.value(left.0 as usize)?, self.value(right.0 as usize)?);
        arithmetic::compare(&self.core.heap, self.meter, left, right)
    }

    fn equal(&mut self, left: usize, right: usize) -> Outcome<bool> {
        let (left, right) = (self.value(left)?, self.value(right)?);
        let is_small = |value: Value| value.is_short_string() || value.is_nil() || value.as_bool().is_some();
        if is_small(left) && is_small(right) {
            return Ok(left.is_same_words(right));
        }
        arithmetic::equals(&self.core.heap, self.meter, left, right)
    }

    /// What a table holds under a constant text, which is likely to be where it was last.
    fn read(&mut self, table: Value, key: Value, place: usize) -> Value {
        let last = self.desk.places.get(place).copied().unwrap_or_default();
        if let Some(value) = self.core.heap.recall(table, last) {
            return if value.is_nil() { Value::NIL } else { value };
        }
        if let (Some(found), Some(last)) = (self.core.heap.field_place(table, key), self.desk.places.get_mut(place)) {
            *last = found;
        }
        self.core.heap.get(table, key).unwrap_or(Value::NIL)
    }

    /// What a way leads to. Those that need no other way are gone where they are wanted.
    #[inline(always)]
    fn value(&mut self, way: usize) -> Outcome<Value> {
        let ways = self.ways;
        match ways.get(way).ok_or(TrapCode::KIND)? {
            Way::Constant(value) => Ok(*value),
            Way::Attribute { key, place } => Ok(self.read(self.input, *key, *place)),
            way => self.computed(way),
        }
    }

    fn computed(&mut self, way: &Way) -> Outcome<Value> {
        match way {
            Way::Constant(value) => Ok(*value),
            Way::Attribute { key, place } => Ok(self.read(self.input, *key, *place)),
            Way::Field { map, key, place } => {
                let map = self.value(*map)?;
                Ok(self.read(map, *key, *place))
            }
            Way::Get { map, key } => {
                let (map, key) = (self.value(*map)?, self.value(*key)?);
                let is_map = key.is_string() || !key.is_nil() && self.core.heap.kind(map) == Kind::Map;
                Ok(if is_map { self.core.heap.get(map, key).unwrap_or(Value::NIL) } else { Value::NIL })
            }
            Way::Of { value, kind } => {
                let value = self.value(*value)?;
                let is_of = match (*kind, self.core.heap.kind(value)) {
                    (Kind::List, Kind::Set) => true,
                    (Kind::Set, _) => false,
                    (wanted, kind) => wanted == kind,
                };
                Ok(if is_of { value } else { Value::NIL })
            }
            Way::IsText { value, text } => {
                let value = self.value(*value)?;
                if !value.is_string() {
                    return Ok(Value::NIL);
                }
                self.is_same(value, *text).map(Value::bool)
            }
            Way::IsBelow { path, other, cost } => {
                let path = self.value(*path)?;
                let Some(path) = self.core.heap.as_string(&path) else { return Ok(Value::NIL) };
                self.meter.charge((path.len() as u64 / 16 + 1).saturating_mul(*cost))?;
                Ok(Value::bool(glob::is_below(path, other)))
            }
            Way::Matches { path, glob } => {
                let path = self.value(*path)?;
                let Some(path) = self.core.heap.as_string(&path) else { return Ok(Value::NIL) };
                self.meter.charge((path.len() as u64 / 16 + 1).saturating_mul(glob.len() as u64 / 16 + 1))?;
                Ok(Value::bool(glob::matches(path, glob)))
            }
            Way::HasText { list, text } => {
                let list = self.value(*list)?;
                self.has_text(list, *text)
            }
            Way::IsOneOf { value, items } => {
                let value = self.value(*value)?;
                self.is_one_of(value, items)
            }
            Way::Order { left, right, or_equal } => {
                let (left, right) = (self.value(*left)?, self.value(*right)?);
                let order = match (left.as_i64(), right.as_i64()) {
                    (Some(left), Some(right)) => Some(left.cmp(&right)),
                    _ => self.order_of(left, right)?,
                };
                Ok(order.map_or(Value::NIL, |order| Value::bool(if *or_equal { order.is_le() } else { order.is_lt() })))
            }
            Way::Library { builtin, arguments, count } => {
                let mut values = [Value::NIL; 2];
                for (value, argument) in values.iter_mut().zip(arguments).take(*count) {
                    *value = self.value(*argument)?;
                }
                self.library(*builtin, values.get(..*count).unwrap_or_default())
            }
            Way::Not(value) => Ok(Value::bool(!self.value(*value)?.is_true())),
            Way::Equal(left, right) => self.equal(*left, *right).map(Value::bool),
            Way::Kept { way, place } => self.kept(*way, *place),
        }
    }

    /// Whether two texts are equal.
    #[inline]
    fn is_same(&mut self, text: Value, other: Value) -> Outcome<bool> {
        if other.is_short_string() {
            return Ok(text.is_same_words(other));
        }
        self.meter.charge_bytes(other.long_string_length().unwrap_or_default())?;
        Ok(self.core.heap.is_same_key(text, other))
    }

    fn has_text(&mut self, list: Value, text: Value) -> Outcome<Value> {
        if !matches!(self.core.heap.kind(list), Kind::List | Kind::Set) {
            return Ok(Value::NIL);
        }
        let items = self.core.heap.items(list).unwrap_or_default();
        let each = 1 + text.long_string_length().unwrap_or_default() as u64 / 16;
        self.meter.charge(each.saturating_mul(items.len() as u64))?;
        let mut truth = Value::FALSE;
        for &item in items {
            if !item.is_string() {
                truth = Value::NIL;
            } else if item.is_same_words(text) || !text.is_short_string() && self.core.heap.is_same_key(item, text) {
                return Ok(Value::TRUE);
            }
        }
        Ok(truth)
    }

    fn is_one_of(&mut self, value: Value, items: &[usize]) -> Outcome<Value> {
        self.meter.charge_values(items.len())?;
        let kind = self.core.heap.kind(value);
        let is_scalar = matches!(kind, Kind::Bool | Kind::Number | Kind::String | Kind::Bytes);
        let mut truth = if value.is_nil() { Value::NIL } else { Value::FALSE };
        for &item in items {
            // All items are computed, as all of them are by the machine before it looks at any.
            let item = self.value(item)?;
            let heap = &self.core.heap;
            if truth.as_bool() == Some(true) {
                continue;
            }
            if !is_scalar || heap.kind(item) != kind {
                truth = Value::NIL;
                continue;
            }
            let is_equal = match kind {
                Kind::Bool => item.as_bool() == value.as_bool(),
                _ => arithmetic::equals(heap, self.meter, item, value)?,
            };
            if is_equal {
                truth = Value::TRUE;
            }
        }
        Ok(truth)
    }

    fn order_of(&mut self, left: Value, right: Value) -> Outcome<Option<Ordering>> {
        let heap: &Heap = &self.core.heap;
        match (heap.kind(left), heap.kind(right)) {
            (Kind::Number, Kind::Number) | (Kind::String, Kind::String) => {
                arithmetic::compare(heap, self.meter, left, right)
            }
            _ => Ok(None),
        }
    }

    #[inline(never)]
    fn library(&mut self, builtin: Builtin, arguments: &[Value]) -> Outcome<Value> {
        let mut results = Results::new();
        let Core { heap, output, .. } = &mut *self.core;
        let mut call = library::Call { heap, meter: self.meter, output, arguments, results: &mut results };
        library::call(builtin, &mut call)?;
        Ok(results.values().first().copied().unwrap_or(Value::NIL))
    }

    fn kept(&mut self, way: usize, place: usize) -> Outcome<Value> {
        let request = self.desk.request;
        if let Some(kept) = self.desk.kept.get(place)
            && kept.request == request
        {
            self.meter.charge(kept.gas)?;
            return Ok(kept.value);
        }
        let before = self.meter.gas;
        let value = self.value(way)?;
        if let Some(kept) = self.desk.kept.get_mut(place) {
            *kept = Kept { request, gas: before.saturating_sub(self.meter.gas), value };
        }
        Ok(value)
    }
}

/// Ways in the making: a way a term, under the term's number.
struct Make<'m> {
    plan: &'m Plan,
    program: &'m Program,
    core: &'m mut Core,
    ways: Vec<Way>,
    places: usize,
    kept: usize,
}

impl Make<'_> {
    /// Ways for all terms. A term comes after those that it is made of.
    fn all(&mut self) -> Option<()> {
        let mut uses = vec![0_usize; self.plan.terms.len()];
        let mut used = |term: TermId| _ = uses.get_mut(term.0 as usize).map(|uses| *uses += 1);
        for node in &self.plan.nodes {
            // Only what looks for an item understands lists.
            if let Node::Check { check: Check::Equal(a, b) | Check::Less(a, b) | Check::AtMost(a, b), .. } = node {
                (self.list(*a).is_none() && self.list(*b).is_none()).then_some(())?;
            }
            match node {
                Node::Check { check: Check::Truth(term), .. } | Node::Search { term, .. } => used(*term),
                Node::Check { check: Check::Equal(a, b) | Check::Less(a, b) | Check::AtMost(a, b), .. } => {
                    used(*a);
                    used(*b);
                }
                Node::Check { check: Check::Filled(_), .. } | Node::Call { .. } => {}
                Node::Note { .. } | Node::Done | Node::Answer { .. } => {}
            }
        }
        let parts = self.plan.terms.iter().flat_map(Term::parts);
        parts.for_each(used);
        let mut inner = Vec::new();
        for (term, uses) in self.plan.terms.iter().zip(uses) {
            let way = self.way(term)?;
            let number = self.ways.len();
            let is_cheap = matches!(way, Way::Constant(_) | Way::Attribute { .. } | Way::Not(_) | Way::Equal(..));
            if uses > 1 && !is_cheap {
                inner.push((number, way));
                self.ways.push(Way::Kept { way: 0, place: self.kept });
                self.kept += 1;
            } else {
                self.ways.push(way);
            }
        }
        for (number, way) in inner {
            let at = self.ways.len();
            self.ways.push(way);
            if let Some(Way::Kept { way, .. }) = self.ways.get_mut(number) {
                *way = at;
            }
        }
        Some(())
    }

    fn place(&mut self) -> usize {
        self.places += 1;
        self.places - 1
    }

    fn constant(&self, term: TermId) -> Option<Value> {
        Some(match self.plan.terms.get(term.0 as usize)? {
            Term::Nil => Value::NIL,
            Term::Bool(truth) => Value::bool(*truth),
            Term::Integer(integer) => Value::integer(*integer),
            Term::Constant(number) => *self.core.constants.get(*number as usize)?,
            Term::Attribute(_) | Term::Builtin(..) | Term::Not(_) | Term::Equal(..) | Term::List(_) => return None,
        })
    }

    fn list(&self, term: TermId) -> Option<&[TermId]> {
        match self.plan.terms.get(term.0 as usize)? {
            Term::List(items) => Some(items),
            _ => None,
        }
    }

    fn text(&self, term: TermId) -> Option<Value> {
        self.constant(term).filter(|value| value.is_string())
    }

    fn bytes(&self, term: TermId) -> Option<&[u8]> {
        let Term::Constant(number) = self.plan.terms.get(term.0 as usize)? else { return None };
        match self.program.constants.get(*number as usize)? {
            Constant::String(text) => Some(text),
            Constant::Number(_) | Constant::Float(_) | Constant::Fixed(_) | Constant::Bytes(_) => None,
        }
    }

    fn way(&mut self, term: &Term) -> Option<Way> {
        Some(match term {
            Term::Nil => Way::Constant(Value::NIL),
            Term::Bool(truth) => Way::Constant(Value::bool(*truth)),
            Term::Integer(integer) => Way::Constant(Value::integer(*integer)),
            Term::Constant(number) => Way::Constant(*self.core.constants.get(*number as usize)?),
            Term::Attribute(number) => {
                Way::Attribute { key: *self.core.constants.get(*number as usize)?, place: self.place() }
            }
            Term::Not(_) | Term::Equal(..) if term.parts().iter().any(|part| self.list(*part).is_some()) => {
                return None;
            }
            Term::Not(term) => Way::Not(term.0 as usize),
            Term::Equal(left, right) => Way::Equal(left.0 as usize, right.0 as usize),
            // It is understood by what looks for an item in it, which is all that ever asks for it.
            Term::List(_) => Way::Constant(Value::NIL),
            Term::Builtin(builtin, parts) => self.builtin(Builtin::of(*builtin)?, parts)?,
        })
    }

    fn builtin(&mut self, builtin: Builtin, parts: &[TermId]) -> Option<Way> {
        if let (Builtin::TotalItem, &[whole, part]) = (builtin, parts)
            && let Some(items) = self.list(whole)
        {
            let items: Box<[usize]> = items.iter().map(|item| item.0 as usize).collect();
            return Some(Way::IsOneOf { value: part.0 as usize, items });
        }
        if parts.iter().any(|&part| self.list(part).is_some()) {
            return None;
        }
        let &[left, right] = parts else { return library_way(builtin, parts) };
        let at = |term: TermId| term.0 as usize;
        Some(match builtin {
            Builtin::TotalField => match self.text(right) {
                Some(key) => Way::Field { map: at(left), key, place: self.place() },
                None => Way::Get { map: at(left), key: at(right) },
            },
            Builtin::TotalOf => {
                let kinds = [Kind::Bool, Kind::Number, Kind::String, Kind::Bytes, Kind::List, Kind::Map];
                let name = self.bytes(right)?;
                let kind = kinds.into_iter().find(|kind| kind.name().as_bytes() == name)?;
                Way::Of { value: at(left), kind }
            }
            Builtin::TotalEqual => match (self.text(left), self.text(right)) {
                (None, Some(text)) => Way::IsText { value: at(left), text },
                (Some(text), None) => Way::IsText { value: at(right), text },
                _ => return library_way(builtin, parts),
            },
            Builtin::TotalMatches => match self.bytes(right) {
                Some(glob) => match glob::below(glob) {
                    Some(other) => {
                        Way::IsBelow { path: at(left), other: other.into(), cost: glob.len() as u64 / 16 + 1 }
                    }
                    None => Way::Matches { path: at(left), glob: glob.into() },
                },
                None => return library_way(builtin, parts),
            },
            Builtin::TotalItem => match self.text(right) {
                Some(text) => Way::HasText { list: at(left), text },
                None => return library_way(builtin, parts),
            },
            Builtin::TotalLess | Builtin::TotalAtMost => {
                Way::Order { left: at(left), right: at(right), or_equal: builtin == Builtin::TotalAtMost }
            }
            _ => return library_way(builtin, parts),
        })
    }
}

fn library_way(builtin: Builtin, parts: &[TermId]) -> Option<Way> {
    let mut arguments = [0; 2];
    if parts.len() > arguments.len() {
        return None;
    }
    arguments.iter_mut().zip(parts).for_each(|(argument, part)| *argument = part.0 as usize);
    Some(Way::Library { builtin, arguments, count: parts.len() })
}
