//! Certificates of folds, right and wrong: what can be derived is derived again where a program is read, what was tried is
//! tried again where it is bound.

use crate::desk::{Numbers, Place, STREAM, host, key, run, signers, stock, stocked};
use crate::faults::{Parts, Where, parts_of, pick, written};
use kerai_compiler::{Language, Source, compile};
use kerai_store::audit::Ask;
use kerai_store::bundle::{Bundle, Bundled};
use kerai_store::code::Code;
use kerai_store::pack::{Part, Wish};
use kerai_store::program::Stored;
use kerai_vm::bytecode::{Certificate, Class, Grounds, Order, Program};
use kerai_vm::encoding::root::Root;

fn compiled(text: &str) -> Stored {
    let source = Source::read(text.as_bytes()).unwrap_or_else(|fault| panic!("{}", fault.describe(text)));
    let compiled = compile(Language::Lua, &source);
    let compiled = compiled.unwrap_or_else(|faults| panic!("{} faults", faults.len()));
    Stored::from_bytes(&compiled.program.encode().expect("bytes")).expect("it may run")
}

/// A fold whose join is composed of lattices, which is seen in its code.
pub fn composed() -> Stored {
    compiled(
        "function init() return {} end
        function lift(op) return { most = op.payload.count } end
        function join(a, b)
          if a[\"most\"] == nil then a[\"most\"] = b[\"most\"]
          elseif b[\"most\"] ~= nil then a[\"most\"] = lattice.max(a[\"most\"], b[\"most\"]) end
          return a
        end
        function finish(state) if state.most ~= nil then emit(\"most\", \"\", state.most) end end",
    )
}

/// A fold whose join could only be tried.
pub fn tried() -> Stored {
    compiled(
        "function init() return { sum = 0 } end
        function lift(op)
          local count = op.payload.count
          return { sum = math.type(count) == \"integer\" and count or 0 }
        end
        function join(a, b) return { sum = a.sum + b.sum } end
        function finish(state) emit(\"sum\", \"\", state.sum) end",
    )
}

fn certificate(bytes: &[u8]) -> Option<Certificate> {
    Program::decode(bytes).expect("a program").merging.certificate
}

/// The bytes of a program that says something else of its joins.
fn claiming(bytes: &[u8], order: Order, certificate: Option<Certificate>) -> Vec<u8> {
    let mut program = Program::decode(bytes).expect("a program");
    (program.merging.order, program.merging.certificate) = (order, certificate);
    program.encode().expect("bytes")
}

/// Puts another program in the place of one that has a certificate; none where there is no such program.
fn replaced(
    base: &Parts,
    numbers: &mut Numbers,
    change: impl Fn(&[u8], Certificate, &mut Numbers) -> Option<Vec<u8>>,
) -> Option<(Vec<Part>, Where)> {
    let found = base.those(|part| matches!(part, Part::Program(bytes) if certificate(bytes).is_some()));
    let &number = found.first()?;
    let Some(Part::Program(before)) = base.parts.get(number) else { return None };
    let after = change(before, certificate(before)?, numbers)?;
    let mut parts = base.parts.clone();
    *parts.get_mut(number)? = Part::Program(after.clone());
    // Programs stand in the order of their roots.
    let programs = base.those(|part| matches!(part, Part::Program(_)));
    let root = |part: &Part| {
        let Part::Program(bytes) = part else { return [0; 32] };
        *Root::of_program(bytes).bytes()
    };
    parts.get_mut(*programs.first()?..=*programs.last()?)?.sort_by_key(root);
    if Program::decode(&after).expect("a program").verify().is_ok() {
        // It is another program: the one that is bound is missing where it is bound.
        return Some((parts, Where::Op(base.named(Root::of_program(before).bytes()))));
    }
    let (at, parts) = parts_of(&written(&parts));
    let place = parts.iter().position(|part| matches!(part, Part::Program(bytes) if *bytes == after))?;
    let byte = *at.get(place)?;
    Some((parts, Where::Byte(byte)))
}

pub fn stripped(base: &Parts, numbers: &mut Numbers) -> Option<(Vec<Part>, Where)> {
    replaced(base, numbers, |bytes, _, _| Some(claiming(bytes, Order::Join, None)))
}

pub fn reordered(base: &Parts, numbers: &mut Numbers) -> Option<(Vec<Part>, Where)> {
    replaced(base, numbers, |bytes, _, numbers| {
        Some(claiming(bytes, pick(numbers, &[Order::Ulid, Order::Commit]), None))
    })
}

/// Other grounds than there are, or other numbers behind them.
pub fn forged(base: &Parts, numbers: &mut Numbers) -> Option<(Vec<Part>, Where)> {
    replaced(base, numbers, |bytes, claim, numbers| {
        let grounds = match claim.grounds {
            Grounds::Tested { trials, seed } => match numbers.below(4) {
                0 => Grounds::Construction {},
                1 => Grounds::Exhaustion { states: 1 + numbers.below(9) },
                2 => Grounds::Tested { trials: trials + 1, seed },
                _ => Grounds::Tested { trials, seed: seed + 1 },
            },
            Grounds::Construction {} | Grounds::Exhaustion { .. } => {
                Grounds::Exhaustion { states: 1 + numbers.below(9) }
            }
        };
        Some(claiming(bytes, Order::Join, Some(Certificate { grounds, ..claim })))
    })
}

pub fn mismatched(base: &Parts, numbers: &mut Numbers) -> Option<(Vec<Part>, Where)> {
    replaced(base, numbers, |bytes, claim, _| {
        let class = if claim.class == Class::Lattice { Class::Monoid } else { Class::Lattice };
        Some(claiming(bytes, Order::Join, Some(Certificate { class, ..claim })))
    })
}

#[test]
fn the_folds_here_are_known_as_they_say() {
    let claim = |stored: &Stored| certificate(&stored.bytes).expect("a certificate");
    assert_eq!(claim(&composed()), Certificate { class: Class::Lattice, grounds: Grounds::Construction {} });
    let claim = claim(&tried());
    assert!(claim.class == Class::Monoid && matches!(claim.grounds, Grounds::Tested { .. }), "{claim:?}");
}

/// A fold that claims to have been tried as what it is not is bound by an op that is right in all else.
#[test]
fn a_false_trial_is_found_where_it_is_bound() {
    let honest = tried();
    let claim = certificate(&honest.bytes).expect("a certificate");
    let lie = |class, grounds| {
        let bytes = claiming(&honest.bytes, Order::Join, Some(Certificate { class, grounds }));
        Stored::from_bytes(&bytes).expect("what was tried is not tried again where it is read")
    };
    let more = match claim.grounds {
        Grounds::Tested { trials, seed } => Grounds::Tested { trials: trials + 1, seed },
        grounds @ (Grounds::Construction {} | Grounds::Exhaustion { .. }) => grounds,
    };
    for fold in [lie(Class::Lattice, claim.grounds), lie(claim.class, more)] {
        let place = Place::new();
        run(async {
            let mut store = stocked(&place, host()).await;
            store.append(STREAM, &signers(), &[stock(1, "fig", 2)]).await.expect("appended");
            store.bind(STREAM, &signers(), Some(&fold), None, None).await.expect("bound");
            store.append(STREAM, &signers(), &[stock(2, "fig", 3)]).await.expect("appended");
            store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            let base = Parts::of(&mut store, &place, &Wish::default()).await;
            let direct = store.verify(STREAM, &[]).await.expect("an answer").first_divergence;
            for found in [base.verify(&base.bytes, &Ask::default()).first_divergence, direct] {
                let found = found.expect("a false certificate");
                assert!(found.op == Some(3) && found.what.starts_with("the certificate of sha256:"), "{found:?}");
            }
        });
    }
}

/// Whoever can sign a bundle can't make a false certificate pass in it.
#[test]
fn a_bundle_with_a_false_certificate_is_refused() {
    let honest = composed();
    let claim = certificate(&honest.bytes).expect("a certificate");
    let false_claims = [
        None,
        Some(Certificate { class: Class::Monoid, ..claim }),
        Some(Certificate { grounds: Grounds::Exhaustion { states: 2 }, ..claim }),
    ];
    for claim in false_claims {
        let bytes = claiming(&honest.bytes, Order::Join, claim);
        let root = *Root::of_program(&bytes).bytes();
        let program = Stored { root, bytes, verified: honest.verified.clone() };
        let bundle = Bundle { number: 1, programs: vec![Bundled { path: "folds/most.lua".into(), program }] };
        let (file, _) = bundle.encode(Some(&key("keeper"))).expect("bytes");
        let refused = Bundle::open(&file).expect_err("a false certificate");
        assert!(refused.code == Code::PROGRAM_KIND && refused.what.contains("CERTIFICATE"), "{refused}");
    }
}
