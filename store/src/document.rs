//! Documents as the store writes and reads them: canonical CBOR maps with text keys, built and taken apart by field.

use kerai_vm::encoding::root::{Context, Root};
use kerai_vm::encoding::{Options, cbor, text};
use kerai_vm::refusal::Refusal;
use kerai_vm::value::{Heap, Kind, Mark, Value};
use std::cell::{Cell, RefCell};
use std::ops::{Deref, DerefMut, Range};

/// 32 bytes of a hash or a key.
pub type Hash = [u8; 32];

/// Bytes as lower-case hexadecimal.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|&byte| hex_of(byte)).collect();
    // Digits are text.
    String::from_utf8(digits).unwrap_or_default()
}

/// The two digits of a byte.
fn hex_of(byte: u8) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|nibble| if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble })
}

/// Bytes from lower-case hexadecimal, its one form.
#[must_use]
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

/// 32 bytes from hexadecimal.
#[must_use]
pub fn hash_from_hex(text: &str) -> Option<Hash> {
    from_hex(text)?.try_into().ok()
}

/// BLAKE3 in a named context.
#[must_use]
pub fn hash(context: Context, bytes: &[u8]) -> Hash {
    *Root::of_data(context, bytes).bytes()
}

/// Texts that lie one behind the other, to be hashed together.
#[derive(Default)]
pub(crate) struct Together {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Together {
    /// Adds what is written; its number.
    pub(crate) fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> usize {
        write(&mut self.bytes);
        self.ends.push(self.bytes.len());
        self.ends.len() - 1
    }

    pub(crate) const fn count(&self) -> usize {
        self.ends.len()
    }

    /// Takes away all from a number on.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.ends.truncate(count);
        self.bytes.truncate(self.ends.last().copied().unwrap_or(0));
    }

    pub(crate) fn hash(&self, context: Context) -> Vec<Hash> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        let texts = begins.zip(&self.ends).map(|(begin, &end)| self.bytes.get(begin..end).unwrap_or_default());
        Root::of_each(context, &texts.collect::<Vec<_>>())
    }
}

/// A hash of data as users see it.
#[must_use]
pub fn data_text(hash: &Hash) -> String {
    Root::Blake3(*hash).to_string()
}

/// A program's root as users see it.
#[must_use]
pub fn program_text(hash: &Hash) -> String {
    Root::Sha256(*hash).to_string()
}

/// A program's root from its text.
#[must_use]
pub fn program_root(text: &str) -> Option<Hash> {
    hash_from_hex(text.strip_prefix("sha256:")?)
}

/// A heap for one document. Making one costs more than most documents do, so that each thread keeps some, which are
/// emptied before they are used again; nothing that is read or written depends on what a heap held before.
pub(crate) struct Scratch(Option<Box<Used>>);

/// A heap, what it was when it was empty, and how often it was used.
struct Used {
    heap: Heap,
    empty: Mark,
    uses: u32,
}

/// Uses after which a heap is given up, with whatever it learned of the forms of documents.
const USES: u32 = 1024;

/// Bytes above which a heap is not kept, and how many heaps a thread keeps.
const LARGE: usize = 1 << 20;
const KEPT: usize = 8;

/// Heaps stay where they are: moving one costs as much as reading a small document.
type Kept = Vec<Box<Used>>;

thread_local! {
    static HEAPS: RefCell<Kept> = const { RefCell::new(Vec::new()) };
}

impl Scratch {
    pub(crate) fn new() -> Scratch {
        let kept = HEAPS.try_with(|heaps| heaps.borrow_mut().pop()).ok().flatten();
        Scratch(Some(kept.unwrap_or_else(|| {
            let heap = Heap::new(0);
            Box::new(Used { empty: heap.mark(), heap, uses: 0 })
        })))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let Some(mut used) = self.0.take() else { return };
        used.uses += 1;
        if used.uses < USES && used.heap.young_size() <= LARGE {
            used.heap.rewind(used.empty);
            // A thread that ends keeps nothing more.
            let _ = HEAPS.try_with(|heaps| {
                let mut heaps = heaps.borrow_mut();
                if heaps.len() < KEPT {
                    heaps.push(used);
                }
            });
        }
    }
}

impl Deref for Scratch {
    type Target = Heap;

