"""The generated pages of docs/, a module each."""

from collections.abc import Callable, Mapping

from pages import commands, coverage, gateway, settings, stack_resources

PAGES: Mapping[str, Callable[[], str]] = {
    "docs/cli.md": commands.page,
    "docs/coverage.md": coverage.page,
    "docs/gateway-coverage.md": gateway.page,
    "docs/settings.md": settings.page,
    "docs/stack-resources.md": stack_resources.page,
}
"""By path, what writes each page."""
