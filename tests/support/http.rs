//! A minute HTTP client, so that what is tested is not tested with itself.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// An answer.
#[derive(Debug)]
pub(crate) struct HttpResponse {
    pub(crate) status: u16,
    /// Header lines, with their names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl HttpResponse {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Asks for `path` on a connection of its own.
pub(crate) fn get(address: SocketAddr, path: &str, accept: &str) -> io::Result<HttpResponse> {
    ask(address, &request(address, path, accept))
}

/// Sends a whole request on a connection of its own.
pub(crate) fn ask(address: SocketAddr, request: &str) -> io::Result<HttpResponse> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8(answer).map_err(io::Error::other)?;
    parse(&answer).ok_or_else(|| io::Error::other(format!("not an answer: {answer:?}")))
}

/// Words a request. HTTP/1.0 has no chunks, and the answer ends with the connection.
pub(crate) fn request(address: SocketAddr, path: &str, accept: &str) -> String {
    format!("GET {path} HTTP/1.0\r\nHost: {address}\r\nAccept: {accept}\r\n\r\n")
}

/// Reads an answer.
pub(crate) fn parse(answer: &str) -> Option<HttpResponse> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split_ascii_whitespace().nth(1)?.parse().ok()?;
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    let headers = lines.map(header).collect::<Option<_>>()?;
    Some(HttpResponse { status, headers, body: body.to_owned() })
}
