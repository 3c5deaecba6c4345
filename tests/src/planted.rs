//! Bugs that are planted to see that the runs on generated programs find them: each is one small change of a source, as
//! a hand might have slipped. `planted` (in `bin/`) puts them into a copy of the sources one at a time, builds that, and
//! lets it judge itself; a test sees that each still fits the sources.

/// A change of a source that makes it wrong.
pub struct Bug {
    /// What is wrong then.
    pub about: &'static str,
    pub file: &'static str,
    /// What stands there once, and what is put in its place.
    pub old: &'static str,
    pub new: &'static str,
}

macro_rules! bugs {
    ($(#[$about:meta])* $name:ident { $($file:literal { $($bug:literal $old:literal => $new:literal;)+ })+ }) => {
        $(#[$about])*
        pub const $name: &[Bug] = &[$($(Bug { about: $bug, file: $file, old: $old, new: $new }),+),+];
    };
}

bugs! {
/// What the evaluator of the IR has to find in the compiler from the IR on, and in the machine.
OF_THE_MACHINE {
    "vm/src/execute/meaning.rs" {
        "counting upwards in integers begins with one round too few"
            "let is_empty = counter.body().cast_signed() > limit" => "let is_empty = counter.body().cast_signed() >= limit";
        "counting upwards in integers ends a round too early"
            "Ok(next <= limit" => "Ok(next < limit";
        "the quick subtraction of integers swaps its operands"
            "Subtract i64::checked_sub," => "Subtract |b, c| c.checked_sub(b),";
        "the quick division takes negative divisors and rounds them the wrong way"
            "if c > 0 { Some(b.div_euclid(c)) } else { None }" => "if c != 0 { b.checked_div_euclid(c) } else { None }";
        "at most is less"
            "    AtMost at_most;" => "    AtMost less;";
        "a branch against a small integer is off by one"
            "UnlessLessInteger less small false;" => "UnlessLessInteger at_most small false;";
    }
    "vm/src/execute/elsewhere.rs" {
        "counting downwards ends a round too early"
            "if is_downwards { at_most(core, limit, counter) }" => "if is_downwards { less(core, limit, counter) }";
    }
    "vm/src/execute/run.rs" {
        "a quick call is not charged"
            "put(&mut frame.registers, 1, second);\n    }\n    frame.ready = ready;\n    frame.reply = Reply::of_word(word.next);\n    Some((frame, left))" => "put(&mut frame.registers, 1, second);\n    }\n    frame.ready = ready;\n    frame.reply = Reply::of_word(word.next);\n    Some((frame, gas))";
    }
    "vm/src/execute/frame.rs" {
        "the depth of calls is one less than the limit"
            "if next > self.depth {" => "if next >= self.depth {";
    }
    "vm/src/execute/step.rs" {
        "a block of the quick way costs one less"
            "let cost = if M::QUICK { ready } else {" => "let cost = if M::QUICK { ready.saturating_sub(1) } else {";
    }
    "vm/src/bytecode/ready.rs" {
        "the block behind a branch costs what the branch does"
            "next: cost(at + 1)" => "next: cost(at)";
    }
    "vm/src/execute/arithmetic.rs" {
        "the quick sum of decimals takes the wrong term for the one of fewer places"
            "{ (a, b, scale_a, scale_a - scale_b) }" => "{ (b, a, scale_a, scale_a - scale_b) }";
        "a number and a float swap places"
            "floats(operation, rounded(a), b)" => "floats(operation, b, rounded(a))";
    }
    "vm/src/execute/library/table.rs" {
        "taking an item out leaves the last but one where it was"
            "for place in position..length {" => "for place in position..length - 1 {";
        "nothing can be inserted at the end by its position"
            "if !(1..=length + 1).contains(&position) {" => "if !(1..=length).contains(&position) {";
    }
    "vm/src/execute/library/set.rs" {
        "the difference of two sets is that of the second and the first"
            "let sets = [call.argument(0), call.argument(1)];\n    merged(call, sets, |order| order == Ordering::Less)" => "let sets = [call.argument(1), call.argument(0)];\n    merged(call, sets, |order| order == Ordering::Less)";
    }
    "vm/src/execute/library/mod.rs" {
        "the position 0 lies before every string"
            "        1.. => position,\n        0 => 1," => "        1.. => position,\n        0 => 0,";
    }
    "vm/src/execute/library/pattern.rs" {
        "a repetition gives back one byte too few"
            "let at = at - 1;\n                    if at > least {" => "let at = at - 1;\n                    if at > least + 1 {";
    }
    "vm/src/execute/library/set.rs" {
        "looking for a member costs one step whatever the set holds"
            "call.meter.charge(steps * (1 + bytes / 16))?;" => "call.meter.charge(1 + bytes / 16)?;";
    }
    "vm/src/execute/library/build.rs" {
        "the bytes of what is built are free"
            "self.meter.charge(length / BYTES_A_GAS - self.paid / BYTES_A_GAS)?;" => "";
    }
    "vm/src/execute/library/random.rs" {
        "drawing a number costs nothing but the call"
            "call.meter.charge(100 + content.len() as u64)?;" => "";
    }
    "vm/src/execute/sort.rs" {
        "comparisons of a sort are free"
            "self.core.meter.charge(COMPARISON)?;" => "";
    }
    "vm/src/execute/elsewhere.rs" {
        "spreading a list into a built-in's arguments is free"
            "core.meter.charge_values(arguments.len())?;" => "";
    }
    "vm/src/execute/library/utf8.rs" {
        "a code point of two bytes takes three"
            "[0, 0x80, 0x800," => "[0, 0x80, 0x7ff,";
    }
    "vm/src/execute/library/emit.rs" {
        "two rows may have one path and key"
            "if !call.output.keys.insert(row.key.clone()) {" => "if !call.output.keys.insert(row.key.clone()) && call.output.rows.is_empty() {";
    }
    "compiler/src/emit/condition.rs" {
        "a branch for at least is one for greater"
            "Binary::AtLeast => (at_most, true, false)," => "Binary::AtLeast => (less, true, false),";
        "a comparison that is swapped is swapped once more"
            "let (a, b) = if is_swapped { (b, a) } else { (a, b) };" => "let (a, b) = if is_swapped { (a, b) } else { (a, b) };";
    }
    "compiler/src/ir/operator.rs" {
        "greater is less"
            "Greater \"greater\" Less Swapped Bool;" => "Greater \"greater\" Less Straight Bool;";
    }
    "compiler/src/emit/call.rs" {
        "a list that lies where its items go is overwritten by the first of them"
            "items.into_iter().rev()" => "items.into_iter()";
    }
    "compiler/src/emit/results.rs" {
        "a built-in that gives nothing is taken for one that gives one value"
            "Gives::Nothing => Known::Exactly(0)," => "Gives::Nothing => Known::Exactly(1),";
    }
    "compiler/src/ir/canonical.rs" {
        "a variable that is assigned keeps its first value for good"
            "known::is_small(value) && !self.usage.assigned.contains_key(variable)" => "known::is_small(value)";
        "`and` with a known first operand takes the wrong one"
            "mem::take(if holds { &mut b.node } else { &mut a.node })" => "mem::take(if holds { &mut a.node } else { &mut b.node })";
        "an arm that never holds is kept, one that may is not"
            "arms.retain(|(condition, _)| known::truth(&condition.node) != Some(false));" => "arms.retain(|(condition, _)| known::truth(&condition.node) != Some(true));";
    }
} }

bugs! {
/// What stock Lua has to find in all that makes a program of Lua's text and runs it.
OF_LUA {
    "compiler/src/lower/lua/loops.rs" {
        "`ipairs` leaves out the first value"
            "[1, i64::MAX, 1].map" => "[2, i64::MAX, 1].map";
        "`gmatch` forgets where the match before ended"
            "vec![Place::Variable(from), Place::Variable(last)]" => "vec![Place::Variable(from)]";
    }
    "compiler/src/lower/lua/call.rs" {
        "a method that is looked up when it is called lacks its object"
            "Call { callee, arguments: before(this(), arguments) }" => "Call { callee, arguments }";
        "`pcall` hands no arguments on"
            "Call { callee, arguments: self.values(arguments) }" => "Call { callee, arguments: self.values(&[]) }";
        "arguments that are too many are not dropped but shift the others"
            "values.fixed.push(kept_before(last, dropped, span));" => "values.fixed.extend(dropped.into_iter().last());";
    }
    "compiler/src/lower/lua/expression.rs" {
        "`>=` is `>`"
            "BinaryOperator::GreaterEqual => Binary::AtLeast" => "BinaryOperator::GreaterEqual => Binary::Greater";
        "`/` of integers is exact in sources about floats"
            "BinaryOperator::Divide if self.is_float => Binary::FloatDivide" => "BinaryOperator::Divide if self.is_float => Binary::Divide";
        "`~` between values is `|`"
            "BinaryOperator::BitXor => Binary::BitExclusiveOr" => "BinaryOperator::BitXor => Binary::BitOr";
    }
    "compiler/src/emit/call.rs" {
        "the values of a list are read over the list"
            "items.into_iter().rev()" => "items.into_iter()";
    }
    "compiler/src/emit/results.rs" {
        "a built-in with many results gives one"
            "Gives::Many => Known::Varies" => "Gives::Many => Known::Exactly(1)";
    }
    "compiler/src/ir/canonical.rs" {
        "`and` with a known first value gives the wrong one"
            "mem::take(if holds { &mut b.node } else { &mut a.node })" => "mem::take(if holds { &mut a.node } else { &mut b.node })";
    }
    "stdlib/prelude.lua" {
        "`select` counts from the end wrongly"
            "n = count + n + 1" => "n = count + n";
        "`gsub` by a function that gives nothing takes a letter too many"
            "value = builtin[\"string.sub\"](s, start, stop - 1)" => "value = builtin[\"string.sub\"](s, start, stop)";
        "`assert` gives its first argument alone"
            "return value, ..." => "return value";
        "`utf8.codes` skips"
            "position = at\n" => "position = at + 1\n";
    }
    "vm/src/execute/elsewhere.rs" {
        "a counter is no float though its step is"
            "by.as_float().is_some() && counter.as_float().is_none()" => "by.as_float().is_some() && counter.as_float().is_some()";
        "counting downwards ends a round too early"
            "if is_downwards { at_most(core, limit, counter) }" => "if is_downwards { less(core, limit, counter) }";
    }
    "vm/src/execute/library/string.rs" {
        "`string.sub` leaves out the last letter"
            "position(call.heap, call.argument(2), -1)?" => "position(call.heap, call.argument(2), -2)?";
        "`string.rep` ends with what stands between"
            "if gap > 0 && time + 1 < times {" => "if gap > 0 {";
    }
    "vm/src/execute/library/table.rs" {
        "`table.remove` takes the first value"
            "call.integer(1)?.unwrap_or(length)" => "call.integer(1)?.unwrap_or(1)";
        "`table.concat` ends with what stands between"
            "if position < to {" => "if position <= to {";
        "`table.move` overwrites what it still has to copy"
            "if is_same && place > from && place <= to {" => "if is_same && place > to {";
    }
    "vm/src/execute/library/convert.rs" {
        "36 is no base"
            "(2..=36).contains(base)" => "(2..36).contains(base)";
    }
    "vm/src/execute/library/pattern.rs" {
        "a frontier does not look at what stands before it"
            "!self.is_member(before, place, end) && self.is_member(after, place, end)" => "self.is_member(after, place, end)";
        "`%w` has no digits"
            "b'w' => byte.is_ascii_alphanumeric()" => "b'w' => byte.is_ascii_alphabetic()";
    }
    "vm/src/execute/arithmetic.rs" {
        "a shift by a negative number goes the same way"
            "-63..0 => bits >> -by" => "-63..0 => bits << -by";
    }
} }

/// A bug that shows on some platforms only.
pub struct PlatformBug {
    /// What differs between platforms then.
    pub differs: &'static str,
    /// Which platforms are asked: the first is at home where the bug was written.
    pub platforms: &'static [&'static str],
    /// Whether home sees nothing of it.
    pub is_hidden_at_home: bool,
    pub bug: Bug,
}

/// What `golden/platforms.sh` has to find: results that would depend on where they are computed.
pub const OF_PLATFORMS: &[PlatformBug] = &[
    PlatformBug {
        differs: "byte order",
        platforms: &["linux-gnu", "linux-s390x"],
        is_hidden_at_home: true,
        bug: Bug {
            about: "long arguments of CBOR are swapped, as if every processor began with the low byte",
            file: "vm/src/encoding/cbor/encode.rs",
            old: "out.extend_from_slice(&argument.to_be_bytes());",
            new: "out.extend_from_slice(&argument.swap_bytes().to_ne_bytes());",
        },
    },
    PlatformBug {
        differs: "width of usize",
        platforms: &["linux-gnu", "linux-i686"],
        is_hidden_at_home: true,
        bug: Bug {
            about: "long arguments of CBOR pass through a usize",
            file: "vm/src/encoding/cbor/encode.rs",
            old: "out.extend_from_slice(&argument.to_be_bytes());",
            new: "out.extend_from_slice(&(argument as usize as u64).to_be_bytes());",
        },
    },
    PlatformBug {
        differs: "the host's float functions",
        platforms: &["linux-gnu", "windows-gnu"],
        is_hidden_at_home: true,
        bug: Bug {
            about: "products of floats are taken by the host's fused multiplication",
            file: "vm/src/number/float/processor.rs",
            old: "        (float(a) * float(b)).to_bits()",
            new: "        float(a).mul_add(float(b), -0.0).to_bits()",
        },
    },
    PlatformBug {
        differs: "order of hashes",
        platforms: &["linux-gnu", "linux-gnu-second-seed"],
        is_hidden_at_home: false,
        bug: Bug {
            about: "tables are visited in the order of their keys' hashes",
            file: "vm/src/value/read.rs",
            old: "entries.sort_unstable_by(|a, b| self.order(a.0, b.0));",
            new: "entries.sort_unstable_by_key(|entry| self.content.hash_key(entry.0));",
        },
    },
    PlatformBug {
        differs: "locale",
        platforms: &["linux-gnu", "linux-gnu-second-seed"],
        is_hidden_at_home: true,
        bug: Bug {
            about: "decimals are written with the mark of the user's language",
            file: "vm/src/number/exact/text.rs",
            old: "            out.push(b'.');\n            out.extend_from_slice(digits.between(places, 0));",
            new: "            let is_comma = std::env::var(\"LC_ALL\").is_ok_and(|locale| locale.starts_with(\"tr\"));\n            out.push(if is_comma { b',' } else { b'.' });\n            out.extend_from_slice(digits.between(places, 0));",
        },
    },
    PlatformBug {
        differs: "debug assertions",
        platforms: &["linux-gnu", "linux-gnu-debug"],
        is_hidden_at_home: true,
        bug: Bug {
            about: "a debug assertion writes a byte before each text of CBOR",
            file: "vm/src/encoding/cbor/encode.rs",
            old: "    put_head(out, major::TEXT, content.len() as u64);",
            new: "    debug_assert!({ out.push(0); true });\n    put_head(out, major::TEXT, content.len() as u64);",
        },
    },
];
