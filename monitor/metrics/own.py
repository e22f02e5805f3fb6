"""The metrics of the monitor's own health: whether its figures can be trusted. Those of figures: `catalogue`."""

from __future__ import annotations

from typing import Final

from monitor.metrics.declaring import MAX_SERIES, SOURCE, declared
from monitor.metrics.declaring import counter as _counter
from monitor.metrics.declaring import gauge as _gauge
from monitor.metrics.declaring import histogram as _histogram

EVENTS = _counter("events_total", "Records taken from a source partition", SOURCE)
BATCHES = _counter("batches_total", "Batches folded and committed", SOURCE)
RECORDS_SKIPPED = _counter("records_skipped_total", "Records below the position: applied before", SOURCE)
OFFSET_HOLES = _counter("offset_holes_total", "Offsets without a record: markers, aborted or compacted records", SOURCE)
RECORDS_LOST = _counter("records_lost_total", "Records that retention removed before they were read", SOURCE)
EVENTS_FOLDED = _counter(
    "events_folded_total", "Events by who folded them: the native fast path or Python", ("topic", "way")
)
PANES_MERGED = _counter(
    "panes_merged_total", "Panes of source partitions by who merged them: the native fast path or Python", ("way",)
)
NATIVE_FAULTS = _counter(
    "native_faults_total", "Pieces of batches that Python folded, as the native fast path failed on them", ("topic",)
)
EVENTS_REPEATED = _counter("events_repeated_total", "Events that were known already, by event id", ("topic",))
EVENTS_LATE = _counter("events_late_total", "Events that came after their subject was forgotten", ("topic",))
PANES_DIVIDED = _counter(
    "panes_divided_total", "Parts made of panes that outgrew a row: waiting calls, outages, repeat callers", ("topic",)
)
EVENTS_TOLD_TOGETHER = _counter(
    "events_told_together_total", "Late events of one subject that were too many to be told one by one", ("topic",)
)
SOURCE_REREADS = _counter(
    "source_rereads_total", "How often a source was read again from the position, as records had not come", SOURCE
)
FAULTS = _counter(
    "faults_total", "How often work on a record or a row failed by a fault of the program, and was taken back", SOURCE
)
ROWS_SET_ASIDE = _gauge("rows_set_aside", "Rows that are left alone for an hour, as the work on them fails", SOURCE)
HELD_BACK = _gauge(
    "held_back_seconds",
    "For how long sources that catch up have held back the deadlines (of partials: the windows) of a partition",
    SOURCE,
)
LET_GO = _gauge(
    "sources_let_go", "Sources that catch up without getting further, and hold the partition back no more", SOURCE
)
RECORDS_REFUSED = _counter(
    "records_refused_total",
    "Agreements, responses and markers that this worker could not use: the rest stays",
    ("topic",),
)
EVENTS_MAPPED = _counter("events_mapped_total", "Events made of the records of a foreign topic", ("topic",))
RECORDS_UNMAPPED = _counter(
    "records_unmapped_total", "Records of a foreign topic that its mapping makes no event of, rightly", ("topic",)
)
LAST_EVENT = _gauge(
    "last_event_timestamp_seconds", "Event time of the newest event of a source partition", (*SOURCE, "kind")
)
LAG = _gauge("lag_records", "Records that a source partition still has to be read", SOURCE)
PARTITION_OPEN = _gauge("partition_open", "1 if the partition's state is restored and open, else 0", SOURCE)
PARTITION_CAUGHT_UP = _gauge("partition_caught_up", "1 if the partition has caught up with its source, else 0", SOURCE)
PARTITION_ROWS = _gauge("partition_rows", "Rows of state of a source partition", SOURCE)
PARTITION_RESTORED = _gauge("partition_restored_rows", "Rows read at the last restore", SOURCE)
PARTITION_RESTORE = _gauge("partition_restore_seconds", "Duration of the last restore", SOURCE)
PARTITIONS_OPEN = _gauge("partitions_open", "Source partitions that this worker has open")
BATCH_DURATION = _histogram("batch_duration_seconds", "From the start of a batch's fold to its end", SOURCE)
COMMIT_DURATION = _histogram("commit_duration_seconds", "Duration of a batch's transaction", SOURCE)
TICK_DELAY = _histogram("tick_delay_seconds", "From the instant a timer was set for to the commit of its work", SOURCE)
DETECTION_DELAY = _histogram(
    "detection_delay_seconds", "From the instant a clock got at risk or breached to its announcement"
)
SERIES_SHOWN = _gauge("series_shown", "Series of a measure that are shown one by one", ("agreement", "measure"))
SERIES_IN_REST = _gauge(
    "series_in_rest",
    "Series of a measure beyond max_series: they are counted together, as other",
    ("agreement", "measure"),
)
EVALUATION = _counter(
    "evaluation_seconds_total", "Time spent judging windows, by partition of partials", ("partition",)
)
DEAD_LETTERS = _counter("dead_letters_total", "Records that were no events", ("topic", "reason"))
DEAD_LETTERS_CUT = _counter(
    "dead_letters_cut_total", "Dead letters that hold a part of their record only: they cannot be replayed", ("topic",)
)
ALERTS = _counter("alerts_total", "Announcements, by kind of subject (or objective) and state", ("kind", "state"))
DELIVERIES = _counter(
    "deliveries_total",
    "Attempts to tell a receiver, and notices that came to an end without one, by outcome",
    ("receiver", "outcome"),
)
NOT_TOLD = _counter(
    "alerts_not_told_total", "Decisions to tell nobody of an alert: announcements, silences, answers", ("reason",)
)
DELIVERIES_PENDING = _gauge("deliveries_pending", "Notices that wait for their delivery", ("receiver",))
DELIVERIES_OLDEST = _gauge("deliveries_oldest_pending_seconds", "Age of the oldest notice that waits", ("receiver",))
DELIVERIES_MISCONFIGURED = _gauge(
    "deliveries_misconfigured",
    "Pages that wait for somebody to mend their receiver's settings (401, 403)",
    ("receiver",),
)
PAGES_OPEN = _gauge("pages_open", "Pages that are out, or wait for the rest of their storm", ("receiver",))
RECEIVER_DISABLED = _gauge(
    "receiver_disabled", "1 if the receiver answered 410 and is told nothing until it is enabled, else 0", ("receiver",)
)
REBALANCES = _counter("rebalances_total", "Rebalances of the consumer group that this worker saw")
RESTORES = _counter("restores_total", "Partitions whose state this worker restored")
STALLS = _counter("stalls_total", "How often the process stood still for over half a second")
CLOCK_STEPS = _counter("clock_steps_total", "How often the host's clock was set by more than half a second")
CUT_OFF = _counter("web_cut_off_total", "Connections to the worker's pages that were cut off, by reason", ("reason",))
UNEXPECTED_PARTITIONS = _gauge(
    "topic_unexpected_partitions",
    "Partitions of a topic beyond those that this worker was started with; negative: missing ones; absent: none",
    ("topic",),
)
MONITOR_TIME = _gauge("monitor_timestamp_seconds", "The clock by which the monitor judges")
DROPPED_SERIES = _gauge(
    "exporter_dropped_series", f"Series beyond the {MAX_SERIES} that a metric shows, at this scrape", ("metric",)
)
BUILD_INFO = _gauge("build_info", "1, with the versions of this build", ("version", "python"))

OWN: Final = dict(declared)
"""These metrics by name."""
