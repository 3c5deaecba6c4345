//! Price lists as the reference says them, with fractions in plain sight: what compiled ones are held against.

use super::naive::{Ask, Datum};
use kerai_compiler::price::{Quote, Unpriced};
use kerai_compiler::syntax::policy::tree::{
    Amount, Condition, Expression, ExpressionKind, PriceRule, Pricing, Reference, Rounding, Step, Term,
};
use kerai_vm::number::{Number, NumberFault, parse_decimal};

/// A rule's id, and the credits with the amounts that come to them, or why there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    pub rule: String,
    pub verdict: Result<(String, Vec<(String, String)>), Unpriced>,
}

impl Bill {
    /// What a program said, as far as both say it.
    #[must_use]
    pub fn of(quote: &Quote) -> Bill {
        let verdict = quote.verdict.clone().map(|price| {
            let terms = price.terms.into_iter().map(|term| (term.name, term.amount));
            (price.credits, terms.collect())
        });
        Bill { rule: quote.rule.clone(), verdict }
    }

    /// Whether the amounts come to the credits.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let number = |text: &str| parse_decimal(text.as_bytes()).ok();
        let Ok((credits, terms)) = &self.verdict else { return true };
        let sum = terms.iter().try_fold(Number::from_i64(0), |sum, (_, amount)| sum.add(number(amount)?).ok());
        sum.is_some() && sum == number(credits) && sum.is_some_and(|sum| sum.is_integer() && !sum.is_negative())
    }
}

/// Prices a request.
#[must_use]
pub fn price(pricing: &Pricing, request: &Datum) -> Bill {
    let ask = Ask { schema: &pricing.schema, request };
    for rule in &pricing.rules {
        let bill = |verdict| Bill { rule: rule.id.to_string(), verdict };
        let conditions: Vec<&Condition> = rule.scope.iter().chain(&rule.when).collect();
        match applies(&ask, &conditions) {
            Ok(false) => {}
            Ok(true) => return bill(amounts(&ask, rule)),
            Err(unpriced) => return bill(Err(unpriced)),
        }
    }
    Bill { rule: "default".to_owned(), verdict: Err(Unpriced::NoRule) }
}

/// Whether all conditions are true; not, if one of them is false; else what is unknown.
fn applies(ask: &Ask<'_>, conditions: &[&Condition]) -> Result<bool, Unpriced> {
    let truths: Vec<Option<bool>> = conditions.iter().map(|condition| ask.truth(&condition.expression)).collect();
    if truths.contains(&Some(false)) {
        return Ok(false);
    }
    match conditions.iter().zip(truths).find(|(_, truth)| truth.is_none()) {
        Some((condition, _)) => Err(unknown(ask, condition)),
        None => Ok(true),
    }
}

fn unknown(ask: &Ask<'_>, condition: &Condition) -> Unpriced {
    let text = condition.text.to_string();
    let mut read = Vec::new();
    references(&condition.expression, &mut read);
    let kind = &condition.expression.kind;
    let alone = if let ExpressionKind::Reference(reference) = kind { Some(reference) } else { None };
    match read.into_iter().find(|reference| ask.reference(reference).is_none()).or(alone) {
        None => unfit(&text, "is unknown"),
        Some(reference) => match ask.anything(reference) {
            None => Unpriced::Missing { text, reference: reference.to_string() },
            Some(value) => Unpriced::Unusable { text, reference: reference.to_string(), value: value.to_json() },
        },
    }
}

fn references<'e>(expression: &'e Expression, read: &mut Vec<&'e Reference>) {
    match &expression.kind {
        ExpressionKind::Reference(reference) | ExpressionKind::Has(reference) => {
            let keys = reference.steps.iter().filter_map(|step| match step {
                Step::Key(key) => Some(key),
                Step::Field(_) => None,
            });
            keys.for_each(|key| references(key, read));
            read.push(reference);
        }
        ExpressionKind::Not(operand) | ExpressionKind::Call(_, operand) => references(operand, read),
        ExpressionKind::List(items) => items.iter().for_each(|item| references(item, read)),
        ExpressionKind::And(left, right) | ExpressionKind::Or(left, right) | ExpressionKind::Binary(_, left, right) => {
            references(left, read);
            references(right, read);
        }
        ExpressionKind::Bool(_) | ExpressionKind::Number(_) | ExpressionKind::String(_) => {}
    }
}

