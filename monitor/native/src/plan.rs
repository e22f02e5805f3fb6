//! What a book of agreements promises, as far as Python has told: a cache, and all that is kept between two pieces.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::calendar::Calendar;
use crate::clock::{Clock, Terms};
use crate::decode::{Contract, Event, Piece};
use crate::panes;
use crate::row::{write_integer, write_ms};

/// The most promises, and the most terms, that are kept.
const MOST: usize = 1 << 14;

/// A clock that starts with a subject's first fact.
#[derive(Debug)]
pub struct Start {
    /// Its terms, by number.
    pub terms: usize,
    /// Agreement and measure as msgpack.
    pub rule: Vec<u8>,
    /// The attributes whose values name its series.
    pub by: Vec<u8>,
    /// The version of the agreement.
    pub version: u64,
    /// The name of its calendar.
    pub calendar: Vec<u8>,
}

/// The answer of the cache.
#[derive(Debug, PartialEq, Eq)]
pub enum Known<T> {
    /// Python was not asked yet.
    Not,
    /// Python does it.
    Python,
    /// The promise.
    Is(T),
}

/// Terms for clocks that start in a stretch of time; None: Python does it.
type Stretch = (i64, i64, Option<usize>);

/// The promises of one book, as far as they were told.
#[derive(Debug)]
pub struct Plan {
    /// The contract of events.
    pub contract: Contract,
    /// The stamp of the book.
    pub stamp: u64,
    /// How long a finished subject is kept (ms).
    pub retention_ms: i64,
    /// The event types with which a subject may begin, as bits.
    pub starts: u16,
    /// The event types that Python applies to a known subject, as bits.
    pub general: u16,
    /// The attributes that decide about promises, series and counts, as bits.
    pub deciding: u64,
    /// The values of some of them that matter, as msgpack; of the others any does.
    pub values: FxHashMap<u8, FxHashSet<Vec<u8>>>,
    /// Whether they decide also about subjects without clocks, which may be counted or get clocks later.
    pub counts_all: bool,
    /// The attributes that choose promises: without those that name series only.
    pub choosing: Vec<u8>,
    /// The attributes that choose by being there.
    pub required: Vec<u8>,
    /// The instants at which a version takes effect or ends (ms), ascending.
    pub cuts: Vec<i64>,
    /// The numbers of the types ``paused``, ``resumed`` and ``responded``, and of the attributes that they look at.
    pub words: Words,
    /// All terms, by number.
    pub terms: Vec<Terms>,
    /// All calendars, by number.
    pub calendars: Vec<Calendar>,
    /// Into which panes the instants of each measure belong.
    pub slices: panes::Told,
    promises: FxHashMap<Vec<u8>, Option<Vec<Start>>>,
    of_clocks: FxHashMap<Vec<u8>, Vec<Stretch>>,
}

/// Numbers of event types and attributes that the fold knows by name.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// A pause begins.
    pub paused: u8,
    /// A pause ends.
    pub resumed: u8,
    /// An answer.
    pub responded: u8,
    /// Why a pause began or ended.
    pub reason: u8,
    /// Whether an answer is public.
    pub public: u8,
    /// Whether a machine sent it.
    pub automatic: u8,
}

impl Words {
    /// Return the numbers in a contract; None: it lacks one of them.
    pub fn of(contract: &Contract) -> Option<Self> {
        Some(Words {
            paused: contract.kind_of(b"paused")?,
            resumed: contract.kind_of(b"resumed")?,
            responded: contract.kind_of(b"responded")?,
            reason: contract.attribute("reason")?,
            public: contract.attribute("public")?,
            automatic: contract.attribute("automatic")?,
        })
    }
}

