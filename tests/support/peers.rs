//! Peers that mean no good, written without regard to how the server works: they speak bytes over
//! TCP on the loopback interface, in bounded numbers.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How long a peer waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Most requests of one flood.
const MOST: usize = 200_000;

/// Sends the bytes and returns the status of the answer, and how long it took.
pub(crate) fn send(address: SocketAddr, bytes: &[u8]) -> io::Result<(u16, Duration)> {
    let asked = Instant::now();
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.write_all(bytes)?;
    let status = status(&mut stream)?;
    Ok((status, asked.elapsed()))
}

/// Requests `path` for `host`, with these further header lines.
pub(crate) fn request(method: &str, path: &str, host: &str, headers: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n{headers}\r\n")
        .into_bytes()
}

/// A header line with a user and a password.
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Authorization: Basic {}\r\n", base64(format!("{user}:{password}").as_bytes()))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = |chunk: &[u8]| {
        let byte = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let digit = |place: usize| {
            if place > chunk.len() {
                '='
            } else {
                char::from(DIGITS[(bits >> (18 - 6 * place)) as usize & 63])
            }
        };
        (0..4).map(digit).collect::<String>()
    };
    bytes.chunks(3).map(digits).collect()
}

/// Reads the status of an answer.
fn status(stream: &mut TcpStream) -> io::Result<u16> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    let mut head = [0; 4096];
    let length = stream.read(&mut head)?;
    let status =
        std::str::from_utf8(&head[..length]).ok().and_then(|head| head.get(9..12)?.parse().ok());
    status.ok_or_else(|| io::Error::other("no answer"))
}

/// Threads that guess passwords until this is dropped.
#[derive(Debug)]
pub(crate) struct PasswordGuessers {
    stop: Arc<AtomicBool>,
    guesses: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
}

impl PasswordGuessers {
    /// Lets `number` of them guess the password of `user`, each on a connection that it keeps for
    /// as long as it is let, or on a new one each time.
    pub(crate) fn start(address: SocketAddr, user: &str, number: usize, keeps: bool) -> Self {
        let (stop, guesses) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let guess = |_| {
            let (stop, guesses, user) = (Arc::clone(&stop), Arc::clone(&guesses), user.to_owned());
            thread::spawn(move || {
                while !stop.load(Relaxed) && guesses.load(Relaxed) < MOST {
                    // Turned away, it comes back.
                    let _ = guess(address, &user, keeps, &stop, &guesses);
                    thread::sleep(Duration::from_millis(20));
                }
            })
        };
        let threads = (0..number).map(guess).collect();
        Self { stop, guesses, threads }
    }

    pub(crate) fn guesses(&self) -> usize {
        self.guesses.load(Relaxed)
    }
}

fn guess(
    address: SocketAddr,
    user: &str,
    keeps: bool,
    stop: &AtomicBool,
    guesses: &AtomicUsize,
) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    while !stop.load(Relaxed) {
        let number = guesses.fetch_add(1, Relaxed);
        let header = basic(user, &format!("wrong{number}"));
        stream.write_all(&request("GET", "/livez", "localhost", &header))?;
        status(&mut stream)?;
        if !keeps {
            return Ok(());
        }
    }
    Ok(())
}

impl Drop for PasswordGuessers {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
