//! Policies at work: what a program decides is held against a naive evaluator, with the index and without.

pub mod naive;

use kerai_compiler::explain::{Examiner, Explanation};
use kerai_compiler::ir::Ir;
use kerai_compiler::lower::policy::{Search, lower};
use kerai_compiler::syntax::policy::{check, tree::Policy};
use kerai_compiler::{Source, emit};
use kerai_vm::bytecode::Verified;
use kerai_vm::encoding::{Options, json};
use kerai_vm::value::{Heap, Value};

/// What a policy says to requests, a JSON object a line.
///
/// # Errors
/// Where a line is no request, or two ways to decide part.
pub fn run(source: &[u8], program: &Verified, requests: &str, seed: u64) -> Result<String, String> {
    let source = Source::read(source).map_err(|fault| fault.message.to_string())?;
    let policy = check(source.text()).map_err(|_| "the policy is refused".to_owned())?;
    let mut ways = Ways::new(&policy, program)?;
    let lines = requests.lines().filter(|line| !line.is_empty());
    let decided: Result<Vec<String>, String> =
        lines.map(|line| ways.decide_line(line, seed).map(|explanation| explanation.describe(source.text()))).collect();
    Ok(decided?.join("\n"))
}

/// A policy's program without its index.
///
/// # Errors
/// What stands in the way.
pub fn in_order(policy: &Policy) -> Result<Verified, String> {
    compiled(lower(policy, Search::InOrder))
}

/// A policy's program as it is built.
///
/// # Errors
/// What stands in the way.
pub fn indexed(policy: &Policy) -> Result<Verified, String> {
    compiled(lower(policy, Search::Indexed))
}

fn compiled(ir: Ir) -> Result<Verified, String> {
    let checked = ir.check().map_err(|found| format!("{found:?}"))?;
    let (program, _) = emit::emit(&checked).map_err(|found| format!("{found:?}"))?;
    program.verify().map_err(|refusal| refusal.to_string())
}

/// All ways to decide a request.
pub struct Ways<'p> {
    policy: &'p Policy,
    examiner: Examiner<'p>,
    plain: Verified,
}

impl<'p> Ways<'p> {
    /// The program must be the policy's.
    ///
    /// # Errors
    /// Where the policy can't be compiled without its index.
    pub fn new(policy: &'p Policy, program: &'p Verified) -> Result<Ways<'p>, String> {
        Ok(Ways { policy, examiner: Examiner::new(policy, program), plain: in_order(policy)? })
    }

    fn decide_line(&mut self, line: &str, seed: u64) -> Result<Explanation, String> {
        let mut heap = Heap::new(seed);
        let read = |heap: &mut Heap| {
            json::decode(heap, line.as_bytes(), &Options::CANONICAL).map_err(|refusal| format!("`{line}`: {refusal}"))
        };
        let request = read(&mut heap)?;
        let expected = naive::decide(self.policy, &naive::Datum::of(&heap, request));
        let first = read(self.examiner.heap())?;
        let found = agreed(&mut self.examiner, first, &expected).map_err(|fault| format!("{line}\n{fault}"))?;
        let mut plain = Examiner::new(self.policy, &self.plain);
        let request = read(plain.heap())?;
        agreed(&mut plain, request, &expected).map_err(|fault| format!("without the index, {line}\n{fault}"))?;
        Ok(found)
    }
}

/// What an examiner says, if it is what is expected.
///
/// # Errors
/// Where it is not.
pub fn agreed(examiner: &mut Examiner<'_>, request: Value, expected: &Explanation) -> Result<Explanation, String> {
    let (is_allowed, rules) = examiner.decide(request).map_err(|fault| format!("{fault:?}"))?;
    if is_allowed != expected.is_allowed || rules != expected.rules {
        return Err(format!("decided {is_allowed} by {rules:?}, and naively {expected:?}"));
    }
    let found = examiner.explain(request).map_err(|fault| format!("{fault:?}"))?;
    if found != *expected {
        return Err(format!("explained {found:?}\nand naively {expected:?}"));
    }
    Ok(found)
}
