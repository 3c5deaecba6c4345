//! The fold of invoices beside Lua and plain Rust: all events are decoded before, what comes of them is the same.

use crate::events::Events;
use crate::harness::{Contender, Fresh, Outcome, Plan, Report, Role, Work, in_turns, measure};
use crate::lua::{LoadedLua, PEERS, Peer, said};
use crate::machine::{Broken, Example, TURNS, Way, compiled};
use kerai_vm::bytecode::{Limits, Verified};
use kerai_vm::encoding::{self, Options};
use kerai_vm::fold::Folding;
use mlua::{Function, Table};
use serde_json::{Number, Value, json};
use std::collections::HashMap;

/// What the fold calls, where Lua has nothing of the kind: the events are a list, and its rows are nobody's here.
const SHIMS: &str = "dpairs = ipairs  function emit_json_canonical(_, value) return value end";

/// One of so many of the plan's events is folded where what metering costs is measured.
const BRIEF: usize = 20;

/// Our time of some events over that without metering.
pub fn metered(example: &Example, plan: &Plan) -> Outcome<f64> {
    let events = decoded(&Events::generate(plan.events / BRIEF, plan.seed))?;
    let program = compiled(example.lua)?;
    let side = |role: Role, name: &'static str, way: Way| stepping(role, name, (&program, way), &events);
    let without = side(Role::Ceiling, "kerai-unmetered", Way::Unmetered);
    in_turns(TURNS * plan.rounds, side(Role::Ours, "kerai", Way::Shipped), without)
}

/// Our fold of all events.
fn stepping<'p>(
    role: Role,
    name: &'static str,
    (program, way): (&'p Verified, Way),
    events: &'p [Event],
) -> Contender<'p> {
    let work = Work { units: events.len(), bytes: 0 };
    Contender::fresh(role, name, work, events.len() as u64, move || match Steps::new(program, way, events) {
        Ok(steps) => Box::new(steps),
        Err(_) => Box::new(Broken),
    })
}

/// Our fold step by step, beside Lua's and that of plain Rust; first of all, what comes of them is compared.
pub fn measure_fold(example: &Example, plan: &Plan) -> Outcome<Report> {
    let events = decoded(&Events::generate(plan.events, plan.seed))?;
    let program = compiled(example.lua)?;
    let expected = in_rust(&events).to_json();
    let checked = |name: &str, found: Value| {
        if found == expected { Ok(()) } else { Err(format!("{name} folds to something else than plain Rust")) }
    };
    checked("kerai", Steps::folded(&program, &events)?)?;
    let in_lua: Vec<InLua> =
        PEERS.iter().map(|peer| InLua::new(*peer, example.lua, &events)).collect::<Outcome<_>>()?;
    in_lua.iter().try_for_each(|lua| checked(lua.name, lua.folded()?))?;
    let work = Work { units: plan.events, bytes: 0 };
    let ours = |role: Role, name: &'static str, way: Way| stepping(role, name, (&program, way), &events);
    let mut contenders = vec![ours(Role::Ours, "kerai", Way::Shipped)];
    for lua in &in_lua {
        contenders.push(Contender::fresh(Role::Peer, lua.name, work, 1, || Box::new(lua.collected())));
    }
    contenders.extend([
        Contender::new(Role::Peer, "rust-hash-map", work, 1, || u64::from(!in_rust(&events).0.is_empty())),
        ours(Role::Ceiling, "kerai-unmetered", Way::Unmetered),
    ]);
    measure(format!("{} {}", plan.events, example.about), plan.rounds, contenders)
}

fn or_broken<'p>(steps: Outcome<Finished<'p>>) -> Box<dyn Fresh + 'p> {
    match steps {
        Ok(steps) => Box::new(steps),
        Err(_) => Box::new(Broken),
    }
}

/// So many events on top of all others.
pub const MORE: usize = 1000;

