//! Two folds over one log: the rows that differ are exactly those in which a change was planted.

use crate::desk::{Numbers, Place, host, key, run, signers, stock, stocked};
use crate::faults::is_long;
use kerai_store::audit::Which;
use kerai_store::document::hash_from_hex;
use kerai_store::op::Draft;
use kerai_store::program::Stored;
use std::collections::BTreeSet;

/// A fold that keeps what was said last of each item, and of planted ones more.
fn fold(planted: &BTreeSet<String>) -> Stored {
    let names: Vec<String> = planted.iter().map(|name| format!("item == \"{name}\"")).collect();
    let is_planted = if names.is_empty() { "false".to_owned() } else { names.join(" or ") };
    let text = format!(
        "function fold(events)\n\
           local items = {{}}\n\
           for _, e in dpairs(events) do\n\
             local item = e.payload.item\n\
             items[item] = {{ count = e.payload.count }}\n\
             if {is_planted} then items[item].more = true end\n\
           end\n\
           return emit_json_canonical(\"items\", items)\n\
         end\n"
    );
    let program = kerai_golden::compile::lua(text.as_bytes()).expect("it compiles");
    Stored::from_bytes(&program.encode().expect("bytes")).expect("a fold")
}

#[test]
fn the_rows_that_differ_are_the_planted_ones() {
    let rounds = if is_long() { 100 } else { 6 };
    let place = Place::new();
    run(async {
        let mut store = stocked(&place, host()).await;
        let mut numbers = Numbers::from(77);
        let mut there: BTreeSet<String> = BTreeSet::new();
        for round in 0..rounds {
            let drafts: Vec<Draft> = (0..8)
                .map(|op| {
                    let item = format!("item {}", numbers.below(30));
                    there.insert(item.clone());
                    stock(round * 8 + op + 1, &item, numbers.below(9))
                })
                .collect();
            store.append(crate::desk::STREAM, &signers(), &drafts).await.expect("appended");
            let planted: BTreeSet<String> =
                (0..numbers.below(9)).map(|_| format!("item {}", numbers.below(40))).collect();
            let (old, new) = (fold(&BTreeSet::new()), fold(&planted));
            let rows = store.rows_by(crate::desk::STREAM, vec![old, new]).await.expect("rows");
            let [before, after] = rows.as_slice() else { panic!("two states") };
            assert_eq!((before.len(), after.len()), (there.len(), there.len()));
            let changed: BTreeSet<&Vec<u8>> = before.keys().filter(|key| before.get(*key) != after.get(*key)).collect();
            let expected: BTreeSet<Vec<u8>> = planted
                .intersection(&there)
                .map(|item| crate::desk::canonical(&format!("[\"items\",\"{item}\"]")))
                .collect();
            assert_eq!(changed, expected.iter().collect(), "round {round}");
        }
    });
}

#[test]
fn a_trace_shows_what_a_step_did() {
    let place = Place::new();
    run(async {
        let mut store = stocked(&place, host()).await;
        let drafts = [stock(5, "fig", 1), stock(9, "fig", 3), stock(7, "fig", 2)];
        store.append(crate::desk::STREAM, &signers(), &drafts).await.expect("appended");
        store.materialize(crate::desk::STREAM, &key("keeper")).await.expect("materialized");
        let row = crate::desk::canonical("[\"stock\",\"fig\"]");
        let mut traced =
            async |which| store.trace(crate::desk::STREAM, which, Some(row.clone())).await.map(|traced| traced.0);
        // The late op stands between the others, where it wrote what the last one wrote over.
        let late = traced(Which::Position(4)).await.expect("traced");
        assert_eq!((late.position, late.changes.put.len(), late.written), (4, 1, Some((1, 3))));
        let by_id = traced(Which::Op(late.op)).await.expect("traced");
        assert_eq!(by_id, late);
        let texts: Vec<(u32, u32)> = late.seen.iter().map(|seen| (seen.function, seen.instruction)).collect();
        assert_eq!(texts, [(1, 0), (1, 1), (1, 2), (1, 3), (1, 4)]);
        assert!(late.seen.iter().any(|seen| seen.reads.contains(&(3, "\"fig\"".into()))), "{:?}", late.seen);
        assert!(late.gas > 0 && late.trap.is_none());
        let mut refusal = async |which| traced(which).await.expect_err("none");
        assert_eq!(refusal(Which::Position(1)).await.code().map(|code| code.name()), Some("OP_UNFOLDED"));
        assert_eq!(refusal(Which::Position(9)).await.code().map(|code| code.name()), Some("LOG_SHORT"));
        let none = hash_from_hex(&"0".repeat(64)).expect("a hash");
        assert_eq!(refusal(Which::Op(none)).await.code().map(|code| code.name()), Some("LOG_SHORT"));
    });
}
