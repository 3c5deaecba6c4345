//! The table of numeric operations: what each becomes in kerai's code, and what it means, told independently of that.

use super::literal::{NAN, wrap};
use super::model::{Arithmetic, Scalar};
use kerai_vm::trap::TrapCode;

/// What an operation becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lowering {
    /// The value as it is.
    Nothing,
    /// An instruction that writes its first register and reads the others.
    Instruction(&'static str),
    /// A comparison that gives true or false, which become 1 and 0.
    Test(Test),
    /// The same of what the operands are without a sign.
    UnsignedTest(Test),
    /// A comparison with 0.
    IsZero,
    Builtin(&'static str),
    /// A function of the prelude; after the operands comes the width, where the operation has one.
    Prelude(&'static str),
}

/// A comparing instruction, and whether its operands change places or its answer is negated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Test {
    pub instruction: &'static str,
    pub is_swapped: bool,
    pub is_negated: bool,
}

/// Where an operation's width comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    None,
    OfType,
    Of(u32),
}

type Meaning = fn(&mut Arithmetic, &[Scalar]) -> Result<Scalar, TrapCode>;

/// A row. A name that begins with `i` stands for both integer types.
pub struct Operation {
    name: &'static str,
    pub operands: usize,
    width: Width,
    pub lowering: Lowering,
    pub meaning: Meaning,
}

/// An operation with its width, which is 0 where it has none.
#[derive(Clone, Copy)]
pub struct Numeric {
    pub operation: &'static Operation,
    pub width: u32,
}

impl Operation {
    /// Whether wrapping before it and after it comes to the same as wrapping after it alone.
    pub fn is_ring(&self) -> bool {
        matches!(self.name, "i.add" | "i.sub" | "i.mul")
    }
}

pub fn find(name: &str) -> Option<Numeric> {
    let (kind, rest) = name.split_once('.')?;
    let width = match kind {
        "i32" => 32,
        "i64" => 64,
        _ => 0,
    };
    let is_named = |operation: &&Operation| {
        operation.name == name || (width != 0 && operation.name.strip_prefix("i.").is_some_and(|name| name == rest))
    };
    let operation = OPERATIONS.iter().find(is_named)?;
    let width = match operation.width {
        Width::None => 0,
        Width::OfType => width,
        Width::Of(width) => width,
    };
    Some(Numeric { operation, width })
}

const fn test(instruction: &'static str) -> Test {
    Test { instruction, is_swapped: false, is_negated: false }
}

const fn swapped(instruction: &'static str) -> Test {
    Test { instruction, is_swapped: true, is_negated: false }
}

const fn negated(instruction: &'static str) -> Test {
    Test { instruction, is_swapped: false, is_negated: true }
}

macro_rules! operations {
    ($($name:literal $operands:literal $width:expr, $lowering:expr, $meaning:expr;)+) => {
        const OPERATIONS: &[Operation] = &[$(Operation {
            name: $name,
            operands: $operands,
            width: $width,
            lowering: $lowering,
            meaning: $meaning,
        }),+];
    };
}

use Lowering::{Builtin, Instruction, IsZero, Nothing, Prelude, UnsignedTest};
use Width::{None as No, Of, OfType};

