//! Laying out text: pieces with places where a line may break, and groups that break as one or not at all.

use std::borrow::Cow;

/// The most columns of a line that can be broken.
const COLUMNS: usize = 100;

/// Spaces of one step of indentation.
const STEP: usize = 2;

/// A part of what is laid out.
#[derive(Debug, Clone)]
pub enum Piece<'s> {
    /// Written as it is. It may hold line ends, which nothing is done about.
    Text(Cow<'s, str>),
    /// Text that does not count when a line is measured.
    Comment(Cow<'s, str>),
    /// A blank, unless a line ends or begins here.
    Space,
    /// A line's end where the group is broken, else a blank or nothing.
    Break {
        is_blank: bool,
    },
    /// A line's end in any case, so that every group around is broken.
    Newline,
    /// An empty line, if a line begins here.
    EmptyLine,
    /// A group begins.
    Open,
    /// A group ends.
    Close,
    Indent,
    Dedent,
    /// Written where the group that began at this piece is broken.
    IfBroken {
        group: usize,
        text: &'static str,
    },
}

/// What is gathered, to be printed at once.
#[derive(Debug, Default)]
pub struct Layout<'s> {
    pieces: Vec<Piece<'s>>,
}

impl<'s> Layout<'s> {
    pub fn push(&mut self, piece: Piece<'s>) {
        self.pieces.push(piece);
    }

    /// Begins a group, and gives the number that `IfBroken` wants.
    pub fn open(&mut self) -> usize {
        self.pieces.push(Piece::Open);
        self.pieces.len() - 1
    }

    /// The text, each line without blanks at its end.
    pub fn print(&self) -> String {
        let measures = measures(&self.pieces);
        let mut printer = Printer::default();
        for (place, (piece, measure)) in self.pieces.iter().zip(measures).enumerate() {
            printer.piece(place, piece, measure);
        }
        if !printer.out.is_empty() {
            printer.out.push('\n');
        }
        printer.out
    }
}

/// The columns of a text's first line.
fn width(text: &str) -> usize {
    text.lines().next().map_or(0, |line| line.chars().count())
}

/// For each piece that opens a group: the columns that it needs unbroken, up to where the line can break behind it.
/// None where it can't stay unbroken. For other pieces it says nothing.
fn measures(pieces: &[Piece<'_>]) -> Vec<Option<usize>> {
    /// A group's end: how many columns come behind it, and how many up to the next break.
    struct End {
        behind: usize,
        tail: usize,
        newlines: usize,
    }
    let (mut behind, mut tail, mut newlines) = (0_usize, 0_usize, 0_usize);
    // Blanks side by side, with a comment or a group's edge between, are one.
    let mut is_blank_behind = false;
    let mut ends: Vec<End> = Vec::new();
    let mut measures: Vec<Option<usize>> = Vec::with_capacity(pieces.len());
    for piece in pieces.iter().rev() {
        let mut measure = None;
        match piece {
            Piece::Text(text) => {
                (behind, tail) = (behind + width(text), tail + width(text));
                is_blank_behind = false;
            }
            Piece::Space | Piece::Break { .. } => {
                let is_blank = !matches!(piece, Piece::Break { is_blank: false });
                let columns = usize::from(is_blank && !is_blank_behind);
                behind += columns;
                tail = if matches!(piece, Piece::Space) { tail + columns } else { 0 };
                is_blank_behind |= is_blank;
            }
            Piece::Newline => {
                (newlines, tail) = (newlines + 1, 0);
                is_blank_behind = true;
            }
            Piece::Close => ends.push(End { behind, tail, newlines }),
            Piece::Open => {
                if let Some(end) = ends.pop()
                    && end.newlines == newlines
                {
                    measure = Some(behind - end.behind + end.tail);
                }
            }
            Piece::Comment(_) | Piece::EmptyLine | Piece::Indent | Piece::Dedent | Piece::IfBroken { .. } => {}
        }
        measures.push(measure);
    }
    measures.reverse();
    measures
}

#[derive(Default)]
struct Printer {
    out: String,
    column: usize,
    indentation: usize,
    /// What is written before the next text: line ends, or a blank.
    newlines: usize,
    has_space: bool,
    /// The groups that are open, each with its place and whether it is broken.
    groups: Vec<(usize, bool)>,
}

impl Printer {
    fn piece(&mut self, place: usize, piece: &Piece<'_>, measure: Option<usize>) {
        match piece {
            Piece::Text(text) | Piece::Comment(text) => self.text(text),
            Piece::Space => self.has_space = true,
            Piece::Break { is_blank } => {
                if self.groups.last().is_none_or(|group| group.1) {
                    self.newlines = self.newlines.max(1);
                } else {
                    self.has_space |= is_blank;
                }
            }
            Piece::Newline => self.newlines = self.newlines.max(1),
            Piece::EmptyLine if self.newlines > 0 => self.newlines = 2,
            Piece::EmptyLine => {}
            Piece::Open => {
                let column =
                    if self.newlines > 0 { self.indentation } else { self.column + usize::from(self.has_space) };
                let fits = measure.is_some_and(|width| column + width <= COLUMNS);
                // What is around was measured with all that is in it.
                let is_whole = self.groups.last().is_some_and(|group| !group.1);
                self.groups.push((place, !fits && !is_whole));
            }
            Piece::Close => _ = self.groups.pop(),
            Piece::Indent => self.indentation += STEP,
            Piece::Dedent => self.indentation = self.indentation.saturating_sub(STEP),
            Piece::IfBroken { group, text } => {
                if self.groups.iter().rev().any(|open| open.0 == *group && open.1) {
                    self.text(text);
                }
            }
        }
    }

    fn text(&mut self, text: &str) {
        if self.newlines > 0 && !self.out.is_empty() {
            self.out.extend(std::iter::repeat_n('\n', self.newlines));
            self.out.extend(std::iter::repeat_n(' ', self.indentation));
            self.column = self.indentation;
        } else if self.has_space && !self.out.is_empty() {
            self.out.push(' ');
            self.column += 1;
        }
        (self.newlines, self.has_space) = (0, false);
        self.out.push_str(text);
        match text.rsplit_once('\n') {
            Some((_, last)) => self.column = last.chars().count(),
            None => self.column += text.chars().count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(words: &[&'static str]) -> String {
        let mut layout = Layout::default();
        layout.push(Piece::Text("f(".into()));
        let group = layout.open();
        layout.push(Piece::Indent);
        for (number, word) in words.iter().enumerate() {
            layout.push(Piece::Break { is_blank: number > 0 });
            layout.push(Piece::Text((*word).into()));
        }
        layout.push(Piece::IfBroken { group, text: "," });
        layout.push(Piece::Dedent);
        layout.push(Piece::Break { is_blank: false });
        layout.push(Piece::Close);
        layout.push(Piece::Text(")".into()));
        layout.print()
    }

    #[test]
    fn a_group_breaks_where_it_does_not_fit() {
        assert_eq!(layout(&["a", "b"]), "f(a b)\n");
        let long = "x".repeat(97);
        let long: &'static str = long.leak();
        assert_eq!(layout(&[long]), format!("f({long})\n"));
        assert_eq!(layout(&[long, "b"]), format!("f(\n  {long}\n  b,\n)\n"));
    }
}
