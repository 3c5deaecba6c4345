//! Long strings that are met again and again, such as the types of operations: they share their bytes.

use super::{Heap, SHORT_STRING, Value};

/// How many strings are remembered.
const MET: usize = 256;

/// How many others a string that was found again outlasts in its place: most texts come once.
const OUTLASTS: u8 = 15;

/// Long strings that were met lately, by hash. What lies at their places may have gone since: whoever finds one compares.
pub(super) struct Met(Box<[(Value, u8); MET]>);

impl Met {
    pub(super) fn new() -> Met {
        Met(Box::new([(Value::NIL, 0); MET]))
    }

    #[expect(clippy::indexing_slicing, reason = "a remainder by the number of places names one of them")]
    const fn place(&mut self, hash: u32) -> &mut (Value, u8) {
        &mut self.0[hash as usize % MET]
    }
}

impl Heap {
    /// As [`Heap::string`], for texts of which some come again and again. They share the bytes of an equal one that was
    /// met before: then both are the same words, and nothing is written, or read to compare them.
    ///
    /// # Panics
    /// As [`Heap::string`].
    pub fn shared_string(&mut self, text: &[u8]) -> Value {
        if text.len() <= SHORT_STRING {
            return self.string(text);
        }
        let hash = self.content.hash_bytes(text);
        let (met, outlasts) = self.met.place(hash);
        let is_hash_met = !met.is_nil() && met.long_string_hash() == hash;
        if is_hash_met && self.content.span(*met) == text {
            *outlasts = OUTLASTS;
            return *met;
        }
        let string = Value::long_string(hash, self.keep(text));
        let (met, outlasts) = self.met.place(hash);
        if is_hash_met || *outlasts == 0 {
            (*met, *outlasts) = (string, 0);
        } else {
            *outlasts -= 1;
        }
        string
    }
}