operations! {
    // Integers: these stay exact where WebAssembly's wrap.
    "i.add" 2 OfType, Instruction("add"), |by, of| integers(of).and_then(|[a, b]| by.grow(a.checked_add(b)));
    "i.sub" 2 OfType, Instruction("subtract"), |by, of| integers(of).and_then(|[a, b]| by.grow(a.checked_sub(b)));
    "i.mul" 2 OfType, Instruction("multiply"), |by, of| integers(of).and_then(|[a, b]| by.grow(a.checked_mul(b)));
    "i.div_s" 2 OfType, Prelude("divide_signed"), |by, of| {
        let [a, b] = integers(of)?;
        if b == 0 { Err(TrapCode::DIVISION) } else { by.grow_or_trap(a / b) }
    };
    "i.div_u" 2 OfType, Prelude("divide_unsigned"), |by, of| {
        let [a, b] = integers(of)?.map(|value| by.unsigned(value));
        if b == 0 { Err(TrapCode::DIVISION) } else { Ok(by.wrapped(a / b)) }
    };
    "i.rem_s" 2 OfType, Prelude("remainder_signed"), |_, of| {
        let [a, b] = integers(of)?;
        if b == 0 { Err(TrapCode::DIVISION) } else { Ok(Scalar::Integer(a % b)) }
    };
    "i.rem_u" 2 OfType, Prelude("remainder_unsigned"), |by, of| {
        let [a, b] = integers(of)?.map(|value| by.unsigned(value));
        if b == 0 { Err(TrapCode::DIVISION) } else { Ok(by.wrapped(a % b)) }
    };

    // Bits.
    "i.and" 2 OfType, Instruction("and"), |_, of| words(of).map(|[a, b]| Scalar::from(a & b));
    "i.or" 2 OfType, Instruction("or"), |_, of| words(of).map(|[a, b]| Scalar::from(a | b));
    "i.xor" 2 OfType, Instruction("exclusive-or"), |_, of| words(of).map(|[a, b]| Scalar::from(a ^ b));
    "i.shl" 2 OfType, Prelude("shift_left"), |by, of| {
        let [a, b] = words(of)?;
        Ok(by.wrapped(i128::from(a.wrapping_shl(by.places(b)))))
    };
    "i.shr_s" 2 OfType, Prelude("shift_right_signed"), |by, of| {
        let [a, b] = pair(of)?;
        Ok(Scalar::Integer(a.integer()? >> by.places(word(b)?)))
    };
    "i.shr_u" 2 OfType, Prelude("shift_right_unsigned"), |by, of| {
        let [a, b] = pair(of)?;
        let places = by.places(word(b)?);
        Ok(by.wrapped(i128::from(by.pattern(a.integer()?)? >> places)))
    };
    "i.rotl" 2 OfType, Prelude("rotate_left"), |by, of| {
        let [a, b] = pair(of)?;
        by.rotate_left(a.integer()?, by.places(word(b)?))
    };
    "i.rotr" 2 OfType, Prelude("rotate_right"), |by, of| {
        let [a, b] = pair(of)?;
        by.rotate_left(a.integer()?, (by.width - by.places(word(b)?)) % by.width)
    };
    "i.clz" 1 OfType, Prelude("leading_zeros"), |by, of| {
        let pattern = by.pattern(integer(of)?)?;
        Ok(Scalar::from(i64::from(pattern.leading_zeros() + by.width) - 64))
    };
    "i.ctz" 1 OfType, Prelude("trailing_zeros"), |by, of| {
        let pattern = by.pattern(integer(of)?)?;
        Ok(Scalar::from(i64::from(pattern.trailing_zeros().min(by.width))))
    };
    "i.popcnt" 1 OfType, Prelude("count_ones"), |by, of| {
        Ok(Scalar::from(i64::from(by.pattern(integer(of)?)?.count_ones())))
    };

    // Other widths.
    "i32.wrap_i64" 1 Of(32), Prelude("wrap"), |by, of| Ok(by.wrapped(integer(of)?));
    "i64.extend_i32_s" 1 No, Nothing, |_, of| integer(of).map(Scalar::Integer);
    "i64.extend_i32_u" 1 Of(32), Prelude("unsigned"), |by, of| Ok(Scalar::Integer(by.unsigned(integer(of)?)));
    "i.extend8_s" 1 Of(8), Prelude("wrap"), |by, of| Ok(by.wrapped(integer(of)?));
    "i.extend16_s" 1 Of(16), Prelude("wrap"), |by, of| Ok(by.wrapped(integer(of)?));
    "i64.extend32_s" 1 Of(32), Prelude("wrap"), |by, of| Ok(by.wrapped(integer(of)?));

    // Comparing.
    "i.eqz" 1 No, IsZero, |_, of| integer(of).map(|a| Scalar::from(a == 0));
    "i.eq" 2 No, Lowering::Test(test("equal")), |_, of| integers(of).map(|[a, b]| Scalar::from(a == b));
    "i.ne" 2 No, Lowering::Test(negated("equal")), |_, of| integers(of).map(|[a, b]| Scalar::from(a != b));
    "i.lt_s" 2 No, Lowering::Test(test("less")), |_, of| integers(of).map(|[a, b]| Scalar::from(a < b));
    "i.gt_s" 2 No, Lowering::Test(swapped("less")), |_, of| integers(of).map(|[a, b]| Scalar::from(a > b));
    "i.le_s" 2 No, Lowering::Test(test("at-most")), |_, of| integers(of).map(|[a, b]| Scalar::from(a <= b));
    "i.ge_s" 2 No, Lowering::Test(swapped("at-most")), |_, of| integers(of).map(|[a, b]| Scalar::from(a >= b));
    "i.lt_u" 2 OfType, UnsignedTest(test("less")), |by, of| by.unsigned_of(of).map(|[a, b]| Scalar::from(a < b));
    "i.gt_u" 2 OfType, UnsignedTest(swapped("less")), |by, of| by.unsigned_of(of).map(|[a, b]| Scalar::from(a > b));
    "i.le_u" 2 OfType, UnsignedTest(test("at-most")), |by, of| by.unsigned_of(of).map(|[a, b]| Scalar::from(a <= b));
    "i.ge_u" 2 OfType, UnsignedTest(swapped("at-most")), |by, of| by.unsigned_of(of).map(|[a, b]| Scalar::from(a >= b));
    "f64.eq" 2 No, Lowering::Test(test("equal")), |_, of| floats(of).map(|[a, b]| Scalar::from(a == b));
    "f64.ne" 2 No, Lowering::Test(negated("equal")), |_, of| floats(of).map(|[a, b]| Scalar::from(a != b));
    "f64.lt" 2 No, Lowering::Test(test("less")), |_, of| floats(of).map(|[a, b]| Scalar::from(a < b));
    "f64.gt" 2 No, Lowering::Test(swapped("less")), |_, of| floats(of).map(|[a, b]| Scalar::from(a > b));
    "f64.le" 2 No, Lowering::Test(test("at-most")), |_, of| floats(of).map(|[a, b]| Scalar::from(a <= b));
    "f64.ge" 2 No, Lowering::Test(swapped("at-most")), |_, of| floats(of).map(|[a, b]| Scalar::from(a >= b));

    // Floats.
    "f64.add" 2 No, Instruction("add"), |_, of| floats(of).map(|[a, b]| computed(a + b));
    "f64.sub" 2 No, Instruction("subtract"), |_, of| floats(of).map(|[a, b]| computed(a - b));
    "f64.mul" 2 No, Instruction("multiply"), |_, of| floats(of).map(|[a, b]| computed(a * b));
    "f64.div" 2 No, Instruction("divide"), |_, of| floats(of).map(|[a, b]| computed(a / b));
    "f64.min" 2 No, Prelude("minimum"), |_, of| floats(of).map(|[a, b]| computed(minimum(a, b)));
    "f64.max" 2 No, Prelude("maximum"), |_, of| floats(of).map(|[a, b]| computed(-minimum(-a, -b)));
    "f64.sqrt" 1 No, Prelude("square_root"), |_, of| float(of).map(|a| computed(a.sqrt()));
    "f64.floor" 1 No, Prelude("floor"), |_, of| float(of).map(|a| computed(a.floor()));
    "f64.ceil" 1 No, Prelude("ceiling"), |_, of| float(of).map(|a| computed(a.ceil()));
    "f64.trunc" 1 No, Prelude("truncate"), |_, of| float(of).map(|a| computed(a.trunc()));
    "f64.nearest" 1 No, Prelude("nearest"), |_, of| float(of).map(|a| computed(a.round_ties_even()));
    "f64.abs" 1 No, Builtin("math.abs"), |by, of| Ok(by.float(float(of)?.to_bits() & !SIGN));
    "f64.neg" 1 No, Instruction("negate"), |by, of| Ok(by.float(float(of)?.to_bits() ^ SIGN));
    "f64.copysign" 2 No, Prelude("copy_sign"), |by, of| {
        let [a, b] = floats(of)?.map(f64::to_bits);
        Ok(by.float(a & !SIGN | b & SIGN))
    };

    // Between integers and floats.
    "f64.convert_i32_s" 1 No, Builtin("float"), |_, of| integer(of).map(|a| computed(a as f64));
    "f64.convert_i64_s" 1 No, Builtin("float"), |_, of| integer(of).map(|a| computed(a as f64));
    "f64.convert_i32_u" 1 Of(32), Prelude("convert_unsigned"), |by, of| Ok(computed(by.unsigned(integer(of)?) as f64));
    "f64.convert_i64_u" 1 Of(64), Prelude("convert_unsigned"), |by, of| Ok(computed(by.unsigned(integer(of)?) as f64));
    "i.trunc_f64_s" 1 OfType, Prelude("to_integer"), |by, of| by.grow_or_trap(truncated(of)?);
    "i.trunc_f64_u" 1 OfType, Prelude("to_unsigned"), |by, of| {
        let value = truncated(of)?;
        if (0..1 << by.width).contains(&value) { Ok(by.wrapped(value)) } else { by.outside(value) }
    };
    "i.trunc_sat_f64_s" 1 OfType, Prelude("saturate_signed"), |by, of| {
        let half = 1_i128 << (by.width - 1);
        // The host's conversion saturates and takes NaN for 0, as is meant here.
        Ok(Scalar::Integer((float(of)? as i128).clamp(-half, half - 1)))
    };
    "i.trunc_sat_f64_u" 1 OfType, Prelude("saturate_unsigned"), |by, of| {
        Ok(by.wrapped((float(of)? as i128).clamp(0, (1 << by.width) - 1)))
    };
    "i64.reinterpret_f64" 1 No, Prelude("bits_of"), |_, of| Ok(Scalar::from(float(of)?.to_bits().cast_signed()));
    "f64.reinterpret_i64" 1 No, Prelude("float_of"), |by, of| Ok(by.float(word(first(of)?)?.cast_unsigned()));
}

