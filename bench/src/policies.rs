//! `policies`: decisions with the id of the rule and its reason, beside plain Rust and three engines, from one rule to a
//! thousand; and how long a thousand rules take to compile.

use crate::asked;
use crate::harness::{Contender, Outcome, Plan, Report, Role, Work, measure};
use cedar_policy::{
    Authorizer, Context, Decision as CedarDecision, Entities, EntityUid, PolicySet, Request as CedarRequest,
};
use cpu_time::ThreadTime;
use kerai_compiler::{Language, Source, compile};
use kerai_vm::bytecode::Verified;
use kerai_vm::encoding::{Options, json};
use kerai_vm::execute::Decider;
use kerai_vm::value::Value;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::RegoVM;
use serde_json::{Value as Json, json};
use std::fmt::Write;
use std::hint::black_box;
use std::str::FromStr;
use std::sync::Arc;

pub const NAME: &str = "policies";
pub const ABOUT: &str = "decisions of 1 to 1,000 rules with rule and reason, beside plain Rust, regorus, Cedar and CEL";

/// How many rules allow.
const COUNTS: [usize; 4] = [1, 10, 100, 1_000];
/// Passes over the requests that are timed as one.
const PASSES: usize = 64;

/// How often a round compiles a thousand rules.
const COMPILED_A_ROUND: usize = 10;

/// The most that a decision of one rule takes: this, or a tenth of the fastest engine's if that is more.
const MOST_NS: f64 = 150.0;
/// The most that a decision of a thousand rules takes, in times that of one.
const MOST_GROWTH: f64 = 2.0;
/// The most that a thousand rules take to compile.
const MOST_COMPILE_NS: f64 = 5e6;

const ENGINES: [&str; 3] = ["regorus", "cedar-policy", "cel"];

const REASON: &str = "who may append writes below the own path";

/// What rules ask of paths.
#[derive(Clone, Copy)]
enum Shape {
    /// they lie below one: what an index finds
    Prefix,
    /// they end in a name: what no index of texts in their order finds
    Suffix,
}

fn name(rule: usize) -> String {
    if rule == 0 { "finance".to_owned() } else { format!("unit-{rule:03}") }
}

