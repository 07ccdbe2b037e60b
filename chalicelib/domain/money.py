"""Money: whole fen inside, yuan for people."""


def yuan(fen: int) -> str:
    """`fen` as people read it: ¥39.90."""
    return f"¥{fen // 100}.{fen % 100:02d}"


def round_yuan(fen: int) -> str:
    """`fen` as people say it, where the sign is not needed: 100, or 99.50."""
    return yuan(fen).removeprefix("¥").removesuffix(".00")
