//! The interpreter of a session: words one after the other, on items. Pure words are compiled; host words act.

use crate::database::Database;
use crate::error::{Done, WordError};
use crate::item::{Content, Item};
use crate::pure::Unit;
use kerai_compiler::Span;
use kerai_compiler::lower::words as lower;
use kerai_compiler::syntax::words::library::{self, Combinator, Meaning, Word};
use kerai_compiler::syntax::words::tree::{Line, Notation, Term, TermKind};
use kerai_compiler::syntax::words::{self, host};
use serde_json::Value;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

/// What words need of the program around them.
pub trait Outside {
    /// Says something to the person.
    fn say(&mut self, text: &str);
    /// Says how far a long word is.
    fn progress(&mut self, count: usize, what: &str);
    /// Builds sources: path, kind, root and output of each.
    ///
    /// # Errors
    /// What is wrong, as text.
    fn build(&mut self, path: &str) -> Result<Value, String>;
    /// Computes everything of a stream again.
    ///
    /// # Errors
    /// What is wrong, as text.
    fn verify(&mut self, stream: &str) -> Result<Value, String>;
    /// The PostgreSQL server that is meant where none is named.
    fn postgres(&self) -> Option<String>;
}

/// A word that a session has defined.
pub(crate) struct Definition {
    pub(crate) name: String,
    /// A source of its own, which defines it.
    pub(crate) source: String,
    /// Whether it is part of programs; else it is run word by word.
    is_pure: bool,
}

/// A session under way.
pub struct Machine {
    pub(crate) database: Database,
    /// The name under which it is kept; nothing where it is not.
    pub(crate) session: Option<String>,
    pub(crate) items: Vec<Item>,
    next: i64,
    /// How many items from the bottom are as they were written down.
    kept: usize,
    pub(crate) definitions: Vec<Definition>,
    pub(crate) units: BTreeMap<String, Rc<Unit>>,
    pub(crate) gas: u64,
    pub(crate) outside: Box<dyn Outside>,
    depth: usize,
}

/// How deep definitions with effects may run each other.
const DEEPEST: usize = 100;

type Running<'m> = Pin<Box<dyn Future<Output = Done> + 'm>>;

