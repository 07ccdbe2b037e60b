"""The demonstration shop 「山野果园」: what it sells, who works there, who buys.

Bodies are those of the API's routes; nothing here touches the network. Prices are whole fen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SHOP = "山野果园"
SERVICE_PHONE = "400-820-1357"
RETURN_ADDRESS = "山野果园售后 0571-8888 1357 杭州市余杭区文一西路 998 号"
BUSINESS_NAME = "山野果园（演示）食品有限公司"
MERCHANT_ID = "shanyeguoyuan000000001"  # the same at every start, so that links stay good
OWNER, PASSWORD = "shanye", "shanye-2026"  # of a shop that exists on this machine only
DAY_S, HOUR_S = 86400, 3600

# ¥1 earns a point, and 100 of them take ¥1 off, up to half of the goods.
POINTS = {
    "on": True,
    "per_yuan": 1,
    "for_yuan": 100,
    "share_max": 50,
    "expiry": "year",
    "days": 365,
}
# ¥1 is 1 growth; what levels take off is told by products and activities that say so.
LEVELS: dict[str, Any] = {
    "on": True,
    "per_yuan": 1,
    "per_group": 10,
    "levels": [
        {"name": "银卡会员", "from_growth": 100, "member_prices": True},
        {
            "name": "金卡会员",
            "from_growth": 1000,
            "member_prices": True,
            "price_percent": 95,
            "points_percent": 150,
        },
        {
            "name": "黑金会员",
            "from_growth": 5000,
            "member_prices": True,
            "price_percent": 90,
            "points_percent": 200,
            "free_from_fen": 0,
        },
    ],
}

REWARDS = {"on": True, "every": 5, "days": 90, "coupon_id": "", "points": 200}
INVITATIONS = {
    "on": True,
    "coupon_id": "",
    "points": 300,
    "gift_id": "",
    "wait_days": 0,
    "per_month": 10,
}
FOR_POINTS = {"points": 800, "price_fen": 100, "units": 20}  # a bottle of honey
GIFT = 1200  # points of the first buyer, so that there is something to use

CATEGORIES = ("时令水果", "山珍干货", "蜂蜜茶饮")

STORE = {
    "name": "山野果园·西溪店",
    "address": "杭州市余杭区文一西路 998 号",
    "phone": "0571-8888 1357",
    "hours": [
        {"days": "周一至周五", "hours": "9:00–20:00"},
        {"days": "周六、周日", "hours": "8:30–21:00"},
    ],
}

# Free from ¥29 of goods on, but far away.
FREIGHT = {
    "name": "满 29 元包邮（新疆、西藏另计）",
    "measure": "piece",
    "rule": {"first": 1, "first_fen": 800, "next": 1, "next_fen": 200, "free_from_fen": 2900},
    "regions": [
        {
            "provinces": ["新疆", "西藏"],
            "rule": {"first": 1, "first_fen": 2000, "next": 1, "next_fen": 1000},
        }
    ],
    "not_delivered": ["台湾", "香港", "澳门"],
}

STAFF = (
    {"username": "lizhang", "name": "李掌柜", "role": "manager", "password": "lizhang-2026"},
    {"username": "xiaowu", "name": "小吴", "role": "fulfilment", "password": "xiaowu-2026"},
    {"username": "ayun", "name": "阿云", "role": "service", "password": "ayun-kefu-2026"},
)


@dataclass(frozen=True)
class Sku:
    """One SKU; `group_fen`, `leader_fen` (of who opens a group, where it is lower) and `units` are
    what the activity sells it for, and how many; `member_fen` is the product's own."""

    specs: dict[str, str]
    list_fen: int
    solo_fen: int
    group_fen: int
    stock: int
    units: int
    leader_fen: int | None = None
    member_fen: int | None = None


@dataclass(frozen=True)
class Activity:
    title: str
    seats: int
    life_h: int = 24
    days: int = 7
    window_h: int = 0  # that it lasts, if it is less than a day
    starts_in_h: int = 0
    limit_per_buyer: int = 0
    limit_per_order: int = 5
    reductions: tuple[tuple[int, int], ...] = ()  # (from_fen, off_fen)
    new_buyers: str = "nobody"
    seats_least: int = 0
    compensation: str = ""  # the name of the coupons that members of failed groups are given
    compensation_points: int = 0
    leader_free: bool = False
    tiers: tuple[tuple[int, int], ...] = ()  # (seats, off_fen): from so many people on, each unit
    crowd_tiers: tuple[tuple[int, int], ...] = ()  # the same, of all its groups together
    points: bool = False
    combines: bool = False
    member_prices: bool = False
    members_from: int = 0
    per_minute: int = 0


