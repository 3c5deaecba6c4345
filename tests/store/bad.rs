//! Bad input: each wrong op meets its code, and nothing is lost or half written.

use crate::desk::{
    NOW, Place, STREAM, all_told, create, draft, everywhere, host, host_at, host_of, key, run, sign, signers, stock,
    stocked, ulid,
};
use kerai_store::backend::Address;
use kerai_store::document::Hash;
use kerai_store::fault::Fault;
use kerai_store::host::Host;
use kerai_store::op::{Draft, Op, SignedOp};
use kerai_store::{Store, key as key_file};
use kerai_tests::server::{self, Server};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// The next op of the keeper's chain, as it should be.
async fn next(store: &mut Store) -> Op {
    let ops = store.ops(STREAM).await.expect("ops");
    let (first, last) = (ops.first().expect("a genesis"), ops.last().expect("a last op"));
    let genesis = Op::decode(&first.signed.body).expect("an op");
    Op {
        stream: Some(first.columns.op_id),
        ulid: ulid(1000 + last.columns.sequence),
        sequence: last.columns.sequence + 1,
        previous: Some(last.columns.op_id),
        kind: "stock.set".into(),
        ..genesis
    }
}

const PAYLOAD: &str = "{\"item\":\"fig\",\"count\":1}";

async fn told(store: &mut Store, op: SignedOp) -> String {
    all_told(&store.ingest(STREAM, &[op]).await.expect("ingested")).concat()
}

