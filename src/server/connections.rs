//! Who may stay connected? The connections of the server: how many there are,
//! how long one lasts without a request, and which gives way to another.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, getrlimit};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tower_service::Service;

use super::activity::Activity;
use super::stream::BoundedStream;
use super::{MOST_LONG_ANSWERS, MOST_REQUESTS, MOST_SCRAPES, sync};
use crate::stop::stopped;

/// Connections between two requests, so that a flood of them does not drive out at
/// once those of proxies and of who scrapes and probes.
const MOST_IDLE: usize = 24;

/// Connections at once, 128. Every request that takes long has one of so many
/// places, so that beyond these there is always one that can give way.
pub const MOST_CONNECTIONS: usize =
    sync::MOST_WAITERS + MOST_REQUESTS + MOST_LONG_ANSWERS + MOST_SCRAPES + MOST_IDLE;

/// Of the files that may be open, the part that is for connections. The other half
/// is for passes, which would fail as long as somebody holds all of them.
const SHARE_OF_FILES: u64 = 2;

/// How long a connection may be without a whole request head, also between two
/// requests. Longer than the 60 s for which most proxies keep a connection: they
/// close it first, and none sends a request into one that we are closing. It need
/// not be short, since a connection without a request gives way to every other.
const LONGEST_SILENCE: Duration = Duration::from_secs(65);

/// Bytes of a request's head. The longest is of a `/sync` that confirms a thousand
/// plans: 25 kB as `confirm=0123456789abcdef&`, and a token of 4 kB. A read may fill
/// twice as much: all heads together are at most 16 MiB.
const LARGEST_HEAD: usize = 64 * 1024;

/// Before the next try when no connection can be accepted, because of the limit on
/// open files for instance, and none of ours gives way.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Answers what connects until `stop` turns true, then ends the requests under way.
pub(super) async fn serve(listener: TcpListener, router: Router, stop: watch::Receiver<bool>) {
    let mut connections = Connections::new(getrlimit(Resource::Nofile).current);
    let mut stopping = pin!(stopped(&stop));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stopping => break,
        };
        match accepted {
            Ok((stream, _)) => {
                // Else it is closed: at this moment all others are of use.
                if connections.have_room().await {
                    connections.begin(stream, router.clone(), stop.clone());
                }
            }
            Err(error) if concerns_one(&error) => {}
            Err(error) => {
                if !connections.close_one().await {
                    tracing::warn!("cannot accept connections: {error}");
                    tokio::select! {
                        () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                        () = &mut stopping => break,
                    }
                }
            }
        }
    }
    drop(listener);
    while connections.tasks.join_next().await.is_some() {}
}

/// Whether the next connection can be accepted nevertheless.
fn concerns_one(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::Interrupted
    )
}

/// Those that are open.
struct Connections {
    /// How many there may be.
    most: usize,
    tasks: JoinSet<()>,
    /// In the order in which they came.
    open: Vec<Open>,
}

struct Open {
    activity: Arc<Activity>,
    task: AbortHandle,
}

impl Connections {
    /// None yet, of a process that may have so many `files` open; `None` is any number.
    fn new(files: Option<u64>) -> Self {
        let share = files.and_then(|files| usize::try_from(files / SHARE_OF_FILES).ok());
        Self {
            most: share.map_or(MOST_CONNECTIONS, |share| share.clamp(1, MOST_CONNECTIONS)),
            tasks: JoinSet::new(),
            open: Vec::new(),
        }
    }

    fn begin(
        &mut self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        router: Router,
        stop: watch::Receiver<bool>,
    ) {
        let activity = Arc::new(Activity::default());
        let connection = connection(stream, router, Arc::clone(&activity), stop);
        let task = self.tasks.spawn(connection);
        self.open.push(Open { activity, task });
    }

    /// Whether there is room for one more, if need be because another one gave way.
    async fn have_room(&mut self) -> bool {
        while self.tasks.try_join_next().is_some() {}
        self.open.retain(|open| !open.task.is_finished());
        self.open.len() < self.most || self.close_one().await
    }

    /// Closes the one that is missed least: the oldest without a request, or else
    /// the oldest whose answer is not taken. Returns false if all are being answered.
    async fn close_one(&mut self) -> bool {
        let oldest = |is_so: fn(&Activity) -> bool| {
            let mut activities = self.open.iter().map(|open| &*open.activity);
            activities.position(is_so)
        };
        let Some(least) =
            oldest(Activity::is_idle).or_else(|| oldest(|activity| !activity.is_answering()))
        else {
            return false;
        };
        let closed = self.open.remove(least).task;
        closed.abort();
        // Only then its file is free for another.
        while !closed.is_finished() && self.tasks.join_next().await.is_some() {}
        true
    }
}

