"""Alipay's signatures, judged by python-alipay-sdk over pycryptodome, which share nothing with
ours."""

import json
from base64 import b64decode, b64encode
from functools import cache
from urllib.parse import parse_qsl

import pytest
from alipay import AliPay
from Cryptodome.Hash import SHA256
from Cryptodome.PublicKey import RSA
from Cryptodome.Signature import PKCS1_v1_5
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.gateways.alipay_account import AlipayAccount
from chalicelib.gateways.alipay_signatures import AlipaySignatures
from chalicelib.gateways.alipay_statements import notice_of
from chalicelib.gateways.verification import VerificationError
from infra.local.wechat_keys import key_pair, private_pem, public_pem


# Made on first use: keys and judges take a second, which every process would wait for that only
# looks at which tests there are.
@cache
def account() -> AlipayAccount:
    keys = private_pem(key_pair("merchant")), public_pem(key_pair("alipay"))
    return AlipayAccount("2021000000000001", "2088000000000001", *keys)


@cache
def signatures() -> AlipaySignatures:
    return AlipaySignatures(account())


@cache
def judge() -> AliPay:
    return _sdk(account().private_key)


@cache
def gateway() -> AliPay:
    """Return what signs as Alipay does."""
    return _sdk(private_pem(key_pair("alipay")))


def _sdk(private_key: str) -> AliPay:
    return AliPay(
        appid=account().app_id,
        app_private_key_string=private_key,
        alipay_public_key_string=account().alipay_public_key,
    )


@cache
def key_of(name: str) -> RSA.RsaKey:
    """Return a pair of keys, as the other library reads it."""
    return RSA.import_key(private_pem(key_pair(name)))


JUDGED = settings(max_examples=200)
NAMES = st.from_regex(r"[a-z_]{1,20}", fullmatch=True).filter(
    lambda name: name not in ("sign", "sign_type")
)
FIELDS = st.dictionaries(NAMES, st.text(min_size=1, max_size=60), min_size=1, max_size=12)
VALUES = st.dictionaries(st.text(max_size=10), st.text(max_size=40) | st.integers(), max_size=6)


def flipped(text: bytes, place: int) -> bytes:
    """`text` with one byte changed."""
    at = place % len(text)
    return text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :]


@pytest.mark.slow
@JUDGED
@given(FIELDS)
def test_request_is_signed_as_the_sdk_signs_it(fields: dict[str, str]) -> None:
    theirs = dict(parse_qsl(judge().sign_data({**fields, "sign_type": "RSA2"})))

    assert signatures().signed(fields) == theirs


@pytest.mark.slow
@JUDGED
@given(FIELDS, st.data())
def test_notify_is_believed_exactly_when_the_sdk_believes_it(
    fields: dict[str, str], data: st.DataObject
) -> None:
    told = dict(parse_qsl(gateway().sign_data(dict(fields))))
    form = told | {"sign_type": "RSA2"}
    assert judge().verify({**fields, "sign_type": "RSA2"}, told["sign"])
    signatures().verify_notify(form)

    name = data.draw(st.sampled_from(sorted(fields)))
    at = data.draw(st.integers(0, len(fields[name]) - 1))
    char = "y" if fields[name][at] == "x" else "x"
    tampered = fields | {name: fields[name][:at] + char + fields[name][at + 1 :]}
    assert not judge().verify({**tampered, "sign_type": "RSA2"}, told["sign"])
    with pytest.raises(VerificationError):
        signatures().verify_notify(form | tampered)


@JUDGED
@given(VALUES, st.booleans(), st.integers(0))
def test_answer_is_read_byte_for_byte_as_it_was_signed(
    values: dict[str, str | int], escaped: bool, place: int
) -> None:
    text = json.dumps(values, ensure_ascii=escaped).encode()
    proof = b64encode(PKCS1_v1_5.new(key_of("alipay")).sign(SHA256.new(text)))

    def answer(content: bytes) -> bytes:
        return b'{"alipay_trade_query_response":%s,"sign":"%s"}' % (content, proof)

    assert signatures().verified_part(answer(text), "alipay_trade_query_response") == text
    with pytest.raises(VerificationError):
        signatures().verified_part(answer(flipped(text, place)), "alipay_trade_query_response")


@JUDGED
@given(st.text(max_size=200))
def test_own_signature_convinces_another_library(text: str) -> None:
    signed = signatures().signed({"biz_content": f"{text}."})

    message = SHA256.new(f"biz_content={text}.&sign_type=RSA2".encode())
    assert PKCS1_v1_5.new(key_of("merchant")).verify(message, b64decode(signed["sign"]))


ANYTHING = st.text(st.characters(), max_size=60)


@JUDGED
@given(st.binary(max_size=200) | st.builds(json.dumps, st.dictionaries(ANYTHING, ANYTHING)))
def test_whatever_the_answer_is_it_is_a_verification_error(answer: str | bytes) -> None:
    body = answer if isinstance(answer, bytes) else answer.encode()

    with pytest.raises(VerificationError):
        signatures().verified_part(body, "alipay_trade_query_response")


@JUDGED
@given(st.binary(max_size=100), st.sampled_from([b"", b"sign_type=RSA2&", b"sign=AAAA&"]))
def test_whatever_the_notify_is_it_is_a_verification_error(form: bytes, before: bytes) -> None:
    with pytest.raises(VerificationError) as why:
        notice_of(before + form, signatures(), account())

    json.dumps(why.value.details, ensure_ascii=False).encode()  # can be logged, and answered
