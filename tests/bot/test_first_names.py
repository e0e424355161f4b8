"""What a first settings file calls metrics, and what it leaves out of an engine's address."""

import pytest

from bot.first.address import left_out, without_secrets
from bot.first.naming import series_names
from bot.first.roles import Roles
from bot.first.text import settings_text


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        (["ml.revenue", "ml.cost", '"my.team"."cost.eu"'], ["revenue", "cost", "cost.eu"]),
        (["rev/*.parquet", "rev/**/*.csv", "rev/"], ["rev", "rev 2", "rev 3"]),
        (["volume.csv", "eu/Volume.csv.gz"], ["volume 2", "Volume 3"]),
        (["s3://team/rev/*.parquet", "https://host/cost.csv?v=1/2"], ["rev", "cost"]),
        (["*.parquet"], ["series"]),
    ],
)
def test_a_metric_is_called_like_its_table(sources, names):
    """By a name that no other metric has."""
    assert series_names(sources, ["volume", "mae"]) == names


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgres://me:hush@host/db", "postgres://me@host/db"),
        (
            "postgres://me:a@hush@h:5/db?sslmode=require&password=hush",
            "postgres://me@h:5/db?sslmode=require",
        ),
        ("duckdb://md:db?motherduck_token=hush", "duckdb://md:db"),
        ("databricks://h?http_path=/1&access_token=hush", "databricks://h?http_path=/1"),
        ("mssql://h/db?odbc_connect=Server%3Dx%3BPWD%3Dhush", "mssql://h/db"),
        ("x://h/db?PASS%57ORD=hush&secret_key=hush&user=me@x", "x://h/db?user=me@x"),
    ],
)
def test_no_secret_of_the_address_is_written_down(address, shown):
    """The file may be shared; a comment says where it is read from instead."""
    roles = Roles({"time": "at", "prediction": "p"})
    text = settings_text(address, ("log", roles), [], [], [], [])
    assert f'# {left_out(address)}\nurl = "{shown}"' in text
    assert "hush" not in text


@pytest.mark.parametrize(
    "address", ["postgres://me@host:5/db?keepalives=1", "spark://a:1,b:2/ml?spark.cores.max=8"]
)
def test_an_address_without_a_secret_is_left_as_it_is(address):
    """And nothing is said."""
    assert (without_secrets(address), left_out(address)) == (address, "")
