//! The form of price lists: what a rule that prices says under which key.

use super::check;
use super::expression::{self, Written};
use super::form::{Form, id_text};
use super::tree::*;
use crate::diagnostic::Diagnostic;
use crate::syntax::yaml::Meaning;
use crate::syntax::yaml::tree::{Entry, Node, Scalar};
use crate::{Code, Span};
use kerai_vm::number::Number;

/// The keys of a rule that prices.
const RULE: &[&str] = &["id", "scope", "when", "price", "rounding", "reason"];
/// The keys of a term beside those that say what it is.
const TERM: &[&str] = &["name", "if"];
const BASE: &str = "base";
const EACH: &str = "units";
const TIERS: &str = "tiers";
const PERCENT: &str = "percent";
const AUCTION: &str = "auction";

impl Form<'_> {
    /// The rules of a price list: the one for the smallest subtree first, and of those alike in that the least id.
    pub(super) fn prices(&mut self, root: &Node) -> Vec<PriceRule> {
        let rules = self.rules(root, &[RULE], Form::price_rule);
        let mut rules = self.by_id(rules, |rule| (&*rule.id, rule.span));
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.segments));
        rules
    }

    fn price_rule(&mut self, node: &Node) -> Option<PriceRule> {
        node.mapping()?;
        let (scope, segments) = node.get("scope").map_or((None, 0), |scope| self.scope(scope));
        let when = node.get("when").map(|when| self.when(when)).unwrap_or_default();
        let Some(price) = node.get("price") else {
            let found = Diagnostic::new(Code::POLICY_EMPTY, node.span, "the rule has no `price`");
            self.report.push(found.with_help("rules that decide and rules that price stand in files of their own"));
            return None;
        };
        let nodes = price.sequence().unwrap_or(std::slice::from_ref(price));
        if nodes.is_empty() {
            self.report(Code::POLICY_EMPTY, price.span, "a price without terms");
        }
        let terms: Vec<Term> = nodes.iter().flat_map(|node| self.terms(node)).collect();
        let rounding = node.get("rounding").map_or(Rounding::Up, |rounding| self.rounding(rounding));
        let reason = node.get("reason").and_then(|reason| self.text_of(reason));
        let reason = reason.unwrap_or_else(|| {
            let names: Vec<&str> = terms.iter().map(|term| term.name.as_str()).collect();
            format!("the sum of {}, rounded {}", names.join(", "), rounding.text()).into()
        });
        let id = self.id_of(node, || {
            let terms: Vec<String> = terms.iter().map(term_text).collect();
            let head = format!("price {}\n{}\n", rounding.text(), terms.join("\n"));
            id_text(&head, &[("scope", scope.as_slice()), ("when", &when)])
        })?;
        Some(PriceRule { id, reason, scope, segments, when, terms, rounding, span: node.span })
    }

    /// The path of a subtree, as a condition, and how many segments it has.
    fn scope(&mut self, node: &Node) -> (Option<Condition>, usize) {
        let Some(text) = self.text_of(node) else { return (None, 0) };
        let path = text.strip_suffix("/**").unwrap_or(&text);
        if &*text == "**" {
            return (None, 0);
        }
        if path.is_empty() || path.split('/').any(|segment| segment.is_empty() || segment.contains('*')) {
            let message = format!("`{text}` is no path of a subtree");
            let found = Diagnostic::new(Code::POLICY_GLOB, node.span, message);
            self.report
                .push(found.with_help("write the path without stars, as `gatos/render`; what lies below is meant too"));
            return (None, 0);
        }
        let make = |kind: ExpressionKind| Expression { depth: kind.depth().saturating_add(1), kind, span: node.span };
        let root = Name { text: "path".into(), span: node.span };
        let path_of = make(ExpressionKind::Reference(Reference { root, steps: Vec::new() }));
        let form = make(ExpressionKind::String(format!("{path}/**").into()));
        let within = make(ExpressionKind::Binary(Operator::Matches, Box::new(path_of), Box::new(form)));
        (Some(self.checked(within)), path.split('/').count())
    }

    fn rounding(&mut self, node: &Node) -> Rounding {
        let text = self.text_of(node).unwrap_or_default();
        let found = Rounding::ALL.iter().copied().find(|rounding| rounding.text() == &*text);
        found.unwrap_or_else(|| {
            let texts: Vec<&str> = Rounding::ALL.iter().map(|rounding| rounding.text()).collect();
            self.shape(node, &format!("one of `{}`", texts.join("`, `")));
            Rounding::Up
        })
    }

    /// The terms of a mapping: several units may stand side by side.
    fn terms(&mut self, node: &Node) -> Vec<Term> {
        if node.scalar().is_some() {
            let base = self.number(node).map(Amount::Base);
            return base.map(|base| term(BASE.to_owned(), Vec::new(), base, node.span)).into_iter().collect();
        }
        let units: Vec<&str> = UNITS.iter().map(|(unit, _)| *unit).collect();
        let entries = self.entries(node, &[&units, &[BASE, EACH, TIERS, PERCENT, AUCTION], TERM]);
        let only_if = node.get("if").map(|list| self.conditions(list)).unwrap_or_default();
        let parts = entries.iter().filter(|entry| !TERM.contains(&&*entry.key.text));
        let named = node.get("name").and_then(|name| self.text_of(name));
        let parts: Vec<&Entry> = parts.collect();
        if parts.is_empty() {
            self.report(Code::POLICY_EMPTY, node.span, "a term that says no amount");
        }
        if let (Some(_), [_, second, ..]) = (&named, parts.as_slice()) {
            self.report(
                Code::POLICY_KEY,
                second.key.span,
                "a name is for one amount: write the next one as an item of its own",
            );
        }
        let amounts = parts.into_iter().filter_map(|Entry { key, value }| {
            let name = named.as_deref().unwrap_or(&key.text).to_owned();
            Some(term(name, only_if.clone(), self.amount(&key.text, value)?, key.span.to(value.span)))
        });
        amounts.collect()
    }

    fn amount(&mut self, key: &str, node: &Node) -> Option<Amount> {
        match key {
            BASE => self.number(node).map(Amount::Base),
            PERCENT => self.number(node).map(Amount::Percent),
            EACH => {
                self.entries(node, &[&["of", "each"]]);
                Some(Amount::Units { of: self.part(node, "of")?, each: self.part(node, "each")? })
            }
            TIERS => self.tiers(node),
            AUCTION => self.auction(node),
            unit => {
                let (_, input) = UNITS.iter().find(|(known, _)| *known == unit)?;
                let of = self.parsed(Written { text: input, place: expression::Place::Within(node.span) })?;
                Some(Amount::Units { of, each: self.number(node)? })
            }
        }
    }

    fn tiers(&mut self, node: &Node) -> Option<Amount> {
        self.entries(node, &[&["of", "tiers"]]);
        let of = self.part(node, "of")?;
        let Some(items) = node.get("tiers").and_then(Node::sequence).filter(|items| !items.is_empty()) else {
            self.shape(node, "`of` and a list `tiers`, each with `to` and `each`, the last without `to`");
            return None;
        };
        let mut tiers: Vec<Tier> = Vec::with_capacity(items.len());
        for (place, item) in items.iter().enumerate() {
            self.entries(item, &[&["to", "each"]]);
            let to = item.get("to").map(|to| (to, self.bound(to)));
            let is_last = place + 1 == items.len();
            let before = tiers.last().and_then(|tier| tier.to).unwrap_or(Number::from_i64(0));
            match to {
                None if !is_last => self.shape(item, "a tier with its bound `to`: only the last has none"),
                Some((node, _)) if is_last => {
                    self.shape(node, "absent: the last tier has no bound, so that every quantity has a price");
                }
                Some((node, Some(bound))) if bound <= before => {
                    self.shape(node, "a bound above the one before, and above zero");
                }
                Some(_) | None => {}
            }
            tiers.push(Tier { to: to.and_then(|(_, bound)| bound), each: self.part(item, "each")? });
        }
        Some(Amount::Tiers { of, tiers })
    }

    fn bound(&mut self, node: &Node) -> Option<Number> {
        let number = self.number(node)?.number();
        if number.is_none() {
            self.shape(node, "a number");
        }
        number
    }

    fn auction(&mut self, node: &Node) -> Option<Amount> {
        self.entries(node, &[&["start", "decrement", "interval", "floor", "begin", "now"]]);
        let auction = Auction {
            start: self.part(node, "start")?,
            decrement: self.part(node, "decrement")?,
            interval: self.part(node, "interval")?,
            floor: self.part(node, "floor")?,
            begin: self.part(node, "begin")?,
            now: self.part(node, "now")?,
        };
        let zero = Number::from_i64(0);
        let mut complain = |condition: &Condition, what: &str| {
            self.report(Code::POLICY_SHAPE, condition.span, format!("this must be {what}"));
        };
        if auction.interval.number().is_some_and(|interval| interval <= zero) {
            complain(&auction.interval, "above zero");
        }
        if auction.decrement.number().is_some_and(|decrement| decrement < zero) {
            complain(&auction.decrement, "at least zero: the price falls");
        }
        if auction.floor.number().zip(auction.start.number()).is_some_and(|(floor, start)| floor > start) {
            complain(&auction.floor, "at most `start`");
        }
        Some(Amount::Auction(Box::new(auction)))
    }

    /// A number under a key that must be there.
    fn part(&mut self, node: &Node, key: &str) -> Option<Condition> {
        match node.get(key) {
            Some(value) => self.number(value),
            None => {
                self.report(Code::POLICY_EMPTY, node.span, format!("there is no `{key}` here"));
                None
            }
        }
    }

    /// A number, or a text that says how it is computed.
    fn number(&mut self, node: &Node) -> Option<Condition> {
        let Some(scalar) = node.scalar() else {
            self.shape(node, "a number, or how it is computed, as a text");
            return None;
        };
        if scalar.meaning() == Meaning::Number {
            let kind = self.scalar(node, scalar)?;
            return Some(self.priced(Expression { kind, span: node.span, depth: 1 }));
        }
        let Scalar { text, .. } = scalar;
        self.parsed(Written { text, place: self.place(node, scalar) })
    }

    fn parsed(&mut self, written: Written<'_>) -> Option<Condition> {
        let expression = expression::condition(written, self.report)?;
        Some(self.priced(expression))
    }

    fn priced(&mut self, expression: Expression) -> Condition {
        Condition::new(check::number(&self.names, expression, self.report))
    }
}

fn term(name: String, only_if: Vec<Condition>, amount: Amount, span: Span) -> Term {
    Term { name, only_if, amount, span }
}

/// A term in one form of writing, by which the id of a rule without one is made.
fn term_text(term: &Term) -> String {
    let amount = match &term.amount {
        Amount::Base(base) => format!("base {}", base.text),
        Amount::Units { of, each } => format!("units {} each {}", of.text, each.text),
        Amount::Percent(percent) => format!("percent {}", percent.text),
        Amount::Tiers { of, tiers } => {
            let tier = |tier: &Tier| {
                let to = tier.to.map(|to| format!("to {to} ")).unwrap_or_default();
                format!("{to}each {}", tier.each.text)
            };
            format!("tiers {} {}", of.text, tiers.iter().map(tier).collect::<Vec<_>>().join(", "))
        }
        Amount::Auction(auction) => {
            let Auction { start, decrement, interval, floor, begin, now } = &**auction;
            let parts = [start, decrement, interval, floor, begin, now].map(|part| &*part.text);
            format!("auction {}", parts.join(", "))
        }
    };
    id_text(&format!("{} {amount}\n", term.name), &[("if", &term.only_if)])
}
