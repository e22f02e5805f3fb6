"""The forms in which a report is written. The libraries of some are an optional extra of the package."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Final, Literal, get_args

from monitor.errors import ReportError
from monitor.reports.model import Report
from monitor.reports.table import as_csv

Form = Literal["html", "pdf", "csv", "xlsx"]
FORMS: Final[tuple[Form, ...]] = get_args(Form)
INSTALL: Final = "pip install 'sla-monitor[reports]'"
SYSTEM_LIBRARIES: Final = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
"""The packages of Debian and Ubuntu that hold the libraries by which WeasyPrint sets text."""
NEEDED: Final[dict[Form, tuple[str, ...]]] = {
    "html": ("jinja2",),
    "pdf": ("jinja2", "matplotlib", "weasyprint"),
    "csv": (),
    "xlsx": ("xlsxwriter",),
}
"""The libraries without which a form cannot be written. Pages do without their pictures."""
_LIBRARIES: Final = {
    "jinja2": "Jinja2",
    "matplotlib": "matplotlib",
    "weasyprint": "WeasyPrint",
    "xlsxwriter": "XlsxWriter",
}


def installed_forms() -> list[Form]:
    """Return the forms whose Python libraries are installed; whether those of the system are, `check_form` tries."""
    return [form for form in FORMS if all(find_spec(library) for library in NEEDED[form])]


def check_form(form: Form) -> None:
    """Try whether a report can be written in a form.

    Raises:
        ReportError: a library is missing; the message says how to install it.
    """
    for name in {"html": ("html",), "pdf": ("html", "plots", "pdf"), "xlsx": ("sheet",), "csv": ()}[form]:
        _module(name, form)


def write(report: Report, form: Form, *, tell: Callable[[str], None] = lambda _: None) -> bytes:
    """Return a report in a form.

    Args:
        report: the report.
        form: the form.
        tell: called with a sentence on what is left out for want of a library: pages can do without pictures.

    Raises:
        ReportError: a library is missing; the message says how to install it.
    """
    if form == "csv":
        return as_csv(report)
    if form == "xlsx":
        found: bytes = _module("sheet", form).as_xlsx(report)
        return found
    page: bytes = _module("html", form).as_html(report, _plots(form, tell))
    if form == "html":
        return page
    printed: bytes = _module("pdf", form).as_pdf(page)
    return printed


def _plots(form: Form, tell: Callable[[str], None]) -> ModuleType | None:
    try:
        return _module("plots", form)
    except ReportError:
        if form != "html":
            raise
        tell(f"the page has no pictures: matplotlib is not installed ({INSTALL})")
        return None


def _module(name: str, form: Form) -> ModuleType:
    try:
        return import_module(f"monitor.reports.{name}")
    except ModuleNotFoundError as error:
        library = _LIBRARIES.get((error.name or "").partition(".")[0])
        if library is None:
            raise
        raise ReportError(f"a report as {form} needs {library}: {INSTALL}") from None
    except OSError as error:  # WeasyPrint loads the libraries of the system when it is imported
        raise ReportError(
            f"a report as {form} needs libraries of the system that are missing: apt-get install {SYSTEM_LIBRARIES} "
            f"({' '.join(str(error).split())})"
        ) from None


def forms_of(names: Sequence[str]) -> list[Form]:
    """Return the forms of these names, each once, in their order."""
    return [one for one in FORMS if one in names]
