//! What a decoder or encoder says when it refuses: a stable code, the place, and the limit that was passed.

use crate::limit::Limit;
use core::fmt;

macro_rules! codes {
    ($($code:ident $summary:literal, $explanation:literal;)+) => {
        /// A stable code: it never changes its meaning, and `kerai explain CODE` prints its page.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(non_camel_case_types, reason = "a code is written in code as users see it")]
        pub enum Code { $($code),+ }

        impl Code {
            /// All codes, in the order of the table.
            pub const ALL: &[Code] = &[$(Code::$code),+];

            /// The code as users see it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Code::$code => stringify!($code)),+ }
            }

            /// One line: what is wrong.
            #[must_use]
            pub const fn summary(self) -> &'static str {
                match self { $(Code::$code => $summary),+ }
            }

            /// Why it is refused and what to do.
            #[must_use]
            pub const fn explanation(self) -> &'static str {
                match self { $(Code::$code => $explanation),+ }
            }
        }
    };
}

codes! {
    DATA_TRUNCATED "the input ends inside a value",
        "A value was begun and its end is missing. Send the whole document; a copy cut short by a full disk or a lost connection looks like this.";
    DATA_TRAILING "bytes follow the value",
        "A document is one value and nothing else. Remove what follows it; for a stream of values use JSON Lines, one value a line.";
    DATA_DEPTH "nested too deeply",
        "Lists, maps and sets may nest only so deep, so that every decoder ends in bounded memory. Flatten the document.";
    DATA_STRING "the string is too long",
        "One string may hold only so many bytes. Split it, or keep large content outside and store its root.";
    DATA_VALUES "too many values in one document",
        "A document may hold only so many values, map keys included. Split it into several documents.";
    DATA_SIZE "the document is too large",
        "A document may hold only so many bytes. Split it into several documents.";
    DATA_UTF8 "the text is not UTF-8",
        "Text is UTF-8. Convert the source, or encode binary content as bytes.";
    DATA_NFC "the text is not in Unicode normalization form C",
        "Canonical bytes are refused, never rewritten: text in them must already be in NFC. Encode it with `kerai data canon`, which normalizes on reading.";
    DATA_UNASSIGNED "the text holds a code point that Unicode does not assign",
        "Code points that the profile's Unicode version leaves unassigned may get a meaning, and another normal form, later. Only assigned code points and noncharacters are taken.";
    DATA_DUPLICATE_KEY "a key stands twice in one map, or a member in one set",
        "A map has one value a key, a set each member once. Text that differs only before normalization is the same text. Remove one.";
    DATA_KEY "this kind of value cannot be a key",
        "Keys and set members are booleans, numbers, floats (but not NaN), fixed-point numbers and strings.";
    DATA_KEY_NUMBER "a float or fixed-point key that equals an exact number",
        "As a key, a float or fixed-point number that equals an exact number is that number, and a fixed-point number that equals a float is that float. Encode the plainer one.";
    DATA_LIST_AS_MAP "a map with the keys 1 to n is a list",
        "A table whose keys are exactly 1 to n is a list, and is encoded as one. Encode it as an array.";
    DATA_KIND "this kind of value has no encoding",
        "Functions live only while a program runs. Encode what describes them instead.";
    NUMBER_RANGE "the number is out of range",
        "An exact number times 10^18 must lie within 2^127 - 1, about 1.7 times 10^20. Nothing is rounded silently: write a smaller number, or a string.";
    NUMBER_PLACES "the number has too many decimal places",
        "An exact number has at most 18 decimal places. Nothing is rounded silently: round it where its meaning is known.";
    NUMBER_MINUS_ZERO "minus zero is no exact number",
        "An exact number has one form a value, and zero has no sign. Write `0`; a float keeps its sign only in CBOR.";
    NUMBER_SYNTAX "not a number",
        "A number is digits, with a fraction and an exponent if wished: `12`, `-3.5`, `1e6`. `nan` and `inf` are not numbers.";
    NUMBER_TEXT "the number's text is too long",
        "A number may be written with only so many characters.";
    CBOR_HEAD "a reserved head byte",
        "RFC 8949 reserves the additional information 28 to 30; no well-formed item has it.";
    CBOR_LONG_HEAD "a head longer than its argument needs",
        "Canonical CBOR writes every argument in the shortest head (RFC 8949, 4.2.1). Re-encode with `kerai data canon`.";
    CBOR_INDEFINITE "an item of indefinite length",
        "Canonical CBOR states every length (RFC 8949, 4.2.1). Re-encode with definite lengths.";
    CBOR_SIMPLE "a simple value other than false, true and null",
        "kerai's values have no `undefined` and no unassigned simple values. Use null.";
    CBOR_FLOAT "a float wider than its value needs",
        "Canonical CBOR writes a float in the shortest of 16, 32 and 64 bits that keeps its value.";
    CBOR_NAN "a NaN with a payload or a sign",
        "There is one NaN, encoded f97e00.";
    CBOR_TAG "a tag without a meaning here",
        "The tags are those of the value table: 2 and 3 (large integers), 4 (decimals), 5 (fixed-point numbers), 258 (sets), and in snapshots 27506 (strings that are not UTF-8).";
    CBOR_TAG_CONTENT "a tag around content of the wrong shape",
        "Tags 2 and 3 hold a byte string, 4 and 5 an array of exponent and mantissa, 258 an array.";
    CBOR_BIGNUM "a large integer that is not in its shortest form",
        "Integers that fit 64 bits are plain; tags 2 and 3 hold others, without leading zero bytes.";
    CBOR_DECIMAL "a decimal that is not in lowest terms",
        "Tag 4 holds a non-integral number: exponent -18 to -1, and a mantissa that 10 does not divide.";
    CBOR_FIXED "a fixed-point number that is not in lowest terms",
        "Tag 5 holds a fixed-point number: exponent -64 to 0, and an odd mantissa unless the exponent is 0.";
    CBOR_KEY_ORDER "the keys are not in order",
        "Canonical CBOR sorts a map's keys bytewise by their encodings, each once (RFC 8949, 4.2.1). The older rule of RFC 7049, shorter keys first, gives the same order for text keys only.";
    CBOR_SET_ORDER "the members are not in order",
        "A set's members stand in canonical order, each once.";
    CBOR_RAW_STRING "a raw string outside a snapshot, or one that is UTF-8",
        "Strings that are not UTF-8 can be kept in snapshots only, by tag 27506; text always has its own type.";
    JSON_SYNTAX "not JSON",
        "The text does not follow RFC 8259. Comments, trailing commas, single quotes and bare words are not JSON.";
    JSON_CONTROL "a control character inside a string",
        "Characters below U+0020 are written as escapes, `\\n` or `\\u0000`.";
    JSON_ESCAPE "an unknown escape",
        "The escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hexadecimal digits.";
    JSON_SURROGATE "half of a surrogate pair",
        "A code point beyond U+FFFF is escaped as a high and a low surrogate, in this order; neither stands alone.";
    VIEW_FLOAT "JSON cannot show NaN or infinity",
        "JSON is a view of values that have plain digits. Test for NaN and infinity before emitting, or keep the value in CBOR.";
    VIEW_KEYS "two keys look the same in JSON",
        "JSON's keys are strings, so the keys 1 and \"1\" coincide, and so do strings that differ only before normalization. Rename one, or keep the map in CBOR.";
    VIEW_TEXT "JSON cannot show a string that is not UTF-8",
        "Emitted text is UTF-8. Encode binary content as bytes.";
    STATE_SIZE "the snapshot is too large",
        "A snapshot of state may hold only so many bytes. Keep less in state: what only `finish` needs can often be a row.";
    STATE_VALUES "too many values in one snapshot",
        "A snapshot of state may hold only so many values, map keys included. Keep less in state.";
    STATE_FORM "not a snapshot of state",
        "A snapshot is a list: the state, then every table that it reaches, numbered in the order in which the snapshot first refers to them by tag 27507. Tables hold no tables, only references.";
    PROGRAM_FOLD "not a fold",
        "A fold is a program of the kind fold that exports `init`, `step` and `finish`.";
    PROGRAM_FIELD "a part of the program is missing, unknown or of the wrong kind",
        "A program is a map of profile, kind, constants, functions, exports, limits and rules, and of a fold's order, key and certificate where they say something; nothing more and nothing less. Build it again with `kerai build` or `kerai asm`.";
    PROGRAM_PROFILE "a profile that this build does not know",
        "The profile fixes bytecode version, gas schedule and numeric rules, so a program of a later profile can't be run by an earlier build. Use a newer kerai.";
    PROGRAM_LIMIT "a limit that is higher than the default",
        "A program may lower the limits of its runs, never raise them.";
    PROGRAM_SIZE "the program passes a limit on its size",
        "Functions, instructions and registers are limited so that checking a program ends soon. Split the function.";
    PROGRAM_CONSTANT "a constant that is unused, repeated or out of order",
        "Each constant stands once, in the order of its first use in the code, so that a program has one byte string.";
    PROGRAM_EXPORT "an export that is no name or no function",
        "Exports are names of letters, digits, underscores and dots, each of a function of the program that keeps no values.";
    PROGRAM_ORDER "an order that the program can't have",
        "Only a fold takes operations in an order, and only one that exports `lift` and `join` takes them in any.";
    PROGRAM_KEY "a key that the program can't have",
        "Only a fold's state falls into parts, by names from an operation to a value: not too many, and none empty.";
    PROGRAM_CERTIFICATE "a certificate that does not hold",
        "A certificate says what class the joins of a fold in the order `join` are of, and by what that is known; it is derived again before it is believed. Build the fold again.";
    CODE_OPERATION "an unknown operation",
        "The byte is not in this profile's instruction table, or the code ends inside a word.";
    CODE_UNTIDY "an unused operand that is not zero",
        "The bits of a word that an instruction does not use are zero, so that it has one form.";
    CODE_REGISTER "a register that the function does not have",
        "Registers are numbered from 0, and a window must lie within the function's registers.";
    CODE_INDEX "a constant, function, built-in or captured value that does not exist",
        "The operand points past the end of its table, or to something of another kind.";
    CODE_ARGUMENTS "a wrong number of arguments",
        "A built-in is called with a number of arguments that it does not take, or a closure keeps more or fewer values than its function.";
    CODE_TARGET "a jump to where no block begins",
        "A target is an instruction of the same function that no other falls into, except out of a branch.";
    CODE_END "the code runs past its end",
        "The last instruction of a function must return, raise or jump.";
    CODE_UNREACHABLE "an instruction that is never reached",
        "Code that can't run is left out, so that a program has one byte string.";
    CODE_UNASSIGNED "a register that is read before it is written",
        "On some way to this instruction nothing was put into the register.";
    ASSEMBLY_SYNTAX "not assembly text",
        "A line of assembly is a section header, a field, or an instruction with its operands, as `kerai show` prints them.";
    ULID_SYNTAX "not a ULID",
        "A ULID is 26 characters of Crockford's base 32 in capitals (0-9 and A-Z without I, L, O, U), the first at most 7.";
}

