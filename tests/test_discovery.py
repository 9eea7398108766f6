"""Units that are registered by their presence: packages are made in a temporary folder and searched."""
from __future__ import annotations

import importlib
import itertools
import sys
import textwrap

import pytest

from discovery import choose, discover
from errors import RegistryError, UsageError

_NUMBERS = itertools.count()


class _Base:
    """What the units of these tests are kinds of."""


@pytest.fixture
def make_package(tmp_path, monkeypatch):
    """Return a function that makes a package of modules, each given by name and source."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made = []

    def make(**modules):
        name = f"discovered_{next(_NUMBERS)}"
        made.append(name)
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        for module, source in modules.items():
            path = folder.joinpath(*module.split("__")).with_suffix(".py")
            path.parent.mkdir(exist_ok=True)
            if path.parent != folder:
                (path.parent / "__init__.py").write_text("")
            path.write_text("from test_discovery import _Base\n" + textwrap.dedent(source))
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield make
    for name in [one for one in sys.modules if one.partition(".")[0] in made]:
        del sys.modules[name]


def _unit(identity, name="Unit", bases="_Base", **more):
    values = dict({"id": identity, "title": "A title", "description": "What it does"}, **more)
    return f"class {name}({bases}):\n" + "".join(f"    {key} = {value!r}\n" for key, value in values.items())


def test_a_module_dropped_into_the_package_is_found(make_package):
    package = make_package(one=_unit("one"), two=_unit("two"))
    found = discover(package, _Base)
    assert list(found) == ["one", "two"]
    assert found["two"].__module__ == package.__name__ + ".two"


def test_a_module_in_a_folder_of_the_package_is_found(make_package):
    assert list(discover(make_package(inner__deep=_unit("deep"), top=_unit("top")), _Base)) == ["deep", "top"]


def test_units_are_ordered_by_rank_and_then_by_id(make_package):
    package = make_package(a=_unit("a"), b=_unit("b", rank=200), c=_unit("c", rank=1), d=_unit("d", rank=100))
    assert list(discover(package, _Base)) == ["c", "a", "d", "b"]


def test_an_empty_package_has_no_units(make_package):
    assert discover(make_package(), _Base) == {}


def test_classes_of_another_kind_and_imported_ones_are_no_units(make_package):
    package = make_package(one=_unit("one"), helper="class Helper: pass\n")
    (tmp,) = package.__path__
    with open(f"{tmp}/user.py", "w") as handle:
        handle.write(f"from {package.__name__}.one import Unit\nfrom test_discovery import _Base\n")
    importlib.invalidate_caches()
    assert list(discover(package, _Base)) == ["one"]


def test_an_abstract_class_is_no_unit(make_package):
    source = "import abc\nclass Half(_Base, abc.ABC):\n    @abc.abstractmethod\n    def do(self): ...\n"
    assert list(discover(make_package(half=source, one=_unit("one")), _Base)) == ["one"]


@pytest.mark.parametrize("missing", ["id", "title", "description"])
@pytest.mark.parametrize("absent", [True, False])
def test_a_unit_without_a_required_word_is_refused_by_name(make_package, missing, absent):
    values = {"id": "one", "title": "A title", "description": "What it does"}
    values[missing] = ""
    if absent:
        del values[missing]
    lines = "".join(f"    {key} = {value!r}\n" for key, value in values.items())
    package = make_package(one="class Unit(_Base):\n" + lines)
    with pytest.raises(RegistryError) as caught:
        discover(package, _Base)
    assert str(caught.value) == f"{package.__name__}.one.Unit has no {missing}: give it one"


def test_two_units_with_one_id_are_refused_with_both_modules(make_package):
    package = make_package(one=_unit("same"), two=_unit("same"))
    with pytest.raises(RegistryError) as caught:
        discover(package, _Base)
    name = package.__name__
    assert str(caught.value) == f"{name}.two and {name}.one both have the id 'same': rename one"


def test_a_module_that_cannot_be_imported_is_not_passed_over(make_package):
    with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
        discover(make_package(one="import no_such_module_anywhere\n"), _Base)


FOUND = {"b": int, "a": str, "c": float}


def test_units_are_chosen_in_the_order_in_which_they_were_found():
    assert list(choose(FOUND, "c,b", "letter")) == ["b", "c"]
    assert choose(FOUND, "a", "letter") == {"a": str}


def test_spaces_empty_parts_and_repeats_in_a_choice_do_not_matter():
    assert list(choose(FOUND, " a ,, b,a,", "letter")) == ["b", "a"]


@pytest.mark.parametrize("wanted, what", [
    ("x", "'x'"), ("a,x,y", "'x'"), ("A", "'A'"), ("", "an empty list"), (" , ", "an empty list")])
def test_an_unknown_choice_is_refused_with_those_that_there_are(wanted, what):
    with pytest.raises(UsageError) as caught:
        choose(FOUND, wanted, "letter")
    assert str(caught.value) == f"{what} is no letter; there are: a, b, c"
