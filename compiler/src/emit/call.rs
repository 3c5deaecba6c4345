//! Calls, and lists of values in registers that follow one another.

use super::Emit;
use super::code::{Body, Register};
use super::function::spread;
use crate::ir::{Call, Callee, Rest, Values};
use kerai_vm::bytecode::{ALL_RESULTS, Op, Word};

/// So many items of a table wait before they are put in.
pub(super) const FEWEST_TO_FLUSH: usize = 50;

impl<'i> Body<'_, 'i> {
    /// Calls with results in the next registers, which are not taken yet.
    pub(super) fn call(&mut self, call: &'i Call, results: u8) -> Emit<()> {
        let results_end = if results == ALL_RESULTS { 1 } else { usize::from(results) };
        self.reach(results_end)?;
        let first = self.free;
        // What is called is evaluated first. Its register lies behind the results, so that it needs no move after.
        let callee = match &call.callee {
            Callee::Function(_) | Callee::Builtin(_) => None,
            Callee::Value(callee) | Callee::Protected(callee) => {
                Some(self.operand_before(callee, &call.arguments.expressions())?)
            }
        };
        let is_below = callee.is_some_and(|callee| callee >= first);
        let window = self.fixed(&call.arguments)?;
        let (fixed, rest) = (call.arguments.fixed.len(), call.arguments.rest.as_deref());
        let wanted = rest.and_then(|rest| Some((rest, self.wanted(call, fixed, rest)?)));
        let arguments = match (wanted, rest) {
            (Some((rest, wanted)), _) => {
                let count = self.count(fixed + wanted)?;
                self.rest_exactly(rest, wanted)?;
                count
            }
            (None, Some(Rest::Call(last))) if !self.is_taken(call, fixed, last) => self.all_results(fixed, last)?,
            (None, Some(Rest::Call(_) | Rest::Spread(_)) | None) => self.closed_window(fixed, rest)?,
        };
        self.free = window;
        self.reach(results_end)?;
        let word = self.instruction(call, window, arguments, results, callee);
        self.push(word)?;
        if is_below && results > 0 {
            // The results belong where the callee lay.
            for offset in 0..u8::try_from(results_end).unwrap_or(u8::MAX) {
                self.copy(first.saturating_add(offset), window.saturating_add(offset))?;
            }
        }
        self.free = first;
        Ok(())
    }

    fn instruction(
        &mut self,
        call: &Call,
        window: Register,
        arguments: u8,
        results: u8,
        callee: Option<Register>,
    ) -> Word {
        // A window without registers is named by the first.
        let window = if arguments == 0 && results == 0 { 0 } else { window };
        let register = u32::from(callee.unwrap_or_default());
        match &call.callee {
            Callee::Function(id) if self.is_reachable => {
                let number = self.emitter.function(*id);
                Word::new(Op::CallFunction, window, arguments, results, number)
            }
            Callee::Function(_) => Word::new(Op::CallFunction, window, arguments, results, 0),
            Callee::Builtin(builtin) => Word::new(Op::CallBuiltin, window, arguments, results, builtin.number()),
            Callee::Value(_) => Word::new(Op::Call, window, arguments, results, register),
            Callee::Protected(_) => Word::new(Op::Protect, window, arguments, results, register),
        }
    }

    /// Values in registers that follow one another: the first, and the count with the mark of a list that is spread.
    pub(super) fn window(&mut self, values: &'i Values) -> Emit<(Register, u8)> {
        let first = self.fixed(values)?;
        Ok((first, self.closed_window(values.fixed.len(), values.rest.as_deref())?))
    }

    /// The fixed values in the next registers, and the first of these.
    fn fixed(&mut self, values: &'i Values) -> Emit<Register> {
        let first = self.free;
        self.count(values.fixed.len())?;
        values.fixed.iter().try_for_each(|value| self.fresh(value).map(|_| ()))?;
        Ok(first)
    }

    /// Ends a window of so many values with what gives any number of them.
    pub(super) fn closed_window(&mut self, fixed: usize, rest: Option<&'i Rest>) -> Emit<u8> {
        match rest {
            None => self.count(fixed),
            Some(Rest::Call(call)) => match self.emitter.results.of_call(call) {
                Some(results) => {
                    let count = self.count(fixed + usize::from(results))?;
                    self.call(call, results)?;
                    self.take_many(results.into())?;
                    Ok(count)
                }
                None => self.all_results(fixed, call),
            },
            Some(Rest::Spread(list)) => {
                let count = self.count(fixed + 1)?;
                self.fresh(list)?;
                Ok(spread(count))
            }
        }
    }

    /// Ends a window with the list of all results of a call.
    fn all_results(&mut self, fixed: usize, call: &'i Call) -> Emit<u8> {
        let count = self.count(fixed + 1)?;
        self.call(call, ALL_RESULTS)?;
        self.take()?;
        Ok(spread(count))
    }

    /// How many results of a last call a function of the program has parameters for, where it is not known how many there
    /// are: further ones it would not see, and what is missing is nil, so that no list is needed for them.
    fn wanted(&self, call: &Call, fixed: usize, rest: &Rest) -> Option<usize> {
        let (Callee::Function(id), Rest::Call(last)) = (&call.callee, rest) else { return None };
        let lambda = &self.emitter.ir.functions.get(id.0 as usize)?.lambda;
        let is_open = lambda.rest.is_none() && self.emitter.results.of_call(last).is_none();
        lambda.parameters.len().checked_sub(fixed).filter(|&wanted| is_open && wanted > 0)
    }

    /// Whether as many values are taken as there are with all results of a last call. A built-in that takes another
    /// number gets them as a list: calling it is a trap, and no program may state it.
    fn is_taken(&self, call: &Call, fixed: usize, last: &Call) -> bool {
        let Callee::Builtin(builtin) = call.callee else { return true };
        let results = self.emitter.results.of_call(last);
        results.is_none_or(|results| builtin.takes(fixed + usize::from(results)))
    }

    /// Exactly so many values of what gives any number of them, in the next registers.
    pub(super) fn rest_exactly(&mut self, rest: &'i Rest, wanted: usize) -> Emit<()> {
        match rest {
            Rest::Call(call) => {
                let results = self.count(wanted)?;
                self.call(call, results)?;
                self.take_many(wanted).map(|_| ())
            }
            Rest::Spread(list) => {
                // A list's first items: what is missing is nil, as when they are read. The list may lie where the first
                // item belongs, which is why that one is read last.
                let first = self.free;
                let list = self.operand(list)?;
                self.free = first;
                self.take_many(wanted)?;
                let items: Vec<(Register, u32)> = (first..).zip(1..).take(wanted).collect();
                for (register, position) in items.into_iter().rev() {
                    self.push(Word::new(Op::GetItem, register, list, 0, position))?;
                }
                Ok(())
            }
        }
    }
}
