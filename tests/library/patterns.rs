//! Patterns.

use crate::generate::{pattern, pieces, position, subject};
use crate::machine::{Datum, Library, program};
use crate::oracle::{Both, Oracle, Pair};
use kerai_tests::property::{Random, Run};
use kerai_vm::bytecode::Builtin;
use kerai_vm::trap::TrapCode;

const REPLACEMENT: &[&str] = &["<", ">", "%0", "%1", "%2", "%%", "x", "", "%", "%x"];

#[test]
fn searches_agree_with_stock_lua() {
    let run = Run::new("searches", 60_000, 1_000_000);
    let (program, oracle) = (program(), Oracle::new());
    let mut library = Library::new(&program);
    let mut random = Random::new(run.seed);
    let pairs = ["string.find", "string.match", "string.gsub"].map(|name| Pair::new(&oracle, name));
    let (mut matched, mut refused) = (0, 0);
    run.each(|_| {
        let pair = random.pick(&pairs);
        let mut arguments = vec![subject(&mut random), pattern(&mut random)];
        if pair.builtin == Builtin::StringReplace {
            arguments.push(pieces(&mut random, REPLACEMENT, 4));
            if random.below(3) == 0 {
                arguments.push(Datum::Integer(i128::from(random.below(5)) - 1));
            }
        } else if random.below(2) == 0 {
            arguments.push(position(&mut random));
            if pair.builtin == Builtin::StringFind && random.below(3) == 0 {
                arguments.push(Datum::Bool(random.below(2) == 0));
            }
        }
        let both = Both::of(&mut library, &oracle, pair, &arguments);
        both.assert(pair, &arguments);
        matched += u64::from(both.ours.as_ref().is_ok_and(|results| results.first() != Some(&Datum::Nil)));
        refused += u64::from(both.ours.is_err());
    });
    println!("{matched} matched, {refused} were refused by both");
    assert!(matched > 0 && refused > 0);
}

/// All that `gmatch` gives, by the built-in that a program calls for each match.
fn all_matches(library: &mut Library, arguments: &[Datum]) -> Result<Vec<Vec<Datum>>, TrapCode> {
    let (mut from, mut barred) = (arguments.get(2).cloned().unwrap_or(Datum::Integer(1)), Datum::Nil);
    let mut all = Vec::new();
    loop {
        let mut call = arguments.get(..2).unwrap_or_default().to_vec();
        call.extend([from, barred]);
        let mut results = library.call(Builtin::NextMatch, &call)?.into_iter();
        let end = results.next().unwrap_or(Datum::Nil);
        if end == Datum::Nil {
            return Ok(all);
        }
        all.push(results.collect());
        (from, barred) = (end.clone(), end);
    }
}

#[test]
fn walks_over_all_matches_agree_with_stock_lua() {
    let run = Run::new("walks", 20_000, 300_000);
    let (program, oracle) = (program(), Oracle::new());
    let mut library = Library::new(&program);
    let mut random = Random::new(run.seed ^ 1);
    // The captures of every match, with an end mark after each.
    let function = oracle.function(
        "function(...) local all = {}
            local walk = string.gmatch(...)
            while true do
                local found = table.pack(walk())
                if found[1] == nil then return table.unpack(all) end
                for place = 1, found.n do all[#all + 1] = found[place] end
                all[#all + 1] = false
            end
        end",
    );
    run.each(|_| {
        let mut arguments = vec![subject(&mut random), pattern(&mut random)];
        if random.below(3) == 0 {
            arguments.push(position(&mut random));
        }
        let ours = all_matches(&mut library, &arguments).ok();
        let ours = ours.map(|matches| {
            let closed = matches.into_iter().flat_map(|found| found.into_iter().chain([Datum::Bool(false)]));
            closed.collect::<Vec<_>>()
        });
        let theirs = oracle.call(&function, &arguments);
        assert_eq!(ours, theirs, "{arguments:?}");
    });
}

/// `gsub` with a function, as a program does it: each match is looked up, the text between is copied.
fn replaced_by_function(library: &mut Library, arguments: &[Datum]) -> Result<Vec<u8>, TrapCode> {
    let Some(Datum::Text(subject)) = arguments.first() else { return Err(TrapCode::KIND) };
    let (mut from, mut barred, mut out) = (1_i128, Datum::Nil, Vec::new());
    let between = |start: i128, end: i128| subject.get(start as usize - 1..end as usize - 1).unwrap_or_default();
    loop {
        let mut call = arguments.to_vec();
        call.extend([Datum::Integer(from), barred]);
        let results = library.call(Builtin::NextReplaced, &call)?;
        let [Datum::Integer(start), Datum::Integer(end), captures @ ..] = results.as_slice() else {
            out.extend_from_slice(between(from, subject.len() as i128 + 1));
            return Ok(out);
        };
        out.extend_from_slice(between(from, *start));
        out.push(b'<');
        for capture in captures {
            match capture {
                Datum::Text(text) => out.extend_from_slice(text),
                Datum::Integer(position) => out.extend_from_slice(position.to_string().as_bytes()),
                Datum::Nil | Datum::Bool(_) | Datum::Decimal(_) | Datum::Float(_) => {
                    panic!("{capture:?} is no capture")
                }
            }
            out.push(b',');
        }
        (from, barred) = (*end, Datum::Integer(*end));
    }
}

#[test]
fn replacing_by_a_function_agrees_with_stock_lua() {
    let run = Run::new("replacements", 20_000, 300_000);
    let (program, oracle) = (program(), Oracle::new());
    let mut library = Library::new(&program);
    let mut random = Random::new(run.seed ^ 2);
    let function = oracle.function(
        "function(subject, pattern)
            return (string.gsub(subject, pattern, function(...) return '<' .. table.concat({...}, ',') .. ',' end))
        end",
    );
    run.each(|_| {
        let arguments = [subject(&mut random), pattern(&mut random)];
        let ours = replaced_by_function(&mut library, &arguments).ok().map(|text| vec![Datum::Text(text)]);
        assert_eq!(ours, oracle.call(&function, &arguments), "{arguments:?}");
    });
}

/// Patterns that take a backtracker forever end by their gas, soon.
#[test]
fn evil_patterns_run_out_of_gas() {
    let program = program();
    let mut library = Library::new(&program);
    let subject = Datum::Text(vec![b'a'; 5000]);
    let evil =
        [".-.-.-.-.-.-.-.-b", "a*a*a*a*a*a*a*b", "(a*)(a*)(a*)(a*)%1b", "a?a?a?a?a?a?a*a*a*a*b", "[ab]-[ab]-[ab]-x"];
    for pattern in evil {
        let result = library.call(Builtin::StringFind, &[subject.clone(), Datum::text(pattern)]);
        assert_eq!(result, Err(TrapCode::GAS), "{pattern}");
        assert!(library.gas_used() <= 100_000_000);
    }
    let deep = Datum::Text(b"a?".repeat(100_000));
    let both = library.call(Builtin::StringFind, &[subject.clone(), deep]);
    assert_eq!(both, Err(TrapCode::PATTERN));
    let open = Datum::Text(vec![b'('; 1_000_000]);
    assert_eq!(library.call(Builtin::StringFind, &[subject, open]), Err(TrapCode::PATTERN));
}
