//! The fold of one subject's plain facts: `monitor.core.subjects.fast_path`, for several facts at once.
//!
//! Either all facts of a subject in a piece are taken, or Python takes all of them.

use std::borrow::Cow;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::calendar::Outside;
use crate::clock::{Act, Clock, State, Terms};
use crate::decode::{Attribute, Event, Piece};
use crate::plan::{Known, Plan, Rule, Start};
use crate::row::{Parts, Reader, Row, write_array, write_integer, write_map, write_ms, write_text};
use crate::series::{Ended, MINUTE_MS, Sums};

/// The most facts of a ledger.
pub const MOST_FACTS: usize = 1_000;

/// Why Python takes the facts of a subject.
#[derive(Debug)]
pub enum Left {
    /// They are none that this module knows.
    Unknown,
    /// Python is to tell which clocks start with a first fact: its place among the records, and the key of its promise.
    Promise(u32, Vec<u8>),
    /// Python is to tell the terms of a clock that started at an instant.
    Terms(Rule, i64),
    /// Python is to tell a calendar (by number) around an instant.
    Calendar(usize, i64),
}

/// What is asked of Python after a step, each once.
#[derive(Debug, Default)]
pub struct Questions {
    /// The places of first facts of which no promise is known.
    pub promises: Vec<u32>,
    /// The clocks of which no terms are known, and when they started.
    pub terms: Vec<(Rule, i64)>,
    /// Calendars by number, and an instant that each lacks.
    pub calendars: Vec<(usize, i64)>,
    choices: FxHashSet<Vec<u8>>,
}

impl Questions {
    fn note(&mut self, left: Left) {
        match left {
            Left::Unknown => {}
            Left::Promise(place, choice) => {
                if self.choices.insert(choice) {
                    self.promises.push(place);
                }
            }
            Left::Terms(rule, start_ms) => {
                if !self.terms.iter().any(|(known, at_ms)| *known == rule && *at_ms == start_ms) {
                    self.terms.push((rule, start_ms));
                }
            }
            Left::Calendar(number, at_ms) => {
                if !self.calendars.iter().any(|(known, _)| *known == number) {
                    self.calendars.push((number, at_ms));
                }
            }
        }
    }
}

/// The instants and bounds of a step.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Up to when deadlines are judged (ms).
    pub horizon_ms: i64,
    /// The earliest stop whose panes are kept (ms).
    pub oldest_ms: i64,
    /// The most bytes of a row.
    pub row: usize,
}

/// What a step made of a piece.
#[derive(Debug, Default)]
pub struct Done {
    /// How many facts were folded.
    pub count: usize,
    /// The encoded rows, by the number of the subject.
    pub rows: Vec<(usize, Vec<u8>)>,
    /// The places of the records whose facts Python takes.
    pub left: Vec<u32>,
    /// What changed in the series.
    pub sums: Sums,
    /// What is asked of Python.
    pub questions: Questions,
}

/// The facts of a piece by subject, in the order in which the subjects come.
#[derive(Debug, Default)]
pub struct Subjects {
    /// For each subject, where its events stand in the piece.
    pub events: Vec<Vec<u32>>,
}

impl Subjects {
    /// Return the subjects of a piece. Those of records that Python decodes are Python's: the places of their events.
    pub fn of(piece: &Piece) -> (Self, Vec<u32>) {
        let mut numbers: FxHashMap<&[u8], Option<usize>> = FxHashMap::default();
        for key in &piece.others {
            numbers.insert(piece.get(*key), None);
        }
        let (mut events, mut left): (Vec<Vec<u32>>, Vec<u32>) = (vec![], vec![]);
        for (index, (place, event)) in piece.events.iter().enumerate() {
            match numbers.entry(piece.get(event.subject)).or_insert(Some(events.len())) {
                None => left.push(*place),
                Some(number) if *number == events.len() => events.push(vec![index as u32]),
                Some(number) => events[*number].push(index as u32),
            }
        }
        (Subjects { events }, left)
    }

    /// Return the id of a subject.
    pub fn id<'a>(&self, piece: &'a Piece, number: usize) -> &'a [u8] {
        piece.get(piece.events[self.events[number][0] as usize].1.subject)
    }

    /// Return the places of a subject's records.
    pub fn places<'a>(&'a self, piece: &'a Piece, number: usize) -> impl Iterator<Item = u32> + 'a {
        self.events[number].iter().map(|index| piece.events[*index as usize].0)
    }
}

