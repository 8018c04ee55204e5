"""What the notebooks show: each function asks the model one question and gives a figure, a table or a formula.

Notebooks call these and hold no computation of their own.
"""

from .break_even import break_even_formulas, break_even_tables
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
    own_evidence,
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
from .identifiability import (
    determined_sums,
    hidden_map,
    null_directions,
    prior_to_posterior,
    profile_figures,
    singular_values,
    verdict_table,
)
from .ladders import ladder_figure, ladder_scores
from .microbenchmarks import page_read_benchmarks, slot_search_benchmarks
from .probe import (
    probe_changes,
    probe_hosts,
    probe_share_left_out,
    probe_slots,
    probe_time_tables,
    probe_times,
)
from .probe_counters import probe_counters, probe_counts, probe_unchecked
from .scenario_results import scenario_results, scenario_saving
from .scenarios import scenario_answers, scenario_values
from .selection import (
    entry_costs,
    joint_scores,
    lookup_figure,
    lookup_forms,
    lookup_scores,
    selection_verdicts,
)
from .sensitivity import plan_check_table, plan_tables, sensitivity_figure
from .systems import system_sequences, system_stack
from .trace import exit_classes, handler_tails, hot_pages, time_lines
from .trace_files import imported_files, recording_commands, vcpu_threads
from .trace_model import derived_scenario, model_beside
from .tutorial import recording as recording
from .unified import retry_table, unified_equations, unified_table
from .validation import coverage_tables, held_out_figure, held_out_table, source_table
from .walks import published_lookups, search_equations, search_figure, walk_costs, walk_equation, walk_reads
from .what_if import faults_against_fills, slots_against_cold_searches, slots_against_updates
from .workloads import (
    change_explanations,
    pair_explanations,
    pair_figure,
    pair_table,
    workload_figure,
    workload_table,
)
from .wrong import where_wrong

__all__ = [
    "break_even_formulas",
    "break_even_hits",
    "break_even_tables",
    "bypass_break_evens",
    "bypass_costs",
    "bypass_equation",
    "bypass_map",
    "bypass_scenarios",
    "bypass_switch_costs",
    "change_explanations",
    "checked_rows",
    "cold_and_warm",
    "cost_stacks",
    "coverage_tables",
    "derived_scenario",
    "determined_sums",
    "entry_costs",
    "excluded_kinds",
    "exit_classes",
    "exit_table",
    "fast_mmio_map",
    "fast_mmio_widths",
    "faults_against_fills",
    "handler_tails",
    "hazard_recount",
    "hazard_schedules",
    "hazard_table",
    "held_out_figure",
    "held_out_table",
    "hidden_map",
    "hot_pages",
    "identified_sums",
    "imported_files",
    "joint_scores",
    "ladder_figure",
    "ladder_scores",
    "lookup_figure",
    "lookup_forms",
    "lookup_scores",
    "machines",
    "measured_against_fitted",
    "mitigation_table",
    "mmio_counts",
    "mmio_path_table",
    "model_beside",
    "null_directions",
    "own_evidence",
    "page_read_benchmarks",
    "pair_explanations",
    "pair_figure",
    "pair_table",
    "parameter_figure",
    "parameter_table",
    "plan_check_table",
    "plan_tables",
    "prior_to_posterior",
    "probe_changes",
    "probe_counters",
    "probe_counts",
    "probe_hosts",
    "probe_share_left_out",
    "probe_slots",
    "probe_time_tables",
    "probe_times",
    "probe_unchecked",
    "profile_figures",
    "published_lookups",
    "recording_commands",
    "residual_tables",
    "retry_table",
    "saving_by_generation",
    "saving_by_slots",
    "saving_equations",
    "saving_table",
    "scenario_answers",
    "scenario_results",
    "scenario_saving",
    "scenario_values",
    "search_equations",
    "search_figure",
    "selection_verdicts",
    "sensitivity_figure",
    "singular_values",
    "slot_search_benchmarks",
    "slots_against_cold_searches",
    "slots_against_updates",
    "source_table",
    "sources",
    "system_sequences",
    "system_stack",
    "time_lines",
    "unified_equations",
    "unified_table",
    "vcpu_threads",
    "verdict_table",
    "walk_costs",
    "walk_equation",
    "walk_reads",
    "where_wrong",
    "workload_figure",
    "workload_table",
]
