//! Policies: rules in a strict profile of YAML, whose conditions are a small total language of their own.

#[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction, reason = "made by a tool")]
#[allow(unused_imports, unused_parens, dead_code, reason = "made by a tool")]
mod grammar {
    include!(concat!(env!("OUT_DIR"), "/syntax/policy/grammar.rs"));
}
mod check;
mod expression;
mod form;
mod format;
mod price;
pub mod schema;
mod show;
mod token;
pub mod tree;

pub use format::format;

use crate::diagnostic::Report;
use crate::syntax::yaml;
use crate::{Code, Diagnostic, Span};

/// Reads a file of rules, which decide or price, and looks through all of their conditions.
///
/// # Errors
/// Everything that an author must mend.
pub fn read(text: &str) -> Result<tree::Rules, Vec<Diagnostic>> {
    let root = yaml::read(text)?;
    let mut report = Report::default();
    let rules = form::rules(text, &root, &mut report);
    let diagnostics = report.into_diagnostics();
    if diagnostics.is_empty() { Ok(rules) } else { Err(diagnostics) }
}

/// Reads a policy, as [`read`] does.
///
/// # Errors
/// As [`read`], and where the rules price.
pub fn check(text: &str) -> Result<tree::Policy, Vec<Diagnostic>> {
    match read(text)? {
        tree::Rules::Policy(policy) => Ok(policy),
        tree::Rules::Pricing(pricing) => {
            let span = pricing.rules.first().map_or(Span::new(0, 0), |rule| rule.span);
            let message = "these rules price, and decide nothing";
            Err(vec![Diagnostic::new(Code::POLICY_KEY, span, message).with_help("ask them by `kerai price`")])
        }
    }
}
