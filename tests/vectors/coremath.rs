//! CORE-MATH's hardest inputs with correctly rounded results, for every function that floats offer.

use crate::folder::Folder;
use crate::judge::{Expected, Outcome, Report};
use crate::keep;
use crate::rules::Case;
use kerai_vm::number::Float;

/// A function of floats, by the name of its file.
enum Function {
    One(fn(Float) -> Float),
    Two(fn(Float, Float) -> Float),
    Absent,
}

/// The functions that kerai offers. A new one gets its line here, and its rows cease to differ.
fn function(name: &str) -> Function {
    match name {
        "acos" => Function::One(Float::arc_cosine),
        "asin" => Function::One(Float::arc_sine),
        "atan" => Function::One(Float::arc_tangent),
        "atan2" => Function::Two(Float::arc_tangent_2),
        "cbrt" => Function::One(Float::cube_root),
        "cos" => Function::One(Float::cosine),
        "cosh" => Function::One(Float::hyperbolic_cosine),
        "exp" => Function::One(Float::exponential),
        "exp2" => Function::One(Float::exponential_2),
        "expm1" => Function::One(Float::exponential_less_one),
        "hypot" => Function::Two(Float::hypotenuse),
        "log" => Function::One(Float::logarithm),
        "log2" => Function::One(Float::logarithm_2),
        "log10" => Function::One(Float::logarithm_10),
        "pow" => Function::Two(Float::power),
        "sin" => Function::One(Float::sine),
        "sinh" => Function::One(Float::hyperbolic_sine),
        "sqrt" => Function::One(Float::square_root),
        "tan" => Function::One(Float::tangent),
        "tanh" => Function::One(Float::hyperbolic_tangent),
        _ => Function::Absent,
    }
}

/// The function as Lua has it, if it does.
fn expression(name: &str, operands: &[u64]) -> Option<String> {
    let operand = |place: usize| operands.get(place).copied().map(keep::float);
    let first = operand(0)?;
    Some(match name {
        "acos" | "asin" | "atan" | "cos" | "exp" | "log" | "sin" | "sqrt" | "tan" => format!("math.{name}({first})"),
        "atan2" => format!("math.atan({first}, {})", operand(1)?),
        "log2" | "log10" => format!("math.log({first}, {})", name.trim_start_matches("log")),
        "pow" => format!("{first} ^ {}", operand(1)?),
        _ => return None,
    })
}

pub fn run(folder: &Folder, report: &mut Report) {
    for file in folder.files() {
        if file.extension() != "tv" {
            report.note(format!("not run: {}", file.path));
            continue;
        }
        let function = function(file.stem());
        for (line, row) in file.text().lines().enumerate() {
            let numbers: Option<Vec<u64>> =
                row.split_whitespace().map(|cell| u64::from_str_radix(cell, 16).ok()).collect();
            let Some((expected, operands)) = numbers.as_deref().and_then(<[u64]>::split_last) else {
                report.note(format!("not a row: {}:{}", file.path, line + 1));
                continue;
            };
            report.keep_expression(&file.path, keep::FLOAT, || expression(file.stem(), operands));
            let result = match (&function, operands) {
                (Function::One(function), [a]) => Some(function(Float::from_bits(*a))),
                (Function::Two(function), [a, b]) => Some(function(Float::from_bits(*a), Float::from_bits(*b))),
                _ => None,
            };
            match result {
                Some(float) => report.equal(&file.path, line + 1, &[*expected], &[float.to_bits()]),
                None => report.judge(
                    &file.path,
                    line + 1,
                    &Case::AbsentFunction,
                    &Expected::Gives(expected.to_be_bytes().to_vec()),
                    &Outcome::Absent,
                ),
            }
        }
    }
}
