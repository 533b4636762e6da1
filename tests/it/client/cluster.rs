//! Several addresses of one cluster, used as one target.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use expect_test::expect;
use silenced::alertmanager::{
    ApiError, ApiErrorKind, Cluster, Expired, Listing, Members, SilenceApi,
};
use silenced::silence::{SilenceDraft, SilenceId};

use crate::support::changes::draft;

/// A member that answers, or does not, and remembers what it was asked.
#[derive(Default)]
struct Member {
    is_down: AtomicBool,
    names: Vec<&'static str>,
    asked: Mutex<Vec<&'static str>>,
}

impl Member {
    fn of(names: &[&'static str]) -> Self {
        Self {
            names: names.to_vec(),
            ..Self::default()
        }
    }

    fn answer<T>(&self, call: &'static str, answer: T) -> Result<T, ApiError> {
        self.asked.lock().unwrap().push(call);
        if self.is_down.load(Ordering::SeqCst) {
            return Err(ApiError::new(ApiErrorKind::NotSent, call, "refused"));
        }
        Ok(answer)
    }

    /// What it was asked since the last look.
    fn asked(&self) -> String {
        std::mem::take(&mut *self.asked.lock().unwrap()).join(" ")
    }

    fn goes_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }
}

impl SilenceApi for &Member {
    async fn list(&self) -> Result<Listing, ApiError> {
        self.answer("list", Listing::default())
    }

    async fn members(&self) -> Option<Members> {
        let names = self.names.iter().map(|&name| name.to_owned());
        let members = Members {
            names: names.collect(),
            is_complete: true,
        };
        self.answer("members", members).ok()
    }

    async fn set(&self, _: &SilenceDraft) -> Result<SilenceId, ApiError> {
        self.answer("set", SilenceId::new("1"))
    }

    async fn expire(&self, _: &SilenceId) -> Result<Expired, ApiError> {
        self.answer("expire", Expired::Done)
    }
}

fn cluster(members: [&Member; 3]) -> Cluster<&Member> {
    let [first, second, third] = members;
    let named = |name: &str, member| (format!("http://{name}"), member);
    Cluster::new(
        named("a", first),
        vec![named("b", second), named("c", third)],
    )
}

/// A pass: the list, a write and an expiry; what it fails with, if it fails.
async fn pass(cluster: &Cluster<&Member>) -> Result<Vec<String>, String> {
    let shown = |error: ApiError| error.with_causes();
    let listing = cluster.list().await.map_err(shown)?;
    cluster.set(&draft("anyone")).await.map_err(shown)?;
    let expired = cluster.expire(&SilenceId::new("1")).await;
    expired.map(|_| listing.remarks).map_err(shown)
}

#[tokio::test]
async fn one_member_is_spoken_to_until_it_fails() {
    let [a, b, c] = [(); 3].map(|()| Member::of(&["a", "b", "c"]));
    let cluster = cluster([&a, &b, &c]);
    let asked = || [&a, &b, &c].map(Member::asked);
    assert_eq!(pass(&cluster).await, Ok(vec![]));
    let first = ["list members set expire", "members", "members"];
    assert_eq!(asked(), first, "they are checked to be one cluster");
    assert_eq!(pass(&cluster).await, Ok(vec![]));
    assert_eq!(asked(), ["list set expire", "", ""]);

    a.goes_down(true);
    let remarks = pass(&cluster).await.unwrap();
    expect!["`http://b` is asked instead: `list`: refused"].assert_eq(&remarks.join("\n"));
    let change = ["list members", "list members set expire", "members"];
    assert_eq!(asked(), change, "whoever is written to has been compared");
    a.goes_down(false);
    assert_eq!(pass(&cluster).await, Ok(vec![]));
    let after = ["", "list set expire", ""];
    assert_eq!(asked(), after, "no way back while the other one answers");
}

#[tokio::test]
async fn a_write_that_fails_is_not_tried_at_another_member() {
    let [a, b, c] = [(); 3].map(|()| Member::of(&["a", "b", "c"]));
    let cluster = cluster([&a, &b, &c]);
    cluster.list().await.unwrap();
    a.goes_down(true);
    assert!(cluster.set(&draft("anyone")).await.is_err());
    assert!(cluster.expire(&SilenceId::new("1")).await.is_err());
    assert_eq!([&b, &c].map(Member::asked), ["members", "members"]);
}

#[tokio::test]
async fn servers_that_do_not_know_each_other_are_refused() {
    let (a, b, stranger) = (
        Member::of(&["a", "b"]),
        Member::of(&["a", "b"]),
        Member::of(&["c"]),
    );
    let cluster = cluster([&a, &b, &stranger]);
    let refused = pass(&cluster).await.unwrap_err();
    expect!["`GET /api/v2/status`: `http://a` and `http://c` are not one cluster: neither counts the other among its members; write only the members of one cluster under `urls`, and another target for each other server; members that have just started need a minute to meet"]
        .assert_eq(&refused);
    assert_eq!(
        [&a, &b, &stranger].map(Member::asked),
        ["list members", "members", "members"]
    );

    stranger.goes_down(true);
    assert_eq!(
        pass(&cluster).await,
        Ok(vec![]),
        "there is nothing to compare"
    );
}

#[tokio::test]
async fn all_members_that_fail_are_told() {
    let [a, b, c] = [(); 3].map(|()| Member::of(&["a", "b", "c"]));
    for member in [&a, &b, &c] {
        member.goes_down(true);
    }
    let refused = pass(&cluster([&a, &b, &c])).await.unwrap_err();
    expect!["`GET /api/v2/silences`: no member of the cluster gave its list: `list`: refused, `list`: refused, `list`: refused; nothing was sent: check the URL, and that the server is up and can be reached from here"]
        .assert_eq(&refused);
}
