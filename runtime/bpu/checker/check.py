"""`check_graph`: whether a march runs a graph, what its units waste, what would be better."""

from __future__ import annotations

from dataclasses import replace

from runtime.bpu.checker.finding import Finding
from runtime.bpu.checker.grid_precision import grid_precision
from runtime.bpu.checker.multipliers import significant_bits
from runtime.bpu.checker.padding import padding_share
from runtime.bpu.checker.placement import keeps_from_bpu, place_of
from runtime.bpu.checker.report import CheckReport, NodeReport, Remark
from runtime.bpu.checker.rules import ADVISORY_RULES, GRAPH_RULES
from runtime.bpu.checker.subject import Subject, subjects_of
from runtime.bpu.checker.suggestions import suggestions_for
from runtime.bpu.checker.sums import largest_sum
from runtime.bpu.checker.widths import widths_of
from runtime.bpu.march_data import UNITS, March
from runtime.bpu.operation_cost import operation_work, work_cycles
from runtime.hbir.graph import Graph


def check_graph(graph: Graph, march: March) -> CheckReport:
    """Holds every node of a valid graph, for one sample, against a march."""
    subjects = tuple(subjects_of(graph, march))
    whole = [
        (subject.node.name, rule.__name__, finding)
        for rule in GRAPH_RULES
        for subject, finding in rule(subjects)
    ]
    nodes, remarks = [], []
    for subject in subjects:
        name = subject.node.name
        keeping = list(keeps_from_bpu(subject))
        place = place_of(subject, {finding.level for _, finding in keeping})
        shared: list[tuple[str, Finding]] = [(rule, finding) for node, rule, finding in whole if node == name]
        advised = [(rule.__name__, finding) for rule in ADVISORY_RULES for finding in rule(subject)]
        remarks += [Remark(rule, name, finding) for rule, finding in (*keeping, *shared, *advised)]
        nodes.append(_described(subject, place))
    report = CheckReport(march, tuple(nodes), tuple(remarks), padding=_padding(subjects))
    return replace(report, suggestions=suggestions_for(subjects, report))


def _described(subject: Subject, place: str) -> NodeReport:
    cycles = None
    if place in UNITS:
        cycles = work_cycles(subject.march, operation_work(subject.march, subject.operation)).cycles
    return NodeReport(
        name=subject.node.name,
        op=subject.node.op,
        place=place,
        in_shapes=tuple(tensor.shape for tensor in subject.inputs),
        out_shape=subject.made.shape,
        widths=widths_of(subject),
        padding=padding_share(subject),
        cycles=cycles,
        largest_sum=largest_sum(subject),
        multiplier_bits=significant_bits(subject.node),
        grid=grid_precision(subject),
    )


def _padding(subjects: tuple[Subject, ...]) -> dict[str, float]:
    """Share of each unit's work that is padding."""
    amounts: dict[str, list[float]] = {}
    for subject in subjects:
        if subject.has_unit:
            work = operation_work(subject.march, subject.operation)
            total = amounts.setdefault(work.unit, [0.0, 0.0])
            total[0] += work.useful
            total[1] += work.amount
    return {unit: 1 - amounts[unit][0] / amounts[unit][1] for unit in UNITS if unit in amounts}