const SIGN: u64 = 1 << 63;

/// The host's result with the NaN that an operation makes: which of them the host makes is its own affair.
fn computed(value: f64) -> Scalar {
    Scalar::Float(if value.is_nan() { NAN } else { value.to_bits() })
}

/// NaN if either is, and −0 is less than 0.
fn minimum(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    if a < b || (a == b && a.is_sign_negative()) { a } else { b }
}

/// The integer that a float is without its fraction, if it is any.
fn truncated(operands: &[Scalar]) -> Result<i128, TrapCode> {
    let value = float(operands)?.trunc();
    // The host's conversion is exact below 2^127; beyond, it saturates, which no exact number reaches either.
    if value.is_finite() { Ok(value as i128) } else { Err(TrapCode::RANGE) }
}

fn first(operands: &[Scalar]) -> Result<Scalar, TrapCode> {
    operands.first().copied().ok_or(TrapCode::ARGUMENTS)
}

fn pair(operands: &[Scalar]) -> Result<[Scalar; 2], TrapCode> {
    <[Scalar; 2]>::try_from(operands).map_err(|_| TrapCode::ARGUMENTS)
}

fn integer(operands: &[Scalar]) -> Result<i128, TrapCode> {
    first(operands)?.integer()
}

fn integers(operands: &[Scalar]) -> Result<[i128; 2], TrapCode> {
    let [a, b] = pair(operands)?;
    Ok([a.integer()?, b.integer()?])
}

