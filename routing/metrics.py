"""The gateway's Prometheus metrics. No label holds a tenant's name or a value without bound."""

from prometheus_client import Counter, Gauge, Histogram

from billing.vocabulary import Usage
from routing.health import state_of_pool
from routing.offers import POOLS
from routing.vocabulary import ModelCard

POOL_STATES = ("cold", "waking", "loading", "warm", "draining", "unavailable")
LATENCY_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 900)
TTFT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 120)

active_requests = Gauge("ai_active_requests", "Generations in progress")
tokens = Counter("ai_tokens", "Tokens by class", ["model", "type", "endpoint"])
latency = Histogram(
    "ai_llm_latency_seconds", "Whole generation", ["model", "endpoint"], buckets=LATENCY_BUCKETS
)
ttft = Histogram("ai_ttft_seconds", "Time to the first token", buckets=TTFT_BUCKETS)
cost = Counter("ai_cost_usd", "Cost at list prices in US dollars", ["model"])
failovers = Counter("ai_failovers", "Candidates given up for the next", ["from", "to", "reason"])
cache_requests = Counter("ai_cache_requests", "Requests by cache result", ["result"])
pool_state = Gauge("panal_pool_state", "1 for the state a pool is in", ["pool", "state"])
pool_demand = Gauge("panal_pool_demand", "Requests waiting for or running on a pool", ["pool"])


def model_label(card: ModelCard) -> str:
    """Platform models are few; names of workspaces' own models and of mocks are without bound."""
    if card.own:
        return "custom"
    if card.builtin and card.name.startswith("mock"):
        return "mock"
    return card.name


def usage_count(card: ModelCard, endpoint: str, usage: Usage) -> None:
    label = model_label(card)
    for kind, amount in (
        ("input", usage.input_tokens),
        ("cached", usage.cached_tokens),
        ("cache_write", usage.cache_write_tokens),
        ("output", usage.output_tokens),
        ("reasoning", usage.reasoning_tokens),
    ):
        if amount:
            tokens.labels(label, kind, endpoint).inc(amount)


def pool_states_set() -> None:
    for pool in POOLS:
        current = state_of_pool(pool)
        for state in POOL_STATES if current else ():
            pool_state.labels(pool, state).set(1 if state == current else 0)
