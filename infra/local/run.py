"""`make run`: the whole shop on this machine, from the production package, until Ctrl-C.

PORT: where the API listens (8010). TIME_DIVISOR: 60 makes every hour a minute.
DEMO=large: with 1,000 products and 10,000 orders.
"""

import os
import sys
from functools import partial

from infra.local import demo_large, engine, function_logs, system, welcome
from infra.local.printing import say

ADDRESSES = engine.CACHE / "local.json"


def main() -> None:
    system.end_on_signals()
    try:
        _run()
    except KeyboardInterrupt:
        say("\n关门了。")
    except system.FAILURES as failure:
        sys.exit(f"没有启动：{failure}")
    finally:
        ADDRESSES.unlink(missing_ok=True)


def _run() -> None:
    port, wechat_port = system.ports()
    say("正在把正式部署用的安装包装到本机……")
    divisor = int(os.environ.get("TIME_DIVISOR", "1"))
    settings = {"TIME_DIVISOR": str(divisor)}
    log = engine.CACHE / "run.log"
    with system.deployed(port=port, wechat_port=wechat_port, log=log, settings=settings) as running:
        fill = partial(welcome.fill, running, time_divisor=divisor)
        demo_shop = system.step("上货开团", fill)
        if os.environ.get("DEMO") == "large":
            system.step("一个月的生意", lambda: demo_large.fill(running))
        with (
            welcome.websites_beside(running, demo_shop) as sites,
            function_logs.followed(running.aws_url),
        ):
            welcome.write_addresses(ADDRESSES, running, demo_shop)
            welcome.greet(running, demo_shop, sites, system.started_s(), ADDRESSES)
            system.wait_for_the_end()


if __name__ == "__main__":
    main()
