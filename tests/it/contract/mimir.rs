//! What do tenants and replicas of Mimir, and members of a cluster, know of each
//! other? On one simulated clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::HeaderMap;
use serde_json::json;
use silenced::memory::http::{ClusterMember, SharedCluster, router};
use silenced::memory::mimir::Mimir;
use silenced::memory::{Cluster, Settings, Version};

use super::kind::Kind;
use super::memory::listen;
use super::server::{SILENCES, Server, now, with};

/// A clock that stands until it is moved.
#[derive(Clone)]
struct Hands {
    start: DateTime<Utc>,
    milliseconds: Arc<AtomicI64>,
}

impl Hands {
    fn new() -> Self {
        Self {
            start: now(),
            milliseconds: Arc::default(),
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.start + TimeDelta::milliseconds(self.milliseconds.load(Ordering::SeqCst))
    }

    fn pass(&self, milliseconds: i64) {
        self.milliseconds.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

fn cluster(settings: &Settings, hands: &Hands) -> SharedCluster {
    let delay = Duration::from_millis(200);
    Arc::new(Mutex::new(Cluster::new(3, settings, delay, hands.now())))
}

async fn mimir(router: Router) -> impl Fn(&str) -> Server {
    let url = Kind::Mimir.below(&listen(router).await, "");
    move |tenant| {
        let server = Server::with_access(HeaderMap::new(), None, Version::V0_28, url.clone());
        server.of_kind(Kind::Mimir).as_tenant(tenant)
    }
}

#[tokio::test]
async fn tenants_have_nothing_in_common() {
    let hands = Hands::new();
    let [a, b] = [0, 1].map(|_| cluster(&Mimir::settings(), &hands));
    let tenants = Mimir::default().tenant("a", a).tenant("b", b);
    let clock = hands.clone();
    let server_of = mimir(tenants.router(move || clock.now())).await;
    let id = server_of("a")
        .put(&server_of("a").silence_of("tenant"))
        .await;
    hands.pass(200);
    assert_eq!(server_of("a").ids_of("tenant").await, [id.as_str()]);
    assert_eq!(server_of("b").ids_of("tenant").await, [""; 0]);
    server_of("b").delete(&id).await.found_nothing();
}

/// A write goes to one replica chosen at random (`doUnary`, Mimir's
/// `pkg/alertmanager/distributor.go`); the next can go to one that has not heard.
#[tokio::test]
async fn an_expiry_right_after_a_create_may_find_nothing() {
    let hands = Hands::new();
    let tenants = Mimir::default().tenant("a", cluster(&Mimir::settings(), &hands));
    let clock = hands.clone();
    let server = mimir(tenants.router(move || clock.now())).await("a");
    let mut unknown = 0;
    for _ in 0..30 {
        let id = server.put(&server.silence_of("gap")).await;
        let answer = server.delete(&id).await;
        if answer.status == 404 {
            answer.found_nothing();
            unknown += 1;
        }
        let update = json!({ "id": id });
        let update = server.post(&with(&server.silence_of("gap"), &update)).await;
        assert!(matches!(update.status, 200 | 404), "{update:?}");
        hands.pass(200);
        server.delete(&id).await.deleted();
    }
    assert!(
        (10..30).contains(&unknown),
        "two of three do not know it: {unknown}"
    );
}

#[tokio::test]
async fn a_body_that_is_too_large_is_413() {
    let hands = Hands::new();
    let tenants = Mimir::default()
        .tenant("a", cluster(&Mimir::settings(), &hands))
        .largest_body(1000);
    let server = mimir(tenants.router(now)).await("a");
    let large = json!({"comment": "x".repeat(1000)});
    let answer = server
        .post(&with(&server.silence_of("large"), &large))
        .await;
    let said = (answer.status, answer.body.as_str());
    assert_eq!(said, (413, "Request body too large\n"));
}

/// Alertmanager's gossip: measured at 15 to 300 ms between released servers.
#[tokio::test]
async fn members_of_a_cluster_agree_later_and_a_killed_one_is_silent() {
    let hands = Hands::new();
    let shared = cluster(&Settings::default(), &hands);
    let mut members = Vec::new();
    for index in 0..3 {
        let clock = hands.clone();
        let member = ClusterMember::new(Arc::clone(&shared), index);
        let url = listen(router(Arc::new(member), move || clock.now())).await;
        members.push(Server::new(Version::V0_33, url));
    }
    let [a, b, c] = members.try_into().ok().unwrap();
    let peers = async |server: &Server| {
        let status = server.get("/api/v2/status").await.json();
        status["cluster"]["peers"].as_array().unwrap().len()
    };
    let id = a.put(&a.silence_of("gossip")).await;
    hands.pass(199);
    b.delete(&id).await.found_nothing();
    hands.pass(1);
    assert_eq!(b.ids_of("gossip").await, [id.as_str()]);
    assert_eq!(peers(&a).await, 3);

    shared.lock().unwrap().kill(2);
    assert!(c.send("GET", SILENCES, &[], "").await.is_err());
    assert_eq!(peers(&a).await, 2);
    hands.pass(1);
    b.delete(&id).await.deleted();
    hands.pass(200);
    assert_eq!(a.state(&id).await, "expired");

    shared.lock().unwrap().restart(2, hands.now());
    assert_eq!(
        c.state(&id).await,
        "expired",
        "it is told all by the others"
    );
    assert_eq!(peers(&c).await, 3);
}
