//! The REPL: lines that are edited, remembered and completed; the stack after each, which survives whatever happens.

use super::{folder, open, runtime, show};
use crate::Global;
use crate::outcome::{Answer, Fault, Outcome};
use kerai_compiler::syntax::words::{host, library};
use kerai_words::Machine;
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};

/// The session that is meant where none is named, and where lines are remembered.
const SESSION: &str = "default";
const HISTORY: &str = "history";

/// What the editor knows of words.
struct Words {
    names: Vec<String>,
    files: FilenameCompleter,
}

impl Completer for Words {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, context: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = line.get(..at).unwrap_or(line);
        let is_text = |quote: char| before.matches(quote).count() % 2 == 1;
        if is_text('"') || is_text('\'') {
            return self.files.complete(line, at, context);
        }
        let start = before.rfind([' ', '[', ']', '(', ')']).map_or(0, |end| end + 1);
        let begun = before.get(start..).unwrap_or_default();
        let pair = |name: &String| Pair { display: name.clone(), replacement: name.clone() };
        let found = self.names.iter().filter(|name| !begun.is_empty() && name.starts_with(begun)).map(pair);
        Ok((start, found.collect()))
    }
}

impl Validator for Words {
    /// A line goes on as long as brackets are open.
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let (mut depth, mut quote, mut is_escaped, mut is_comment, mut last) = (0_i64, None, false, false, ' ');
        for letter in context.input().chars() {
            match (quote, letter) {
                _ if is_comment => is_comment = letter != '\n',
                (Some(_), _) if is_escaped => is_escaped = false,
                (Some(_), '\\') => is_escaped = true,
                // A text that is not closed on its line is told as a mistake.
                (Some(open), _) if letter == open || letter == '\n' => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => quote = Some(letter),
                (None, '#') if " \n\t[(".contains(last) => is_comment = true,
                (None, '[' | '(') => depth += 1,
                (None, ']' | ')') => depth -= 1,
                (None, _) => {}
            }
            last = letter;
        }
        Ok(if depth > 0 { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl Hinter for Words {
    type Hint = String;
}

impl Highlighter for Words {}

impl Helper for Words {}

/// Reads lines until there are no more.
pub fn repl(global: &Global) -> Outcome {
    let session = global.session.clone().unwrap_or_else(|| SESSION.to_owned());
    let runtime = runtime()?;
    let mut machine = runtime.block_on(open(global, Some(&session)))?;
    let history = folder(global)?.join(HISTORY);
    let config = Config::builder().completion_type(CompletionType::List).auto_add_history(true).build();
    let mut editor: Editor<Words, FileHistory> = Editor::with_config(config).map_err(fault)?;
    editor.set_helper(Some(Words { names: names(&machine), files: FilenameCompleter::new() }));
    // No history yet is no fault.
    let _ = editor.load_history(&history);
    if !global.quiet {
        println!("kerai words, session `{session}`. `words` lists all, `help WORD` explains one, Ctrl-D leaves.");
    }
    print!("{}", runtime.block_on(show::stack(&mut machine)));
    loop {
        match editor.readline("kerai> ") {
            Ok(line) if matches!(line.trim(), "bye" | "quit" | "exit") => break,
            Ok(line) => {
                // What is typed survives even if the word does not come back.
                let _ = editor.save_history(&history);
                match runtime.block_on(machine.run(&line)) {
                    Ok(()) => effects(&machine, &line),
                    Err(found) => println!("{}", show::error(&line, &found)),
                }
                print!("{}", runtime.block_on(show::stack(&mut machine)));
                if let Some(helper) = editor.helper_mut() {
                    helper.names = names(&machine);
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(other) => return Err(fault(other)),
        }
    }
    Ok(Answer::Yes)
}

fn fault(cause: ReadlineError) -> Fault {
    Fault::Use(format!("the terminal can't be read: {cause}"))
}

/// Shows what each word takes and leaves that a line defines.
fn effects(machine: &Machine, line: &str) {
    for header in kerai_compiler::syntax::words::parse(line).script.lines.iter().filter_map(|line| line.header.as_ref())
    {
        let name = &header.name.text;
        if let Some(effect) = machine.effect(name) {
            println!("{name} : {effect}");
        }
    }
}

/// All words in sight.
fn names(machine: &Machine) -> Vec<String> {
    let mut names: Vec<String> = machine.defined().map(str::to_owned).collect();
    names.extend(library::names().map(str::to_owned));
    names.extend(host::ALL.iter().map(|word| word.name.to_owned()));
    names
}
