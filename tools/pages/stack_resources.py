"""docs/stack-resources.md: which types of resources stacks can have, and with which properties."""

from iamd.data import resource_types
from iamd.stacks import registry
from pages.markdown import code, codes, document, table

HEAD = """What iamd makes of a CloudFormation template. Each resource of one of these types is made, changed and removed
by requests to its service, which are decided and recorded like any other. A type that is not here is refused by its
name, and so is a property that is not; *refused* are those that AWS has besides. Attributes are what `Fn::GetAtt`
gives."""


def page() -> str:
    """The page."""
    rows = [_row(name) for name in registry.names()]
    return document("Resources of stacks", HEAD, table(("type", "properties", "attributes", "refused"), rows))


def _row(name: str) -> tuple[str, ...]:
    kind = registry.named(name)
    described = resource_types.find(name)
    known = kind.known_properties()
    writable = described.properties.keys() - described.read_only if described is not None else known
    properties = "any" if kind.takes_any else codes(sorted(known))
    attributes = codes(sorted(kind.attributes)) if kind.is_described else "any"
    named = code(name) if kind.is_described else f"{code(name)}, `Custom::NAME`"
    return named, properties, attributes, codes(sorted(writable - known))
