//! THE instruction table. Enum, encoder, decoder, verifier, assembler, disassembler, costs and the reference page
//! all derive from it; a new instruction is a row here and its meaning in `execute/meaning.rs`.

/// What an operand is, which says how it is checked, shown, and what it does to registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// a register that is written
    Write,
    /// a register that is read
    Read,
    /// the first register of a window; the window's operands say how many are read and written
    Base,
    /// how many registers of the window are read; 128 more means that the last one is a list whose items follow
    Arguments,
    /// how many registers of the window are written; 255 means that all results go into one list
    Results,
    /// the first of four registers: keys and position are read, position, key and value are written
    Cursor,
    /// the first of four registers: counter, limit and step are read, counter and variable are written
    Counter,
    /// true or false
    Flag,
    /// a signed 16-bit integer, in the places of the second and third operand
    Small,
    /// a signed 32-bit integer
    Integer,
    /// an index into the module's constants
    Constant,
    /// an index into the module's constants, where a string must stand
    Name,
    /// an index into the module's functions
    Function,
    /// a number of the table of built-ins
    Builtin,
    /// an index into what the running function captured
    Capture,
    /// where to go on: an instruction of the same function
    Target,
}

/// Where an operand stands in the word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    A,
    B,
    C,
    /// the upper half of the word
    Wide,
}

/// How control leaves an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// to the next instruction
    Next,
    /// to the target
    Jump,
    /// to the target or the next instruction
    Branch,
    /// out of the function
    Leave,
}

/// One operand of an instruction.
#[derive(Debug, Clone, Copy)]
pub struct Operand {
    pub place: Place,
    pub role: Role,
}

/// All that is known of an instruction without running it.
#[derive(Debug, Clone, Copy)]
pub struct Information {
    pub name: &'static str,
    pub byte: u8,
    /// gas
    pub cost: u32,
    pub exit: Exit,
    pub operands: &'static [Operand],
    pub about: &'static str,
}

macro_rules! instructions {
    ($($byte:literal $name:literal $op:ident [$($place:ident $role:ident),*] $cost:literal $exit:ident $about:literal;)+) => {
        /// An instruction's operation, by its byte in canonical code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Op { $(#[doc = $about] $op = $byte),+ }

        impl Op {
            /// All operations, in the order of the table.
            pub const ALL: &[Op] = &[$(Op::$op),+];

            /// The operation of a byte; bytes that are not in the table have none.
            #[must_use]
            #[inline]
            pub const fn of(byte: u8) -> Option<Op> {
                match byte { $($byte => Some(Op::$op),)+ _ => None }
            }

            #[must_use]
            #[inline]
            pub const fn information(self) -> &'static Information {
                match self {
                    $(Op::$op => &Information {
                        name: $name,
                        byte: $byte,
                        cost: $cost,
                        exit: Exit::$exit,
                        operands: &[$(Operand { place: Place::$place, role: Role::$role }),*],
                        about: $about,
                    }),+
                }
            }
        }

        /// Expands `$action!` with the rows' bytes and operations: how the interpreter makes its dispatch of the table.
        macro_rules! each_instruction {
            ($action:ident $context:tt) => { $action! { $context $($byte $op)+ } };
        }
        pub(crate) use each_instruction;
    };
}

