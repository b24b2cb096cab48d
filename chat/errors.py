"""What can go wrong with a question. Each `code` reaches the client in an `error` frame or a problem document."""

from panal.kit.errors import Conflict, Invalid, NotFound, PanalError


class InvalidJson(Invalid):
    code = "invalid_json"
    detail = "A frame must be a JSON object."


class UnknownType(Invalid):
    code = "unknown_type"
    detail = "A frame's type is ask, stop, resume or ping."


class EmptyMessage(Invalid):
    code = "empty_message"
    detail = "Write something first."


class MessageTooLong(PanalError):
    code = "message_too_long"
    status = 413
    detail = "A message may have up to 100,000 characters. Upload longer texts as knowledge."


class ConversationNotFound(NotFound):
    code = "conversation_not_found"
    detail = "There is no such conversation."


class MessageNotFound(NotFound):
    code = "message_not_found"
    detail = "There is no such message in this conversation."


class TurnNotFound(NotFound):
    code = "turn_not_found"
    detail = "There is no such turn."


class AssistantNotFound(NotFound):
    code = "assistant_not_found"
    detail = "There is no such assistant."


class AttachmentNotFound(NotFound):
    code = "attachment_not_found"
    detail = "There is no such attachment."


class TurnInProgress(Conflict):
    code = "turn_in_progress"
    detail = "This conversation is still being answered. Wait for the answer or stop it."


class RequestIdReused(Conflict):
    code = "request_id_reused"
    detail = "This request_id was used for another question."


class TooManyFrames(PanalError):
    code = "too_many_frames"
    status = 429
    detail = "Too many frames in a short time."


class TooManyTurns(PanalError):
    code = "too_many_turns"
    status = 429
    detail = "This connection already follows as many answers as it may."


class Draining(PanalError):
    code = "draining"
    status = 503
    detail = "This server is restarting. Connect again and repeat the question."


class ServiceLost(PanalError):
    code = "service_lost"
    status = 503
    detail = "The answer could not be continued. What was written is kept; ask again for the rest."


class Unavailable(PanalError):
    code = "unavailable"
    status = 503
    detail = "Something this needs does not answer right now. Try again shortly."
