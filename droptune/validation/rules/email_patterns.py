"""How e-mail addresses look, and which of them are no person's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from droptune.validation.rules.found import Found

_LONGEST_LOCAL = 64
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_AT = re.compile(rf"@(?P<host>(?:{_LABEL}\.){{1,5}}[A-Za-z]{{2,18}})(?![\w@(:/-])")
_LOCAL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._%+-"
_ENDINGS = """
js ts py rb md so css html json xml yaml yml toml txt png jpg jpeg gif svg pdf exe dll jar class
java lock log conf cfg ini sock service socket target mount timer device local lan localdomain
localhost internal example test invalid home corp intranet array map get set length self value
"""
_NOT_HOSTS = frozenset(_ENDINGS.split())
_ROLES = """
no-?reply|do-?not-?reply|info|support|sales|admin|administrator|contact|hello|office|help|helpdesk
|service|services|postmaster|webmaster|hostmaster|ftpmaster|listmaster|abuse|root|security|team|billing|press|media|jobs
|careers|hr|legal|privacy|feedback|newsletter|marketing|git|svn|hg|cvs|anon\\w{0,8}|ftp|www|mail
|email|e-mail|bugs?|bugzilla|lists?|announce|discuss|maint(?:ainers?)?|packages|request|owner
|linux|i18n|l10n|subscribe|unsubscribe|submit|devs?|devel|core|mailer-daemon|daemon|bot|notifications?
|user|users|username|you|your|yourname|yourself|me|myself|name|someone|somebody|anyone|nobody
|recipient|sender|customer|client|guest|tests?|tester|testing|demo|sample|example|foo|bar|baz|x+|abc
|(?:john|jane|joe)[._]?(?:doe|smith|public)|j(?:doe|smith)|alice|bob
"""
_NOT_PEOPLE = re.compile(rf"(?i)(?:^|[._+-])(?:{''.join(_ROLES.split())})(?:$|[._+-]|[0-9]+$)")
_STAND_INS = """
example\\d?|domain|yourdomain|mydomain|somedomain|otherdomain|your-?company|my-?company|company|email
|mail|test|testing|sample|acme|contoso|fabrikam|foo|bar|baz|foobar|host|hostname|yourhost|myhost
|server|somewhere|anywhere|nowhere|site|yoursite|mysite|website|lists?|groups|xyz|abc|xxx
|users\\.noreply\\.github|bugs\\.debian|placeholder|fake|dummy|client|corp|organization|org|my|any
|some|provider|address
"""
_SIGNED = (
    "copyright", "(c)", "©", "written by", "maintain", "contributed", "signed-off", "reported",
    "spdx",
)  # fmt: skip
_AUTHOR = re.compile(r"\bauthors?\b")
_NOT_REAL = re.compile(rf"(?:^|[.-])(?:{''.join(_STAND_INS.split())})\.[a-z.]+$")


def find_addresses(text: str) -> Iterator[Found]:
    """Yield e-mail addresses of people; roles, lists, stand-ins and signatures are not."""
    for at in _hosts(text):
        local = _local_before(text, at.start())
        start, host = at.start() - len(local), at["host"]
        if local and _is_person(local, host.lower()) and not _is_published(text, start):
            shown = f"{local[0]}…@….{host.rsplit('.', 1)[1]}"
            yield Found(start, at.end(), "an e-mail address", shown)


def _hosts(text: str) -> Iterator[re.Match[str]]:
    """Yield each @ with a host behind it."""
    at = text.find("@")
    while at >= 0:
        found = _AT.match(text, at)
        if found:
            yield found
        at = text.find("@", found.end() if found else at + 1)


def _local_before(text: str, at: int) -> str:
    """Return what stands before an @ and may be a part of its address."""
    before = text[max(0, at - _LONGEST_LOCAL) : at]
    return before[len(before.rstrip(_LOCAL)) :].strip(".")


def _is_person(local: str, host: str) -> bool:
    if host.rsplit(".", 1)[1] in _NOT_HOSTS or _NOT_REAL.search(host):
        return False
    is_id = len(local) > 24 and any(map(str.isdigit, local))
    return any(map(str.isalpha, local)) and not is_id and not _NOT_PEOPLE.search(local)


def _is_published(text: str, start: int) -> bool:
    """Whether an address is part of another, of a server or a path, or signs a published work."""
    before = text[max(0, start - 80) : start]
    if before.endswith(("@", "/")) or (before.endswith(":") and "://" in before):
        return True
    said = before.lower()
    return any(sign in said for sign in _SIGNED) or _AUTHOR.search(said) is not None