// The bytes are explicit: moving a row moves no hash. A byte is never used again for another meaning.
instructions! {
    // Moving values.
    0x01 "move" Move [A Write, B Read] 1 Next "a takes the value of b";
    0x02 "nil" Nil [A Write] 1 Next "a becomes nil";
    0x03 "bool" Bool [A Write, B Flag] 1 Next "a becomes true or false";
    0x04 "integer" Integer [A Write, Wide Integer] 1 Next "a becomes the integer";
    0x05 "constant" Constant [A Write, Wide Constant] 1 Next "a becomes the constant";
    0x06 "closure" Closure [A Write, B Base, C Arguments, Wide Function] 8 Next "a becomes a function that keeps the values of the window";
    0x07 "capture" Capture [A Write, Wide Capture] 1 Next "a takes a value that the running function keeps";

    // Going elsewhere.
    0x10 "jump" Jump [Wide Target] 1 Jump "goes to the target";
    0x11 "if" If [A Read, Wide Target] 1 Branch "goes to the target if a is neither nil nor false";
    0x12 "unless" Unless [A Read, Wide Target] 1 Branch "goes to the target if a is nil or false";
    0x13 "if-equal" IfEqual [A Read, B Read, Wide Target] 1 Branch "goes to the target if a == b";
    0x14 "unless-equal" UnlessEqual [A Read, B Read, Wide Target] 1 Branch "goes to the target unless a == b";
    0x15 "if-less" IfLess [A Read, B Read, Wide Target] 1 Branch "goes to the target if a < b";
    0x16 "unless-less" UnlessLess [A Read, B Read, Wide Target] 1 Branch "goes to the target unless a < b";
    0x17 "if-at-most" IfAtMost [A Read, B Read, Wide Target] 1 Branch "goes to the target if a <= b";
    0x18 "unless-at-most" UnlessAtMost [A Read, B Read, Wide Target] 1 Branch "goes to the target unless a <= b";
    0x19 "if-equal-integer" IfEqualInteger [A Read, B Small, Wide Target] 1 Branch "goes to the target if a == the integer";
    0x1a "unless-equal-integer" UnlessEqualInteger [A Read, B Small, Wide Target] 1 Branch "goes to the target unless a == the integer";
    0x1b "if-less-integer" IfLessInteger [A Read, B Small, Wide Target] 1 Branch "goes to the target if a < the integer";
    0x1c "unless-less-integer" UnlessLessInteger [A Read, B Small, Wide Target] 1 Branch "goes to the target unless a < the integer";
    0x1d "if-at-most-integer" IfAtMostInteger [A Read, B Small, Wide Target] 1 Branch "goes to the target if a <= the integer";
    0x1e "unless-at-most-integer" UnlessAtMostInteger [A Read, B Small, Wide Target] 1 Branch "goes to the target unless a <= the integer";
    0x1f "loop" Loop [A Counter, Wide Target] 1 Branch "prepares counting; goes to the target if there is nothing to count";
    0x20 "again" Again [A Counter, Wide Target] 1 Branch "counts on and goes to the target while the limit is not passed";
    0x21 "each" Each [A Cursor, B Read, Wide Target] 2 Branch "takes the next key that b still has and goes to the target, or goes on at the end";

    // Calling.
    0x28 "call" Call [A Base, B Arguments, C Results, Wide Read] 4 Next "calls the function in a register with the window";
    0x29 "call-function" CallFunction [A Base, B Arguments, C Results, Wide Function] 3 Next "calls a function of the module with the window";
    0x2a "call-builtin" CallBuiltin [A Base, B Arguments, C Results, Wide Builtin] 2 Next "calls a built-in with the window";
    0x2b "protect" Protect [A Base, B Arguments, C Results, Wide Read] 6 Next "calls as `call` does; the first result is true, or false and then what was raised";
    0x2c "return" Return [A Base, B Arguments] 1 Leave "gives the window to the caller";
    0x2d "raise" Raise [A Read] 1 Leave "raises a";

    // Computing.
    0x30 "add" Add [A Write, B Read, C Read] 1 Next "a = b + c";
    0x31 "subtract" Subtract [A Write, B Read, C Read] 1 Next "a = b - c";
    0x32 "multiply" Multiply [A Write, B Read, C Read] 1 Next "a = b * c";
    0x33 "divide" Divide [A Write, B Read, C Read] 4 Next "a = b / c";
    0x34 "floor-divide" FloorDivide [A Write, B Read, C Read] 4 Next "a = b // c";
    0x35 "modulo" Modulo [A Write, B Read, C Read] 4 Next "a = b % c";
    0x36 "power" Power [A Write, B Read, C Read] 40 Next "a = b ^ c";
    0x37 "negate" Negate [A Write, B Read] 1 Next "a = -b";
    0x38 "add-integer" AddInteger [A Write, B Read, Wide Integer] 1 Next "a = b + the integer";
    0x39 "and" And [A Write, B Read, C Read] 1 Next "a = b & c, bit by bit";
    0x3a "or" Or [A Write, B Read, C Read] 1 Next "a = b | c, bit by bit";
    0x3b "exclusive-or" ExclusiveOr [A Write, B Read, C Read] 1 Next "a = b ~ c, bit by bit";
    0x3c "shift-left" ShiftLeft [A Write, B Read, C Read] 1 Next "a = b << c";
    0x3d "shift-right" ShiftRight [A Write, B Read, C Read] 1 Next "a = b >> c, zeros coming in";
    0x3e "complement" Complement [A Write, B Read] 1 Next "a = ~b, bit by bit";
    0x3f "not" Not [A Write, B Read] 1 Next "a is true if b is nil or false, else false";
    0x40 "equal" Equal [A Write, B Read, C Read] 1 Next "a = b == c";
    0x41 "less" Less [A Write, B Read, C Read] 1 Next "a = b < c";
    0x42 "at-most" AtMost [A Write, B Read, C Read] 1 Next "a = b <= c";
    0x43 "join" Join [A Write, B Base, C Arguments] 2 Next "a becomes the strings and numbers of the window, one after the other";

    0x44 "float-divide" FloatDivide [A Write, B Read, C Read] 4 Next "a = b / c, both rounded to floats first";
    0x45 "float-power" FloatPower [A Write, B Read, C Read] 40 Next "a = b ^ c, both rounded to floats first";

    // Tables.
    0x48 "table" Table [A Write, B Base, C Arguments] 4 Next "a becomes a new table with the window's values at 1 to n, nil left out";
    0x4a "get" Get [A Write, B Read, C Read] 2 Next "a = b[c]";
    0x4b "get-field" GetField [A Write, B Read, Wide Name] 2 Next "a = b.name";
    0x4c "get-item" GetItem [A Write, B Read, Wide Integer] 2 Next "a = b[integer]";
    0x4d "set" Set [A Read, B Read, C Read] 3 Next "a[b] = c";
    0x4e "set-field" SetField [A Read, B Read, Wide Name] 3 Next "a.name = b";
    0x4f "set-item" SetItem [A Read, B Read, Wide Integer] 3 Next "a[integer] = b";
    0x50 "length" Length [A Write, B Read] 1 Next "a = #b";
    0x51 "keys" Keys [A Write, B Read] 4 Next "a becomes the list of b's keys in canonical order";
    0x52 "fill" Fill [A Read, B Base, C Arguments, Wide Integer] 3 Next "puts the window's values into a, at the integer and onwards, nil left out";
    0x53 "pack" Pack [A Write, B Base, C Arguments] 4 Next "a becomes the list of the window's values, nil kept";
}

