//! What Python sees of this crate: [`Plan`] and [`Piece`].

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PySequence, PyString, PyTuple};
use pyo3::{create_exception, intern};
use rustc_hash::FxHashMap;

use crate::calendar::Calendar;
use crate::clock::Terms;
use crate::decode::{self, Contract, Limits};
use crate::fold::{Bounds, Done, Subjects};
use crate::panes::{FROM, Folded, HEAD, Places, SEPARATOR, Slices, Stands, Width};
use crate::plan::{self, Rule, Start, Words};
use crate::row::{Reader, write_text};
use crate::series::{Sum, Sums};

create_exception!(sla_monitor_native, Fault, PyRuntimeError, "This crate has a fault: it panicked. Nothing was put.");

/// The most series whose keys are kept as objects of Python.
const MOST_SERIES: usize = 1 << 14;

/// Run work whose panics become an ordinary exception: Python's own of panics passes through `except Exception`.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|cause| {
        let text = cause
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_string()))
            .unwrap_or_else(|| "a panic without a text".to_string());
        Fault::new_err(text)
    })
}

/// The records of one piece of a batch.
#[pyclass(module = "sla_monitor_native")]
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) read: decode::Piece,
    /// The places of the records that Python decodes.
    #[pyo3(get)]
    others: Vec<u32>,
    /// The instant of the newest event that was decoded here (ms); 0: none was.
    #[pyo3(get)]
    newest_ms: i64,
}

/// What a book of agreements promises, as far as it was told.
#[pyclass(module = "sla_monitor_native")]
#[derive(Debug)]
pub(crate) struct Plan {
    told: plan::Plan,
    series: SeriesKeys,
}

/// Attributes of the subject's events by type: texts, flags, whole numbers, numbers, and those that are not plain.
pub(crate) type Names = (Vec<String>, Vec<String>, Vec<String>, Vec<String>, Vec<String>);
/// The longest id and text (bytes), the largest integer, the earliest instant and the end of all (ms).
pub(crate) type LimitsOf = (usize, usize, i64, i64, i64);
/// Agreement, measure, version, calendar, budget.
type RuleOf = (String, String, u64, String, i64);
/// A width of panes: its name, its length (ms; 0: the local day), how long after its start a pane is dropped (ms).
pub(crate) type WidthOf = (String, i64, i64);
/// A clock that starts: agreement, measure, version, calendar, ``by``, the number of its terms.
type StartOf = (String, String, u64, String, Vec<String>, usize);

#[pymethods]
impl Plan {
    /// Return a plan of which nothing is told but the contract of events and the book's stamp.
    #[new]
    #[pyo3(signature = (*, subject, types, names, limits, stamp, retention_ms, series_type))]
    fn new(
        subject: &str,
        types: Vec<String>,
        names: Names,
        limits: LimitsOf,
        stamp: u64,
        retention_ms: i64,
        series_type: Py<PyAny>,
    ) -> PyResult<Self> {
        let contract = contract_of(subject, &types, names, limits);
        let found = contract.and_then(|contract| Words::of(&contract).map(|words| (contract, words)));
        let (contract, words) =
            found.ok_or_else(|| PyValueError::new_err("the contract is not as this crate knows it"))?;
        let told = plan::Plan::new(contract, words, stamp, retention_ms);
        Ok(Plan { told, series: SeriesKeys::new(series_type) })
    }

    /// Tell by what promises are chosen: event types that start a subject, those that Python applies, the attributes
    /// that decide, whether they do so for subjects without clocks, those that choose by their values and by being
    /// there, and the instants at which versions begin or end.
    #[allow(clippy::too_many_arguments, reason = "each of them is told once for a book")]
    #[pyo3(signature = (*, starts, general, deciding, counts_all, choosing, required, cuts))]
    fn choose(
        &mut self,
        starts: Vec<String>,
        general: Vec<String>,
        deciding: Vec<(String, Option<Vec<String>>)>,
        counts_all: bool,
        choosing: Vec<String>,
        required: Vec<String>,
        cuts: Vec<i64>,
    ) {
        let contract = &self.told.contract;
        let numbers = |names: Vec<String>| names.iter().filter_map(|one| contract.attribute(one)).collect::<Vec<_>>();
        let (choosing, required) = (numbers(choosing), numbers(required));
        let (mut bits, mut matter) = (0, FxHashMap::default());
        for (name, values) in deciding {
            let Some(number) = contract.attribute(&name) else { continue };
            bits |= 1 << number;
            if let Some(values) = values {
                matter.insert(number, values.iter().map(|one| text(one)).collect());
            }
        }
        self.told.starts = contract.kinds(&starts);
        self.told.general = contract.kinds(&general);
        (self.told.deciding, self.told.values) = (bits, matter);
        self.told.counts_all = counts_all;
        self.told.choosing = choosing;
        self.told.required = required;
        self.told.cuts = cuts;
    }

