"""Links that a shop spreads: the same for everybody, in the mini-program and in a browser."""

from dataclasses import dataclass

from chalicelib.settings import settings

ACTIVITY_PAGE = "pages/activity/activity"
COUPON_PAGE = "growth/coupons/coupons"


@dataclass(frozen=True)
class Links:
    """What leads to a page that somebody shares."""

    path: str  # opens the mini-program
    link: str  # opens a browser; infra/website.yaml and the client's platform/h5.ts know its form
    scene: str  # 32 characters at most, for a mini-program code


def to_activity(merchant_id: str, activity_id: str, share_id: str = "") -> Links:
    """What leads to an activity. share_id: a share of the shop's that it is counted for."""
    path = f"{ACTIVITY_PAGE}?m={merchant_id}&a={activity_id}"
    link = f"{settings.web_url}/a/{activity_id}"
    if not share_id:
        return Links(path=path, link=link, scene=f"a={activity_id}")
    return Links(path=f"{path}&s={share_id}", link=f"{link}/{share_id}", scene=f"s={share_id}")


def to_coupon(merchant_id: str, template_id: str) -> Links:
    """What leads to the coupons of a template."""
    return Links(
        path=f"{COUPON_PAGE}?m={merchant_id}&c={template_id}",
        link=f"{settings.web_url}/c/{template_id}",
        scene=f"c={template_id}",
    )
