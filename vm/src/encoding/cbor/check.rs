//! Checking: the strict reader with nothing behind it.

use super::read::{Sink, document};
use crate::encoding::Options;
use crate::number::{Fixed, Float, Number};
use crate::refusal::Refusal;
use crate::value::{FieldText, Key};

/// Checks that the input is the one encoding of a value, without building it.
///
/// # Errors
/// Exactly those of [`super::decode`].
pub fn check(input: &[u8], options: &Options) -> Result<(), Refusal> {
    document(input, options, &mut Nothing)
}

struct Nothing;

/// The last key of a map under way, its first byte highest so that order is the words' order.
/// After a key that is no short ASCII text it is the highest word, which no key follows in haste.
struct LastKey(u128);

impl Sink for Nothing {
    type Node = ();
    type Items = ();
    type Fields = LastKey;

    fn nil(&mut self) {}
    fn bool(&mut self, _: bool) {}
    fn integer(&mut self, _: i64) {}
    fn number(&mut self, _: Number) {}
    fn float(&mut self, _: Float) {}
    fn fixed(&mut self, _: Fixed) {}
    fn string(&mut self, _: &[u8]) {}
    fn short_string(&mut self, _: u128, _: usize) {}
    fn bytes(&mut self, _: &[u8]) {}
    fn key(&mut self, _: Key<'_>) {}
    fn begin_items(&mut self, _: usize) {}
    fn item(&mut self, (): &mut (), (): ()) {}
    fn list(&mut self, (): ()) {}
    fn set(&mut self, (): ()) {}
    fn begin_fields(&mut self, _: usize) -> LastKey {
        LastKey(0)
    }
    #[inline]
    fn predict(&mut self, last: &mut LastKey, window: u128) -> Option<usize> {
        let text = FieldText::at_start(window)?;
        let this = text.window.swap_bytes();
        if !text.is_ascii() || this <= last.0 {
            return None;
        }
        last.0 = this;
        Some(text.length)
    }
    fn field(&mut self, last: &mut LastKey, _: Key<'_>) {
        last.0 = u128::MAX;
    }
    fn value(&mut self, _: &mut LastKey, (): ()) {}
    fn map(&mut self, _: LastKey) {}
}
