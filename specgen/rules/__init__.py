"""Rules beyond the schemas: a table of codes and functions. A function's docstring is the rule it keeps."""

from __future__ import annotations

from types import MappingProxyType

from specgen.diagnostic import Diagnostic
from specgen.document import Node
from specgen.rules import (
    camera,
    conversion,
    data,
    grids,
    images,
    indexes,
    march,
    quantization,
    segmentation,
    stages,
    tasks,
    units,
)
from specgen.rules.finding import Finding, Rule

__all__ = ["RULES", "Finding", "Rule", "check"]

RULES: MappingProxyType[str, Rule] = MappingProxyType(
    {
        "E301": images.resize_is_one_thing,
        "E302": images.ranges_ascend,
        "E303": images.crop_fits,
        "E304": images.size_is_fixed,
        "E305": images.sizes_agree,
        "E306": images.size_divides,
        "E307": images.images_become_tensors,
        "E308": images.no_classification_top,
        "E309": units.angles_are_in_their_unit,
        "E311": indexes.neck_indexes_exist,
        "E312": indexes.neck_lists_agree,
        "E313": indexes.pyramid_levels_exist,
        "E314": indexes.pyramid_outputs_exist,
        "E315": indexes.feature_indexes_exist,
        "E321": grids.whole_cells,
        "E322": grids.dataset_grid_agrees,
        "E323": grids.map_grid_agrees,
        "E324": grids.grid_divides,
        "E325": grids.head_cells_are_grid_cells,
        "E326": grids.out_size_factors_agree,
        "E327": grids.scale_is_power_of_two,
        "E328": grids.scale_does_not_saturate,
        "E329": grids.six_views,
        "E331": tasks.parts_fit,
        "E332": tasks.names_differ,
        "E333": tasks.class_names_are_the_datasets,
        "E334": tasks.tasks_share_out_the_classes,
        "E335": tasks.lists_per_task,
        "E336": tasks.metrics_have_a_task,
        "E337": tasks.kernels_are_odd,
        "E338": tasks.metrics_differ,
        "E339": tasks.judged_boxes_are_in_metres,
        "E341": segmentation.class_count_fits,
        "E342": segmentation.sigmoid_goes_with_bce,
        "E343": segmentation.class_weights_fit,
        "E344": segmentation.unknown_cells_are_ignored,
        "E345": segmentation.metric_classes_fit,
        "E351": data.loaders_exist,
        "E352": data.several_devices_sample,
        "E353": data.judging_keeps_the_order,
        "E361": stages.earlier_stages_exist,
        "E362": stages.trainer_fits_stage,
        "E363": conversion.later_stages_load,
        "E364": conversion.float_stays_float,
        "E365": stages.one_schedule,
        "E366": stages.best_is_measured,
        "E367": stages.milestones_ascend,
        "E368": conversion.checkpoint_is_one_thing,
        "E369": conversion.checkpoint_is_of_the_stage_before,
        "E370": stages.callbacks_differ,
        "E371": march.march_is_known,
        "E381": conversion.stages_quantise,
        "E382": conversion.conversion_order_fits,
        "E383": conversion.folded_normalisation_is_not_synchronised,
        "E384": conversion.normalisation_is_folded,
        "E385": conversion.loaded_stages_save,
        "E386": stages.calibration_judges_and_saves,
        "E387": conversion.checker_loads_nothing,
        "E388": camera.frames_are_codes,
        "E391": quantization.rules_select,
        "E392": quantization.rules_set,
        "E393": quantization.float_has_no_codes,
        "E394": quantization.fixed_scale_is_not_observed,
        "E395": quantization.accumulators_are_outputs,
    }
)


EXPLAINED_BY: MappingProxyType[str, tuple[str, ...]] = MappingProxyType(
    {
        "E305": ("E303", "E304"),
        "E306": ("E305",),
        "E312": ("E311",),
        "E324": ("E321",),
        "E334": ("E333",),
        "E335": ("E334",),
        "E343": ("E341",),
        "E388": ("E305", "E306"),
    }
)
"""Codes whose breaks follow from breaks of others, which are then told alone."""
EXPLAINED_HERE_BY: MappingProxyType[str, tuple[str, ...]] = MappingProxyType(
    {"E363": ("E362",), "E368": ("E387",), "E381": ("E362",)}
)
"""The same, for breaks at one and the same place."""


def check(document: Node) -> tuple[Diagnostic, ...]:
    """Every break of every rule that no other one explains, for a document that is valid, filled and
    inferred."""
    found = {code: list(rule(document)) for code, rule in RULES.items()}
    places = {code: {finding.span for finding in findings} for code, findings in found.items()}
    return tuple(
        Diagnostic(code, finding.message, finding.span, finding.related, finding.hint)
        for code, findings in found.items()
        for finding in findings
        if not any(places[reason] for reason in EXPLAINED_BY.get(code, ()))
        and not any(finding.span in places[reason] for reason in EXPLAINED_HERE_BY.get(code, ()))
    )
