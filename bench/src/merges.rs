//! `merges`: folds of the table of lattices, and joins of two of their states, beside plain Rust with hash maps.

use crate::harness::{Contender, Fresh, Outcome, Plan, Report, Role, Work, measure};
use crate::machine::Broken;
use kerai_compiler::{Language, Source, compile};
use kerai_vm::bytecode::{Limits, Verified};
use kerai_vm::encoding::{self, Options, cbor};
use kerai_vm::execute::Machine;
use kerai_vm::fold::Folding;
use kerai_vm::value::Value;
use serde_json::Value as Json;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A fold with one reducer, beside the same by hand.
pub struct Merge {
    pub name: &'static str,
    pub about: &'static str,
    reducer: &'static str,
    compare: fn(&Merge, &[Event], &Plan) -> Outcome<[Report; 2]>,
}

/// What an or-set keeps of a tag: the operations that added it, and those that are taken back.
type Tag = (HashSet<String>, HashSet<String>);

pub const MERGES: &[Merge] = &[
    Merge {
        name: "merge-lww",
        about: "events to the last write by key",
        reducer: "kind: map-join-lww, key: $.id, value: $.n",
        compare: |merge, events, plan| {
            // No two events have one ULID here: by hand nothing is kept by which such two would be ordered.
            let take = |write: &mut (String, i64), event: &Event| {
                if event.ulid > write.0 {
                    write.0.clone_from(&event.ulid);
                    write.1 = event.n;
                }
            };
            let later = |a: &mut (String, i64), b: (String, i64)| {
                if b > *a {
                    *a = b;
                }
            };
            let by_hand = ByHand { first: |event: &Event| (event.ulid.clone(), event.n), take, join: later };
            compared(merge, events, plan, by_hand, |write| write.1.into())
        },
    },
    Merge {
        name: "merge-max",
        about: "events to the greatest value by key",
        reducer: "kind: map-join-max, key: $.id, value: $.n",
        compare: |merge, events, plan| {
            let take = |most: &mut i64, event: &Event| *most = event.n.max(*most);
            let by_hand = ByHand { first: |event: &Event| event.n, take, join: |a: &mut i64, b: i64| *a = b.max(*a) };
            compared(merge, events, plan, by_hand, |most| (*most).into())
        },
    },
    Merge {
        name: "merge-counter",
        about: "events to sums by key, of which any parts can be joined",
        reducer: "kind: map-join-pn-counter, key: $.id, value: $.n",
        compare: |merge, events, plan| {
            let first = |event: &Event| HashMap::from([((event.author.clone(), event.seq), event.n)]);
            let take = |amounts: &mut HashMap<(String, u64), i64>, event: &Event| {
                amounts.insert((event.author.clone(), event.seq), event.n);
            };
            let sum = |amounts: &HashMap<(String, u64), i64>| amounts.values().sum::<i64>().into();
            compared(
                merge,
                events,
                plan,
                ByHand { first, take, join: |a: &mut HashMap<_, _>, b: HashMap<_, _>| a.extend(b) },
                sum,
            )
        },
    },
    Merge {
        name: "merge-g-set",
        about: "events to sets of tags by key",
        reducer: "kind: map-join-g-set, key: $.id, value: $.tag",
        compare: |merge, events, plan| {
            let take = |tags: &mut HashSet<String>, event: &Event| {
                if !tags.contains(&event.tag) {
                    tags.insert(event.tag.clone());
                }
            };
            let first = |event: &Event| HashSet::from([event.tag.clone()]);
            let join = |a: &mut HashSet<String>, b: HashSet<String>| a.extend(b);
            let by_hand = ByHand { first, take, join };
            compared(merge, events, plan, by_hand, |tags: &HashSet<String>| sorted(tags))
        },
    },
    Merge {
        name: "merge-or-set",
        about: "events to sets whose removes name what they take back",
        reducer: "kind: map-join-or-set, key: $.id, value: $.tag, remove: $.gone, adds: $.seen",
        compare: |merge, events, plan| {
            fn at<'t>(tags: &'t mut HashMap<String, Tag>, name: &str) -> &'t mut Tag {
                if !tags.contains_key(name) {
                    tags.insert(name.to_owned(), Tag::default());
                }
                tags.get_mut(name).expect("it was put in where it was not there")
            }
            let take = |tags: &mut HashMap<String, Tag>, event: &Event| {
                at(tags, &event.tag).0.insert(event.ulid.clone());
                if let Some((gone, seen)) = &event.gone {
                    at(tags, gone).1.insert(seen.clone());
                }
            };
            let first = |event: &Event| {
                let mut tags = HashMap::new();
                take(&mut tags, event);
                tags
            };
            let join = |a: &mut HashMap<String, Tag>, b: HashMap<String, Tag>| {
                for (tag, (added, removed)) in b {
                    let old = a.entry(tag).or_default();
                    old.0.extend(added);
                    old.1.extend(removed);
                }
            };
            let read = |tags: &HashMap<String, Tag>| {
                let is_live = |tag: &Tag| tag.0.iter().any(|add| !tag.1.contains(add));
                sorted(tags.iter().filter(|(_, tag)| is_live(tag)).map(|(name, _)| name))
            };
            compared(merge, events, plan, ByHand { first, take, join }, read)
        },
    },
];

