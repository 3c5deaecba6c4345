//! THE table of pure words: name, meaning, effect on the stack, what it does. Checks, lowering, help and the reference
//! page derive from it; what merely moves items means what its effect says.

use crate::ir::{Binary, Unary};
use kerai_vm::bytecode::{Builtin, Gives};
use std::borrow::Cow;

/// A word that every source knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    pub name: &'static str,
    pub meaning: Meaning,
    /// `a b -- b a`: what it takes and what it leaves, the top last.
    pub effect: Cow<'static, str>,
    pub about: &'static str,
}

/// What a word does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Moves items as its effect says.
    Shuffle,
    True,
    False,
    Nil,
    Unary(Unary),
    Binary(Binary),
    And,
    Or,
    Join,
    Index,
    Builtin(Builtin),
    /// A function of the part of the library that is written in Lua.
    Prelude(&'static str),
    Raise,
    Combinator(Combinator),
    /// Takes all items there are.
    Clear,
    /// How many items there are.
    Depth,
}

/// A word that runs quotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combinator {
    Call,
    Dip,
    If,
    When,
    Unless,
    While,
    Times,
    Each,
    Map,
    Filter,
    Fold,
}

impl Combinator {
    /// How many items it takes below its quotations, as far as the table says.
    #[must_use]
    pub const fn items(self) -> usize {
        match self {
            Combinator::Call | Combinator::While => 0,
            Combinator::Dip | Combinator::If | Combinator::When | Combinator::Unless | Combinator::Times => 1,
            Combinator::Each | Combinator::Map | Combinator::Filter => 1,
            Combinator::Fold => 2,
        }
    }

    /// How many quotations it takes.
    #[must_use]
    pub const fn quotations(self) -> usize {
        match self {
            Combinator::If | Combinator::While => 2,
            Combinator::Call | Combinator::Dip | Combinator::When | Combinator::Unless | Combinator::Times => 1,
            Combinator::Each | Combinator::Map | Combinator::Filter | Combinator::Fold => 1,
        }
    }
}

macro_rules! words {
    ($($name:literal $meaning:expr, $effect:literal, $about:literal;)+) => {
        /// All words of the table, in its order.
        pub const ALL: &[Word] = &[$(Word { name: $name, meaning: $meaning, effect: Cow::Borrowed($effect), about: $about }),+];
    };
}

use Combinator::{Call, Dip, Each, Filter, Fold, If, Map, Times, Unless, When, While};
use Meaning::{Prelude, Shuffle};

