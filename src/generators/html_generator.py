"""`HTMLReportGenerator`: draws results as pages; the one generator that all analysers share.

It knows nothing of any single analyser: a report is anything with `id`, `title`, `description`, `category` and
`page` (blocks; empty for a page of all sections), and its results are plain data.
"""
from __future__ import annotations

import base64
import functools
import hashlib
import re
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple, Union

import blocks as b
from generators.charts import ChartBlocks
from generators.embedding import squeeze
from generators.files import as_json, write_whole
from generators.generic import page_of
from generators.page_parts import CHARTS, TABLES
from generators.provenance import foot, meta
from generators.tables import TableBlocks
from generators.templates import Markup, join, parts
from generators.text_blocks import TextBlocks, heading

ASSETS = Path(__file__).resolve().parent / "assets"
NO_FORMS = "'none'"
SCRIPTS = ("report.js", "formats.js", "tables.js", "charts.js")
STYLES = ("report.css", "tables.css", "charts.css")
FORM_STYLE = "form.css"
# Which parts of script and style are only for pages with a table or a chart; a chart's numbers are a table too.
_ONLY_WITH = {"formats.js": (TABLES, CHARTS), "tables.js": (TABLES,), "charts.js": (CHARTS,),
              "tables.css": (TABLES, CHARTS), "charts.css": (CHARTS,)}
CHARTJS_HASH = "sha384-dug+JxfBvklEQdJ4AYuBBAIScUz0bVN73xpy273gcAwHjb3qI0fXmuYNaNfdyYJG"  # of 4.4.1, chart.umd.js
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_DIGEST = re.compile(rb'name="digest" content="([0-9a-f]+)"')


class Page(NamedTuple):
    """What the pages of a folder know of each other."""

    id: str
    title: str
    category: str
    description: str = ""

    @property
    def file(self) -> str:
        """Return the page's file name."""
        return f"{self.id}.html"


class HTMLReportGenerator(ChartBlocks, TableBlocks, TextBlocks):
    """Draws pages that link to the pages of one folder; draws one page at a time.

    `homes` tells for the name of a column (`"customer"`) which report has a row for each of its values.
    """

    def __init__(self, pages: Sequence[Page] = (), homes: Optional[Mapping[str, str]] = None) -> None:
        """Remember which pages there are, in the order of the navigation."""
        super().__init__()
        self._pages = list(pages)
        self.homes = dict(homes or {})

    def write_report(self, analyzer: Any, output_file: Union[str, Path], made: str = "") -> str:
        """Write an analyser's page, unless it would only differ in when it was made; return its path.

        `made` is an ISO 8601 time. Raises `LogError` when the file cannot be written.
        """
        path = Path(output_file)
        write_page(path, self.page(analyzer, analyzer.analyze(), made))
        return str(path)

    def page(self, report: Any, results: Mapping[str, Any], made: str = "") -> str:
        """Return a report's whole page."""
        self.begin(report.id, self.homes)
        drawn = page_of(report, results)
        if "recommendations" in results:
            drawn = self._with_recommendations(drawn)
        body = join(self.draw(block, results) for block in drawn)
        return self.frame(report, results, body, made)

    def draw(self, block: b.Block, results: Any) -> Markup:
        """Return a block as markup: by the method that has the name of its class."""
        method = getattr(self, _CAMEL.sub("_", type(block).__name__).lower())
        drawn: Markup = method(block, results)
        return drawn

    def section(self, block: b.Section, results: Any) -> Markup:
        """Return blocks under one heading, which links can point to."""
        about = heading(b.Block(about=block.about))
        block_id = self.new_id(b.Block(title="section " + block.title))
        self.is_alone = block.wide
        blocks = join(self.draw(one, results) for one in block.blocks)
        self.is_alone = False
        return parts("blocks.html")["section"].fill(
            id=block_id, title=block.title, about=about,
            wide=" wide" if block.wide else "", blocks=blocks)

    def frame(self, report: Any, results: Mapping[str, Any], body: Markup, made: str) -> str:
        """Return a page with everything around its body: policy, navigation, provenance, data, style and script."""
        digest = data_digest(as_json(results))
        forms = getattr(report, "forms", NO_FORMS)
        scripts, styles = needed(SCRIPTS, self.used), needed(styles_of(forms), self.used)

        def filled(page_digest: str, made: str) -> str:
            identity = {"id": report.id, "title": report.title, "digest": digest, "made": made}
            return parts("page.html")["page"].fill(
                policy=Markup(policy(forms)),
                description=report.description, digest=page_digest, title=report.title,
                styles=_embedded("style", styles), scripts=_embedded("script", scripts), id=report.id,
                category=report.category,
                lead=results.get("headline") or report.description, meta=meta(results), body=body,
                foot=foot(report.id, results, made), data=Markup(self.data_json(identity)),
                groups=self._groups(report.id))

        return filled(hashlib.sha256(filled("", "").encode("utf-8")).hexdigest()[:32], made) + "\n"

    def _groups(self, current: str) -> Markup:
        grouped: Dict[str, List[Page]] = {}
        for page in self._pages:
            grouped.setdefault(page.category, []).append(page)
        fill = parts("page.html")
        return join(fill["group"].fill(
            id=re.sub(r"\W+", "-", name).lower(), name=name,
            items=join(fill["current" if page.id == current else "item"].fill(file=page.file, title=page.title)
                       for page in pages)) for name, pages in grouped.items())

    @staticmethod
    def _with_recommendations(drawn: Tuple[b.Block, ...]) -> Tuple[b.Block, ...]:
        """Put what to do behind the first figures of a page that does not place it itself."""
        if any(isinstance(block, b.Recommendations) for block in drawn):
            return drawn
        head = 1 if drawn and isinstance(drawn[0], b.Cards) else 0
        return drawn[:head] + (b.Recommendations(),) + drawn[head:]


