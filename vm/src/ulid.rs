//! ULIDs: 128 bits that sort by time of making, as 26 characters. They order ops and never tell time.

use crate::refusal::{Code, Refusal};
use core::fmt;

/// Crockford's base 32: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The length of a ULID's text.
pub const TEXT: usize = 26;

/// The low 80 bits, which are random.
const RANDOM: u128 = (1 << 80) - 1;

/// A ULID. Order by value is the order of its text and of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ulid(u128);

impl Ulid {
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Ulid {
        Ulid(u128::from_be_bytes(bytes))
    }

    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// Reads the canonical text: 26 capitals and digits, the first at most 7.
    ///
    /// # Errors
    /// With the offset of the first character that does not fit. Lower case and look-alikes are refused:
    /// a ULID has one text.
    pub fn parse(text: &[u8]) -> Result<Ulid, Refusal> {
        let refuse = |offset| Err(Refusal::new(Code::ULID_SYNTAX, offset));
        let mut number: u128 = 0;
        for (offset, byte) in text.iter().enumerate() {
            let Some(digit) = ALPHABET.iter().position(|letter| letter == byte) else { return refuse(offset) };
            if offset == TEXT || (offset == 0 && digit > 7) {
                return refuse(offset);
            }
            number = number << 5 | digit as u128;
        }
        if text.len() < TEXT { refuse(text.len()) } else { Ok(Ulid(number)) }
    }

    #[must_use]
    pub fn to_text(self) -> [u8; TEXT] {
        let mut text = [b'0'; TEXT];
        let mut rest = self.0;
        for place in text.iter_mut().rev() {
            *place = ALPHABET.get((rest & 31) as usize).copied().unwrap_or(b'0');
            rest >>= 5;
        }
        text
    }

    /// Milliseconds since 1970 as its maker's clock said.
    #[must_use]
    pub const fn milliseconds(self) -> u64 {
        (self.0 >> 80) as u64
    }

    /// The next one of the same millisecond; none when its random part is used up.
    #[must_use]
    pub const fn successor(self) -> Option<Ulid> {
        if self.0 & RANDOM == RANDOM { None } else { Some(Ulid(self.0 + 1)) }
    }
}

impl fmt::Display for Ulid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.to_text()).unwrap_or_default())
    }
}
