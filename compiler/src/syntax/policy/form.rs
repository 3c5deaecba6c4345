//! The form of a policy's file: what stands under which key, read from the tree of its YAML.

use super::check::{self, Names};
use super::expression::{self, Place, Written};
use super::schema::{Kind, Schema};
use super::token::WORDS;
use super::tree::*;
use crate::diagnostic::{Diagnostic, Report};
use crate::intern::Interner;
use crate::suggest::similar;
use crate::syntax::yaml::Meaning;
use crate::syntax::yaml::tree::{Entry, Kind as NodeKind, Node, Scalar, Style};
use crate::{Code, Span};
use kerai_vm::encoding::root::Root;
use kerai_vm::number::parse_decimal;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The keys of a rule.
const RULE: &[&str] = &["id", "when", "allow_if", "deny_if", "audit", "reason"];
/// The key that makes a rule one of a price list.
const PRICE: &str = "price";
/// The keys of a file beside those of its only rule.
const FILE: &[&str] = &["inputs", "constants", "rules"];
/// The rule that decides where no other does, which nobody writes.
const DEFAULT: &str = "default";
/// The longest id, and how many digits of its hash the id of a rule without one has.
const LONGEST_ID: usize = 128;
const HASH_DIGITS: usize = 12;

/// Reads rules from the tree of their file. Where any of them prices, all do.
pub fn rules(text: &str, root: &Node, report: &mut Report) -> Rules {
    let rules = root.get("rules").and_then(Node::sequence).unwrap_or_default();
    let prices = [root].into_iter().chain(rules).any(|rule| rule.get(PRICE).is_some());
    let standard = if prices { Schema::of_prices() } else { Schema::standard() };
    let names = Names { schema: standard, constants: BTreeMap::new() };
    let mut form = Form { text, report, names, known: Known::default() };
    if let Some(inputs) = root.get("inputs") {
        form.names.schema = form.inputs(inputs);
    }
    form.constants(root.get("constants"));
    if prices {
        let rules = form.prices(root);
        Rules::Pricing(Pricing { schema: form.names.schema, rules })
    } else {
        form.known.is_used = true;
        let rules = form.rules(root, &[RULE], Form::rule);
        let rules = form.by_id(rules, |rule| (&*rule.id, rule.span));
        Rules::Policy(Policy { schema: form.names.schema, rules })
    }
}

pub(super) struct Form<'t> {
    pub(super) text: &'t str,
    pub(super) report: &'t mut Report,
    pub(super) names: Names,
    known: Known<'t>,
}

/// The conditions that were read, by how they are written: many rules have the same ones.
#[derive(Default)]
struct Known<'t> {
    is_used: bool,
    texts: Interner<'t>,
    /// Those in which there was no mistake.
    conditions: Vec<Option<Once>>,
}

/// A condition, where it began, and how far behind that the value stood where it restricts an attribute to one.
struct Once {
    from: u32,
    value: u32,
    condition: Condition,
}

impl<'t> Form<'t> {
    pub(super) fn report(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.report.push(Diagnostic::new(code, span, message.into()));
    }

    pub(super) fn shape(&mut self, node: &Node, wanted: &str) {
        self.report(Code::POLICY_SHAPE, node.span, format!("this must be {wanted}"));
    }

    /// The entries of a mapping whose keys are known.
    pub(super) fn entries<'n>(&mut self, node: &'n Node<'n>, known: &[&[&str]]) -> &'n [Entry<'n>] {
        let Some(entries) = node.mapping() else {
            self.shape(node, "a mapping");
            return &[];
        };
        for Entry { key, .. } in entries {
            let mut names = known.iter().flat_map(|names| names.iter().copied());
            if names.any(|name| name == key.text) {
                continue;
            }
            let found = Diagnostic::new(Code::POLICY_KEY, key.span, format!("there is no key `{}` here", key.text));
            let names = known.iter().flat_map(|names| names.iter().copied());
            self.report.push(match similar(&key.text, names) {
                Some(like) => found.with_help(format!("did you mean `{like}`?")),
                None => found,
            });
        }
        entries
    }

