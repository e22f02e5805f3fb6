//! One clock of a subject, and how plain facts move it: `monitor.core.clocks.clock`.
//!
//! Only clocks of which nothing was announced are moved here, and only by facts before their next announcement.

use std::borrow::Cow;

use crate::calendar::{Calendar, Outside};

/// The state of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its time runs.
    Running,
    /// A pause is open.
    Paused,
    /// It was stopped or cancelled.
    Ended,
}

/// A clock. A clock that was not moved is written as it was read.
#[derive(Debug)]
pub struct Clock<'a> {
    /// Its series as msgpack: agreement, measure, values.
    pub series: Cow<'a, [u8]>,
    /// Agreement and measure as msgpack.
    pub rule: Cow<'a, [u8]>,
    /// The version of the agreement.
    pub version: u64,
    /// When it started (ms).
    pub start_ms: i64,
    /// Its budget (ms).
    pub budget_ms: i64,
    /// The name of its calendar.
    pub calendar: Cow<'a, [u8]>,
    /// Its state.
    pub state: State,
    /// Since when it runs or, once it does not, ran last (ms).
    pub since_ms: i64,
    /// The business time up to then (ms).
    pub elapsed_ms: i64,
    /// When it stopped (ms); 0: it has not.
    pub stop_ms: i64,
    /// When it is due (ms); 0: never.
    pub due_ms: i64,
    /// When an announcement of it is due (ms); 0: never.
    pub next_ms: i64,
    /// The stretches in which it ran: from, to, from, to …
    pub runs: Vec<i64>,
    /// The reasons of its open pauses.
    pub pauses: Vec<&'a [u8]>,
    /// Whether nothing of it was ever told.
    pub is_quiet: bool,
    /// The array's head and the fields that are set at the start, as msgpack.
    pub fixed: Cow<'a, [u8]>,
    /// All of it as it was read; empty once it was moved.
    pub whole: &'a [u8],
}

/// The terms of a clock, resolved: `Terms` of `monitor.core.clocks.clock`.
#[derive(Debug)]
pub struct Terms {
    /// The budget (ms).
    pub budget_ms: i64,
    /// The elapsed time at which the promise is broken (ms).
    pub limit_ms: i64,
    /// The elapsed times at which a warning is due (ms), ascending.
    pub warnings: Vec<i64>,
    /// The calendar, by number.
    pub calendar: usize,
    /// The event types that stop it, as bits.
    pub stops: u16,
    /// The reasons that pause it; None: every reason.
    pub pause_on: Option<Vec<Box<[u8]>>>,
    /// The targets of percentiles (ms), each with the name of the count of what is beyond it.
    pub near: Vec<(i64, Box<str>)>,
}

impl Terms {
    fn counts(&self, reason: &[u8]) -> bool {
        self.pause_on.as_ref().is_none_or(|reasons| reasons.iter().any(|one| **one == *reason))
    }
}