/// A fold by hand of what stands under one key, as who knows what it is for would write it: what is not kept is not made.
struct ByHand<First, Take, Join> {
    /// What the first event comes to.
    first: First,
    /// Takes a further one in.
    take: Take,
    join: Join,
}

fn sorted<'t>(tags: impl IntoIterator<Item = &'t String>) -> Json {
    let mut tags: Vec<String> = tags.into_iter().cloned().collect();
    tags.sort();
    tags.into()
}

/// An event as plain Rust has it, and its bytes.
pub struct Event {
    cbor: Vec<u8>,
    ulid: String,
    author: String,
    seq: u64,
    id: String,
    n: i64,
    tag: String,
    gone: Option<(String, String)>,
}

/// Keys that events are about.
const KEYS: u64 = 100_000;

fn events(count: usize, seed: u64) -> Outcome<Vec<Event>> {
    let mut ulids: Vec<String> = Vec::with_capacity(count);
    let mut state = seed;
    let mut below = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    (0..count as u64)
        .map(|number| {
            let (author, n) = (format!("author-{}", below(16)), below(2000) as i64 - 1000);
            let (id, tag) = (format!("inv-{:06}", below(KEYS)), format!("tag-{}", below(8)));
            let gone = (below(4) == 0 && number > 0)
                .then(|| (format!("tag-{}", below(8)), ulids.get(below(number) as usize).cloned().unwrap_or_default()));
            let mut payload = serde_json::json!({ "id": id, "n": n, "tag": tag });
            if let (Some((gone, seen)), Some(fields)) = (&gone, payload.as_object_mut()) {
                fields.insert("gone".to_owned(), gone.as_str().into());
                fields.insert("seen".to_owned(), vec![seen.as_str()].into());
            }
            // Late events are among them.
            let place = if below(10) == 0 { number / 2 } else { number };
            let ulid = format!("01HZ{place:012}{number:010}");
            ulids.push(ulid.clone());
            let op = serde_json::json!({
                "ulid": ulid, "type": "change", "author": author, "seq": number, "payload": payload,
            });
            Ok(Event { cbor: canonical(&op.to_string())?, ulid, author, seq: number, id, n, tag, gone })
        })
        .collect()
}

fn canonical(json: &str) -> Outcome<Vec<u8>> {
    let mut heap = kerai_vm::value::Heap::new(1);
    let mut bytes = Vec::new();
    encoding::json::decode(&mut heap, json.as_bytes(), &Options::CANONICAL)
        .and_then(|value| cbor::encode(&heap, value, &Options::CANONICAL, &mut bytes))
        .map_err(|refusal| refusal.to_string())?;
    Ok(bytes)
}

