//! Shapes: the keys that records have in common, so that a record holds values only.
//!
//! A shape is a path of short string keys from the empty record. Where a record's keys would pass the limits
//! here, the table is a dictionary instead; which of the two a table is can't be observed.

use super::Value;
use hashbrown::HashTable;

/// The most keys a record has; beyond it, a dictionary is faster.
pub const RECORD_KEYS: usize = 32;

/// The most shapes one heap makes: data used as keys would make one a row.
const SHAPES: usize = 4096;

/// How many recent steps are remembered; a power of two.
const RECENT: usize = 256;

/// A shape's number in its heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShapeId(pub(crate) u32);

impl ShapeId {
    /// The shape without keys.
    pub(crate) const EMPTY: ShapeId = ShapeId(0);
    /// A number that no shape has.
    pub(crate) const NONE: ShapeId = ShapeId(u32::MAX);
}

/// A key as it stands in CBOR: head and text in the low bytes of one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FieldText {
    pub(crate) window: u128,
    pub(crate) length: usize,
}

/// `MASKS[n]` keeps the low n bytes.
#[expect(clippy::indexing_slicing, reason = "evaluated while compiling, where a fault is an error")]
const MASKS: [u128; 17] = {
    let mut masks = [u128::MAX; 17];
    let mut length = 0;
    while length < 16 {
        masks[length] = (1_u128 << (8 * length)) - 1;
        length += 1;
    }
    masks
};

/// The low `length` bytes of `window`.
pub(crate) fn low_bytes(window: u128, length: usize) -> u128 {
    window & MASKS.get(length).copied().unwrap_or(u128::MAX)
}

impl FieldText {
    /// The text of a short string key.
    pub(crate) fn of(key: Value) -> FieldText {
        let length = usize::from(key.second_byte());
        // A short string is tag, length, content: moved down a byte, the length's place takes CBOR's head.
        FieldText { window: (key.window() >> 8) | 0x60, length: length + 1 }
    }

    /// The text that a window of CBOR begins with, where it is short enough for a word.
    #[inline]
    pub(crate) fn at_start(window: u128) -> Option<FieldText> {
        let head = window as u8;
        if !(0x60..=0x6e).contains(&head) {
            return None;
        }
        let length = usize::from(head - 0x60) + 1;
        Some(FieldText { window: low_bytes(window, length), length })
    }

    /// Whether the text is ASCII, so that it is UTF-8 in normalization form C as it stands.
    pub(crate) const fn is_ascii(self) -> bool {
        (self.window >> 8) & 0x8080_8080_8080_8080_8080_8080_8080_8080 == 0
    }

    /// Bytewise order of the encodings.
    fn is_before(self, other: FieldText) -> bool {
        self.window.swap_bytes() < other.window.swap_bytes()
    }
}

/// One key of a shape.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    pub(crate) key: Value,
    pub(crate) cbor: FieldText,
}

pub(crate) struct Shape {
    pub(crate) parent: ShapeId,
    /// In the order of the slots.
    pub(crate) fields: Vec<Field>,
    /// Slots in the order of their keys' CBOR.
    pub(crate) cbor_order: Vec<u8>,
    /// Slots in bytewise order of their keys, which is JSON's and the canonical one.
    pub(crate) text_order: Vec<u8>,
    /// Whether every key is ASCII, so that nothing needs normalizing.
    pub(crate) is_ascii: bool,
    /// Slots by a hash of their keys: a key lies at its place or behind it, before the next vacant one.
    places: [u8; PLACES],
}

/// Places of a shape's keys: twice their number and a power of two, so that searches are short and end.
const PLACES: usize = 2 * RECORD_KEYS;

/// A place without a key.
const VACANT: u8 = u8::MAX;

impl Shape {
    /// The slot of a key that is a short string.
    #[inline]
    pub(crate) fn find(&self, key: Value) -> Option<usize> {
        let mut place = Shape::place(key);
        loop {
            let slot = *self.places.get(place % PLACES)?;
            // Vacant places number no field.
            if self.fields.get(usize::from(slot))?.key.is_same_words(key) {
                return Some(usize::from(slot));
            }
            place += 1;
        }
    }

    fn place(key: Value) -> usize {
        let window = key.window();
        (mix(0, window as u64, (window >> 64) as u64) >> 32) as usize
    }

    /// The places with one key more.
    fn with_place(&self, key: Value, slot: usize) -> [u8; PLACES] {
        let mut places = self.places;
        let first = Shape::place(key);
        let vacant =
            (first..first + PLACES).map(|place| place % PLACES).find(|&place| places.get(place) == Some(&VACANT));
        if let Some(place) = vacant.and_then(|place| places.get_mut(place)) {
            *place = u8::try_from(slot).unwrap_or(VACANT);
        }
        places
    }
}

/// A remembered step from a shape by a key.
#[derive(Clone, Copy)]
struct Step {
    parent: ShapeId,
    child: ShapeId,
    text: FieldText,
    /// Whether the key is text by every rule, being ASCII, and comes after all keys of the parent in CBOR's order.
    is_predictable: bool,
}

/// All shapes of a heap.
pub(crate) struct Shapes {
    shapes: Vec<Shape>,
    children: HashTable<ShapeId>,
    /// Steps taken lately, by a hash of shape and key.
    recent: Vec<Option<Step>>,
    seed: u64,
}

fn mix(seed: u64, a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ seed ^ 0x9e37_79b9_7f4a_7c15) * u128::from(b ^ 0xd6e8_feb8_6659_fd93);
    (product as u64) ^ ((product >> 64) as u64)
}

