//! The table of library names: what a source may use without defining it, and what is refused by name.

use crate::code::Code;
use std::collections::BTreeMap;

/// What a name of the library is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member {
    Function,
    /// A value that is no function, such as `math.pi`.
    Value,
    /// A name before a dot, such as `string`.
    Namespace,
    /// A function of those who ask for it by a pragma.
    Random,
    /// Stock Lua has it, kerai does not, and this code says why.
    Refused(Code),
}

/// One name: as it is written, what it is, and what it does or what stands in its place.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub name: &'static str,
    pub member: Member,
    pub about: &'static str,
}

const fn function(name: &'static str, about: &'static str) -> Entry {
    Entry { name, member: Member::Function, about }
}

const fn value(name: &'static str, about: &'static str) -> Entry {
    Entry { name, member: Member::Value, about }
}

const fn namespace(name: &'static str, about: &'static str) -> Entry {
    Entry { name, member: Member::Namespace, about }
}

const fn refused(name: &'static str, code: Code) -> Entry {
    Entry { name, member: Member::Refused(code), about: code.help() }
}

/// All names.
pub const ENTRIES: &[Entry] = &[
    function("assert", "its arguments, or an error where the first is false or nil"),
    function("error", "raises a value"),
    function("ipairs", "visits 1, 2, … up to the first nil"),
    function("pcall", "calls a function and says whether it raised an error"),
    function("select", "the arguments from a place on, or their number"),
    function("tonumber", "the number that a text is, or nil"),
    function("tostring", "a value as text"),
    function("type", "the kind of a value as Lua names it"),
    function("dpairs", "visits the entries of a table by sorted keys"),
    function("dkeys", "the list of a table's keys, sorted"),
    function("dvalues", "the list of a table's values, sorted by their keys"),
    function("dsort", "a sorted copy of a list, in canonical order"),
    function("emit", "emits a row: path, key, value"),
    function("emit_json_canonical", "emits a row for each key of a map"),
    function("decimal", "the exact number that a value is"),
    function("fixed", "the value as a fixed-point number"),
    function("float", "the value as a float"),
    function("list", "an empty list"),
    function("set", "a set of the members of a list"),
    Entry { name: "rng", member: Member::Random, about: "a number by chance, the same in every replay" },
    namespace("string", "functions on strings"),
    function("string.byte", "the bytes at some places"),
    function("string.char", "the string of some bytes"),
    function("string.find", "where a pattern is found"),
    function("string.format", "values written by a format"),
    function("string.gmatch", "visits all matches of a pattern"),
    function("string.gsub", "a string with its matches replaced"),
    function("string.len", "how many bytes"),
    function("string.lower", "ASCII letters made small"),
    function("string.match", "what a pattern captures"),
    function("string.rep", "a string so many times"),
    function("string.reverse", "the bytes from the last to the first"),
    function("string.sub", "the bytes from one place to another"),
    function("string.upper", "ASCII letters made large"),
    refused("string.dump", Code::LUA_DUMP),
    refused("string.pack", Code::LUA_PACK),
    refused("string.packsize", Code::LUA_PACK),
    refused("string.unpack", Code::LUA_PACK),
    namespace("table", "functions on lists"),
    function("table.concat", "the list's strings and numbers with a text between"),
    function("table.insert", "puts a value at the end, or at a place"),
    function("table.move", "copies a part of a list"),
    function("table.pack", "the list of the arguments, with their number as `n`"),
    function("table.remove", "takes the last value, or that at a place"),
    function("table.sort", "sorts a list in place"),
    function("table.unpack", "the values of a list"),
    namespace("math", "functions on numbers"),
    function("math.abs", "the value without its sign"),
    function("math.acos", "the arc cosine of a float"),
    function("math.asin", "the arc sine of a float"),
    function("math.atan", "the arc tangent of a float"),
    function("math.ceil", "the least integral value that is not less"),
    function("math.cos", "the cosine of a float"),
    function("math.deg", "an angle in degrees as a float"),
    function("math.exp", "e to the power of a float"),
    function("math.floor", "the greatest integral value that is not greater"),
    function("math.fmod", "the remainder of a division rounded towards zero"),
    value("math.huge", "the infinite float"),
    function("math.log", "the logarithm of a float"),
    function("math.max", "the greatest argument"),
    value("math.maxinteger", "2^63 - 1"),
    function("math.min", "the least argument"),
    value("math.mininteger", "-2^63"),
    function("math.modf", "the integral and the fractional part"),
    value("math.pi", "the float nearest to the ratio of a circle"),
    function("math.rad", "an angle in radians as a float"),
    function("math.sin", "the sine of a float"),
    function("math.sqrt", "the square root of a float"),
    function("math.tan", "the tangent of a float"),
    function("math.tointeger", "the value where it is integral, else nil"),
    function("math.type", "integer, decimal, float, fixed, or nil"),
    function("math.ult", "whether one integer is below another without signs"),
    refused("math.random", Code::LUA_RANDOM),
    refused("math.randomseed", Code::LUA_RANDOM),
    namespace("utf8", "functions on UTF-8"),
    function("utf8.char", "the string of some code points"),
    value("utf8.charpattern", "the pattern of one character"),
    function("utf8.codepoint", "the code points at some places"),
    function("utf8.codes", "visits the code points"),
    function("utf8.len", "how many code points"),
    function("utf8.offset", "where a character begins"),
    namespace("lattice", "what folds merge by: joins, what makes their states, and what reads them"),
    function("lattice.write", "the state of a register that an operation writes"),
    function("lattice.written", "such a state, or nil where there is no value"),
    function("lattice.changed", "the state of a pair of sets, or nil where nothing is added or removed"),
    function("lattice.tags", "the state of members that an operation adds, and takes back by naming adds"),
    function("lattice.flag", "the state of a flag that an operation sets, or takes back by naming operations"),
    function("lattice.version", "the state of a register that keeps what is not replaced by name"),
    function(
        "lattice.counted",
        "the state of a counter, or nil where the amount is no exact number from a least one on",
    ),
    function("lattice.single", "the value as the only key of a table, or nil where it can't be one"),
    function("lattice.name", "the text under which a map keeps a key, or nil where it can't be one"),
    function("lattice.step", "a name as a step of a path"),
    function("lattice.escape", "a character as a name in a path has it"),
    function("lattice.lww", "joins registers: the latest write in the order `ulid`"),
    function("lattice.by_lww", "-1, 0 or 1: where one register stands to another"),
    function("lattice.value", "what a register holds"),
    function("lattice.min", "joins values: the least in canonical order"),
    function("lattice.by_min", "-1, 0 or 1: where one value stands to another, the least being the last"),
    function("lattice.max", "joins values: the greatest in canonical order"),
    function("lattice.by_max", "-1, 0 or 1: where one value stands to another"),
    function("lattice.same", "its argument"),
    function("lattice.map", "joins maps: entries of both by a join"),
    function("lattice.each", "a map with what reading gives for each entry"),
    function("lattice.union", "joins sets that are the keys of tables"),
    function("lattice.members", "the members of such a set, sorted"),
    function("lattice.pair", "joins pairs of sets, `added` and `removed`"),
    function("lattice.remaining", "what was added and not removed, sorted"),
    function("lattice.tagged", "joins members by the operations that added them"),
    function("lattice.is_live", "whether an operation has added what none has removed"),
    function("lattice.is_not_live", "whether there is no such operation"),
    function("lattice.live", "the members that are live, sorted"),
    function("lattice.register", "joins writes by the operations that made them"),
    function("lattice.versions", "what was written and not replaced, sorted"),
    function("lattice.count", "the state of a counter to which an operation adds"),
    function("lattice.sums", "joins counters"),
    function("lattice.sum", "what a counter has come to"),
    function("lattice.tag", "a text that names an operation"),
    function("lattice.named", "the texts of a list as the keys of a table, nil where there is none"),
    function("lattice.member", "what a map has under a name, nil where it is no map"),
    function("lattice.item", "what a list has at a place, counted from 0, or from the end by negative numbers"),
    function("lattice.items", "the values of a table as the keys of another, nil where one can't be a key"),
    function("lattice.key", "the value where it can be a key, else nil"),
    function("lattice.note", "a list of paths with one more"),
    function("lattice.conflict", "the state of conflicts in which an operation stands"),
    function("lattice.some", "the value, or nil where it is a table without entries"),
    function("lattice.refuse", "paths, and one more where there is a value"),
    function("lattice.refusal", "paths and rules of all that could not be taken"),
    function("lattice.copy", "a list like it"),
    function("lattice.emit_dispute", "emits a row where writes that nothing replaces differ"),
    function("lattice.conflicts", "joins conflicts"),
    function("lattice.emit_conflicts", "emits a row for each conflict"),
    function("lattice.hash", "the hash by which operations with one ULID are ordered"),
    function("lattice.within", "whether a resource's namespace and path lie within a glob"),
    namespace("graph", "graphs that rules rewrite"),
    function("graph.new", "a graph without nodes"),
    function("graph.try", "rewrites a graph by a rule, unless one before it did"),
    function("graph.conflict", "the conflict of an operation that no rule could follow"),
    function("graph.emit", "emits a row for each node and each edge"),
    namespace("json", "canonical JSON"),
    function("json.encode_canonical", "the canonical JSON of a value"),
    function("json.decode_strict", "the value of a JSON text"),
    refused("pairs", Code::LUA_PAIRS),
    refused("next", Code::LUA_NEXT),
    refused("setmetatable", Code::LUA_METATABLE),
    refused("getmetatable", Code::LUA_METATABLE),
    refused("rawequal", Code::LUA_RAW),
    refused("rawget", Code::LUA_RAW),
    refused("rawlen", Code::LUA_RAW),
    refused("rawset", Code::LUA_RAW),
    refused("coroutine", Code::LUA_COROUTINE),
    refused("os", Code::LUA_OS),
    refused("io", Code::LUA_IO),
    refused("debug", Code::LUA_DEBUG),
    refused("package", Code::LUA_PACKAGE),
    refused("require", Code::LUA_REQUIRE),
    refused("load", Code::LUA_LOAD),
    refused("loadstring", Code::LUA_LOAD),
    refused("loadfile", Code::LUA_LOAD),
    refused("dofile", Code::LUA_LOAD),
    refused("collectgarbage", Code::LUA_COLLECTGARBAGE),
    refused("print", Code::LUA_PRINT),
    refused("warn", Code::LUA_PRINT),
    refused("xpcall", Code::LUA_XPCALL),
    refused("_G", Code::LUA_GLOBALS),
    refused("_ENV", Code::LUA_ENVIRONMENT),
    refused("_VERSION", Code::LUA_VERSION),
];