@dataclass(frozen=True)
class Product:
    name: str  # of its pictures
    title: str
    category: str
    description: str
    skus: tuple[Sku, ...]
    activity: Activity | None = None

    def body(self, category_id: str, images: Sequence[str] = ()) -> dict[str, Any]:
        """What POST /v1/merchant/products takes. images: addresses of accepted pictures."""
        return {
            "title": self.title,
            "category_id": category_id,
            "description": f"<p>{self.description}</p>",
            "images": list(images),
            "warn_below": 20,
            "skus": [
                {
                    "specs": sku.specs,
                    "list_price_fen": sku.list_fen,
                    "solo_price_fen": sku.solo_fen,
                    "stock": sku.stock,
                    "member_price_fen": sku.member_fen,
                }
                for sku in self.skus
            ],
        }

    def activity_body(
        self, activity: Activity, product_id: str, sku_ids: Sequence[str], *, now_s: int
    ) -> dict[str, Any]:
        """What POST /v1/merchant/activities takes; `sku_ids` in the order of `skus`."""
        starts_at_s = now_s + activity.starts_in_h * HOUR_S if activity.starts_in_h else 0
        return {
            "product_id": product_id,
            "title": activity.title,
            "skus": [
                {
                    "sku_id": sku_id,
                    "group_price_fen": sku.group_fen,
                    "leader_price_fen": sku.leader_fen,
                    "stock": sku.units,
                }
                for sku_id, sku in zip(sku_ids, self.skus, strict=True)
            ],
            "seats_total": activity.seats,
            "life_h": activity.life_h,
            "starts_at_s": starts_at_s,
            "ends_at_s": (starts_at_s or now_s)
            + (activity.window_h * HOUR_S or activity.days * DAY_S),
            "limit_per_buyer": activity.limit_per_buyer,
            "limit_per_order": activity.limit_per_order,
            "reductions": [
                {"from_fen": least, "off_fen": off} for least, off in activity.reductions
            ],
            "new_buyers": activity.new_buyers,
            "seats_least": activity.seats_least,
            "compensation_points": activity.compensation_points,
            "leader_free": activity.leader_free,
            "tiers": [{"seats": seats, "off_fen": off} for seats, off in activity.tiers],
            "crowd_tiers": [
                {"seats": seats, "off_fen": off} for seats, off in activity.crowd_tiers
            ],
            "points": activity.points,
            "combines": activity.combines,
            "member_prices": activity.member_prices,
            "members_from": activity.members_from,
            "per_minute": activity.per_minute,
        }


STRAWBERRY = Product(
    "strawberry",
    "云南高原红颜草莓 当天现摘",
    "时令水果",
    "海拔 2200 米的露天草莓，清晨采摘，当天发出。坏果拍照，按个赔付。",
    (
        Sku({"规格": "2 斤装"}, 12900, 9900, 5900, stock=300, units=120),
        Sku({"规格": "4 斤装"}, 22900, 17900, 10900, stock=200, units=60),
    ),
    Activity("红颜草莓三人团", seats=3, limit_per_buyer=4, limit_per_order=2),
)

ORANGE = Product(
    "orange",
    "赣南脐橙 现摘现发",
    "时令水果",
    "信丰老树脐橙，皮薄多汁。不打蜡，不催熟。",
    (
        Sku({"规格": "5 斤装", "果径": "中果"}, 4990, 3990, 2990, stock=500, units=200),
        Sku({"规格": "5 斤装", "果径": "大果"}, 5990, 4990, 3790, stock=400, units=150),
        Sku({"规格": "9 斤装", "果径": "中果"}, 7990, 6590, 4990, stock=400, units=150),
        Sku({"规格": "9 斤装", "果径": "大果"}, 8990, 7590, 5890, stock=300, units=100),
    ),
    Activity(
        "赣南脐橙两人团",
        seats=2,
        limit_per_order=3,
        reductions=((8000, 1000), (15000, 2500)),
        new_buyers="joiners",
    ),
)