fn hash(seed: u64, parent: ShapeId, window: u128) -> u64 {
    mix(seed, (window as u64) ^ (u64::from(parent.0) << 56), ((window >> 64) as u64) ^ u64::from(parent.0))
}

impl Shapes {
    pub(crate) fn new(seed: u64) -> Shapes {
        let empty = Shape {
            parent: ShapeId::EMPTY,
            fields: Vec::new(),
            cbor_order: Vec::new(),
            text_order: Vec::new(),
            is_ascii: true,
            places: [VACANT; PLACES],
        };
        Shapes { shapes: vec![empty], children: HashTable::new(), recent: vec![None; RECENT], seed }
    }

    #[expect(clippy::indexing_slicing, reason = "a shape's number is made by pushing the shape")]
    pub(crate) fn get(&self, id: ShapeId) -> &Shape {
        &self.shapes[id.0 as usize]
    }

    /// The shape with one key more, or none where the key is there already or a limit says that the table is a dictionary.
    pub(crate) fn step(&mut self, parent: ShapeId, key: Value) -> Option<ShapeId> {
        let text = FieldText::of(key);
        let code = hash(self.seed, parent, text.window);
        if let Some(step) = self.recall(parent, text, code) {
            return Some(step.child);
        }
        let found = self.children.find(code, |&child| {
            let shape = self.get(child);
            shape.parent == parent && shape.fields.last().is_some_and(|field| field.cbor == text)
        });
        let child = match found {
            Some(&child) => child,
            None => self.grow(parent, Field { key, cbor: text }, code)?,
        };
        let (shape, slot) = (self.get(child), self.get(parent).fields.len());
        let is_last = shape.cbor_order.last().is_some_and(|&last| usize::from(last) == slot);
        let is_predictable = is_last && text.is_ascii();
        if let Some(place) = self.recent.get_mut(Self::place(code)) {
            *place = Some(Step { parent, child, text, is_predictable });
        }
        Some(child)
    }

    /// As [`Shapes::step`] from the empty record, for a key that a program computed: where there are as many shapes as may be,
    /// it is most likely one of many, and only those met lately are looked for.
    pub(crate) fn begin(&mut self, key: Value) -> Option<ShapeId> {
        if self.shapes.len() < SHAPES {
            return self.step(ShapeId::EMPTY, key);
        }
        let text = FieldText::of(key);
        self.recall(ShapeId::EMPTY, text, hash(self.seed, ShapeId::EMPTY, text.window)).map(|step| step.child)
    }

    /// The shape with one key less, the others in their order, or none where a limit says that there is none.
    pub(crate) fn without(&mut self, id: ShapeId, slot: usize) -> Option<ShapeId> {
        let mut shape = ShapeId::EMPTY;
        for place in (0..self.get(id).fields.len()).filter(|&place| place != slot) {
            let key = self.get(id).fields.get(place)?.key;
            shape = self.step(shape, key)?;
        }
        Some(shape)
    }

    /// The shape that a recent step led to, where the next key is the one that `window` begins with
    /// and follows all keys so far in CBOR's order. The key's length in CBOR comes with it.
    #[inline]
    pub(crate) fn predict(&self, parent: ShapeId, window: u128) -> Option<(ShapeId, usize)> {
        let text = FieldText::at_start(window)?;
        let step = self.recall(parent, text, hash(self.seed, parent, text.window))?;
        step.is_predictable.then_some((step.child, text.length))
    }

    fn recall(&self, parent: ShapeId, text: FieldText, code: u64) -> Option<&Step> {
        let step = self.recent.get(Self::place(code))?.as_ref()?;
        (step.parent == parent && step.text == text).then_some(step)
    }

    fn place(code: u64) -> usize {
        (code >> (64 - RECENT.trailing_zeros())) as usize
    }

    fn grow(&mut self, parent: ShapeId, field: Field, code: u64) -> Option<ShapeId> {
        let base = self.get(parent);
        let slot = base.fields.len();
        let is_known = base.fields.iter().any(|other| other.cbor == field.cbor);
        if is_known || slot >= RECORD_KEYS || self.shapes.len() >= SHAPES {
            return None;
        }
        let insert = |order: &[u8], is_before: &dyn Fn(&Field) -> bool| {
            let before =
                order.iter().filter(|&&other| base.fields.get(usize::from(other)).is_some_and(is_before)).count();
            let mut order = order.to_vec();
            order.insert(before, u8::try_from(slot).unwrap_or_default());
            order
        };
        let child = ShapeId(u32::try_from(self.shapes.len()).ok()?);
        let shape = Shape {
            parent,
            cbor_order: insert(&base.cbor_order, &|other| other.cbor.is_before(field.cbor)),
            text_order: insert(&base.text_order, &|other| other.key.short_bytes() < field.key.short_bytes()),
            is_ascii: base.is_ascii && field.cbor.is_ascii(),
            fields: base.fields.iter().copied().chain([field]).collect(),
            places: base.with_place(field.key, slot),
        };
        self.shapes.push(shape);
        let Shapes { shapes, children, seed, .. } = self;
        children.insert_unique(code, child, |&other| {
            shapes.get(other.0 as usize).map_or(0, |shape| {
                let window = shape.fields.last().map_or(0, |field| field.cbor.window);
                hash(*seed, shape.parent, window)
            })
        });
        Some(child)
    }
}

/// Folds two words into one, by a seed of the caller's: for in-memory tables only, never for what is observed.
pub(crate) fn fold(seed: u64, a: u64, b: u64) -> u64 {
    mix(seed, a, b)
}
