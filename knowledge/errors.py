"""What can go wrong with knowledge bases, documents and search."""

from panal.kit.errors import Conflict, Invalid, NotFound, PanalError


class KnowledgeBaseNotFound(NotFound):
    code = "knowledge_base_not_found"
    detail = "There is no such knowledge base."


class DocumentNotFound(NotFound):
    code = "document_not_found"
    detail = "There is no such document."


class BadName(Invalid):
    code = "invalid_name"
    detail = "A knowledge base needs a name of 1 to 200 characters."


class BadLanguage(Invalid):
    code = "invalid_language"
    detail = "A language is a short tag such as en, de or pt-BR."


class BadExternalId(Invalid):
    code = "invalid_external_id"
    detail = "An external_id has at most 200 characters."


class DuplicateExternalId(Invalid):
    code = "duplicate_external_id"
    detail = "The list names the same external_id twice."


class TitleMissing(Invalid):
    code = "invalid_title"
    detail = "A document needs a title of 1 to 500 characters."


class TextMissing(Invalid):
    code = "document_empty"
    detail = "The document holds no text."


class TextTooLong(PanalError):
    code = "document_too_long"
    status = 413
    detail = "A document may hold up to 5 million characters: split it into parts."


class FileTooLarge(PanalError):
    code = "file_too_large"
    status = 413
    detail = "A file may be up to 50 MB."


class TooManyDocuments(Invalid):
    code = "too_many_documents"
    detail = "Send between 1 and 500 documents in one call."


class NothingToRetry(Conflict):
    code = "nothing_to_retry"
    detail = "Only a document that failed can be tried again."


class BadQuery(Invalid):
    code = "invalid_query"
    detail = "A search needs a query of 1 to 8,000 characters."


class BadCount(Invalid):
    code = "invalid_k"
    detail = "k is a number from 1 to 100."


class BadRange(Invalid):
    code = "invalid_range"
    detail = "start and end are character offsets, and start lies before end."
