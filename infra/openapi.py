"""Write docs/openapi.json: the API as its own schemas describe it. A test finds it out of date.

python -m infra.openapi
"""

import json
import os
from pathlib import Path

TARGET = Path(__file__).parents[1] / "docs" / "openapi.json"


def rendered() -> str:
    """The document as it is committed."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "cn-north-1")  # PynamoDB wants one at import
    from app import OPERATIONS
    from chalicelib.api import openapi

    return json.dumps(openapi.document(OPERATIONS), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    TARGET.write_text(rendered())
