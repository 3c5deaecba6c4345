//! A PostgreSQL server for tests: the one that `KERAI_TEST_PG` names, else a private one, made of what is installed.
//!
//! The private one lives in a folder of its own as long as this process does, however it ends: a shell waits for the end
//! of a pipe whose other end is here, and then stops the server and removes the folder.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// Names a server by a URL whose user may make databases.
const URL: &str = "KERAI_TEST_PG";

/// With `1`, tests fail where there is no server.
const REQUIRED: &str = "KERAI_REQUIRE_PG";

/// What the folder of installed binaries is called on Debian and its kin, one a version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// What a server listens at by default; its socket is named after it.
const PORT: u16 = 5432;

/// How often a server is asked whether it answers, and how long is waited between.
const TRIES: u32 = 300;
const PAUSE: Duration = Duration::from_millis(50);

/// Runs a server until the end of standard input, again whenever it was killed: binary, folder.
const WATCH: &str = r#"
    (
        until [ -e "$2/stop" ]; do
            "$1" -D "$2/data" -F -c unix_socket_directories="$2" -c max_connections=200 -c full_page_writes=off \
                >>"$2/log" 2>&1 </dev/null
            sleep 0.02
        done
    ) &
    cat >/dev/null
    : >"$2/stop"
    kill -INT "$(head -n 1 "$2/data/postmaster.pid")"
    wait
    rm -rf "$2"
"#;

pub struct Server {
    /// A URL before the database's name, and after.
    before: String,
    after: String,
    port: u16,
    /// Where its programs are; of no use for one that runs elsewhere.
    binaries: PathBuf,
    /// The shell that ends with us.
    _watch: Option<Child>,
}

impl Server {
    pub fn url(&self, database: &str) -> String {
        format!("{}{database}{}", self.before, self.after)
    }

    /// The server that a URL names.
    fn named(url: &str) -> Server {
        let (path, after) = url.find('?').map_or((url, ""), |at| url.split_at(at));
        let before = path.rfind('/').map_or(path, |at| path.get(..=at).expect("a slash is one byte"));
        Server { before: before.into(), after: after.into(), port: PORT, binaries: PathBuf::new(), _watch: None }
    }

    /// A server of its own, in a folder that is made, which only those on this machine reach.
    pub fn private(binaries: &Path, folder: &Path) -> Server {
        let server = Server {
            before: "postgres://kerai@localhost/".into(),
            after: format!("?host={}", folder.display()),
            port: PORT,
            binaries: binaries.to_path_buf(),
            _watch: None,
        };
        server.begin(folder, "listen_addresses = ''\n")
    }

    /// As [`Server::private`], reached at `localhost` and by TLS alone, with the certificate and the key of another folder.
    pub fn encrypted(binaries: &Path, folder: &Path, certificate: &Path) -> Server {
        let free = TcpListener::bind("localhost:0").and_then(|listener| listener.local_addr()).expect("a free port");
        fs::create_dir_all(folder).expect("a folder");
        for name in ["server.crt", "server.key"] {
            let to = folder.join(name);
            fs::copy(certificate.join(name), &to).expect("copied");
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).expect("only its owner reads a key");
            give(&to);
        }
        let name = |name: &str| folder.join(name).display().to_string();
        let settings = format!(
            "listen_addresses = 'localhost'\nport = {}\nssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\n",
            free.port(),
            name("server.crt"),
            name("server.key")
        );
        let server = Server {
            before: format!("postgres://kerai@localhost:{}/", free.port()),
            after: String::new(),
            port: free.port(),
            binaries: binaries.to_path_buf(),
            _watch: None,
        };
        server.begin(folder, &format!("{settings}hba_file = '{}'\n", who_may(folder).display()))
    }

    fn begin(self, folder: &Path, settings: &str) -> Server {
        let account = account();
        fs::create_dir_all(folder).expect("a folder");
        give(folder);
        let made = command(&self.binaries.join("initdb"), folder, account)
            .args(["--no-sync", "--username=kerai", "--auth=trust", "--encoding=UTF8", "--no-locale", "-D"])
            .arg(folder.join("data"))
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let page = folder.join("data/postgresql.conf");
        let usual = fs::read_to_string(&page).expect("its settings");
        fs::write(&page, usual + settings).expect("written");
        let watch = command(Path::new("/bin/sh"), folder, account)
            .args(["-c", WATCH, "sh"])
            .arg(self.binaries.join("postgres"))
            .arg(folder)
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell");
        let server = Server { _watch: Some(watch), ..self };
        server.wait(folder);
        server
    }

    /// Ends the server of a folder as a crash would; it comes up again by itself.
    pub fn crash(&self, folder: &Path) {
        let page = fs::read_to_string(folder.join("data/postmaster.pid")).expect("a running server");
        let number = page.lines().next().expect("its number");
        assert!(Command::new("kill").args(["-9", number]).status().expect("kill runs").success());
        self.wait(folder);
    }

    /// Waits until a server in a folder answers.
    pub fn wait(&self, folder: &Path) {
        let is_up = |_| {
            let asked = Command::new(self.binaries.join("pg_isready"))
                .args(["--quiet", "--port", &self.port.to_string(), "--host"])
                .arg(folder)
                .status();
            let is_up = asked.expect("pg_isready runs").success();
            if !is_up {
                std::thread::sleep(PAUSE);
            }
            is_up
        };
        assert!((0..TRIES).any(is_up), "the server in {} does not answer", folder.display());
    }
}

