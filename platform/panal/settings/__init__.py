"""All settings, from the environment (`.env.example` lists the variables)."""

from pathlib import Path
from typing import Any

from panal.embedded import addresses, home_from_env
from panal.kit.env import env_bool, env_int, env_list, env_str
from panal.settings.parts import cache_config, celery_url, database_config, secret_key

BASE_DIR = Path(__file__).resolve().parents[3]
PANAL_HOME = home_from_env()
VERSION = "0.1.0"

DEBUG = env_bool("DEBUG")
SECRET_KEY = secret_key(PANAL_HOME, debug=DEBUG)
PORT = env_int("PORT", 8000)
PANAL_BASE_DOMAIN = env_str("PANAL_BASE_DOMAIN", "localhost").lower()
PANAL_HTTPS = env_bool("PANAL_HTTPS", default=PANAL_BASE_DOMAIN != "localhost")
ALLOWED_HOSTS = [
    PANAL_BASE_DOMAIN,
    f".{PANAL_BASE_DOMAIN}",
    ".localhost",
    "127.0.0.1",
    "[::1]",
    *env_list("EXTRA_HOSTS"),
]

embedded = addresses(PANAL_HOME)
DATABASE_URL = env_str("DATABASE_URL", embedded.database_url)
REDIS_URL = env_str("REDIS_URL", embedded.redis_url)

SHARED_APPS = [
    "django_tenants",
    "tenants.apps.TenantsConfig",
    "tenants.people.apps.PeopleConfig",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django_prometheus",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "routing.apps.RoutingConfig",
    "billing.rollup.apps.RollupConfig",
    "panal.apps.PanalConfig",
]
TENANT_APPS = [
    "tenants.people.apps.PeopleConfig",
    "django.contrib.sessions",
    "routing.apps.RoutingConfig",
    "billing.apps.BillingConfig",
    "knowledge.apps.KnowledgeConfig",
    "chat.apps.ChatConfig",
]
INSTALLED_APPS = [*SHARED_APPS, *(app for app in TENANT_APPS if app not in SHARED_APPS)]

TENANT_MODEL = "tenants.Tenant"
TENANT_DOMAIN_MODEL = "tenants.Domain"
AUTH_USER_MODEL = "people.User"
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # e-mail is unique by a constraint on its lower-case form
DATABASES = {"default": database_config(DATABASE_URL, pool_size=env_int("DATABASE_POOL", 24))}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
ORIGINAL_BACKEND = "django_prometheus.db.backends.postgresql"
SKIP_PG_EXTRA_VALIDATION = (
    True  # it would query without a scope; schema names are generated, never "extensions"
)
PG_EXTRA_SEARCH_PATHS = ["extensions"]  # pgvector's types and operators; never another tenant's tables
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": cache_config(REDIS_URL)}
SESSION_ENGINE = "tenants.sessions"
SESSION_COOKIE_NAME = "panal_session"  # host-only: a workspace's cookie never reaches another host
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PANAL_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "panal_csrf"
CSRF_FAILURE_VIEW = "panal.site.views.csrf_failure"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env_bool("TRUST_PROXY") else None
SECURE_HSTS_SECONDS = 31_536_000 if PANAL_HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tenants.middleware.TenantMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tenants.middleware.ActorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "panal.security.ContentSecurityPolicyMiddleware",
    "tenants.web.ErrorPageMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "panal.urls"
PUBLIC_SCHEMA_URLCONF = "panal.urls_public"
ASGI_APPLICATION = "panal.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "panal.context.page",
            ],
        },
    }
]

AUTHENTICATION_BACKENDS = ["tenants.people.backends.EmailBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "chat"
LOGOUT_REDIRECT_URL = "sign_in"
PASSWORD_RESET_TIMEOUT = 60 * 60 * 24 * 3  # seconds

EMAIL_BACKEND = env_str("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
EMAIL_HOST = env_str("EMAIL_HOST", "localhost")
EMAIL_PORT = env_int("EMAIL_PORT", 25)
EMAIL_HOST_USER = env_str("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env_str("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS")
DEFAULT_FROM_EMAIL = env_str("DEFAULT_FROM_EMAIL", f"Panal <no-reply@{PANAL_BASE_DOMAIN}>")

LANGUAGE_CODE = "en"
# The others join with their catalogues: half a translation is worse than none.
LANGUAGES = [("en", "English")]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
LOCALE_PATHS = [BASE_DIR / "locale"]

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = env_str("STATIC_ROOT") or None  # only for `collectstatic`; the server reads ./static itself
WHITENOISE_USE_FINDERS = True  # serves ./static as it is; an image may run collectstatic all the same
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_IMMUTABLE_FILE_TEST = r"^.+[-.][0-9A-Za-z_-]{8}\.[a-z0-9]+$"
MEDIA_ROOT = PANAL_HOME / "files"
STORAGES: dict[str, Any] = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": MEDIA_ROOT},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 25 * 1024 * 1024  # bytes of one body that is not a file
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tenants.api_access.TokenAuthentication",
        "tenants.api_access.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["tenants.api_access.PolicyPermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "tenants.parsers.JSONParser",
        "rest_framework.parsers.MultiPartParser",
        "rest_framework.parsers.FormParser",
    ],
    "DEFAULT_PAGINATION_CLASS": "tenants.api.CursorPage",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "panal.problems.exception_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": None,
    "ALLOWED_VERSIONS": [VERSION],  # of the schema: any other word of `?version=` would go into a header
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Panal API",
    "DESCRIPTION": "Workspaces, knowledge, chat and usage. Errors are RFC 9457 problem documents.",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": None,
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "PersonRole": "tenants.people.models.User.Role",
        "MessageRole": "chat.models.Message.Role",
        "MemberRole": "tenants.people.api.ROLES",
    },
}

CELERY_BROKER_URL = celery_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": env_int("CELERY_VISIBILITY_SECONDS", 3600),
    "unacked_restore_throttle": 1,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_TIME_LIMIT = 1800  # seconds; below the visibility timeout, so that no task runs twice at once

METRICS_TOKEN = env_str("METRICS_TOKEN")
LOG_LEVEL = env_str("LOG_LEVEL", "INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "django_tenants": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
    },
}
