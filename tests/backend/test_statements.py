"""Statements and key conditions that moto gets are read by it as iamd has read them: a difference test on random texts."""

import random

import pytest
from moto.dynamodb.parsing.key_condition_expression import parse_expression
from py_partiql_parser import DynamoDBStatementParser

from iamd.backend import dynamodb
from iamd.backend.verdict import Refused
from iamd.errors import AWSError
from iamd.gateway.actions import dynamodb_items, dynamodb_statements

ROWS = [
    {"pk": {"S": pk}, "sk": {"S": sk}, "note": {"S": "x"}, "PK": {"S": "me"}, "salary": {"S": "9"}}
    for pk in ("me", "you", "?")
    for sk in ("a", "b")
]
TABLES = {"mine": ROWS, "secret": [{**row, "secret": {"S": "1"}} for row in ROWS], "mine.idx": ROWS}
KNOWN = {"partition-key": '["pk"]'}
SEEDS = [
    "SELECT * FROM mine WHERE pk = 'me'", "SELECT pk, salary FROM \"mine\" WHERE pk = 'me' AND note = 'x'",
    "SELECT * FROM mine WHERE pk = ? OR pk = 'me'", "SELECT * FROM mine WHERE pk='me' AND sk<='b' AND note=?", "UPDATE mine SET note='z' WHERE pk='me' AND sk='a'",
    "UPDATE mine SET note=?, salary='2' WHERE pk=? AND sk='a'", "DELETE FROM mine WHERE pk = 'me' AND sk = 'a'",
    "INSERT INTO mine VALUE {'pk':'me','sk':'c','note':'w'}", "UPDATE mine REMOVE note WHERE pk='me' AND sk='b'",
]  # fmt: skip
PIECES = [
    "SELECT", "FROM", "WHERE", "mine", '"secret"', "pk", "PK", "=", "'me'", "'you'", "'?'", "?", "AND", "OR", "(", ")", ",",
    "*", "IS MISSING", "NOT", "SET", "'", '"', " ", ".", '"mine"."idx"', '"mine.idx"', " FROM secret ", " WHERE ", "<", "||",
    "BETWEEN", "IN ['me','you']", "SALARY", "--", "\n", "\t", "{", ":",
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def cases_apart():
    dynamodb._tell_cases_apart()


def mutated(source: random.Random, text: str, pieces: list[str]) -> str:
    letters = list(text)
    for _ in range(source.randint(0, 4)):
        place = source.randrange(len(letters) + 1)
        width = source.choice((0, 0, 1, 3))
        blank = source.choice(("", " "))
        letters[place : place + width] = [blank + source.choice(pieces) + blank] if width != 3 else []
    return "".join(letters)


def run_by_both(text: str, parameters: list) -> tuple | None:
    """What iamd reads and what moto does; None when one of them refuses."""
    try:
        statement = dynamodb_statements.parse(text)
        keys = dynamodb_statements.of_statement(statement, parameters, KNOWN)
        text = dynamodb.spaced(text)
        dynamodb.require_plain(text)
    except (AWSError, Refused):
        return None
    try:
        found, updates = DynamoDBStatementParser(TABLES).parse(text, list(parameters))
    except Exception:
        return None
    return statement, keys, found, updates


def test_moto_reads_and_writes_only_the_table_items_and_attributes_that_iamd_has_read():
    source, run = random.Random(4711), 0
    for _ in range(30_000):
        text = mutated(source, source.choice(SEEDS), PIECES)
        parameters = [{"S": source.choice(("me", "you"))} for _ in range(text.count("?"))]
        told = run_by_both(text, parameters)
        if told is not None:
            run += 1
            assert agrees(*told), (text, parameters, told)
    assert run > 3_000


def agrees(statement, keys, found, updates) -> bool:
    leading, named = keys.get("leading_keys", []), set(keys.get("attributes", []))
    anyones = dynamodb_items.UNKNOWN_KEY in leading or keys.get("full_table_scan")
    items = found + [item for pairs in updates.values() for pair in pairs for item in pair if item]
    if set(updates) - {statement.table} or any("secret" in item for item in items):
        return False
    if not anyones and any("pk" in item and item["pk"]["S"] not in leading for item in items):
        return False
    if statement.action == "PartiQLSelect":
        return keys["select"] == "ALL_ATTRIBUTES" or all(set(item) <= named for item in found)
    return all(changed(*pair) <= named for pairs in updates.values() for pair in pairs)


def changed(before, after):
    if before is None or after is None:
        return set(after or {})
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


SCHEMA = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
NAMES, VALUES = {"#p": "pk", "#s": "sk"}, {":me": {"S": "me"}, ":you": {"S": "you"}, ":s": {"S": "s"}}
CONDITIONS = [
    "pk = :me AND sk = :s",
    "pk=:me",
    "#p = :you and begins_with(#s, :s)",
    "(pk = :me) AND (sk BETWEEN :s AND :you)",
]
PARTS = [
    "pk",
    "sk",
    "#p",
    ":me",
    ":you",
    "=",
    "AND",
    "(",
    ")",
    "begins_with",
    "<",
    ",",
    " ",
    "\n",
    "you",
    "pk = :you",
    "OR",
    ".",
]


def test_moto_queries_only_the_partitions_that_iamd_has_read():
    source, run = random.Random(4711), 0
    parse = dynamodb._one_blank(parse_expression)
    for _ in range(30_000):
        text = mutated(source, source.choice(CONDITIONS), PARTS)
        try:
            hashes, _, _ = parse(text, dict(VALUES), dict(NAMES), SCHEMA)
            given = {
                "KeyConditionExpression": text,
                "ExpressionAttributeNames": NAMES,
                "ExpressionAttributeValues": VALUES,
            }
            leading = dynamodb_items.of_item("Query", given, KNOWN)["leading_keys"]
        except Exception:
            continue
        run += 1
        assert dynamodb_items.UNKNOWN_KEY in leading or hashes[0][1]["S"] in leading, (text, hashes, leading)
    assert run > 1_000


@pytest.mark.parametrize(
    "text",
    [
        *SEEDS,
        'SELECT a.b, c FROM "tbl" WHERE "pk" = ? AND contains(note, \'x y\') OR n >= 12.5',
        "SELECT * FROM tbl WHERE a IS NOT MISSING",
        "INSERT INTO tbl VALUE {'pk':'me','n':[1,{'a':true}],'m':{'x':null}}",
        "SELECT *\nFROM tbl\nWHERE pk = 'me'",
    ],
)
def test_plain_statements_are_run(text):
    dynamodb.require_plain(dynamodb.spaced(text))


@pytest.mark.parametrize(
    "text",
    [
        'SELECT * FROM "a.b"', "SELECT * FROM a WHERE x = 'it''s'", "UPDATE a SET b='c'", "DELETE FROM a",
        "DELETE FROM a WHERE b < 'c'", "INSERT INTO a VALUE {'b':'c','b':'d'}", "SELECT * FROM a WHERE x = '?'",
        "SELECT * FROM a WHERE x = ' WHERE '", "SELECT * FROM a WHERE x = 'a\nb'", "SELECT  * FROM a", "EXISTS(SELECT * FROM a)",
    ],
)  # fmt: skip
def test_what_moto_could_misread_is_not(text):
    with pytest.raises(Refused):
        dynamodb.require_plain(dynamodb.spaced(text))


def test_a_select_compares_with_blanks_and_without(cloud):
    """AWS: DynamoDB Developer Guide, "PartiQL update statements", has `WHERE Artist='Acme Band'`."""
    key = {"AttributeName": "pk", "AttributeType": "S"}
    client = cloud.client("dynamodb")
    client.create_table(
        TableName="mine",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[key],
        BillingMode="PAY_PER_REQUEST",
    )
    mine = {"pk": {"S": "a=b"}, "n": {"N": "2"}}
    for item in (mine, {"pk": {"S": "a = b"}, "n": {"N": "3"}}):
        client.put_item(TableName="mine", Item=item)

    def selected(where, *parameters):
        given = {"Parameters": list(parameters)} if parameters else {}
        return client.execute_statement(Statement=f'SELECT * FROM "mine" WHERE {where}', **given)["Items"]

    for where in ("pk='a=b'", "pk = 'a=b'", "pk='a=b' AND n<=2", "n<3", "\"pk\"=\n'a=b'"):
        assert selected(where) == [mine], where
    assert selected("pk=?", mine["pk"]) == [mine]
    statement = {"Statement": "SELECT * FROM mine WHERE pk='a=b'"}
    [told] = client.batch_execute_statement(Statements=[statement])["Responses"]
    assert told["Item"] == mine
