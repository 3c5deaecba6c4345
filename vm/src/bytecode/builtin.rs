//! The table of built-ins: number, name, how many arguments, base cost. Meanings stand in `execute/builtin.rs`.

macro_rules! builtins {
    ($($number:literal $name:literal $builtin:ident $least:literal $most:literal $cost:literal $about:literal;)+) => {
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

            /// The fewest and the most arguments.
            #[must_use]
            pub const fn arguments(self) -> (u8, u8) {
                match self { $(Builtin::$builtin => ($least, $most)),+ }
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
    };
}

builtins! {
    1 "emit" Emit 3 3 20 "emits a row: path, key, value";
    2 "type" Type 1 1 2 "the kind of a value as Lua names it";
    3 "tostring" ToString 1 1 10 "a value as text";
    4 "tonumber" ToNumber 1 1 10 "the number that a text is, or nil";
    5 "list" EmptyList 0 0 4 "an empty list";
    6 "count" Count 1 1 2 "how many entries a table has";
    16 "math.type" MathType 1 1 2 "integer, decimal, float, fixed, or nil";
    17 "math.floor" Floor 1 1 4 "the greatest integral value that is not greater";
    18 "math.ceil" Ceiling 1 1 4 "the least integral value that is not less";
    19 "math.abs" Absolute 1 1 2 "the value without its sign";
    20 "decimal" Decimal 1 1 10 "the exact number that a value is";
    21 "float" Float 1 1 10 "the value as a float, rounded once";
    22 "fixed" Fixed 1 1 10 "the value as a fixed-point number, rounded once";
    32 "string.len" StringLength 1 1 2 "how many bytes";
    33 "string.sub" StringPart 2 3 10 "the bytes from one position to another, counted from the end where negative";
    42 "math.sqrt" SquareRoot 1 1 20 "the square root as a float";
    48 "table.insert" TableInsert 2 3 10 "puts a value at the end, or at a position and the rest one further";
    49 "table.remove" TableRemove 1 2 10 "takes the last value, or that at a position and the rest one back";
    50 "table.concat" TableConcat 1 2 10 "the list's strings and numbers with a text between";
    51 "table.sort" TableSort 1 2 20 "sorts a list of numbers, or of strings, in place; or a list of anything, by a function that says whether its first argument comes before its second";
}
