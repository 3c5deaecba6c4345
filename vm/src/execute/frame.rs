//! Calls under way.

use crate::bytecode::{After, Instruction, Ready, Reply};
use crate::limit;
use core::slice::Iter;

/// A call under way.
#[derive(Clone)]
pub(super) struct Frame<'p> {
    pub(super) ready: &'p Ready,
    /// The instructions that follow, while another frame runs.
    pub(super) rest: Iter<'p, Instruction>,
    /// Where its registers begin. Behind them lies its closure.
    pub(super) base: u32,
    /// What the caller expects.
    pub(super) reply: Reply,
}

impl Frame<'_> {
    /// Where the instruction that ran last stands.
    pub(super) fn at(&self) -> usize {
        (self.ready.code.len() - self.rest.len()).saturating_sub(1)
    }

    /// Where the registers of a function that it calls begin.
    #[inline(always)]
    pub(super) fn next_base(&self) -> usize {
        self.base as usize + usize::from(self.ready.registers) + 1
    }
}

/// The frames of a run, the innermost last: so few that a byte numbers them, and finding one needs no check.
pub(super) struct Frames<'p> {
    frames: Box<[Frame<'p>; MOST]>,
    /// The number of the innermost.
    last: u8,
}

const MOST: usize = 256;

// The first place is no call's: it stands for whoever began the run.
const _: () = assert!(limit::RUN_DEPTH.value < MOST as u64, "a byte must number every call under way");

impl<'p> Frames<'p> {
    /// No calls: what stands for whoever begins the run is like a call of any function.
    pub(super) fn new(ready: &'p Ready) -> Frames<'p> {
        let none = Frame { ready, rest: Iter::default(), base: 0, reply: Reply::new(0, 0, After::End) };
        let frames: Result<Box<[Frame<'p>; MOST]>, _> = vec![none; MOST].try_into();
        Frames { frames: frames.unwrap_or_else(|_| unreachable!("there are as many as there are")), last: 0 }
    }

    /// How many calls are under way.
    #[inline(always)]
    pub(super) const fn count(&self) -> u8 {
        self.last
    }

    /// Leaves the innermost frames, but for so many.
    pub(super) fn keep(&mut self, count: u8) {
        self.last = self.last.min(count);
    }

    /// The innermost frame, or what stands for whoever began the run.
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "a byte names one of 256 frames")]
    pub(super) fn last(&self) -> &Frame<'p> {
        &self.frames[usize::from(self.last)]
    }

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "a byte names one of 256 frames")]
    pub(super) fn last_mut(&mut self) -> &mut Frame<'p> {
        &mut self.frames[usize::from(self.last)]
    }

    /// The next frame, which is now the innermost and must be filled. Callers keep the limit on depth.
    #[inline(always)]
    pub(super) fn push(&mut self) -> &mut Frame<'p> {
        self.last = self.last.wrapping_add(1);
        self.last_mut()
    }

    /// Leaves the innermost frame, whose content stays until another takes its place.
    #[inline(always)]
    pub(super) fn pop(&mut self) {
        self.last = self.last.wrapping_sub(1);
    }

    /// The calls under way, the innermost first, with their numbers.
    pub(super) fn innermost_first(&self) -> impl Iterator<Item = (u8, &Frame<'p>)> {
        (1..=self.last).rev().zip(self.frames.iter().take(usize::from(self.last) + 1).rev())
    }
}
