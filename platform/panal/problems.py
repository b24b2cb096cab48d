"""Every API error becomes an RFC 9457 problem document with a stable `code`, here and nowhere else."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from panal.kit.errors import Forbidden, NotFound, PanalError, Unauthenticated

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"

# DRF's own exceptions whose code differs from the contract's.
CODES: dict[type[exceptions.APIException], str] = {
    exceptions.ValidationError: "invalid",
    exceptions.ParseError: "malformed_body",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.Throttled: "rate_limit_exceeded",
}
STATUS_OF_VALIDATION = 422


def problem(*, code: str, status: int, detail: str, **extra: Any) -> dict[str, Any]:
    return {"type": f"urn:panal:error:{code}", "title": code.replace("_", " ").capitalize(), "status": status,
            "code": code, "detail": detail, **extra}  # fmt: skip


def _as_panal_error(error: Exception) -> PanalError | None:
    if isinstance(error, PanalError):
        return error
    if isinstance(error, Http404 | exceptions.NotFound):
        return NotFound()
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return Unauthenticated()
    if isinstance(error, exceptions.PermissionDenied | PermissionDenied):
        # Without credentials DRF would say 403 where a sign-in is what is missing.
        return Forbidden(str(error) if str(error).startswith("CSRF") else None)
    return None


def _respond(body: dict[str, Any], headers: dict[str, str]) -> Response:
    return Response(body, status=body["status"], headers=headers, content_type=CONTENT_TYPE)


def _headers(error: Exception) -> dict[str, str]:
    headers = {}
    if getattr(error, "status", None) == Unauthenticated.status:
        headers["WWW-Authenticate"] = "Bearer"
    wait = getattr(error, "retry_after", None) or getattr(error, "wait", None)
    if wait:
        headers["Retry-After"] = str(int(wait))
    return headers


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's `EXCEPTION_HANDLER`. None (a defect) lets Django answer 500 without details."""
    known = _as_panal_error(error)
    if known is not None:
        set_rollback()
        return _respond(problem(code=known.code, status=known.status, detail=known.detail), _headers(known))
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    code = CODES.get(type(error), "error")
    if isinstance(error, exceptions.ValidationError):
        body = problem(
            code=code, status=STATUS_OF_VALIDATION, detail=_first_sentence(error.detail), errors=error.detail
        )
        return _respond(body, {})
    return _respond(problem(code=code, status=error.status_code, detail=str(error.detail)), _headers(error))


def _first_sentence(detail: Any) -> str:
    """The first message inside DRF's nested errors, with the field it belongs to."""
    if isinstance(detail, dict):
        field, inner = next(iter(detail.items()))
        sentence = _first_sentence(inner)
        return sentence if field == "non_field_errors" else f"{field}: {sentence}"
    if isinstance(detail, list):
        return _first_sentence(detail[0]) if detail else "The request is not valid."
    return str(detail)
