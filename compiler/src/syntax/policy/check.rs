//! What can be known of conditions before they are asked: constants become what they stand for, every name must be
//! declared, and every operator must be able to answer.

use super::schema::{Kind, Schema};
use super::tree::*;
use crate::diagnostic::{Diagnostic, Report};
use crate::suggest::similar;
use crate::{Code, Span};
use core::fmt::Arguments;
use core::mem;
use kerai_vm::address::Network;
use std::collections::BTreeMap;

/// What names stand for.
pub struct Names {
    pub schema: Schema,
    /// Literals, and lists of them.
    pub constants: BTreeMap<String, Expression>,
}

/// Looks through a condition, and puts constants in the place of their names.
pub fn condition(names: &Names, expression: Expression, report: &mut Report) -> Expression {
    Check { names, report }.condition(expression)
}

/// Looks through what must come to a number.
pub fn number(names: &Names, expression: Expression, report: &mut Report) -> Expression {
    let mut check = Check { names, report };
    let (value, kind) = check.value(expression);
    check.want(Wants::Number, format_args!("a price"), &value, &kind);
    value
}

struct Check<'n> {
    names: &'n Names,
    report: &'n mut Report,
}

impl Check<'_> {
    fn report(&mut self, code: Code, span: Span, message: String) {
        self.report.push(Diagnostic::new(code, span, message));
    }

    /// What is true, false or unknown.
    fn condition(&mut self, expression: Expression) -> Expression {
        let Expression { kind, span, depth } = expression;
        let kind = match kind {
            ExpressionKind::Not(operand) => ExpressionKind::Not(Box::new(self.condition(*operand))),
            ExpressionKind::And(left, right) => {
                ExpressionKind::And(Box::new(self.condition(*left)), Box::new(self.condition(*right)))
            }
            ExpressionKind::Or(left, right) => {
                ExpressionKind::Or(Box::new(self.condition(*left)), Box::new(self.condition(*right)))
            }
            ExpressionKind::Has(reference) => {
                let reference = self.steps(reference);
                self.kind_of(&reference);
                ExpressionKind::Has(reference)
            }
            kind @ (ExpressionKind::Bool(_)
            | ExpressionKind::Number(_)
            | ExpressionKind::String(_)
            | ExpressionKind::List(_)
            | ExpressionKind::Reference(_)
            | ExpressionKind::Binary(..)
            | ExpressionKind::Call(..)) => {
                let (value, kind) = self.value(Expression { kind, span, depth });
                if !matches!(kind, Kind::Bool | Kind::Any) {
                    self.report(Code::POLICY_KIND, span, format!("`{value}` is {kind}, and no condition"));
                }
                return value;
            }
        };
        Expression { kind, span, depth }
    }

    /// A value and its kind.
    fn value(&mut self, expression: Expression) -> (Expression, Kind) {
        let Expression { kind, span, depth } = expression;
        let (kind, gives) = match kind {
            ExpressionKind::Bool(truth) => (ExpressionKind::Bool(truth), Kind::Bool),
            ExpressionKind::Number(number) => (ExpressionKind::Number(number), Kind::Number),
            ExpressionKind::String(text) => (ExpressionKind::String(text), Kind::String),
            ExpressionKind::List(items) => self.list(items),
            ExpressionKind::Reference(reference) => return self.reference(reference, span, depth),
            ExpressionKind::Binary(operator, left, right) => self.binary(operator, left, right, span),
            ExpressionKind::Call(function, argument) => {
                let (argument, kind) = self.value(*argument);
                self.want(function.wants(), format_args!("`{}`", function.text()), &argument, &kind);
                let gives = match function {
                    Function::Size => Kind::Number,
                    Function::Lower => Kind::String,
                };
                (ExpressionKind::Call(function, Box::new(argument)), gives)
            }
            kind @ (ExpressionKind::Not(_)
            | ExpressionKind::And(..)
            | ExpressionKind::Or(..)
            | ExpressionKind::Has(_)) => {
                let message = "a condition stands where a value is wanted".to_owned();
                self.report(Code::POLICY_KIND, span, message);
                (kind, Kind::Any)
            }
        };
        (Expression { kind, span, depth }, gives)
    }

    fn list(&mut self, items: Vec<Expression>) -> (ExpressionKind, Kind) {
        let mut checked = Vec::with_capacity(items.len());
        let mut of: Option<Kind> = None;
        for item in items {
            let (item, kind) = self.value(item);
            self.want(Wants::Scalar, format_args!("a list"), &item, &kind);
            of = Some(match of {
                Some(of) if of.machine() != kind.machine() => Kind::Any,
                Some(_) | None => kind,
            });
            checked.push(item);
        }
        (ExpressionKind::List(checked), Kind::List(Box::new(of.unwrap_or(Kind::Any))))
    }

    /// An attribute, or what a constant stands for.
    fn reference(&mut self, reference: Reference, span: Span, depth: u16) -> (Expression, Kind) {
        if let Some(constant) = self.names.constants.get(&*reference.root.text) {
            if let Some(step) = reference.steps.first() {
                let message = format!("`{}` is a constant, which holds no other values", reference.root.text);
                let span = match step {
                    Step::Field(name) => name.span,
                    Step::Key(key) => key.span,
                };
                self.report(Code::POLICY_KIND, span, message);
            }
            let (value, kind) = self.value(constant.clone());
            return (Expression { span, ..value }, kind);
        }
        let reference = self.steps(reference);
        let kind = self.kind_of(&reference);
        (Expression { kind: ExpressionKind::Reference(reference), span, depth }, kind)
    }

    /// The reference with its keys looked through.
    fn steps(&mut self, reference: Reference) -> Reference {
        let Reference { root, steps } = reference;
        let steps = steps.into_iter().map(|step| match step {
            Step::Field(name) => Step::Field(name),
            Step::Key(key) => {
                let (key, kind) = self.value(*key);
                self.want(Wants::Scalar, format_args!("a key"), &key, &kind);
                Step::Key(Box::new(key))
            }
        });
        Reference { root, steps: steps.collect() }
    }

    /// The kind of what is referred to.
    fn kind_of(&mut self, reference: &Reference) -> Kind {
        let names = self.names;
        let root = &reference.root;
        let Some(mut kind) = names.schema.attributes.get(&*root.text) else {
            let constants = names.constants.keys();
            let known = names.schema.attributes.keys().chain(constants).map(String::as_str);
            self.unknown(root, "attribute", known);
            return Kind::Any;
        };
        for step in &reference.steps {
            kind = match (kind, step) {
                (Kind::Any, _) => return Kind::Any,
                (Kind::Map(inner), _) => inner,
                (Kind::Record(fields), Step::Field(name)) => match fields.get(&*name.text) {
                    Some(field) => field,
                    None => {
                        self.unknown(name, "field", fields.keys().map(String::as_str));
                        return Kind::Any;
                    }
                },
                // A field that is chosen by data may be any of them.
                (Kind::Record(_), Step::Key(_)) => return Kind::Any,
                (kind @ (Kind::Bool | Kind::Number | Kind::String | Kind::Path | Kind::List(_)), step) => {
                    let span = match step {
                        Step::Field(name) => name.span,
                        Step::Key(key) => key.span,
                    };
                    self.report(Code::POLICY_KIND, span, format!("there is nothing within what is {kind}"));
                    return Kind::Any;
                }
            };
        }
        kind.clone()
    }

    fn unknown<'k>(&mut self, name: &Name, what: &str, known: impl Iterator<Item = &'k str> + Clone) {
        let found = Diagnostic::new(Code::POLICY_ATTRIBUTE, name.span, format!("there is no {what} `{}`", name.text));
        let found = match similar(&name.text, known.clone()) {
            Some(like) => found.with_help(format!("did you mean `{like}`?")),
            None => {
                let known: Vec<&str> = known.collect();
                found.with_help(format!("there are `{}`; others are declared under `inputs`", known.join("`, `")))
            }
        };
        self.report.push(found);
    }

    /// Looks through a value where it lies, and says of which kind it is.
    fn operand(&mut self, operand: &mut Expression) -> Kind {
        let hole = Expression { kind: ExpressionKind::Bool(false), span: operand.span, depth: 0 };
        let (value, kind) = self.value(mem::replace(operand, hole));
        *operand = value;
        kind
    }

    fn binary(
        &mut self,
        operator: Operator,
        mut left: Box<Expression>,
        mut right: Box<Expression>,
        span: Span,
    ) -> (ExpressionKind, Kind) {
        let left_kind = self.operand(&mut left);
        let right_kind = self.operand(&mut right);
        let (wants_left, wants_right) = operator.wants();
        let is_left_right = self.want(wants_left, format_args!("`{}`", operator.text()), &left, &left_kind);
        let is_right = self.want(wants_right, format_args!("`{}`", operator.text()), &right, &right_kind);
        let is_right = is_right && is_left_right;
        if is_right {
            self.between(operator, (&left, &left_kind), (&right, &right_kind), span);
        }
        let gives = if operator.is_predicate() { Kind::Bool } else { Kind::Number };
        (ExpressionKind::Binary(operator, left, right), gives)
    }

    /// What must hold between both sides of an operator.
    fn between(
        &mut self,
        operator: Operator,
        (left, left_kind): (&Expression, &Kind),
        (right, right_kind): (&Expression, &Kind),
        span: Span,
    ) {
        let item_of = |whole: &Kind| match whole {
            Kind::List(item) => (**item).clone(),
            Kind::Any => Kind::Any,
            // A part of a text, or a map's key.
            Kind::Bool | Kind::Number | Kind::String | Kind::Path | Kind::Map(_) | Kind::Record(_) => Kind::String,
        };
        let (a, b) = match operator {
            Operator::Equal
            | Operator::NotEqual
            | Operator::Less
            | Operator::AtMost
            | Operator::Greater
            | Operator::AtLeast => (left_kind.clone(), right_kind.clone()),
            Operator::Includes | Operator::Contains => (item_of(left_kind), right_kind.clone()),
            Operator::In => (left_kind.clone(), item_of(right_kind)),
            Operator::Matches => return self.form(right),
            Operator::InCidr => {
                self.network(left);
                return self.network(right);
            }
            Operator::StartsWith
            | Operator::EndsWith
            | Operator::Add
            | Operator::Subtract
            | Operator::Multiply
            | Operator::Divide
            | Operator::FloorDivide
            | Operator::Modulo => return,
        };
        if !a.is_like(&b) {
            let message = format!("`{}` can't hold between what is {a} and what is {b}", operator.text());
            self.report(Code::POLICY_KIND, span, message);
        }
    }

    /// Whether a value is what is wanted of it.
    fn want(&mut self, wants: Wants, by: Arguments<'_>, value: &Expression, kind: &Kind) -> bool {
        let (is_right, wanted) = match wants {
            Wants::Ordered => (matches!(kind, Kind::Number) || kind.is_text(), "a number or a string"),
            Wants::Scalar => {
                (matches!(kind, Kind::Bool | Kind::Number) || kind.is_text(), "a bool, a number or a string")
            }
            Wants::Number => (matches!(kind, Kind::Number), "a number"),
            Wants::String => (kind.is_text(), "a string"),
            Wants::Collection => (matches!(kind, Kind::List(_) | Kind::Map(_) | Kind::Record(_)), "a list"),
            Wants::Whole => {
                let is_collection = matches!(kind, Kind::List(_) | Kind::Map(_) | Kind::Record(_));
                (is_collection || kind.is_text(), "a list or a string")
            }
        };
        let is_right = is_right || *kind == Kind::Any;
        if !is_right {
            let message = format!("`{value}` is {kind}, and {by} wants {wanted}");
            self.report(Code::POLICY_KIND, value.span, message);
        }
        is_right
    }

    /// A form of paths must be known, so that rules can be found by it.
    fn form(&mut self, form: &Expression) {
        let ExpressionKind::String(text) = &form.kind else {
            let message = format!("`{form}` is not known when the policy is built");
            return self.report(Code::POLICY_GLOB, form.span, message);
        };
        let is_wrong = |segment: &&[u8]| segment.contains(&b'*') && !matches!(*segment, b"*" | b"**");
        if let Some(segment) = text.as_bytes().split(|&byte| byte == b'/').find(is_wrong) {
            let segment = String::from_utf8_lossy(segment);
            self.report(Code::POLICY_GLOB, form.span, format!("`{segment}` is no segment of a form"));
        }
    }

    fn network(&mut self, network: &Expression) {
        if let ExpressionKind::String(text) = &network.kind
            && Network::parse(text.as_bytes()).is_none()
        {
            self.report(Code::POLICY_NETWORK, network.span, format!("`{text}` is neither an address nor a network"));
        }
    }
}
