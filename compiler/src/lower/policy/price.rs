//! Price lists: `price(input)` gives what something costs, by which rule, and how that was computed; or, where
//! anything that the price depends on is unknown, what that is. So no price gets cheaper because something was left out.

use super::why::{boolean, give, nil, set, when};
use super::{Lowering, NOWHERE, Question, call_builtin, declare, insert, joined, references};
use crate::Span;
use crate::ir::{Action, Binary, Block, Entry, Expression, FunctionId, Node, Statement, Unary, Values, VariableId};
use crate::syntax::policy::tree::{
    Amount, Auction, Condition, ExpressionKind, PriceRule, Pricing, Rounding, Term, Tier,
};
use kerai_vm::bytecode::{Builtin, Constant};
use kerai_vm::number::Number;

/// What a price list answers: a price, or that it is unknown.
pub const PRICED: &str = "price";
pub const UNPRICED: &str = "unknown";

/// Why a number is no part of a price.
const UNKNOWN: &str = "is unknown";
const OUT_OF_RANGE: &str = "is out of range";
const NEGATIVE: &str = "is below 0";
const NOT_POSITIVE: &str = "is not above 0";

/// A rule under way: whose it is, what is asked, and what was added up.
#[derive(Clone, Copy)]
struct Bill<'r> {
    rule: &'r PriceRule,
    input: VariableId,
    sum: VariableId,
    terms: VariableId,
}

impl<'p> Lowering<'p> {
    pub(super) fn price(&mut self, pricing: &'p Pricing) {
        let functions: Vec<FunctionId> = pricing.rules.iter().map(|rule| self.price_rule(rule)).collect();
        let input = self.variable("input");
        let mut body = Block::new();
        for function in functions {
            let found = self.variable("found");
            let answer = Expression::call(crate::ir::Callee::Function(function), vec![read(input)], NOWHERE);
            let block = vec![declare(found, answer), when(read(found), vec![give(read(found))])];
            body.push(Statement::new(Action::Block(block), NOWHERE));
        }
        let none = [text(UNPRICED), text(super::DEFAULT_RULE), nil(), nil()];
        body.push(give(list(none.into())));
        let price = self.define("price", vec![input], body);
        self.ir.exports.insert("price".to_owned(), price);
    }

    /// A function that gives what the rule says, or nil where it is not for the request.
    fn price_rule(&mut self, rule: &'p PriceRule) -> FunctionId {
        let (input, sum, terms) = (self.variable("input"), self.variable("sum"), self.variable("terms"));
        let bill = Bill { rule, input, sum, terms };
        let conditions: Vec<&Condition> = rule.scope.iter().chain(&rule.when).collect();
        let mut body = Block::new();
        if let Some(possible) = self.possible(&conditions, input) {
            body.push(when(Expression::unary(Unary::Not, possible, NOWHERE), vec![give(nil())]));
        }
        self.certain(&conditions, bill, &mut body);
        body.push(declare(sum, number(0)));
        body.push(declare(terms, call_builtin(Builtin::NewList, Vec::new())));
        for term in &rule.terms {
            let mut block = Block::new();
            self.term(term, bill, &mut block);
            let only_if: Vec<&Condition> = term.only_if.iter().collect();
            match self.possible(&only_if, input) {
                Some(possible) => body.push(when(possible, block)),
                None => body.push(Statement::new(Action::Block(block), term.span)),
            }
        }
        self.rounded(bill, &mut body);
        self.define(&rule.id, vec![input], body)
    }

    fn possible(&mut self, conditions: &[&Condition], input: VariableId) -> Option<Expression> {
        let all = conditions.iter().map(|condition| self.truth(Question::Possible, &condition.expression, input));
        joined(all.collect(), Node::And)
    }

    /// None of the conditions is false; one that is not true either ends it.
    fn certain(&mut self, conditions: &[&Condition], bill: Bill, body: &mut Block) {
        for condition in conditions {
            let holds = self.truth(Question::Certain, &condition.expression, bill.input);
            let refused = self.unknown(condition, bill);
            body.push(when(Expression::unary(Unary::Not, holds, NOWHERE), refused));
        }
    }

