//! Reading the IR from text.

use super::TextFault;
use super::form::{Content, Form, forms};
use crate::Span;
use crate::ir::{
    Action, Binary, Block, Call, Callee, Count, Each, Entry, Expression, Function, FunctionId, Ir, Lambda, Node, Place,
    Rest, Statement, Type, Unary, Values, Variable, VariableId,
};
use kerai_vm::bytecode::{Builtin, Constant, Limits, Order, ProgramKind, Rule};

type Read<T> = Result<T, TextFault>;

pub(super) fn read(text: &str) -> Read<Ir> {
    let mut ir = Ir::new(ProgramKind::Words);
    let mut reader = Reader { variables: Vec::new(), most: text.len() };
    for form in forms(text)? {
        match form.construct()? {
            ("kind", [kind]) => ir.kind = named(ProgramKind::ALL, ProgramKind::name, kind)?,
            ("limit", [name, value]) => limit(&mut ir.limits, name, value)?,
            ("order", [order]) => ir.order = named(Order::ALL, Order::name, order)?,
            ("key", names) => ir.key = names.iter().map(string).collect::<Read<_>>()?,
            ("rule", [id, reason]) => ir.rules.push(Rule { id: string(id)?.into(), reason: string(reason)?.into() }),
            ("export", [name, function]) => {
                ir.exports.insert(string(name)?, function_id(function)?);
            }
            ("function", [name, parameters, body @ ..]) => {
                let id = function_id(name)?;
                if id.0 as usize != ir.functions.len() {
                    return name.fault("functions stand in the order of their numbers");
                }
                let lambda = reader.lambda(parameters, body)?;
                let word = name.word()?.trim_start_matches('@');
                let name = word.rsplit_once('.').map_or(word, |(name, _)| name).to_owned();
                ir.functions.push(Function { name, lambda });
            }
            (word, _) => return form.fault(format!("`{word}` is no part of a program, or of another length")),
        }
    }
    for (number, variable) in reader.variables.into_iter().enumerate() {
        let Some(variable) = variable else {
            return Err(TextFault { at: text.len(), message: format!("no variable has the number {number}") });
        };
        ir.variables.push(variable);
    }
    Ok(ir)
}

/// The entry of a table that has the form's name.
fn named<T: Copy>(all: &[T], name: fn(T) -> &'static str, form: &Form) -> Read<T> {
    let word = form.word()?;
    match all.iter().find(|&&entry| name(entry) == word) {
        Some(entry) => Ok(*entry),
        None => form.fault(format!("`{word}` is not known here")),
    }
}

fn limit(limits: &mut Limits, name: &Form, value: &Form) -> Read<()> {
    let Ok(number) = value.word()?.parse() else { return value.fault("a number is expected") };
    let place = match name.word()? {
        "gas" => &mut limits.gas,
        "memory" => &mut limits.memory,
        "depth" => &mut limits.depth,
        "output" => &mut limits.output,
        word => return name.fault(format!("there is no limit `{word}`")),
    };
    if number > *place {
        return value.fault(format!("a limit may only be lowered, and this one is {place}"));
    }
    *place = number;
    Ok(())
}

fn string(form: &Form) -> Read<String> {
    match Constant::from_text(form.word()?) {
        Some(Constant::String(text)) => {
            String::from_utf8(text.to_vec()).or_else(|_| form.fault("the string is not UTF-8"))
        }
        _ => form.fault("a string in quotes is expected"),
    }
}

/// The number behind the last dot of a name.
fn number(form: &Form, word: &str) -> Read<u32> {
    match word.rsplit_once('.').and_then(|(_, number)| number.parse().ok()) {
        Some(number) => Ok(number),
        None => form.fault(format!("`{word}` is no name with a number: write `name.0`")),
    }
}

fn function_id(form: &Form) -> Read<FunctionId> {
    match form.word()?.strip_prefix('@') {
        Some(word) => Ok(FunctionId(number(form, word)?)),
        None => form.fault("a function is expected: write `@name.0`"),
    }
}

fn span(form: &Form) -> Span {
    let at = u32::try_from(form.at).unwrap_or(u32::MAX);
    Span::new(at, at.saturating_add(1))
}

/// Reads functions, and knows the variables so far.
struct Reader {
    variables: Vec<Option<Variable>>,
    /// Bytes of the text: every variable is written somewhere, so no number is as high, and none asks for much memory.
    most: usize,
}

impl Reader {
    fn lambda(&mut self, parameters: &Form, body: &[Form]) -> Read<Lambda> {
        let mut lambda = Lambda::default();
        for parameter in parameters.list()? {
            match parameter.word()?.strip_prefix("...") {
                _ if lambda.rest.is_some() => return parameter.fault("nothing follows the rest"),
                Some(word) => lambda.rest = Some(self.declare(parameter, word)?),
                None => lambda.parameters.push(self.declare(parameter, parameter.word()?)?),
            }
        }
        lambda.body = self.block(body)?;
        Ok(lambda)
    }

