"""`make dev`: the app from its sources, started again after every change; ready in seconds.

The same shop, WeChat and Alipay as `make run`. The API runs in Chalice's local server, the jobs
in a process beside it; of the local AWS only the tables and the parameters are used.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from infra.local import demo_large, engine, process, system, welcome
from infra.local.printing import say
from infra.local.sources import Children, watch
from infra.local.system import STAGE, System

ADDRESSES = engine.CACHE / "local.json"


def main() -> None:
    system.end_on_signals()
    try:
        _dev()
    except KeyboardInterrupt:
        say("\n关门了。")
    except system.FAILURES as failure:
        sys.exit(f"没有启动：{failure}")
    finally:
        ADDRESSES.unlink(missing_ok=True)


def _dev() -> None:
    port, wechat_port = system.ports()
    say("正在从源码启动……")
    divisor = int(os.environ.get("TIME_DIVISOR", "1"))
    with from_sources(port, wechat_port, time_divisor=divisor) as (running, children):
        fill = partial(welcome.fill, running, time_divisor=divisor)
        demo_shop = system.step("上货开团", fill)
        if os.environ.get("DEMO") == "large":
            system.step("一个月的生意", lambda: demo_large.fill(running))
        with welcome.websites_beside(running, demo_shop) as sites:
            welcome.write_addresses(ADDRESSES, running, demo_shop)
            welcome.greet(running, demo_shop, sites, system.started_s(), ADDRESSES)
            children.show_requests()
            say("改动 app.py 或 chalicelib/ 后会自动重启，数据不变。")
            say("改动 console/ 请在另一个终端运行 make console-dev，页面随改随换。")
            say("改动 miniprogram/ 请在另一个终端运行 make client-dev。")
            watch(lambda: _restart(children))


@contextmanager
def from_sources(
    port: int, wechat_port: int, *, time_divisor: int = 1
) -> Iterator[tuple[System, Children]]:
    """The system with its API and jobs run from the sources, for the length of the block."""
    beside = system.gateways_beside(wechat_port, time_divisor)
    with beside as gateways, _tables() as aws:
        web_url = system.web_address(gateways[2])
        given = {"TIME_DIVISOR": str(time_divisor), "WEB_URL": web_url}
        env = _environment(aws.url) | system.addresses(*gateways) | given
        children = Children(port, env)
        address = {f"/tuan/{STAGE}/public-api-url": children.url}
        engine.put_parameters(aws.url, address, secret=False)
        try:
            system.step("开店", lambda: system.open_shop(env, *gateways))
            if not system.step("接口和任务", children.start):
                raise system.CannotStart("上面是它说的原因。")
            yield System(aws.url, children.url, web_url, *gateways), children
        finally:
            children.stop()


@contextmanager
def _tables() -> Iterator[process.Server]:
    """A local AWS with the three tables and the bucket, for the length of the block."""
    log = engine.CACHE / "dev.log"
    aws = system.step("本机 AWS", lambda: engine.start(log=log))
    try:
        engine.create_tables(aws.url)
        engine.create_bucket(aws.url, engine.media_bucket(STAGE))
        yield aws
    finally:
        aws.stop()


def _environment(aws_url: str) -> dict[str, str]:
    """What the deployment declares for every function, and where the local AWS is."""
    return engine.credentials(aws_url) | {
        "STAGE": STAGE,
        **{f"{kind.upper()}_TABLE": kind for kind in engine.TABLES},
        "PARAMETERS_PREFIX": f"/tuan/{STAGE}",
        "MEDIA_BUCKET": engine.media_bucket(STAGE),
        "MEDIA_URL": f"{aws_url}/{engine.media_bucket(STAGE)}",
    }


def _restart(children: Children) -> None:
    say("源码有改动，正在重启……")
    children.stop()
    if children.start():
        say("已重启。")
    else:
        children.stop()
        say("没有启动起来，原因在上面。改好后会再试。")


if __name__ == "__main__":
    main()
