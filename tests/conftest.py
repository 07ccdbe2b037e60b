"""The engine that tests run on: a local AWS, started once per session, on first use.

The app reads its settings when it is imported, so the environment is set here, before any test
module; the engine itself is started by the first test that needs it. Tests keep out of each
other's way by merchants of their own, so tables are made once and never emptied.

TUAN_TEST_ENGINE=dynamodb-local   puts the tables into Amazon's DynamoDB Local
TUAN_TEST_ENDPOINT=http://…       uses an emulator that runs already
"""

import gc
import math
import os
import secrets
from collections.abc import Iterator
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from chalicelib.text import Text
from infra.local import dynamodb_local, engine, process
from tests.fixtures import engine_in_process
from tests.fixtures.engine_requests import ask, eased
from tests.laws.run_statistics import (
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)

if TYPE_CHECKING:
    from chalicelib.domain.order import Intent
    from tests.fixtures.merchant import MerchantFixture
    from tests.fixtures.shop import Shop

pytest_plugins = ["tests.fixtures.distribution", "tests.fixtures.rerun_failed"]

# Print the counts of injected faults at the end of the run, summed over its processes.
__all__ = ["pytest_sessionfinish", "pytest_terminal_summary", "pytest_testnodedown"]

SLOW_S = 60
TESTS = Path(__file__).parent
ON_ENGINE = {"api", "laws"}
OVER_HTTP = {"races", "infra"}
PREFIX = f"t{secrets.token_hex(4)}-"  # of this session's tables on a shared emulator
STARTED_ELSEWHERE = os.environ.get("TUAN_TEST_ENDPOINT")
ON_DYNAMODB_LOCAL = os.environ.get("TUAN_TEST_ENGINE") == "dynamodb-local"
HELD_PORTS = [process.held_port() for _ in range(5)]  # until the run ends: others run beside it
AWS_PORT, DYNAMODB_PORT, WECHAT_PORT, ALIPAY_PORT, SMS_PORT = (
    int(held.getsockname()[1]) for held in HELD_PORTS
)
ENDPOINT = STARTED_ELSEWHERE or f"http://127.0.0.1:{AWS_PORT}"
DYNAMODB_ENDPOINT = f"http://127.0.0.1:{DYNAMODB_PORT}" if ON_DYNAMODB_LOCAL else ENDPOINT

for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]  # nothing of the developer's own account reaches a test
os.environ |= engine.credentials(ENDPOINT) | {
    "AWS_ENDPOINT_URL_DYNAMODB": DYNAMODB_ENDPOINT,
    "STAGE": "test",
    "CATALOGUE_TABLE": f"{PREFIX}catalogue",
    "TRADE_TABLE": f"{PREFIX}trade",
    "RECORDS_TABLE": f"{PREFIX}records",
    "PARAMETERS_PREFIX": f"/tuan/{PREFIX}test",
    "MEDIA_BUCKET": f"{PREFIX}media",
    "MEDIA_URL": f"{ENDPOINT}/{PREFIX}media",
    # Where tests start their gateways; never the real ones.
    "WECHAT_API_URL": f"http://127.0.0.1:{WECHAT_PORT}",
    "WECHAT_OPEN_URL": f"http://127.0.0.1:{WECHAT_PORT}",
    "WECHAT_PAY_URL": f"http://127.0.0.1:{WECHAT_PORT}",
    "ALIPAY_URL": f"http://127.0.0.1:{ALIPAY_PORT}/gateway.do",
    "ALIPAY_AUTH_URL": f"http://127.0.0.1:{ALIPAY_PORT}",
    "SMS_URL": f"http://127.0.0.1:{SMS_PORT}",
    "WEB_URL": "https://shop.example.com",
    "TIME_DIVISOR": "1",
}

hypothesis.settings.register_profile("default", deadline=None, print_blob=True)
hypothesis.settings.register_profile("torture", deadline=None, print_blob=True, max_examples=2000)
hypothesis.settings.load_profile("default")


def pytest_unconfigure() -> None:
    for held in HELD_PORTS:
        held.close()


@pytest.fixture(scope="session", name="engine")
def running_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A local AWS with the three tables, the bucket and the app's parameters; its address."""
    _wait_for_answers()
    _keep_to_policies()
    _translate_every_answer()
    _ease_passwords()
    _test_each_key_once()
    logs = tmp_path_factory.mktemp("engine")
    servers = []
    try:
        if not STARTED_ELSEWHERE:
            servers.append(engine.start(port=AWS_PORT, log=logs / "ministack.log"))
        if ON_DYNAMODB_LOCAL:
            log = logs / "dynamodb-local.log"
            servers.append(dynamodb_local.start(port=DYNAMODB_PORT, log=log))
        engine.create_tables(DYNAMODB_ENDPOINT, PREFIX)
        _create_tables_in_process()
        engine.create_bucket(ENDPOINT, f"{PREFIX}media")
        _put_parameters()
        _ease_jobs()
        yield ENDPOINT
    finally:
        for server in servers:
            server.stop()


def _create_tables_in_process() -> None:
    from chalicelib.tables.base import connection

    if engine_in_process.in_process():
        for kind in engine.TABLES:
            table = engine.table_definition(kind)
            ask(connection.client, "CreateTable", TableName=f"{PREFIX}{kind}", **table)


