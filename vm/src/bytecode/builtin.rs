//! THE table of built-ins: number, name, meaning, arguments, results, cost. Verifier, assembler, dispatch and the
//! reference page derive from it; a new built-in is a row here and a function in `execute/library/`.

/// As many arguments as there are.
pub const ANY: u8 = u8::MAX;

/// How many results a built-in gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    Nothing,
    One,
    /// As many as come out, perhaps none.
    Many,
}

/// Whether a call can be exchanged for its results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purity {
    /// It depends on nothing but its arguments, makes no table, and changes nothing: equal arguments, equal results.
    Pure,
    /// It reads tables, but makes and changes none.
    Reads,
    /// It makes or changes a table, or emits.
    Acts,
}

macro_rules! builtins {
    ($($number:literal $name:literal $builtin:ident $family:ident::$function:ident
        $least:literal $most:tt $gives:ident $purity:ident $cost:literal $about:literal;)+) => {
        /// A function that every program can call, by its number in canonical code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u16)]
        pub enum Builtin { $(#[doc = $about] $builtin = $number),+ }

        impl Builtin {
            pub const ALL: &[Builtin] = &[$(Builtin::$builtin),+];

            #[must_use]
            pub const fn of(number: u32) -> Option<Builtin> {
                match number { $($number => Some(Builtin::$builtin),)+ _ => None }
            }

            #[must_use]
            pub const fn number(self) -> u32 {
                self as u32
            }

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Builtin::$builtin => $name),+ }
            }

            /// The fewest and the most arguments; [`ANY`] where there is no most.
            #[must_use]
            pub const fn arguments(self) -> (u8, u8) {
                match self { $(Builtin::$builtin => ($least, $most)),+ }
            }

            #[must_use]
            pub const fn gives(self) -> Gives {
                match self { $(Builtin::$builtin => Gives::$gives),+ }
            }

            #[must_use]
            pub const fn purity(self) -> Purity {
                match self { $(Builtin::$builtin => Purity::$purity),+ }
            }

            /// Gas beside what the call itself costs; bulk work is charged by size on top.
            #[must_use]
            pub const fn cost(self) -> u64 {
                match self { $(Builtin::$builtin => $cost),+ }
            }

            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Builtin::$builtin => $about),+ }
            }
        }

        /// Expands `$action!` with the rows' meanings: how the machine makes its dispatch of the table.
        macro_rules! each_builtin {
            ($action:ident $context:tt) => { $action! { $context $([$builtin $family $function $gives])+ } };
        }
        pub(crate) use each_builtin;
    };
}

impl Builtin {
    /// Whether it takes so many arguments.
    #[must_use]
    pub const fn takes(self, count: usize) -> bool {
        let (least, most) = self.arguments();
        count >= least as usize && (most == ANY || count <= most as usize)
    }
}