/// Lets everybody in who comes by the socket, or by TLS.
fn who_may(folder: &Path) -> PathBuf {
    let page = folder.join("who-may");
    fs::write(&page, "local all all trust\nhostssl all all all trust\n").expect("written");
    page
}

/// Gives a file to the account that runs servers, where that is not our own.
fn give(path: &Path) {
    if let Some((user, group)) = account() {
        chown(path, Some(user), Some(group)).expect("root may give it away");
    }
}

/// A command that runs as an account that may run servers, in a folder which that account may enter.
pub fn command(program: &Path, folder: &Path, account: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    if let Some((user, group)) = account {
        command.uid(user).gid(group);
    }
    command
}

/// Servers refuse to run as root: who runs them then.
pub fn account() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let found = ["postgres", "nobody"].iter().find_map(|name| Some((id(&["-u", name])?, id(&["-g", name])?)));
    Some(found.expect("an account besides root"))
}

/// The folder of the newest server that is installed.
pub fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(VERSIONS)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            Some((path.file_name()?.to_str()?.parse().ok()?, path.join("bin")))
        })
        .collect();
    versions.sort_by(|a, b| b.cmp(a));
    let known = versions.into_iter().map(|(_, path)| path);
    let is_there = |folder: &PathBuf| ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file());
    let found = known.chain(std::env::split_paths(&path)).find(is_there)?;
    // A link into the folder of all binaries: the server looks for its files beside itself.
    fs::canonicalize(found.join("initdb")).ok()?.parent().map(Path::to_path_buf)
}

/// A folder whose name is short enough for a socket's path.
pub fn folder(name: &str) -> PathBuf {
    PathBuf::from("/tmp").join(format!("kerai-pg-{}-{name}", std::process::id()))
}

/// The server of all tests in this process; none where there is none to be had.
pub fn the_server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let find = || {
        // In a thread of its own: whoever asks first may be within a runtime.
        let find = || match (std::env::var(URL), binaries()) {
            (Ok(url), _) => Some(Server::named(&url)),
            (Err(_), Some(binaries)) => Some(Server::private(&binaries, &folder("all"))),
            (Err(_), None) => None,
        };
        let found = std::thread::spawn(find).join().expect("a server, or none");
        if found.is_none() {
            let required = std::env::var(REQUIRED).is_ok_and(|value| value == "1");
            assert!(!required, "{REQUIRED}=1, and there is no PostgreSQL: install it, or name a server by {URL}");
            println!("without PostgreSQL: no server's binaries are installed, and {URL} names none");
        }
        found
    };
    SERVER.get_or_init(find).as_ref()
}
