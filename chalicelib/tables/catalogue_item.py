"""What every item of table `catalogue` has: its kind, its revision, its place in lists."""

from pynamodb.attributes import DiscriminatorAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.settings import settings
from chalicelib.tables.base import IntAttribute, StoredItem


class ByList(GlobalSecondaryIndex["CatalogueItem"]):
    """Sparse: `products_list` and `activities_list` of a merchant, in `list_rank` order."""

    class Meta:
        index_name = "by_list"
        projection = AllProjection()

    list_key = UnicodeAttribute(hash_key=True)
    list_rank = UnicodeAttribute(range_key=True)


class ByCategory(GlobalSecondaryIndex["CatalogueItem"]):
    """Sparse: the same lists of one category, in the same order."""

    class Meta:
        index_name = "by_category"
        projection = AllProjection()

    category_key = UnicodeAttribute(hash_key=True)
    list_rank = UnicodeAttribute(range_key=True)


class CatalogueItem(StoredItem):
    """Any item of the table; reads give the class that `kind` names."""

    class Meta:
        table_name = settings.catalogue_table

    kind = DiscriminatorAttribute()
    merchant_id = UnicodeAttribute()
    revision = IntAttribute(default=1)  # counts edits; an edit conditions on the one it read
    list_key = UnicodeAttribute(null=True)
    category_key = UnicodeAttribute(null=True)
    list_rank = UnicodeAttribute(null=True)
    by_list = ByList()
    by_category = ByCategory()
