"""The dashboards: made from the catalogue, laid out without holes, and saying what they show."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

from monitor.metrics import catalogue as m
from monitor.metrics import own
from monitor.metrics.dashboards import dashboards, text_of, write
from monitor.metrics.dashboards.dashboard import HEADING_HEIGHT, Row, dashboard
from monitor.metrics.dashboards.panels import GREY, Query, stat, to_list
from monitor.metrics.dashboards.promql import BEFORE, PERIODS, Scope, as_before, select
from monitor.metrics.dashboards.scopes import silence
from monitor.metrics.dashboards.tables import Column, table
from monitor.metrics.declaring import ATTRIBUTES, CODES, VERDICTS
from tests.grafana.published import PANELS, UNITS, mistakes
from tests.prometheus.promql import complaints

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "grafana"
MADE = dashboards()
PANELS_OF_ALL = {f"{name}-{panel['title']}": panel for name, one in MADE.items() for panel in one["panels"]}


def filled(expr: str) -> str:
    """A query with durations in the place of those that Grafana knows."""
    return re.sub(r"\$__(rate_interval|interval)", "1m", expr)


each_dashboard = pytest.mark.parametrize("name", MADE)
each_panel = pytest.mark.parametrize("panel", PANELS_OF_ALL.values(), ids=PANELS_OF_ALL)


# -- made from the catalogue


def test_what_is_committed_is_what_the_generator_makes():
    committed = {path.name: path.read_text(encoding="utf-8") for path in (GRAFANA / "dashboards").iterdir()}
    assert committed == {name: text_of(one) for name, one in MADE.items()}


def test_the_command_writes_the_folder(tmp_path: Path):
    told = subprocess.run(
        [sys.executable, "-m", "monitor.metrics.dashboards", str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=True, cwd=ROOT,
    )  # fmt: skip
    assert told.stdout.split() == [str(path) for path in write(tmp_path)]
    assert {path.name for path in (tmp_path / "dashboards").iterdir()} == set(MADE)


@each_panel
def test_every_metric_and_label_that_a_panel_names_exists(panel):
    for target in panel["targets"]:
        assert complaints(filled(target["expr"])) == []


@pytest.mark.parametrize(
    "expr",
    [
        "sla_clocks_opened",
        'sla_clocks_open{ticket="T-1"}',
        "sum by (window) (sla_clocks_open)",
        "sla_tick_delay_seconds",
        'max by (agreement, colour) (sla_clocks_open{kind="ticket"})',
        "rate(sla_events_totals[5m]) / on (topic) sla_lag_records",
    ],
)
def test_a_panel_that_names_an_unknown_metric_or_label_would_be_found(expr):
    assert len(complaints(expr)) == 1


def test_a_query_of_a_label_that_the_metric_does_not_have_cannot_be_made():
    with pytest.raises(ValueError, match="sla_lag_records has no label customer"):
        select(own.LAG, {"customer": "acme"})
    with pytest.raises(ValueError, match="sla_lag_records has no label verdict"):
        Scope(("agreement",)).of(own.LAG, verdict="breached")
    with pytest.raises(ValueError, match="histogram"):
        select(own.BATCH_DURATION, {})


def test_every_verdict_has_a_number_and_the_more_urgent_one_the_larger():
    assert set(CODES) == set(VERDICTS)
    assert max(CODES, key=CODES.__getitem__) == "breached"
    assert CODES["at_risk"] > CODES["on_track"] > CODES["no_data"]


@each_panel
def test_time_is_that_of_the_monitor_s_clock(panel):
    """In a demonstration it runs faster than the wall clock by which Prometheus goes."""
    for target in panel["targets"]:
        assert "time()" not in target["expr"]


# -- laid out


@each_dashboard
def test_the_grid_has_neither_holes_nor_overlaps(name):
    cells = Counter()
    for panel in MADE[name]["panels"]:
        at = panel["gridPos"]
        cells.update((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"]))
    height = max(y for _, y in cells) + 1
    assert cells == {(x, y): 1 for x in range(24) for y in range(height)}
    assert height <= 45, "more than two screens"


@each_dashboard
def test_panels_have_numbers_and_titles_of_their_own(name):
    panels = MADE[name]["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)


def test_a_row_that_does_not_fill_the_grid_cannot_be_made():
    with pytest.raises(ValueError, match="23 columns wide"):
        dashboard("x", "X", "", [], [Row(4, [(23, stat("Open", "What is open", Query("1")))])])


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("overview.json", "Objectives breached"),
        ("tickets.json", "Past due"),
        ("calls.json", "Waiting now"),
        ("outages.json", "Open outages"),
        ("monitor.json", "Partitions not open"),
    ],
)
def test_the_most_urgent_number_is_top_left(name, first):
    at_top_left = [panel for panel in MADE[name]["panels"] if (panel["gridPos"]["x"], panel["gridPos"]["y"]) == (0, 0)]
    assert [panel["title"] for panel in at_top_left] == [first]


# -- saying what they show


@each_panel
def test_a_panel_says_what_it_shows_and_in_which_unit(panel):
    assert panel["title"].strip()
    assert len(panel["description"]) > 15
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    for override in panel["fieldConfig"]["overrides"]:
        assert all(one["value"] in UNITS for one in override["properties"] if one["id"] == "unit")


@each_panel
def test_the_unit_of_a_panel_is_that_of_its_metrics(panel):
    if panel["type"] in ("table", "state-timeline", "status-history", "heatmap"):
        return  # their units are those of columns, cells and rows; states are words
    shown = panel["fieldConfig"]["defaults"]["unit"]
    for target in panel["targets"]:
        named = {one.unit for one in m.CATALOGUE.values() if re.search(rf"\b{one.name}(_bucket)?\b", target["expr"])}
        if re.search(r"[=<>] bool ", target["expr"]) and "/" not in target["expr"]:
            assert shown == "short", "how many are so"
        elif "ratio" in named:
            assert shown == "percentunit"
        elif "seconds" in named:
            assert shown == "s"


@each_panel
def test_a_link_to_an_agreement_knows_which(panel):
    fields = panel["fieldConfig"]
    urls = [link["url"] for link in fields["defaults"].get("links", ())]
    if any("__field.labels.agreement" in url for url in urls):
        assert all(re.search(r"by \([^()]*agreement", target["expr"]) for target in panel["targets"]), "no agreement"


@each_panel
def test_a_legend_names_labels_that_the_query_keeps(panel):
    for target in panel["targets"]:
        for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
            groups = re.search(r"by \(([^()]*)\)", target["expr"])
            assert groups, target["expr"]
            assert label in groups[1].split(", ")


def test_there_is_a_dashboard_for_each_kind_that_the_overview_leads_to():
    uids = {one["uid"] for one in MADE.values()}
    assert uids >= {"sla-overview", "sla-tickets", "sla-calls", "sla-outages", "sla-monitor"}
    text = text_of(MADE["overview.json"])
    assert "/d/sla-${__data.fields.kind}s?" in text
    assert set(re.findall(r"/d/(sla-[a-z]+)\b", text)) <= uids


@each_dashboard
def test_the_links_between_dashboards_keep_what_was_chosen(name):
    (link,) = MADE[name]["links"]
    assert (link["type"], link["includeVars"], link["keepTime"]) == ("dashboards", True, True)
    assert set(link["tags"]) <= set(MADE[name]["tags"])


@each_dashboard
def test_every_variable_of_a_query_exists_and_every_variable_is_used(name):
    one = MADE[name]
    variables = {variable["name"] for variable in one["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z_]+)", json.dumps([panel.get("targets") for panel in one["panels"]])))
    used -= {"__rate_interval", "__interval"}
    assert used == variables


@each_dashboard
def test_a_variable_is_offered_where_the_metrics_have_its_label(name):
    for variable in MADE[name]["templating"]["list"]:
        if variable["type"] == "query":
            selector, _, label = variable["query"]["query"].removeprefix("label_values(")[:-1].rpartition(", ")
            assert complaints(selector) == []
            assert complaints(f"max by ({label}) ({selector})") == []


# -- as Grafana publishes its types


@each_dashboard
def test_the_json_is_of_grafana_s_own_published_types(name):
    assert mistakes(MADE[name]) == []


def test_json_that_is_not_would_be_found():
    broken = json.loads(text_of(MADE["overview.json"]))
    broken["panels"][0]["options"]["colourMode"] = "background"
    broken["panels"][1]["options"]["graphMode"] = "none of them"
    broken["panels"][2]["gridPos"]["w"] = "4"
    broken["panels"][3]["fieldConfig"]["defaults"]["thresholds"]["mode"] = "sometimes"
    broken["templating"]["list"][1]["sort"] = 77
    assert len(mistakes(broken)) == 5


@each_panel
def test_only_core_panels_are_used(panel):
    assert panel["type"] in PANELS


def test_each_kind_of_picture_has_its_place():
    kinds = {panel["type"] for panel in PANELS_OF_ALL.values()}
    assert kinds >= {"stat", "gauge", "timeseries", "table", "state-timeline", "status-history", "heatmap", "bargauge"}


# -- provisioning


def test_the_provisioned_source_and_folder_are_those_of_the_dashboards():
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/sla-monitor.yml").read_text())["providers"]
    assert (source["type"], source["url"]) == ("prometheus", "$SLA_PROMETHEUS_URL")
    assert provider["options"]["path"] == "$SLA_DASHBOARDS"
    for one in MADE.values():
        chosen = [variable for variable in one["templating"]["list"] if variable["type"] == "datasource"]
        assert [variable["query"] for variable in chosen] == [source["type"]]


# -- one scheme of colours, and limits that nobody has promised are none


def looks(found):
    """Every word that a picture shows in a colour of its own, with the colour."""
    if isinstance(found, dict):
        if {"text", "color"} <= found.keys():
            yield found["text"], found["color"]
        matcher, properties = found.get("matcher", {}), found.get("properties", ())
        if matcher.get("id") == "byName":
            for one in properties:
                if one["id"] == "color":
                    yield matcher["options"], one["value"]["fixedColor"]
        for one in found.values():
            yield from looks(one)
    elif isinstance(found, list):
        for one in found:
            yield from looks(one)


def test_a_word_has_one_colour_on_all_dashboards():
    colours = {}
    for word, colour in looks(list(MADE.values())):
        colours.setdefault(word, set()).add(colour)
    assert {word: one for word, one in colours.items() if len(one) > 1} == {}
    assert colours["breached"] == {"red"}
    assert colours["at risk"] == {"orange"}
    assert colours["resolved"] == colours["kept"] == colours["on track"] == {"green"}


@each_panel
def test_states_are_drawn_in_the_colours_of_their_words(panel):
    """By thresholds Grafana would draw merged neighbours in the colours of these, as one grey band."""
    if panel["type"] in ("state-timeline", "status-history"):
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["color"]["mode"] == "fixed"
        assert "thresholds" not in defaults
        assert all(one["color"] for one in defaults["mappings"][0]["options"].values())


@each_dashboard
def test_the_limits_of_tiles_are_those_of_agreements_or_that_there_is_anything_at_all(name):
    if name == "monitor.json":
        return  # nobody has promised how the monitor is
    for panel in MADE[name]["panels"]:
        if panel["type"] in ("stat", "gauge"):
            steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
            assert {one["value"] for one in steps} <= {None, 1, 0.0001, 0.9999}, panel["title"]


# -- read on a small screen, and where there is nothing to read


def inner_px(panel, screen_px):
    """The width of a panel on a screen: 24 columns with gaps of 8 px, between margins of 16 px."""
    column = (screen_px - 2 * 16 - 23 * 8) / 24
    return panel["gridPos"]["w"] * (column + 8) - 8


def columns_of(panel):
    """The properties of each column that is seen."""
    every = [
        {"title": one["matcher"]["options"], **{part["id"]: part["value"] for part in one["properties"]}}
        for one in panel["fieldConfig"]["overrides"]
    ]
    return [one for one in every if not one.get("custom.hidden")]


TABLES = {name: one for name, one in PANELS_OF_ALL.items() if one["type"] == "table"}
each_table = pytest.mark.parametrize("panel", TABLES.values(), ids=TABLES)


@each_table
def test_a_table_is_seen_whole_at_1280_px(panel):
    least = panel["fieldConfig"]["defaults"]["custom"]["minWidth"]
    needed = sum(one.get("custom.width", least) for one in columns_of(panel))
    assert needed <= inner_px(panel, 1280), f"{needed} px"


@each_table
def test_a_heading_is_not_cut_and_a_narrow_one_has_no_funnel(panel):
    sorted_by = {one["displayName"] for one in panel["options"]["sortBy"]}
    for one in columns_of(panel):
        width = one.get("custom.width", 10_000)
        assert 7.5 * len(one["title"]) + 16 + 20 * (one["title"] in sorted_by) <= width, one["title"]
        assert width >= 150 or not one.get("custom.filterable"), one["title"]


def test_a_column_that_is_too_narrow_for_its_heading_cannot_be_made():
    with pytest.raises(ValueError, match="'Speed of answer' needs"):
        table("T", "What.", [Query("1")], [Column("Speed of answer", value="A", width=90)], sort=[])


TILES = {name: one for name, one in PANELS_OF_ALL.items() if one["type"] == "stat"}


@pytest.mark.parametrize("panel", TILES.values(), ids=TILES)
def test_the_title_of_a_tile_is_read_whole_at_1280_px(panel):
    narrow = sum(letter in "fijlrtI1() " for letter in panel["title"])
    title_px = 4.2 * narrow + 7.8 * (len(panel["title"]) - narrow)
    assert title_px + 62 <= inner_px(panel, 1280), "beside it are the padding and the sign of the description"


@each_panel
def test_a_number_that_there_is_not_says_so_in_grey(panel):
    """In the colour of the lowest number its words would comfort, or alarm, for no reason."""
    if panel["type"] in ("stat", "gauge"):
        defaults, (target,) = panel["fieldConfig"]["defaults"], panel["targets"]
        stands_in = re.search(r"or on \(\) vector\((-\d+)\)$", target["expr"])
        shown = defaults["mappings"][0]["options"][stands_in[1]]
        assert (shown["text"], shown["color"]) == (defaults["noValue"], GREY)


@each_panel
def test_an_empty_panel_says_so_in_words_and_an_empty_cell_does_not(panel):
    assert len(panel["fieldConfig"]["defaults"]["noValue"].split()) > 1
    if panel["type"] == "table":
        assert {one.get("noValue") for one in columns_of(panel)} == {"–"}


# -- found from one another


@each_dashboard
def test_the_dashboards_are_one_drop_down_menu(name):
    assert [one["asDropdown"] for one in MADE[name]["links"]] == [True]


@each_dashboard
def test_a_tile_leads_to_a_list_that_exists(name):
    one = MADE[name]
    panels = {panel["id"]: panel for panel in one["panels"]}
    for panel in one["panels"]:
        for link in panel.get("fieldConfig", {}).get("defaults", {}).get("links", ()):
            if (number := re.search(r"viewPanel=(\d+)", link["url"])) is not None:
                assert link["url"].startswith(f"/d/{one['uid']}?")
                assert panels[int(number[1])]["title"] == link["title"] != panel["title"]


def test_the_headline_numbers_of_the_overview_lead_on():
    tiles = [panel for panel in MADE["overview.json"]["panels"] if panel["gridPos"]["y"] == 0]
    assert [panel["title"] for panel in tiles if not panel["fieldConfig"]["defaults"]["links"]] == []
    assert {"Objectives breached", "Next due in", "Due within 1 h", "Budget left"} <= {one["title"] for one in tiles}


def test_a_link_to_a_panel_that_is_not_there_cannot_be_made():
    tile = stat("Open", "What is open", Query("1"), to=to_list("Elsewhere"))
    with pytest.raises(ValueError, match="no panel 'Elsewhere'"):
        dashboard("x", "X", "", [], [Row(4, [(24, tile)])])


@each_dashboard
def test_rows_have_headings_and_time_has_marks(name):
    headings = [panel["gridPos"] for panel in MADE[name]["panels"] if panel["gridPos"]["h"] == HEADING_HEIGHT]
    assert len(headings) >= 3
    assert {one["w"] for one in headings} == {24}
    marks = MADE[name]["annotations"]["list"]
    assert [one["name"] for one in marks] == ["Breaches", "Maintenance", "Agreements", "Versions of the monitor"]
    assert [found for one in marks for found in complaints(one["expr"])] == []


# -- no false comfort


@each_dashboard
def test_who_chooses_a_customer_also_sees_what_is_not_split_by_customers(name):
    text = json.dumps([panel.get("targets") for panel in MADE[name]["panels"]])
    for attribute in ATTRIBUTES:
        chosen = re.findall(rf'=~\\"\${attribute}(\|?)\\"', text)
        assert set(chosen) <= {"|"}, f"what has no {attribute} would be hidden"


# -- what Prometheus makes of it

promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool (Debian package prometheus) is not installed"
)


def prometheus_agrees(story, folder: Path) -> None:
    path = folder / "story.yml"
    path.write_text(yaml.safe_dump({"tests": [story]}))
    done = subprocess.run(
        ["promtool", "test", "rules", str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@promtool
def test_silence_is_unusual_where_the_day_before_knew_none_so_long(tmp_path: Path):
    """Given an event every five minutes by day and none by night, and a third day that nothing comes of."""
    every_s, half = 300, 144  # five minutes, half a day of them
    newest, number, instants = [], [], range(5 * half + 24)
    for n in instants:
        by_day = n // half in (0, 2)
        newest.append(n * every_s if by_day or not newest else newest[-1])
        number.append((number[-1] if number else 0) + by_day)
    (target,) = silence("call")["targets"]
    source = '{topic="calls", partition="0"'
    story = {
        "interval": f"{every_s}s",
        "input_series": [
            {"series": own.MONITOR_TIME.name, "values": f"0+{every_s}x{len(instants)}"},
            {"series": f"{own.EVENTS.name}{source}}}", "values": " ".join(map(str, number))},
            {"series": f'{own.LAST_EVENT.name}{source}, kind="call"}}', "values": " ".join(map(str, newest))},
        ],
        "promql_expr_test": [
            {
                "expr": target["expr"],
                "eval_time": f"{hours}h",
                "exp_samples": [{"labels": f'{{silence="{word}"}}', "value": age_s}],
            }
            for hours, word, age_s in (
                (6, "usual", 0),
                (18, "too early to tell", 6 * 3_600 + every_s),
                (42, "usual", 6 * 3_600 + every_s),
                (61, "unusual", 25 * 3_600 + every_s),
            )
        ],
    }
    prometheus_agrees(story, tmp_path)


# -- a period beside the one before


@pytest.mark.parametrize(
    ("window", "back"),
    [("30m", "1d"), ("24h", "1d"), ("day", "1d"), ("week", "1w"), ("7d", "1w"), ("month", "30d"), ("30d", "30d"),
     ("quarter", "13w"), ("year", "52w")],
)  # fmt: skip
def test_a_window_is_compared_with_the_one_of_its_own_length_before(window, back):
    assert [one.offset for one in PERIODS if re.fullmatch(one.windows.pattern, window)] == [back]


@promtool
def test_prometheus_finds_the_period_before(tmp_path: Path):
    """Given a share of 1 on the first day and 2 on the second, and a month's of 3, 4, …: one day and 30 days before."""
    labels = 'agreement="desk", objective="in-time", kind="ticket", priority="P1"'
    query = as_before(Scope().a_period_before(m.OBJECTIVE_VALUE, "objective, series, window"))
    named = f'objective="in-time", series="P1{BEFORE}"'
    story = {
        "interval": "1d",
        "input_series": [
            {"series": f'{m.OBJECTIVE_VALUE.name}{{{labels}, window="{window}"}}', "values": f"{first}+1x40"}
            for window, first in (("24h", 1), ("month", 103))
        ],
        "promql_expr_test": [
            {
                "expr": query,
                "eval_time": f"{day}d",
                "exp_samples": [
                    {"labels": f'{{{named}, window="{window}"}}', "value": value} for window, value in expected.items()
                ],
            }
            for day, expected in ((0, {}), (1, {"24h": 1}), (31, {"24h": 31, "month": 104}))
        ],
    }
    prometheus_agrees(story, tmp_path)


def test_what_was_a_period_before_is_grey_and_not_in_the_legend():
    compared = [one for one in PANELS_OF_ALL.values() if any(BEFORE in target["expr"] for target in one["targets"])]
    assert len(compared) >= 5
    for panel in compared:
        (faint,) = [
            {part["id"]: part["value"] for part in one["properties"]}
            for one in panel["fieldConfig"]["overrides"]
            if one["matcher"] == {"id": "byRegexp", "options": f"/{BEFORE}$/"}
        ]
        assert faint["color"]["fixedColor"] == GREY
        assert faint["custom.hideFrom"]["legend"]


@each_panel
def test_a_timeline_has_pages_of_rows_that_can_be_read(panel):
    if panel["type"] == "state-timeline":
        legend_and_axis_px = 32 + 2 * 8 + 30 + 30
        each_px = (panel["gridPos"]["h"] * 38 - 8 - legend_and_axis_px) / panel["options"]["perPage"]
        assert each_px >= 16
