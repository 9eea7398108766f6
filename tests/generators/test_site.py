"""A folder of reports: pages, index, manifest and results, written whole and only when they change."""
from __future__ import annotations

import base64
import hashlib
import json
import re
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest

import blocks as b
from generators.html_generator import SCRIPTS, STYLES, HTMLReportGenerator, asset, policy
from generators.site import Site, homes, report_version

MADE = "2026-04-01T00:00:00.000Z"
HOSTILE = "</script><img src=x onerror=alert(1)>\u202e=cmd|'"
LOG = {"name": "calls.csv", "bytes": 2_000_000, "first": "2026-01-01T00:00:00.000Z", "last": "2026-03-31T23:59:59.000Z",
       "calls": 12_345, "rejected": 2, "rejected_by_reason": {"bad date": 2}, "pending_bytes": 0}


class Spend:
    """A report that describes its page."""

    id, title, description, category = "spend", "Spend", "Where the money goes", "FinOps"
    page = (b.Cards("summary", cards=(b.Card("cost", "Spend", change="change", rise=b.BAD),)),
            b.Section(title="By customer",
                      blocks=(b.Table("by_customer", columns=("customer", "cost"), key="customer"),)))
    highlights = (b.Card("summary.cost", "Spend", change="summary.change", rise=b.BAD),)


class Alerts:
    """A report that describes none, of another group."""

    id, title, description, category = "alerts", "Alerts", "What to look at", "Advanced"


def spend(cost: str = "1234.5", name: str = "cust_0001"):
    return {"headline": f"Spend was ${cost}.", "summary": {"cost": Decimal(cost), "change": 0.125}, "log": LOG,
            "by_customer": [{"customer": name, "cost": Decimal(cost)}],
            "recommendations": [{"action": f"Talk to {name}", "monthly_usd": None, "evidence": "it grew",
                                 "confidence": "high"}]}


ALERTS = {"summary": {"alerts": 1}, "findings": [{"customer": "cust_0001", "severity": "high"}], "log": LOG,
          "recommendations": []}


def write(folder: Path, made: str = MADE, **changes) -> Site:
    site = Site(folder, [Spend, Alerts], made, ["spend", "alerts"])
    site.write(Spend, spend(**changes))
    site.write(Alerts, ALERTS)
    site.finish()
    return site


def manifest(folder: Path):
    return json.loads((folder / "html" / "manifest.json").read_text(encoding="utf-8"))


def times(folder: Path):
    return {path.name: path.stat().st_mtime_ns for path in folder.rglob("*.*")}


