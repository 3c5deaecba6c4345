//! Events out of a file of JSON Lines: ops that nobody signed, in the order that their fold takes.

use crate::input::Input;
use crate::outcome::Fault;
use crate::progress::Progress;
use kerai_store::code::{Code, Refused};
use kerai_store::document::{Hash, hash};
use kerai_vm::bytecode::Order;
use kerai_vm::encoding::root::Context;
use kerai_vm::encoding::{Options, cbor, json};
use kerai_vm::refusal::Refusal;
use kerai_vm::ulid::Ulid;
use kerai_vm::value::{Heap, Value};
use std::collections::HashSet;

/// The name of the time at which an event was received, in milliseconds.
const RECEIVED: &str = "received_ms";

/// Where an event stands in the order: its ULID, the hash of type, resource and payload, and of the event itself.
pub type Place = (Ulid, Hash, Hash);

/// An event of the file.
#[derive(Clone, Copy)]
pub struct Event {
    pub line: usize,
    ulid: Ulid,
    start: usize,
    end: usize,
}

/// Events in order, as canonical CBOR one behind the other.
pub struct Events {
    bytes: Vec<u8>,
    pub list: Vec<Event>,
    /// Lines that say what another said.
    pub repeated: usize,
}

/// Why a line is no event.
pub enum Unreadable {
    Text(Refusal),
    Form(Refused),
}

impl Events {
    /// Reads a file to its end.
    pub fn read(
        input: &mut Input,
        order: Order,
        progress: &mut Progress,
    ) -> Result<Result<Events, (usize, Unreadable)>, Fault> {
        let mut events = Events { bytes: Vec::new(), list: Vec::new(), repeated: 0 };
        let mut clock = (order == Order::Commit).then_some(0);
        // The seed can't be observed in any result.
        let mut heap = Heap::new(0);
        let (mut line, mut number) = (Vec::new(), 0);
        while input.line(&mut line)? {
            number += 1;
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            if let Err(why) = events.put(&mut heap, &line, number, &mut clock) {
                return Ok(Err((number, why)));
            }
            progress.say(number, "events read");
        }
        match order {
            Order::Join | Order::Ulid => events.sort(),
            Order::Commit => events.drop_repeated(),
        }
        Ok(Ok(events))
    }

    /// Only a fold that follows the log sees when an event was received: `clock` is the time of the line before.
    fn put(&mut self, heap: &mut Heap, text: &[u8], line: usize, clock: &mut Option<i64>) -> Result<(), Unreadable> {
        let form = |what| Unreadable::Form(Refused::new(Code::OP_FORM, what));
        let mark = heap.mark();
        let value = json::decode(heap, text, &Options::CANONICAL).map_err(Unreadable::Text)?;
        let ulid = checked(heap, value).map_err(form)?;
        receive(heap, value, clock).map_err(form)?;
        let start = self.bytes.len();
        cbor::encode(heap, value, &Options::CANONICAL, &mut self.bytes).map_err(Unreadable::Text)?;
        self.list.push(Event { line, ulid, start, end: self.bytes.len() });
        heap.rewind(mark);
        Ok(())
    }

    /// In the order of the file, each event where it came first.
    fn drop_repeated(&mut self) {
        let mut list = std::mem::take(&mut self.list);
        let count = list.len();
        let mut seen = HashSet::new();
        list.retain(|event| seen.insert(hash(Context::Event, self.content(event))));
        self.repeated = count - list.len();
        self.list = list;
    }

    /// By place; the places of events are looked at only where ULIDs are equal.
    fn sort(&mut self) {
        let mut list = std::mem::take(&mut self.list);
        list.sort_by_key(|event| event.ulid);
        let count = list.len();
        for same in list.chunk_by_mut(|a, b| a.ulid == b.ulid).filter(|same| same.len() > 1) {
            same.sort_by_cached_key(|event| self.place(event));
        }
        list.dedup_by(|a, b| a.ulid == b.ulid && self.content(a) == self.content(b));
        self.repeated = count - list.len();
        self.list = list;
    }

    /// The canonical CBOR of an event.
    pub fn content(&self, event: &Event) -> &[u8] {
        self.bytes.get(event.start..event.end).unwrap_or_default()
    }

    pub fn place(&self, event: &Event) -> Place {
        let bytes = self.content(event);
        (event.ulid, order_hash(bytes), hash(Context::Event, bytes))
    }
}

/// The hash of an event's type, resource and payload, by which a store orders signed ops too.
fn order_hash(event: &[u8]) -> Hash {
    let heap = &mut Heap::new(0);
    // It was encoded from a value.
    let value = cbor::decode(heap, event, &Options::CANONICAL).unwrap_or(Value::NIL);
    let parts = ["type", "resource", "payload"].map(|name| field(heap, value, name).unwrap_or(Value::NIL));
    let list = heap.list(&parts);
    let mut bytes = Vec::new();
    cbor::encode(heap, list, &Options::CANONICAL, &mut bytes).map_or([0; 32], |()| hash(Context::Order, &bytes))
}

fn field(heap: &mut Heap, value: Value, name: &str) -> Option<Value> {
    let key = heap.string(name.as_bytes());
    heap.get(value, key).filter(|value| !value.is_nil())
}

/// Gives an event the time at which it was received: its own, else that of the line before. Without a clock it has none.
fn receive(heap: &mut Heap, event: Value, clock: &mut Option<i64>) -> Result<(), String> {
    let own = field(heap, event, RECEIVED);
    let key = heap.string(RECEIVED.as_bytes());
    let Some(before) = clock else {
        heap.set(event, key, Value::NIL).map_err(|_| "the event is no map")?;
        return Ok(());
    };
    let time = match own {
        None => *before,
        Some(own) => {
            own.as_i64().filter(|own| own >= before).ok_or(format!("`{RECEIVED}` is no time, or an earlier one"))?
        }
    };
    *before = time;
    heap.set(event, key, Value::integer(time)).map_err(|_| "the event is no map")?;
    Ok(())
}

/// The ULID of an event that has all that it must have.
fn checked(heap: &mut Heap, event: Value) -> Result<Ulid, String> {
    let missing = |name| format!("`{name}` is missing");
    let ulid = field(heap, event, "ulid").ok_or_else(|| missing("ulid"))?;
    let text = heap.as_string(&ulid).ok_or("`ulid` is no text")?;
    let ulid = Ulid::parse(text).map_err(|refusal| format!("`ulid`: {}", refusal.code.summary()))?;
    let kind = field(heap, event, "type").ok_or_else(|| missing("type"))?;
    heap.as_string(&kind).ok_or("`type` is no text")?;
    let key = heap.string(b"payload");
    // A payload may be null.
    heap.get(event, key).map(|_| ulid).ok_or_else(|| missing("payload"))
}
