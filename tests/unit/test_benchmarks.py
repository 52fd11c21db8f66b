"""What a benchmark file says of a job's time, and that a file which says nothing is no error."""

import pytest

from smearlab.store.benchmarks import seconds_taken, waited_line

HEAD = "s\th:m:s\tmax_rss\n"


def test_the_seconds_of_the_first_row_count(tmp_path):
    path = tmp_path / "job.tsv"
    path.write_text(f"{HEAD}12.5\t0:00:12\t30.1\n99\t0:01:39\t30.1\n")
    assert seconds_taken(path) == 12.5 and seconds_taken(str(path)) == 12.5


@pytest.mark.parametrize(
    "content",
    [
        *(b"", HEAD.encode(), f"{HEAD}NA\t-\t-\n".encode(), f"{HEAD}nan\t-\t-\n".encode()),
        *(b"h:m:s\n0:00:12\n", b"h:m:s\ts\n0:00:12\n", b"\xff\xfe", b"s\tx\n\x00\t1\n"),
    ],
)
def test_a_file_without_a_time_has_none(tmp_path, content):
    path = tmp_path / "job.tsv"
    path.write_bytes(content)
    assert seconds_taken(path) is None


def test_neither_has_a_file_that_is_not_there(tmp_path):
    assert seconds_taken(tmp_path / "job.tsv") is None and seconds_taken(tmp_path) is None


def test_waiting_for_a_gpu_is_no_run_time(tmp_path):
    (tmp_path / "job.tsv").write_text(f"{HEAD}329.0\t0:05:29\t30.1\n")
    assert seconds_taken(tmp_path / "job.tsv") == 329.0
    (tmp_path / "job.log").write_text(f"device: all GPUs (0) are taken\n{waited_line(166.04)}\nmore\n")
    assert seconds_taken(tmp_path / "job.tsv") == pytest.approx(329 - 166)
    (tmp_path / "job.log").write_text(f"{waited_line(400)}\n")
    assert seconds_taken(tmp_path / "job.tsv") == 0
