"""The fewest prefixes that tell the regions and classes of a country code apart.

libphonenumber describes the numbers of a region by regular expressions, one for each type of number. Each expression is
read digit by digit through its partial derivatives (Antimirov 1996): a state is the set of what may still follow. The
states of all regions and types of a code, taken together, span a tree of prefixes, on which a dynamic programme finds
the labelling with the fewest entries. Digits that no expression allows take the label of the prefix above: fraud
uses ranges that were never allocated, and they belong to the country all the same.
"""

from functools import lru_cache
from re import _parser

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata

TYPES = {
    "premium_rate": "premium",
    "shared_cost": "shared",
    "toll_free": "toll_free",
    "fixed_line": "other",
    "mobile": "other",
    "voip": "other",
    "personal_number": "other",
    "pager": "other",
    "uan": "other",
    "voicemail": "other",
}
# Where prefixes cannot tell two classes apart, the one that costs more.
CAUTION = ["premium", "shared", "other", "toll_free"]
NATIONAL_DIGITS = 7


def sequence(items):
    """A parsed expression as a tuple of digit sets, ("any", alternatives) and ("times", least, most, sequence)."""
    out = []
    for operation, value in items:
        operation = str(operation)
        if operation == "LITERAL":
            out.append(frozenset(chr(value)))
        elif operation == "IN":
            digits = set()
            for kind, content in value:
                kind = str(kind)
                if kind == "LITERAL":
                    digits.add(chr(content))
                elif kind == "RANGE":
                    digits.update(map(chr, range(content[0], content[1] + 1)))
                else:
                    digits.update("0123456789")
            out.append(frozenset(digits))
        elif operation == "SUBPATTERN":
            out.extend(sequence(value[3]))
        elif operation == "BRANCH":
            out.append(("any", frozenset(sequence(alternative) for alternative in value[1])))
        elif operation == "MAX_REPEAT":
            out.append(("times", value[0], value[1], sequence(value[2])))
        else:
            raise ValueError(f"unexpected {operation} in a number pattern")
    return tuple(out)


@lru_cache(maxsize=None)
def after(expression, digit):
    """What may follow `digit` in a sequence: its partial derivatives."""
    if not expression:
        return frozenset()
    first, rest = expression[0], expression[1:]
    if isinstance(first, frozenset):
        return frozenset([rest]) if digit in first else frozenset()
    if first[0] == "any":
        return frozenset().union(*(after(alternative + rest, digit) for alternative in first[1]))
    _, least, most, repeated = first
    found = frozenset()
    if most > 0:
        found |= after(repeated + (("times", max(least - 1, 0), most - 1, repeated),) + rest, digit)
    if least == 0:
        found |= after(rest, digit)
    return found


@lru_cache(maxsize=None)
def follow(state, digit):
    return frozenset().union(*(after(expression, digit) for expression in state))


class CountryCode:
    """The prefixes of one country code."""

    def __init__(self, code, regions):
        self.code, self.regions = code, regions
        self.patterns = {}
        main = {}  # the main region comes first
        for region in regions:
            if region == "001":
                metadata = PhoneMetadata.metadata_for_nongeo_region(code)
            else:
                metadata = PhoneMetadata.metadata_for_region(region)
            for kind, label in TYPES.items():
                description = getattr(metadata, kind, None)
                pattern = description and description.national_number_pattern
                if pattern and pattern != "NA":
                    # What the main region has word for word (freephone in +1) belongs to the code, not to its parts.
                    if region == regions[0]:
                        main[kind] = pattern
                    owner = regions[0] if main.get(kind) == pattern else region
                    expressions = self.patterns.setdefault((owner, label), set())
                    expressions.add(sequence(_parser.parse(pattern)))
        self.labels = sorted(self.patterns, key=self.caution)
        self.root = tuple(frozenset(self.patterns[label]) for label in self.labels)
        self.costs = {}

    def caution(self, label):
        return CAUTION.index(label[1]), self.regions.index(label[0])

    def child(self, node, digit):
        return tuple(follow(state, digit) for state in node)

    def live(self, node):
        return [label for label, state in zip(self.labels, node) if state]

    def cost(self, node, depth):
        """Entries needed in this subtree: by the label that comes down from above, and for all other labels."""
        key = node, depth
        if key not in self.costs:
            live = self.live(node)
            if not live:
                answer = {}, 0
            elif len(live) == 1 or depth == NATIONAL_DIGITS:
                answer = {live[0]: 0}, 1
            else:
                here, other = self.cost_if_labelled(node, depth)
                new = 1 + min([other, *here.values()])
                answer = {label: min(cost, new) for label, cost in here.items()}, min(other, new)
            self.costs[key] = answer
        return self.costs[key]

    def cost_if_labelled(self, node, depth):
        """Entries needed below a node: by the label of the node, and for all labels not listed."""
        below = [self.cost(self.child(node, digit), depth + 1) for digit in "0123456789"]
        here = {label: sum(costs.get(label, other) for costs, other in below) for label in self.live(node)}
        return here, sum(other for _, other in below)

    def entries(self, node, prefix, label):
        """The prefixes below `node`, `label` being what it has from above; None makes an entry here."""
        depth = len(prefix) - len(str(self.code))
        live = self.live(node)
        if not live:
            return
        if len(live) == 1 or depth == NATIONAL_DIGITS:
            if label != live[0]:
                yield prefix, live[0]
            return
        here, other = self.cost_if_labelled(node, depth)
        best = min(here, key=lambda name: (here[name], self.caution(name)))
        if label is None or here.get(label, other) > 1 + here[best]:
            label = best
            yield prefix, label
        for digit in "0123456789":
            yield from self.entries(self.child(node, digit), prefix + digit, label)

    def prefixes(self):
        """All entries; the country code itself is an ordinary number of its main region where it has such numbers."""
        code = str(self.code)
        main = (self.regions[0], "other")
        if main not in self.patterns:
            yield from self.entries(self.root, code, None)
            return
        yield code, main
        # In the shared code 1 an area code that is not in use is nobody's: no entry may be shorter than an area code.
        depth = 3 if self.code == 1 else 1
        for number in range(10**depth):
            digits = f"{number:0{depth}}"
            node = self.root
            for digit in digits:
                node = self.child(node, digit)
            yield from self.entries(node, code + digits, main)


def all_prefixes():
    """Every prefix of every country code with its (region, class)."""
    table = {}
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        table.update(CountryCode(code, regions).prefixes())
    return table
