//! Progress: how far a command is, for people who wait longer than a second.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Calls between two looks at the clock.
const CALLS: u32 = 1024;

/// A line on standard error that changes; nothing where that is no terminal.
pub struct Progress {
    is_shown: bool,
    calls: u32,
    begun: Instant,
    said: Instant,
    width: usize,
}

impl Progress {
    pub fn new(is_quiet: bool) -> Progress {
        let is_shown = !is_quiet && io::stderr().is_terminal();
        let begun = Instant::now();
        Progress { is_shown, calls: 0, begun, said: begun + Duration::from_millis(800), width: 0 }
    }

    /// Says how many things of a kind are done, a few times a second.
    pub fn say(&mut self, count: usize, what: &str) {
        self.calls += 1;
        if !self.is_shown || self.calls < CALLS {
            return;
        }
        self.say_now(count, what);
    }

    /// The same where each call stands for many things.
    pub fn say_now(&mut self, count: usize, what: &str) {
        self.show(|_| format!("{count} {what}"));
    }

    /// Says how many ops are done, which part of all that is, and about how long the rest will take.
    pub fn say_part(&mut self, ops: u64, part: f64) {
        self.show(|since| {
            let left = if part > 0.0 { since.as_secs_f64() * (1.0 - part) / part } else { 0.0 };
            format!("{ops} ops, {:.0} %, about {left:.0} s left", part * 100.0)
        });
    }

    fn show(&mut self, text: impl FnOnce(Duration) -> String) {
        if !self.is_shown {
            return;
        }
        self.calls = 0;
        if self.said.elapsed() > Duration::from_millis(200) {
            self.said = Instant::now();
            let text = text(self.begun.elapsed());
            eprint!("\r{text:width$}", width = self.width);
            self.width = text.len();
            let _ = io::stderr().flush();
        }
    }

    /// Takes the line away.
    pub fn end(&mut self) {
        if self.width > 0 {
            eprint!("\r{:width$}\r", "", width = self.width);
            self.width = 0;
        }
    }
}
