//! Stock Lua 5.4, and the comparison with it.

use crate::machine::{Datum, Library};
use kerai_vm::bytecode::Builtin;
use kerai_vm::trap::TrapCode;
use mlua::{Function, Lua, MultiValue, Value};

pub struct Oracle {
    lua: Lua,
}

impl Oracle {
    pub fn new() -> Oracle {
        Oracle { lua: Lua::new() }
    }

    /// A function that an expression of Lua gives.
    pub fn function(&self, expression: &str) -> Function {
        self.lua.load(format!("return {expression}")).eval().unwrap_or_else(|error| panic!("{error}"))
    }

    /// What a function gives; none where it raises an error.
    pub fn call(&self, function: &Function, arguments: &[Datum]) -> Option<Vec<Datum>> {
        let arguments: MultiValue = arguments.iter().map(|datum| self.value(datum)).collect();
        let results: MultiValue = function.call(arguments).ok()?;
        Some(results.iter().map(datum).collect())
    }

    fn value(&self, datum: &Datum) -> Value {
        match datum {
            Datum::Nil => Value::Nil,
            Datum::Bool(value) => Value::Boolean(*value),
            Datum::Integer(value) => Value::Integer(i64::try_from(*value).expect("an integer of stock Lua")),
            Datum::Decimal(value) => panic!("stock Lua has no decimal such as {value}"),
            Datum::Float(value) => Value::Number(*value),
            Datum::Text(text) => Value::String(self.lua.create_string(text).expect("memory")),
        }
    }
}

fn datum(value: &Value) -> Datum {
    match value {
        Value::Nil => Datum::Nil,
        Value::Boolean(value) => Datum::Bool(*value),
        Value::Integer(value) => Datum::Integer((*value).into()),
        Value::Number(value) => Datum::Float(*value),
        Value::String(text) => Datum::Text(text.as_bytes().to_vec()),
        Value::LightUserData(_) | Value::Table(_) | Value::Function(_) | Value::Thread(_) | Value::UserData(_) => {
            panic!("no function that is compared gives a {}", value.type_name())
        }
        Value::Error(_) | Value::Other(_) => panic!("no function that is compared gives this"),
    }
}

/// A built-in and the function of stock Lua that it must agree with.
pub struct Pair {
    pub builtin: Builtin,
    pub function: Function,
}

impl Pair {
    pub fn new(oracle: &Oracle, name: &str) -> Pair {
        Pair::with(oracle, name, name)
    }

    /// A built-in and an expression of Lua.
    pub fn with(oracle: &Oracle, name: &str, expression: &str) -> Pair {
        let builtin = Builtin::ALL.iter().find(|builtin| builtin.name() == name);
        let builtin = *builtin.unwrap_or_else(|| panic!("there is no built-in `{name}`"));
        Pair { builtin, function: oracle.function(expression) }
    }
}

/// What came of one call on both sides.
pub struct Both {
    pub ours: Result<Vec<Datum>, TrapCode>,
    pub theirs: Option<Vec<Datum>>,
}

impl Both {
    pub fn of(library: &mut Library, oracle: &Oracle, pair: &Pair, arguments: &[Datum]) -> Both {
        Both { ours: library.call(pair.builtin, arguments), theirs: oracle.call(&pair.function, arguments) }
    }

    pub fn agree(&self) -> bool {
        match (&self.ours, &self.theirs) {
            (Ok(ours), Some(theirs)) => ours == theirs,
            (Err(_), None) => true,
            _ => false,
        }
    }

    /// Fails where the two part.
    pub fn assert(&self, pair: &Pair, arguments: &[Datum]) {
        assert!(self.agree(), "{}{arguments:?}: {:?}, but Lua {:?}", pair.builtin.name(), self.ours, self.theirs);
    }
}