    fn inputs(&mut self, node: &Node) -> Schema {
        match self.kind(node) {
            Kind::Record(attributes) => {
                for word in attributes.keys().filter(|name| !is_name(name) || WORDS.contains(&name.as_str())) {
                    let message = format!("`{word}` can't be the name of an attribute");
                    self.report.push(Diagnostic::new(Code::POLICY_SCHEMA, node.span, message));
                }
                Schema { attributes }
            }
            Kind::Any | Kind::Bool | Kind::Number | Kind::String | Kind::Path | Kind::List(_) | Kind::Map(_) => {
                self.shape(node, "a mapping from attributes to their kinds");
                Schema::standard()
            }
        }
    }

    /// `number` and other words; `[KIND]`; `{"*": KIND}` for any keys; `{name: KIND, …}` for these.
    fn kind(&mut self, node: &Node) -> Kind {
        match &node.kind {
            NodeKind::Scalar(scalar) => {
                let found = Kind::WORDS.iter().find(|(word, _)| *word == scalar.text);
                if let Some((_, kind)) = found {
                    return kind.clone();
                }
                let message = format!("there is no kind `{}`", scalar.text);
                let diagnostic = Diagnostic::new(Code::POLICY_SCHEMA, node.span, message);
                let words = Kind::WORDS.iter().map(|(word, _)| *word);
                self.report.push(match similar(&scalar.text, words) {
                    Some(like) => diagnostic.with_help(format!("did you mean `{like}`?")),
                    None => diagnostic,
                });
                Kind::Any
            }
            NodeKind::Sequence(items) => match items.as_slice() {
                [item] => Kind::List(Box::new(self.kind(item))),
                _ => {
                    self.report(Code::POLICY_SCHEMA, node.span, "a list has one kind of items, `[KIND]`");
                    Kind::List(Box::new(Kind::Any))
                }
            },
            NodeKind::Mapping(entries) => match entries.as_slice() {
                [Entry { key, value }] if key.text == "*" => Kind::Map(Box::new(self.kind(value))),
                entries => {
                    let fields = entries.iter().map(|entry| (entry.key.text.to_string(), self.kind(&entry.value)));
                    Kind::Record(fields.collect())
                }
            },
        }
    }

    fn constants(&mut self, node: Option<&Node>) {
        let Some(node) = node else { return };
        let Some(entries) = node.mapping() else { return self.shape(node, "a mapping from names to values") };
        for Entry { key, value } in entries {
            let is_taken = self.names.schema.attributes.contains_key(&*key.text);
            if is_taken || !is_name(&key.text) || WORDS.contains(&&*key.text) {
                let why = if is_taken { "is an attribute" } else { "can't be a name" };
                self.report(Code::POLICY_CONSTANT, key.span, format!("`{}` {why}", key.text));
                continue;
            }
            if let Some(literal) = self.literal(value) {
                self.names.constants.insert(key.text.to_string(), literal);
            }
        }
    }

    /// A value that stands in the file: plain words mean what they mean in JSON, else they are text.
    fn literal(&mut self, node: &Node) -> Option<Expression> {
        let kind = match &node.kind {
            NodeKind::Scalar(scalar) => self.scalar(node, scalar)?,
            NodeKind::Sequence(items) => {
                let items: Option<Vec<Expression>> = items
                    .iter()
                    .map(|item| match &item.kind {
                        NodeKind::Scalar(scalar) => {
                            self.scalar(item, scalar).map(|kind| Expression { kind, span: item.span, depth: 1 })
                        }
                        NodeKind::Sequence(_) | NodeKind::Mapping(_) => {
                            self.shape(item, "a bool, a number or a string");
                            None
                        }
                    })
                    .collect();
                ExpressionKind::List(items?)
            }
            NodeKind::Mapping(_) => {
                self.shape(node, "a bool, a number, a string, or a list of them");
                return None;
            }
        };
        Some(Expression { depth: kind.depth().saturating_add(1), kind, span: node.span })
    }

