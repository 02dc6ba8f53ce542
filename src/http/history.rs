//! `GET /metrics/history`: rows of the history in pages. A thread reads a page while it is sent, so
//! that it takes the memory of a few chunks, and a slow client delays only its own page.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde_json::json;
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    task,
};

use super::Served;
use crate::{
    clock::Clock,
    history::{
        AnswerError, Cursor, ExportRequest, Format, HistoryError, QueryError, Reader, Rows,
        write_csv, write_json,
    },
};

/// Pages that are read at the same time. Each takes a thread and some megabytes at most.
const MOST_PAGES: usize = 4;
/// Bytes of a chunk, and how many wait for a slow client.
const CHUNK: usize = 32 * 1024;
const CHUNKS: usize = 4;

/// The history's file, and how many may read it at a time.
#[derive(Debug, Clone)]
pub struct HistorySource {
    path: Option<PathBuf>,
    turns: Arc<Semaphore>,
}

impl HistorySource {
    /// Serves the history at `path`, or says that none is kept.
    #[must_use]
    pub fn new(path: Option<PathBuf>) -> Self {
        Self { path, turns: Arc::new(Semaphore::new(MOST_PAGES)) }
    }
}

type Chunk = io::Result<Bytes>;
/// The page after this one, if there is one and its cursor is not in the body.
type Next = Option<Cursor>;

pub(super) async fn history(
    State(served): State<Served>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let request = match ExportRequest::parse(&query, Clock::wall()) {
        Ok(request) => request,
        Err(mistake) => return misused(&mistake),
    };
    let HistorySource { path, turns } = served.history;
    let Some(path) = path else {
        let reported = "no history is stored: set history.path";
        return refused(StatusCode::NOT_FOUND, reported);
    };
    let Ok(turn) = turns.try_acquire_owned() else {
        let reported =
            format!("{MOST_PAGES} other requests read the history; try again in a second");
        let refused = refused(StatusCode::SERVICE_UNAVAILABLE, &reported);
        return ([(header::RETRY_AFTER, "1")], refused).into_response();
    };
    let format = request.format.unwrap_or_else(|| accepted(&headers));
    let (sender, mut chunks) = mpsc::channel::<Chunk>(CHUNKS);
    let (ready, begun) = oneshot::channel();
    task::spawn_blocking(move || {
        let _turn = turn;
        read(&path, &request, format, ready, &sender);
    });
    match begun.await {
        Ok(Ok(next)) => {
            let body = Body::from_stream(stream::poll_fn(move |task| chunks.poll_recv(task)));
            let kind = match format {
                Format::Json => "application/json",
                Format::Csv => "text/csv; charset=utf-8; header=present",
            };
            let headers = [
                (header::CONTENT_TYPE, kind),
                (header::VARY, "Accept"),
                (header::CACHE_CONTROL, "no-store"),
            ];
            let mut response = (headers, body).into_response();
            let link = next.and_then(|next| HeaderValue::try_from(link(&query, &next)).ok());
            response.headers_mut().extend(link.map(|link| (header::LINK, link)));
            response
        }
        Ok(Err(error)) => failed(&error),
        Err(_) => refused(StatusCode::INTERNAL_SERVER_ERROR, "reading the history failed"),
    }
}

/// Reads a page and sends it. What fails before the first chunk goes to `ready`; after it, the
/// answer breaks off, which its reader notices.
fn read(
    path: &Path,
    request: &ExportRequest,
    format: Format,
    ready: oneshot::Sender<Result<Next, HistoryError>>,
    sender: &mpsc::Sender<Chunk>,
) {
    let ExportRequest { question, limit, cursor, .. } = request;
    let begin = |reader| Rows::new(reader, question, *limit, cursor.as_ref());
    let reader = match Reader::open(path) {
        Ok(reader) => reader,
        Err(error) => return drop(ready.send(Err(error))),
    };
    let rows = begin(&reader).and_then(|mut rows| match format {
        // The cursor is at the end of the body.
        Format::Json => Ok((None, rows)),
        // The cursor is in a header, so the page is read twice: without a transaction, in which a
        // slow client would block the checkpoints. The second pass ends at the cursor of the first.
        Format::Csv => {
            rows.by_ref().try_for_each(|row| row.map(drop))?;
            let next = rows.next_page().cloned();
            Ok((next.clone(), begin(&reader)?.up_to(next)))
        }
    });
    let (next, mut rows) = match rows {
        Ok(rows) => rows,
        Err(error) => return drop(ready.send(Err(error))),
    };
    if ready.send(Ok(next)).is_err() {
        return;
    }
    let mut out = io::BufWriter::with_capacity(CHUNK, Chunks(sender.clone()));
    let written = match format {
        Format::Json => write_json(&mut out, &mut rows, question, |_| {}),
        Format::Csv => write_csv(&mut out, &mut rows, question, |_| {}),
    };
    let written = written.and_then(|()| out.flush().map_err(AnswerError::Write));
    if let Err(AnswerError::History(error)) = written {
        let _ = sender.blocking_send(Err(io::Error::other(error)));
    }
}

/// Sends what is written, and waits while the client is slow.
struct Chunks(mpsc::Sender<Chunk>);

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let gone = |_| io::ErrorKind::BrokenPipe;
        self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes))).map_err(gone)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn accepted(headers: &HeaderMap) -> Format {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let mut kinds = accept.unwrap_or_default().split([',', ';']).map(str::trim);
    let known = kinds.find(|kind| ["text/csv", "application/json"].contains(kind));
    if known == Some("text/csv") { Format::Csv } else { Format::Json }
}

/// Returns the link to the next page: the same question, from where this one ends.
fn link(query: &str, next: &Cursor) -> String {
    let mut same = form_urlencoded::Serializer::new(String::new());
    same.extend_pairs(
        form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "cursor"),
    );
    same.append_pair("cursor", &next.to_string());
    format!("</metrics/history?{}>; rel=\"next\"", same.finish())
}

fn misused(mistake: &QueryError) -> Response {
    let reported = json!({"error": mistake.to_string(), "parameter": mistake.parameter});
    (StatusCode::BAD_REQUEST, Json(reported)).into_response()
}

fn failed(error: &HistoryError) -> Response {
    let status = match error {
        HistoryError::UnknownWan { .. } => StatusCode::BAD_REQUEST,
        // The daemon makes the file, and mends it, as soon as it can.
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    refused(status, &error.with_causes())
}

fn refused(status: StatusCode, reason: &str) -> Response {
    (status, Json(json!({"error": reason}))).into_response()
}
