//! Cells: what goes into a statement and what comes out of a row, alike for every database.

use super::damaged;
use crate::code::Refused;
use crate::document::Hash;

/// What is bound to a statement's parameter.
#[derive(Debug, Clone, Copy)]
pub enum Cell<'a> {
    Integer(i64),
    Text(Option<&'a str>),
    Bytes(Option<&'a [u8]>),
}

impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        Cell::Integer(number)
    }
}

impl From<u64> for Cell<'_> {
    /// Databases count to 2^63 − 1; nothing that is counted comes there.
    fn from(number: u64) -> Self {
        Cell::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Cell::Text(Some(text))
    }
}

impl<'a> From<&'a String> for Cell<'a> {
    fn from(text: &'a String) -> Self {
        Cell::Text(Some(text))
    }
}

impl<'a> From<&'a Vec<u8>> for Cell<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Cell::Bytes(Some(bytes))
    }
}

impl<'a> From<&'a [u8]> for Cell<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Cell::Bytes(Some(bytes))
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Cell<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Cell::Bytes(Some(bytes))
    }
}

/// What a database answers with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Nothing,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A row: its cells are taken one by one, in the order in which the statement names them.
pub struct Row(std::vec::IntoIter<Found>);

impl Row {
    #[must_use]
    pub fn new(cells: Vec<Found>) -> Row {
        Row(cells.into_iter())
    }

    fn next(&mut self) -> Found {
        self.0.next().unwrap_or(Found::Nothing)
    }

    pub fn integer(&mut self) -> Result<i64, Refused> {
        match self.next() {
            Found::Integer(number) => Ok(number),
            other @ (Found::Nothing | Found::Text(_) | Found::Bytes(_)) => {
                Err(damaged(format!("{other:?} where a number should be")))
            }
        }
    }

    pub fn number(&mut self) -> Result<u64, Refused> {
        u64::try_from(self.integer()?).map_err(|_| damaged("a count below zero"))
    }

    pub fn text(&mut self) -> Result<String, Refused> {
        self.text_or_null()?.ok_or_else(|| damaged("null where a text should be"))
    }

    pub fn text_or_null(&mut self) -> Result<Option<String>, Refused> {
        match self.next() {
            Found::Nothing => Ok(None),
            Found::Text(text) => Ok(Some(text)),
            other @ (Found::Integer(_) | Found::Bytes(_)) => Err(damaged(format!("{other:?} where a text should be"))),
        }
    }

    pub fn bytes(&mut self) -> Result<Vec<u8>, Refused> {
        self.bytes_or_null()?.ok_or_else(|| damaged("null where bytes should be"))
    }

    pub fn bytes_or_null(&mut self) -> Result<Option<Vec<u8>>, Refused> {
        match self.next() {
            Found::Nothing => Ok(None),
            Found::Bytes(bytes) => Ok(Some(bytes)),
            other @ (Found::Integer(_) | Found::Text(_)) => Err(damaged(format!("{other:?} where bytes should be"))),
        }
    }

    /// As many bytes as there must be.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Refused> {
        self.bytes()?.try_into().map_err(|bytes: Vec<u8>| damaged(format!("{} bytes where {N} should be", bytes.len())))
    }

    pub fn hash(&mut self) -> Result<Hash, Refused> {
        self.array()
    }
}
