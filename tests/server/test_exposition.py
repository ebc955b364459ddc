"""The page of figures, read by Prometheus's own parser."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from camkeep.server.exposition import Exposition


def test_all_kinds() -> None:
    page = Exposition()
    page.family("camkeep_camera_up", "gauge", "1 where\npictures come: \\o/")
    page.add(1, camera="garage", name='the "old"\none \\')
    page.add(None, camera="nobody")
    page.one("camkeep_frames_total", "counter", "Frames.", 2**60)
    page.one("camkeep_nothing", "gauge", "Not known.", None)
    page.family("camkeep_lag_seconds", "histogram", "Pauses.")
    page.histogram((0.1, 0.5), (3, 1, 2), 4.25)
    up, frames, lag = text_string_to_metric_families(page.text())
    assert (up.name, up.type) == ("camkeep_camera_up", "gauge")
    assert up.documentation == "1 where\npictures come: \\o/"
    assert up.samples[0].labels == {"camera": "garage", "name": 'the "old"\none \\'}
    assert len(up.samples) == 1
    assert (frames.name, frames.type, frames.samples[0].value) == (
        "camkeep_frames",
        "counter",
        2**60,
    )
    assert lag.type == "histogram"
    assert {(s.name, s.labels.get("le")): s.value for s in lag.samples} == {
        ("camkeep_lag_seconds_bucket", "0.1"): 3,
        ("camkeep_lag_seconds_bucket", "0.5"): 4,
        ("camkeep_lag_seconds_bucket", "+Inf"): 6,
        ("camkeep_lag_seconds_sum", None): 4.25,
        ("camkeep_lag_seconds_count", None): 6,
    }


def test_mistakes_of_ours() -> None:
    page = Exposition()
    page.family("a", "gauge", "A.")
    with pytest.raises(ValueError, match="already"):
        page.family("a", "gauge", "A.")
    with pytest.raises(ValueError, match="_total"):
        page.family("b", "counter", "B.")


@given(st.text(), st.floats())
def test_any_label_and_any_figure(label: str, value: float) -> None:
    page = Exposition()
    page.family("x", "gauge", label)
    page.add(value, label=label)
    (family,) = text_string_to_metric_families(page.text())
    (sample,) = family.samples
    assert sample.labels == {"label": label.encode(errors="replace").decode()}
    assert sample.value == value or (math.isnan(value) and math.isnan(sample.value))
