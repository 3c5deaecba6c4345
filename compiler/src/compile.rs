//! From a source to a program, by the language that it is written in.

use crate::ir::Ir;
use crate::lower::policy::Search;
use crate::syntax::policy::tree::Rules;
use crate::syntax::{lua, policy};
use crate::{Diagnostic, Source, emit, emit::Map, lower};
use kerai_vm::bytecode::{Order, Program};

/// A language that programs are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Lua,
    Policy,
    /// Merge folds.
    Yaml,
    /// The IR's text, for tests and curious people.
    Ir,
}

impl Language {
    pub const ALL: &[Language] = &[Language::Lua, Language::Yaml, Language::Policy, Language::Ir];

    /// How the names of its files end.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Language::Lua => "lua",
            Language::Policy => "rgs",
            Language::Yaml => "yaml",
            Language::Ir => "ir",
        }
    }

    /// The language of a file's ending.
    #[must_use]
    pub fn of_ending(ending: &str) -> Option<Language> {
        Language::ALL.iter().copied().find(|language| language.ending() == ending)
    }
}

/// A source, compiled.
#[derive(Debug, Clone)]
pub struct Compiled {
    pub program: Program,
    /// Where its instructions came from.
    pub map: Map,
}

/// Compiles a source.
///
/// # Errors
/// Everything that an author must mend.
pub fn compile(language: Language, source: &Source) -> Result<Compiled, Vec<Diagnostic>> {
    let ir = ir(language, source)?;
    let checked = ir.check()?;
    let (program, map) = emit::emit(&checked).map_err(|diagnostic| vec![diagnostic])?;
    Ok(Compiled { program, map })
}

/// Compiles a source as a fold in the order by ULID, of whose joins nothing is claimed: so the claim can be examined.
///
/// # Errors
/// Everything that an author must mend.
pub fn unproven(language: Language, source: &Source) -> Result<Compiled, Vec<Diagnostic>> {
    let ir = Ir { order: Order::Ulid, ..ir(language, source)? };
    let checked = ir.check()?;
    let (program, map) = emit::emit(&checked).map_err(|diagnostic| vec![diagnostic])?;
    Ok(Compiled { program, map })
}

/// The IR of a source, before it is checked.
///
/// # Errors
/// Everything that an author must mend.
pub fn ir(language: Language, source: &Source) -> Result<Ir, Vec<Diagnostic>> {
    let text = source.text();
    match language {
        Language::Lua => lower::lua::lower(&lua::check(text)?),
        Language::Policy => Ok(match policy::read(text)? {
            Rules::Policy(policy) => lower::policy::lower(&policy, Search::Indexed),
            Rules::Pricing(pricing) => lower::policy::lower_prices(&pricing),
        }),
        Language::Yaml => lower::merge::lower(text),
        Language::Ir => Ir::from_text(text).map_err(|diagnostic| vec![diagnostic]),
    }
}