impl Plan {
    /// Return a plan of which nothing but these is known.
    pub fn new(contract: Contract, words: Words, stamp: u64, retention_ms: i64) -> Self {
        Plan {
            contract,
            words,
            stamp,
            retention_ms,
            starts: 0,
            general: u16::MAX,
            deciding: u64::MAX,
            values: FxHashMap::default(),
            counts_all: true,
            choosing: vec![],
            required: vec![],
            cuts: vec![],
            terms: vec![],
            calendars: vec![],
            slices: panes::Told::default(),
            promises: FxHashMap::default(),
            of_clocks: FxHashMap::default(),
        }
    }

    /// Return whether a change of a deciding attribute may change anything; `before`: the value as msgpack, if any.
    pub fn matters(&self, name: u8, before: Option<&[u8]>, after: &[u8]) -> bool {
        let Some(values) = self.values.get(&name) else { return true };
        values.contains(after) || before.is_some_and(|before| values.contains(before))
    }

    /// Return the key under which the promise to a first fact is kept.
    pub fn choice(&self, piece: &Piece, event: &Event) -> Vec<u8> {
        let mut key = Vec::with_capacity(48);
        key.push(event.kind);
        write_integer(&mut key, self.cuts.partition_point(|cut| *cut <= event.time_ms) as u64);
        for name in &self.choosing {
            match piece.attribute(event, *name) {
                None => key.push(0xc0),
                Some(one) => key.extend_from_slice(piece.get(one.value)),
            }
        }
        for name in &self.required {
            let found = piece.attribute(event, *name);
            key.push(u8::from(found.is_some_and(|one| !one.is_text || !piece.get(one.text).is_empty())));
        }
        key
    }

    /// Return the clocks that a first fact starts.
    pub fn promise(&self, choice: &[u8]) -> Known<&[Start]> {
        match self.promises.get(choice) {
            None => Known::Not,
            Some(None) => Known::Python,
            Some(Some(found)) => Known::Is(found),
        }
    }

    /// Keep what Python told of a first fact; None: Python does it.
    pub fn keep_promise(&mut self, choice: Vec<u8>, clocks: Option<Vec<Start>>) {
        if self.promises.len() >= MOST {
            self.promises.clear();
        }
        self.promises.insert(choice, clocks);
    }

    /// Return the number of the terms of a clock. ``scratch`` is for the key.
    pub fn terms_of(&self, clock: &Clock, scratch: &mut Vec<u8>) -> Known<usize> {
        key_of(scratch, &clock.rule, clock.version, clock.budget_ms, &clock.calendar);
        let Some(stretches) = self.of_clocks.get(scratch.as_slice()) else { return Known::Not };
        for (from_ms, to_ms, found) in stretches {
            if (*from_ms..*to_ms).contains(&clock.start_ms) {
                return found.map_or(Known::Python, Known::Is);
            }
        }
        Known::Not
    }

    /// Return whether so many terms are kept that all are to be forgotten before others are told.
    pub fn is_full(&self) -> bool {
        self.of_clocks.len() >= MOST || self.terms.len() >= MOST
    }

    /// Keep what Python told of clocks that start in a stretch of time, and return their number.
    pub fn keep_terms(&mut self, rule: &Rule, from_ms: i64, to_ms: i64, terms: Option<Terms>) -> Option<usize> {
        let found = terms.map(|terms| {
            self.terms.push(terms);
            self.terms.len() - 1
        });
        let mut key = vec![];
        key_of(&mut key, &rule.rule, rule.version, rule.budget_ms, &rule.calendar);
        self.of_clocks.entry(key).or_default().push((from_ms, to_ms, found));
        found
    }
}

/// By what the terms of a clock are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Agreement and measure as msgpack.
    pub rule: Vec<u8>,
    /// The version of the agreement.
    pub version: u64,
    /// The budget (ms).
    pub budget_ms: i64,
    /// The name of the calendar.
    pub calendar: Vec<u8>,
}

fn key_of(key: &mut Vec<u8>, rule: &[u8], version: u64, budget_ms: i64, calendar: &[u8]) {
    key.clear();
    key.extend_from_slice(rule);
    write_integer(key, version);
    write_ms(key, budget_ms);
    key.extend_from_slice(calendar);
}
