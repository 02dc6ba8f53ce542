//! A router that does not obey, written by hand over TCP: its world and its manners share
//! nothing with the emulator's.
//!
//! It answers honestly from its rows, unless its manner has another answer for a request.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::{Value, json};

/// Rows by path, without `/rest`.
pub(crate) type World = BTreeMap<String, Value>;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Its path, without `/rest`.
    pub(crate) path: String,
    pub(crate) body: Value,
}

impl Request {
    pub(crate) fn is_write(&self) -> bool {
        self.method == "PATCH"
    }

    pub(crate) fn prints(&self, menu: &str) -> bool {
        self.path == format!("{menu}/print")
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) enum HostileReply {
    /// JSON with a status.
    Json(u16, Value),
    /// A body of any kind, with a status and further header lines.
    Body(u16, String, Vec<u8>),
    /// Bytes as they are, head included; then the connection is closed.
    Raw(Vec<u8>),
    /// A head, and then these bytes again and again for as long as somebody reads them.
    Endless(String, Vec<u8>),
    /// A head, and then one byte at a time with a pause before each.
    Drip(String, Vec<u8>, Duration),
    /// Bytes as they are, and then a reset.
    Reset(Vec<u8>),
}

/// How the router answers a request instead of honestly.
type Manner = dyn Fn(&Request, &mut World) -> Option<HostileReply> + Send + Sync;

/// A running router; it ends when dropped.
pub(crate) struct Hostile {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    world: Mutex<World>,
    manner: Box<Manner>,
    seen: Mutex<Vec<Request>>,
    sent: AtomicU64,
    is_over: AtomicBool,
}

impl Hostile {
    /// Starts a router with these rows.
    pub(crate) fn start(
        world: World,
        manner: impl Fn(&Request, &mut World) -> Option<HostileReply> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            world: Mutex::new(world),
            manner: Box::new(manner),
            seen: Mutex::default(),
            sent: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        });
        let all = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if all.is_over.load(Ordering::Relaxed) {
                    return;
                }
                let one = Arc::clone(&all);
                thread::spawn(move || one.serve(stream));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Bytes that were taken off it so far.
    pub(crate) fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // Wakes the listener.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) {
        let Ok(mut out) = stream.try_clone() else { return };
        let mut reader = BufReader::new(stream);
        while let Some(request) = read(&mut reader) {
            self.seen.lock().unwrap().push(request.clone());
            let reply = {
                let mut world = self.world.lock().unwrap();
                let reply = (self.manner)(&request, &mut world);
                reply.unwrap_or_else(|| honest(&request, &mut world))
            };
            if self.answer(&mut out, reply).is_none() {
                return;
            }
        }
    }

    /// Sends a reply; `None` if the connection is over.
    fn answer(&self, out: &mut TcpStream, reply: HostileReply) -> Option<()> {
        match reply {
            HostileReply::Json(status, value) => {
                let head = "Content-Type: application/json\r\n".to_owned();
                self.answer(out, HostileReply::Body(status, head, value.to_string().into_bytes()))
            }
            HostileReply::Body(status, head, body) => {
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status} So\r\n{head}Content-Length: {length}\r\n\r\n");
                self.send(out, head.as_bytes())?;
                self.send(out, &body)
            }
            HostileReply::Raw(bytes) => {
                self.send(out, &bytes)?;
                None
            }
            HostileReply::Endless(head, again) => {
                self.send(out, head.as_bytes())?;
                while !self.is_over.load(Ordering::Relaxed) {
                    self.send(out, &again)?;
                }
                None
            }
            HostileReply::Drip(head, bytes, pause) => {
                self.send(out, head.as_bytes())?;
                for byte in bytes {
                    thread::sleep(pause);
                    self.send(out, &[byte])?;
                }
                None
            }
            HostileReply::Reset(bytes) => {
                self.send(out, &bytes)?;
                let lingering = socket2::SockRef::from(&*out).set_linger(Some(Duration::ZERO));
                lingering.ok().and(None)
            }
        }
    }

    fn send(&self, out: &mut TcpStream, bytes: &[u8]) -> Option<()> {
        for piece in bytes.chunks(16_384) {
            out.write_all(piece).ok()?;
            self.sent.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
        Some(())
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut words = line.split_ascii_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let header = header.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let path = path.strip_prefix("/rest").unwrap_or(&path).to_owned();
    Some(Request { method, path, body: serde_json::from_slice(&body).unwrap_or(Value::Null) })
}

/// What a router that means well would answer.
pub(crate) fn honest(request: &Request, world: &mut World) -> HostileReply {
    let Request { method, path, body } = request;
    if method == "PATCH"
        && let Some((menu, id)) = path.rsplit_once('/')
        && let Some(row) = row_of(world, menu, id)
    {
        for (property, value) in body.as_object().into_iter().flatten() {
            row[property] = value.clone();
        }
        return HostileReply::Json(200, row.clone());
    }
    let menu = path.strip_suffix("/print").unwrap_or(path);
    match world.get(menu) {
        Some(rows) => HostileReply::Json(200, rows.clone()),
        None => HostileReply::Json(
            400,
            json!({"error": 400, "message": "Bad Request", "detail": "no such command or directory"}),
        ),
    }
}

/// Returns the row of a menu with this id.
pub(crate) fn row_of<'a>(world: &'a mut World, menu: &str, id: &str) -> Option<&'a mut Value> {
    world.get_mut(menu)?.as_array_mut()?.iter_mut().find(|row| row[".id"] == id)
}

/// A router with two queue trees, as 7.20 shows them.
pub(crate) fn defaults(download: &str, upload: &str) -> World {
    let queue = |id: &str, name: &str, limit: u64| {
        json!({
            ".id": id, "name": name, "parent": "bridge", "queue": "cake", "bucket-size": "0.02",
            "max-limit": limit.to_string(), "bytes": "1000000", "packets": "1000", "dropped": "0",
            "queued-bytes": "0", "queued-packets": "0", "disabled": "false", "invalid": "false",
        })
    };
    let of = |path: &str, rows: Value| (path.to_owned(), rows);
    World::from([
        of(
            "/queue/tree",
            json!([
                queue("*1000000", download, 100_000_000),
                queue("*1000001", upload, 20_000_000)
            ]),
        ),
        of(
            "/queue/type",
            json!([{".id": "*A", "name": "cake", "kind": "cake", "cake-bandwidth": "0"}]),
        ),
        of(
            "/interface",
            json!([{".id": "*1", "name": "bridge", "type": "bridge", "tx-byte": "0"}]),
        ),
        of("/ip/firewall/filter", json!([])),
        of("/system/identity", json!({"name": "gw"})),
        of(
            "/system/resource",
            json!({"version": "7.20.8 (stable)", "uptime": "1d2h", "board-name": "RB5009", "cpu-load": "3"}),
        ),
    ])
}
