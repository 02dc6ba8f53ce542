//! A real OpenSSH server on a loopback port, whose only command is the emulated console.
//!
//! Console options are part of the login name (`ctl+cet512w`), and no system has such an account:
//! `nss_wrapper` lends the server, and nobody else, a list of accounts.

use std::{
    fs,
    io::Read as _,
    net::{TcpListener, TcpStream},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

const SERVER: &str = "/usr/sbin/sshd";
const NSS_WRAPPER: &str = "libnss_wrapper.so";

/// The server; it ends with its value.
pub(crate) struct Sshd {
    directory: TempDir,
    port: u16,
    server: Option<Child>,
}

impl Sshd {
    /// Starts a server that lets in `logins`.
    pub(crate) fn new(logins: &[&str]) -> Self {
        assert!(Path::new(SERVER).exists(), "{SERVER} is missing: install openssh-server");
        let directory = tempfile::Builder::new().prefix("wanctl-sshd").tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut sshd = Self { directory, port, server: None };
        sshd.generate("rsa", "host_key");
        sshd.generate("ed25519", "user_key");
        let key = fs::read_to_string(sshd.path("user_key.pub")).unwrap();
        let program = env!("CARGO_BIN_EXE_wanctl");
        let console = sshd.console().display().to_string();
        let forced = format!("{program} emulate-console --at {console}");
        sshd.write("authorized_keys", &format!("command=\"{forced}\",no-pty {key}"));
        sshd.trust_host();
        let owner = fs::metadata(sshd.directory.path()).unwrap();
        let (uid, gid) = (owner.uid(), owner.gid());
        let shown = sshd.directory.path().display().to_string();
        let account = |name: &&str| format!("{name}:x:{uid}:{gid}::{shown}:/bin/sh\n");
        let system = fs::read_to_string("/etc/passwd").unwrap();
        sshd.write("passwd", &(logins.iter().map(account).collect::<String>() + &system));
        sshd.write(
            "config",
            &format!(
                "Port {port}\nListenAddress 127.0.0.1\nHostKey {shown}/host_key\nPidFile none\n\
             AuthorizedKeysFile {shown}/authorized_keys\nStrictModes no\nUsePAM no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            ),
        );
        sshd.start();
        sshd
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn generate(&self, kind: &str, name: &str) {
        let path = self.path(name);
        fs::remove_file(&path).ok();
        let mut keygen = Command::new("ssh-keygen");
        // RouterOS has an RSA key of 2048 bits.
        let bits: &[&str] = if kind == "rsa" { &["-b", "2048"] } else { &[] };
        keygen.args(["-q", "-N", "", "-t", kind]).args(bits).arg("-f").arg(path);
        assert!(keygen.status().expect("install openssh-client").success());
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Where the emulated console has to be served.
    pub(crate) fn console(&self) -> PathBuf {
        self.path("console")
    }

    pub(crate) fn user_key(&self) -> PathBuf {
        self.path("user_key")
    }

    pub(crate) fn known_hosts(&self) -> PathBuf {
        self.path("known hosts %h")
    }

    fn trust_host(&self) {
        let key = fs::read_to_string(self.path("host_key.pub")).unwrap();
        fs::write(self.known_hosts(), format!("[127.0.0.1]:{} {key}", self.port)).unwrap();
    }

    pub(crate) fn forget_host(&self) {
        fs::write(self.known_hosts(), "").unwrap();
    }

    /// Gives the server another key, which nobody knows.
    pub(crate) fn change_host_key(&self) {
        self.generate("rsa", "host_key");
    }

    pub(crate) fn authorise_nobody(&self) {
        self.write("authorized_keys", "");
    }

    /// Starts the server and waits until it answers.
    pub(crate) fn start(&mut self) {
        // The server refuses to start without the directory that its package makes at boot.
        fs::create_dir_all("/run/sshd").ok();
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path("log")).unwrap();
        let server = Command::new(SERVER)
            .args(["-D", "-e", "-f"])
            .arg(self.path("config"))
            .env("LD_PRELOAD", nss_wrapper())
            .env("NSS_WRAPPER_PASSWD", self.path("passwd"))
            .env("NSS_WRAPPER_GROUP", "/etc/group")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.server = Some(server);
        let begun = Instant::now();
        while !self.answers() {
            assert!(begun.elapsed() < Duration::from_secs(20), "no answer: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn answers(&self) -> bool {
        let mut greeting = [0; 4];
        TcpStream::connect(("127.0.0.1", self.port))
            .and_then(|mut stream| stream.read_exact(&mut greeting))
            .is_ok_and(|()| &greeting == b"SSH-")
    }

    /// Kills the server and all of its sessions.
    pub(crate) fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let sessions = below(server.id());
            server.kill().unwrap();
            server.wait().unwrap();
            kill(&sessions);
        }
    }

    /// Kills the sessions, not the server.
    pub(crate) fn close_sessions(&self) {
        kill(&below(self.id()));
    }

    fn id(&self) -> u32 {
        self.server.as_ref().expect("it was started").id()
    }

    /// Connections that are open.
    pub(crate) fn sessions(&self) -> usize {
        children(self.id()).len()
    }

    /// Commands that are in flight.
    pub(crate) fn commands(&self) -> usize {
        let is_command = |id: &&u32| {
            let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains("emulate-console")
        };
        below(self.id()).iter().filter(is_command).count()
    }

    /// Logins so far.
    pub(crate) fn logins(&self) -> usize {
        self.log().matches("Accepted publickey").count()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
    }
}

fn nss_wrapper() -> PathBuf {
    let directories = fs::read_dir("/usr/lib").unwrap().filter_map(Result::ok);
    let found = directories.map(|entry| entry.path().join(NSS_WRAPPER)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{NSS_WRAPPER} is missing: install libnss-wrapper"))
}

fn kill(processes: &[u32]) {
    let mut kill = Command::new("kill");
    kill.arg("-9").args(processes.iter().map(ToString::to_string)).stderr(Stdio::null());
    // Those that are gone already are no failure.
    kill.status().unwrap();
}

/// Everything that descends from a process.
fn below(parent: u32) -> Vec<u32> {
    let children = children(parent);
    let grandchildren: Vec<u32> = children.iter().flat_map(|child| below(*child)).collect();
    children.into_iter().chain(grandchildren).collect()
}

fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id| parent_of(*id) == Some(parent)).collect()
}

fn parent_of(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in brackets, may have blanks in it; then come the state and the parent.
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}
