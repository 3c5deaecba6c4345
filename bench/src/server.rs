//! A PostgreSQL server of the bench's own, with its usual durability: gone when the bench ends.

use crate::harness::Outcome;
use kerai_tests::server::{account, binaries, command};
use sqlx::{Connection, PgConnection};
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What both sides get alike: room in memory, and no checkpoint in the middle of a pass.
const SETTINGS: [&str; 4] = ["shared_buffers=1GB", "max_wal_size=16GB", "checkpoint_timeout=1h", "listen_addresses="];

/// Milliseconds between two questions whether the server answers, and how many.
const PAUSE: u64 = 50;
const TRIES: u32 = 200;

/// Ticks of Linux's accounting in a second.
const TICKS: f64 = 100.0;

pub struct Server {
    folder: PathBuf,
    child: Child,
}

fn told(what: &str) -> impl Fn(std::io::Error) -> String {
    move |fault| format!("{what}: {fault}")
}

impl Server {
    /// Makes a database in a folder and serves it.
    pub async fn start() -> Outcome<Server> {
        let binaries = binaries().ok_or("no PostgreSQL is installed: `initdb` and `postgres` are needed")?;
        let folder = PathBuf::from("/tmp").join(format!("kerai-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(told("the folder"))?;
        let account = account();
        if let Some((user, group)) = account {
            chown(&folder, Some(user), Some(group)).map_err(told("the folder"))?;
        }
        let made = command(&binaries.join("initdb"), &folder, account)
            .args(["--no-sync", "--username=kerai", "--auth=trust", "--encoding=UTF8", "--no-locale", "-D", "data"])
            .stdout(Stdio::null())
            .status()
            .map_err(told("initdb"))?;
        if !made.success() {
            return Err("initdb failed".into());
        }
        let mut server = command(&binaries.join("postgres"), &folder, account);
        server.args(["-D", "data", "-k"]).arg(&folder);
        for setting in SETTINGS {
            server.args(["-c", setting]);
        }
        let log = fs::File::create(folder.join("log")).map_err(told("the log"))?;
        let child = server.stdout(Stdio::null()).stderr(log).spawn().map_err(told("postgres"))?;
        let server = Server { folder, child };
        for _ in 0..TRIES {
            if PgConnection::connect(&server.url()).await.is_ok() {
                return Ok(server);
            }
            tokio::time::sleep(Duration::from_millis(PAUSE)).await;
        }
        Err("the server does not answer".into())
    }

    /// Seconds that the server's processes have computed, those of them that are still there; nothing where no system
    /// says so.
    pub fn computed(&self) -> f64 {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let ticks = processes.filter_map(|process| ticks(&process.path().join("stat"), self.child.id()));
        ticks.sum::<u64>() as f64 / TICKS
    }

    pub fn url(&self) -> String {
        format!("postgres://kerai@localhost/postgres?host={}", self.folder.display())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What can't be ended or removed is the system's to clean up.
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What a child of a process has computed.
fn ticks(path: &Path, parent: u32) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    // The name, in parentheses, may hold anything.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |place: usize| fields.get(place)?.parse::<u64>().ok();
    if number(1)? == u64::from(parent) { Some(number(11)? + number(12)?) } else { None }
}
