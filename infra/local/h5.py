"""The shop for a phone's browser (H5), built from the same sources as the mini-programs."""

import sys
from collections.abc import Mapping

from infra.local import console
from infra.local.websites import Config, NotBuilt, Website, origin_of, policy_of
from infra.package import ROOT

FOLDER = ROOT / "miniprogram"


def security_headers(config: Config) -> Mapping[str, str]:
    """The shop asks nobody but the API and the host of its pictures.

    Its address may be seen by the pages it leads to: WeChat's payment page refuses a buyer who
    does not come from a domain that the shop has registered.
    """
    media = origin_of(config["media"])
    return {
        "Content-Security-Policy": policy_of(
            img_src=f"'self' data: blob: {media}",
            connect_src=f"'self' {' '.join(sorted({origin_of(config['api']), media}))}",
            frame_ancestors="'self'",
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    }


H5 = Website("买家商城", FOLDER, FOLDER / "dist/build/h5", "build:h5", security_headers)
config_of = console.config_of


def main() -> None:
    """`python -m infra.local.h5`: build it; `… packages`: only install what that needs."""
    try:
        H5.install() if sys.argv[1:] == ["packages"] else H5.build()
    except NotBuilt as reason:
        sys.exit(str(reason))


if __name__ == "__main__":
    main()
