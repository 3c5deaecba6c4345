//! `kerai asm`: assembly text to a program's canonical bytes.

use crate::Global;
use crate::input::Input;
use crate::outcome::{Answer, Fault, Outcome};
use crate::report;
use kerai_vm::bytecode::Program;
use kerai_vm::encoding::root::Root;
use kerai_vm::refusal::{Code, Refusal};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_help = "The text is what `kerai show` prints:

  profile 1
  kind words
  export double 0

  function 0 parameters 1 registers 1
      add r0 r0 r0
      return r0 1

Words after `#` are comments, `@name:` names a place to jump to. docs/reference/instructions.md lists all instructions.

Examples:
  kerai asm double.asm                writes double.rgw, and its root to double.rgw.sha
  kerai asm double.asm -o out.rgw     writes out.rgw and out.rgw.sha
  kerai show fold.rgf | kerai asm - -o again.rgf     gives the same bytes")]
pub struct Arguments {
    /// The file; `-` is standard input
    file: String,
    /// Where to write [default: beside the file, with the ending of the program's kind]
    #[arg(short, long)]
    output: Option<PathBuf>,
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    if arguments.file == "-" && arguments.output.is_none() {
        return Err(Fault::Use("standard input has no name to write beside: name the output with `-o FILE`".into()));
    }
    let mut input = Input::open(Some(&arguments.file))?;
    let source = input.whole()?;
    let (program, bytes) = match assemble(&source) {
        Ok(made) => made,
        Err(refusal) => return Ok(report::refuse(&input.name, &refusal, global.json)),
    };
    let beside = || Path::new(&arguments.file).with_extension(program.kind.ending());
    let output = arguments.output.clone().unwrap_or_else(beside);
    if output == Path::new(&arguments.file) {
        return Err(Fault::Use(format!("`{}` would be written over: name the output with `-o FILE`", arguments.file)));
    }
    let root = Root::of_program(&bytes).to_string();
    let mut beside_output = output.clone().into_os_string();
    beside_output.push(".sha");
    fs::write(&output, &bytes).map_err(Fault::Write)?;
    fs::write(beside_output, format!("{root}\n")).map_err(Fault::Write)?;
    let (path, kind, output) = (&input.name, program.kind.name(), output.display().to_string());
    if global.json {
        println!("{}", json!({ "ok": true, "path": path, "kind": kind, "root": root, "output": output }));
    } else {
        println!("{path} {kind} {root} {output}");
    }
    Ok(Answer::Yes)
}

/// The program with its bytes. Nothing is written that would not run.
fn assemble(source: &[u8]) -> Result<(Program, Vec<u8>), Refusal> {
    let text =
        str::from_utf8(source).map_err(|fault| Refusal::new(Code::DATA_UTF8, fault.valid_up_to()).in_text(source))?;
    let verified = Program::from_text(text)?.verify()?;
    let bytes = verified.program().encode()?;
    Ok((verified.program().clone(), bytes))
}
