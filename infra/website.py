"""What infra/website.yaml says of a website, for whoever is not CloudFormation: the local server
sends what the deployed one sends, and a proxy before a plain S3 website has to."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from infra.merge_template import read

TEMPLATE = Path(__file__).with_name("website.yaml")
FOR_EVER = "public, max-age=31536000, immutable"  # the name changes with the content
ASK_FIRST = "no-cache"

Parameters = Mapping[str, str]


def cache_control(key: str) -> str:
    """How long browsers keep a file."""
    return FOR_EVER if key.startswith("assets/") else ASK_FIRST


def headers(given: Parameters) -> dict[str, str]:
    """What CloudFront sends with every answer. given: parameters of the template."""
    config = _resource("Headers", given)["ResponseHeadersPolicyConfig"]
    security = config["SecurityHeadersConfig"]
    seconds = security["StrictTransportSecurity"]["AccessControlMaxAgeSec"]
    return {
        "Content-Security-Policy": security["ContentSecurityPolicy"]["ContentSecurityPolicy"],
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": security["FrameOptions"]["FrameOption"],
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
        "Strict-Transport-Security": f"max-age={seconds}",
        **{it["Header"]: it["Value"] for it in config["CustomHeadersConfig"]["Items"]},
    }


def redirect(given: Parameters, path: str) -> str | None:
    """Where a short link leads, by the rules of a plain website; None: it is none."""
    files = _resource("Files", {**given, "Hosting": "website"})
    for rule in files["WebsiteConfiguration"].get("RoutingRules") or ():
        prefix = "/" + rule["RoutingRuleCondition"]["KeyPrefixEquals"]
        if path.startswith(prefix):
            return f"/{rule['RedirectRule']['ReplaceKeyPrefixWith']}{path.removeprefix(prefix)}"
    return None


def page_of_link(merchant_id: str, path: str) -> str | None:
    """The path of the API's page of a short link, as the template's function has it; None: it is
    none."""
    link = re.match(r"/([gac])/(\w+)(?:/(\w+))?", path, re.ASCII)
    if link is None:
        return None
    kind, target_id, share_id = link.groups()
    return f"/v1/merchants/{merchant_id}/links/{kind}/{target_id}/{share_id or '-'}"


@cache
def _template() -> dict[str, Any]:
    content: dict[str, Any] = read(TEMPLATE)
    return content


def _resource(name: str, given: Parameters) -> Any:
    """The properties of a resource, with the parameters in place."""
    defaults = {name: it.get("Default", "") for name, it in _template()["Parameters"].items()}
    return _value(_template()["Resources"][name]["Properties"], {**defaults, **given})


def _value(node: Any, given: Parameters) -> Any:
    """A part of the template with its functions carried out; `!Ref AWS::NoValue` is None."""
    if isinstance(node, list):
        return [_value(it, given) for it in node]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        ((name, argument),) = node.items()
        if name in _FUNCTIONS:
            return _FUNCTIONS[name](argument, given)
    return {name: _value(it, given) for name, it in node.items()}


def _is(condition: str, given: Parameters) -> bool:
    return bool(_value(_template()["Conditions"][condition], given))


def _filled(text: str, given: Parameters) -> str:
    return re.sub(r"\$\{([\w:.]+)\}", lambda it: given.get(it[1], it[1]), text)


_FUNCTIONS: dict[str, Callable[[Any, Parameters], Any]] = {
    "Ref": lambda it, given: None if it == "AWS::NoValue" else given.get(it, it),
    "Condition": _is,
    "Fn::Sub": _filled,
    "Fn::If": lambda it, given: _value(it[1] if _is(it[0], given) else it[2], given),
    "Fn::Equals": lambda it, given: _value(it[0], given) == _value(it[1], given),
    "Fn::Not": lambda it, given: not _value(it[0], given),
    "Fn::And": lambda it, given: all(_value(it, given)),
}
