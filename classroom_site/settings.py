"""All settings of Lectern, read from the environment; with no environment at all it runs a laptop's classroom.

`docs/settings.md` lists every variable; a test holds the two together.
"""

import logging
import os
import secrets
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from csp.constants import NONCE
from django.core.exceptions import ImproperlyConfigured

from classroom_site import kept, lan

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DEBUG = env.bool("DEBUG", default=False)
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "data"))).resolve()
try:
    DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
except OSError as error:
    raise ImproperlyConfigured(f"DATA_DIR={DATA_DIR} cannot be made: {error.strerror}.") from error
if not os.access(DATA_DIR, os.W_OK | os.X_OK):
    raise ImproperlyConfigured(f"DATA_DIR={DATA_DIR} cannot be written to.")

SECRET_KEY = env.str("SECRET_KEY", default="") or kept.secret(
    DATA_DIR / "secret_key", partial(secrets.token_urlsafe, 48)
)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# After a restore: tickets from before name lessons and seats that the database may since have given to others.
TICKETS_SINCE_FILE = DATA_DIR / "tickets_since"  # written by `manage.py new_epoch`
TICKETS_SINCE = kept.moment(TICKETS_SINCE_FILE)  # s since 1970

# --- who may ask -------------------------------------------------------------------------------------------------
# Hosts are names; origins carry scheme and port ("https://lectern.school.example"). A page's own origin is always
# admitted.
HOST = env.str("HOST", default="") or "127.0.0.1"  # what `make run` binds to; 0.0.0.0 serves the room
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=lan.hosts(HOST))
CSRF_TRUSTED_ORIGINS = env.list("TRUSTED_ORIGINS", default=[])
HTTPS = env.bool("HTTPS", default=False)  # True behind a proxy that ends TLS and sets X-Forwarded-Proto
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 14 * 24 * 3600  # a guest's seat outlives the lesson by at least a week (protocol.md section 2)
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"  # addresses carry join codes
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin" if HTTPS else None  # browsers ignore it on http, and complain

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "channels",
    "csp",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "django_tasks",
    "django_tasks_db",
    "whiteboard",
    "classrooms",
    "classroom_site",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "classroom_site.urls"
ASGI_APPLICATION = "classroom_site.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    },
]

# --- what is kept ------------------------------------------------------------------------------------------------
if env.str("DATABASE_URL", default=""):
    _database = env.db("DATABASE_URL")
else:  # SQLite gives its journals the mode of the database
    _file = kept.private(DATA_DIR / "lectern.sqlite3")
    _database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(_file)}
DATABASES: dict[str, dict[str, Any]] = {"default": _database}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL lets readers and the one writer pass each other; IMMEDIATE takes the write lock at BEGIN, so a transaction
    # never fails half-way for it; FULL keeps a committed event through a power cut, and group commit pays for it.
    _synchronous = env.str("SQLITE_SYNCHRONOUS", default="FULL")
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 5,
        "init_command": f"PRAGMA journal_mode=WAL; PRAGMA synchronous={_synchronous}; PRAGMA foreign_keys=ON;",
    }
else:
    # Nobody waits longer than 5 s, for a connection or for a lock: the log answers try_again, and goes on.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True  # a restarted server's old connections are not handed out
    DATABASES["default"]["OPTIONS"] = {
        "pool": {"min_size": 2, "max_size": env.int("DATABASE_POOL", default=12), "timeout": 5},
        "options": "-c lock_timeout=5s",
        "application_name": "lectern",  # in pg_stat_activity
        # A server that is gone without a word is noticed within 20 s, by whoever waits for it and by whoever is idle.
        "connect_timeout": 5, "tcp_user_timeout": 20_000,
        "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2,
        **_database.get("OPTIONS", {}),  # what the address says behind its `?`, such as sslmode
    }  # fmt: skip
LOG_WRITERS = env.int("LOG_WRITERS", default=2)  # threads of a process that commit to PostgreSQL
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "/media/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(DATA_DIR / "static")))
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "classroom_site.storage.StaticStorage"},
}