impl Done {
    /// Fold the facts of one subject, whose stored row is given.
    pub fn take(
        &mut self,
        plan: &Plan,
        piece: &Piece,
        subjects: &Subjects,
        number: usize,
        row: Option<&[u8]>,
        at: Bounds,
    ) {
        let events = &subjects.events[number];
        let taken = Folding::begin(plan, piece, row).and_then(|mut folding| {
            for index in events {
                let (place, event) = &piece.events[*index as usize];
                folding.fact(*place, event)?;
            }
            folding.end(at, &mut self.sums)
        });
        match taken {
            Ok(row) => {
                self.count += events.len();
                self.rows.push((number, row));
            }
            Err(left) => {
                self.left.extend(events.iter().map(|index| piece.events[*index as usize].0));
                self.questions.note(left);
            }
        }
    }
}

/// One subject while its facts are taken.
struct Folding<'a> {
    plan: &'a Plan,
    piece: &'a Piece,
    count: usize,
    facts: &'a [u8],
    shown: &'a [u8],
    gone: &'a [u8],
    new: Vec<&'a Event>,
    last: (i64, i64, &'a [u8]),
    known: Cow<'a, [u8]>,
    clocks: Vec<Clock<'a>>,
    before: Vec<Option<State>>,
    /// The terms of the clocks, as far as they were needed.
    terms: Vec<Option<&'a Terms>>,
    scratch: Vec<u8>,
}

impl<'a> Folding<'a> {
    fn begin(plan: &'a Plan, piece: &'a Piece, row: Option<&'a [u8]>) -> Result<Self, Left> {
        let mut folding = Folding {
            plan,
            piece,
            count: 0,
            facts: b"",
            shown: &[0x90],
            gone: &[0x90],
            new: vec![],
            last: (0, 0, b""),
            known: Cow::Borrowed(&[0x80]),
            clocks: vec![],
            before: vec![],
            terms: vec![],
            scratch: vec![],
        };
        if let Some(row) = row {
            let row = Row::read(row).filter(|row| row.stamp == plan.stamp).ok_or(Left::Unknown)?;
            folding.before = row.clocks.iter().map(|clock| Some(clock.state)).collect();
            folding.terms = vec![None; row.clocks.len()];
            (folding.count, folding.facts, folding.shown, folding.gone) = (row.count, row.facts, row.shown, row.gone);
            (folding.last, folding.known, folding.clocks) = (row.last, Cow::Borrowed(row.known), row.clocks);
        }
        Ok(folding)
    }

    fn fact(&mut self, place: u32, event: &'a Event) -> Result<(), Left> {
        let kind = 1 << event.kind;
        if self.count == 0 {
            if self.plan.starts & kind == 0 {
                return Err(Left::Unknown);
            }
            self.known = Cow::Borrowed(self.piece.get(event.map));
            self.start(place, event)?;
        } else {
            let order = (event.time_ms, event.sequence, self.piece.get(event.id));
            let is_known = self.new.iter().any(|one| self.piece.get(one.id) == order.2);
            if self.plan.general & kind != 0
                || order <= self.last
                || self.count >= MOST_FACTS
                || is_known
                || Row::holds(self.facts, order.2)
            {
                return Err(Left::Unknown);
            }
            self.learn(event)?;
            self.apply(event)?;
        }
        self.count += 1;
        self.last = (event.time_ms, event.sequence, self.piece.get(event.id));
        self.new.push(event);
        Ok(())
    }

    /// Start the clocks that are promised for the first fact.
    fn start(&mut self, place: u32, event: &Event) -> Result<(), Left> {
        let choice = self.plan.choice(self.piece, event);
        let starts = match self.plan.promise(&choice) {
            Known::Is(starts) => starts,
            Known::Python => return Err(Left::Unknown),
            Known::Not => return Err(Left::Promise(place, choice)),
        };
        for start in starts {
            let terms = &self.plan.terms[start.terms];
            let calendar = &self.plan.calendars[terms.calendar];
            let (series, fixed) = self.fixed(start, terms, event)?;
            let mut clock = Clock {
                series: Cow::Owned(series),
                rule: Cow::Borrowed(&start.rule),
                version: start.version,
                start_ms: event.time_ms,
                budget_ms: terms.budget_ms,
                calendar: Cow::Borrowed(&start.calendar),
                state: State::Running,
                since_ms: event.time_ms,
                elapsed_ms: 0,
                stop_ms: 0,
                due_ms: 0,
                next_ms: 0,
                runs: vec![],
                pauses: vec![],
                is_quiet: true,
                fixed: Cow::Owned(fixed),
                whole: b"",
            };
            clock
                .run(event.time_ms, terms, calendar)
                .map_err(|Outside(at_ms)| Left::Calendar(terms.calendar, at_ms))?;
            self.clocks.push(clock);
            self.before.push(None);
            self.terms.push(Some(terms));
        }
        Ok(())
    }

