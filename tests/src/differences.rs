//! THE table of what differs from stock Lua: the suites of stock Lua are judged by it, and the page for authors is
//! rendered from it, with examples that run on both.

#![expect(clippy::wildcard_enum_match_arm, reason = "rules speak of the few forms that they are about")]

use crate::lua::Ending;
use crate::walk::{self, Visitor};
use kerai_compiler::syntax::lua::parse;
use kerai_compiler::syntax::lua::tree::{
    BinaryOperator, Expression, ExpressionKind, Item, Statement, StatementKind, UnaryOperator,
};

/// How a difference shows itself where a test of stock Lua meets it.
#[derive(Debug, Clone, Copy)]
pub enum Signal {
    /// The source is refused for one of these codes.
    Refused(&'static [&'static str]),
    /// The program traps with this code, and its text is of this sort.
    Trapped(&'static str, fn(&str) -> bool),
    /// An assertion does not hold, and its text is of this sort.
    Fails(fn(&str) -> bool),
}

/// A difference that is meant.
#[derive(Debug, Clone, Copy)]
pub struct Difference {
    pub name: &'static str,
    pub signals: &'static [Signal],
    pub stock: &'static str,
    pub kerai: &'static str,
    pub why: &'static str,
    /// Sources that show it; each is run on both.
    pub examples: &'static [&'static str],
}

macro_rules! differences {
    ($($name:literal [$($signal:expr),* $(,)?] stock $stock:literal kerai $kerai:literal why $why:literal
        $(example $example:literal)+;)+) => {
        pub const DIFFERENCES: &[Difference] = &[$(Difference {
            name: $name,
            signals: &[$($signal),*],
            stock: $stock,
            kerai: $kerai,
            why: $why,
            examples: &[$($example),+],
        }),+];
    };
}

use Signal::{Fails, Refused, Trapped};

