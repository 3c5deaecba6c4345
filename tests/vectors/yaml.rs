//! yaml-test-suite: what is no YAML must be refused; all else is read as the suite says, or refused by a rule of the
//! profile that the suite's own events give reason for.

use crate::folder::Folder;
use crate::judge::Report;
use crate::keep;
use crate::yaml_facts::{self, YamlFacts};
use kerai_compiler::Source;
use kerai_compiler::syntax::yaml;

/// A case of the suite.
#[derive(Default)]
struct Case {
    yaml: String,
    /// The events of a right document.
    tree: Option<String>,
    fails: bool,
}

pub fn run(folder: &Folder, report: &mut Report) {
    for file in folder.files() {
        if file.extension() != "yaml" {
            report.note(format!("not run: {}", file.path));
            continue;
        }
        for (number, case) in cases(&file.text()).iter().enumerate() {
            one(&file.path, number, case, report);
        }
    }
}

fn one(path: &str, number: usize, case: &Case, report: &mut Report) {
    report.keep(path, || keep::tree("yaml", &case.yaml));
    let outcome = outcome(&case.yaml);
    if case.fails {
        return match outcome {
            Err(_) => report.pass(),
            Ok(tree) => report.fail(path, number, "a refusal", tree),
        };
    }
    let facts = YamlFacts::of(&case.yaml, case.tree.as_deref().unwrap_or_default());
    match outcome {
        Ok(tree) if facts.must.is_empty() && Some(&tree) == facts.tree.as_ref() => report.pass(),
        Ok(tree) => report.fail(path, number, format!("{:?} or {:?}", facts.tree, facts.must), tree),
        Err(codes) => {
            let has_reason = |code: &&'static str| facts.must.contains(code) || facts.may.contains(code);
            if codes.iter().all(has_reason) && !codes.is_empty() {
                report.differ += 1;
                codes.into_iter().for_each(|code| *report.by_rule.entry(code).or_default() += 1);
            } else {
                report.fail(
                    path,
                    number,
                    format!("{:?} or refusals for {:?}", facts.tree, facts.must),
                    format!("{codes:?}"),
                );
            }
        }
    }
}

/// The tree as text, or the codes of all refusals.
fn outcome(text: &str) -> Result<String, Vec<&'static str>> {
    let source = Source::read(text.as_bytes()).map_err(|refused| vec![refused.code.name()])?;
    let node = yaml::read(source.text());
    if node != yaml::parse(source.text()) {
        return Ok("read at once otherwise than by the parser".to_owned());
    }
    let node = node.map_err(|refused| refused.iter().map(|found| found.code.name()).collect::<Vec<_>>())?;
    match yaml_facts::misplaced(&node, source.text()) {
        Some(fault) => Ok(format!("read, but {fault}")),
        None => Ok(yaml::show(&node)),
    }
}

/// The cases of a file: fields of one line, or of the lines below that are indented by four.
fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut field = String::new();
    for line in text.lines() {
        if let Some(content) = line.strip_prefix("    ").or(line.is_empty().then_some("")) {
            let Some(case) = cases.last_mut() else { continue };
            let into = match field.as_str() {
                "yaml" => &mut case.yaml,
                "tree" => case.tree.get_or_insert_default(),
                _ => continue,
            };
            into.push_str(content);
            into.push('\n');
            continue;
        }
        if line.starts_with("- ") {
            cases.push(Case::default());
        }
        let (name, value) = line.trim_start_matches(['-', ' ']).split_once(':').unwrap_or((line, ""));
        field = name.to_owned();
        if let Some(case) = cases.last_mut().filter(|_| name == "fail") {
            case.fails = value.trim() == "true";
        }
    }
    for case in &mut cases {
        // Empty lines before the next field are no content, nor is there any behind the events.
        case.yaml = unmarked(&format!("{}\n", case.yaml.trim_end_matches('\n')));
        case.tree = case.tree.take().map(|tree| tree.replace('␣', " "));
    }
    cases
}

/// What the suite's marks stand for.
fn unmarked(text: &str) -> String {
    let mut plain = String::new();
    for point in text.chars() {
        match point {
            '—' | '↵' | '∎' => {}
            '␣' => plain.push(' '),
            '»' => plain.push('\t'),
            '⇔' => plain.push('\u{feff}'),
            '←' => plain.push('\r'),
            _ => plain.push(point),
        }
    }
    if text.ends_with("∎\n") { plain.trim_end_matches('\n').to_owned() } else { plain }
}
