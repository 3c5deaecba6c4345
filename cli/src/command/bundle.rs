//! Bundles on the command line: every program under a folder into one file, and what a stream is bound to out of one.

use super::build::Arguments;
use crate::Global;
use crate::outcome::{Answer, Fault, Outcome};
use crate::program;
use crate::project::StreamPage;
use crate::sources::{self, SourceFile};
use kerai_compiler::Language;
use kerai_store::bundle::{Bundle, Bundled, Opened};
use kerai_store::code::{Code, Refused};
use kerai_store::document::{data_text, program_text, to_hex};
use kerai_store::key;
use kerai_store::program::Stored;
use kerai_vm::bytecode::ProgramKind;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Builds all sources below the folders into one file.
pub fn build(output: &Path, arguments: &Arguments, global: &Global) -> Outcome {
    let mut programs = Vec::new();
    let mut answer = Answer::Yes;
    let [folder] = arguments.paths.as_slice() else {
        return Err(Fault::Use("a bundle is built of one folder: name one".into()));
    };
    for path in sources::files(&arguments.paths, Language::ALL)? {
        let SourceFile { path: name, bytes } = sources::read(&path)?;
        let language = sources::language(&path).unwrap_or(Language::Lua);
        match program::from_source(language, &name, &bytes) {
            Ok(opened) => {
                let path = Path::new(&path).strip_prefix(folder).unwrap_or_else(|_| Path::new(&path));
                let path =
                    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
                programs.push(Bundled { path, program: Stored::from_bytes(&opened.bytes).map_err(refused)? });
            }
            Err(refused) => answer = refused.report(&name, global),
        }
    }
    if answer == Answer::No {
        return Ok(answer);
    }
    if programs.is_empty() {
        return Err(Fault::Use(format!("there are no sources in `{folder}`")));
    }
    programs.sort_by(|a, b| a.path.cmp(&b.path));
    let mut bundle = Bundle { number: arguments.number.unwrap_or(1), programs };
    if arguments.number.is_none() {
        bundle.number = number_after(output, &bundle)?;
    }
    let key = arguments.sign.as_deref().map(key::read).transpose()?;
    let (bytes, root) = bundle.encode(key.as_ref()).map_err(refused)?;
    fs::write(output, &bytes).map_err(Fault::Write)?;
    let opened = Opened { bundle, root, signer: key.as_ref().map(|key| key.public()) };
    if global.json {
        println!("{}", to_json(&opened, Some(&output.display().to_string())));
    } else {
        print!("{}", to_text(&opened));
    }
    Ok(Answer::Yes)
}

/// The number of a bundle that takes the place of the one that is there: the same where the programs are.
fn number_after(output: &Path, bundle: &Bundle) -> Result<u64, Fault> {
    let Ok(bytes) = fs::read(output) else { return Ok(1) };
    let before = Bundle::open(&bytes).map_err(|_| {
        let output = output.display();
        Fault::Use(format!(
            "`{output}` is there and no sound bundle: remove it, or say which number follows by `--number`"
        ))
    })?;
    let roots = |bundle: &Bundle| -> Vec<_> {
        bundle.programs.iter().map(|bundled| (bundled.path.clone(), bundled.program.root)).collect()
    };
    let before = before.bundle;
    Ok(if roots(&before) == roots(bundle) { before.number } else { before.number.saturating_add(1) })
}

fn refused(refused: Refused) -> Fault {
    Fault::from(kerai_store::fault::Fault::Refused(refused))
}

/// Opens a bundle's file.
pub fn open(path: &Path) -> Result<Opened, Fault> {
    let bytes = fs::read(path).map_err(|cause| Fault::Read { path: path.display().to_string(), cause })?;
    Bundle::open(&bytes).map_err(refused)
}

/// The fold and the policy that a stream is bound to: those that are named, those that the project names, or the only
/// ones of their kind.
pub fn chosen<'b>(
    opened: &'b Opened,
    fold: Option<&str>,
    policy: Option<&str>,
    page: Option<&StreamPage>,
) -> Result<(Option<&'b Stored>, Option<&'b Stored>), Fault> {
    let find = |kind: ProgramKind, named: Option<&str>, paged: Option<&str>| {
        let all: Vec<&Bundled> = opened.bundle.of_kind(kind).collect();
        let of = |path: &str| all.iter().find(|bundled| bundled.path == path).map(|bundled| &bundled.program);
        let none = |what: String| refused(Refused::new(Code::BUNDLE_PROGRAM, what));
        match (named, paged.and_then(of), all.as_slice()) {
            (Some(path), ..) => of(path).map(Some).ok_or_else(|| none(format!("no {} `{path}`", kind.name()))),
            (None, Some(program), _) => Ok(Some(program)),
            (None, None, []) => Ok(None),
            (None, None, [only]) => Ok(Some(&only.program)),
            (None, None, [..]) => Err(none(format!("there are several of kind {}: name one by its path", kind.name()))),
        }
    };
    let fold = find(ProgramKind::Fold, fold, page.map(|page| page.fold.as_str()))?;
    Ok((fold, find(ProgramKind::Policy, policy, page.and_then(|page| page.policy.as_deref()))?))
}

/// The bundle as `--json` shows it, and where it was written.
pub fn to_json(opened: &Opened, output: Option<&str>) -> Value {
    let program = |bundled: &Bundled| {
        let program = &bundled.program;
        json!({ "path": bundled.path, "kind": program.kind().name(), "root": program_text(&program.root) })
    };
    json!({
        "ok": true,
        "kind": "bundle",
        "bundle_root": data_text(&opened.root),
        "output": output,
        "number": opened.bundle.number,
        "signer": opened.signer.as_ref().map(|signer| to_hex(signer)),
        "programs": opened.bundle.programs.iter().map(program).collect::<Vec<_>>(),
    })
}

pub fn to_text(opened: &Opened) -> String {
    let signer = opened
        .signer
        .as_ref()
        .map_or_else(|| "not signed".to_owned(), |signer| format!("signed by {}", to_hex(signer)));
    let mut text = format!("bundle {} {}, {signer}\n", opened.bundle.number, data_text(&opened.root));
    for Bundled { path, program } in &opened.bundle.programs {
        text.push_str(&format!("  {path} {} {}\n", program.kind().name(), program_text(&program.root)));
    }
    text
}
