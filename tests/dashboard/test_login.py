"""The pages for those who are not logged in: nothing typed gets into the markup, no way leads to another site."""

from __future__ import annotations

import pytest

from dashboard import login


@pytest.mark.parametrize(
    ("path", "goes_to"),
    [
        ("/plan?plan=plan-1", "/plan?plan=plan-1"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/\nevil", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_login_leads_to_this_site_only(path: str, goes_to: str) -> None:
    assert login.local_path(path) == goes_to


def test_what_was_typed_is_text() -> None:
    evil = '"><script>alert(1)</script>'
    html = login.page("en", error=evil, name=evil, next_path=f"/{evil}")
    assert "<script>alert" not in html
    assert html.count("&lt;script&gt;") == 2


def test_the_form_keeps_where_to_go() -> None:
    html = login.page("en", next_path="/plan?plan=plan-1&x=1")
    assert 'action="/login?next=%2Fplan%3Fplan%3Dplan-1%26x%3D1"' in html


def test_both_languages() -> None:
    assert "Name and password do not match." in login.page("en", error=login.wrong_credentials("en"))
    chinese = login.page("zh", error=login.wrong_credentials("zh"))
    assert '<html lang="zh">' in chinese
    assert "用户名与密码不匹配。" in chinese
    assert login.too_many_attempts("en", 300) == "Too many attempts. Try again in 5 min."
    assert "未找到" in login.not_found("zh")
