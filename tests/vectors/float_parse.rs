//! Decimal texts with the bits of the nearest binary64, binary32 and binary16.

use crate::folder::Folder;
use crate::judge::{Expected, Outcome, Report};
use crate::keep;
use crate::rules::Case;
use kerai_vm::number::{Float, parse_decimal};

pub fn run(folder: &Folder, report: &mut Report) {
    for file in folder.files() {
        if file.extension() != "txt" {
            report.note(format!("not run: {}", file.path));
            continue;
        }
        for (line, row) in file.text().lines().enumerate() {
            let mut cells = row.split_whitespace();
            let mut bits = || u64::from_str_radix(cells.next()?, 16).ok();
            match (bits(), bits(), bits(), cells.next()) {
                (Some(half), Some(single), Some(double), Some(text)) => {
                    one(&file.path, line + 1, [half, single, double], text, report)
                }
                _ => report.note(format!("not a row: {}:{}", file.path, line + 1)),
            }
        }
    }
}

fn one(path: &str, line: usize, [half, single, double]: [u64; 3], text: &str, report: &mut Report) {
    report.keep_expression(path, keep::FLOAT, || Some(format!("float({})", keep::text(text.as_bytes()))));
    let is_finite_text = text.bytes().any(|byte| byte.is_ascii_digit());
    let read = Float::parse(text.as_bytes());
    if !is_finite_text {
        let outcome =
            read.map_or(Outcome::Refused("NO_TEXT"), |float| Outcome::Gave(float.to_bits().to_be_bytes().to_vec()));
        return report.judge(
            path,
            line,
            &Case::NotFiniteText,
            &Expected::Gives(double.to_be_bytes().to_vec()),
            &outcome,
        );
    }
    let Some(float) = read else {
        return report.fail(path, line, format!("{double:016x}"), format!("no float from `{text}`"));
    };
    if float.to_bits() != double {
        return report.fail(path, line, format!("{double:016x}"), format!("{:016x} from `{text}`", float.to_bits()));
    }
    let shortest = float.to_string();
    if float.is_finite() && Float::parse(shortest.as_bytes()).map(Float::to_bits) != Some(double) {
        return report.fail(
            path,
            line,
            format!("{double:016x}"),
            format!("`{shortest}`, which reads back as something else"),
        );
    }
    if let Ok(number) = parse_decimal(text.as_bytes())
        && number.to_float_bits() != double
    {
        return report.fail(
            path,
            line,
            format!("{double:016x}"),
            format!("{:016x} by way of an exact number", number.to_float_bits()),
        );
    }
    report.pass();
    narrow(
        path,
        format!("{line} as binary32"),
        Narrow { wanted: single, got: float.to_f32_bits(), of: Float::from_f32_bits, overflow: 128 },
        float,
        report,
    );
    let widen = |bits: u32| Float::from_f16_bits(u16::try_from(bits).unwrap_or(0x7e00));
    narrow(
        path,
        format!("{line} as binary16"),
        Narrow { wanted: half, got: u32::from(float.to_f16_bits()), of: widen, overflow: 16 },
        float,
        report,
    );
}

struct Narrow {
    wanted: u64,
    got: u32,
    of: fn(u32) -> Float,
    /// The exponent of the value that infinity stands for in rounding.
    overflow: u64,
}

/// A text narrowed by way of binary64 is rounded twice, which shows only where the first rounding made a tie.
fn narrow(path: &str, case: String, narrow: Narrow, float: Float, report: &mut Report) {
    let wanted = u32::try_from(narrow.wanted).unwrap_or(u32::MAX);
    let widen = |bits: u32| {
        let wide = (narrow.of)(bits);
        let overflow = Float::from_bits((1023 + narrow.overflow) << 52).copy_sign(wide);
        if wide.is_infinite() { overflow } else { wide }
    };
    let (below, above) = (widen(wanted), widen(narrow.got));
    let is_tie = wanted.abs_diff(narrow.got) == 1 && below.add(above).equals(float.add(float));
    // The second rounding takes ties to even.
    let even = if wanted.is_multiple_of(2) { wanted } else { narrow.got };
    let content = Case::Narrow { is_tie, by_way_of_binary64: even };
    let outcome = Outcome::Gave(narrow.got.to_be_bytes().to_vec());
    report.judge(path, case, &content, &Expected::Gives(wanted.to_be_bytes().to_vec()), &outcome);
}