    /// Return a new clock's series, and the fields that are set at its start, as msgpack.
    fn fixed(&self, start: &Start, terms: &Terms, event: &Event) -> Result<(Vec<u8>, Vec<u8>), Left> {
        let mut series = Vec::with_capacity(64);
        write_array(&mut series, 3);
        series.extend_from_slice(&start.rule);
        write_array(&mut series, start.by.len());
        for name in &start.by {
            match self.piece.attribute(event, *name) {
                None => write_text(&mut series, b""),
                Some(Attribute { is_text: true, value, .. }) => series.extend_from_slice(self.piece.get(*value)),
                Some(_) => return Err(Left::Unknown),
            }
        }
        let mut fixed = Vec::with_capacity(96);
        write_array(&mut fixed, 19);
        fixed.extend_from_slice(&series);
        write_integer(&mut fixed, start.version);
        write_integer(&mut fixed, 1);
        write_ms(&mut fixed, event.time_ms);
        write_ms(&mut fixed, terms.budget_ms);
        write_text(&mut fixed, &start.calendar);
        write_integer(&mut fixed, 0);
        fixed.push(0xc2);
        Ok((series, fixed))
    }

    /// Take over the attributes of a fact. One that changes what is promised or counted is Python's.
    fn learn(&mut self, event: &Event) -> Result<(), Left> {
        let brought = self.piece.get(event.map);
        if brought == &*self.known {
            return Ok(());
        }
        let mut pairs = pairs_of(&self.known).ok_or(Left::Unknown)?;
        let (mut is_new, mut has_moved) = (false, false);
        for one in self.piece.attributes(event) {
            let (key, value) = (self.piece.get(one.key), self.piece.get(one.value));
            let held = pairs.iter_mut().find(|(name, _)| *name == key);
            if held.as_ref().is_some_and(|(_, held)| *held == value) {
                continue;
            }
            if self.plan.deciding & (1 << one.name) != 0 && (self.plan.counts_all || !self.clocks.is_empty()) {
                if self.clocks.is_empty() || self.plan.matters(one.name, held.as_ref().map(|held| held.1), value) {
                    return Err(Left::Unknown);
                }
                has_moved = true;
            }
            is_new = true;
            match held {
                Some(held) => held.1 = value,
                None => pairs.push((key, value)),
            }
        }
        if has_moved && !self.is_as_folded_anew() {
            return Err(Left::Unknown);
        }
        if is_new {
            let mut map = Vec::with_capacity(self.known.len() + brought.len());
            write_map(&mut map, pairs.len());
            for (key, value) in pairs {
                map.extend_from_slice(key);
                map.extend_from_slice(value);
            }
            self.known = Cow::Owned(map);
        }
        Ok(())
    }

    /// Return whether a new fold of the ledger under the same promises would surely change nothing: `_is_as_folded_anew`.
    fn is_as_folded_anew(&self) -> bool {
        let first_ms = match self.new.first() {
            Some(event) if self.facts.is_empty() => Some(event.time_ms),
            _ => Reader::new(self.facts).first_ms(),
        };
        self.gone == [0x90]
            && self.clocks.iter().all(|one| one.is_quiet)
            && self.clocks.iter().any(|one| Some(one.start_ms) == first_ms)
    }

    /// Apply a fact to all open clocks.
    fn apply(&mut self, event: &'a Event) -> Result<(), Left> {
        let act = self.act_of(event);
        for place in 0..self.clocks.len() {
            if self.clocks[place].state == State::Ended {
                continue;
            }
            let terms = self.terms_of(place)?;
            let clock = &mut self.clocks[place];
            if 0 < clock.next_ms && clock.next_ms <= event.time_ms {
                return Err(Left::Unknown);
            }
            let calendar = &self.plan.calendars[terms.calendar];
            clock
                .apply(act, event.time_ms, terms, calendar)
                .map_err(|Outside(at_ms)| Left::Calendar(terms.calendar, at_ms))?;
        }
        Ok(())
    }

