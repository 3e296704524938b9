"""What the package exports: explicit, sorted, documented."""

import inspect

import pytest

import parlour.realtime

EXPORTS = parlour.realtime.__all__


def test_exports_are_explicit_sorted_and_there() -> None:
    assert sorted(EXPORTS) == EXPORTS
    assert len(set(EXPORTS)) == len(EXPORTS)
    public = {
        name
        for name, value in vars(parlour.realtime).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public == set(EXPORTS)


@pytest.mark.parametrize("name", EXPORTS)
def test_every_export_and_its_public_methods_are_documented(name: str) -> None:
    exported = getattr(parlour.realtime, name)
    assert inspect.getdoc(exported), name
    assert exported.__module__.startswith("parlour.realtime."), name
    for method, value in vars(exported).items():
        if not method.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
            assert inspect.getdoc(value), f"{name}.{method}"
