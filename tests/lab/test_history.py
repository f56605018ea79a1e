"""A damaged record of what was written together must not keep documents shut."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from jupyterhub_studios.lab.history import set_aside_if_damaged


def make(file: Path) -> None:
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE yupdates (path TEXT, yupdate BLOB)")
        database.executemany("INSERT INTO yupdates VALUES (?, ?)", [("a", b"x" * 900)] * 50)


def test_a_good_one_and_none_stay_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    assert not set_aside_if_damaged(file)
    make(file)
    before = file.read_bytes()
    assert not set_aside_if_damaged(file)
    assert file.read_bytes() == before


def test_damaged_ones_are_set_aside(tmp_path: Path) -> None:
    for name, damage in (("torn", lambda b: b[: len(b) // 2]), ("nonsense", lambda b: b"?" * len(b)),
                         ("page", lambda b: b[:4096] + b"\xff" * 4096 + b[8192:])):  # fmt: skip
        file = tmp_path / f"{name}.db"
        make(file)
        file.write_bytes(damage(file.read_bytes()))
        assert set_aside_if_damaged(file), name
        assert not file.exists() and (tmp_path / f"{name}.db.damaged").exists()


def test_what_a_kill_interrupted_is_rolled_back(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    make(file)
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("PRAGMA cache_size = 1")
    writer.execute("BEGIN")
    writer.executemany("INSERT INTO yupdates VALUES (?, ?)", [("b", b"y" * 900)] * 200)
    copy = tmp_path / "copy.db"
    copy.write_bytes(file.read_bytes())
    copy.with_name("copy.db-journal").write_bytes(file.with_name("store.db-journal").read_bytes())
    writer.execute("ROLLBACK")
    writer.close()
    assert not set_aside_if_damaged(copy)
    with sqlite3.connect(copy) as database:
        assert database.execute("SELECT count(*) FROM yupdates").fetchone() == (50,)
