"""moto's aliases of Lex's bots, which it finds by their ids alone: they are their own bot's here.

AWS: Lex V2 API Reference, DescribeBotAlias, UpdateBotAlias, DeleteBotAlias (ResourceNotFoundException; its words are
iamd's) and ListBotAliases.
"""

from collections.abc import Callable
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.lexv2models.models import LexModelsV2Backend

from iamd.backend.replacement import argument, replace


class _NotFound(JsonRESTError):
    code = 404

    def __init__(self, alias: str, bot: str) -> None:
        super().__init__("ResourceNotFoundException", f"The bot {bot} has no alias {alias}.")


def install() -> None:
    """SECURITY: what is decided is decided of the bot that a request names."""
    for name in ("describe_bot_alias", "update_bot_alias", "delete_bot_alias"):
        replace(LexModelsV2Backend, name, _of_bot)
    replace(LexModelsV2Backend, "list_bot_aliases", _all_of_bot)


def _of_bot(original: Callable[..., Any]) -> Callable[..., Any]:
    def of_bot(*given: Any, **named: Any) -> Any:
        backend, alias, bot = (argument(original, name, *given, **named) for name in ("self", "bot_alias_id", "bot_id"))
        found = backend.bot_aliases.get(alias)
        if found is None or found.bot_id != bot:
            raise _NotFound(alias, bot)
        return original(*given, **named)

    return of_bot


def _all_of_bot(original: Callable[..., Any]) -> Callable[..., Any]:
    def list_bot_aliases(backend: Any, bot_id: str, max_results: int) -> Any:
        listed, of = original(backend, bot_id, max_results)
        return [one for one in listed if backend.bot_aliases[one["botAliasId"]].bot_id == bot_id], of

    return list_bot_aliases
