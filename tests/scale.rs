//! What is large compiles, or is refused, as what is small is, whatever shape the source has. How the time grows is for
//! `kerai-bench compile` to say.

use kerai_compiler::{Language, Source, compile};
use kerai_tests::shapes::{SHAPES, Shape};

/// Lines of the smaller source; the larger has ten times as many.
const LINES: usize = 1_000;

/// The size of the program, or the code of the first thing that is wrong.
fn compiled(source: &str) -> Result<usize, String> {
    let source = Source::read(source.as_bytes()).map_err(|refused| refused.message.to_string())?;
    let compiled = compile(Language::Lua, &source)
        .map_err(|refused| refused.first().map(|one| one.code.name()).unwrap_or_default().to_owned())?;
    compiled.program.encode().map(|bytes| bytes.len()).map_err(|refusal| refusal.to_string())
}

#[test]
fn shapes_are_taken_or_refused_at_every_size() {
    for Shape { name, source, is_compiled } in SHAPES {
        for lines in [LINES, 10 * LINES] {
            let outcome = compiled(&source(lines));
            assert_eq!(outcome.is_ok(), *is_compiled, "{name}, {lines} lines: {outcome:?}");
        }
    }
}