    /// Gives what of a condition is unknown: the first of its references that is.
    fn unknown(&mut self, condition: &Condition, bill: Bill) -> Block {
        let mut block = Block::new();
        for reference in references(&condition.expression) {
            let value = self.read(reference, None, bill.input, NOWHERE);
            let raw = self.read_raw(reference, bill.input, NOWHERE);
            let is_open = Expression::binary(Binary::Equal, value, nil(), NOWHERE);
            block.push(when(is_open, vec![refuse(bill, UNKNOWN, &condition.text, text(&reference.to_string()), raw)]));
        }
        // What is there and of a kind that nobody declared may still be no number.
        let last = if let ExpressionKind::Reference(reference) = &condition.expression.kind {
            let raw = self.read_raw(reference, bill.input, NOWHERE);
            refuse(bill, UNKNOWN, &condition.text, text(&reference.to_string()), raw)
        } else {
            refuse(bill, UNKNOWN, &condition.text, nil(), nil())
        };
        block.push(last);
        block
    }

    fn term(&mut self, term: &Term, bill: Bill, body: &mut Block) {
        self.certain(&term.only_if.iter().collect::<Vec<_>>(), bill, body);
        let (amount, mut record) = match &term.amount {
            Amount::Base(base) => (self.known(base, bill, body), Vec::new()),
            Amount::Units { of, each } => self.units(of, each, bill, body),
            Amount::Tiers { of, tiers } => self.tiers(of, tiers, bill, body),
            Amount::Percent(percent) => {
                let part = self.known(percent, bill, body);
                let times = self.compute(Builtin::TotalMultiply, read(bill.sum), read(part), &percent.text, bill, body);
                let amount = self.compute(Builtin::TotalDivide, read(times), number(100), &percent.text, bill, body);
                (amount, vec![("of", read(bill.sum)), ("percent", read(part))])
            }
            Amount::Auction(auction) => self.auction(auction, bill, body),
        };
        record.insert(0, ("term", text(&term.name)));
        record.push(("amount", read(amount)));
        // What was added up before is part of the record, so that is made first.
        body.push(insert(bill.terms, table(record)));
        let sum = self.compute(Builtin::TotalAdd, read(bill.sum), read(amount), &term.name, bill, body);
        body.push(set(bill.sum, read(sum)));
    }

    fn units(&mut self, of: &Condition, each: &Condition, bill: Bill, body: &mut Block) -> Part {
        let quantity = self.known(of, bill, body);
        body.push(unless_least(quantity, NEGATIVE, of, bill));
        let price = self.known(each, bill, body);
        let amount = self.compute(Builtin::TotalMultiply, read(quantity), read(price), &of.text, bill, body);
        (amount, vec![("quantity", read(quantity)), ("each", read(price))])
    }

    /// Each tier that the quantity reaches costs what lies within it.
    fn tiers(&mut self, of: &Condition, tiers: &[Tier], bill: Bill, body: &mut Block) -> Part {
        let quantity = self.known(of, bill, body);
        body.push(unless_least(quantity, NEGATIVE, of, bill));
        let (total, parts) = (self.variable("total"), self.variable("parts"));
        body.push(declare(total, number(0)));
        body.push(declare(parts, call_builtin(Builtin::NewList, Vec::new())));
        let mut from = Number::from_i64(0);
        for tier in tiers {
            let mut block = Block::new();
            let end = self.variable("end");
            block.push(declare(end, read(quantity)));
            if let Some(to) = tier.to {
                let is_beyond = Expression::binary(Binary::Less, exact(to), read(quantity), NOWHERE);
                block.push(when(is_beyond, vec![set(end, exact(to))]));
            }
            let within = self.compute(Builtin::TotalSubtract, read(end), exact(from), &of.text, bill, &mut block);
            let each = self.known(&tier.each, bill, &mut block);
            let amount = self.compute(Builtin::TotalMultiply, read(within), read(each), &of.text, bill, &mut block);
            let sum = self.compute(Builtin::TotalAdd, read(total), read(amount), &of.text, bill, &mut block);
            block.push(set(total, read(sum)));
            let record = vec![("quantity", read(within)), ("each", read(each)), ("amount", read(amount))];
            block.push(insert(parts, table(record)));
            body.push(when(Expression::binary(Binary::Less, exact(from), read(quantity), NOWHERE), block));
            from = tier.to.unwrap_or(from);
        }
        (total, vec![("quantity", read(quantity)), ("tiers", read(parts))])
    }

