"""What can go wrong between a prompt and its answer. Details never hold a key or an inner address."""

from panal.kit.errors import Conflict, Invalid, NotFound, PanalError


class ModelNotFound(NotFound):
    code = "model_not_found"
    detail = "There is no model of this name here."


class ProviderNotFound(NotFound):
    code = "provider_not_found"
    detail = "There is no provider of this name here."


class NoCapacity(PanalError):
    """Nothing can answer now, but something may later."""

    code = "no_capacity"
    status = 503
    detail = "No model can answer right now. Try again shortly."

    def __init__(self, detail: str | None = None, *, retry_after: int | None = 5) -> None:
        super().__init__(detail, retry_after=retry_after)


class LedgerUnavailable(PanalError):
    """Without a ledger row no provider is called: usage that nobody can account for must not exist."""

    code = "ledger_unavailable"
    status = 503
    detail = "The usage ledger cannot be written right now. Try again shortly."

    def __init__(self, detail: str | None = None, *, retry_after: int | None = 5) -> None:
        super().__init__(detail, retry_after=retry_after)


class UpstreamError(PanalError):
    code = "upstream_error"
    status = 502
    detail = "The model's server failed before it answered."


class UpstreamTimeout(PanalError):
    code = "upstream_timeout"
    status = 504
    detail = "The model's server took too long to answer."


class UpstreamBroken(PanalError):
    """The answer stopped after its first token; what arrived is kept and accounted for."""

    code = "upstream_interrupted"
    status = 502
    detail = "The model's server broke off in the middle of the answer."


class UpstreamRejected(PanalError):
    """The provider understood the request and refused it: the caller can mend it."""

    code = "upstream_rejected"
    status = 422
    detail = "The model's server refused this request."


class ContextTooLong(PanalError):
    code = "context_length_exceeded"
    status = 422
    detail = "The messages are longer than the model's context window."


class BadRequest(Invalid):
    code = "invalid_request"
    detail = "The request is not valid."


class BadProvider(Invalid):
    code = "invalid_provider"
    detail = "The provider is not valid."


class BadModel(Invalid):
    code = "invalid_model"
    detail = "The model is not valid."


class ProviderFromEnvironment(Conflict):
    code = "provider_from_environment"
    detail = "This provider comes from the environment; change it there."