    pub(super) fn scalar(&mut self, node: &Node, scalar: &Scalar) -> Option<ExpressionKind> {
        match scalar.meaning() {
            Meaning::Bool(truth) => Some(ExpressionKind::Bool(truth)),
            Meaning::Text => Some(ExpressionKind::String((*scalar.text).into())),
            Meaning::Number => match parse_decimal(scalar.text.as_bytes()) {
                Ok(number) => Some(ExpressionKind::Number(number)),
                Err(_) => {
                    let message = format!("`{}` is no number within the range, with at most 18 places", scalar.text);
                    self.report(Code::POLICY_NUMERAL, node.span, message);
                    None
                }
            },
            Meaning::Null => {
                self.shape(node, "a value");
                None
            }
        }
    }

    /// All rules of a file, each read by `read`. What is `known` are the keys of a rule.
    pub(super) fn rules<R>(
        &mut self,
        root: &Node,
        known: &[&[&str]],
        read: fn(&mut Self, &Node) -> Option<R>,
    ) -> Vec<R> {
        let Some(rules) = root.get("rules") else {
            let all: Vec<&[&str]> = known.iter().copied().chain([FILE]).collect();
            self.entries(root, &all);
            return read(self, root).into_iter().collect();
        };
        self.entries(root, &[FILE]);
        let Some(items) = rules.sequence() else {
            self.shape(rules, "a list of rules");
            return Vec::new();
        };
        if items.is_empty() {
            self.report(Code::POLICY_EMPTY, rules.span, "there are no rules");
        }
        let mut found = Vec::with_capacity(items.len());
        for item in items {
            self.entries(item, known);
            found.extend(read(self, item));
        }
        found
    }

    /// The rules in the order of their ids, each id once.
    pub(super) fn by_id<R>(&mut self, mut rules: Vec<R>, name: fn(&R) -> (&str, Span)) -> Vec<R> {
        // Rules of one id stay in the order of the source.
        rules.sort_by(|a, b| name(a).0.cmp(name(b).0));
        let mut found = Vec::new();
        for same in rules.chunk_by(|a, b| name(a).0 == name(b).0) {
            let [first, others @ ..] = same else { continue };
            let (id, first) = name(first);
            let twice = others.iter().map(|other| {
                let message = format!("the id `{id}` is there twice");
                Diagnostic::new(Code::POLICY_ID, name(other).1, message).with_note(first, "first here")
            });
            found.extend(twice);
        }
        found.sort_by_key(|diagnostic| diagnostic.span.start);
        found.into_iter().for_each(|diagnostic| self.report.push(diagnostic));
        rules.dedup_by(|a, b| name(a).0 == name(b).0);
        rules
    }

    fn rule(&mut self, node: &Node) -> Option<Rule> {
        node.mapping()?;
        let when = node.get("when").map(|when| self.when(when)).unwrap_or_default();
        let allow_if = node.get("allow_if").map(|list| self.conditions(list)).unwrap_or_default();
        let deny_if = node.get("deny_if").map(|list| self.conditions(list)).unwrap_or_default();
        if node.get("allow_if").is_none() && node.get("deny_if").is_none() {
            self.report(Code::POLICY_EMPTY, node.span, "the rule has neither `allow_if` nor `deny_if`");
        }
        let audit = node.get("audit").is_some_and(|audit| self.flag(audit));
        let reason = node.get("reason").and_then(|reason| self.text_of(reason));
        let reason = reason.unwrap_or_else(|| reason_of(&allow_if, &deny_if).into());
        let parts = [("when", when.as_slice()), ("allow_if", &allow_if), ("deny_if", &deny_if)];
        let id = self.id_of(node, || id_text(&format!("audit {audit}\n"), &parts))?;
        Some(Rule { id, reason, when, allow_if, deny_if, audit, span: node.span })
    }

    /// The id that the author gave a rule, or one that depends on what the rule says, and on nothing else.
    pub(super) fn id_of(&mut self, node: &Node, text: impl FnOnce() -> String) -> Option<Arc<str>> {
        match node.get("id") {
            Some(id) => self.id(id),
            None => {
                let root = Root::of_program(text().as_bytes());
                let digits: String = root.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
                Some(format!("rule-{}", digits.get(..HASH_DIGITS).unwrap_or_default()).into())
            }
        }
    }

