//! A second meaning of the IR: a walk over its tree, as simple as can be, that shares nothing with the machine but
//! the arithmetic of single numbers. Where the two differ, one of them, or the compiler between, is wrong.
//!
//! Variables are cells, and a lambda sees the cells of the variables around it. Depth is limited as in the machine;
//! gas and memory are not known here, so a run that takes long is given up and says nothing.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the arms name the kinds that something is done with, any other is refused alike"
)]

mod builtin;
mod encode;
mod operator;
mod value;

pub use builtin::FROM_THE_MACHINE;
pub use encode::{Form, encode};
pub use operator::{binary, negate};
pub use value::{Key, Table, Value};

use kerai_compiler::ir::{
    Action, Block, Call, Callee, Count, Each, Entry, Expression, Function, Ir, Lambda, Node, Place, Rest, Unary,
    Values, VariableId,
};
use kerai_vm::bytecode::{Builtin, Constant};
use kerai_vm::number::{Fixed, Float};
use kerai_vm::trap::TrapCode;
use std::collections::BTreeSet;

/// Why an evaluation does not go on.
#[derive(Debug, Clone)]
pub enum Stop {
    Trap(TrapCode),
    Raised(Value),
    /// It took too long, or depends on what only the machine knows.
    Unknown,
}

impl From<TrapCode> for Stop {
    fn from(code: TrapCode) -> Stop {
        Stop::Trap(code)
    }
}

type Outcome<T> = Result<T, Stop>;

/// How a statement ends.
enum Flow {
    Next,
    Break,
    Return(Vec<Value>),
}

/// Where the variables in sight are kept, by their numbers.
type Cells = Vec<Option<usize>>;

struct Closure<'i> {
    lambda: &'i Lambda,
    cells: Cells,
}

/// A row: the canonical CBOR of path and key as a list, and of the value.
pub type Row = (Vec<u8>, Vec<u8>);

/// The evaluation of one program.
pub struct Evaluator<'i> {
    ir: &'i Ir,
    pub tables: Vec<Table>,
    cells: Vec<Value>,
    closures: Vec<Closure<'i>>,
    pub rows: Vec<Row>,
    row_keys: BTreeSet<Vec<u8>>,
    depth: u64,
    fuel: u64,
}

/// Items of a new table that wait before they are put in, so that a key among the entries may come before them.
const WAITING: usize = 50;

/// Values in what is emitted.
const ROW: Form = Form { is_normal: true, values: 1 << 24 };

