//! What Python sees of the merge of panes: [`Merger`] and [`Batch`].

use std::ops::Range;

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PySequence, PySet, PyString, PyTuple};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::merged::{self, Merged, Name};
use crate::panes::SEPARATOR;
use crate::python::guarded;

/// The most series, and slices of time, whose keys are kept as objects of Python.
const MOST_KNOWN: usize = 1 << 14;

/// The last value of the series that counts together all that are not shown: Python changes it on their behalf.
const REST: &[u8] = b"\x1f(rest)";

/// One key of a batch, with all of its records.
#[derive(Debug)]
struct Key {
    /// None: the keys that are no bytes.
    bytes: Option<Py<PyBytes>>,
    /// The value of its newest record, if each of them has one; None: it is Python's.
    value: Option<Py<PyBytes>>,
    first: u32,
    others: Vec<u32>,
}

/// The keys of a batch of partials, in the order of their first records.
#[pyclass(module = "sla_monitor_native", frozen)]
#[derive(Debug)]
pub(crate) struct Batch {
    keys: Vec<Key>,
}

#[pymethods]
impl Batch {
    fn __len__(&self) -> usize {
        self.keys.len()
    }

    /// Return the places of the records of all keys from one on, ascending.
    fn places(&self, start: usize) -> Vec<u32> {
        let mut places = vec![];
        for key in self.keys.get(start..).unwrap_or_default() {
            key.note(&mut places);
        }
        places.sort_unstable();
        places
    }
}

impl Key {
    fn note(&self, places: &mut Vec<u32>) {
        places.push(self.first);
        places.extend_from_slice(&self.others);
    }
}

/// A series, and what is known of it in the present piece.
#[derive(Debug)]
struct Series {
    key: Py<PyAny>,
    agreement: Py<PyString>,
    /// The piece in which it was asked of last.
    piece: u64,
    /// Whether its panes are for this crate.
    is_taken: bool,
    /// The slices of time in which its panes were replaced.
    slices: Option<Py<PyDict>>,
}

/// Merges the panes of all sources of a partition. It keeps keys as objects of Python, and nothing else.
#[pyclass(module = "sla_monitor_native")]
#[derive(Debug)]
pub(crate) struct Merger {
    series_type: Py<PyAny>,
    series: Vec<Series>,
    numbers: FxHashMap<Box<[u8]>, usize>,
    slices: FxHashMap<Box<[u8]>, Py<PyTuple>>,
    piece: u64,
}

/// The layers of a partition's rows, and what the evaluator has told and is told.
struct Layers<'a, 'py> {
    rows: &'a Bound<'py, PyDict>,
    packed: &'a Bound<'py, PyDict>,
    decoded: &'a Bound<'py, PyDict>,
    touched: &'a Bound<'py, PyDict>,
    shown: &'a Bound<'py, PySet>,
    with_items: &'a Bound<'py, PySet>,
    panes: &'a Bound<'py, PyDict>,
    dirty: &'a Bound<'py, PySet>,
}

/// A row of a piece.
struct Row<'py> {
    key: Bound<'py, PyBytes>,
    stored: Option<Bound<'py, PyBytes>>,
    /// Python has put it.
    is_touched: bool,
    /// How it stands after the piece, if that differs.
    merged: Option<Vec<u8>>,
    series: usize,
    slice: Py<PyTuple>,
    /// When it starts (ms), if it is new and not live: the evaluator is told from when on something was measured.
    new_ms: Option<i64>,
}

/// How many panes were merged, the places of the records that are Python's, and since when agreements measure.
type Told = (usize, Vec<u32>, Vec<(Py<PyString>, i64)>);

/// What became of a piece.
#[derive(Default)]
struct Piece<'a, 'py> {
    rows: Vec<Row<'py>>,
    /// Their places, by what names the pane.
    numbers: FxHashMap<&'a [u8], usize>,
    max_row: usize,
    scratch: Vec<i64>,
    count: usize,
    left: Vec<u32>,
}

