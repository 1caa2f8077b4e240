from __future__ import annotations

from pathlib import Path

from evaluation.benchmarks.processor import INSTRUCTIONS, this_processor


def test_the_processor_is_told_by_what_makes_models_fast(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    one = "processor\t: 0\nmodel name\t: Xeon 6 @ 2.4GHz: a\nflags\t\t: fpu avx2 avx512f amx_tile amx_bf16 sse\n\n"
    cpuinfo.write_text(one + one)
    processor = this_processor(cpuinfo)
    assert processor.name == "Xeon 6 @ 2.4GHz: a"
    assert processor.instructions == ("avx2", "avx512f", "amx_tile", "amx_bf16")
    assert processor.cores >= 1
    assert "Xeon 6" in str(processor) and "core" in str(processor) and "amx_bf16" in str(processor)


def test_this_one_is_told_and_a_silent_system_is_no_error(tmp_path: Path) -> None:
    assert set(this_processor().instructions) <= set(INSTRUCTIONS)
    silent = this_processor(tmp_path / "none")
    assert silent.name and silent.instructions == ()
    assert "instructions unknown" in str(silent)
