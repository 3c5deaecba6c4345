//! Laws: what must hold for every source, whatever the case expects.

use crate::stage::{Check, Read, Source, Tree, state_options};
use kerai_compiler::ir::Ir;
use kerai_vm::bytecode::Program;
use kerai_vm::encoding::{Options, cbor as codec, json as view};
use kerai_vm::refusal::Refusal;
use kerai_vm::ulid::Ulid;
use kerai_vm::value::{Heap, Mark, Value};

/// Checks a source that was read into the heap since the mark, and names what does not hold.
pub type Law = fn(&Source<'_>, Read, &mut Heap, Mark, &Result<Value, Refusal>, &mut Vec<String>);

/// The same reading without lowered limits, which would speak of the law's own texts.
const fn full_limits(options: &Options) -> Options {
    Options { strings: options.strings, ..Options::CANONICAL }
}

/// Reads the source again into the heap that has read it before, and whose memory of keys may help: the same must come out.
fn reads_alike(
    source: &Source<'_>,
    read: Read,
    heap: &mut Heap,
    mark: Mark,
    result: &Result<Value, Refusal>,
    faults: &mut Vec<String>,
) {
    let options = &source.directions.read;
    let full = full_limits(options);
    let encode = |heap: &Heap, value: Value| {
        let mut bytes = Vec::new();
        codec::encode(heap, value, &full, &mut bytes).map(|()| bytes)
    };
    let first = result.clone().map(|value| encode(heap, value));
    heap.rewind(mark);
    let again = read(heap, source.bytes, options).map(|value| encode(heap, value));
    if first != again {
        faults.push("read into the same heap a second time, the source gives something else".to_owned());
    }
    let Ok(Ok(bytes)) = first else { return };
    match codec::check(&bytes, &full) {
        Ok(()) => {}
        Err(refusal) => faults.push(format!("its own encoding is refused: {refusal}")),
    }
}

/// One value, one byte string: what is accepted encodes to itself, and checking agrees with decoding.
pub fn cbor(
    source: &Source<'_>,
    read: Read,
    heap: &mut Heap,
    mark: Mark,
    result: &Result<Value, Refusal>,
    faults: &mut Vec<String>,
) {
    let options = &source.directions.read;
    let checked = codec::check(source.bytes, options);
    if checked.as_ref().err() != result.as_ref().err() {
        let text = |refusal: Option<&Refusal>| refusal.map_or("nothing".to_owned(), Refusal::to_string);
        let (checked, decoded) = (text(checked.as_ref().err()), text(result.as_ref().err()));
        faults.push(format!("checking refuses {checked}, decoding refuses {decoded}"));
    }
    if let Ok(value) = result {
        let mut bytes = Vec::new();
        match codec::encode(heap, *value, options, &mut bytes) {
            Ok(()) if bytes == source.bytes => {}
            Ok(()) => faults.push(format!("accepted, but its encoding is {}", crate::source::in_hexadecimal(&bytes))),
            Err(refusal) => faults.push(format!("accepted, but not encoded: {refusal}")),
        }
    }
    reads_alike(source, read, heap, mark, result, faults);
}

/// One state, one snapshot, into whatever heap it is read.
pub fn snapshot(
    source: &Source<'_>,
    read: Read,
    heap: &mut Heap,
    mark: Mark,
    result: &Result<Value, Refusal>,
    faults: &mut Vec<String>,
) {
    let options = &source.directions.read;
    let mut encoded_again = |heap: &Heap, value: Value| {
        let mut bytes = Vec::new();
        match codec::encode_snapshot(heap, value, &state_options(options), &mut bytes) {
            Ok(()) if bytes == source.bytes => {}
            Ok(()) => faults.push(format!("accepted, but its snapshot is {}", crate::source::in_hexadecimal(&bytes))),
            Err(refusal) => faults.push(format!("accepted, but not encoded: {refusal}")),
        }
    };
    let Ok(value) = result else { return };
    encoded_again(heap, *value);
    heap.rewind(mark);
    let _garbage = heap.new_list();
    if let Ok(value) = read(heap, source.bytes, options) {
        encoded_again(heap, value);
    }
}

/// What JSON gave, JSON shows, and reads again as the same.
pub fn json(
    source: &Source<'_>,
    read: Read,
    heap: &mut Heap,
    mark: Mark,
    result: &Result<Value, Refusal>,
    faults: &mut Vec<String>,
) {
    let options = &full_limits(&source.directions.read);
    if let Ok(value) = result {
        let mut text = Vec::new();
        match view::encode(heap, *value, options, &mut text) {
            Ok(()) => match view::decode(heap, &text, options) {
                Ok(again) if heap.is_same(*value, again) => {}
                Ok(_) => faults.push("its view reads as another value".to_owned()),
                Err(refusal) => faults.push(format!("its view is refused: {refusal}")),
            },
            Err(refusal) => faults.push(format!("read from JSON, but not shown: {refusal}")),
        }
    }
    reads_alike(source, read, heap, mark, result, faults);
}

/// One ULID, one text.
pub fn ulid(
    source: &Source<'_>,
    read: Read,
    heap: &mut Heap,
    mark: Mark,
    result: &Result<Value, Refusal>,
    faults: &mut Vec<String>,
) {
    let again = Ulid::parse(source.bytes).map(Ulid::to_text);
    if again.is_ok_and(|text| text != source.bytes) {
        faults.push("accepted, but its text is another".to_owned());
    }
    reads_alike(source, read, heap, mark, result, faults);
}

/// Checks a program that was read, and names what does not hold.
pub type ProgramLaw = fn(&[u8], &Program, &mut Vec<String>);

/// One program, one byte string, and a text that says all of it.
pub fn program(_: &[u8], program: &Program, faults: &mut Vec<String>) {
    match program.encode().and_then(|bytes| Program::decode(&bytes)) {
        Ok(again) if again == *program => {}
        Ok(_) => faults.push("its encoding is decoded as another program".to_owned()),
        Err(refusal) => faults.push(format!("its own encoding is refused: {refusal}")),
    }
    let text = program.to_text();
    match Program::from_text(&text) {
        Ok(again) if again == *program => {}
        Ok(_) => faults.push(format!("its text is read as another program:\n{text}")),
        Err(refusal) => faults.push(format!("its text is refused: {refusal}\n{text}")),
    }
}

/// What is accepted as canonical code encodes to itself.
pub fn code(bytes: &[u8], decoded: &Program, faults: &mut Vec<String>) {
    match decoded.encode() {
        Ok(again) if again == bytes => {}
        Ok(again) => faults.push(format!("accepted, but its encoding is {}", crate::source::in_hexadecimal(&again))),
        Err(refusal) => faults.push(format!("accepted, but not encoded: {refusal}")),
    }
    program(bytes, decoded, faults);
}

/// The IR's text says all of it, before and after it is checked, and checking again changes nothing.
pub fn ir(bytes: &[u8], compiled: &Program, faults: &mut Vec<String>) {
    program(bytes, compiled, faults);
    let Some(read) = str::from_utf8(bytes).ok().and_then(|text| Ir::from_text(text).ok()) else { return };
    if Ir::from_text(&read.to_text()).as_ref() != Ok(&read) {
        faults.push(format!("the IR's text is read as another program:\n{}", read.to_text()));
    }
    match read.check() {
        Ok(checked) => {
            let again = Ir::from_text(&checked.ir().to_text()).map_err(|fault| vec![fault]).and_then(Ir::check);
            if again.as_ref() != Ok(&checked) {
                faults.push(format!("the checked IR is checked as another program:\n{}", checked.ir().to_text()));
            }
        }
        Err(_) => faults.push("compiled, but not checked".to_owned()),
    }
}

/// Checks a source that an author wrote, and names what does not hold.
pub type TreeLaw = fn(Check, &Result<Tree, Vec<String>>, &mut Vec<String>);

/// What is formatted has the same tree, and is formatted already.
pub fn tree(check: Check, result: &Result<Tree, Vec<String>>, faults: &mut Vec<String>) {
    let Ok(first) = result else { return };
    match check(first.formatted.as_bytes()) {
        Err(refusal) => faults.push(format!("formatted it is refused: {}", refusal.join("; "))),
        Ok(second) => {
            if second.text != first.text {
                faults.push("formatted it has another tree".to_owned());
            }
            if second.formatted != first.formatted {
                faults.push(format!("formatted twice it is another text:\n{}", second.formatted));
            }
        }
    }
}

/// A document is the same whatever ends its lines.
pub fn lines(check: Check, result: &Result<Tree, Vec<String>>, faults: &mut Vec<String>) {
    let Ok(first) = result else { return };
    match check(first.formatted.replace("\r\n", "\n").replace('\n', "\r\n").as_bytes()) {
        Err(refusal) => faults.push(format!("with other line ends it is refused: {}", refusal.join("; "))),
        Ok(second) if second.text != first.text => faults.push("with other line ends it has another tree".to_owned()),
        Ok(_) => {}
    }
}
