//! Calls of built-ins by chance: what each takes and gives, in one table.
#![expect(clippy::wildcard_enum_match_arm, reason = "the arms name the languages that are no documents")]

use super::expression::{number, text};
use super::{Maker, Soft, node};
use kerai_compiler::ir::{Call, Callee, Expression, Node};
use kerai_vm::bytecode::{ANY, Builtin, Constant, Gives};

/// What a built-in probably takes, as far as it takes it; further arguments are as the last. And what it gives.
const fn shape(builtin: Builtin) -> (&'static [Soft], Soft) {
    use Builtin as B;
    use Soft::{
        Any, Bool, Document, Fixed, Float, Format, Function, Generator, List, Map, Network, Number, Path, Pattern,
        Point, Set, Small, Text,
    };
    match builtin {
        B::Type | B::Kind | B::ToString | B::MathType | B::JsonEncode => (&[Any], Text),
        B::ToNumber | B::ToNumberFloat => (&[Text, Small], Number),
        B::Decimal => (&[Float], Number),
        B::Float => (&[Number], Float),
        B::Fixed => (&[Number], Fixed),
        B::Count => (&[Map], Number),
        B::Compare => (&[Any, Any], Number),
        B::Floor | B::Ceiling | B::Absolute | B::Maximum | B::Minimum | B::ToInteger => (&[Number], Number),
        B::Remainder => (&[Number, Number], Number),
        B::Parts => (&[Float], Number),
        B::UnsignedLess => (&[Number, Number], Bool),
        B::SquareRoot | B::Exponential | B::Logarithm | B::Sine | B::Cosine | B::Tangent => (&[Float, Number], Float),
        B::ArcSine | B::ArcCosine | B::ArcTangent | B::Degrees | B::Radians => (&[Float, Number], Float),
        B::StringLength => (&[Text], Number),
        B::StringPart => (&[Text, Small, Small], Text),
        B::StringByte => (&[Text, Small, Small], Number),
        B::StringChar => (&[Small], Text),
        B::StringRepeat => (&[Text, Small, Text], Text),
        B::StringReverse | B::StringUpper | B::StringLower => (&[Text], Text),
        B::StringFind => (&[Text, Pattern, Small, Bool], Number),
        B::StringMatch => (&[Text, Pattern, Small], Text),
        B::NextMatch | B::NextReplaced => (&[Text, Pattern, Small, Small], Number),
        B::StringReplace => (&[Text, Pattern, Text, Small], Text),
        B::StringFormat => (&[Format, Any], Text),
        B::Utf8Char => (&[Point], Text),
        B::Utf8Codepoint | B::Utf8Length => (&[Text, Small, Small, Bool], Number),
        B::Utf8Offset => (&[Text, Small, Small], Number),
        B::Utf8Next => (&[Text, Small, Bool], Number),
        B::TableInsert => (&[List, Small, Any], Any),
        B::TableRemove => (&[List, Small], Any),
        B::TableConcat => (&[List, Text, Small, Small], Text),
        B::TableSort => (&[List, Function], Any),
        B::TablePack => (&[Any], Map),
        B::TableUnpack => (&[List, Small, Small], Any),
        B::TableMove => (&[List, Small, Small, Small, List], List),
        B::Values => (&[Map], List),
        B::Sorted => (&[List], List),
        B::NewList => (&[Any], List),
        B::NewSet => (&[Number], Set),
        B::SetHas => (&[Set, Number], Bool),
        B::SetMembers => (&[Set], List),
        B::SetWith | B::SetWithout => (&[Set, Number], Set),
        B::SetUnion | B::SetIntersection | B::SetDifference => (&[Set, Set], Set),
        B::JsonDecode => (&[Document], Map),
        B::Emit => (&[Text, Text, Any], Any),
        B::EmitJson => (&[Text, Map], Any),
        B::RandomNew => (&[Text], List),
        B::RandomNext => (&[Generator, Small, Number], Number),
        B::TotalField => (&[Map, Text], Any),
        B::TotalOf => (&[Any, Text], Any),
        B::TotalEqual => (&[Any, Any], Bool),
        B::TotalLess | B::TotalAtMost => (&[Number, Number], Bool),
        B::TotalAdd | B::TotalSubtract | B::TotalMultiply => (&[Number, Number], Number),
        B::TotalDivide | B::TotalFloorDivide | B::TotalModulo => (&[Number, Number], Number),
        B::TotalIncludes | B::TotalItem => (&[List, Number], Bool),
        B::TotalContains | B::TotalStarts | B::TotalEnds => (&[Text, Text], Bool),
        B::TotalMatches | B::Within => (&[Path, Path], Bool),
        B::TotalWithin => (&[Network, Network], Bool),
        B::TotalSize => (&[List], Number),
        B::TotalLower => (&[Text], Text),
        B::OperationHash => (&[Text, Text, Document], Text),
    }
}

