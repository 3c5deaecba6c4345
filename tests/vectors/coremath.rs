//! CORE-MATH's hardest inputs with correctly rounded results, for every function that floats offer.

use crate::folder::Folder;
use crate::judge::{Expected, Outcome, Report};
use crate::rules::Case;
use kerai_vm::number::Float;
use kerai_vm::number::float::soft;

/// A function of floats, by the name of its file.
enum Function {
    One(fn(Float) -> Float, fn(u64) -> u64),
    Absent,
}

/// The functions that kerai offers. A new one gets its line here, and its rows cease to differ.
fn function(name: &str) -> Function {
    match name {
        "sqrt" => Function::One(Float::square_root, soft::square_root),
        _ => Function::Absent,
    }
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
            match (&function, operands) {
                (Function::One(float, soft), [a]) => {
                    report.equal(
                        &file.path,
                        line + 1,
                        &[*expected; 2],
                        &[float(Float::from_bits(*a)).to_bits(), soft(*a)],
                    );
                }
                _ => report.judge(
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
