//! What is a schedule made of? The tests' own tree, from which both the
//! program's schedule and the oracle's answer are made.

use chrono::{NaiveDate, Weekday};
use silenced::schedule::{
    CronError, CronWindows, DateRange, DateRule, Form as ScheduleForm, Moment,
    Once as ScheduleOnce, Recurring as ScheduleRecurring, Schedule, TimeWindow, Turn, Weekdays,
};
use silenced::timestamp::Timestamp;
use silenced::zone::Zone;

use super::expression::Expression;

#[derive(Clone, Debug)]
pub(crate) struct Specification {
    pub(crate) form: Form,
    pub(crate) except: Vec<Specification>,
}

#[derive(Clone, Debug)]
pub(crate) enum Form {
    Once(Once),
    Recurring(Recurring),
    Cron(Cron),
    Turn(Turn),
    AnyOf(Vec<Specification>),
    AllOf(Vec<Specification>),
    Not(Box<Specification>),
    Always,
}

#[derive(Clone, Debug)]
pub(crate) struct Once {
    pub(crate) start: Moment,
    pub(crate) start_date: NaiveDate,
    pub(crate) end: OnceEnd,
    pub(crate) except_dates: Vec<DateRange>,
}

#[derive(Clone, Debug)]
pub(crate) enum OnceEnd {
    At(Moment),
    After(i64),
}

#[derive(Clone, Debug)]
pub(crate) struct Recurring {
    pub(crate) zone: Zone,
    /// Plain, or counted within the month.
    pub(crate) weekdays: Option<Vec<(Option<i8>, Weekday)>>,
    /// Everything but the weekdays.
    pub(crate) dates: DateRule,
    pub(crate) times: Vec<TimeWindow>,
}

#[derive(Clone, Debug)]
pub(crate) struct Cron {
    pub(crate) zone: Zone,
    pub(crate) expression: Expression,
    pub(crate) duration: u32,
    pub(crate) except_dates: Vec<DateRange>,
}

impl Specification {
    /// The program's schedule; fails when a cron expression selects no date.
    pub(crate) fn schedule(&self) -> Result<Schedule, CronError> {
        Ok(Schedule {
            form: self.form.schedule_form()?,
            except: schedules(&self.except)?,
        })
    }
}

fn schedules(parts: &[Specification]) -> Result<Vec<Schedule>, CronError> {
    parts.iter().map(Specification::schedule).collect()
}

impl Form {
    fn schedule_form(&self) -> Result<ScheduleForm, CronError> {
        Ok(match self {
            Self::Once(once) => ScheduleForm::Once(once.schedule()),
            Self::Recurring(recurring) => ScheduleForm::Recurring(recurring.schedule()),
            Self::Cron(cron) => ScheduleForm::Cron(cron.schedule()?),
            Self::Turn(turn) => ScheduleForm::Turn(turn.clone()),
            Self::AnyOf(parts) => ScheduleForm::AnyOf(schedules(parts)?),
            Self::AllOf(parts) => ScheduleForm::AllOf(schedules(parts)?),
            Self::Not(part) => ScheduleForm::Not(Box::new(part.schedule()?)),
            Self::Always => ScheduleForm::Always,
        })
    }
}

impl Once {
    fn schedule(&self) -> ScheduleOnce {
        let start = self.start.as_start();
        let end = match &self.end {
            OnceEnd::At(moment) => moment.as_end(),
            OnceEnd::After(seconds) => Timestamp::from_seconds(start.seconds() + seconds),
        };
        ScheduleOnce::new(start, end, self.start_date, self.except_dates.clone())
    }
}

impl Recurring {
    fn schedule(&self) -> ScheduleRecurring {
        let weekdays = self.weekdays.as_ref().map(|listed| {
            let mut weekdays = Weekdays::default();
            for (count, weekday) in listed {
                match count {
                    Some(count) => weekdays.add_counted(*count, *weekday),
                    None => weekdays.add(*weekday),
                }
            }
            weekdays
        });
        ScheduleRecurring {
            zone: self.zone.clone(),
            dates: DateRule {
                weekdays,
                ..self.dates.clone()
            },
            times: self.times.clone(),
        }
    }
}

impl Cron {
    fn schedule(&self) -> Result<CronWindows, CronError> {
        let (text, except_dates) = (self.expression.text(), self.except_dates.clone());
        CronWindows::parse(&text, self.duration, self.zone.clone(), except_dates)
    }
}