def data_digest(json_text: str) -> str:
    """Return what changes when a report's results do."""
    return hashlib.sha256(json_text.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def write_page(path: Path, page: str) -> bool:
    """Write a page, unless the file holds the same one made at another time; True when it was written."""
    match = _DIGEST.search(page.encode("utf-8"))
    try:
        held = _DIGEST.search(path.read_bytes())
    except OSError:
        held = None
    if match and held and match.group(1) == held.group(1):
        return False
    return write_whole(path, page)


@functools.lru_cache(maxsize=None)
def asset(name: str) -> str:
    """Return a style or script as pages embed it."""
    return squeeze(name, (ASSETS / name).read_text(encoding="utf-8"))


def needed(names: Sequence[str], used: Set[str]) -> List[str]:
    """Return which of these assets a page needs that has these kinds of parts."""
    return [name for name in names if name not in _ONLY_WITH or used.intersection(_ONLY_WITH[name])]


def styles_of(forms: str) -> Tuple[str, ...]:
    """Return the styles that a page may have; only those with a form carry what is for forms."""
    return STYLES + ((FORM_STYLE,) if forms != NO_FORMS else ())


def _embedded(element: str, names: Sequence[str]) -> Markup:
    return join(parts("page.html")[element].fill(text=Markup(asset(name))) for name in names)


@functools.lru_cache(maxsize=None)
def policy(forms: str = NO_FORMS) -> str:
    """Return the pages' Content-Security-Policy: nothing but their own constant scripts and styles, and Chart.js.

    It is the same for all pages, whichever parts they need. `forms` is where a form may lead.
    """
    scripts, styles = (" ".join(map(_allowed, names)) for names in (SCRIPTS, styles_of(forms)))
    return (f"default-src 'none'; script-src {scripts} '{CHARTJS_HASH}'; style-src {styles}; "
            f"img-src data:; connect-src 'self'; base-uri 'none'; form-action {forms}")


def _allowed(name: str) -> str:
    """Return the hash by which a policy allows what is embedded of an asset."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(asset(name).encode('utf-8')).digest()).decode()}'"
