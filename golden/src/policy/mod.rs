//! Policies at work: what a program decides is held against a naive evaluator, with the index and without.

pub mod naive;
pub mod price;

use kerai_compiler::explain::{Examiner, Explanation};
use kerai_compiler::ir::Ir;
use kerai_compiler::lower::policy::{Search, lower, lower_prices};
use kerai_compiler::price::{Quote, quote};
use kerai_compiler::syntax::policy as syntax;
use kerai_compiler::syntax::policy::tree::{Policy, Pricing, Rules};
use kerai_compiler::{Source, emit};
use kerai_vm::bytecode::{Limits, Verified};
use kerai_vm::encoding::{Options, json};
use kerai_vm::execute::Machine;
use kerai_vm::value::{Heap, Value};
use naive::Datum;

/// What a policy says to requests, a JSON object a line.
///
/// # Errors
/// Where a line is no request, or two ways to decide part.
pub fn run(source: &[u8], program: &Verified, requests: &str, seed: u64) -> Result<String, String> {
    let source = Source::read(source).map_err(|fault| fault.message.to_string())?;
    let lines = requests.lines().filter(|line| !line.is_empty());
    let policy = match syntax::read(source.text()).map_err(|_| "the policy is refused".to_owned())? {
        Rules::Policy(policy) => policy,
        Rules::Pricing(pricing) => {
            let priced: Result<Vec<String>, String> = lines.map(|line| price_line(&pricing, program, line)).collect();
            return Ok(priced?.join("\n"));
        }
    };
    let mut ways = Ways::new(&policy, program)?;
    let decided: Result<Vec<String>, String> =
        lines.map(|line| ways.decide_line(line, seed).map(|explanation| explanation.describe(source.text()))).collect();
    Ok(decided?.join("\n"))
}

/// What a price list says to a request, which must be what it says naively.
fn price_line(pricing: &Pricing, program: &Verified, line: &str) -> Result<String, String> {
    let mut machine = Machine::new(program, 0, Limits::DEFAULT);
    let request = json::decode(machine.heap(), line.as_bytes(), &Options::CANONICAL);
    let request = request.map_err(|refusal| format!("`{line}`: {refusal}"))?;
    let expected = price::price(pricing, &Datum::of(machine.values(), request));
    priced(&mut machine, request, &expected).map(|quote| quote.describe()).map_err(|fault| format!("{line}\n{fault}"))
}

/// What a price list's program says, if it is what is expected and adds up.
///
/// # Errors
/// Where it is not.
pub fn priced(machine: &mut Machine, request: Value, expected: &price::Bill) -> Result<Quote, String> {
    let quote = quote(machine, request).map_err(|fault| fault.to_string())?;
    let found = price::Bill::of(&quote);
    if found != *expected {
        return Err(format!("priced {found:?}\nand naively {expected:?}"));
    }
    if !found.adds_up() {
        return Err(format!("the terms don't come to the price: {found:?}"));
    }
    Ok(quote)
}

/// A price list's program.
///
/// # Errors
/// What stands in the way.
pub fn pricing(pricing: &Pricing) -> Result<Verified, String> {
    compiled(lower_prices(pricing))
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
        let mut examiner = Examiner::new(policy, program);
        examiner.prepare();
        Ok(Ways { policy, examiner, plain: in_order(policy)? })
    }

    fn decide_line(&mut self, line: &str, seed: u64) -> Result<Explanation, String> {
        let mut heap = Heap::new(seed);
        let read = |heap: &mut Heap| {
            json::decode(heap, line.as_bytes(), &Options::CANONICAL).map_err(|refusal| format!("`{line}`: {refusal}"))
        };
        let request = read(&mut heap)?;
        let expected = naive::decide(self.policy, &Datum::of(&heap, request));
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
    let plainly = examiner.decide_plainly(request).map_err(|fault| format!("{fault:?}"))?;
    if (is_allowed, &rules) != (plainly.0, &plainly.1) {
        return Err(format!("decided {is_allowed} by {rules:?}, and plainly {plainly:?}"));
    }
    if is_allowed != expected.is_allowed || rules != expected.rules {
        return Err(format!("decided {is_allowed} by {rules:?}, and naively {expected:?}"));
    }
    let found = examiner.explain(request).map_err(|fault| format!("{fault:?}"))?;
    if found != *expected {
        return Err(format!("explained {found:?}\nand naively {expected:?}"));
    }
    Ok(found)
}