fn rules(shape: Shape, count: usize) -> String {
    let mut text = "rules:\n".to_owned();
    for rule in 0..count {
        let path = match shape {
            Shape::Prefix => format!("gatos/journal/{}/**", name(rule)),
            Shape::Suffix => format!("**/{}", name(rule)),
        };
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "    - id: {}-write
      reason: {REASON}
      when: {{ intent: \"write\", path: \"{path}\" }}
      allow_if:
          - \"caps includes 'journal:append'\"
          - \"trust[actor].level >= 2\"
",
            name(rule)
        );
    }
    text.push_str(
        "    - id: private-stays
      reason: what is private stays inside
      deny_if:
          - \"labels contains 'private' and remote != 'internal'\"
",
    );
    text
}

/// A request as plain Rust reads it.
struct Plain {
    intent: &'static str,
    path: String,
    actor: &'static str,
    caps: Vec<&'static str>,
    labels: Vec<&'static str>,
    remote: &'static str,
    trust: Vec<(&'static str, i64)>,
    is_allowed: bool,
}

/// Eight requests: some are allowed by one rule or another, each of the others fails another condition.
fn requests(shape: Shape, count: usize) -> Vec<Plain> {
    let path = |rule: usize| match shape {
        Shape::Prefix => format!("gatos/journal/{}/2026/11", name(rule)),
        Shape::Suffix => format!("gatos/journal/2026/{}", name(rule)),
    };
    let usual = |rule: usize, is_allowed: bool| Plain {
        intent: "write",
        path: path(rule),
        actor: "ann",
        caps: vec!["journal:read", "journal:append"],
        labels: vec!["ledger"],
        remote: "internal",
        trust: vec![("ann", 3), ("bob", 1)],
        is_allowed,
    };
    let last = count - 1;
    vec![
        usual(0, true),
        usual(last, true),
        Plain { remote: "partner", ..usual(last / 2, true) },
        Plain { labels: vec!["private"], ..usual(last / 3, true) },
        Plain { labels: vec!["ledger", "private"], remote: "partner", ..usual(last, false) },
        Plain { intent: "read", ..usual(0, false) },
        Plain { actor: "bob", ..usual(last / 2, false) },
        Plain { caps: vec!["journal:read"], ..usual(last, false) },
    ]
}

impl Plain {
    fn to_json(&self) -> Json {
        let trust: serde_json::Map<String, Json> =
            self.trust.iter().map(|(actor, level)| ((*actor).to_owned(), json!({ "level": level }))).collect();
        json!({
            "intent": self.intent, "path": self.path, "actor": self.actor, "caps": self.caps,
            "labels": self.labels, "remote": self.remote, "trust": trust,
        })
    }
}

fn said(what: impl ToString) -> String {
    what.to_string()
}

fn compiled(text: &str) -> Outcome<Verified> {
    let source = Source::read(text.as_bytes()).map_err(|found| said(found.message))?;
    let compiled = compile(Language::Policy, &source).map_err(|found| format!("{found:?}"))?;
    compiled.program.verify().map_err(said)
}

/// A side, as what it says to all requests: how many it allows, with the id and the reason looked at.
type Side<'a> = Box<dyn FnMut() -> u64 + 'a>;

fn ours<'a>(program: &'a Verified, requests: &[Plain]) -> Outcome<(Side<'a>, u64)> {
    let mut decider = Decider::new(program);
    let mut values: Vec<Value> = Vec::new();
    for request in requests {
        let text = request.to_json().to_string();
        values.push(json::decode(decider.heap(), text.as_bytes(), &Options::CANONICAL).map_err(said)?);
    }
    decider.prepare();
    let mut pass = move || {
        let mut allowed = 0;
        for &value in &values {
            if let Ok(decision) = decider.decide(black_box(value)) {
                black_box((decision.id(), decision.reason()));
                allowed += u64::from(decision.is_allowed);
            }
        }
        allowed
    };
    for _ in 0..PASSES {
        pass();
    }
    let asked = asked::times(|| _ = black_box(pass()));
    Ok((Box::new(pass), asked))
}

struct PlainRule {
    id: String,
    end: String,
    reason: &'static str,
}

fn plain<'a>(shape: Shape, count: usize, requests: &'a [Plain]) -> Side<'a> {
    let rules: Vec<PlainRule> = (0..count)
        .map(|rule| {
            let end = match shape {
                Shape::Prefix => format!("gatos/journal/{}/", name(rule)),
                Shape::Suffix => format!("/{}", name(rule)),
            };
            PlainRule { id: format!("{}-write", name(rule)), end, reason: REASON }
        })
        .collect();
    let decide = move |request: &Plain| -> (bool, String) {
        if request.labels.contains(&"private") && request.remote != "internal" {
            return (false, "private-stays".to_owned());
        }
        let level = || request.trust.iter().find(|found| found.0 == request.actor).map(|found| found.1);
        let holds = |rule: &&PlainRule| {
            let is_there = match shape {
                Shape::Prefix => request.path.starts_with(&rule.end),
                Shape::Suffix => request.path.ends_with(&rule.end),
            };
            request.intent == "write"
                && is_there
                && request.caps.contains(&"journal:append")
                && level().is_some_and(|level| level >= 2)
        };
        match rules.iter().find(holds) {
            Some(rule) => {
                black_box(rule.reason);
                (true, rule.id.clone())
            }
            None => (false, "default".to_owned()),
        }
    };
    Box::new(move || {
        requests.iter().map(|request| black_box(decide(black_box(request)))).filter(|decided| decided.0).count() as u64
    })
}

