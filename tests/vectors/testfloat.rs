//! Berkeley TestFloat's rows: each operation by the processor's arithmetic and by the software's, which is the law.

use crate::folder::{File, Folder};
use crate::judge::{Expected, Outcome, Report};
use crate::keep;
use crate::rules::Case;
use kerai_golden::case::Case as Golden;
use kerai_vm::number::Float;
use kerai_vm::number::float::{Rounding, soft};

/// The flag of an invalid operation.
const INVALID: u64 = 0x10;
/// The flags of an inexact and of an overflowing one.
const INEXACT: u64 = 0x05;

pub fn run(folder: &Folder, report: &mut Report) {
    for file in folder.files() {
        if file.extension() != "tv" {
            report.note(format!("not run: {}", file.path));
            continue;
        }
        rows(&file, report);
    }
}

fn rows(file: &File, report: &mut Report) {
    for (line, row) in file.text().lines().enumerate() {
        let numbers: Option<Vec<u64>> = row.split_whitespace().map(|cell| u64::from_str_radix(cell, 16).ok()).collect();
        let Some(numbers) = numbers else {
            report.note(format!("not a row: {}:{}", file.path, line + 1));
            continue;
        };
        if numbers.is_empty() {
            continue;
        }
        report.keep(&file.path, || narrow(file.stem(), *numbers.first()?));
        report.keep_expression(&file.path, keep::FLOAT, || expression(file.stem(), &numbers));
        let known = match *numbers.as_slice() {
            [a, expected, flags] => unary(file, line + 1, [a, expected, flags], report),
            [a, b, expected, flags] => binary(file, line + 1, [a, b, expected], flags, report),
            [a, b, c, expected, _] => ternary(file, line + 1, [a, b, c, expected], report),
            _ => false,
        };
        if !known {
            report.note(format!("no such operation: {}", file.path));
            return;
        }
    }
}

/// A float of another width as CBOR, where the row is about one.
fn narrow(operation: &str, bits: u64) -> Option<Golden> {
    let bytes = bits.to_be_bytes();
    let (head, width) = match operation {
        "f16_to_f64" => (0xf9, 2),
        "f32_to_f64" => (0xfa, 4),
        "f64_to_f16" | "f64_to_f32" => (0xfb, 8),
        _ => return None,
    };
    keep::document("cbor", &[&[head], bytes.get(bytes.len() - width..)?].concat())
}

/// The row's operation as Lua has it, if it does.
fn expression(operation: &str, numbers: &[u64]) -> Option<String> {
    let operand = |place: usize| numbers.get(place).copied().map(keep::float);
    let between = |sign: &str| Some(format!("{} {sign} {}", operand(0)?, operand(1)?));
    let of = |function: &str| Some(format!("{function}({})", operand(0)?));
    match operation {
        "f64_add" => between("+"),
        "f64_sub" => between("-"),
        "f64_mul" => between("*"),
        "f64_div" => between("/"),
        "f64_eq" => between("=="),
        "f64_lt" => between("<"),
        "f64_le" => between("<="),
        "f64_rem" => Some(format!("math.fmod({}, {})", operand(0)?, operand(1)?)),
        "f64_sqrt" => of("math.sqrt"),
        "f64_roundToInt_rmin" => of("math.floor"),
        "f64_roundToInt_rmax" => of("math.ceil"),
        "i64_to_f64" => Some(format!("float({})", numbers.first()?.cast_signed())),
        "ui64_to_f64" => Some(format!("float({})", numbers.first()?)),
        _ => None,
    }
}

fn float(bits: u64) -> Float {
    Float::from_bits(bits)
}

/// The mode that the end of a function's name says.
fn rounding(name: &str) -> Option<Rounding> {
    Some(match name {
        "rminMag" | "trunc" => Rounding::TowardZero,
        "rmin" | "floor" => Rounding::Down,
        "rmax" | "ceil" => Rounding::Up,
        "rnear_even" | "neareven" => Rounding::NearestEven,
        "rnear_maxMag" | "nearmaxmag" => Rounding::NearestAway,
        _ => return None,
    })
}

