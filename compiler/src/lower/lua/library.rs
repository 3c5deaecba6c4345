//! Names of the library: built-ins of the machine, functions of the prelude, and constants.

use super::Lowering;
use crate::ir::{Expression, FunctionId, Node};
use crate::syntax::lua::parse;
use crate::syntax::lua::tree::{Expression as Tree, ExpressionKind, Function, Name, StatementKind};
use crate::{Code, Span};
use core::mem;
use kerai_vm::bytecode::{Builtin, Constant};
use kerai_vm::number::{Float, Number};
use std::collections::BTreeMap;

/// The texts of the prelude.
const PRELUDE: &[&str] = &[
    include_str!("../../../../stdlib/prelude.lua"),
    include_str!("../../../../stdlib/lattice.lua"),
    include_str!("../../../../stdlib/parts.lua"),
    include_str!("../../../../stdlib/graph.lua"),
];

/// The functions of the prelude, once they were asked for.
#[derive(Default)]
pub(super) struct Prelude {
    functions: Option<BTreeMap<String, FunctionId>>,
}

/// The machine's built-in of a name.
pub(super) fn builtin(name: &str) -> Option<Builtin> {
    Builtin::ALL.iter().copied().find(|builtin| builtin.name() == name)
}

/// The pattern of one character, as stock Lua has it.
const CHARACTER_PATTERN: &[u8] = b"[\0-\x7F\xC2-\xFD][\x80-\xBF]*";

/// A value of the library that is no function.
fn constant(name: &str) -> Option<Constant> {
    Some(match name {
        "math.pi" => Constant::float(Float::from_bits(0x4009_21fb_5444_2d18)),
        "math.huge" => Constant::float(Float::INFINITY),
        "math.maxinteger" => Constant::Number(Number::from_i64(i64::MAX)),
        "math.mininteger" => Constant::Number(Number::from_i64(i64::MIN)),
        "utf8.charpattern" => Constant::String(CHARACTER_PATTERN.into()),
        _ => return None,
    })
}

/// The name that an expression spells, `name` or `name.member`.
pub(super) fn spelled(expression: &Tree) -> Option<(&Name, Option<&Name>)> {
    match &expression.kind {
        ExpressionKind::Name(name) => Some((name, None)),
        ExpressionKind::Field { table, name } => match &table.kind {
            ExpressionKind::Name(base) => Some((base, Some(name))),
            _ => None,
        },
        _ => None,
    }
}

impl Lowering {
    /// The library's name that an expression spells, where no variable hides it.
    pub(super) fn library_name(&self, expression: &Tree) -> Option<String> {
        let (base, member) = spelled(expression)?;
        if self.scopes.get(&base.text).is_some() {
            return None;
        }
        match member {
            None => Some(base.text.to_string()),
            Some(member) => Some(format!("{}.{}", base.text, member.text)),
        }
    }

    /// In the prelude, the built-in that `builtin["name"]` is.
    pub(super) fn named_builtin(&self, expression: &Tree) -> Option<Builtin> {
        let ExpressionKind::Index { table, key } = &expression.kind else { return None };
        match (&table.kind, &key.kind) {
            (ExpressionKind::Name(name), ExpressionKind::String(text))
                if self.is_prelude && &*name.text == "builtin" =>
            {
                builtin(str::from_utf8(text).ok()?)
            }
            _ => None,
        }
    }

    /// A name of the library as a value.
    pub(super) fn library_value(&mut self, name: &str, span: Span) -> Expression {
        if let Some(constant) = constant(name) {
            return Expression::new(Node::Constant(constant), span);
        }
        if let Some(id) = self.prelude_function(name) {
            return Expression::new(Node::Function(id), span);
        }
        match self.builtin_of(name) {
            Some(builtin) => Expression::new(Node::Function(self.wrapper(builtin)), span),
            None => {
                self.report(Code::LUA_MEMBER, span, format!("`{name}` can't be used here"));
                Expression::new(Node::Nil, span)
            }
        }
    }

    /// The built-in that a name of the library is.
    pub(super) fn builtin_of(&self, name: &str) -> Option<Builtin> {
        // Where floats are wished, a text with a point is one.
        if self.is_float && name == "tonumber" { builtin("tonumber-float") } else { builtin(name) }
    }

    /// The prelude's function of a name.
    pub(super) fn prelude_function(&mut self, name: &str) -> Option<FunctionId> {
        if self.prelude.functions.is_none() {
            self.load_prelude();
        }
        // Where floats are wished, what is left of an integer is one.
        let name = if self.is_float && name == "math.modf" { "math.modf_float" } else { name };
        self.prelude.functions.as_ref()?.get(name).copied()
    }

    fn load_prelude(&mut self) {
        let chunks: Vec<_> = PRELUDE.iter().map(|text| parse(text).chunk).collect();
        let mut functions = BTreeMap::new();
        let mut bodies: Vec<(FunctionId, &Function)> = Vec::new();
        for statement in chunks.iter().flat_map(|chunk| &chunk.body.statements) {
            if let StatementKind::Function { target, function } = &statement.kind {
                let fields = target.fields.iter().map(|field| &*field.text);
                let name = [&*target.base.text].into_iter().chain(fields).collect::<Vec<_>>().join(".");
                let id = self.reserve(&name);
                functions.insert(name, id);
                bodies.push((id, function));
            }
        }
        self.prelude.functions = Some(functions);
        let outside = (
            mem::take(&mut self.scopes),
            mem::replace(&mut self.is_float, false),
            mem::replace(&mut self.is_prelude, true),
            mem::take(&mut self.rests),
        );
        for (id, function) in bodies {
            let lambda = self.lambda(function, None);
            self.define(id, lambda);
        }
        (self.scopes, self.is_float, self.is_prelude, self.rests) = outside;
    }

    /// A built-in as a function that takes anything.
    pub(super) fn wrapper(&mut self, builtin: Builtin) -> FunctionId {
        use crate::ir::{Action, Call, Callee, Lambda, Rest, Statement, Values};
        let name = format!("builtin {}", builtin.name());
        if let Some(&id) = self.prelude.functions.get_or_insert_default().get(&name) {
            return id;
        }
        let id = self.reserve(builtin.name());
        let rest = self.variable("arguments");
        let span = Span::default();
        let arguments =
            Values { fixed: Vec::new(), rest: Some(Box::new(Rest::Spread(Expression::variable(rest, span)))) };
        let call = Call { callee: Callee::Builtin(builtin), arguments };
        let results = Values { fixed: Vec::new(), rest: Some(Box::new(Rest::Call(call))) };
        let body = vec![Statement::new(Action::Return(results), span)];
        self.define(id, Lambda { parameters: Vec::new(), rest: Some(rest), body });
        self.prelude.functions.get_or_insert_default().insert(name, id);
        id
    }
}