fn rego<'a>(shape: Shape, count: usize, requests: &[Plain]) -> Outcome<Side<'a>> {
    let mut text = "package gate\nimport rego.v1\n
deny contains \"private-stays\" if { \"private\" in input.labels; input.remote != \"internal\" }\n"
        .to_owned();
    for rule in 0..count {
        let name = name(rule);
        let is_there = match shape {
            Shape::Prefix => format!("startswith(input.path, \"gatos/journal/{name}/\")"),
            Shape::Suffix => format!("endswith(input.path, \"/{name}\")"),
        };
        let _ = writeln!(
            text,
            "allow contains \"{name}-write\" if {{ input.intent == \"write\"; {is_there}; \"journal:append\" in input.caps; \
             input.trust[input.actor].level >= 2 }}"
        );
    }
    text.push_str("decision := {\"deny\": deny, \"allow\": allow}\n");
    let module = regorus::PolicyModule { id: "gate.rego".into(), content: text.into() };
    let data = regorus::Value::from_json_str("{}").map_err(said)?;
    let entry = "data.gate.decision";
    let policy = regorus::compile_policy_with_entrypoint(data, &[module], entry.into()).map_err(said)?;
    let program = Compiler::compile_from_policy(&policy, &[entry]).map_err(said)?;
    let mut machine = RegoVM::new();
    machine.load_program(program);
    let inputs = requests.iter().map(|request| regorus::Value::from_json_str(&request.to_json().to_string()));
    let inputs: Vec<regorus::Value> = inputs.collect::<Result<_, _>>().map_err(said)?;
    let [deny, allow] = ["deny", "allow"].map(regorus::Value::from);
    Ok(Box::new(move || {
        let mut allowed = 0;
        for input in &inputs {
            machine.set_input(input.clone());
            let Ok(decision) = machine.execute() else { continue };
            let has = |key: &regorus::Value| {
                let ids = decision.as_object().ok().and_then(|decision| decision.get(key));
                ids.and_then(|ids| ids.as_set().ok()).is_some_and(|ids| !ids.is_empty())
            };
            allowed += u64::from(!has(&deny) && has(&allow));
            black_box(&decision);
        }
        allowed
    }))
}

