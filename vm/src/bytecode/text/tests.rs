//! Tests of the text form that goldens can't hold: programs that no verifier accepts, and every constant's digits.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::constant;
use crate::bytecode::{Constant, Function, Op, Program, Word};
use crate::number::{Fixed, parse_decimal};

const HEADER: &str = "profile 1\nkind words\nfunction parameters 1 registers 4\n";

fn program(code: &str) -> Program {
    Program::from_text(&format!("{HEADER}{code}\n")).unwrap()
}

fn assert_survives(program: &Program) {
    let text = program.to_text();
    assert_eq!(Program::from_text(&text).as_ref(), Ok(program), "{text}");
}

#[test]
fn every_constant_is_read_as_it_was_printed() {
    let mut constants = vec![Constant::Bytes(vec![0, 255]), Constant::Bytes(Vec::new())];
    constants.extend((0..=255).map(|byte| Constant::String([b'a', byte, b'"'].into())));
    let texts = ["", "\\", "é\u{301}", "\u{202e}x", "\u{a0}", "a\nb", "# no comment", "中"];
    constants.extend(texts.map(|text| Constant::String(text.as_bytes().into())));
    let floats =
        [0, 1, 1 << 63, 0x7ff0 << 48, 0xfff0 << 48, 0x7ff8 << 48, 0x3fb9_9999_9999_999a, 0x7fef_ffff_ffff_ffff];
    constants.extend(floats.map(Constant::Float));
    constants.extend(
        [0, 1, -1, i128::MAX, i128::MIN, 3 << 63, -(3 << 63)].map(|bits| Constant::fixed(Fixed::from_bits(bits))),
    );
    let numbers: [&[u8]; 4] = [b"0", b"-12.34", b"170141183460469231731", b"0.000000000000000001"];
    constants.extend(numbers.map(|text| Constant::Number(parse_decimal(text).unwrap())));
    for constant in constants {
        let text = constant::print(&constant);
        assert!(!text.contains('\n'));
        assert_eq!(constant::parse(&text), Some(constant), "{text}");
    }
}

#[test]
fn fixed_digits_that_would_be_rounded_are_refused() {
    let half_unit = format!("fixed(0.{}5)", "0".repeat(30));
    for text in ["fixed(0.1)", "fixed(9223372036854775808)", "fixed()", "fixed(.5)", "fixed(1.5e3)", &half_unit] {
        assert_eq!(constant::parse(text), None, "{text}");
    }
    assert_eq!(constant::parse("fixed(-9223372036854775808)"), Some(Constant::fixed(Fixed::from_bits(i128::MIN))));
}

#[test]
fn a_table_in_another_order_is_written_out() {
    let in_order = program("constants \"a\" \"b\"\nconstant r1 \"a\"\nget-field r1 r0 .b\nreturn r1 1");
    assert!(!in_order.to_text().contains("constants"));
    let mut program = program("constants \"b\" \"a\"\nconstant r1 \"a\"\nget-field r1 r0 $0\nreturn r1 1");
    assert!(program.to_text().contains("constants \"b\" \"a\""));
    assert_survives(&program);
    program.constants.push(Constant::String((*b"b").into()));
    assert_survives(&program);
    program.constants.clear();
    assert_survives(&program);
}

#[test]
fn words_that_no_instruction_can_say_are_kept() {
    let words = [0, u64::MAX, 0x0203, 0x0103, 0xff_0000_0002, 0x0100_0000_0000_0010, 0xffff_ffff_0001_002a];
    for word in words {
        let code = vec![Word(word), Word::new(Op::Return, 0, 0, 0, 0)];
        let function = Function { code, registers: 1, ..Function::default() };
        assert_survives(&Program { functions: vec![function], ..program("return r0 0") });
    }
}

#[test]
fn a_line_of_many_labels_needs_no_stack() {
    let labels: String = (0..100_000).map(|number| format!("@label{number}: ")).collect();
    assert_eq!(program(&format!("{labels}jump @label99999")), program("@0: jump @0"));
}

#[test]
fn what_is_no_assembly_is_refused_at_its_place() {
    let cases = [
        ("return r0", 4, 1),
        ("return r0 1 2", 4, 13),
        ("return r256 1", 4, 8),
        ("return +1 1", 4, 8),
        ("constant r0 \"a", 4, 13),
        ("constant r0 \"a\"b", 4, 13),
        ("jump @nowhere", 4, 6),
        ("@a:\n@a:", 5, 1),
        ("word 12", 4, 1),
        ("function 2", 4, 10),
        ("kind fold", 4, 1),
        ("limits gas 1 gas", 4, 14),
        ("limits gas 1 gas 2", 4, 14),
        ("rule \"a\" \"\\xff\"", 4, 10),
    ];
    for (line, row, column) in cases {
        let refusal = Program::from_text(&format!("{HEADER}{line}\n")).unwrap_err();
        assert_eq!((refusal.at.line, refusal.at.column), (Some(row), Some(column)), "{line}: {refusal}");
    }
    assert!(Program::from_text("kind fold").is_err());
    assert!(Program::from_text("return r0 1").is_err());
}