    /// Keep a calendar that is open around the clock, and return its number.
    fn keep_always(&mut self) -> usize {
        self.told.calendars.push(Calendar::Always);
        self.told.calendars.len() - 1
    }

    /// Keep the open spans of a stretch of time under a number; None: a new one. Return the number.
    #[pyo3(signature = (number, starts, sums, from_ms, to_ms))]
    fn keep_spans(
        &mut self,
        number: Option<usize>,
        starts: Vec<i64>,
        sums: Vec<i64>,
        from_ms: i64,
        to_ms: i64,
    ) -> PyResult<usize> {
        if sums.len() != starts.len() + 1 {
            return Err(PyValueError::new_err("there is one sum more than starts"));
        }
        let calendars = &mut self.told.calendars;
        let calendar = Calendar::Spans { starts, sums, from_ms, to_ms };
        match number {
            None => calendars.push(calendar),
            Some(number) => {
                *calendars.get_mut(number).ok_or_else(|| PyValueError::new_err("no such calendar"))? = calendar;
                return Ok(number);
            }
        }
        Ok(calendars.len() - 1)
    }

    /// Return whether so many terms are kept that a new plan should be made.
    fn is_full(&self) -> bool {
        self.told.is_full()
    }

    /// Keep the terms of clocks that start in a stretch of time, and return their number.
    #[allow(clippy::too_many_arguments, reason = "they are the fields of the terms")]
    #[pyo3(signature = (rule, from_ms, to_ms, *, limit_ms, warnings, calendar, stops, pause_on, near))]
    fn keep_terms(
        &mut self,
        rule: RuleOf,
        from_ms: i64,
        to_ms: i64,
        limit_ms: i64,
        warnings: Vec<i64>,
        calendar: usize,
        stops: Vec<String>,
        pause_on: Option<Vec<String>>,
        near: Vec<(i64, String)>,
    ) -> PyResult<Option<usize>> {
        if calendar >= self.told.calendars.len() {
            return Err(PyValueError::new_err("no such calendar"));
        }
        let terms = Terms {
            budget_ms: rule.4,
            limit_ms,
            warnings,
            calendar,
            stops: self.told.contract.kinds(&stops),
            pause_on: pause_on.map(|all| all.iter().map(|one| one.as_bytes().into()).collect()),
            near: near.into_iter().map(|(target_ms, name)| (target_ms, name.into())).collect(),
        };
        Ok(self.told.keep_terms(&rule_of(rule), from_ms, to_ms, Some(terms)))
    }

    /// Take note that Python works on the clocks of these terms.
    fn keep_for_python(&mut self, rule: RuleOf, from_ms: i64, to_ms: i64) {
        self.told.keep_terms(&rule_of(rule), from_ms, to_ms, None);
    }

    /// Keep into which panes the instants of a measure belong.
    fn keep_slices(&mut self, agreement: &str, measure: &str, widths: Vec<WidthOf>, zone: &str, cuts: Vec<i64>) {
        self.told.slices.slices.insert(texts(agreement, measure), slices_of(widths, zone, cuts));
    }

    /// Keep a local day of a zone.
    fn keep_day(&mut self, zone: &str, start_ms: i64, end_ms: i64) {
        self.told.slices.keep_day(zone, start_ms, end_ms);
    }

