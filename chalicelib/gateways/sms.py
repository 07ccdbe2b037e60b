"""Text messages by Tencent Cloud: SendSms (2021-01-11), signed with TC3-HMAC-SHA256.

Whoever sends by another service gives its class the same `send_code`. A message is asked for once:
the answer that was lost may have sent it.
"""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Annotated, Protocol
from urllib.parse import urlsplit

import msgspec

from chalicelib import clock, http_client
from chalicelib.errors import GatewayFailed, InvalidRequest, TooManyRequests
from chalicelib.gateways import secrets
from chalicelib.settings import settings

ANSWER_BYTES_MAX = 65_536
SERVICE, ACTION, VERSION = "sms", "SendSms", "2021-01-11"
ALGORITHM = "TC3-HMAC-SHA256"
CONTENT_TYPE = "application/json; charset=utf-8"
SIGNED_HEADERS = "content-type;host;x-tc-action"
OK = "Ok"
NO_SUCH_PHONE = frozenset(
    {"InvalidParameterValue.IncorrectPhoneNumber", "FailedOperation.PhoneNumberInBlacklist"}
)
NOT_SENT = "短信暂时发不出去，请稍后再试，或用其他方式登录。"

_Text = Annotated[str, msgspec.Meta(min_length=1)]


class SmsAccount(msgspec.Struct, frozen=True):
    """The parameter merchants/{merchant}/sms. The template takes the code and the minutes that it
    is good for: {1} and {2}."""

    secret_id: _Text
    secret_key: _Text
    sdk_app_id: _Text
    sign_name: _Text
    template_id: _Text
    region: str = "ap-guangzhou"

    def __repr__(self) -> str:
        return f"SmsAccount({self.sdk_app_id})"  # and no key


class _Sent(msgspec.Struct, rename="pascal"):
    code: str = ""


class _Error(msgspec.Struct, rename="pascal"):
    code: str = ""


class _Response(msgspec.Struct, rename="pascal"):
    send_status_set: list[_Sent] = []
    error: _Error | None = None


class _Answer(msgspec.Struct, rename="pascal"):
    response: _Response


class Sms(Protocol):
    def send_code(self, phone: str, code: str, *, minutes: int) -> None:
        """Send a code to a mobile number of the mainland.

        Raises InvalidRequest for a number that takes no messages, TooManyRequests when the service
        sends it no more for now, GatewayFailed.
        """


class TencentSms:
    def __init__(self, account: SmsAccount, url: str) -> None:
        self._account, self._url = account, url

    def send_code(self, phone: str, code: str, *, minutes: int) -> None:
        content = {
            "PhoneNumberSet": [f"+86{phone}"],
            "SmsSdkAppId": self._account.sdk_app_id,
            "SignName": self._account.sign_name,
            "TemplateId": self._account.template_id,
            "TemplateParamSet": [code, str(minutes)],
        }
        try:
            said = self._ask(json.dumps(content).encode())
        except GatewayFailed as error:
            raise GatewayFailed(NOT_SENT, **error.details) from error
        if said == OK:
            return
        if said in NO_SUCH_PHONE:
            raise InvalidRequest("这个手机号收不到短信，请换一个手机号。", field="phone")
        if said.startswith("LimitExceeded."):
            raise TooManyRequests("这个手机号获取验证码太频繁，请过一会儿再试。")
        raise GatewayFailed(NOT_SENT, reason=said)

    def _ask(self, body: bytes) -> str:
        """What became of the message, in the service's own word."""
        now_s, host = clock.now_s(), urlsplit(self._url).netloc
        headers = {
            "Content-Type": CONTENT_TYPE,
            "X-TC-Action": ACTION,
            "X-TC-Version": VERSION,
            "X-TC-Region": self._account.region,
            "X-TC-Timestamp": str(now_s),
            "Authorization": authorization(
                self._account.secret_id,
                self._account.secret_key,
                body,
                host=host,
                service=SERVICE,
                action=ACTION,
                now_s=now_s,
            ),
        }
        raw = http_client.call(
            "POST", f"{self._url}/", body=body, headers=headers, bytes_max=ANSWER_BYTES_MAX
        )
        try:
            response = msgspec.json.decode(raw, type=_Answer).response
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise GatewayFailed(reason="unreadable_answer") from error
        if response.error is not None:
            return response.error.code
        return response.send_status_set[0].code if response.send_status_set else ""


def authorization(
    secret_id: str,
    secret_key: str,
    body: bytes,
    *,
    host: str,
    service: str,
    action: str,
    now_s: int,
) -> str:
    """The header that signs a request with an empty query, as Tencent Cloud's document says."""
    canonical = "\n".join(
        (
            "POST",
            "/",
            "",
            f"content-type:{CONTENT_TYPE}",
            f"host:{host}",
            f"x-tc-action:{action.lower()}",
            "",
            SIGNED_HEADERS,
            hashlib.sha256(body).hexdigest(),
        )
    )
    day = datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%d")
    scope = f"{day}/{service}/tc3_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"{ALGORITHM}\n{now_s}\n{scope}\n{digest}"
    key = f"TC3{secret_key}".encode()
    for part in (day, service, "tc3_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    credential = f"Credential={secret_id}/{scope}"
    return f"{ALGORITHM} {credential}, SignedHeaders={SIGNED_HEADERS}, Signature={signature}"


def sms(merchant_id: str) -> Sms:
    """What sends a merchant's messages. Raises NotConfigured when it has no such account."""
    name = f"merchants/{merchant_id}/sms"
    try:
        account = msgspec.convert(secrets.json_secret(name), SmsAccount)
    except msgspec.ValidationError as error:
        why = "应含 secret_id、secret_key、sdk_app_id、sign_name、template_id"
        raise secrets.misconfigured(name, why) from error
    return TencentSms(account, settings.sms_url)
