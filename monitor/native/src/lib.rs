//! The fast path of sla-monitor's fold: what is common, from bytes to rows. The fold in Python is the definition.

use pyo3::prelude::*;

/// The module that Python imports.
#[pymodule]
fn sla_monitor_native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}
