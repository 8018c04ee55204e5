"""What the notebooks show: each function asks the model one question and gives a figure, a table or a formula.

Notebooks call these and hold no computation of their own.
"""

from .bypass import (
    bypass_break_evens,
    bypass_costs,
    bypass_equation,
    bypass_map,
    bypass_scenarios,
    bypass_switch_costs,
)
from .evidence import (
    checked_rows,
    excluded_kinds,
    identified_sums,
    machines,
    measured_against_fitted,
    parameter_figure,
    parameter_table,
    residual_tables,
    sources,
)
from .exits import cost_stacks, exit_table, mitigation_table, mmio_counts, mmio_path_table
from .fast_mmio import (
    break_even_hits,
    cold_and_warm,
    fast_mmio_map,
    fast_mmio_widths,
    saving_by_generation,
    saving_by_slots,
    saving_equations,
    saving_table,
)
from .hazards import hazard_recount, hazard_schedules, hazard_table
from .systems import system_sequences, system_stack
from .unified import retry_table, unified_equations, unified_table
from .validation import coverage_tables
from .walks import published_lookups, search_equations, search_figure, walk_costs, walk_equation, walk_reads
from .workloads import pair_explanations, pair_figure, pair_table

__all__ = [
    "break_even_hits",
    "bypass_break_evens",
    "bypass_costs",
    "bypass_equation",
    "bypass_map",
    "bypass_scenarios",
    "bypass_switch_costs",
    "checked_rows",
    "cold_and_warm",
    "cost_stacks",
    "coverage_tables",
    "excluded_kinds",
    "exit_table",
    "fast_mmio_map",
    "fast_mmio_widths",
    "hazard_recount",
    "hazard_schedules",
    "hazard_table",
    "identified_sums",
    "machines",
    "measured_against_fitted",
    "mitigation_table",
    "mmio_counts",
    "mmio_path_table",
    "pair_explanations",
    "pair_figure",
    "pair_table",
    "parameter_figure",
    "parameter_table",
    "published_lookups",
    "residual_tables",
    "retry_table",
    "saving_by_generation",
    "saving_by_slots",
    "saving_equations",
    "saving_table",
    "search_equations",
    "search_figure",
    "sources",
    "system_sequences",
    "system_stack",
    "unified_equations",
    "unified_table",
    "walk_costs",
    "walk_equation",
    "walk_reads",
]
