//! How prepared code runs: each operation, those that know more of their place, and rows that run without a dispatch between.
//!
//! None of this is in a program's bytes. A row stands where its first operation does, and the others still stand behind
//! it, so that what is charged, where control goes on and where a trap stands are those of each by itself.

use super::{Builtin, Op, Word};

/// The way that an operation runs at its place.
macro_rules! quick {
    (([$($special:ident $about:literal)+] [$($row:ident: $first:ident $($next:ident)+;)+]
      [$($circle:ident $many:ident: $($inner:ident)+;)+]
      [$($fork:ident: $branch:ident $behind:ident;)+])
     $($byte:literal $op:ident)+) => {
        // Counted from 0, so that dispatch is one look into a table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Quick {
            $(#[doc = "as the operation says"] $op,)+
            $(#[doc = $about] $special,)+
            $(#[doc = "the one and then the others"] $row,)+
            $(#[doc = "the same ones again and again"] $circle,)+
            $(#[doc = "a branch, and what is behind it where it is not taken"] $fork,)+
        }

        /// Every row, by the operations in it.
        const ROWS: &[(Quick, &[Quick])] = &[$((Quick::$row, &[Quick::$first, $(Quick::$next),+])),+];

        /// Every circle, by the operations in it but for the `again` at its end.
        const CIRCLES: &[(Quick, &[Quick])] = &[$((Quick::$circle, &[$(Quick::$inner),+])),+];

        /// Every fork, by the branch and the operation behind it.
        const FORKS: &[(Quick, &[Quick])] = &[$((Quick::$fork, &[Quick::$branch, Quick::$behind])),+];

        impl Quick {
            /// The way of an operation that knows nothing of its place.
            #[must_use]
            pub const fn of(op: Op) -> Quick {
                match op { $(Op::$op => Quick::$op,)+ }
            }
        }
    };
}

/// Expands `$action!` with what is special, with the rows, and then with the rows of the instruction table.
macro_rules! each_quick {
    ($action:ident $($context:tt)*) => {
        $crate::bytecode::each_instruction! { $action ($($context)*
            // What most calls and returns are, known beforehand.
            [CallOne "calls a function that takes one argument with just that"
             ReturnOne "gives one value to the caller"
             UnlessAgain "leads on to where a loop goes on, as whatever is left out for a round does"
             SquareRoot "calls the built-in that gives the root of a float"]
            // Which operations follow one another often: in calls, loops, and work on records.
            [AddIntegerCallOne: AddInteger CallOne;
             AddReturnOne: Add ReturnOne;
             LessReturnOne: Less ReturnOne;
             SetAgain: Set Again;
             AddAgain: Add Again;
             GetUnless: Get Unless;
             GetUnlessAgain: Get UnlessAgain;
             GetConstantSetField: Get Constant SetField;
             GetItemGetField: GetItem GetField;
             GetFieldConstantUnlessEqual: GetField Constant UnlessEqual;
             GetFieldGetField: GetField GetField;
             GetFieldNilIfEqual: GetField Nil IfEqual;
             GetFieldNilUnlessEqual: GetField Nil UnlessEqual;
             NilIfEqual: Nil IfEqual;
             NilUnlessEqual: Nil UnlessEqual;
             MoveMove: Move Move;
             GetFieldSubtract: GetField Subtract;
             GetFieldMultiply: GetField Multiply;
             GetFieldSetField: GetField SetField;
             ConstantSetField: Constant SetField;
             ConstantUnlessEqual: Constant UnlessEqual;
             TableSetField: Table SetField;
             SetFieldGetField: SetField GetField;
             MultiplyMultiplyAdd: Multiply Multiply Add;
             MultiplyAddSetField: Multiply Add SetField;
             MultiplyAdd: Multiply Add;
             MultiplySubtract: Multiply Subtract;]
            // Rows behind which an `again` goes back to the first: whole loops, with what does many of their rounds at once.
            [BoolSetCircle fill_with_bool: Bool Set;
             SetCircle fill: Set;
             GetAddCircle one_by_one: Get Add;
             AddCircle one_by_one: Add;]
            // Branches that compare integers, by which a function that calls itself ends.
            [UnlessLessIntegerReturnOne: UnlessLessInteger ReturnOne;
             UnlessAtMostIntegerReturnOne: UnlessAtMostInteger ReturnOne;
             UnlessEqualIntegerReturnOne: UnlessEqualInteger ReturnOne;])
        }
    };
}
pub(crate) use each_quick;

each_quick! { quick }

impl Quick {
    /// The way of an operation at its place, where it is known how many arguments a function that it calls takes, and what
    /// stands where it leads on to.
    pub(super) fn at_place(
        op: Op,
        word: Word,
        parameters: impl FnOnce(u32) -> u8,
        further: impl FnOnce(u32) -> Option<Op>,
    ) -> Quick {
        if op == Op::Unless && further(word.wide()) == Some(Op::Again) {
            Quick::UnlessAgain
        } else if op == Op::CallFunction && word.b() == 1 && parameters(word.wide()) == 1 {
            Quick::CallOne
        } else if op == Op::Return && word.b() == 1 {
            Quick::ReturnOne
        } else if op == Op::CallBuiltin && word.wide() == Builtin::SquareRoot.number() && (word.b(), word.c()) == (1, 1)
        {
            Quick::SquareRoot
        } else {
            Quick::of(op)
        }
    }

    /// The way of the first of some operations: with the others, as many as there is a row for. It is known whether an
    /// operation, by its number among them, goes back to the first.
    pub(super) fn of_row(operations: &[Quick], goes_back: impl Fn(usize) -> bool) -> Option<Quick> {
        let is_circle = |row: &[Quick]| operations.get(row.len()) == Some(&Quick::Again) && goes_back(row.len());
        let circle = CIRCLES.iter().find(|(_, row)| operations.starts_with(row) && is_circle(row));
        let fork = || FORKS.iter().find(|(_, fork)| operations.starts_with(fork));
        let longest = || ROWS.iter().filter(|(_, row)| operations.starts_with(row)).max_by_key(|(_, row)| row.len());
        circle.or_else(fork).or_else(longest).map(|(way, _)| *way).or(operations.first().copied())
    }
}