/// One connection from its first request to its last.
async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    router: Router,
    activity: Arc<Activity>,
    stop: watch::Receiver<bool>,
) {
    let stream = BoundedStream::new(stream, Arc::clone(&activity));
    let service = service_fn(move |request: Request<Incoming>| {
        let answering = Activity::answering(&activity);
        let answer = router.clone().call(request.map(Body::new));
        async move {
            let answer = answer.await;
            drop(answering);
            answer as Result<_, Infallible>
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(LONGEST_SILENCE)
        .max_buf_size(LARGEST_HEAD);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stopped(&stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!("a connection ended: {error}");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::server::stream::LONGEST_SENDING;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    /// Connections to a server that nobody stops.
    struct Lab {
        connections: Connections,
        stop: watch::Sender<bool>,
    }

    impl Lab {
        fn new() -> Self {
            Self {
                connections: Connections::new(None),
                stop: watch::Sender::new(false),
            }
        }

        /// Our side of a connection on which `request` is sent. Between the sides fit
        /// 1,000 bytes, and the answer of `/` has 100,000.
        async fn connect(&mut self, request: &[u8]) -> DuplexStream {
            let router = Router::new()
                .route("/", get(|| async { "x".repeat(100_000) }))
                .route("/never", get(std::future::pending::<()>));
            let (mut ours, theirs) = duplex(1000);
            self.connections
                .begin(theirs, router, self.stop.subscribe());
            ours.write_all(request).await.expect("it fits");
            // Time stands still until everything waits.
            sleep(Duration::from_millis(1)).await;
            ours
        }
    }

    #[test]
    fn half_of_the_files_are_for_passes() {
        let most = |files| Connections::new(files).most;
        assert_eq!(most(None), MOST_CONNECTIONS);
        assert_eq!(most(Some(1024)), MOST_CONNECTIONS);
        assert_eq!(most(Some(64)), 32);
        assert_eq!(most(Some(1)), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_no_request_is_let_go() {
        let whole = b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n";
        for sent in [&b""[..], b"GET / HTT", whole] {
            let mut lab = Lab::new();
            let began = Instant::now();
            let mut ours = lab.connect(sent).await;
            let mut answer = Vec::new();
            ours.read_to_end(&mut answer).await.expect("an end");
            assert_eq!(began.elapsed().as_secs(), LONGEST_SILENCE.as_secs());
            assert_eq!(answer.starts_with(b"HTTP/1.1 404 "), sent == whole);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_take_an_answer_is_let_go() {
        let mut lab = Lab::new();
        let began = Instant::now();
        let mut ours = lab.connect(REQUEST).await;
        tokio::spawn(async move {
            // A byte a second is some progress, and not enough.
            while ours.read_u8().await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        });
        lab.connections.tasks.join_next().await;
        assert_eq!(began.elapsed().as_secs(), LONGEST_SENDING.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_it_slowly_gets_all_of_it() {
        let mut lab = Lab::new();
        let mut ours = lab.connect(REQUEST).await;
        let mut part = [0; 1000];
        for _ in 0..100 {
            sleep(Duration::from_secs(1)).await;
            ours.read_exact(&mut part).await.expect("a part");
        }
        ours.write_all(REQUEST).await.expect("it is still open");
    }

    #[tokio::test(start_paused = true)]
    async fn the_one_that_is_missed_least_gives_way() {
        let mut lab = Lab::new();
        let mut ours = Vec::new();
        let asking = [&b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n"[..], REQUEST];
        for request in asking {
            ours.push(lab.connect(request).await);
        }
        while lab.connections.open.len() < MOST_CONNECTIONS {
            ours.push(lab.connect(b"").await);
        }
        for left in (2..MOST_CONNECTIONS).rev() {
            assert!(lab.connections.close_one().await);
            assert_eq!(lab.connections.open.len(), left);
            assert_eq!(lab.connections.tasks.len(), left);
        }
        let answering = |lab: &Lab| -> Vec<bool> {
            let open = lab.connections.open.iter();
            open.map(|open| open.activity.is_answering()).collect()
        };
        assert_eq!(answering(&lab), [true, false]);
        assert!(lab.connections.close_one().await);
        assert_eq!(answering(&lab), [true]);
        assert!(!lab.connections.close_one().await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_what_is_idle_and_waits_for_the_rest() {
        let mut lab = Lab::new();
        let _idle = lab.connect(b"").await;
        let mut reader = lab.connect(REQUEST).await;
        lab.stop.send_replace(true);
        lab.connections.tasks.join_next().await;
        assert_eq!(lab.connections.tasks.len(), 1);
        let mut answer = Vec::new();
        reader.read_to_end(&mut answer).await.expect("all of it");
        assert!(answer.len() > 100_000);
        lab.connections.tasks.join_next().await;
        assert!(lab.connections.tasks.is_empty());
    }
}
