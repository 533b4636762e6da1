//! How is a connection made where nothing is in between? Name and TCP handshake,
//! both within one time.

use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

/// A connection is idle for fifteen seconds at most, and a request takes thirty:
/// whatever is in between does not forget it meanwhile.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// When the kernel gives up on what it was told to send. Long after we have, it
/// would deliver a write to a server that can be reached again.
#[cfg(target_os = "linux")]
const LONGEST_UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// Makes connections for hyper.
#[derive(Clone)]
pub(super) struct Connector<R = GaiResolver> {
    tcp: HttpConnector<R>,
    time: Duration,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotConnected {
    #[error(transparent)]
    InTime(Cause),
    #[error(transparent)]
    UnknownHost(Cause),
    #[error(transparent)]
    Failed(Cause),
}

type Cause = Box<dyn Error + Send + Sync>;

impl Connector {
    /// The time is for the name service and the handshakes together, of which
    /// [`HttpConnector`] itself limits only the latter: the addresses that a name
    /// has share it, so that one which does not answer leaves time for the next.
    pub(super) fn new(time: Duration) -> Self {
        Self::resolving_with(GaiResolver::new(), time)
    }
}

impl<R> Connector<R> {
    fn resolving_with(resolver: R, time: Duration) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(resolver);
        tcp.set_connect_timeout(Some(time));
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEP_ALIVE));
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(LONGEST_UNACKNOWLEDGED));
        Self { tcp, time }
    }
}

impl<R> Service<Uri> for Connector<R>
where
    HttpConnector<R>: Service<Uri, Response = TokioIo<TcpStream>>,
    <HttpConnector<R> as Service<Uri>>::Error: Into<Cause>,
    <HttpConnector<R> as Service<Uri>>::Future: Send + 'static,
{
    type Response = TokioIo<TcpStream>;
    type Error = NotConnected;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, NotConnected>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), NotConnected>> {
        let ready = self.tcp.poll_ready(context);
        ready.map_err(|error| NotConnected::of(error.into()))
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        let connecting = timeout(self.time, self.tcp.call(server));
        Box::pin(async move {
            let connected = connecting.await;
            let connected = connected.map_err(|error| NotConnected::InTime(error.into()))?;
            connected.map_err(|error| NotConnected::of(error.into()))
        })
    }
}

impl NotConnected {
    fn of(error: Cause) -> Self {
        let first: &dyn Error = &*error;
        let is_late = std::iter::successors(Some(first), |&cause| cause.source())
            .filter_map(|cause| cause.downcast_ref::<io::Error>())
            .any(|cause| cause.kind() == io::ErrorKind::TimedOut);
        if is_late {
            Self::InTime(error)
        } else if error.to_string().starts_with("dns error") {
            // Its type is not public.
            Self::UnknownHost(error)
        } else {
            Self::Failed(error)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::future::{Ready, ready};
    use std::net::{Ipv4Addr, SocketAddr};
    use std::vec;

    use hyper_util::client::legacy::connect::dns::Name;
    use tokio::net::TcpSocket;

    use super::*;

    /// A name with these addresses; ports are those of the URL.
    #[derive(Clone)]
    struct Resolver(Vec<Ipv4Addr>);

    impl Service<Name> for Resolver {
        type Response = vec::IntoIter<SocketAddr>;
        type Error = io::Error;
        type Future = Ready<io::Result<Self::Response>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Name) -> Self::Future {
            let addresses = self.0.iter().map(|address| (*address, 0).into());
            ready(Ok(addresses.collect::<Vec<_>>().into_iter()))
        }
    }

    fn listen(address: SocketAddr) -> tokio::net::TcpListener {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(address).unwrap();
        socket.listen(1).unwrap()
    }

    #[tokio::test]
    async fn an_address_that_does_not_answer_leaves_time_for_the_next() {
        // Linux answers no handshake for a port at which others wait to be accepted.
        let mute_address = Ipv4Addr::new(127, 0, 0, 2);
        let mute = listen((mute_address, 0).into());
        let address = mute.local_addr().unwrap();
        let mut waiting = Vec::new();
        let brief = Duration::from_millis(200);
        while let Ok(stream) = timeout(brief, TcpStream::connect(address)).await {
            waiting.push(stream.unwrap());
        }
        let live = listen((Ipv4Addr::LOCALHOST, address.port()).into());
        let resolver = Resolver(vec![mute_address, Ipv4Addr::LOCALHOST]);
        let server: Uri = format!("http://alertmanager:{}", address.port())
            .parse()
            .unwrap();

        let time = Duration::from_millis(400);
        let mut connector = Connector::resolving_with(resolver, time);
        let connected = connector.call(server.clone()).await.unwrap();
        let peer = connected.inner().peer_addr().unwrap();
        assert_eq!(peer, live.local_addr().unwrap());

        let mut connector = Connector::resolving_with(Resolver(vec![mute_address]), time);
        let error = connector.call(server).await.unwrap_err();
        assert!(matches!(error, NotConnected::InTime(_)), "{error:?}");
    }
}
