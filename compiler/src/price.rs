//! What something costs, by which rule, and how that was computed: what a price list's program answers.

use crate::explain::{Unexplained, view};
use crate::lower::policy::{DEFAULT_RULE, PRICED};
use kerai_vm::execute::Machine;
use kerai_vm::value::{Heap, Value};

/// A price, or what stands against one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The rule that says it; `default` where none does.
    pub rule: String,
    pub verdict: Result<Price, Unpriced>,
}

/// A price with its arithmetic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// Whole credits, as digits.
    pub credits: String,
    /// What was added up, in this order: the amounts come to the credits.
    pub terms: Vec<Term>,
}

/// A part of a price: its name, what it was made of, and its amount, each a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    pub name: String,
    pub parts: Vec<(String, String)>,
    pub amount: String,
    /// All of it as JSON.
    pub json: String,
}

/// Why there is no price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unpriced {
    /// No rule is for the request.
    NoRule,
    /// An attribute that the price depends on is not there.
    Missing { text: String, reference: String },
    /// An attribute that the price depends on is of no use: what is there, as JSON.
    Unusable { text: String, reference: String, value: String },
    /// What was computed is no part of a price: of which text, and why.
    Unfit { text: String, why: String },
}

/// Asks a price list.
///
/// # Errors
/// Where the machine ran out of what it may use, or the program is no price list.
pub fn quote(machine: &mut Machine, input: Value) -> Result<Quote, Unexplained> {
    let results = machine.call("price", &[input]).ok_or(Unexplained::Stranger)?.map_err(Unexplained::Trap)?;
    let heap = machine.values();
    let answer = results.first().and_then(|&answer| heap.items(answer)).ok_or(Unexplained::Stranger)?;
    let &[verdict, rule, credits, rest] = answer else { return Err(Unexplained::Stranger) };
    let rule = text(heap, rule).ok_or(Unexplained::Stranger)?;
    let verdict = if text(heap, verdict).as_deref() == Some(PRICED) {
        let terms = heap.items(rest).unwrap_or_default().iter().filter_map(|&part| term(heap, part));
        Ok(Price { credits: view(heap, credits), terms: terms.collect() })
    } else {
        Err(unpriced(heap, &rule, rest).ok_or(Unexplained::Stranger)?)
    };
    Ok(Quote { rule, verdict })
}

fn text(heap: &Heap, value: Value) -> Option<String> {
    heap.as_string(&value).map(|text| String::from_utf8_lossy(text).into_owned())
}

fn term(heap: &Heap, value: Value) -> Option<Term> {
    let (mut name, mut amount, mut parts) = (String::new(), String::new(), Vec::new());
    for (key, part) in heap.entries(value)? {
        let key = text(heap, key)?;
        match key.as_str() {
            "term" => name = text(heap, part)?,
            "amount" => amount = view(heap, part),
            _ => parts.push((key, view(heap, part))),
        }
    }
    Some(Term { name, parts, amount, json: view(heap, value) })
}

fn unpriced(heap: &Heap, rule: &str, found: Value) -> Option<Unpriced> {
    if rule == DEFAULT_RULE {
        return Some(Unpriced::NoRule);
    }
    let &[why, about, reference, raw] = heap.items(found)? else { return None };
    let about = text(heap, about)?;
    Some(match text(heap, reference) {
        None => Unpriced::Unfit { text: about, why: text(heap, why)? },
        Some(reference) if raw.is_nil() => Unpriced::Missing { text: about, reference },
        Some(reference) => Unpriced::Unusable { text: about, reference, value: view(heap, raw) },
    })
}

impl Quote {
    /// All of it as lines.
    #[must_use]
    pub fn describe(&self) -> String {
        let price = match &self.verdict {
            Err(unpriced) => return format!("no price by {}: {}", self.rule, unpriced.describe()),
            Ok(price) => price,
        };
        let mut lines = vec![format!("{} by {}", price.credits, self.rule)];
        for term in &price.terms {
            let parts: Vec<String> = term.parts.iter().map(|(name, value)| format!("{name} {value}")).collect();
            let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
            lines.push(format!("  {}{parts}: {}", term.name, term.amount));
        }
        lines.join("\n")
    }
}

impl Unpriced {
    /// What is missing or wrong.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Unpriced::NoRule => "no rule is for it".to_owned(),
            Unpriced::Missing { text, reference } if text == reference => format!("`{reference}` is missing"),
            Unpriced::Missing { text, reference } => format!("`{text}` is unknown: `{reference}` is missing"),
            Unpriced::Unusable { text, reference, value } => {
                format!("`{text}` is unknown: `{reference}` is `{value}`")
            }
            Unpriced::Unfit { text, why } => format!("`{text}` {why}"),
        }
    }
}
