"""The units of an order: where each of them is.

    bought ─▶ to deliver ─▶ delivered (shipped, or handed over) ─▶ brought back
                   └──────▶ cancelled

Every unit is in one of these places, so that shipped + handed over + cancelled is never more than
what was bought, whatever the way of delivery. Cancelled units are back on sale; of those that the
buyer brought back, some may be (damaged goods are not).
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Units:
    """How many of an order's units were bought, and what has become of them."""

    bought: int = 1
    shipped: int = 0
    handed_over: int = 0
    cancelled: int = 0  # back on sale before they were delivered
    brought_back: int = 0  # by the buyer, after they were delivered
    returned: int = 0  # of those two: on sale again

    @property
    def to_deliver(self) -> int:
        """Units that are still to be shipped or handed over."""
        return self.bought - self.shipped - self.handed_over - self.cancelled

    @property
    def with_buyer(self) -> int:
        """Units that are with the buyer, or on their way."""
        return self.shipped + self.handed_over - self.brought_back

    @property
    def all_back(self) -> bool:
        """Whether nothing is to be delivered, and nothing is with the buyer."""
        return self.to_deliver + self.with_buyer == 0

    @property
    def may_go_back(self) -> int:
        return self.to_deliver + self.with_buyer

    def sent_back(self, units: int, resold: int) -> "Units":
        """The units once the buyer has sent `units` of those that were delivered back, and
        `resold` of these are on sale again."""
        return replace(
            self, brought_back=self.brought_back + units, returned=self.returned + resold
        )

    def given_back(self, units: int) -> "Units":
        """The units once `units` of them are on sale again: those not delivered first."""
        cancelled = min(units, self.to_deliver)
        return replace(
            self,
            cancelled=self.cancelled + cancelled,
            brought_back=self.brought_back + units - cancelled,
            returned=self.returned + units,
        )
