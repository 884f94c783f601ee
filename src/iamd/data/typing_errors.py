"""How many typing errors lie between two words: letters that are wrong, missing, too many, or changed places."""


def typing_errors(typed: str, meant: str, most: int) -> int:
    """The number of them, as far as it is `most` or less; more than `most` otherwise."""
    if abs(len(typed) - len(meant)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(meant) + 1))
    for row, letter in enumerate(typed, 1):
        line = [row]
        for column, other in enumerate(meant, 1):
            line.append(min(last[column] + 1, line[-1] + 1, last[column - 1] + (letter != other)))
            if row > 1 and column > 1 and letter == meant[column - 2] and typed[row - 2] == other:
                line[column] = min(line[column], before[column - 2] + 1)
        before, last = last, line
    return last[-1]
