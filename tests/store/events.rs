//! Logs of the world: at every prefix, whatever came late, twice or after a rebinding, what is kept is what a refold gives.

#![expect(clippy::indexing_slicing, reason = "what a JSON document does not have is null")]

use crate::desk::{NOW, Numbers, Place, STREAM, everywhere, host_at, key, new_stream_of, run, signers};
use crate::grow::is_refold;
use kerai_golden::compile;
use kerai_store::op::Draft;
use kerai_store::program::Stored;
use kerai_store::{Answer, Materialized, Store};
use kerai_vm::bytecode::{Order, Program};
use kerai_vm::ulid::Ulid;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Names the folder of the vectors.
const VECTORS: &str = "KERAI_VECTORS";

/// When the ops are committed: after all of the events.
const LATER: u64 = NOW + 100_000_000_000;

/// So many ops are committed and materialized one by one, the others in batches.
const ONE_BY_ONE: usize = 60;

/// State that depends on the order: who touched a thing last, how often, and a chain over all.
const CHAIN: &str = "
function init() return { things = {}, chain = 7, times = 0 } end
function step(state, op)
  local name = op.payload.thing
  if type(name) ~= 'string' then error('no thing') end
  local thing = state.things[name]
  if thing == nil then thing = { count = 0 }; state.things[name] = thing end
  thing.count = thing.count + 1
  thing.last = op.ulid
  state.chain = (state.chain * 31 + #name + thing.count) % 1000003
  if op.received_ms ~= nil then state.times = state.times + 1 end
  return state
end
function finish(state)
  for name, thing in dpairs(state.things) do
    -- What is rare is there and goes again.
    if thing.count % 5 ~= 4 then emit('things', name, thing) end
  end
  emit('chain', '', { chain = state.chain, times = state.times })
end
";

/// A merge fold, whose joins are proven by what they are composed of.
const JOIN: &str = "
version: 1
reducers:
  - {id: size, kind: max, value: $.size}
  - {id: last, kind: lww, value: $.thing}
emit: [{path: state/size, reducer: size}, {path: state/last, reducer: last}]
";

fn stored(compiled: Result<Program, Vec<String>>) -> Stored {
    let program = compiled.unwrap_or_else(|said| panic!("{}", said.concat()));
    Stored::from_bytes(&program.encode().expect("bytes")).expect("a program")
}

fn chain(pragma: &str) -> Stored {
    stored(compile::lua(format!("{pragma}{CHAIN}").as_bytes()))
}

fn draft(number: usize, milliseconds: u64, payload: &Value) -> Draft {
    let ulid = Ulid::from_bytes((u128::from(milliseconds) << 80 | number as u128).to_be_bytes());
    let line = json!({ "ulid": ulid.to_string(), "type": "event", "payload": payload }).to_string();
    Draft::from_line(line.as_bytes()).unwrap_or_else(|refused| panic!("{line}: {refused}"))
}

/// Commits of a repository, by the clocks of those who made them.
fn commits(path: &Path) -> Vec<Draft> {
    let text = fs::read_to_string(path).expect("a file of commits");
    let read = |(number, line): (usize, &str)| {
        let commit: Value = serde_json::from_str(line).expect("a commit");
        let files = commit["files"].as_array().map_or(0, Vec::len);
        // Commits without files have no thing: poison for the fold.
        let thing = commit["files"][0][2].as_str();
        let payload =
            json!({ "thing": thing, "size": files, "subject": commit["subject"], "author": commit["author"] });
        draft(number, commit["authored"].as_u64().expect("a time") * 1000, &payload)
    };
    text.lines().enumerate().map(read).collect()
}

/// Earthquakes as they were listed, by when they were last looked at.
fn earthquakes(path: &Path) -> Vec<Draft> {
    let list: Value = serde_json::from_str(&fs::read_to_string(path).expect("a list")).expect("JSON");
    let read = |(number, quake): (usize, &Value)| {
        let about = &quake["properties"];
        let payload = json!({ "thing": about["net"], "size": about["sig"], "magnitude": about["mag"] });
        draft(number, about["updated"].as_u64().expect("a time"), &payload)
    };
    list["features"].as_array().expect("features").iter().enumerate().map(read).collect()
}

/// Commits everything in batches, some of it twice, and rebinds twice; each checkpoint is compared with a refold.
async fn follow(store: &mut Store, folds: [&Stored; 2], drafts: &[Draft], what: &str) {
    let mut numbers = Numbers::from(drafts.len() as u64);
    let (mut done, mut epochs, mut poisoned, mut repeated) = (0, BTreeSet::new(), 0, 0);
    let told = async |store: &mut Store, found: &Materialized| {
        is_refold(store, found, &format!("{what}, {done} of {}", drafts.len())).await;
        epochs.insert(found.checkpoint.epoch);
        poisoned = poisoned.max(found.poison.len());
        if done == drafts.len() {
            return Ok(false);
        }
        let size = if done < ONE_BY_ONE { 1 } else { 1 + numbers.below(90) as usize };
        let end = drafts.len().min(done + size);
        for half in [drafts.len() / 2, drafts.len() * 3 / 4] {
            if done < half && half <= end {
                let next = folds.get(epochs.len() % 2).copied();
                store.bind(STREAM, &signers(), next, None, None).await?;
            }
        }
        // Some of what was there before comes again.
        let batch = drafts.get(done.saturating_sub(3)..end).expect("a batch");
        let answers = store.append(STREAM, &signers(), batch).await?;
        repeated += answers.iter().filter(|answer| matches!(answer, Answer::Duplicate(_))).count();
        assert!(!answers.iter().any(|answer| matches!(answer, Answer::Refused(_))), "{what}: {answers:?}");
        done = end;
        Ok(true)
    };
    store.keep_up(STREAM, &key("keeper"), told).await.expect("kept up");
    assert_eq!((epochs.len(), repeated > drafts.len() / 90), (3, true), "{what}");
    assert!(poisoned > 0 || !what.contains("piccolo"), "{what}: no poison");
    // And whoever begins with nothing in memory.
    let cold = store.materialize(STREAM, &key("keeper")).await.expect("materialized");
    is_refold(store, &cold, what).await;
}

/// All folds on one log.
fn everything(name: &str, drafts: &[Draft]) {
    let [ulid, commit, join] = [chain(""), chain("--!order commit\n"), stored(compile::yaml(JOIN.as_bytes()))];
    assert_eq!([&ulid, &commit].map(|fold| fold.order()), [Order::Ulid, Order::Commit]);
    let is_late = drafts.windows(2).any(|pair| pair.first().map(|one| one.ulid) > pair.last().map(|one| one.ulid));
    assert!(is_late, "{name}: nothing is late");
    everywhere(|| {
        for (kind, folds) in [("ulid", [&ulid, &commit]), ("commit", [&commit, &join]), ("join", [&join, &ulid])] {
            let place = Place::new();
            run(async {
                let mut store = Store::open(&place.database(), host_at(LATER, |_| ())).await.expect("opens");
                new_stream_of(&mut store, folds.first().expect("a fold")).await;
                follow(&mut store, folds, drafts, &format!("{name} {kind}")).await;
                let verified = store.verify(STREAM, &[]).await.expect("verified");
                assert_eq!(verified.first_divergence, None, "{name} {kind}");
            });
        }
    });
}

fn vectors(folder: &str) -> Option<PathBuf> {
    let Some(vectors) = std::env::var_os(VECTORS) else {
        println!("without {VECTORS}: the logs of the world are not here");
        return None;
    };
    Some(Path::new(&vectors).join(folder))
}

#[test]
fn commits_of_a_repository() {
    if let Some(folder) = vectors("events-git") {
        everything("piccolo", &commits(&folder.join("piccolo.jsonl")));
    }
}

#[test]
fn earthquakes_of_a_week() {
    if let Some(folder) = vectors("events-usgs") {
        let quakes = earthquakes(&folder.join("earthquakes.geojson"));
        everything("earthquakes", quakes.get(..700).expect("many"));
    }
}