    /// Keep which clocks start with a first fact like that at a place of a piece; None: Python works on such facts.
    #[pyo3(signature = (piece, place, clocks))]
    fn keep_promise(&mut self, piece: &Piece, place: u32, clocks: Option<Vec<StartOf>>) -> PyResult<()> {
        let found = piece.read.events.iter().find(|(known, _)| *known == place);
        let (_, event) = found.ok_or_else(|| PyValueError::new_err("no event was decoded there"))?;
        let contract = &self.told.contract;
        let starts =
            clocks.map(|clocks| clocks.into_iter().map(|one| start_of(contract, one)).collect::<Option<Vec<_>>>());
        let choice = self.told.choice(&piece.read, event);
        let known = self.told.terms.len();
        let starts = starts.flatten().filter(|starts| starts.iter().all(|one| one.terms < known));
        self.told.keep_promise(choice, starts);
        Ok(())
    }

    /// Decode the records that are plain, up to an instant.
    fn read(&self, records: &Bound<'_, PySequence>, max_bytes: usize, latest_ms: i64) -> PyResult<Piece> {
        guarded(|| read_all(&self.told.contract, records, max_bytes, latest_ms))?
    }

    /// Fold what was decoded, and put the rows.
    ///
    /// ``rows`` are the stored rows; ``packed`` those that differ from them, where the new ones are put; ``decoded``
    /// holds decoded rows, from which those that are replaced are taken; ``touched`` are keys of rows that are put
    /// there and not encoded yet: their subjects are Python's. ``panes`` are such keys of panes; None: all panes are
    /// Python's. ``wakes`` takes the new wakes.
    ///
    /// Return how many facts were folded; the places of those that Python folds; what Python puts into the live panes
    /// and into those of minutes; the keys of panes that were put, and those of new ones by when they are dropped; and
    /// what is asked: places of first facts, clocks, calendars, local days.
    #[allow(clippy::too_many_arguments, reason = "the layers of a partition's rows")]
    fn step<'py>(
        &mut self,
        py: Python<'py>,
        piece: &Piece,
        horizon_ms: i64,
        oldest_ms: i64,
        rows: &Bound<'py, PyDict>,
        packed: &Bound<'py, PyDict>,
        decoded: &Bound<'py, PyDict>,
        touched: &Bound<'py, PyDict>,
        panes: Option<&Bound<'py, PyDict>>,
        wakes: &Bound<'py, PyDict>,
        max_row: usize,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let at = Bounds { horizon_ms, oldest_ms, row: max_row };
        let layers = Layers { rows, packed, decoded, touched, panes, wakes };
        let (done, keys, changed) = guarded(|| {
            let (done, keys) = self.fold(py, &piece.read, &layers, at)?;
            let changed = self.panes(py, &done.sums, &layers, max_row)?;
            PyResult::Ok((done, keys, changed))
        })??;
        // From here on rows are put: a fault must not let Python fold the same facts again, so it is one of the batch.
        guarded(|| self.put(py, done, &keys, &changed, &layers))
            .map_err(|fault| PyRuntimeError::new_err(fault.to_string()))?
    }
}

/// The panes of a step.
pub(crate) struct Changed<'py> {
    keys: Vec<Bound<'py, PyBytes>>,
    /// When each of them is dropped (ms), if it is new; 0: it is not, or is never dropped.
    until_ms: Vec<i64>,
    pub(crate) folded: Folded,
    /// Measures, and instants whose local day was not told.
    pub(crate) days: Vec<((String, String), i64)>,
}

impl<'py> Changed<'py> {
    /// Put the rows. Return the keys of all, and those of new ones by when they are dropped.
    pub(crate) fn put(
        &self,
        py: Python<'py>,
        layers: &Layers<'_, 'py>,
    ) -> PyResult<(Bound<'py, PyList>, Bound<'py, PyDict>)> {
        let (put, new) = (PyList::empty(py), PyDict::new(py));
        for (number, encoded) in &self.folded.rows {
            let key = &self.keys[*number];
            let is_stored = match layers.rows.get_item(key)? {
                None => false,
                Some(stored) => stored.cast::<PyBytes>()?.as_bytes() == encoded.as_slice(),
            };
            if !is_stored {
                layers.packed.set_item(key, PyBytes::new(py, encoded))?;
            } else if layers.packed.contains(key)? {
                layers.packed.del_item(key)?;
            }
            if !layers.decoded.is_empty() && layers.decoded.contains(key)? {
                layers.decoded.del_item(key)?;
            }
            put.append(key)?;
            let until_ms = self.until_ms[*number];
            if until_ms > 0 {
                match new.get_item(until_ms)? {
                    Some(keys) => keys.cast::<PyList>()?.append(key)?,
                    None => new.set_item(until_ms, PyList::new(py, [key])?)?,
                }
            }
        }
        Ok((put, new))
    }
}