class Reader(HTMLParser):
    """Collects elements with their attributes, and the text of the page without scripts and style."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements, self.text, self._raw = [], "", False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._raw = tag in ("script", "style")

    def handle_endtag(self, tag):
        self._raw = False

    def handle_data(self, data):
        self.text += "" if self._raw else data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def read(folder: Path, name: str) -> Reader:
    return Reader((folder / "html" / name).read_text(encoding="utf-8"))


def test_a_folder_gets_pages_results_index_and_manifest(tmp_path):
    write(tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")} == {
        "html/index.html", "html/manifest.json", "html/spend.html", "html/alerts.html", "json/spend.json",
        "json/alerts.json", ".index.lock"}


def test_the_manifest_says_what_there_is(tmp_path):
    write(tmp_path)
    found = manifest(tmp_path)
    assert (found["calls"], found["data_bytes"], found["generated_at"]) == (12_345, 2_000_000, MADE)
    assert found["report_version"] == report_version() and found["progress_percent"] is None
    first = found["reports"][0]
    assert (first["id"], first["title"], first["category"], first["file"], first["headline"], first["failure"]) == (
        "spend", "Spend", "FinOps", "spend.html", "Spend was $1234.5.", None)
    assert first["size_bytes"] == (tmp_path / "html" / "spend.html").stat().st_size
    assert [one["id"] for one in found["reports"]] == ["spend", "alerts"]


def test_unchanged_results_leave_every_file_untouched(tmp_path):
    write(tmp_path)
    before = times(tmp_path)
    write(tmp_path, made="2027-01-01T00:00:00.000Z")
    assert times(tmp_path) == before


def test_changed_results_change_their_page_the_index_and_the_manifest_alone(tmp_path):
    write(tmp_path)
    before = times(tmp_path)
    write(tmp_path, made="2026-04-02T00:00:00.000Z", cost="99")
    assert {name for name, time in times(tmp_path).items() if time != before[name]} == {
        "spend.html", "spend.json", "index.html", "manifest.json"}
    made = {one["id"]: one["made"] for one in manifest(tmp_path)["reports"]}
    assert made == {"spend": "2026-04-02T00:00:00.000Z", "alerts": MADE}


def test_the_digest_of_a_report_changes_with_its_data(tmp_path):
    write(tmp_path)
    before = {one["id"]: one["digest"] for one in manifest(tmp_path)["reports"]}
    write(tmp_path, cost="99")
    after = {one["id"]: one["digest"] for one in manifest(tmp_path)["reports"]}
    assert before["spend"] != after["spend"] and before["alerts"] == after["alerts"]


def test_a_report_that_failed_keeps_its_page_and_the_index_says_why(tmp_path):
    write(tmp_path)
    page = (tmp_path / "html" / "spend.html").read_bytes()
    site = Site(tmp_path, [Spend, Alerts], MADE, ["spend", "alerts"])
    site.write(Alerts, ALERTS)
    site.finish({"spend": "the disk is <full>"})
    assert (tmp_path / "html" / "spend.html").read_bytes() == page
    assert "the disk is <full>" in read(tmp_path, "index.html").text
    assert manifest(tmp_path)["reports"][0]["failure"] == "the disk is <full>"


def test_a_page_links_to_all_pages_of_its_folder_by_group_and_names_itself(tmp_path):
    write(tmp_path)
    page = read(tmp_path, "alerts.html")
    links = [one["href"] for one in page.all("a") if "href" in one]
    assert {"index.html", "spend.html", "alerts.html"} <= set(links)
    assert [one["href"] for one in page.all("a") if one.get("aria-current") == "page"] == ["alerts.html"]
    assert "FinOps" in page.text and "Advanced" in page.text


def test_a_page_does_not_link_to_reports_that_were_never_made(tmp_path):
    site = Site(tmp_path, [Spend, Alerts], MADE, ["spend"])
    site.write(Spend, spend())
    site.finish()
    assert "alerts.html" not in (tmp_path / "html" / "spend.html").read_text(encoding="utf-8")
    assert "not made yet" in read(tmp_path, "index.html").text


def test_every_relative_link_leads_to_a_file_and_a_place_in_it(tmp_path):
    write(tmp_path)
    for path in (tmp_path / "html").glob("*.html"):
        for link in [one["href"] for one in Reader(path.read_text(encoding="utf-8")).all("a")]:
            name, _, place = link.partition("#")
            target = (path.parent / name) if name else path
            assert target.exists(), f"{path.name}: {link}"
            if place:
                identities = [one.get("id") for _, one in Reader(target.read_text(encoding="utf-8")).elements]
                assert place in identities, f"{path.name}: {link}"


def test_an_id_links_to_its_row_in_the_report_that_has_one(tmp_path):
    write(tmp_path)
    assert homes([Spend, Alerts]) == {"customer": "spend"}
    assert "spend.html#customer-cust_0001" in [one["href"] for one in read(tmp_path, "alerts.html").all("a")]


def test_every_page_says_which_log_which_period_how_many_calls_how_many_rejected_and_when(tmp_path):
    write(tmp_path)
    for path in (tmp_path / "html").glob("*.html"):
        text = Reader(path.read_text(encoding="utf-8")).text
        for said in ("calls.csv", "2026-01-01 00:00 to 2026-03-31 23:59 UTC", "12,345", "2 bad date",
                     "2026-04-01 00:00 UTC"):
            assert said in text, f"{path.name} does not say {said}"


def test_the_message_and_what_to_do_come_before_the_tables(tmp_path):
    write(tmp_path)
    text = read(tmp_path, "spend.html").text
    assert text.index("Spend was $1234.5.") < text.index("Talk to cust_0001") < text.index("By customer")


def test_hostile_names_stay_text(tmp_path):
    plain = tmp_path / "plain"
    write(plain)
    write(tmp_path, name=HOSTILE)
    for path in (tmp_path / "html").glob("*.html"):
        page = path.read_text(encoding="utf-8")
        read_page = Reader(page)
        assert not read_page.all("img") and read_page.all("script") == read(plain, path.name).all("script"), path.name
        bare = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
        assert "\u202e" not in bare
        assert not re.search(r"\son\w+=", re.sub(r"&[^;]*;|>[^<]*<", "", bare))


def test_a_page_holds_its_data_as_json_with_its_digest(tmp_path):
    write(tmp_path)
    page = (tmp_path / "html" / "spend.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL).group(1))
    assert data["report"]["id"] == "spend" and data["report"]["made"] == MADE
    assert set(data) >= {"tables", "charts", "report"}


def test_the_policy_allows_nothing_inline_but_the_pages_own_script_and_style(tmp_path):
    write(tmp_path)
    page = read(tmp_path, "spend.html")
    content = next(one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy")
    assert content == policy() and "unsafe" not in content and content.startswith("default-src 'none'")
    assert not [one for _, one in page.elements if "style" in one]
    text = (tmp_path / "html" / "spend.html").read_text(encoding="utf-8")
    embedded = re.findall(r"<style>(.*?)</style>|<script>(.*?)</script>", text, re.DOTALL)
    assert [one or other for one, other in embedded] == list(map(asset, (
        "report.css", "tables.css", "report.js", "formats.js", "tables.js")))
    for one, other in embedded:
        digest = base64.b64encode(hashlib.sha256((one or other).encode("utf-8")).digest()).decode()
        assert f"'sha256-{digest}'" in content


@pytest.mark.parametrize("blocks, left_out", [
    ((b.Notes("notes"), b.Facts("rows")), {"tables.css", "charts.css", "formats.js", "tables.js", "charts.js"}),
    ((b.Table("rows"),), {"charts.css", "charts.js"}),
    ((b.Bars("rows", label="day", values=("cost",)),), {"tables.js"}),
    ((b.Bars("rows", label="day", values=("cost",)), b.Table("rows")), set())])
def test_a_page_carries_the_parts_of_script_and_style_that_its_blocks_need(blocks, left_out):
    class Report(Alerts):
        page = blocks

    page = HTMLReportGenerator().page(Report, {"rows": [{"day": "<table> <figure ", "cost": "1"}],
                                               "notes": ["<table> <figure "]})
    assert {name for name in SCRIPTS + STYLES if asset(name) not in page} == left_out


def test_results_from_memory_and_from_their_json_give_the_same_page():
    from_memory = HTMLReportGenerator().page(Spend, spend())
    plain = json.loads(json.dumps(spend(), default=str))
    assert HTMLReportGenerator().page(Spend, plain) == from_memory


def test_a_damaged_manifest_or_result_is_made_anew(tmp_path):
    write(tmp_path)
    (tmp_path / "html" / "manifest.json").write_text("{")
    (tmp_path / "json" / "alerts.json").write_text("[1")
    site = Site(tmp_path, [Spend, Alerts], MADE, ["spend"])
    site.write(Spend, spend())
    site.finish()
    assert [one["id"] for one in manifest(tmp_path)["reports"]] == ["spend", "alerts"]


@pytest.mark.parametrize("results", [{}, {"summary": {}}, {"summary": {"total_calls": 0}, "log": {}, "rows": []}])
def test_empty_results_give_a_page_with_a_written_state(results):
    assert "Nothing to recommend" in Reader(HTMLReportGenerator().page(Alerts, results)).text
