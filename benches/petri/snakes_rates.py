"""How fast SNAKES fires and explores a net: prints firings per second and states per second.

    snakes_rates.py FILE.pnml SECONDS

A firing is what a simulation does: the transitions that are enabled, one of them at random, its effect. The states are those of
SNAKES' own StateGraph, built as far as it comes.
"""

import random
import sys
import time
import xml.etree.ElementTree as ElementTree

from snakes.nets import MultiArc, PetriNet, Place, StateGraph, Transition, Value, dot

PNML = "{http://www.pnml.org/version-2009/grammar/pnml}"


def read(path: str) -> PetriNet:
    root = ElementTree.parse(path).getroot().find(f"{PNML}net")
    net = PetriNet("net")
    for place in root.iter(f"{PNML}place"):
        tokens = int(place.findtext(f"{PNML}initialMarking/{PNML}text", "0"))
        net.add_place(Place(place.get("id"), [dot] * tokens))
    places = {place.name for place in net.place()}
    for transition in root.iter(f"{PNML}transition"):
        net.add_transition(Transition(transition.get("id")))
    for arc in root.iter(f"{PNML}arc"):
        weight = int(arc.findtext(f"{PNML}inscription/{PNML}text", "1"))
        label = Value(dot) if weight == 1 else MultiArc([Value(dot)] * weight)
        source, target = arc.get("source"), arc.get("target")
        if source in places:
            net.add_input(source, target, label)
        else:
            net.add_output(target, source, label)
    return net


def firings(net: PetriNet, seconds: float) -> float:
    chance = random.Random(1)
    transitions = list(net.transition())
    start, fired = time.perf_counter(), 0
    while (spent := time.perf_counter() - start) < seconds:
        enabled = [(t, modes) for t in transitions if (modes := t.modes())]
        t, modes = chance.choice(enabled)
        t.fire(modes[0])
        fired += 1
    return fired / spent


def states(net: PetriNet, seconds: float) -> float:
    graph = StateGraph(net)
    start, expanded = time.perf_counter(), 0
    # The successors of a state are found just before it is given.
    for _ in graph:
        expanded += 1
        if time.perf_counter() - start > seconds:
            break
    return expanded / (time.perf_counter() - start)


if __name__ == "__main__":
    seconds = float(sys.argv[2])
    net = read(sys.argv[1])
    initial = net.get_marking()
    fired = firings(net, seconds)
    net.set_marking(initial)
    print(fired, states(net, seconds))