/// The layers of a partition's rows.
pub(crate) struct Layers<'a, 'py> {
    pub(crate) rows: &'a Bound<'py, PyDict>,
    pub(crate) packed: &'a Bound<'py, PyDict>,
    pub(crate) decoded: &'a Bound<'py, PyDict>,
    pub(crate) touched: &'a Bound<'py, PyDict>,
    pub(crate) panes: Option<&'a Bound<'py, PyDict>>,
    pub(crate) wakes: &'a Bound<'py, PyDict>,
}

/// How subjects and panes stand in the layers.
type Stored<'py> = Option<Bound<'py, PyAny>>;

impl<'py> Layers<'_, 'py> {
    /// Return the encoded row under a key.
    fn row(&self, key: &Bound<'py, PyBytes>) -> PyResult<Stored<'py>> {
        match self.packed.get_item(key)? {
            None => self.rows.get_item(key),
            found => Ok(found.filter(|row| !row.is_none())),
        }
    }

    /// Do some work on each subject of a piece with its row; return the keys of the rows.
    ///
    /// The row is `Stands::ForPython` if Python has put one that is not encoded yet.
    pub(crate) fn each(
        &self,
        py: Python<'py>,
        piece: &decode::Piece,
        subjects: &Subjects,
        mut work: impl FnMut(usize, Stands),
    ) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let mut keys = Vec::with_capacity(subjects.events.len());
        for number in 0..subjects.events.len() {
            let id = subjects.id(piece, number);
            let key = PyBytes::new_with(py, id.len() + 1, |bytes| {
                bytes[0] = b's';
                bytes[1..].copy_from_slice(id);
                Ok(())
            })?;
            if !self.touched.is_empty() && self.touched.contains(&key)? {
                work(number, Stands::ForPython);
            } else {
                match self.row(&key)? {
                    None => work(number, Stands::New),
                    Some(row) => work(number, Stands::Row(row.cast::<PyBytes>()?.as_bytes())),
                }
            }
            keys.push(key);
        }
        Ok(keys)
    }

    /// Put the row of a subject.
    pub(crate) fn put(&self, py: Python<'py>, key: &Bound<'py, PyBytes>, encoded: &[u8]) -> PyResult<()> {
        let wake = i64::from_be_bytes(encoded[..8].try_into()?);
        let is_noted = match self.rows.get_item(key)? {
            None => false,
            Some(stored) => stored.cast::<PyBytes>()?.as_bytes().starts_with(&encoded[..8]),
        };
        self.packed.set_item(key, PyBytes::new(py, encoded))?;
        if !self.decoded.is_empty() && self.decoded.contains(key)? {
            self.decoded.del_item(key)?;
        }
        if wake != 0 && !is_noted {
            self.wakes.set_item(key, wake)?;
        }
        Ok(())
    }

    /// Find the panes of a step, and have them changed; nothing is put yet. ``apart`` are the keys of panes that have
    /// several rows: these are Python's.
    ///
    /// ``for_python`` is what becomes of a step of which Python puts everything, as when no place is known.
    pub(crate) fn changed(
        &self,
        py: Python<'py>,
        places: Option<Places>,
        for_python: Folded,
        apart: Option<&Bound<'py, PyDict>>,
        fold: impl Fn(&Places, &mut [Stands]) -> Option<Folded>,
    ) -> PyResult<Changed<'py>> {
        let mut changed = Changed { keys: vec![], until_ms: vec![], folded: for_python, days: vec![] };
        let (Some(touched), Some(places)) = (self.panes, places) else { return Ok(changed) };
        for (rule, at_ms) in &places.days {
            changed.days.push((texts_of(rule)?, *at_ms));
        }
        let (mut scratch, mut found) = (vec![], Vec::with_capacity(places.panes.len()));
        for place in &places.panes {
            places.write_key(place, &mut scratch);
            let key = PyBytes::new(py, &scratch);
            let row = self.row(&key)?;
            let is_touched = (!touched.is_empty() && touched.contains(&key)?)
                || apart.is_some_and(|apart| !apart.is_empty() && apart.contains(&key).unwrap_or(true));
            changed.until_ms.push(if row.is_none() { place.until_ms } else { 0 });
            changed.keys.push(key);
            found.push((is_touched, row));
        }
        let mut stand = Vec::with_capacity(found.len());
        for (is_touched, row) in &found {
            stand.push(match row {
                _ if *is_touched => Stands::ForPython,
                None => Stands::New,
                Some(row) => Stands::Row(row.cast::<PyBytes>()?.as_bytes()),
            });
        }
        if let Some(folded) = fold(&places, &mut stand) {
            changed.folded = folded;
        }
        Ok(changed)
    }
}

