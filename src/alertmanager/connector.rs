//! How is a connection made where nothing is in between? Name and TCP handshake,
//! both within one time.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{error::Elapsed, timeout};
use tower_service::Service;

/// Makes connections for hyper.
#[derive(Clone)]
pub(super) struct Connector {
    tcp: HttpConnector,
    time: Duration,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotConnected {
    #[error(transparent)]
    InTime(Elapsed),
    #[error(transparent)]
    UnknownHost(Cause),
    #[error(transparent)]
    Refused(Cause),
}

type Cause = Box<dyn Error + Send + Sync>;

impl Connector {
    /// The time is for the name service and the handshake together, of which
    /// [`HttpConnector`] would limit only the latter.
    pub(super) fn new(time: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        Self { tcp, time }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = NotConnected;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, NotConnected>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), NotConnected>> {
        self.tcp
            .poll_ready(context)
            .map_err(|error| NotConnected::Refused(error.into()))
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        let connecting = timeout(self.time, self.tcp.call(server));
        Box::pin(async move {
            let connected = connecting.await.map_err(NotConnected::InTime)?;
            connected.map_err(|error| {
                // Its type is not public.
                if error.to_string().starts_with("dns error") {
                    NotConnected::UnknownHost(error.into())
                } else {
                    NotConnected::Refused(error.into())
                }
            })
        })
    }
}
