//! The fast path of sla-monitor's fold: what is common, from bytes to rows. The fold in Python is the definition.
//!
//! `monitor/stream/agents/native.py` and `native_calls.py` ask twice for each piece of a batch: `Plan.read` decodes the
//! records that are plain, then `Plan.step` folds them and puts the rows; `partials` makes records of panes. Whatever this
//! crate does not know is left to Python, record by record: it names their places. `native_partials.py` asks `Merger` to
//! merge the panes that such records bring. Nothing is kept between two pieces but what follows from the
//! book of agreements, so a piece may be folded with or without it.
//!
//! Modules without Python: `json` and `decode` (bytes to events), `row` (msgpack), `clock`, `calendar`, `plan` (what a
//! book promises), `fold` (one ticket), `series` (sums), `panes` (the rows that sums go into), `merged`
//! (the rows of panes of all sources); of calls: `calls` (what one
//! says and counts), `hash` (the names of callers), `call_fold` (one call), `call_sums`.

pub mod calendar;
pub mod call_fold;
mod call_python;
pub mod call_sums;
pub mod calls;
pub mod clock;
pub mod decode;
pub mod fold;
pub mod hash;
pub mod json;
pub mod merged;
mod merger;
pub mod panes;
pub mod plan;
mod python;
pub mod row;
pub mod series;

use pyo3::prelude::*;

/// What Python and this crate have agreed on: it changes with the arguments and results of the calls.
pub const INTERFACE: u32 = 6;

/// The module that Python imports.
#[pymodule]
fn sla_monitor_native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("INTERFACE", INTERFACE)?;
    module.add("ROW_VERSION", row::VERSION)?;
    module.add("PANE_VERSION", panes::VERSION)?;
    module.add_function(wrap_pyfunction!(python::partials, module)?)?;
    module.add("Fault", module.py().get_type::<python::Fault>())?;
    module.add_class::<merger::Batch>()?;
    module.add_class::<merger::Merger>()?;
    module.add_class::<python::Piece>()?;
    module.add_class::<python::Plan>()?;
    module.add_class::<call_python::Calls>()
}