    fn declare(&mut self, form: &Form, word: &str) -> Read<VariableId> {
        let (word, holds) = match word.rsplit_once(':') {
            None => (word, Type::Any),
            Some((word, holds)) => match Type::ALL.iter().find(|entry| entry.name() == holds) {
                Some(holds) => (word, *holds),
                None => return form.fault(format!("there is no type `{holds}`")),
            },
        };
        let number = number(form, word)?;
        let place = number as usize;
        if place >= self.most {
            return form.fault("the variable's number is too high: write the numbers from 0 on without a gap");
        }
        if place >= self.variables.len() {
            self.variables.resize(place + 1, None);
        }
        let name = word.rsplit_once('.').map_or(word, |(name, _)| name).to_owned();
        match self.variables.get_mut(place) {
            Some(vacant @ None) => *vacant = Some(Variable { name, holds }),
            _ => return form.fault(format!("`{word}` is declared already")),
        }
        Ok(VariableId(number))
    }

    fn declarations(&mut self, form: &Form) -> Read<Vec<VariableId>> {
        form.list()?.iter().map(|form| self.declare(form, form.word()?)).collect()
    }

    fn block(&mut self, forms: &[Form]) -> Read<Block> {
        forms.iter().map(|form| self.statement(form)).collect()
    }

    fn statement(&mut self, form: &Form) -> Read<Statement> {
        let action = match form.construct()? {
            ("let", [variables, values @ ..]) => {
                let values = self.values(values)?;
                Action::Let(self.declarations(variables)?, values)
            }
            ("set", [places, values @ ..]) => {
                let places = places.list()?.iter().map(|place| self.place(place)).collect::<Read<_>>()?;
                Action::Set(places, self.values(values)?)
            }
            ("do", [call]) => Action::Do(self.call(call)?),
            ("if", arms) => self.arms(form, arms)?,
            ("while", [condition, body @ ..]) => {
                Action::While(Box::new(self.expression(condition)?), self.block(body)?)
            }
            ("repeat", [body, condition]) => {
                let body = self.block(body.list()?)?;
                Action::Repeat(body, Box::new(self.expression(condition)?))
            }
            ("count", [variable, from, to, by, body @ ..]) => {
                let [from, to, by] = [self.expression(from)?, self.expression(to)?, self.expression(by)?];
                let variable = self.declare(variable, variable.word()?)?;
                Action::Count(Box::new(Count { variable, from, to, by, body: self.block(body)? }))
            }
            ("each", [key, value, table, body @ ..]) => {
                let table = self.expression(table)?;
                let key = self.declare(key, key.word()?)?;
                let value = self.declare(value, value.word()?)?;
                Action::Each(Box::new(Each { key, value, table, body: self.block(body)? }))
            }
            ("block", body) => Action::Block(self.block(body)?),
            ("break", []) => Action::Break,
            ("return", values) => Action::Return(self.values(values)?),
            ("raise", [value]) => Action::Raise(Box::new(self.expression(value)?)),
            (word, _) => return form.fault(format!("`{word}` is no statement, or of another length")),
        };
        Ok(Statement::new(action, span(form)))
    }

    fn arms(&mut self, form: &Form, forms: &[Form]) -> Read<Action> {
        let (mut arms, mut otherwise) = (Vec::new(), Block::new());
        for (position, arm) in (1..).zip(forms) {
            let Some((condition, body)) = arm.list()?.split_first() else {
                return arm.fault("an arm begins with its condition");
            };
            if matches!(condition.content, Content::Word("else")) && position == forms.len() && position > 1 {
                otherwise = self.block(body)?;
            } else {
                arms.push((self.expression(condition)?, self.block(body)?));
            }
        }
        if arms.is_empty() { form.fault("a condition is missing") } else { Ok(Action::If(arms, otherwise)) }
    }

    fn place(&mut self, form: &Form) -> Read<Place> {
        match &form.content {
            Content::Word(word) => Ok(Place::Variable(VariableId(number(form, word)?))),
            Content::List(_) => match form.construct()? {
                ("index", [table, key]) => Ok(Place::Index(self.expression(table)?, self.expression(key)?)),
                (word, _) => form.fault(format!("`{word}` is no place to assign to")),
            },
        }
    }