fn unfit(text: &str, why: &str) -> Unpriced {
    Unpriced::Unfit { text: text.to_owned(), why: why.to_owned() }
}

fn within(text: &str) -> impl FnOnce(NumberFault) -> Unpriced + use<'_> {
    move |_| unfit(text, "is out of range")
}

fn known(ask: &Ask<'_>, condition: &Condition) -> Result<Number, Unpriced> {
    match ask.value(&condition.expression) {
        Some(Datum::Number(number)) => Ok(number),
        _ => Err(unknown(ask, condition)),
    }
}

fn quantity(ask: &Ask<'_>, condition: &Condition) -> Result<Number, Unpriced> {
    let number = known(ask, condition)?;
    if number.is_negative() { Err(unfit(&condition.text, "is below 0")) } else { Ok(number) }
}

fn amounts(ask: &Ask<'_>, rule: &PriceRule) -> Result<(String, Vec<(String, String)>), Unpriced> {
    let mut sum = Number::from_i64(0);
    let mut terms = Vec::new();
    for term in &rule.terms {
        if !applies(ask, &term.only_if.iter().collect::<Vec<_>>())? {
            continue;
        }
        let amount = amount(ask, term, sum)?;
        terms.push((term.name.clone(), amount.to_string()));
        sum = sum.add(amount).map_err(within(&term.name))?;
    }
    let one = Number::from_i64(1);
    let below = sum.floor_divide(one).map_err(within("the sum"))?;
    let rest = sum.subtract(below).map_err(within("the sum"))?;
    let twice = rest.add(rest).map_err(within("the sum"))?;
    let is_odd = below.modulo(Number::from_i64(2)).is_ok_and(|rest| rest == one);
    let goes_up = match rule.rounding {
        Rounding::Down => false,
        Rounding::Up => !rest.is_zero(),
        Rounding::HalfEven => twice > one || (twice == one && is_odd),
    };
    let whole = if goes_up { below.add(one).map_err(within("the sum"))? } else { below };
    if whole != sum {
        let change = whole.subtract(sum).map_err(within("the sum"))?;
        terms.push(("rounding".to_owned(), change.to_string()));
    }
    if whole.is_negative() {
        return Err(unfit("the sum", "is below 0"));
    }
    Ok((whole.to_string(), terms))
}

fn amount(ask: &Ask<'_>, term: &Term, sum: Number) -> Result<Number, Unpriced> {
    match &term.amount {
        Amount::Base(base) => known(ask, base),
        Amount::Units { of, each } => {
            let (quantity, each) = (quantity(ask, of)?, known(ask, each)?);
            quantity.multiply(each).map_err(within(&of.text))
        }
        Amount::Percent(percent) => {
            let times = sum.multiply(known(ask, percent)?).map_err(within(&percent.text))?;
            times.divide(Number::from_i64(100)).map_err(within(&percent.text))
        }
        Amount::Tiers { of, tiers } => {
            let quantity = quantity(ask, of)?;
            let (mut total, mut from) = (Number::from_i64(0), Number::from_i64(0));
            for tier in tiers.iter() {
                if quantity <= from {
                    break;
                }
                let end = tier.to.map_or(quantity, |to| to.min(quantity));
                let part = end.subtract(from).map_err(within(&of.text))?;
                let cost = part.multiply(known(ask, &tier.each)?).map_err(within(&of.text))?;
                total = total.add(cost).map_err(within(&of.text))?;
                from = tier.to.unwrap_or(quantity);
            }
            Ok(total)
        }
        Amount::Auction(auction) => {
            let (start, decrement) = (known(ask, &auction.start)?, quantity(ask, &auction.decrement)?);
            let interval = known(ask, &auction.interval)?;
            if interval <= Number::from_i64(0) {
                return Err(unfit(&auction.interval.text, "is not above 0"));
            }
            let floor = known(ask, &auction.floor)?;
            let (begin, now) = (known(ask, &auction.begin)?, known(ask, &auction.now)?);
            let elapsed = now.subtract(begin).map_err(within(&auction.now.text))?;
            let steps = elapsed.floor_divide(interval).map_err(within(&auction.interval.text))?;
            let steps = steps.max(Number::from_i64(0));
            let fallen = steps.multiply(decrement).map_err(within(&auction.decrement.text))?;
            let price = start.subtract(fallen).map_err(within(&auction.start.text))?;
            Ok(price.max(floor))
        }
    }
}
