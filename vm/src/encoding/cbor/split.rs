//! Taking canonical bytes apart as they are: what was checked needs no values to be passed on.

use super::major;

/// The first item of canonical bytes, and what follows it; none where they end before it does.
#[must_use]
pub fn split_item(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut rest, mut missing) = (bytes, 1_u64);
    while missing > 0 {
        let (major, argument, after) = head(rest)?;
        let inside = match major {
            major::BYTES | major::TEXT => {
                rest = after.get(usize::try_from(argument).ok()?..)?;
                missing -= 1;
                continue;
            }
            major::ARRAY => argument,
            major::MAP => argument.checked_mul(2)?,
            major::TAG => 1,
            _ => 0,
        };
        rest = after;
        missing = (missing - 1).checked_add(inside)?;
    }
    bytes.split_at_checked(bytes.len() - rest.len())
}

/// The entries of a map as they are encoded, keys and values; none where canonical bytes are no map.
#[must_use]
pub fn split_map(bytes: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let (major::MAP, count, mut rest) = head(bytes)? else { return None };
    let mut entries = Vec::new();
    for _ in 0..count {
        let (key, value) = split_item(rest)?;
        let (value, after) = split_item(value)?;
        entries.push((key, value));
        rest = after;
    }
    rest.is_empty().then_some(entries)
}

/// The text of an encoded item; none where it is no text.
#[must_use]
pub fn text_of(item: &[u8]) -> Option<&[u8]> {
    let (major::TEXT, length, content) = head(item)? else { return None };
    (content.len() as u64 == length).then_some(content)
}

/// What the head of an item says: its major type, its argument, and what follows.
fn head(bytes: &[u8]) -> Option<(u8, u64, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let size = match first & 0x1f {
        argument @ 0..24 => return Some((first & 0xe0, u64::from(argument), rest)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return None,
    };
    let (argument, rest) = rest.split_at_checked(size)?;
    let argument = argument.iter().fold(0, |argument, &byte| argument << 8 | u64::from(byte));
    Some((first & 0xe0, argument, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::{Options, cbor, json};
    use crate::value::Heap;

    #[test]
    fn what_is_put_together_comes_apart() {
        let items = [
            "null",
            "true",
            "7",
            "-300",
            "1.5",
            "100000000000000000000",
            "\"\"",
            "\"a text of some length, for its head\"",
            "[]",
            "[1,[2,[3]],{\"a\":[]}]",
            "{}",
            "{\"b\":{\"c\":1},\"aa\":[1.25,null]}",
        ];
        let encoded = |text: &str| {
            let (mut heap, mut out) = (Heap::new(0), Vec::new());
            let value = json::decode(&mut heap, text.as_bytes(), &Options::CANONICAL).expect("a document");
            cbor::encode(&heap, value, &Options::CANONICAL, &mut out).expect("encoded");
            out
        };
        for item in items {
            let item = encoded(item);
            let both = [&item[..], &[1, 2]].concat();
            assert_eq!(split_item(&both), Some((&item[..], &[1, 2][..])));
            for length in 0..item.len() {
                assert_eq!(split_item(item.get(..length).unwrap_or_default()), None);
            }
        }
        let map = encoded(items[11]);
        let (keys, values): (Vec<_>, Vec<_>) = split_map(&map).expect("a map").into_iter().unzip();
        assert_eq!(keys.into_iter().map(text_of).collect::<Vec<_>>(), [Some(&b"b"[..]), Some(b"aa")]);
        assert_eq!(values, [encoded("{\"c\":1}"), encoded("[1.25,null]")]);
        assert_eq!((split_map(&encoded("[1]")), text_of(&encoded("[1]"))), (None, None));
        assert_eq!(split_item(&[0xbf]), None);
        assert_eq!(split_map(&[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
