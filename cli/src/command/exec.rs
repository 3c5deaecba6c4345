//! `kerai exec`: calls an exported function of a program.

use crate::Global;
use crate::call::{self, Form};
use crate::outcome::{Fault, Outcome};
use crate::program;
use kerai_vm::bytecode::Verified;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai exec fib.rgw --input five.json              the results as a JSON array, then the gas
  echo 30 | kerai exec fib.rgw --input - --json     {\"results\":…,\"gas\":…}, or a trap
  kerai exec fib.rgw --export fib --gas 100000      under a lower limit")]
pub struct Arguments {
    /// The program: bytecode, or a source that is compiled on the way
    file: String,
    /// The function to call [default: the only export]
    #[arg(long)]
    export: Option<String>,
    #[command(flatten)]
    call: call::Arguments,
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let opened = match program::open(&arguments.file)? {
        Ok(opened) => opened,
        Err(refused) => return Ok(refused.report(&arguments.file, global)),
    };
    let export = chosen_export(&opened.verified, arguments)?;
    call::call(&opened, &export, &arguments.call, Form::List, global)
}

/// The export that was named, or the only one.
fn chosen_export(program: &Verified, arguments: &Arguments) -> Result<String, Fault> {
    let exports = &program.program().exports;
    let names = || exports.keys().map(String::as_str).collect::<Vec<_>>().join("`, `");
    match (&arguments.export, exports.keys().next()) {
        (Some(name), _) if exports.contains_key(name) => Ok(name.clone()),
        (Some(name), _) => Err(Fault::Use(format!("`{}` exports no `{name}`, but `{}`", arguments.file, names()))),
        (None, Some(name)) if exports.len() == 1 => Ok(name.clone()),
        (None, _) => Err(Fault::Use(format!("name one of the exports with `--export`: `{}`", names()))),
    }
}
