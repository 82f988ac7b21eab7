"""Holds what Muster says of nets against SNAKES and pm4py.

    compare.py CASES.json

Each case is a PNML file with what Muster's engine saw in a run (`run`: enabled transitions and marking before each firing) and what its
analysis says (`states`, `edges`, `most_in_place`, `deadlock`; `unbounded` is a place). SNAKES gets the net as this file reads it from the
PNML, pm4py reads the PNML itself. Prints every disagreement and ends with 1 if there is one.
"""

import contextlib
import io
import json
import sys
import time
import warnings
import xml.etree.ElementTree as ElementTree

warnings.filterwarnings("ignore")

import snakes.nets as snakes

# It introduces itself at length.
with contextlib.redirect_stdout(io.StringIO()):
    from pm4py.objects.petri_net import semantics
    from pm4py.objects.petri_net.importer.variants import pnml as pm4py_pnml

PNML = "{http://www.pnml.org/version-2009/grammar/pnml}"


class Snakes:
    """A net in SNAKES: black tokens, arcs of several values for weights."""

    def __init__(self, path):
        root = ElementTree.parse(path).getroot().find(f"{PNML}net")
        self.net = snakes.PetriNet("net")
        for place in root.iter(f"{PNML}place"):
            tokens = int(place.findtext(f"{PNML}initialMarking/{PNML}text", "0"))
            self.net.add_place(snakes.Place(place.get("id"), [snakes.dot] * tokens))
        places = {place.name for place in self.net.place()}
        for transition in root.iter(f"{PNML}transition"):
            self.net.add_transition(snakes.Transition(transition.get("id")))
        for arc in root.iter(f"{PNML}arc"):
            weight = int(arc.findtext(f"{PNML}inscription/{PNML}text", "1"))
            value = snakes.Value(snakes.dot)
            label = value if weight == 1 else snakes.MultiArc([value] * weight)
            source, target = arc.get("source"), arc.get("target")
            if source in places:
                self.net.add_input(source, target, label)
            else:
                self.net.add_output(target, source, label)
        self.now = self.net.get_marking()

    def marking(self):
        return {place: len(tokens) for place, tokens in self.now.items() if len(tokens)}

    def successors(self):
        """For each enabled transition the state it leads to."""
        found = {}
        for transition in self.net.transition():
            self.net.set_marking(self.now)
            # Black tokens bind nothing. (Asked for its modes, SNAKES knows none of a transition without inputs.)
            if transition.enabled(snakes.Substitution()):
                transition.fire(snakes.Substitution())
                found[transition.name] = self.net.get_marking()
        return found


class Pm4py:
    """A net in pm4py, with its own reader and its own semantics."""

    def __init__(self, path):
        self.net, self.now, _ = pm4py_pnml.import_net(path)

    def marking(self):
        return {place.name: tokens for place, tokens in self.now.items() if tokens}

    def successors(self):
        found = {}
        for transition in semantics.enabled_transitions(self.net, self.now):
            found[transition.name] = semantics.execute(transition, self.net, self.now)
        return found


def follow(oracle, run):
    """The first difference in a run, or None."""
    for nth, step in enumerate(run):
        successors = oracle.successors()
        if oracle.marking() != step["marking"]:
            return f"before firing {nth}: marking {oracle.marking()}, Muster says {step['marking']}"
        if sorted(successors) != step["enabled"]:
            return f"before firing {nth}: enabled {sorted(successors)}, Muster says {step['enabled']}"
        if step["fires"] is not None:
            oracle.now = successors[step["fires"]]
    return None


def explore(oracle, limit):
    """States, edges, most tokens on a place, and whether a state is dead; None when there are more states than the limit."""
    key = lambda: frozenset(oracle.marking().items())
    seen, waiting = {key()}, [oracle.now]
    edges, most, deadlock = 0, 0, False
    while waiting:
        oracle.now = waiting.pop()
        most = max([most, *oracle.marking().values()])
        successors = oracle.successors()
        edges += len(successors)
        deadlock = deadlock or not successors
        for state in successors.values():
            oracle.now = state
            if key() not in seen:
                seen.add(key())
                waiting.append(state)
        if len(seen) > limit:
            return None
    return {"states": len(seen), "edges": edges, "most_in_place": most, "deadlock": deadlock}


def compare(make, case, limit):
    difference = follow(make(case["file"]), case["run"])
    if difference is not None:
        return difference
    found = explore(make(case["file"]), limit)
    if found is None:
        if case["states"] is not None and case["states"] <= limit:
            return f"more than {limit} states, Muster says {case['states']}"
        return None
    if case["unbounded"] is not None:
        return f"{found['states']} states, Muster says {case['unbounded']} grows for ever"
    said = {name: case[name] for name in found}
    return None if said == found else f"{found}, Muster says {said}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        given = json.load(file)
    wrong, finite = 0, sum(case["states"] is not None and case["states"] <= given["limit"] for case in given["cases"])
    for name, make in (("SNAKES", Snakes), ("pm4py", Pm4py)):
        start = time.monotonic()
        for case in given["cases"]:
            difference = compare(make, case, given["limit"])
            if difference is not None:
                wrong += 1
                with open(case["file"], encoding="utf-8") as net:
                    print(f"{name}: {difference}\n{net.read()}")
        print(f"{name}: {len(given['cases'])} nets in {time.monotonic() - start:.0f} s, {finite} of them explored whole")
    print(f"{wrong} disagreements")
    sys.exit(1 if wrong else 0)


main()
