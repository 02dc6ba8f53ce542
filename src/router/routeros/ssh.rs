//! SSH as a transport: the console of RouterOS over one lasting connection.
//!
//! The system's `ssh` keeps the connection and this program speaks to it over a private socket.
//! One command is in flight at a time: how many channels RouterOS allows at once is not known. A
//! command without an answer ends its connection, because later answers could not be assigned.

mod control_directory;
mod fault;

use std::time::Duration;

use futures_util::future::join;
use openssh::{ControlPersist, KnownHosts, Session, SessionBuilder, Stdio};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    sync::Mutex,
    task::JoinHandle,
    time::timeout,
};

use super::{
    LARGEST_ANSWER, Settings,
    console::{CommandLine, Dialect, OPTIONS},
    encoding,
    transport::{Request, Row, RowTransport},
};
use crate::router::{Reply, RouterFault, RouterText, Transport};

/// How long the TCP and SSH handshakes may take; a command that cannot wait that long gives up,
/// and the next one finds the connection made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that is silent for this long is asked whether it is alive, three times.
const ALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// The `ssh` that keeps the connection ends when it is not used for this many seconds: it would
/// survive a daemon that was killed.
const IDLE_SECONDS: std::num::NonZeroUsize = std::num::NonZeroUsize::new(60).expect("60 is not 0");

/// SSH as one user of a router.
#[derive(Debug)]
pub(super) struct SshTransport {
    login: SessionBuilder,
    host: String,
    user: String,
    target: String,
    timeout: Duration,
    /// Held during a command: the queue of the commands, and the connection.
    turn: Mutex<SshConnection>,
}

/// The connection, as far as there is one.
#[derive(Debug)]
struct SshConnection {
    /// Taken out during a command, so that an abandoned command takes its connection with it.
    session: Option<Session>,
    /// A connection that was still being made when its command gave up.
    connecting: Option<JoinHandle<Result<Session, openssh::Error>>>,
    dialect: Dialect,
}

impl SshTransport {
    /// Prepares the transport; nothing is sent yet.
    ///
    /// # Errors
    /// A sentence if the host's name cannot be one.
    pub(super) fn new(settings: &Settings) -> Result<Self, String> {
        let ssh = &settings.ssh;
        // `ssh` would take the first for an option, and the others for more than a name.
        if ssh.host.starts_with('-') || ssh.host.contains(['@', '/', ' ']) {
            return Err(format!("router.ssh.host: `{}` is not the name of a host", ssh.host));
        }
        // Whoever gives options of the console wants these and no others.
        let has_options = ssh.user.contains('+');
        let mut login = SessionBuilder::default();
        login
            .user(if has_options { ssh.user.clone() } else { format!("{}{OPTIONS}", ssh.user) })
            .port(ssh.port)
            // Neither the user's nor the system's: their settings would be half of ours.
            .config_file("/dev/null")
            .known_hosts_check(KnownHosts::Strict)
            .connect_timeout(CONNECT_TIMEOUT)
            .server_alive_interval(ALIVE_INTERVAL)
            .control_persist(ControlPersist::IdleFor(IDLE_SECONDS))
            .control_directory(control_directory::choose());
        if let Some(file) = &ssh.known_hosts_file {
            // `ssh` splits the option at blanks and has tokens that begin with a percent sign.
            login.user_known_hosts_file(format!("\"{}\"", escaped(file)));
        }
        if let Some(file) = &ssh.key_file {
            login.keyfile(escaped(file));
        }
        let shown =
            if ssh.host.contains(':') { format!("[{}]", ssh.host) } else { ssh.host.clone() };
        Ok(Self {
            login,
            host: ssh.host.clone(),
            user: ssh.user.clone(),
            target: format!("ssh://{shown}:{}", ssh.port),
            timeout: settings.request_timeout,
            turn: Mutex::new(SshConnection {
                session: None,
                connecting: None,
                dialect: Dialect::Json,
            }),
        })
    }

    /// Makes one request in the dialect that the router understands.
    async fn run_command(&self, request: Request<'_>) -> Result<Vec<Row>, RouterFault> {
        let mut link = self.turn.lock().await;
        let answer = self.say(&mut link, request).await;
        // A console without JSON, or another mistake: then this complains as well.
        if let Err(RouterFault::UnknownParameter(_)) = answer
            && link.dialect == Dialect::Json
        {
            link.dialect = Dialect::Text;
            let answer = self.say(&mut link, request).await;
            if answer.is_err() {
                link.dialect = Dialect::Json;
            }
            return answer;
        }
        answer
    }

    async fn say(
        &self,
        link: &mut SshConnection,
        request: Request<'_>,
    ) -> Result<Vec<Row>, RouterFault> {
        let command = CommandLine::new(request, link.dialect, fastrand::u64(..));
        let output = timeout(self.timeout, self.run(link, command.text())).await;
        command.rows(&output.map_err(|_| RouterFault::Timeout(self.timeout))??)
    }

