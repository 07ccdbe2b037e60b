"""The merchant's console beside the API."""

import sys
from collections.abc import Mapping

from infra.local import engine
from infra.local.demo_data import MERCHANT_ID
from infra.local.system import STAGE, System
from infra.local.websites import Config, NotBuilt, Website, origin_of, policy_of
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


def security_headers(config: Config) -> Mapping[str, str]:
    """Scripts are the console's own, and nobody frames it."""
    media = origin_of(config["media"])
    return {
        "Content-Security-Policy": policy_of(
            img_src=f"'self' data: blob: {media}",
            connect_src=f"'self' {' '.join(sorted({origin_of(config['api']), media}))}",
            frame_ancestors="'none'",
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=()",
    }


CONSOLE = Website("商家后台", FOLDER, FOLDER / "dist", "build", security_headers)


def main() -> None:
    """`python -m infra.local.console`: build it; `… packages`: only install what that needs."""
    try:
        CONSOLE.install() if sys.argv[1:] == ["packages"] else CONSOLE.build()
    except NotBuilt as reason:
        sys.exit(str(reason))


if __name__ == "__main__":
    main()
