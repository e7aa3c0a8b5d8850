"""From a network and a set of inputs to the arrays of an embedding."""

from __future__ import annotations

import numpy as np

from bilevel_lang.errors import RefusedError
from bilevel_lang.surrogate.bounds.input_set import InputSet
from bilevel_lang.surrogate.bounds.interval import NetworkBounds, interval_bounds
from bilevel_lang.surrogate.embedding.arrays import Embedding
from bilevel_lang.surrogate.embedding.assembly import Assembly
from bilevel_lang.surrogate.embedding.equilibration import equilibrated
from bilevel_lang.surrogate.embedding.form import Form
from bilevel_lang.surrogate.embedding.polarity import Push
from bilevel_lang.surrogate.embedding.reduction import reduce_network
from bilevel_lang.surrogate.embedding.registry import form_named
from bilevel_lang.surrogate.network import Network


def embed(
    network: Network,
    inputs: InputSet,
    form: str = "split",
    push: tuple[Push, ...] | None = None,
    bounds: NetworkBounds | None = None,
) -> Embedding:
    """``outputs = network(x)`` for x in ``inputs`` as columns and rows, in the form of that name (see ``registry.FORMS``).

    ``push`` (outputs,) says what the model does with each output, ``both`` where it is not given, which is always right.
    ``bounds`` of the neurons must be valid over ``inputs``; interval arithmetic where they are not given. Raises RefusedError
    where the form needs bounds that the inputs do not give, naming an input, or where it does not take the network; UsageError
    for an unknown form; ValueError where shapes differ.
    """
    if network.inputs != inputs.inputs:
        raise ValueError(f"the network has {network.inputs} inputs, the input set {inputs.inputs}")
    chosen = form_named(form)
    sides: tuple[Push, ...] = push or tuple("both" for _ in range(network.outputs))
    found = bounds or interval_bounds(network, inputs.lower, inputs.upper)
    assembly = Assembly(equilibrated(reduce_network(network, found, sides)), inputs.lower, inputs.upper)
    if chosen.needs_bounds:
        _require_finite(assembly, inputs, chosen)
    _add_unswitched(assembly)
    chosen.add(assembly, assembly.switched())
    return assembly.finish(chosen.name, sides)


def _add_unswitched(assembly: Assembly) -> None:
    """The rows of neurons without a switch: z = a where it is always active, z >= a where it only has to be held from below."""
    for kind, flags, lower in (("linear", assembly.reduced.linear, 0.0), ("at_least", assembly.unswitched(), -np.inf)):
        neurons = np.flatnonzero(flags)
        assembly.add_rows(kind, neurons, assembly.before(neurons), [(assembly.relu[neurons], -1.0)], lower, 0.0)


def _require_finite(assembly: Assembly, inputs: InputSet, form: Form) -> None:
    """RefusedError where a switched neuron has an infinite bound."""
    switched = assembly.switched()
    if np.isfinite(assembly.reduced.lower[switched]).all() and np.isfinite(assembly.reduced.upper[switched]).all():
        return
    inputs.require_bounded(f"the form {form.name}")
    raise RefusedError(
        f"the form {form.name} needs finite bounds of every switched neuron, and the bounds of the inputs give infinite ones",
        "give the inputs smaller bounds, or scale the network",
    )
