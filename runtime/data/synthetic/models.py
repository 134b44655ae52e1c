"""From an annotated actor to its solid model."""

from __future__ import annotations

import numpy as np

from runtime.data.synthetic import small_models, vehicle_models
from runtime.data.synthetic.actor import Actor
from runtime.data.synthetic.mesh import Mesh


def model_of(actor: Actor) -> Mesh:
    """The mesh of an actor in metres; equal actors look equal.

    Raises:
        KeyError: a category without a model.
    """
    rng = np.random.default_rng(actor.look)
    size, kind = actor.size, actor.category
    if kind.startswith("human.pedestrian."):
        worker = kind.endswith("construction_worker")
        return small_models.pedestrian(size, rng, walking=not actor.still, worker=worker)
    if kind == "vehicle.motorcycle":
        return small_models.motorcycle(size, rng, rider=actor.rider)
    if kind == "vehicle.bicycle":
        return small_models.bicycle(size, rng, rider=actor.rider)
    makers = {
        "vehicle.car": vehicle_models.car,
        "vehicle.truck": vehicle_models.truck,
        "vehicle.bus.rigid": vehicle_models.bus,
        "vehicle.trailer": vehicle_models.trailer,
        "vehicle.construction": vehicle_models.construction_vehicle,
        "movable_object.barrier": small_models.barrier,
        "movable_object.trafficcone": small_models.traffic_cone,
        "static_object.bicycle_rack": small_models.bicycle_rack,
    }
    return makers[kind](size, rng)
