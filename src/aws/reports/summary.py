"""A model's summary of the findings, for the insights page: only when somebody asked for it."""
from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, Sequence

from aws.reports.base import Results, Study
from aws.sources.base import SourceOptions

Summarise = Callable[[Sequence[Mapping[str, Any]], Mapping[str, Any], SourceOptions, str], Any]
MOST_SERVICES = 15  # whose costs are sent, the dearest


def add_summary(study: Study, model: str, summarise: Summarise) -> str:
    """Have a model write of the findings and figures, which leave the machine; return why it did not, or "".

    `summarise` is `aws.bedrock.summarise`, or what stands for it; its answer has `text`, `model`, `unknown_numbers`
    and `note`. The reports then show the text, with what in it no figure bears out.
    """
    findings = [one.as_data() for one in study.examined.findings]
    answer = summarise(findings, figures(study), study.service.source.options, model)
    if not answer.text:
        return str(answer.note)
    study.written = {"paragraphs": [line for line in answer.text.splitlines() if line.strip()],
                     "notes": [note for note in (answer.note, f"Written by {answer.model}.") if note],
                     "model": answer.model, "unknown_numbers": list(answer.unknown_numbers)}
    return ""


def figures(study: Study) -> Results:
    """Return the figures that go with the findings: the bill, its month, its services and accounts."""
    service, ahead, trend = study.service, study.ahead, study.service.trend()
    kept: Dict[str, Any] = {"days": study.examined.scene.days, "cost_of_services_a_month": study.examined.monthly_cost,
                            "saving_a_month": study.saving, "month": ahead.month_first, "month_to_date": ahead.to_date,
                            "month_ahead": ahead.month, "month_at_least": ahead.low, "month_at_most": ahead.high,
                            "budget": study.budget, "last_month": ahead.last_month}
    rows = [{name: row[name] for name in ("service", "cost", "share", "now", "before", "difference", "change")}
            for row in service.get_costs_by_service()[:MOST_SERVICES]]
    return dict(kept, trend=trend._asdict(), bill=service.total().as_data(), services=rows)
