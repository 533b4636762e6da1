//! What does silenced meet at scale? Serves many servers in memory, and makes
//! some of them ill, for `make bench-targets`.
//!
//! `fleet alertmanagers 1000` serves Alertmanagers at as many ports and prints
//! their addresses, a line each; `fleet tenants 1000` serves one Mimir whose
//! tenants are `team-0`, `team-1` and so on, and prints its address. A line on
//! standard input is then an order, answered with a line:
//!
//! | order | |
//! | --- | --- |
//! | `hang 0 1` | servers 0 up to 1 accept requests and never answer |
//! | `fail 1 11` | servers 1 up to 11 answer 500 |
//! | `heal` | all answer again; those that hang close their connections |
//! | `mark` | forget who was written to, and how much |
//! | `count` | how many servers were written to since, and how often in all |

use std::io::{Error, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use silenced::memory::http;
use silenced::memory::mimir::{Mimir, TENANT_HEADER};
use silenced::memory::{Cluster, MemoryAlertmanager, Settings};
use tokio::net::TcpListener;
use tokio::sync::watch;

const USAGE: &str = "usage: fleet alertmanagers|tenants NUMBER";

/// Mimir's tenants have replicas; agreeing takes a moment.
const REPLICAS: usize = 3;
const AGREEMENT: Duration = Duration::from_millis(20);

/// One thread, so that the program under test has the other processor.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let usage = || Error::other(USAGE);
    let shape = arguments.next().ok_or_else(usage)?;
    let number = arguments.next().and_then(|number| number.parse().ok());
    let number: usize = number.ok_or_else(usage)?;
    let fleet = Arc::new(Fleet {
        servers: (0..number).map(|_| Server::default()).collect(),
    });
    match shape.as_str() {
        "alertmanagers" => {
            for index in 0..number {
                let settings = Settings {
                    seed: seed(index),
                    ..Settings::default()
                };
                let server = Arc::new(Mutex::new(MemoryAlertmanager::new(settings, now())));
                let server = http::router(server, now);
                serve(&fleet, server, move |_| Some(index)).await?;
            }
        }
        "tenants" => {
            let mut mimir = Mimir::default();
            for index in 0..number {
                let settings = Settings {
                    seed: seed(index),
                    ..Mimir::settings()
                };
                let replicas = Cluster::new(REPLICAS, &settings, AGREEMENT, now());
                mimir = mimir.tenant(&format!("team-{index}"), Arc::new(Mutex::new(replicas)));
            }
            let tenant = |request: &Request| {
                let name = request.headers().get(TENANT_HEADER)?.to_str().ok()?;
                name.strip_prefix("team-")?.parse().ok()
            };
            serve(&fleet, mimir.router(now), tenant).await?;
        }
        _ => return Err(usage()),
    }
    say("ready")?;
    let orders = tokio::task::spawn_blocking(move || {
        std::io::stdin().lines().try_for_each(|order| {
            let answer = fleet.obey(&order?);
            say(answer.as_deref().unwrap_or("what?"))
        })
    });
    orders.await?
}

/// With the fractions of a second that a server goes by.
#[expect(clippy::disallowed_methods, reason = "it serves on the real clock")]
fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// Far enough apart that no two servers give the same id.
fn seed(index: usize) -> u64 {
    (index as u64) << 32
}

fn say(line: &str) -> Result<(), Error> {
    writeln!(std::io::stdout(), "{line}")
}

/// Serves `router` at a port of its own, and prints the address. `which` tells
/// the index of the server that a request is for.
async fn serve(
    fleet: &Arc<Fleet>,
    router: Router,
    which: impl Fn(&Request) -> Option<usize> + Clone + Send + Sync + 'static,
) -> Result<(), Error> {
    let judge = move |State(fleet): State<Arc<Fleet>>, request: Request, next: Next| {
        let index = which(&request);
        async move {
            match index.and_then(|index| fleet.servers.get(index)) {
                Some(server) => server.answer(request, next).await,
                None => next.run(request).await,
            }
        }
    };
    let router = router.layer(from_fn_with_state(Arc::clone(fleet), judge));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    say(&listener.local_addr()?.to_string())?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(())
}

struct Fleet {
    servers: Vec<Server>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Health {
    Well,
    Hangs,
    Fails,
}

struct Server {
    health: watch::Sender<Health>,
    writes: AtomicU64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            health: watch::Sender::new(Health::Well),
            writes: AtomicU64::new(0),
        }
    }
}

impl Server {
    async fn answer(&self, request: Request, next: Next) -> Response {
        let health = *self.health.borrow();
        match health {
            Health::Well => {}
            Health::Fails => {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                return (status, "out of order\n").into_response();
            }
            Health::Hangs => {
                let mut health = self.health.subscribe();
                // The sender is ours and lives as long as we do.
                let _ = health.wait_for(|health| *health != Health::Hangs).await;
                return (StatusCode::BAD_GATEWAY, Body::empty()).into_response();
            }
        }
        let writes = request.method() != Method::GET;
        let answer = next.run(request).await;
        if writes && answer.status().is_success() {
            self.writes.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }
}

impl Fleet {
    /// The answer; `None` if there is no such order.
    fn obey(&self, order: &str) -> Option<String> {
        let words: Vec<&str> = order.split_whitespace().collect();
        let numbers = |from: &str, to: &str| Some((from.parse().ok()?, to.parse().ok()?));
        match words.as_slice() {
            ["hang", from, to] => self.make(Health::Hangs, numbers(from, to)?)?,
            ["fail", from, to] => self.make(Health::Fails, numbers(from, to)?)?,
            ["heal"] => self.make(Health::Well, (0, self.servers.len()))?,
            ["mark"] => {
                for server in &self.servers {
                    server.writes.store(0, Ordering::Relaxed);
                }
            }
            ["count"] => {
                let writes = self.servers.iter();
                let writes = writes.map(|server| server.writes.load(Ordering::Relaxed));
                let written = writes.clone().filter(|writes| *writes > 0).count();
                return Some(format!("{written} {}", writes.sum::<u64>()));
            }
            _ => return None,
        }
        Some("done".to_owned())
    }

    fn make(&self, health: Health, (from, to): (usize, usize)) -> Option<()> {
        for server in self.servers.get(from..to)? {
            server.health.send_replace(health);
        }
        Some(())
    }
}