words! {
    "dup" Shuffle, "a -- a a", "the top item twice";
    "drop" Shuffle, "a --", "takes the top item away";
    "swap" Shuffle, "a b -- b a", "the two topmost items exchanged";
    "over" Shuffle, "a b -- a b a", "the second item again, on the top";
    "rot" Shuffle, "a b c -- b c a", "the third item to the top";
    "nip" Shuffle, "a b -- b", "takes the second item away";
    "tuck" Shuffle, "a b -- b a b", "the top item again, below the second";
    "clear" Meaning::Clear, "… --", "takes all items away";
    "depth" Meaning::Depth, "… -- … number", "how many items there are";
    "+" Meaning::Binary(Binary::Add), "number number -- number", "the sum";
    "-" Meaning::Binary(Binary::Subtract), "number number -- number", "the difference";
    "*" Meaning::Binary(Binary::Multiply), "number number -- number", "the product";
    "/" Meaning::Binary(Binary::Divide), "number number -- number", "the quotient, rounded at 18 places";
    "//" Meaning::Binary(Binary::FloorDivide), "number number -- number", "the quotient rounded down";
    "%" Meaning::Binary(Binary::Modulo), "number number -- number", "what `//` leaves";
    "^" Meaning::Binary(Binary::Power), "number number -- number", "the power";
    "neg" Meaning::Unary(Unary::Negate), "number -- number", "the number with the other sign";
    "abs" Meaning::Builtin(Builtin::Absolute), "number -- number", "the number without its sign";
    "floor" Meaning::Builtin(Builtin::Floor), "number -- number", "the greatest integer that is not greater";
    "ceil" Meaning::Builtin(Builtin::Ceiling), "number -- number", "the least integer that is not less";
    "min" Meaning::Builtin(Builtin::Minimum), "number number -- number", "the lesser one";
    "max" Meaning::Builtin(Builtin::Maximum), "number number -- number", "the greater one";
    "bit.and" Meaning::Binary(Binary::BitAnd), "number number -- number", "the bits that both integers have";
    "bit.or" Meaning::Binary(Binary::BitOr), "number number -- number", "the bits that either integer has";
    "bit.xor" Meaning::Binary(Binary::BitExclusiveOr), "number number -- number", "the bits that one of the integers has";
    "bit.not" Meaning::Unary(Unary::Complement), "number -- number", "the bits that the integer has not";
    "bit.left" Meaning::Binary(Binary::ShiftLeft), "number number -- number", "the bits so many places up";
    "bit.right" Meaning::Binary(Binary::ShiftRight), "number number -- number", "the bits so many places down";
    "=" Meaning::Binary(Binary::Equal), "a b -- bool", "whether both are the same value; a list or map is only itself";
    "==" Meaning::Binary(Binary::Equal), "a b -- bool", "as `=`";
    "!=" Meaning::Binary(Binary::Different), "a b -- bool", "whether they are different values";
    "~=" Meaning::Binary(Binary::Different), "a b -- bool", "as `!=`";
    "<" Meaning::Binary(Binary::Less), "a b -- bool", "whether the first number, or text, is less";
    "<=" Meaning::Binary(Binary::AtMost), "a b -- bool", "whether the first number, or text, is at most the second";
    ">" Meaning::Binary(Binary::Greater), "a b -- bool", "whether the first number, or text, is greater";
    ">=" Meaning::Binary(Binary::AtLeast), "a b -- bool", "whether the first number, or text, is at least the second";
    "and" Meaning::And, "a b -- c", "the first if it is nil or false, else the second";
    "or" Meaning::Or, "a b -- c", "the first unless it is nil or false, else the second";
    "not" Meaning::Unary(Unary::Not), "a -- bool", "whether it is nil or false";
    "true" Meaning::True, "-- bool", "what holds";
    "false" Meaning::False, "-- bool", "what does not hold";
    "nil" Meaning::Nil, "-- nil", "nothing";
    "kind" Meaning::Builtin(Builtin::Kind), "a -- text", "the kind of a value";
    "text" Meaning::Builtin(Builtin::ToString), "a -- text", "the value as text";
    "number" Meaning::Builtin(Builtin::ToNumber), "a -- b", "the exact number that a text is, or nil";
    "float" Meaning::Builtin(Builtin::Float), "a -- number", "the value, or what a text says, as a float";
    "fixed" Meaning::Builtin(Builtin::Fixed), "a -- number", "the value, or what a text says, as a fixed-point number";
    "get" Meaning::Index, "table a -- b", "what a list holds at a position, from 1, or a map under a key; or nil";
    "set" Prelude("words_set"), "table a b -- table", "the list or map with a value at a position or under a key";
    "has" Prelude("words_has"), "table a -- bool", "whether there is something at the position or under the key";
    "keys" Meaning::Unary(Unary::Keys), "table -- table", "the positions of a list or the keys of a map, sorted";
    "values" Meaning::Builtin(Builtin::Values), "table -- table", "the values in the order of their keys";
    "count" Meaning::Builtin(Builtin::Count), "table -- number", "how many entries there are";
    "length" Meaning::Unary(Unary::Length), "a -- number", "how many items a list has, or bytes a text";
    "append" Prelude("words_append"), "table a -- table", "the list with an item behind its last";
    "concat" Prelude("words_concat"), "table table -- table", "the items of a list, then those of another";
    "reverse" Prelude("words_reverse"), "a -- b", "a list, or a text, from its end to its beginning";
    "sort" Meaning::Builtin(Builtin::Sorted), "table -- table", "the values of a list in canonical order";
    "range" Prelude("words_range"), "number number -- table", "the list of the integers from one to another";
    "sum" Prelude("words_sum"), "table -- number", "the sum of the values";
    "map" Meaning::Combinator(Map), "table [a -- b] -- table", "the list of what a quotation leaves for each value";
    "filter" Meaning::Combinator(Filter), "table [a -- bool] -- table", "the list of the values for which a quotation leaves neither nil nor false";
    "fold" Meaning::Combinator(Fold), "table a [a b -- a] -- a", "what a quotation makes of a first item and each value in turn";
    "each" Meaning::Combinator(Each), "table [a --] --", "runs a quotation with each value on the top";
    ".." Meaning::Join, "a b -- text", "two texts, or numbers, as one text";
    "upper" Meaning::Builtin(Builtin::StringUpper), "text -- text", "with the letters a to z in upper case";
    "lower" Meaning::Builtin(Builtin::StringLower), "text -- text", "with the letters A to Z in lower case";
    "trim" Prelude("words_trim"), "text -- text", "without blanks at both ends";
    "slice" Meaning::Builtin(Builtin::StringPart), "text number number -- text", "the bytes from one position to another, from the end where negative";
    "repeat" Meaning::Builtin(Builtin::StringRepeat), "text number -- text", "the text so many times";
    "split" Prelude("words_split"), "text text -- table", "the parts of a text between a separator";
    "join" Meaning::Builtin(Builtin::TableConcat), "table text -- text", "texts and numbers of a list with a separator between";
    "replace" Prelude("words_replace"), "text text text -- text", "a text with each occurrence of a second replaced by a third";
    "contains" Meaning::Builtin(Builtin::TotalContains), "a b -- c", "whether a text has a part, or a list an item";
    "starts" Meaning::Builtin(Builtin::TotalStarts), "text text -- bool", "whether the first text begins with the second";
    "ends" Meaning::Builtin(Builtin::TotalEnds), "text text -- bool", "whether the first text ends with the second";
    "json.encode" Meaning::Builtin(Builtin::JsonEncode), "a -- text", "the value as canonical JSON";
    "json.decode" Meaning::Builtin(Builtin::JsonDecode), "text -- a", "the value of a JSON document";
    "emit" Meaning::Builtin(Builtin::Emit), "text text a --", "emits a row: path, key, value";
    "error" Meaning::Raise, "a --", "ends with a value that says why";
    "call" Meaning::Combinator(Call), "… [… -- …] -- …", "runs a quotation";
    "dip" Meaning::Combinator(Dip), "… a [… -- …] -- … a", "runs a quotation below the top item";
    "if" Meaning::Combinator(If), "… a [… -- …] [… -- …] -- …", "runs the first quotation unless the item is nil or false, else the second";
    "when" Meaning::Combinator(When), "… a [… -- …] -- …", "runs a quotation unless the item is nil or false";
    "unless" Meaning::Combinator(Unless), "… a [… -- …] -- …", "runs a quotation if the item is nil or false";
    "while" Meaning::Combinator(While), "… [… -- … a] [… -- …] -- …", "runs the second quotation as long as the first leaves neither nil nor false";
    "times" Meaning::Combinator(Times), "… number [… -- …] -- …", "runs a quotation so many times";
}

