//! Roots of golden programs: they stay where a source is written in another way, and move where it does another thing.
//!
//! `KERAI_SEED` names another seed; `KERAI_LONG=1` asks for 1,000 rewrites, mutants and inputs of each program.

use kerai_compiler::ir::{CheckedIr, Ir};
use kerai_compiler::{Language, Source, compile, emit};
use kerai_golden::case::Case;
use kerai_golden::files;
use kerai_tests::differential::{Call, evaluate, with_room};
use kerai_tests::generate::{self, Soft, input};
use kerai_tests::property::{Random, Run};
use kerai_tests::tokens::{mutated, tokens, written};
use kerai_tests::{rewrite, rewrite_lua};
use kerai_vm::bytecode::Program;
use std::path::Path;

/// A program that a golden case has.
struct Golden {
    name: String,
    language: Language,
    text: String,
    program: Program,
    ir: Ir,
}

fn compiled(language: Language, text: &str) -> Option<(Ir, Program)> {
    let source = Source::read(text.as_bytes()).ok()?;
    let ir = compile::ir(language, &source).ok()?;
    let program = emitted(&ir.clone().check().ok()?)?;
    Some((ir, program))
}

fn emitted(checked: &CheckedIr) -> Option<Program> {
    emit::emit(checked).ok().map(|(program, _)| program)
}

/// Every source of a golden case that is a program.
fn golden_programs() -> Vec<Golden> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden");
    let mut programs = Vec::new();
    for file in files::list(&directory).expect("golden cases") {
        let case: Case = file.read().expect("a case");
        for section in case.sections() {
            let Some(language) = Language::of_ending(section.name()) else { continue };
            let text = section.content();
            // What is refused there is no program, and of nothing nothing can be changed.
            if let Some((ir, program)) = compiled(language, &text).filter(|_| !tokens(language, &text).is_empty()) {
                programs.push(Golden { name: file.name.clone(), language, text, program, ir });
            }
        }
    }
    assert!(programs.len() > 20, "only {} golden programs", programs.len());
    programs
}

#[test]
fn rewrites_keep_roots() {
    with_room(|| {
        let programs = golden_programs();
        let run = Run::new("rewrites of each golden program", 20, 1000);
        let mut random = Random::new(run.seed);
        let all: Vec<_> = programs.iter().map(|golden| tokens(golden.language, &golden.text)).collect();
        run.each(|_| {
            for (golden, tokens) in programs.iter().zip(&all) {
                let text = match golden.language {
                    Language::Lua => {
                        let tokens = rewrite_lua::rewritten(tokens, &mut random);
                        written(golden.language, &tokens, &mut random)
                    }
                    Language::Ir | Language::Policy | Language::Yaml => written(golden.language, tokens, &mut random),
                };
                let again = compiled(golden.language, &text);
                let again = again.unwrap_or_else(|| panic!("{}: this is refused:\n{text}", golden.name)).1;
                assert_eq!(again.to_text(), golden.program.to_text(), "{}:\n{text}", golden.name);
                assert_eq!(again, golden.program);
                let renamed = rewrite::renamed(&golden.ir, &mut random);
                let again = renamed.check().ok().as_ref().and_then(emitted);
                assert_eq!(again.as_ref(), Some(&golden.program), "{} under other names", golden.name);
            }
        });
    });
}

/// An input on which two programs part, if one of so many does.
fn parting(a: &Ir, b: &Ir, inputs: u64, random: &mut Random) -> Option<Call> {
    const MANY: [Soft; 3] = [Soft::Any, Soft::Number, Soft::Map];
    for _ in 0..inputs {
        for (export, function) in &a.exports {
            let parameters =
                a.functions.get(function.0 as usize).map_or(0, |function| function.lambda.parameters.len());
            let softs: Vec<Soft> = (0..parameters).map(|_| *random.pick(&MANY)).collect();
            let call = Call { export: export.clone(), input: input(random, &softs) };
            let endings = [a, b].map(|ir| if ir.exports.contains_key(export) { evaluate(ir, &call) } else { None });
            if let [Some(first), Some(second)] = &endings
                && first != second
            {
                return Some(call);
            }
        }
    }
    None
}

#[test]
fn mutants_that_do_another_thing_have_another_root() {
    with_room(|| {
        let programs = golden_programs();
        let run = Run::new("mutants of each golden program", 40, 1000);
        let inputs = if std::env::var("KERAI_LONG").is_ok_and(|value| value == "1") { 1000 } else { 20 };
        let mut random = Random::new(run.seed);
        let (mut refused, mut moved, mut same) = (0_u64, 0_u64, 0_u64);
        run.each(|_| {
            for golden in &programs {
                let mutant = mutated(golden.language, &tokens(golden.language, &golden.text), &mut random);
                let text = written(golden.language, &mutant, &mut random);
                match compiled(golden.language, &text) {
                    None => refused += 1,
                    // What the root tells apart need not be told apart by running it.
                    Some((_, program)) if program != golden.program => moved += 1,
                    Some((ir, _)) => {
                        same += 1;
                        if let Some(call) = parting(&golden.ir, &ir, inputs, &mut random) {
                            panic!("{} keeps its root, but {call:?} parts it from\n{text}", golden.name);
                        }
                    }
                }
            }
        });
        println!("{refused} mutants were refused, {moved} have another root, {same} the same");
        assert!(moved > 0 && same > 0);
    });
}

/// As for golden programs, on those that nobody wrote: what the compiler takes for the same must do the same.
#[test]
fn mutants_of_generated_programs_too() {
    with_room(|| {
        let run = Run::new("mutants of generated programs", 2_000, 200_000);
        let mut random = Random::new(run.seed);
        let (mut moved, mut same) = (0_u64, 0_u64);
        run.each(|_| {
            let ir = rewrite::numbered(&generate::program(&mut random).ir);
            let Some(program) = ir.clone().check().ok().as_ref().and_then(emitted) else { return };
            let mutant = mutated(Language::Ir, &tokens(Language::Ir, &ir.to_text()), &mut random);
            let text = written(Language::Ir, &mutant, &mut random);
            match compiled(Language::Ir, &text) {
                Some((mutant, other)) if other == program => {
                    same += 1;
                    if let Some(call) = parting(&ir, &mutant, 20, &mut random) {
                        panic!("the root is the same, but {call:?} parts\n{}\nfrom\n{text}", ir.to_text());
                    }
                }
                Some(_) => moved += 1,
                None => {}
            }
        });
        println!("{moved} mutants have another root, {same} the same");
        assert!(moved > 0 && same > 0);
    });
}
