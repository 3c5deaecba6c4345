//! Input: a file or standard input, read whole or line by line, never more than the limit on documents.

use crate::outcome::Fault;
use kerai_vm::limit;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

/// How standard input is named in messages.
const STANDARD_INPUT: &str = "<stdin>";

/// A source of bytes with the name that messages give it.
pub struct Input {
    pub name: String,
    reader: Box<dyn BufRead>,
}

/// One byte more than a document may have is read, so that the refusal can say so.
const MOST: u64 = limit::DATA_SIZE.value + 1;

impl Input {
    /// Opens a file, or standard input where the path is `-` or absent.
    pub fn open(path: Option<&str>) -> Result<Input, Fault> {
        match path {
            None | Some("-") => {
                Ok(Input { name: STANDARD_INPUT.into(), reader: Box::new(BufReader::new(io::stdin())) })
            }
            Some(path) => {
                let fault = |cause| Fault::Read { path: path.into(), cause };
                let file = File::open(path).map_err(fault)?;
                if file.metadata().map_err(fault)?.is_dir() {
                    return Err(fault(io::ErrorKind::IsADirectory.into()));
                }
                Ok(Input { name: path.into(), reader: Box::new(BufReader::with_capacity(1 << 16, file)) })
            }
        }
    }

    /// Whether the input begins with these bytes, which stay in it.
    pub fn begins_with(&mut self, bytes: &[u8]) -> Result<bool, Fault> {
        let mut start = Vec::new();
        let read = self.reader.by_ref().take(bytes.len() as u64).read_to_end(&mut start);
        read.map_err(|cause| self.fault(cause))?;
        let is_it = start == bytes;
        let rest = std::mem::replace(&mut self.reader, Box::new(io::empty()));
        self.reader = Box::new(io::Cursor::new(start).chain(rest));
        Ok(is_it)
    }

    fn fault(&self, cause: io::Error) -> Fault {
        Fault::Read { path: self.name.clone(), cause }
    }

    pub fn whole(&mut self) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        self.reader.by_ref().take(MOST).read_to_end(&mut bytes).map_err(|cause| self.fault(cause))?;
        Ok(bytes)
    }

    /// The next line without its end, into `line`; false at the end of the input.
    pub fn line(&mut self, line: &mut Vec<u8>) -> Result<bool, Fault> {
        line.clear();
        let count = self.reader.by_ref().take(MOST).read_until(b'\n', line).map_err(|cause| self.fault(cause))?;
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        Ok(count > 0)
    }
}

impl Read for Input {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.reader.read(bytes)
    }
}
