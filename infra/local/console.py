"""The merchant's console beside the API."""

import sys

from infra.local import engine
from infra.local.demo_data import MERCHANT_ID
from infra.local.system import STAGE, System
from infra.local.websites import NotBuilt, Website
from infra.package import ROOT

FOLDER = ROOT / "console"
NODE_MODULES = FOLDER / "node_modules"


def config_of(system: System) -> dict[str, str]:
    """What the console fetches when it starts: where everything of this stage is."""
    return {
        "api": system.api_url,
        "merchant_id": MERCHANT_ID,
        "media": f"{system.aws_url}/{engine.media_bucket(STAGE)}/",
    }


CONSOLE = Website("console", FOLDER, "build")


def main() -> None:
    """`python -m infra.local.console`: build it; `… packages`: only install what that needs."""
    try:
        CONSOLE.install() if sys.argv[1:] == ["packages"] else CONSOLE.build()
    except NotBuilt as reason:
        sys.exit(str(reason))


if __name__ == "__main__":
    main()