/// What some more events take when all others are folded and their rows are made, beside all from the start.
pub fn measure_more(example: &Example, plan: &Plan) -> Outcome<Report> {
    let events = decoded(&Events::generate(plan.events + MORE, plan.seed))?;
    let (before, more) = events.split_at_checked(plan.events).unwrap_or_default();
    let program = compiled(example.lua)?;
    let mut whole = Finished(Steps::new(&program, Way::Shipped, &events)?);
    let rows = whole.pass();
    let root = whole.0.folding.rows().state_root();
    let begun = |way: Way| -> Outcome<Finished> {
        let mut steps = Finished(Steps::new(&program, way, before)?);
        steps.pass();
        steps.0.offer(more)?;
        Ok(steps)
    };
    let mut grown = begun(Way::Shipped)?;
    if grown.pass() != rows || grown.0.folding.rows().state_root() != root {
        return Err("what is added comes to something else than all from the start".to_owned());
    }
    let work = Work { units: plan.events, bytes: 0 };
    let contenders = vec![
        Contender::fresh(Role::Ours, "a-thousand-more", work, rows, || or_broken(begun(Way::Shipped))),
        Contender::fresh(Role::Peer, "from-the-start", work, rows, || {
            or_broken(Steps::new(&program, Way::Shipped, &events).map(Finished))
        }),
        Contender::fresh(Role::Ceiling, "unmetered", work, rows, || or_broken(begun(Way::Unmetered))),
    ];
    measure(format!("{} {}", plan.events, example.about), plan.rounds, contenders)
}

/// An event as the peers have it.
pub struct Event {
    json: Vec<u8>,
    kind: String,
    ulid: String,
    id: String,
    amount: Option<Number>,
}

pub fn decoded(events: &Events) -> Outcome<Vec<Event>> {
    let event = |bytes: &[u8]| {
        let json: Value = serde_json::from_slice(bytes).ok()?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let payload = json.get("payload")?;
        Some(Event {
            json: bytes.to_vec(),
            kind: text(json.get("type")?)?,
            ulid: text(json.get("ulid")?)?,
            id: text(payload.get("id")?)?,
            amount: payload.get("amount").and_then(Value::as_number).cloned(),
        })
    };
    events.json.each().map(event).collect::<Option<_>>().ok_or_else(|| "an event is not as it should be".to_owned())
}

// Ours.

/// A fold whose operations wait.
struct Steps<'p> {
    folding: Folding<'p>,
    way: Way,
}

impl<'p> Steps<'p> {
    fn new(program: &'p Verified, way: Way, events: &[Event]) -> Outcome<Steps<'p>> {
        let folding = Folding::new(program, 1, Limits::DEFAULT).map_err(|fault| format!("{fault:?}"))?;
        let mut steps = Steps { folding, way };
        steps.offer(events)?;
        Ok(steps)
    }

    fn offer(&mut self, events: &[Event]) -> Outcome<()> {
        let offer = |event: &Event| self.folding.offer_json(&event.json).map_err(|refusal| refusal.to_string());
        events.iter().try_for_each(offer)
    }

    /// The invoices that all events come to.
    fn folded(program: &'p Verified, events: &[Event]) -> Outcome<Value> {
        let mut steps = Steps::new(program, Way::Shipped, events)?;
        steps.pass();
        let (heap, state) = steps.folding.state();
        let mut out = Vec::new();
        encoding::json::encode(heap, state, &Options::default(), &mut out).map_err(|refusal| refusal.to_string())?;
        invoices_of(&out)
    }
}

/// The invoices of a state in JSON, as those of the peers are.
pub fn invoices_of(state: &[u8]) -> Outcome<Value> {
    let state: Value = serde_json::from_slice(state).map_err(|error| error.to_string())?;
    // The fold's one variable.
    let invoices = state.get(0).and_then(Value::as_object).ok_or("the state is no list of a map")?;
    let text = |invoice: &Value, name: &str| invoice.get(name).and_then(Value::as_str).map(str::to_owned);
    let shown = |(key, invoice): (&String, &Value)| {
        let amount = invoice.get("amount")?.as_f64()?;
        let [id, status, ts] = ["id", "status", "ts"].map(|name| text(invoice, name));
        Some((key.clone(), invoice_json(&id?, amount, &status?, &ts?)))
    };
    let all: Option<serde_json::Map<String, Value>> = invoices.iter().map(shown).collect();
    Ok(Value::Object(all.ok_or("an invoice is not as it should be")?))
}

impl Fresh for Steps<'_> {
    /// How many steps did not trap.
    fn pass(&mut self) -> u64 {
        let mut done = 0;
        loop {
            let step = match self.way {
                Way::Shipped => self.folding.step(),
                Way::Unmetered => self.folding.step_unmetered(),
            };
            match step {
                Some(result) => done += u64::from(result.is_ok()),
                None => return done,
            }
        }
    }
}

