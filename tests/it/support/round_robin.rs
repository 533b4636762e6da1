//! What does a load balancer do to us? A proxy that passes each connection on to
//! the next of several servers, whatever it carries.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Listens on a free port of the loopback interface until it is dropped.
pub(crate) struct RoundRobin {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl RoundRobin {
    /// `servers` are hosts with ports; the first connection goes to the first.
    pub(crate) async fn start(servers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            for server in servers.into_iter().cycle() {
                let Ok((mut client, _)) = listener.accept().await else {
                    return;
                };
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(server).await?;
                    copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
        Self { address, task }
    }

    /// As a target's URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for RoundRobin {
    fn drop(&mut self) {
        self.task.abort();
    }
}
