//! What differs between two bundles: their roots, and of each program its root, its rules and its instructions.

use super::diff::{lines, rules};
use crate::Global;
use crate::outcome::{Answer, Fault, Outcome};
use kerai_store::bundle::{Bundle, Bundled, Opened};
use kerai_store::document::{data_text, program_text, to_hex};
use kerai_store::program::Stored;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

/// The bundle in a file; none where it holds something else.
pub fn open(name: &str) -> Result<Option<Opened>, Fault> {
    if !Path::new(name).is_file() {
        return Ok(None);
    }
    let fault = |cause| Fault::Read { path: name.into(), cause };
    let mut first = [0];
    // A bundle is a map: what is none, as a long pack, is not read.
    let is_map = File::open(name).and_then(|mut file| file.read(&mut first)).map_err(fault)? == 1 && first[0] >> 5 == 5;
    if !is_map {
        return Ok(None);
    }
    let bytes = fs::read(name).map_err(fault)?;
    if !Bundle::is_one(&bytes) {
        return Ok(None);
    }
    Ok(Some(Bundle::open(&bytes).map_err(kerai_store::fault::Fault::Refused)?))
}

/// A program that is not the same in both bundles.
struct Changed<'b> {
    path: &'b str,
    before: Option<&'b Stored>,
    after: Option<&'b Stored>,
    rules: Vec<String>,
    removed: Vec<String>,
    added: Vec<String>,
}

fn changed<'b>(a: &'b Bundle, b: &'b Bundle) -> Vec<Changed<'b>> {
    let by_path = |bundle: &'b Bundle| -> BTreeMap<&'b str, &'b Stored> {
        bundle.programs.iter().map(|Bundled { path, program }| (path.as_str(), program)).collect()
    };
    let (a, b) = (by_path(a), by_path(b));
    let paths: BTreeSet<&str> = a.keys().chain(b.keys()).copied().collect();
    let pairs = paths.into_iter().map(|path| (path, a.get(path).copied(), b.get(path).copied()));
    let differing = pairs.filter(|(_, before, after)| before.map(|one| one.root) != after.map(|one| one.root));
    differing.map(|(path, before, after)| Changed::of(path, before, after)).collect()
}

impl<'b> Changed<'b> {
    fn of(path: &'b str, before: Option<&'b Stored>, after: Option<&'b Stored>) -> Changed<'b> {
        let mut changed = Changed { path, before, after, rules: Vec::new(), removed: Vec::new(), added: Vec::new() };
        // Of a program that is only in one of them its root says all.
        if let (Some(before), Some(after)) = (before, after) {
            let (before, after) = (before.verified.program(), after.verified.program());
            let texts = (before.to_text(), after.to_text());
            let (removed, added) = lines(&texts.0, &texts.1);
            let owned = |lines: Vec<&str>| lines.into_iter().map(str::to_owned).collect();
            (changed.rules, changed.removed, changed.added) = (rules(before, after), owned(removed), owned(added));
        }
        changed
    }

    fn to_json(&self) -> Value {
        let kind = self.after.or(self.before).map(|program| program.kind().name());
        let root = |program: Option<&Stored>| program.map(|program| program_text(&program.root));
        json!({
            "path": self.path,
            "kind": kind,
            "before": root(self.before),
            "after": root(self.after),
            "rules": self.rules,
            "removed": self.removed,
            "added": self.added,
        })
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let kind = self.after.or(self.before).map_or("", |program| program.kind().name());
        let sign = match (self.before, self.after) {
            (None, _) => '+',
            (_, None) => '-',
            (Some(_), Some(_)) => '~',
        };
        writeln!(out, "{sign} {kind} `{}`", self.path)?;
        for (sign, program) in [('-', self.before), ('+', self.after)] {
            if let Some(program) = program {
                writeln!(out, "  {sign} {}", program_text(&program.root))?;
            }
        }
        self.rules.iter().try_for_each(|rule| writeln!(out, "  rule `{rule}` differs"))?;
        self.removed.iter().try_for_each(|line| writeln!(out, "  - {line}"))?;
        self.added.iter().try_for_each(|line| writeln!(out, "  + {line}"))
    }
}

fn signer(opened: &Opened) -> Option<String> {
    opened.signer.as_ref().map(|signer| to_hex(signer))
}

/// Says what differs. Bundles of the same programs are equal, whoever signed them.
pub fn tell(a: &Opened, b: &Opened, global: &Global) -> Outcome {
    let changed = changed(&a.bundle, &b.bundle);
    let is_equal = a.root == b.root;
    let mut out = BufWriter::new(io::stdout().lock());
    let written = if global.json {
        let all = json!({
            "ok": true,
            "equal": is_equal,
            "bundle_roots": [data_text(&a.root), data_text(&b.root)],
            "numbers": [a.bundle.number, b.bundle.number],
            "signers": [signer(a), signer(b)],
            "programs": changed.iter().map(Changed::to_json).collect::<Vec<_>>(),
        });
        writeln!(out, "{all}")
    } else {
        let line = |opened: &Opened| {
            let signed = signer(opened).map_or_else(|| "not signed".into(), |signer| format!("signed by {signer}"));
            format!("bundle {} {}, {signed}", opened.bundle.number, data_text(&opened.root))
        };
        writeln!(out, "- {}\n+ {}", line(a), line(b))
            .and_then(|()| changed.iter().try_for_each(|changed| changed.write(&mut out)))
            .and_then(|()| {
                let most = a.bundle.programs.len().max(b.bundle.programs.len());
                writeln!(out, "{} of {most} programs differ", changed.len())
            })
    };
    written.and_then(|()| out.flush()).map_err(Fault::Write)?;
    Ok(if is_equal { Answer::Yes } else { Answer::No })
}