fn unary(file: &File, line: usize, [a, expected, flags]: [u64; 3], report: &mut Report) -> bool {
    let path = &file.path;
    if let Some(mode) = file.stem().strip_prefix("f64_roundToInt_").and_then(rounding) {
        let got = [float(a).round_to_integral(mode).to_bits(), soft::round_to_integral(a, mode)];
        report.equal(path, line, &[expected; 2], &got);
        return true;
    }
    if let Some(mode) = file.stem().strip_prefix("f64_to_i64_").and_then(rounding) {
        // NaN and what is out of range have no integer: the row's own answer is a processor's habit.
        let expected = (flags & INVALID == 0).then_some(expected.cast_signed());
        report.equal(path, line, &[expected; 2], &[float(a).to_i64(mode), soft::to_i64(a, mode)]);
        return true;
    }
    let is_exact = flags & INEXACT == 0;
    match file.stem() {
        "f64_sqrt" => {
            report.equal(path, line, &[expected; 2], &[float(a).square_root().to_bits(), soft::square_root(a)])
        }
        "i64_to_f64" => {
            let value = a.cast_signed();
            report.equal(
                path,
                line,
                &[expected; 2],
                &[Float::from_i64(value).to_bits(), soft::from_i128(value.into())],
            );
        }
        "ui64_to_f64" => {
            report.equal(path, line, &[expected; 2], &[Float::from_u64(a).to_bits(), soft::from_i128(a.into())])
        }
        "f64_to_f32" => {
            let got = (u64::from(float(a).to_f32_bits()), float(a).to_f32_bits_exact().map(u64::from));
            report.equal(path, line, &(expected, is_exact.then_some(expected)), &got);
        }
        "f64_to_f16" => {
            let got = (u64::from(float(a).to_f16_bits()), float(a).to_f16_bits_exact().map(u64::from));
            report.equal(path, line, &(expected, is_exact.then_some(expected)), &got);
        }
        "f32_to_f64" => {
            let got = u32::try_from(a).map(Float::from_f32_bits).map(Float::to_bits);
            report.equal(path, line, &Ok(expected), &got);
        }
        "f16_to_f64" => {
            let got = u16::try_from(a).map(Float::from_f16_bits).map(Float::to_bits);
            report.equal(path, line, &Ok(expected), &got);
        }
        _ => return false,
    }
    true
}

fn binary(file: &File, line: usize, [a, b, expected]: [u64; 3], _flags: u64, report: &mut Report) -> bool {
    let (x, y) = (float(a), float(b));
    let got = match file.stem() {
        "f64_add" => [x.add(y).to_bits(), soft::add(a, b)],
        "f64_sub" => [x.subtract(y).to_bits(), soft::subtract(a, b)],
        "f64_mul" => [x.multiply(y).to_bits(), soft::multiply(a, b)],
        "f64_div" => [x.divide(y).to_bits(), soft::divide(a, b)],
        "f64_eq" | "f64_eq_signaling" => [u64::from(x.equals(y)), u64::from(soft::equals(a, b))],
        "f64_lt" | "f64_lt_quiet" => [u64::from(x.less(y)), u64::from(soft::less(a, b))],
        "f64_le" | "f64_le_quiet" => [u64::from(x.less_equal(y)), u64::from(soft::less_equal(a, b))],
        "f64_rem" => {
            remainder(&file.path, line, a, b, expected, report);
            return true;
        }
        _ => return false,
    };
    report.equal(&file.path, line, &[expected; 2], &got);
    true
}

fn ternary(file: &File, line: usize, [a, b, c, expected]: [u64; 4], report: &mut Report) -> bool {
    if file.stem() != "f64_mulAdd" {
        return false;
    }
    let got = [float(a).multiply_add(float(b), float(c)).to_bits(), soft::multiply_add(a, b, c)];
    report.equal(&file.path, line, &[expected; 2], &got);
    true
}

/// kerai's remainder is that of the truncated quotient. Where the nearest quotient is the next one, IEEE's remainder
/// has the other sign, and is the truncated one less the divisor's magnitude: then that is asked for instead.
fn remainder(path: &str, line: usize, a: u64, b: u64, expected: u64, report: &mut Report) {
    let (x, y, want) = (float(a), float(b), float(expected));
    let got = x.truncate_remainder(y);
    let signs_differ = !want.is_nan() && !want.is_zero() && want.is_negative() != x.is_negative();
    // Both remainders lie on one grid, so that their sum with the divisor is exact.
    let truncated = want.add(y.absolute().copy_sign(x));
    let outcome = match soft::truncate_remainder(a, b) == got.to_bits() {
        true => Outcome::Gave(got.to_bits().to_be_bytes().to_vec()),
        false => Outcome::Broken("two remainders".to_owned()),
    };
    let nearest = nearest_remainder(x, y);
    if nearest.to_bits() != expected {
        return report.fail(
            path,
            line,
            format!("{expected:016x}"),
            format!("{:016x} from the truncated remainder", nearest.to_bits()),
        );
    }
    let content = Case::Remainder { rounds_away: signs_differ, truncated: truncated.to_bits() };
    report.judge(path, line, &content, &Expected::Gives(expected.to_be_bytes().to_vec()), &outcome);
}

/// IEEE's remainder by way of truncated ones.
fn nearest_remainder(x: Float, y: Float) -> Float {
    let magnitude = y.absolute();
    let twice = magnitude.add(magnitude);
    // Of a multiple of twice the divisor nothing but the quotient's parity matters.
    let rest = if twice.is_finite() && !magnitude.is_zero() {
        x.truncate_remainder(twice)
    } else {
        x.truncate_remainder(magnitude)
    };
    if rest.is_nan() || magnitude.is_infinite() {
        return rest;
    }
    let mut left = rest.absolute();
    // Compared without halving, which could round: left > magnitude − left.
    let past_half = |left: Float| magnitude.subtract(left).less(left);
    let at_half = |left: Float| magnitude.subtract(left).equals(left);
    if left.less_equal(magnitude) && past_half(left) {
        left = left.subtract(magnitude);
    } else if magnitude.less(left) {
        // The truncated quotient is odd, so that a tie goes on to the next one.
        left = left.subtract(magnitude);
        if past_half(left) || at_half(left) {
            left = left.subtract(magnitude);
        }
    }
    if rest.is_negative() { left.negate() } else { left }
}
