//! Text to lists: the reader of the scripts' S-expressions.

/// Lists nest no deeper than this, which bounds every recursion over them.
const NESTING: usize = 200;

/// A word, a text in its quotes, or a list with the line where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    Word(String),
    Text(Vec<u8>),
    List(usize, Vec<Node>),
}

impl Node {
    pub fn word(&self) -> Option<&str> {
        match self {
            Node::Word(word) => Some(word),
            Node::Text(_) | Node::List(..) => None,
        }
    }

    pub fn text(&self) -> Option<String> {
        match self {
            Node::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Node::Word(_) | Node::List(..) => None,
        }
    }

    /// The first word of a list and what follows it.
    pub fn form(&self) -> Option<(&str, &[Node])> {
        match self {
            Node::List(_, items) => items.split_first().and_then(|(head, rest)| Some((head.word()?, rest))),
            Node::Word(_) | Node::Text(_) => None,
        }
    }

    pub const fn line(&self) -> usize {
        match self {
            Node::List(line, _) => *line,
            Node::Word(_) | Node::Text(_) => 0,
        }
    }
}

/// All that stands in the text, or where it is no list.
pub fn read(text: &str) -> Result<Vec<Node>, String> {
    let mut reader = Reader { rest: text, line: 1 };
    let mut open: Vec<(usize, Vec<Node>)> = Vec::new();
    let mut items = Vec::new();
    loop {
        reader.skip_blank()?;
        let Some(first) = reader.rest.chars().next() else { break };
        match first {
            '(' => {
                reader.take(1);
                open.push((reader.line, std::mem::take(&mut items)));
                if open.len() > NESTING {
                    return Err(format!("line {}: nested too deeply", reader.line));
                }
            }
            ')' => {
                reader.take(1);
                let (line, outer) = open.pop().ok_or_else(|| format!("line {}: `)` closes nothing", reader.line))?;
                let inner = std::mem::replace(&mut items, outer);
                items.push(Node::List(line, inner));
            }
            '"' => items.push(Node::Text(reader.text()?)),
            _ => {
                let length = reader.rest.find(|letter: char| letter.is_whitespace() || "()\";".contains(letter));
                items.push(Node::Word(reader.take(length.unwrap_or(reader.rest.len()).max(1)).to_owned()));
            }
        }
    }
    if open.is_empty() { Ok(items) } else { Err(format!("line {}: `(` is not closed", reader.line)) }
}

struct Reader<'t> {
    rest: &'t str,
    line: usize,
}

impl<'t> Reader<'t> {
    fn take(&mut self, length: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(length);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    /// Passes over space and comments.
    fn skip_blank(&mut self) -> Result<(), String> {
        loop {
            let blank = self.rest.len() - self.rest.trim_start().len();
            self.take(blank);
            if self.rest.starts_with(";;") {
                let length = self.rest.find('\n').unwrap_or(self.rest.len());
                self.take(length);
            } else if self.rest.starts_with("(;") {
                let length = comment_length(self.rest).ok_or_else(|| format!("line {}: open comment", self.line))?;
                self.take(length);
            } else {
                return Ok(());
            }
        }
    }

    /// A string whose quote is next.
    fn text(&mut self) -> Result<Vec<u8>, String> {
        let wrong = format!("line {}: a string that does not end or escape rightly", self.line);
        let mut bytes = Vec::new();
        self.take(1);
        loop {
            match self.rest.chars().next() {
                Some('"') => {
                    self.take(1);
                    return Ok(bytes);
                }
                Some('\\') => {
                    let (content, length) = escape(self.rest).ok_or_else(|| wrong.clone())?;
                    bytes.extend(content);
                    self.take(length);
                }
                Some(letter) => bytes.extend(self.take(letter.len_utf8()).bytes()),
                None => return Err(wrong),
            }
        }
    }
}

/// The bytes that an escape stands for, and how many it takes itself.
fn escape(text: &str) -> Option<(Vec<u8>, usize)> {
    let letter = text.chars().nth(1)?;
    if let Some(byte) = "nrt\"'\\".find(letter).and_then(|place| b"\n\r\t\"'\\".get(place)) {
        return Some((vec![*byte], 2));
    }
    if let Some(rest) = text.strip_prefix("\\u{") {
        let (digits, _) = rest.split_once('}')?;
        let point = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?;
        return Some((point.to_string().into_bytes(), digits.len() + 4));
    }
    Some((vec![u8::from_str_radix(text.get(1..3)?, 16).ok()?], 3))
}

/// The bytes of a comment that `(;` opens; others may lie in it.
fn comment_length(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut bytes = text.as_bytes().iter().zip(text.as_bytes().iter().skip(1)).enumerate();
    while let Some((at, pair)) = bytes.next() {
        match pair {
            (b'(', b';') => depth += 1,
            (b';', b')') => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return Some(at + 2);
        }
        bytes.next();
    }
    None
}
