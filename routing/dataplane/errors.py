"""Errors in OpenAI's shape. The codes are the contract's."""

from typing import Any

from panal.kit.errors import PanalError
from routing.errors import BadRequest

TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


class BadField(BadRequest):
    """A field of the body is wrong; `param` names it."""

    def __init__(self, param: str, detail: str) -> None:
        self.param = param
        super().__init__(f"{param}: {detail}")


class BadJson(PanalError):
    code = "invalid_json"
    status = 400
    detail = "The body is not a JSON object."


class BodyTooLarge(PanalError):
    code = "request_too_large"
    status = 413
    detail = "The body is larger than 10 MiB."


class UnknownPath(PanalError):
    code = "unknown_path"
    status = 404
    detail = "There is nothing at this path."


class WrongMethod(PanalError):
    code = "method_not_allowed"
    status = 405
    detail = "This path does not answer this method."


class ServerLeaving(PanalError):
    code = "server_restarting"
    status = 503
    detail = "The server is restarting. Send the request again."


class Unavailable(PanalError):
    code = "service_unavailable"
    status = 503
    detail = "The service is not available right now. Try again shortly."

    def __init__(self) -> None:
        super().__init__(retry_after=5)


class Defect(PanalError):
    code = "internal_error"
    status = 500
    detail = "Something went wrong on our side."


def _type(status: int) -> str:
    return TYPES.get(status) or ("server_error" if status >= 500 else "invalid_request_error")


def body_of(error: PanalError) -> dict[str, Any]:
    return {
        "error": {
            "message": error.detail,
            "type": _type(error.status),
            "param": getattr(error, "param", None),
            "code": error.code,
        }
    }
