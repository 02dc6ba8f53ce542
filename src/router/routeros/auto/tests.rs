use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::Duration,
};

use super::*;
use crate::router::{RouterFault, routeros::transport::RowId};

/// A transport that works or not, and counts its requests.
#[derive(Debug)]
struct FakeTransport {
    kind: Transport,
    works: AtomicBool,
    requests: AtomicU32,
}

impl FakeTransport {
    fn new(kind: Transport) -> Arc<Self> {
        Arc::new(Self { kind, works: AtomicBool::new(true), requests: AtomicU32::new(0) })
    }

    fn answer<T: Send + 'static>(&self, answer: T) -> BoxFuture<'_, Result<T, RouterError>> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let works = self.works.load(Ordering::Relaxed);
        let fault = RouterFault::Reset("it broke".into()).at(self.target(), "trying");
        Box::pin(async move { if works { Ok(answer) } else { Err(fault) } })
    }
}

impl RowTransport for FakeTransport {
    fn transport(&self) -> Transport {
        self.kind
    }

    fn target(&self) -> String {
        self.kind.name().to_owned()
    }

    fn request<'a>(&'a self, _: Request<'a>) -> Reply<'a, Vec<Row>> {
        self.answer(vec![Row([("name".to_owned(), "gw".to_owned())].into())])
    }
}

/// Changes at the second failure, and checks without a pause.
const FAST: TransportFailoverParams = TransportFailoverParams {
    failures: 2,
    sustained: Duration::ZERO,
    first_check: Duration::ZERO,
    longest_backoff: Duration::ZERO,
    good_checks: 2,
};

#[tokio::test]
async fn requests_use_the_transport_that_works_and_none_is_repeated() {
    let (rest, ssh) = (FakeTransport::new(Transport::Rest), FakeTransport::new(Transport::Ssh));
    let selector = TransportSelector::new(rest.clone(), FAST);
    let control = AutoTransport::new(rest.clone(), ssh.clone(), selector.clone());
    let statistics = AutoTransport::new(rest.clone(), ssh.clone(), selector);
    let (control, statistics): (&dyn RowTransport, &dyn RowTransport) = (&control, &statistics);
    let id = RowId::parse("*1").unwrap();
    let write = || control.set(Menu::QueueTree, &id, "max-limit", "1");
    write().await.unwrap();
    rest.works.store(false, Ordering::Relaxed);
    for _ in 0..2 {
        assert_eq!(write().await.unwrap_err().target, "rest");
    }
    assert_eq!(ssh.requests.load(Ordering::Relaxed), 0, "a failed write is nobody else's");
    assert_eq!((control.transport(), statistics.transport()), (Transport::Ssh, Transport::Ssh));
    write().await.unwrap();
    assert_eq!((ssh.requests.load(Ordering::Relaxed), control.target()), (1, "ssh".to_owned()));
    rest.works.store(true, Ordering::Relaxed);
    for _ in 0..20 {
        statistics.print(Menu::QueueTree, &[]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(control.transport(), Transport::Rest);
}
