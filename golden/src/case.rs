//! A case file as text: a heading, then named sections. Parsing and printing lose nothing.

/// One golden case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    heading: Vec<String>,
    sections: Vec<Section>,
}

/// A section: its name, and its lines as they stand in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    name: String,
    lines: Vec<String>,
}

/// The name in a header line, `-- NAME --`.
fn header(line: &str) -> Option<&str> {
    let name = line.strip_prefix("-- ")?.strip_suffix(" --")?;
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b' ';
    (!name.is_empty() && name.trim() == name && name.bytes().all(is_plain)).then_some(name)
}

/// Whether a content line needs a backslash before it: it looks like a header, or like a line that has one.
fn is_escaped_form(line: &str) -> bool {
    let rest = line.trim_start_matches('\\');
    rest.starts_with("-- ") || (rest.is_empty() && !line.is_empty())
}

/// A content line as it stands in the file. The last line of a content is escaped when it is empty,
/// since empty lines before a header are only there to be seen.
fn escape(line: &str, is_last: bool) -> String {
    if is_escaped_form(line) || (line.is_empty() && is_last) { format!("\\{line}") } else { line.to_owned() }
}

fn unescape(line: &str) -> &str {
    match line.strip_prefix('\\') {
        Some(rest) if is_escaped_form(line) => rest,
        _ => line,
    }
}

impl Section {
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn content_lines(&self) -> usize {
        self.lines.len() - self.lines.iter().rev().take_while(|line| line.is_empty()).count()
    }

    /// The content: the lines joined by newlines, without escapes, the empty lines at the end and a last newline.
    #[must_use]
    pub fn content(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().take(self.content_lines()).map(|line| unescape(line)).collect();
        lines.join("\n")
    }

    /// Replaces the content; empty lines that separate the section from the next stay.
    pub fn set_content(&mut self, content: &str) {
        let separators = self.lines.len() - self.content_lines();
        let lines: Vec<&str> = if content.is_empty() { Vec::new() } else { content.split('\n').collect() };
        let count = lines.len();
        let escaped = lines.iter().enumerate().map(|(number, line)| escape(line, number + 1 == count));
        self.lines = escaped.chain((0..separators).map(|_| String::new())).collect();
    }
}

impl Case {
    /// A case that says why it is there, and has no sections yet.
    #[must_use]
    pub fn new(heading: &str) -> Case {
        Case { heading: vec![heading.to_owned()], sections: Vec::new() }
    }

    /// Adds a section at the end.
    pub fn push(&mut self, name: &str, content: &str) {
        let mut section = Section { name: name.to_owned(), lines: Vec::new() };
        section.set_content(content);
        self.sections.push(section);
    }

    /// Leaves out the sections whose name is not wanted.
    pub fn retain(&mut self, is_wanted: impl Fn(&str) -> bool) {
        self.sections.retain(|section| is_wanted(&section.name));
    }

    /// Reads a case file.
    ///
    /// # Errors
    /// What stands in the file that can't be taken, with its line.
    pub fn parse(text: &str) -> Result<Case, String> {
        if text.contains('\r') {
            return Err("the file holds a carriage return: end lines by a newline alone".to_owned());
        }
        let Some(text) = text.strip_suffix('\n') else {
            return Err("the file does not end with a newline".to_owned());
        };
        let mut case = Case { heading: Vec::new(), sections: Vec::new() };
        for (number, line) in text.split('\n').enumerate() {
            if let Some(name) = header(line) {
                case.sections.push(Section { name: name.to_owned(), lines: Vec::new() });
            } else if line.starts_with("-- ") {
                return Err(format!("line {} is no header: write `\\{line}` if it is content", number + 1));
            } else {
                case.sections.last_mut().map_or(&mut case.heading, |section| &mut section.lines).push(line.to_owned());
            }
        }
        Ok(case)
    }

    /// The file's text.
    #[must_use]
    pub fn print(&self) -> String {
        let mut out = String::new();
        let mut put = |line: &str| {
            out.push_str(line);
            out.push('\n');
        };
        self.heading.iter().for_each(|line| put(line));
        for section in &self.sections {
            put(&format!("-- {} --", section.name));
            section.lines.iter().for_each(|line| put(line));
        }
        out
    }

    #[must_use]
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The first section of a name.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    pub(crate) fn section_mut(&mut self, name: &str) -> Option<&mut Section> {
        self.sections.iter_mut().find(|section| section.name == name)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn printing_gives_back_what_was_parsed() {
        let text = "# why\n\n-- json --\n[1,\n 2]\n\n-- root --\n-- view --\n\\-- a --\n\\\\\n\n";
        let case = Case::parse(text).unwrap();
        assert_eq!(case.print(), text);
        assert_eq!(case.sections().len(), 3);
        assert_eq!(case.section("json").unwrap().content(), "[1,\n 2]");
        assert_eq!(case.section("root").unwrap().content(), "");
        assert_eq!(case.section("view").unwrap().content(), "-- a --\n\\");
    }

    #[test]
    fn every_content_survives_being_set() {
        let pieces = ["", "-- ", "-- root --", "\\", "\\\\", "\\-- x", "a", "--", "\\a", " "];
        let mut contents: Vec<String> = pieces.iter().map(|&piece| piece.to_owned()).collect();
        for first in pieces {
            for second in pieces {
                contents.push(format!("{first}\n{second}"));
                contents.push(format!("{first}\n{second}\n"));
            }
        }
        for content in contents {
            let mut case = Case::parse("-- view --\nold\n\n-- root --\n").unwrap();
            case.section_mut("view").unwrap().set_content(&content);
            let again = Case::parse(&case.print()).unwrap();
            assert_eq!(again.section("view").unwrap().content(), content, "{content:?}");
            assert_eq!(again.sections()[1].name(), "root", "{content:?}");
            assert_eq!(again, case);
        }
    }

    #[test]
    fn what_is_no_case_is_refused() {
        assert!(Case::parse("-- json --\n1").unwrap_err().contains("newline"));
        assert!(Case::parse("-- json --\r\n1\n").unwrap_err().contains("carriage return"));
        assert!(Case::parse("-- json --\n-- Not A Name --\n").unwrap_err().starts_with("line 2 is no header"));
    }
}