# --- between processes -------------------------------------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", default="")
# A Redis that hangs holds up what is published to it for 2 s at a time, never for good.
_PATIENCE = {"socket_timeout": 2, "socket_connect_timeout": 2}
CHANNEL_LAYERS: dict[str, dict[str, object]] = {  # a layer for each server: classrooms/shards.py deals the lessons out
    f"redis-{number}" if number else "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": address} | _PATIENCE]},
    }
    for number, address in enumerate(REDIS_URL.replace(",", " ").split())
} or {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# --- accounts, API, pages ----------------------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/teach/"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_ADAPTER = "classrooms.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # nothing here needs mail
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
# A school is one address: wrong passwords are counted, by access.py, and right ones never.
ACCOUNT_RATE_LIMITS = {"login": None}
MFA_ADAPTER = "classrooms.accounts.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Lectern"
MFA_TOTP_TOLERANCE = 1  # the clock of a phone may be half a minute off

# The school's own sign-in. Who comes with the verified e-mail address of an account is signed in to it; OIDC_NEW says
# who else gets one, an instructor's: "" nobody, "*" everybody, "groups=teachers" whoever has that claim.
OIDC_SERVER = env.str("OIDC_SERVER", default="")
OIDC_NEW = env.str("OIDC_NEW", default="")
SOCIALACCOUNT_ADAPTER = "classrooms.accounts.SchoolAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_PROVIDERS: dict[str, dict[str, Any]] = {}
if OIDC_SERVER:
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "school",
                "name": env.str("OIDC_NAME", default="the school's account"),
                "client_id": env.str("OIDC_CLIENT_ID"),
                "secret": env.str("OIDC_SECRET"),
                "settings": {"server_url": OIDC_SERVER, "oauth_pkce_enabled": True},
            }
        ],
    }

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",  # first: what it asks for makes a refusal 401, not 403
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["classrooms.rest.StrictJSON"],
    "EXCEPTION_HANDLER": "classrooms.rest.refused",
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "PAGE_SIZE": 100,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Lectern",
    "DESCRIPTION": "Classrooms, decks and lessons. The live doors are described in docs/protocol.md.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "classrooms.rest.with_refusals",
    ],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "ticketAuth": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "`Ticket …`, from the pass that joining a lesson gives.",
            }
        }
    },
    "ENUM_NAME_OVERRIDES": {
        "LessonStatus": "classrooms.models.Lesson.Status",
        "DeckStatus": "whiteboard.models.Deck.Status",
    },
}


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'", NONCE],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "manifest-src": ["'self'"],
        # A browser holds the redirects of a form to this too: the school's sign-in is one.
        "form-action": ["'self'", *([_origin(OIDC_SERVER)] if OIDC_SERVER else [])],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "require-trusted-types-for": ["'script'"],
    }
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True

# --- watching it -------------------------------------------------------------------------------------------------
STRAIGHT_TO_SOCKET = env.bool("STRAIGHT_TO_SOCKET", default=True)  # off: every frame by way of Twisted's transport
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # opens /metrics to others than this machine
LOG_FORMAT = env.str("LOG_FORMAT", default="plain")  # or json; checks.py tells of any other

# --- lessons -----------------------------------------------------------------------------------------------------
LESSON_MAX_SEATS = env.int("LESSON_MAX_SEATS", default=10_000)
# Days after a classroom's `retention` that its staff can look at a lesson, whose log is deleted then; None: for ever,
# which is what the pages promise.
KEEP_LESSONS: int | None = env.int("KEEP_LESSONS", default=None)

# --- decks: BigBlueButton's defaults, which schools know ---------------------------------------------------------
DECK_MAX_BYTES = env.int("DECK_MAX_BYTES", default=30 * 1024 * 1024)
DECK_MAX_PAGES = env.int("DECK_MAX_PAGES", default=200)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]


def _brief(record: logging.LogRecord) -> bool:
    """Leave a traceback out of the log."""
    record.exc_info = None
    return True


# A log is for the operator: a request that was refused is the asker's affair, and a scanner makes thousands of them.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"filters": ["brief"]},  # but a host that is missing in ALLOWED_HOSTS is not
    },
    "filters": {"brief": {"()": "django.utils.log.CallbackFilter", "callback": _brief}},
    "formatters": {"line": {"()": f"classroom_site.logs.{'as_json' if LOG_FORMAT == 'json' else 'as_text'}"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
}
