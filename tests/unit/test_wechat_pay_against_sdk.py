"""WeChat Pay's signatures, judged by wechatpayv3, which shares no line with ours."""

import base64
import json
import re
from contextlib import suppress
from functools import cache

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st
from wechatpayv3 import WeChatPay, WeChatPayType, utils

from chalicelib.gateways import rsa_signatures
from chalicelib.gateways.verification import VerificationError
from chalicelib.gateways.wechat_pay_account import WechatAccount
from chalicelib.gateways.wechat_pay_signatures import SCHEME, WechatPaySignatures
from infra.local.wechat_keys import key_pair, private_pem, public_pem

NOW_S = 1_900_000_000
SERIAL = "PUB_KEY_ID_0119000000012026"
API_V3_KEY = "k" * 32


# Made on first use: keys take a second, which every process would wait for that only looks at
# which tests there are.
@cache
def account() -> WechatAccount:
    return WechatAccount(
        mchid="1900000001",
        appid="wx1234567890abcdef",
        serial_no="7132D72A03E93CDDF8C03BBD1F37EEDF00000000",
        private_key=private_pem(key_pair("merchant")),
        api_v3_key=API_V3_KEY,
        public_keys=((SERIAL, public_pem(key_pair("platform"))),),
    )


@cache
def signatures() -> WechatPaySignatures:
    return WechatPaySignatures(account())


@cache
def judge() -> WeChatPay:
    return WeChatPay(
        wechatpay_type=WeChatPayType.MINIPROG,
        mchid=account().mchid,
        private_key=account().private_key,
        cert_serial_no=account().serial_no,
        appid=account().appid,
        apiv3_key=API_V3_KEY,
        public_key=public_pem(key_pair("platform")),
        public_key_id=SERIAL,
    )


JUDGED = settings(max_examples=200)
NONCES = st.text("0123456789abcdefABCDEF", min_size=1, max_size=32)
TARGETS = st.text("/abcxyz0189-_.~%?=&", min_size=1, max_size=80)
MOMENTS = st.integers(NOW_S - 299, NOW_S + 299)


def signed(body: str, nonce: str, at_s: int) -> dict[str, str]:
    """The headers of a message that WeChat Pay signed, as the SDK signs."""
    return {
        "Wechatpay-Timestamp": str(at_s),
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": utils.rsa_sign(key_pair("platform"), f"{at_s}\n{nonce}\n{body}\n"),
        "Wechatpay-Serial": SERIAL,
        "Wechatpay-Signature-Type": SCHEME,
    }


def flipped(text: bytes, place: int) -> bytes:
    """`text` with one byte changed."""
    at = place % len(text)
    return text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :]


@JUDGED
@given(st.sampled_from(["GET", "POST"]), TARGETS, st.text(max_size=300), NONCES)
def test_authorization_is_what_the_sdk_makes_of_the_same_request(
    method: str, target: str, body: str, nonce: str
) -> None:
    key, us = key_pair("merchant"), (account().mchid, account().serial_no)
    theirs = utils.build_authorization(target, method, *us, key, data=body, nonce_str=nonce)
    [stamp] = re.findall(r'timestamp="(\d+)"', theirs)
    at_s = int(stamp)

    ours = signatures().authorization(method, target, body, at_s=at_s, nonce=nonce)

    assert ours == theirs
    [signature] = re.findall(r'signature="([^"]+)"', ours)
    rest = f"{at_s}\n{nonce}\n{body}"
    assert utils.rsa_verify(method, target, rest, signature, key.public_key())
    assert not utils.rsa_verify(method, target, f"{rest} ", signature, key.public_key())


@JUDGED
@given(st.lists(st.text(max_size=60), min_size=1, max_size=4))
def test_signature_for_the_buyers_client_is_the_sdks(lines: list[str]) -> None:
    assert signatures().sign(*lines) == judge().sign(lines)


@JUDGED
@given(st.text(max_size=300), NONCES, MOMENTS, st.integers(0), st.data())
def test_answer_is_believed_exactly_as_the_sdk_signed_it(
    body: str, nonce: str, at_s: int, place: int, data: st.DataObject
) -> None:
    headers = signed(body, nonce, at_s)
    signatures().verify(headers, body.encode(), now_s=None)

    content, changed = body.encode(), dict(headers)
    name = data.draw(st.sampled_from(["body", "Nonce", "Timestamp", "Signature"]))
    if name == "body":
        content = flipped(content, place) if content else b" "
    elif name == "Signature":
        raw = base64.b64decode(headers["Wechatpay-Signature"])
        changed["Wechatpay-Signature"] = base64.b64encode(flipped(raw, place)).decode()
    else:
        value = headers[f"Wechatpay-{name}"].encode()
        changed[f"Wechatpay-{name}"] = flipped(value, place).decode()
    with pytest.raises(VerificationError):
        signatures().verify(changed, content, now_s=None)