/// What a fact is to a clock.
#[derive(Clone, Copy, Debug)]
pub enum Act<'a> {
    /// It may stop the clock: its type, as a bit.
    Other(u16),
    /// A pause begins for a reason.
    Pause(&'a [u8]),
    /// The pause for a reason ends.
    Resume(&'a [u8]),
}

impl<'a> Clock<'a> {
    /// Apply a fact to an open clock. Precedence: stop > pause. No metric is stopped by a pause.
    pub fn apply(&mut self, act: Act<'a>, at_ms: i64, of: &Terms, calendar: &Calendar) -> Result<(), Outside> {
        match act {
            Act::Other(kind) if of.stops & kind != 0 => self.stop(at_ms, calendar),
            Act::Other(_) => Ok(()),
            Act::Pause(reason) => {
                if self.pauses.contains(&reason) || !of.counts(reason) {
                    return Ok(());
                }
                self.close_run(at_ms, calendar)?;
                self.state = State::Paused;
                self.stop_ms = 0;
                (self.due_ms, self.next_ms) = (0, 0);
                self.pauses.push(reason);
                Ok(())
            }
            Act::Resume(reason) => self.resume(reason, at_ms, of, calendar),
        }
    }

    fn stop(&mut self, at_ms: i64, calendar: &Calendar) -> Result<(), Outside> {
        self.close_run(at_ms, calendar)?;
        self.state = State::Ended;
        self.stop_ms = at_ms;
        (self.due_ms, self.next_ms) = (0, 0);
        self.pauses.clear();
        Ok(())
    }

    fn resume(&mut self, reason: &[u8], at_ms: i64, of: &Terms, calendar: &Calendar) -> Result<(), Outside> {
        if self.state != State::Paused {
            return Ok(());
        }
        if reason.is_empty() {
            self.pauses.clear();
        } else if self.pauses.contains(&reason) {
            self.pauses.retain(|one| *one != reason);
        } else if of.counts(reason) {
            self.pauses.clear();
        } else {
            return Ok(());
        }
        self.whole = b"";
        if self.pauses.is_empty() { self.run(at_ms, of, calendar) } else { Ok(()) }
    }

    /// Let the clock run from an instant on.
    pub fn run(&mut self, at_ms: i64, of: &Terms, calendar: &Calendar) -> Result<(), Outside> {
        self.due_ms = calendar.due(at_ms, self.budget_ms - self.elapsed_ms)?;
        let next_at_ms = of.warnings.first().copied().unwrap_or(of.limit_ms);
        self.next_ms = calendar.due(at_ms, next_at_ms - self.elapsed_ms)?;
        self.state = State::Running;
        self.since_ms = at_ms;
        self.stop_ms = 0;
        self.whole = b"";
        Ok(())
    }

    fn close_run(&mut self, at_ms: i64, calendar: &Calendar) -> Result<(), Outside> {
        if self.state == State::Running {
            self.elapsed_ms += calendar.elapsed(self.since_ms, at_ms)?;
            self.runs.extend_from_slice(&[self.since_ms, at_ms]);
        }
        self.whole = b"";
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> Clock<'static> {
        Clock {
            series: Cow::Borrowed(b""),
            rule: Cow::Borrowed(b""),
            version: 1,
            start_ms: 100,
            budget_ms: 50,
            calendar: Cow::Borrowed(b"always"),
            state: State::Running,
            since_ms: 100,
            elapsed_ms: 0,
            stop_ms: 0,
            due_ms: 150,
            next_ms: 151,
            runs: vec![],
            pauses: vec![],
            is_quiet: true,
            fixed: Cow::Borrowed(b""),
            whole: b"",
        }
    }

    fn terms(pause_on: Option<Vec<Box<[u8]>>>) -> Terms {
        Terms { budget_ms: 50, limit_ms: 51, warnings: vec![25], calendar: 0, stops: 2, pause_on, near: vec![] }
    }

    #[test]
    fn pauses_overlap_and_move_the_due_instant() {
        let (mut one, of, always) = (clock(), terms(None), Calendar::Always);
        one.apply(Act::Pause(b"a"), 110, &of, &always).unwrap();
        one.apply(Act::Pause(b"b"), 115, &of, &always).unwrap();
        one.apply(Act::Resume(b"a"), 120, &of, &always).unwrap();
        assert_eq!((one.state, one.elapsed_ms, one.due_ms), (State::Paused, 10, 0));
        one.apply(Act::Resume(b""), 130, &of, &always).unwrap();
        assert_eq!((one.state, one.due_ms, one.next_ms), (State::Running, 170, 145));
        one.apply(Act::Other(2), 140, &of, &always).unwrap();
        assert_eq!((one.state, one.elapsed_ms, &*one.runs), (State::Ended, 20, &[100, 110, 130, 140][..]));
    }

    #[test]
    fn a_reason_that_does_not_count_changes_nothing() {
        let (mut one, of) = (clock(), terms(Some(vec![b"customer".as_slice().into()])));
        one.apply(Act::Pause(b"supplier"), 110, &of, &Calendar::Always).unwrap();
        assert_eq!(one.state, State::Running);
        one.apply(Act::Pause(b"customer"), 110, &of, &Calendar::Always).unwrap();
        one.apply(Act::Resume(b"supplier"), 120, &of, &Calendar::Always).unwrap();
        assert_eq!(one.state, State::Paused);
    }
}