    fn deref(&self) -> &Heap {
        &self.0.as_ref().expect("it is there until it is dropped").heap
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut Heap {
        &mut self.0.as_mut().expect("it is there until it is dropped").heap
    }
}

/// An integer as a value; what counts positions and milliseconds stays far below the bound.
#[must_use]
pub(crate) fn integer(number: u64) -> Value {
    Value::integer(i64::try_from(number).unwrap_or(i64::MAX))
}

/// A map under construction.
pub(crate) struct Writer {
    pub(crate) heap: Scratch,
    entries: Vec<(Value, Value)>,
}

impl Writer {
    pub(crate) fn new() -> Writer {
        Writer { heap: Scratch::new(), entries: Vec::new() }
    }

    pub(crate) fn value(&mut self, name: &str, value: Value) -> &mut Writer {
        let key = self.heap.string(name.as_bytes());
        self.entries.push((key, value));
        self
    }

    pub(crate) fn text(&mut self, name: &str, text: &str) -> &mut Writer {
        let value = self.heap.string(text.as_bytes());
        self.value(name, value)
    }

    pub(crate) fn bytes(&mut self, name: &str, bytes: &[u8]) -> &mut Writer {
        let value = self.heap.bytes(bytes);
        self.value(name, value)
    }

    pub(crate) fn integer(&mut self, name: &str, number: u64) -> &mut Writer {
        self.value(name, integer(number))
    }

    pub(crate) fn texts(&mut self, name: &str, texts: &[String]) -> &mut Writer {
        let items: Vec<Value> = texts.iter().map(|text| self.heap.string(text.as_bytes())).collect();
        let list = self.heap.list(&items);
        self.value(name, list)
    }

    /// The fields so far as one map; the next fields begin another.
    pub(crate) fn map(&mut self) -> Value {
        let entries = core::mem::take(&mut self.entries);
        // Keys are text, so that a map can always be made.
        self.heap.map(&entries).unwrap_or(Value::NIL)
    }

