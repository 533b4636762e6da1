//! Who may do what with which silence? Grafana's rules for silences, after
//! `pkg/services/ngalert/accesscontrol/silences.go` and, for what the routes ask
//! first, `pkg/services/ngalert/api/authorization.go`.

use crate::matcher::{MatchOperator, Matchers};

/// The label that names an alert rule.
pub const RULE_LABEL: &str = "__alert_rule_uid__";

/// What a permission allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// `alert.instances:read`
    ReadInstances,
    /// `alert.instances:create`
    CreateInstances,
    /// `alert.instances:write`
    WriteInstances,
    /// `alert.silences:read`
    ReadSilences,
    /// `alert.silences:create`
    CreateSilences,
    /// `alert.silences:write`
    WriteSilences,
    /// `alert.instances.external:read`
    ReadExternal,
    /// `alert.instances.external:write`
    WriteExternal,
}

impl Action {
    /// As Grafana writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadInstances => "alert.instances:read",
            Self::CreateInstances => "alert.instances:create",
            Self::WriteInstances => "alert.instances:write",
            Self::ReadSilences => "alert.silences:read",
            Self::CreateSilences => "alert.silences:create",
            Self::WriteSilences => "alert.silences:write",
            Self::ReadExternal => "alert.instances.external:read",
            Self::WriteExternal => "alert.instances.external:write",
        }
    }
}

/// What a permission is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    /// The whole organisation.
    Everything,
    /// `folders:uid:..`
    Folder(String),
    /// `datasources:uid:..`
    DataSource(String),
}

/// The permissions of an account in its organisation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Permissions(Vec<(Action, Scope)>);

impl Permissions {
    /// Those of the basic role Viewer, which reads.
    #[must_use]
    pub fn viewer() -> Self {
        Self::default()
            .and(Action::ReadInstances, Scope::Everything)
            .and(Action::ReadSilences, Scope::Everything)
            .and(Action::ReadExternal, Scope::Everything)
    }

    /// Those of the basic roles Editor and Admin, which write too.
    #[must_use]
    pub fn editor() -> Self {
        Self::viewer()
            .and(Action::CreateInstances, Scope::Everything)
            .and(Action::WriteInstances, Scope::Everything)
            .and(Action::CreateSilences, Scope::Everything)
            .and(Action::WriteSilences, Scope::Everything)
            .and(Action::WriteExternal, Scope::Everything)
    }

    /// One more permission.
    #[must_use]
    pub fn and(mut self, action: Action, scope: Scope) -> Self {
        self.0.push((action, scope));
        self
    }

    /// Whether there is a permission for this action, whatever for.
    pub(super) fn has(&self, action: Action) -> bool {
        self.0.iter().any(|(held, _)| *held == action)
    }

    pub(super) fn has_for(&self, action: Action, scope: &Scope) -> bool {
        self.0
            .iter()
            .any(|(held, of)| *held == action && (of == scope || *of == Scope::Everything))
    }

    fn reads_all(&self) -> bool {
        self.has(Action::ReadInstances) || self.has_for(Action::ReadSilences, &Scope::Everything)
    }

    pub(super) fn reads_some(&self) -> bool {
        self.has(Action::ReadInstances) || self.has(Action::ReadSilences)
    }

    /// Whether a silence about `subject` is shown.
    pub(super) fn reads(&self, subject: &Subject) -> bool {
        match subject {
            _ if self.reads_all() => true,
            Subject::General => self.reads_some(),
            Subject::RuleIn(folder) => self.has_for(Action::ReadSilences, folder),
            Subject::UnknownRule => false,
        }
    }

    /// Whether a silence about `subject` may be created, or updated and expired.
    pub(super) fn writes(&self, write: Write, subject: &Subject) -> bool {
        let general = self.has(write.general());
        match subject {
            Subject::General => general && self.reads_some(),
            Subject::RuleIn(folder) => {
                (general || self.has_for(write.within_folder(), folder)) && self.reads(subject)
            }
            Subject::UnknownRule => general && self.reads_all(),
        }
    }

    /// What the route asks before anything else is looked at.
    pub(super) fn may_try(&self, writes: &[Write]) -> bool {
        let may_write =
            |write: &Write| self.has(write.general()) || self.has(write.within_folder());
        self.reads_some() && (writes.is_empty() || writes.iter().any(may_write))
    }
}

/// How a silence is changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Write {
    /// POST without an id.
    Create,
    /// POST with an id, and DELETE.
    Update,
}

impl Write {
    pub(super) const fn general(self) -> Action {
        match self {
            Self::Create => Action::CreateInstances,
            Self::Update => Action::WriteInstances,
        }
    }

    const fn within_folder(self) -> Action {
        match self {
            Self::Create => Action::CreateSilences,
            Self::Update => Action::WriteSilences,
        }
    }

    pub(super) const fn verb(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
        }
    }
}

/// What a silence is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Subject {
    /// Any alerts.
    General,
    /// Those of one rule, in this folder.
    RuleIn(Scope),
    /// Those of a rule that does not exist.
    UnknownRule,
}

/// The rule that a silence is about: the value of an equal matcher, not a
/// regular expression, on [`RULE_LABEL`].
pub(super) fn rule_of(matchers: &Matchers) -> Option<&str> {
    let matchers = matchers.as_slice().iter();
    let mut of_rule = matchers
        .filter(|matcher| matcher.name == RULE_LABEL && matcher.operator == MatchOperator::Equal);
    of_rule.next().map(|matcher| matcher.value.as_str())
}
