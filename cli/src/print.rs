//! Lines for who reads along. Who stops reading has heard enough: that ends no work, and is no failure.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::process;

/// In place of the standard library's, which panics where nobody reads any more.
macro_rules! println {
    ($($text:tt)*) => { $crate::print::answer(format_args!($($text)*)) };
}

/// In place of the standard library's, which panics where nobody reads any more.
macro_rules! eprintln {
    ($($text:tt)*) => { $crate::print::tell(format_args!($($text)*)) };
}

/// A line of standard output. What can't be written for another reason, such as a full disk, is a fault.
pub fn answer(line: Arguments<'_>) {
    if let Err(fault) = writeln!(io::stdout(), "{line}")
        && fault.kind() != ErrorKind::BrokenPipe
    {
        tell(format_args!("error: standard output can't be written: {fault}"));
        process::exit(2);
    }
}

/// A line of standard error; where that is gone there is nobody left to tell.
pub fn tell(line: Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{line}");
}
