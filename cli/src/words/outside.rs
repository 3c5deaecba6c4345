//! What words need of the command line: output, progress, and the verbs that are words too.

use crate::Global;
use crate::progress::Progress;
use kerai_words::Outside;
use serde_json::Value;
use std::process::Command;

/// The command line around a session.
pub struct Around {
    global: Global,
    progress: Option<Progress>,
}

impl Around {
    pub fn new(global: &Global) -> Around {
        Around { global: global.clone(), progress: None }
    }

    /// What a verb of this program answers: an object a line.
    fn ask(&self, arguments: &[&str]) -> Result<Vec<Value>, String> {
        let program = std::env::current_exe().map_err(|cause| cause.to_string())?;
        let mut command = Command::new(program);
        command.args(arguments).arg("--json");
        if let Some(db) = &self.global.db {
            command.args(["--db", db]);
        }
        let output = command.output().map_err(|cause| cause.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout);
        let answers: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        if answers.is_empty() && !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(said.trim().trim_start_matches("error: ").to_owned());
        }
        Ok(answers)
    }
}

impl Outside for Around {
    fn say(&mut self, text: &str) {
        if self.global.json {
            eprintln!("{text}");
        } else {
            println!("{text}");
        }
    }

    fn progress(&mut self, count: usize, what: &str) {
        if count == usize::MAX {
            self.progress.take().iter_mut().for_each(Progress::end);
            return;
        }
        let is_quiet = self.global.quiet;
        self.progress.get_or_insert_with(|| Progress::new(is_quiet)).say_now(count, what);
    }

    fn build(&mut self, path: &str) -> Result<Value, String> {
        self.ask(&["build", path]).map(Value::from)
    }

    fn verify(&mut self, stream: &str) -> Result<Value, String> {
        let answers = self.ask(&["verify", stream])?;
        answers.into_iter().next().ok_or_else(|| format!("there is no stream `{stream}`"))
    }

    fn postgres(&self) -> Option<String> {
        self.global.db.clone().filter(|db| db.starts_with("postgres"))
    }
}
