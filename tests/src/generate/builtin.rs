//! Calls of built-ins by chance: what each takes and gives, in one table.

use super::{Maker, Soft};
use kerai_compiler::ir::{Call, Callee};
use kerai_vm::bytecode::Builtin;

/// What a built-in probably takes, and gives.
const fn shape(builtin: Builtin) -> (&'static [Soft], Soft) {
    use Soft::{Any, Fixed, Float, List, Map, Number, Text};
    match builtin {
        Builtin::Emit => (&[Text, Text, Any], Any),
        Builtin::Type | Builtin::ToString | Builtin::MathType => (&[Any], Text),
        Builtin::ToNumber => (&[Text], Number),
        Builtin::EmptyList => (&[], List),
        Builtin::Count => (&[Map], Number),
        Builtin::Floor | Builtin::Ceiling | Builtin::Absolute => (&[Number], Number),
        Builtin::Decimal => (&[Float], Number),
        Builtin::Float => (&[Number], Float),
        Builtin::Fixed => (&[Number], Fixed),
        Builtin::StringLength => (&[Text], Number),
        Builtin::StringPart => (&[Text, Number, Number], Text),
        Builtin::TableInsert => (&[List, Number, Any], Any),
        Builtin::TableRemove => (&[List, Number], Any),
        Builtin::TableConcat => (&[List, Text], Text),
        Builtin::TableSort => (&[List], Any),
    }
}

impl Maker<'_> {
    /// A call of a built-in, probably of one that gives such a value.
    pub(super) fn call_of_builtin(&mut self, soft: Soft, depth: u32) -> Call {
        let giving: Vec<Builtin> = Builtin::ALL.iter().copied().filter(|builtin| shape(*builtin).1 == soft).collect();
        let is_wanted = !giving.is_empty() && !self.chance(4);
        let builtin = *self.random.pick(if is_wanted { &giving } else { Builtin::ALL });
        let (least, most) = builtin.arguments();
        let (takes, _) = shape(builtin);
        let count = u64::from(least) + self.random.below(u64::from(most - least) + 1);
        let mut softs: Vec<Soft> = takes.iter().copied().take(count as usize).collect();
        // Without a position, the value comes second.
        if builtin == Builtin::TableInsert && count == 2 {
            softs = vec![Soft::List, Soft::Any];
        }
        let mut arguments = self.values(&softs, depth);
        if arguments.rest.is_some() && self.chance(2) {
            arguments.fixed.truncate(least as usize / 2);
        }
        Call { callee: Callee::Builtin(builtin), arguments }
    }
}
