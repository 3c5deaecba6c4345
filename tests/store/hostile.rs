//! Packs that somebody made to do harm: each is refused, or comes to the same as what it was made of; no panic, and no
//! more memory than the file has bytes.

use crate::desk::{Numbers, Place, run};
use crate::faults::{Parts, flipped, grown, is_long, parts_of, pick};
use kerai_store::audit::Ask;
use kerai_store::pack::{MAGIC, Part, Wish};
use std::ops::Range;

fn base(place: &Place, seed: u64) -> Parts {
    run(async {
        let mut store = grown(place, seed, 3).await;
        Parts::of(&mut store, place, &Wish::default()).await
    })
}

/// Where each part lies, its head included.
fn ranges(base: &Parts) -> Vec<Range<usize>> {
    let ends = base.at.iter().skip(1).map(|&at| at as usize).chain([base.bytes.len()]);
    base.at.iter().zip(ends).map(|(&from, to)| from as usize..to).collect()
}

/// The parts as they are, between the first line and an end that fits them: its counts and the hash of what is before.
fn joined(pieces: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    let mut counts = [0_u64; 3];
    for piece in pieces {
        match piece.first() {
            Some(4 | 5) => counts[0] += 1,
            Some(6) => counts[1] += 1,
            Some(8) => counts[2] += 1,
            _ => {}
        }
        bytes.extend_from_slice(piece);
    }
    let root = blake3::derive_key("kerai v1 pack", &bytes);
    bytes.extend_from_slice(&[10, 0, 0, 0, 56]);
    counts.iter().for_each(|count| bytes.extend_from_slice(&count.to_be_bytes()));
    bytes.extend_from_slice(&root);
    bytes
}

fn pieces(base: &Parts) -> Vec<Vec<u8>> {
    let mut ranges = ranges(base);
    ranges.pop();
    ranges.into_iter().filter_map(|range| Some(base.bytes.get(range)?.to_vec())).collect()
}

/// A part of other content, its length made to fit.
fn sized(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag][..], &(content.len() as u32).to_be_bytes(), content].concat()
}

/// Changes one thing.
fn mutated(base: &Parts, other: &Parts, numbers: &mut Numbers) -> Vec<u8> {
    let mut pieces = pieces(base);
    let number = numbers.below(pieces.len() as u64) as usize;
    let second = numbers.below(pieces.len() as u64) as usize;
    let (tag, mut content) = match pieces.get(number).and_then(|piece| piece.split_first_chunk::<5>()) {
        Some((&[tag, ..], content)) => (tag, content.to_vec()),
        None => (0, Vec::new()),
    };
    let at = numbers.below(content.len() as u64 + 1) as usize;
    let kind = numbers.below(14);
    let is_of_content = matches!(kind, 0..=5 | 10);
    match kind {
        0 if content.is_empty() => {}
        0 => flipped(&mut content, numbers),
        1 => content.truncate(at),
        2 => content.insert(at, numbers.below(256) as u8),
        3 => {
            // A length, or the head of something, that claims the most.
            let until = content.len().min(at + 1 + numbers.below(8) as usize);
            content.get_mut(at..until).into_iter().for_each(|bytes| bytes.fill(0xff));
        }
        4 => {
            // Lists in lists, as deep as there is room.
            let deep = vec![0x81; 1 + numbers.below(1 << 16) as usize];
            content.splice(at.., deep);
        }
        5 => {
            let copied = content.clone();
            content.splice(at..at, copied);
        }
        6 => pieces.swap(number, second),
        7 => pieces.insert(number, pieces.get(second).cloned().unwrap_or_default()),
        8 => drop(pieces.remove(number)),
        9 => {
            let others = self::pieces(other);
            pieces.insert(number, pick(numbers, &others.iter().collect::<Vec<_>>()).clone());
        }
        10 => {
            // Two contents behind each other under one head.
            let more = pieces.get(second).and_then(|piece| piece.get(5..)).unwrap_or_default().to_vec();
            content.extend(more);
        }
        11 => {
            if let Some(piece) = pieces.get_mut(number)
                && let Some(first) = piece.first_mut()
            {
                *first = numbers.below(12) as u8;
            }
            return joined(&pieces);
        }
        12 => {
            // A length that is not the content's.
            if let Some(length) = pieces.get_mut(number).and_then(|piece| piece.get_mut(1..5)) {
                flipped(length, numbers);
            }
            return joined(&pieces);
        }
        _ => {
            let mut bytes = base.bytes.clone();
            let length = numbers.below(bytes.len() as u64) as usize;
            bytes.truncate(length);
            return bytes;
        }
    }
    if is_of_content && let Some(piece) = pieces.get_mut(number) {
        *piece = sized(tag, &content);
    }
    joined(&pieces)
}

