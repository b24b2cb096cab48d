"""Providers the environment names. Pure: what should exist, not whether it does."""

from dataclasses import dataclass, field

from panal.kit.env import env_list, env_str

DEFAULT_OLLAMA = "http://127.0.0.1:11434"


@dataclass(frozen=True, slots=True)
class NamedProvider:
    slug: str
    wire: str
    base_url: str
    pool: str
    key: str = field(default="", repr=False)
    assumed: bool = False  # nobody named it; it is used when it happens to be there


# Slug, variable of the key, variable of the address, default address. All speak the `openai` format.
EXTERNAL = (
    ("openai", "OPENAI_API_KEY", "OPENAI_BASE_URL", "https://api.openai.com/v1"),
    ("deepseek", "DEEPSEEK_API_KEY", "DEEPSEEK_BASE_URL", "https://api.deepseek.com/v1"),
    ("mistral", "MISTRAL_API_KEY", "MISTRAL_BASE_URL", "https://api.mistral.ai/v1"),
    ("groq", "GROQ_API_KEY", "GROQ_BASE_URL", "https://api.groq.com/openai/v1"),
    ("openrouter", "OPENROUTER_API_KEY", "OPENROUTER_BASE_URL", "https://openrouter.ai/api/v1"),
)


def _pool(pool: str, variable: str, default: str) -> list[NamedProvider]:
    urls = [url.rstrip("/") for url in env_list(variable, default)]
    names = [
        f"ollama-{pool}" if number == 1 else f"ollama-{pool}-{number}" for number in range(1, len(urls) + 1)
    ]
    assumed = not env_str(variable)
    return [
        NamedProvider(name, "ollama", url, pool, assumed=assumed)
        for name, url in zip(names, urls, strict=True)
    ]


def named_providers() -> list[NamedProvider]:
    found = _pool("cpu", "OLLAMA_CPU_URL", DEFAULT_OLLAMA) + _pool("gpu", "OLLAMA_GPU_URL", "")
    for slug, key_name, url_name, url in EXTERNAL:
        key = env_str(key_name)
        if key:
            found.append(NamedProvider(slug, "openai", env_str(url_name, url).rstrip("/"), "external", key))
    return found


def named_provider(slug: str) -> NamedProvider | None:
    return next((named for named in named_providers() if named.slug == slug), None)


def key_of(slug: str) -> str:
    named = named_provider(slug)
    return named.key if named else ""
