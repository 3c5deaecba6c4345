//! Key files: one key a file, readable by its owner alone, never in a database.

use crate::code::{Code, Refused};
use crate::document::{hash_from_hex, to_hex};
use crate::fault::Fault;
use crate::op::signature::SecretKey;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

/// What a key file's one line begins with.
const PREFIX: &str = "kerai-key-1 ";

/// The longest key file that is read: longer ones are none.
const LONGEST: u64 = 256;

fn fault(path: &Path) -> impl Fn(io::Error) -> Fault {
    let path = path.display().to_string();
    move |cause| Fault::File { path: path.clone(), cause }
}

fn refuse(code: Code, path: &Path) -> Fault {
    Fault::Refused(Refused::new(code, format!("`{}`", path.display())))
}

/// Makes a key and its file. The file is never written over.
///
/// # Errors
/// `KEY_EXISTS`, or the file can't be written.
pub fn make(path: &Path, random: &mut dyn FnMut(&mut [u8])) -> Result<SecretKey, Fault> {
    let mut seed = [0; 32];
    random(&mut seed);
    let key = SecretKey::from_seed(&seed);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(fault(path))?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = match options.open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => return Err(refuse(Code::KEY_EXISTS, path)),
        Err(cause) => return Err(fault(path)(cause)),
    };
    let line = format!("{PREFIX}{}\n", to_hex(&key.seed()));
    file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(fault(path))?;
    Ok(key)
}

/// Reads a key file.
///
/// # Errors
/// `KEY_PERMISSIONS` where others may read or write it, `KEY_FILE` where it is none, or the file can't be read.
pub fn read(path: &Path) -> Result<SecretKey, Fault> {
    let file = File::open(path).map_err(fault(path))?;
    if !is_private(&file).map_err(fault(path))? {
        return Err(refuse(Code::KEY_PERMISSIONS, path));
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).map_err(|_| refuse(Code::KEY_FILE, path))?;
    let seed = text.strip_prefix(PREFIX).and_then(|rest| hash_from_hex(rest.strip_suffix('\n').unwrap_or(rest)));
    seed.map(|seed| SecretKey::from_seed(&seed)).ok_or_else(|| refuse(Code::KEY_FILE, path))
}

#[cfg(unix)]
fn is_private(file: &File) -> io::Result<bool> {
    Ok(std::os::unix::fs::PermissionsExt::mode(&file.metadata()?.permissions()) & 0o077 == 0)
}

/// Elsewhere a file has no such bits: who may read it is the system's affair.
#[cfg(not(unix))]
fn is_private(_: &File) -> io::Result<bool> {
    Ok(true)
}
