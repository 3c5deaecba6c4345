//! How a stack is shown to people: values as JSON, tables with their columns, types and first rows.

use crate::Global;
use kerai_compiler::Position;
use kerai_words::{Column, Content, Item, Machine, WordError};

/// Rows of a table that are shown, and characters of a value.
const ROWS: usize = 10;
const LONGEST_CELL: usize = 40;
const LONGEST_VALUE: usize = 2000;

/// All items, a line each, the top last.
pub async fn results(machine: &mut Machine, _: &Global) {
    for item in machine.items().to_vec() {
        match &item.content {
            Content::Value { kind, .. } if kind == "text" => {
                let text = item.content.as_text().unwrap_or_default();
                // CSV and other texts of several lines are for files and other programs.
                if text.ends_with('\n') { print!("{text}") } else { println!("{}", item.content.view()) }
            }
            Content::Table { .. } => print!("{}", table(machine, &item).await),
            content @ (Content::Value { .. } | Content::Code(_) | Content::Dataset { .. }) => {
                println!("{}", content.view())
            }
        }
    }
}

/// The stack with kinds, as the REPL shows it, the top last.
pub async fn stack(machine: &mut Machine) -> String {
    let mut shown = String::new();
    let items = machine.items().to_vec();
    let top = items.len();
    for (place, item) in (1..).zip(&items) {
        if let (Content::Table { .. }, true) = (&item.content, place == top) {
            shown.push_str(&table(machine, item).await);
        }
        shown.push_str(&format!("{:>3}  {}  {}\n", item.id, item.content.kind(), brief(&item.content)));
    }
    shown
}

fn brief(content: &Content) -> String {
    match content {
        Content::Table { name, columns, rows, .. } => format!("{name}: {rows} rows ({})", types(columns)),
        Content::Dataset { path, tables } => format!("{path}: {}", tables.join(" ")),
        Content::Code(text) => text.clone(),
        value @ Content::Value { .. } => {
            let view = value.view();
            match view.char_indices().nth(LONGEST_VALUE) {
                Some((end, _)) => format!("{}…", view.get(..end).unwrap_or_default()),
                None => view,
            }
        }
    }
}

fn types(columns: &[Column]) -> String {
    columns.iter().map(|column| format!("{} {}", column.name, column.holds)).collect::<Vec<_>>().join(", ")
}

/// The first rows of a table, in columns.
async fn table(machine: &mut Machine, item: &Item) -> String {
    let Content::Table { columns, rows, .. } = &item.content else { return String::new() };
    let first = match machine.first_rows(&item.content, ROWS).await {
        Ok(first) => first,
        Err(found) => return format!("{found}\n"),
    };
    let cell = |text: &str| {
        let plain: String =
            text.chars().take(LONGEST_CELL).map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        plain
    };
    let mut lines: Vec<Vec<String>> = vec![
        columns.iter().map(|column| cell(&column.name)).collect(),
        columns.iter().map(|column| column.holds.clone()).collect(),
    ];
    lines.extend(first.iter().map(|row| row.iter().map(|text| text.as_deref().map_or("·".to_owned(), cell)).collect()));
    let width = |at: usize| lines.iter().filter_map(|line| Some(line.get(at)?.chars().count())).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut out = String::new();
    for line in &lines {
        let cells = line.iter().zip(&widths).map(|(text, &width)| format!("{text:width$}"));
        out.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        out.push('\n');
    }
    if *rows > first.len() as i64 {
        out.push_str(&format!("… {rows} rows\n"));
    }
    out
}

/// An error with the line that was typed and the word marked.
pub fn error(text: &str, found: &WordError) -> String {
    let Position { line, column } = Position::of(text.as_bytes(), found.span.start);
    let typed = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let marks = found.span.text(text).chars().take_while(|letter| *letter != '\n').count().max(1);
    let mut shown = format!("error[{}]: {}\n", found.code, found.message);
    if typed.chars().count() <= 200 {
        shown.push_str(&format!(
            "  {typed}\n  {}{}\n",
            " ".repeat(column.saturating_sub(1)),
            "^".repeat(marks.min(100))
        ));
    } else {
        shown.push_str(&format!("  at line {line}, column {column}\n"));
    }
    if !found.help.is_empty() {
        shown.push_str(&format!("  help: {}\n", found.help));
    }
    shown.trim_end().to_owned()
}