/// The checkpoints of a pack, as they were signed.
fn checkpoints(parts: &[Part]) -> Vec<Vec<u8>> {
    let body = |part: &Part| {
        let Part::Checkpoint(signed) = part else { return None };
        Some(signed.body.clone())
    };
    parts.iter().filter_map(body).collect()
}

#[test]
fn a_changed_pack_is_refused_or_comes_to_the_same() {
    let (logs, each) = if is_long() { (12, 2000) } else { (3, 60) };
    let (mut refused, mut same) = (0, 0);
    for log in 0..logs {
        let (place, elsewhere) = (Place::new(), Place::new());
        let (base, other) = (base(&place, 70 + log), self::base(&elsewhere, 170 + log));
        let known = checkpoints(&base.parts);
        let mut numbers = Numbers::from(9000 + log);
        for number in 0..each {
            let bytes = mutated(&base, &other, &mut numbers);
            let answer = base.verify(&bytes, &Ask::default());
            match answer.first_divergence {
                Some(found) => {
                    // It says what is wrong, and where.
                    let is_placed = found.op.is_some()
                        || found.interval.is_some()
                        || !found.keys.is_empty()
                        || found.computed.contains("byte ")
                        || ["the rows", "the header", "the genesis", "a snapshot", "a proof"].contains(&&*found.what);
                    assert!(is_placed, "log {log}, {number}: {found:?}");
                    refused += 1;
                }
                None => {
                    // What may be left out is a checkpoint, a snapshot, a program that nothing binds, or what follows the
                    // last checkpoint; nothing else came in.
                    let kept = checkpoints(&parts_of(&bytes).1);
                    assert!(kept.iter().all(|kept| known.contains(kept)), "log {log}, {number}");
                    same += 1;
                }
            }
        }
    }
    println!("{refused} refused, {same} came to the same");
    assert!(refused > same * 4, "{refused} refused, {same} came to the same");
}

#[test]
fn a_pack_that_claims_much_takes_little() {
    let place = Place::new();
    let base = base(&place, 5);
    for tag in 0..=11_u8 {
        for length in [u32::MAX, 1 << 31, 64 << 20, 1 << 20] {
            let claims = [MAGIC, &[tag], &length.to_be_bytes(), b"x"].concat();
            assert!(base.verify(&claims, &Ask::default()).first_divergence.is_some(), "{tag} {length}");
            // The same behind what is right.
            let at = base.at.get(2).map_or(0, |&at| at as usize);
            let start = base.bytes.get(..at).unwrap_or_default();
            let claims = [start, &[tag], &length.to_be_bytes(), b"x"].concat();
            assert!(base.verify(&claims, &Ask::default()).first_divergence.is_some(), "{tag} {length}");
        }
    }
    for bytes in [&b""[..], b"\n", b"kerai-pack-1", b"kerai-pack-2\n", MAGIC, &[0; 4096], &[0xff; 4096]] {
        let found = base.verify(bytes, &Ask::default()).first_divergence.expect("no pack");
        assert!(found.computed.contains("byte "), "{found:?}");
    }
}

#[test]
fn one_checkpoint_stands_behind_an_op() {
    let place = Place::new();
    let base = base(&place, 6);
    let mut pieces = pieces(&base);
    let &number = base.those(|part| matches!(part, Part::Checkpoint(_))).last().expect("a checkpoint");
    pieces.insert(number, pieces.get(number).expect("a checkpoint").clone());
    let found = base.verify(&joined(&pieces), &Ask::default()).first_divergence.expect("twice");
    assert!(found.computed.contains("no part that may stand here"), "{found:?}");
}