#[pymethods]
impl Merger {
    #[new]
    fn new(series_type: Py<PyAny>) -> Self {
        Merger { series_type, series: vec![], numbers: FxHashMap::default(), slices: FxHashMap::default(), piece: 0 }
    }

    /// Find the keys of a batch. A record without a value, or with one of more than so many bytes, is Python's, and so
    /// are the others of its key.
    #[staticmethod]
    fn read(records: &Bound<'_, PySequence>, max_bytes: usize) -> PyResult<Batch> {
        guarded(|| read(records, max_bytes))?
    }

    /// Merge the newest panes of some keys of a batch, and put the rows.
    ///
    /// ``rows``, ``packed``, ``decoded`` and ``touched`` are the layers of the rows; ``shown``, ``with_items``,
    /// ``panes`` and ``dirty`` what the evaluator tells and is told (``monitor.core.windows.beside``). A row becomes at
    /// most ``max_row`` bytes long, its key included.
    ///
    /// Return how many panes were merged or stand in the rows already; the places of the records that Python merges
    /// afterwards, ascending; and the agreements of which something was put, each with the start (ms) of a pane.
    #[allow(clippy::too_many_arguments, reason = "the layers of a partition's rows")]
    fn merge<'py>(
        &mut self,
        py: Python<'py>,
        batch: &Batch,
        start: usize,
        end: usize,
        rows: &Bound<'py, PyDict>,
        packed: &Bound<'py, PyDict>,
        decoded: &Bound<'py, PyDict>,
        touched: &Bound<'py, PyDict>,
        shown: &Bound<'py, PySet>,
        with_items: &Bound<'py, PySet>,
        panes: &Bound<'py, PyDict>,
        dirty: &Bound<'py, PySet>,
        max_row: usize,
    ) -> PyResult<Told> {
        let layers = Layers { rows, packed, decoded, touched, shown, with_items, panes, dirty };
        let piece = guarded(|| self.merge_all(py, batch, start..end, &layers, max_row))??;
        // From here on rows are put: a fault is one of the batch.
        guarded(|| self.put(py, piece, &layers)).map_err(|fault| PyRuntimeError::new_err(fault.to_string()))?
    }
}

fn read(records: &Bound<'_, PySequence>, max_bytes: usize) -> PyResult<Batch> {
    let py = records.py();
    let (key_of, value_of) = (intern!(py, "key"), intern!(py, "value"));
    let (mut found, mut values) = (vec![], vec![]);
    for record in records.try_iter()? {
        let record = record?;
        let (key, value) = (record.getattr(key_of)?, record.getattr(value_of)?);
        let value = value.cast_into_exact::<PyBytes>().ok().filter(|value| value.as_bytes().len() <= max_bytes);
        values.push(value.map(Bound::unbind));
        found.push(key.cast_into_exact::<PyBytes>().ok());
    }
    let mut numbers: FxHashMap<Option<&[u8]>, usize> = FxHashMap::default();
    numbers.reserve(found.len());
    let mut keys: Vec<Key> = Vec::with_capacity(found.len());
    for (place, (key, value)) in found.iter().zip(values).enumerate() {
        let number = *numbers.entry(key.as_ref().map(PyBytesMethods::as_bytes)).or_insert(keys.len());
        match keys.get_mut(number) {
            None => {
                let key = key.as_ref().map(|key| key.clone().unbind());
                keys.push(Key { bytes: key, value, first: place as u32, others: vec![] });
            }
            Some(known) => {
                known.others.push(place as u32);
                known.value = known.value.take().and(value);
            }
        }
    }
    Ok(Batch { keys })
}

