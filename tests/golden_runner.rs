//! The golden runner on files of its own: failing, blessing, refusing.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kerai_golden::case::Case;
use kerai_golden::files::{self, CaseFile};
use kerai_golden::stage::{self, STAGES};
use kerai_golden::verdict::{Tally, bless, plain_difference, report};
use std::fs;
use std::path::PathBuf;

/// A folder with the given cases, of one test alone.
fn folder(test: &str, cases: &[(&str, &str)]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    for (name, text) in cases {
        let path = folder.join(format!("{name}.txt"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn failure(case: &Case) -> Option<String> {
    report(case, &stage::run(case, 1), plain_difference)
}

fn failure_of(text: &str) -> String {
    failure(&Case::parse(text).unwrap()).unwrap_or_default()
}

fn bless_file(file: &CaseFile) -> Result<(), String> {
    let case = file.read()?;
    match bless(&case, &stage::run(&case, 1))? {
        Some(blessed) => file.write(&blessed),
        None => Ok(()),
    }
}

const LIST: &str = "# A list.\n-- json --\n[1]\n\n-- cbor --\n81 01\n-- encoded --\n8102\n\n-- view --\n-- root --\n";

#[test]
fn blessing_fills_outputs_and_touches_nothing_else() {
    let folder = folder("blessing", &[("list/one", LIST)]);
    let files = files::list(&folder).unwrap();
    let [file] = files.as_slice() else { panic!("one case was written") };
    assert_eq!(file.name, "list/one");
    let before = failure(&file.read().unwrap()).unwrap();
    assert!(before.contains("section `encoded` differs:\n- 8102\n+ 8101\n"), "{before}");
    assert!(before.contains("section `view` is empty:\n+ [1]"), "{before}");
    bless_file(file).unwrap();
    let after = file.read().unwrap();
    assert_eq!(failure(&after), None);
    let start =
        "# A list.\n-- json --\n[1]\n\n-- cbor --\n81 01\n-- encoded --\n8101\n\n-- view --\n[1]\n-- root --\nblake3:";
    assert!(after.print().starts_with(start), "{}", after.print());
}

#[test]
fn frozen_cases_refuse_blessing() {
    let folder = folder("frozen", &[("frozen/1/list", LIST), ("list", LIST)]);
    let files = files::list(&folder).unwrap();
    let [frozen, free] = files.as_slice() else { panic!("two cases were written") };
    assert!(frozen.is_frozen() && !free.is_frozen());
    assert!(bless_file(frozen).unwrap_err().contains("is frozen"));
    assert_eq!(frozen.read().unwrap().print(), LIST);
    bless_file(free).unwrap();
}

#[test]
fn sources_must_agree() {
    let text = "-- json --\n[1]\n-- cbor --\n81 02\n-- encoded --\n8101\n";
    assert!(failure_of(text).contains("the sources part in `encoded`:\n8101\nand\n8102"));
    let refused = "-- json --\n[1]\n-- cbor --\n81\n-- encoded --\n8101\n";
    assert!(failure_of(refused).contains("the case has no section `diagnostic`: DATA_TRUNCATED"));
    let silent =
        "-- json --\n[1]\n-- cbor --\n81\n-- diagnostic --\nDATA_TRUNCATED: the input ends inside a value at byte 1\n";
    assert!(failure_of(silent).contains("nothing is refused"));
}

#[test]
fn refusals_are_expected_or_fail() {
    assert!(
        failure_of("-- json --\n[1\n-- encoded --\n").contains("the case has no section `diagnostic`: DATA_TRUNCATED")
    );
    assert!(failure_of("-- json --\n[1\n-- encoded --\n-- diagnostic --\n").contains("there is no `encoded`"));
    assert!(failure_of("-- json --\n[1]\n-- diagnostic --\n").contains("nothing is refused"));
    let view = "-- cbor --\nf97e00\n-- view --\nrefused\n-- diagnostic --\nview: VIEW_FLOAT: JSON cannot show NaN or infinity at byte 0\n";
    assert_eq!(failure_of(view), "");
}

#[test]
fn sections_are_known_and_in_order() {
    assert!(failure_of("-- jason --\n[1]\n-- encoded --\n").contains("there is no section `jason`"));
    assert!(failure_of("-- encoded --\n-- json --\n[1]\n").contains("section `json` must stand further up"));
    assert!(failure_of("-- json --\n1\n-- root --\n-- root --\n").contains("section `root` is there twice"));
    assert!(failure_of("-- json --\n1\n").contains("no output section"));
    assert!(failure_of("-- root --\n").contains("no source"));
    assert!(failure_of("-- options --\ndepth 500\n-- json --\n1\n-- root --\n").contains("limits may only be lowered"));
    assert!(failure_of("-- options --\nwidth 1\n-- json --\n1\n-- root --\n").contains("`width 1` is no option"));
}

#[test]
fn a_fault_is_never_blessed() {
    let case = Case::parse("-- json --\n[1]\n-- cbor --\n81 02\n-- encoded --\n").unwrap();
    assert!(bless(&case, &stage::run(&case, 1)).is_err());
}

#[test]
fn the_tally_depends_on_names_and_outputs() {
    let outcome = stage::run(&Case::parse(LIST).unwrap(), 1);
    let summary = |name: &str, has_passed| {
        let mut tally = Tally::default();
        tally.count(name, &outcome, has_passed);
        (tally.is_good(), tally.summary())
    };
    let (good, first) = summary("a", true);
    assert!(good && first.starts_with("golden: 1 cases, 1 passed, root blake3:"), "{first}");
    assert!(!summary("a", false).0 && !Tally::default().is_good());
    assert_ne!(first, summary("b", true).1);
}

#[test]
fn stages_have_names_of_their_own() {
    for (place, stage) in STAGES.iter().enumerate() {
        assert!(!STAGES.iter().skip(place + 1).any(|other| other.name == stage.name), "{}", stage.name);
    }
}
