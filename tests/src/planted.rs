//! Bugs that are planted to see that the runs on generated programs find them: each is one small change of the
//! machine's or the compiler's source, as a hand might have slipped. `planted` (in `bin/`) puts them into a copy of the
//! sources one at a time, builds that, and lets it judge itself; a test sees that each still fits the sources.

/// A change of a source that makes it wrong.
pub struct Bug {
    /// What is wrong then.
    pub about: &'static str,
    pub file: &'static str,
    /// What stands there once, and what is put in its place.
    pub old: &'static str,
    pub new: &'static str,
}

const fn bug(about: &'static str, file: &'static str, old: &'static str, new: &'static str) -> Bug {
    Bug { about, file, old, new }
}

const MEANING: &str = "vm/src/execute/meaning.rs";
const ELSEWHERE: &str = "vm/src/execute/elsewhere.rs";
const RUN: &str = "vm/src/execute/run.rs";
const ARITHMETIC: &str = "vm/src/execute/arithmetic.rs";
const CANONICAL: &str = "compiler/src/ir/canonical.rs";
const CONDITION: &str = "compiler/src/emit/condition.rs";

pub const BUGS: &[Bug] = &[
    bug(
        "counting upwards in integers begins with one round too few",
        MEANING,
        "step.branch(counter.body().cast_signed() > limit.body().cast_signed(), word)",
        "step.branch(counter.body().cast_signed() >= limit.body().cast_signed(), word)",
    ),
    bug(
        "counting upwards in integers ends a round too early",
        MEANING,
        "step.branch(next <= limit.body().cast_signed(), word)",
        "step.branch(next < limit.body().cast_signed(), word)",
    ),
    bug(
        "counting downwards ends a round too early",
        ELSEWHERE,
        "if is_downwards { at_most(core, limit, counter) }",
        "if is_downwards { less(core, limit, counter) }",
    ),
    bug("a quick call is not charged", RUN, "    Some((registers, left))", "    Some((registers, gas))"),
    bug(
        "a block of the quick way costs one less",
        "vm/src/execute/step.rs",
        "let cost = if M::QUICK { ready } else {",
        "let cost = if M::QUICK { ready.saturating_sub(1) } else {",
    ),
    bug(
        "the block behind a branch costs what the branch does",
        "vm/src/bytecode/ready.rs",
        "next: cost(at + 1)",
        "next: cost(at)",
    ),
    bug(
        "the depth of calls is one more than the limit",
        RUN,
        "if self.core.frames.count() >= self.core.depth {\n            return Err(TrapCode::DEPTH);",
        "if self.core.frames.count() > self.core.depth {\n            return Err(TrapCode::DEPTH);",
    ),
    bug(
        "the quick subtraction of integers swaps its operands",
        MEANING,
        "Subtract i64::checked_sub,",
        "Subtract |b, c| c.checked_sub(b),",
    ),
    bug(
        "the quick division takes negative divisors and rounds them the wrong way",
        MEANING,
        "if c > 0 { Some(b.div_euclid(c)) } else { None }",
        "if c != 0 { b.checked_div_euclid(c) } else { None }",
    ),
    bug("at most is less", MEANING, "    AtMost at_most;", "    AtMost less;"),
    bug(
        "a branch against a small integer is off by one",
        MEANING,
        "UnlessLessInteger less small false;",
        "UnlessLessInteger at_most small false;",
    ),
    bug(
        "the quick sum of decimals takes the wrong term for the one of fewer places",
        ARITHMETIC,
        "{ (a, b, scale_a, scale_a - scale_b) }",
        "{ (b, a, scale_a, scale_a - scale_b) }",
    ),
    bug(
        "a number and a float swap places",
        ARITHMETIC,
        "floats(operation, rounded(a), b)",
        "floats(operation, b, rounded(a))",
    ),
    bug(
        "taking an item out leaves the last but one where it was",
        "vm/src/execute/library/table.rs",
        "for place in position..length {",
        "for place in position..length - 1 {",
    ),
    bug(
        "nothing can be inserted at the end by its position",
        "vm/src/execute/library/table.rs",
        "if !(1..=length + 1).contains(&position) {",
        "if !(1..=length).contains(&position) {",
    ),
    bug(
        "the difference of two sets is that of the second and the first",
        "vm/src/execute/library/set.rs",
        "let sets = [call.argument(0), call.argument(1)];\n    merged(call, sets, |order| order == Ordering::Less)",
        "let sets = [call.argument(1), call.argument(0)];\n    merged(call, sets, |order| order == Ordering::Less)",
    ),
    bug(
        "the position 0 lies before every string",
        "vm/src/execute/library/mod.rs",
        "        1.. => position,\n        0 => 1,",
        "        1.. => position,\n        0 => 0,",
    ),
    bug(
        "a repetition gives back one byte too few",
        "vm/src/execute/library/pattern.rs",
        "Some(b'*') => self.repeat(at, item, end),",
        "Some(b'*') => self.repeat(at + usize::from(self.is_single(at, item, end)?), item, end),",
    ),
    bug(
        "a code point of two bytes takes three",
        "vm/src/execute/library/utf8.rs",
        "[0, 0x80, 0x800,",
        "[0, 0x80, 0x7ff,",
    ),
    bug(
        "two rows may have one path and key",
        "vm/src/execute/library/emit.rs",
        "if !call.output.keys.insert(row_key.clone()) {",
        "if !call.output.keys.insert(row_key.clone()) && call.output.rows.is_empty() {",
    ),
    bug(
        "a branch for at least is one for greater",
        CONDITION,
        "Binary::AtLeast => (at_most, true, false),",
        "Binary::AtLeast => (less, true, false),",
    ),
    bug(
        "a comparison that is swapped is swapped once more",
        CONDITION,
        "let (a, b) = if is_swapped { (b, a) } else { (a, b) };",
        "let (a, b) = if is_swapped { (a, b) } else { (a, b) };",
    ),
    bug(
        "greater is less",
        "compiler/src/ir/operator.rs",
        "Greater \"greater\" Less Swapped Bool;",
        "Greater \"greater\" Less Straight Bool;",
    ),
    bug(
        "a list that lies where its items go is overwritten by the first of them",
        "compiler/src/emit/call.rs",
        "items.into_iter().rev()",
        "items.into_iter()",
    ),
    bug(
        "a built-in that gives nothing is taken for one that gives one value",
        "compiler/src/emit/results.rs",
        "Gives::Nothing => Known::Exactly(0),",
        "Gives::Nothing => Known::Exactly(1),",
    ),
    bug(
        "a variable that is assigned keeps its first value for good",
        CANONICAL,
        "known::is_small(value) && !self.usage.assigned.contains_key(variable)",
        "known::is_small(value)",
    ),
    bug(
        "`and` with a known first operand takes the wrong one",
        CANONICAL,
        "mem::take(if holds { &mut b.node } else { &mut a.node })",
        "mem::take(if holds { &mut a.node } else { &mut b.node })",
    ),
    bug(
        "an arm that never holds is kept, one that may is not",
        CANONICAL,
        "arms.retain(|(condition, _)| known::truth(&condition.node) != Some(false));",
        "arms.retain(|(condition, _)| known::truth(&condition.node) != Some(true));",
    ),
];