    fn auction(&mut self, auction: &Auction, bill: Bill, body: &mut Block) -> Part {
        let start = self.known(&auction.start, bill, body);
        let decrement = self.known(&auction.decrement, bill, body);
        body.push(unless_least(decrement, NEGATIVE, &auction.decrement, bill));
        let interval = self.known(&auction.interval, bill, body);
        let is_least = Expression::binary(Binary::AtMost, read(interval), number(0), NOWHERE);
        let least = refuse(bill, NOT_POSITIVE, &auction.interval.text, nil(), nil());
        body.push(when(is_least, vec![least]));
        let floor = self.known(&auction.floor, bill, body);
        let (begin, now) = (self.known(&auction.begin, bill, body), self.known(&auction.now, bill, body));
        let elapsed = self.compute(Builtin::TotalSubtract, read(now), read(begin), &auction.now.text, bill, body);
        let text = &auction.interval.text;
        let steps = self.compute(Builtin::TotalFloorDivide, read(elapsed), read(interval), text, bill, body);
        // Before it begins the price is that of the start.
        let is_before = Expression::binary(Binary::Less, read(steps), number(0), NOWHERE);
        body.push(when(is_before, vec![set(steps, number(0))]));
        let text = &auction.decrement.text;
        let fallen = self.compute(Builtin::TotalMultiply, read(steps), read(decrement), text, bill, body);
        let price = self.compute(Builtin::TotalSubtract, read(start), read(fallen), &auction.start.text, bill, body);
        let is_under = Expression::binary(Binary::Less, read(price), read(floor), NOWHERE);
        body.push(when(is_under, vec![set(price, read(floor))]));
        let record = [
            ("start", start),
            ("decrement", decrement),
            ("interval", interval),
            ("floor", floor),
            ("elapsed", elapsed),
            ("steps", steps),
        ];
        (price, record.map(|(name, variable)| (name, read(variable))).into())
    }

    /// Makes the sum whole, says so where that changes it, and gives the price.
    fn rounded(&mut self, bill: Bill, body: &mut Block) {
        let Bill { rule, sum, terms, .. } = bill;
        let whole = self.compute(Builtin::TotalFloorDivide, read(sum), number(1), "the sum", bill, body);
        let rest = self.compute(Builtin::TotalSubtract, read(sum), read(whole), "the sum", bill, body);
        let half = exact(Number::from_i64(1).divide(Number::from_i64(2)).unwrap_or(Number::from_i64(1)));
        let less = |first, second| Expression::binary(Binary::Less, first, second, NOWHERE);
        let goes_up = match rule.rounding {
            Rounding::Down => boolean(false),
            Rounding::Up => less(number(0), read(rest)),
            Rounding::HalfEven => {
                let is_half = Expression::binary(Binary::Equal, read(rest), half.clone(), NOWHERE);
                let modulo = call_builtin(Builtin::TotalModulo, vec![read(whole), number(2)]);
                let is_odd = Expression::binary(Binary::Equal, modulo, number(1), NOWHERE);
                let is_tie = Expression::new(Node::And(Box::new(is_half), Box::new(is_odd)), NOWHERE);
                Expression::new(Node::Or(Box::new(less(half, read(rest))), Box::new(is_tie)), NOWHERE)
            }
        };
        let mut up = Block::new();
        let next = self.compute(Builtin::TotalAdd, read(whole), number(1), "the sum", bill, &mut up);
        up.push(set(whole, read(next)));
        body.push(when(goes_up, up));
        let mut told = Block::new();
        let change = self.compute(Builtin::TotalSubtract, read(whole), read(sum), "the sum", bill, &mut told);
        let record = vec![
            ("term", text("rounding")),
            ("of", read(sum)),
            ("by", text(rule.rounding.text())),
            ("amount", read(change)),
        ];
        told.push(insert(terms, table(record)));
        body.push(when(Expression::binary(Binary::Different, read(whole), read(sum), NOWHERE), told));
        let is_negative = less(read(whole), number(0));
        body.push(when(is_negative, vec![refuse(bill, NEGATIVE, "the sum", nil(), nil())]));
        body.push(give(list(vec![text(PRICED), text(&rule.id), read(whole), read(terms)])));
    }

