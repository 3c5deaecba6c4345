//! The rules under which kerai may differ from a vector: each by the case's content, with the design's sentence and what it predicts.

use crate::cbor_facts::CborFacts;
use crate::decimal::DecimalFacts;
use crate::json_facts::JsonFacts;
use crate::judge::Outcome;

/// The content of a case, as far as rules speak of it.
pub enum Case<'a> {
    /// A JSON document.
    Json(&'a JsonFacts),
    /// A well-formed CBOR item, whole.
    Cbor(&'a [u8], &'a CborFacts),
    /// A text with the codes for which kerai must refuse it.
    Text { is_unassigned: bool },
    /// A float and its ECMAScript text, with the same digits laid out plainly.
    FloatText { has_exponent: bool, plain: &'a str },
    /// A float's encoding, where the vector turns an integral float into an integer.
    Reduced { is_integral: bool, float_encoding: &'a [u8] },
    /// IEEE's remainder, whose quotient goes to the nearest integer: what the truncated quotient leaves instead.
    Remainder { rounds_away: bool, truncated: u64 },
    /// A decimal text, narrowed by way of the nearest binary64, which lies halfway between two narrow floats.
    Narrow { is_tie: bool, by_way_of_binary64: u32 },
    /// A word for NaN or an infinity.
    NotFiniteText,
    /// An operation on decimals.
    Decimal(&'a DecimalFacts),
    /// An elementary function that is not among the float's operations.
    AbsentFunction,
    /// A call or a literal of a WebAssembly script.
    Wasm(&'a WasmFacts),
    /// Whether a network has an address, where the network may be an address alone.
    Network { is_alone: bool, equals: bool, has_zone: bool },
    /// A text that may be an address or a network, with a zone, a netmask or zeros before its prefix.
    NetworkText { is_loose: bool },
    /// An expression of CEL.
    Cel(&'a CelFacts),
    /// Nothing that any rule speaks of.
    Plain,
}

/// What an expression of CEL holds that kerai takes otherwise, and what the naive evaluator makes of it.
pub struct CelFacts {
    /// Values are compared or computed with that are never of one kind.
    pub mixes_kinds: bool,
    /// Integers, unsigned integers and floats are computed with each other.
    pub mixes_numbers: bool,
    /// A list has items that are unlike what is looked for.
    pub mixes_items: bool,
    /// `and` and `or` join what is no condition.
    pub joins_no_conditions: bool,
    /// Truths are ordered.
    pub orders_bools: bool,
    /// There is a quotient or what it leaves.
    pub divides: bool,
    pub computes: bool,
    /// There is a float.
    pub has_double: bool,
    /// A number is beyond 64 bits with a sign.
    pub is_beyond_longs: bool,
    /// The size of a text is asked that is not ASCII.
    pub sizes_points: bool,
    /// It is asked whether a text is an address.
    pub asks_whether: bool,
    /// An address stands for a network, or is written in a way that kerai does not take.
    pub is_loose_network: bool,
    pub kerai: Outcome,
}

impl Default for CelFacts {
    fn default() -> CelFacts {
        let [mixes_kinds, mixes_numbers, joins_no_conditions, orders_bools, divides, computes] = [false; 6];
        let [has_double, is_beyond_longs, sizes_points, asks_whether, is_loose_network, mixes_items] = [false; 6];
        CelFacts {
            mixes_kinds,
            mixes_items,
            mixes_numbers,
            joins_no_conditions,
            orders_bools,
            divides,
            computes,
            has_double,
            is_beyond_longs,
            sizes_points,
            asks_whether,
            is_loose_network,
            kerai: Outcome::Absent,
        }
    }
}

/// Where WebAssembly's arithmetic and kerai's part, and what a model of kerai's gives.
pub struct WasmFacts {
    /// An integer left its 32 or 64 bits.
    pub has_grown: bool,
    /// There was a NaN with a sign or a payload.
    pub has_other_nan: bool,
    /// A float's literal has no digit before its dot.
    pub begins_with_dot: bool,
    /// A literal is beyond the greatest float.
    pub is_beyond_floats: bool,
    pub kerai: Outcome,
}

impl Default for WasmFacts {
    fn default() -> Self {
        let [has_grown, has_other_nan, begins_with_dot, is_beyond_floats] = [false; 4];
        WasmFacts { has_grown, has_other_nan, begins_with_dot, is_beyond_floats, kerai: Outcome::Absent }
    }
}

impl CelFacts {
    /// Whether it is refused when the policy is built.
    const fn is_refused(&self) -> bool {
        self.mixes_kinds || self.joins_no_conditions || self.orders_bools
    }
}

impl Case<'_> {
    /// What the rules that apply make of the case, refusals aside.
    pub fn mapped(&self) -> Option<Outcome> {
        match self {
            Case::Json(facts) => Some(Outcome::Gave(facts.kerai.clone())),
            Case::Cbor(input, _) => Some(Outcome::Gave(input.to_vec())),
            Case::FloatText { plain, .. } => Some(Outcome::Gave(plain.as_bytes().to_vec())),
            Case::Reduced { float_encoding, .. } => Some(Outcome::Gave(float_encoding.to_vec())),
            Case::Remainder { truncated, .. } => Some(Outcome::Gave(truncated.to_be_bytes().to_vec())),
            Case::Narrow { by_way_of_binary64, .. } => Some(Outcome::Gave(by_way_of_binary64.to_be_bytes().to_vec())),
            Case::Decimal(facts) => facts.mapped.clone().map(|text| Outcome::Gave(text.into_bytes())),
            Case::AbsentFunction => Some(Outcome::Absent),
            Case::Wasm(facts) => Some(facts.kerai.clone()),
            Case::Cel(facts) => Some(facts.kerai.clone()),
            Case::Network { equals, .. } => Some(Outcome::Gave(equals.to_string().into_bytes())),
            Case::Text { .. } | Case::NotFiniteText | Case::NetworkText { .. } | Case::Plain => None,
        }
    }

    /// Whether the content gives a reason to refuse by this code.
    fn gives_reason(&self, code: &str) -> bool {
        match self {
            Case::Json(facts) => facts.refusals.contains(code),
            Case::Cbor(_, facts) => facts.refusals.contains(code),
            Case::Decimal(facts) => facts.refusals.contains(code),
            Case::Text { is_unassigned } => *is_unassigned && code == "DATA_UNASSIGNED",
            Case::FloatText { .. } | Case::Reduced { .. } | Case::Remainder { .. } | Case::Narrow { .. } => false,
            Case::NotFiniteText | Case::AbsentFunction | Case::Wasm(_) | Case::Plain => false,
            Case::Network { .. } | Case::NetworkText { .. } | Case::Cel(_) => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prediction {
    /// kerai refuses with this code.
    Refuses(&'static str),
    /// kerai does what the rule makes of the case.
    Mapped,
}

pub struct Rule {
    pub name: &'static str,
    /// The sentence of the design that the rule follows.
    pub design: &'static str,
    pub applies: fn(&Case<'_>) -> bool,
    pub predicts: Prediction,
}

macro_rules! rules {
    ($($name:literal $design:literal, $predicts:expr, $applies:expr;)+) => {
        pub const RULES: &[Rule] = &[$(Rule { name: $name, design: $design, applies: $applies, predicts: $predicts }),+];
    };
}

/// Rules that refuse: the name, the sentence, the code; they apply where the content gives that reason.
macro_rules! refuses {
    ($code:literal) => {
        Prediction::Refuses($code)
    };
}

rules! {
    // Numbers, in every text and encoding.
    "number-range" "number is exact: coefficient × 10⁻ˢ with |value × 10¹⁸| ≤ 2¹²⁷ − 1; leaving the range traps; nothing outside number's range is rounded silently",
        refuses!("NUMBER_RANGE"), |case| case.gives_reason("NUMBER_RANGE");
    "number-places" "number is exact: coefficient × 10⁻ˢ with 0 ≤ s ≤ 18; nothing outside number's places is rounded silently",
        refuses!("NUMBER_PLACES"), |case| case.gives_reason("NUMBER_PLACES");
    "number-minus-zero" "number is always in lowest terms: one form a value, so an integral number is the integer",
        refuses!("NUMBER_MINUS_ZERO"), |case| case.gives_reason("NUMBER_MINUS_ZERO");
    "number-text" "every loop, depth and length has a named limit",
        refuses!("NUMBER_TEXT"), |case| case.gives_reason("NUMBER_TEXT");
    "number-syntax" "number is what `12.34` means in a source or a JSON payload: JSON's digits, without NaN, infinities and looser forms",
        refuses!("NUMBER_SYNTAX"), |case| case.gives_reason("NUMBER_SYNTAX");
    "number-division-by-zero" "number is exact, so there is no infinity or NaN to give; division by zero traps",
        refuses!("DIVISION_BY_ZERO"), |case| case.gives_reason("DIVISION_BY_ZERO");
    "number-18-places" "multiply and divide are computed exactly and rounded once, ties to even, at 18 places",
        Prediction::Mapped, |case| matches!(case, Case::Decimal(facts) if facts.exceeds_places);
    "number-no-precision" "add, subtract, compare are exact; multiply and divide are rounded once at 18 places: no context has a precision",
        Prediction::Mapped, |case| matches!(case, Case::Decimal(facts) if facts.exceeds_precision);
    "number-floors" "`//` and `%` floor",
        Prediction::Mapped, |case| matches!(case, Case::Decimal(facts) if facts.floors);
    "number-zero-has-no-sign" "one form a value: a result of minus zero is zero",
        Prediction::Mapped, |case| matches!(case, Case::Decimal(facts) if facts.is_minus_zero);

    // Text.
    "text-utf8" "unsigned sources and JSON are UTF-8; strings in canonical bytes are too",
        refuses!("DATA_UTF8"), |case| case.gives_reason("DATA_UTF8");
    "text-unassigned" "code points unassigned in the pinned Unicode version (noncharacters excepted) are refused",
        refuses!("DATA_UNASSIGNED"), |case| case.gives_reason("DATA_UNASSIGNED");
    "text-nfc" "signed or canonical bytes that aren't NFC are refused, never rewritten",
        refuses!("DATA_NFC"), |case| case.gives_reason("DATA_NFC");
    "data-depth" "strict decoding refuses depth over the limit",
        refuses!("DATA_DEPTH"), |case| case.gives_reason("DATA_DEPTH");
    "data-duplicate-key" "strict decoding refuses duplicate keys; two keys that become one trap",
        refuses!("DATA_DUPLICATE_KEY"), |case| case.gives_reason("DATA_DUPLICATE_KEY");

    // JSON.
    "json-lone-surrogate" "strict decoding refuses lone surrogates",
        refuses!("JSON_SURROGATE"), |case| case.gives_reason("JSON_SURROGATE");
    "json-exact-number" "number is exact, and JSON's numbers are plain digits without trailing zeros or exponent; JCS rounds to a double and writes exponents",
        Prediction::Mapped, |case| matches!(case, Case::Json(facts) if facts.is_rounded_by_jcs);
    "json-key-order" "JSON: keys sorted by UTF-8 bytes; JCS sorts by UTF-16 units",
        Prediction::Mapped, |case| matches!(case, Case::Json(facts) if facts.is_ordered_otherwise_by_jcs);
    "json-nfc" "unsigned sources and JSON are normalized to NFC on reading; JCS does no NFC",
        Prediction::Mapped, |case| matches!(case, Case::Json(facts) if facts.is_not_nfc);
    "json-float-text" "JSON: numbers in plain digits without exponent; floats as shortest plain decimals",
        Prediction::Mapped, |case| matches!(case, Case::FloatText { has_exponent: true, .. });

    // CBOR.
    "cbor-simple" "kinds: nil, bool, number, float, fixed, string, list, map, set, bytes: no undefined and no other simple values",
        refuses!("CBOR_SIMPLE"), |case| case.gives_reason("CBOR_SIMPLE");
    "cbor-tag" "integers beyond 64 bits by tags 2 and 3, decimals by tag 4; fixed, set and bytes by one table: no other tags",
        refuses!("CBOR_TAG"), |case| case.gives_reason("CBOR_TAG");
    "cbor-list-as-map" "a table is a list iff its keys are exactly 1..n, n ≥ 1",
        refuses!("DATA_LIST_AS_MAP"), |case| case.gives_reason("DATA_LIST_AS_MAP");
    "cbor-key-kind" "keys are bool, number, float, fixed or string, anything else traps",
        refuses!("DATA_KEY"), |case| case.gives_reason("DATA_KEY");
    "cbor-key-number" "as a map key, a float or fixed that equals an exact number becomes that number",
        refuses!("DATA_KEY_NUMBER"), |case| case.gives_reason("DATA_KEY_NUMBER");
    "cbor-float-width" "floats in the shortest form that keeps the value; decoders refuse every non-canonical form",
        refuses!("CBOR_FLOAT"), |case| case.gives_reason("CBOR_FLOAT");
    "cbor-nan" "float is IEEE-754 binary64, ties to even, one NaN",
        refuses!("CBOR_NAN"), |case| case.gives_reason("CBOR_NAN");
    "cbor-bignum" "integers beyond 64 bits by tags 2 and 3; decoders refuse every non-canonical form",
        refuses!("CBOR_BIGNUM"), |case| case.gives_reason("CBOR_BIGNUM");
    "cbor-tag-content" "integers beyond 64 bits by tags 2 and 3, in their one shape",
        refuses!("CBOR_TAG_CONTENT"), |case| case.gives_reason("CBOR_TAG_CONTENT");
    "cbor-key-order" "keys bytewise by encoding; decoders refuse every non-canonical form",
        refuses!("CBOR_KEY_ORDER"), |case| case.gives_reason("CBOR_KEY_ORDER");
    "cbor-long-head" "core deterministic encoding; decoders refuse every non-canonical form",
        refuses!("CBOR_LONG_HEAD"), |case| case.gives_reason("CBOR_LONG_HEAD");
    "cbor-indefinite" "core deterministic encoding; decoders refuse every non-canonical form",
        refuses!("CBOR_INDEFINITE"), |case| case.gives_reason("CBOR_INDEFINITE");
    "cbor-integral-float" "floats are never turned into integers: kinds that behave differently encode differently",
        Prediction::Mapped, |case| matches!(case, Case::Cbor(_, facts) if facts.has_integral_float);
    "cbor-wide-negative" "an integral number is the integer, to about ±1.7 × 10²⁰: a negative integer has 64 bits of argument like any other",
        Prediction::Mapped, |case| matches!(case, Case::Cbor(_, facts) if facts.has_wide_negative);
    "cbor-float-not-reduced" "floats in the shortest form that keeps the value, never turned into integers",
        Prediction::Mapped, |case| matches!(case, Case::Reduced { is_integral: true, .. });

    // Floats.
    "float-remainder" "`//` and `%` floor, and a float's remainder is that of the truncated quotient; IEEE's, of the nearest one, is not offered",
        Prediction::Mapped, |case| matches!(case, Case::Remainder { rounds_away: true, .. });
    "float-narrowing" "float is IEEE-754 binary64: text is read to binary64 once, a narrower form is made of the float",
        Prediction::Mapped, |case| matches!(case, Case::Narrow { is_tie: true, .. });
    "float-text-is-finite" "floats as shortest plain decimals; NaN and infinities have no text and trap",
        refuses!("NO_TEXT"), |case| matches!(case, Case::NotFiniteText);
    "float-function-absent" "elementary functions are correctly rounded or absent",
        Prediction::Mapped, |case| matches!(case, Case::AbsentFunction);

    // WebAssembly's integers and floats.
    "wasm-integers-grow" "number is exact, and an integral number is the integer; leaving the range traps, integers never wrap",
        Prediction::Mapped, |case| matches!(case, Case::Wasm(facts) if facts.has_grown);
    "wasm-one-nan" "float is IEEE-754 binary64, ties to even, one NaN",
        Prediction::Mapped, |case| matches!(case, Case::Wasm(facts) if facts.has_other_nan);
    "wasm-literal-dot" "float literals behave as in stock Lua, where a dot may come first",
        Prediction::Mapped, |case| matches!(case, Case::Wasm(facts) if facts.begins_with_dot);
    "wasm-literal-infinite" "float literals behave as in stock Lua, where one beyond the greatest float is infinite",
        Prediction::Mapped, |case| matches!(case, Case::Wasm(facts) if facts.is_beyond_floats);

    // Conditions.
    "policy-kinds-refused" "`==` and `<` compare values of one kind: what can never be known is found when the policy is built",
        refuses!("POLICY_KIND"), |case| {
            matches!(case, Case::Cel(facts) if facts.mixes_kinds || facts.joins_no_conditions || facts.orders_bools)
        };
    "policy-unlike-items" "missing, wrong kind … are unknown: an item of another kind leaves open what no other item settles",
        Prediction::Mapped, |case| matches!(case, Case::Cel(facts) if facts.mixes_items);
    "policy-numbers-are-one" "number is exact, and an integral number is the integer: kinds of numbers don't differ",
        Prediction::Mapped, |case| matches!(case, Case::Cel(facts) if !facts.is_refused() && facts.mixes_numbers);
    "policy-exact-division" "number is exact: `7/2` is `3.5`; `//` and `%` floor",
        Prediction::Mapped, |case| matches!(case, Case::Cel(facts) if !facts.is_refused() && facts.divides);
    "policy-integers-grow" "an integral number is the integer; leaving the range is unknown, integers never wrap",
        Prediction::Mapped, |case| {
            matches!(case, Case::Cel(facts) if !facts.is_refused() && facts.computes && facts.is_beyond_longs)
        };
    "policy-no-floats" "number is exact: it is what `12.34` means in a source; floats are asked for",
        Prediction::Mapped, |case| matches!(case, Case::Cel(facts) if !facts.is_refused() && facts.has_double);
    "policy-size-is-bytes" "strings are bytes",
        Prediction::Mapped, |case| matches!(case, Case::Cel(facts) if facts.sizes_points);
    "policy-no-validity" "in Kleene's logic a text that is no address leaves the condition unknown, never false",
        Prediction::Mapped, |case| matches!(case, Case::Cel(facts) if facts.asks_whether);
    "policy-network-spelling" "an address or `ADDRESS/BITS`, without leading zeros, zones or netmasks; an address alone is the network of itself",
        Prediction::Mapped, |case| matches!(case, Case::Cel(facts) if facts.is_loose_network);

    // Networks.
    "network-of-one-address" "an address or `ADDRESS/BITS`: an address alone is the network of itself",
        Prediction::Mapped, |case| matches!(case, Case::Network { is_alone: true, .. });
    "network-one-spelling" "an address or `ADDRESS/BITS`, without leading zeros, zones or netmasks",
        refuses!("UNKNOWN"), |case| {
            matches!(case, Case::NetworkText { is_loose: true } | Case::Network { has_zone: true, .. })
        };
}