def _wait_for_answers() -> None:
    """Give calls the time that an engine needs on a busy machine, where the app gives up early.

    One thread of DynamoDB Local does all the work, and goes on with what its caller has given up:
    a crowd which asks anew is never answered at all.
    """
    from chalicelib.tables.base import connection  # imports the app, which reads the environment

    connection._read_timeout_seconds = SLOW_S


def _keep_to_policies() -> None:
    """Let functions do what their policies allow, and nothing else: the engine knows none."""
    from chalicelib import client_timeouts
    from chalicelib.gateways import media
    from chalicelib.gateways import secrets as secrets_store
    from chalicelib.services.work import due, stream
    from chalicelib.tables.base import connection
    from tests.fixtures import function_policies

    ended_in_time, run, handle = client_timeouts.with_deadline, due.run, stream.handle

    def run_as_its_job(intent: "Intent", *, now_s: int) -> int:
        with function_policies.running(function_policies.job_of(intent)):
            return run(intent, now_s=now_s)

    def handle_as_the_stream(event: dict[str, Any], *, now_s: int) -> dict[str, Any]:
        with function_policies.running("on_trade_change"):
            return handle(event, now_s=now_s)

    client_timeouts.with_deadline = lambda client: eased(
        function_policies.watch(ended_in_time(client))
    )
    function_policies.watch(eased(connection.client))
    media.client.cache_clear()  # tests that need no engine have made theirs
    secrets_store.clear_cache()
    due.run, stream.handle = run_as_its_job, handle_as_the_stream


def _translate_every_answer() -> None:
    """Fail where an answer has a text without an English template, whatever language it is in."""
    from chalicelib.api import languages

    text_for = languages.Reader.text_for

    def translated(self: languages.Reader, value: Any) -> str:
        for text in (value, *value.values.values()) if isinstance(value, Text) else ():
            if isinstance(text, Text) and any(
                "一" <= character <= "鿿" for character in text.template
            ):
                assert text.template in languages.english(), text.template
        return text_for(self, value)

    languages.Reader.text_for = translated  # type: ignore[method-assign]


def _ease_jobs() -> None:
    """Use two queues of due work instead of eight, since most of a test's time went into empty
    queues, and no limit of time, since a slow engine would leave work to a run that no test makes.
    (The systems of tests/infra have both; tests/laws/faults has jobs that run out of time.)"""
    from chalicelib.services.money import reconciliation
    from chalicelib.services.work import due
    from chalicelib.tables import trade_item

    trade_item.DUE_SHARDS = 2
    due.RUN_S = reconciliation.RUN_S = math.inf


def _ease_passwords() -> None:
    """Hash passwords with little work, since fixtures make hundreds of accounts. (What the app
    does is tested in tests/unit/test_passwords.py.)"""
    from chalicelib.services.people import staff

    staff._MEMORY_KIB, staff._PASSES = 8, 1


def _test_each_key_once() -> None:
    """Test a private key when it is first saved, since all merchants of a process have the same."""
    from chalicelib.gateways import account_forms

    account_forms.private_key = cache(account_forms.private_key)  # type: ignore[attr-defined]


def _put_parameters() -> None:
    path = os.environ["PARAMETERS_PREFIX"]
    keys = {f"{path}/{name}": secrets.token_hex(32) for name in ("session-key", "id-key")}
    engine.put_parameters(ENDPOINT, keys)
    address = {f"{path}/public-api-url": "https://api.example.com/api"}
    engine.put_parameters(ENDPOINT, address, secret=False)


def pytest_collection_finish() -> None:
    """Take what all tests share, half a million objects, out of the garbage collector's sight,
    which would look through them again and again."""
    gc.collect()
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--one-gateway", action="store_true", help="scenarios of GATEWAYS over the first one only"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The scenarios of a module with GATEWAYS run over each of them, unless they are marked."""
    gateways = getattr(metafunc.module, "GATEWAYS", ())
    if metafunc.config.getoption("one_gateway"):
        gateways = gateways[:1]
    alone = metafunc.definition.get_closest_marker("wechat_pay_only")
    if gateways and alone is None and "paid_by" in metafunc.fixturenames:
        metafunc.parametrize("paid_by", gateways, indirect=True)


@pytest.fixture
def paid_by(request: pytest.FixtureRequest) -> str:
    """The payment method that the merchant's buyers use."""
    return str(getattr(request, "param", "wechat_pay"))


@pytest.fixture
def merchant(
    engine: str, paid_by: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator["MerchantFixture"]:
    """A merchant with its catalogue, buyers, gateways and clock, in tables of its own."""
    # Both import the app, which reads the environment.
    from tests.fixtures.isolated_tables import isolated_tables
    from tests.fixtures.merchant import merchant_fixture

    with isolated_tables(), merchant_fixture(monkeypatch, paid_by=paid_by) as merchant:
        yield merchant


@pytest.fixture
def shop(engine: str) -> Iterator["Shop"]:
    """A shop whose tables nothing else uses; tests call the services with it."""
    from tests.fixtures.shop import new_shop  # imports the app, which reads the environment

    with new_shop() as shop:
        yield shop


@pytest.fixture(autouse=True)
def engine_where_needed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Start the engine for tests of ON_ENGINE; others ask for it. Those of OVER_HTTP ask its
    server: races meet there, and other programs have it, too."""
    folders = Path(request.path).relative_to(TESTS).parts
    if folders[0] in ON_ENGINE:
        request.getfixturevalue("engine")
    asked = engine_in_process.over_http() if OVER_HTTP.intersection(folders) else nullcontext()
    with asked:
        yield
