"""Words that say nothing of what is looked for: those that only ask (*show me some*, *please*), praise (*nice*,
*cheap*), or say for whom (*for my wife*). They are left out where the catalog does not have them."""

from __future__ import annotations

import re
from collections.abc import Callable

from index import stem_token, term_sequence

_ASKING = re.compile(
    r"""(?:(?:please|hi|hello|hey)[,!]?\s+)*
    (?:(?:can|could)\s+(?:you|i)\s+(?:please\s+)?)?
    (?:(?:show|find|get|give|recommend)\s+(?:me|us)
      |i\s*(?:['’]m|\s+am)\s+(?:looking|searching)\s+for|i(?:\s+(?:want|need)|(?:['’]d|\s+would)\s+like)
      |(?:looking|searching|search)\s+for|do\s+you\s+(?:have|sell|carry)|where\s+(?:can|do)\s+i\s+(?:get|buy|find))?
    (?:\s*\b(?:something|anything|some|any|a|an))?
    (?:\s+to\s+(?:buy|get|have|make|do|wear|eat|drink|use|cook))?
    (?:\s+(?:for|with|like|from|some|any|a|an|the))*
    \s+(?=\S)""",
    re.IGNORECASE | re.VERBOSE,
)
"""How people begin who talk to a search, and no product's name begins: ``something to make dal``."""
_FOR_WHOM = re.compile(
    r"\s+for\s+(?:(?:my|his|her|our|their|a|the)\s+)?(?:me|myself|(?P<who>wife|husband|mum|mom|mother|dad|father|son|"
    r"daughter|girlfriend|boyfriend|friend|brother|sister|grandma|grandpa|grandmother|grandfather))(?!\S)",
    re.IGNORECASE,
)
_PRAISE = frozenset(
    re.findall(
        r"\w+",
        "cheap cheaper cheapest affordable inexpensive nice nicer nicest good better best great perfect beautiful "
        "pretty lovely cute cool awesome amazing popular trendy favourite favorite recommended quality please pls "
        "thanks buy buying purchase online price prices",
    )
)


def without_asking(text: str, is_said: Callable[[str], bool]) -> str:
    """Without the words that a text begins with, if they only ask and no product has them so: *Looking for Alaska*.

    Args:
        is_said: Whether a product has some words in this order, or they are in quotes.
    """
    found = _ASKING.match(text)
    if found is None or len(term_sequence(found[0])) < 2 or is_said(found[0]):
        return text
    return text[found.end() :]


def without_praise(text: str, has: Callable[[str], bool]) -> str:
    """Without words that only praise, and for whom something is, where the catalog does not have them; the text as it
    is where nothing would be left to look for."""
    left = _FOR_WHOM.sub(lambda found: found[0] if found["who"] and has(found["who"]) else "", text)
    words = [word for word in left.split() if (plain := word.lower().strip(".,;:!?")) not in _PRAISE or has(plain)]
    if len(words) == len(text.split()) or not any(stem_token(word) for word in term_sequence(" ".join(words))):
        return text
    return " ".join(words)