fn cedar<'a>(shape: Shape, count: usize, requests: &[Plain]) -> Outcome<Side<'a>> {
    let mut text = "@id(\"private-stays\")
forbid(principal, action, resource) when { context.labels.contains(\"private\") && context.remote != \"internal\" };\n"
        .to_owned();
    for rule in 0..count {
        let name = name(rule);
        let form = match shape {
            Shape::Prefix => format!("gatos/journal/{name}/*"),
            Shape::Suffix => format!("*/{name}"),
        };
        let _ = writeln!(
            text,
            "permit(principal, action == Action::\"write\", resource) when {{ context.path like \"{form}\" && \
             context.caps.contains(\"journal:append\") && principal.level >= 2 }};"
        );
    }
    let policies = PolicySet::from_str(&text).map_err(said)?;
    let actors = json!([
        { "uid": { "type": "User", "id": "ann" }, "attrs": { "level": 3 }, "parents": [] },
        { "uid": { "type": "User", "id": "bob" }, "attrs": { "level": 1 }, "parents": [] },
    ]);
    let entities = Entities::from_json_str(&actors.to_string(), None).map_err(said)?;
    let mut asked = Vec::new();
    for request in requests {
        let entity = |kind: &str, id: &str| EntityUid::from_str(&format!("{kind}::\"{id}\"")).map_err(said);
        let context = json!({
            "path": request.path, "caps": request.caps, "labels": request.labels, "remote": request.remote
        });
        let context = Context::from_json_value(context, None).map_err(said)?;
        let (actor, action) = (entity("User", request.actor)?, entity("Action", request.intent)?);
        asked.push(CedarRequest::new(actor, action, entity("Resource", "it")?, context, None).map_err(said)?);
    }
    let authorizer = Authorizer::new();
    Ok(Box::new(move || {
        let responses = asked.iter().map(|request| authorizer.is_authorized(black_box(request), &policies, &entities));
        let allowed = responses.filter(|response| {
            black_box(response.diagnostics().reason().next());
            response.decision() == CedarDecision::Allow
        });
        allowed.count() as u64
    }))
}

fn is_true(program: &cel::Program, context: &cel::Context) -> bool {
    matches!(program.execute(context), Ok(cel::Value::Bool(true)))
}

fn cel<'a>(shape: Shape, count: usize, requests: &[Plain]) -> Outcome<Side<'a>> {
    let environment = Arc::new(cel::Env::stdlib());
    let compile = |text: &str| environment.compile(text).map_err(said);
    let denial = compile("\"private\" in labels && remote != \"internal\"")?;
    let mut rules = Vec::new();
    for rule in 0..count {
        let name = name(rule);
        let is_there = match shape {
            Shape::Prefix => format!("path.startsWith(\"gatos/journal/{name}/\")"),
            Shape::Suffix => format!("path.endsWith(\"/{name}\")"),
        };
        let text =
            format!("intent == \"write\" && {is_there} && \"journal:append\" in caps && trust[actor].level >= 2");
        rules.push((format!("{name}-write"), compile(&text)?));
    }
    let mut contexts = Vec::new();
    for request in requests {
        let mut context = cel::Context::with_env(environment.clone());
        for (name, value) in request.to_json().as_object().into_iter().flatten() {
            context.add_variable(name.as_str(), value.clone()).map_err(said)?;
        }
        contexts.push(context);
    }
    Ok(Box::new(move || {
        let allows = |context: &&cel::Context| {
            !is_true(&denial, context)
                && rules
                    .iter()
                    .find(|(_, rule)| is_true(rule, context))
                    .is_some_and(|found| !black_box(&found.0).is_empty())
        };
        contexts.iter().filter(allows).count() as u64
    }))
}

/// The figures of a shape, for each number of rules, and how often our side asked the host for memory.
fn compare(shape: Shape, plan: &Plan) -> Outcome<Vec<(usize, Report, u64)>> {
    let mut reports = Vec::new();
    for count in COUNTS {
        let requests = requests(shape, count);
        let expected = requests.iter().filter(|request| request.is_allowed).count() as u64;
        let program = compiled(&rules(shape, count))?;
        let (side, allocations) = ours(&program, &requests)?;
        let sides = vec![
            (Role::Ours, "kerai", side),
            (Role::Peer, "plain Rust", plain(shape, count, &requests)),
            (Role::Peer, "regorus", rego(shape, count, &requests)?),
            (Role::Peer, "cedar-policy", cedar(shape, count, &requests)?),
            (Role::Peer, "cel", cel(shape, count, &requests)?),
        ];
        // Slow sides take fewer passes, so that no side waits for another.
        let contenders = sides.into_iter().map(|(role, name, mut side)| {
            let passes = if role == Role::Ours || name == "plain Rust" { PASSES } else { (PASSES / count).max(1) };
            let work = Work { units: passes * requests.len(), bytes: 0 };
            Contender::new(role, name, work, expected * passes as u64, move || (0..passes).map(|_| side()).sum())
        });
        let report = measure(
            format!("one decision of {count} rules that allow and one that denies"),
            plan.rounds,
            contenders.collect(),
        )?;
        reports.push((count, report, allocations));
    }
    Ok(reports)
}

/// The least time of the rounds in which a thousand rules are compiled from their text to the bytes of their program.
fn compile_time(plan: &Plan) -> Outcome<f64> {
    let text = rules(Shape::Prefix, 1_000);
    let mut least = f64::INFINITY;
    for _ in 0..plan.rounds * COMPILED_A_ROUND {
        let start = ThreadTime::now();
        let source = Source::read(text.as_bytes()).map_err(|found| said(found.message))?;
        let program = compile(Language::Policy, &source).map_err(|found| format!("{found:?}"))?.program;
        black_box(program.encode().map_err(said)?);
        least = least.min(start.elapsed().as_nanos() as f64);
    }
    Ok(least)
}

/// A side of the growth that passes over its requests as often as others do.
fn grown<'a>(role: Role, name: &'static str, requests: &[Plain], mut side: Side<'a>) -> Contender<'a> {
    let work = Work { units: PASSES * requests.len(), bytes: 0 };
    let allowed = requests.iter().filter(|request| request.is_allowed).count();
    Contender::new(role, name, work, (allowed * PASSES) as u64, move || (0..PASSES).map(|_| side()).sum())
}

/// How many times as long the most rules take as one, in the same rounds: ours and plain Rust's. The engines', which are
/// hundreds of times, are those of the reports.
fn growths(plan: &Plan, reports: &[(usize, Report, u64)]) -> Outcome<Vec<(&'static str, f64)>> {
    let [fewest, .., most] = COUNTS;
    let (few, many) = (requests(Shape::Prefix, fewest), requests(Shape::Prefix, most));
    let (one, thousand) = (compiled(&rules(Shape::Prefix, fewest))?, compiled(&rules(Shape::Prefix, most))?);
    let over = |name: &'static str, [large, small]: [Side<'_>; 2]| -> Outcome<(&'static str, f64)> {
        let contenders = vec![grown(Role::Ours, name, &many, large), grown(Role::Peer, "of one", &few, small)];
        let report = measure(format!("a decision of {most} rules and of {fewest}"), plan.rounds, contenders)?;
        Ok((name, report.multiple(Role::Peer).ok_or("a side was not measured")?))
    };
    let own = over("kerai", [ours(&thousand, &many)?.0, ours(&one, &few)?.0])?;
    let plain = over("plain Rust", [plain(Shape::Prefix, most, &many), plain(Shape::Prefix, fewest, &few)])?;
    let of = |report: Option<&(usize, Report, u64)>, name: &str| report?.1.median_of(name);
    let engines =
        ENGINES.iter().filter_map(|name| Some((*name, of(reports.last(), name)? / of(reports.first(), name)?)));
    Ok([own, plain].into_iter().chain(engines).collect())
}

/// Measures all of it, and says which marks are missed.
pub fn run(plan: &Plan, as_json: bool) -> Outcome<()> {
    let compile_ns = compile_time(plan)?;
    let indexed = compare(Shape::Prefix, plan)?;
    let unhelped = compare(Shape::Suffix, plan)?;
    for (shape, reports) in [("", &indexed), (" by the ends of paths, which no index helps", &unhelped)] {
        for (count, report, allocations) in reports {
            let name = format!("{NAME}-{count}{shape}");
            if as_json {
                println!("{}", report.to_json(&name));
            } else {
                println!(
                    "\n{}\n  asked the host for memory {allocations} times in eight decisions",
                    report.to_table(&name)
                );
            }
        }
    }
    let first = indexed.first().map(|found| &found.1);
    let of = |name: &str| first.and_then(|report| report.median_of(name)).unwrap_or(f64::NAN);
    let fastest = ENGINES.iter().map(|name| of(name)).fold(f64::INFINITY, f64::min);
    let (one, most) = (of("kerai"), MOST_NS.max(fastest / 10.0));
    let growths = growths(plan, &indexed)?;
    let ours = growths.first().map_or(f64::NAN, |found| found.1);
    let allocations: u64 = indexed.iter().chain(&unhelped).map(|found| found.2).sum();
    let marks = [
        ("one rule, ns", one, most),
        ("1,000 rules over one", ours, MOST_GROWTH),
        ("memory asked for, times", allocations as f64, 0.0),
        ("1,000 rules compiled, ns", compile_ns, MOST_COMPILE_NS),
    ];
    if as_json {
        let marks: Vec<Json> =
            marks.iter().map(|(name, found, most)| json!({ "mark": name, "found": found, "most": most })).collect();
        println!("{}", json!({ "name": NAME, "marks": marks, "growth": growths }));
    } else {
        println!("\n1,000 rules over one: {growths:.1?}");
        for (name, found, most) in marks {
            println!("  {name:<28}{found:>14.1}, at most {most:.1}");
        }
    }
    let missed: Vec<&str> = marks.iter().filter(|mark| mark.1 > mark.2 || mark.1.is_nan()).map(|mark| mark.0).collect();
    if missed.is_empty() { Ok(()) } else { Err(format!("{NAME}: missed {missed:?}")) }
}
