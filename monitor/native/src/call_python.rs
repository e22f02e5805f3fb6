//! What Python sees of the fold of calls: [`Calls`].

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PySequence, PyTuple};

use crate::call_fold::{CallPlan, CallsDone};
use crate::call_sums::{CallSums, Move};
use crate::calls::{LIVE, NAMES, Rule, WAITING};
use crate::decode;
use crate::fold::{Bounds, Subjects};
use crate::panes::{Added, Folded, Most, Places, Stands};
use crate::python::{
    Changed, Layers, LimitsOf, Names, Piece, SeriesKeys, WidthOf, contract_of, guarded, minute_with, read_all,
    slices_of, texts,
};

/// What a book of agreements promises on calls, as far as it was told.
#[pyclass(module = "sla_monitor_native")]
#[derive(Debug)]
pub(crate) struct Calls {
    told: CallPlan,
    series: SeriesKeys,
}

/// What is left to Python: of minutes, and changes with their fields.
type Rest<'py> = (Bound<'py, PyList>, Bound<'py, PyList>);

#[pymethods]
impl Calls {
    /// Return a plan of which nothing is told but the contract of events, the book's stamp, how long calls are kept, how
    /// soon after a call's first fact a period may close, and the types of facts that Python applies.
    #[new]
    #[allow(clippy::too_many_arguments, reason = "they are named in Python")]
    #[pyo3(signature = (
        *, subject, types, names, limits, stamp, retention_ms, soonest_ms, general, choosing, cuts, series_type
    ))]
    fn new(
        subject: &str,
        types: Vec<String>,
        names: Names,
        limits: LimitsOf,
        stamp: u64,
        retention_ms: i64,
        soonest_ms: i64,
        general: Vec<String>,
        choosing: Vec<String>,
        cuts: Vec<i64>,
        series_type: Py<PyAny>,
    ) -> PyResult<Self> {
        let contract = contract_of(subject, &types, names, limits)
            .ok_or_else(|| PyValueError::new_err("the contract is not as this crate knows it"))?;
        let general = contract.kinds(&general);
        let mut told = CallPlan::new(contract, stamp, retention_ms, soonest_ms);
        told.general = general;
        told.choosing = choosing.into_iter().map(|name| name.into_bytes().into()).collect();
        told.cuts = cuts;
        Ok(Calls { told, series: SeriesKeys::new(series_type) })
    }

    /// Return whether so many rules are kept that a new plan should be made.
    fn is_full(&self) -> bool {
        self.told.is_full()
    }

    /// Keep a rule by which calls are counted, and return its number.
    #[allow(clippy::too_many_arguments, reason = "they are the fields of the rule")]
    #[pyo3(signature = (agreement, measure, *, by, longest_ms, short_abandon_ms, give_up_after_ms, repeats, near))]
    fn keep_rule(
        &mut self,
        agreement: &str,
        measure: &str,
        by: Vec<String>,
        longest_ms: i64,
        short_abandon_ms: i64,
        give_up_after_ms: i64,
        repeats: bool,
        near: Vec<(i64, String)>,
    ) -> usize {
        self.told.keep_rule(Rule {
            rule: texts(agreement, measure),
            by: by.into_iter().map(|name| name.into_bytes().into()).collect(),
            longest_ms,
            short_abandon_ms,
            give_up_after_ms,
            repeats,
            near: near.into_iter().map(|(target_ms, name)| (target_ms, name.into())).collect(),
        })
    }

    /// Keep by which rules, given by number, calls are counted about which was asked.
    fn keep_promise(&mut self, choice: Vec<u8>, rules: Vec<usize>) -> PyResult<()> {
        if rules.iter().any(|number| *number >= self.told.rules.len()) {
            return Err(PyValueError::new_err("no such rule"));
        }
        self.told.keep_promise(choice, rules);
        Ok(())
    }

    /// Keep into which panes the instants of a measure belong.
    fn keep_slices(&mut self, agreement: &str, measure: &str, widths: Vec<WidthOf>, zone: &str, cuts: Vec<i64>) {
        self.told.slices.slices.insert(texts(agreement, measure), slices_of(widths, zone, cuts));
    }

    /// Keep a local day of a zone.
    fn keep_day(&mut self, zone: &str, start_ms: i64, end_ms: i64) {
        self.told.slices.keep_day(zone, start_ms, end_ms);
    }

    /// Decode the records that are plain, up to an instant.
    fn read(&self, records: &Bound<'_, PySequence>, max_bytes: usize, latest_ms: i64) -> PyResult<Piece> {
        guarded(|| read_all(&self.told.contract, records, max_bytes, latest_ms))?
    }

    /// Fold what was decoded, and put the rows. The layers are those of `Plan.step`; ``apart`` are the keys of panes
    /// with several rows, which are Python's; ``max_pane`` is the most bytes
    /// of a pane's row, and of its items.
    ///
    /// Return how many facts were folded; the places of those that Python folds; what Python puts into the panes of
    /// minutes; the changes that it puts into panes; the keys of panes that were put, and those of new ones by when they
    /// are dropped; and what is asked: rules (choice, first instant, values) and local days.
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
        panes: &Bound<'py, PyDict>,
        wakes: &Bound<'py, PyDict>,
        apart: &Bound<'py, PyDict>,
        max_row: usize,
        max_pane: (usize, usize),
    ) -> PyResult<Bound<'py, PyTuple>> {
        let at = Bounds { horizon_ms, oldest_ms, row: max_row };
        let layers = Layers { rows, packed, decoded, touched, panes: Some(panes), wakes };
        let (done, keys, changed) = guarded(|| {
            let (done, keys) = self.fold(py, &piece.read, &layers, at)?;
            let changed = self.panes(py, &done.sums, &layers, apart, Most { row: max_pane.0, items: max_pane.1 })?;
            PyResult::Ok((done, keys, changed))
        })??;
        // From here on rows are put: a fault must not let Python fold the same facts again, so it is one of the batch.
        guarded(|| self.put(py, done, &keys, &changed, &layers))
            .map_err(|fault| PyRuntimeError::new_err(fault.to_string()))?
    }
}

