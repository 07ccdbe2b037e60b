"""`make demo`: a story over the real HTTP API of a fresh system, then the books.

STORY=groups, the usual one, tells of seats and deadlines; STORY=prices of coupons, new buyers, the
leader's price, groups that form with fewer and those that fill no faster than they may; STORY=tiers
of groups that are the cheaper the more people they form with; STORY=crowd of a price that goes down
for everybody; STORY=combine of groups that are combined when one is due; STORY=points of points;
STORY=levels of members; STORY=rewards of what groups bring; STORY=invitations of who brings a new
buyer; STORY=all of everything.

Ends with 0 when every law holds, with 1 when one is broken or the story comes to a halt.
"""

import argparse
import sys
import time

from infra.local import (
    demo_books,
    demo_combine,
    demo_crowd,
    demo_invitations,
    demo_levels,
    demo_limits,
    demo_points,
    demo_prices,
    demo_rewards,
    demo_story,
    demo_tiers,
    engine,
    process,
    system,
)
from infra.local.demo_data import SHOP
from infra.local.demo_play import PAY_BY_S, TICK_S, TIME_DIVISOR, Play, StoryFailed, hurried_clock
from infra.local.printing import say

STORIES = (
    "groups",
    "prices",
    "tiers",
    "crowd",
    "combine",
    "points",
    "levels",
    "rewards",
    "invitations",
    "all",
)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description="A story over HTTP, and its books.")
    parser.add_argument("story", nargs="?", default=STORIES[0], choices=STORIES)
    story = parser.parse_args(arguments).story
    system.end_on_signals()
    try:
        whole = _demo(story)
    except KeyboardInterrupt:
        sys.exit("\n演示中断了。")
    except (StoryFailed, *system.FAILURES) as failure:
        sys.exit(f"\n演示没有演完：{failure}")
    sys.exit(0 if whole else "\n有账对不上，见上面的 ✗。")


def _demo(story: str) -> bool:
    say("正在准备一套全新的系统……")
    with system.deployed(
        port=process.free_port(),
        wechat_port=process.free_port(),
        log=engine.CACHE / "demo.log",
        settings={"TIME_DIVISOR": str(TIME_DIVISOR)},
    ) as fresh:
        staff = fresh.owner()
        staff.set_up(pay_by_s=PAY_BY_S, levels=demo_levels.RULE)
        _explain()
        play = Play(fresh, staff)
        with hurried_clock(fresh.aws_url):
            race = _perform_groups(play) if story in ("groups", "all") else None
            if story in ("prices", "all"):
                _perform_prices(play)
            if story in ("tiers", "all"):
                _perform_tiers(play)
            if story in ("combine", "all"):
                demo_combine.combine_two_groups(play)
            if story in ("crowd", "all"):
                demo_crowd.bring_the_price_down(play)
            if story in ("points", "all"):
                _perform_points(play)
            if story in ("levels", "all"):
                _perform_levels(play)
            _perform_rewards(play, story)
            before = demo_books.take(play)
            demo_story.repeat_every_callback(play)
        books = demo_books.take(play)
        demo_books.show(books)
        whole = demo_books.verdict(demo_books.checks(books, race, before=before))
        played_s = time.monotonic() - play.began_s
        say(f"\n演示用时 {played_s:.0f} 秒，连同准备 {system.started_s():.0f} 秒。")
        return whole


def _perform_rewards(play: Play, story: str) -> None:
    if story in ("rewards", "all"):
        demo_rewards.reward_groups(play)
    if story in ("invitations", "all"):
        demo_invitations.bring_a_new_buyer(play)


def _perform_groups(play: Play) -> demo_story.Race:
    demo_story.form_a_group(play)
    racers = demo_story.miss_the_deadline(play)
    demo_story.pay_too_late(play)
    return demo_story.race_for_seats(play, racers)


def _perform_prices(play: Play) -> None:
    demo_prices.use_a_coupon(play)
    demo_prices.get_a_coupon_back(play)
    demo_prices.claim_the_last_ones(play)
    demo_prices.bring_new_buyers(play)
    demo_prices.form_with_fewer(play)
    demo_prices.free_the_leader(play)
    demo_limits.welcome_new_buyers(play)
    demo_limits.slow_a_rush(play)


def _perform_tiers(play: Play) -> None:
    demo_tiers.reach_a_tier(play)
    demo_tiers.fill_every_seat(play)


def _perform_points(play: Play) -> None:
    demo_points.earn_points(play)
    demo_points.get_points_back(play)
    demo_points.use_points(play)
    demo_points.exchange_points(play)


def _perform_levels(play: Play) -> None:
    demo_levels.become_members(play)
    demo_levels.open_a_group_for_members(play)


def _explain() -> None:
    hour_s, held_s = 3600 // TIME_DIVISOR, PAY_BY_S // TIME_DIVISOR
    say(f"\n「{SHOP}」的一天。所有人都只通过公开的 HTTP 接口操作，付款和回调是真实的签名与加密。")
    say(f"时间加快 {TIME_DIVISOR} 倍：1 小时的团等 {hour_s} 秒，名额保留 {held_s} 秒。")
    say("定时任务在线上每分钟一次，本机的 EventBridge 也快不过一分钟；")
    say(f"所以演示中每 {TICK_S:.0f} 秒另外通过 Lambda 接口调用一次。")


if __name__ == "__main__":
    main(sys.argv[1:])