differences! {
    "integers never wrap" [
        Trapped("RANGE", |_| true), Fails(meets_64_bits), Refused(&["LUA_NUMERAL"])
    ]
        stock "Integers have 64 bits and wrap; a numeral beyond them is a float."
        kerai "An integer is exact to about ±1.7 × 10²⁰, and what leaves that range traps."
        why "A total that wraps is wrong without anybody's knowing."
        example "return math.maxinteger + 1"
        example "return math.maxinteger * math.maxinteger"
        example "return (1 << 63) - 1";
    "numbers are exact" []
        stock "A numeral with a point is a binary float."
        kerai "It is an exact decimal, and so are quotients, rounded once at 18 places. `--!numeric float` gives a source stock Lua's."
        why "Money is decimal, and floats drift."
        example "return 0.1 + 0.2 == 0.3"
        example "return 7 / 2"
        example "return 1 / 3"
        example "return 1 / 0"
        example "return math.type(1.0)"
        example "--!numeric float\nreturn 0.1 + 0.2 == 0.3, 1 / 3";
    "strings never become numbers" [
        Trapped("KIND", counts_with_strings), Fails(counts_with_strings)
    ]
        stock "Arithmetic and `for` take strings that look like numbers."
        kerai "It traps: `tonumber` says so in the source."
        why "What a text means is a decision that the author makes."
        example "return \"10\" + 1"
        example "return math.tointeger(\"3\")";
    "numbers are written down where a text is joined" []
        stock "A function that takes a string takes a number too."
        kerai "Numbers are joined by `..`, `table.concat` and `string.format`; elsewhere `tostring` says so."
        why "As above, the other way round."
        example "return string.rep(12, 2)"
        example "return (12):rep(2)"
        example "return 12 .. \"\"";
    "what is left of an integer is an integer" []
        stock "`math.modf` gives a float beside an integer."
        kerai "Exact numbers have exact parts; in sources about floats it is a float."
        why "Numbers are exact unless floats are asked for."
        example "return math.modf(3)"
        example "--!numeric float\nreturn math.modf(3)";
    "formats take texts with zeros" [Fails(|text| text.contains("contains zeros"))]
        stock "`%10s` refuses a text with a zero byte."
        kerai "It takes any bytes."
        why "The refusal comes of strings in C, which end at a zero."
        example "return #string.format(\"%3s\", \"\\0\")";
    "an assignment evaluates from left to right" []
        stock "The order is left open, and a local table on the left is looked up after the values are there."
        kerai "Tables and keys on the left come first, then the values, then the assignments, the last one first."
        why "What the manual leaves open has to be the same everywhere."
        example "local t = { n = 1 } local old = t local function new() t = { n = 2 } return 3 end t.n = new() return old.n, t.n";
    "operands are read from left to right" []
        stock "A local variable is read when the operation is done, which may be after a call beside it."
        kerai "It is read at its place."
        why "As above."
        example "local n = 1 local function twice() n = 2 * n return n end return n + twice()";
    "tables have few kinds of keys" [Trapped("KEY", |_| true)]
        stock "Any value but nil and NaN is a key."
        kerai "Keys are booleans, numbers and strings."
        why "Other values have no order and no encoding that would be the same everywhere."
        example "local t = {} t[{}] = 1 return 1"
        example "local t = {} t[type] = 1 return 1";
    "the length is the least border" [Fails(has_holes)]
        stock "`#` of a table with holes is any border."
        kerai "It is the least n ≥ 0 whose successor is nil."
        why "Any border would be another one elsewhere."
        example "local t = { 1, 2, nil, 4 } return #t";
    "tables and functions have no address" [
        Fails(shows_addresses), Trapped("FORMAT", shows_addresses)
    ]
        stock "`tostring` and `%p` show an address."
        kerai "`tostring` gives the kind, and there is no `%p`."
        why "An address differs from run to run."
        example "return tostring({}) == \"map\""
        example "return #string.format(\"%p\", {}) > 0";
    "errors have no position" [Fails(reads_messages)]
        stock "Messages begin with the place, and say in words what was wrong."
        kerai "`pcall` gives the author's value unchanged, or a trap's code."
        why "Names and positions are no part of a program, so nothing may depend on them."
        example "return select(2, pcall(function() error(\"out of stock\") end))"
        example "return select(2, pcall(function() return 1 + {} end))";
    "keys are visited in order" [Refused(&["LUA_PAIRS", "LUA_NEXT"])]
        stock "`pairs` and `next` follow the layout of the table."
        kerai "`dpairs`, `dkeys` and `dvalues` follow the canonical order of keys."
        why "Layout differs from machine to machine."
        example "for key in pairs({}) do end";
    "no metatables" [Refused(&["LUA_METATABLE", "LUA_RAW"])]
        stock "Tables can change what operators mean."
        kerai "They can't, so there is nothing to go around by `rawget` and its like."
        why "State is data: what it does may not hide in it."
        example "return getmetatable(setmetatable({}, {})) ~= nil"
        example "return rawlen({})";
    "no coroutines" [Refused(&["LUA_COROUTINE"])]
        stock "`coroutine` suspends functions."
        kerai "Functions run to their end."
        why "A suspended function can't be encoded as state."
        example "return type(coroutine.create(type))";
    "no goto" [Refused(&["LUA_GOTO"])]
        stock "`goto` leaps to a label."
        kerai "Loops, `break` and functions say what goes on."
        why "Every program has to come to its end within its gas, and be shown to readers as it runs."
        example "goto done ::done:: return 1";
    "no variables that are closed" [Refused(&["LUA_CLOSE"])]
        stock "`<close>` calls a metamethod at the end of a block."
        kerai "There are no metatables, and nothing outside that had to be closed."
        why "As above."
        example "local x <close> = nil return 1";
    "no code from strings" [Refused(&["LUA_LOAD", "LUA_DUMP", "LUA_REQUIRE", "LUA_PACKAGE"])]
        stock "`load`, `require` and `string.dump` make code at run time and show it."
        kerai "A program is what was built."
        why "Its hash is its identity."
        example "return load(\"return 1\")()"
        example "return #string.dump(function() end) > 0";
    "nothing outside" [Refused(&["LUA_OS", "LUA_IO", "LUA_DEBUG", "LUA_PRINT", "LUA_COLLECTGARBAGE", "LUA_VERSION"])]
        stock "`os`, `io`, `debug` and `print` reach the machine."
        kerai "A program sees its arguments alone, and emits rows."
        why "Its result is the same wherever it runs."
        example "return type(os.time())"
        example "return type(io.read)"
        example "return type(print)"
        example "return collectgarbage(\"count\") > 0";
    "no chance" [Refused(&["LUA_RANDOM", "LUA_RNG"])]
        stock "`math.random` differs from run to run."
        kerai "`rng()` is there for who asks by `--!rng`, and is drawn from the operation."
        why "Replays have to agree."
        example "return math.type(math.random(10))";
    "no binary layouts" [Refused(&["LUA_PACK"])]
        stock "`string.pack` lays values out as the host's memory does."
        kerai "It is absent; `string.char` and `string.byte` build bytes."
        why "Its formats speak of the host's sizes and alignment."
        example "return #string.pack(\"i4\", 1)";
    "variables are declared" [
        Refused(&["LUA_UNDEFINED", "LUA_ASSIGNED", "LUA_GLOBALS", "LUA_ENVIRONMENT"])
    ]
        stock "An unknown name is a global variable that is nil, and any function may make one."
        kerai "Names are locals, the library's, or assigned at the top level; `_G` and `_ENV` are absent."
        why "A name with a slip of the finger would be nil without anybody's knowing."
        example "return totel"
        example "function f() total = 1 end f() return total"
        example "return type(_G)";
    "the library can't be changed" [Refused(&["LUA_LIBRARY", "LUA_MEMBER"])]
        stock "The library is made of tables that a program may change, and an absent member is nil."
        kerai "Its names are known at build, and an absent one is refused; a local may hide one."
        why "What a name means may not depend on what ran before."
        example "string.trim = type return 1"
        example "return string.trim";
    "errors are caught by pcall alone" [Refused(&["LUA_XPCALL"])]
        stock "`xpcall` runs a handler on the stack of the error."
        kerai "`pcall` gives the value to what follows it."
        why "A handler could look at the stack."
        example "return xpcall(type, type)";
    "calls are not deeper than a limit" [Trapped("DEPTH", |_| true)]
        stock "The stack grows with memory, and tail calls don't grow it."
        kerai "200 calls may be under way, tail calls counted; what needs more is a loop."
        why "The limit is the same on every machine."
        example "local function down(n) if n == 0 then return 0 end return down(n - 1) end return down(1000)";
    "few things cost without bound" [Trapped("GAS", |_| true), Trapped("MEMORY", |_| true), Trapped("STRING", |_| true)]
        stock "A program runs for as long as it likes."
        kerai "Gas, memory and the length of strings have limits, and passing the first two can't be caught."
        why "A fold that never ends would hold up every log that it is bound to."
        example "return pcall(function() while true do end end)";
}

