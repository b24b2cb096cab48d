"""The one base class of every error that may reach a client."""


class PanalError(Exception):
    """An expected failure with a stable `code`, an HTTP `status` and a sentence for people.

    Subclasses set the three; `retry_after` is in seconds. Anything else that escapes is a defect.
    """

    code = "error"
    status = 400
    detail = "The request could not be completed."

    def __init__(self, detail: str | None = None, *, retry_after: int | None = None) -> None:
        self.detail = detail or self.detail
        self.retry_after = retry_after
        super().__init__(self.detail)


class Unauthenticated(PanalError):
    code = "not_authenticated"
    status = 401
    detail = "Sign in or send a valid token."


class Forbidden(PanalError):
    code = "forbidden"
    status = 403
    detail = "Your role does not allow this."


class InsufficientScope(Forbidden):
    code = "insufficient_scope"
    detail = "This token does not carry the scope needed for this call."


class NotFound(PanalError):
    code = "not_found"
    status = 404
    detail = "There is nothing here, or you may not see it."


class Invalid(PanalError):
    code = "invalid"
    status = 422
    detail = "The request is not valid."


class Conflict(PanalError):
    code = "conflict"
    status = 409
    detail = "This conflicts with what already exists."