/// One instruction: a word of 64 bits, the operation lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word(pub u64);

impl Word {
    /// Bytes in canonical code, where a word stands with its lowest byte first.
    pub const BYTES: usize = 8;

    #[must_use]
    pub const fn new(op: Op, a: u8, b: u8, c: u8, wide: u32) -> Word {
        Word(op as u64 | (a as u64) << 8 | (b as u64) << 16 | (c as u64) << 24 | (wide as u64) << 32)
    }

    #[must_use]
    #[inline]
    pub const fn byte(self) -> u8 {
        self.0 as u8
    }

    #[must_use]
    #[inline]
    pub const fn op(self) -> Option<Op> {
        Op::of(self.byte())
    }

    #[must_use]
    #[inline]
    pub const fn a(self) -> u8 {
        (self.0 >> 8) as u8
    }

    #[must_use]
    #[inline]
    pub const fn b(self) -> u8 {
        (self.0 >> 16) as u8
    }

    #[must_use]
    #[inline]
    pub const fn c(self) -> u8 {
        (self.0 >> 24) as u8
    }

    #[must_use]
    #[inline]
    pub const fn wide(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The small integer in the places of b and c.
    #[must_use]
    #[inline]
    pub const fn small(self) -> i16 {
        (self.0 >> 16) as u16 as i16
    }

    /// The raw bits of an operand.
    #[must_use]
    #[inline]
    pub const fn get(self, operand: Operand) -> u32 {
        match (operand.place, operand.role) {
            (Place::B, Role::Small) => self.small() as u16 as u32,
            (Place::A, _) => self.a() as u32,
            (Place::B, _) => self.b() as u32,
            (Place::C, _) => self.c() as u32,
            (Place::Wide, _) => self.wide(),
        }
    }

    /// The word with an operand's raw bits put in; bits that the place has no room for are lost.
    #[must_use]
    #[inline]
    pub const fn with(self, operand: Operand, bits: u32) -> Word {
        let (shift, mask) = Word::room(operand);
        Word(self.0 & !(mask << shift) | (bits as u64 & mask) << shift)
    }

    /// The bits that an operand takes: how far up, and which.
    const fn room(operand: Operand) -> (u32, u64) {
        match (operand.place, operand.role) {
            (Place::B, Role::Small) => (16, 0xffff),
            (Place::A, _) => (8, 0xff),
            (Place::B, _) => (16, 0xff),
            (Place::C, _) => (24, 0xff),
            (Place::Wide, _) => (32, 0xffff_ffff),
        }
    }

    /// Whether all bits outside the operation and its operands are zero, as the one form of an instruction demands.
    #[must_use]
    pub fn is_tidy(self, information: &Information) -> bool {
        let used = information.operands.iter().fold(0xff, |used, &operand| {
            let (shift, mask) = Word::room(operand);
            used | mask << shift
        });
        self.0 & !used == 0
    }
}

/// An operand of the role `Arguments`, understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arguments {
    /// how many registers
    pub count: u8,
    /// whether the last of them is a list whose items follow
    pub is_spread: bool,
}

/// The bit of an `Arguments` operand that says that its last register is spread.
pub const SPREAD: u8 = 128;

/// The `Results` operand that asks for all results in one list.
pub const ALL_RESULTS: u8 = 255;

impl Arguments {
    #[must_use]
    #[inline]
    pub const fn of(operand: u8) -> Arguments {
        Arguments { count: operand & !SPREAD, is_spread: operand & SPREAD != 0 }
    }
}

/// How many registers an operand of the role `Results` writes.
#[must_use]
#[inline]
pub const fn results(operand: u8) -> u8 {
    if operand == ALL_RESULTS { 1 } else { operand }
}
