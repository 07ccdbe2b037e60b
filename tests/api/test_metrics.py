"""What the functions tell of themselves, in the lines that alarms are made from."""

import json
from typing import Any

import pytest

import app as application
from chalicelib.domain.ids import new_id
from chalicelib.http_client import Response
from infra.local.wechat_views import trade_view
from tests.fixtures.api_clients import lambda_context
from tests.fixtures.fake_clock import TICK
from tests.fixtures.fault_injection import injected, refusal
from tests.fixtures.isolated_tables import isolated_tables
from tests.fixtures.merchant import DAY_S, MerchantFixture, merchant_fixture

GRACE_S = 60


def figures_of(capsys: pytest.CaptureFixture[str], name: str) -> list[Any]:
    """The figures of one metric since the last look."""
    lines = [line for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return [figure for line in lines for figure in json.loads(line).get(name, [])]


def test_job_tells_how_long_its_oldest_work_has_been_due(
    engine: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with isolated_tables(), merchant_fixture(monkeypatch) as merchant:
        merchant.open_group(merchant.activity(seats=3))
        merchant.run_jobs()
        capsys.readouterr()
        merchant.clock.forward(DAY_S + GRACE_S + 500)

        for _ in range(2):
            application.fail_due_groups(TICK, lambda_context("job"))

    assert figures_of(capsys, "OldestDueWork") == [500.0, 0.0]


def test_job_that_could_not_look_does_not_say_that_nothing_is_due(
    merchant: MerchantFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    def silent(operation: str, body: bytes) -> Response | None:
        return refusal("ThrottlingException")

    with injected(silent):
        application.fail_due_groups(TICK, lambda_context("job"))

    assert figures_of(capsys, "OldestDueWork") == []


def test_callback_that_was_signed_and_refused_is_told_apart_from_a_forged_one(
    merchant: MerchantFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    activity, buyer = merchant.activity(), merchant.buyer()
    order_id = buyer.open(activity).body["order_id"]
    number = merchant.pay_unheard(buyer, order_id)
    said = trade_view(merchant.wechat.ledger.trade(merchant.account.mchid, number))
    path = merchant.gateway.path(merchant.merchant_id, "payments")
    capsys.readouterr()

    def tell(resource: dict[str, Any], **altered: str) -> tuple[int, list[Any], list[Any]]:
        event = {
            "url": path,
            "type": "TOLD",
            "summary": "",
            "original_type": "transaction",
            "resource": resource,
        }
        merchant.wechat.faults.add("payment_callback", "dropped")
        merchant.wechat.courier.tell(merchant.account, "payment", "altered", event)
        headers, body = merchant.wechat.courier.signed("altered")
        reply = merchant.api_client.request("POST", path, headers | altered, body)
        out = capsys.readouterr().out
        figures = [json.loads(line) for line in out.splitlines() if '"_aws"' in line]
        names = ("SignedCallbacksRefused", "CapturesOfWrongAmount")
        refused, wrong = ([f[name] for f in figures if name in f] for name in names)
        return reply.status, refused, wrong

    amount = {"total": 1, "payer_total": 1, "currency": "CNY", "payer_currency": "CNY"}
    unknown = {"out_trade_no": f"{new_id()}ABCDEFGH01"}

    assert tell(said | unknown) == (404, [[1.0]], [])
    assert tell(said | {"amount": amount}) == (409, [[1.0]], [[1.0]])
    assert tell(said, **{"Wechatpay-Signature": "AAAA"}) == (401, [], [])
