//! How an author's mistakes are shown: with the line of the source for people, as objects for machines.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use kerai_compiler::{Diagnostic, Position, Span};
use serde_json::{Value, json};
use std::io::{self, IsTerminal};
use std::ops::Range;

/// A longer line is not shown: nobody would find the place in it.
const LONGEST_LINE: usize = 4096;

/// Says on standard error what is wrong: the place, the line with the place marked, and what to do.
pub fn print(path: &str, text: &str, diagnostics: &[Diagnostic]) {
    let is_styled = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let renderer = if is_styled { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii);
    for diagnostic in diagnostics {
        eprintln!("{}\n", render(&renderer, path, text, diagnostic));
    }
}

/// The same as text.
pub fn to_text(path: &str, text: &str, diagnostics: &[Diagnostic]) -> String {
    let renderer = Renderer::plain().decor_style(DecorStyle::Ascii);
    let shown = diagnostics.iter().map(|diagnostic| render(&renderer, path, text, diagnostic));
    shown.collect::<Vec<_>>().join("\n\n")
}

fn render(renderer: &Renderer, path: &str, text: &str, diagnostic: &Diagnostic) -> String {
    let title = Level::ERROR.primary_title(&*diagnostic.message).id(diagnostic.code.name());
    let mut group = with_place(Group::with_title(title), path, text, diagnostic.span, AnnotationKind::Primary, None);
    for note in &diagnostic.notes {
        group = with_place(group, path, text, note.span, AnnotationKind::Context, Some(&note.message));
    }
    renderer.render(&[group.element(Level::HELP.message(diagnostic.help()))])
}

/// The line that a range begins in, without its end: of a range over many lines the first says enough.
fn line_around(text: &str, span: Span) -> Range<usize> {
    let start = text.floor_char_boundary(span.start as usize);
    let begin = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let finish = text.get(start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| start + at);
    begin..finish
}

/// Adds a place to a message: the line where it can be shown, else its numbers.
fn with_place<'a>(
    group: Group<'a>,
    path: &'a str,
    text: &'a str,
    span: Span,
    kind: AnnotationKind,
    label: Option<&'a str>,
) -> Group<'a> {
    let place = line_around(text, span);
    let Position { line, column } = Position::of(text.as_bytes(), span.start);
    let shown = text.get(place.clone()).filter(|shown| shown.len() <= LONGEST_LINE);
    let Some(shown) = shown else {
        return group.element(Origin::path(path).line(line).char_column(column));
    };
    // Of bytes that are no text a replacement is shown, which can be longer than they are.
    let start = shown.floor_char_boundary((span.start as usize).saturating_sub(place.start));
    let end = shown.ceil_char_boundary((span.end as usize).saturating_sub(place.start)).max(start);
    let annotation = kind.span(start..end).label(label);
    group.element(Snippet::source(shown).path(path).line_start(line).annotation(annotation))
}

/// The diagnostics as `--json` shows them.
pub fn to_json(path: &str, text: &str, diagnostics: &[Diagnostic]) -> Vec<Value> {
    diagnostics.iter().map(|diagnostic| object(path, text, diagnostic)).collect()
}

fn object(path: &str, text: &str, diagnostic: &Diagnostic) -> Value {
    let at = |offset: u32| Position::of(text.as_bytes(), offset);
    let (start, end) = (at(diagnostic.span.start), at(diagnostic.span.end));
    let notes = diagnostic.notes.iter().map(|note| {
        let Position { line, column } = at(note.span.start);
        json!({ "line": line, "column": column, "message": note.message })
    });
    json!({
        "code": diagnostic.code.name(),
        "path": path,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "message": diagnostic.message,
        "help": diagnostic.help(),
        "fix": diagnostic.fix.as_ref().map(|fix| &fix.replacement),
        "notes": notes.collect::<Vec<_>>(),
    })
}