// Beside each other.

/// Measures a fold over all events, and the join of the states of two halves, each beside the same by hand. First of
/// all, what comes of both is compared.
fn compared<S: Clone>(
    merge: &Merge,
    events: &[Event],
    plan: &Plan,
    ByHand { first, take, join }: ByHand<impl Fn(&Event) -> S, impl Fn(&mut S, &Event), impl Fn(&mut S, S)>,
    read: impl Fn(&S) -> Json,
) -> Outcome<[Report; 2]> {
    let program = program(merge.reducer)?;
    let put = |state: &mut HashMap<String, S>, key: String, part: S| match state.entry(key) {
        Entry::Occupied(mut old) => join(old.get_mut(), part),
        Entry::Vacant(free) => {
            free.insert(part);
        }
    };
    let by_hand = |events: &[Event]| {
        let mut state = HashMap::new();
        for event in events {
            match state.get_mut(&event.id) {
                Some(part) => take(part, event),
                None => {
                    state.insert(event.id.clone(), first(event));
                }
            }
        }
        state
    };
    let state = by_hand(events);
    let rows: BTreeMap<String, Json> = state.iter().map(|(key, part)| (key.clone(), read(part))).collect();
    if rows != Steps::new(&program, events)?.rows()? {
        return Err("the fold comes to something else than plain Rust".to_owned());
    }
    let (keys, count) = (rows.len() as u64, events.len() as u64);
    let work = Work { units: events.len(), bytes: 0 };
    let folds = vec![
        Contender::fresh(Role::Ours, "kerai", work, count, || or_broken(Steps::new(&program, events))),
        Contender::new(Role::Peer, "rust-hash-map", work, keys, || by_hand(events).len() as u64),
    ];
    let folds = measure(format!("{count} {}", merge.about), plan.rounds, folds)?;

    let (first, second) = events.split_at_checked(events.len() / 2).unwrap_or_default();
    let parts = [Steps::new(&program, first)?.state()?, Steps::new(&program, second)?.state()?];
    let (a, b) = (by_hand(first), by_hand(second));
    let work = Work { units: keys as usize, bytes: 0 };
    let joins = vec![
        Contender::fresh(Role::Ours, "kerai", work, 1, || match Parts::new(&program, &parts) {
            Ok(parts) => Box::new(parts),
            Err(_) => Box::new(Broken),
        }),
        Contender::fresh(Role::Peer, "rust-hash-map", work, keys, || {
            let (mut a, mut b) = (a.clone(), Some(b.clone()));
            let put = &put;
            Box::new(Once(move || {
                b.take().into_iter().flatten().for_each(|(key, part)| put(&mut a, key, part));
                a.len() as u64
            }))
        }),
    ];
    Ok([folds, measure(format!("two states of {keys} keys joined"), plan.rounds, joins)?])
}

/// A pass that is made once.
struct Once<F>(F);

impl<F: FnMut() -> u64> Fresh for Once<F> {
    fn pass(&mut self) -> u64 {
        (self.0)()
    }
}

fn or_broken<'p>(steps: Outcome<Steps<'p>>) -> Box<dyn Fresh + 'p> {
    match steps {
        Ok(steps) => Box::new(steps),
        Err(_) => Box::new(Broken),
    }
}

fn program(reducer: &str) -> Outcome<Verified> {
    let text = format!("version: 1\nreducers: [{{{reducer}}}]\nemit: [{{path: out}}]\n");
    let source = Source::read(text.as_bytes()).map_err(|fault| fault.describe(&text))?;
    let compiled = compile(Language::Yaml, &source).map_err(|faults| format!("{faults:?}"))?;
    compiled.program.verify().map_err(|refusal| refusal.to_string())
}

/// A fold whose operations are decoded and wait.
struct Steps<'p>(Folding<'p>);

