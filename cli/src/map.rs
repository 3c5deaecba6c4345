//! Maps: names of functions and places in the source, in a file beside the program. Nothing depends on them.

use kerai_compiler::emit::Map;
use kerai_vm::trap::Trap;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// What is added to the name of a program's file.
const ENDING: &str = ".map";

/// For each function of a program, in the order of the code, where it came from.
#[derive(Serialize, Deserialize)]
pub struct Places {
    source: String,
    functions: Vec<FunctionPlaces>,
}

/// A function's name, and for each instruction its line and column.
#[derive(Serialize, Deserialize)]
struct FunctionPlaces {
    name: String,
    places: Vec<(usize, usize)>,
}

impl Places {
    /// The places of a map, by the text of the source that was compiled.
    pub fn new(source: &str, text: &str, map: &Map) -> Places {
        let lines = Lines::of(text);
        let functions = map.functions.iter().map(|function| FunctionPlaces {
            name: function.name.clone(),
            places: function.instructions.iter().map(|span| lines.place(span.start as usize)).collect(),
        });
        Places { source: source.to_owned(), functions: functions.collect() }
    }

    /// Reads the map beside a program; none where there is none that can be read.
    pub fn beside(program: &str) -> Option<Places> {
        serde_json::from_slice(&fs::read(path_beside(Path::new(program))).ok()?).ok()
    }

    pub fn to_text(&self) -> String {
        // Text, numbers and lists have a JSON form.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    /// Where a trap happened, for people: ``in `step` at folds/invoices.lua:7:5``.
    pub fn describe(&self, trap: &Trap) -> Option<String> {
        self.describe_at(trap.function, trap.instruction)
    }

    /// The same of any instruction.
    pub fn describe_at(&self, function: u32, instruction: u32) -> Option<String> {
        let function = self.functions.get(function as usize)?;
        let (line, column) = function.places.get(instruction as usize)?;
        Some(format!("in `{}` at {}:{line}:{column}", function.name, self.source))
    }
}

/// Where the map of a program stands.
pub fn path_beside(program: &Path) -> PathBuf {
    let mut path = program.as_os_str().to_owned();
    path.push(ENDING);
    path.into()
}

/// A text with the beginnings of its lines, so that many places cost no more than few.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl Lines<'_> {
    fn of(text: &str) -> Lines<'_> {
        let ends = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at + 1);
        Lines { text, starts: std::iter::once(0).chain(ends).collect() }
    }

    /// Line and column, both from 1.
    fn place(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|&start| start <= offset);
        let start = line.checked_sub(1).and_then(|line| self.starts.get(line)).copied().unwrap_or_default();
        let before = self.text.get(start..offset).unwrap_or_default();
        (line, 1 + before.chars().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_lines_and_columns_of_characters() {
        let lines = Lines::of("a\näöü x\n");
        let at = |text: &str| lines.place("a\näöü x\n".find(text).expect("it is there"));
        assert_eq!([at("a"), at("ä"), at("x")], [(1, 1), (2, 1), (2, 5)]);
        assert_eq!(lines.place(0), (1, 1));
    }
}
