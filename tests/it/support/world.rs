//! A world to try the reconciler in: files, a server in memory, and one
//! simulated clock that both go by.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::future::{Future, ready};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use silenced::alertmanager::{ApiError, ApiErrorKind, Expired, Listing, Members, SilenceApi};
use silenced::clock::Clock;
use silenced::declaration::EarlierVersion;
use silenced::matcher::{Matcher, Matchers};
use silenced::memory::{self, MemoryAlertmanager, PostError, RequestCounts, SavedState, Version};
use silenced::plan::{Fingerprint, HandExpired, Ownership, Settings};
use silenced::reconcile::{Mode, Pass, PassOptions, ReadHistory, ReadPast, Reconciler};
use silenced::silence::{Silence, SilenceDraft, SilenceId, SilenceState};
use silenced::snapshot::{Revision, Snapshot};
use silenced::timestamp::Timestamp;
use tokio::sync::watch;

use super::reconciler::{lab, reconciler_of, snapshot, target};

/// An Alertmanager in memory as the reconciler sees it, without a socket.
#[derive(Clone)]
pub(crate) struct InMemory {
    server: Arc<Mutex<MemoryAlertmanager>>,
    clock: Clock,
    /// By how many seconds its clock is ahead of `clock`.
    pub(crate) ahead: Arc<AtomicI64>,
    /// By how many seconds a proxy's `Date` is behind that.
    pub(crate) date_behind: Arc<AtomicI64>,
    /// What it says of replicas.
    pub(crate) alone: Arc<AtomicBool>,
    /// Whether expiries time out before they have an effect.
    pub(crate) delays_expiries: Arc<AtomicBool>,
    /// Whether updates and expiries are answered with success and dropped, as
    /// by a replica whose clock is behind that of another.
    pub(crate) drops_changes: Arc<AtomicBool>,
    /// The same for new silences.
    pub(crate) drops_creations: Arc<AtomicBool>,
}

impl InMemory {
    pub(crate) fn new(version: Version, clock: Clock) -> Self {
        let settings = memory::Settings {
            version,
            ..memory::Settings::default()
        };
        Self::of_settings(settings, clock)
    }

    pub(crate) fn of_settings(settings: memory::Settings, clock: Clock) -> Self {
        let server = MemoryAlertmanager::new(settings, clock.now().to_datetime());
        Self {
            server: Arc::new(Mutex::new(server)),
            clock,
            ahead: Arc::default(),
            date_behind: Arc::default(),
            alone: Arc::new(AtomicBool::new(true)),
            delays_expiries: Arc::default(),
            drops_changes: Arc::default(),
            drops_creations: Arc::default(),
        }
    }

    pub(crate) fn server(&self) -> MutexGuard<'_, MemoryAlertmanager> {
        self.server.lock().unwrap()
    }

    /// The server's clock, which has fractions of a second.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.exact() + TimeDelta::seconds(self.ahead.load(Ordering::SeqCst))
    }
}

impl SilenceApi for InMemory {
    fn list(&self) -> impl Future<Output = Result<Listing, ApiError>> + Send {
        let now = self.now();
        let date = now - TimeDelta::seconds(self.date_behind.load(Ordering::SeqCst));
        let mut server = self.server();
        let silences = server.list(&[], now);
        ready(Ok(Listing {
            silences: silences.iter().map(|silence| silence.seen(now)).collect(),
            server_time: Some(date.into()),
            ..Listing::default()
        }))
    }

    fn members(&self) -> impl Future<Output = Option<Members>> + Send {
        let alone = Members {
            is_complete: true,
            ..Members::default()
        };
        ready(self.alone.load(Ordering::SeqCst).then_some(alone))
    }

    fn set(
        &self,
        draft: &SilenceDraft,
    ) -> impl Future<Output = Result<SilenceId, ApiError>> + Send {
        let drops = match &draft.id {
            Some(_) => &self.drops_changes,
            None => &self.drops_creations,
        };
        let answer = if drops.load(Ordering::SeqCst) {
            // Counted, carried out by a copy, and forgotten.
            let state = self.server().save();
            let answer = self.server().post(draft.clone().into(), self.now());
            self.server().restore(state, self.now());
            answer
        } else {
            self.server().post(draft.clone().into(), self.now())
        };
        ready(answer.map_err(|error| {
            let kind = match error {
                PostError::NotFound => ApiErrorKind::NotFound,
                _ => ApiErrorKind::Refused { limit: None },
            };
            ApiError::new(kind, "POST", error.to_string())
        }))
    }