impl Merger {
    /// Merge panes. Nothing is put yet.
    fn merge_all<'a, 'py: 'a>(
        &mut self,
        py: Python<'py>,
        batch: &'a Batch,
        keys: Range<usize>,
        layers: &Layers<'_, 'py>,
        max_row: usize,
    ) -> PyResult<Piece<'a, 'py>> {
        self.begin();
        let mut piece = Piece { max_row, ..Piece::default() };
        // A pane of these series may be Python's to delete, and with it the place of the series.
        let mut pythons: FxHashSet<Vec<u8>> = FxHashSet::default();
        let mut series = vec![];
        for key in batch.keys.iter().take(keys.end).skip(keys.start) {
            let Some(name) = key.bytes.as_ref().and_then(|bytes| Name::read(bytes.as_bytes(py))) else {
                key.note(&mut piece.left);
                continue;
            };
            name.write_series(&mut series);
            if !pythons.contains(&series) && self.take(py, key, &name, &series, &mut piece, layers)? {
                piece.count += 1;
            } else {
                key.note(&mut piece.left);
                pythons.insert(series.clone());
            }
        }
        piece.left.sort_unstable();
        Ok(piece)
    }

    /// Merge the newest pane of a key; return false if it is Python's.
    fn take<'a, 'py: 'a>(
        &mut self,
        py: Python<'py>,
        key: &'a Key,
        name: &Name<'a>,
        series: &[u8],
        piece: &mut Piece<'a, 'py>,
        layers: &Layers<'_, 'py>,
    ) -> PyResult<bool> {
        let Some(value) = &key.value else { return Ok(false) };
        let Some(pane) = merged::sent(value.as_bytes(py), &mut piece.scratch) else { return Ok(false) };
        let Some(place) = self.place(py, name, series, layers)? else { return Ok(false) };
        let number = *piece.numbers.entry(name.pane).or_insert(piece.rows.len());
        if number == piece.rows.len() {
            piece.rows.push(self.row(py, name, place, layers)?);
        }
        Ok(piece.rows[number].merge(name.source, pane, piece.max_row))
    }

    fn begin(&mut self) {
        self.piece += 1;
        if self.series.len() > MOST_KNOWN {
            self.series.clear();
            self.numbers.clear();
        }
        if self.slices.len() > MOST_KNOWN {
            self.slices.clear();
        }
    }

    /// Return the number of a series, and when the pane starts (ms); None: it is Python's.
    fn place(
        &mut self,
        py: Python<'_>,
        name: &Name,
        series: &[u8],
        layers: &Layers<'_, '_>,
    ) -> PyResult<Option<(usize, i64)>> {
        let number = if let Some(number) = self.numbers.get(series) {
            *number
        } else {
            self.series.push(self.series_of(py, name)?);
            self.numbers.insert(series.into(), self.series.len() - 1);
            self.series.len() - 1
        };
        let known = &mut self.series[number];
        if known.piece != self.piece {
            known.piece = self.piece;
            known.slices = None;
            known.is_taken = !name.values.ends_with(REST)
                && layers.shown.contains(&known.key)?
                && (layers.with_items.is_empty() || !layers.with_items.contains(&known.key)?);
        }
        Ok(name.start_ms.filter(|_| known.is_taken).map(|start_ms| (number, start_ms)))
    }

    fn series_of(&self, py: Python<'_>, name: &Name) -> PyResult<Series> {
        let mut rule = name.rule.split(|byte| *byte == SEPARATOR);
        let agreement = text_of(py, rule.next().unwrap_or_default());
        let measure = text_of(py, rule.next().unwrap_or_default());
        let values = name.values.split(|byte| *byte == SEPARATOR).skip(1).map(|value| text_of(py, value));
        let values = PyTuple::new(py, values.collect::<Vec<_>>())?;
        let key = self.series_type.call1(py, (&agreement, measure, values))?;
        Ok(Series { key, agreement: agreement.unbind(), piece: 0, is_taken: false, slices: None })
    }

    fn row<'py>(
        &mut self,
        py: Python<'py>,
        name: &Name,
        (series, start_ms): (usize, i64),
        layers: &Layers<'_, 'py>,
    ) -> PyResult<Row<'py>> {
        let key = PyBytes::new_with(py, name.pane.len() + 1, |bytes| {
            bytes[0] = b'w';
            bytes[1..].copy_from_slice(name.pane);
            Ok(())
        })?;
        let is_touched = !layers.touched.is_empty() && layers.touched.contains(&key)?;
        let found = match layers.packed.get_item(&key)? {
            None => layers.rows.get_item(&key)?,
            found => found.filter(|row| !row.is_none()),
        };
        let stored = found.map(Bound::cast_into::<PyBytes>).transpose()?;
        let slice = if let Some(slice) = self.slices.get(name.slice) {
            slice.clone_ref(py)
        } else {
            let slice = (text_of(py, name.width()), start_ms).into_pyobject(py)?.unbind();
            self.slices.insert(name.slice.into(), slice.clone_ref(py));
            slice
        };
        let new_ms = (stored.is_none() && name.width() != b"live").then_some(start_ms);
        Ok(Row { key, stored, is_touched, merged: None, series, slice, new_ms })
    }

    /// Put the rows, and take note of them.
    fn put<'py>(&mut self, py: Python<'py>, piece: Piece<'_, 'py>, layers: &Layers<'_, 'py>) -> PyResult<Told> {
        let mut earliest: Vec<(Py<PyString>, i64)> = vec![];
        for row in &piece.rows {
            let Some(encoded) = &row.merged else { continue };
            row.put(py, encoded, layers)?;
            let series = &mut self.series[row.series];
            if series.slices.is_none() {
                layers.dirty.add(&series.key)?;
                series.slices = Some(slices_of(series.key.bind(py), layers)?.unbind());
            }
            if let Some(slices) = &series.slices {
                slices.bind(py).set_item(&row.slice, py.None())?;
            }
            if let Some(new_ms) = row.new_ms {
                match earliest.iter_mut().find(|(agreement, _)| agreement.is(&series.agreement)) {
                    Some((_, start_ms)) => *start_ms = new_ms.min(*start_ms),
                    None => earliest.push((series.agreement.clone_ref(py), new_ms)),
                }
            }
        }
        Ok((piece.count, piece.left, earliest))
    }
}