    fn flag(&mut self, node: &Node) -> bool {
        match node.scalar().map(Scalar::meaning) {
            Some(Meaning::Bool(truth)) => truth,
            Some(Meaning::Null | Meaning::Number | Meaning::Text) | None => {
                self.shape(node, "`true` or `false`");
                false
            }
        }
    }

    pub(super) fn text_of(&mut self, node: &Node) -> Option<Arc<str>> {
        match node.scalar() {
            Some(scalar) => Some((*scalar.text).into()),
            None => {
                self.shape(node, "a text");
                None
            }
        }
    }

    fn id(&mut self, node: &Node) -> Option<Arc<str>> {
        let id = self.text_of(node)?;
        let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./:".contains(&byte));
        if id.is_empty() || id.len() > LONGEST_ID || !is_plain || &*id == DEFAULT {
            let why = if &*id == DEFAULT { "stands for what no rule decides" } else { "can't be an id" };
            self.report(Code::POLICY_ID, node.span, format!("`{id}` {why}"));
            return None;
        }
        Some(id)
    }

    /// A condition, or a list of them.
    pub(super) fn conditions(&mut self, node: &Node) -> Vec<Condition> {
        let nodes = node.sequence().unwrap_or(std::slice::from_ref(node));
        if nodes.is_empty() {
            self.report(Code::POLICY_EMPTY, node.span, "a list without conditions");
        }
        nodes.iter().filter_map(|node| self.condition(node)).collect()
    }

    fn condition(&mut self, node: &Node) -> Option<Condition> {
        let Some(scalar) = node.scalar() else {
            self.shape(node, "a condition as a text");
            return None;
        };
        let place = self.place(node, scalar);
        let written = Written { text: &scalar.text, place };
        let read = |form: &mut Self| {
            let expression = expression::condition(written, form.report)?;
            Some(form.checked(expression))
        };
        match place {
            Place::From(start) => {
                let length = u32::try_from(scalar.text.len()).unwrap_or(u32::MAX);
                self.once(Span::new(start, start.saturating_add(length)), 0, read)
            }
            Place::Within(_) => read(self),
        }
    }

    pub(super) fn checked(&mut self, expression: Expression) -> Condition {
        Condition::new(check::condition(&self.names, expression, self.report))
    }

    /// The condition that is written here: what is written alike on one line is read once.
    fn once(&mut self, span: Span, value: u32, read: impl FnOnce(&mut Self) -> Option<Condition>) -> Option<Condition> {
        let written = span.text(self.text);
        if !self.known.is_used || written.contains('\n') {
            return read(self);
        }
        let next = u32::try_from(self.known.conditions.len()).unwrap_or(u32::MAX);
        let number = self.known.texts.number(written.as_bytes(), next);
        match self.known.conditions.get(number as usize) {
            Some(Some(once)) if once.value == value => {
                let moved = |place: u32| place.wrapping_sub(once.from).wrapping_add(span.start);
                let same = &once.condition;
                let span = Span::new(moved(same.span.start), moved(same.span.end));
                return Some(same.again(span));
            }
            Some(_) => return read(self),
            None => {}
        }
        self.known.conditions.push(None);
        let condition = read(self)?;
        if self.report.is_empty()
            && let Some(known) = self.known.conditions.get_mut(number as usize)
        {
            *known = Some(Once { from: span.start, value, condition: condition.clone() });
        }
        Some(condition)
    }

    /// Where the text of a scalar stands, if it stands there as it is.
    pub(super) fn place(&self, node: &Node, scalar: &Scalar) -> Place {
        let quotes = u32::from(matches!(scalar.style, Style::Single | Style::Double));
        let start = node.span.start + quotes;
        let is_as_written = self.text.get(start as usize..).is_some_and(|rest| rest.starts_with(&*scalar.text));
        if is_as_written { Place::From(start) } else { Place::Within(node.span) }
    }

    /// Where a rule applies: attributes with what they must be, or conditions.
    pub(super) fn when(&mut self, node: &Node) -> Vec<Condition> {
        let Some(entries) = node.mapping() else { return self.conditions(node) };
        entries.iter().filter_map(|entry| self.restriction(entry)).collect()
    }

