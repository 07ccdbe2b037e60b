"""What a product may be: its title, its pictures, its SKUs and their prices."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.money import yuan
from chalicelib.errors import InvalidRequest
from chalicelib.text import Text

TITLE_MAX = 60
SELLING_POINT_MAX = 40
UNIT_MAX = 6
DESCRIPTION_MAX = 10_000  # with its HTML
SKU_CODE_MAX = 32
IMAGES_MAX = 9
IMAGE_URL_MAX = 500
SKUS_MAX = 200
SPEC_NAMES_MAX = 3
SPEC_TEXT_MAX = 20
ONLY_SPEC = "默认规格"  # of a product without specs
PRICE_FEN_MAX = 99_999_999
STOCK_MAX = 9_999_999
WEIGHT_G_MAX = 1_000_000
WORDS_MAX = 5  # of a search

Problem = dict[str, str]  # {"field": where, "problem": what to do about it}


@dataclass(frozen=True)
class SkuDraft:
    """One SKU as staff wrote it. `sku_id` is None for a new one, which alone brings `stock`."""

    specs: Mapping[str, str]  # name -> value, e.g. {"颜色": "红色", "尺码": "XL"}
    list_price_fen: int
    solo_price_fen: int
    stock: int | None = None
    image: str = ""
    sku_id: str | None = None
    code: str = ""  # the shop's own, e.g. of its warehouse
    cost_fen: int | None = None  # what the shop paid for it; for staff alone
    weight_g: int = 0  # packed; 0: not known
    member_price_fen: int | None = None  # of members whose level has own prices; None: it has none


@dataclass(frozen=True)
class ProductDraft:
    title: str
    category_id: str
    skus: tuple[SkuDraft, ...]
    description: str = ""
    images: tuple[str, ...] = ()
    on_sale: bool = True
    selling_point: str = ""
    unit: str = ""  # what one of it is called: 箱, 盒
    warn_below: int = 0  # of any SKU that no activity holds; 0: never
    freight_template_id: str = ""  # empty: free


def spec_text(specs: Mapping[str, str]) -> str:
    """A SKU in words: 红色 / XL."""
    return " / ".join(specs.values()) or ONLY_SPEC


def found_by(draft: ProductDraft) -> str:
    """What a search for words looks in: the title and the codes of the SKUs."""
    return normal("\n".join([draft.title, *(sku.code for sku in draft.skus if sku.code)]))


def normal(text: str) -> str:
    """`text` without what a search leaves aside: case, width of letters, outer blanks."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def sought(q: str) -> list[str]:
    """The words that a search for `q` wants to find, each of them somewhere in what is `normal`."""
    return normal(q).split()[:WORDS_MAX]


def trouble(field: str, problem: str) -> Problem:
    return {"field": field, "problem": Text(problem)}


def raise_problems(problems: Sequence[Problem]) -> None:
    """Raise InvalidRequest with all problems of what staff want to save, if there are any."""
    if problems:
        words = Text("还有 {count} 处需要修改，改好就能保存。", count=len(problems))
        raise InvalidRequest(words, problems=list(problems))


def problems_of(draft: ProductDraft, *, known: Sequence[str] = ()) -> list[Problem]:
    """Everything that is wrong with `draft`, each with its field; empty when it can be saved.

    known: ids of the SKUs that the product has already; none for a new product.
    """
    return [
        *_of_texts(draft),
        *_of_sku_list(draft, known),
        *_of_skus(draft),
        *_of_codes(draft),
        *_of_weights(draft),
    ]


def _of_texts(draft: ProductDraft) -> Iterator[Problem]:
    if not 1 <= len(draft.title.strip()) <= TITLE_MAX:
        yield trouble("title", Text("商品名称要有 1 到 {max} 个字，请修改。", max=TITLE_MAX))
    if len(draft.description) > DESCRIPTION_MAX:
        yield trouble("description", Text("商品介绍最多 {max} 个字，请删减。", max=DESCRIPTION_MAX))
    if len(draft.images) > IMAGES_MAX:
        yield trouble("images", Text("图片最多 {max} 张，请删减。", max=IMAGES_MAX))
    if len(draft.selling_point.strip()) > SELLING_POINT_MAX:
        yield trouble("selling_point", Text("卖点最多 {max} 个字，请删减。", max=SELLING_POINT_MAX))
    if len(draft.unit.strip()) > UNIT_MAX:
        yield trouble("unit", Text("单位最多 {max} 个字，请删减。", max=UNIT_MAX))
    if not 0 <= draft.warn_below <= STOCK_MAX:
        yield trouble(
            "warn_below", Text("预警值要在 0 到 {max} 件之间，填 0 表示不预警。", max=STOCK_MAX)
        )


