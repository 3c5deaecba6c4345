//! Text: UTF-8 in normalization form C under the profile's Unicode version.

use crate::refusal::Code;
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// The Unicode version that is part of the profile.
pub const UNICODE_VERSION: (u8, u8, u8) = (18, 0, 0);

/// Why a text is refused, and after how many of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextFault {
    pub code: Code,
    pub offset: usize,
}

/// Every code point below this one is assigned, so that most text needs no table.
const FIRST_UNASSIGNED: char = '\u{378}';

fn is_noncharacter(point: char) -> bool {
    let number = u32::from(point);
    (0xfdd0..=0xfdef).contains(&number) || number & 0xfffe == 0xfffe
}

/// Whether the profile's Unicode version assigns the code point, or promises never to.
#[must_use]
pub fn is_assigned(point: char) -> bool {
    point < FIRST_UNASSIGNED || point.general_category() != GeneralCategory::Unassigned || is_noncharacter(point)
}

/// The text, where it is UTF-8 with assigned code points only.
fn assigned(bytes: &[u8]) -> Result<&str, TextFault> {
    let text =
        str::from_utf8(bytes).map_err(|fault| TextFault { code: Code::DATA_UTF8, offset: fault.valid_up_to() })?;
    match text.char_indices().find(|&(_, point)| !is_assigned(point)) {
        Some((offset, _)) => Err(TextFault { code: Code::DATA_UNASSIGNED, offset }),
        None => Ok(text),
    }
}

/// Refuses text that is not canonical; the text is never rewritten.
///
/// # Errors
/// Not UTF-8, an unassigned code point, or not in normalization form C.
pub fn check(bytes: &[u8]) -> Result<(), TextFault> {
    if bytes.is_ascii() {
        return Ok(());
    }
    let text = assigned(bytes)?;
    if unicode_normalization::is_nfc(text) {
        return Ok(());
    }
    let offset =
        text.char_indices().zip(text.nfc()).find(|((_, is), should)| is != should).map_or(0, |((offset, _), _)| offset);
    Err(TextFault { code: Code::DATA_NFC, offset })
}

/// The text in normalization form C.
///
/// # Errors
/// Not UTF-8, or an unassigned code point.
pub fn normalize(bytes: &[u8]) -> Result<Cow<'_, [u8]>, TextFault> {
    if bytes.is_ascii() {
        return Ok(Cow::Borrowed(bytes));
    }
    let text = assigned(bytes)?;
    if unicode_normalization::is_nfc(text) {
        return Ok(Cow::Borrowed(bytes));
    }
    Ok(Cow::Owned(text.nfc().collect::<String>().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_unicode_version_everywhere() {
        assert_eq!(unicode_normalization::UNICODE_VERSION, UNICODE_VERSION);
        let (major, minor, update) = unicode_properties::UNICODE_VERSION;
        assert_eq!((major, minor, update), (18, 0, 0));
    }

    #[test]
    fn nothing_below_the_first_unassigned_needs_a_table() {
        for point in '\0'..FIRST_UNASSIGNED {
            assert_ne!(point.general_category(), GeneralCategory::Unassigned, "{point:?}");
        }
        assert!(!is_assigned(FIRST_UNASSIGNED));
        assert!(is_assigned('\u{ffff}') && is_assigned('\u{fdd0}'));
    }
}