fn float(operands: &[Scalar]) -> Result<f64, TrapCode> {
    first(operands)?.float()
}

fn floats(operands: &[Scalar]) -> Result<[f64; 2], TrapCode> {
    let [a, b] = pair(operands)?;
    Ok([a.float()?, b.float()?])
}

/// Bit operations take integers of 64 bits.
fn word(operand: Scalar) -> Result<i64, TrapCode> {
    i64::try_from(operand.integer()?).map_err(|_| TrapCode::NOT_INTEGER)
}

fn words(operands: &[Scalar]) -> Result<[i64; 2], TrapCode> {
    let [a, b] = pair(operands)?;
    Ok([word(a)?, word(b)?])
}

impl Arithmetic {
    fn unsigned(&self, value: i128) -> i128 {
        value.rem_euclid(1 << self.width)
    }

    fn unsigned_of(&self, operands: &[Scalar]) -> Result<[i128; 2], TrapCode> {
        Ok(integers(operands)?.map(|value| self.unsigned(value)))
    }

    fn wrapped(&self, value: i128) -> Scalar {
        Scalar::Integer(wrap(value, self.width))
    }

    /// How far a shift goes: the low bits of its operand.
    fn places(&self, by: i64) -> u32 {
        by.rem_euclid(i64::from(self.width)) as u32
    }

    /// The bits of an integer, those beyond its width zero.
    fn pattern(&self, value: i128) -> Result<u64, TrapCode> {
        if self.width == 64 {
            word(Scalar::Integer(value)).map(i64::cast_unsigned)
        } else {
            Ok(self.unsigned(value) as u64)
        }
    }

    fn rotate_left(&self, value: i128, places: u32) -> Result<Scalar, TrapCode> {
        let pattern = u128::from(self.pattern(value)?) << places;
        Ok(self.wrapped((pattern | pattern >> self.width).cast_signed()))
    }
}