    fn expire(&self, id: &SilenceId) -> impl Future<Output = Result<Expired, ApiError>> + Send {
        ready(if self.delays_expiries.load(Ordering::SeqCst) {
            Err(ApiError::new(ApiErrorKind::Unknown, "DELETE", "timeout"))
        } else if self.drops_changes.load(Ordering::SeqCst) {
            let state = self.server().save();
            let answer = self.server().delete(id, self.now());
            self.server().restore(state, self.now());
            Ok(answer.map_or(Expired::Gone, |()| Expired::Done))
        } else {
            let answer = self.server().delete(id, self.now());
            Ok(answer.map_or(Expired::Gone, |()| Expired::Done))
        })
    }
}

/// Files, a server and a clock. Made inside a paused tokio runtime.
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) api: InMemory,
    pub(crate) settings: Settings,
    /// The plan that the next pass may carry out past its guards.
    pub(crate) confirmed: Option<Fingerprint>,
    reconciler: Reconciler<InMemory>,
    files: Files,
    /// Every commit, the newest last.
    commits: Commits,
    /// Whether a new process can look back.
    pub(crate) has_history: bool,
    /// Whether looking back for broken files fails.
    pub(crate) history_fails: Arc<AtomicBool>,
}

type Files = BTreeMap<String, String>;

type Commits = Arc<Mutex<Vec<Files>>>;

impl World {
    pub(crate) fn at(now: &str) -> Self {
        Self::of_version(now, Version::default())
    }

    pub(crate) fn of_version(now: &str, version: Version) -> Self {
        let clock = Clock::simulated(Timestamp::parse(now).unwrap());
        let api = InMemory::new(version, clock);
        let settings = lab();
        let commits = Commits::default();
        let history_fails = Arc::default();
        let reconciler = process(&settings, &api, Some((&commits, &history_fails)));
        Self {
            settings,
            confirmed: None,
            clock,
            api,
            reconciler,
            files: Files::new(),
            commits,
            has_history: true,
            history_fails,
        }
    }

    /// A world where what a person ended stays ended.
    pub(crate) fn respecting(now: &str) -> Self {
        let mut world = Self::at(now);
        world.settings.hand_expired = HandExpired::Respect;
        world.restart();
        world
    }

    /// The daemon dies, and another one starts with the present settings.
    pub(crate) fn restart(&mut self) {
        let history = (&self.commits, &self.history_fails);
        let history = self.has_history.then_some(history);
        self.reconciler = process(&self.settings, &self.api, history);
    }

    /// Commits a file.
    pub(crate) fn write(&mut self, path: &str, text: &str) {
        self.files.insert(path.to_owned(), text.to_owned());
        self.commit();
    }

    /// Commits the absence of a file.
    pub(crate) fn delete(&mut self, path: &str) {
        self.files.remove(path).unwrap();
        self.commit();
    }

    /// Commits a file under another name, with other content.
    pub(crate) fn rename(&mut self, from: &str, to: &str, text: &str) {
        self.files.remove(from).unwrap();
        self.write(to, text);
    }

    fn commit(&self) {
        self.commits.lock().unwrap().push(self.files.clone());
    }

    /// One pass, which must not fail.
    pub(crate) async fn sync(&mut self) -> Pass {
        let pass = self.pass_now(Mode::Apply).await;
        for target in &pass.targets {
            assert_eq!(target.error, None);
        }
        pass
    }

    /// What a pass would do.
    pub(crate) async fn plan(&mut self) -> Pass {
        self.pass_now(Mode::Observe).await
    }

    /// One pass, whatever comes of it.
    pub(crate) async fn pass_now(&mut self, mode: Mode) -> Pass {
        let read = Ok(self.snapshot());
        self.pass_of(read, mode).await
    }

    /// A pass over whatever the source gives.
    pub(crate) async fn pass_of(&mut self, read: Result<Snapshot, String>, mode: Mode) -> Pass {
        let (_keep, stop) = watch::channel(false);
        let confirmed = self.confirmed.take();
        let options = PassOptions {
            mode,
            insist: true,
            confirmed: confirmed.as_slice(),
            now: self.clock.now(),
            stop: &stop,
        };
        self.reconciler.pass(read, options).await
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let revision = revision(self.commits.lock().unwrap().len());
        snapshot(revision, texts(&self.files))
    }

    pub(crate) async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    pub(crate) fn forecasts_made(&self) -> u64 {
        self.reconciler.forecasts_made()
    }

    pub(crate) fn counts(&self) -> RequestCounts {
        self.api.server().counts()
    }

    /// Every live silence.
    pub(crate) fn live(&self) -> Vec<Silence> {
        let now = self.api.now();
        // A copy is asked, so that looking does not count as a request.
        let mut server = self.api.server().clone();
        let mut silences: Vec<Silence> = server
            .list(&[], now)
            .into_iter()
            .map(|silence| silence.seen(now))
            .filter(Silence::is_live)
            .collect();
        silences.sort_by(|left, right| (&left.comment, &left.id).cmp(&(&right.comment, &right.id)));
        silences
    }

