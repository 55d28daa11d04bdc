"""Every setting, read from the environment; docs/reference/settings.md lists them from here."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from billclock import clock

T = TypeVar("T")


class SettingError(ValueError):
    """A variable of the environment holds what its setting cannot be."""

    def __init__(self, name: str, value: str, expected: str) -> None:
        super().__init__(f"{name}={value!r} is not {expected}: change or unset {name}")


@dataclass(frozen=True)
class Described:
    """One setting as the reference documentation shows it."""

    name: str
    default: str
    meaning: str


DESCRIBED: list[Described] = []
GIVEN: set[str] = set()
"""Names, without BILLCLOCK_, of the settings that the environment gives."""


def _read(name: str, default: T, meaning: str, convert: Callable[[str], T], expected: str) -> T:
    short, name = name, f"BILLCLOCK_{name}"
    DESCRIBED.append(Described(name, "" if default in (None, []) else str(default), meaning))
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    GIVEN.add(short)
    try:
        return convert(value)
    except (ValueError, KeyError):
        raise SettingError(name, value, expected) from None


def env_str(name: str, default: str, meaning: str) -> str:
    """Read text."""
    return _read(name, default, meaning, str, "text")


def env_int(name: str, default: int, meaning: str, most: int | None = None) -> int:
    """Read a whole number, 0 or more, and not above `most` where there is one."""

    def convert(text: str) -> int:
        number = int(text)
        if number < 0 or (most is not None and number > most):
            raise ValueError(text)
        return number

    expected = "a whole number, 0 or more" if most is None else f"a whole number from 0 to {most}"
    return _read(name, default, meaning, convert, expected)


def env_bool(name: str, default: bool, meaning: str) -> bool:
    """Read yes or no (also on, off, true, false, 1, 0)."""
    words = {"yes": True, "on": True, "true": True, "1": True}
    words |= {"no": False, "off": False, "false": False, "0": False}
    return _read(name, default, meaning, lambda text: words[text.lower()], "yes or no")


def env_path(name: str, default: Path, meaning: str) -> Path:
    """Read a path, made absolute."""
    return _read(name, default, meaning, lambda text: Path(text).expanduser().absolute(), "a path")


def env_networks(name: str, meaning: str) -> list[IPv4Network | IPv6Network]:
    """Read addresses and networks with commas between."""

    def convert(text: str) -> list[IPv4Network | IPv6Network]:
        return [ip_network(word.strip()) for word in text.split(",") if word.strip()]

    expected = "addresses or networks with commas, such as 127.0.0.1,10.0.0.0/8"
    return _read(name, [], meaning, convert, expected)


def env_secret(name: str, meaning: str) -> str:
    """Read a secret from NAME, or from the file that NAME_FILE names."""
    place = os.environ.get(f"BILLCLOCK_{name}_FILE", "")
    if place:
        os.environ.setdefault(f"BILLCLOCK_{name}", Path(place).read_text(encoding="utf-8").strip())
    return _read(name, "", f"{meaning} (or BILLCLOCK_{name}_FILE: a file that holds it)", str, "")


ROOT = Path(__file__).resolve().parent.parent

# places
HOME = env_path("HOME", ROOT / "var", "folder of everything Billclock keeps")
SPOOL = env_path("SPOOL", HOME / "spool", "folder of the users' crontabs")
SYSTEM_TABLES = env_path("SYSTEM_TABLES", Path("/etc"), "folder of crontab and cron.d, run on a "
                         "take-over of the system's spool")  # fmt: skip
DATA = HOME / "data"
DATABASE = env_str("DATABASE", "", "postgresql://[user[:password]@]host/name for users, books and "
                   "letters; empty: an SQLite file in the folder")  # fmt: skip
RUN_OUTPUTS = HOME / "runs"
CONTROL_SOCKET = HOME / "daemon.sock"
FORK_SERVER_SOCKET = HOME / "warm.sock"

# the daemon
RUNS = env_bool("RUNS", True, "whether Billclock runs the jobs; no: another cron does")
SERVE_LATE = env_int("SERVE_LATE", 300, "seconds for which a moment is still started, late")
PARALLEL = env_int("PARALLEL", 0, "most jobs at once; 0: no limit")
KEEP_DAYS = env_int("KEEP_DAYS", 30, "days for which runs are kept")
KEEP_RUNS = env_int("KEEP_RUNS", 200, "runs kept for one entry beyond which the oldest go")
KEEP_MIB = env_int("KEEP_MIB", 2048, "MiB of output kept in all")
KEEP_READINGS = env_int(
    "KEEP_READINGS", 400, "days for which readings of use are kept; what is open keeps its own"
)
OPERATION_TRIES = env_int("OPERATION_TRIES", 10, "tries of a processing module's operation before "
                          "it becomes a task for people")  # fmt: skip
USAGE_TIMEOUT = env_int("USAGE_TIMEOUT", 60, "seconds a processing module has to say what its "
                        "services use, for each 200 of them")  # fmt: skip
USAGE_SECONDS = env_int("USAGE_SECONDS", 900, "seconds for which billdaily asks one processing "
                        "module for use; the rest is asked by the next run")  # fmt: skip
BILLING_WORKERS = env_int("BILLING_WORKERS", 0, "processes that bill a date side by side; more "
                          "than 1 on PostgreSQL only; 0: 2 there where there are two processors, "
                          "else 1")  # fmt: skip
HEARTBEAT_URL = env_str("HEARTBEAT_URL", "", "address fetched once a minute while all is well")
WEBHOOK_SECRET = env_secret("WEBHOOK_SECRET", "secret that signs webhooks, base64 behind whsec_ or "
                            "as it stands; empty: they are not signed")  # fmt: skip
# Our own commands, which the fork server runs without starting an interpreter for each; and the
# paths at which a panel's crontab calls them, which need not exist.
WARM_COMMANDS = {
    "billmaintain": "billclock.commands.billmaintain:main",
    "mgrctl": "billclock.commands.mgrctl:main",
    "ntsms": "billclock.commands.ntsms:main",
}
WARM_PATHS = {
    "/usr/local/mgr5/sbin/billmaintain": "billmaintain",
    "/usr/local/mgr5/sbin/mgrctl": "mgrctl",
    "/usr/local/mgr5/notify/ntsms": "ntsms",
}
WARM_PACKAGES = ("billclock.commands", "billclock.jobs", "billclock.api.functions")  # loaded too
INTERNAL_COMMAND = "billclock.commands.billclock:main"

# the web
BIND = env_str("BIND", "127.0.0.1", "address the web server listens on")
PORT = env_int("PORT", 8000, "port the web server listens on")
PUBLIC_URL = env_str("PUBLIC_URL", f"http://localhost:{PORT}", "address users see in links")
TRUSTED_PROXIES = env_networks("TRUSTED_PROXIES", "reverse proxies whose X-Forwarded-For says who "
                               "asks: addresses or networks, with commas")  # fmt: skip
WEB_USER = env_str("WEB_USER", "", "system user the web process runs as; edits go by the daemon")
METRICS_KEY = env_secret("METRICS_KEY", "key that opens /metrics to other machines")
DEBUG = env_bool("DEBUG", False, "show tracebacks in the browser; never where others can reach it")
LOG_JSON = env_bool("LOG_JSON", False, "write the log as JSON lines")

# mail
SMTP = env_str("SMTP", "", "smtp://[user:password@]host[:port] (smtps:// for TLS, "
               "smtp+starttls:// for STARTTLS); empty: reports wait")  # fmt: skip
MAIL_FROM = env_str("MAIL_FROM", "", "sender of reports; empty: root at the host's name")
MAIL_A_NIGHT = env_int("MAIL_A_NIGHT", 24, "most report mails from one table in 24 hours")
SAME_FAILURE = env_int("SAME_FAILURE", 60, "minutes in which a failure like one that was mailed is "
                       "not mailed again")  # fmt: skip
DIGEST_HOUR = env_int("DIGEST_HOUR", 7, "hour of the server's clock at which the reports that the "
                      "night's limit withheld are sent as one mail", most=23)  # fmt: skip


def _allowed_hosts(given: str) -> list[str]:
    hosts = [host.strip() for host in given.split(",") if host.strip()]
    return hosts or [
        urlsplit(PUBLIC_URL).hostname or "localhost",
        "localhost",
        "127.0.0.1",
        "[::1]",
    ]


ALLOWED_HOSTS = _allowed_hosts(
    env_str("ALLOWED_HOSTS", "", "host names the web answers to, with commas; empty: loopback's")
)


def _secret_key() -> str:
    """Read the signing key, made on the first start and kept beside the databases."""
    given = env_secret("SECRET_KEY", "key that signs sessions; empty: made and kept in the folder")
    if given:
        return given
    place = HOME / "secret_key"
    try:
        return place.read_text(encoding="ascii")
    except FileNotFoundError:
        return "not yet made: billclock prepare makes it"


SECRET_KEY = _secret_key()

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
USE_TZ = True
TIME_ZONE = clock.server_zone().key  # Django puts it into TZ, which must go on being the server's
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ru", "Русский")]
ROOT_URLCONF = "billclock.urls"
ASGI_APPLICATION = "billclock.asgi.application"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "billclock.accounts",
    "billclock.outbox",
    "billclock.scheduler",
    "billclock.billing",
    "billclock.api",
    "billclock.web",
    "allauth",
    "allauth.account",
    "allauth.mfa",
]

MIDDLEWARE = [
    "billclock.web.proxies.real_client",
    "billclock.web.policy.content_security_policy",
    "django.middleware.security.SecurityMiddleware",
    "billclock.web.files.Files",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "billclock.accounts.presence.presence",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "billclock.web.frame.frame",
            ],
            "builtins": ["billclock.web.templatetags.screen"],
        },
    },
]

# signing in: a failed attempt counts against the address and against the user
HTTPS = PUBLIC_URL.startswith("https://")
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
_VALIDATORS = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {
        "NAME": f"{_VALIDATORS}.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email"]},
    },
    {"NAME": f"{_VALIDATORS}.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": f"{_VALIDATORS}.CommonPasswordValidator"},
    {"NAME": f"{_VALIDATORS}.NumericPasswordValidator"},
]
ACCOUNT_ADAPTER = "billclock.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/300s/key",
    "reset_password": "10/m/ip,3/h/key",
    "change_password": "5/m/user",
}
ACCOUNT_REAUTHENTICATION_TIMEOUT = 0  # accounts.freshness decides
ACCOUNT_FORMS = {"login": "billclock.accounts.entering.SignInForm"}
MFA_FORMS = {
    "authenticate": "billclock.accounts.entering.SecondStepForm",
    "login_webauthn": "billclock.accounts.entering.PasskeyForm",
}
MFA_ADAPTER = "billclock.accounts.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses are given by root users, not claimed
SESSION_ENGINE = "billclock.accounts.sessions"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/dashboard"
LOGOUT_REDIRECT_URL = LOGIN_URL
# allauth counts in the cache; a table is shared by every process and asks for no server
CACHES = {
    "default": {
        "BACKEND": "billclock.accounts.counting.Counting",
        "LOCATION": "accounts_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},  # fewer, and a flood would wash away what counts
    }
}

# cookies; a browser keeps those named __Host- to this very host
SESSION_COOKIE_NAME = "__Host-billclock" if HTTPS else "billclock"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_NAME = "__Host-billclock-csrf" if HTTPS else "billclock-csrf"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if HTTPS else []
LANGUAGE_COOKIE_NAME = "billclock-language"
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"


def _fingerprint(folder: Path) -> str:
    """Hash what the browser gets, so that new files have new addresses and may be kept for ever."""
    digest = blake2b(digest_size=6)
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


# Static files are served from where they lie: no build step, and no address of another host.
STATIC_URL = f"/static/{_fingerprint(ROOT / 'billclock' / 'web' / 'static')}/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_IMMUTABLE_FILE_TEST = "."
WHITENOISE_ALLOW_ALL_ORIGINS = False
LOCALE_PATHS = [ROOT / "billclock" / "locale"]
FORMAT_MODULE_PATH = "billclock.web.formats"


def _postgresql(address: str) -> dict[str, Any]:
    """Describe the database of a postgresql:// address; its pool serves every thread."""
    parts = urlsplit(address)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise SettingError(
            "BILLCLOCK_DATABASE", address, "postgresql://[user[:password]@]host/name"
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": {"pool": {"min_size": 0, "max_size": 8}},
    }


def _sqlite(file: str, synchronous: str) -> dict[str, Any]:
    """Describe one SQLite file; IMMEDIATE because DEFERRED loses transactions under contention."""
    pragmas = f"PRAGMA journal_mode=WAL;PRAGMA synchronous={synchronous};PRAGMA foreign_keys=ON;"
    pragmas += "PRAGMA temp_store=MEMORY;"
    return {
        "ENGINE": "billclock.sqlite",
        "NAME": DATA / file,
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": pragmas},
    }


# Runs have a file of their own so that a long billing transaction never delays a start. It is
# synced in full: a claim that a power cut could lose would be a second start.
DATABASES = {
    "default": _postgresql(DATABASE) if DATABASE else _sqlite("billclock.sqlite3", "NORMAL"),
    "scheduler": _sqlite("scheduler.sqlite3", "FULL"),
}
DATABASE_ROUTERS = ["billclock.scheduler.router.Router"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "people": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
        "json": {"()": "billclock.logs.JsonLines"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "json" if LOG_JSON else "people",
        }
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"billclock": {"level": "INFO"}},
}