type Wrong = (&'static str, fn(Op) -> Op);

#[test]
fn ops_that_extend_their_chain_have_an_outcome() {
    everywhere(|| {
        let cases: &[Wrong] = &[
            ("2 admitted", |op| op),
            ("2 rejected CLOCK_SKEW", |op| Op {
                ulid: kerai_vm::ulid::Ulid::from_bytes(((u128::from(NOW + 300_001)) << 80).to_be_bytes()),
                ..op
            }),
            ("2 admitted", |op| Op {
                ulid: kerai_vm::ulid::Ulid::from_bytes(((u128::from(NOW + 300_000)) << 80).to_be_bytes()),
                ..op
            }),
            ("2 admitted", |op| Op { ulid: kerai_vm::ulid::Ulid::from_bytes([0; 16]), ..op }),
            ("2 admitted", |op| Op { resource: Some("gatos://shop/stock/fig".into()), ..op }),
            ("2 rejected BAD_PATH", |op| Op { resource: Some("gatos://shop/stock/../keys".into()), ..op }),
            ("2 rejected BAD_PATH", |op| Op {
                resource: Some("gatos://shop/stock/'; DROP TABLE ops; --\0".into()),
                ..op
            }),
            ("2 rejected BAD_PATH", |op| Op { resource: Some("gatos://shop/stock/\u{202e}gif".into()), ..op }),
            ("2 rejected BAD_PATH", |op| Op { resource: Some(String::new()), ..op }),
            ("2 rejected ACTOR_UNBOUND", |op| Op { actor: "guest".into(), ..op }),
            ("2 rejected ACTOR_UNBOUND", |op| Op { actor: "keeper'; --".into(), ..op }),
            ("2 rejected EPOCH_BROKEN", |op| Op { fold_root: [7; 32], ..op }),
            ("2 rejected EPOCH_BROKEN", |op| Op { policy_root: [7; 32], ..op }),
        ];
        for (expected, wrong) in cases {
            let place = Place::new();
            run(async {
                let mut store = stocked(&place, host()).await;
                let op = wrong(next(&mut store).await);
                assert_eq!(&told(&mut store, sign(op.clone(), PAYLOAD, &key("keeper"))).await, expected, "{op:?}");
                store.materialize(STREAM, &key("keeper")).await.expect("materialized");
                assert_eq!(store.verify(STREAM, &[]).await.expect("verified").first_divergence, None, "{expected}");
            });
        }
    });
}

/// The code, how many ops are kept as evidence, and how the op goes wrong.
type Placeless = (&'static str, usize, fn(Op) -> SignedOp);

#[test]
fn ops_that_have_no_place_are_counted_and_forks_are_kept() {
    everywhere(|| {
        let cases: &[Placeless] = &[
            ("PROOF_INVALID", 0, |op| SignedOp { signature: [0; 64], ..sign(op, PAYLOAD, &key("keeper")) }),
            ("PROOF_INVALID", 0, |op| sign(op, PAYLOAD, &key("guest"))),
            ("AUTHOR_UNKNOWN", 0, |op| sign(Op { author: key("stranger").public(), ..op }, PAYLOAD, &key("stranger"))),
            ("STREAM_OTHER", 0, |op| sign(Op { stream: Some([1; 32]), ..op }, PAYLOAD, &key("keeper"))),
            ("CHAIN_GAP", 0, |op| sign(Op { sequence: op.sequence + 1, ..op }, PAYLOAD, &key("keeper"))),
            ("CHAIN_FORK", 1, |op| sign(Op { sequence: op.sequence - 1, ..op }, PAYLOAD, &key("keeper"))),
            ("FF_VIOLATION", 1, |op| sign(Op { previous: Some([9; 32]), ..op }, PAYLOAD, &key("keeper"))),
            ("PAYLOAD_ROOT", 0, |op| {
                let other = sign(op.clone(), "{\"item\":\"fig\",\"count\":2}", &key("keeper"));
                SignedOp { payload: other.payload, ..sign(op, PAYLOAD, &key("keeper")) }
            }),
            ("PAYLOAD_ROOT", 0, |op| SignedOp {
                salts: kerai_store::op::Salts::default(),
                ..sign(op, PAYLOAD, &key("keeper"))
            }),
            ("OP_FORM", 0, |op| {
                let signed = sign(op, PAYLOAD, &key("keeper"));
                SignedOp { body: [&signed.body[..], &[0]].concat(), ..signed }
            }),
            ("OP_SIZE", 0, |op| SignedOp { body: vec![0; 1 << 20], ..sign(op, PAYLOAD, &key("keeper")) }),
        ];
        for (expected, forks, wrong) in cases {
            let place = Place::new();
            run(async {
                let mut store = stocked(&place, host()).await;
                store.append(STREAM, &signers(), &[stock(1, "apple", 1)]).await.expect("appended");
                let op = wrong(next(&mut store).await);
                assert_eq!(&told(&mut store, op.clone()).await, expected);
                assert_eq!(&told(&mut store, op).await, expected, "again");
                assert_eq!(store.ops(STREAM).await.expect("ops").len(), 2, "{expected} has no position");
                let (counted, kept) = store.refusals(STREAM).await.expect("refusals");
                assert_eq!((counted.get(*expected), kept.len()), (Some(&2), *forks), "{expected}");
            });
        }
    });
}

#[test]
fn one_ulid_one_content() {
    everywhere(|| {
        let place = Place::new();
        run(async {
            let mut store = stocked(&place, host()).await;
            for (payload, expected) in [
                (PAYLOAD, "2 admitted"),
                (PAYLOAD, "3 rejected REPEATED"),
                ("{\"item\":\"fig\",\"count\":2}", "4 rejected DUP_COMMIT"),
            ] {
                let op = Op { ulid: ulid(5), ..next(&mut store).await };
                assert_eq!(told(&mut store, sign(op, payload, &key("keeper"))).await, expected);
            }
            // Another author may use the same ULID.
            let guest = Draft { actor: Some("guest".into()), ..stock(5, "fig", 1) };
            let answers = store.append(STREAM, &signers(), &[guest]).await.expect("appended");
            assert_eq!(all_told(&answers), ["5 denied POLICY_DENY"]);
        });
    });
}

#[test]
fn lines_that_are_no_ops_are_refused() {
    let ulid = ulid(1);
    let cases = [
        "",
        "[]",
        "{\"ulid\":\"x\",\"type\":\"t\",\"payload\":1}",
        &format!("{{\"type\":\"t\",\"payload\":1,\"ulid\":\"{}\"}}", ulid.to_string().to_lowercase()),
        &format!("{{\"ulid\":\"{ulid}\",\"payload\":1}}"),
        &format!("{{\"ulid\":\"{ulid}\",\"type\":\"\",\"payload\":1}}"),
        &format!("{{\"ulid\":\"{ulid}\",\"type\":\"a\\nb\",\"payload\":1}}"),
        &format!("{{\"ulid\":\"{ulid}\",\"type\":\"t\"}}"),
        &format!("{{\"ulid\":\"{ulid}\",\"type\":\"t\",\"payload\":1,\"received_ms\":1}}"),
        &format!("{{\"ulid\":\"{ulid}\",\"type\":\"t\",\"payload\":1,\"other\":1}}"),
        &format!("{{\"ulid\":\"{ulid}\",\"type\":\"t\",\"payload\":1,\"payload\":1}}"),
        &format!("{{\"ulid\":\"{ulid}\",\"type\":\"t\",\"payload\":1e99}}"),
        &format!("{{\"ulid\":\"{ulid}\",\"type\":\"t\",\"payload\":1,\"caps\":\"all\"}}"),
        &format!("{{\"ulid\":\"{ulid}\",\"type\":\"t\",\"payload\":1,\"actor\":7}}"),
    ];
    for case in cases {
        let refused = Draft::from_line(case.as_bytes()).expect_err(case);
        assert_eq!(refused.code.name(), "OP_FORM", "{case}");
    }
    // An actor that cannot be signed for, and one without a name, are refused one by one.
    let place = Place::new();
    run(async {
        let mut store = stocked(&place, host()).await;
        let drafts = [draft(1, "\"payload\":1,\"actor\":\"nobody\""), draft(2, "\"payload\":2")];
        let answers = store.append(STREAM, &signers(), &drafts).await.expect("appended");
        assert_eq!(all_told(&answers), ["ACTOR_UNBOUND", "2 admitted"]);
        let ahead = Draft { ulid: kerai_vm::ulid::Ulid::from_bytes([0x7f; 16]), ..stock(3, "fig", 1) };
        assert_eq!(all_told(&store.append(STREAM, &signers(), &[ahead]).await.expect("appended")), ["CLOCK_SKEW"]);
        assert_eq!(store.ops(STREAM).await.expect("ops").len(), 2);
    });
}

#[test]
fn governance_moves_by_its_ops_alone() {
    everywhere(|| {
        let place = Place::new();
        run(async {
            let mut store = stocked(&place, host()).await;
            let governance = |number, kind: &str, payload: &str| Draft {
                kind: format!("governance.{kind}"),
                ..draft(number, &format!("\"payload\":{payload}"))
            };
            let by_guest = |draft: Draft| Draft { actor: Some("guest".into()), ..draft };
            let zeros = format!("sha256:{}", "0".repeat(64));
            let unknown =
                format!("{{\"fold_root\":\"{zeros}\",\"policy_root\":\"{zeros}\",\"governance_root\":\"{zeros}\"}}");
            let members = "{\"group\":\"owner\",\"members\":[\"keeper\",\"guest\"]}";
            let drafts = [
                by_guest(governance(1, "group", members)),
                by_guest(stock(2, "fig", 9)),
                governance(3, "bind", &unknown),
                governance(4, "bind", "{}"),
                governance(5, "actor", "{\"actor\":\"guest\",\"keys\":[\"none\"]}"),
                governance(6, "actor", "{\"keys\":[]}"),
                governance(7, "group", members),
                by_guest(stock(8, "fig", 1)),
                governance(9, "actor", "{\"actor\":\"guest\"}"),
                by_guest(stock(10, "fig", 2)),
            ];
            let answers = store.append(STREAM, &signers(), &drafts).await.expect("appended");
            let expected = [
                "2 denied POLICY_DENY",
                "3 denied POLICY_DENY",
                "4 rejected GOVERNANCE_BROKEN",
                "5 rejected GOVERNANCE_BROKEN",
                "6 rejected GOVERNANCE_BROKEN",
                "7 rejected GOVERNANCE_BROKEN",
                "8 admitted",
                "9 admitted",
                "10 admitted",
                "AUTHOR_UNKNOWN",
            ];
            assert_eq!(all_told(&answers), expected);
            store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            let verified = store.verify(STREAM, &[]).await.expect("verified");
            assert_eq!((verified.first_divergence, verified.checked.rows), (None, 1));
        });
    });
}

#[test]
fn grants_end() {
    everywhere(|| {
        let place = Place::new();
        run(async {
            let governance = |number, kind: &str, payload: &str| Draft {
                kind: format!("governance.{kind}"),
                ..draft(number, &format!("\"payload\":{payload}"))
            };
            let claims = |number, caps: &str| {
                draft(number, &format!("\"payload\":{{\"item\":\"fig\",\"count\":{number}}},\"caps\":{caps}"))
            };
            let expiring = format!("{{\"grant\":\"soon\",\"actor\":\"keeper\",\"expires_ms\":{}}}", NOW + 1000);
            let mut store = stocked(&place, host()).await;
            let drafts = [
                governance(1, "grant", &expiring),
                governance(2, "grant", "{\"grant\":\"theirs\",\"actor\":\"guest\"}"),
                governance(3, "grant", "{\"grant\":\"any\"}"),
                claims(4, "[\"soon\",\"any\",\"what the policy may know\"]"),
                claims(5, "[\"theirs\"]"),
                claims(6, "{\"theirs\":true}"),
                governance(7, "grant", "{\"grant\":\"more\",\"prev\":\"any\",\"revokes\":[\"theirs\"]}"),
                claims(8, "[\"any\"]"),
                claims(9, "[\"theirs\"]"),
                claims(10, "[\"more\"]"),
                governance(11, "grant", "{\"grant\":\"lost\",\"prev\":\"any\"}"),
                governance(12, "grant", "{\"grant\":\"any\"}"),
                claims(13, "[\"any\"]"),
                governance(14, "revoke", "{\"grant\":\"more\"}"),
                claims(15, "[\"more\"]"),
                governance(16, "grant", "{\"grant\":\"odd\",\"expires_ms\":\"soon\"}"),
            ];
            let answers = store.append(STREAM, &signers(), &drafts).await.expect("appended");
            let expected = [
                "2 admitted",
                "3 admitted",
                "4 admitted",
                "5 admitted",
                "6 rejected CAP_FOREIGN",
                "7 rejected CAP_FOREIGN",
                "8 admitted",
                "9 rejected CAP_REVOKED",
                "10 rejected CAP_REVOKED",
                "11 admitted",
                "12 rejected GOVERNANCE_BROKEN",
                "13 admitted",
                "14 rejected CAP_REVOKED",
                "15 admitted",
                "16 rejected CAP_REVOKED",
                "17 rejected GOVERNANCE_BROKEN",
            ];
            assert_eq!(all_told(&answers), expected);
            drop(store);
            // What counts is when the log receives it, to the millisecond.
            for (now, number, expected) in [(NOW + 999, 20, "18 admitted"), (NOW + 1000, 21, "19 rejected CAP_EXPIRED")]
            {
                let mut store = Store::open(&place.database(), host_of(number, now, |_| ())).await.expect("opens");
                let claim = [claims(number, "[\"soon\"]")];
                assert_eq!(all_told(&store.append(STREAM, &signers(), &claim).await.expect("appended")), [expected]);
            }
            let mut store = Store::open(&place.database(), host()).await.expect("opens");
            store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            assert_eq!(store.verify(STREAM, &[]).await.expect("verified").first_divergence, None);
        });
    });
}

#[test]
fn keys_are_replaced() {
    everywhere(|| {
        let place = Place::new();
        run(async {
            let mut store = stocked(&place, host()).await;
            let next = key("the guest's next").public();
            let rotated = store.rotate(STREAM, "guest", key("guest"), &next).await.expect("an answer");
            assert_eq!(rotated.as_ref().map(crate::desk::told).as_deref(), Some("2 admitted"), "its own key it may");
            assert_eq!(store.rotate(STREAM, "guest", key("guest"), &next).await.expect("an answer"), None);
            let by_guest = |number, name: &str| {
                let keys = std::collections::BTreeMap::from([("guest".to_owned(), key(name))]);
                (kerai_store::Signers { keys, default: "guest".into() }, [stock(number, "fig", number)])
            };
            for (number, name, expected) in
                [(1, "guest", "AUTHOR_UNKNOWN"), (2, "the guest's next", "3 denied POLICY_DENY")]
            {
                let (signers, drafts) = by_guest(number, name);
                let answers = store.append(STREAM, &signers, &drafts).await.expect("appended");
                assert_eq!(all_told(&answers), [expected]);
            }
            // Another's key it may not replace, nor a key that nobody has.
            let rotate = |number, actor: &str, prev: &str| {
                let [prev, to] = [key(prev).public(), [5; 32]].map(|key| kerai_store::document::to_hex(&key));
                Draft {
                    kind: "governance.rotate".into(),
                    ..draft(
                        number,
                        &format!("\"payload\":{{\"actor\":\"{actor}\",\"prev\":\"{prev}\",\"key\":\"{to}\"}}"),
                    )
                }
            };
            let (signers_of_guest, _) = by_guest(0, "the guest's next");
            let harm = [rotate(5, "keeper", "keeper")];
            let answers = store.append(STREAM, &signers_of_guest, &harm).await.expect("appended");
            assert_eq!(all_told(&answers), ["4 denied POLICY_DENY"]);
            let wrong = [rotate(6, "keeper", "guest"), rotate(7, "nobody", "guest")];
            let answers = store.append(STREAM, &signers(), &wrong).await.expect("appended");
            assert_eq!(all_told(&answers), ["5 rejected GOVERNANCE_BROKEN", "6 rejected GOVERNANCE_BROKEN"]);
            store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            assert_eq!(store.verify(STREAM, &[]).await.expect("verified").first_divergence, None);
        });
    });
}

#[test]
fn names_that_would_do_harm_are_refused() {
    everywhere(|| {
        let place = Place::new();
        run(async {
            let mut store = Store::open(&place.database(), host()).await.expect("opens");
            for name in
                ["", ".", "..", "a/b", "a\\b", "a%b", "a\0b", "a\nb", "a\u{202e}b", "e\u{301}", &"x".repeat(257)]
            {
                let made = store.create(&crate::desk::new_stream(name, &crate::desk::Parts::new())).await;
                assert_eq!(code(&made.expect_err(name)), "STREAM_NAME", "{name:?}");
            }
            let odd = "'; DROP TABLE streams; --";
            create(&mut store, odd).await;
            let twice = store.create(&crate::desk::new_stream(odd, &crate::desk::Parts::new())).await;
            assert_eq!(code(&twice.expect_err("a name is used once")), "STREAM_EXISTS");
            let names: Vec<String> =
                store.streams().await.expect("streams").into_iter().map(|stream| stream.name).collect();
            assert_eq!(names, [odd]);
            let missing = store.append("none", &signers(), &[stock(1, "fig", 1)]).await;
            assert_eq!(code(&missing.expect_err("there is none")), "STREAM_UNKNOWN");
        });
    });
}

fn code(fault: &Fault) -> &'static str {
    fault.code().map_or("no code", kerai_store::code::Code::name)
}

#[test]
fn databases_of_others_are_left_alone() {
    everywhere(|| {
        let (newer, foreign) = (Place::new(), Place::new());
        run(async {
            drop(stocked(&newer, host()).await);
            let mark = if newer.is_on_server() { "UPDATE schema SET version = 5" } else { "PRAGMA user_version = 5" };
            newer.raw().await.execute(mark).await.expect("set");
            let opened = Store::open(&newer.database(), host()).await;
            assert_eq!(opened.err().as_ref().map(code), Some("SCHEMA_NEWER"));
            fs::create_dir_all(foreign.path().join(".kerai")).expect("a folder");
            let make = if newer.is_on_server() { "CREATE SCHEMA kerai; CREATE TABLE" } else { "CREATE TABLE" };
            foreign.raw().await.execute(&format!("{make} theirs (a int)")).await.expect("made");
            let opened = Store::open(&foreign.database(), host()).await;
            assert_eq!(opened.err().as_ref().map(code), Some("SCHEMA_FOREIGN"));
        });
    });
}

/// Who asks for TLS and comes to a server that has none is told so, and is not served without.
#[test]
fn a_server_without_tls_is_told() {
    let place = server::the_server().map(|server| server.url("postgres"));
    for mode in ["require", "verify-ca", "verify-full"] {
        let Some(url) = &place else { return };
        let url = format!("{url}{}sslmode={mode}", if url.contains('?') { "&" } else { "?" });
        let address = Address::of(&url).expect("an address");
        let told = run(Store::open(&address, host())).err().expect("there is no TLS");
        assert_eq!(code(&told), "DATABASE_TLS", "{mode}: {told}");
    }
}

/// A server that is reached by TLS alone holds a log as any other does; one that nobody vouches for is not trusted.
#[test]
fn a_server_with_tls_is_reached() {
    let Some(binaries) = server::binaries() else {
        server::the_server();
        return;
    };
    let certificates = Path::new(env!("CARGO_MANIFEST_DIR")).join("store/tls");
    let folder = server::folder("tls");
    let server = Server::encrypted(&binaries, &folder, &certificates);
    let url = server.url("postgres");
    let opened = |rest: String| {
        let address = Address::of(&format!("{url}?{rest}")).expect("an address");
        run(Store::open(&address, host()))
    };
    let vouched = |name: &str| format!("sslrootcert={}", certificates.join(name).display());
    for good in [
        String::new(),
        "sslmode=require".into(),
        format!("sslmode=verify-ca&{}", vouched("root.crt")),
        format!("sslmode=verify-full&{}", vouched("root.crt")),
    ] {
        let store = opened(good.clone()).map_err(|told| format!("{good}: {told}"));
        drop(store.expect("opens"));
    }
    for bad in ["verify-ca", "verify-full"] {
        for root in [String::new(), vouched("other.crt")] {
            let told = opened(format!("sslmode={bad}&{root}")).err().expect("nobody vouches for it");
            assert_eq!(code(&told), "DATABASE_TLS", "{bad} {root}: {told}");
        }
    }
    // The name that was vouched for is another.
    let elsewhere = url.replace("localhost", "127.0.0.1");
    let address = Address::of(&format!("{elsewhere}?sslmode=verify-full&{}", vouched("root.crt"))).expect("an address");
    let told = run(Store::open(&address, host())).err().expect("another name");
    assert_eq!(code(&told), "DATABASE_TLS", "{told}");
    let told = opened("sslmode=disable".into()).err().expect("it lets nobody in without");
    assert_ne!(code(&told), "DATABASE_TLS", "{told}");
    // And all the rest goes as it does elsewhere.
    let address = Address::of(&format!("{url}?sslmode=verify-full&{}", vouched("root.crt"))).expect("an address");
    run(async {
        let mut store = Store::open(&address, host()).await.expect("opens");
        crate::desk::create(&mut store, STREAM).await;
        store.append(STREAM, &signers(), &[stock(1, "fig", 1)]).await.expect("appended");
        let verified = store.verify(STREAM, &[]).await.expect("verified");
        // The stream's own first op, and this one.
        assert_eq!((verified.first_divergence, verified.checked.ops), (None, 2));
    });
}

/// Names to the child the file that it fills, and how many blocks of 512 bytes that may have.
const QUOTA: &str = "KERAI_TEST_QUOTA";
const BLOCKS: u64 = 4000;

/// Not a test by itself: the process whose disk is full. Without its variable there is nothing to do.
#[test]
fn child_fills() {
    let Ok(url) = std::env::var(QUOTA) else { return };
    let database = Address::of(&url).expect("an address");
    run(async {
        let mut store = Store::open(&database, host_of(7, NOW, |_| ())).await.expect("open");
        for number in 0..100_000 {
            match store.append(STREAM, &signers(), &[stock(number, &"fig".repeat(100), 1)]).await {
                Ok(answers) => assert!(all_told(&answers).concat().contains("admitted")),
                Err(fault) => return println!("\nfull: {} after {}", code(&fault), number),
            }
        }
    });
}

/// A bound on the size of files is reached in the middle of a transaction: it is told by a code, all that was reported is
/// there, nothing else is, and when there is room again the work goes on.
#[cfg(unix)]
#[test]
fn a_full_disk_loses_nothing() {
    let place = Place::new();
    run(async {
        drop(stocked(&place, host()).await);
    });
    let program = std::env::current_exe().expect("this program");
    let script = format!("trap '' XFSZ; ulimit -f {BLOCKS}; exec \"$0\" bad::child_fills --exact --nocapture");
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .arg(program)
        .env(QUOTA, place.file().display().to_string())
        .output()
        .expect("it runs");
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    let full = output.lines().find_map(|line| line.strip_prefix("full: ")).unwrap_or_else(|| panic!("{output}"));
    let (code, count) = full.split_once(" after ").expect("a count");
    assert!(["DATABASE_FULL", "DATABASE_DISK"].contains(&code), "{full}");
    let count: usize = count.parse().expect("a count");
    assert!(count > 10, "{full}");
    run(async {
        let mut store = Store::open(&place.database(), host()).await.expect("open");
        assert_eq!(store.ops(STREAM).await.expect("ops").len(), 1 + count, "what was reported, and no more");
        let more = store.append(STREAM, &signers(), &[stock(200_000, "fig", 1)]).await.expect("there is room again");
        assert!(all_told(&more).concat().contains("admitted"));
        store.materialize(STREAM, &key("keeper")).await.expect("materialized");
        assert_eq!(store.verify(STREAM, &[]).await.expect("verified").first_divergence, None);
    });
}

#[test]
fn what_is_no_database_is_told_of() {
    let place = Place::new();
    let opened = |address: &Address| run(Store::open(address, host())).err().as_ref().map(code);
    fs::create_dir_all(place.path().join(".kerai")).expect("a folder");
    fs::write(place.file(), vec![b'x'; 8192]).expect("written");
    assert_eq!(opened(&place.database()), Some("SCHEMA_FOREIGN"));
    assert_eq!(opened(&Address::File(place.path().into())), Some("DATABASE_DENIED"));
    let nowhere = Address::of("postgres://nobody@localhost/none?host=/nowhere").expect("an address");
    assert_eq!(opened(&nowhere), Some("DATABASE_GONE"));
    for wrong in ["", "mysql://localhost/x", "sqlite:"] {
        assert_eq!(Address::of(wrong), None, "{wrong}");
    }
    if let Some(server) = kerai_tests::server::the_server() {
        let missing = Address::of(&server.url("no_such_database")).expect("an address");
        assert_eq!(opened(&missing), Some("DATABASE_ADDRESS"));
    }
}

#[test]
fn the_database_itself_refuses() {
    everywhere(|| {
        let place = Place::new();
        run(async {
            drop(stocked(&place, host()).await);
            let mut connection = place.raw().await;
            let copy = |roots: &str| {
                format!(
                    "INSERT INTO ops SELECT stream, 2, 2, {roots}, is_governance, author, ulid, outcome, body, payload, salts, \
                     signature, record FROM ops WHERE position = 1"
                )
            };
            for (change, is_taken) in [
                (copy("fold, policy"), true),
                (copy("NULL, policy"), false),
                (copy("fold, NULL"), false),
                (copy("99, policy"), false),
                (copy("fold, 0"), false),
                (copy("fold, policy").replace(" 2, 2", " 4, 2"), false),
                (copy("fold, policy").replace("SELECT stream", "SELECT 7"), false),
                ("INSERT INTO roots (root) SELECT randomblob(32)".into(), false),
                ("UPDATE roots SET root = (SELECT min(root) FROM programs)".into(), false),
                ("DELETE FROM roots".into(), false),
                ("UPDATE authors SET seq = 1".into(), false),
                ("UPDATE authors SET op_id = randomblob(32)".into(), false),
                ("DELETE FROM authors".into(), false),
                ("UPDATE ops SET outcome = 'denied'".into(), false),
                ("DELETE FROM ops".into(), false),
                ("DELETE FROM programs".into(), false),
                ("UPDATE streams SET policy_root = NULL".into(), false),
                ("UPDATE streams SET fold_root = randomblob(32)".into(), false),
            ] {
                connection.execute("BEGIN").await.expect("begun");
                let done = connection.execute(&change).await;
                assert_eq!(done.is_ok(), is_taken, "{change}: {done:?}");
                connection.execute("ROLLBACK").await.expect("undone");
            }
        });
    });
}

#[test]
fn a_writer_that_hangs_is_told_of() {
    everywhere(|| {
        let place = Place::new();
        run(async {
            let store = stocked(&place, host()).await;
            drop(store);
            let mut other = place.raw().await;
            let begin = if place.is_on_server() { "BEGIN; SELECT FROM streams FOR UPDATE" } else { "BEGIN IMMEDIATE" };
            other.execute(begin).await.expect("locked");
            let short = Host { wait: Duration::from_millis(200), ..host_at(NOW, |_| ()) };
            let mut store = Store::open(&place.database(), short).await.expect("reading needs no lock");
            let waited = store.append(STREAM, &signers(), &[stock(1, "fig", 1)]).await;
            assert_eq!(code(&waited.expect_err("the lock is held")), "ACK_TIMEOUT");
            other.execute("ROLLBACK").await.expect("released");
            let answers = store.append(STREAM, &signers(), &[stock(1, "fig", 1)]).await.expect("appended");
            assert_eq!(all_told(&answers), ["2 admitted"]);
        });
    });
}

#[test]
fn time_never_goes_back() {
    everywhere(|| {
        let place = Place::new();
        run(async {
            drop(stocked(&place, host_at(NOW, |_| ())).await);
            let mut store = Store::open(&place.database(), host_at(NOW - 5000, |_| ())).await.expect("opens");
            store.append(STREAM, &signers(), &[stock(1, "fig", 1)]).await.expect("appended");
            let received: Vec<u64> =
                store.ops(STREAM).await.expect("ops").iter().map(|op| op.columns.received).collect();
            assert_eq!(received, [NOW, NOW]);
        });
    });
}

#[test]
fn key_files_are_their_owners() {
    let place = Place::new();
    let path = place.path().join("keys").join("owner.key");
    let made = key_file::make(&path, &mut |bytes| bytes.fill(7)).expect("made");
    let public: Hash = key_file::read(&path).expect("read").public();
    assert_eq!(public, made.public());
    assert_eq!(code(&key_file::make(&path, &mut |_| ()).err().expect("never written over")), "KEY_EXISTS");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        for loose in [0o640, 0o604, 0o660, 0o644] {
            mode(loose);
            assert_eq!(code(&key_file::read(&path).err().expect("refused")), "KEY_PERMISSIONS", "{loose:o}");
        }
        mode(0o600);
    }
    for text in ["", "kerai-key-1 00", "0000", &"x".repeat(300)] {
        fs::write(&path, text).expect("written");
        assert_eq!(code(&key_file::read(&path).err().expect("refused")), "KEY_FILE", "{text:?}");
    }
}
