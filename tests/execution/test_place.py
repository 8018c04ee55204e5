"""Executed notebooks in a store that papermill can write to; ledger, reasons and errors stay as on a disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nursery import shared_nursery
from samples import code, write_notebook

from mmiocost.errors import InvalidInput, MmioCostError
from mmiocost.execution import Task, run_tasks
from mmiocost.execution.place import check_remote, is_remote


@pytest.fixture(scope="module", autouse=True)
def nursery() -> Iterator[None]:
    with shared_nursery():
        yield


class Kept:
    """A store in memory, as papermill's handlers are: notebooks by address; ``down`` refuses everything."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.down = False

    def read(self, path: str) -> str:
        return self.files[path]

    def write(self, text: str, path: str) -> None:
        if self.down:
            raise RuntimeError("the store is down")
        self.files[path] = text

    def listdir(self, path: str) -> list[str]:
        if self.down:
            raise RuntimeError("the store is down")
        return list(self.files)


@pytest.fixture
def store() -> Iterator[Kept]:
    from papermill.iorw import papermill_io

    found = Kept()
    papermill_io.register("kept://", found)
    yield found
    papermill_io._handlers.remove(("kept://", found))


def test_a_store_is_told_from_a_folder() -> None:
    assert [is_remote(text) for text in ("s3://b/x", "gs://b", "out", "/a/b", "C:/x", "a:b")] == [True] * 2 + [
        False
    ] * 4


def test_notebooks_go_to_a_store_and_the_ledger_stays(tmp_path: Path, store: Kept) -> None:
    path = write_notebook(tmp_path / "a.ipynb", code("print('here')"))
    tasks, address = [Task("one", path, {})], "kept://bucket/run/"
    assert [run.reason for run in run_tasks(tasks, tmp_path / "out", inputs={}, notebooks=address)] == ["new"]
    assert "here" in store.files["kept://bucket/run/one.ipynb"]
    assert [found.name for found in (tmp_path / "out").iterdir()] == ["ledger"]
    assert [run.status for run in run_tasks(tasks, tmp_path / "out", inputs={}, notebooks=address)] == ["unchanged"]
    store.files.clear()
    again = run_tasks(tasks, tmp_path / "out", inputs={}, notebooks=address)
    assert [run.reason for run in again] == ["executed notebook missing"]


def test_a_store_that_is_down_or_read_only_is_told_before_any_work(store: Kept) -> None:
    check_remote("kept://bucket")
    store.down = True
    with pytest.raises(MmioCostError, match="kept://bucket: can't be reached through papermill: the store is down"):
        check_remote("kept://bucket")
    for address in ("https://example.org/x", "nowhere://x"):
        with pytest.raises(InvalidInput, match="must be a folder or start with one of s3://"):
            check_remote(address)


def test_notebooks_go_to_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against moto's server, where it is installed."""
    pytest.importorskip("moto", reason="needs moto[server] and papermill[s3], which are not in requirements.lock")
    boto3: Any = pytest.importorskip("boto3")
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("BOTO3_ENDPOINT_URL", address)
    try:
        boto3.client("s3").create_bucket(Bucket="reports")
        path = write_notebook(tmp_path / "a.ipynb", code("print('here')"))
        tasks, place = [Task("one", path, {})], "s3://reports/run"
        check_remote(place)
        for status in ("executed", "unchanged"):
            assert [run.status for run in run_tasks(tasks, tmp_path / "out", inputs={}, notebooks=place)] == [status]
        held = boto3.client("s3").get_object(Bucket="reports", Key="run/one.ipynb")["Body"].read()
        assert b"here" in held
    finally:
        server.stop()