/// Arguments where a built-in takes any number of them.
const MANY: u8 = 4;

/// Patterns, well-formed ones and others.
const PATTERNS: &[&[u8]] = &[
    b"a",
    b"",
    b"^",
    b"$",
    b".",
    b"%a+",
    b"(%a)(%d*)",
    b"()%w()",
    b"[a-m%d]+",
    b"[^%s]-e",
    b"^(.-)%s*$",
    b"%b()",
    b"%f[%w]%w+",
    b"(.)%1",
    b"n?o?",
    b"a*b?",
    b"((a)b?)",
    b"[]]",
    b"[%]-]",
    b"%",
    b"[a",
    b"(a",
    b"a)",
    b"%9",
    b"%f",
    b"%bx",
    b"x*",
    b"[^a]*()",
    b".-b",
    b".*.",
    b"a*a",
    b"(.*)(.)",
    b"%a+%a$",
    b"%w*%a%a",
    b"%.",
    b"\xff",
];

/// Formats, well-formed ones and others.
const FORMATS: &[&[u8]] = &[
    b"%d",
    b"%5d|%-5d",
    b"%05.1f",
    b"%+d %i",
    b"%x %X %#x",
    b"%o",
    b"%u",
    b"%c%c",
    b"%s %s",
    b"%10s|%-10s",
    b"%.3s",
    b"%q",
    b"%a",
    b"%.2a",
    b"%A",
    b"%e",
    b"%.0f",
    b"%g",
    b"%#g",
    b"%.20g",
    b"%G",
    b"%%",
    b"%5%",
    b"%",
    b"%y",
    b"%#d",
    b"%100d",
    b"% f",
    b"plain",
    b"%08.3e",
    b"%.99f",
];

/// Documents, strict ones and others.
const DOCUMENTS: &[&[u8]] = &[
    b"{}",
    b"[]",
    b"[1, 2.5, \"a\"]",
    b"{\"a\": 1, \"b\": {\"c\": [null, true]}}",
    b"null",
    b"-0",
    b"1e-18",
    b"1e30",
    b"{\"a\": 1, \"a\": 2}",
    b"[1,]",
    b"\"e\xcc\x81\"",
    b" 7 ",
];

/// Paths, forms of paths, resources and globs.
const PATHS: &[&[u8]] = &[
    b"a",
    b"a/b",
    b"a/b/c",
    b"a/*",
    b"*/b",
    b"a/**",
    b"**/c",
    b"**",
    b"*",
    b"a/**/c",
    b"gatos://repo/a/b",
    b"gatos://repo/a",
    b"a//b",
    b"",
];

/// Addresses and ranges of them.
const NETWORKS: &[&[u8]] = &[
    b"10.1.2.3",
    b"10.0.0.0/8",
    b"10.1.2.0/24",
    b"10.1.2.3/32",
    b"0.0.0.0/0",
    b"192.168.0.1",
    b"::1",
    b"2001:db8::/32",
    b"2001:db8::7",
    b"::ffff:10.1.2.3",
    b"10.1.2.256",
    b"10.0.0.0/33",
    b"text",
];

