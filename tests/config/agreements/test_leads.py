"""The section ``leads`` of agreement files: what is wrong in it is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.agreements.checking import check_agreements
from monitor.config.reading.quantities import cents, money, score, weight

PROMISE = Path(__file__).parents[3] / "deploy" / "promises" / "leads.yaml"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("    windows: [day, week, month, quarter, year]", "    by: team\n    windows: month", "a goal is one for all"),
        ("close_rate: 5 %", "close_rate: 0 %", "is 0 %: no number of leads would do"),
        ("average_deal: 800", "average_deal: 0", "is no amount above 0: 0"),
        ("of: goal, indicator: pace", "of: sales, indicator: pace", "pace needs goal (add goal to sales)"),
        ("of: sales, indicator: follow_up", "of: goal, indicator: follow_up", "follow_up needs follow_up"),
        ("{within: 2h, calendar: office}", "{within: 2h, calendar: ofice}", "no calendar 'ofice'"),
        ("weights: {source: {fair: 2}}", "weights: {source: {fair: heavy}}", "is no weight: 'heavy'"),
    ],
)  # fmt: skip
def test_a_mistake_is_told(tmp_path: Path, before: str, after: str, told: str):
    text = PROMISE.read_text(encoding="utf-8")
    assert text.count(before) == 1
    (tmp_path / "leads.yaml").write_text(text.replace(before, after), encoding="utf-8")

    assert any(told in str(one) for one in check_agreements([tmp_path]).mistakes)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("    activity: 2", "    goal: {sales: {month: 1}, marketing_share: 1 %, average_deal: 1, close_rate: 1 %} #",
         "stand beside a goal for all"),
        ("by: [campaign]", "by: []", "name values, but the figures are not split"),
        ("by: [campaign]", "by: [campaign]\n    where: {campaign: spring}", "is a campaign that where leaves out"),
        ("calendar: office}", "calendar: ofice}", "no calendar 'ofice'"),
    ],
)  # fmt: skip
def test_a_mistake_in_goals_by_campaign_is_told(tmp_path: Path, before: str, after: str, told: str):
    text = PROMISE.with_name("campaigns.yaml").read_text(encoding="utf-8")
    assert text.count(before) == 1
    (tmp_path / "campaigns.yaml").write_text(text.replace(before, after), encoding="utf-8")

    assert any(told in str(one) for one in check_agreements([tmp_path]).mistakes)


def test_amounts_are_cents_and_weights_thousandths():
    assert [cents(one) for one in (48000, "799.50", 0.07)] == [4_800_000, 79_950, 7]
    assert [weight(one) for one in (2, "1.5", 0.25)] == [2_000, 1_500, 250]
    assert score("80") == 80
    for parse, wrong in ((money, "12 €"), (cents, True), (cents, 0), (weight, "1000"), (weight, None), (score, "good")):
        with pytest.raises(Exception, match="is no"):
            parse(wrong)
