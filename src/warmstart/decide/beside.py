"""What the facts say beside every plan: is there a gain over no network at all to build on?"""

from collections.abc import Iterator

from warmstart.base.types import Facts, Reason


def no_lead(facts: Facts) -> Iterator[Reason]:
    """A reason to doubt any plan: the frozen features are not shown to beat what needs no network."""
    if facts.baseline is None or facts.lead is None or facts.lead.low > 0:
        return
    lead = facts.lead
    saw = (
        f"probe {facts.probe:.3f}, without a network {facts.baseline:.3f}; difference in {lead.name} "
        f"{lead.value:+.3f} [{lead.low:+.3f}, {lead.high:+.3f}]"
    )
    so = "what is fine-tuned has yet to show that a pretrained network helps on these rows"
    yield Reason("baseline: frozen features beside no network", saw, so)