    fn restriction(&mut self, entry: &Entry) -> Option<Condition> {
        let (key, value) = (entry.key.span, entry.value.span);
        self.once(key.to(value), value.start.saturating_sub(key.start), |form| form.restricted(entry))
    }

    fn restricted(&mut self, Entry { key, value }: &Entry) -> Option<Condition> {
        let quotes = u32::from(key.span.text(self.text) != key.text);
        let place = Place::From(key.span.start + quotes);
        let reference = if is_name(&key.text) && !WORDS.contains(&&*key.text) {
            // As the parser reads it.
            let length = u32::try_from(key.text.len()).unwrap_or(u32::MAX);
            Reference { root: Name { text: (*key.text).into(), span: place.of(0, length) }, steps: Vec::new() }
        } else {
            expression::reference(Written { text: &key.text, place }, self.report)?
        };
        let literal = self.literal(value)?;
        let is_path = self.names.schema.attributes.get(&*reference.root.text) == Some(&Kind::Path);
        let is_path = is_path && reference.steps.is_empty();
        let span = key.span.to(value.span);
        let place = Expression { depth: 1, kind: ExpressionKind::Reference(reference), span: key.span };
        let expression = restriction(place, literal, is_path, span);
        Some(self.checked(expression))
    }
}

/// That an attribute is a value, or one of a list; paths may be given by their forms.
fn restriction(attribute: Expression, literal: Expression, is_path: bool, span: Span) -> Expression {
    let make = |kind: ExpressionKind| Expression { depth: kind.depth().saturating_add(1), kind, span };
    let is_form =
        |item: &Expression| is_path && matches!(&item.kind, ExpressionKind::String(text) if text.contains('*'));
    let one = |attribute: Expression, item: Expression| {
        let operator = if is_form(&item) { Operator::Matches } else { Operator::Equal };
        make(ExpressionKind::Binary(operator, Box::new(attribute), Box::new(item)))
    };
    match literal {
        Expression { kind: ExpressionKind::List(items), .. } if items.iter().any(is_form) => {
            balanced(items.into_iter().map(|item| one(attribute.clone(), item)).collect(), &make)
        }
        list @ Expression { kind: ExpressionKind::List(_), .. } => {
            make(ExpressionKind::Binary(Operator::In, Box::new(attribute), Box::new(list)))
        }
        item => one(attribute, item),
    }
}

/// Any of the alternatives, nested as little as can be.
fn balanced(mut alternatives: Vec<Expression>, make: &impl Fn(ExpressionKind) -> Expression) -> Expression {
    let half = alternatives.split_off(alternatives.len() / 2);
    match (alternatives.is_empty(), half.len()) {
        (true, 0) => make(ExpressionKind::Bool(false)),
        (true, _) => half.into_iter().next().unwrap_or_else(|| make(ExpressionKind::Bool(false))),
        (false, _) => {
            let (left, right) = (balanced(alternatives, make), balanced(half, make));
            make(ExpressionKind::Or(Box::new(left), Box::new(right)))
        }
    }
}

/// Whether it can stand for an attribute or a constant in a condition.
fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    let begins = bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
    begins && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn texts(conditions: &[Condition], between: &str) -> String {
    let texts: Vec<&str> = conditions.iter().map(|condition| &*condition.text).collect();
    texts.join(between)
}

/// What a rule says of itself where its author says nothing.
fn reason_of(allow_if: &[Condition], deny_if: &[Condition]) -> String {
    let allows = (!allow_if.is_empty()).then(|| format!("allows if {}", texts(allow_if, " and ")));
    let denies = (!deny_if.is_empty()).then(|| format!("denies if {}", texts(deny_if, " or ")));
    allows.into_iter().chain(denies).collect::<Vec<_>>().join("; ")
}

/// What a rule says, as the text that its id is made of.
pub(super) fn id_text(head: &str, parts: &[(&str, &[Condition])]) -> String {
    let mut text = head.to_owned();
    for (name, conditions) in parts {
        conditions.iter().for_each(|condition| text.push_str(&format!("{name} {}\n", condition.text)));
    }
    text
}