    /// Runs a command line on the connection that there is, or on a new one.
    ///
    /// Routers close idle connections, at times in the very moment of use: a command whose
    /// connection breaks is given one more, new one. Setting a rate twice is setting it once.
    async fn run(&self, link: &mut SshConnection, command: &str) -> Result<String, RouterFault> {
        if let Some(session) = link.session.take() {
            match run_on(&session, command).await {
                Ok(output) => {
                    link.session = Some(session);
                    return Ok(output);
                }
                Err(RouterFault::Reset(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        let session = self.connect(link).await?;
        let output = run_on(&session, command).await?;
        link.session = Some(session);
        Ok(output)
    }

    async fn connect(&self, link: &mut SshConnection) -> Result<Session, RouterFault> {
        // What an older attempt has come to says little about now, unless it succeeded.
        if let Some(made) = link.connecting.take_if(|attempt| attempt.is_finished())
            && let Ok(Ok(session)) = made.await
        {
            return Ok(session);
        }
        let attempt = link.connecting.get_or_insert_with(|| {
            let (login, host) = (self.login.clone(), self.host.clone());
            // A task, so that `ssh` is never left alone between its start and its being ours.
            tokio::spawn(async move { login.connect_mux(&host).await })
        });
        let made = attempt.await;
        link.connecting = None;
        // The router may have been updated meanwhile.
        link.dialect = Dialect::Json;
        match made {
            Ok(made) => made.map_err(|error| fault::of_connecting(&error, &self.user)),
            Err(_) => Err(RouterFault::Connect("the attempt was given up".into())),
        }
    }
}

/// Runs a command line on `session` and returns what it printed.
async fn run_on(session: &Session, command: &str) -> Result<String, RouterFault> {
    let broken = |error: openssh::Error| fault::of_command(&error);
    let mut command = session.raw_command(command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().await.map_err(broken)?;
    let (stdout, stderr) = (child.stdout().take(), child.stderr().take());
    // Both at once: a command whose complaints nobody reads does not end.
    let (printed, complaints) = join(read(stdout), read(stderr)).await;
    let (printed, complaints) = (printed?, complaints?);
    child.wait().await.map_err(broken)?;
    let printed = encoding::decode(&printed);
    if printed.trim().is_empty() && !complaints.is_empty() {
        return Err(RouterFault::Reset(RouterText::words(&encoding::decode(&complaints))));
    }
    Ok(printed.into_owned())
}

/// Reads what a command prints, and no more of it than can be meant.
async fn read(pipe: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, RouterFault> {
    let mut printed = Vec::new();
    let Some(pipe) = pipe else { return Ok(printed) };
    let most = u64::try_from(LARGEST_ANSWER).unwrap_or(u64::MAX);
    let read = pipe.take(most.saturating_add(1)).read_to_end(&mut printed).await;
    read.map_err(|error| RouterFault::Reset(error.to_string().into()))?;
    if printed.len() > LARGEST_ANSWER {
        let mib = LARGEST_ANSWER >> 20;
        let reported = format!("it is larger than {mib} MiB, and the rest was not read");
        return Err(RouterFault::Unparsable(reported.into()));
    }
    Ok(printed)
}

fn escaped(file: &std::path::Path) -> String {
    file.display().to_string().replace('%', "%%")
}

impl RowTransport for SshTransport {
    fn transport(&self) -> Transport {
        Transport::Ssh
    }

    fn target(&self) -> String {
        self.target.clone()
    }

    fn request<'a>(&'a self, request: Request<'a>) -> Reply<'a, Vec<Row>> {
        Box::pin(async move {
            let rows = self.run_command(request).await;
            let rows = rows.and_then(|rows| match request {
                // A row that was removed meanwhile is not shown.
                Request::Set { menu, id, .. } => {
                    let is_it =
                        |row: &Row| row.text(".id").is_none_or(|shown| shown == id.as_str());
                    let row = rows.into_iter().find(is_it);
                    row.map(|row| vec![row]).ok_or_else(|| {
                        RouterFault::NotFound(format!("{} {id}", menu.path()).into())
                    })
                }
                _ => Ok(rows),
            });
            rows.map_err(|fault| fault.at(&self.target, request.operation()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::routeros::{Credentials, SshConfig, TransportChoice};

    fn transport(host: &str, user: &str) -> Result<SshTransport, String> {
        let ssh = SshConfig {
            host: host.to_owned(),
            port: 2222,
            user: user.to_owned(),
            key_file: None,
            known_hosts_file: None,
        };
        let settings = Settings::at("https://192.0.2.1", Credentials::new("u", ""));
        SshTransport::new(&Settings { transport: TransportChoice::Ssh, ssh, ..settings })
    }

    #[test]
    fn the_console_prints_wide_lines_unless_configured_otherwise() {
        for (user, login) in [("ctl", "ctl+cet512w"), ("ctl+ct80w", "ctl+ct80w")] {
            assert_eq!(transport("192.0.2.1", user).unwrap().login.get_user(), Some(login));
        }
        assert_eq!(transport("192.0.2.1", "ctl").unwrap().target(), "ssh://192.0.2.1:2222");
        assert_eq!(transport("2001:db8::1", "ctl").unwrap().target(), "ssh://[2001:db8::1]:2222");
    }

    #[test]
    fn a_host_is_never_taken_for_an_option() {
        for host in ["-oProxyCommand=x", "ssh://other", "somebody@else", "two words"] {
            assert!(transport(host, "ctl").is_err(), "{host}");
        }
    }
}
