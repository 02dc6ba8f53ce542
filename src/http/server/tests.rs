//! Slow, silent, large and many: what becomes of them, in virtual time and over real sockets.

use axum::routing::{get, post};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    time::Instant,
};

use super::*;

const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

fn app() -> Router {
    let long = "x".repeat(200_000);
    Router::new()
        .route("/", get(|| async { "well" }))
        .route("/long", get(move || async { long }))
        .route("/obey", post(|| async { "obeyed" }))
}

/// A conversation in memory, whose pipe holds few bytes.
fn talk() -> DuplexStream {
    let (ours, theirs) = duplex(1024);
    let slot = ConnectionLimit::new(1).admit([127, 0, 0, 1].into()).unwrap();
    tokio::spawn(converse(theirs, app(), slot, CancellationToken::new()));
    ours
}

/// Reads to the end, and says how long that took.
async fn rest(stream: &mut DuplexStream) -> (String, Duration) {
    let (started, mut text) = (Instant::now(), String::new());
    let _ = stream.read_to_string(&mut text).await;
    (text, started.elapsed())
}

#[tokio::test(start_paused = true)]
async fn who_connects_and_says_nothing_is_left() {
    let (said, after) = rest(&mut talk()).await;
    assert_eq!(said, "");
    assert_eq!(after.as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_trickles_in_is_cut_off() {
    let mut stream = talk();
    let started = Instant::now();
    while stream.write_all(b"G").await.is_ok() {
        sleep(Duration::from_secs(1)).await;
    }
    assert!(started.elapsed().as_secs() <= 11, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_scraper_keeps_its_connection_over_a_minute() {
    let mut stream = talk();
    for _ in 0..3 {
        stream.write_all(ASK).await.unwrap();
        let mut answer = [0; 512];
        let read = stream.read(&mut answer).await.unwrap();
        assert!(answer[..read].ends_with(b"well"), "{}", String::from_utf8_lossy(&answer));
        sleep(Duration::from_mins(1)).await;
    }
    let (_, after) = rest(&mut stream).await;
    assert_eq!(after.as_secs(), 60, "two minutes after the last answer");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_takes_is_given_up() {
    let mut stream = talk();
    stream.write_all(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    sleep(Duration::from_secs(31)).await;
    let (said, _) = rest(&mut stream).await;
    assert!(said.len() <= 1024, "{} bytes had been sent", said.len());
}

#[tokio::test]
async fn too_large_heads_and_bodies_are_refused_by_their_numbers() {
    let head = [&b"GET / HTTP/1.1\r\nX: "[..], &vec![b'x'; 20_000], b"\r\n\r\n"].concat();
    let body = b"POST /obey HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n".to_vec();
    let chunks = b"POST /obey HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for (request, status) in [(head, 431), (body, 413), (chunks, 413)] {
        let (mut read, mut write) = tokio::io::split(talk());
        let sending = tokio::spawn(async move {
            let _ = write.write_all(&request).await;
            write
        });
        let mut answer = [0; 64];
        let got = read.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..got]).into_owned();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        sending.abort();
    }
}

#[tokio::test]
async fn a_scrape_is_answered_amid_many_silent_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let server = tokio::spawn(serve(listener, app(), Web::default(), 8, stop.clone()));

    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let mut scraper = TcpStream::connect(address).await.unwrap();
    scraper.write_all(ASK).await.unwrap();
    let mut answer = [0; 512];
    let read = scraper.read(&mut answer).await.unwrap();
    assert!(answer[..read].ends_with(b"well"));
    let first = silent.first_mut().unwrap().read(&mut answer).await;
    assert!(matches!(first, Ok(0) | Err(_)), "the oldest silent one had to go");

    stop.cancel();
    timeout(Duration::from_secs(5), server).await.unwrap().unwrap();
}