impl<'p> Steps<'p> {
    fn new(program: &'p Verified, events: &[Event]) -> Outcome<Steps<'p>> {
        let mut folding = Folding::new(program, 1, Limits::DEFAULT).map_err(|fault| format!("{fault:?}"))?;
        events.iter().try_for_each(|event| folding.offer(&event.cbor)).map_err(|refusal| refusal.to_string())?;
        Ok(Steps(folding))
    }

    fn state(mut self) -> Outcome<Vec<u8>> {
        self.pass();
        let (heap, state) = self.0.state();
        let mut bytes = Vec::new();
        cbor::encode(heap, state, &Options::SNAPSHOT, &mut bytes).map_err(|refusal| refusal.to_string())?;
        Ok(bytes)
    }

    /// The rows at `out`, by key.
    fn rows(mut self) -> Outcome<BTreeMap<String, Json>> {
        self.pass();
        self.0.finish().map_err(|trap| trap.to_string())?;
        let json = |bytes: &[u8]| {
            let (mut heap, mut text) = (kerai_vm::value::Heap::new(1), Vec::new());
            cbor::decode(&mut heap, bytes, &Options::CANONICAL)
                .and_then(|value| encoding::json::encode(&heap, value, &Options::CANONICAL, &mut text))
                .map_err(|refusal| refusal.to_string())?;
            serde_json::from_slice::<Json>(&text).map_err(|fault| fault.to_string())
        };
        let mut rows = BTreeMap::new();
        for row in self.0.rows().sorted() {
            let key = json(&row.key)?;
            let name = key.get(1).and_then(Json::as_str).unwrap_or_default().to_owned();
            rows.insert(name, json(&row.value)?);
        }
        Ok(rows)
    }
}

impl Fresh for Steps<'_> {
    /// How many steps did not trap.
    fn pass(&mut self) -> u64 {
        core::iter::from_fn(|| self.0.step()).map(|step| u64::from(step.is_ok())).sum()
    }
}

/// Two states that are to be joined.
struct Parts<'p> {
    machine: Machine<'p>,
    states: [Value; 2],
}

impl<'p> Parts<'p> {
    fn new(program: &'p Verified, parts: &[Vec<u8>; 2]) -> Outcome<Parts<'p>> {
        let mut machine = Machine::new(program, 1, Limits::DEFAULT);
        let mut decode = |bytes: &Vec<u8>| {
            cbor::decode(machine.heap(), bytes, &Options::SNAPSHOT).map_err(|refusal| refusal.to_string())
        };
        let [a, b] = parts;
        let states = [decode(a)?, decode(b)?];
        Ok(Parts { machine, states })
    }
}

impl Fresh for Parts<'_> {
    fn pass(&mut self) -> u64 {
        u64::from(matches!(self.machine.call("join", &self.states), Some(Ok(_))))
    }
}

/// The most that a fold, and a join, may take, in times as long as by hand.
const MOST: [f64; 2] = [2.5, 2.0];

/// Measures all that are wanted, and says which take too long.
pub fn run(wanted: impl Fn(&Merge) -> bool, plan: &Plan, json: bool) -> Outcome<()> {
    let wanted: Vec<&Merge> = MERGES.iter().filter(|merge| wanted(merge)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let events = events(plan.events, plan.seed)?;
    let mut slow = Vec::new();
    for merge in wanted {
        let reports = (merge.compare)(merge, &events, plan).map_err(|why| format!("{}: {why}", merge.name))?;
        for ((report, most), name) in
            reports.iter().zip(MOST).zip([merge.name.to_owned(), format!("{}-join", merge.name)])
        {
            if json {
                println!("{}", report.to_json(&name));
            } else {
                println!("\n{}", report.to_table(&name));
            }
            if let Some(multiple) = report.multiple(Role::Peer).filter(|multiple| *multiple > most) {
                slow.push(format!("{name} takes {multiple:.2} times as long as by hand, more than {most}"));
            }
        }
    }
    if slow.is_empty() { Ok(()) } else { Err(slow.join("\n")) }
}
