//! How many values functions give, where every way out gives as many: then their callers need no list for them.

use crate::ir::{Action, Block, Call, Callee, FunctionId, Ir, Rest, Values};
use kerai_vm::bytecode::{Builtin, Gives};
use std::collections::BTreeMap;

/// The number of results of each function of the program that has one.
pub(super) struct Results(BTreeMap<FunctionId, u8>);

/// What is known so far: nothing, one number, or that there is no one number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Nothing,
    Exactly(u8),
    Varies,
}

impl Known {
    const fn of_builtin(builtin: Builtin) -> Known {
        match builtin.gives() {
            Gives::Nothing => Known::Exactly(0),
            Gives::One => Known::Exactly(1),
            Gives::Many => Known::Varies,
        }
    }

    const fn count(self) -> Option<u8> {
        match self {
            Known::Exactly(count) => Some(count),
            Known::Nothing | Known::Varies => None,
        }
    }

    /// With so many values before.
    fn after(self, fixed: u8) -> Known {
        match self {
            Known::Exactly(count) => fixed.checked_add(count).map_or(Known::Varies, Known::Exactly),
            Known::Nothing | Known::Varies => self,
        }
    }

    fn and(self, other: Known) -> Known {
        match (self, other) {
            (Known::Nothing, known) | (known, Known::Nothing) => known,
            (a, b) if a == b => a,
            _ => Known::Varies,
        }
    }
}

impl Results {
    /// Found by going round until nothing new is learnt: each round can only make some function's number vary.
    pub(super) fn of(ir: &Ir) -> Results {
        let ids = || (0..).map(FunctionId).zip(&ir.functions);
        let mut known: BTreeMap<FunctionId, Known> = ids().map(|(id, _)| (id, Known::Nothing)).collect();
        loop {
            let mut is_new = false;
            for (id, function) in ids() {
                let mut exits = Exits { known: &known, all: Known::Nothing };
                if exits.block(&function.lambda.body) {
                    exits.meet(Known::Exactly(0));
                }
                let all = exits.all;
                is_new |= known.insert(id, all) != Some(all);
            }
            if !is_new {
                break;
            }
        }
        Results(known.into_iter().filter_map(|(id, known)| Some((id, known.count()?))).collect())
    }

    /// How many values a call gives, where that is known.
    pub(super) fn of_call(&self, call: &Call) -> Option<u8> {
        match &call.callee {
            Callee::Function(id) => self.0.get(id).copied(),
            Callee::Builtin(builtin) => Known::of_builtin(*builtin).count(),
            Callee::Value(_) | Callee::Protected(_) => None,
        }
    }
}

struct Exits<'k> {
    known: &'k BTreeMap<FunctionId, Known>,
    all: Known,
}

impl Exits<'_> {
    fn meet(&mut self, exit: Known) {
        self.all = self.all.and(exit);
    }

    /// Meets every return in a block, and says whether its end may be reached.
    fn block(&mut self, block: &Block) -> bool {
        let mut reaches = true;
        for statement in block {
            reaches &= self.action(&statement.action);
        }
        reaches
    }

    fn action(&mut self, action: &Action) -> bool {
        match action {
            Action::Return(values) => {
                let exit = self.count(values);
                self.meet(exit);
                false
            }
            Action::Raise(_) => false,
            Action::If(arms, otherwise) => {
                let mut reaches = self.block(otherwise);
                for (_, body) in arms {
                    reaches |= self.block(body);
                }
                reaches
            }
            Action::Block(body) => self.block(body),
            Action::While(_, body) | Action::Repeat(body, _) => self.looped(body),
            Action::Count(count) => self.looped(&count.body),
            Action::Each(each) => self.looped(&each.body),
            // Nothing returns from inside an expression.
            Action::Let(..) | Action::Set(..) | Action::Do(_) | Action::Break => true,
        }
    }

    fn looped(&mut self, body: &Block) -> bool {
        self.block(body);
        true
    }

    fn count(&self, values: &Values) -> Known {
        let Ok(fixed) = u8::try_from(values.fixed.len()) else { return Known::Varies };
        match values.rest.as_deref() {
            None => Known::Exactly(fixed),
            Some(Rest::Spread(_)) => Known::Varies,
            Some(Rest::Call(call)) => match &call.callee {
                Callee::Function(id) => self.known.get(id).map_or(Known::Varies, |known| known.after(fixed)),
                Callee::Builtin(builtin) => Known::of_builtin(*builtin).after(fixed),
                Callee::Value(_) | Callee::Protected(_) => Known::Varies,
            },
        }
    }
}