/// Families of built-ins that are words by their own names.
const FAMILIES: &[&str] = &["math", "string", "utf8", "set", "total"];

/// The word of a name: of the table, or a built-in that takes and gives exactly so much.
#[must_use]
pub fn word(name: &str) -> Option<Word> {
    ALL.iter().find(|word| word.name == name).cloned().or_else(|| {
        let (family, _) = name.split_once('.').filter(|(family, _)| FAMILIES.contains(family))?;
        let builtin = Builtin::ALL.iter().copied().find(|builtin| builtin.name() == name)?;
        let (least, most) = builtin.arguments();
        let takes = ["a", "a b", "a b c"].get(usize::from(least).checked_sub(1)?)?;
        let is_exact = least == most && builtin.gives() == Gives::One && !family.is_empty();
        let effect = Cow::Owned(format!("{takes} -- {}", ["b", "c", "d"].get(usize::from(least) - 1)?));
        is_exact.then_some(Word {
            name: builtin.name(),
            meaning: Meaning::Builtin(builtin),
            effect,
            about: builtin.about(),
        })
    })
}

/// The names of all words, those of built-ins too.
pub fn names() -> impl Iterator<Item = &'static str> {
    let is_further = |name: &&str| word(name).is_some() && ALL.iter().all(|word| word.name != *name);
    let built_in = Builtin::ALL.iter().map(|builtin| builtin.name()).filter(is_further);
    ALL.iter().map(|word| word.name).chain(built_in)
}

/// Whether words stand under a name as under a library: `math` of `math.floor`.
#[must_use]
pub fn is_library(name: &str) -> bool {
    let is_under = |word: &str| word.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    names().any(is_under) || super::host::ALL.iter().any(|word| is_under(word.name))
}