impl<'py> Row<'py> {
    /// Merge the pane of a source; return false if it is Python's.
    fn merge(&mut self, source: &str, pane: &[u8], max_row: usize) -> bool {
        if self.is_touched {
            return false;
        }
        let most = max_row.saturating_sub(self.key.as_bytes().len());
        let stands = self.merged.as_deref().or(self.stored.as_ref().map(PyBytesMethods::as_bytes));
        match merged::merge(stands, source.as_bytes(), pane, most) {
            Merged::Same => {}
            Merged::New(row) => self.merged = Some(row),
            Merged::ForPython => return false,
        }
        true
    }

    /// Put it as `PartitionState.pack` would.
    fn put(&self, py: Python<'py>, encoded: &[u8], layers: &Layers<'_, 'py>) -> PyResult<()> {
        let is_stored = match layers.rows.get_item(&self.key)? {
            None => false,
            Some(stored) => stored.cast::<PyBytes>()?.as_bytes() == encoded,
        };
        if !is_stored {
            layers.packed.set_item(&self.key, PyBytes::new(py, encoded))?;
        } else if layers.packed.contains(&self.key)? {
            layers.packed.del_item(&self.key)?;
        }
        if !layers.decoded.is_empty() && layers.decoded.contains(&self.key)? {
            layers.decoded.del_item(&self.key)?;
        }
        Ok(())
    }
}

/// Return the slices that are noted of a series.
fn slices_of<'py>(key: &Bound<'py, PyAny>, layers: &Layers<'_, 'py>) -> PyResult<Bound<'py, PyDict>> {
    if let Some(slices) = layers.panes.get_item(key)? {
        return Ok(slices.cast_into::<PyDict>()?);
    }
    let slices = PyDict::new(key.py());
    layers.panes.set_item(key, &slices)?;
    Ok(slices)
}

/// Return a part of a key, which is UTF-8 as a whole.
fn text_of<'py>(py: Python<'py>, text: &[u8]) -> Bound<'py, PyString> {
    PyString::intern(py, std::str::from_utf8(text).unwrap_or_default())
}