/// What is written in a small language; any other kind of text is a document.
pub(super) const fn language(soft: Soft) -> &'static [&'static [u8]] {
    match soft {
        Soft::Pattern => PATTERNS,
        Soft::Format => FORMATS,
        Soft::Path => PATHS,
        Soft::Network => NETWORKS,
        _ => DOCUMENTS,
    }
}

/// Code points at which an encoding grows, or ends.
pub(super) const POINTS: &[i64] = &[
    0, 65, 0x7f, 0x80, 0xe9, 0x7ff, 0x800, 0x20ac, 0xd7ff, 0xd800, 0xdfff, 0xe000, 0xffff, 0x1_0000, 0x10_ffff,
    0x11_0000, -1,
];

impl Maker<'_> {
    /// A text that is written in a small language.
    pub(super) fn written(&mut self, soft: Soft) -> Expression {
        text(self.random.pick::<&[u8]>(language(soft)))
    }

    /// A set of its own.
    pub(super) fn set(&mut self) -> Expression {
        let members = (0..self.random.below(4)).map(|_| number(self.random.below(5) as i64)).collect();
        Expression::builtin(Builtin::NewSet, members, kerai_compiler::Span::default())
    }

    /// A position, a count or a byte: mostly small.
    pub(super) fn small_constant(&mut self) -> Expression {
        let value = match self.random.below(12) {
            0 => *self.random.pick(&[
                16,
                36,
                64,
                65,
                97,
                200,
                233,
                0x7ff,
                0xffff,
                0x10_ffff,
                1 << 31,
                i64::MAX,
                i64::MIN,
            ]),
            1 => -(self.random.below(6) as i64),
            _ => self.random.below(9) as i64,
        };
        node(Node::Constant(Constant::Number(kerai_vm::number::Number::from_i64(value))))
    }

    /// A call of a built-in, probably of one that gives such a value.
    pub(super) fn call_of_builtin(&mut self, soft: Soft, depth: u32) -> Call {
        let giving: Vec<Builtin> = Builtin::ALL.iter().copied().filter(|builtin| shape(*builtin).1 == soft).collect();
        let is_wanted = !giving.is_empty() && soft != Soft::Any && !self.chance(16);
        let builtin = *self.random.pick(if is_wanted { &giving } else { Builtin::ALL });
        self.call_of(builtin, depth)
    }

    /// A call of a built-in that is made for what it does.
    pub(super) fn effect(&mut self, depth: u32) -> Call {
        let acts: Vec<Builtin> = Builtin::ALL
            .iter()
            .copied()
            .filter(|builtin| builtin.gives() == Gives::Nothing)
            .chain([Builtin::TableRemove])
            .collect();
        let builtin = *self.random.pick(&acts);
        self.call_of(builtin, depth)
    }

    /// Kinds of arguments that a built-in probably takes, as many as it takes.
    pub(super) fn softs_of(&mut self, builtin: Builtin) -> Vec<Soft> {
        let (least, most) = builtin.arguments();
        let most = if most == ANY { least + MANY } else { most };
        let (takes, _) = shape(builtin);
        let count = usize::from(least) + self.random.below(u64::from(most - least) + 1) as usize;
        let last = takes.last().copied().unwrap_or(Soft::Any);
        let mut softs: Vec<Soft> = takes.iter().copied().chain(core::iter::repeat(last)).take(count).collect();
        // Without a position, the value comes second.
        if builtin == Builtin::TableInsert && count == 2 {
            softs = vec![Soft::List, Soft::Any];
        }
        if builtin == Builtin::StringReplace && self.chance(3) {
            softs.iter_mut().skip(2).take(1).for_each(|soft| *soft = Soft::Map);
        }
        softs
    }

    fn call_of(&mut self, builtin: Builtin, depth: u32) -> Call {
        let softs = self.softs_of(builtin);
        let mut arguments = self.values(&softs, depth);
        if arguments.rest.is_some() && self.chance(2) {
            arguments.fixed.truncate(usize::from(builtin.arguments().0) / 2);
        }
        Call { callee: Callee::Builtin(builtin), arguments }
    }
}
