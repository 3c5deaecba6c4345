//! How prepared code runs: each operation, those that know more of their place, and pairs that run without a dispatch between.
//!
//! None of this is in a program's bytes. A pair stands where its first operation does, and its second one still stands
//! behind it, so that what is charged, where control goes on and where a trap stands are those of the two by themselves.

use super::{Op, Word};

/// The way that an operation runs at its place.
macro_rules! quick {
    (([$($special:ident $about:literal)+] [$($pair:ident $first:ident $second:ident)+]) $($byte:literal $op:ident)+) => {
        // Counted from 0, so that dispatch is one look into a table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Quick {
            $(#[doc = "as the operation says"] $op,)+
            $(#[doc = $about] $special,)+
            $(#[doc = "the one and then the other"] $pair,)+
        }

        impl Quick {
            /// The way of an operation that knows nothing of its place.
            #[must_use]
            pub const fn of(op: Op) -> Quick {
                match op { $(Op::$op => Quick::$op,)+ }
            }

            /// The way of two that follow one another, where there is one.
            #[must_use]
            pub const fn pair(first: Quick, second: Quick) -> Option<Quick> {
                match (first, second) {
                    $((Quick::$first, Quick::$second) => Some(Quick::$pair),)+
                    _ => None,
                }
            }
        }
    };
}

/// Expands `$action!` with what is special, with the pairs, and then with the rows of the instruction table.
macro_rules! each_quick {
    ($action:ident $($context:tt)*) => {
        $crate::bytecode::each_instruction! { $action ($($context)*
            // What most calls and returns are, known beforehand.
            [CallOne "calls a function that takes one argument with just that"
             ReturnOne "gives one value to the caller"]
            // Which operations follow one another often: in calls, loops, and work on records.
            [AddIntegerCallOne AddInteger CallOne
             AddReturnOne Add ReturnOne
             LessReturnOne Less ReturnOne
             SetAgain Set Again
             AddAgain Add Again
             GetAdd Get Add
             GetUnless Get Unless
             GetFieldGetField GetField GetField
             GetItemGetField GetItem GetField
             GetFieldSubtract GetField Subtract
             GetFieldMultiply GetField Multiply
             GetFieldSetField GetField SetField
             ConstantSetField Constant SetField
             ConstantUnlessEqual Constant UnlessEqual
             TableSetField Table SetField
             SetFieldGetField SetField GetField
             MultiplyAdd Multiply Add
             MultiplySubtract Multiply Subtract
             MultiplyMultiply Multiply Multiply
             AddSetField Add SetField
             AddMultiply Add Multiply])
        }
    };
}
pub(crate) use each_quick;

each_quick! { quick }

impl Quick {
    /// The way of an operation at its place, where it is known how many arguments a function that it calls takes.
    pub(super) fn at_place(op: Op, word: Word, parameters: impl FnOnce(u32) -> u8) -> Quick {
        if op == Op::CallFunction && word.b() == 1 && parameters(word.wide()) == 1 {
            Quick::CallOne
        } else if op == Op::Return && word.b() == 1 {
            Quick::ReturnOne
        } else {
            Quick::of(op)
        }
    }
}
