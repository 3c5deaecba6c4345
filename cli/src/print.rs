//! Lines for who reads along. Who stops reading has heard enough: that ends no work, and is no failure.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::process;

/// In place of the standard library's, which panics where nobody reads any more.
macro_rules! print {
    ($($text:tt)*) => { $crate::print::answer(format_args!($($text)*)) };
}

/// The same with the end of a line.
macro_rules! println {
    ($($text:tt)*) => { $crate::print::answer(format_args!("{}\n", format_args!($($text)*))) };
}

/// In place of the standard library's, which panics where nobody reads any more.
macro_rules! eprint {
    ($($text:tt)*) => { $crate::print::tell(format_args!($($text)*)) };
}

/// The same with the end of a line.
macro_rules! eprintln {
    ($($text:tt)*) => { $crate::print::tell(format_args!("{}\n", format_args!($($text)*))) };
}

/// Writes to standard output. What can't be written for another reason, such as a full disk, is a fault.
pub fn answer(text: Arguments<'_>) {
    if let Err(fault) = io::stdout().write_fmt(text)
        && fault.kind() != ErrorKind::BrokenPipe
    {
        eprintln!("error: standard output can't be written: {fault}");
        process::exit(2);
    }
}

/// Writes to standard error; where that is gone there is nobody left to tell.
pub fn tell(text: Arguments<'_>) {
    let _ = io::stderr().write_fmt(text);
}
