"""What staff wrote of a product, tidied, and everything that keeps it from being saved."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from chalicelib.domain.product import Problem, ProductDraft, problems_of, raise_problems, trouble
from chalicelib.services.catalogue import categories, freight_templates
from chalicelib.services.catalogue.descriptions import cleaned, has_foreign_image
from chalicelib.services.media import pictures


def normalised(draft: ProductDraft) -> ProductDraft:
    """The draft without outer blanks, its description with no HTML but what may be shown."""
    return replace(
        draft,
        title=draft.title.strip(),
        selling_point=draft.selling_point.strip(),
        unit=draft.unit.strip(),
        description=cleaned(draft.description),
        skus=tuple(replace(sku, code=sku.code.strip()) for sku in draft.skus),
    )


def refuse_problems(merchant_id: str, draft: ProductDraft, *, known: Sequence[str]) -> None:
    """Raises InvalidRequest with all problems of a normalised draft.

    known: ids of the SKUs that the product has already.
    """
    raise_problems([*problems_of(draft, known=known), *_of_pictures(merchant_id, draft)])
    categories.require(merchant_id, draft.category_id)
    if draft.freight_template_id:
        freight_templates.require(merchant_id, draft.freight_template_id)


def _of_pictures(merchant_id: str, draft: ProductDraft) -> Iterator[Problem]:
    """The pictures that are not the shop's own accepted ones."""

    def is_ours(url: str) -> bool:
        return pictures.is_accepted(merchant_id, url)

    named = [(f"images[{i}]", url) for i, url in enumerate(draft.images)]
    named += [(f"skus[{i}].image", sku.image) for i, sku in enumerate(draft.skus) if sku.image]
    for field, url in named:
        if not is_ours(url):
            yield trouble(field, "这张图片不是在本店上传的，请重新上传。")
    if has_foreign_image(draft.description, is_ours):
        words = "商品介绍里有不是在本店上传的图片，请删除它，或重新上传。"
        yield trouble("description", words)
