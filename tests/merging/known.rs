//! The library's functions that proofs know are those of this build.

use crate::made;
use kerai_compiler::emit::FunctionMap;
use kerai_compiler::{Compiled, Language, compile};
use kerai_vm::law;

/// Fills in the table of digests: what is wrong is said as it must be.
#[test]
fn proofs_know_the_library_as_it_is() {
    let mut wrong = Vec::new();
    for (name, digest) in law::known() {
        let source = format!("function call(...) return lattice.{name}(...) end");
        let Compiled { program, map } = made(compile, Language::Lua, &source);
        let is_it = |function: &FunctionMap| function.name == format!("lattice.{name}");
        let number = map.functions.iter().position(is_it).unwrap_or_else(|| {
            let names: Vec<&str> = map.functions.iter().map(|function| function.name.as_str()).collect();
            panic!("no function is `{name}`: {names:?}")
        });
        let found = law::digest(&program, number as u32).expect("a library function has a digest");
        if found != digest {
            wrong.push(format!("{name} {found}"));
        }
    }
    assert!(wrong.is_empty(), "vm/src/law/known.rs must say:\n{}", wrong.join("\n"));
}