/// The keys of series as Python has them, each made once.
#[derive(Debug)]
pub(crate) struct SeriesKeys {
    made_by: Py<PyAny>,
    known: FxHashMap<Box<[u8]>, Py<PyAny>>,
}

impl SeriesKeys {
    /// Return keys that are made by a type of Python.
    pub(crate) fn new(made_by: Py<PyAny>) -> Self {
        SeriesKeys { made_by, known: FxHashMap::default() }
    }

    /// Return the key of a series.
    pub(crate) fn of(&mut self, py: Python<'_>, series: &[u8]) -> PyResult<Py<PyAny>> {
        if let Some(known) = self.known.get(series) {
            return Ok(known.clone_ref(py));
        }
        if self.known.len() >= MOST_SERIES {
            self.known.clear();
        }
        let made = self.made(py, series)?;
        self.known.insert(series.into(), made.clone_ref(py));
        Ok(made)
    }

    fn made(&self, py: Python<'_>, series: &[u8]) -> PyResult<Py<PyAny>> {
        let mut reader = Reader::new(series);
        reader.array();
        let mut texts = vec![];
        for _ in 0..2 {
            texts.push(text_of(py, reader.text())?);
        }
        let mut values = vec![];
        for _ in 0..reader.array().unwrap_or(0) {
            values.push(text_of(py, reader.text())?);
        }
        self.made_by.call1(py, (&texts[0], &texts[1], PyTuple::new(py, values)?))
    }
}

/// Return a contract of events; None: it is not as this crate knows it.
pub(crate) fn contract_of(subject: &str, types: &[String], names: Names, limits: LimitsOf) -> Option<Contract> {
    let (id, text, integer, earliest_ms, latest_ms) = limits;
    let (texts, flags, integers, numbers, others) = names;
    let names = decode::Names { texts, flags, integers, numbers, others };
    Contract::new(subject, types, &names, Limits { id, text, integer, earliest_ms, latest_ms })
}

/// Return into which panes instants belong.
pub(crate) fn slices_of(widths: Vec<WidthOf>, zone: &str, cuts: Vec<i64>) -> Slices {
    let widths = widths.into_iter().map(|(name, length_ms, kept_ms)| Width { name: name.into(), length_ms, kept_ms });
    Slices { widths: widths.collect(), zone: zone.into(), cuts }
}

/// Decode the records that are plain, up to an instant.
pub(crate) fn read_all(
    contract: &Contract,
    records: &Bound<'_, PySequence>,
    max_bytes: usize,
    latest_ms: i64,
) -> PyResult<Piece> {
    let py = records.py();
    let (key_of, value_of) = (intern!(py, "key"), intern!(py, "value"));
    let mut made = Piece { read: decode::Piece::default(), others: vec![], newest_ms: 0 };
    for (place, record) in records.try_iter()?.enumerate() {
        let (record, place) = (record?, place as u32);
        let (key, value) = (record.getattr(key_of)?, record.getattr(value_of)?);
        let headers = record.getattr(intern!(py, "headers"))?;
        let has_headers = match headers.cast::<PyTuple>() {
            Ok(headers) => !headers.is_empty(),
            Err(_) => headers.is_truthy()?,
        };
        let Ok(key) = key.cast::<PyBytes>() else {
            made.others.push(place);
            continue;
        };
        let key = key.as_bytes();
        let is_read = match value.cast_exact::<PyBytes>() {
            Ok(value) if !has_headers && value.as_bytes().len() <= max_bytes => {
                made.read.read(contract, place, key, value.as_bytes(), latest_ms)
            }
            _ => {
                made.read.leave(key);
                false
            }
        };
        if is_read {
            let newest_ms = made.read.events.last().map_or(0, |(_, event)| event.time_ms);
            made.newest_ms = made.newest_ms.max(newest_ms);
        } else {
            made.others.push(place);
        }
    }
    Ok(made)
}