/// A fold whose operations wait, and whose rows are made after them.
struct Finished<'p>(Steps<'p>);

impl Fresh for Finished<'_> {
    /// How many rows there are then.
    fn pass(&mut self) -> u64 {
        self.0.pass();
        let finished = self.0.folding.finish();
        finished.map_or(0, |_| self.0.folding.rows().sorted().len() as u64)
    }
}

// Lua.

pub struct InLua {
    name: &'static str,
    lua: LoadedLua,
    fold: Function,
    events: Table,
}

impl InLua {
    pub fn new(peer: Peer, source: &str, events: &[Event]) -> Outcome<InLua> {
        let lua = LoadedLua::new(peer, source)?;
        lua.lua.load(SHIMS).exec().map_err(said)?;
        let list = lua.lua.create_table().map_err(said)?;
        for event in events {
            list.push(in_lua(&lua, event).map_err(said)?).map_err(said)?;
        }
        Ok(InLua { name: peer.name, fold: lua.function("fold")?, lua, events: list })
    }

    /// The fold, with nothing left of earlier passes.
    fn collected(&self) -> LuaPass {
        // What can't be collected is only slower.
        let _ = self.lua.lua.gc_collect().and_then(|()| self.lua.lua.gc_collect());
        LuaPass { fold: self.fold.clone(), events: self.events.clone() }
    }

    pub fn folded(&self) -> Outcome<Value> {
        let invoices: Table = self.fold.call(self.events.clone()).map_err(said)?;
        let mut all = serde_json::Map::new();
        for pair in invoices.pairs::<String, Table>() {
            let (id, invoice) = pair.map_err(said)?;
            let text = |name: &str| invoice.get::<String>(name).map_err(said);
            let amount: f64 = invoice.get("amount").map_err(said)?;
            all.insert(id, invoice_json(&text("id")?, amount, &text("status")?, &text("ts")?));
        }
        Ok(Value::Object(all))
    }
}

fn in_lua(lua: &LoadedLua, event: &Event) -> mlua::Result<Table> {
    let (whole, payload) = (lua.lua.create_table()?, lua.lua.create_table()?);
    payload.set("id", event.id.as_str())?;
    match event.amount.as_ref().map(|amount| (amount.as_i64(), amount.as_f64())) {
        Some((Some(integer), _)) => payload.set("amount", integer)?,
        Some((None, Some(float))) => payload.set("amount", float)?,
        Some((None, None)) | None => {}
    }
    whole.set("type", event.kind.as_str())?;
    whole.set("ulid", event.ulid.as_str())?;
    whole.set("payload", payload)?;
    Ok(whole)
}

struct LuaPass {
    fold: Function,
    events: Table,
}

impl Fresh for LuaPass {
    fn pass(&mut self) -> u64 {
        let folded: mlua::Result<Table> = self.fold.call(&self.events);
        folded.map_or(0, |invoices| u64::from(!invoices.is_empty()))
    }
}

// Plain Rust.

struct Invoice {
    id: String,
    amount: Option<Number>,
    status: &'static str,
    ts: String,
}

struct Invoices(HashMap<String, Invoice>);

fn in_rust(events: &[Event]) -> Invoices {
    let mut invoices: HashMap<String, Invoice> = HashMap::new();
    for event in events {
        let ts = event.ulid.clone();
        if event.kind == "intent.exec.insert_invoice" {
            let (id, amount) = (event.id.clone(), event.amount.clone());
            invoices.insert(id.clone(), Invoice { id, amount, status: "draft", ts });
        } else if event.kind == "intent.exec.approve_invoice"
            && let Some(invoice) = invoices.get_mut(&event.id)
        {
            (invoice.status, invoice.ts) = ("approved", ts);
        }
    }
    Invoices(invoices)
}

impl Invoices {
    fn to_json(&self) -> Value {
        let json = |invoice: &Invoice| {
            let amount = invoice.amount.as_ref().and_then(Number::as_f64).unwrap_or_default();
            invoice_json(&invoice.id, amount, invoice.status, &invoice.ts)
        };
        Value::Object(self.0.iter().map(|(id, invoice)| (id.clone(), json(invoice))).collect())
    }
}

fn invoice_json(id: &str, amount: f64, status: &str, ts: &str) -> Value {
    json!({ "id": id, "amount": amount, "status": status, "ts": ts })
}
