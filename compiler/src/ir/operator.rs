//! The table of operators: name in the IR's text, the instruction that does it, and how.

use super::Type;
use kerai_vm::bytecode::Op;

macro_rules! operators {
    ($($(#[$about:meta])* $operator:ident { $($variant:ident $name:literal $op:ident $way:ident $gives:ident;)+ })+) => {
        $($(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $operator { $($variant),+ }

        impl $operator {
            pub const ALL: &[$operator] = &[$($operator::$variant),+];

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($operator::$variant => $name),+ }
            }

            /// The instruction, and how its result and operands stand to the operator's.
            #[must_use]
            pub const fn instruction(self) -> (Op, Way) {
                match self { $($operator::$variant => (Op::$op, Way::$way)),+ }
            }

            /// What is known of the result, whatever the operands are.
            #[must_use]
            pub const fn gives(self) -> Type {
                match self { $($operator::$variant => Type::$gives),+ }
            }
        })+
    };
}

/// How an instruction does what an operator means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// as it is
    Straight,
    /// with its operands swapped
    Swapped,
    /// with its result inverted
    Inverted,
}

operators! {
    /// An operation on one value.
    Unary {
        Negate "negate" Negate Straight Any;
        Not "not" Not Straight Bool;
        Complement "complement" Complement Straight Number;
        Length "length" Length Straight Number;
        Keys "keys" Keys Straight Table;
    }
    /// An operation on two values.
    Binary {
        Add "add" Add Straight Any;
        Subtract "subtract" Subtract Straight Any;
        Multiply "multiply" Multiply Straight Any;
        Divide "divide" Divide Straight Any;
        FloorDivide "floor-divide" FloorDivide Straight Any;
        Modulo "modulo" Modulo Straight Any;
        Power "power" Power Straight Any;
        FloatDivide "float-divide" FloatDivide Straight Float;
        FloatPower "float-power" FloatPower Straight Float;
        BitAnd "bit-and" And Straight Number;
        BitOr "bit-or" Or Straight Number;
        BitExclusiveOr "bit-exclusive-or" ExclusiveOr Straight Number;
        ShiftLeft "shift-left" ShiftLeft Straight Number;
        ShiftRight "shift-right" ShiftRight Straight Number;
        Equal "equal" Equal Straight Bool;
        Different "different" Equal Inverted Bool;
        Less "less" Less Straight Bool;
        AtMost "at-most" AtMost Straight Bool;
        Greater "greater" Less Swapped Bool;
        AtLeast "at-least" AtMost Swapped Bool;
    }
}

impl Binary {
    /// Whether two exact numbers give an exact number, where they give anything.
    #[must_use]
    pub const fn is_exact(self) -> bool {
        matches!(
            self,
            Binary::Add
                | Binary::Subtract
                | Binary::Multiply
                | Binary::Divide
                | Binary::FloorDivide
                | Binary::Modulo
                | Binary::Power
        )
    }
}
