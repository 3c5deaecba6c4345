//! Zip archives: the files in them, one at a time, stored or deflated, each checked against its size.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// The most bytes of one file in an archive, and the most files.
pub const LARGEST: u64 = 256 << 20;
pub const MOST_FILES: usize = 10_000;

/// A file in an archive.
#[derive(Debug, Clone)]
pub struct Entry {
    pub name: String,
    method: u16,
    packed: u64,
    size: u64,
    checksum: u32,
    header: u64,
}

fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let part = bytes.get(at..at + length)?;
    Some(part.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}

/// The files that an archive's directory lists.
pub fn entries(file: &mut File) -> Result<Vec<Entry>, String> {
    let broken = || "this is no zip archive that can be read".to_owned();
    let size = file.metadata().map_err(|fault| fault.to_string())?.len();
    // The end of the directory stands within the last bytes, a comment behind it.
    let tail = size.min(66_000);
    let tail = bytes_at(file, size - tail, tail)?;
    let end = tail.windows(4).rposition(|window| window == b"PK\x05\x06").ok_or_else(broken)?;
    let end = tail.get(end..).ok_or_else(broken)?;
    let (count, length, start) = (number(end, 10, 2), number(end, 12, 4), number(end, 16, 4));
    let (Some(count), Some(length), Some(start)) = (count, length, start) else { return Err(broken()) };
    if count as usize > MOST_FILES {
        return Err(format!("the archive has {count} files, where {MOST_FILES} are the most"));
    }
    if start.checked_add(length).is_none_or(|end| end > size) {
        return Err(broken());
    }
    let directory = bytes_at(file, start, length)?;
    let mut entries = Vec::new();
    let mut rest = directory.as_slice();
    for _ in 0..count {
        let entry = entry(rest).filter(|_| rest.starts_with(b"PK\x01\x02")).ok_or_else(broken)?;
        let skip = 46 + [28, 30, 32].into_iter().filter_map(|at| number(rest, at, 2)).sum::<u64>();
        rest = rest.get(skip as usize..).unwrap_or_default();
        // Nothing is written by these names; who made them had something else in mind all the same.
        if entry.name.starts_with(['/', '\\']) || entry.name.split(['/', '\\']).any(|part| part == "..") {
            return Err(format!("`{}` leads out of the archive", entry.name.escape_debug()));
        }
        if entry.size > LARGEST {
            return Err(format!("`{}` has more than {LARGEST} bytes", entry.name.escape_debug()));
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn entry(bytes: &[u8]) -> Option<Entry> {
    let name = bytes.get(46..46 + number(bytes, 28, 2)? as usize)?;
    let wide = |at: usize| number(bytes, at, 4);
    Some(Entry {
        name: String::from_utf8_lossy(name).into_owned(),
        method: number(bytes, 10, 2)? as u16,
        checksum: wide(16)? as u32,
        packed: wide(20)?,
        size: wide(24)?,
        header: wide(42)?,
    })
}

fn bytes_at(file: &mut File, start: u64, length: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(start)).map_err(|fault| fault.to_string())?;
    file.take(length).read_to_end(&mut bytes).map_err(|fault| fault.to_string())?;
    Ok(bytes)
}

/// The content of a file.
pub fn content(file: &mut File, entry: &Entry) -> Result<Vec<u8>, String> {
    let header = bytes_at(file, entry.header, 30)?;
    let (Some(name), Some(extra)) = (number(&header, 26, 2), number(&header, 28, 2)) else {
        return Err(format!("`{}` is broken", entry.name));
    };
    let packed = bytes_at(file, entry.header + 30 + name + extra, entry.packed)?;
    let bytes = match entry.method {
        0 => packed,
        8 => miniz_oxide::inflate::decompress_to_vec_with_limit(&packed, entry.size as usize)
            .map_err(|_| format!("`{}` is broken", entry.name))?,
        other => return Err(format!("`{}` is packed by method {other}; only deflate is known", entry.name)),
    };
    if bytes.len() as u64 != entry.size || checksum(&bytes) != entry.checksum {
        return Err(format!("`{}` is broken: size or checksum differ", entry.name));
    }
    Ok(bytes)
}

/// CRC-32 as archives use it.
fn checksum(bytes: &[u8]) -> u32 {
    let table: Vec<u32> = (0..256_u32)
        .map(|byte| (0..8).fold(byte, |value, _| if value & 1 == 1 { value >> 1 ^ 0xedb8_8320 } else { value >> 1 }))
        .collect();
    !bytes.iter().fold(!0_u32, |sum, &byte| {
        let at = (sum ^ u32::from(byte)) & 0xff;
        sum >> 8 ^ table.get(at as usize).copied().unwrap_or_default()
    })
}