@JUDGED
@given(
    st.dictionaries(st.text(max_size=10), st.text(max_size=40) | st.integers()),
    NONCES,
    st.text("abc0189XYZ", min_size=12, max_size=12),
    st.text(max_size=15),
    MOMENTS,
    st.integers(0),
)
def test_callback_is_opened_as_the_sdk_opens_it(
    resource: dict[str, str | int], nonce: str, seal_nonce: str, bound: str, at_s: int, place: int
) -> None:
    plain = json.dumps(resource).encode()
    sealed = AESGCM(API_V3_KEY.encode()).encrypt(seal_nonce.encode(), plain, bound.encode())

    def callback(ciphertext: bytes) -> str:
        said = {
            "resource_type": "encrypt-resource",
            "resource": {
                "algorithm": "AEAD_AES_256_GCM",
                "ciphertext": base64.b64encode(ciphertext).decode(),
                "nonce": seal_nonce,
                "associated_data": bound,
            },
        }
        return json.dumps(said)

    body = callback(sealed)
    headers = signed(body, nonce, at_s)
    signatures().verify(headers, body.encode(), now_s=NOW_S)
    opened = signatures().decrypt(
        base64.b64encode(sealed).decode(), nonce=seal_nonce, associated_data=bound
    )
    assert json.loads(opened) == judge().callback(headers, body)["resource"] == resource

    tampered = flipped(body.encode(), place)
    with pytest.raises(VerificationError):
        signatures().verify(headers, tampered, now_s=NOW_S)
    with suppress(UnicodeDecodeError):
        assert judge().callback(headers, tampered) is None
    forged = flipped(sealed, place)
    with pytest.raises(VerificationError):
        signatures().decrypt(
            base64.b64encode(forged).decode(), nonce=seal_nonce, associated_data=bound
        )
    assert judge().callback(signed(callback(forged), nonce, at_s), callback(forged)) is None


@JUDGED
@given(st.text(max_size=50).filter(lambda text: text.strip().upper() != SERIAL), MOMENTS)
def test_another_serial_is_refused(serial: str, at_s: int) -> None:
    headers = signed("{}", "n", at_s) | {"Wechatpay-Serial": serial}

    with pytest.raises(VerificationError) as why:
        signatures().verify(headers, b"{}", now_s=NOW_S)

    assert why.value.details["field"] == "Wechatpay-Serial"


ANYTHING = st.text(st.characters(), max_size=60)
SIGNED_BY = ("Timestamp", "Nonce", "Signature", "Serial", "Signature-Type")
NAMES = st.sampled_from([f"Wechatpay-{name}" for name in SIGNED_BY])


@JUDGED
@given(st.dictionaries(NAMES, ANYTHING), st.dictionaries(ANYTHING, ANYTHING, max_size=3))
def test_whatever_the_headers_are_it_is_a_verification_error(
    changes: dict[str, str], more: dict[str, str]
) -> None:
    headers = {**more, **signed("{}", "n", NOW_S), **changes}

    with pytest.raises(VerificationError) as why:
        signatures().verify(headers, b"{}.", now_s=NOW_S)

    json.dumps(why.value.details, ensure_ascii=False).encode()  # can be logged, and answered


@JUDGED
@given(ANYTHING, ANYTHING, ANYTHING)
def test_whatever_is_sealed_it_is_a_verification_error(
    ciphertext: str, nonce: str, associated_data: str
) -> None:
    with pytest.raises(VerificationError):
        signatures().decrypt(ciphertext, nonce=nonce, associated_data=associated_data)


# From the tests of WeChat Pay's own SDK for Go (utils/sign_test.go, aes_test.go).

PUBLISHED_KEY = """-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA2VCTd91fnUn73Xy9DLvt
/V62TVxRTEEstVdeRaZ3B3leO0pldE806mXO4RwdHXagHQ4vGeZN0yqm++rDsGK+
U3AH7kejyD2pXshNP9Cq5YwbptiLGtjcquw4HNxJQUOmDeJf2vg6byms9RUipiq4
SzbJKqJFlUpbuIPDpSpWz10PYmyCNeDGUUK65E5h2B834uxl1zNLYQCrkdBzb8oU
xwYeP5a2DNxmjL5lsJML7DGr5znsevnoqGRwTm9fxCGfy8wus7hwKz6clt3Whmmd
a7UAdb1c08hEQFVRbF14AR73xbnd8N0obCWJPCbzMCtkaSef4FdEEgEXJiw0VAJT
8wIDAQAB
-----END PUBLIC KEY-----
"""
PUBLISHED_SIGNATURE = (
    "BKyAfU4iMCuvXMXS0Wzam3V/cnxZ+JaqigPM5OhljS2iOT95OO6Fsuml2JkFANJU9K6q9bLlDhPXuoVz+pp4hAm6"
    "pHU4ld815U4jsKu1RkyaII+1CYBUYC8TK0XtJ8FwUXXz8vZHh58rrAVN1XwNyvD1vfpxrMT4SL536GLwvpUHlCqI"
    "MzoZUguLli/K8V29QiOhuH6IEqLNJn8e9b3nwNcQ7be3CzYGpDAKBfDGPCqCv8Rw5zndhlffk2FEA70G4hvMwe51"
    "qMN/RAJbknXG23bSlObuTCN7Ndj1aJGH6/L+hdwfLpUtJm4QYVazzW7DFD27EpSQEqA8bX9+8m1rLg=="
)


def test_published_signature_is_that_of_its_text_alone() -> None:
    key = rsa_signatures.public_key(PUBLISHED_KEY)

    assert rsa_signatures.is_signed(b"source", PUBLISHED_SIGNATURE, [key])
    assert not rsa_signatures.is_signed(b"Source", PUBLISHED_SIGNATURE, [key])


def test_published_ciphertext_is_opened() -> None:
    account = WechatAccount("1", "wx1", "0", "", "testAPIv3Key0000", ())

    opened = WechatPaySignatures(account).decrypt(
        "FsdXzxryWfKwvLJKf8LG/ToRPTRh8RN9wROC",
        nonce="wCq51qZv4Yfg",
        associated_data="Dl56FrqWQJF1t9LtC3vEUsniZKvbqdR8",
    )

    assert opened == b"Hello World"