    fn values(&mut self, forms: &[Form]) -> Read<Values> {
        let mut values = Values::none();
        for form in forms {
            if values.rest.is_some() {
                return form.fault("nothing follows all results of a call, or a list's items");
            }
            match self.rest(form)? {
                Some(rest) => values.rest = Some(Box::new(rest)),
                None => values.fixed.push(self.expression(form)?),
            }
        }
        Ok(values)
    }

    fn rest(&mut self, form: &Form) -> Read<Option<Rest>> {
        match &form.content {
            Content::Word(_) => Ok(None),
            Content::List(_) => match form.construct()? {
                ("all", [call]) => Ok(Some(Rest::Call(self.call(call)?))),
                ("spread", [list]) => Ok(Some(Rest::Spread(self.expression(list)?))),
                _ => Ok(None),
            },
        }
    }

    fn call(&mut self, form: &Form) -> Read<Call> {
        let (callee, arguments) = match form.construct()? {
            ("call", [callee, arguments @ ..]) => match callee.word()?.strip_prefix(':') {
                Some(name) => match Builtin::ALL.iter().find(|builtin| builtin.name() == name) {
                    Some(builtin) => (Callee::Builtin(*builtin), arguments),
                    None => return callee.fault(format!("there is no built-in `{name}`")),
                },
                None => (Callee::Function(function_id(callee)?), arguments),
            },
            ("apply", [callee, arguments @ ..]) => (Callee::Value(Box::new(self.expression(callee)?)), arguments),
            ("protect", [callee, arguments @ ..]) => (Callee::Protected(Box::new(self.expression(callee)?)), arguments),
            (word, _) => return form.fault(format!("`{word}` is no call")),
        };
        Ok(Call { callee, arguments: self.values(arguments)? })
    }

    fn expression(&mut self, form: &Form) -> Read<Expression> {
        let node = match &form.content {
            Content::Word(word) => atom(form, word)?,
            Content::List(_) => self.node(form)?,
        };
        Ok(Expression::new(node, span(form)))
    }

    fn node(&mut self, form: &Form) -> Read<Node> {
        let (word, parts) = form.construct()?;
        if let ([a, b], Some(operator)) = (parts, Binary::ALL.iter().find(|operator| operator.name() == word)) {
            return Ok(Node::Binary(*operator, Box::new(self.expression(a)?), Box::new(self.expression(b)?)));
        }
        if let ([operand], Some(operator)) = (parts, Unary::ALL.iter().find(|operator| operator.name() == word)) {
            return Ok(Node::Unary(*operator, Box::new(self.expression(operand)?)));
        }
        Ok(match (word, parts) {
            ("lambda", [parameters, body @ ..]) => Node::Lambda(Box::new(self.lambda(parameters, body)?)),
            ("and", [a, b]) => Node::And(Box::new(self.expression(a)?), Box::new(self.expression(b)?)),
            ("or", [a, b]) => Node::Or(Box::new(self.expression(a)?), Box::new(self.expression(b)?)),
            ("join", parts) => Node::Join(parts.iter().map(|part| self.expression(part)).collect::<Read<_>>()?),
            ("index", [table, key]) => Node::Index(Box::new(self.expression(table)?), Box::new(self.expression(key)?)),
            ("table", entries) => self.table(entries)?,
            ("list", values) => Node::List(self.values(values)?),
            ("call" | "apply" | "protect", _) => Node::Call(Box::new(self.call(form)?)),
            ("with", [body, value]) => {
                let body = self.block(body.list()?)?;
                Node::With(body, Box::new(self.expression(value)?))
            }
            (word, _) => return form.fault(format!("`{word}` is no expression, or of another length")),
        })
    }

    fn table(&mut self, forms: &[Form]) -> Read<Node> {
        let (mut entries, mut rest) = (Vec::new(), None);
        for form in forms {
            if rest.is_some() {
                return form.fault("nothing follows all results of a call, or a list's items");
            }
            let keyed = match &form.content {
                Content::List(_) => Some(form.construct()?),
                Content::Word(_) => None,
            };
            if let Some(("key", [key, value])) = keyed {
                entries.push(Entry::Keyed(self.expression(key)?, self.expression(value)?));
            } else if let Some(end) = self.rest(form)? {
                rest = Some(Box::new(end));
            } else {
                entries.push(Entry::Item(self.expression(form)?));
            }
        }
        Ok(Node::Table(entries, rest))
    }
}

/// What a single word stands for.
fn atom(form: &Form, word: &str) -> Read<Node> {
    Ok(match word {
        "nil" => Node::Nil,
        "true" => Node::Bool(true),
        "false" => Node::Bool(false),
        _ if word.starts_with('@') => Node::Function(function_id(form)?),
        _ => match Constant::from_text(word) {
            Some(constant) => Node::Constant(constant),
            None => Node::Variable(VariableId(number(form, word)?)),
        },
    })
}
