"""The shop for a phone's browser (H5), built from the same sources as the mini-programs."""

import sys

from infra.local import console
from infra.local.websites import NotBuilt, Website
from infra.package import ROOT

FOLDER = ROOT / "miniprogram"


H5 = Website("h5", FOLDER, "build:h5")
config_of = console.config_of


def main() -> None:
    """`python -m infra.local.h5`: build it; `… packages`: only install what that needs."""
    try:
        H5.install() if sys.argv[1:] == ["packages"] else H5.build()
    except NotBuilt as reason:
        sys.exit(str(reason))


if __name__ == "__main__":
    main()
