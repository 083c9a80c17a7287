"""Reading the table of an innovation roadmap out of extracted text, and writing it as CSV or a workbook.

Text extraction leaves a table as lines of tab-separated cells with noise in them: words broken over lines,
cells and rows, look-alike letters, page headers between the rows, cells that slipped sideways.
:func:`read_roadmap` gives the actions back as clean rows and logs every repair with its place in the source,
so that a person can audit it.  What the author worded badly stays as it is.
"""

from medkg.domain.errors import RoadmapError
from medkg.intake.roadmap.model import RULES, Repair, RoadmapRow, RoadmapTable
from medkg.intake.roadmap.reader import read_roadmap
from medkg.intake.roadmap.tables import ACTION_COLUMNS, REPAIR_COLUMNS, write_csv, write_xlsx

__all__ = [
    "ACTION_COLUMNS",
    "REPAIR_COLUMNS",
    "RULES",
    "Repair",
    "RoadmapError",
    "RoadmapRow",
    "RoadmapTable",
    "read_roadmap",
    "write_csv",
    "write_xlsx",
]
