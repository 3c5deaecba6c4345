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
        "a round that is left out pays for one of its two blocks"
            "&& step.pay(word.ahead)\n" => "&& step.pay(word.ahead - again.ahead)\n";
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
            "if M::QUICK { ready } else {" => "if M::QUICK { ready.saturating_sub(1) } else {";
    }
    "vm/src/bytecode/ready.rs" {
        "a call that goes behind the first comparison pays for one of its two blocks"
            "otherwise: (branch.wide(), with(branch.wide())?)" => "otherwise: (branch.wide(), *costs.get(branch.wide() as usize)?)";
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
            "known::is_small(value) && self.usage.assigned(*variable) == 0" => "known::is_small(value)";
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

bugs! {
/// What a naive stack has to find in how words are lowered.
OF_WORDS {
    "compiler/src/lower/words/combine.rs" {
        "what both ways of an `if` leave is taken from the first where they differ"
            "if !matches!(sides, [Some(first), Some(second)] if first.is_same(second)) {" => "if !matches!(sides, [Some(_), Some(_)]) {";
        "`unless` is `when`"
            "let negated = Expression::unary(Unary::Not, condition, span);" => "let negated = condition;";
        "what lies above is computed after what `dip` runs"
            "self.settle(body, at.span);\n        let above = self.take_items(body, 1);" => "let above = self.take_items(body, 1);";
        "a filter keeps what its quotation leaves"
            "vec![put(Expression::variable(value, span))]" => "vec![put(Expression::unary(Unary::Not, Expression::variable(value, span), span))]";
        "a way that takes less from below has its items in another order"
            "way.stack.insert(0, item);" => "way.stack.push(item);";
        "`times` runs once more"
            "let [from, by] = [1, 1].map" => "let [from, by] = [0, 1].map";
        "a loop forgets what its round has changed"
            "let changed: Vec<_> = changed.filter(|(variable, value)| value.node != Node::Variable(**variable)).collect();" => "let changed: Vec<_> = changed.filter(|(variable, value)| value.node != Node::Variable(**variable)).skip(1).collect();";
    }
    "compiler/src/lower/words/library.rs" {
        "items that change places are not computed before"
            "if before != after {" => "if before.len() > after.len() {";
        "`and` computes its second value only where it is wanted"
            "if body.stack.last().is_some_and(Item::is_pending) {" => "if false {";
        "`clear` forgets what was not computed yet"
            "self.know_all(word.name, span)?;\n                self.settle(body, span);\n                body.stack.clear();" => "self.know_all(word.name, span)?;\n                body.stack.clear();";
        "a definition that leaves many leaves them in another order"
            "let items = variables.into_iter().zip(many);" => "let items = variables.into_iter().rev().zip(many);";
    }
    "compiler/src/lower/words/item.rs" {
        "what is taken from below comes in another order"
            "body.stack.insert(0, item);" => "body.stack.push(item);";
    }
    "compiler/src/lower/words/mod.rs" {
        "an effect names another item than the one that was taken"
            "item.was.and_then(|at| count.checked_sub(at + 1))" => "item.was.filter(|&at| at < count)";
    }
    "compiler/src/syntax/words/library.rs" {
        "`rot` turns the other way"
            "\"a b c -- b c a\"" => "\"a b c -- c a b\"";
        "`min` is `max`"
            "\"min\" Meaning::Builtin(Builtin::Minimum)" => "\"min\" Meaning::Builtin(Builtin::Maximum)";
        "`tuck` is said to leave less"
            "\"a b -- b a b\"" => "\"a b -- a b\"";
    }
    "compiler/src/lower/words/infix.rs" {
        "`-` binds from right to left"
            "let below = if operator == \"^\" { binding - 1 } else { binding };" => "let below = if operator == \"^\" || operator == \"-\" { binding - 1 } else { binding };";
        "`^` binds from left to right"
            "let below = if operator == \"^\" { binding - 1 } else { binding };" => "let below = binding;";
    }
    "stdlib/words.lua" {
        "`append` changes the list that it is given"
            "local copy = copied(t)\n  table.insert(copy, value)" => "local copy = t\n  table.insert(copy, value)";
        "`split` forgets the last part"
            "table.insert(parts, string.sub(text, start, -1))" => "table.insert(parts, string.sub(text, start, -2))";
    }
} }

bugs! {
/// What the naive evaluator has to find in how policies are lowered, indexed and decided.
OF_POLICIES {
    "compiler/src/lower/policy/mod.rs" {
        "a deny rule wants to be certain where it applies"
            "self.ask_all(Question::Possible, &rule.when, desk.input)" => "self.ask_all(Question::Certain, &rule.when, desk.input)";
        "a deny rule wants to be certain of what it denies"
            "let reasons = self.ask_all(Question::Possible, &rule.deny_if, desk.input);" => "let reasons = self.ask_all(Question::Certain, &rule.deny_if, desk.input);";
        "all reasons to deny must hold"
            "let any = joined(reasons, Node::Or);" => "let any = joined(reasons, Node::And);";
        "an allow rule takes what is unknown for true"
            "all.extend(self.ask_all(Question::Certain, &rule.allow_if, desk.input));" => "all.extend(self.ask_all(Question::Possible, &rule.allow_if, desk.input));";
        "an allow rule is put among those that deny"
            "desk.allows, id, rule.span)" => "desk.denies, id, rule.span)";
    }
    "compiler/src/lower/policy/truth.rs" {
        "the questions don't exchange places under `not`"
            "Question::Certain => Question::Possible," => "Question::Certain => Question::Certain,";
        "`has` may be false"
            "(ExpressionKind::Has(_), Question::Possible) => Node::Bool(true)," => "(ExpressionKind::Has(_), Question::Possible) => Node::Bool(false),";
    }
    "compiler/src/lower/policy/value.rs" {
        "greater is at least"
            "Operator::Greater => (Builtin::TotalLess, true)," => "Operator::Greater => (Builtin::TotalAtMost, true),";
        "at least does not swap its sides"
            "Operator::AtLeast => (Builtin::TotalAtMost, true)," => "Operator::AtLeast => (Builtin::TotalAtMost, false),";
        "the quotient is rounded down"
            "Operator::Divide => (Builtin::TotalDivide, false)," => "Operator::Divide => (Builtin::TotalFloorDivide, false),";
    }
    "compiler/src/lower/policy/index.rs" {
        "what is below a path ends at the path"
            "to: with_byte(from, b'/' + 1)" => "to: with_byte(from, 0)";
        "a range does not have its first piece"
            "        begin..end.max(begin)" => "        begin + 1..end.max(begin + 1)";
        "rules that say nothing of the attribute are left out"
            "        self.search(&split.rest, askings, desk, body);" => "";
        "of two alternatives one is indexed"
            "ranges.extend(more);" => "drop(more);";
    }
    "compiler/src/lower/policy/shape.rs" {
        "rules that differ in how they are denied are taken for one shape"
            "            for number in numbers.by_ref().take(part.len()) {" => "            for number in numbers.by_ref().take(part.len()).take(rule.when.len() + rule.allow_if.len()) {";
        "a text is given to the function of its shape in the place of another"
            "texts.iter().filter_map(move |text|" => "texts.iter().rev().filter_map(move |text|";
    }
    "compiler/src/lower/policy/why.rs" {
        "the first reference is taken for the one that is unknown"
            "vec![set(out.reference, number(place)), set(out.value, raw)]" => "vec![set(out.reference, number(0)), set(out.value, raw)]";
        "under `and` the left is told where it is unknown and the right is false"
            "let right_settles = is(Binary::Equal, out.truth, boolean(settles));" => "let right_settles = boolean(false);";
    }
    "vm/src/execute/decide/lift.rs" {
        "what is learned of a check is turned around"
            "self.learn(&mut side, check, answer);" => "self.learn(&mut side, check, !answer);";
        "nil is taken for true"
            "Term::Nil => Some(false)," => "Term::Nil => Some(true),";
        "the first piece of a search is forgotten"
            "None => first = Some(at)," => "None => first = Some(node),";
    }
    "vm/src/execute/decide/walk.rs" {
        "`<` is `<=`"
            "if *or_equal { order.is_le() }" => "if true { order.is_le() }";
        "an item of another kind is unequal"
            "            if !item.is_string() {\n                truth = Value::NIL;" => "            if !item.is_string() {\n                truth = Value::FALSE;";
        "what another request came to is kept"
            "&& kept.request == request" => "&& kept.request <= request";
        "a value of another kind than it is declared is read all the same"
            "Ok(if is_of { value } else { Value::NIL })" => "Ok(if is_of || true { value } else { Value::NIL })";
    }
    "vm/src/execute/decide/text.rs" {
        "a text that is one of those that are searched comes before it"
            "same.partition_point(|other| **other <= *rest)" => "same.partition_point(|other| **other < *rest)";
    }
    "vm/src/glob.rs" {
        "what begins like a path is below it"
            "matches!(rest.first(), None | Some(b'/'))" => "matches!(rest.first(), None | Some(_))";
        "what is below a path has to be below it"
            "matches!(rest.first(), None | Some(b'/')))" => "matches!(rest.first(), Some(b'/')))";
    }
    "vm/src/execute/library/total.rs" {
        "a list without an item is unknown"
            "if call.heap.kind(part) == Kind::Nil { None } else { Some(false) }" => "None";
        "a map can show that it lacks a key"
            "Ok(answer((!value.is_nil()).then_some(true)))" => "Ok(answer(Some(!value.is_nil())))";
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
            about: "arc sines are taken by the host's library",
            file: "vm/src/number/float/elementary/mod.rs",
            old: "settle!(N => angle(Wide::<N>::from_float(self.0), opposite(self)))",
            new: "Self::from_bits(f64::from_bits(self.to_bits()).asin().to_bits())",
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