impl<'i> Evaluator<'i> {
    /// The program is one that passes its check.
    #[must_use]
    pub fn new(ir: &'i Ir, tables: Vec<Table>, fuel: u64) -> Evaluator<'i> {
        Evaluator {
            ir,
            tables,
            cells: Vec::new(),
            closures: Vec::new(),
            rows: Vec::new(),
            row_keys: BTreeSet::new(),
            depth: 0,
            fuel,
        }
    }

    /// Calls an exported function; `None` where there is none of the name.
    pub fn call_export(&mut self, name: &str, arguments: Vec<Value>) -> Option<Outcome<Vec<Value>>> {
        let function = self.ir.functions.get(self.ir.exports.get(name)?.0 as usize)?;
        let result = self.enter(&function.lambda, self.no_cells(), arguments);
        if result.is_err() {
            self.rows.clear();
        }
        Some(result)
    }

    /// Calls a built-in.
    pub(crate) fn builtin(&mut self, builtin: Builtin, arguments: &[Value]) -> Outcome<Vec<Value>> {
        builtin::call(self, builtin, arguments)
    }

    fn no_cells(&self) -> Cells {
        vec![None; self.ir.variables.len()]
    }

    pub(crate) fn burn(&mut self, fuel: u64) -> Outcome<()> {
        self.fuel = self.fuel.checked_sub(fuel).ok_or(Stop::Unknown)?;
        Ok(())
    }

    pub(crate) fn new_table(&mut self, table: Table) -> Value {
        self.tables.push(table);
        Value::Table(self.tables.len() - 1)
    }

    /// A list, map or set.
    pub(crate) fn table(&self, value: &Value) -> Result<&Table, TrapCode> {
        match value {
            Value::Table(place) => self.tables.get(*place).ok_or(TrapCode::KIND),
            _ => Err(TrapCode::KIND),
        }
    }

    /// A list or map.
    pub(crate) fn map_mut(&mut self, value: &Value) -> Result<&mut Table, TrapCode> {
        let place = if let Value::Table(place) = value { Some(*place) } else { None };
        place.and_then(|place| self.tables.get_mut(place)).filter(|table| !table.is_set).ok_or(TrapCode::KIND)
    }

    pub(crate) fn put(&mut self, table: &Value, key: &Value, value: Value) -> Result<(), TrapCode> {
        let table = self.map_mut(table)?;
        table.put(Key::of(key).ok_or(TrapCode::KEY)?, value);
        Ok(())
    }

    pub(crate) fn length(&self, table: &Value) -> Result<i64, TrapCode> {
        let table = self.table(table)?;
        if table.is_set { Err(TrapCode::KIND) } else { Ok(table.length()) }
    }

    /// The items of a list or set; an empty table has none, whatever it is.
    fn items(&self, value: &Value) -> Result<Vec<Value>, TrapCode> {
        let table = self.table(value)?;
        if table.is_set {
            return Ok(table.entries.keys().map(Key::to_value).collect());
        }
        if table.is_list() || table.entries.is_empty() {
            return Ok(table.entries.values().cloned().collect());
        }
        Err(TrapCode::KIND)
    }

    // Functions.

    fn enter(&mut self, lambda: &'i Lambda, mut cells: Cells, arguments: Vec<Value>) -> Outcome<Vec<Value>> {
        if self.depth >= self.ir.limits.depth {
            return Err(TrapCode::DEPTH.into());
        }
        self.burn(8)?;
        let mut arguments = arguments.into_iter();
        for &parameter in &lambda.parameters {
            self.declare(&mut cells, parameter, arguments.next().unwrap_or(Value::Nil));
        }
        if let Some(rest) = lambda.rest {
            let list = self.new_table(Table::list(arguments.collect()));
            self.declare(&mut cells, rest, list);
        }
        self.depth += 1;
        let flow = self.block(&mut cells, &lambda.body);
        self.depth -= 1;
        match flow? {
            Flow::Return(values) => Ok(values),
            Flow::Next | Flow::Break => Ok(Vec::new()),
        }
    }

    fn function(&self, value: &Value) -> Outcome<(&'i Lambda, Cells)> {
        match value {
            Value::Function(id) => {
                let Function { lambda, .. } = self.ir.functions.get(id.0 as usize).ok_or(TrapCode::KIND)?;
                Ok((lambda, self.no_cells()))
            }
            Value::Closure(place) => {
                let closure = self.closures.get(*place).ok_or(TrapCode::KIND)?;
                Ok((closure.lambda, closure.cells.clone()))
            }
            _ => Err(TrapCode::KIND.into()),
        }
    }

    fn call(&mut self, cells: &mut Cells, call: &'i Call) -> Outcome<Vec<Value>> {
        let callee = match &call.callee {
            Callee::Value(callee) | Callee::Protected(callee) => self.expression(cells, callee)?,
            Callee::Function(id) => Value::Function(*id),
            Callee::Builtin(_) => Value::Nil,
        };
        let (mut arguments, spread) = self.open_values(cells, &call.arguments)?;
        let mut enter = |evaluator: &mut Self| -> Outcome<Vec<Value>> {
            if let Some(list) = &spread {
                arguments.extend(evaluator.items(list)?);
            }
            if let Callee::Builtin(builtin) = &call.callee {
                evaluator.burn(8 + arguments.len() as u64)?;
                return builtin::call(evaluator, *builtin, &arguments);
            }
            let (lambda, cells) = evaluator.function(&callee)?;
            evaluator.enter(lambda, cells, std::mem::take(&mut arguments))
        };
        if !matches!(call.callee, Callee::Protected(_)) {
            return enter(self);
        }
        let depth = self.depth;
        let result = enter(self);
        self.depth = depth;
        match result {
            Ok(mut results) => {
                results.insert(0, Value::Bool(true));
                Ok(results)
            }
            Err(Stop::Raised(error)) => Ok(vec![Value::Bool(false), error]),
            Err(Stop::Trap(code)) if !code.is_resource() => Ok(vec![Value::Bool(false), Value::text(code.name())]),
            Err(other) => Err(other),
        }
    }

    // Variables.

    fn declare(&mut self, cells: &mut Cells, variable: VariableId, value: Value) {
        self.cells.push(value);
        if let Some(cell) = cells.get_mut(variable.0 as usize) {
            *cell = Some(self.cells.len() - 1);
        }
    }

    fn cell(&mut self, cells: &Cells, variable: VariableId) -> &mut Value {
        let place = cells.get(variable.0 as usize).copied().flatten();
        place.and_then(|place| self.cells.get_mut(place)).expect("a checked program declares what it uses")
    }

    // Statements.

    fn block(&mut self, cells: &mut Cells, block: &'i Block) -> Outcome<Flow> {
        for statement in block {
            match self.action(cells, &statement.action)? {
                Flow::Next => {}
                other => return Ok(other),
            }
        }
        Ok(Flow::Next)
    }

    fn action(&mut self, cells: &mut Cells, action: &'i Action) -> Outcome<Flow> {
        self.burn(1)?;
        match action {
            Action::Let(variables, values) => {
                let values = self.exactly(cells, values, variables.len())?;
                for (&variable, value) in variables.iter().zip(values) {
                    self.declare(cells, variable, value);
                }
            }
            Action::Set(places, values) => self.assign(cells, places, values)?,
            Action::Do(call) => {
                self.call(cells, call)?;
            }
            Action::If(arms, otherwise) => {
                for (condition, body) in arms {
                    if self.expression(cells, condition)?.is_true() {
                        return self.block(cells, body);
                    }
                }
                return self.block(cells, otherwise);
            }
            Action::While(condition, body) => {
                while self.expression(cells, condition)?.is_true() {
                    match self.round(cells, body)? {
                        Flow::Next => {}
                        Flow::Break => break,
                        Flow::Return(values) => return Ok(Flow::Return(values)),
                    }
                }
            }
            Action::Repeat(body, condition) => loop {
                match self.round(cells, body)? {
                    Flow::Next if !self.expression(cells, condition)?.is_true() => {}
                    Flow::Next | Flow::Break => break,
                    Flow::Return(values) => return Ok(Flow::Return(values)),
                }
            },
            Action::Count(count) => return self.count(cells, count),
            Action::Each(each) => return self.each(cells, each),
            Action::Block(body) => return self.block(cells, body),
            Action::Break => return Ok(Flow::Break),
            Action::Return(values) => {
                let (mut values, spread) = self.open_values(cells, values)?;
                if let Some(list) = spread {
                    values.extend(self.items(&list)?);
                }
                return Ok(Flow::Return(values));
            }
            Action::Raise(value) => return Err(Stop::Raised(self.expression(cells, value)?)),
        }
        Ok(Flow::Next)
    }

    /// A round of a loop.
    fn round(&mut self, cells: &mut Cells, body: &'i Block) -> Outcome<Flow> {
        self.burn(1)?;
        self.block(cells, body)
    }

    fn assign(&mut self, cells: &mut Cells, places: &'i [Place], values: &'i Values) -> Outcome<()> {
        let mut targets = Vec::new();
        for place in places {
            targets.push(match place {
                Place::Variable(_) => None,
                Place::Index(table, key) => Some((self.expression(cells, table)?, self.expression(cells, key)?)),
            });
        }
        let values = self.exactly(cells, values, places.len())?;
        for ((place, target), value) in places.iter().zip(targets).zip(values).rev() {
            match (place, target) {
                (Place::Variable(variable), _) => *self.cell(cells, *variable) = value,
                (Place::Index(..), Some((table, key))) => self.put(&table, &key, value)?,
                (Place::Index(..), None) => {}
            }
        }
        Ok(())
    }

    fn count(&mut self, cells: &mut Cells, count: &'i Count) -> Outcome<Flow> {
        let mut counter = self.expression(cells, &count.from)?;
        let to = self.expression(cells, &count.to)?;
        let by = self.expression(cells, &count.by)?;
        let zero = Value::integer(0);
        if operator::equals(&by, &zero) {
            return Err(TrapCode::ARGUMENTS.into());
        }
        // A counter that meets a step by floats is a float from the first.
        if let Value::Float(_) = by {
            counter = Value::Float(operator::to_float(&counter)?);
        }
        loop {
            let is_downwards = operator::compare(&by, &zero)?.is_some_and(std::cmp::Ordering::is_lt);
            let (low, high) = if is_downwards { (&to, &counter) } else { (&counter, &to) };
            if !operator::compare(low, high)?.is_some_and(std::cmp::Ordering::is_le) {
                return Ok(Flow::Next);
            }
            self.declare(cells, count.variable, counter.clone());
            match self.round(cells, &count.body)? {
                Flow::Next => {}
                Flow::Break => return Ok(Flow::Next),
                Flow::Return(values) => return Ok(Flow::Return(values)),
            }
            counter = match operator::arithmetic(kerai_compiler::ir::Binary::Add, &counter, &by) {
                Ok(next) => next,
                // Past the range of numbers is past the limit.
                Err(TrapCode::RANGE) => return Ok(Flow::Next),
                Err(other) => return Err(other.into()),
            };
        }
    }

    fn each(&mut self, cells: &mut Cells, each: &'i Each) -> Outcome<Flow> {
        let table = self.expression(cells, &each.table)?;
        let keys: Vec<Key> = self.map_mut(&table)?.entries.keys().cloned().collect();
        for key in keys {
            self.burn(1)?;
            let Some(value) = self.map_mut(&table)?.entries.get(&key).cloned() else { continue };
            self.declare(cells, each.key, key.to_value());
            self.declare(cells, each.value, value);
            match self.round(cells, &each.body)? {
                Flow::Next => {}
                Flow::Break => break,
                Flow::Return(values) => return Ok(Flow::Return(values)),
            }
        }
        Ok(Flow::Next)
    }

    // Values.

    /// The fixed values, with all results of a call; and the list whose items follow, where there is one.
    fn open_values(&mut self, cells: &mut Cells, values: &'i Values) -> Outcome<(Vec<Value>, Option<Value>)> {
        let mut all = Vec::new();
        for value in &values.fixed {
            all.push(self.expression(cells, value)?);
        }
        let spread = self.rest(cells, values.rest.as_deref(), &mut all)?;
        Ok((all, spread))
    }

    fn rest(&mut self, cells: &mut Cells, rest: Option<&'i Rest>, all: &mut Vec<Value>) -> Outcome<Option<Value>> {
        match rest {
            None => Ok(None),
            Some(Rest::Call(call)) => {
                all.extend(self.call(cells, call)?);
                Ok(None)
            }
            Some(Rest::Spread(list)) => self.expression(cells, list).map(Some),
        }
    }

    /// So many values: what is too much is dropped, what is missing is nil, and a list is read as far as is wanted.
    fn exactly(&mut self, cells: &mut Cells, values: &'i Values, wanted: usize) -> Outcome<Vec<Value>> {
        let (mut all, spread) = self.open_values(cells, values)?;
        if let Some(list) = spread {
            for position in (1..).take(wanted.saturating_sub(all.len())) {
                all.push(self.table(&list)?.get(&Value::integer(position)));
            }
        }
        all.resize(wanted, Value::Nil);
        Ok(all)
    }

    fn expression(&mut self, cells: &mut Cells, expression: &'i Expression) -> Outcome<Value> {
        self.burn(1)?;
        Ok(match &expression.node {
            Node::Nil => Value::Nil,
            Node::Bool(truth) => Value::Bool(*truth),
            Node::Constant(constant) => of_constant(constant),
            Node::Variable(variable) => self.cell(cells, *variable).clone(),
            Node::Function(id) => Value::Function(*id),
            Node::Lambda(lambda) => {
                self.closures.push(Closure { lambda, cells: cells.clone() });
                Value::Closure(self.closures.len() - 1)
            }
            Node::Unary(operator, operand) => {
                let operand = self.expression(cells, operand)?;
                self.unary(*operator, &operand)?
            }
            Node::Binary(operator, a, b) => {
                let (a, b) = (self.expression(cells, a)?, self.expression(cells, b)?);
                self.know_identity(&a, &b)?;
                operator::binary(*operator, &a, &b)?
            }
            Node::And(a, b) => match self.expression(cells, a)? {
                first if first.is_true() => self.expression(cells, b)?,
                first => first,
            },
            Node::Or(a, b) => match self.expression(cells, a)? {
                first if first.is_true() => first,
                _ => self.expression(cells, b)?,
            },
            Node::Join(parts) => {
                let mut values = Vec::new();
                for part in parts {
                    values.push(self.expression(cells, part)?);
                }
                self.join(&values, b"")?
            }
            Node::Index(table, key) => {
                let (table, key) = (self.expression(cells, table)?, self.expression(cells, key)?);
                self.table(&table)?.get(&key)
            }
            Node::Table(entries, rest) => self.new_entries(cells, entries, rest.as_deref())?,
            Node::List(values) => {
                let (mut items, spread) = self.open_values(cells, values)?;
                if let Some(list) = spread {
                    items.extend(self.items(&list)?);
                }
                self.new_table(Table::list(items))
            }
            Node::Call(call) => self.call(cells, call)?.into_iter().next().unwrap_or(Value::Nil),
            Node::With(body, value) => {
                self.block(cells, body)?;
                self.expression(cells, value)?
            }
        })
    }

    /// Whether one lambda, met twice, gives one function or two depends on what it sees, which is not known here.
    fn know_identity(&self, a: &Value, b: &Value) -> Outcome<()> {
        let lambda = |value: &Value| match value {
            Value::Closure(place) => self.closures.get(*place).map(|closure| std::ptr::from_ref(closure.lambda)),
            _ => None,
        };
        let is_unknown = !operator::equals(a, b) && lambda(a).is_some() && lambda(a) == lambda(b);
        if is_unknown { Err(Stop::Unknown) } else { Ok(()) }
    }

    fn unary(&mut self, operator: Unary, operand: &Value) -> Outcome<Value> {
        Ok(match operator {
            Unary::Negate => operator::negate(operand)?,
            Unary::Not => Value::Bool(!operand.is_true()),
            Unary::Complement => Value::integer(!operator::to_integer(operand)?),
            Unary::Length => match operand {
                Value::String(text) => Value::integer(text.len() as i64),
                _ => Value::integer(self.length(operand)?),
            },
            Unary::Keys => {
                let keys = self.map_mut(operand)?.entries.keys().map(Key::to_value).collect();
                self.new_table(Table::list(keys))
            }
        })
    }

    pub(crate) fn join(&mut self, parts: &[Value], between: &[u8]) -> Outcome<Value> {
        let mut out = Vec::new();
        for (position, part) in parts.iter().enumerate() {
            if position > 0 {
                out.extend_from_slice(between);
            }
            builtin::put_text(part, &mut out)?;
        }
        self.burn(out.len() as u64 / 16)?;
        // Longer strings are refused for their length or for the memory that they take: another way to end.
        if out.len() > LONGEST { Err(Stop::Unknown) } else { Ok(Value::String(out.into())) }
    }

    fn new_entries(&mut self, cells: &mut Cells, entries: &'i [Entry], rest: Option<&'i Rest>) -> Outcome<Value> {
        let table = self.new_table(Table::default());
        let (mut waiting, mut next) = (Vec::new(), 1);
        for entry in entries {
            match entry {
                Entry::Item(value) => waiting.push(self.expression(cells, value)?),
                Entry::Keyed(key, value) => {
                    let (key, value) = (self.expression(cells, key)?, self.expression(cells, value)?);
                    self.put(&table, &key, value)?;
                }
            }
            if waiting.len() == WAITING {
                next = self.fill(&table, next, std::mem::take(&mut waiting))?;
            }
        }
        if let Some(list) = self.rest(cells, rest, &mut waiting)? {
            waiting.extend(self.items(&list)?);
        }
        self.fill(&table, next, waiting)?;
        Ok(table)
    }

    /// Puts values at a position and onwards, leaves nil out, and says where the next one belongs.
    fn fill(&mut self, table: &Value, first: i64, values: Vec<Value>) -> Outcome<i64> {
        let mut position = first;
        for value in values {
            if !value.is_nil() {
                self.put(table, &Value::integer(position), value)?;
            }
            position += 1;
        }
        Ok(position)
    }
}

/// Strings beyond this length end an evaluation here.
const LONGEST: usize = 1 << 20;

fn of_constant(constant: &Constant) -> Value {
    match constant {
        Constant::Number(number) => Value::Number(*number),
        Constant::Float(bits) => Value::Float(Float::from_bits(*bits)),
        Constant::Fixed(bits) => Value::Fixed(Fixed::from_bits(**bits)),
        Constant::String(text) => Value::String((**text).into()),
        Constant::Bytes(bytes) => Value::Bytes(bytes.as_slice().into()),
    }
}