/// The difference that explains how a piece of a source ended, where one does.
#[must_use]
pub fn explained(text: &str, ending: &Ending) -> Option<&'static Difference> {
    DIFFERENCES.iter().find(|difference| {
        difference.signals.iter().any(|signal| match (signal, ending) {
            (Refused(codes), Ending::Refused(found)) => found.first().is_some_and(|found| codes.contains(&found.0)),
            (Trapped(wanted, is_such), Ending::Trapped(code, _)) => *wanted == code.name() && is_such(text),
            (Fails(is_such), Ending::Trapped(code, _)) => code.name() == "RAISED" && is_such(text),
            _ => false,
        })
    })
}

/// Whether a text speaks of the ends of 64 bits, where stock Lua's integers wrap or turn to floats.
fn meets_64_bits(text: &str) -> bool {
    const WORDS: &[&str] = &["maxinteger", "mininteger", "maxi", "mini", "maxint", "minint", "<< 63"];
    let longest = |is_digit: fn(char) -> bool| text.split(|point| !is_digit(point)).map(str::len).max().unwrap_or(0);
    WORDS.iter().any(|word| text.contains(word))
        || longest(|point| point.is_ascii_digit()) >= 19
        || longest(|point| point.is_ascii_hexdigit()) >= 16
        || longest(|point| point.is_ascii_alphanumeric()) >= 30
}

/// Whether a text shows an address: that of a table, or one in a format.
fn shows_addresses(text: &str) -> bool {
    let is_pointer = |part: &str| {
        part.trim_start_matches(|point: char| point.is_ascii_digit() || "-.".contains(point)).starts_with('p')
    };
    text.contains("table:") || text.contains("function:") || text.split('%').skip(1).any(is_pointer)
}

/// Whether a text makes a table with a nil among its items.
fn has_holes(text: &str) -> bool {
    struct Found(bool);
    impl Visitor for Found {
        fn expression(&mut self, expression: &Expression) {
            if let ExpressionKind::Table(items) = &expression.kind {
                self.0 |= items
                    .iter()
                    .any(|item| matches!(item, Item::Positional(Expression { kind: ExpressionKind::Nil, .. })));
            }
        }
    }
    let mut found = Found(false);
    walk::block(&parse(text).chunk.body, true, &mut found);
    found.0
}

/// Whether a text looks at what an error says.
fn reads_messages(text: &str) -> bool {
    text.contains("pcall") && text.contains("string.find")
}

/// Whether a text does arithmetic on a string, counts with one in a `for`, or asks for its integer.
fn counts_with_strings(text: &str) -> bool {
    struct Found(bool);
    fn is_string(expression: &Expression) -> bool {
        match &expression.kind {
            ExpressionKind::String(_) => true,
            ExpressionKind::Parenthesized(inner) => is_string(inner),
            ExpressionKind::Unary { operator: UnaryOperator::Negate, operand } => is_string(operand),
            ExpressionKind::Binary { operator: BinaryOperator::Concat, .. } => true,
            _ => false,
        }
    }
    impl Visitor for Found {
        fn statement(&mut self, statement: &Statement, _: bool) {
            if let StatementKind::NumericFor { start, limit, step, .. } = &statement.kind {
                self.0 |= [&**start, limit].into_iter().chain(step.as_deref()).any(is_string);
            }
        }
        fn expression(&mut self, expression: &Expression) {
            self.0 |= match &expression.kind {
                ExpressionKind::Binary { operator, left, right } => {
                    matches!(operator.tier(), 4..=7 | 9..=11) && (is_string(left) || is_string(right))
                }
                ExpressionKind::Unary { operator: UnaryOperator::Negate | UnaryOperator::BitNot, operand } => {
                    is_string(operand)
                }
                ExpressionKind::Call(call) => {
                    let is_integer =
                        matches!(&call.function.kind, ExpressionKind::Field { name, .. } if &*name.text == "tointeger");
                    is_integer && call.arguments.first().is_some_and(is_string)
                }
                _ => false,
            };
        }
    }
    let mut found = Found(false);
    walk::block(&parse(text).chunk.body, true, &mut found);
    found.0
}