    fn act_of(&self, event: &'a Event) -> Act<'a> {
        let words = self.plan.words;
        let piece = self.piece;
        let flag = |name| piece.attribute(event, name).map(|one| piece.get(one.value) == [0xc3]);
        if event.kind == words.paused || event.kind == words.resumed {
            let reason = match piece.attribute(event, words.reason) {
                None => b"",
                Some(one) => piece.get(one.text),
            };
            return if event.kind == words.paused { Act::Pause(reason) } else { Act::Resume(reason) };
        }
        let is_silent =
            event.kind == words.responded && (flag(words.public) == Some(false) || flag(words.automatic) == Some(true));
        Act::Other(if is_silent { 0 } else { 1 << event.kind })
    }

    fn terms_of(&mut self, place: usize) -> Result<&'a Terms, Left> {
        if let Some(terms) = self.terms[place] {
            return Ok(terms);
        }
        let clock = &self.clocks[place];
        let number = match self.plan.terms_of(clock, &mut self.scratch) {
            Known::Is(number) => number,
            Known::Python => return Err(Left::Unknown),
            Known::Not => {
                let rule = Rule {
                    rule: clock.rule.to_vec(),
                    version: clock.version,
                    budget_ms: clock.budget_ms,
                    calendar: clock.calendar.to_vec(),
                };
                return Err(Left::Terms(rule, clock.start_ms));
            }
        };
        let terms = &self.plan.terms[number];
        self.terms[place] = Some(terms);
        Ok(terms)
    }

    /// Return the encoded row, and put what changed into the sums.
    fn end(mut self, at: Bounds, sums: &mut Sums) -> Result<Vec<u8>, Left> {
        let (mut wake_ms, mut ended_ms, mut is_open) = (0, 0, false);
        for (place, clock) in self.clocks.iter().enumerate() {
            if clock.state == State::Ended {
                let oldest_ms = clock.stop_ms - clock.stop_ms.rem_euclid(MINUTE_MS);
                if self.before[place] != Some(State::Ended) && oldest_ms < at.oldest_ms {
                    return Err(Left::Unknown);
                }
                continue;
            }
            is_open = true;
            if clock.next_ms != 0 {
                if clock.next_ms <= at.horizon_ms {
                    return Err(Left::Unknown);
                }
                if clock.next_ms < wake_ms || wake_ms == 0 {
                    wake_ms = clock.next_ms;
                }
            }
        }
        if !is_open {
            ended_ms = self.last.0;
            wake_ms = ended_ms + self.plan.retention_ms;
        }
        let newest = self.new.last().ok_or(Left::Unknown)?;
        let is_whole = is_same_map(&self.known, self.piece.get(newest.map)).ok_or(Left::Unknown)?;
        let parts = Parts {
            wake_ms,
            stamp: self.plan.stamp,
            count: self.count,
            facts: self.facts,
            new: self.new.iter().map(|one| self.piece.get(one.fact)).collect(),
            attributes: if is_whole { &[0x80] } else { &self.known },
            shown: self.shown,
            ended_ms,
            gone: self.gone,
        };
        let row = parts.encoded(&self.clocks);
        if row.len() > at.row {
            return Err(Left::Unknown);
        }
        // A clock that was moved has terms, as nothing else moves it.
        for place in 0..self.clocks.len() {
            let before = self.before[place];
            if before != Some(self.clocks[place].state) {
                let terms = self.terms_of(place)?;
                let clock = &self.clocks[place];
                let after = Ended {
                    state: clock.state,
                    stop_ms: clock.stop_ms,
                    elapsed_ms: clock.elapsed_ms,
                    wall_ms: clock.stop_ms - clock.start_ms,
                };
                sums.moved(&clock.series, before, &after, terms);
            }
        }
        Ok(row)
    }
}

/// Return the names and values of a map, as msgpack.
pub fn pairs_of(map: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let mut reader = Reader::new(map);
    let size = reader.map()?;
    let mut pairs = Vec::with_capacity(size + 2);
    for _ in 0..size {
        pairs.push((reader.value(0)?, reader.value(0)?));
    }
    Some(pairs)
}

/// Return whether two maps hold the same, in whatever order.
pub fn is_same_map(one: &[u8], other: &[u8]) -> Option<bool> {
    if one == other {
        return Some(true);
    }
    let (one, other) = (pairs_of(one)?, pairs_of(other)?);
    Some(one.len() == other.len() && one.iter().all(|pair| other.contains(pair)))
}
