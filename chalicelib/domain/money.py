"""Money: whole fen inside, yuan for people."""


def yuan(fen: int) -> str:
    """`fen` as people read it: ¥39.90."""
    return f"¥{fen // 100}.{fen % 100:02d}"
