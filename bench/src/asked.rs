//! How often the host is asked for memory: the system's own allocator, which also counts.
//!
//! All that is measured runs on it, so it must do what the system's does, and above all make blocks larger where they
//! lie: an allocator that copies them instead would measure itself.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// Needs nothing to begin and nothing to end, so it can be used wherever memory is asked for.
    static TIMES: Cell<u64> = const { Cell::new(0) };
}

/// Calls the work, and tells how often it asked for memory.
pub fn times(work: impl FnOnce()) -> u64 {
    let before = TIMES.get();
    work();
    TIMES.get().wrapping_sub(before)
}

fn note() {
    TIMES.set(TIMES.get().wrapping_add(1));
}

struct Counting;

#[global_allocator]
static MEMORY: Counting = Counting;

#[expect(
    unsafe_code,
    reason = "an allocator can't be written without: every call is passed on to the system's as it is"
)]
// SAFETY: each method is the system allocator's, with the arguments that its own caller answers for; what is counted
// beside is a number of the thread, which asks for no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note();
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note();
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        unsafe { System.dealloc(block, layout) }
    }
}