def _of_sku_list(draft: ProductDraft, known: Sequence[str]) -> Iterator[Problem]:
    if not 1 <= len(draft.skus) <= SKUS_MAX:
        yield trouble("skus", Text("规格组合要有 1 到 {max} 个，请增减规格。", max=SKUS_MAX))
        return
    names = tuple(draft.skus[0].specs)
    if len(names) > SPEC_NAMES_MAX:
        yield trouble(
            "skus", Text("规格项最多 {max} 个（例如颜色、尺码），请删减。", max=SPEC_NAMES_MAX)
        )
    seen: set[tuple[str, ...]] = set()
    kept: set[str] = set()
    for i, sku in enumerate(draft.skus):
        if set(sku.specs) != set(names):
            yield trouble(f"skus[{i}].specs", "每个规格组合的规格项要相同，请补全。")
            continue
        values = tuple(sku.specs[name].strip() for name in names)
        if values in seen:
            words = spec_text(sku.specs)
            yield trouble(
                f"skus[{i}].specs", Text("「{words}」重复了，请修改或删除一个。", words=words)
            )
        seen.add(values)
        yield from _of_identity(i, sku, known, kept)


def _of_identity(i: int, sku: SkuDraft, known: Sequence[str], kept: set[str]) -> Iterator[Problem]:
    """A SKU is new and brings its stock, or known and named once; its stock is adjusted apart."""
    if sku.sku_id is None:
        if sku.stock is None or not 0 <= sku.stock <= STOCK_MAX:
            yield trouble(
                f"skus[{i}].stock", Text("库存要在 0 到 {max} 之间，请修改。", max=STOCK_MAX)
            )
        return
    if sku.sku_id not in known or sku.sku_id in kept:
        yield trouble(f"skus[{i}].sku_id", "没有这个规格，请刷新后再试。")
    if sku.stock is not None:
        yield trouble(
            f"skus[{i}].stock", "已有规格的库存请用“调整库存”增减，以免覆盖刚卖出的数量。"
        )
    kept.add(sku.sku_id)


def _of_skus(draft: ProductDraft) -> Iterator[Problem]:
    for i, sku in enumerate(draft.skus):
        for text in (*sku.specs, *sku.specs.values()):
            if not 1 <= len(text.strip()) <= SPEC_TEXT_MAX:
                words = Text("规格名称和规格值要有 1 到 {max} 个字，请修改。", max=SPEC_TEXT_MAX)
                yield trouble(f"skus[{i}].specs", words)
                break
        if not 1 <= sku.solo_price_fen <= PRICE_FEN_MAX:
            words = Text(
                "单买价要在 {min} 到 {max} 之间，请修改。", min=yuan(1), max=yuan(PRICE_FEN_MAX)
            )
            yield trouble(f"skus[{i}].solo_price_fen", words)
        if sku.member_price_fen is not None and not (
            1 <= sku.member_price_fen < sku.solo_price_fen
        ):
            yield trouble(
                f"skus[{i}].member_price_fen",
                "会员价要大于 0，并低于单买价，请修改；没有会员价就不填。",
            )
        if not sku.solo_price_fen <= sku.list_price_fen <= PRICE_FEN_MAX:
            words = Text(
                "划线价不能低于单买价 {price}，请改高或与单买价相同。",
                price=yuan(sku.solo_price_fen),
            )
            if sku.list_price_fen > PRICE_FEN_MAX:
                words = Text("划线价最高 {max}，请改低。", max=yuan(PRICE_FEN_MAX))
            yield trouble(f"skus[{i}].list_price_fen", words)


def _of_weights(draft: ProductDraft) -> Iterator[Problem]:
    for i, sku in enumerate(draft.skus):
        if not 0 <= sku.weight_g <= WEIGHT_G_MAX:
            words = Text("重量要在 0 到 {max} 克之间，请修改。", max=WEIGHT_G_MAX)
            yield trouble(f"skus[{i}].weight_g", words)


def _of_codes(draft: ProductDraft) -> Iterator[Problem]:
    seen: set[str] = set()
    for i, sku in enumerate(draft.skus):
        code = sku.code.strip()
        if len(code) > SKU_CODE_MAX:
            yield trouble(
                f"skus[{i}].code", Text("规格编码最多 {max} 个字符，请删减。", max=SKU_CODE_MAX)
            )
        elif code and code in seen:
            yield trouble(f"skus[{i}].code", Text("规格编码「{code}」重复了，请修改。", code=code))
        if not 0 <= (sku.cost_fen or 0) <= PRICE_FEN_MAX:
            words = Text(
                "成本价要在 {min} 到 {max} 之间，请修改。", min=yuan(0), max=yuan(PRICE_FEN_MAX)
            )
            yield trouble(f"skus[{i}].cost_fen", words)
        seen.add(code)