impl Plan {
    /// Fold all subjects of a piece; return what that made, and the keys of the rows by the number of the subject.
    fn fold<'py>(
        &self,
        py: Python<'py>,
        piece: &decode::Piece,
        layers: &Layers<'_, 'py>,
        at: Bounds,
    ) -> PyResult<(Done, Vec<Bound<'py, PyBytes>>)> {
        let (subjects, left) = Subjects::of(piece);
        let mut done = Done { left, ..Done::default() };
        let keys = layers.each(py, piece, &subjects, |number, row| {
            let row = match row {
                Stands::New => None,
                Stands::Row(row) => Some(row),
                Stands::ForPython => {
                    done.left.extend(subjects.places(piece, number));
                    return;
                }
            };
            done.take(&self.told, piece, &subjects, number, row, at);
        })?;
        done.left.sort_unstable();
        Ok((done, keys))
    }

    fn put<'py>(
        &mut self,
        py: Python<'py>,
        done: Done,
        keys: &[Bound<'py, PyBytes>],
        changed: &Changed<'py>,
        layers: &Layers<'_, 'py>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        for (number, encoded) in &done.rows {
            layers.put(py, &keys[*number], encoded)?;
        }
        let (put, new) = changed.put(py, layers)?;
        let (live, minutes) = self.sums(py, &done.sums, changed)?;
        let asked = done.questions;
        let mut terms = vec![];
        for (rule, start_ms) in asked.terms {
            let (agreement, measure) = texts_of(&rule.rule)?;
            let calendar = String::from_utf8(rule.calendar)?;
            terms.push(((agreement, measure, rule.version, calendar, rule.budget_ms), start_ms));
        }
        let sums = (live, minutes, put, new);
        (done.count, done.left, sums, asked.promises, terms, asked.calendars, &changed.days).into_pyobject(py)
    }

    /// Add what changed in the series to panes, as far as they are known here. Nothing is put yet.
    fn panes<'py>(
        &self,
        py: Python<'py>,
        sums: &Sums,
        layers: &Layers<'_, 'py>,
        max_row: usize,
    ) -> PyResult<Changed<'py>> {
        let for_python =
            Folded { rows: vec![], minutes: (0..sums.minutes.len()).collect(), live: (0..sums.live.len()).collect() };
        let places = Places::of(&self.told.slices, sums);
        layers.changed(py, places, for_python, None, |places, stand| places.fold(sums, stand, max_row))
    }

    /// Return what is left to Python of what changed in the series: live, and by the minute.
    fn sums<'py>(
        &mut self,
        py: Python<'py>,
        sums: &Sums,
        changed: &Changed,
    ) -> PyResult<(Bound<'py, PyList>, Bound<'py, PyList>)> {
        let (live, minutes) = (PyList::empty(py), PyList::empty(py));
        for place in &changed.folded.live {
            let ((number, is_paused), times) = &sums.live[*place];
            live.append((self.series.of(py, &sums.series[*number])?, *is_paused, *times))?;
        }
        for place in &changed.folded.minutes {
            let ((number, minute), sum) = &sums.minutes[*place];
            let key = self.series.of(py, &sums.series[*number])?;
            minutes.append(minute_of(py, &key, *minute, sum)?)?;
        }
        Ok((live, minutes))
    }
}