    pub(crate) fn finish(&mut self) -> Result<Vec<u8>, Refusal> {
        let map = self.map();
        encode(&self.heap, map)
    }
}

/// How a document is read that lies in another one.
pub(crate) const INSIDE: Options = Options { depth: Options::CANONICAL.depth - 1, ..Options::CANONICAL };

/// Whether a canonical document can lie in another one, one table deeper.
pub(crate) fn fits_inside(document: &[u8]) -> Result<(), Refusal> {
    // Each table takes a byte at least.
    if document.len() < INSIDE.depth { Ok(()) } else { cbor::check(document, &INSIDE) }
}

/// A canonical map with text keys that is put together byte by byte: what [`Writer`] would give, for what is made of
/// every op. Its documents must be canonical already.
/// Fields can come in any order; those that come in the order of their keys, shorter ones first, cost less.
pub(crate) struct Form {
    /// The entries: each key with its value.
    bytes: Vec<u8>,
    /// The fields' names, and where their entries begin and end.
    fields: Vec<(&'static str, Range<usize>)>,
    refusal: Option<Refusal>,
}

/// Bytes of a map's head at most.
const HEAD: usize = 9;

/// Bytes that a form usually comes to, and the fields that it usually has.
const FORM: (usize, usize) = (512, 16);

/// The bytes and the fields of a form under way.
type Room = (Vec<u8>, Vec<(&'static str, Range<usize>)>);

thread_local! {
    /// Where the last form was put together: the next one is put together there too.
    static ROOM: Cell<Option<Room>> = const { Cell::new(None) };
}

impl Form {
    pub(crate) fn new() -> Form {
        let kept = ROOM.try_with(Cell::take).ok().flatten();
        let (bytes, fields) = kept.unwrap_or_else(|| (Vec::with_capacity(FORM.0), Vec::with_capacity(FORM.1)));
        Form { bytes, fields, refusal: None }
    }

    /// A field, whose value is appended.
    fn field(&mut self, name: &'static str, put: impl FnOnce(&mut Form)) -> &mut Form {
        let begin = self.bytes.len();
        cbor::write_text(&mut self.bytes, name.as_bytes());
        put(self);
        self.fields.push((name, begin..self.bytes.len()));
        self
    }

    pub(crate) fn text(&mut self, name: &'static str, content: &str) -> &mut Form {
        self.field(name, |form| form.put_text(content))
    }

    pub(crate) fn text_if(&mut self, name: &'static str, content: Option<&str>) -> &mut Form {
        if let Some(content) = content { self.text(name, content) } else { self }
    }

    /// Text in normalization form C; what has no such form makes the whole have none.
    fn put_text(&mut self, content: &str) {
        match text::normalize(content.as_bytes()) {
            Ok(content) => cbor::write_text(&mut self.bytes, &content),
            Err(fault) => self.refusal = Some(Refusal::new(fault.code, self.bytes.len())),
        }
    }

    /// Bytes as hexadecimal text.
    pub(crate) fn hex(&mut self, name: &'static str, content: &Hash) -> &mut Form {
        self.field(name, |form| {
            let mut digits = [0; 2 * size_of::<Hash>()];
            for (pair, byte) in digits.as_chunks_mut().0.iter_mut().zip(content) {
                *pair = hex_of(*byte);
            }
            cbor::write_text(&mut form.bytes, &digits);
        })
    }

    pub(crate) fn bytes(&mut self, name: &'static str, content: &[u8]) -> &mut Form {
        self.field(name, |form| cbor::write_bytes(&mut form.bytes, content))
    }

    pub(crate) fn bytes_or_null(&mut self, name: &'static str, content: Option<&[u8]>) -> &mut Form {
        self.field(name, |form| match content {
            Some(content) => cbor::write_bytes(&mut form.bytes, content),
            None => cbor::write_null(&mut form.bytes),
        })
    }

    pub(crate) fn integer(&mut self, name: &'static str, number: u64) -> &mut Form {
        self.field(name, |form| cbor::write_integer(&mut form.bytes, number))
    }

    pub(crate) fn texts(&mut self, name: &'static str, texts: &[String]) -> &mut Form {
        self.field(name, |form| {
            cbor::write_list(&mut form.bytes, texts.len());
            texts.iter().for_each(|content| form.put_text(content));
        })
    }

    /// A document that is canonical CBOR already; here it lies one table deeper.
    pub(crate) fn document(&mut self, name: &'static str, document: &[u8]) -> &mut Form {
        if let Err(refusal) = fits_inside(document) {
            self.refusal = Some(refusal);
        }
        self.field(name, |form| form.bytes.extend_from_slice(document))
    }

    pub(crate) fn document_if<D: AsRef<[u8]>>(&mut self, name: &'static str, document: Option<D>) -> &mut Form {
        if let Some(document) = document { self.document(name, document.as_ref()) } else { self }
    }

    pub(crate) fn finish(self) -> Result<Vec<u8>, Refusal> {
        let mut out = Vec::new();
        self.finish_into(&mut out).map(|()| out)
    }

    /// As [`Form::finish`], behind what is there.
    pub(crate) fn finish_into(self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let Form { mut bytes, mut fields, refusal } = self;
        out.reserve(bytes.len() + HEAD);
        cbor::write_map(out, fields.len());
        // Keys stand in the order of their encodings, which begin with their lengths.
        let order = |(name, _): &(&'static str, Range<usize>)| (name.len(), *name);
        if fields.is_sorted_by_key(order) {
            out.extend_from_slice(&bytes);
        } else {
            fields.sort_unstable_by_key(order);
            let entries = fields.iter().filter_map(|(_, entry)| bytes.get(entry.clone()));
            entries.for_each(|entry| out.extend_from_slice(entry));
        }
        if bytes.capacity() <= LARGE {
            bytes.clear();
            fields.clear();
            // A thread that ends keeps nothing more.
            let _ = ROOM.try_with(|room| room.set(Some((bytes, fields))));
        }
        refusal.map_or(Ok(()), Err)
    }
}

/// The canonical bytes of a value.
pub(crate) fn encode(heap: &Heap, value: Value) -> Result<Vec<u8>, Refusal> {
    let mut out = Vec::new();
    cbor::encode(heap, value, &Options::CANONICAL, &mut out)?;
    Ok(out)
}

/// A map that was read. Every field is asked for by name; `None` is absent or of another kind.
pub(crate) struct Reader {
    pub(crate) heap: Scratch,
    pub(crate) map: Value,
    taken: usize,
}

impl Reader {
    /// A canonical map.
    pub(crate) fn open(bytes: &[u8]) -> Result<Option<Reader>, Refusal> {
        let mut heap = Scratch::new();
        let map = cbor::decode(&mut heap, bytes, &Options::CANONICAL)?;
        Ok(Reader::of(heap, map))
    }

    /// A value, where it is a map.
    pub(crate) fn of(heap: Scratch, map: Value) -> Option<Reader> {
        (heap.kind(map) == Kind::Map).then_some(Reader { heap, map, taken: 0 })
    }

    /// The value of a field that is there, null or not.
    pub(crate) fn field(&mut self, name: &str) -> Option<Value> {
        let key = self.heap.string(name.as_bytes());
        let value = self.heap.get(self.map, key)?;
        self.taken += 1;
        Some(value)
    }

    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let value = self.field(name)?;
        text_of(&self.heap, value)
    }

    pub(crate) fn integer(&mut self, name: &str) -> Option<u64> {
        u64::try_from(self.field(name)?.as_i64()?).ok()
    }

    pub(crate) fn bytes(&mut self, name: &str) -> Option<Vec<u8>> {
        let value = self.field(name)?;
        self.heap.as_bytes(value).map(<[u8]>::to_vec)
    }

    pub(crate) fn hash(&mut self, name: &str) -> Option<Hash> {
        self.bytes(name)?.try_into().ok()
    }

    /// A hash, or null; the outer `None` is anything else.
    pub(crate) fn hash_or_null(&mut self, name: &str) -> Option<Option<Hash>> {
        let value = self.field(name)?;
        if value.is_nil() {
            return Some(None);
        }
        Some(Some(self.heap.as_bytes(value)?.try_into().ok()?))
    }

    pub(crate) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.field(name)?;
        texts_of(&self.heap, value)
    }

    /// A field's canonical bytes, where the field is there.
    pub(crate) fn document(&mut self, name: &str) -> Option<Vec<u8>> {
        let value = self.field(name)?;
        encode(&self.heap, value).ok()
    }

    /// Whether all fields were asked for: there are no others.
    pub(crate) fn is_spent(&self) -> bool {
        self.heap.count(self.map) == Some(self.taken)
    }
}

pub(crate) fn text_of(heap: &Heap, value: Value) -> Option<String> {
    String::from_utf8(heap.as_string(&value)?.to_vec()).ok()
}

/// A list of texts; an empty map reads as one, as a program can't always tell them apart.
pub(crate) fn texts_of(heap: &Heap, value: Value) -> Option<Vec<String>> {
    match heap.kind(value) {
        Kind::Map if heap.count(value) == Some(0) => Some(Vec::new()),
        Kind::List => heap.items(value)?.iter().map(|&item| text_of(heap, item)).collect(),
        Kind::Nil
        | Kind::Bool
        | Kind::Number
        | Kind::Float
        | Kind::Fixed
        | Kind::String
        | Kind::Bytes
        | Kind::Map
        | Kind::Set
        | Kind::Function => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ways to put a document together, which must agree.
    fn both(depth: usize, name: &str) -> [Result<Vec<u8>, Refusal>; 2] {
        let document = [vec![0x81; depth], vec![0x01]].concat();
        let texts = ["one".to_owned(), name.to_owned()];
        let (mut form, mut writer) = (Form::new(), Writer::new());
        form.text("name", name).integer("z", 1 << 40).bytes("a", &[7; 300]).texts("texts", &texts);
        form.bytes_or_null("nothing", None).bytes_or_null("something", Some(&[1])).document("document", &document);
        writer.text("name", name).integer("z", 1 << 40).bytes("a", &[7; 300]).texts("texts", &texts);
        writer.value("nothing", Value::NIL).bytes("something", &[1]);
        let value = cbor::decode(&mut writer.heap, &document, &Options::CANONICAL);
        let written = value.and_then(|value| writer.value("document", value).finish());
        [form.finish(), written]
    }

    #[test]
    fn a_form_is_what_a_writer_gives() {
        // The document stands in a map itself.
        let last = crate::limit::length(kerai_vm::limit::DATA_DEPTH) - 1;
        for depth in [0, 1, 3, last - 5, last - 1, last, last + 1] {
            for name in ["", "plain", "Reykjavi\u{301}k", "\u{ff21}", "a name that is longer than twenty-three bytes"] {
                let [form, written] = both(depth, name);
                assert_eq!(form.is_ok(), written.is_ok(), "{depth} {name}");
                assert!(form.is_err() || form == written, "{depth} {name}");
            }
        }
        let (mut in_order, mut turned) = (Form::new(), Form::new());
        in_order.integer("id", 7).hex("op", &[0xa9; 32]).text("name", "x");
        turned.text("name", "x").text("op", &to_hex(&[0xa9; 32])).integer("id", 7);
        assert_eq!(in_order.finish(), turned.finish());
        let [form, written] = both(1, "\u{378}");
        assert_eq!(form.map_err(|refusal| refusal.code), written.map_err(|refusal| refusal.code));
        assert!(both(last, "deep").iter().all(Result::is_ok) && both(last + 1, "deep").iter().all(Result::is_err));
    }
}
