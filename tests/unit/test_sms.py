"""Tencent Cloud's signature, by the example of its document, and what its answers mean."""

import json
from collections.abc import Iterator

import msgspec
import pytest

from chalicelib import clock
from chalicelib.errors import GatewayFailed, InvalidRequest, TooManyRequests
from chalicelib.gateways.sms import SmsAccount, TencentSms, authorization
from infra.local.sms import Sms

NOW_S = 1_790_000_000


def test_signature_is_that_of_the_document() -> None:
    """cloud.tencent.com/document/api/213/30654: id and key end in 32 asterisks there."""
    payload = (
        '{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}'
    )

    header = authorization(
        "AKID" + "*" * 32,
        "*" * 32,
        payload.encode(),
        host="cvm.tencentcloudapi.com",
        service="cvm",
        action="DescribeInstances",
        now_s=1551113065,
    )

    assert header == (
        f"TC3-HMAC-SHA256 Credential=AKID{'*' * 32}/2019-02-25/cvm/tc3_request, "
        "SignedHeaders=content-type;host;x-tc-action, "
        "Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f"
    )


@pytest.fixture
def sms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sms]:
    monkeypatch.setattr(clock, "now_s", lambda: NOW_S)
    sms = Sms(now=lambda: float(NOW_S)).start()
    yield sms
    sms.stop()


def sender(sms: Sms, **other: str) -> TencentSms:
    account = msgspec.convert(sms.new_account("m") | other, SmsAccount)
    return TencentSms(account, sms.base_url)


def test_message_carries_code_and_minutes(sms: Sms) -> None:
    sender(sms).send_code("13800138000", "012345", minutes=5)

    (message,) = sms.messages
    assert (message.phone, message.code) == ("13800138000", "012345")
    assert "5 分钟" in message.text


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"secret_key": "another"}, "AuthFailure.SignatureFailure"),
        ({"secret_id": "AKIDnobody"}, "AuthFailure.SecretIdNotFound"),
        ({"sign_name": "别家"}, "UnauthorizedOperation.SmsSdkAppIdVerifyFail"),
    ],
)
def test_wrong_account_is_refused(sms: Sms, other: dict[str, str], reason: str) -> None:
    with pytest.raises(GatewayFailed, match="短信暂时发不出去") as refused:
        sender(sms, **other).send_code("13800138000", "012345", minutes=5)

    assert refused.value.details == {"reason": reason}
    assert sms.messages == []


def test_clock_that_is_wrong_is_refused(sms: Sms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now_s", lambda: NOW_S + 301)

    with pytest.raises(GatewayFailed) as refused:
        sender(sms).send_code("13800138000", "012345", minutes=5)

    assert refused.value.details == {"reason": "AuthFailure.SignatureExpire"}


def test_refusals_of_a_number_are_the_buyers(sms: Sms) -> None:
    with pytest.raises(InvalidRequest, match="收不到短信"):
        sender(sms).send_code("12800138000", "012345", minutes=5)
    sms.faults.add("send", "rate_limited")
    with pytest.raises(TooManyRequests):
        sender(sms).send_code("13800138000", "012345", minutes=5)
    sms.faults.add("send", "lost_answer")
    with pytest.raises(GatewayFailed, match="短信暂时发不出去"):
        sender(sms).send_code("13800138000", "012345", minutes=5)


def test_secrets_of_an_account_are_in_no_text(sms: Sms) -> None:
    account = sms.new_account("m")

    assert account["secret_key"] not in json.dumps(str(msgspec.convert(account, SmsAccount)))
