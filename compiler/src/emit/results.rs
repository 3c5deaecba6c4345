//! How many values functions give, where every way out gives as many: then their callers need no list for them.

use crate::ir::{Action, Block, Call, Callee, FunctionId, Ir, Rest, Values};
use kerai_vm::bytecode::{Builtin, Gives};

/// The number of results of each function of the program that has one.
pub(super) struct Results(Vec<Known>);

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
    /// Found by telling callers whenever something new is learnt of a function: that happens at most twice to each.
    pub(super) fn of(ir: &Ir) -> Results {
        let mut known = vec![Known::Nothing; ir.functions.len()];
        let mut callers: Vec<Vec<(FunctionId, u8)>> = vec![Vec::new(); ir.functions.len()];
        let mut news = Vec::new();
        for ((id, function), known) in (0..).map(FunctionId).zip(&ir.functions).zip(&mut known) {
            let mut exits = Exits { all: Known::Nothing, calls: Vec::new() };
            if exits.block(&function.lambda.body) {
                exits.meet(Known::Exactly(0));
            }
            for (callee, fixed) in exits.calls {
                callers.get_mut(callee.0 as usize).into_iter().for_each(|callers| callers.push((id, fixed)));
            }
            *known = exits.all;
            news.push(id);
        }
        while let Some(callee) = news.pop() {
            let Some(&gives) = known.get(callee.0 as usize) else { continue };
            for &(caller, fixed) in callers.get(callee.0 as usize).into_iter().flatten() {
                let Some(known) = known.get_mut(caller.0 as usize) else { continue };
                let all = known.and(gives.after(fixed));
                if all != *known {
                    *known = all;
                    news.push(caller);
                }
            }
        }
        Results(known)
    }

    /// How many values a call gives, where that is known.
    pub(super) fn of_call(&self, call: &Call) -> Option<u8> {
        match &call.callee {
            Callee::Function(id) => self.0.get(id.0 as usize)?.count(),
            Callee::Builtin(builtin) => Known::of_builtin(*builtin).count(),
            Callee::Value(_) | Callee::Protected(_) => None,
        }
    }
}

/// How a function gives values: what is known of its own, and whose results it gives on, behind so many others.
struct Exits {
    all: Known,
    calls: Vec<(FunctionId, u8)>,
}

impl Exits {
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
                self.exit(values);
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

    fn exit(&mut self, values: &Values) {
        let Ok(fixed) = u8::try_from(values.fixed.len()) else { return self.meet(Known::Varies) };
        match values.rest.as_deref() {
            None => self.meet(Known::Exactly(fixed)),
            Some(Rest::Spread(_)) => self.meet(Known::Varies),
            Some(Rest::Call(call)) => match &call.callee {
                Callee::Function(id) => self.calls.push((*id, fixed)),
                Callee::Builtin(builtin) => self.meet(Known::of_builtin(*builtin).after(fixed)),
                Callee::Value(_) | Callee::Protected(_) => self.meet(Known::Varies),
            },
        }
    }
}
