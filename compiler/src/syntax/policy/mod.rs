//! Policies: rules in a strict profile of YAML, whose conditions are a small total language of their own.

#[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction, reason = "made by a tool")]
#[allow(unused_imports, unused_parens, dead_code, reason = "made by a tool")]
mod grammar {
    include!(concat!(env!("OUT_DIR"), "/syntax/policy/grammar.rs"));
}
mod check;
mod expression;
mod form;
pub mod schema;
mod show;
mod token;
pub mod tree;

use crate::Diagnostic;
use crate::diagnostic::Report;
use crate::syntax::yaml;

/// Reads a policy and looks through all of its conditions.
///
/// # Errors
/// Everything that an author must mend.
pub fn check(text: &str) -> Result<tree::Policy, Vec<Diagnostic>> {
    let root = yaml::read(text)?;
    let mut report = Report::default();
    let policy = form::policy(text, &root, &mut report);
    let diagnostics = report.into_diagnostics();
    if diagnostics.is_empty() { Ok(policy) } else { Err(diagnostics) }
}
