"""What AWS refuses, told apart by what helps: waiting, a right, a login, other words; and said in one sentence.

Errors are told by their names and members, so that nothing here needs boto3.
"""
from __future__ import annotations

from typing import Any, Iterable

from aws.live.operations import Operation
from errors import AwsError, listed

BUSY, DENIED, INVALID, LOGIN, UNKNOWN_THING, OTHER = "busy", "denied", "invalid", "login", "unknown thing", "other"

_CODES = {
    BUSY: ("Throttling", "ThrottlingException", "ThrottledException", "LimitExceededException",
           "RequestLimitExceeded", "TooManyRequestsException", "RequestThrottled", "RequestThrottledException",
           "SlowDown", "PriorRequestNotComplete", "BandwidthLimitExceeded", "TransactionInProgressException",
           "ProvisionedThroughputExceededException", "InternalError", "InternalFailure", "InternalServerException",
           "ServiceUnavailable", "ServiceUnavailableException", "ModelNotReadyException", "ModelTimeoutException",
           "RequestTimeout", "RequestTimeoutException"),
    DENIED: ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException",
             "AuthorizationError", "OptInRequired", "SubscriptionRequiredException", "AuthFailure"),
    LOGIN: ("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException",
            "SignatureDoesNotMatch", "RequestExpired", "InvalidToken", "MissingAuthenticationToken",
            "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound",
            "TokenRetrievalError", "SSOError", "SSOTokenLoadError", "UnauthorizedSSOTokenError", "LoginError"),
    INVALID: ("ValidationException", "ValidationError", "InvalidParameterValue", "RequestChangedException",
              "InvalidNextTokenException", "ParamValidationError", "UnknownMetricException", "NoRegionError"),
    UNKNOWN_THING: ("ResourceNotFoundException", "DataUnavailableException", "BillExpirationException")}
_CONNECTION = ("HTTPClientError", "ConnectionError", "EndpointConnectionError")  # classes that botocore's descend from
_DENIED_STATUS = (401, 403)  # whatever the error is called
_TOO_BUSY_STATUS = (429, 500, 502, 503, 504)


class Failure(AwsError):
    """A request that AWS did not answer; `kind` says what helps, `code` is AWS's name of it."""

    def __init__(self, message: str, kind: str, code: str = "", action: str = "", place: str = "") -> None:
        """Remember the sentence, the kind and the code; the sentence says `action`, and ` in ` place behind it."""
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.action = action
        self.place = place

    def said_of(self, actions: Iterable[str], places: Iterable[str]) -> str:
        """Return the sentence for all actions and places where the same failed."""
        if not self.place:
            return str(self)
        return str(self).replace(f"{self.action} in {self.place}", f"{listed(actions)} in {listed(places)}", 1)


def failure(error: Exception, operation: Operation, place: str = "") -> Failure:
    """Return what a request's exception means; `place` is the account or region that was asked."""
    code, message = code_of(error), message_of(error)
    kind = _kind(error, code)
    where = f"{operation.action} in {place}" if place else operation.action
    billing = " and switch on IAM access to billing" if operation.service == "ce" else ""
    sentence = _SENTENCES[kind].format(action=where, code=code, message=message.rstrip("."), billing=billing)
    return Failure(sentence, kind, code, operation.action, place)


def code_of(error: Exception) -> str:
    """Return AWS's name of an error, or that of botocore's class."""
    return str(_answer(error).get("Error", {}).get("Code") or type(error).__name__)


def message_of(error: Exception) -> str:
    """Return what an error says, on one line."""
    return " ".join(str(_answer(error).get("Error", {}).get("Message") or error).split())


_SENTENCES = {
    BUSY: "AWS did not answer {action} though asked several times ({code}): try again later",
    DENIED: "AWS denies {action}: allow it, as in src/aws/iam_policy.json{billing}",
    LOGIN: "AWS does not accept who is asking ({code}): log in (aws sso login, aws configure) or "
           "name another --profile",
    INVALID: "AWS does not take the question {action} ({code}: {message}): ask otherwise",
    UNKNOWN_THING: "AWS has nothing to answer {action} with ({code}: {message}): ask for something else",
    OTHER: "AWS did not answer {action} ({code}: {message}): check the region and the connection"}


def _kind(error: Exception, code: str) -> str:
    for kind, codes in _CODES.items():
        if code in codes:
            return kind
    if any(one.__name__ in _CONNECTION for one in type(error).__mro__):
        return BUSY
    status = _answer(error).get("ResponseMetadata", {}).get("HTTPStatusCode")
    if status in _DENIED_STATUS:
        return DENIED
    return BUSY if status in _TOO_BUSY_STATUS and code != "NotImplemented" else OTHER


def _answer(error: Exception) -> Any:
    return getattr(error, "response", None) or {}