/// Return the records that send panes as their rows are: key, value (None: the row is gone) and the agreement's id.
///
/// ``end`` and ``head`` are what the source adds to the end of a key and the beginning of a value.
#[pyfunction]
pub(crate) fn partials<'py>(
    py: Python<'py>,
    keys: &Bound<'py, PySequence>,
    rows: &Bound<'py, PyDict>,
    packed: &Bound<'py, PyDict>,
    end: &[u8],
    head: &[u8],
) -> PyResult<Bound<'py, PyList>> {
    let records = PyList::empty(py);
    let mut agreement = PyBytes::new(py, b"");
    for key in keys.try_iter()? {
        let key = key?;
        let row = match packed.get_item(&key)? {
            None => rows.get_item(&key)?,
            row => row.filter(|row| !row.is_none()),
        };
        let key = key.cast::<PyBytes>()?.as_bytes();
        let of = key.get(1..).and_then(|fields| fields.split(|byte| *byte == SEPARATOR).next()).unwrap_or_default();
        if agreement.as_bytes() != of {
            agreement = PyBytes::new(py, of);
        }
        let value = match &row {
            None => None,
            Some(row) => {
                let row = row.cast::<PyBytes>()?.as_bytes().get(HEAD..).unwrap_or_default();
                Some(joined(py, head, row)?)
            }
        };
        records.append((joined(py, key, end)?, value, &agreement))?;
    }
    Ok(records)
}

fn joined<'py>(py: Python<'py>, one: &[u8], other: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, one.len() + other.len(), |bytes| {
        let (start, rest) = bytes.split_at_mut(one.len());
        start.copy_from_slice(one);
        rest.copy_from_slice(other);
        Ok(())
    })
}

pub(crate) fn text_of<'py>(py: Python<'py>, text: Option<&[u8]>) -> PyResult<Bound<'py, PyString>> {
    let text = std::str::from_utf8(text.unwrap_or_default());
    Ok(PyString::new(py, text.map_err(|_| PyValueError::new_err("a series is not UTF-8"))?))
}

fn minute_of<'py>(py: Python<'py>, series: &Py<PyAny>, minute: i64, sum: &Sum) -> PyResult<Bound<'py, PyTuple>> {
    let counts = PyList::empty(py);
    counts.append((intern!(py, "met"), sum.met))?;
    counts.append((intern!(py, "elapsed_ms"), sum.elapsed_ms))?;
    counts.append((intern!(py, "wall_ms"), sum.wall_ms))?;
    minute_with(py, series, minute, counts, sum)
}

/// Return what a minute of a series adds to its panes: these counts, and the durations of a sum.
pub(crate) fn minute_with<'py>(
    py: Python<'py>,
    series: &Py<PyAny>,
    minute: i64,
    counts: Bound<'py, PyList>,
    sum: &Sum,
) -> PyResult<Bound<'py, PyTuple>> {
    for (name, count) in &sum.beyond {
        counts.append((&**name, *count))?;
    }
    let longest = PyDict::new(py);
    for (value_ms, count) in &sum.longest {
        longest.set_item(value_ms, count)?;
    }
    if sum.from_ms > 0 {
        longest.set_item(FROM, sum.from_ms)?;
    }
    (series, minute, counts, sum.buckets.clone(), longest).into_pyobject(py)
}

fn rule_of(rule: RuleOf) -> Rule {
    let (agreement, measure, version, calendar, budget_ms) = rule;
    Rule { rule: texts(&agreement, &measure), version, budget_ms, calendar: calendar.into_bytes() }
}

fn start_of(contract: &Contract, start: StartOf) -> Option<Start> {
    let (agreement, measure, version, calendar, by, terms) = start;
    let by = by.iter().map(|name| contract.attribute(name)).collect::<Option<Vec<_>>>()?;
    Some(Start { terms, rule: texts(&agreement, &measure), by, version, calendar: calendar.into_bytes() })
}

/// Return a text as msgpack.
fn text(text: &str) -> Vec<u8> {
    let mut found = vec![];
    write_text(&mut found, text.as_bytes());
    found
}

pub(crate) fn texts(agreement: &str, measure: &str) -> Vec<u8> {
    let mut rule = vec![];
    write_text(&mut rule, agreement.as_bytes());
    write_text(&mut rule, measure.as_bytes());
    rule
}

pub(crate) fn texts_of(rule: &[u8]) -> PyResult<(String, String)> {
    let mut reader = Reader::new(rule);
    let mut next = || String::from_utf8(reader.text().unwrap_or_default().to_vec());
    Ok((next()?, next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_exception() {
        Python::initialize();
        let fault = guarded(|| [1, 2].iter().position(|one| *one == 3).expect("a place")).unwrap_err();
        Python::attach(|py| {
            assert!(fault.is_instance_of::<Fault>(py));
            assert_eq!(fault.value(py).to_string(), "a place");
        });
        assert_eq!(guarded(|| 1).unwrap(), 1);
    }
}