/// Names by their text.
#[derive(Debug)]
pub struct Library {
    members: BTreeMap<&'static str, Member>,
}

impl Library {
    #[must_use]
    pub fn new() -> Library {
        Library { members: ENTRIES.iter().map(|entry| (entry.name, entry.member)).collect() }
    }

    /// What a name is; names with a dot are those of a namespace.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Member> {
        self.members.get(name).copied()
    }

    /// The names that may be used: those of a namespace without what stands before the dot, or those without a dot.
    pub fn names<'l>(&'l self, namespace: Option<&'l str>) -> impl Iterator<Item = &'l str> {
        self.members.iter().filter(|(_, member)| !matches!(member, Member::Refused(_))).filter_map(move |(name, _)| {
            match (namespace, name.split_once('.')) {
                (None, None) => Some(*name),
                (Some(wanted), Some((space, member))) if wanted == space => Some(member),
                (Some(_), _) | (None, Some(_)) => None,
            }
        })
    }
}

impl Default for Library {
    fn default() -> Library {
        Library::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_once_and_below_namespaces() {
        let library = Library::new();
        assert_eq!(library.members.len(), ENTRIES.len());
        for (name, _) in ENTRIES.iter().filter_map(|entry| entry.name.split_once('.')) {
            assert_eq!(library.get(name), Some(Member::Namespace), "{name}");
        }
    }
}
