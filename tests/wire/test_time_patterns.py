"""Times of the usual patterns are read by date and time of day; the standard library defines what each text means."""

# ruff: noqa: DTZ001 - local times

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.errors import DecodeError
from monitor.wire.row_values import instant_ms, instants_by, joined_instants_by
from monitor.wire.time_patterns import cut_by

PATTERNS = [
    "%d/%m/%Y %H:%M",
    "%Y-%m-%d %I:%M:%S %p",
    "%Y-%m-%d",
    "%Y%m%d%H%M%S",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%m/%d/%Y %I:%M%p",
    "%d.%m.%Y %H.%M",
    "%H:%M %d.%m.%Y",
    "%Y-%m-%d 1%H:%M",
]
ZONES = ["UTC", "America/Sao_Paulo", "Australia/Lord_Howe", "Europe/Berlin", "Asia/Kathmandu", ""]

moments = st.datetimes(min_value=datetime(1969, 12, 30), max_value=datetime(2101, 1, 1)) | st.builds(
    # Around the instants at which the clocks of these zones change.
    lambda changed, minutes: changed + timedelta(minutes=minutes),
    st.sampled_from(
        [
            datetime(2016, 10, 16),
            datetime(2016, 2, 21),
            datetime(2024, 10, 6, 2),
            datetime(2024, 4, 7, 2),
            datetime(2024, 3, 31, 2),
        ]
    ),
    st.integers(-150, 150),
)


def result(read):
    try:
        return read()
    except DecodeError as error:
        return error.reason, error.detail


@given(
    form=st.sampled_from(PATTERNS),
    zone=st.sampled_from(ZONES),
    moment=moments,
    changes=st.lists(st.tuples(st.integers(0, 30), st.text("0123456789 -:/aAmMpPT.٣", max_size=2)), max_size=2),
)
@example("%Y-%m-%d %I:%M:%S %p", "UTC", datetime(2021, 1, 1), [(11, "00")])
@example("%Y%m%d%H%M%S", "UTC", datetime(2021, 1, 1), [(4, "1")])
def test_a_text_means_what_the_standard_library_says(form, zone, moment, changes):
    text = moment.strftime(form)
    for place, with_text in changes:
        text = text[:place] + with_text + text[place + 1 :]

    assert result(lambda: instants_by((form,), zone)(text)) == result(lambda: instant_ms(text, (form,), zone))


@given(
    form=st.sampled_from(
        ["%Y-%m-%d %H:%M", "%d/%m/%Y %I:%M:%S %p", "%H:%M %d.%m.%Y", "%d %m %Y %H:%M", "%Y-%m-%dT%H:%M"]
    ),
    zone=st.sampled_from(ZONES),
    days=st.lists(moments, min_size=1, max_size=4),
)
def test_a_date_and_a_time_of_day_from_two_columns_are_read_as_one_text(form, zone, days):
    pairs = [moment.strftime(form).replace("T", " ").split(" ", 1) for moment in days]
    joined = joined_instants_by((form,), zone)

    for date, _ in pairs:
        for _, clock in pairs:
            text = f"{date} {clock}"
            assert result(lambda date=date, clock=clock: joined(date, clock)) == result(
                lambda text=text: instant_ms(text, (form,), zone)
            )


@pytest.mark.parametrize("form", PATTERNS)
def test_the_usual_patterns_need_no_strptime(form):
    cut = cut_by(form)
    assert cut is not None
    assert cut.match(datetime(2024, 11, 30, 17, 45, 59).strftime(form)) is not None


@pytest.mark.parametrize(
    "form", ["%d %b %Y", "%y-%m-%d", "%Y-%m-%dT%H:%M:%S%z", "%I:%M %Y-%m-%d", "%H:%M", "%Y-%m-%d %Y"]
)
def test_a_pattern_with_other_fields_goes_to_strptime(form):
    assert cut_by(form) is None


def test_each_hour_of_a_year_begins_when_its_zone_says_so():
    zone = "Europe/Berlin"
    read = instants_by(("%Y-%m-%d %H:%M",), zone)
    instant = datetime(2024, 1, 1, tzinfo=UTC)
    while instant < datetime(2025, 1, 1, tzinfo=UTC):
        local = instant.astimezone(ZoneInfo(zone))
        if local.fold == 0:
            assert read(local.strftime("%Y-%m-%d %H:%M")) == instant.timestamp() * 1000
        instant += timedelta(minutes=30)
