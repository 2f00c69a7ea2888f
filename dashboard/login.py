"""The login page and the 404 page: plain HTML that needs neither session nor script."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

from starlette.requests import Request

from dashboard.words import COOKIE, LANGUAGES, Words, choose_language

_FRAME = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} – Forerun</title>
<link rel="icon" href="/assets/login/logo.svg">
<link rel="stylesheet" href="/assets/login/tokens.css">
<link rel="stylesheet" href="/assets/login/login.css">
<script src="/assets/login/first.js"></script>
</head>
<body class="plain">
<main>
<div class="brand"><span class="logo" aria-hidden="true"></span><b>Forerun</b></div>
{content}
</main>
</body>
</html>
"""

_FORM = """<form method="post" action="{action}">
<h1>{title}</h1>
{error}
<label>{name}<input name="name" value="{value}" autocomplete="username" autocapitalize="none"
 required autofocus></label>
<label>{password}<input name="password" type="password" autocomplete="current-password" required></label>
<button type="submit">{submit}</button>
</form>
<nav class="languages">{languages}</nav>"""


def _frame(say: Words, title: str, content: str) -> str:
    return _FRAME.format(language=say.language, title=escape(title), content=content)


def page(language: str, *, error: str = "", name: str = "", next_path: str = "/") -> str:
    """Return the login page. Its form posts `name` and `password` to ``/login?next=PATH``.

    Parameters
    ----------
    language
        ``"en"`` or ``"zh"``; see `dashboard.words.choose_language`.
    error
        Shown above the fields, such as `wrong_credentials`.
    name
        What was typed before.
    next_path
        Where to go then; anything but a path of this site becomes ``/``.
    """
    say = Words(language)
    going_to = local_path(next_path)
    languages = " ".join(_language(code, shown, going_to, say) for code, shown in LANGUAGES.items())
    form = _FORM.format(
        title=escape(say("Log in")),
        error=f'<p class="error" role="alert">{escape(error)}</p>' if error else "",
        action=escape("/login?" + urlencode({"next": going_to})),
        name=escape(say("Name")),
        value=escape(name),
        password=escape(say("Password")),
        submit=escape(say("Log in")),
        languages=languages,
    )
    return _frame(say, say("Log in"), form)


def _language(code: str, shown: str, going_to: str, say: Words) -> str:
    chosen = ' class="chosen" aria-current="true"' if code == say.language else ""
    href = escape("/login?" + urlencode({"language": code, "next": going_to}))
    return f'<a href="{href}" lang="{code}" data-language="{code}"{chosen}>{escape(shown)}</a>'


def local_path(path: str) -> str:
    """Return `path` if it is one of this site's own, else ``/``: a login never leads to another site."""
    plain = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if plain else "/"


def wrong_credentials(language: str) -> str:
    """Say that name and password do not fit, without telling which."""
    say = Words(language)
    return say("Name and password do not match.")


def too_many_attempts(language: str, seconds: float) -> str:
    """Say how long to wait."""
    say = Words(language)
    return say("Too many attempts. Try again in {time}.", time=say.duration(max(seconds, 60)))


def not_found(language: str) -> str:
    """Return the page for an address that leads nowhere."""
    say = Words(language)
    title, text, link = say("Not found"), say("There is no page at this address."), say("To the floor")
    content = f'<h1>{escape(title)}</h1><p>{escape(text)}</p><a class="button" href="/">{escape(link)}</a>'
    return _frame(say, title, content)


def language_of(request: Request) -> str:
    """Return the language to speak to this browser: what was chosen on the page, before, or in the browser."""
    chosen = request.query_params.get("language") or request.cookies.get(COOKIE)
    return choose_language(chosen, request.headers.get("accept-language"))
