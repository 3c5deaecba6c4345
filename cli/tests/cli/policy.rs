//! `kerai policy` as a user runs it.

use crate::folder::{Folder, json};

const RULES: &str = "id: finance-write
when: { intent: \"write\", path: \"gatos/journal/finance/**\" }
allow_if:
    - \"caps includes 'journal:append'\"
    - \"payload.amount < 100.000000000000000001\"
deny_if:
    - \"labels contains 'private' and remote != 'internal'\"
";

fn request(rest: &str) -> String {
    format!("{{\"intent\":\"write\",\"path\":\"gatos/journal/finance/q1\",\"caps\":[\"journal:append\"]{rest}}}")
}

#[test]
fn a_request_is_decided_and_the_answer_explained() {
    let folder = Folder::new("policy");
    folder.write("rules.rgs", RULES);
    folder.write("good.json", request(",\"labels\":[],\"payload\":{\"amount\":100}"));
    folder.write("much.json", request(",\"labels\":[],\"payload\":{\"amount\":100.000000000000000001}"));
    folder.write("open.json", request(",\"payload\":{\"amount\":1}"));

    let (code, out, _) = folder.kerai(&["policy", "eval", "rules.rgs", "good.json", "--json"]);
    let answer = json(&out);
    assert_eq!((code, &answer["decision"], &answer["rule"]), (Some(0), &"allow".into(), &"finance-write".into()));

    let (code, out, _) = folder.kerai(&["policy", "explain", "rules.rgs", "much.json", "--json"]);
    let answer = json(&out);
    assert_eq!((code, &answer["decision"], &answer["rule"]), (Some(1), &"deny".into(), &"default".into()));
    assert_eq!(answer["condition"], "payload.amount < 100.000000000000000001");
    // The value is given as it was, through no float.
    assert!(out.contains("\"value\":100.000000000000000001,"), "{out}");
    assert_eq!((&answer["failing"][0]["line"], &answer["failing"][0]["column"]), (&5.into(), &8.into()));

    let (code, out, _) = folder.kerai(&["policy", "explain", "rules.rgs", "open.json", "--json"]);
    let answer = json(&out);
    assert_eq!((code, &answer["rule"], &answer["missing"]), (Some(1), &"finance-write".into(), &"labels".into()));
}

#[test]
fn a_built_policy_decides_as_its_source() {
    let folder = Folder::new("policy-built");
    folder.write("rules.rgs", RULES);
    folder.write("good.json", request(",\"labels\":[],\"payload\":{\"amount\":1}"));
    let (code, _, error) = folder.kerai(&["build", "rules.rgs"]);
    assert_eq!((code, error.as_str()), (Some(0), ""));
    let source = folder.kerai(&["policy", "eval", "rules.rgs", "good.json"]);
    assert_eq!(folder.kerai(&["policy", "eval", "rules.rgc", "good.json"]), source);
    assert_eq!(source.0, Some(0));
}

#[test]
fn a_misspelt_attribute_is_found_when_the_policy_is_built() {
    let folder = Folder::new("policy-misspelt");
    folder.write("rules.rgs", "id: a\ndeny_if: lables contains 'private'\n");
    let (code, _, error) = folder.kerai(&["build", "rules.rgs"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("did you mean `labels`?"), "{error}");
}

#[test]
fn every_template_is_a_policy_and_overwrites_nothing() {
    let folder = Folder::new("policy-templates");
    for template in ["minimal", "regulated", "airgapped"] {
        let file = format!("{template}.rgs");
        assert_eq!(folder.kerai(&["policy", "init", &file, "--template", template]).0, Some(0));
        assert_eq!(folder.kerai(&["build", &file]).0, Some(0), "{template}");
        assert_eq!(folder.kerai(&["policy", "init", &file]).0, Some(2));
    }
    folder.write("nobody.json", "{}");
    // Nothing is known of the request, so all of them deny it.
    for template in ["minimal", "regulated", "airgapped"] {
        let (code, out, _) = folder.kerai(&["policy", "eval", &format!("{template}.rgs"), "nobody.json"]);
        assert_eq!(code, Some(1), "{out}");
    }
}

#[test]
fn what_is_no_request_is_wrong_use() {
    let folder = Folder::new("policy-request");
    folder.write("rules.rgs", RULES);
    folder.write("list.json", "[]");
    folder.write("broken.json", "{");
    assert_eq!(folder.kerai(&["policy", "eval", "rules.rgs", "list.json"]).0, Some(2));
    assert_eq!(folder.kerai(&["policy", "eval", "rules.rgs", "broken.json"]).0, Some(1));
    assert_eq!(folder.kerai(&["policy", "explain", "rules.rgs", "missing.json"]).0, Some(2));
    assert_eq!(folder.kerai(&["policy", "explain", "list.json", "list.json"]).0, Some(2));
}

#[test]
fn a_price_names_its_rule_and_its_arithmetic_and_nothing_is_free_for_being_left_out() {
    let folder = Folder::new("price");
    folder.write("prices.rgs", "id: units\nprice: { node: 2.5, query: 1 }\nrounding: up\n");
    folder.write("good.json", "{\"nodes\":3,\"queries\":0}");
    folder.write("less.json", "{\"nodes\":3}");
    let (code, out, _) = folder.kerai(&["price", "prices.rgs", "good.json", "--json"]);
    let answer = json(&out);
    assert_eq!((code, &answer["price"], &answer["rule"]), (Some(0), &8.into(), &"units".into()));
    assert!(out.contains("{\"amount\":7.5,\"each\":2.5,\"quantity\":3,\"term\":\"node\"}"), "{out}");
    let (code, out, _) = folder.kerai(&["price", "prices.rgs", "less.json", "--json"]);
    let answer = json(&out);
    assert_eq!((code, &answer["price"], &answer["missing"]), (Some(1), &serde_json::Value::Null, &"queries".into()));
    // A price list decides nothing, and a policy prices nothing.
    folder.write("rules.rgs", RULES);
    assert_eq!(folder.kerai(&["price", "rules.rgs", "good.json"]).0, Some(2));
    assert_eq!(folder.kerai(&["policy", "explain", "prices.rgs", "good.json"]).0, Some(1));
    folder.write("all.json", "{\"nodes\":1,\"queries\":1,\"ops\":1}");
    assert_eq!(folder.kerai(&["price", "std/prices", "all.json"]).0, Some(0));
}

#[test]
fn a_changed_policy_is_told_with_a_witness() {
    let folder = Folder::new("policy-diff");
    folder.write("before.rgs", RULES);
    folder.write("after.rgs", RULES.replace("caps includes 'journal:append'", "true"));
    let (code, out, _) = folder.kerai(&["policy", "diff", "before.rgs", "after.rgs", "--json"]);
    let answer = json(&out);
    assert_eq!((code, &answer["relation"], &answer["lost"]), (Some(0), &"wider".into(), &serde_json::Value::Null));
    folder.write("witness.json", answer["witness"].to_string());
    assert_eq!(folder.kerai(&["policy", "eval", "before.rgs", "witness.json"]).0, Some(1));
    assert_eq!(folder.kerai(&["policy", "eval", "after.rgs", "witness.json"]).0, Some(0));
    let (_, out, _) = folder.kerai(&["policy", "diff", "after.rgs", "before.rgs"]);
    assert!(out.starts_with("narrower\n"), "{out}");
    folder.write("other.rgs", "id: a\nallow_if: actor != resource\n");
    folder.write("more.rgs", "id: a\nallow_if: [actor != resource, \"epoch > 1\"]\n");
    let (code, out, _) = folder.kerai(&["policy", "diff", "other.rgs", "more.rgs"]);
    assert_eq!((code, out.starts_with("narrower\n")), (Some(0), true), "{out}");
    // Nobody solves this.
    folder.write("other.rgs", "id: a\nallow_if: payload.a * 3 == payload.b * 7 + 1\n");
    folder.write("more.rgs", "id: a\nallow_if: [payload.a * 3 == payload.b * 7 + 1, payload.b > 5]\n");
    let (code, out, _) = folder.kerai(&["policy", "diff", "other.rgs", "more.rgs"]);
    assert_eq!((code, out.starts_with("undecided\n")), (Some(1), true), "{out}");
}

#[test]
fn cases_are_tried_and_the_one_that_fails_is_named() {
    let folder = Folder::new("policy-test");
    folder.write("rules.rgs", RULES);
    let good = request(",\"labels\":[],\"payload\":{\"amount\":1}");
    let case = |name: &str, request: &str, expect: &str| {
        format!("{{\"name\":\"{name}\",\"request\":{request},\"expect\":\"{expect}\"}}\n")
    };
    folder.write("rules.cases.jsonl", case("a write", &good, "allow") + &case("nothing", "{}", "deny"));
    let (code, out, _) = folder.kerai(&["policy", "test", ".", "--json"]);
    let answer = json(&out);
    assert_eq!((code, &answer["passed"], &answer["rules"]["covered"]), (Some(0), &2.into(), &1.into()), "{out}");
    assert!(answer["mutants"]["covered"].as_u64() < answer["mutants"]["total"].as_u64(), "{out}");
    folder.write("rules.cases.jsonl", case("a write", &good, "allow") + &case("nothing", "{}", "allow"));
    let (code, out, _) = folder.kerai(&["policy", "test", "rules.rgs"]);
    assert_eq!(code, Some(1));
    assert!(out.contains("rules.cases.jsonl:2: nothing: expected allow, got deny by finance-write"), "{out}");
}

#[test]
fn a_policy_has_one_form() {
    let folder = Folder::new("policy-fmt");
    folder.write("rules.rgs", "id:   x   # who\nallow_if: [\"caps   includes \\\"a\\\"\"]\n");
    assert_eq!(folder.kerai(&["fmt", "--check", "rules.rgs"]).0, Some(1));
    assert_eq!(folder.kerai(&["fmt", "rules.rgs"]).0, Some(0));
    assert_eq!(folder.read("rules.rgs"), "id: x # who\nallow_if: [caps includes 'a']\n");
    assert_eq!(folder.kerai(&["fmt", "--check", "rules.rgs"]).0, Some(0));
}

#[test]
fn a_program_alone_says_rule_and_reason() {
    let folder = Folder::new("policy-alone");
    folder.write("rules.rgs", RULES);
    folder.write("open.json", request(",\"payload\":{\"amount\":1}"));
    assert_eq!(folder.kerai(&["build", "rules.rgs", "-o", "out"]).0, Some(0));
    let (code, out, _) = folder.kerai(&["policy", "explain", "out/rules.rgc", "open.json", "--json"]);
    let answer = json(&out);
    assert_eq!((code, &answer["decision"], &answer["rule"]), (Some(1), &"deny".into(), &"finance-write".into()));
    assert!(answer["reason"].as_str().is_some_and(|reason| reason.contains("labels contains 'private'")), "{out}");
}

#[test]
fn what_is_shipped_has_its_one_form_and_passes_its_cases() {
    let folder = Folder::new("policy-shipped");
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    for place in ["policies", "examples/render"] {
        assert_eq!(folder.kerai(&["fmt", "--check", &format!("{root}/{place}")]).0, Some(0), "{place}");
    }
    let (code, out, _) = folder.kerai(&["policy", "test", &format!("{root}/examples/render")]);
    assert_eq!(code, Some(0), "{out}");
}
