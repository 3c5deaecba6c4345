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
