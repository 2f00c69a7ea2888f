"""Only what differs from what the browser shows is sent."""

from __future__ import annotations

from dash import html

from dashboard.changes import changed, digests, update


def test_only_parts_that_differ_are_sent() -> None:
    before = digests({("job", "M01"): {"children": [html.B("1")]}, ("job", "M02"): {"children": [html.B("2")]}})
    now = {("job", "M01"): {"children": [html.B("1")]}, ("job", "M02"): {"children": [html.B("3")]}}
    assert list(changed(now, {"count": 4, "parts": before})) == [("job", "M02")]


def test_an_update_says_on_what_it_stands() -> None:
    parts = {("job", "M01"): {"children": "2"}, ("job", "M02"): {"children": "2"}}
    seen = {"count": 4, "parts": digests({("job", "M01"): {"children": "1"}, ("job", "M02"): {"children": "2"}})}
    assert update(parts, seen) == {
        "on": 4,
        "changes": [[{"part": "job", "of": "M01"}, {"children": "2"}]],
        "parts": digests(parts),
    }


def test_a_browser_that_has_seen_nothing_is_sent_everything() -> None:
    parts = {("job", "M01"): {"children": None}, ("state", "M01"): {"className": "card"}}
    assert changed(parts, None) == parts


def test_digests_do_not_depend_on_the_order_of_properties() -> None:
    one = {("card", "M|01"): {"className": "card", "title": "x"}}
    other = {("card", "M|01"): {"title": "x", "className": "card"}}
    assert digests(one) == digests(other)