    /// The ids of the live silences of a name.
    pub(crate) fn ids(&self, name: &str) -> BTreeSet<String> {
        let named = |silence: &Silence| match Ownership::of(&silence.comment) {
            Ownership::Marked(marker, _) => marker.silence.as_str() == name,
            _ => false,
        };
        self.live()
            .into_iter()
            .filter(named)
            .map(|silence| silence.id.to_string())
            .collect()
    }

    /// The server is all at once as it was when that was saved, as where another
    /// replica answers.
    pub(crate) fn restore(&self, state: SavedState) {
        self.api.server().restore(state, self.api.now());
    }

    /// The live silences, a line each, without ids.
    pub(crate) fn show(&self) -> String {
        self.live().iter().fold(String::new(), |mut text, silence| {
            let state = match silence.state {
                SilenceState::Pending => "pending",
                SilenceState::Active => "active",
                SilenceState::Expired => "expired",
            };
            let comment = silence.comment.replace('\n', " | ");
            let _ = writeln!(
                text,
                "{state} {}..{} {{{}}} {}: {comment}",
                silence.starts_at,
                silence.ends_at,
                text_of(&silence.matchers),
                silence.created_by
            );
            text
        })
    }

    /// A person ends the live silences of a name.
    pub(crate) fn expire_by_hand(&self, name: &str) {
        for id in self.ids(name) {
            let now = self.api.now();
            self.api.server().expire(&SilenceId::new(id), now).unwrap();
        }
    }

    /// A silence that a person made, and its id.
    pub(crate) fn person_silences(&self, matchers: &str, comment: &str) -> SilenceId {
        let draft = SilenceDraft {
            id: None,
            matchers: matchers_of(matchers),
            starts_at: self.clock.now(),
            ends_at: self.clock.now().plus(Duration::from_hours(200)),
            created_by: "ann".to_owned(),
            comment: comment.to_owned(),
            annotations: BTreeMap::new(),
        };
        self.api.server().put(draft.into(), self.api.now()).unwrap()
    }
}

pub(crate) fn matchers_of(text: &str) -> Matchers {
    let matchers = text
        .split(", ")
        .map(|text| Matcher::parse(text).unwrap().matcher);
    Matchers::new(matchers.collect())
}

/// What [`matchers_of`] reads.
pub(crate) fn text_of(matchers: &Matchers) -> String {
    let texts = matchers.as_slice().iter().map(ToString::to_string);
    texts.collect::<Vec<_>>().join(", ")
}

fn texts(files: &Files) -> impl Iterator<Item = (&String, &str)> {
    files.iter().map(|(path, text)| (path, text.as_str()))
}

fn revision(commits: usize) -> Revision {
    Revision::Commit(format!("{commits:07x}{:033}", 0))
}

/// What a daemon begins with that can look back over these commits, if any.
fn process(
    settings: &Settings,
    api: &InMemory,
    history: Option<(&Commits, &Arc<AtomicBool>)>,
) -> Reconciler<InMemory> {
    let targets = vec![target("default", api.clone())];
    let reconciler = reconciler_of(settings.clone(), targets);
    match history {
        Some((commits, fails)) => reconciler
            .with_history(read_history(commits, fails))
            .with_past(read_past(commits)),
        None => reconciler,
    }
}

/// What Git would tell: other versions of those files and of files that
/// are gone, the newest first.
fn read_history(commits: &Commits, fails: &Arc<AtomicBool>) -> ReadHistory {
    let (commits, fails) = (Arc::clone(commits), Arc::clone(fails));
    Box::new(move |_, wanted| {
        if fails.load(Ordering::SeqCst) {
            return Box::pin(ready(Err("no mirror".to_owned())));
        }
        let commits = commits.lock().unwrap();
        let newest = commits.last().unwrap();
        let numbered = commits.iter().enumerate().rev().skip(1);
        let versions = numbered.flat_map(|(number, files)| {
            let files = files
                .iter()
                .filter(|(path, _)| wanted.contains(*path) || !newest.contains_key(*path));
            files.map(move |(path, text)| EarlierVersion {
                path: path.clone(),
                content: text.clone().into_bytes(),
                revision: revision(number + 1),
            })
        });
        Box::pin(ready(Ok(versions.collect())))
    })
}

/// What Git would tell: the files at each commit from that one on.
fn read_past(commits: &Commits) -> ReadPast {
    let commits = Arc::clone(commits);
    Box::new(move |_, since, paths| {
        let commits = commits.lock().unwrap();
        let first = usize::from_str_radix(&since, 16).unwrap() - 1;
        let numbered = commits.iter().enumerate().skip(first).rev();
        let states = numbered.map(|(number, files)| {
            let asked = texts(files).filter(|(path, _)| paths.contains(*path));
            snapshot(revision(number + 1), asked)
        });
        Box::pin(ready(Some(states.collect())))
    })
}
