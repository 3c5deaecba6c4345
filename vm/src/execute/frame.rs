//! Calls under way.

use super::step::{NAMEABLE, Registers};
use crate::bytecode::{After, Instruction, Ready, Reply};
use crate::value::Value;
use core::slice::Iter;

/// A call under way: its registers, its closure behind them, and where it goes on.
// Aligned, so that the same registers of calls within one another don't lie a page apart, where a processor confuses them.
#[derive(Clone)]
#[repr(align(64))]
pub(super) struct Frame<'p> {
    pub(super) registers: Registers,
    pub(super) ready: &'p Ready,
    /// The instructions that follow, while another frame runs.
    pub(super) rest: Iter<'p, Instruction>,
    /// What the caller expects.
    pub(super) reply: Reply,
}

impl<'p> Frame<'p> {
    /// What no call has filled yet.
    fn vacant(ready: &'p Ready) -> Frame<'p> {
        let reply = Reply::new(0, 0, After::End);
        Frame { registers: [Value::NIL; NAMEABLE], ready, rest: Iter::default(), reply }
    }

    /// Where the instruction that ran last stands.
    pub(super) fn at(&self) -> usize {
        (self.ready.code.len() - self.rest.len()).saturating_sub(1)
    }
}

/// The frames of a run. The first is no call's: it stands for whoever began the run.
pub(super) struct Frames<'p> {
    /// As many as a run needed at once, so that finding the next one tells whether there is room for it.
    pub(super) frames: Vec<Frame<'p>>,
    /// The number of the innermost, and so of calls under way.
    pub(super) last: usize,
    /// How many calls may be under way.
    depth: usize,
}

impl<'p> Frames<'p> {
    /// No calls, and at most so many: what stands for whoever begins the run is like a call of any function.
    pub(super) fn new(ready: &'p Ready, depth: usize) -> Frames<'p> {
        Frames { frames: vec![Frame::vacant(ready)], last: 0, depth }
    }

    /// Leaves the innermost frames, but for so many.
    pub(super) fn keep(&mut self, count: usize) {
        self.last = self.last.min(count);
    }

    /// The innermost frame, or what stands for whoever began the run.
    #[expect(
        clippy::indexing_slicing,
        reason = "the innermost frame was found when it was entered, and none are taken away"
    )]
    pub(super) fn last(&self) -> &Frame<'p> {
        &self.frames[self.last]
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "the innermost frame was found when it was entered, and none are taken away"
    )]
    pub(super) fn last_mut(&mut self) -> &mut Frame<'p> {
        &mut self.frames[self.last]
    }

    /// The frame that is the innermost after the next [`Frames::push`]; none where no more calls may be under way.
    pub(super) fn next_mut(&mut self) -> Option<&mut Frame<'p>> {
        let next = self.last + 1;
        if next > self.depth {
            return None;
        }
        if next >= self.frames.len() {
            self.grow((2 * next).min(self.depth + 1));
        }
        self.frames.get_mut(next)
    }

    /// Makes room for so many frames. Apart, since a frame takes two pages of the stack until it is in its place.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, enough: usize) {
        let vacant = Frame::vacant(self.last().ready);
        self.frames.resize(enough, vacant);
    }

    /// Enters the next frame, which was filled.
    pub(super) fn push(&mut self) {
        self.last = (self.last + 1).min(self.frames.len().saturating_sub(1));
    }

    /// Leaves the innermost frame, whose content stays until another takes its place.
    pub(super) fn pop(&mut self) {
        self.last = self.last.saturating_sub(1);
    }

    /// The calls under way, the innermost first, with their numbers.
    pub(super) fn innermost_first(&self) -> impl Iterator<Item = (usize, &Frame<'p>)> {
        self.frames.iter().enumerate().take(self.last + 1).skip(1).rev()
    }
}