    /// A variable with a number that is known; else what is not is given.
    fn known(&mut self, condition: &Condition, bill: Bill, body: &mut Block) -> VariableId {
        let tree = &condition.expression;
        let value = self.value(tree, None, bill.input);
        let value = if matches!(tree.kind, ExpressionKind::Number(_) | ExpressionKind::Binary(..)) {
            value
        } else {
            call_builtin(Builtin::TotalOf, vec![value, text("number")])
        };
        let variable = self.variable("number");
        body.push(declare(variable, value));
        let is_open = Expression::binary(Binary::Equal, read(variable), nil(), NOWHERE);
        let refused = self.unknown(condition, bill);
        body.push(when(is_open, refused));
        variable
    }

    /// A variable with what an operation gives; out of range it ends the price.
    fn compute(
        &mut self,
        builtin: Builtin,
        first: Expression,
        second: Expression,
        about: &str,
        bill: Bill,
        body: &mut Block,
    ) -> VariableId {
        let variable = self.variable("number");
        body.push(declare(variable, call_builtin(builtin, vec![first, second])));
        let is_open = Expression::binary(Binary::Equal, read(variable), nil(), NOWHERE);
        body.push(when(is_open, vec![refuse(bill, OUT_OF_RANGE, about, nil(), nil())]));
        variable
    }
}

/// An amount, and what is told of it.
type Part = (VariableId, Vec<(&'static str, Expression)>);

/// Ends the price where a number is negative.
fn unless_least(value: VariableId, why: &str, condition: &Condition, bill: Bill) -> Statement {
    let is_negative = Expression::binary(Binary::Less, read(value), number(0), NOWHERE);
    when(is_negative, vec![refuse(bill, why, &condition.text, nil(), nil())])
}

/// Gives what stands against a price: why, of which text, and where one of its references is why, which and what is there.
fn refuse(bill: Bill, why: &str, about: &str, reference: Expression, raw: Expression) -> Statement {
    let found = list(vec![text(why), text(about), reference, raw]);
    give(list(vec![text(UNPRICED), text(&bill.rule.id), nil(), found]))
}

fn read(variable: VariableId) -> Expression {
    Expression::variable(variable, NOWHERE)
}

fn text(text: &str) -> Expression {
    Expression::string(text.as_bytes(), NOWHERE)
}

fn number(value: i64) -> Expression {
    Expression::integer(value, NOWHERE)
}

fn exact(value: Number) -> Expression {
    const SPAN: Span = NOWHERE;
    Expression::new(Node::Constant(Constant::Number(value)), SPAN)
}

fn list(items: Vec<Expression>) -> Expression {
    Expression::new(Node::List(Values::of(items)), NOWHERE)
}

fn table(fields: Vec<(&str, Expression)>) -> Expression {
    let entries = fields.into_iter().map(|(name, value)| Entry::Keyed(text(name), value));
    Expression::new(Node::Table(entries.collect(), None), NOWHERE)
}
