//! Bugs that are planted to see that the generated programs find them: each is one small change of the sources, as a
//! hand might have slipped. The long run puts them into a copy of the sources, one at a time, and has it judge itself.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs, io};

/// A change of a source that makes it wrong.
struct Bug {
    about: &'static str,
    file: &'static str,
    /// What stands there once, and what is put in its place.
    old: &'static str,
    new: &'static str,
}

macro_rules! bugs {
    ($($file:literal { $($about:literal $old:literal => $new:literal;)+ })+) => {
        const BUGS: &[Bug] = &[$($(Bug { about: $about, file: $file, old: $old, new: $new }),+),+];
    };
}

bugs! {
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
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn planted_bugs_fit_the_sources() {
    for bug in BUGS {
        let source = fs::read_to_string(root().join(bug.file)).expect("a source");
        assert_eq!(source.matches(bug.old).count(), 1, "{}: `{}` in {}", bug.about, bug.old, bug.file);
        assert_ne!(bug.old, bug.new, "{}", bug.about);
    }
    assert!(BUGS.len() >= 20);
}

/// Builds the copy and runs the generated programs there. Where it can't be built, what was said is the error.
fn judged(copy: &Path) -> Result<Output, String> {
    let cargo = |more: &[&str]| {
        Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
            .args(["test", "--quiet", "--locked", "-p", "kerai-tests", "--test", "stock"])
            .args(more)
            .env("CARGO_TARGET_DIR", copy.join("target"))
            .env_remove("KERAI_LONG")
            .current_dir(copy)
            .output()
            .map_err(|fault| fault.to_string())
    };
    let built = cargo(&["--no-run"])?;
    if !built.status.success() {
        return Err(String::from_utf8_lossy(&built.stderr).into_owned());
    }
    cargo(&["--", "--exact", "generated_programs_agree_with_stock_lua"])
}

fn copy_sources(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if ["target", ".git", "golden"].iter().any(|left_out| name == *left_out) {
            continue;
        }
        let to = to.join(&name);
        if entry.file_type()?.is_dir() { copy_sources(&entry.path(), &to)? } else { _ = fs::copy(entry.path(), to)? }
    }
    Ok(())
}

#[test]
fn planted_bugs_are_found() {
    if env::var("KERAI_LONG").is_ok_and(|value| value != "1") || env::var("KERAI_LONG").is_err() {
        return;
    }
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted");
    copy_sources(&root(), &copy).expect("a copy of the sources");
    // Without a bug nothing may be found, or nothing would be said by finding one.
    let clean = judged(&copy).unwrap_or_else(|fault| panic!("{fault}"));
    assert!(clean.status.success(), "{}", String::from_utf8_lossy(&clean.stdout));
    let mut hidden = Vec::new();
    for bug in BUGS {
        let file = copy.join(bug.file);
        let source = fs::read_to_string(&file).expect("a source");
        fs::write(&file, source.replacen(bug.old, bug.new, 1)).expect("a change");
        let judged = judged(&copy).unwrap_or_else(|fault| panic!("{}: {fault}", bug.about));
        fs::write(&file, source).expect("the change taken back");
        let said = String::from_utf8_lossy(&judged.stdout).into_owned();
        let cases = said.lines().find(|line| line.contains(" cases, ")).unwrap_or_default();
        println!("{} {}: {cases}", if judged.status.success() { "HIDDEN" } else { "found " }, bug.about);
        if judged.status.success() {
            hidden.push(bug.about);
        }
    }
    println!("{} of {} planted bugs were found", BUGS.len() - hidden.len(), BUGS.len());
    assert!(hidden.is_empty(), "not found: {hidden:?}");
}