// The numbers are explicit, a block a family: moving a row moves no hash. A number is never used again for another meaning.
builtins! {
    1 "type" Type convert::type_name 1 1 One Pure 2 "the kind of a value as Lua names it";
    2 "kind" Kind convert::kind 1 1 One Reads 2 "the kind of a value: nil, bool, number, float, fixed, string, bytes, list, map, set or function";
    3 "tostring" ToString convert::to_string 1 1 One Reads 10 "a value as text";
    4 "tonumber" ToNumber convert::to_number 1 2 One Pure 10 "the exact number that a text is, in a base from 2 to 36 if one is given, or nil";
    5 "tonumber-float" ToNumberFloat convert::to_number_float 1 2 One Pure 10 "as tonumber, but a text that is written as no integer is a float";
    6 "decimal" Decimal convert::decimal 1 1 One Pure 10 "the exact number that a value or a text is";
    7 "float" Float convert::float 1 1 One Pure 10 "the value, or what a text says, as a float, rounded once";
    8 "fixed" Fixed convert::fixed 1 1 One Pure 10 "the value, or what a text says, as a fixed-point number, rounded once";
    9 "count" Count table::count 1 1 One Reads 2 "how many entries a table has";
    10 "compare" Compare order::compare 2 2 One Reads 4 "-1, 0 or 1: where the first value stands to the second in canonical order";

    32 "math.type" MathType math::math_type 1 1 One Pure 2 "integer, decimal, float, fixed, or nil";
    33 "math.floor" Floor math::floor 1 1 One Pure 4 "the greatest integral value that is not greater; of a float an integer if it fits 64 bits";
    34 "math.ceil" Ceiling math::ceiling 1 1 One Pure 4 "the least integral value that is not less; of a float an integer if it fits 64 bits";
    35 "math.abs" Absolute math::absolute 1 1 One Pure 2 "the value without its sign";
    36 "math.max" Maximum math::maximum 1 ANY One Pure 4 "the greatest of the arguments, the first of equals";
    37 "math.min" Minimum math::minimum 1 ANY One Pure 4 "the least of the arguments, the first of equals";
    38 "math.fmod" Remainder math::remainder 2 2 One Pure 8 "what a division leaves whose quotient is rounded towards zero";
    39 "math.modf" Parts math::parts 1 1 Many Pure 4 "the integral part, of a float an integer if it fits 64 bits, and the rest, of the value's kind";
    40 "math.tointeger" ToInteger math::to_integer 1 1 One Pure 2 "the integer that a number is, or nil";
    41 "math.ult" UnsignedLess math::unsigned_less 2 2 One Pure 2 "whether an integer of 64 bits is less than another when both are taken without sign";
    42 "math.sqrt" SquareRoot math::square_root 1 1 One Pure 20 "the square root as a float";
    43 "math.exp" Exponential math::exponential 1 1 One Pure 4000 "e to the power of the value as a float";
    44 "math.log" Logarithm math::logarithm 1 2 One Pure 4000 "the logarithm as a float: natural, or to a base; other bases than 2 and 10 divide two natural ones";
    45 "math.sin" Sine math::sine 1 1 One Pure 4000 "the sine as a float";
    46 "math.cos" Cosine math::cosine 1 1 One Pure 4000 "the cosine as a float";
    47 "math.tan" Tangent math::tangent 1 1 One Pure 4000 "the tangent as a float";
    48 "math.asin" ArcSine math::arc_sine 1 1 One Pure 4000 "the arc sine as a float";
    49 "math.acos" ArcCosine math::arc_cosine 1 1 One Pure 4000 "the arc cosine as a float";
    50 "math.atan" ArcTangent math::arc_tangent 1 2 One Pure 4000 "the angle of y and x as a float; x is 1 if it is not given";
    51 "math.deg" Degrees math::degrees 1 1 One Pure 8 "an angle in degrees as a float";
    52 "math.rad" Radians math::radians 1 1 One Pure 8 "an angle in radians as a float";

    64 "string.len" StringLength string::length 1 1 One Pure 2 "how many bytes";
    65 "string.sub" StringPart string::part 2 3 One Pure 10 "the bytes from one position to another, counted from the end where negative";
    66 "string.byte" StringByte string::byte 1 3 Many Pure 8 "the bytes from one position to another, as numbers";
    67 "string.char" StringChar string::char 0 ANY One Pure 8 "the string of these bytes";
    68 "string.rep" StringRepeat string::repeat 2 3 One Pure 10 "the string so many times, with another between";
    69 "string.reverse" StringReverse string::reverse 1 1 One Pure 8 "the bytes from the last to the first";
    70 "string.upper" StringUpper string::upper 1 1 One Pure 8 "with the letters a to z in upper case";
    71 "string.lower" StringLower string::lower 1 1 One Pure 8 "with the letters A to Z in lower case";
    72 "string.find" StringFind search::find 2 4 Many Pure 10 "where a pattern, or a plain text, first matches: from, to, captures; or nil";
    73 "string.match" StringMatch search::find_captures 2 3 Many Pure 10 "the captures of a pattern's first match, the match itself if it has none; or nil";
    74 "gmatch-next" NextMatch search::next_match 3 4 Many Pure 10 "the next match from a position; the last argument is where the match before ended, or nil. Gives where this one ended, and its captures; or nil";
    75 "string.gsub" StringReplace search::replace 3 4 Many Reads 10 "the string with matches replaced by a text or by what a table holds for them, and how many there were";
    76 "gsub-next" NextReplaced search::next_replaced 3 4 Many Pure 10 "as gmatch-next with an anchor for a pattern that has one. Gives where the match begins, where it ended, and its captures; or nil";
    77 "string.format" StringFormat format::format 1 ANY One Reads 10 "the arguments as a format says";

    96 "utf8.char" Utf8Char utf8::char 0 ANY One Pure 8 "the text of these code points";
    97 "utf8.codepoint" Utf8Codepoint utf8::codepoint 1 4 Many Pure 8 "the code points that begin from one position to another";
    98 "utf8.len" Utf8Length utf8::length 1 4 Many Pure 8 "how many code points begin from one position to another; or nil and where it is no UTF-8";
    99 "utf8.offset" Utf8Offset utf8::offset 2 3 One Pure 8 "where the n-th code point from a position begins, or nil";
    100 "utf8.codes-next" Utf8Next utf8::next 2 3 Many Pure 8 "the position and the code point after the one at a position, 0 for the first; or nil";

    128 "table.insert" TableInsert table::insert 2 3 Nothing Acts 10 "puts a value at the end, or at a position and the rest one further";
    129 "table.remove" TableRemove table::remove 1 2 One Acts 10 "takes the last value, or that at a position and the rest one back";
    130 "table.concat" TableConcat table::concat 1 4 One Reads 10 "the strings and numbers from one position to another with a text between";
    131 "table.sort" TableSort table::sort 1 2 Nothing Acts 20 "sorts a list of numbers, or of strings, in place; or a list of anything, by a function that says whether its first argument comes before its second";
    132 "table.pack" TablePack table::pack 0 ANY One Acts 8 "a table of the arguments, with their number as `n`";
    133 "table.unpack" TableUnpack table::unpack 1 3 Many Reads 8 "the values from one position to another";
    134 "table.move" TableMove table::shift 4 5 One Acts 10 "copies the values from one position to another to a third, of another table if one is given";
    135 "dvalues" Values table::values 1 1 One Acts 8 "the list of a table's values in canonical order of their keys";
    136 "dsort" Sorted order::sorted 1 1 One Acts 20 "a new list with a list's values, or a set's members, in canonical order";

    160 "list" NewList table::list 0 ANY One Acts 4 "a list of the arguments; empty, it is a list all the same";
    161 "set" NewSet set::set 0 ANY One Acts 8 "a set of the arguments";
    162 "set.has" SetHas set::has 2 2 One Reads 8 "whether a set has a member";
    163 "set.members" SetMembers set::members 1 1 One Acts 8 "the list of a set's members in canonical order";
    164 "set.with" SetWith set::with 1 ANY One Acts 8 "a new set with further members";
    165 "set.without" SetWithout set::without 1 ANY One Acts 8 "a new set without some members";
    166 "set.union" SetUnion set::union 2 2 One Acts 8 "the set of what either set has";
    167 "set.intersection" SetIntersection set::intersection 2 2 One Acts 8 "the set of what both sets have";
    168 "set.difference" SetDifference set::difference 2 2 One Acts 8 "the set of what the first set has and the second has not";

    192 "json.encode_canonical" JsonEncode json::encode 1 1 One Reads 20 "a value as canonical JSON";
    193 "json.decode_strict" JsonDecode json::decode 1 1 One Acts 20 "the value of a JSON document, read strictly";

    208 "emit" Emit emit::emit 3 3 Nothing Acts 20 "emits a row: path, key, value";
    209 "emit_json_canonical" EmitJson emit::emit_document 2 2 Nothing Acts 20 "emits a row for each key of a map, or one row with the empty key for another value";

    224 "rng.new" RandomNew random::new 1 1 One Acts 8 "a generator of numbers from a seed, as a list of the seed and how much was drawn";
    225 "rng.next" RandomNext random::next 2 3 One Acts 200 "the next integer of a generator, from 1 or the second argument up to the last";

    240 "total.field" TotalField total::field 2 2 One Reads 2 "what a map holds under a key, or nil";
    241 "total.of" TotalOf total::of 2 2 One Reads 2 "the value if it is of the kind that is named, or nil; a set counts as a list";
    242 "total.equal" TotalEqual total::equal 2 2 One Reads 2 "whether two scalars of one kind are equal; of others nil";
    243 "total.less" TotalLess total::less 2 2 One Pure 2 "whether a number or string is less than another; of others nil";
    244 "total.at-most" TotalAtMost total::at_most 2 2 One Pure 2 "whether a number or string is at most another; of others nil";
    245 "total.add" TotalAdd total::add 2 2 One Pure 2 "the sum of two exact numbers, or nil";
    246 "total.subtract" TotalSubtract total::subtract 2 2 One Pure 2 "the difference of two exact numbers, or nil";
    247 "total.multiply" TotalMultiply total::multiply 2 2 One Pure 2 "the product of two exact numbers, or nil";
    248 "total.divide" TotalDivide total::divide 2 2 One Pure 4 "the quotient of two exact numbers, or nil";
    249 "total.floor-divide" TotalFloorDivide total::floor_divide 2 2 One Pure 4 "the quotient of two exact numbers rounded down, or nil";
    250 "total.modulo" TotalModulo total::modulo 2 2 One Pure 4 "what a division that is rounded down leaves, or nil";
    251 "total.includes" TotalIncludes total::includes 2 2 One Reads 4 "whether a list has an item; true or nil for a key of a map; nil where an item of another kind leaves it open";
    252 "total.contains" TotalContains total::contains 2 2 One Reads 4 "as total.includes, and of a string whether it has a part";
    253 "total.starts" TotalStarts total::starts 2 2 One Pure 2 "whether a string begins with another; of others nil";
    254 "total.ends" TotalEnds total::ends 2 2 One Pure 2 "whether a string ends with another; of others nil";
    255 "total.matches" TotalMatches total::matches 2 2 One Pure 8 "whether a path is of a form, where `*` is one segment and `**` any number; of others nil";
    256 "total.within" TotalWithin total::within 2 2 One Pure 20 "whether an address or a network is in a network; nil where either is none";
    257 "total.size" TotalSize total::size 1 1 One Reads 2 "how many items a list has, or bytes a string; of others nil";
    258 "total.lower" TotalLower total::lower 1 1 One Pure 8 "the string with the letters A to Z in lower case; of others nil";
    259 "total.item" TotalItem total::item 2 2 One Reads 4 "as total.includes, but of nothing but lists";
    260 "lattice.hash" OperationHash operation::hash 3 3 One Reads 60 "the hash of type, resource and payload by which operations with one ULID are ordered";
    261 "lattice.within" Within operation::within 2 2 One Pure 10 "whether a resource's namespace and path lie within a glob";
}