APPLE = Product(
    "apple",
    "阿克苏冰糖心苹果 80mm 以上",
    "时令水果",
    "昼夜温差养出的冰糖心，脆甜。整箱发货。",
    (
        Sku({"规格": "5 斤装"}, 6990, 5490, 3990, stock=300, units=100),
        Sku({"规格": "10 斤装"}, 11990, 9990, 7490, stock=200, units=80),
    ),
    Activity(
        "冰糖心苹果五人团",
        seats=5,
        life_h=48,
        days=10,
        limit_per_order=1,
        seats_least=3,
        leader_free=True,
    ),
)

POMEGRANATE = Product(
    "pomegranate",
    "会理突尼斯软籽石榴",
    "时令水果",
    "籽软可嚼，不吐籽。单果七两以上。",
    (
        Sku({"规格": "6 个装"}, 5990, 4890, 3690, stock=240, units=90, member_fen=3390),
        Sku({"规格": "12 个装"}, 10990, 8890, 6890, stock=160, units=60, member_fen=6390),
    ),
    Activity(
        "软籽石榴三人团",
        seats=3,
        starts_in_h=48,
        days=5,
        points=True,
        member_prices=True,
    ),
)

KIWI = Product(
    "kiwi",
    "蒲江黄心猕猴桃 软了就能吃",
    "时令水果",
    "黄心软糯，酸味轻。收到放两三天，捏着稍软最甜。",
    (
        Sku({"规格": "12 个装"}, 8990, 7590, 5900, stock=300, units=120),
        Sku({"规格": "24 个装"}, 16990, 13990, 10900, stock=200, units=60),
    ),
    Activity(
        "黄心猕猴桃阶梯团",
        seats=10,
        life_h=48,
        days=12,
        limit_per_order=2,
        seats_least=2,
        tiers=((5, 400), (10, 1000)),
    ),
)

PERSIMMON = Product(
    "persimmon",
    "临潼火晶柿子 软糯流心",
    "时令水果",
    "皮薄无核，放软了吃。到货偏硬属正常，室温放两三天。",
    (Sku({"规格": "3 斤装"}, 4990, 3990, 2690, stock=160, units=60),),
    Activity("火晶柿子会员团", seats=2, days=20, members_from=1),
)

PEAR = Product(
    "pear",
    "砀山酥梨 现摘现发",
    "时令水果",
    "百年老树，皮薄肉脆。每分钟放 20 个名额，抢到为止。",
    (Sku({"规格": "5 斤装"}, 4590, 3590, 1990, stock=300, units=100),),
    Activity("砀山酥梨限时团", seats=2, life_h=2, window_h=20, limit_per_order=1, per_minute=20),
)

PLUM = Product(
    "plum",
    "信宜三华李 脆甜爽口",
    "时令水果",
    "果粉自然，脆甜微酸。新朋友见面价。",
    (Sku({"规格": "3 斤装"}, 4290, 3290, 990, stock=200, units=80),),
    Activity(
        "三华李新客团", seats=2, days=20, limit_per_buyer=1, limit_per_order=1, new_buyers="all"
    ),
)

MATSUTAKE = Product(
    "matsutake",
    "香格里拉松茸干片",
    "山珍干货",
    "手工切片，低温烘干。炖汤前温水泡二十分钟。",
    (
        Sku({"净含量": "50 克"}, 16800, 13800, 9800, stock=120, units=40, leader_fen=8800),
        Sku({"净含量": "100 克"}, 31800, 25800, 18800, stock=80, units=30, leader_fen=16800),
    ),
    Activity(
        "松茸干片万人团",
        seats=3,
        life_h=72,
        days=14,
        limit_per_buyer=2,
        limit_per_order=2,
        crowd_tiers=((6, 500), (100, 1200), (1000, 2000)),
    ),
)

MUSHROOM = Product(
    "mushroom",
    "古田花菇 肉厚免剪脚",
    "山珍干货",
    "椴木栽培，菇面自然开花。",
    (
        Sku({"净含量": "250 克"}, 6880, 5680, 4280, stock=260, units=80),
        Sku({"净含量": "500 克"}, 12880, 10680, 7980, stock=160, units=50),
    ),
    Activity(
        "古田花菇两人团", seats=2, life_h=12, compensation="下次再来券", compensation_points=50
    ),
)

