"""Build, check and watch training sets that mix synthetic and real data.

The public names are loaded on first use, so that `import holdfast` costs next to nothing. It holds no code of
its own: `PUBLIC` says where each name lives, and that table is the whole public surface.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

PUBLIC = {
    "AuditOptions": "holdfast.workflows.audit:AuditOptions",
    "Built": "holdfast.workflows.build:Built",
    "Dataset": "holdfast.core.dataset:Dataset",
    "Evidence": "holdfast.core.verdict:Evidence",
    "FilterOptions": "holdfast.workflows.filter:FilterOptions",
    "Finding": "holdfast.core.verdict:Finding",
    "HoldfastError": "holdfast.core.errors:HoldfastError",
    "Label": "holdfast.core.labels:Label",
    "LabOptions": "holdfast.lab.design:LabOptions",
    "Manifest": "holdfast.core.rundir:Manifest",
    "Measurement": "holdfast.core.verdict:Measurement",
    "Message": "holdfast.core.record:Message",
    "MixOptions": "holdfast.workflows.mix_options:MixOptions",
    "Monitor": "holdfast.workflows.monitor:Monitor",
    "NotJudged": "holdfast.core.verdict:NotJudged",
    "Passed": "holdfast.core.verdict:Passed",
    "Provenance": "holdfast.core.record:Provenance",
    "Reading": "holdfast.workflows.monitor:Reading",
    "Record": "holdfast.core.record:Record",
    "Report": "holdfast.report.report:Report",
    "ReserveOptions": "holdfast.workflows.reserve:ReserveOptions",
    "ReviewOptions": "holdfast.workflows.review:ReviewOptions",
    "Settings": "holdfast.core.settings:Settings",
    "Verdict": "holdfast.core.verdict:Verdict",
    "VerifyOptions": "holdfast.workflows.verify:VerifyOptions",
    "View": "holdfast.rules.view:View",
    "WatchOptions": "holdfast.workflows.watch:WatchOptions",
    "Watched": "holdfast.workflows.monitor:Watched",
    "audit": "holdfast.workflows.audit:audit",
    "build": "holdfast.workflows.build:build",
    "doctor": "holdfast.workflows.doctor:doctor",
    "EstimateOptions": "holdfast.workflows.estimate:EstimateOptions",
    "estimate": "holdfast.workflows.estimate:estimate",
    "explain": "holdfast.workflows.explain:explain",
    "filter_files": "holdfast.workflows.filter:filter_files",
    "generate": "holdfast.workflows.generate:generate",
    "init": "holdfast.workflows.init:init",
    "load": "holdfast.core.settings:load",
    "mix": "holdfast.workflows.mix:mix",
    "plan": "holdfast.workflows.plan:plan",
    "probe": "holdfast.workflows.judge:probe",
    "parcel": "holdfast.workflows.push:parcel",
    "read": "holdfast.core.reader:read",
    "read_labels": "holdfast.core.labels:read_labels",
    "reserve": "holdfast.workflows.reserve:reserve",
    "review": "holdfast.workflows.review:review",
    "review_agreement": "holdfast.workflows.review_agreement:review_agreement",
    "run_lab": "holdfast.lab.experiment:run_lab",
    "view": "holdfast.workflows.view:view",
    "verify_manifest": "holdfast.workflows.verify_manifest:verify_manifest",
    "verify_files": "holdfast.workflows.verify:verify_files",
    "watch": "holdfast.workflows.watch:watch",
}

__all__ = sorted(PUBLIC)  # noqa: PLE0605  # the table is the one place; a test holds the two equal


def __getattr__(name: str) -> Any:
    """Load a public name on first use and keep it."""
    if name not in PUBLIC:
        raise AttributeError(f"module 'holdfast' has no attribute {name!r}")
    module, _, attribute = PUBLIC[name].partition(":")
    value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *PUBLIC})
