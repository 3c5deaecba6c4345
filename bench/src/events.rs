//! The events: a million invoice intents from a seed, as canonical CBOR and as canonical JSON.

use std::fmt;

/// Many documents in one buffer, each found by where it ends.
#[derive(Default)]
pub struct Documents {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Documents {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn count(&self) -> usize {
        self.ends.len()
    }

    pub fn mean_size(&self) -> f64 {
        self.bytes.len() as f64 / self.count() as f64
    }

    /// Each document by itself.
    pub fn each(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().filter_map(move |&end| {
            let document = self.bytes.get(start..end);
            start = end;
            document
        })
    }

    /// How many documents `work` did with success: what a pass over all of them returns.
    pub fn tally(&self, mut work: impl FnMut(&[u8]) -> bool) -> u64 {
        self.each().map(|document| u64::from(work(document))).sum()
    }

    /// The first `count` documents; encoders use fewer, because prebuilt values take memory.
    pub fn first(&self, count: usize) -> Documents {
        let ends: Vec<usize> = self.ends.iter().take(count).copied().collect();
        let end = ends.last().copied().unwrap_or(0);
        Documents { bytes: self.bytes.get(..end).unwrap_or_default().to_vec(), ends }
    }

    fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }
}

/// The same events in both encodings.
pub struct Events {
    pub cbor: Documents,
    pub json: Documents,
}

impl Events {
    pub fn generate(count: usize, seed: u64) -> Events {
        let mut events = Events { cbor: Documents::default(), json: Documents::default() };
        let mut random = Random(seed);
        let mut milliseconds = 1_767_225_600_000;
        for _ in 0..count {
            milliseconds += random.below(4);
            let event = Event::random(&mut random, milliseconds);
            event.write_cbor(&mut events.cbor.bytes);
            events.cbor.end();
            event.write_json(&mut events.json.bytes);
            events.json.end();
        }
        events
    }
}

impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} events of {:.2} bytes in CBOR and {:.2} in JSON (means)",
            self.cbor.count(),
            self.cbor.mean_size(),
            self.json.mean_size()
        )
    }
}

const INSERT: &str = "intent.exec.insert_invoice";
const APPROVE: &str = "intent.exec.approve_invoice";

/// One event in five inserts an invoice, the others approve one.
struct Event {
    ulid: String,
    id: String,
    amount: Option<Amount>,
}

/// Half of the amounts are whole, the others have two decimal places.
enum Amount {
    Whole(u64),
    Cents(u64),
}

impl Event {
    fn random(random: &mut Random, milliseconds: u64) -> Event {
        let ulid = ulid(milliseconds, random);
        let id = format!("inv-{:06}", random.below(100_000));
        let amount = (random.below(5) == 0).then(|| Amount::random(random));
        Event { ulid, id, amount }
    }

    fn kind(&self) -> &'static str {
        if self.amount.is_some() { INSERT } else { APPROVE }
    }

    /// The keys stand in the order of their encodings: shorter ones first, as all are short texts.
    fn write_cbor(&self, out: &mut Vec<u8>) {
        head(out, MAP, 3);
        text(out, "type");
        text(out, self.kind());
        text(out, "ulid");
        text(out, &self.ulid);
        text(out, "payload");
        head(out, MAP, if self.amount.is_some() { 2 } else { 1 });
        text(out, "id");
        text(out, &self.id);
        if let Some(amount) = &self.amount {
            text(out, "amount");
            amount.write_cbor(out);
        }
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        let amount = match &self.amount {
            None => String::new(),
            Some(Amount::Whole(whole)) => format!("\"amount\":{whole},"),
            Some(Amount::Cents(cents)) => format!("\"amount\":{}.{:02},", cents / 100, cents % 100),
        };
        let (id, kind, ulid) = (&self.id, self.kind(), &self.ulid);
        let json = format!(r#"{{"payload":{{{amount}"id":"{id}"}},"type":"{kind}","ulid":"{ulid}"}}"#);
        out.extend_from_slice(json.as_bytes());
    }
}

impl Amount {
    fn random(random: &mut Random) -> Amount {
        if random.below(2) == 0 {
            return Amount::Whole(1 + random.below(10_000));
        }
        // The last digit is never 0: lowest terms then keep both places.
        let cents = 10 * random.below(100_000) + 1 + random.below(9);
        Amount::Cents(cents)
    }

    fn write_cbor(&self, out: &mut Vec<u8>) {
        match *self {
            Amount::Whole(whole) => head(out, UNSIGNED, whole),
            Amount::Cents(cents) => {
                head(out, TAG, 4);
                head(out, ARRAY, 2);
                head(out, NEGATIVE, 1);
                head(out, UNSIGNED, cents);
            }
        }
    }
}

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;

/// The shortest head, written apart from kerai's encoder so that neither checks itself.
fn head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let major = major << 5;
    let bytes = argument.to_be_bytes();
    let [.., _, _, _, last] = bytes;
    match argument {
        0..24 => out.push(major | last),
        24..0x100 => out.extend_from_slice(&[major | 24, last]),
        0x100..0x1_0000 => {
            out.push(major | 25);
            out.extend(bytes.iter().skip(6));
        }
        0x1_0000..0x1_0000_0000 => {
            out.push(major | 26);
            out.extend(bytes.iter().skip(4));
        }
        _ => {
            out.push(major | 27);
            out.extend(bytes);
        }
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    head(out, TEXT, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// 10 characters of time and 16 of chance, five bits each.
fn ulid(milliseconds: u64, random: &mut Random) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let digit = |bits: u64| ALPHABET.get((bits % 32) as usize).map_or('0', |&byte| char::from(byte));
    let time = (0..10).rev().map(|place| digit(milliseconds >> (5 * place)));
    let chance: Vec<char> = (0..16).map(|_| digit(random.next())).collect();
    time.chain(chance).collect()
}

/// SplitMix64: small, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The bias of a remainder does not matter for these few thousand values.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