/// Where in the input a refusal stands. Line and column count from 1, the column in bytes; binary input has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    pub offset: usize,
    pub line: Option<usize>,
    pub column: Option<usize>,
    /// In a program's code: the function and the instruction.
    pub instruction: Option<(usize, usize)>,
}

/// A refusal: deterministic, and the same on every platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: Code,
    pub at: Position,
    pub limit: Option<Limit>,
}

impl Refusal {
    #[must_use]
    pub fn new(code: Code, offset: usize) -> Self {
        Refusal { code, at: Position { offset, ..Position::default() }, limit: None }
    }

    #[must_use]
    pub fn over(code: Code, offset: usize, limit: Limit) -> Self {
        Refusal { limit: Some(limit), ..Refusal::new(code, offset) }
    }

    /// A refusal of an instruction.
    #[must_use]
    pub fn of_instruction(code: Code, function: usize, instruction: usize) -> Self {
        let at = Position { instruction: Some((function, instruction)), ..Position::default() };
        Refusal { code, at, limit: None }
    }

    /// Adds line and column, counted in `source`.
    #[must_use]
    pub fn in_text(mut self, source: &[u8]) -> Self {
        let before = source.get(..self.at.offset).unwrap_or(source);
        let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        self.at.line = Some(1 + before.iter().filter(|&&b| b == b'\n').count());
        self.at.column = Some(before.len() - line_start + 1);
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.code.summary())?;
        if let Some(limit) = self.limit {
            write!(f, " (limit `{}` is {})", limit.name, limit.value)?;
        }
        if let Some((function, instruction)) = self.at.instruction {
            return write!(f, " in function {function}, instruction {instruction}");
        }
        match (self.at.line, self.at.column) {
            (Some(line), Some(column)) => write!(f, " at line {line}, column {column}"),
            _ => write!(f, " at byte {}", self.at.offset),
        }
    }
}

impl std::error::Error for Refusal {}