impl Machine {
    /// A session that is kept under a name, or one that is not kept.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn open(database: Database, session: Option<&str>, outside: Box<dyn Outside>) -> Done<Machine> {
        let mut machine = Machine {
            database,
            session: None,
            items: Vec::new(),
            next: 1,
            kept: 0,
            definitions: Vec::new(),
            units: BTreeMap::new(),
            gas: 0,
            outside,
            depth: 0,
        };
        if let Some(name) = session {
            machine.load(name).await?;
        }
        Ok(machine)
    }

    /// Goes on in a session.
    pub(crate) async fn load(&mut self, name: &str) -> Done {
        let (items, next, sources) = self.database.load(name).await?;
        (self.kept, self.items, self.next) = (items.len(), items, next);
        self.session = Some(name.to_owned());
        self.definitions.clear();
        self.units.clear();
        for source in sources {
            self.define_source(&source);
        }
        Ok(())
    }

    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    #[must_use]
    pub const fn gas(&self) -> u64 {
        self.gas
    }

    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// The names of the words that the session has defined.
    pub fn defined(&self) -> impl Iterator<Item = &str> {
        self.definitions.iter().map(|definition| definition.name.as_str())
    }

    /// Writes down what has changed.
    ///
    /// # Errors
    /// The database can't be written.
    pub async fn save(&mut self) -> Done {
        if let Some(session) = &self.session {
            self.database.save(session, &self.items, self.kept, self.next).await?;
            self.kept = self.items.len();
        }
        Ok(())
    }

    /// Runs what was typed. The stack is written down after every line and every word with effects.
    ///
    /// # Errors
    /// The first word that can't be run; the stack is as it was before it.
    pub async fn run(&mut self, text: &str) -> Done {
        let parsed = words::parse(text);
        if let Some(found) = parsed.diagnostics.first() {
            return Err(WordError::of_diagnostic(found));
        }
        let mut result = Ok(());
        for line in &parsed.script.lines {
            result = self.line(text, line).await;
            self.save().await?;
            if result.is_err() {
                break;
            }
        }
        result
    }

    async fn line(&mut self, text: &str, line: &Line) -> Done {
        if line.header.is_some() {
            return self.define(text, line).await;
        }
        match (line.notation, line.terms.as_slice()) {
            (_, [Term { kind: TermKind::Word(word), .. }, argument @ Term { kind: TermKind::Word(name), .. }])
                if matches!(&**word, "help" | "see") =>
            {
                self.push(Content::text(name));
                self.host_word(word, argument.span).await
            }
            (Notation::Postfix, terms) => self.postfix(text, terms).await,
            (notation, _) => {
                let written = line.terms.first().zip(line.terms.last());
                let written = written.map_or("", |(first, last)| first.span.to(last.span).text(text));
                self.unit(&format!("({} {written})", notation.word()), written, 0, line.span)
            }
        }
    }

    fn postfix<'m>(&'m mut self, text: &'m str, terms: &'m [Term]) -> Running<'m> {
        Box::pin(async move {
            let mut rest = terms;
            while let [term, after @ ..] = rest {
                rest = match &term.kind {
                    TermKind::Word(name) => after.get(self.word(name, term.span, after).await?..).unwrap_or_default(),
                    TermKind::Number(_) | TermKind::Text(_) | TermKind::Key(_) | TermKind::Comma => {
                        self.literal(text, term)?;
                        after
                    }
                    TermKind::Bracket(_) | TermKind::Group(..) => {
                        self.literal(text, term)?;
                        after
                    }
                };
            }
            Ok(())
        })
    }

    /// Puts a value on the stack that is written out.
    fn literal(&mut self, text: &str, term: &Term) -> Done {
        let code = term.span.text(text);
        match &term.kind {
            TermKind::Number(number) => {
                let mut heap = kerai_vm::value::Heap::new(0);
                let value = heap.number(*number);
                let content = Content::of(&heap, value);
                self.push(content.map_err(|fault| WordError::new("WORDS_NUMERAL", term.span, fault, ""))?);
                Ok(())
            }
            TermKind::Bracket(bracket) if bracket.is_code => {
                self.push(Content::Code(code.to_owned()));
                Ok(())
            }
            TermKind::Bracket(_) => {
                self.unit(code, code, 0, term.span)?;
                if let Some(Item { content: Content::Value { code: kept, .. }, .. }) = self.items.last_mut() {
                    *kept = Some(code.to_owned());
                }
                Ok(())
            }
            TermKind::Text(_) | TermKind::Word(_) | TermKind::Key(_) | TermKind::Comma | TermKind::Group(..) => {
                self.unit(code, code, 0, term.span)
            }
        }
    }

    /// Runs a word, and says how many terms behind it belong to it.
    async fn word(&mut self, name: &str, span: Span, after: &[Term]) -> Done<usize> {
        if let Some(definition) = self.definition(name).filter(|definition| !is_alias(definition)) {
            let (is_pure, source) = (definition.is_pure, definition.source.clone());
            if is_pure && (self.has_values(name, span)? || !is_plain(&source)) {
                self.unit(name, name, 0, span)?;
            } else {
                self.run_defined(name, &source, span).await?;
            }
            return Ok(0);
        }
        let spelled = self.spelled(name);
        let is_word = library::word(&spelled).is_some() || host::word(&spelled).is_some();
        if let (false, true, Some(Term { kind: TermKind::Word(member), span: end })) =
            (is_word, library::is_library(&spelled), after.first())
        {
            let whole = format!("{spelled}.{member}");
            self.known(&whole, span.to(*end)).await?;
            return Ok(1);
        }
        self.known(&spelled, span).await.map(|()| 0)
    }

    /// The definition of a name.
    pub(crate) fn definition(&self, name: &str) -> Option<&Definition> {
        self.definitions.iter().rev().find(|definition| definition.name == name)
    }

    /// A name with the library that an alias in it stands for.
    pub(crate) fn spelled(&self, name: &str) -> String {
        let (first, rest) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
        let library = self.definition(first).filter(|definition| is_alias(definition)).and_then(target);
        match (library, rest) {
            (Some(library), Some(rest)) => format!("{library}.{rest}"),
            (Some(library), None) => library.to_owned(),
            (None, _) => name.to_owned(),
        }
    }

    async fn known(&mut self, name: &str, span: Span) -> Done {
        if let Some(word) = library::word(name) {
            return self.pure_word(&word, span);
        }
        if host::word(name).is_some() {
            return self.host_word(name, span).await;
        }
        // A method of what lies on the top.
        let method = self.items.last().map(|item| format!("{}.{name}", item.content.kind()));
        if let Some(method) = method.filter(|method| host::word(method).is_some()) {
            return self.host_word(&method, span).await;
        }
        let mut names: Vec<&str> = self.defined().collect();
        library::names().chain(host::ALL.iter().map(|word| word.name)).for_each(|name| names.push(name));
        let help = match kerai_compiler::similar(name, names) {
            Some(like) => format!("did you mean `{like}`? Text is written in quotes"),
            None => "`words` lists all words; text is written in quotes".to_owned(),
        };
        let message = if library::is_library(name) {
            format!("`{name}` is a library: one of its words must follow")
        } else {
            format!("there is no word `{name}`")
        };
        Err(WordError::new("WORDS_UNKNOWN", span, message, help))
    }

    /// A word of the table: what moves items moves them as they are, everything else is compiled.
    fn pure_word(&mut self, word: &Word, span: Span) -> Done {
        match word.meaning {
            Meaning::Shuffle => self.shuffle(word, span),
            Meaning::Clear => {
                self.take(self.items.len());
                Ok(())
            }
            Meaning::Depth => {
                let depth = self.items.len();
                self.unit(&depth.to_string(), word.name, 0, span)
            }
            Meaning::Combinator(combinator) => self.combinator(combinator, word.name, span),
            Meaning::True | Meaning::False | Meaning::Nil | Meaning::Unary(_) | Meaning::Binary(_) | Meaning::And => {
                self.unit(word.name, word.name, 0, span)
            }
            Meaning::Or
            | Meaning::Join
            | Meaning::Index
            | Meaning::Builtin(_)
            | Meaning::Prelude(_)
            | Meaning::Raise => self.unit(word.name, word.name, 0, span),
        }
    }

    fn shuffle(&mut self, word: &Word, span: Span) -> Done {
        let (takes, leaves) = word.effect.split_once("--").unwrap_or_default();
        let takes: Vec<&str> = takes.split_ascii_whitespace().collect();
        self.need(takes.len(), word.name, span)?;
        let mut taken: Vec<Option<Item>> = self.take(takes.len()).into_iter().map(Some).collect();
        let contents: Vec<Content> = taken.iter().flatten().map(|item| item.content.clone()).collect();
        for name in leaves.split_ascii_whitespace() {
            let Some(at) = takes.iter().position(|taken| *taken == name) else { continue };
            match (taken.get_mut(at).and_then(Option::take), contents.get(at)) {
                // An item that is moved is the same item; one that is made of it is a new one.
                (Some(item), _) => self.items.push(item),
                (None, Some(content)) => self.push(content.clone()),
                (None, None) => {}
            }
        }
        Ok(())
    }

    fn combinator(&mut self, combinator: Combinator, name: &str, span: Span) -> Done {
        let count = combinator.quotations();
        self.need(count, name, span)?;
        let top = self.items.get(self.items.len() - count..).unwrap_or_default();
        let codes: Option<Vec<String>> = top
            .iter()
            .map(|item| match &item.content {
                Content::Code(code) | Content::Value { code: Some(code), .. } => Some(code.clone()),
                Content::Value { code: None, .. } | Content::Table { .. } | Content::Dataset { .. } => None,
            })
            .collect();
        let Some(codes) = codes else {
            let message = format!("`{name}` runs a quotation, and finds something else on the top");
            return Err(WordError::new("WORDS_QUOTATION", span, message, "write the quotation, `[…]`, before it"));
        };
        self.unit(&format!("{} {name}", codes.join(" ")), name, count, span)
    }

    async fn run_defined(&mut self, name: &str, source: &str, span: Span) -> Done {
        if self.depth == DEEPEST {
            let message = format!("`{name}` runs words more than {DEEPEST} levels deep");
            return Err(WordError::new("WORDS_RECURSION", span, message, "a word must not lead back to itself"));
        }
        let parsed = words::parse(source);
        self.depth += 1;
        let mut result = Ok(());
        for line in &parsed.script.lines {
            if result.is_ok() {
                result = self.postfix(source, &line.terms).await;
            }
        }
        self.depth -= 1;
        result.map_err(|found| WordError { span, ..found })
    }

    /// Defines a word: one that no program can hold is run word by word.
    async fn define(&mut self, text: &str, line: &Line) -> Done {
        let Some(header) = &line.header else { return Ok(()) };
        let terms = line.terms.first().zip(line.terms.last());
        let body = terms.map_or("", |(first, last)| first.span.to(last.span).text(text));
        let mut names: Vec<&str> = vec![&header.name.text];
        names.extend(header.parameters.iter().map(|name| &*name.text));
        let source = match line.notation {
            Notation::Postfix => format!("{}: {body}", names.join(" ")),
            notation @ (Notation::Infix | Notation::Prefix) => {
                format!("{}: ({} {body})", names.join(" "), notation.word())
            }
        };
        let span = header.name.span;
        let name = header.name.text.to_string();
        let others = self.pure_source_without(&name);
        if let Err(found) = lower::lower(&format!("{others}{source}\n")) {
            let mistake = found.iter().find(|found| found.code != kerai_compiler::Code::WORDS_HOST);
            let uses_effects = line.terms.iter().any(|term| match &term.kind {
                TermKind::Word(word) => self.definition(word).is_some_and(|definition| !definition.is_pure),
                TermKind::Number(_) | TermKind::Text(_) | TermKind::Key(_) | TermKind::Comma => false,
                TermKind::Bracket(_) | TermKind::Group(..) => false,
            });
            if let (Some(mistake), false) = (mistake, uses_effects) {
                let mut found = WordError::of_diagnostic(mistake);
                // The mistake's place in the body is its place in what was typed.
                let start = others.len() + source.len() - body.len() - usize::from(line.notation != Notation::Postfix);
                let within = (found.span.start as usize).checked_sub(start).zip(terms);
                found.span = within.filter(|(at, _)| *at < body.len()).map_or(span, |(at, (first, _))| {
                    let start = first.span.start.saturating_add(u32::try_from(at).unwrap_or_default());
                    Span::new(start, start.saturating_add(found.span.end.saturating_sub(found.span.start)))
                });
                return Err(found);
            }
        }
        if name == "main" {
            return Err(WordError::new(
                "WORDS_NAME",
                span,
                "`main` is what stands outside of definitions",
                "choose another name",
            ));
        }
        self.define_source(&source);
        if let Some(session) = self.session.clone() {
            self.database.define(&session, &name, &source).await?;
        }
        Ok(())
    }

    fn define_source(&mut self, source: &str) {
        let name = source.split([' ', ':']).next().unwrap_or_default().to_owned();
        self.definitions.retain(|definition| definition.name != name);
        self.units.clear();
        let is_pure = lower::lower(&format!("{}{source}\n", self.pure_source())).is_ok();
        self.definitions.push(Definition { name, source: source.to_owned(), is_pure });
    }

    /// The definitions that programs can hold, as one source.
    pub(crate) fn pure_source(&self) -> String {
        self.pure_source_without("")
    }

    fn pure_source_without(&self, name: &str) -> String {
        let pure = self.definitions.iter().filter(|definition| definition.is_pure && definition.name != name);
        pure.map(|definition| format!("{}\n", definition.source)).collect()
    }

    /// Sees to it that there are so many items.
    pub(crate) fn need(&self, count: usize, word: &str, span: Span) -> Done {
        let there = self.items.len();
        if there >= count {
            return Ok(());
        }
        let items = if count == 1 { "1 item" } else { &format!("{count} items") };
        let message = format!(
            "`{word}` takes {items}, and there {}",
            match there {
                0 => "is none".to_owned(),
                1 => "is 1".to_owned(),
                more => format!("are {more}"),
            }
        );
        Err(WordError::new("WORDS_UNDERFLOW", span, message, "write what it takes before it"))
    }

    /// Takes the topmost items.
    pub(crate) fn take(&mut self, count: usize) -> Vec<Item> {
        let taken = self.items.split_off(self.items.len().saturating_sub(count));
        self.kept = self.kept.min(self.items.len());
        taken
    }

    /// Puts a new item on the top.
    pub(crate) fn push(&mut self, content: Content) {
        self.items.push(Item { id: self.next, content });
        self.next += 1;
    }

    async fn host_word(&mut self, name: &str, span: Span) -> Done {
        let before = (self.items.clone(), self.kept);
        let result = self.act(name, span).await;
        match result {
            // A list of sessions is loaded with its own items.
            Ok(()) => self.save().await,
            Err(found) => {
                // What a word took is back where it was.
                (self.items, self.kept) = (before.0, before.1.min(self.kept));
                Err(found)
            }
        }
    }
}

/// Whether a definition can be run word by word: it names no items.
fn is_plain(source: &str) -> bool {
    let lines = words::parse(source).script.lines;
    lines.iter().all(|line| line.header.as_ref().is_none_or(|header| header.parameters.is_empty()))
}

/// Whether a definition is another name for a library.
pub(crate) fn is_alias(definition: &Definition) -> bool {
    target(definition).is_some_and(|target| {
        library::word(target).is_none() && host::word(target).is_none() && library::is_library(target)
    })
}

/// The only word of a definition.
fn target(definition: &Definition) -> Option<&str> {
    let (_, body) = definition.source.split_once(": ")?;
    words::is_name(body).then_some(body)
}