HONEY = Product(
    "honey",
    "秦岭土蜂蜜 一年一割",
    "蜂蜜茶饮",
    "中华蜂采百花，一年只割一次。低温会结晶，是正常现象。",
    (
        Sku({"净含量": "500 克", "包装": "瓶装"}, 9800, 7800, 5800, stock=200, units=80),
        Sku({"净含量": "1000 克", "包装": "瓶装"}, 17800, 14800, 10800, stock=150, units=60),
        Sku({"净含量": "1000 克", "包装": "礼盒"}, 21800, 17800, 13800, stock=80, units=30),
    ),
    Activity("秦岭土蜂蜜三人团", seats=3, limit_per_order=2, points=True, combines=True),
)

TEA = Product(  # sold alone: it has no activity yet
    "tea",
    "武夷山桂圆红枣茶",
    "蜂蜜茶饮",
    "桂圆、红枣、枸杞，独立小包，焖泡五分钟。",
    (
        Sku({"规格": "15 包"}, 4900, 3900, 2900, stock=300, units=100),
        Sku({"规格": "30 包"}, 8900, 6900, 5200, stock=200, units=80),
    ),
)

PRODUCTS = (
    STRAWBERRY,
    ORANGE,
    APPLE,
    POMEGRANATE,
    KIWI,
    PERSIMMON,
    PEAR,
    PLUM,
    MATSUTAKE,
    MUSHROOM,
    HONEY,
    TEA,
)

# Bodies of POST /v1/merchant/coupons, but for their categories, which are called by name.
COUPONS: tuple[dict[str, Any], ...] = (
    {
        "name": "新店满减券",
        "kind": "amount",
        "off_fen": 500,
        "from_fen": 5000,
        "days": 7,
        "total": 500,
    },
    {
        "name": "拼团立减券",
        "kind": "amount",
        "off_fen": 300,
        "usable_for": "groups",
        "days": 7,
        "total": 300,
    },
    {
        "name": "老客水果券",
        "kind": "percent",
        "percent": 90,
        "most_off_fen": 2000,
        "scope": "categories",
        "scope_ids": ["时令水果"],
        "given": "link",
        "days": 15,
        "total": 200,
    },
    {
        "name": "积分兑换券",
        "kind": "amount",
        "off_fen": 500,
        "points": 600,
        "given": "link",
        "per_buyer": 3,
        "days": 30,
        "total": 200,
    },
    {
        "name": "集市传单券",
        "kind": "amount",
        "off_fen": 600,
        "from_fen": 3000,
        "given": "code",
        "days": 30,
        "total": 100,
    },
    {
        "name": "下次再来券",
        "kind": "amount",
        "off_fen": 300,
        "given": "shop",
        "days": 15,
        "total": 500,
        "per_buyer": 5,
    },
    {
        "name": "生日券",
        "kind": "amount",
        "off_fen": 2000,
        "given": "shop",
        "days": 30,
        "total": 500,
        "per_buyer": 5,
    },
)
BIRTHDAY = "生日券"  # the coupon that the highest level gives
# Bodies of POST /v1/merchant/member-tags.
MEMBER_TAGS: tuple[dict[str, Any], ...] = (
    {"name": "老朋友"},
    {"name": "大客户", "rule": {"spent_least_fen": 20_000}},
    {"name": "新近下单", "rule": {"within_days": 7}},
    {"name": "好久没来", "rule": {"longer_ago_days": 60}},
)
CODES = 20  # of those that are claimed by codes


def coupon_bodies(categories: Mapping[str, str]) -> list[dict[str, Any]]:
    """What POST /v1/merchant/coupons takes. categories: their ids by name."""
    return [
        coupon | {"scope_ids": [categories[name] for name in coupon.get("scope_ids", ())]}
        for coupon in COUPONS
    ]


# A login code demo-<name> always means the same buyer at the local WeChat.
BUYERS = {"linxiaoman": "林小满", "zhouxingyuan": "周行远", "chenzhixia": "陈知夏"}


def address(name: str) -> dict[str, str]:
    return {
        "name": name,
        "phone": "13800138000",
        "province": "浙江省",
        "city": "杭州市",
        "district": "余杭区",
        "street": "文一西路 969 号西溪花园 12 幢 2 单元 1603 室",
    }