impl Calls {
    fn fold<'py>(
        &self,
        py: Python<'py>,
        piece: &decode::Piece,
        layers: &Layers<'_, 'py>,
        at: Bounds,
    ) -> PyResult<(CallsDone, Vec<Bound<'py, PyBytes>>)> {
        let (subjects, left) = Subjects::of(piece);
        let mut done = CallsDone::beginning(left);
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

    fn panes<'py>(
        &self,
        py: Python<'py>,
        sums: &CallSums,
        layers: &Layers<'_, 'py>,
        apart: &Bound<'py, PyDict>,
        most: Most,
    ) -> PyResult<Changed<'py>> {
        let minutes = sums.minutes.iter().map(|(place, _)| *place);
        let live = sums.live.iter().map(|(series, _)| *series);
        let places = Places::find(&self.told.slices, &sums.series, minutes, live);
        let for_python =
            Folded { rows: vec![], minutes: (0..sums.minutes.len()).collect(), live: (0..sums.live.len()).collect() };
        let added: Vec<&dyn Added> = sums.minutes.iter().map(|(_, sum)| sum as &dyn Added).collect();
        let added_live: Vec<&dyn Added> = sums.live.iter().map(|(_, sum)| sum as &dyn Added).collect();
        layers.changed(py, places, for_python, Some(apart), |places, stand| {
            loop {
                match places.put(&added, &added_live, stand, most) {
                    Ok(folded) => return Some(folded),
                    Err(number) => stand[number] = Stands::ForPython,
                }
            }
        })
    }

    fn put<'py>(
        &mut self,
        py: Python<'py>,
        done: CallsDone,
        keys: &[Bound<'py, PyBytes>],
        changed: &Changed<'py>,
        layers: &Layers<'_, 'py>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        for (number, encoded) in &done.rows {
            layers.put(py, &keys[*number], encoded)?;
        }
        let (put, new) = changed.put(py, layers)?;
        let (minutes, items) = self.rest(py, &done.sums, changed)?;
        let questions: Vec<_> =
            done.questions.iter().map(|one| (PyBytes::new(py, &one.choice), one.first_ms, &one.values)).collect();
        (done.count, done.left, minutes, items, put, new, questions, &changed.days).into_pyobject(py)
    }

    /// Return what is left to Python of what changed in the series.
    fn rest<'py>(&mut self, py: Python<'py>, sums: &CallSums, changed: &Changed) -> PyResult<Rest<'py>> {
        let (minutes, items) = (PyList::empty(py), PyList::empty(py));
        for place in &changed.folded.minutes {
            let ((number, minute), sum) = &sums.minutes[*place];
            let series = self.series.of(py, &sums.series[*number])?;
            let counts = PyList::empty(py);
            for one in sum.named() {
                counts.append(one)?;
            }
            minutes.append(minute_with(py, &series, *minute, counts, &sum.waits)?)?;
            for one in &sum.moves {
                items.append(change_of(py, &series, one)?)?;
            }
        }
        for place in &changed.folded.live {
            let (number, sum) = &sums.live[*place];
            let series = self.series.of(py, &sums.series[*number])?;
            for one in &sum.moves {
                items.append(change_of(py, &series, one)?)?;
            }
        }
        Ok((minutes, items))
    }
}

/// Return the fields of the change that moves an item; one that is live changes how many wait.
fn change_of<'py>(py: Python<'py>, series: &Py<PyAny>, of: &Move) -> PyResult<Bound<'py, PyTuple>> {
    let counts = if of.at_ms == LIVE { PyTuple::new(py, [(NAMES[WAITING], 1)])? } else { PyTuple::empty(py) };
    let name = String::from_utf8(of.name.to_vec())?;
    let times = if of.is_put { 1 } else { -1 };
    (series, of.at_ms, counts, -1, (name, of.value), py.None(), times).into_pyobject(py)
}
