//! `kerai asm`: assembly text to a program's canonical bytes.

use crate::Global;
use crate::command::build;
use crate::input::Input;
use crate::outcome::{Answer, Fault, Outcome};
use crate::program;
use crate::report;
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
    let opened = match program::from_assembly(&source) {
        Ok(opened) => opened,
        Err(refusal) => return Ok(report::refuse(&input.name, &refusal, global.json)),
    };
    let beside = || Path::new(&arguments.file).with_extension(opened.verified.program().kind.ending());
    let output = arguments.output.clone().unwrap_or_else(beside);
    if output == Path::new(&arguments.file) {
        return Err(Fault::Use(format!("`{}` would be written over: name the output with `-o FILE`", arguments.file)));
    }
    build::write(&output, &opened)?;
    build::tell(&input.name, &output, &opened, global);
    Ok(Answer::Yes)
}
